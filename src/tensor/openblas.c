// The openblas backend: dense products by OpenBLAS, each on the thread that asks for it, everything else by the loops
// of kernels.c.
#include "tensor/cpu.h"
#include "tensor/kernels.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

static const struct kernels *choose_kernels(void) {
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw"))
		return &kernels_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return &kernels_avx2;
#endif
	return &kernels_baseline;
}

static bool openblas_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
                          struct device **ret, struct error *error) {
	if (!cpu_open(backend, pool, options, ret, error))
		return false;
	struct device *open = *ret;
	open->kernels = choose_kernels();
	openblas_set_num_threads(1);
	snprintf(open->description, sizeof(open->description), "%s, core %s, kernels %s", openblas_get_config(),
	         openblas_get_corename(), open->kernels->name);
	return true;
}

static void gemm(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a,
                 const struct matrix *b, real beta, const struct matrix *c) {
	(void)device;
	blasint m = (blasint)c->rows, n = (blasint)c->columns, k = (blasint)(transpose_a ? a->rows : a->columns);
	CBLAS_TRANSPOSE ta = transpose_a ? CblasTrans : CblasNoTrans, tb = transpose_b ? CblasTrans : CblasNoTrans;
	if (!c->rows || !c->columns)
		return;
#ifdef AEXP_DOUBLE
	cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a->data, (blasint)a->stride, b->data, (blasint)b->stride, beta,
	            c->data, (blasint)c->stride);
#else
	cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a->data, (blasint)a->stride, b->data, (blasint)b->stride, beta,
	            c->data, (blasint)c->stride);
#endif
}

static void transposed_sums(struct device *device, const struct transposed *t, const real *value, real *ret) {
	(void)device;
	for (size_t i = 0; i < t->count; i++) {
		real total = 0;
		for (uint32_t k = t->start[i]; k < t->start[i + 1]; k++)
			total += value[t->entry[k]];
		ret[i] = total;
	}
}

static void densify(struct device *device, const struct sparse *s, size_t first, const struct matrix *d) {
	(void)device;
	for (size_t i = 0; i < d->rows; i++) {
		real *row = d->data + i * d->stride;
		memset(row, 0, d->columns * sizeof(real));
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			if (s->column[k] - first < d->columns) // below first it is huge
				row[s->column[k] - first] = s->value[k];
	}
}

// --- the rest are loops of the kernel set that was chosen ---

static void sparse_times(struct device *device, const struct sparse *s, const struct matrix *w, const real *bias,
                         real beta, const struct matrix *y) {
	device->kernels->sparse_times(s, w, bias, beta, y);
}
static void transposed_times(struct device *device, const struct transposed *t, const uint32_t *place,
                             const real *value, const struct matrix *y, real beta, const struct matrix *g) {
	device->kernels->transposed_times(t, place, value, y, beta, g);
}
static void cells_times(struct device *device, const struct sparse *pattern, const struct matrix *h,
                        const struct matrix *w, real *ret) {
	device->kernels->cells_times(pattern, h, w, ret);
}
static void cells_sum(struct device *device, const struct sparse *pattern, const struct matrix *parts, const real *bias,
                      real *ret) {
	device->kernels->cells_sum(pattern, parts, bias, ret);
}
static void spread(struct device *device, const real *row, const struct matrix *y) {
	device->kernels->spread(row, y);
}
static void column_sums(struct device *device, const struct matrix *y, real *ret) {
	device->kernels->column_sums(y, ret);
}
static void add(struct device *device, const struct matrix *x, real beta, const struct matrix *y) {
	device->kernels->add(x, beta, y);
}
static void activate(struct device *device, enum activation_id id, real p, const struct matrix *x,
                     const struct matrix *y) {
	device->kernels->activate(id, p, x, y);
}
static void activate_back(struct device *device, enum activation_id id, real p, const struct matrix *x,
                          const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx) {
	device->kernels->activate_back(id, p, x, y, dy, beta, dx);
}
static void dropout(struct device *device, const struct dropout_draw *draw, const struct matrix *x,
                    const struct matrix *y, uint64_t *keep, size_t keep_stride) {
	device->kernels->dropout(draw, x, y, keep, keep_stride);
}
static void dropout_back(struct device *device, real scale, const uint64_t *keep, size_t keep_stride,
                         const struct matrix *dy, real beta, const struct matrix *dx) {
	device->kernels->dropout_back(scale, keep, keep_stride, dy, beta, dx);
}
static void dropout_sparse(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
                           real *ret_value) {
	device->kernels->dropout_sparse(draw, s, ret_value);
}
static void noise(struct device *device, const struct noise_draw *draw, const struct matrix *x,
                  const struct matrix *y) {
	device->kernels->noise(draw, x, y);
}
static void noise_sparse(struct device *device, const struct noise_draw *draw, const struct sparse *s,
                         real *ret_value) {
	device->kernels->noise_sparse(draw, s, ret_value);
}
static void multiply(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
                     const struct matrix *y) {
	device->kernels->multiply(a, b, beta, y);
}
static void normalize(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y,
                      real *inverse) {
	device->kernels->normalize(epsilon, x, y, inverse);
}
static void normalize_back(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
                           const struct matrix *dy, real beta, const struct matrix *dx) {
	device->kernels->normalize_back(epsilon, y, inverse, dy, beta, dx);
}
static void normalize_sparse(struct device *device, const struct sparse *s, real epsilon, real *ret_value) {
	device->kernels->normalize_sparse(s, epsilon, ret_value);
}
static void layer_norm(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                       const struct matrix *y) {
	device->kernels->layer_norm(state, x, y);
}
static void layer_norm_back(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                            const struct matrix *dy, real beta, const struct matrix *dx) {
	device->kernels->layer_norm_back(state, x, dy, beta, dx);
}
static void layer_norm_sums(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                            const struct matrix *dy, real *dgamma, real *dbeta) {
	device->kernels->layer_norm_sums(state, x, dy, dgamma, dbeta);
}
static void gaussian(struct device *device, const struct noise_draw *draw, const struct gaussian_values *values) {
	device->kernels->gaussian(draw, values);
}
static void gaussian_divergence(struct device *device, const struct gaussian_prior *prior,
                                const struct gaussian_values *values, double *ret_sum) {
	device->kernels->gaussian_divergence(prior, values, ret_sum);
}
static void gaussian_back(struct device *device, const struct gaussian_prior *prior,
                          const struct gaussian_values *values, bool variance, const struct matrix *dz, real beta,
                          const struct matrix *d) {
	device->kernels->gaussian_back(prior, values, variance, dz, beta, d);
}
static void batch_norm_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                              const struct matrix *x) {
	device->kernels->batch_norm_gather(state, before, x);
}
static void batch_norm_finish(struct device *device, const struct batch_norm_state *state, size_t rows,
                              size_t columns) {
	device->kernels->batch_norm_finish(state, rows, columns);
}
static void batch_norm(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                       const struct matrix *y) {
	device->kernels->batch_norm(state, x, y);
}
static void batch_norm_running(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                               const struct matrix *y) {
	device->kernels->batch_norm_running(state, x, y);
}
static void batch_norm_back_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                                   const struct matrix *x, const struct matrix *dy, real *dgamma, real *dbeta) {
	device->kernels->batch_norm_back_gather(state, before, x, dy, dgamma, dbeta);
}
static void batch_norm_back(struct device *device, const struct batch_norm_state *state, size_t rows,
                            const real *dgamma, const real *dbeta, const struct matrix *x, const struct matrix *dy,
                            real beta, const struct matrix *dx) {
	device->kernels->batch_norm_back(state, rows, dgamma, dbeta, x, dy, beta, dx);
}
static void loss(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                 const struct matrix *prediction, const struct matrix *gradient, double *ret_sum) {
	device->kernels->loss(cells, packed, first, prediction, gradient, ret_sum);
}
static void softmax_parts(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                          const struct matrix *prediction, const struct matrix *kept, struct softmax_part *ret) {
	device->kernels->softmax_parts(cells, packed, first, prediction, kept, ret);
}
static void softmax_back(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                         const struct softmax_factors *factors, const struct matrix *gradient) {
	device->kernels->softmax_back(cells, packed, first, factors, gradient);
}
static void note_squares(const struct optimizer_rows *rows, double squares, double *ret) {
	if (rows->l2 > 0)
		*ret = squares;
}
static void optimize(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient,
                     double *ret) {
	note_squares(rows, device->kernels->optimize(rows, gradient), ret);
}
static void optimize_touched(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                             const real *value, const struct matrix *y, double *ret) {
	note_squares(rows, device->kernels->optimize_touched(rows, t, value, y), ret);
}
static void optimize_listed(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
                            const struct matrix *gradient, double *ret) {
	note_squares(rows, device->kernels->optimize_listed(rows, list, gradient), ret);
}
static void squares(struct device *device, const struct matrix *x, double *ret) {
	*ret = device->kernels->squares(x);
}
static void scale(struct device *device, const double *factor, real most, const struct matrix *x) {
	device->kernels->scale(factor ? (real)*factor : 1, most, x);
}
static void catch_up(struct device *device, const struct optimizer_rows *rows, const uint32_t *row,
                     const uint32_t *waited, size_t count) {
	device->kernels->catch_up(rows, row, waited, count);
}

const struct backend backend_openblas = {
    .row = {.name = "openblas", .doc = "OpenBLAS for dense products, our own loops for the sparse ones, pthreads"},
    .open = openblas_open,
    .close = cpu_close,
    .describe = cpu_describe,
    .memory = cpu_memory,
    .members = cpu_members,
    .team = cpu_team,
    .barrier = cpu_barrier,
    .sync = cpu_sync,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .upload_ahead = cpu_upload_ahead,
    .unit = cpu_unit,
    .gemm = gemm,
    .sparse_times = sparse_times,
    .transposed_times = transposed_times,
    .transposed_sums = transposed_sums,
    .cells_times = cells_times,
    .cells_sum = cells_sum,
    .densify = densify,
    .pick = cpu_pick,
    .gather = cpu_gather,
    .transpose = cpu_transpose,
    .join = cpu_join,
    .note_waits = cpu_note_waits,
    .topk = cpu_topk,
    .rank_pairs = cpu_rank_pairs,
    .spread = spread,
    .column_sums = column_sums,
    .add = add,
    .activate = activate,
    .activate_back = activate_back,
    .dropout = dropout,
    .dropout_back = dropout_back,
    .dropout_sparse = dropout_sparse,
    .noise = noise,
    .noise_sparse = noise_sparse,
    .multiply = multiply,
    .normalize = normalize,
    .normalize_back = normalize_back,
    .normalize_sparse = normalize_sparse,
    .layer_norm = layer_norm,
    .layer_norm_back = layer_norm_back,
    .layer_norm_sums = layer_norm_sums,
    .gaussian = gaussian,
    .gaussian_divergence = gaussian_divergence,
    .gaussian_back = gaussian_back,
    .batch_norm_gather = batch_norm_gather,
    .batch_norm_finish = batch_norm_finish,
    .batch_norm = batch_norm,
    .batch_norm_running = batch_norm_running,
    .batch_norm_back_gather = batch_norm_back_gather,
    .batch_norm_back = batch_norm_back,
    .loss = loss,
    .softmax_parts = softmax_parts,
    .softmax_join = cpu_softmax_join,
    .softmax_back = softmax_back,
    .optimize = optimize,
    .optimize_touched = optimize_touched,
    .optimize_listed = optimize_listed,
    .squares = squares,
    .sum = cpu_sum,
    .clip = cpu_clip,
    .scale = scale,
    .zero = cpu_zero,
    .catch_up = catch_up,
};
