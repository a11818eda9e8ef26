// aexp run: trains each experiment and leaves its run folder.
#include "cli/beside.h"
#include "cli/continued.h"
#include "cli/runner.h"
#include "cli/workers.h"

#include <stdlib.h>

// Everything is checked before the first one runs: files, and where there are several their data, plans and backends.
static int check_all(const struct options *options) {
	int code = check_files(options);
	for (size_t i = 0; code == 0 && options->arguments_count > 1 && i < options->arguments_count; i++)
		code = runner_check(options->arguments[i], options);
	return code;
}

// What -j started: results are printed in the order of the files once all are there.
static int run_beside(const struct options *options) {
	int *codes = memory_alloc((options->arguments_count + 1) * sizeof(*codes));
	struct options collecting = *options;
	int code = beside_run(options, codes);
	collecting.force = false;
	for (size_t i = 0; code != ERROR_INTERRUPTED && i < options->arguments_count; i++) {
		char *folder = NULL;
		int one = codes[i] ? codes[i] : runner_run(options->arguments[i], &collecting, true, &folder);
		free(folder);
		code = code ? code : one;
	}
	free(codes);
	return code;
}

// As a worker: progress goes to whoever started this, results to the run folder alone.
static int run_followed(const struct options *options) {
	struct experiment e;
	struct errors errors = {0};
	struct telling telling = {0};
	char *folder = NULL;
	if (experiment_read(options->arguments[0], options->overrides, options->overrides_count, &e, &errors))
		telling.epochs = experiment_epochs(&e);
	errors_finish(&errors);
	experiment_finish(&e);
	struct runner_watch watch = {.context = &telling, .batch = telling_batch};
	int code = runner_run_watched(options->arguments[0], options, false, &watch, &folder);
	free(folder);
	return code;
}

static int run_one_by_one(const struct options *options) {
	int code = 0;
	for (size_t i = 0; i < options->arguments_count; i++) {
		char *folder;
		int one = runner_run(options->arguments[i], options, true, &folder);
		free(folder);
		code = code ? code : one;
		if (one == ERROR_INTERRUPTED)
			break;
	}
	return code;
}

static int run_all(const struct options *options) {
	if (options->follow && !process_follow_parent())
		return ERROR_INTERRUPTED;
	int code = options->follow ? 0 : check_all(options);
	if (code)
		return code;
	runner_watch_signals();
	return options->follow ? run_followed(options) : options->jobs > 1 ? run_beside(options) : run_one_by_one(options);
}

static int run(const struct options *options) {
	struct continued continued;
	int code = continued_init(options, &continued);
	code = code ? code : run_all(&continued.options);
	continued_finish(&continued);
	return code;
}

const struct verb verb_run = {
    .name = "run",
    .usage = "run CFG...",
    .doc = "trains each experiment and writes its run folder",
    .help =
        "A finished identical run is reported and not run again; --force runs it. Given several files, all are\n"
        "checked before the first one runs. With repeats above 1, or a split into folds, each is a run of its\n"
        "own, and a folder beside them holds summary.json: means and 95 % intervals. -j N runs N beside each other.\n"
        "--continue-from RUN begins with that run's weights, whatever backend it had, as a run with an ID of its "
        "own.\n",
    .takes = TAKES(continue_from) | TAKES(overrides) | TAKES(force) | TAKES(no_cache) | TAKES(json) | TAKES(jobs) |
             TAKES(follow),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
