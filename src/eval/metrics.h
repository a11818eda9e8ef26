// The list of all metrics. One list makes the declarations here and the registry's rows in metric.c: a new metric is
// its definition (`const struct metric metric_NAME`) and one line here.
#ifndef AEXP_EVAL_METRICS_H
#define AEXP_EVAL_METRICS_H

#include "eval/metric.h"

#define METRIC_LIST(X)                                                                                                 \
	X(mse)                                                                                                             \
	X(rmse)                                                                                                            \
	X(mae)                                                                                                             \
	X(accuracy)                                                                                                        \
	X(auc)                                                                                                             \
	X(ndcg)                                                                                                            \
	X(recall)                                                                                                          \
	X(precision)                                                                                                       \
	X(map)                                                                                                             \
	X(mrr)                                                                                                             \
	X(hit)                                                                                                             \
	X(recall_capped)                                                                                                   \
	X(user_auc)                                                                                                        \
	X(novelty)                                                                                                         \
	X(coverage)                                                                                                        \
	X(gini)

#define METRIC_DECLARE(name) extern const struct metric metric_##name;
METRIC_LIST(METRIC_DECLARE)
#undef METRIC_DECLARE

#endif
