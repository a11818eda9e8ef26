// Regularised biases of users and items by alternating least squares (Koren, ACM TKDD 4, 2010, section 2.1), shared by
// the yardsticks and the model.
#ifndef AEXP_EVAL_BIAS_H
#define AEXP_EVAL_BIAS_H

#include "data/csr.h"

// One side, users or items, while the other is fixed: rows of that side, bias by column.
struct bias_side {
	const struct csr *rows;
	double mean, reg;    // reg: how many entries of bias 0 everyone is given beforehand
	const double *other; // (columns); NULL: zero
	double *ret_bias;    // (rows)
};

// Everyone's sum of (r - mean - other side's bias) over (reg + entries): the least-squares bias while the other side is
// fixed. No entries, no bias.
void bias_solve(struct pool *pool, struct bias_side side);
// First the items, then the users, so many times. Each side's `other` is the other's ret_bias.
void bias_alternate(struct pool *pool, struct bias_side items, struct bias_side users, size_t epochs);
double bias_mean(const struct csr *csr); // of all values; NAN without any

#endif
