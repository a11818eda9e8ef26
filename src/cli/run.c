// aexp run: trains each experiment and leaves its run folder.
#include "cli/runner.h"

#include <stdlib.h>

// Everything is checked before the first one runs: files, and where there are several their data, plans and backends.
static int check_all(const struct options *options) {
	int code = check_files(options);
	for (size_t i = 0; code == 0 && options->arguments_count > 1 && i < options->arguments_count; i++)
		code = runner_check(options->arguments[i], options);
	return code;
}

static int run(const struct options *options) {
	int code = check_all(options);
	if (code)
		return code;
	runner_watch_signals();
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

const struct verb verb_run = {
    .name = "run",
    .usage = "run CFG...",
    .doc = "trains each experiment and writes its run folder",
    .help = "A finished identical run is reported and not run again; --force runs it. Given several files, all are\n"
            "checked before the first one runs. With repeats above 1, or a split into folds, each is a run of its\n"
            "own, and a folder beside them holds summary.json: means and 95 % intervals.\n",
    .takes = TAKES(overrides) | TAKES(force) | TAKES(no_cache) | TAKES(json),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
