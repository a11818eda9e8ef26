// aexp trial: one trial of a sweep, in a process of its own; what `aexp sweep` starts, here or through a launcher.
#include "cli/runner.h"
#include "cli/workers.h"

#include "base/file.h"
#include "base/process.h"
#include "report/report.h"
#include "search/halving.h"
#include "sweep/sweep.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct timespec BETWEEN = {.tv_nsec = 20000000}; // two looks for what other trials have left

struct trial_run {
	struct sweep sweep;
	size_t index;
	struct options options; // with the trial's overrides
	size_t epochs;          // of the whole training
	struct telling telling;
	size_t rungs[RUNGS_MAX], rungs_count;
	size_t stopped_at;  // 0: it was not
	struct error error; // of what went wrong in between; code ERROR_NONE: nothing
};

static void tell_batch(void *context, size_t epoch, double share, double ratings) {
	struct trial_run *t = context;
	if (t->options.follow)
		telling_batch(&t->telling, epoch, share, ratings);
}

// --- judging ---

// What another trial had at a rung: true where it is known, or is known never to come; *ret NAN then.
static bool rung_known(struct trial_run *t, size_t other, size_t epochs, double *ret) {
	if (sweep_rung_read(&t->sweep, other, epochs, ret))
		return true;
	sweep_refresh(&t->sweep);
	if (t->sweep.trials[other].state == TRIAL_OPEN)
		return false;
	if (!sweep_rung_read(&t->sweep, other, epochs, ret)) // it may have come between the two looks
		*ret = NAN;
	return true;
}

// Waits for the trials of lower number that count.
static bool goes_on(struct trial_run *t, size_t epochs, double own) {
	const struct halving_config *config = t->sweep.search.config->early_stop;
	size_t bracket = halving_bracket(config, t->index, t->epochs), count = 0, lag = (size_t)config->lag;
	double *others = memory_alloc((t->index + 1) * sizeof(*others));
	for (size_t i = 0; i + lag <= t->index; i++) {
		if (halving_bracket(config, i, t->epochs) != bracket)
			continue;
		while (!rung_known(t, i, epochs, &others[count])) {
			if (runner_interrupted()) {
				free(others);
				return true; // the training is asked next, and ends
			}
			nanosleep(&BETWEEN, NULL);
		}
		count += !isnan(others[count]);
	}
	bool ret = halving_goes_on(config, others, count, own);
	free(others);
	return ret;
}

static bool is_rung(const struct trial_run *t, size_t epoch) {
	for (size_t i = 0; i < t->rungs_count; i++)
		if (t->rungs[i] == epoch)
			return true;
	return false;
}

static double loss_after(const struct trial_run *t, const struct epoch_result *epoch) {
	const struct experiment *e = &t->sweep.experiment;
	const char *objective = t->sweep.search.config->objective.items[0];
	if (!strcmp(objective, "train.loss"))
		return epoch->train_loss;
	for (size_t i = 0; epoch->valid.exists && i < e->uses_count; i++)
		if (!strcmp(strchr(objective, '.') + 1, e->uses[i].name))
			return sweep_loss(&t->sweep, 0, epoch->valid.metric[i]);
	return NAN;
}

static bool ends(void *context, const struct epoch_result *epoch) {
	struct trial_run *t = context;
	if (!is_rung(t, epoch->epoch))
		return false;
	double loss = loss_after(t, epoch);
	if (!sweep_rung_write(&t->sweep, t->index, epoch->epoch, loss, &t->error))
		return true;
	if (goes_on(t, epoch->epoch, loss))
		return false;
	t->stopped_at = epoch->epoch;
	return true;
}

// What is known already about where the trial ends, from its rungs and from a finished whole run: the epoch, or 0 where
// nothing says so. *ret_known: whether every rung is known.
static size_t known_end(struct trial_run *t, const char *whole, bool *ret_known) {
	*ret_known = true;
	for (size_t i = 0; i < t->rungs_count; i++) {
		double loss;
		if (!sweep_rung_read(&t->sweep, t->index, t->rungs[i], &loss)) {
			*ret_known = sweep_rung_of_run(&t->sweep, whole, t->rungs[i], &loss) &&
			             sweep_rung_write(&t->sweep, t->index, t->rungs[i], loss, &t->error);
			if (!*ret_known)
				return 0;
		}
		if (!goes_on(t, t->rungs[i], loss))
			return t->rungs[i];
	}
	return 0;
}

// --- running ---

static int run_plain(struct trial_run *t, char **ret_folder) {
	struct runner_watch watch = {.context = t, .batch = tell_batch};
	return runner_run_watched(t->sweep.given, &t->options, false, &watch, ret_folder);
}

static int run_watched(struct trial_run *t, char **ret_folder) {
	struct runner_watch watch = {.context = t, .batch = tell_batch, .ends = ends};
	return runner_run_watched(t->sweep.given, &t->options, false, &watch, ret_folder);
}

// The run that is known to end after some epochs.
static int run_shorter(struct trial_run *t, char **ret_folder) {
	char more[64];
	snprintf(more, sizeof(more), "train.stop_after=%zu", t->stopped_at);
	t->options.overrides[t->options.overrides_count++] = more;
	int code = run_plain(t, ret_folder);
	t->options.overrides_count--;
	return code;
}

static int run_judged(struct trial_run *t, char **ret_folder) {
	const struct halving_config *config = t->sweep.search.config->early_stop;
	char *whole = NULL;
	bool known;
	t->rungs_count = halving_rungs(config, t->index, t->epochs, t->rungs);
	int code = runner_folder(t->sweep.given, &t->options, &whole);
	if (code == 0) {
		t->stopped_at = known_end(t, whole, &known);
		code = t->stopped_at ? run_shorter(t, ret_folder)
		       : known       ? run_plain(t, ret_folder)
		                     : run_watched(t, ret_folder);
		if (code == 0 && t->stopped_at) // what a trial left that was killed at its last rung
			runner_abandon(whole);
	}
	free(whole);
	return code;
}

static int run_and_record(struct trial_run *t) {
	char *folder = NULL;
	int code = t->sweep.search.config->early_stop ? run_judged(t, &folder) : run_plain(t, &folder);
	if (code == 0 && t->error.code == ERROR_NONE)
		sweep_record_run(&t->sweep, t->index, folder, t->stopped_at > 0, &t->error);
	if (t->error.code != ERROR_NONE)
		print_error(&t->error);
	free(folder);
	return code ? code : (int)t->error.code;
}

static bool wait_for_results(struct trial_run *t) {
	while (!sweep_can_propose(&t->sweep, t->index)) {
		if (runner_interrupted())
			return false;
		nanosleep(&BETWEEN, NULL);
		sweep_refresh(&t->sweep);
	}
	return true;
}

static int run_trial(struct trial_run *t, const struct options *options) {
	struct strings overrides;
	if (t->sweep.trials[t->index].state != TRIAL_OPEN)
		return 0;
	if (!wait_for_results(t))
		return ERROR_INTERRUPTED;
	sweep_propose(&t->sweep, t->index);
	sweep_overrides(&t->sweep, t->index, &overrides);
	t->options = *options;
	t->options.results = t->sweep.results;
	t->options.keep_cache = true;
	t->options.overrides = arena_alloc(&t->sweep.arena, (overrides.count + 1) * sizeof(char *));
	for (size_t i = 0; i < overrides.count; i++)
		t->options.overrides[i] = overrides.items[i];
	t->options.overrides_count = overrides.count;
	t->epochs = t->telling.epochs = experiment_epochs(&t->sweep.experiment);
	return run_and_record(t);
}

// Where its process ended before it could say anything, whoever started it says why.
static int record_failure(struct trial_run *t, const char *reason) {
	struct error error = {0};
	if (t->sweep.trials[t->index].state != TRIAL_OPEN || !sweep_can_propose(&t->sweep, t->index))
		return 0;
	sweep_propose(&t->sweep, t->index);
	if (sweep_record_failure(&t->sweep, t->index, reason, &error))
		return 0;
	print_error(&error);
	return (int)error.code;
}

static int trial(const struct options *options) {
	struct errors errors = {0};
	struct trial_run t = {0};
	char *end;
	unsigned long number = strtoul(options->arguments[1], &end, 10);
	if (options->follow && !process_follow_parent())
		return ERROR_INTERRUPTED;
	runner_watch_signals();
	int code = 0;
	if (!sweep_open(options->arguments[0], &t.sweep, &errors)) {
		code = print_errors(&errors);
	} else if (*end || number < 1 || number > t.sweep.search.trials) {
		fprintf(stderr, "aexp: \"%s\" is no trial of this sweep: they are 1 to %zu\n", options->arguments[1],
		        t.sweep.search.trials);
		code = ERROR_CONFIG;
	} else {
		t.index = number - 1;
		code = options->failed ? record_failure(&t, options->failed) : run_trial(&t, options);
	}
	errors_finish(&errors);
	sweep_close(&t.sweep);
	return code;
}

const struct verb verb_trial = {
    .name = "trial",
    .usage = "trial SWEEP N",
    .doc = "runs trial N of a sweep, whose folder is SWEEP: what sweep starts, here or on other machines",
    .help = "A trial that has ended is left as it is. It waits for the trials whose results it needs.\n",
    .takes = TAKES(no_cache) | TAKES(follow) | TAKES(failed),
    .arguments_min = 2,
    .arguments_max = 2,
    .run = trial,
};
