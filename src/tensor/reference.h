// What the files of the reference backend share: reference.c holds its table and most of its functions, the others a
// family each. Every function is described at its place in tensor/backend.h.
#ifndef AEXP_TENSOR_REFERENCE_H
#define AEXP_TENSOR_REFERENCE_H

#include "tensor/backend.h"

static inline real *at(const struct matrix *m, size_t i, size_t j) {
	return &m->data[i * m->stride + j];
}

// beta 0 means that the old value is not read, it may be anything.
static inline real blend(real beta, real old, double fresh) {
	return (real)(beta == 0 ? fresh : (double)beta * old + fresh);
}

// --- reference_optimizer.c ---

void reference_optimize(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient,
                        double *ret);
void reference_optimize_touched(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                                const real *value, const struct matrix *y, double *ret);
void reference_optimize_listed(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
                               const struct matrix *gradient, double *ret);
void reference_squares(struct device *device, const struct matrix *x, double *ret);
void reference_scale(struct device *device, const double *factor, real most, const struct matrix *x);
void reference_catch_up(struct device *device, const struct optimizer_rows *rows, const uint32_t *row,
                        const uint32_t *waited, size_t count);

// --- reference_rows.c ---

void reference_noise(struct device *device, const struct noise_draw *draw, const struct matrix *x,
                     const struct matrix *y);
void reference_noise_sparse(struct device *device, const struct noise_draw *draw, const struct sparse *s,
                            real *ret_value);
void reference_multiply(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
                        const struct matrix *y);
void reference_normalize(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y,
                         real *inverse);
void reference_normalize_back(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
                              const struct matrix *dy, real beta, const struct matrix *dx);
void reference_normalize_sparse(struct device *device, const struct sparse *s, real epsilon, real *ret_value);
void reference_layer_norm(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                          const struct matrix *y);
void reference_layer_norm_back(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                               const struct matrix *dy, real beta, const struct matrix *dx);
void reference_layer_norm_sums(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                               const struct matrix *dy, real *dgamma, real *dbeta);

// --- reference_softmax.c ---

void reference_softmax_parts(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                             const struct matrix *prediction, const struct matrix *kept, struct softmax_part *ret);
void reference_softmax_back(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                            const struct softmax_factors *factors, const struct matrix *gradient);

// --- reference_gaussian.c ---

void reference_gaussian(struct device *device, const struct noise_draw *draw, const struct gaussian_values *values);
void reference_gaussian_divergence(struct device *device, const struct gaussian_prior *prior,
                                   const struct gaussian_values *values, double *ret_sum);
void reference_gaussian_back(struct device *device, const struct gaussian_prior *prior,
                             const struct gaussian_values *values, bool variance, const struct matrix *dz, real beta,
                             const struct matrix *d);

#endif
