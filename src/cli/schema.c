// aexp schema: every key of an experiment file, and the rows of each registry.
#include "cli/cli.h"

#include "base/nearest.h"
#include "model/model.h"
#include "nn/config.h"
#include "nn/prior.h"
#include "report/figure.h"
#include "search/halving.h"
#include "search/strategy.h"
#include "sweep/launch.h"
#include "tensor/backend.h"

#include <stdio.h>
#include <string.h>

static const struct registry *const registries[] = {
    &op_registry,       &loss_registry,    &model_registry,      &optimizer_registry,   &metric_registry,
    &format_registry,   &split_registry,   &activation_registry, &initializer_registry, &backend_registry,
    &schedule_registry, &targets_registry, &reduction_registry,  &prior_registry,       &strategy_registry,
    &halving_registry,  &scale_registry,   &launcher_registry,   &figure_registry,
};
// The one word that is no registry: the keys that every figure file has.
#define FIGURE_FILES "figure-files"
enum { REGISTRIES = sizeof(registries) / sizeof(registries[0]) };

static int unknown(const char *word) {
	struct nearest nearest = {.word = word};
	fprintf(stderr, "aexp: unknown registry \"%s\"\n  hint: ", word);
	for (size_t i = 0; i < REGISTRIES; i++)
		nearest_offer(&nearest, registries[i]->plural);
	nearest_offer(&nearest, FIGURE_FILES);
	if (nearest.best) {
		fprintf(stderr, "Did you mean \"%s\"?\n", nearest.best);
		return ERROR_CONFIG;
	}
	fprintf(stderr, "They are");
	for (size_t i = 0; i < REGISTRIES; i++)
		fprintf(stderr, "%s %s", i ? "," : "", registries[i]->plural);
	fprintf(stderr, ".\n");
	return ERROR_CONFIG;
}

static int run(const struct options *options) {
	struct text text = {0};
	const struct registry *registry = NULL;
	if (options->arguments_count && !strcmp(options->arguments[0], FIGURE_FILES)) {
		schema_print(&figure_schema, "", options->markdown, &text);
	} else if (options->arguments_count) {
		for (size_t i = 0; i < REGISTRIES; i++)
			if (!strcmp(registries[i]->plural, options->arguments[0]))
				registry = registries[i];
		if (!registry)
			return unknown(options->arguments[0]);
		schema_print_registry(registry, options->markdown, &text);
	} else {
		schema_print(&experiment_schema, "", options->markdown, &text);
	}
	fputs(text_string(&text), stdout);
	text_finish(&text);
	return 0;
}

const struct verb verb_schema = {
    .name = "schema",
    .usage = "schema [WORD]",
    .doc = "lists every key of an experiment file, or the rows of one registry",
    .help = "WORD: ops, losses, models, optimizers, metrics, formats, splits, activations, initializers, backends,\n"
            "schedules, targets, reductions, priors, strategies, early-stops, scales, launchers, figures;\n"
            "or figure-files: every key of a figure file.\n",
    .takes = TAKES(markdown),
    .arguments_max = 1,
    .run = run,
};
