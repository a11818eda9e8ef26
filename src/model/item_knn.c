// Item k-nearest neighbours (Sarwar et al., WWW 2001; Deshpande and Karypis, ACM TOIS 22, 2004): cosine similarity of
// the items' columns, S_ij = x_i . x_j / (|x_i| |x_j| + shrink), of which each item j keeps its k nearest i, the lower
// index on ties; the score of j is the sum of x_i S_ij over the row's entries.
#include "model/gram.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>

struct knn_params {
	int64_t neighbours;
	double shrink;
	bool normalise;
};

#define KEY(field, kind, ...)                                                                                          \
	{ .name = #field, .type = kind, .offset = offsetof(struct knn_params, field), __VA_ARGS__ }
static const struct key knn_keys[] = {
    KEY(neighbours, KEY_INTEGER, .fallback = "100", .min = 1, .max = 1e9, .doc = "Nearest items that an item keeps"),
    KEY(shrink, KEY_REAL, .fallback = "0.0", .min = 0, .max = 1e12,
        .doc = "Added to the product of norms: similarities from few ratings count less"),
    KEY(normalise, KEY_BOOL, .fallback = "false",
        .doc = "An item's similarities are divided by the sum of their absolute values"),
};
#undef KEY

static size_t knn_parameters(const void *params, const struct matrices *m) {
	size_t k = (size_t)((const struct knn_params *)params)->neighbours, others = m->items ? m->items - 1 : 0;
	return m->items * (k < others ? k : others);
}

static double knn_bytes(const void *params, const struct matrices *m) {
	(void)params;
	return gram_bytes(m->items) * 1.5;
}

struct neighbour {
	double similarity;
	uint32_t item;
};

static int nearest_first(const void *a, const void *b) {
	const struct neighbour *x = a, *y = b;
	if (x->similarity != y->similarity)
		return x->similarity < y->similarity ? 1 : -1;
	return (x->item > y->item) - (x->item < y->item);
}

struct knn {
	const struct knn_params *params;
	const double *gram; // (items, items)
	float *weight;      // (items, items)
	size_t items;
};

static double similarity(const struct knn *knn, size_t i, size_t j) {
	size_t n = knn->items;
	double norms = sqrt(knn->gram[i * n + i]) * sqrt(knn->gram[j * n + j]) + knn->params->shrink;
	return norms > 0 ? knn->gram[j * n + i] / norms : 0;
}

// Fills column j of the weights.
static void keep_nearest(void *context, size_t j) {
	const struct knn *knn = context;
	size_t n = knn->items, count = 0, most = (size_t)knn->params->neighbours;
	struct neighbour *all = memory_alloc((n + 1) * sizeof(*all));
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (i != j)
			all[count++] = (struct neighbour){similarity(knn, i, j), (uint32_t)i};
	qsort(all, count, sizeof(*all), nearest_first);
	count = count < most ? count : most;
	for (size_t k = 0; k < count; k++)
		sum += fabs(all[k].similarity);
	double scale = knn->params->normalise && sum > 0 ? 1 / sum : 1;
	for (size_t k = 0; k < count; k++)
		knn->weight[all[k].item * n + j] = (float)(all[k].similarity * scale);
	free(all);
}

static bool knn_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                    struct error *error) {
	size_t n = m->items;
	double *gram;
	*ret = (struct fitted){.items = n, .columns = n};
	if (!gram_create(&m->train, pool, &gram, error))
		return false;
	ret->weight = memory_array(n * n, sizeof(*ret->weight), "the neighbours of the items", error);
	if (ret->weight)
		pool_run(pool, n, keep_nearest, &(struct knn){params, gram, ret->weight, n});
	free(gram);
	fitted_tensor(ret, "item.weight", ret->weight, n, n);
	return ret->weight;
}

const struct model model_item_knn = {
    .row = {.name = "item_knn",
            .doc = "Sum of cosine similarities to the row's items, of each item's nearest ones",
            .params = SCHEMA(struct knn_params, knn_keys)},
    .parameters = knn_parameters,
    .bytes = knn_bytes,
    .fit = knn_fit,
    .restore = stored_fit_square,
};
