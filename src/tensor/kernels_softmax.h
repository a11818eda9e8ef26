// Soft-max over the cells of a row: the loops of kernels.c for the multinomial loss. The exponentials are taken once
// and kept where the gradient will be; what is left to do when the whole row is known is one product.
#ifndef AEXP_TENSOR_KERNELS_SOFTMAX_H
#define AEXP_TENSOR_KERNELS_SOFTMAX_H

#include "tensor/kernels_vector.h"

#include <string.h>

// Of a chunk, halves onto halves.
static inline real largest_of(real *v) {
	for (size_t width = CHUNK / 2; width; width /= 2)
		for (size_t j = 0; j < width; j++)
			v[j] = v[j + width] > v[j] ? v[j + width] : v[j];
	return v[0];
}
static inline real total_of(real *v) {
	for (size_t width = CHUNK / 2; width; width /= 2)
		for (size_t j = 0; j < width; j++)
			v[j] += v[j + width];
	return v[0];
}

static real largest(const real *restrict x, size_t n) {
	real most[CHUNK];
	for (size_t j = 0; j < CHUNK; j++)
		most[j] = -INFINITY;
	EACH_CHUNK(n, first, count) {
		for (size_t j = 0; j < count; j++)
			most[j] = x[first + j] > most[j] ? x[first + j] : most[j];
	}
	return largest_of(most);
}

// kept = exp(x - most); returns their sum.
static real exponentials(const real *restrict x, size_t n, real most, real *restrict kept) {
	real sum[CHUNK] = {0};
	EACH_CHUNK(n, first, count) {
		for (size_t j = 0; j < count; j++) {
			real e = real_exp(x[first + j] - most);
			kept[first + j] = e;
			sum[j] += e;
		}
	}
	return total_of(sum);
}

// Cells side by side, what their targets are apart.
static struct softmax_part softmax_run(const real *x, size_t n, real *kept) {
	struct softmax_part part = {.most = -INFINITY};
	if (!n)
		return part;
	real most = largest(x, n);
	part.most = (double)most;
	part.sum = (double)exponentials(x, n, most, kept);
	return part;
}

// Columns [first, first + n) of row i, of which only the stored ones count.
static struct softmax_part softmax_stored(const struct loss_cells *c, size_t i, size_t first, const real *x, size_t n,
                                          real *kept) {
	struct softmax_part part = {.most = -INFINITY};
	memset(kept, 0, n * sizeof(*kept));
	for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++) {
		size_t column = c->target->column[k] - first; // below first it is huge
		if (column < n && (double)x[column] > part.most)
			part.most = (double)x[column];
	}
	for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++) {
		size_t column = c->target->column[k] - first;
		if (column >= n)
			continue;
		kept[column] = real_exp(x[column] - (real)part.most);
		part.sum += (double)kept[column];
	}
	return part;
}

static void softmax_parts(const struct loss_cells *c, bool packed, size_t first, const struct matrix *x,
                          const struct matrix *kept, struct softmax_part *ret) {
	for (size_t i = 0; i < c->target->rows; i++) {
		uint32_t begin = c->target->start[i], end = c->target->start[i + 1];
		const real *row = packed ? x->data : row_of(x, i);
		if (packed)
			ret[i] = softmax_run(row + begin, end - begin, kept->data + begin);
		else if (c->all)
			ret[i] = softmax_run(row, x->columns, row_of(kept, i));
		else
			ret[i] = softmax_stored(c, i, first, row, x->columns, row_of(kept, i));
		for (uint32_t k = begin; k < end; k++) {
			size_t place = packed ? k : c->target->column[k] - first;
			if (!packed && place >= x->columns)
				continue;
			ret[i].dot += (double)c->target->value[k] * (double)row[place];
			ret[i].weight += (double)c->target->value[k];
		}
	}
}

static void softmax_back(const struct loss_cells *c, bool packed, size_t first, const struct softmax_factors *factors,
                         const struct matrix *gradient) {
	for (size_t i = 0; i < c->target->rows; i++) {
		uint32_t begin = c->target->start[i], end = c->target->start[i + 1];
		real *restrict g = packed ? gradient->data + begin : row_of(gradient, i);
		const real exponential = factors[i].exponential;
		for (size_t j = 0; j < (packed ? end - begin : gradient->columns); j++)
			g[j] *= exponential;
		for (uint32_t k = begin; k < end; k++) {
			size_t place = packed ? k - begin : c->target->column[k] - first;
			if (packed || place < gradient->columns)
				g[place] -= factors[i].target * c->target->value[k];
		}
	}
}

#endif
