// Functional analysis of variance over a random forest (fANOVA: Hutter, Hoos and Leyton-Brown, ICML 2014): which share
// of the variance of a function over a product space is due to one of its arguments alone, and to two of them together
// beyond what each does. The forest is fitted to the points that are known; the shares of each tree are exact.
// Left out on purpose: interactions of three and more, and cutting the function off (the paper's improvement over a
// bound).
#ifndef AEXP_REPORT_IMPORTANCE_H
#define AEXP_REPORT_IMPORTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An argument's domain is cut into bins, each a share of it. Those of an ordered one are split as ranges, others as
// sets.
enum { IMPORTANCE_BINS = 64, IMPORTANCE_REAL_BINS = 32 };
struct importance_axis {
	bool ordered, absent; // absent: the last bin is of points that have no such argument, and is next to no other
	size_t bins;
	double share[IMPORTANCE_BINS]; // (bins) above 0, sum 1
};
struct importance_data {
	const struct importance_axis *axes; // (axes_count)
	size_t axes_count;
	const uint8_t *bin;  // (count, axes_count)
	const double *value; // (count) finite
	size_t count;
};
// Bins for numbers in [0, 1], as many as there are different ones, at most IMPORTANCE_REAL_BINS: of equal numbers of
// points, with borders half way between neighbours. NAN: absent. Writes bin[i * stride].
void importance_bins(const double *x, size_t count, struct importance_axis *ret_axis, uint8_t *bin, size_t stride);

struct importance_share {
	size_t first, second;    // axes; the same one twice: it alone
	double share, deviation; // mean over the trees, and standard deviation
};
// All axes alone, then the pairs of the (at most) IMPORTANCE_PAIRED axes with the largest shares; each group by share.
// The same points give the same bits. free(*ret); 0 where the values do not differ.
enum { IMPORTANCE_TREES = 64, IMPORTANCE_PAIRED = 10 };
size_t importance_shares(const struct importance_data *data, struct importance_share **ret);

#endif
