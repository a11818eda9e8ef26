// aexp figure: runs what figure files need and is not there yet, and draws them.
#include "cli/beside.h"
#include "cli/runner.h"
#include "cli/sweeper.h"

#include "base/file.h"
#include "report/figure.h"
#include "report/json.h"
#include "report/report.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One figure file on its way.
struct job {
	struct figure figure;
	struct figure_folders folders;
	bool drawn, failed; // failed: trials of its sweeps
	char *folder;       // of its files
};
struct jobs {
	const struct options *options;
	struct job *items; // (count)
	size_t count;
};

// The options that a run or sweep of a figure is run with: its overrides are those of the figure's file.
static struct options options_of(const struct options *options, const struct strings *set) {
	struct options ret = *options;
	ret.overrides = set->items;
	ret.overrides_count = set->count;
	return ret;
}

// --- checks, before anything runs ---

static bool has_figure(const struct experiment *e, const char *name) {
	const char *dot = strchr(name, '.');
	if (!strcmp(name, "train.loss") || !strcmp(name, FIGURE_PARAMETERS))
		return true;
	for (size_t i = 0; i < e->uses_count; i++)
		if (!strcmp(dot ? dot + 1 : "", e->uses[i].name))
			return true;
	return false;
}

// What was written, or has a default; a node's keys have to be written.
static bool has_key(const struct experiment *e, const char *key) {
	return value_find(e->tree, key) || schema_holds(&experiment_schema, e, key);
}

static void check_wants(const struct figure *figure, const struct figure_run *run, struct origin at,
                        const struct experiment *e, struct errors *errors) {
	struct figure_wants wants;
	figure_wants(figure, &wants);
	for (size_t i = 0; i < wants.figures_count; i++)
		if (!has_figure(e, wants.figures[i]))
			error_hint(
			    errors_add(errors, ERROR_CONFIG, at, "\"%s\" does not measure \"%s\"", run->file, wants.figures[i]),
			    "Add it to its metrics, with set.");
	for (size_t i = 0; i < wants.keys_count; i++)
		if (!has_key(e, wants.keys[i]))
			errors_add(errors, ERROR_CONFIG, at, "\"%s\" has no key \"%s\"", run->file, wants.keys[i]);
}

static void check_run(const struct figure *figure, size_t index, struct errors *errors) {
	const struct figure_run *run = figure->runs.items[index];
	struct origin at = figure->runs.from[index]->at;
	struct experiment e;
	if (run->folder && !run_folder_finished(run->folder))
		errors_add(errors, ERROR_CONFIG, at, "\"%s\" is no finished run", run->folder);
	if (!run->file)
		return;
	if (experiment_read(run->file, run->set.items, run->set.count, &e, errors))
		check_wants(figure, run, at, &e, errors);
	experiment_finish(&e);
}

static void check_sweep(const struct figure *figure, size_t index, struct errors *errors) {
	const struct figure_sweep *sweep = figure->sweeps.items[index];
	struct origin at = figure->sweeps.from[index]->at;
	struct experiment e;
	if (sweep->folder && !sweep_finished(sweep->folder))
		errors_add(errors, ERROR_CONFIG, at, "\"%s\" is no finished sweep", sweep->folder);
	if (!sweep->file)
		return;
	if (experiment_read(sweep->file, sweep->set.items, sweep->set.count, &e, errors) && !e.sweep)
		error_hint(errors_add(errors, ERROR_CONFIG, at, "\"%s\" has no group \"sweep\"", sweep->file),
		           "Among runs it is one; a sweep says what to vary.");
	experiment_finish(&e);
}

static int read_all(struct jobs *jobs) {
	const struct options *o = jobs->options;
	struct errors errors = {0};
	for (; jobs->count < o->arguments_count; jobs->count++) {
		struct figure *figure = &jobs->items[jobs->count].figure;
		if (!figure_read(o->arguments[jobs->count], o->overrides, o->overrides_count, figure, &errors))
			continue;
		for (size_t i = 0; i < figure->runs.count; i++)
			check_run(figure, i, &errors);
		for (size_t i = 0; i < figure->sweeps.count; i++)
			check_sweep(figure, i, &errors);
		for (size_t i = 0; i < jobs->count; i++)
			if (jobs->items[i].figure.name && !strcmp(jobs->items[i].figure.name, figure->name))
				errors_add(&errors, ERROR_CONFIG, figure_origin(figure, "name"), "two figures are called \"%s\"",
				           figure->name);
	}
	int code = print_errors(&errors);
	errors_finish(&errors);
	return code;
}

// Data, plans and backends: what fails only there is found before the first one trains.
static int check_runs(const struct jobs *jobs) {
	int code = 0;
	for (size_t i = 0; i < jobs->count; i++) {
		const struct figure *figure = &jobs->items[i].figure;
		for (size_t k = 0; code == 0 && k < figure->runs.count; k++) {
			const struct figure_run *run = figure->runs.items[k];
			struct options options = options_of(jobs->options, &run->set);
			code = run->file ? runner_check(run->file, &options) : 0;
		}
	}
	return code;
}

// --- running and drawing ---

// Trials that failed are no reason not to draw the others; that some did is said in the end.
static int find_sweep(struct job *job, size_t index, const struct options *options) {
	const struct figure_sweep *sweep = job->figure.sweeps.items[index];
	struct options own = options_of(options, &sweep->set);
	char **folder = &job->folders.sweeps[index];
	if (sweep->folder) {
		*folder = memory_copy_string(sweep->folder);
		return 0;
	}
	int code = sweep_run(sweep->file, &own, false, folder);
	job->failed = job->failed || code != 0;
	return code == ERROR_RUN && *folder && sweep_finished(*folder) ? 0 : code;
}

// With -j, repeats and folds that are missing run beside each other first; then they are found. What failed of them
// fails again, and is said, when they are collected.
static int run_beside(const struct figure_run *run, const struct options *own) {
	struct options options = *own;
	const char *files[] = {run->file};
	char *folder = NULL;
	int failed, code = 0;
	options.arguments = files;
	options.arguments_count = 1;
	if (own->jobs < 2 || runner_folder(run->file, own, &folder) != 0)
		return 0; // why the folder cannot be told is said by whoever runs it
	if (own->force || !run_folder_finished(folder))
		code = beside_run(&options, &failed);
	free(folder);
	return code;
}

static int find_run(struct job *job, size_t index, const struct options *options) {
	const struct figure_run *run = job->figure.runs.items[index];
	struct options own = options_of(options, &run->set);
	char **folder = &job->folders.runs[index];
	if (run->folder) {
		*folder = memory_copy_string(run->folder);
		return 0;
	}
	int code = run_beside(run, &own);
	own.force = own.force && own.jobs < 2; // they were run just now
	return code ? code : runner_run(run->file, &own, false, folder);
}

static int run_all(struct job *job, const struct options *options) {
	const struct figure *figure = &job->figure;
	int code = 0;
	job->folders.runs = memory_alloc((figure->runs.count + 1) * sizeof(char *));
	job->folders.sweeps = memory_alloc((figure->sweeps.count + 1) * sizeof(char *));
	for (size_t i = 0; code == 0 && i < figure->runs.count; i++)
		code = find_run(job, i, options);
	for (size_t i = 0; code == 0 && i < figure->sweeps.count; i++)
		code = find_sweep(job, i, options);
	return code;
}

static void print_note(void *context, const char *line) {
	(void)context;
	fprintf(stderr, "%s\n", line);
}

static int draw(struct job *job, const struct options *options) {
	struct error error = {0};
	char *figures = path_join(options->results, "figures");
	job->folder = path_join(figures, job->figure.name);
	struct figure_output output = {
	    .folder = job->folder, .version = AEXP_VERSION, .commit = AEXP_COMMIT, .note = print_note};
	bool good = figure_draw(&job->figure, &job->folders, &output, &error);
	job->drawn = good && output.drawn;
	free(figures);
	if (!good) {
		print_error(&error);
		return (int)error.code;
	}
	if (!options->json)
		printf("%s  %s%s\n", job->figure.name, job->folder, output.drawn ? "" : "  without pictures");
	return output.drawn && !job->failed ? 0 : ERROR_RUN;
}

static void print_json(const struct jobs *jobs) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_array(&json, NULL, JSON_LINES);
	for (size_t i = 0; i < jobs->count; i++) {
		json_object(&json, NULL, JSON_INLINE);
		json_string(&json, "figure", jobs->items[i].figure.name);
		json_string(&json, "folder", jobs->items[i].folder);
		json_bool(&json, "drawn", jobs->items[i].drawn);
		json_end(&json);
	}
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int draw_all(struct jobs *jobs) {
	int code = 0;
	for (size_t i = 0; i < jobs->count && code != ERROR_INTERRUPTED; i++) {
		int one = run_all(&jobs->items[i], jobs->options);
		one = one ? one : draw(&jobs->items[i], jobs->options);
		code = code && one != ERROR_INTERRUPTED ? code : one;
	}
	if (jobs->options->json)
		print_json(jobs);
	return code;
}

static void finish(struct job *job) {
	for (size_t i = 0; job->folders.runs && i < job->figure.runs.count; i++)
		free(job->folders.runs[i]);
	for (size_t i = 0; job->folders.sweeps && i < job->figure.sweeps.count; i++)
		free(job->folders.sweeps[i]);
	free(job->folders.runs);
	free(job->folders.sweeps);
	free(job->folder);
	figure_finish(&job->figure);
}

static int run(const struct options *options) {
	struct jobs jobs = {.options = options};
	jobs.items = memory_alloc(options->arguments_count * sizeof(*jobs.items));
	int code = read_all(&jobs);
	code = code ? code : check_runs(&jobs);
	if (code == 0) {
		runner_watch_signals();
		code = draw_all(&jobs);
	}
	for (size_t i = 0; i < jobs.count; i++)
		finish(&jobs.items[i]);
	free(jobs.items);
	return code;
}

const struct verb verb_figure = {
    .name = "figure",
    .usage = "figure FILE...",
    .doc = "runs what a figure file needs and is not there yet, and draws it",
    .help =
        "Figures stand in experiments/figures/; results/figures/NAME/ gets the pictures, their data NAME.tsv, their\n"
        "script NAME.gp, and figure.json, which says what they were drawn from. All files and runs are checked before\n"
        "the first one runs. -s overrides a key of the figure's file; -j runs repeats and trials beside each other.\n"
        "`aexp schema figures` lists the kinds, `aexp schema figure-files` the keys that all have. Exit code 1 where\n"
        "gnuplot or graphviz is not there: the data and the scripts are written all the same.\n",
    .takes = TAKES(overrides) | TAKES(force) | TAKES(no_cache) | TAKES(json) | TAKES(jobs),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
