// From the path of an experiment file to data and a planned graph.
#include "cli/cli.h"

#include <stdio.h>

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

static bool load(struct prepared *p, struct error *error) {
	double start = train_seconds();
	if (!data_load(p->experiment.data, p->experiment.seed, &p->dataset, error))
		return false;
	p->load_seconds = train_seconds() - start;
	start = train_seconds();
	if (!matrices_create(p->experiment.data, &p->dataset, p->experiment.seed, &p->matrices, error))
		return false;
	p->prepare_seconds = train_seconds() - start;
	experiment_id(&p->experiment, p->dataset.fingerprint, p->id);
	return true;
}

int prepare(const char *path, const struct options *options, bool plan, struct prepared *ret) {
	struct errors errors = {0};
	struct error error = {0};
	*ret = (struct prepared){0};
	if (experiment_read(path, options->overrides, options->overrides_count, &ret->experiment, &errors)) {
		if (!load(ret, &error))
			errors_push(&errors, &error);
		else if (plan)
			train_plan(&ret->experiment, &ret->matrices, &ret->graph, &errors);
	}
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
