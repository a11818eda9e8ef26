// See prior.h.
#include "nn/prior.h"

#include <math.h>

static const struct prior standard = {
    .row = {.name = "standard",
            .doc = "The standard normal, the divergence in closed form (Kingma and Welling 2014)",
            .params = SCHEMA_NONE},
};

struct composite_params {
	struct reals weights;
	double wide;
};
static const struct key composite_keys[] = {
    {.name = "weights",
     .type = KEY_REALS,
     .offset = offsetof(struct composite_params, weights),
     .fallback = "[ 0.15, 0.75, 0.1 ]",
     .min = 0,
     .max = 1,
     .doc = "Shares of the standard normal, of what the encoder gave when it was last renewed, and of a wide normal"},
    {.name = "wide",
     .type = KEY_REAL,
     .offset = offsetof(struct composite_params, wide),
     .fallback = "10.0",
     .min = -80,
     .max = 80,
     .doc = "Log variance of the wide normal"},
};

static const char *composite_wrong(const void *params) {
	const struct reals *weights = &((const struct composite_params *)params)->weights;
	double sum = 0;
	for (size_t i = 0; i < weights->count; i++)
		sum += weights->items[i];
	if (weights->count == MIXTURE && fabs(sum - 1) < 1e-6)
		return NULL;
	return "weights are three numbers that make 1";
}

static void composite_mixture(const void *params, struct mixture *ret) {
	const struct composite_params *p = params;
	for (size_t i = 0; i < MIXTURE; i++)
		ret->log_weight[i] = (real)log(p->weights.items[i]);
	ret->wide = (real)p->wide;
}

static const struct prior composite = {
    .row = {.name = "composite",
            .doc = "A mixture of the standard normal, the encoder's own distribution before it last learnt, and a wide "
                   "normal; the divergence of one draw (Shenbin et al. 2020, RecVAE)",
            .params = SCHEMA(struct composite_params, composite_keys)},
    .mixture = composite_mixture,
    .wrong = composite_wrong,
};
static const struct row *const rows[] = {&standard.row, &composite.row};
const struct registry prior_registry = {"prior", "priors", rows, sizeof(rows) / sizeof(rows[0])};

static const struct key keys[] = {
    {.name = "kind",
     .type = KEY_TAG,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct prior_config, kind),
     .registry = &prior_registry,
     .doc = "The distribution"},
};
const struct schema prior_schema = SCHEMA(struct prior_config, keys);
