// Runs a sweep: plans all of it, starts the trials as processes of their own, collects.
#ifndef AEXP_CLI_SWEEPER_H
#define AEXP_CLI_SWEEPER_H

#include "cli/cli.h"
#include "sweep/sweep.h"

// What is finished is not run again. print: results to standard output. ret_folder: of the sweep; NULL where it did not
// come so far; free(). Errors are printed; returns the exit code: 1 where a trial failed.
int sweep_run(const char *path, const struct options *options, bool print, char **ret_folder);

// --- what its parts share ---

// What a sweep is expected to take, by the cost model; once trials have ended, by them.
struct forecast {
	double *seconds;            // (trials) of one thread of the machine of the cost model; NAN where it is not known
	double *bytes;              // (trials) likewise
	double measured, predicted; // seconds of the trials that were run here, and what was predicted of them
};
void forecast_create(struct forecast *forecast, size_t trials);
void forecast_finish(struct forecast *forecast);
double forecast_trial(const struct forecast *forecast, const struct sweep *sweep, size_t index); // seconds, NAN
double forecast_rest(const struct forecast *forecast, const struct sweep *sweep);  // of all that are open, one by one
double forecast_bytes(const struct forecast *forecast, const struct sweep *sweep); // the largest

// Checks every trial that can be proposed now, and of a strategy that learns the ends of every axis; fills the
// forecast. Errors are printed, each with the trial; the exit code.
int sweep_plan(struct sweep *sweep, const struct options *options, struct forecast *forecast);

// Runs what is open in worker processes beside each other; the exit code, 0 also where trials fail.
int sweep_work(struct sweep *sweep, const struct options *options, struct forecast *forecast);

// The same as jobs of a scheduler (--launcher); with --detach it ends once they are submitted.
int sweep_launch(struct sweep *sweep, const struct options *options);

void sweep_print(struct sweep *sweep, bool json);   // results
void sweep_print_status(const struct sweep *sweep); // how far it is

#endif
