// Metrics of single users, for paired tests: of their own cells, beside what their rankings gave.
#ifndef AEXP_TRAIN_EVALUATE_USERS_H
#define AEXP_TRAIN_EVALUATE_USERS_H

#include "eval/metric.h"

// The cells of a part as they were measured.
struct user_cells {
	const struct metric_use *uses; // (uses_count)
	size_t uses_count;
	const struct csr *target; // (rows, columns)
	const float *value;       // (count of target) what predictions are compared with
	const float *prediction;  // (count of target); NULL: no cell metric was measured
	bool items_as_rows;       // a row is an item
	const double *levels;     // (levels_count) as in struct cells
	size_t levels_count;
};

// Adds, in the order of the users (`users` in all), everyone who has a ranking or a measured cell. ranked: ascending by
// user, values of rankings by metric use. ERROR_RUN when memory is out.
bool users_measure(const struct user_cells *cells, size_t users, const struct user_values *ranked,
                   struct user_values *ret, struct error *error);

#endif
