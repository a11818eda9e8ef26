// EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019): the item-to-item weights B with a zero
// diagonal that minimise |X - X B|^2 + l2 |B|^2. With P = (X^T X + l2 I)^-1: B_ij = -P_ij / P_jj, B_jj = 0.
#include "model/gram.h"
#include "model/lapack.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>

struct ease_params {
	double l2;
};

static const struct key ease_keys[] = {
    {.name = "l2",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct ease_params, l2),
     .fallback = "500.0",
     .max = 1e12,
     .doc = "Weight of the sum of squared weights"},
};

static size_t ease_parameters(const void *params, const struct matrices *m) {
	(void)params;
	return m->items * m->items;
}

static double ease_bytes(const void *params, const struct matrices *m) {
	(void)params;
	return gram_bytes(m->items) * 1.5;
}

static bool ease_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                     struct error *error) {
	const struct ease_params *ease = params;
	size_t n = m->items;
	double *p;
	*ret = (struct fitted){.items = n, .columns = n};
	if (!gram_create(&m->train, pool, &p, error))
		return false;
	for (size_t i = 0; i < n; i++)
		p[i * n + i] += ease->l2;
	bool good = lapack_invert(p, n, error) &&
	            (ret->weight = memory_array(n * n, sizeof(*ret->weight), "the weights of the items", error));
	for (size_t i = 0; good && i < n; i++)
		for (size_t j = 0; j < n; j++)
			ret->weight[i * n + j] = i == j ? 0 : (float)(-p[i * n + j] / p[j * n + j]);
	free(p);
	fitted_tensor(ret, "item.weight", ret->weight, n, n);
	return good;
}

const struct model model_ease = {
    .row = {.name = "ease",
            .doc = "Item-to-item weights by ridge regression without a diagonal (Steck 2019)",
            .params = SCHEMA(struct ease_params, ease_keys)},
    .rates = true,
    .parameters = ease_parameters,
    .bytes = ease_bytes,
    .fit = ease_fit,
    .restore = stored_fit_square,
};
