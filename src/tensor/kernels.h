// The loops of the openblas backend. kernels.c is compiled once for each instruction set (baseline, AVX2, AVX-512) and
// exports one table each; which one runs is chosen when the backend is opened.
#ifndef AEXP_TENSOR_KERNELS_H
#define AEXP_TENSOR_KERNELS_H

#include "tensor/backend.h"

// The functions of the seam (tensor/backend.h) that are loops, without their device.
struct kernels {
	const char *name;
	void (*sparse_times)(const struct sparse *s, const struct matrix *w, const real *bias, real beta,
	                     const struct matrix *y);
	void (*transposed_times)(const struct transposed *t, const uint32_t *place, const real *value,
	                         const struct matrix *y, real beta, const struct matrix *g);
	void (*cells_times)(const struct sparse *pattern, const struct matrix *h, const struct matrix *w, real *ret);
	void (*cells_sum)(const struct sparse *pattern, const struct matrix *parts, const real *bias, real *ret);
	void (*spread)(const real *row, const struct matrix *y);
	void (*column_sums)(const struct matrix *y, real *ret);
	void (*add)(const struct matrix *x, real beta, const struct matrix *y);
	void (*activate)(enum activation_id id, real p, const struct matrix *x, const struct matrix *y);
	void (*activate_back)(enum activation_id id, real p, const struct matrix *x, const struct matrix *y,
	                      const struct matrix *dy, real beta, const struct matrix *dx);
	void (*dropout)(const struct dropout_draw *draw, const struct matrix *x, const struct matrix *y, uint64_t *keep,
	                size_t keep_stride);
	void (*dropout_back)(real scale, const uint64_t *keep, size_t keep_stride, const struct matrix *dy, real beta,
	                     const struct matrix *dx);
	void (*dropout_sparse)(const struct dropout_draw *draw, const struct sparse *s, real *ret_value);
	void (*noise)(const struct noise_draw *draw, const struct matrix *x, const struct matrix *y);
	void (*noise_sparse)(const struct noise_draw *draw, const struct sparse *s, real *ret_value);
	void (*multiply)(const struct matrix *a, const struct matrix *b, real beta, const struct matrix *y);
	void (*normalize)(real epsilon, const struct matrix *x, const struct matrix *y, real *inverse);
	void (*normalize_back)(real epsilon, const struct matrix *y, const real *inverse, const struct matrix *dy,
	                       real beta, const struct matrix *dx);
	void (*normalize_sparse)(const struct sparse *s, real epsilon, real *ret_value);
	void (*layer_norm)(const struct layer_norm_state *state, const struct matrix *x, const struct matrix *y);
	void (*layer_norm_back)(const struct layer_norm_state *state, const struct matrix *x, const struct matrix *dy,
	                        real beta, const struct matrix *dx);
	void (*layer_norm_sums)(const struct layer_norm_state *state, const struct matrix *x, const struct matrix *dy,
	                        real *dgamma, real *dbeta);
	void (*gaussian)(const struct noise_draw *draw, const struct gaussian_values *values);
	void (*gaussian_divergence)(const struct gaussian_prior *prior, const struct gaussian_values *values,
	                            double *ret_sum);
	void (*gaussian_back)(const struct gaussian_prior *prior, const struct gaussian_values *values, bool variance,
	                      const struct matrix *dz, real beta, const struct matrix *d);
	void (*batch_norm_gather)(const struct batch_norm_state *state, size_t before, const struct matrix *x);
	void (*batch_norm_finish)(const struct batch_norm_state *state, size_t rows, size_t columns);
	void (*batch_norm)(const struct batch_norm_state *state, const struct matrix *x, const struct matrix *y);
	void (*batch_norm_running)(const struct batch_norm_state *state, const struct matrix *x, const struct matrix *y);
	void (*batch_norm_back_gather)(const struct batch_norm_state *state, size_t before, const struct matrix *x,
	                               const struct matrix *dy, real *dgamma, real *dbeta);
	void (*batch_norm_back)(const struct batch_norm_state *state, size_t rows, const real *dgamma, const real *dbeta,
	                        const struct matrix *x, const struct matrix *dy, real beta, const struct matrix *dx);
	void (*loss)(const struct loss_cells *cells, bool packed, size_t first, const struct matrix *prediction,
	             const struct matrix *gradient, double *ret_sum);
	void (*softmax_parts)(const struct loss_cells *cells, bool packed, size_t first, const struct matrix *prediction,
	                      const struct matrix *kept, struct softmax_part *ret);
	void (*softmax_back)(const struct loss_cells *cells, bool packed, size_t first,
	                     const struct softmax_factors *factors, const struct matrix *gradient);
	double (*optimize)(const struct optimizer_rows *rows, const struct matrix *gradient);
	double (*optimize_touched)(const struct optimizer_rows *rows, const struct transposed *t, const real *value,
	                           const struct matrix *y);
	double (*optimize_listed)(const struct optimizer_rows *rows, const struct transposed *list,
	                          const struct matrix *gradient);
	double (*squares)(const struct matrix *x);
	void (*scale)(real factor, real most, const struct matrix *x);
	void (*catch_up)(const struct optimizer_rows *rows, const uint32_t *row, const uint32_t *waited, size_t count);
};

extern const struct kernels kernels_baseline;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

#endif
