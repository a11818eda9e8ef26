// aexp show: one run of a results folder.
#include "cli/cli.h"

#include "base/file.h"
#include "report/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const struct run_entry *run) {
	printf("%s  %s  ", run->name, run->id);
	if (!run->finished)
		printf("unfinished");
	else if (run->kind == RUN_SWEEP)
		printf("sweep, %zu trials", run->trials);
	else if (run->kind == RUN_SUMMARY)
		printf("%s  %zu runs", run->backend, run->runs);
	else
		printf("%s  %zu epochs", run->backend, run->epochs);
	if (!isnan(run->best_value) && run->best_epoch)
		printf("  best %s %.6g in epoch %zu", run->best_metric, run->best_value, run->best_epoch);
	else if (!isnan(run->best_value))
		printf("  best %s %.6g", run->best_metric, run->best_value);
	printf("\n");
}

// What `show --json` prints, by kind.
static const char *const results[RUN_KINDS] = {"metrics.json", "summary.json", "sweep.json"};

static bool print_file(const char *folder, const char *name) {
	char *path = path_join(folder, name), *data;
	size_t size;
	bool good = file_read(path, (size_t)1 << 30, &data, &size, NULL);
	if (good) {
		fwrite(data, 1, size, stdout);
		free(data);
	}
	free(path);
	return good;
}

static void print_run(const struct run_entry *run) {
	print_row(run);
	for (size_t i = 0; i < run->final_count; i++)
		printf("  %-24s %.9g\n", run->final[i].name, run->final[i].value);
	static const char *const files[] = {"metrics.json", "summary.json",      "sweep.json", "history.jsonl",
	                                    "run.json",     "model.safetensors", "loss.png",   "loss.svg",
	                                    "graph.svg",    "experiment.cfg"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = path_join(run->folder, files[i]);
		if (file_exists(path))
			printf("  %s\n", path);
		free(path);
	}
	printf("\n");
	print_file(run->folder, "experiment.cfg");
}

static int show(const struct options *options) {
	struct error error = {0};
	struct arena arena = {0};
	struct run_entry run;
	char *folder;
	if (!runs_resolve(options->results, options->arguments[0], &folder, &error)) {
		print_error(&error);
		return (int)error.code;
	}
	runs_read_one(folder, &arena, &run);
	bool found = !options->json || print_file(folder, results[run.kind]);
	if (!options->json)
		print_run(&run);
	if (!found)
		fprintf(stderr, "aexp: %s holds no metrics.json: the run is not finished\n", folder);
	arena_finish(&arena);
	free(folder);
	return found ? 0 : ERROR_RUN;
}

const struct verb verb_show = {
    .name = "show",
    .usage = "show RUN",
    .doc = "shows one run: its figures, its files, its resolved experiment",
    .help = "RUN is a run folder, NAME/ID, a NAME with one run, or the beginning of an ID; a sweep too. With --json:\n"
            "metrics.json, summary.json or sweep.json.\n",
    .takes = TAKES(json),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = show,
};
