// The latent layer: loops over tensor/gaussian.h that the compiler turns into vectors. Included by kernels.c.
#ifndef AEXP_TENSOR_KERNELS_GAUSSIAN_H
#define AEXP_TENSOR_KERNELS_GAUSSIAN_H

#include "tensor/kernels_vector.h"

static void gaussian_row(const struct noise_draw *draw, const struct gaussian_values *g, size_t i) {
	const real *restrict m = row_of(&g->mean, i), *restrict v = row_of(&g->log_variance, i);
	real *restrict noise = row_of(&g->noise, i), *restrict z = row_of(&g->z, i);
	EACH_CHUNK(g->z.columns, first, n) {
		double normal[CHUNK];
		random_normals(draw->stream, draw->epoch, draw->row[i], draw->unit + (uint32_t)first, (uint32_t)n, normal);
		for (size_t j = first; j < first + n; j++) {
			noise[j] = (real)(draw->sd * normal[j - first]);
			z[j] = m[j] + noise[j] * gaussian_deviation(v[j]);
		}
	}
}

static void gaussian(const struct noise_draw *draw, const struct gaussian_values *g) {
	for (size_t i = 0; i < g->z.rows; i++) {
		if (draw) {
			gaussian_row(draw, g, i);
			continue;
		}
		memset(row_of(&g->noise, i), 0, g->z.columns * sizeof(real));
		memcpy(row_of(&g->z, i), row_of(&g->mean, i), g->z.columns * sizeof(real));
	}
}

// Sums of CHUNK columns in single precision, the chunks' in double. A chunk's terms are made first, so that the loop
// over them has no sum in it and becomes vectors.
static double sum_of_terms(const real *term, size_t n) {
	lanes sum = {0};
	size_t j = 0;
	for (; j + LANES <= n; j += LANES)
		sum += load(term + j);
	real rest = sum_of(sum);
	for (; j < n; j++)
		rest += term[j];
	return (double)rest;
}

static double standard_row(const struct gaussian_values *g, size_t i) {
	const real *restrict m = row_of(&g->mean, i), *restrict v = row_of(&g->log_variance, i);
	double sum = 0;
	EACH_CHUNK(g->z.columns, first, n) {
		real term[CHUNK];
		for (size_t j = 0; j < n; j++)
			term[j] = standard_divergence(m[first + j], v[first + j]);
		sum += sum_of_terms(term, n);
	}
	return sum;
}

static double mixture_row(const struct mixture *x, const struct gaussian_values *g, size_t i) {
	const real *restrict v = row_of(&g->log_variance, i), *restrict s = row_of(&g->noise, i);
	const real *restrict z = row_of(&g->z, i), *restrict old_m = row_of(&g->old_mean, i);
	const real *restrict old_v = row_of(&g->old_log_variance, i);
	double sum = 0;
	EACH_CHUNK(g->z.columns, first, n) {
		real term[CHUNK];
		for (size_t j = first; j < first + n; j++)
			term[j - first] = mixture_divergence(x, z[j], v[j], s[j], old_m[j], old_v[j]);
		sum += sum_of_terms(term, n);
	}
	return sum;
}

static void gaussian_divergence(const struct gaussian_prior *prior, const struct gaussian_values *g, double *ret_sum) {
	for (size_t i = 0; i < g->z.rows; i++)
		ret_sum[i] =
		    gaussian_weight(prior, i) * (prior->mixture ? mixture_row(prior->mixture, g, i) : standard_row(g, i));
}

// The slope of what comes down to z, of a chunk: the gradient and what the mixture adds.
static void slope_of_z(const struct gaussian_prior *prior, const struct gaussian_values *g, const struct matrix *dz,
                       size_t i, size_t first, size_t n, real *restrict ret) {
	const real *restrict from = row_of(dz, i) + first;
	memcpy(ret, from, n * sizeof(real));
	if (!prior->mixture)
		return;
	const real weight = (real)gaussian_weight(prior, i), *restrict z = row_of(&g->z, i) + first;
	const real *restrict old_m = row_of(&g->old_mean, i) + first, *restrict old_v =
	                                                                  row_of(&g->old_log_variance, i) + first;
	const struct mixture x = *prior->mixture;
	for (size_t j = 0; j < n; j++)
		ret[j] += weight * mixture_slope(&x, z[j], old_m[j], old_v[j]);
}

static void gaussian_back(const struct gaussian_prior *prior, const struct gaussian_values *g, bool variance,
                          const struct matrix *dz, real beta, const struct matrix *d) {
	const real standard = prior->mixture ? 0 : 1;
	for (size_t i = 0; i < d->rows; i++) {
		const real weight = (real)gaussian_weight(prior, i);
		EACH_CHUNK(d->columns, first, n) {
			const real *restrict m = row_of(&g->mean, i) + first, *restrict v = row_of(&g->log_variance, i) + first;
			const real *restrict s = row_of(&g->noise, i) + first;
			real *restrict to = row_of(d, i) + first, slope[CHUNK];
			slope_of_z(prior, g, dz, i, first, n, slope);
			for (size_t j = 0; variance && j < n; j++) {
				real own = standard != 0 ? standard_slope_variance(v[j]) : (real)-0.5;
				slope[j] = slope[j] * (real)0.5 * s[j] * gaussian_deviation(v[j]) + weight * own;
			}
			for (size_t j = 0; !variance && j < n; j++)
				slope[j] += weight * standard * m[j];
			for (size_t j = 0; j < n; j++)
				to[j] = beta != 0 ? beta * to[j] + slope[j] : slope[j];
		}
	}
}

#endif
