// Parts of a soft-max over a row, joined: one source for every backend.
#ifndef AEXP_TENSOR_SOFTMAX_H
#define AEXP_TENSOR_SOFTMAX_H

#include "tensor/backend.h"

#include <math.h>

// The loss of a row whose columns' groups have parts `stride` apart, in their order, and what each group's gradient is
// made of. With lse = log sum exp(x) and T = sum t over the row's cells, its loss is sum t (lse - x) = T lse - sum t x,
// whose gradient is T exp(x - lse) - t.
AEXP_INLINE double softmax_join_row(const struct softmax_part *parts, size_t groups, size_t stride, double scale,
                                    struct softmax_factors *ret) {
	double most = -INFINITY, sum = 0, dot = 0, weight = 0;
	for (size_t g = 0; g < groups; g++) {
		most = parts[g * stride].most > most ? parts[g * stride].most : most;
		weight += parts[g * stride].weight;
	}
	for (size_t g = 0; weight > 0 && g < groups; g++) {
		sum += parts[g * stride].sum * exp(parts[g * stride].most - most);
		dot += parts[g * stride].dot;
	}
	for (size_t g = 0; g < groups; g++) {
		double share = weight > 0 ? weight * exp(parts[g * stride].most - most) / sum : 0;
		ret[g * stride].exponential = (real)(scale * share);
		ret[g * stride].target = (real)scale;
	}
	return weight > 0 ? scale * (weight * (most + log(sum)) - dot) : 0;
}

#endif
