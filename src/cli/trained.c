// See trained.h.
#include "cli/trained.h"

#include "base/file.h"
#include "base/nearest.h"
#include "report/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "model.safetensors"

int fail_with(const struct aexp_error *error) {
	struct error shown;
	private_error(error, &shown);
	print_error(&shown);
	return (int)error->code;
}

static bool holds(const char *folder, const char *name) {
	char *path = path_join(folder, name);
	bool there = file_exists(path) && !file_is_folder(path);
	free(path);
	return there;
}

static bool find_model(const char *run, const char *results, struct trained *t, struct error *error) {
	if (file_exists(run) && !file_is_folder(run)) {
		t->path = memory_copy_string(run);
		t->folder = path_folder(run);
	} else {
		if (file_is_folder(run) && holds(run, MODEL))
			t->folder = memory_copy_string(run);
		else if (!runs_resolve(results, run, &t->folder, error))
			return false;
		t->path = path_join(t->folder, MODEL);
	}
	if (!file_exists(t->path)) {
		error_set(error, ERROR_CONFIG, "%s holds no " MODEL, t->folder);
		error_hint(error, "%s",
		           holds(t->folder, "summary.json") ? "It sums up several runs: name one of them."
		                                            : "The run is not finished: run it first.");
		return false;
	}
	if (!holds(t->folder, "experiment.cfg")) {
		free(t->folder);
		t->folder = NULL;
	}
	return true;
}

bool trained_path(const char *run, const char *results, char **ret_path, struct error *error) {
	struct trained found = {0};
	bool good = find_model(run, results, &found, error);
	char *whole = good ? realpath(found.path, NULL) : NULL;
	if (good && !whole)
		good = error_set(error, ERROR_CONFIG, "\"%s\" cannot be reached", found.path);
	*ret_path = whole;
	trained_close(&found);
	return good;
}

int trained_find(const char *run, const struct options *options, struct trained *ret) {
	struct error error = {0};
	*ret = (struct trained){0};
	if (find_model(run, options->results, ret, &error))
		return 0;
	print_error(&error);
	return (int)error.code;
}

// By its name; NULL stays NULL.
static int find_backend(const char *name, const struct backend **ret) {
	struct nearest nearest = {.word = name};
	for (size_t i = 0; name && i < backend_registry.count; i++) {
		nearest_offer(&nearest, backend_registry.rows[i]->name);
		if (!strcmp(name, backend_registry.rows[i]->name))
			*ret = (const struct backend *)backend_registry.rows[i];
	}
	if (!name || *ret)
		return 0;
	fprintf(stderr, "aexp: there is no backend \"%s\"\n", name);
	if (nearest.best)
		fprintf(stderr, "  hint: Did you mean \"%s\"?\n", nearest.best);
	return ERROR_CONFIG;
}

int trained_open(const char *run, const struct options *options, struct trained *ret) {
	struct error error = {0};
	const struct backend *backend = NULL;
	int code = find_backend(options->backend, &backend);
	if (code == 0)
		code = trained_find(run, options, ret);
	if (code || model_open_on(ret->path, options->pool, backend, &ret->model, &error))
		return code;
	print_error(&error);
	return (int)error.code;
}

void trained_close(struct trained *t) {
	aexp_close(t->model);
	free(t->path);
	free(t->folder);
	*t = (struct trained){0};
}

static void note(void *context, const char *user, const char *text) {
	(void)context;
	fprintf(stderr, "aexp: user \"%s\": %s\n", user, text);
}

struct aexp_how how_of(const struct options *options) {
	return (struct aexp_how){.top = options->top,
	                         .reasons = options->explain ? ANSWER_REASONS : 0,
	                         .include_rated = options->include_rated,
	                         .strict = options->strict,
	                         .note = options->quiet ? NULL : note};
}

enum answer_form form_of(const struct options *options) {
	return options->json ? ANSWER_JSON : options->csv ? ANSWER_CSV : ANSWER_TEXT;
}

void print_text(struct text *text) {
	fwrite(text_string(text), 1, text->length, stdout);
	text_finish(text);
	*text = (struct text){0};
}
