// The seam between graph and machine: everything the graph asks of a backend. A backend is one static const table; it
// knows tensors and element-wise ids, and nothing of graphs, nodes or experiments.
//
// A device has a team of threads. Every function on tensors is called by one member for a part of the work, a range of
// rows or of columns, and computes it alone: each output element belongs to one call, with a fixed order of additions,
// so that results do not depend on the number of threads. Matrices are row-major with a stride, so that a range of one
// is a matrix too; a range of sparse rows has a later `start`.
//
// A device may have memory of its own. Structs and numbers are the host's; what a pointer in such a struct points to
// (matrix.data, start, column, value, row, state, waiting, squares, mean, ...) and every array, those that are written
// to included, is memory of the device, which the host reads and writes through upload and download alone. The
// exceptions are named: struct mixture, and a struct that is part of another one. No function on tensors returns a
// number, waits or fails: sums stay on the device, and what went wrong there is told by sync.
#ifndef AEXP_TENSOR_BACKEND_H
#define AEXP_TENSOR_BACKEND_H

#include "base/error.h"
#include "base/pool.h"
#include "base/random.h"
#include "config/schema.h"
#include "tensor/elementwise.h"
#include "tensor/gaussian.h"
#include "tensor/waiting.h"

#include <stdint.h>

struct matrix {
	real *data;
	size_t rows, columns, stride; // stride >= columns, in elements
};
AEXP_INLINE struct matrix matrix_part(const struct matrix *m, size_t row, size_t rows, size_t column, size_t columns) {
	real *data = m->data ? m->data + row * m->stride + column : NULL; // one without memory has parts without
	return (struct matrix){data, rows, columns, m->stride};
}

// A batch of sparse rows; the pattern is shared by tensors of different values.
struct sparse {
	size_t rows, columns;
	const uint32_t *start;  // (rows + 1)
	const uint32_t *column; // (start[rows]), ascending within a row; indexed by what start holds, like value
	const real *value;      // (start[rows])
};
AEXP_INLINE size_t sparse_count(const struct sparse *s) {
	return s->start[s->rows] - s->start[0];
}
AEXP_INLINE struct sparse sparse_rows(const struct sparse *s, size_t first, size_t rows) {
	return (struct sparse){rows, s->columns, s->start + first, s->column, s->value};
}

// The data's rows of one kind, as a device keeps them for `gather`: an entry is its column and, above, the code of its
// value; where there are too many values or columns for that it is the column, and the value stands beside it.
struct data_rows {
	size_t columns;
	const uint32_t *start; // (rows + 1)
	const uint32_t *entry; // (start[rows])
	const real *value;     // coded: by code; else (start[rows])
	bool coded;
};
enum { ENTRY_COLUMN_BITS = 24 };
AEXP_INLINE uint32_t entry_column(uint32_t entry) {
	return entry & ((1u << ENTRY_COLUMN_BITS) - 1);
}
AEXP_INLINE uint32_t entry_code(uint32_t entry) {
	return entry >> ENTRY_COLUMN_BITS;
}

// A whole number that orders as scores do: NaN before all else, both zeros the same.
AEXP_INLINE uint32_t score_key(real score) {
	union {
		float number;
		uint32_t bits;
	} x;
	x.number = (float)score;
	if (x.number != x.number)
		return 0;
	if (x.number == 0)
		x.bits = 0;
	return x.bits >> 31 ? ~x.bits : x.bits | 0x80000000u;
}

// The same pattern by columns: only the columns that occur ("touched"), each with its entries by ascending row.
struct transposed {
	size_t count;           // touched columns, or the most that there can be; see counted
	const uint32_t *column; // (count), in an order that depends on the pattern alone
	const uint32_t *start;  // (count + 1)
	const uint32_t *row;    // (start[count])
	const uint32_t *entry;  // (start[count]): the place in the sparse rows' arrays
	uint32_t *waited;       // (count): steps since the column was touched last, written by who trains
	// where a column's place is looked up: slot[column] where stamp[column] is `number`, else it is not touched
	const uint32_t *slot, *stamp;
	uint32_t number;
	const uint32_t *counted; // (1) how many there are, where the device made the list; NULL: count
};
// Memory of the device for a list that it makes.
struct transposed_room {
	uint32_t *column, *start, *row, *entry, *waited; // sizes as of struct transposed, of its most
	uint32_t *slot, *stamp;                          // (columns)
	uint32_t *counted;                               // (1)
	uint32_t number;                                 // another one than of the lists before
};
AEXP_INLINE struct transposed transposed_of(const struct transposed_room *room, size_t most) {
	struct transposed t = {most,         room->column, room->start, room->row,    room->entry,
	                       room->waited, room->slot,   room->stamp, room->number, room->counted};
	return t;
}
// Words of memory that `transpose` works with.
AEXP_INLINE size_t transpose_words(size_t entries, size_t columns) {
	size_t touched = columns < entries ? columns : entries;
	return 5 * entries + 2 * touched + entries / 4 + 1024;
}
AEXP_INLINE bool transposed_find(const struct transposed *t, size_t column, size_t *ret_place) {
	*ret_place = t->slot[column];
	return t->stamp[column] == t->number;
}

// Counter-based dropout of one node at one step; element (i, j) is unit j of data row row[i].
struct dropout_draw {
	struct random_stream stream;
	uint32_t epoch;
	const uint32_t *row; // (rows) places in the data
	uint32_t unit;       // of the first column
	double rate;         // dropped with this probability
	real scale;          // what kept ones are multiplied by. Which are kept: tensor/philox.h
};
AEXP_INLINE real dropout_scale(double rate) { // keeps the mean
	return (real)(1 / (1 - rate));
}

// Normal noise in the same way; see random_normal.
struct noise_draw {
	struct random_stream stream;
	uint32_t epoch;
	const uint32_t *row; // (rows) places in the data
	uint32_t unit;       // of the first column
	real sd;             // standard deviation
};

struct batch_norm_state {
	const real *gamma, *beta;              // (columns)
	real *running_mean, *running_variance; // (columns)
	real *mean, *inverse_deviation;        // (columns): of this batch, kept for the way back; see batch_norm_gather
	real momentum, epsilon;
};

// A part of a latent layer (tensor/gaussian.h), all (rows, columns): z = mean + noise exp(log_variance / 2). The old
// ones of a mixture alone.
struct gaussian_values {
	struct matrix mean, log_variance, noise, z, old_mean, old_log_variance;
};
struct gaussian_prior {
	const struct mixture *mixture; // the host's; NULL: the standard normal
	double weight;                 // what a row's divergence is multiplied by,
	const uint32_t *start;         // (rows + 1): times the number of its entries; NULL: that alone
};
AEXP_INLINE double gaussian_weight(const struct gaussian_prior *p, size_t i) {
	return p->start ? p->weight * (double)(p->start[i + 1] - p->start[i]) : p->weight;
}

struct layer_norm_state {
	const real *gamma, *beta; // (columns)
	real *mean, *inverse;     // (rows): of the columns of each, and 1 / sqrt(variance + epsilon), kept for the way back
	real epsilon;
};

// The targets of a loss: stored entries are observed; `all` means every other cell counts too, with target 0.
struct loss_cells {
	enum cell_loss_id id;
	const struct sparse *target;
	bool all;
	double scale;    // what a cell's loss and gradient are multiplied by,
	bool by_row;     // over the number of its row's cells,
	real unobserved; // times this where it is not stored, under `all`,
	real alpha;      // times 1 + alpha * target where it is
	real p;          // of the cell's function
};
// The factor of row i's cells.
AEXP_INLINE double loss_scale(const struct loss_cells *c, size_t i) {
	size_t cells = c->all ? c->target->columns : c->target->start[i + 1] - c->target->start[i];
	return !c->by_row ? c->scale : cells ? c->scale / (double)cells : 0;
}
// The weight of a stored cell among them.
AEXP_INLINE real loss_weight(const struct loss_cells *c, real target) {
	return 1 + c->alpha * target;
}

// Soft-max over the cells of a row that the loss counts: what is known of them in some columns, ...
struct softmax_part {
	double most, sum;   // the largest prediction, and the sum of exp(x - most); no cells: -INFINITY and 0
	double dot, weight; // sums of target times prediction, and of the targets
};
// ... and what a cell's gradient is made of: exponential exp(x - most) - target t.
struct softmax_factors {
	real exponential, target;
};

// Weights to be updated: all rows of `weight`, or the rows that a batch touched.
struct optimizer_rows {
	enum optimizer_id id;
	struct optimizer_numbers numbers;
	struct matrix weight;
	real *state[2]; // same layout as weight; NULL where the optimizer keeps less
	real l2;        // adds 2 l2 w to the gradient
	bool lazy;      // update the touched rows alone, which first catch up with the steps they waited
	bool caught_up; // they did before, or there is nothing to catch up with
	const struct waiting_table *waiting; // lazy
	double *squares; // (1) lazy with l2: the sum of squared weights of all rows as if none waited, kept up to date
};

struct device; // an opened backend

struct backend_options {
	bool tf32; // dense products may round their operands to 10 bits
};

struct backend {
	struct row row;
	const char
	    *plugin; // the table is in the plug-in of this name (tensor/plugin.h) and here only its row; NULL: it is this
	bool apart;  // memory of the device is not the host's; else its pointers are the host's too
	bool whole;  // one member takes whole tensors, all rows and all columns at once
	// ERROR_BACKEND when it is not available here. The pool's threads compute (NULL: the caller alone); it must outlive
	// the device. Of a row of the registry: backend_open.
	bool (*open)(const struct backend *backend, struct pool *pool, const struct backend_options *options,
	             struct device **ret, struct error *error);
	void (*close)(struct device *device);
	const char *(*describe)(const struct device *device); // "OpenBLAS 0.3.21 (Haswell), kernels avx2"
	void (*memory)(const struct device *device, size_t *ret_free, size_t *ret_all); // bytes of the device's memory

	// body(context, member) on every member of the team, and what makes them wait for each other within it
	size_t (*members)(const struct device *device);
	void (*team)(struct device *device, void (*body)(void *context, size_t member), void *context);
	void (*barrier)(struct device *device);

	// Waits until all that was asked for so far is done. False: some of it has failed since the last time.
	bool (*sync)(struct device *device, struct error *error);
	// Memory of the device, zeroed. upload and download copy bytes, in turn with the rest: `from` is free again when
	// upload returns, and download waits for what it reads.
	void *(*allocate)(struct device *device, size_t bytes, struct error *error);
	void (*release)(struct device *device, void *memory);
	void (*upload)(struct device *device, void *to, const void *from, size_t bytes);
	void (*download)(struct device *device, void *to, const void *from, size_t bytes);
	// Has so much memory from now on to work with besides; see tensor/work.h. Where memory is apart alone.
	bool (*reserve)(struct device *device, size_t bytes, struct error *error);
	// An upload that does not wait for what was asked for since the last one into the other half (0 or 1), and for
	// which nothing before it waits: what a half has is read until the next but one is asked for. `from` is free on
	// return.
	void (*upload_ahead)(struct device *device, int half, void *to, const void *from, size_t bytes);
	// body(context), whose calls on tensors are the same ones each time, of one key, though of other shapes and
	// numbers: a device may take them as one. It may call body twice, and then does what it asked for once.
	void (*unit)(struct device *device, const void *key, void (*body)(void *context), void *context);

	// c = beta c + op(a) op(b)
	void (*gemm)(struct device *device, bool transpose_a, bool transpose_b, const struct matrix *a,
	             const struct matrix *b, real beta, const struct matrix *c);
	// y = beta y + bias + s w: (rows, n) from sparse (rows, m), w (m, n) and bias (n), or NULL
	void (*sparse_times)(struct device *device, const struct sparse *s, const struct matrix *w, const real *bias,
	                     real beta, const struct matrix *y);
	// g[place[i]] = beta g + the i-th touched column's row of transpose(s) y; place NULL: i itself. value is s's, by
	// entry
	void (*transposed_times)(struct device *device, const struct transposed *t, const uint32_t *place,
	                         const real *value, const struct matrix *y, real beta, const struct matrix *g);
	// sum of value by touched column: (t->count)
	void (*transposed_sums)(struct device *device, const struct transposed *t, const real *value, real *ret);
	// ret[k] = h[row of k] . w[column of k] at the pattern's cells
	void (*cells_times)(struct device *device, const struct sparse *pattern, const struct matrix *h,
	                    const struct matrix *w, real *ret);
	// ret[k] = sum over the rows of parts (columns: cells), in order, + bias[column of k]; bias may be NULL
	void (*cells_sum)(struct device *device, const struct sparse *pattern, const struct matrix *parts, const real *bias,
	                  real *ret);
	// d = columns [first, first + d->columns) of s: its values at its cells, 0 elsewhere
	void (*densify)(struct device *device, const struct sparse *s, size_t first, const struct matrix *d);
	// the other way: ret[k] = y[row of k][column of k] at the pattern's cells
	void (*pick)(struct device *device, const struct sparse *pattern, const struct matrix *y, real *ret);
	// Rows place[0], place[1], ... of the data, as a batch: ret_start (rows + 1), ret_column and ret_value by entry.
	void (*gather)(struct device *device, const struct data_rows *from, const uint32_t *place, size_t rows,
	               uint32_t *ret_start, uint32_t *ret_column, real *ret_value);
	// The columns that s touches, in order of first appearance (which nobody counts on), their entries by ascending
	// row; entries: how many s has; work: (transpose_words). All of ret but waited is written.
	void (*transpose)(struct device *device, const struct sparse *s, size_t entries, uint32_t *work,
	                  const struct transposed_room *ret);
	// What a or b touches: a's columns in their order, then those that are b's alone in theirs; and the places there of
	// each one's columns. start, row, entry and waited of ret are not written.
	void (*join)(struct device *device, const struct transposed *a, const struct transposed *b, uint32_t *ret_a,
	             uint32_t *ret_b, const struct transposed_room *ret);
	// Of step `now`, how many steps before it each touched column has waited: waited[i] = now - 1 - its stamp, which
	// becomes now. t NULL: all `count` of them, with that step: waited[i] = now - stamp.
	void (*note_waits)(struct device *device, const struct transposed *t, size_t count, uint32_t now, uint32_t *stamp,
	                   uint32_t *waited);

	// The k best columns of each row of y, best first, of those that `out` does not store there: by higher score, of
	// equal ones the lower column; see score_key. ret: (rows, k), 0 beyond
	// ret_count: (rows), which is less than k where there are fewer.
	void (*topk)(struct device *device, const struct matrix *y, const struct sparse *out, size_t k, uint32_t *ret,
	             uint32_t *ret_count);
	// Of each row's pairs of a column that `marked` stores and one that neither does: ret[2 i] is twice the number of
	// those where the marked one's score is higher, and of equal ones that once; ret[2 i + 1] how many columns neither
	// stores. None is in both.
	void (*rank_pairs)(struct device *device, const struct matrix *y, const struct sparse *out,
	                   const struct sparse *marked, double *ret);

	void (*spread)(struct device *device, const real *row, const struct matrix *y); // y[i] = row
	void (*column_sums)(struct device *device, const struct matrix *y, real *ret);  // ret[j] = sum of y[:, j]
	void (*add)(struct device *device, const struct matrix *x, real beta, const struct matrix *y); // y = beta y + x
	void (*activate)(struct device *device, enum activation_id id, real p, const struct matrix *x,
	                 const struct matrix *y);
	// dx = beta dx + dy f'(x, y); x may be NULL where the slope does not need it; dx may be dy with beta 0
	void (*activate_back)(struct device *device, enum activation_id id, real p, const struct matrix *x,
	                      const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx);
	// y = x with dropped cells 0; keep: a bit a cell, 64 to a word, keep_stride words from row to row; y may be x
	void (*dropout)(struct device *device, const struct dropout_draw *draw, const struct matrix *x,
	                const struct matrix *y, uint64_t *keep, size_t keep_stride);
	// dx may be dy with beta 0
	void (*dropout_back)(struct device *device, real scale, const uint64_t *keep, size_t keep_stride,
	                     const struct matrix *dy, real beta, const struct matrix *dx);
	// the same for the values of sparse rows: unit = column
	void (*dropout_sparse)(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
	                       real *ret_value);
	// y = x + sd e with e standard normal; y may be x
	void (*noise)(struct device *device, const struct noise_draw *draw, const struct matrix *x, const struct matrix *y);
	// the same for the values of sparse rows: unit = column
	void (*noise_sparse)(struct device *device, const struct noise_draw *draw, const struct sparse *s, real *ret_value);
	void (*multiply)(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
	                 const struct matrix *y); // y = beta y + a b, element by element
	// Each row over its Euclidean norm, or over epsilon where that is larger; inverse: (rows), what it was multiplied
	// by. y may be x.
	void (*normalize)(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y,
	                  real *inverse);
	// dx = beta dx + inverse (dy - y (y . dy)) by row, without the second term where epsilon was larger; dx may be dy
	// with beta 0
	void (*normalize_back)(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
	                       const struct matrix *dy, real beta, const struct matrix *dx);
	// the same for the values of sparse rows
	void (*normalize_sparse)(struct device *device, const struct sparse *s, real epsilon, real *ret_value);
	// y = gamma z + beta, z = (x - mean) / sqrt(variance + epsilon) of whole rows, biased variance
	void (*layer_norm)(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
	                   const struct matrix *y);
	// dx = beta dx + inverse (g - mean(g) - z mean(g z)) by row, g = gamma dy; dx may be dy with beta 0
	void (*layer_norm_back)(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
	                        const struct matrix *dy, real beta, const struct matrix *dx);
	// the sums over all rows of dy z and of dy, of some columns; gamma and beta are not read
	void (*layer_norm_sums)(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
	                        const struct matrix *dy, real *dgamma, real *dbeta);
	// The noise of a latent layer, sd times a normal draw or 0 without one, and z.
	void (*gaussian)(struct device *device, const struct noise_draw *draw, const struct gaussian_values *values);
	// ret_sum[i]: the divergence of row i's columns from the prior, weighted.
	void (*gaussian_divergence)(struct device *device, const struct gaussian_prior *prior,
	                            const struct gaussian_values *values, double *ret_sum);
	// d = beta d + the gradient of the mean, or of the log variance: dz is that of z, to which the divergence's comes
	void (*gaussian_back)(struct device *device, const struct gaussian_prior *prior,
	                      const struct gaussian_values *values, bool variance, const struct matrix *dz, real beta,
	                      const struct matrix *d);
	// Statistics of a batch's columns, whose rows come in blocks one after the other, `before` of them so far: the
	// mean, and in inverse_deviation the sum of squares around it, which the last call makes what the name says, by the
	// biased variance of all rows; running averages are updated then. After it, y of any rows.
	void (*batch_norm_gather)(struct device *device, const struct batch_norm_state *state, size_t before,
	                          const struct matrix *x);
	void (*batch_norm_finish)(struct device *device, const struct batch_norm_state *state, size_t rows, size_t columns);
	void (*batch_norm)(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
	                   const struct matrix *y);
	void (*batch_norm_running)(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
	                           const struct matrix *y);
	// Back in the same way: the gradients of gamma and beta are sums over blocks of rows, and when all are summed, over
	// `rows` of them, dx = beta dx + the gradient; dx may be dy with beta 0.
	void (*batch_norm_back_gather)(struct device *device, const struct batch_norm_state *state, size_t before,
	                               const struct matrix *x, const struct matrix *dy, real *dgamma, real *dbeta);
	void (*batch_norm_back)(struct device *device, const struct batch_norm_state *state, size_t rows,
	                        const real *dgamma, const real *dbeta, const struct matrix *x, const struct matrix *dy,
	                        real beta, const struct matrix *dx);
	// ret_sum[i]: the loss of row i's cells, weighted by loss_scale; gradient at the same places. Packed: prediction
	// and gradient are the cells in the order of the target's entries. Else they are columns [first, ...) of the rows.
	void (*loss)(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
	             const struct matrix *prediction, const struct matrix *gradient, double *ret_sum);
	// ret[i]: of row i's cells in columns [first, ...) of the rows, or packed as in `loss`; exp(x - most) of each is
	// kept where its gradient will be, 0 where no cell counts.
	void (*softmax_parts)(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
	                      const struct matrix *prediction, const struct matrix *kept, struct softmax_part *ret);
	// Joins each row's parts in `groups` groups of its columns, `stride` apart in parts and in ret_factors, in their
	// order. ret_sum[i]: row i's loss, weighted by loss_scale.
	void (*softmax_join)(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
	                     const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum);
	// Makes the gradient of what was kept there; factors: (rows)
	void (*softmax_back)(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
	                     const struct softmax_factors *factors, const struct matrix *gradient);
	// All rows by their gradient (weight.rows, n). Where l2 > 0, ret (1) is the sum of squared weights before the
	// update, else it may be NULL.
	void (*optimize)(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient,
	                 double *ret);
	// The same with the gradient transpose(s) y of the touched rows, 0 elsewhere, without writing it down. y NULL: the
	// weights are (rows, 1) and the gradient is the sum of the values.
	void (*optimize_touched)(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
	                         const real *value, const struct matrix *y, double *ret);
	// The same with the gradient of the listed rows written down, (list->count, n); 0 elsewhere.
	void (*optimize_listed)(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
	                        const struct matrix *gradient, double *ret);
	void (*squares)(struct device *device, const struct matrix *x, double *ret); // ret[0] = their sum
	// ret[0] = (more ? ret[0] : 0) + factor from[0] + factor from[1] + ..., of `count` numbers, which may be 0
	void (*sum)(struct device *device, double factor, const double *from, size_t count, bool more, double *ret);
	// ret[0] = what a gradient of that sum of squares is multiplied by so that its norm is at most `norm`
	void (*clip)(struct device *device, double norm, const double *squares, double *ret);
	// x = factor x, then no number is beyond `most` on either side; factor: (1) or NULL, 1, and where it is 0 so is x,
	// whatever it was; most 0: as far as they go
	void (*scale)(struct device *device, const double *factor, real most, const struct matrix *x);
	void (*zero)(struct device *device, const struct matrix *x); // x = 0, whatever it was
	// Lazy rows catch up with the steps they waited: row[i], or i where row is NULL, with waited[i] of them.
	void (*catch_up)(struct device *device, const struct optimizer_rows *rows, const uint32_t *row,
	                 const uint32_t *waited, size_t count);
};

extern const struct backend backend_reference, backend_openblas, backend_cuda;
extern const struct registry backend_registry;

// Opens one of the registry, from its plug-in where it is in one: ret_backend is the table that the device is used
// with.
bool backend_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
                  const struct backend **ret_backend, struct device **ret_device, struct error *error);

#endif
