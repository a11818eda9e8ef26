// The trials of a sweep as worker processes on this machine. A worker that crashes, is killed or finds its experiment
// diverging is one failed trial; the others go on.
#include "cli/runner.h"
#include "cli/sweeper.h"
#include "cli/workers.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static const double LINE_EVERY = 5; // seconds

struct work {
	struct sweep *sweep;
	const struct options *options;
	struct forecast *forecast;
	struct workers workers;
	double started, said;
	bool out_of_time;
};

// --- progress ---

static double seconds_left(const struct work *w) {
	double rest = forecast_rest(w->forecast, w->sweep), now = train_seconds();
	for (size_t i = 0; i < w->workers.count; i++) {
		const struct worker *worker = &w->workers.items[i];
		if (worker->busy)
			rest -= fmin(now - worker->started, forecast_trial(w->forecast, w->sweep, worker->task));
	}
	return rest / (double)w->workers.count;
}

static void print_total(void *context) {
	const struct work *w = context;
	char left[NUMBER_TEXT];
	size_t open = sweep_count(w->sweep, TRIAL_OPEN);
	number_write_seconds(seconds_left(w), left);
	fprintf(stderr, "%zu of %zu trials, %zu failed, ETA %s", w->sweep->begun - open, w->sweep->begun,
	        sweep_count(w->sweep, TRIAL_FAILED), open ? left : "0 s");
}

static void print_trial(const struct sweep *sweep, size_t index) {
	const struct trial *trial = &sweep->trials[index];
	const struct strings *objective = &sweep->search.config->objective;
	fprintf(stderr, "trial %zu %s", trial->number, trial_state_names[trial->state]);
	for (size_t i = 0; trial->state != TRIAL_FAILED && i < objective->count; i++)
		fprintf(stderr, "  %s %.6g", objective->items[i], trial->objectives[i]);
	if (trial->reason)
		fprintf(stderr, ": %s", trial->reason);
	fprintf(stderr, "\n");
}

// Failures are always said; the others all on a terminal, elsewhere at most every few seconds.
static void say_ended(struct work *w, size_t index) {
	bool failed = w->sweep->trials[index].state == TRIAL_FAILED;
	bool due = !w->options->quiet && (w->workers.terminal || train_seconds() - w->said >= LINE_EVERY);
	if (!failed && !due)
		return;
	workers_clear(&w->workers);
	print_trial(w->sweep, index);
	if (w->workers.terminal || w->options->quiet)
		return;
	w->said = train_seconds();
	print_total(w);
	fprintf(stderr, "\n");
}

// --- one worker ---

static bool start_trial(struct work *w, struct worker *worker, size_t index, struct error *error) {
	const char *number = arena_format(&w->sweep->arena, "%zu", index + 1);
	const char *label = arena_format(&w->sweep->arena, "trial %s", number);
	const char *const arguments[] = {"trial", w->sweep->folder, number, NULL};
	bool good = worker_start(&w->workers, worker, index, label, arguments, error);
	worker->epochs = experiment_epochs(&w->sweep->experiment);
	return good;
}

static bool record_failure(const struct work *w, struct worker *worker, int status, struct error *error) {
	struct text reason = {0};
	worker_reason(worker, status, &reason);
	bool good = sweep_record_failure(w->sweep, worker->task, text_string(&reason), error);
	text_finish(&reason);
	return good;
}

static void measure(struct work *w, const struct worker *worker) {
	double predicted = w->forecast->seconds[worker->task];
	if (isnan(predicted) || w->sweep->trials[worker->task].state != TRIAL_FINISHED)
		return;
	w->forecast->measured += train_seconds() - worker->started;
	w->forecast->predicted += predicted;
}

static bool trial_ended(void *context, struct worker *worker, int status, struct error *error) {
	struct work *w = context;
	const struct trial *trial = &w->sweep->trials[worker->task];
	bool good = true, interrupted = WIFEXITED(status) && WEXITSTATUS(status) == ERROR_INTERRUPTED;
	sweep_refresh(w->sweep);
	if (trial->state == TRIAL_OPEN && !interrupted && !runner_interrupted())
		good = record_failure(w, worker, status, error);
	if (trial->state != TRIAL_OPEN) {
		measure(w, worker);
		say_ended(w, worker->task);
	}
	return good;
}

// --- which trial is next ---

static size_t epochs_of(const struct sweep *sweep, size_t index) {
	(void)index;
	return experiment_epochs(&sweep->experiment) * (size_t)sweep->experiment.repeats;
}

// Whether the trial's epochs fit into the budget beside those of all before it: 1 yes, 0 no, -1 not known yet.
static int fits_budget(const struct sweep *sweep, size_t index) {
	const struct budget_config *budget = sweep->search.config->budget;
	size_t spent = 0, open = 0;
	if (!budget || !budget->epochs)
		return 1;
	for (size_t i = 0; i < index; i++) {
		bool known = sweep->trials[i].state != TRIAL_OPEN;
		spent += known ? sweep->trials[i].epochs : 0;
		open += known ? 0 : epochs_of(sweep, i);
	}
	size_t own = epochs_of(sweep, index), all = (size_t)budget->epochs;
	if (spent + open + own <= all)
		return 1;
	return spent + own > all || !open ? 0 : -1;
}

// The open trial of the lowest number that may begin now; search.trials where there is none, now or for ever.
static size_t next_trial(struct work *w) {
	struct sweep *sweep = w->sweep;
	const struct budget_config *budget = sweep->search.config->budget;
	w->out_of_time = budget && !isnan(budget->seconds) && train_seconds() - w->started >= budget->seconds;
	for (size_t i = 0; !w->out_of_time && i < sweep->begun; i++) {
		if (sweep->trials[i].state != TRIAL_OPEN || workers_busy_with(&w->workers, i))
			continue;
		int fits = fits_budget(sweep, i);
		if (fits == 0)
			sweep->begun = i;
		return fits > 0 && sweep_can_propose(sweep, i) ? i : sweep->search.trials;
	}
	return sweep->search.trials;
}

static bool start_trials(struct work *w, struct error *error) {
	for (struct worker *worker; (worker = workers_free(&w->workers));) {
		size_t index = next_trial(w);
		if (index >= w->sweep->begun)
			return true;
		sweep_propose(w->sweep, index);
		if (!start_trial(w, worker, index, error))
			return false;
	}
	return true;
}

// --- all of them ---

static bool work_on(struct work *w, struct error *error) {
	bool good = true, told = false;
	for (;;) {
		if (good && !runner_interrupted())
			good = start_trials(w, error);
		if (!workers_busy(&w->workers))
			return good;
		if ((!good || runner_interrupted()) && !told) {
			workers_stop(&w->workers);
			told = true;
		}
		good = workers_listen(&w->workers, trial_ended, print_total, w, error) && good;
	}
}

int sweep_work(struct sweep *sweep, const struct options *options, struct forecast *forecast) {
	struct error error = {0};
	struct work w = {.sweep = sweep, .options = options, .forecast = forecast, .started = train_seconds()};
	w.said = w.started;
	bool good = workers_create(options, &w.workers, &error) && work_on(&w, &error);
	workers_finish(&w.workers);
	if (!good) {
		print_error(&error);
		return (int)error.code;
	}
	while (w.out_of_time && sweep->begun && sweep->trials[sweep->begun - 1].state == TRIAL_OPEN)
		sweep->begun--; // trials begin in the order of their numbers
	return runner_interrupted() ? ERROR_INTERRUPTED : 0;
}
