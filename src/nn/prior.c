// See prior.h.
#include "nn/prior.h"

static const struct prior standard = {
    .row = {.name = "standard",
            .doc = "The standard normal, the divergence in closed form (Kingma and Welling 2014)",
            .params = SCHEMA_NONE},
};
static const struct row *const rows[] = {&standard.row};
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
