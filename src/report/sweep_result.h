// sweep.json as a sweep leaves it, read back: axes, objectives and trials, for whoever draws or lists them.
#ifndef AEXP_REPORT_SWEEP_RESULT_H
#define AEXP_REPORT_SWEEP_RESULT_H

#include "base/error.h"
#include "base/memory.h"

struct sweep_axis {
	const char *key;     // dotted, or the name of a group of settings
	bool range;          // between low and high; else one of the values or choices
	bool log, integer;   // of a range
	double low, high;    // of a range
	const char **values; // (values_count) else
	size_t values_count;
};
struct sweep_objective {
	const char *metric; // "valid.rmse"
	bool higher;        // the goal is the largest
};
struct sweep_trial {
	size_t number;      // from 1
	const char *status; // "finished", "stopped" (early) or "failed"
	const char *id;     // of its run, beside the sweep's folder; NULL: it has none
	const char **set;   // (axes) text as given to -s; NULL where the axis was not active
	double *objective;  // (objectives) NAN where undefined
	size_t epochs;
	const char *reason; // why it failed; NULL
	bool best;          // it stands in the Pareto set
};
struct sweep_result {
	const char *folder, *experiment, *id, *kind;
	const char *early_stop, *protocol; // NULL: none
	struct sweep_axis *axes;           // (axes_count)
	size_t axes_count;
	struct sweep_objective *objectives; // (objectives_count), at least one
	size_t objectives_count;
	struct sweep_trial *trials; // (trials_count)
	size_t trials_count;
};
bool sweep_result_there(const char *folder); // it holds sweep.json
// Everything in the arena. ERROR_DATA where the file is not what a sweep leaves.
bool sweep_result_read(const char *folder, struct arena *arena, struct sweep_result *ret, struct error *error);
// The axis of that key; axes_count where there is none.
size_t sweep_result_axis(const struct sweep_result *sweep, const char *key);
bool sweep_trial_finished(const struct sweep_trial *trial);

#endif
