// From the path of an experiment file to data and a planned graph.
#include "cli/cli.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int check_files(const struct options *options) {
	struct errors errors = {0};
	for (size_t i = 0; i < options->arguments_count; i++) {
		struct experiment experiment;
		experiment_read(options->arguments[i], options->overrides, options->overrides_count, &experiment, &errors);
		experiment_finish(&experiment);
	}
	int code = print_errors(&errors);
	errors_finish(&errors);
	return code;
}

// What went wrong with a cache is no failure. One that could not be written only costs time.
static void print_note(const struct error *note, const struct options *options) {
	bool damaged = note->code == ERROR_DATA;
	if (note->code != ERROR_NONE && (damaged ? !options->quiet : options->verbose))
		print_error(note);
}

// The data set, from a cache in the results folder (`.cache`, which listings pass over) where there is one.
static bool load_data(struct prepared *p, const struct options *options, const char *cache, struct error *error) {
	p->access = (struct data_access){.pool = options->pool, .cache = options->no_cache ? NULL : cache};
	bool loaded = data_load_with(p->experiment.data, &p->access, &p->dataset, error);
	print_note(&p->access.note, options);
	return loaded;
}

static bool load(struct prepared *p, const struct options *options, const char *cache, struct error *error) {
	double start = train_seconds();
	if (!load_data(p, options, cache, error)) {
		if (p->experiment.data->obtain)
			error_hint(error, "%s", p->experiment.data->obtain);
		return false;
	}
	p->load_seconds = train_seconds() - start;
	start = train_seconds();
	if (!matrices_create(p->experiment.data, &p->dataset, p->experiment.seed, &p->matrices, error))
		return false;
	p->prepare_seconds = train_seconds() - start;
	experiment_id(&p->experiment, p->dataset.fingerprint, p->id);
	return true;
}

// Only once all is known to be good: what is refused leaves nothing behind.
static void keep(struct prepared *p, const struct options *options) {
	double start = train_seconds();
	p->access.note = (struct error){0};
	if (!options->keep_cache || options->no_cache || strcmp(p->access.from, "files") != 0)
		return;
	data_keep(&p->access, &p->dataset);
	p->keep_seconds = train_seconds() - start;
	print_note(&p->access.note, options);
}

int prepare(const char *path, const struct options *options, bool plan, struct prepared *ret) {
	struct errors errors = {0};
	struct error error = {0};
	char *cache = path_join(options->results, ".cache");
	*ret = (struct prepared){0};
	if (experiment_read(path, options->overrides, options->overrides_count, &ret->experiment, &errors)) {
		if (!load(ret, options, cache, &error))
			errors_push(&errors, &error);
		else if (!plan || train_plan(&ret->experiment, &ret->matrices, &ret->graph, &errors))
			keep(ret, options);
	}
	ret->access.cache = NULL; // ends here
	free(cache);
	int code = print_errors(&errors);
	errors_finish(&errors);
	return code;
}

void prepared_finish(struct prepared *p) {
	graph_finish(&p->graph);
	matrices_finish(&p->matrices);
	dataset_finish(&p->dataset);
	experiment_finish(&p->experiment);
}
