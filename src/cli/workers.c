// See workers.h.
#include "cli/workers.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 200, NUMBER = 24, OWN = 8 };           // OWN: arguments that every worker has, and the end
static const double DRAW_EVERY = 0.2, TELL_EVERY = 0.2; // seconds

// Cores are shared among the workers, unless -t says how many each has.
static size_t threads_of_each(const struct options *options, size_t count) {
	size_t each = pool_threads(options->pool) / count;
	return options->threads ? options->threads : each ? each : 1;
}

bool workers_create(const struct options *options, struct workers *ret, struct error *error) {
	*ret = (struct workers){.options = options,
	                        .count = options->jobs ? options->jobs : 1,
	                        .terminal = isatty(STDERR_FILENO) == 1 && !options->quiet};
	ret->threads = threads_of_each(options, ret->count);
	ret->items = memory_alloc(ret->count * sizeof(*ret->items));
	return process_path(&ret->program, error);
}

void workers_finish(struct workers *w) {
	workers_clear(w);
	free(w->items);
	free(w->program);
}

struct worker *workers_free(struct workers *w) {
	for (size_t i = 0; i < w->count; i++)
		if (!w->items[i].busy)
			return &w->items[i];
	return NULL;
}

bool workers_busy_with(const struct workers *w, size_t task) {
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].busy && w->items[i].task == task)
			return true;
	return false;
}

size_t workers_busy(const struct workers *w) {
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		count += w->items[i].busy;
	return count;
}

bool worker_start(struct workers *w, struct worker *worker, size_t task, const char *label,
                  const char *const arguments[], struct error *error) {
	// OpenBLAS starts a thread for each core as it is loaded, which we never use, and each of them spins for a while:
	// on cores that other workers need.
	static const char *const last[] = {"--follow", "-q", "-t"}, *const set[] = {"OPENBLAS_NUM_THREADS=1", NULL};
	char threads[NUMBER];
	size_t count = 0, used = 0;
	while (arguments[count])
		count++;
	const char **argv = memory_alloc((count + OWN) * sizeof(*argv));
	argv[used++] = w->program;
	for (size_t i = 0; i < count; i++)
		argv[used++] = arguments[i];
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		argv[used++] = last[i];
	snprintf(threads, sizeof(threads), "%zu", w->threads);
	argv[used++] = threads;
	if (w->options->no_cache)
		argv[used++] = "--no-cache";
	*worker = (struct worker){.task = task, .label = label, .started = train_seconds()};
	worker->busy = process_start(&(struct command){argv, NULL, set}, &worker->process, NULL, error);
	free(argv);
	return worker->busy;
}

// --- the terminal ---

void workers_clear(struct workers *w) {
	for (; w->lines; w->lines--)
		fprintf(stderr, "\033[A\033[K");
	w->drawn = 0;
}

static void draw(struct workers *w, void (*total)(void *context), void *context) {
	if (!w->terminal || train_seconds() - w->drawn < DRAW_EVERY)
		return;
	workers_clear(w);
	for (size_t i = 0; i < w->count; i++) {
		const struct worker *worker = &w->items[i];
		if (!worker->busy)
			fprintf(stderr, "worker %zu  waits\n", i + 1);
		else
			fprintf(stderr, "worker %zu  %s  epoch %zu/%zu  %.0f s\n", i + 1, worker->label, worker->epoch,
			        worker->epochs, train_seconds() - worker->started);
	}
	w->lines = w->count;
	if (total) {
		total(context);
		fprintf(stderr, "\n");
		w->lines++;
	}
	w->drawn = train_seconds();
}

// --- listening ---

// The last progress line that is whole; what follows it is kept.
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

// Both of its ends are closed once it has ended, or is about to.
static bool hear(const struct workers *w, struct worker *worker) {
	size_t said = worker->err.length;
	bool open = process_read(&worker->process.out, &worker->out);
	open = process_read(&worker->process.err, &worker->err) || open;
	read_progress(worker);
	if (w->options->verbose && worker->err.length > said)
		fprintf(stderr, "%s", worker->err.data + said);
	return open;
}

static void wait_for_news(const struct workers *w) {
	struct pollfd *ends = memory_alloc(2 * w->count * sizeof(*ends));
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].busy) {
			ends[count++] = (struct pollfd){.fd = w->items[i].process.out, .events = POLLIN};
			ends[count++] = (struct pollfd){.fd = w->items[i].process.err, .events = POLLIN};
		}
	poll(ends, count, POLL_MS);
	free(ends);
}

bool workers_listen(struct workers *w,
                    bool (*ended)(void *context, struct worker *worker, int status, struct error *error),
                    void (*total)(void *context), void *context, struct error *error) {
	bool good = true;
	wait_for_news(w);
	for (size_t i = 0; i < w->count; i++) {
		struct worker *worker = &w->items[i];
		if (!worker->busy || hear(w, worker))
			continue;
		int status = process_wait(&worker->process);
		worker->busy = false;
		good = ended(context, worker, status, error) && good;
		text_finish(&worker->out);
		text_finish(&worker->err);
	}
	draw(w, total, context);
	return good;
}

void workers_stop(struct workers *w) {
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].busy)
			kill(w->items[i].process.pid, SIGTERM);
}

void worker_reason(struct worker *worker, int status, struct text *ret) {
	char *words = NULL, *rest = WIFEXITED(status) ? worker->err.data : NULL;
	for (char *line; rest && (line = strsep(&rest, "\n"));)
		if (*line && strncmp(line, "  hint:", 7) != 0)
			words = line;
	if (words)
		text_append(ret, words);
	else
		process_explain(status, ret);
}

void telling_batch(void *context, size_t epoch, double share, double ratings) {
	struct telling *t = context;
	double now = train_seconds();
	(void)ratings;
	if (now - t->said < TELL_EVERY)
		return;
	t->said = now;
	printf("progress %zu %zu %.3f\n", epoch, t->epochs, share);
	fflush(stdout);
}
