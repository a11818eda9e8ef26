// The loops of the openblas backend. kernels.c is compiled once for each instruction set (baseline, AVX2, AVX-512) and
// exports one table each; which one runs is chosen when the backend is opened. Every loop works on a range [begin, end)
// of independent outputs (rows, unless said otherwise), so that any cut into blocks gives the same bits.
#ifndef AEXP_TENSOR_KERNELS_H
#define AEXP_TENSOR_KERNELS_H

#include "tensor/backend.h"

struct sparse_times_args {
	const struct sparse *s;
	const struct matrix *w, *y;
	real beta;
};
struct transposed_times_args {
	const struct transposed *t;
	const real *value;
	const struct matrix *y, *g;
};
struct cells_times_args {
	const struct sparse *pattern;
	const struct matrix *h, *w;
	const real *bias;
	real *ret;
};
struct map_args {
	const struct matrix *x, *y, *dy, *dx;
	real beta, p;
	enum activation_id id;
	const real *row; // add_row
	const struct dropout_draw *draw;
	uint8_t *keep;
	double rate;
};
struct column_sums_args {
	const struct matrix *y;
	real *ret;
};
struct batch_norm_args {
	const struct batch_norm_state *state;
	const struct matrix *x, *y, *dy, *dx;
	real beta;
	real *dgamma, *dbeta;
};
struct loss_args {
	const struct loss_cells *cells;
	bool packed;
	const struct matrix *prediction, *gradient;
	double *row_sum; // (rows)
};
struct optimizer_args {
	const struct optimizer_rows *rows;
	double *row_sum; // (weight.rows) sums of squares where l2 > 0, or NULL
};

typedef void kernel(const void *args, size_t begin, size_t end);

struct kernels {
	const char *name;
	kernel *sparse_times, *transposed_times, *cells_times;
	kernel *add_row, *add, *activate, *activate_back, *dropout, *dropout_back;
	kernel *column_sums, *batch_norm, *batch_norm_running, *batch_norm_back; // ranges of columns
	kernel *loss, *optimize_lazy, *optimize_all;                             // optimize_lazy: of gradient rows
};

extern const struct kernels kernels_baseline;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

#endif
