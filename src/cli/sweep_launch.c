// The trials of a sweep as jobs of a scheduler: submits them, waits for what they leave in the sweep's folder,
// collects.
#include "cli/runner.h"
#include "cli/sweeper.h"

#include "sweep/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const double LINE_EVERY = 5, ASK_EVERY = 3; // seconds: a line of progress, and a question to the scheduler
enum { ASKED_TWICE = 2 }; // answers that no job is left, before trials without result are given up

struct launching {
	struct sweep *sweep;
	const struct options *options;
	const struct launcher *launcher;
	struct launch launch;
	size_t gone; // answers in a row that no job is left
	double asked, said;
};

static void say(struct launching *l, bool now) {
	if (l->options->quiet || (!now && train_seconds() - l->said < LINE_EVERY))
		return;
	l->said = train_seconds();
	fprintf(stderr, "%zu of %zu trials, %zu failed\n", l->sweep->begun - sweep_count(l->sweep, TRIAL_OPEN),
	        l->sweep->begun, sweep_count(l->sweep, TRIAL_FAILED));
}

// Jobs that are gone leave trials that no one will end.
static bool give_up(struct launching *l, struct error *error) {
	sweep_refresh(l->sweep);
	for (size_t i = 0; i < l->sweep->begun; i++) {
		if (l->sweep->trials[i].state != TRIAL_OPEN || !sweep_can_propose(l->sweep, i))
			continue;
		sweep_propose(l->sweep, i);
		if (!sweep_record_failure(l->sweep, i, "its job ended without a result; log/ in the sweep's folder may say why",
		                          error))
			return false;
		fprintf(stderr, "trial %zu failed: %s\n", i + 1, l->sweep->trials[i].reason);
	}
	return true;
}

static bool ask(struct launching *l, struct error *error) {
	bool known;
	if (train_seconds() - l->asked < ASK_EVERY)
		return true;
	bool alive = l->launcher->alive(&l->launch, &known);
	l->asked = train_seconds();
	l->gone = known && !alive ? l->gone + 1 : 0;
	return l->gone < ASKED_TWICE || give_up(l, error);
}

static bool wait_for_trials(struct launching *l, struct error *error) {
	static const struct timespec BETWEEN = {.tv_nsec = 200000000};
	l->asked = train_seconds();
	for (;;) {
		sweep_refresh(l->sweep);
		if (!sweep_count(l->sweep, TRIAL_OPEN))
			return true;
		if (runner_interrupted())
			return error_set(error, ERROR_INTERRUPTED,
			                 "no longer waiting; the jobs go on, and the same command collects");
		if (!ask(l, error))
			return false;
		say(l, false);
		nanosleep(&BETWEEN, NULL);
	}
}

static bool submit(struct launching *l, struct error *error) {
	bool known;
	if (l->launcher->alive(&l->launch, &known)) {
		if (!l->options->quiet)
			fprintf(stderr, "jobs of this sweep are under way\n");
		return true;
	}
	if (!launch_forget_jobs(l->sweep, error) || !launch_write(&l->launch, error) ||
	    !l->launcher->submit(&l->launch, runner_interrupted, error))
		return false;
	if (!l->options->quiet)
		fprintf(stderr, "%zu job%s of at most %zu trial%s submitted\n", l->launch.batches,
		        l->launch.batches == 1 ? "" : "s", l->launch.per_job, l->launch.per_job == 1 ? "" : "s");
	return true;
}

int sweep_launch(struct sweep *sweep, const struct options *options) {
	struct error error = {0};
	char *program = NULL;
	struct launching l = {.sweep = sweep, .options = options, .said = train_seconds()};
	l.launch = (struct launch){.sweep = sweep,
	                           .per_job = options->per_job ? options->per_job : 1,
	                           .beside = options->jobs,
	                           .threads = options->threads ? options->threads : 1};
	l.launcher = launcher_find(options->launcher, &l.launch.text, &error);
	bool good = l.launcher && process_path(&program, &error);
	if (good && sweep->search.config->budget)
		good = error_set(&error, ERROR_CONFIG, "a budget needs the local launcher: jobs are submitted all at once");
	l.launch.program = program;
	good = good && submit(&l, &error) && (options->detach || wait_for_trials(&l, &error));
	if (good && options->detach)
		printf(
		    "%s  submitted; `aexp sweep CFG --status` says how far it is, the same command without --detach collects\n",
		    sweep->folder);
	if (!good)
		print_error(&error);
	launch_finish(&l.launch);
	free(program);
	return good ? 0 : (int)error.code;
}
