// A sweep and its trials on disk. results/NAME/ID holds given.cfg (the experiment as it was asked for, with all that it
// extends), experiment.cfg (resolved), trials/N.json (a file for each trial that has ended), rungs/N-E (what trial N
// had after E epochs, with early_stop) and, once every trial has ended, sweep.json. Each is written once, under a
// temporary name, and says the same whoever writes it: any number of processes may work on one sweep, here or on other
// machines that see the same folder, and what is there is never done again.
#ifndef AEXP_SWEEP_SWEEP_H
#define AEXP_SWEEP_SWEEP_H

#include "search/strategy.h"
#include "train/experiment.h"

struct trial {
	size_t number; // from 1
	enum trial_state state;
	const char *id;        // of its run; NULL: it has none
	struct setting *point; // (axes); NULL: not proposed yet
	double *objectives;    // (objectives) as they are; NAN: undefined
	double *losses;        // (objectives) the same, turned so that less is better
	size_t epochs;         // that were trained
	const char *reason;    // why it failed; NULL: it did not
	const char *protocol;  // of its run; NULL: it has none
};
struct sweep {
	struct arena arena;
	struct experiment experiment; // of given.cfg; its sweep is there
	struct search search;
	const char *folder, *given, *results; // given: the path of given.cfg; results: the folder of all runs
	const char *id;
	struct trial *trials; // (search.trials)
	size_t begun;         // trials that the budget has room for, as far as is known: search.trials at first
};

// The sweep's ID: by the run that the file is without its sweep, and the sweep's own keys.
void sweep_id(const struct experiment *experiment, const char *run_id, char ret[EXPERIMENT_ID]);

// Makes the folder with given.cfg and experiment.cfg, where they are not there. ERROR_RUN where that fails.
bool sweep_begin(const struct experiment *experiment, const char *folder, struct error *error);
// Reads given.cfg, and what has ended. Problems are added to errors; sweep_close either way.
bool sweep_open(const char *folder, struct sweep *ret, struct errors *errors);
void sweep_close(struct sweep *sweep);

// Reads the trials that have ended since. A damaged file counts as none.
void sweep_refresh(struct sweep *sweep);
// Whether trial `index` (from 0) can be proposed: those whose results it needs have ended.
bool sweep_can_propose(const struct sweep *sweep, size_t index);
void sweep_propose(struct sweep *sweep, size_t index); // fills trials[index].point, and those before it
// Overrides of a proposed trial, in the sweep's arena.
void sweep_overrides(struct sweep *sweep, size_t index, struct strings *ret);

// Fills state, id, objectives, epochs from a finished run or summary, and writes the trial's file.
bool sweep_record_run(struct sweep *sweep, size_t index, const char *folder, bool stopped, struct error *error);
bool sweep_record_failure(struct sweep *sweep, size_t index, const char *reason, struct error *error);
bool sweep_forget(struct sweep *sweep, size_t index, struct error *error); // removes the file: it will be run again

// What a trial had after some epochs, as a loss.
bool sweep_rung_write(const struct sweep *sweep, size_t index, size_t epochs, double loss, struct error *error);
bool sweep_rung_read(const struct sweep *sweep, size_t index, size_t epochs, double *ret);
// The same of a finished run; false where it has no such epoch.
bool sweep_rung_of_run(const struct sweep *sweep, const char *folder, size_t epochs, double *ret);
double sweep_loss(const struct sweep *sweep, size_t objective, double value); // less is better

bool sweep_finished(const char *folder); // it holds sweep.json
// The trials that have ended, their Pareto set (of one objective: the best), how many of each kind.
void sweep_json(struct sweep *sweep, struct text *text);
bool sweep_end(struct sweep *sweep, struct error *error); // writes sweep.json
// Trials of state finished that no other dominates, in order of their numbers; of one objective the first of the best.
// ret (trials).
size_t sweep_best(const struct sweep *sweep, size_t *ret);
size_t sweep_count(const struct sweep *sweep, enum trial_state state);

#endif
