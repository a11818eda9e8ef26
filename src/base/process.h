// Other programs as child processes: started without a shell, their output read through pipes.
#ifndef AEXP_BASE_PROCESS_H
#define AEXP_BASE_PROCESS_H

#include "base/error.h"
#include "base/memory.h"

#include <sys/types.h>

struct process {
	pid_t pid;
	int out, err; // ends to read of its standard output and error, which do not block; -1 once closed
};

// What is started, and how.
struct command {
	const char *const *argv; // NULL-ended; argv[0] is found by PATH unless it has a slash
	const char *folder;      // NULL: this one
	const char *const *set;  // NULL-ended "NAME=VALUE" over this process's environment; NULL: nothing
};

// Starts it with nothing on standard input. ERROR_RUN where it cannot be started; ret_missing (may be NULL): there is
// no such program.
bool process_start(const struct command *command, struct process *ret, bool *ret_missing, struct error *error);
// Adds what can be read from one of its ends without waiting; false once that end is closed, which closes ours.
bool process_read(int *end, struct text *text);
// Waits for the end of the process, and closes what is open. The status is waitpid's.
int process_wait(struct process *process);
// "exit code 3", "killed by signal 9 (out of memory, or by someone)".
void process_explain(int status, struct text *text);

// Runs it to its end. True where it exits with 0; else ERROR_RUN with the last line it said on standard error. output:
// what it said on standard output; may be NULL.
bool process_run(const struct command *command, struct text *output, bool *ret_missing, struct error *error);

// From now on the process ends when its parent does, by SIGKILL; false where the parent has ended already. (Linux)
bool process_follow_parent(void);
bool process_path(char **ret_path, struct error *error); // of the program that runs; free()

#endif
