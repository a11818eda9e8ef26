// Trials that other machines run: batches of them as jobs of a scheduler. What a job needs is the program and the
// sweep's folder, which all machines must see. A job runs its trials one after the other; a trial that fails is
// recorded with the last words it said, which stand in log/N.txt.
#ifndef AEXP_SWEEP_LAUNCH_H
#define AEXP_SWEEP_LAUNCH_H

#include "base/process.h"
#include "sweep/sweep.h"

struct launch {
	const struct sweep *sweep;
	const char *program; // aexp
	const char *text;    // of command='...'; NULL
	size_t per_job;      // trials of a job
	size_t beside;       // jobs beside each other; 0: as many as the scheduler likes
	size_t threads;      // of a trial
	size_t batches;      // that were written
	char *list, *script; // their paths
};

struct launcher {
	struct row row;
	bool takes_text;
	// Submits the batches; what it submitted stands in the sweep's file `jobs` then. ERROR_BACKEND where the scheduler
	// is not here, ERROR_RUN where it refuses.
	bool (*submit)(struct launch *launch, bool (*interrupted)(void), struct error *error);
	// Whether jobs of this sweep wait or run; *ret_known false where it cannot be told.
	bool (*alive)(const struct launch *launch, bool *ret_known);
};
extern const struct registry launcher_registry;
extern const struct launcher launcher_slurm, launcher_command;

// The launcher of "slurm" or "command=TEXT", and its text; ERROR_CONFIG where there is none.
const struct launcher *launcher_find(const char *word, const char **ret_text, struct error *error);

// Writes the script and the list of batches of the open trials; the numbers of a batch stand on its line.
bool launch_write(struct launch *launch, struct error *error);
void launch_finish(struct launch *launch);

// The sweep's file `jobs`: one line a submission.
bool launch_note_job(const struct launch *launch, const char *job, struct error *error);
bool launch_jobs(const struct sweep *sweep,
                 struct text *ret); // its lines, joined by commas; false where there are none
bool launch_forget_jobs(const struct sweep *sweep, struct error *error);

void launch_quote(const char *word, struct text *text); // as one word of a shell

#endif
