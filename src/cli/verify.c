// aexp verify: runs experiments, or finds their finished runs, and holds what came out against what they expect.
#include "cli/beside.h"
#include "cli/integrity.h"
#include "cli/runner.h"

#include "report/json.h"
#include "report/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What became of one file, and of one figure of it.
enum verdict { VERDICT_OK, VERDICT_MISSED, VERDICT_NO_DATA, VERDICT_FAILED };
static const char *const verdict_words[] = {"ok", "MISSED", "no data", "FAILED"};

struct verification {
	const struct options *options;
	struct text text;
	struct json json;
	size_t count[4]; // by verdict
};

static const struct run_value *find_figure(const struct run_entry *run, const char *name) {
	for (size_t i = 0; i < run->final_count; i++)
		if (!strcmp(run->final[i].name, name))
			return &run->final[i];
	return NULL;
}

static bool holds(const struct expect_config *x, double value) {
	if (!isnan(x->at_most))
		return value <= x->at_most;
	if (!isnan(x->at_least))
		return value >= x->at_least;
	return fabs(value - x->value) <= x->tolerance; // false where the value is NAN, as above
}

static void print_wanted(const struct expect_config *x) {
	if (!isnan(x->at_most))
		printf("  at most %.6g", x->at_most);
	else if (!isnan(x->at_least))
		printf("  at least %.6g", x->at_least);
	else
		printf("  %.6g +- %.2g", x->value, x->tolerance);
	if (!isnan(x->published))
		printf("  published %.6g", x->published);
	if (x->source)
		printf("  (%s)", x->source);
}

static void print_figure(const char *name, const struct expect_config *x, const struct run_value *figure, size_t runs,
                         enum verdict verdict) {
	printf("%-8s %s  %s %.6g", verdict_words[verdict], name, x->metric, figure ? figure->value : (double)NAN);
	if (figure && !isnan(figure->low))
		printf(" (95 %%: %.6g to %.6g, %zu runs)", figure->low, figure->high, runs);
	print_wanted(x);
	if (figure && !isnan(x->published))
		printf("  difference %+.4g", figure->value - x->published);
	printf("\n");
}

static void figure_json(struct json *json, const char *name, const struct run_entry *run, const struct run_time *time,
                        const struct expect_config *x, const struct run_value *figure, enum verdict verdict) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "experiment", name);
	json_string(json, "id", run->id);
	json_string(json, "verdict", verdict_words[verdict]);
	json_string(json, "metric", x->metric);
	json_real(json, "value", figure ? figure->value : (double)NAN);
	json_real(json, "low", figure ? figure->low : (double)NAN);
	json_real(json, "high", figure ? figure->high : (double)NAN);
	json_count(json, "runs", run->runs ? run->runs : 1);
	json_real(json, "at_most", x->at_most);
	json_real(json, "at_least", x->at_least);
	json_real(json, "expected", x->value);
	json_real(json, "tolerance", x->tolerance);
	json_real(json, "published", x->published);
	json_string(json, "source", x->source);
	json_real(json, "seconds", time->seconds);
	json_real(json, "train_seconds", time->training);
	json_end(json);
}

static void hold_figures(struct verification *v, const struct experiment *e, const char *folder) {
	struct arena arena = {0};
	struct run_entry run;
	runs_read_one(folder, &arena, &run);
	struct run_time time = runs_time(&run);
	for (size_t i = 0; i < e->expect.count; i++) {
		const struct expect_config *x = e->expect.items[i];
		const struct run_value *figure = find_figure(&run, x->metric);
		enum verdict verdict = figure && holds(x, figure->value) ? VERDICT_OK : VERDICT_MISSED;
		v->count[verdict]++;
		if (v->options->json)
			figure_json(&v->json, e->name, &run, &time, x, figure, verdict);
		else
			print_figure(e->name, x, figure, run.runs, verdict);
	}
	if (!e->expect.count && !v->options->json)
		printf("%-8s %s  expects nothing\n", "-", e->name);
	if (!v->options->json && !isnan(time.seconds))
		printf("%-8s %s  %.1f s, of which %.1f s of training, in %zu run%s\n", "time", e->name, time.seconds,
		       time.training, run.runs ? run.runs : 1, run.runs > 1 ? "s" : "");
	arena_finish(&arena);
}

static void note(struct verification *v, const char *name, enum verdict verdict) {
	v->count[verdict]++;
	if (v->options->json) {
		json_object(&v->json, NULL, JSON_INLINE);
		json_string(&v->json, "experiment", name);
		json_string(&v->json, "verdict", verdict_words[verdict]);
		json_end(&v->json);
	} else {
		printf("%-8s %s\n", verdict_words[verdict], name);
	}
}

// Whether the file is good but for what it names outside of itself: a variable for the data's folder that is not set.
static bool only_outside(const struct errors *errors) {
	for (size_t i = 0; i < errors->count; i++)
		if (!errors->items[i].outside)
			return false;
	return errors->count > 0;
}

// The exit code where the whole must stop, else 0.
// `failed`: what its runs beside others ended with already; 0: nothing did.
static int verify_one(struct verification *v, const char *path, int failed) {
	struct experiment e;
	struct errors errors = {0};
	char *folder = NULL;
	bool read = experiment_read(path, v->options->overrides, v->options->overrides_count, &e, &errors);
	int code = !read ? ERROR_CONFIG : failed ? failed : runner_run(path, v->options, false, &folder);
	const char *name = e.name ? e.name : path;
	if (!read)
		print_errors(&errors);
	if (code == 0)
		hold_figures(v, &e, folder);
	else
		note(v, name, code == ERROR_DATA || (!read && only_outside(&errors)) ? VERDICT_NO_DATA : VERDICT_FAILED);
	if (code && code != ERROR_INTERRUPTED && e.data && e.data->obtain && !read)
		fprintf(stderr, "  hint: %s\n", e.data->obtain);
	free(folder);
	errors_finish(&errors);
	experiment_finish(&e);
	return code == ERROR_INTERRUPTED ? code : 0;
}

// A file that is wrong in itself is found before the first one runs.
static int check_all(const struct options *options) {
	int code = 0;
	for (size_t i = 0; i < options->arguments_count; i++) {
		struct experiment e;
		struct errors errors = {0};
		if (!experiment_read(options->arguments[i], options->overrides, options->overrides_count, &e, &errors) &&
		    !only_outside(&errors))
			code = print_errors(&errors);
		errors_finish(&errors);
		experiment_finish(&e);
	}
	return code;
}

static int verify(const struct options *options) {
	if (options->integrity)
		return verify_integrity(options);
	struct verification v = {.options = options};
	v.json.text = &v.text;
	int code = check_all(options);
	if (code)
		return code;
	struct options collecting = *options;
	int *failed = memory_alloc((options->arguments_count + 1) * sizeof(*failed));
	v.options = &collecting;
	runner_watch_signals();
	if (options->jobs > 1) {
		code = beside_run(options, failed);
		collecting.force = false;
	}
	if (options->json)
		json_array(&v.json, NULL, JSON_LINES);
	for (size_t i = 0; code == 0 && i < options->arguments_count; i++)
		code = verify_one(&v, options->arguments[i], failed[i]);
	free(failed);
	if (options->json) {
		json_end(&v.json);
		printf("%s\n", text_string(&v.text));
	} else {
		printf("%zu ok, %zu missed, %zu without data, %zu failed\n", v.count[VERDICT_OK], v.count[VERDICT_MISSED],
		       v.count[VERDICT_NO_DATA], v.count[VERDICT_FAILED]);
	}
	text_finish(&v.text);
	if (code)
		return code;
	return v.count[VERDICT_NO_DATA] ? ERROR_DATA : v.count[VERDICT_MISSED] + v.count[VERDICT_FAILED] ? ERROR_RUN : 0;
}

const struct verb verb_verify = {
    .name = "verify",
    .usage = "verify CFG... | --integrity RUN...",
    .doc = "runs each experiment, or finds its run, and holds the figures against what it expects",
    .help =
        "Every figure of `expect` gets a line: ok or MISSED. Where repeats is above 1 the mean is held. A line more "
        "says\n"
        "how long the runs took when they were run. Exit code 3 if the data of any file is missing (the others are\n"
        "verified all the same), else 1 if one misses or fails.\n\n"
        "With --integrity the arguments are finished runs, as `aexp show` takes them. Hashes of every file, of the "
        "weights,\n"
        "of the experiment and of the data, read anew, are held against what the run's files say, and these against\n"
        "each other; a line each. Exit code 3 if the data cannot be read, else 1 if something is not what it was.\n",
    .takes = TAKES(integrity) | TAKES(overrides) | TAKES(force) | TAKES(no_cache) | TAKES(json) | TAKES(jobs),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = verify,
};
