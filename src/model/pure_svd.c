// PureSVD (Cremonesi, Koren and Turrin, RecSys 2010): what is missing counts as 0, and a row is projected on the span
// of the largest right singular vectors V of X, the eigenvectors of X^T X: scores x V V^T.
#include "model/gram.h"
#include "model/lapack.h"
#include "model/model.h"

#include <stdlib.h>

struct svd_params {
	int64_t factors;
};

static const struct key svd_keys[] = {
    {.name = "factors",
     .type = KEY_INTEGER,
     .offset = offsetof(struct svd_params, factors),
     .fallback = "50",
     .min = 1,
     .max = 1e6,
     .doc = "Singular vectors that are kept"},
};

static size_t factors_of(const void *params) {
	return (size_t)((const struct svd_params *)params)->factors;
}

static void svd_check(const void *params, const struct matrices *m, struct origin at, struct errors *errors) {
	if (factors_of(params) <= m->items)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, at, "model.factors is %zu, but there are %zu items",
	                                 factors_of(params), m->items);
	error_hint(error, "Keep fewer factors than there are items.");
}

static size_t svd_parameters(const void *params, const struct matrices *m) {
	return m->items * factors_of(params);
}

static double svd_bytes(const void *params, const struct matrices *m) {
	return gram_bytes(m->items) + (double)svd_parameters(params, m) * (2 * sizeof(double) + sizeof(float));
}

static bool svd_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                    struct error *error) {
	size_t n = m->items, factors = factors_of(params);
	double *gram, *vectors = NULL;
	*ret = (struct fitted){.items = n, .columns = factors, .projects = true};
	if (!gram_create(&m->train, pool, &gram, error))
		return false;
	bool good = (vectors = memory_array(n * factors, sizeof(*vectors), "the factors of the items", error)) &&
	            lapack_largest(gram, n, factors, vectors, error) &&
	            (ret->weight = memory_array(n * factors, sizeof(*ret->weight), "the factors of the items", error));
	for (size_t i = 0; good && i < n; i++)
		for (size_t k = 0; k < factors; k++)
			ret->weight[i * factors + k] = (float)vectors[k * n + i];
	free(gram);
	free(vectors);
	fitted_tensor(ret, "item.factors", ret->weight, n, factors);
	return good;
}

static bool svd_restore(const void *params, const struct stored_fit *stored, struct fitted *ret, struct error *error) {
	size_t n = stored->items, factors = factors_of(params);
	*ret = (struct fitted){.items = n, .columns = factors, .projects = true, .borrowed = true};
	ret->weight = (float *)(uintptr_t)stored_fit_tensor(stored, "item.factors", n, factors, error); // only read
	return ret->weight;
}

const struct model model_pure_svd = {
    .row = {.name = "pure_svd",
            .doc = "Projection on the largest singular vectors, missing ratings counting as 0 (Cremonesi et al. 2010)",
            .params = SCHEMA(struct svd_params, svd_keys)},
    .rates = true,
    .check = svd_check,
    .parameters = svd_parameters,
    .bytes = svd_bytes,
    .fit = svd_fit,
    .restore = svd_restore,
};
