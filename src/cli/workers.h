// Copies of this program as worker processes beside each other: started, listened to, drawn as lines on the terminal.
// They end when this process does.
#ifndef AEXP_CLI_WORKERS_H
#define AEXP_CLI_WORKERS_H

#include "base/process.h"
#include "cli/cli.h"

struct worker {
	struct process process;
	size_t task; // what it works on, as the caller numbers it
	bool busy;
	const char *label; // of the task, for the terminal; the caller's
	struct text out, err;
	double started;
	size_t epoch, epochs; // that it told last
};
struct workers {
	const struct options *options;
	struct worker *items;  // (count)
	size_t count, threads; // threads: of each
	char *program;
	bool terminal;
	size_t lines; // that stand on the terminal
	double drawn; // when
};

// options->jobs of them; -t threads each, or the cores divided among them. workers_finish either way.
bool workers_create(const struct options *options, struct workers *ret, struct error *error);
void workers_finish(struct workers *workers);

struct worker *workers_free(struct workers *workers); // one that has nothing to do; NULL: none
bool workers_busy_with(const struct workers *workers, size_t task);
size_t workers_busy(const struct workers *workers);

// Starts "aexp ARGUMENTS --follow -q -t THREADS" (NULL-ended).
bool worker_start(struct workers *workers, struct worker *worker, size_t task, const char *label,
                  const char *const arguments[], struct error *error);
// Waits a moment for news of any, and calls `ended` for each that has ended, with waitpid's status; it may look at what
// the worker said, which goes then. `total` (may be NULL) prints the last line of what is drawn, without a line break.
bool workers_listen(struct workers *workers,
                    bool (*ended)(void *context, struct worker *worker, int status, struct error *error),
                    void (*total)(void *context), void *context, struct error *error);
void workers_stop(struct workers *workers); // asks all to end

// What a worker said last that is no hint, or how it ended: the reason of its failure.
void worker_reason(struct worker *worker, int status, struct text *ret);

// Takes the drawn lines away, to print something that stays; they come again by themselves.
void workers_clear(struct workers *workers);

// On the other side: tells the progress of a training to who started this process.
struct telling {
	size_t epochs;
	double said;
};
void telling_batch(void *telling, size_t epoch, double share, double ratings);

#endif
