// sweep.json read back: the trials of a sweep, the best first, and which keys mattered for what came out.
#ifndef AEXP_REPORT_TRIALS_H
#define AEXP_REPORT_TRIALS_H

#include "base/error.h"
#include "base/memory.h"

struct trial_objective {
	const char *metric; // "valid.rmse"
	bool more_is_better;
};
enum axis_kind { AXIS_VALUES, AXIS_RANGE, AXIS_CHOICES };
struct trial_axis {
	const char *key;
	enum axis_kind kind;
	double low, high; // of a range
	bool log, integer;
	const char **words; // (words_count) of values and choices
	size_t words_count;
};
enum trial_end { END_FINISHED, END_STOPPED, END_FAILED };
extern const char *const trial_end_names[]; // "finished", "stopped", "failed"
struct ended_trial {
	size_t number;
	enum trial_end status;
	const char *id, *reason; // NULL where there is none
	double *objectives;      // (objectives_count) NAN where there is none
	const char **set;        // (axes_count) NULL where the axis was not active
	size_t epochs;
	bool best; // of the Pareto set
};
struct trials {
	struct arena arena;
	const char *name, *id, *kind, *early_stop, *protocol; // the last two NULL where there is none
	struct trial_objective *objectives;                   // (objectives_count) at least one
	size_t objectives_count;
	struct trial_axis *axes; // (axes_count)
	size_t axes_count;
	struct ended_trial
	    *items; // (count) finished, then stopped, then failed; each the best by the first objective first
	size_t count;
	size_t counts[3]; // by status
};
// Of folder/sweep.json; ERROR_CONFIG where there is none yet, ERROR_DATA where it is not what a sweep leaves.
// trials_finish either way.
bool trials_read(const char *folder, struct trials *ret, struct error *error);
void trials_finish(struct trials *trials);
// The run folder of a trial, beside the sweep's; free().
char *trial_folder(const char *sweep_folder, const struct ended_trial *trial);

// Which keys mattered, by fANOVA (importance.h) over the finished trials. An axis is uniform on its own scale; where a
// trial has not got it, that is a category of its own, as large as its share of the trials.
struct key_share {
	const char *first, *second; // keys; second NULL: the first alone
	double share, deviation;
};
struct key_shares {
	struct key_share *items; // (count) keys alone, then pairs; strings are the trials'
	size_t count, trials;    // trials that it rests on
	const char *reason;      // why there are none: NULL where there are
};
enum { TRIALS_LEAST = 8 }; // fewer say nothing
void trials_shares(const struct trials *trials, size_t objective, struct key_shares *ret);
void key_shares_finish(struct key_shares *shares);

#endif
