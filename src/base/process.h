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

// Starts argv[0] (found by PATH unless it has a slash; NULL-ended) in `folder` (NULL: this one), with nothing on
// standard input. ERROR_RUN where it cannot be started; ret_missing (may be NULL): there is no such program.
bool process_start(const char *const argv[], const char *folder, struct process *ret, bool *ret_missing,
                   struct error *error);
// Adds what can be read from one of its ends without waiting; false once that end is closed, which closes ours.
bool process_read(int *end, struct text *text);
// Waits for the end of the process, and closes what is open. The status is waitpid's.
int process_wait(struct process *process);
// "exit code 3", "killed by signal 9 (out of memory, or by someone)".
void process_explain(int status, struct text *text);

// Runs it to its end. True where it exits with 0; else ERROR_RUN with the last line it said on standard error. output:
// what it said on standard output; may be NULL.
bool process_run(const char *const argv[], const char *folder, struct text *output, bool *ret_missing,
                 struct error *error);

// From now on the process ends when its parent does, by SIGKILL; false where the parent has ended already. (Linux)
bool process_follow_parent(void);
bool process_path(char **ret_path, struct error *error); // of the program that runs; free()

#endif
