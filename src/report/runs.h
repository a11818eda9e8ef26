// What is in a results folder, for `aexp list`, `show` and `compare`: the folders are the truth, an index beside them
// (index.h) saves reading them again.
#ifndef AEXP_REPORT_RUNS_H
#define AEXP_REPORT_RUNS_H

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"

struct run_value {
	const char *name;
	double value;     // NAN where null; of several runs the mean
	double low, high; // its 95 % interval; NAN where there is none
};
enum run_kind { RUN_ONE, RUN_SUMMARY, RUN_SWEEP, RUN_KINDS };
extern const char *const run_kind_names[RUN_KINDS]; // "run", "summary", "sweep"
struct run_entry {
	const char *name, *id, *folder;
	enum run_kind kind;
	bool finished;                         // of a sweep: there is a sweep.json
	size_t runs;                           // that it is the summary of; 0: a run of its own
	size_t trials;                         // of a sweep, so far
	const char *backend, *seed, *protocol; // seed "" of a summary; "" where it is not known
	size_t epochs, best_epoch;
	const char *best_metric; // of a sweep its first objective
	double best_value;       // NAN where null
	struct run_value *final; // (final_count) "test.mse", ... in the order of metrics.json
	size_t final_count;
	double ended;       // when the file that says so was written, seconds since the epoch; NAN: not finished
	const char *config; // experiment.cfg as config_lines_write has it, "" where it cannot be read
};
struct runs {
	struct arena arena;
	struct run_entry *items; // (count), by name, then id
	size_t count;
	struct error note; // why the index is not used or not written; code ERROR_NONE: it is
};
// A damaged metrics.json makes an unfinished entry, never a failure; a missing results folder is an empty list.
bool runs_read(const char *results, struct runs *ret, struct error *error);
bool runs_read_on(const char *results, struct pool *pool, struct runs *ret, struct error *error); // on its threads
void runs_finish(struct runs *runs);
// One run folder, finished or not, from its own files; strings in the arena. No .config and .ended.
void runs_read_one(const char *folder, struct arena *arena, struct run_entry *ret);
// How long a finished run took, by its run.json; a summary's runs together. NAN where one of them has none.
struct run_time {
	double seconds, training; // of the clock: in all, and in the phase "train", or "fit" of a model
};
struct run_time runs_time(const struct run_entry *run);
// The folder of RUN: a path to a run folder, a unique beginning of an ID or of NAME/ID, or a NAME with one run; free().
// ERROR_CONFIG when none or several.
bool runs_resolve(const char *results, const char *run, char **ret_folder, struct error *error);
bool runs_resolve_sweep(const char *results, const char *sweep, char **ret_folder, struct error *error); // sweeps alone
bool run_folder_is_sweep(const char *folder); // finished or not
// Of a folder that is finished: whether what says so can be read, and is of that run. Else ERROR_RUN, which names the file.
bool run_folder_is_sound(const char *folder, struct error *error);

#endif
