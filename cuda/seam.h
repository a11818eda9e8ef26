// The functions of the seam that the families of kernels fill, each as tensor/backend.h describes it at its place.
#ifndef AEXP_CUDA_SEAM_H
#define AEXP_CUDA_SEAM_H

#include "device.h"

// --- unit.cu ---

void gpu_unit(struct device *device, const void *key, void (*body)(void *context), void *context);
void gpu_forget_units(struct device *device);

// --- products.cu ---

void gpu_gemm(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a, const struct matrix *b,
              real beta, const struct matrix *c);

// --- sparse.cu ---

// Bytes of scratch memory that functions of a family work with, for calls of that size and smaller ones; see
// work_bytes.
size_t gpu_sparse_times_bytes(size_t rows, size_t columns);
void gpu_sparse_times(struct device *device, const struct sparse *s, const struct matrix *w, const real *bias,
                      real beta, const struct matrix *y);
void gpu_transposed_times(struct device *device, const struct transposed *t, const uint32_t *place, const real *value,
                          const struct matrix *y, real beta, const struct matrix *g);
void gpu_transposed_sums(struct device *device, const struct transposed *t, const real *value, real *ret);
void gpu_cells_times(struct device *device, const struct sparse *pattern, const struct matrix *h,
                     const struct matrix *w, real *ret);
void gpu_cells_sum(struct device *device, const struct sparse *pattern, const struct matrix *parts, const real *bias,
                   real *ret);
void gpu_densify(struct device *device, const struct sparse *s, size_t first, const struct matrix *d);
void gpu_pick(struct device *device, const struct sparse *pattern, const struct matrix *y, real *ret);

// --- pattern.cu ---

void gpu_gather(struct device *device, const struct data_rows *from, const uint32_t *place, size_t rows,
                uint32_t *ret_start, uint32_t *ret_column, real *ret_value);
void gpu_transpose(struct device *device, const struct sparse *s, size_t entries, uint32_t *work,
                   const struct transposed_room *ret);
void gpu_join(struct device *device, const struct transposed *a, const struct transposed *b, uint32_t *ret_a,
              uint32_t *ret_b, const struct transposed_room *ret);
void gpu_note_waits(struct device *device, const struct transposed *t, size_t count, uint32_t now, uint32_t *stamp,
                    uint32_t *waited);

// --- rank.cu ---

void gpu_topk(struct device *device, const struct matrix *y, const struct sparse *out, size_t k, uint32_t *ret,
              uint32_t *ret_count);
void gpu_rank_pairs(struct device *device, const struct matrix *y, const struct sparse *out,
                    const struct sparse *marked, double *ret);

// --- elementwise.cu ---

void gpu_spread(struct device *device, const real *row, const struct matrix *y);
void gpu_add(struct device *device, const struct matrix *x, real beta, const struct matrix *y);
void gpu_multiply(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
                  const struct matrix *y);
void gpu_activate(struct device *device, enum activation_id id, real p, const struct matrix *x, const struct matrix *y);
void gpu_activate_back(struct device *device, enum activation_id id, real p, const struct matrix *x,
                       const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx);
void gpu_scale(struct device *device, const double *factor, real most, const struct matrix *x);
void gpu_zero(struct device *device, const struct matrix *x);

// --- sums.cu ---

void gpu_column_sums(struct device *device, const struct matrix *y, real *ret);
void gpu_squares(struct device *device, const struct matrix *x, double *ret);
void gpu_sum(struct device *device, double factor, const double *from, size_t count, bool more, double *ret);
void gpu_clip(struct device *device, double norm, const double *squares, double *ret);

// --- dropout.cu ---

void gpu_dropout(struct device *device, const struct dropout_draw *draw, const struct matrix *x, const struct matrix *y,
                 uint64_t *keep, size_t keep_stride);
void gpu_dropout_back(struct device *device, real scale, const uint64_t *keep, size_t keep_stride,
                      const struct matrix *dy, real beta, const struct matrix *dx);
void gpu_dropout_sparse(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
                        real *ret_value);

// --- noise.cu ---

void gpu_noise(struct device *device, const struct noise_draw *draw, const struct matrix *x, const struct matrix *y);
void gpu_noise_sparse(struct device *device, const struct noise_draw *draw, const struct sparse *s, real *ret_value);
void gpu_gaussian(struct device *device, const struct noise_draw *draw, const struct gaussian_values *values);

// --- gaussian.cu ---

void gpu_gaussian_divergence(struct device *device, const struct gaussian_prior *prior,
                             const struct gaussian_values *values, double *ret_sum);
void gpu_gaussian_back(struct device *device, const struct gaussian_prior *prior, const struct gaussian_values *values,
                       bool variance, const struct matrix *dz, real beta, const struct matrix *d);

// --- rows.cu ---

void gpu_normalize(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y, real *inverse);
void gpu_normalize_back(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
                        const struct matrix *dy, real beta, const struct matrix *dx);
void gpu_normalize_sparse(struct device *device, const struct sparse *s, real epsilon, real *ret_value);
void gpu_layer_norm(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                    const struct matrix *y);
void gpu_layer_norm_back(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                         const struct matrix *dy, real beta, const struct matrix *dx);
void gpu_layer_norm_sums(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                         const struct matrix *dy, real *dgamma, real *dbeta);

// --- batch_norm.cu ---

void gpu_batch_norm_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                           const struct matrix *x);
void gpu_batch_norm_finish(struct device *device, const struct batch_norm_state *state, size_t rows, size_t columns);
void gpu_batch_norm(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                    const struct matrix *y);
void gpu_batch_norm_running(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                            const struct matrix *y);
void gpu_batch_norm_back_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                                const struct matrix *x, const struct matrix *dy, real *dgamma, real *dbeta);
void gpu_batch_norm_back(struct device *device, const struct batch_norm_state *state, size_t rows, const real *dgamma,
                         const real *dbeta, const struct matrix *x, const struct matrix *dy, real beta,
                         const struct matrix *dx);

// --- loss.cu ---

void gpu_loss(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
              const struct matrix *prediction, const struct matrix *gradient, double *ret_sum);
void gpu_softmax_parts(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                       const struct matrix *prediction, const struct matrix *kept, struct softmax_part *ret);
void gpu_softmax_join(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
                      const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum);
void gpu_softmax_back(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                      const struct softmax_factors *factors, const struct matrix *gradient);

// --- optimizer.cu ---

void gpu_optimize(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient, double *ret);
void gpu_optimize_touched(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                          const real *value, const struct matrix *y, double *ret);
void gpu_optimize_listed(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
                         const struct matrix *gradient, double *ret);
void gpu_catch_up(struct device *device, const struct optimizer_rows *rows, const uint32_t *row, const uint32_t *waited,
                  size_t count);

#endif
