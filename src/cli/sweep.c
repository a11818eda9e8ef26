// aexp sweep: expands the `sweep` group of a file into trials, runs them, and says what came out.
#include "cli/sweeper.h"

#include "base/file.h"
#include "base/number.h"
#include "cli/runner.h"
#include "data/split.h"
#include "report/figure.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 10 }; // trials of the table

// --- what came out ---

struct shown {
	const struct sweep *sweep;
	size_t index;
};

static int compare_shown(const void *a, const void *b) {
	const struct shown *x = a, *y = b;
	const struct trial *s = &x->sweep->trials[x->index], *t = &y->sweep->trials[y->index];
	if (s->state != t->state)
		return s->state < t->state ? -1 : 1;
	double u = isnan(s->losses[0]) ? INFINITY : s->losses[0], v = isnan(t->losses[0]) ? INFINITY : t->losses[0];
	if (u != v)
		return u < v ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static void print_trial(struct sweep *sweep, size_t index) {
	const struct trial *trial = &sweep->trials[index];
	const struct space *space = &sweep->search.space;
	printf("  %5zu  %-8s  %-12s", trial->number, trial_state_names[trial->state], trial->id ? trial->id : "-");
	for (size_t i = 0; i < sweep->search.objectives; i++)
		printf("  %-12.6g", trial->objectives[i]);
	for (size_t i = 0; i < space->count; i++)
		if (trial->point[i].active)
			printf("  %s=%s", space->axes[i].label, setting_text(&space->axes[i], &trial->point[i], &sweep->arena));
	printf("\n");
}

static void print_failures(const struct sweep *sweep) {
	for (size_t i = 0; i < sweep->begun; i++)
		if (sweep->trials[i].state == TRIAL_FAILED)
			printf("  trial %zu failed: %s\n", i + 1, sweep->trials[i].reason ? sweep->trials[i].reason : "");
}

static void print_table(struct sweep *sweep) {
	size_t count = 0, *best = memory_alloc((sweep->search.trials + 1) * sizeof(*best));
	struct shown *order = memory_alloc((sweep->search.trials + 1) * sizeof(*order));
	for (size_t i = 0; i < sweep->begun; i++)
		if (sweep->trials[i].state != TRIAL_OPEN && sweep->trials[i].state != TRIAL_FAILED)
			order[count++] = (struct shown){sweep, i};
	qsort(order, count, sizeof(*order), compare_shown);
	printf("  trial  status    run         ");
	for (size_t i = 0; i < sweep->search.objectives; i++)
		printf("  %-12s", sweep->search.config->objective.items[i]);
	printf("\n");
	for (size_t i = 0; i < count && i < SHOWN; i++)
		print_trial(sweep, order[i].index);
	if (count > SHOWN)
		printf("  ... %zu more; `aexp compare %s/%s` shows them\n", count - SHOWN, sweep->experiment.name, sweep->id);
	if (sweep->search.objectives > 1) {
		printf("Pareto set:\n");
		count = sweep_best(sweep, best);
		for (size_t i = 0; i < count; i++)
			print_trial(sweep, best[i]);
	}
	free(order);
	free(best);
}

void sweep_print(struct sweep *sweep, bool json) {
	if (json) {
		struct text text = {0};
		sweep_json(sweep, &text);
		fputs(text_string(&text), stdout);
		text_finish(&text);
		return;
	}
	printf("%s  %s  %zu trials: %zu finished, %zu stopped early, %zu failed\n", sweep->experiment.name, sweep->folder,
	       sweep->begun, sweep_count(sweep, TRIAL_FINISHED), sweep_count(sweep, TRIAL_STOPPED),
	       sweep_count(sweep, TRIAL_FAILED));
	print_table(sweep);
	print_failures(sweep);
}

void sweep_print_status(const struct sweep *sweep) {
	size_t *best = memory_alloc((sweep->search.trials + 1) * sizeof(*best));
	printf("%s  %s  %zu of %zu trials: %zu finished, %zu stopped early, %zu failed\n", sweep->experiment.name,
	       sweep->folder, sweep->search.trials - sweep_count(sweep, TRIAL_OPEN), sweep->search.trials,
	       sweep_count(sweep, TRIAL_FINISHED), sweep_count(sweep, TRIAL_STOPPED), sweep_count(sweep, TRIAL_FAILED));
	if (sweep_best(sweep, best))
		printf("  best so far: trial %zu, %s %.6g\n", best[0] + 1, sweep->search.config->objective.items[0],
		       sweep->trials[best[0]].objectives[0]);
	print_failures(sweep);
	free(best);
}

// --- finding its folder ---

static int no_sweep(const struct experiment *e) {
	fprintf(stderr, "%s: \"sweep\" is missing\n  hint: Say what to vary: `aexp schema` lists the keys of sweep.\n",
	        e->file);
	return ERROR_CONFIG;
}

// The file with its data: the ID depends on both. Where nothing is to be run, nothing is made.
static int find_folder(const char *path, const struct options *options, bool begin, char **ret_folder) {
	struct prepared p;
	struct error error = {0};
	char id[EXPERIMENT_ID];
	int code = prepare(path, options, false, &p);
	if (code == 0 && !p.experiment.sweep)
		code = no_sweep(&p.experiment);
	if (code == 0) {
		sweep_id(&p.experiment, p.id, id);
		*ret_folder = run_folder_path(options->results, p.experiment.name, id);
		if (begin && !sweep_begin(&p.experiment, *ret_folder, &error)) {
			print_error(&error);
			code = (int)error.code;
		}
	}
	prepared_finish(&p);
	return code;
}

// --- running ---

static bool forget_failures(struct sweep *sweep, struct error *error) {
	for (size_t i = 0; i < sweep->search.trials; i++)
		if (sweep->trials[i].state == TRIAL_FAILED && !sweep_forget(sweep, i, error))
			return false;
	return true;
}

static void print_forecast(const struct sweep *sweep, const struct forecast *forecast, const struct options *options) {
	char bytes[NUMBER_TEXT];
	size_t open = sweep_count(sweep, TRIAL_OPEN), workers = options->jobs ? options->jobs : 1;
	double seconds = forecast_rest(forecast, sweep) / (double)workers;
	if (options->quiet)
		return;
	number_write_bytes(forecast_bytes(forecast, sweep) * (double)workers, bytes);
	fprintf(stderr, "%s/%s: %zu trials by %s over %zu axes, %zu to run on %zu worker%s", sweep->experiment.name,
	        sweep->id, sweep->search.trials, sweep->search.config->kind.row->name, sweep->search.space.count, open,
	        workers, workers == 1 ? "" : "s");
	if (!isnan(seconds) && open)
		fprintf(stderr, "; predicted: %.3g s of training, %s", seconds, bytes);
	fprintf(stderr, "\n");
}

static void print_note(void *context, const char *line) {
	(void)context;
	fprintf(stderr, "%s\n", line);
}

// The pictures are drawn from the result. What could not be drawn is said, and is no failure: `aexp plot` draws it
// again.
static bool end_sweep(struct sweep *sweep, struct error *error) {
	struct error undrawn = {0};
	bool drawn;
	if (!sweep_end(sweep, error))
		return false;
	if (sweep_count(sweep, TRIAL_FINISHED) && !figure_draw_sweep(sweep->folder, print_note, NULL, &drawn, &undrawn))
		print_error(&undrawn);
	return true;
}

static int run_open(struct sweep *sweep, const struct options *options) {
	struct forecast forecast;
	struct error error = {0};
	forecast_create(&forecast, sweep->search.trials);
	int code = sweep_plan(sweep, options, &forecast);
	bool local = !options->launcher || !strcmp(options->launcher, "local");
	if (code == 0) {
		print_forecast(sweep, &forecast, options);
		code = local ? sweep_work(sweep, options, &forecast) : sweep_launch(sweep, options);
	}
	bool whole = local || !options->detach;
	if (code == 0 && whole && !end_sweep(sweep, &error)) {
		print_error(&error);
		code = (int)error.code;
	}
	forecast_finish(&forecast);
	return code;
}

static int run_sweep(struct sweep *sweep, const struct options *options, bool print) {
	struct error error = {0};
	int code = 0;
	if (options->retry_failed && !forget_failures(sweep, &error)) {
		print_error(&error);
		return (int)error.code;
	}
	if (!sweep_finished(sweep->folder))
		code = run_open(sweep, options);
	else
		sweep->begun = sweep->search.trials - sweep_count(sweep, TRIAL_OPEN); // the budget left out the rest
	if (code == 0 && print && sweep_finished(sweep->folder))
		sweep_print(sweep, options->json);
	return code ? code : sweep_count(sweep, TRIAL_FAILED) ? ERROR_RUN : 0;
}

int sweep_run(const char *path, const struct options *options, bool print, char **ret_folder) {
	struct sweep sweep = {0};
	struct errors errors = {0};
	*ret_folder = NULL;
	int code = find_folder(path, options, !options->status, ret_folder);
	if (code)
		return code;
	if (options->status && !file_exists(*ret_folder)) {
		printf("%s has not begun\n", path);
		return 0;
	}
	if (!sweep_open(*ret_folder, &sweep, &errors))
		code = print_errors(&errors);
	else if (options->status)
		sweep_print_status(&sweep);
	else
		code = run_sweep(&sweep, options, print);
	errors_finish(&errors);
	sweep_close(&sweep);
	return code;
}

static int sweep(const struct options *options) {
	char *folder;
	runner_watch_signals();
	int code = sweep_run(options->arguments[0], options, true, &folder);
	free(folder);
	return code;
}

const struct verb verb_sweep = {
    .name = "sweep",
    .usage = "sweep CFG",
    .doc = "expands the sweep group into trials and runs them, beside each other and resumable",
    .help =
        "Trials are ordinary runs: one that was run before is found, not run again. A sweep that was interrupted\n"
        "or killed goes on where it was when the same command is given again; the result does not depend on it,\n"
        "nor on -j. Exit code 1 if a trial failed; --retry-failed runs those again.\n"
        "--launcher slurm submits job arrays by sbatch, --launcher command='ssh node {command}' anything else; both\n"
        "need a results folder that all machines see.\n",
    .takes = TAKES(overrides) | TAKES(no_cache) | TAKES(json) | TAKES(jobs) | TAKES(status) | TAKES(retry_failed) |
             TAKES(launcher) | TAKES(per_job) | TAKES(detach),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = sweep,
};
