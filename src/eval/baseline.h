// The trivial yardsticks that stand beside every result: global mean, item mean, user + item bias, popularity.
// All are fitted on the train entries (and, under split `users`, see the held-out user's input entries).
#ifndef AEXP_EVAL_BASELINE_H
#define AEXP_EVAL_BASELINE_H

#include "data/data.h"
#include "eval/adjust.h"
#include "eval/metric.h"

enum baseline { BASELINE_GLOBAL_MEAN, BASELINE_ITEM_MEAN, BASELINE_USER_ITEM_BIAS, BASELINE_POPULARITY, BASELINES };
extern const char *const baseline_names[BASELINES]; // "global_mean", ...

enum { METRIC_USES_MAX = 32 };
struct baselines {
	double value[BASELINES][METRIC_USES_MAX]; // [baseline][metric use]; NAN where undefined
	bool applies[BASELINES][METRIC_USES_MAX]; // cell metrics to the first three, ranking metrics to popularity
	size_t uses_count;
};

// What is fitted on the train entries alone, once for all parts.
struct baseline_fit;
// Keeps the pointers: matrices, uses and the pool (may be NULL) must outlive it. ERROR_RUN when memory is out.
bool baseline_fit_create(const struct matrices *matrices, const struct metric_use *uses, size_t uses_count,
                         struct pool *pool, struct baseline_fit **ret, struct error *error);
void baseline_fit_destroy(struct baseline_fit *fit); // NULL is fine

// Evaluates all of them on one part, whose target exists. valid_excluded (may be NULL) holds the part whose targets are
// no candidates (the validation part, at test). Predictions are adjusted as a model's are. Definitions and sources:
// docs/metrics.md. ERROR_RUN when memory is out; *ret then holds nothing of use.
bool baselines_evaluate(const struct baseline_fit *fit, const struct part *part, const struct part *valid_excluded,
                        const struct adjust *adjust, const double *levels, size_t levels_count, struct baselines *ret,
                        struct error *error);

#endif
