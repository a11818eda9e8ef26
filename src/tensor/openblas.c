// The openblas backend: dense products by OpenBLAS on one thread inside our own blocks, everything else by the loops of
// kernels.c. A block's size depends on the work alone, never on the number of threads.
#include "tensor/cpu.h"
#include "tensor/kernels.h"

#include "base/memory.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Multiplications a block is worth waking a thread for, and rows of a product a block holds.
enum { BLOCK_WORK = 1 << 17, GEMM_ROWS = 128, SPLIT_GEMM_WORK = 1 << 21 };

struct openblas_device {
	struct device device;
	double *row_sum; // (row_sum_capacity)
	size_t row_sum_capacity;
};

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

static bool openblas_open(const struct backend *backend, struct pool *pool, struct device **ret, struct error *error) {
	struct device *plain;
	if (!cpu_open(backend, pool, &plain, error))
		return false;
	struct openblas_device *open = memory_alloc(sizeof(*open));
	open->device = *plain;
	free(plain);
	open->device.kernels = choose_kernels();
	openblas_set_num_threads(1);
	snprintf(open->device.description, sizeof(open->device.description), "%s, core %s, kernels %s",
	         openblas_get_config(), openblas_get_corename(), open->device.kernels->name);
	*ret = &open->device;
	return true;
}

static void openblas_close(struct device *device) {
	if (device)
		free(((struct openblas_device *)device)->row_sum);
	cpu_close(device);
}

// --- blocks ---

struct blocks {
	kernel *run;
	const void *args;
	size_t count, size;
};

static void run_block(void *context, size_t index) {
	const struct blocks *b = context;
	size_t begin = index * b->size, end = begin + b->size < b->count ? begin + b->size : b->count;
	b->run(b->args, begin, end);
}

// Runs [0, count) in blocks of about BLOCK_WORK; `work` is what one output costs. Sizes are multiples of `multiple`.
static void run_multiple(struct device *device, kernel *run, const void *args, size_t count, double work,
                         size_t multiple) {
	double outputs = BLOCK_WORK / (work < 1 ? 1 : work);
	size_t size = outputs < (double)count ? (size_t)outputs : count;
	size = (size / multiple + 1) * multiple;
	struct blocks blocks = {run, args, count, size};
	size_t number = (count + size - 1) / size;
	if (number <= 1)
		run(args, 0, count);
	else
		pool_run(device->pool, number, run_block, &blocks);
}

static void run(struct device *device, kernel *loop, const void *args, size_t count, double work) {
	run_multiple(device, loop, args, count, work, 1);
}

static double *row_sums(struct device *device, size_t rows) {
	struct openblas_device *open = (struct openblas_device *)device;
	if (open->row_sum_capacity < rows) { // grows in the first steps alone
		open->row_sum = memory_resize(open->row_sum, rows * sizeof(double));
		open->row_sum_capacity = rows;
	}
	return open->row_sum;
}

static double sum(const double *items, size_t count) {
	double total = 0;
	for (size_t i = 0; i < count; i++)
		total += items[i];
	return total;
}

// --- products ---

struct gemm_args {
	bool transpose_a, transpose_b;
	const struct matrix *a, *b, *c;
	real beta;
};

static void gemm_rows(const void *args, size_t begin, size_t end) {
	const struct gemm_args *g = args;
	const struct matrix *a = g->a, *b = g->b, *c = g->c;
	blasint m = (blasint)(end - begin), n = (blasint)c->columns, k = (blasint)(g->transpose_a ? a->rows : a->columns);
	const real *first = g->transpose_a ? a->data + begin : a->data + begin * a->stride;
	CBLAS_TRANSPOSE ta = g->transpose_a ? CblasTrans : CblasNoTrans, tb = g->transpose_b ? CblasTrans : CblasNoTrans;
#ifdef AEXP_DOUBLE
	cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, first, (blasint)a->stride, b->data, (blasint)b->stride, g->beta,
	            c->data + begin * c->stride, (blasint)c->stride);
#else
	cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, first, (blasint)a->stride, b->data, (blasint)b->stride, g->beta,
	            c->data + begin * c->stride, (blasint)c->stride);
#endif
}

static void gemm(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a,
                 const struct matrix *b, real beta, const struct matrix *c) {
	struct gemm_args args = {transpose_a, transpose_b, a, b, c, beta};
	double work = (double)c->columns * (double)(transpose_a ? a->rows : a->columns);
	if (!c->rows || !c->columns)
		return;
	if (work * (double)c->rows < SPLIT_GEMM_WORK) {
		gemm_rows(&args, 0, c->rows);
		return;
	}
	struct blocks blocks = {gemm_rows, &args, c->rows, GEMM_ROWS};
	pool_run(device->pool, (c->rows + GEMM_ROWS - 1) / GEMM_ROWS, run_block, &blocks);
}

static double mean_entries(const uint32_t *start, size_t rows) {
	return rows ? (double)start[rows] / (double)rows : 0;
}

static void sparse_times(struct device *device, const struct sparse *s, const struct matrix *w, real beta,
                         const struct matrix *y) {
	struct sparse_times_args args = {s, w, y, beta};
	run(device, device->kernels->sparse_times, &args, s->rows, mean_entries(s->start, s->rows) * (double)y->columns);
}

static void transposed_times(struct device *device, const struct transposed *t, const real *value,
                             const struct matrix *y, const struct matrix *g) {
	struct transposed_times_args args = {t, value, y, g};
	run(device, device->kernels->transposed_times, &args, t->count,
	    mean_entries(t->start, t->count) * (double)g->columns);
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

static void cells_times(struct device *device, const struct sparse *pattern, const struct matrix *h,
                        const struct matrix *w, const real *bias, real *ret) {
	struct cells_times_args args = {pattern, h, w, bias, ret};
	run(device, device->kernels->cells_times, &args, pattern->rows,
	    mean_entries(pattern->start, pattern->rows) * (double)h->columns);
}

static void densify(struct device *device, const struct sparse *s, const struct matrix *d) {
	(void)device;
	for (size_t i = 0; i < d->rows; i++) {
		real *row = d->data + i * d->stride;
		memset(row, 0, d->columns * sizeof(real));
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			row[s->column[k]] = s->value[k];
	}
}

// --- maps, statistics, loss, optimizer ---

static void add_row(struct device *device, const real *row, const struct matrix *y) {
	struct map_args args = {.y = y, .row = row};
	run(device, device->kernels->add_row, &args, y->rows, (double)y->columns);
}

static void add(struct device *device, const struct matrix *x, real beta, const struct matrix *y) {
	struct map_args args = {.x = x, .y = y, .beta = beta};
	run(device, device->kernels->add, &args, y->rows, (double)y->columns);
}

static void activate(struct device *device, enum activation_id id, real p, const struct matrix *x,
                     const struct matrix *y) {
	struct map_args args = {.x = x, .y = y, .id = id, .p = p};
	run(device, device->kernels->activate, &args, y->rows, 8.0 * (double)y->columns);
}

static void activate_back(struct device *device, enum activation_id id, real p, const struct matrix *x,
                          const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx) {
	struct map_args args = {.x = x, .y = y, .dy = dy, .dx = dx, .beta = beta, .id = id, .p = p};
	run(device, device->kernels->activate_back, &args, y->rows, 2.0 * (double)y->columns);
}

static void dropout(struct device *device, const struct dropout_draw *draw, const struct matrix *x,
                    const struct matrix *y, uint8_t *keep) {
	struct map_args args = {.x = x, .y = y, .draw = draw, .keep = keep};
	run(device, device->kernels->dropout, &args, y->rows, 16.0 * (double)y->columns);
}

static void dropout_back(struct device *device, double rate, const uint8_t *keep, const struct matrix *dy, real beta,
                         const struct matrix *dx) {
	struct map_args args = {.dy = dy, .dx = dx, .beta = beta, .keep = (uint8_t *)(uintptr_t)keep, .rate = rate};
	run(device, device->kernels->dropout_back, &args, dy->rows, 2.0 * (double)dy->columns);
}

static void dropout_sparse(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
                           real *ret_value) {
	(void)device;
	uint32_t threshold = dropout_threshold(draw->rate);
	real scale = dropout_scale(draw->rate);
	for (size_t i = 0; i < s->rows; i++) {
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++) {
			bool keep = random_u32(draw->stream, draw->epoch, draw->row[i], s->column[k]) >= threshold;
			ret_value[k] = keep ? s->value[k] * scale : 0;
		}
	}
}

static void column_sums(struct device *device, const struct matrix *y, real *ret) {
	struct column_sums_args args = {y, ret};
	run_multiple(device, device->kernels->column_sums, &args, y->columns, (double)y->rows, 64);
}

static void batch_norm(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                       const struct matrix *y) {
	struct batch_norm_args args = {.state = state, .x = x, .y = y};
	run_multiple(device, device->kernels->batch_norm, &args, x->columns, 4.0 * (double)x->rows, 64);
}

static void batch_norm_running(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                               const struct matrix *y) {
	struct batch_norm_args args = {.state = state, .x = x, .y = y};
	run_multiple(device, device->kernels->batch_norm_running, &args, x->columns, 2.0 * (double)x->rows, 64);
}

static void batch_norm_back(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                            const struct matrix *dy, real beta, const struct matrix *dx, real *dgamma, real *dbeta) {
	struct batch_norm_args args = {
	    .state = state, .x = x, .dy = dy, .dx = dx, .beta = beta, .dgamma = dgamma, .dbeta = dbeta};
	run_multiple(device, device->kernels->batch_norm_back, &args, x->columns, 6.0 * (double)x->rows, 64);
}

static double loss(struct device *device, const struct loss_cells *cells, bool packed, const struct matrix *prediction,
                   const struct matrix *gradient) {
	size_t rows = cells->target->rows;
	struct loss_args args = {cells, packed, prediction, gradient, row_sums(device, rows)};
	double work = packed ? mean_entries(cells->target->start, rows) : (double)prediction->columns;
	run(device, device->kernels->loss, &args, rows, 4 * work);
	return sum(args.row_sum, rows);
}

static double optimize(struct device *device, const struct optimizer_rows *rows) {
	double work = 8.0 * (double)rows->weight.columns;
	struct optimizer_args args = {rows, rows->l2 > 0 ? row_sums(device, rows->weight.rows) : NULL};
	if (rows->lazy)
		run(device, device->kernels->optimize_lazy, &args, rows->gradient.rows, work);
	else
		run(device, device->kernels->optimize_all, &args, rows->weight.rows, work);
	return args.row_sum ? sum(args.row_sum, rows->weight.rows) : 0;
}

const struct backend backend_openblas = {
    .row = {.name = "openblas", .doc = "OpenBLAS for dense products, our own loops for the sparse ones, pthreads"},
    .open = openblas_open,
    .close = openblas_close,
    .describe = cpu_describe,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .gemm = gemm,
    .sparse_times = sparse_times,
    .transposed_times = transposed_times,
    .transposed_sums = transposed_sums,
    .cells_times = cells_times,
    .densify = densify,
    .add_row = add_row,
    .column_sums = column_sums,
    .add = add,
    .activate = activate,
    .activate_back = activate_back,
    .dropout = dropout,
    .dropout_back = dropout_back,
    .dropout_sparse = dropout_sparse,
    .batch_norm = batch_norm,
    .batch_norm_running = batch_norm_running,
    .batch_norm_back = batch_norm_back,
    .loss = loss,
    .optimize = optimize,
};
