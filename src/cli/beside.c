// See beside.h.
#include "cli/beside.h"

#include "cli/runner.h"
#include "cli/workers.h"
#include "data/split.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

// One run: a file, and the overrides that single it out.
struct task {
	size_t file;
	const char *label;
	const char **arguments; // NULL-ended
};
struct tasks {
	struct arena arena;
	const struct options *options;
	struct workers workers;
	struct task *items; // (count)
	size_t count, room, next, failed, ended;
	int *codes; // (files)
};

static void add_task(struct tasks *t, size_t file, const char *label, const char *const more[], size_t more_count) {
	const struct options *o = t->options;
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 16;
		t->items = memory_resize(t->items, t->room * sizeof(*t->items));
	}
	const char **arguments = arena_alloc(&t->arena, (2 * (o->overrides_count + more_count) + 6) * sizeof(*arguments));
	size_t used = 0;
	arguments[used++] = "run";
	arguments[used++] = o->arguments[file];
	arguments[used++] = "-o";
	arguments[used++] = o->results;
	for (size_t i = 0; i < o->overrides_count + more_count; i++) {
		arguments[used++] = "-s";
		arguments[used++] = i < o->overrides_count ? o->overrides[i] : more[i - o->overrides_count];
	}
	if (o->force)
		arguments[used++] = "--force";
	t->items[t->count++] = (struct task){file, label, arguments};
}

// The same overrides that a run of several has in one process.
static void add_part(struct tasks *t, size_t file, const struct experiment *e, size_t repeat, size_t fold) {
	uint64_t seed = e->seed + repeat;
	const char *const more[] = {"repeats=1", arena_format(&t->arena, "seed=%" PRIu64, seed),
	                            arena_format(&t->arena, "data.split.fold=%zu", fold)};
	const char *label = arena_format(&t->arena, "%s seed %" PRIu64, e->name, seed);
	if (fold)
		label = arena_format(&t->arena, "%s fold %zu", label, fold);
	add_task(t, file, label, more, fold ? 3 : 2);
}

// A file that cannot be read has no tasks: collecting says why.
static void add_file(struct tasks *t, size_t file) {
	struct experiment e;
	struct errors errors = {0};
	const struct options *o = t->options;
	if (experiment_read(o->arguments[file], o->overrides, o->overrides_count, &e, &errors)) {
		size_t folds = split_folds(e.data->split);
		if (e.repeats == 1 && !folds)
			add_task(t, file, arena_string(&t->arena, e.name), NULL, 0);
		for (size_t r = 0; (e.repeats > 1 || folds) && r < (size_t)e.repeats; r++)
			for (size_t f = 0; f < (folds ? folds : 1); f++)
				add_part(t, file, &e, r, folds ? f + 1 : 0);
	}
	errors_finish(&errors);
	experiment_finish(&e);
}

static bool task_ended(void *context, struct worker *worker, int status, struct error *error) {
	struct tasks *t = context;
	const struct task *task = &t->items[worker->task];
	struct text reason = {0};
	(void)error;
	t->ended++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (!t->codes[task->file])
		t->codes[task->file] = WIFEXITED(status) ? WEXITSTATUS(status) : ERROR_RUN;
	t->failed++;
	workers_clear(&t->workers);
	worker_reason(worker, status, &reason);
	fprintf(stderr, "%s failed: %s\n", worker->label, text_string(&reason));
	text_finish(&reason);
	return true;
}

static void print_total(void *context) {
	const struct tasks *t = context;
	fprintf(stderr, "%zu of %zu runs, %zu failed", t->ended, t->count, t->failed);
}

static bool start_tasks(struct tasks *t, struct error *error) {
	for (struct worker *worker; t->next < t->count && (worker = workers_free(&t->workers)); t->next++) {
		const struct task *task = &t->items[t->next];
		if (!worker_start(&t->workers, worker, t->next, task->label, task->arguments, error))
			return false;
	}
	return true;
}

static bool run_tasks(struct tasks *t, struct error *error) {
	bool good = true, told = false;
	for (;;) {
		if (good && !runner_interrupted())
			good = start_tasks(t, error);
		if (!workers_busy(&t->workers))
			return good;
		if ((!good || runner_interrupted()) && !told) {
			workers_stop(&t->workers);
			told = true;
		}
		good = workers_listen(&t->workers, task_ended, print_total, t, error) && good;
	}
}

int beside_run(const struct options *options, int *ret_codes) {
	struct tasks t = {.options = options, .codes = ret_codes};
	struct error error = {0};
	for (size_t i = 0; i < options->arguments_count; i++) {
		ret_codes[i] = 0;
		add_file(&t, i);
	}
	bool good = workers_create(options, &t.workers, &error) && run_tasks(&t, &error);
	workers_finish(&t.workers);
	free(t.items);
	arena_finish(&t.arena);
	if (!good) {
		print_error(&error);
		return (int)error.code;
	}
	return runner_interrupted() ? ERROR_INTERRUPTED : 0;
}
