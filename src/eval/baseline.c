// The trivial yardsticks: global mean, item mean, user + item bias over cells; popularity over rankings.
// The biases are those of Koren, "Factor in the neighbors" (ACM TKDD 4, 2010), section 2.1, fitted by alternating least
// squares with the constants and the order of Surprise's BaselineOnly (items first, 10 epochs; Hug, JOSS 5, 2020).
// Left out on purpose: Surprise clips its predictions to the rating scale; here they are not, like everything else.
#include "eval/baseline.h"

#include "base/memory.h"
#include "eval/bias.h"
#include "eval/popularity.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

const char *const baseline_names[BASELINES] = {
    [BASELINE_GLOBAL_MEAN] = "global_mean",
    [BASELINE_ITEM_MEAN] = "item_mean",
    [BASELINE_USER_ITEM_BIAS] = "user_item_bias",
    [BASELINE_POPULARITY] = "popularity",
};

// Surprise's defaults for `als`.
enum { BIAS_EPOCHS = 10, BIAS_REG_ITEM = 10, BIAS_REG_USER = 15 };

struct baseline_fit {
	const struct matrices *matrices;
	const struct metric_use *uses;
	size_t uses_count;
	struct pool *pool;
	bool any_cells, any_ranking;   // kinds of metric that are asked for; without cells nothing below is filled
	double mean;                   // NAN without train entries
	double *item_mean;             // (items)
	double *user_bias, *item_bias; // (users), (items)
};

// --- fitting ---

static void fit_item_means(struct baseline_fit *fit, const struct csr *by_item) {
	bias_solve(fit->pool, (struct bias_side){by_item, 0, 0, NULL, fit->item_mean});
	for (size_t i = 0; i < by_item->rows; i++)
		if (by_item->start[i + 1] == by_item->start[i])
			fit->item_mean[i] = fit->mean;
}

static void fit_biases(struct baseline_fit *fit, const struct csr *by_user, const struct csr *by_item) {
	struct bias_side items = {by_item, fit->mean, BIAS_REG_ITEM, fit->user_bias, fit->item_bias};
	struct bias_side users = {by_user, fit->mean, BIAS_REG_USER, fit->item_bias, fit->user_bias};
	bias_alternate(fit->pool, items, users, BIAS_EPOCHS);
}

static bool fit_all(struct baseline_fit *fit, struct error *error) {
	const struct matrices *m = fit->matrices;
	const struct csr *train = &m->train;
	struct csr other = {0}; // train by the other side
	fit->mean = bias_mean(train);
	fit->item_mean = memory_array(m->items, sizeof(*fit->item_mean), "the baselines", error);
	fit->item_bias = fit->item_mean ? memory_array(m->items, sizeof(double), "the baselines", error) : NULL;
	fit->user_bias = fit->item_bias ? memory_array(m->users, sizeof(double), "the baselines", error) : NULL;
	if (!fit->user_bias || !csr_transpose(train, &other, error))
		return false;
	const struct csr *by_user = m->items_as_rows ? &other : train, *by_item = m->items_as_rows ? train : &other;
	fit_item_means(fit, by_item);
	fit_biases(fit, by_user, by_item);
	csr_finish(&other);
	return true;
}

// Under split `users` those who are asked have no train entry: their bias is what their input asks for, the items'
// stay. NULL when memory is out.
static double *fold_in(const struct baseline_fit *fit, const struct csr *input, struct error *error) {
	struct csr other = {0};
	bool transposed = fit->matrices->items_as_rows;
	double *bias = memory_array(fit->matrices->users, sizeof(*bias), "the baselines", error);
	if (!bias || (transposed && !csr_transpose(input, &other, error))) {
		free(bias);
		return NULL;
	}
	bias_solve(fit->pool,
	           (struct bias_side){transposed ? &other : input, fit->mean, BIAS_REG_USER, fit->item_bias, bias});
	csr_finish(&other);
	return bias;
}

bool baseline_fit_create(const struct matrices *matrices, const struct metric_use *uses, size_t uses_count,
                         struct pool *pool, struct baseline_fit **ret, struct error *error) {
	assert(uses_count <= METRIC_USES_MAX);
	struct baseline_fit *fit = memory_alloc(sizeof(*fit));
	*fit = (struct baseline_fit){.matrices = matrices, .uses = uses, .uses_count = uses_count, .pool = pool};
	for (size_t i = 0; i < uses_count; i++)
		*(metric_ranks(uses[i].metric) ? &fit->any_ranking : &fit->any_cells) = true;
	if (fit->any_cells && !fit_all(fit, error)) {
		baseline_fit_destroy(fit);
		return false;
	}
	*ret = fit;
	return true;
}

void baseline_fit_destroy(struct baseline_fit *fit) {
	if (!fit)
		return;
	free(fit->item_mean);
	free(fit->user_bias);
	free(fit->item_bias);
	free(fit);
}

// --- predictions ---

struct predict {
	const struct baseline_fit *fit;
	const double *user_bias; // (users) of the part
	const struct adjust *adjust;
	const struct csr *input, *target;
	double (*predictor)(const struct predict *predict, size_t user, size_t item);
	float *prediction; // (count of target)
};

static double predict_global_mean(const struct predict *predict, size_t user, size_t item) {
	(void)user, (void)item;
	return predict->fit->mean;
}

static double predict_item_mean(const struct predict *predict, size_t user, size_t item) {
	(void)user;
	return predict->fit->item_mean[item];
}

static double predict_user_item_bias(const struct predict *predict, size_t user, size_t item) {
	return predict->fit->mean + predict->user_bias[user] + predict->fit->item_bias[item];
}

// NULL: it only ranks.
static double (*const predictors[BASELINES])(const struct predict *predict, size_t user, size_t item) = {
    [BASELINE_GLOBAL_MEAN] = predict_global_mean,
    [BASELINE_ITEM_MEAN] = predict_item_mean,
    [BASELINE_USER_ITEM_BIAS] = predict_user_item_bias,
};

static void predict_cells(const struct predict *predict) {
	const struct csr *target = predict->target;
	bool items_as_rows = predict->fit->matrices->items_as_rows;
	for (size_t row = 0; row < target->rows; row++)
		for (size_t i = target->start[row]; i < target->start[row + 1]; i++) {
			size_t column = target->column[i];
			size_t user = items_as_rows ? column : row, item = items_as_rows ? row : column;
			predict->prediction[i] = (float)predict->predictor(predict, user, item);
		}
}

static void evaluate_cells(struct predict *predict, struct cells *cells, struct baselines *ret) {
	const struct baseline_fit *fit = predict->fit;
	for (enum baseline baseline = 0; baseline < BASELINES; baseline++) {
		if (!predictors[baseline])
			continue;
		predict->predictor = predictors[baseline];
		predict_cells(predict);
		adjust_predictions(predict->adjust, predict->input, predict->target, predict->prediction);
		for (size_t i = 0; i < fit->uses_count; i++)
			if (fit->uses[i].metric->over_cells)
				ret->value[baseline][i] = fit->uses[i].metric->over_cells(cells);
	}
}

static bool evaluate_predictions(const struct baseline_fit *fit, const struct part *part, const struct adjust *adjust,
                                 const double *levels, size_t levels_count, struct baselines *ret,
                                 struct error *error) {
	bool train_alone = part->input == &fit->matrices->train;
	double *folded = train_alone ? NULL : fold_in(fit, part->input, error);
	float *prediction = train_alone || folded
	                        ? memory_array(csr_count(&part->target), sizeof(*prediction), "the baselines", error)
	                        : NULL;
	float *value = NULL;
	bool good = prediction && adjust_targets(adjust, &part->target, &value, error);
	struct predict predict = {.fit = fit,
	                          .user_bias = folded ? folded : fit->user_bias,
	                          .adjust = adjust,
	                          .input = part->input,
	                          .target = &part->target,
	                          .prediction = prediction};
	struct cells cells = {.count = csr_count(&part->target),
	                      .prediction = prediction,
	                      .target = value ? value : part->target.value,
	                      .liked = part->target.liked,
	                      .levels = levels,
	                      .levels_count = levels_count,
	                      .pool = fit->pool};
	if (good)
		evaluate_cells(&predict, &cells, ret);
	free(value);
	free(prediction);
	free(folded);
	return good;
}

static bool evaluate_popularity(const struct baseline_fit *fit, const struct part *part,
                                const struct part *valid_excluded, struct baselines *ret, struct error *error) {
	struct ranking_collector *collector;
	size_t users, skipped;
	bool wants = metric_uses_want_surprise(fit->uses, fit->uses_count);
	double *surprise = wants ? surprise_create(fit->matrices, error) : NULL;
	if (wants && !surprise)
		return false;
	bool done =
	    ranking_collector_create(fit->uses, fit->uses_count, fit->matrices->items, fit->pool, &collector, error);
	if (done) {
		ranking_collector_surprise(collector, surprise);
		done = popularity_collect(fit->matrices, part, valid_excluded, collector, error);
		if (done)
			ranking_collector_result(collector, ret->value[BASELINE_POPULARITY], &users, &skipped);
		ranking_collector_destroy(collector);
	}
	free(surprise);
	return done;
}

// Notes what applies, and leaves every value undefined.
static void baselines_init(struct baselines *baselines, const struct baseline_fit *fit) {
	*baselines = (struct baselines){.uses_count = fit->uses_count};
	for (size_t i = 0; i < fit->uses_count; i++) {
		bool ranks = metric_ranks(fit->uses[i].metric);
		for (size_t baseline = 0; baseline < BASELINES; baseline++) {
			baselines->value[baseline][i] = NAN;
			baselines->applies[baseline][i] = ranks == !predictors[baseline];
		}
	}
}

bool baselines_evaluate(const struct baseline_fit *fit, const struct part *part, const struct part *valid_excluded,
                        const struct adjust *adjust, const double *levels, size_t levels_count, struct baselines *ret,
                        struct error *error) {
	assert(part->target.start && part->target.liked);
	baselines_init(ret, fit);
	if (fit->any_cells && !evaluate_predictions(fit, part, adjust, levels, levels_count, ret, error))
		return false;
	return !fit->any_ranking || evaluate_popularity(fit, part, valid_excluded, ret, error);
}
