// From the path of an experiment file to data and a planned graph.
#include "cli/cli.h"

#include "base/file.h"
#include "base/space.h"
#include "cli/continued.h"
#include "recommend/import.h"
#include "train/needs.h"

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

// The file of weights, whose hash the ID is made with; where that is known and nothing is planned, it is not needed.
static bool open_weights(struct prepared *p, bool plan, struct error *error) {
	struct weights_config *config = p->experiment.weights;
	if (!config || (config->hash && !plan))
		return true;
	return import_open(config, value_origin(p->experiment.tree, "weights"), &p->experiment.arena, &p->weights, error);
}

static bool plan_graph(struct prepared *p, struct errors *errors) {
	struct error error = {0};
	if (!train_plan(&p->experiment, &p->matrices, &p->graph, errors))
		return false;
	if (!p->experiment.weights)
		return true;
	if (!continued_fits(p, &error)) {
		errors_push(errors, &error);
		return false;
	}
	return import_weights(&p->weights, value_origin(p->experiment.tree, "weights"), &p->graph, errors);
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

// A cache only costs time where it is missing: it takes no room that the run itself needs.
static bool cache_fits(const struct prepared *p, const struct options *options) {
	struct train_needs needs;
	struct space_disk disk;
	train_measure(&p->experiment, &p->matrices, &p->graph, pool_threads(options->pool), SIZE_MAX, &needs);
	return !space_disk(options->results, &disk) || needs.cache + needs.disk <= disk.bytes;
}

// Only once all is known to be good: what is refused leaves nothing behind.
static void keep(struct prepared *p, const struct options *options, bool planned) {
	double start = train_seconds();
	p->access.note = (struct error){0};
	if (!options->keep_cache || options->no_cache || strcmp(p->access.from, "files") != 0 ||
	    (planned && !cache_fits(p, options)))
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
		if (!open_weights(ret, plan, &error) || !load(ret, options, cache, &error))
			errors_push(&errors, &error);
		else if (!plan || plan_graph(ret, &errors))
			keep(ret, options, plan);
	}
	ret->access.cache = NULL; // ends here
	free(cache);
	int code = print_errors(&errors);
	errors_finish(&errors);
	return code;
}

// What the data depends on.
static void write_data(const struct experiment *e, struct text *text) {
	schema_write(&data_schema, e->data, false, text);
	text_format(text, "seed %llu\n", (unsigned long long)e->seed);
}

static bool same_data(const struct experiment *a, const struct experiment *b) {
	struct text texts[2] = {{0}, {0}};
	write_data(a, &texts[0]);
	write_data(b, &texts[1]);
	bool same = !strcmp(text_string(&texts[0]), text_string(&texts[1]));
	text_finish(&texts[0]);
	text_finish(&texts[1]);
	return same;
}

bool prepare_again(const char *path, const struct options *options, struct prepared *p, struct errors *errors) {
	struct experiment next;
	struct error error = {0};
	if (!experiment_read(path, options->overrides, options->overrides_count, &next, errors)) {
		experiment_finish(&next);
		return false;
	}
	bool kept = p->matrices.dataset && same_data(&p->experiment, &next), good = true;
	graph_finish(&p->graph);
	p->graph = (struct graph){0};
	if (!kept) {
		prepared_finish(p);
		*p = (struct prepared){0};
	} else {
		experiment_finish(&p->experiment);
	}
	p->experiment = next;
	stored_close(&p->weights);
	good = open_weights(p, true, &error);
	if (good && !kept) {
		char *cache = path_join(options->results, ".cache");
		good = load(p, options, cache, &error);
		p->access.cache = NULL; // ends here
		free(cache);
	}
	if (!good) {
		errors_push(errors, &error);
		matrices_finish(&p->matrices);
		p->matrices = (struct matrices){0};
		return false;
	}
	experiment_id(&p->experiment, p->dataset.fingerprint, p->id);
	return plan_graph(p, errors);
}

void prepared_finish(struct prepared *p) {
	graph_finish(&p->graph);
	stored_close(&p->weights);
	matrices_finish(&p->matrices);
	dataset_finish(&p->dataset);
	experiment_finish(&p->experiment);
}
