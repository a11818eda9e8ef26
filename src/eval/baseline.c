// The trivial yardsticks: global mean, item mean, user + item bias over cells; popularity over rankings.
// The biases are those of Koren, "Factor in the neighbors" (ACM TKDD 4, 2010), section 2.1, fitted by alternating least
// squares with the constants and the order of Surprise's BaselineOnly (items first, 10 epochs; Hug, JOSS 5, 2020).
// Left out on purpose: Surprise clips its predictions to the rating scale; here they are not, like everything else.
#include "eval/baseline.h"

#include "eval/popularity.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const baseline_names[BASELINES] = {
    [BASELINE_GLOBAL_MEAN] = "global_mean",
    [BASELINE_ITEM_MEAN] = "item_mean",
    [BASELINE_USER_ITEM_BIAS] = "user_item_bias",
    [BASELINE_POPULARITY] = "popularity",
};

// Surprise's defaults for `als`.
enum { BIAS_EPOCHS = 10, BIAS_REG_ITEM = 10, BIAS_REG_USER = 15 };

// Users or items.
struct side {
	size_t count;
	bool is_rows; // of the matrices
	double reg;   // how many entries of bias 0 everyone is given beforehand
	size_t *seen; // (count) train entries
	double *bias; // (count)
};

struct fit {
	double mean; // NAN without train entries
	struct side users, items;
	double *item_mean; // (items)
};

static void side_finish(struct side *side) {
	free(side->seen);
	free(side->bias);
}

static void side_count(struct side *side, const struct csr *csr) {
	for (size_t row = 0; row < csr->rows; row++)
		for (size_t i = csr->start[row]; i < csr->start[row + 1]; i++)
			side->seen[side->is_rows ? row : csr->column[i]]++;
}

static bool side_init(struct side *side, const struct csr *csr, bool is_rows, double reg, struct error *error) {
	size_t count = is_rows ? csr->rows : csr->columns;
	*side = (struct side){.count = count, .is_rows = is_rows, .reg = reg};
	side->seen = memory_array(count, sizeof(*side->seen), "the baselines", error);
	side->bias = side->seen ? memory_array(count, sizeof(*side->bias), "the baselines", error) : NULL;
	if (!side->bias)
		return false;
	side_count(side, csr);
	return true;
}

// Everyone's sum of (r - mean - other side's bias) over (reg + entries): the least-squares bias while the other side is
// fixed. `other` NULL counts as zero; no entries, no bias.
static void side_solve(const struct side *side, const struct csr *csr, double mean, const double *other, double reg,
                       double *ret_bias) {
	for (size_t i = 0; i < side->count; i++)
		ret_bias[i] = 0;
	for (size_t row = 0; row < csr->rows; row++)
		for (size_t i = csr->start[row]; i < csr->start[row + 1]; i++) {
			size_t column = csr->column[i];
			size_t own = side->is_rows ? row : column, across = side->is_rows ? column : row;
			ret_bias[own] += (double)csr->value[i] - mean - (other ? other[across] : 0.0);
		}
	for (size_t i = 0; i < side->count; i++)
		if (side->seen[i])
			ret_bias[i] /= reg + (double)side->seen[i];
}

static double mean_value(const struct csr *csr) {
	size_t count = csr_count(csr);
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)csr->value[i];
	return count ? sum / (double)count : NAN;
}

static void fit_item_means(struct fit *fit, const struct csr *train) {
	side_solve(&fit->items, train, 0, NULL, 0, fit->item_mean);
	for (size_t i = 0; i < fit->items.count; i++)
		if (!fit->items.seen[i])
			fit->item_mean[i] = fit->mean;
}

static void fit_biases(struct fit *fit, const struct csr *train) {
	struct side *users = &fit->users, *items = &fit->items;
	for (size_t epoch = 0; epoch < BIAS_EPOCHS; epoch++) {
		side_solve(items, train, fit->mean, users->bias, items->reg, items->bias);
		side_solve(users, train, fit->mean, items->bias, users->reg, users->bias);
	}
}

// Under split `users` those who are asked have no train entry: their bias is what their input asks for, the items'
// stay.
static void fold_in(struct fit *fit, const struct csr *input) {
	struct side *users = &fit->users;
	memset(users->seen, 0, users->count * sizeof(*users->seen));
	side_count(users, input);
	side_solve(users, input, fit->mean, fit->items.bias, users->reg, users->bias);
}

static bool fit_init(struct fit *fit, const struct matrices *matrices, const struct part *part, struct error *error) {
	const struct csr *train = &matrices->train;
	bool items_as_rows = matrices->items_as_rows;
	*fit = (struct fit){.mean = mean_value(train)};
	fit->item_mean = memory_array(matrices->items, sizeof(*fit->item_mean), "the baselines", error);
	if (!fit->item_mean || !side_init(&fit->users, train, !items_as_rows, BIAS_REG_USER, error) ||
	    !side_init(&fit->items, train, items_as_rows, BIAS_REG_ITEM, error))
		return false;
	fit_item_means(fit, train);
	fit_biases(fit, train);
	if (part->input != train)
		fold_in(fit, part->input);
	return true;
}

static void fit_finish(struct fit *fit) {
	side_finish(&fit->users);
	side_finish(&fit->items);
	free(fit->item_mean);
}

static double predict_global_mean(const struct fit *fit, size_t user, size_t item) {
	(void)user, (void)item;
	return fit->mean;
}

static double predict_item_mean(const struct fit *fit, size_t user, size_t item) {
	(void)user;
	return fit->item_mean[item];
}

static double predict_user_item_bias(const struct fit *fit, size_t user, size_t item) {
	return fit->mean + fit->users.bias[user] + fit->items.bias[item];
}

// NULL: it only ranks.
static double (*const predictors[BASELINES])(const struct fit *fit, size_t user, size_t item) = {
    [BASELINE_GLOBAL_MEAN] = predict_global_mean,
    [BASELINE_ITEM_MEAN] = predict_item_mean,
    [BASELINE_USER_ITEM_BIAS] = predict_user_item_bias,
};

static void predict_cells(const struct fit *fit, enum baseline baseline, const struct csr *target,
                          float *ret_prediction) {
	for (size_t row = 0; row < target->rows; row++)
		for (size_t i = target->start[row]; i < target->start[row + 1]; i++) {
			size_t column = target->column[i];
			size_t user = fit->users.is_rows ? row : column, item = fit->users.is_rows ? column : row;
			ret_prediction[i] = (float)predictors[baseline](fit, user, item);
		}
}

static bool evaluate_cells(const struct matrices *matrices, const struct part *part, const struct metric_use *uses,
                           const double *levels, size_t levels_count, struct baselines *ret, struct error *error) {
	struct fit fit;
	struct cells cells = {.count = csr_count(&part->target),
	                      .target = part->target.value,
	                      .liked = part->target.liked,
	                      .levels = levels,
	                      .levels_count = levels_count};
	float *prediction = NULL;
	bool done = fit_init(&fit, matrices, part, error) &&
	            (prediction = memory_array(cells.count, sizeof(*prediction), "the baselines", error));
	cells.prediction = prediction;
	for (enum baseline baseline = 0; done && baseline < BASELINES; baseline++) {
		if (!predictors[baseline])
			continue;
		predict_cells(&fit, baseline, &part->target, prediction);
		for (size_t i = 0; i < ret->uses_count; i++)
			if (uses[i].metric->over_cells)
				ret->value[baseline][i] = uses[i].metric->over_cells(&cells);
	}
	free(prediction);
	fit_finish(&fit);
	return done;
}

static bool evaluate_popularity(const struct matrices *matrices, const struct part *part,
                                const struct part *valid_excluded, const struct metric_use *uses, struct baselines *ret,
                                struct error *error) {
	struct ranking_collector *collector = ranking_collector_create(uses, ret->uses_count, matrices->items);
	bool done = popularity_collect(matrices, part, valid_excluded, collector, error);
	size_t users, skipped;
	if (done)
		ranking_collector_result(collector, ret->value[BASELINE_POPULARITY], &users, &skipped);
	ranking_collector_destroy(collector);
	return done;
}

// Notes what applies, leaves every value undefined, and says which kinds of metric there are at all.
static void baselines_init(struct baselines *baselines, const struct metric_use *uses, size_t uses_count,
                           bool *ret_any_cells, bool *ret_any_ranking) {
	*baselines = (struct baselines){.uses_count = uses_count};
	*ret_any_cells = *ret_any_ranking = false;
	for (size_t i = 0; i < uses_count; i++) {
		bool ranks = uses[i].metric->over_ranking;
		*(ranks ? ret_any_ranking : ret_any_cells) = true;
		for (size_t baseline = 0; baseline < BASELINES; baseline++) {
			baselines->value[baseline][i] = NAN;
			baselines->applies[baseline][i] = ranks == !predictors[baseline];
		}
	}
}

bool baselines_evaluate(const struct matrices *matrices, const struct part *part, const struct part *valid_excluded,
                        const struct metric_use *uses, size_t uses_count, const double *levels, size_t levels_count,
                        struct baselines *ret, struct error *error) {
	bool any_cells, any_ranking;
	assert(uses_count <= METRIC_USES_MAX && part->target.start && part->target.liked);
	baselines_init(ret, uses, uses_count, &any_cells, &any_ranking);
	if (any_cells && !evaluate_cells(matrices, part, uses, levels, levels_count, ret, error))
		return false;
	return !any_ranking || evaluate_popularity(matrices, part, valid_excluded, uses, ret, error);
}
