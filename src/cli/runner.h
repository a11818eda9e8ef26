// Runs one experiment file as it is asked for: one run, or one a repeat and fold with their summary beside.
#ifndef AEXP_CLI_RUNNER_H
#define AEXP_CLI_RUNNER_H

#include "cli/cli.h"

void runner_watch_signals(void); // SIGINT, SIGTERM, SIGHUP end a training; a second one ends the program
bool runner_interrupted(void);   // whether one has come
// What is finished is not run again, unless options say so. print: results to standard output. ret_folder: of the run,
// or of the summary; NULL where it did not come so far; free(). Errors are printed; returns the exit code.
int runner_run(const char *path, const struct options *options, bool print, char **ret_folder);
// The same with somebody else who watches the trainings, instead of the progress on standard error. A training that
// `ends` says has come to its end leaves the folder of the run with that train.stop_after.
struct runner_watch {
	void *context;
	void (*batch)(void *context, size_t epoch, double share, double ratings);
	void (*epoch)(void *context, const struct epoch_result *epoch);
	bool (*ends)(void *context, const struct epoch_result *epoch);
};
int runner_run_watched(const char *path, const struct options *options, bool print, const struct runner_watch *watch,
                       char **ret_folder);
// The folder that the run would have, NULL where it cannot be told; free(). Nothing is run.
int runner_folder(const char *path, const struct options *options, char **ret_folder);
// Takes away what an unfinished run has left, unless somebody is at it.
void runner_abandon(const char *folder);
int runner_check(const char *path, const struct options *options); // all but training

#endif
