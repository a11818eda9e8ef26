// The trials of a sweep as worker processes on this machine. A worker that crashes, is killed or finds its experiment
// diverging is one failed trial; the others go on. Workers die with this process.
#include "cli/runner.h"
#include "cli/sweeper.h"

#include "base/process.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 200, THREADS_TEXT = 24, SAID_MOST = 65536 };
static const double DRAW_EVERY = 0.2, LINE_EVERY = 5; // seconds

struct worker {
	struct process process;
	size_t trial; // its index
	bool busy;
	struct text out, err;
	double started;
	size_t epoch, epochs; // that it told last
};

struct work {
	struct sweep *sweep;
	const struct options *options;
	struct forecast *forecast;
	struct worker *workers; // (count)
	size_t count, threads;  // threads: of each
	char *program;
	double started, drawn;
	size_t ended, failed, lines; // lines: that stand on the terminal
	bool terminal, out_of_time;
};

// --- progress ---

static void format_seconds(double seconds, char ret[32]) {
	if (!(seconds < 360000))
		snprintf(ret, 32, "?");
	else if (seconds < 60)
		snprintf(ret, 32, "%.0f s", seconds);
	else if (seconds < 3600)
		snprintf(ret, 32, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
	else
		snprintf(ret, 32, "%d h %02d min", (int)seconds / 3600, (int)seconds / 60 % 60);
}

static double seconds_left(const struct work *w) {
	double rest = forecast_rest(w->forecast, w->sweep), now = train_seconds();
	for (size_t i = 0; i < w->count; i++)
		if (w->workers[i].busy)
			rest -= fmin(now - w->workers[i].started, forecast_trial(w->forecast, w->sweep, w->workers[i].trial));
	return rest / (double)w->count;
}

static void print_total(const struct work *w) {
	char left[32];
	size_t open = sweep_count(w->sweep, TRIAL_OPEN);
	format_seconds(seconds_left(w), left);
	fprintf(stderr, "%zu of %zu trials, %zu failed, ETA %s", w->sweep->begun - open, w->sweep->begun,
	        sweep_count(w->sweep, TRIAL_FAILED), open ? left : "0 s");
}

static void clear_lines(struct work *w) {
	for (; w->lines; w->lines--)
		fprintf(stderr, "\033[A\033[K");
}

static void draw(struct work *w, bool now) {
	if (w->options->quiet || !w->terminal || (!now && train_seconds() - w->drawn < DRAW_EVERY))
		return;
	w->drawn = train_seconds();
	clear_lines(w);
	for (size_t i = 0; i < w->count; i++) {
		const struct worker *worker = &w->workers[i];
		if (worker->busy)
			fprintf(stderr, "worker %zu  trial %zu  epoch %zu/%zu  %.0f s\n", i + 1, worker->trial + 1, worker->epoch,
			        worker->epochs, train_seconds() - worker->started);
		else
			fprintf(stderr, "worker %zu  waits\n", i + 1);
	}
	print_total(w);
	fprintf(stderr, "\n");
	w->lines = w->count + 1;
}

static void print_trial(struct work *w, size_t index) {
	const struct trial *trial = &w->sweep->trials[index];
	const struct strings *objective = &w->sweep->search.config->objective;
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
	if (w->options->quiet && !failed)
		return;
	if (w->terminal) {
		clear_lines(w);
		print_trial(w, index);
		draw(w, true);
	} else if (failed || train_seconds() - w->drawn >= LINE_EVERY) {
		w->drawn = train_seconds();
		print_trial(w, index);
		print_total(w);
		fprintf(stderr, "\n");
	}
}

// --- one worker ---

static bool start_worker(struct work *w, struct worker *worker, size_t index, struct error *error) {
	char number[THREADS_TEXT], threads[THREADS_TEXT];
	snprintf(number, sizeof(number), "%zu", index + 1);
	snprintf(threads, sizeof(threads), "%zu", w->threads);
	const char *const argv[] = {w->program, "trial",    w->sweep->folder,
	                            number,     "--follow", "-q",
	                            "-t",       threads,    w->options->no_cache ? "--no-cache" : NULL,
	                            NULL};
	*worker = (struct worker){.trial = index, .busy = true, .started = train_seconds()};
	worker->epochs = experiment_epochs(&w->sweep->experiment);
	worker->busy = process_start(argv, NULL, &worker->process, NULL, error);
	return worker->busy;
}

// The last progress line that is whole.
static void read_progress(struct worker *worker) {
	const char *end = strrchr(text_string(&worker->out), '\n');
	if (!end)
		return;
	const char *line = end;
	while (line > worker->out.data && line[-1] != '\n')
		line--;
	sscanf(line, "progress %zu %zu", &worker->epoch, &worker->epochs);
	size_t left = worker->out.length - (size_t)(end + 1 - worker->out.data);
	memmove(worker->out.data, end + 1, left + 1);
	worker->out.length = left;
}

// What the worker said last that is no hint: the reason of its failure.
static const char *last_words(struct text *said) {
	char *words = NULL, *rest = said->data;
	for (char *line; rest && (line = strsep(&rest, "\n"));)
		if (*line && strncmp(line, "  hint:", 7) != 0)
			words = line;
	return words ? words : "";
}

static bool record_failure(struct work *w, struct worker *worker, int status, struct error *error) {
	struct text reason = {0};
	const char *words = WIFEXITED(status) ? last_words(&worker->err) : "";
	if (*words)
		text_append(&reason, words);
	else
		process_explain(status, &reason);
	bool good = sweep_record_failure(w->sweep, worker->trial, text_string(&reason), error);
	text_finish(&reason);
	return good;
}

static void measure(struct work *w, const struct worker *worker) {
	double predicted = w->forecast->seconds[worker->trial];
	if (isnan(predicted) || w->sweep->trials[worker->trial].state != TRIAL_FINISHED)
		return;
	w->forecast->measured += train_seconds() - worker->started;
	w->forecast->predicted += predicted;
}

// Both of its ends are closed: it has ended, or is about to.
static bool end_worker(struct work *w, struct worker *worker, struct error *error) {
	int status = process_wait(&worker->process);
	bool good = true;
	worker->busy = false;
	sweep_refresh(w->sweep);
	struct trial *trial = &w->sweep->trials[worker->trial];
	bool interrupted = WIFEXITED(status) && WEXITSTATUS(status) == ERROR_INTERRUPTED;
	if (trial->state == TRIAL_OPEN && !interrupted && !runner_interrupted())
		good = record_failure(w, worker, status, error);
	if (trial->state != TRIAL_OPEN) {
		w->ended++;
		measure(w, worker);
		say_ended(w, worker->trial);
	}
	text_finish(&worker->out);
	text_finish(&worker->err);
	return good;
}

static bool hear_worker(struct work *w, struct worker *worker, struct error *error) {
	size_t said = worker->err.length;
	bool open = process_read(&worker->process.out, &worker->out);
	open = process_read(&worker->process.err, &worker->err) || open;
	read_progress(worker);
	if (w->options->verbose && worker->err.length > said)
		fprintf(stderr, "%s", worker->err.data + said);
	return open || end_worker(w, worker, error);
}

// --- which trial is next ---

static bool is_running(const struct work *w, size_t index) {
	for (size_t i = 0; i < w->count; i++)
		if (w->workers[i].busy && w->workers[i].trial == index)
			return true;
	return false;
}

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
		if (sweep->trials[i].state != TRIAL_OPEN || is_running(w, i))
			continue;
		int fits = fits_budget(sweep, i);
		if (fits == 0)
			sweep->begun = i;
		return fits > 0 && sweep_can_propose(sweep, i) ? i : sweep->search.trials;
	}
	return sweep->search.trials;
}

static bool start_workers(struct work *w, struct error *error) {
	for (size_t i = 0; i < w->count; i++) {
		if (w->workers[i].busy)
			continue;
		size_t index = next_trial(w);
		if (index >= w->sweep->begun)
			return true;
		sweep_propose(w->sweep, index);
		if (!start_worker(w, &w->workers[i], index, error))
			return false;
	}
	return true;
}

// --- all of them ---

static size_t busy_workers(const struct work *w) {
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		count += w->workers[i].busy;
	return count;
}

static void wait_for_news(struct work *w) {
	struct pollfd *ends = memory_alloc(2 * w->count * sizeof(*ends));
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		if (w->workers[i].busy) {
			ends[count++] = (struct pollfd){.fd = w->workers[i].process.out, .events = POLLIN};
			ends[count++] = (struct pollfd){.fd = w->workers[i].process.err, .events = POLLIN};
		}
	poll(ends, count, POLL_MS);
	free(ends);
}

static void stop_workers(struct work *w) {
	for (size_t i = 0; i < w->count; i++)
		if (w->workers[i].busy)
			kill(w->workers[i].process.pid, SIGTERM);
}

static bool work_on(struct work *w, struct error *error) {
	bool good = true, told = false;
	for (;;) {
		if (good && !runner_interrupted())
			good = start_workers(w, error);
		if (!busy_workers(w))
			return good;
		if ((!good || runner_interrupted()) && !told) {
			stop_workers(w);
			told = true;
		}
		wait_for_news(w);
		for (size_t i = 0; i < w->count; i++)
			if (w->workers[i].busy)
				good = hear_worker(w, &w->workers[i], error) && good;
		draw(w, false);
	}
}

// Cores are shared among the workers, unless -t says how many each has.
static size_t threads_of_each(const struct options *options, size_t count) {
	size_t cores = pool_threads(options->pool), each = cores / count;
	return options->threads ? options->threads : each ? each : 1;
}

int sweep_work(struct sweep *sweep, const struct options *options, struct forecast *forecast) {
	struct error error = {0};
	struct work w = {.sweep = sweep,
	                 .options = options,
	                 .forecast = forecast,
	                 .count = options->jobs ? options->jobs : 1,
	                 .started = train_seconds(),
	                 .terminal = isatty(STDERR_FILENO) == 1};
	w.threads = threads_of_each(options, w.count);
	w.workers = memory_alloc(w.count * sizeof(*w.workers));
	w.drawn = w.started;
	bool good = process_path(&w.program, &error) && work_on(&w, &error);
	if (w.terminal)
		clear_lines(&w);
	if (!good)
		print_error(&error);
	free(w.workers);
	free(w.program);
	if (!good)
		return (int)error.code;
	return runner_interrupted() ? ERROR_INTERRUPTED : 0;
}
