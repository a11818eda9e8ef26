// What the distribution of a latent layer is held against: the rows of a `gaussian` node's `prior`.
#ifndef AEXP_NN_PRIOR_H
#define AEXP_NN_PRIOR_H

#include "config/schema.h"
#include "tensor/gaussian.h"

struct prior_config {
	struct choice kind; // row is a struct prior
};
struct prior {
	struct row row;
	// NULL: the standard normal
	void (*mixture)(const void *params, struct mixture *ret);
	const char *(*wrong)(const void *params); // what of its keys does not fit, or NULL; NULL: nothing can
};
extern const struct schema prior_schema;
extern const struct registry prior_registry;

#endif
