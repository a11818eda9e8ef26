// The trivial models: the mean of all ratings, items' means, user and item biases, popularity. The last three are the
// yardsticks of eval/baseline.h with keys; definitions in docs/metrics.md and docs/models.md.
#include "eval/bias.h"
#include "eval/popularity.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>

// A stored copy in single precision, as the n-th of the fitted's own vectors.
static bool store(struct fitted *f, size_t n, const char *name, const double *values, size_t count,
                  struct error *error) {
	float *to = f->vector[n] = memory_array(count, sizeof(*to), "a model", error);
	for (size_t i = 0; to && i < count; i++)
		to[i] = (float)values[i];
	fitted_tensor(f, name, to, count, 0);
	return to;
}

static double vector_bytes(const void *params, const struct matrices *m) {
	(void)params;
	return (double)(m->items + m->users) * (sizeof(double) + sizeof(float));
}

// --- global_mean ---

static size_t one_parameter(const void *params, const struct matrices *m) {
	(void)params, (void)m;
	return 1;
}

static bool some_train(const struct matrices *m, struct error *error) {
	return csr_count(&m->train) > 0 || error_set(error, ERROR_RUN, "there is no train entry to fit a model to");
}

static bool global_mean_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                            struct error *error) {
	(void)params, (void)pool;
	*ret = (struct fitted){.items = m->items};
	if (!some_train(m, error))
		return false;
	ret->base = bias_mean(&m->train);
	return store(ret, 0, "mean", &ret->base, 1, error);
}

static bool global_mean_restore(const void *params, const struct stored_fit *stored, struct fitted *ret,
                                struct error *error) {
	(void)params;
	*ret = (struct fitted){.items = stored->items, .base = stored->base};
	return stored_fit_tensor(stored, "mean", 1, 0, error);
}

const struct model model_global_mean = {
    .row = {.name = "global_mean", .doc = "The mean of all train values, for every cell"},
    .rates = true,
    .parameters = one_parameter,
    .bytes = vector_bytes,
    .fit = global_mean_fit,
    .restore = global_mean_restore,
};

// --- item_mean ---

struct item_mean_params {
	double shrink;
};
static const struct key item_mean_keys[] = {
    {.name = "shrink",
     .type = KEY_REAL,
     .offset = offsetof(struct item_mean_params, shrink),
     .fallback = "0.0",
     .min = 0,
     .max = 1e12,
     .doc = "Entries with the global mean that every item is given beforehand"},
};

static size_t item_parameters(const void *params, const struct matrices *m) {
	(void)params;
	return m->items;
}

static bool item_mean_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                          struct error *error) {
	const struct item_mean_params *keys = params;
	struct csr by_item = {0};
	*ret = (struct fitted){.items = m->items};
	if (!some_train(m, error) || !(ret->item = memory_array(m->items, sizeof(double), "a model", error)) ||
	    !csr_transpose(&m->train, &by_item, error))
		return false;
	double mean = bias_mean(&m->train);
	bias_solve(pool, (struct bias_side){&by_item, mean, keys->shrink, NULL, ret->item});
	for (size_t i = 0; i < m->items; i++)
		ret->item[i] += mean;
	csr_finish(&by_item);
	return store(ret, 0, "item.mean", ret->item, m->items, error);
}

static bool item_mean_restore(const void *params, const struct stored_fit *stored, struct fitted *ret,
                              struct error *error) {
	(void)params;
	return stored_fit_items(stored, "item.mean", ret, error);
}

const struct model model_item_mean = {
    .row = {.name = "item_mean",
            .doc = "The item's mean of train values, drawn to the mean of all; that alone where there are none",
            .params = SCHEMA(struct item_mean_params, item_mean_keys)},
    .rates = true,
    .parameters = item_parameters,
    .bytes = vector_bytes,
    .fit = item_mean_fit,
    .restore = item_mean_restore,
};

// --- user_item_bias ---

struct bias_params {
	double reg_item, reg_user;
	int64_t epochs;
};
#define KEY(field, kind, ...)                                                                                          \
	{ .name = #field, .type = kind, .offset = offsetof(struct bias_params, field), __VA_ARGS__ }
static const struct key bias_keys[] = {
    KEY(reg_item, KEY_REAL, .fallback = "10.0", .min = 0, .max = 1e12,
        .doc = "Entries of bias 0 that every item is given beforehand"),
    KEY(reg_user, KEY_REAL, .fallback = "15.0", .min = 0, .max = 1e12, .doc = "The same of users"),
    KEY(epochs, KEY_INTEGER, .fallback = "10", .min = 1, .max = 1e6,
        .doc = "Times that all items' biases, then all users', are solved for"),
};
#undef KEY

static size_t bias_parameters(const void *params, const struct matrices *m) {
	(void)params;
	return m->users + m->items + 1;
}

static bool bias_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                     struct error *error) {
	const struct bias_params *keys = params;
	struct csr by_item = {0};
	*ret = (struct fitted){.items = m->items, .fits_rows = true, .reg_user = keys->reg_user};
	ret->item = memory_array(m->items, sizeof(double), "a model", error);
	double *user = ret->item ? memory_array(m->users, sizeof(*user), "a model", error) : NULL;
	bool good = user && some_train(m, error) && csr_transpose(&m->train, &by_item, error);
	if (good) {
		ret->base = bias_mean(&m->train);
		struct bias_side items = {&by_item, ret->base, keys->reg_item, user, ret->item};
		struct bias_side users = {&m->train, ret->base, keys->reg_user, ret->item, user};
		bias_alternate(pool, items, users, (size_t)keys->epochs);
		good =
		    store(ret, 0, "item.bias", ret->item, m->items, error) && store(ret, 1, "user.bias", user, m->users, error);
	}
	csr_finish(&by_item);
	free(user);
	return good;
}

static bool bias_restore(const void *params, const struct stored_fit *stored, struct fitted *ret, struct error *error) {
	if (!stored_fit_items(stored, "item.bias", ret, error))
		return false;
	ret->fits_rows = true;
	ret->reg_user = ((const struct bias_params *)params)->reg_user;
	return true;
}

const struct model model_user_item_bias = {
    .row = {.name = "user_item_bias",
            .doc = "Mean, user's and item's regularised bias by alternating least squares (Koren 2010)",
            .params = SCHEMA(struct bias_params, bias_keys)},
    .rates = true,
    .parameters = bias_parameters,
    .bytes = vector_bytes,
    .fit = bias_fit,
    .restore = bias_restore,
};

// --- popularity ---

static bool popularity_fit(const void *params, const struct matrices *m, struct pool *pool, struct fitted *ret,
                           struct error *error) {
	(void)params, (void)pool;
	*ret = (struct fitted){.items = m->items};
	uint32_t *times = popularity_counts(m, error);
	ret->item = times ? memory_array(m->items, sizeof(double), "a model", error) : NULL;
	for (size_t i = 0; ret->item && i < m->items; i++)
		ret->item[i] = (double)times[i];
	free(times);
	return ret->item && store(ret, 0, "item.popularity", ret->item, m->items, error);
}

static bool popularity_restore(const void *params, const struct stored_fit *stored, struct fitted *ret,
                               struct error *error) {
	(void)params;
	return stored_fit_items(stored, "item.popularity", ret, error);
}

const struct model model_popularity = {
    .row = {.name = "popularity", .doc = "Items by their number of train entries, the same for everyone"},
    .parameters = item_parameters,
    .bytes = vector_bytes,
    .fit = popularity_fit,
    .restore = popularity_restore,
};
