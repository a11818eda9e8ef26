// The verbs of the program and what they share: options, exit codes, messages. The only floor that prints to a person:
// results to standard output, progress and messages to standard error.
#ifndef AEXP_CLI_CLI_H
#define AEXP_CLI_CLI_H

#include "cli/options.h"
#include "recommend/stored.h"
#include "report/table.h"
#include "train/train.h"

struct verb {
	const char *name;
	const char *usage; // behind "aexp "
	const char *doc;   // one line
	const char *help;  // more, or ""
	uint64_t takes;    // its options, besides TAKES_COMMON
	size_t arguments_min, arguments_max;
	int (*run)(const struct options *options); // the exit code
};
extern const struct verb verb_run, verb_verify, verb_compare, verb_plan, verb_data, verb_schema, verb_list, verb_show,
    verb_sweep, verb_trial, verb_plot, verb_figure, verb_recommend, verb_predict, verb_export, verb_doctor;

void print_error(const struct error *error);
enum table_form options_form(const struct options *options);
void output_table(const struct table *table, enum table_form form);
int print_errors(const struct errors *errors); // all of them; returns the exit code of the first

// An experiment with its data and plan, ready to run.
struct prepared {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	struct graph graph;
	struct stored weights; // that the graph starts with, where it does
	char id[EXPERIMENT_ID];
	struct data_access access;
	double load_seconds, prepare_seconds, keep_seconds; // keep: leaving a cache of the data; 0: it was not
};
// Reads the files of all arguments and reports every problem; exit code 0 when there is none.
int check_files(const struct options *options);
// Loads and plans one; on failure everything has been reported, and the exit code is returned. prepared_finish either
// way.
int prepare(const char *path, const struct options *options, bool plan, struct prepared *ret);
// The same into one that is prepared already (or zeroed), whose data is kept where the new one has the same: errors are
// added, none printed; false where there are any.
bool prepare_again(const char *path, const struct options *options, struct prepared *prepared, struct errors *errors);
void prepared_finish(struct prepared *prepared);

// The progress of a training on standard error: a bar on a terminal, a line every few seconds elsewhere.
struct progress {
	const struct experiment *experiment;
	bool quiet, terminal, colour;
	double started, last;
	double done, ratings; // before it began: share and ratings of what it goes on from
	size_t epoch;
	const char *metric; // first metric's name
};
void progress_begin(struct progress *progress, const struct experiment *experiment, bool quiet);
void progress_batch(void *progress, size_t epoch, double share, double ratings);
void progress_epoch(void *progress, const struct epoch_result *epoch);
void progress_resumed(void *progress, size_t epoch, double ratings);
void progress_end(struct progress *progress);

#endif
