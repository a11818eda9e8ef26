// The seam between graph and machine: everything the graph asks of a backend. A backend is one static const table; it
// knows tensors and element-wise ids, and nothing of graphs, nodes or experiments.
//
// Every output element is computed by one thread with a fixed order of additions, so that results do not depend on the
// number of threads. Matrices are row-major with a stride, so that a column range of one is a matrix too.
#ifndef AEXP_TENSOR_BACKEND_H
#define AEXP_TENSOR_BACKEND_H

#include "base/error.h"
#include "base/pool.h"
#include "base/random.h"
#include "config/schema.h"
#include "tensor/elementwise.h"

#include <stdint.h>

struct matrix {
	real *data;
	size_t rows, columns, stride; // stride >= columns, in elements
};

// A batch of sparse rows; the pattern is shared by tensors of different values.
struct sparse {
	size_t rows, columns;
	const uint32_t *start;  // (rows + 1)
	const uint32_t *column; // (start[rows]), ascending within a row
	const real *value;      // (start[rows])
};
static inline size_t sparse_count(const struct sparse *s) {
	return s->start[s->rows];
}

// The same pattern by columns: only the columns that occur ("touched"), each with its entries by ascending row.
struct transposed {
	size_t count;           // touched columns
	const uint32_t *column; // (count), in order of first appearance
	const uint32_t *start;  // (count + 1)
	const uint32_t *row;    // (start[count])
	const uint32_t *entry;  // (start[count]): the place in the sparse rows' arrays
};

// Counter-based dropout of one node at one step; element (i, j) is unit j of data row row[i].
struct dropout_draw {
	struct random_stream stream;
	uint32_t epoch;
	const uint32_t *row; // (rows) places in the data
	double rate;         // dropped with this probability, kept ones scaled by 1 / (1 - rate)
};

// The threshold below which a 32-bit draw drops its cell, and what kept cells are multiplied by.
static inline uint32_t dropout_threshold(double rate) {
	return (uint32_t)(rate * 4294967296.0);
}
static inline real dropout_scale(double rate) {
	return (real)(1 / (1 - rate));
}

struct batch_norm_state {
	const real *gamma, *beta;              // (columns)
	real *running_mean, *running_variance; // (columns)
	real *mean, *inverse_deviation;        // (columns): of this batch, kept for the way back
	real momentum, epsilon;
};

// The targets of a loss: stored entries are observed; `all` means every other cell counts too, with target 0.
struct loss_cells {
	enum cell_loss_id id;
	const struct sparse *target;
	bool all;
	const real *row_scale; // (rows): what a cell's gradient is multiplied by
};

struct optimizer_rows {
	enum optimizer_id id;
	struct optimizer_numbers numbers;
	struct matrix weight;
	real *state[2];          // same layout as weight; NULL where the optimizer keeps less
	struct matrix gradient;  // (count, columns): rows of the gradient
	const uint32_t *row;     // (count): the weight rows they belong to; NULL: gradient row i is weight row i
	bool lazy;               // update the `count` rows alone, and let them catch up by their stamps
	uint32_t *stamp;         // lazy: (weight.rows) the step after which a row's state is current
	uint32_t step;           // number of this step, from 1
	const real *decay_power; // lazy: (decay_powers) decay^k
	size_t decay_powers;     // at least 2; longer waits are products of these
	const uint32_t *slot;    // not lazy, with `row`: (weight.rows) gradient row + 1, or 0
	real l2;                 // adds 2 l2 w to the gradient; not with lazy
	bool first_only;         // lazy with a state that does not decay (adagrad), or none: no catching up
};

// decay^waited.
static inline real optimizer_decay(const struct optimizer_rows *rows, size_t waited) {
	const size_t last = rows->decay_powers - 1;
	real factor = 1;
	for (; waited > last && factor > 0; waited -= last)
		factor *= rows->decay_power[last];
	return factor > 0 ? factor * rows->decay_power[waited] : 0;
}

struct device; // an opened backend

struct backend {
	struct row row;
	// ERROR_BACKEND when it is not available here. The pool's threads compute (NULL: the caller alone); it must outlive
	// the device.
	bool (*open)(const struct backend *backend, struct pool *pool, struct device **ret, struct error *error);
	void (*close)(struct device *device);
	const char *(*describe)(const struct device *device); // "OpenBLAS 0.3.21 (Haswell), kernels avx2"

	// memory of the device, zeroed; upload and download are copies of bytes
	void *(*allocate)(struct device *device, size_t bytes, struct error *error);
	void (*release)(struct device *device, void *memory);
	void (*upload)(struct device *device, void *to, const void *from, size_t bytes);
	void (*download)(struct device *device, void *to, const void *from, size_t bytes);

	// c = beta c + op(a) op(b)
	void (*gemm)(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a,
	             const struct matrix *b, real beta, const struct matrix *c);
	// y = beta y + s w: (rows, n) from sparse (rows, m) and w (m, n)
	void (*sparse_times)(struct device *device, const struct sparse *s, const struct matrix *w, real beta,
	                     const struct matrix *y);
	// g = transpose(s) y for the touched columns alone: (t->count, n); value is s's, by entry
	void (*transposed_times)(struct device *device, const struct transposed *t, const real *value,
	                         const struct matrix *y, const struct matrix *g);
	// sum of value by touched column: (t->count)
	void (*transposed_sums)(struct device *device, const struct transposed *t, const real *value, real *ret);
	// ret[k] = h[row of k] . w[column of k] + bias[column of k] at the pattern's cells; bias may be NULL
	void (*cells_times)(struct device *device, const struct sparse *pattern, const struct matrix *h,
	                    const struct matrix *w, const real *bias, real *ret);
	// d = value of s at its cells, 0 elsewhere
	void (*densify)(struct device *device, const struct sparse *s, const struct matrix *d);

	void (*add_row)(struct device *device, const real *row, const struct matrix *y); // y[i] += row
	void (*column_sums)(struct device *device, const struct matrix *y, real *ret);   // ret[j] = sum of y[:, j]
	void (*add)(struct device *device, const struct matrix *x, real beta, const struct matrix *y); // y = beta y + x
	void (*activate)(struct device *device, enum activation_id id, real p, const struct matrix *x,
	                 const struct matrix *y);
	// dx = beta dx + dy f'(x, y); x may be NULL where the slope does not need it; dx may be dy with beta 0
	void (*activate_back)(struct device *device, enum activation_id id, real p, const struct matrix *x,
	                      const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx);
	// y = x with dropped cells 0; keep is (rows, columns) bytes, contiguous
	void (*dropout)(struct device *device, const struct dropout_draw *draw, const struct matrix *x,
	                const struct matrix *y, uint8_t *keep);
	void (*dropout_back)(struct device *device, double rate, const uint8_t *keep, const struct matrix *dy, real beta,
	                     const struct matrix *dx);
	// the same for the values of sparse rows: unit = column
	void (*dropout_sparse)(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
	                       real *ret_value);
	// batch statistics, biased variance; running averages updated
	void (*batch_norm)(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
	                   const struct matrix *y);
	void (*batch_norm_running)(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
	                           const struct matrix *y);
	void (*batch_norm_back)(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
	                        const struct matrix *dy, real beta, const struct matrix *dx, real *dgamma,
	                        real *dbeta); // dx may be NULL
	// Sum of the loss over the cells, weighted by row_scale; gradient at the same places. Prediction and gradient are
	// (1, cells) packed in the order of the target's entries, or (rows, columns) when dense.
	double (*loss)(struct device *device, const struct loss_cells *cells, bool packed, const struct matrix *prediction,
	               const struct matrix *gradient);
	// Returns the sum of squared weights before the update where l2 > 0, else 0.
	double (*optimize)(struct device *device, const struct optimizer_rows *rows);
};

extern const struct backend backend_reference, backend_openblas, backend_cuda;
extern const struct registry backend_registry;

#endif
