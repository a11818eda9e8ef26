// aexp list and aexp show: what is in a results folder.
#include "cli/cli.h"

#include "base/file.h"
#include "report/json.h"
#include "report/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const struct run_entry *run) {
	printf("%-28s %-12s ", run->name, run->id);
	if (!run->finished) {
		printf("unfinished\n");
		return;
	}
	if (run->runs)
		printf("%-10s %zu runs", run->backend, run->runs);
	else
		printf("%-10s %6zu", run->backend, run->epochs);
	if (!isnan(run->best_value))
		printf("  best %s %.6g in epoch %zu", run->best_metric, run->best_value, run->best_epoch);
	for (size_t i = 0; i < run->final_count && i < 8; i++)
		if (run->final[i].name[0] == 't' && run->final[i].name[1] == 'e' && !isnan(run->final[i].value))
			printf("  %s %.6g", run->final[i].name, run->final[i].value);
	printf("\n");
}

static void json_run(struct json *json, const struct run_entry *run) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "name", run->name);
	json_string(json, "id", run->id);
	json_string(json, "folder", run->folder);
	json_bool(json, "finished", run->finished);
	if (run->finished) {
		json_string(json, "backend", run->backend);
		json_string(json, "protocol", run->protocol);
		if (run->runs)
			json_count(json, "runs", run->runs);
		json_string(json, "seed", run->seed);
		json_count(json, "epochs", run->epochs);
		json_count(json, "best_epoch", run->best_epoch);
		json_string(json, "best_metric", run->best_metric);
		json_real(json, "best_value", run->best_value);
		json_object(json, "final", JSON_INLINE);
		for (size_t i = 0; i < run->final_count; i++)
			json_real(json, run->final[i].name, run->final[i].value);
		json_end(json);
	}
	json_end(json);
}

static void print_json(const struct runs *runs) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_array(&json, NULL, JSON_LINES);
	for (size_t i = 0; i < runs->count; i++)
		json_run(&json, &runs->items[i]);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int list(const struct options *options) {
	struct runs runs;
	struct error error = {0};
	if (!runs_read(options->results, &runs, &error)) {
		print_error(&error);
		return (int)error.code;
	}
	if (options->json)
		print_json(&runs);
	else if (runs.count)
		printf("%-28s %-12s %-10s %6s\n", "name", "id", "backend", "epochs");
	for (size_t i = 0; !options->json && i < runs.count; i++)
		print_row(&runs.items[i]);
	if (!runs.count && !options->json)
		fprintf(stderr, "no runs in %s\n", options->results);
	runs_finish(&runs);
	return 0;
}

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
	static const char *const files[] = {"metrics.json", "summary.json",      "history.jsonl",
	                                    "run.json",     "model.safetensors", "loss.png",
	                                    "loss.svg",     "graph.svg",         "experiment.cfg"};
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
	bool found = !options->json || print_file(folder, run.runs ? "summary.json" : "metrics.json");
	if (!options->json)
		print_run(&run);
	if (!found)
		fprintf(stderr, "aexp: %s holds no metrics.json: the run is not finished\n", folder);
	arena_finish(&arena);
	free(folder);
	return found ? 0 : ERROR_RUN;
}

const struct verb verb_list = {
    .name = "list",
    .usage = "list",
    .doc = "lists finished and unfinished runs",
    .help = "",
    .takes = TAKES(json),
    .run = list,
};
const struct verb verb_show = {
    .name = "show",
    .usage = "show RUN",
    .doc = "shows one run: its figures, its files, its resolved experiment",
    .help =
        "RUN is a run folder, NAME/ID, a NAME with one run, or the beginning of an ID. With --json: metrics.json.\n",
    .takes = TAKES(json),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = show,
};
