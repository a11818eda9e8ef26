// See kernels.h. Compiled with -DKERNELS=NAME and the flags of one instruction set.
#include "tensor/kernels.h"

#include "tensor/kernels_softmax.h"
#include "tensor/kernels_vector.h"
#include "tensor/philox.h"

#include <string.h>

// --- products ---

// Entries ahead whose row is asked for: the weights' table may be large, a batch's rows lie in the cache.
enum { AHEAD = 6 };

// Rows of a table and what they are multiplied by, entry by entry.
struct summands {
	const real *table;
	size_t stride;
	const uint32_t *row; // which row
	const real *value;   // times value[k], or where `place` is known value[place[k]]
	const uint32_t *place;
	uint32_t last; // entries there are
};
static inline struct summands weight_rows(const struct sparse *s, const struct matrix *w) {
	return (struct summands){w->data, w->stride, s->column, s->value, NULL, s->start[s->rows]};
}
static inline struct summands batch_rows(const struct transposed *t, const real *value, const struct matrix *y) {
	return (struct summands){y->data, y->stride, t->row, value, t->entry, t->start[t->count]};
}
ALWAYS_INLINE const real *summand(const struct summands *c, uint32_t k) {
	return c->table + c->row[k] * c->stride;
}
ALWAYS_INLINE real factor_of(const struct summands *c, uint32_t k) {
	return c->value[c->place ? c->place[k] : k];
}

// Some vectors of columns, from the j-th on: out = beta out + bias + sum of factor(k) * summand(k) over k in [begin,
// end); the sums stay in registers.
ALWAYS_INLINE void sum_vectors(const struct summands *c, uint32_t begin, uint32_t end, const real *bias, real beta,
                               real *restrict out, size_t j, size_t vectors) {
	lanes a[VECTORS];
	_Pragma("GCC unroll 16") for (size_t v = 0; v < vectors; v++) a[v] = bias ? load(bias + j + v * LANES) : (lanes){0};
	for (uint32_t k = begin; k < end; k++) {
		const real *restrict w = summand(c, k) + j;
		const lanes scale = factor_of(c, k) - (lanes){0};
		if (vectors == VECTORS && k + AHEAD < c->last)
			fetch(summand(c, k + AHEAD) + j, CHUNK);
		_Pragma("GCC unroll 16") for (size_t v = 0; v < vectors; v++) a[v] += scale * load(w + v * LANES);
	}
	if (beta != 0)
		_Pragma("GCC unroll 16") for (size_t v = 0; v < vectors; v++) a[v] += beta * load(out + j + v * LANES);
	_Pragma("GCC unroll 16") for (size_t v = 0; v < vectors; v++) store(out + j + v * LANES, a[v]);
}

// The same of n columns. A weighted sum of rows is both the forward product and, over the transposed pattern, the
// gradient.
ALWAYS_INLINE void sum_rows(const struct summands *c, uint32_t begin, uint32_t end, const real *bias, real beta,
                            real *restrict out, size_t n) {
	size_t j = 0;
	for (; j + CHUNK <= n; j += CHUNK)
		sum_vectors(c, begin, end, bias, beta, out, j, VECTORS);
	for (; j + 2 * LANES <= n; j += 2 * LANES)
		sum_vectors(c, begin, end, bias, beta, out, j, 2);
	for (; j + LANES <= n; j += LANES)
		sum_vectors(c, begin, end, bias, beta, out, j, 1);
	for (; j < n; j++) {
		real a = bias ? bias[j] : 0;
		for (uint32_t k = begin; k < end; k++)
			a += factor_of(c, k) * summand(c, k)[j];
		out[j] = beta != 0 ? a + beta * out[j] : a;
	}
}

ALWAYS_INLINE void sparse_times_by(const struct sparse *s, const struct matrix *w, const real *bias, real beta,
                                   const struct matrix *y, size_t n) {
	const struct summands rows = weight_rows(s, w);
	for (size_t i = 0; i < s->rows; i++)
		sum_rows(&rows, s->start[i], s->start[i + 1], bias, beta, row_of(y, i), n);
}

static void sparse_times(const struct sparse *s, const struct matrix *w, const real *bias, real beta,
                         const struct matrix *y) {
	BY_USUAL_WIDTH(y->columns, N, sparse_times_by(s, w, bias, beta, y, N));
}

static void transposed_times(const struct transposed *t, const uint32_t *place, const real *value,
                             const struct matrix *y, real beta, const struct matrix *g) {
	const struct summands rows = batch_rows(t, value, y);
	for (size_t i = 0; i < t->count; i++)
		sum_rows(&rows, t->start[i], t->start[i + 1], NULL, beta, row_of(g, place ? place[i] : i), g->columns);
}

static inline real dot(const real *restrict x, const real *restrict y, size_t n) {
	lanes a0 = {0}, a1 = {0};
	size_t j = 0;
	for (; j + 2 * LANES <= n; j += 2 * LANES) {
		a0 += load(x + j) * load(y + j);
		a1 += load(x + j + LANES) * load(y + j + LANES);
	}
	if (j + LANES <= n) {
		a0 += load(x + j) * load(y + j);
		j += LANES;
	}
	real tail = 0;
	for (; j < n; j++)
		tail += x[j] * y[j];
	return sum_of(a0 + a1) + tail;
}

// The cells of one row, whose chunk of h stays in registers.
static inline void chunk_cells(const struct sparse *pattern, size_t i, const real *x, const struct matrix *w,
                               real *restrict ret) {
	lanes h[VECTORS];
	const uint32_t last = pattern->start[pattern->rows];
	EACH_VECTOR(v) h[v] = load(x + v * LANES);
	for (uint32_t k = pattern->start[i]; k < pattern->start[i + 1]; k++) {
		const real *y = row_of(w, pattern->column[k]);
		lanes a[2] = {{0}};
		if (k + AHEAD < last)
			fetch(row_of(w, pattern->column[k + AHEAD]), CHUNK);
		EACH_VECTOR(v) a[v % 2] += h[v] * load(y + v * LANES);
		ret[k] = sum_of(a[0] + a[1]);
	}
}

static void cells_times(const struct sparse *pattern, const struct matrix *h, const struct matrix *w, real *ret) {
	for (size_t i = 0; i < pattern->rows; i++) {
		const real *x = row_of(h, i);
		if (h->columns == CHUNK)
			chunk_cells(pattern, i, x, w, ret);
		else
			for (uint32_t k = pattern->start[i]; k < pattern->start[i + 1]; k++)
				ret[k] = dot(x, row_of(w, pattern->column[k]), h->columns);
	}
}

static void cells_sum(const struct sparse *pattern, const struct matrix *parts, const real *bias, real *ret) {
	uint32_t first = pattern->start[0], end = pattern->start[pattern->rows];
	for (uint32_t k = first; k < end; k++)
		ret[k] = bias ? bias[pattern->column[k]] : 0;
	for (size_t p = 0; p < parts->rows; p++) {
		const real *restrict part = row_of(parts, p);
		for (uint32_t k = first; k < end; k++)
			ret[k] += part[k];
	}
}

// --- element maps ---

static void spread(const real *row, const struct matrix *y) {
	for (size_t i = 0; i < y->rows; i++)
		memcpy(row_of(y, i), row, y->columns * sizeof(real));
}

static void add(const struct matrix *x, real beta, const struct matrix *y) {
	for (size_t i = 0; i < y->rows; i++) {
		const real *restrict from = row_of(x, i);
		real *restrict to = row_of(y, i);
		if (beta == 0)
			memcpy(to, from, y->columns * sizeof(real));
		else
			for (size_t j = 0; j < y->columns; j++)
				to[j] = beta * to[j] + from[j];
	}
}

ALWAYS_INLINE void activate_chunk(enum activation_id id, real p, const real *x, real *y, size_t n) {
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		IN_PLACE ROLLED for (size_t j = 0; j < n; j++) y[j] = name##_value(x[j], p);                                   \
		break;
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
}

static void activate(enum activation_id id, real p, const struct matrix *x, const struct matrix *y) {
	for (size_t i = 0; i < y->rows; i++)
		EACH_CHUNK(y->columns, first, n)
	BY_USUAL_WIDTH(n, N, activate_chunk(id, p, row_of(x, i) + first, row_of(y, i) + first, N));
}

// dx may be dy.
ALWAYS_INLINE void activate_back_chunk(enum activation_id id, real p, const real *x, const real *y, const real *dy,
                                       real beta, real *dx, size_t n) {
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		if (beta == 0) {                                                                                               \
			IN_PLACE ROLLED for (size_t j = 0; j < n; j++) dx[j] =                                                     \
			    dy[j] * name##_slope((needs_x) ? x[j] : 0, y[j], p);                                                   \
		} else {                                                                                                       \
			IN_PLACE ROLLED for (size_t j = 0; j < n; j++) dx[j] =                                                     \
			    beta * dx[j] + dy[j] * name##_slope((needs_x) ? x[j] : 0, y[j], p);                                    \
		}                                                                                                              \
		break;
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
}

static void activate_back(enum activation_id id, real p, const struct matrix *x, const struct matrix *y,
                          const struct matrix *dy, real beta, const struct matrix *dx) {
	for (size_t i = 0; i < y->rows; i++)
		EACH_CHUNK(y->columns, first, n)
	BY_USUAL_WIDTH(n, N,
	               activate_back_chunk(id, p, x ? row_of(x, i) + first : NULL, row_of(y, i) + first,
	                                   row_of(dy, i) + first, beta, row_of(dx, i) + first, N));
}

// The bits of units [unit, unit + 64) of a row; they lie in two chunks where unit is no multiple of 64.
static inline uint64_t keep_bits(const struct philox_dropout *d, uint32_t row, uint32_t unit) {
	uint32_t chunk = unit / PHILOX_CHUNK, shift = unit % PHILOX_CHUNK;
	uint64_t bits = philox_keep_chunk(d, row, chunk);
	return shift ? bits >> shift | philox_keep_chunk(d, row, chunk + 1) << (PHILOX_CHUNK - shift) : bits;
}

static inline size_t chunk_of(size_t columns, size_t j) {
	return columns - j < PHILOX_CHUNK ? columns - j : PHILOX_CHUNK;
}

static void dropout(const struct dropout_draw *draw, const struct matrix *x, const struct matrix *y, uint64_t *keep,
                    size_t keep_stride) {
	const struct philox_dropout d = philox_dropout_make(draw->stream, draw->epoch, philox_threshold(draw->rate));
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j += PHILOX_CHUNK) {
			const real *from = row_of(x, i) + j;
			real *to = row_of(y, i) + j;
			uint32_t unit = draw->unit + (uint32_t)j;
			uint64_t *bits = &keep[i * keep_stride + j / PHILOX_CHUNK];
			if (y->columns - j >= PHILOX_CHUNK && unit % PHILOX_CHUNK == 0) {
				struct philox_chunk draws;
				philox_chunks(&d, draw->row[i], unit / PHILOX_CHUNK, 1, &draws);
				*bits = philox_apply_draws(&draws, d.threshold, from, draw->scale, to);
				continue;
			}
			*bits = keep_bits(&d, draw->row[i], unit);
			philox_apply(*bits, chunk_of(y->columns, j), from, draw->scale, to);
		}
}

static void dropout_back(real scale, const uint64_t *keep, size_t keep_stride, const struct matrix *dy, real beta,
                         const struct matrix *dx) {
	for (size_t i = 0; i < dy->rows; i++)
		philox_dropout_row_back(keep + i * keep_stride, dy->columns, row_of(dy, i), scale, beta, row_of(dx, i));
}

static void dropout_sparse(const struct dropout_draw *draw, const struct sparse *s, real *ret_value) {
	const struct philox_dropout d = philox_dropout_make(draw->stream, draw->epoch, philox_threshold(draw->rate));
	for (size_t i = 0; i < s->rows; i++) {
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k += PHILOX_CHUNK) {
			uint32_t count = s->start[i + 1] - k < PHILOX_CHUNK ? s->start[i + 1] - k : PHILOX_CHUNK;
			uint64_t bits = philox_keep_units(&d, draw->row[i], s->column + k, count);
			for (uint32_t e = 0; e < count; e++)
				ret_value[k + e] = bits >> e & 1 ? s->value[k + e] * draw->scale : 0;
		}
	}
}

// --- whole rows ---

#include "tensor/kernels_gaussian.h"
#include "tensor/kernels_rows.h"

// --- statistics of columns: each range is swept row by row, a chunk of columns at a time ---

ALWAYS_INLINE void column_sums_chunk(const struct matrix *y, size_t first, real *restrict sum, size_t n) {
	memset(sum, 0, n * sizeof(real));
	for (size_t i = 0; i < y->rows; i++) {
		const real *restrict row = row_of(y, i) + first;
		for (size_t j = 0; j < n; j++)
			sum[j] += row[j];
	}
}

static void column_sums(const struct matrix *y, real *ret) {
	EACH_CHUNK(y->columns, first, n) {
		real sum[CHUNK];
		BY_WIDTH(n, N, column_sums_chunk(y, first, sum, N));
		memcpy(ret + first, sum, n * sizeof(real));
	}
}

// Means and squares of the rows so far, in state->mean and state->inverse_deviation, joined with those of a block of
// rows (Chan, Golub and LeVeque 1979): squares around the block's own mean, so that no large numbers cancel.
ALWAYS_INLINE void batch_norm_gather_chunk(const struct batch_norm_state *s, size_t before, const struct matrix *input,
                                           size_t first, size_t n) {
	const real rows = (real)input->rows, share = rows / ((real)before + rows), weight = (real)before * share;
	real mean[CHUNK], squares[CHUNK] = {0};
	real *restrict all_mean = s->mean + first, *restrict all_squares = s->inverse_deviation + first;
	column_sums_chunk(input, first, mean, n);
	for (size_t j = 0; j < n; j++)
		mean[j] /= rows;
	for (size_t i = 0; i < input->rows; i++) {
		const real *restrict x = row_of(input, i) + first;
		for (size_t j = 0; j < n; j++)
			squares[j] += (x[j] - mean[j]) * (x[j] - mean[j]);
	}
	for (size_t j = 0; j < n; j++) {
		real difference = before ? mean[j] - all_mean[j] : 0;
		all_mean[j] = before ? all_mean[j] + difference * share : mean[j];
		all_squares[j] = (before ? all_squares[j] : 0) + squares[j] + difference * difference * weight;
	}
}

static void batch_norm_gather(const struct batch_norm_state *state, size_t before, const struct matrix *x) {
	EACH_CHUNK(x->columns, first, n)
	BY_WIDTH(n, N, batch_norm_gather_chunk(state, before, x, first, N));
}

static void batch_norm_finish(const struct batch_norm_state *s, size_t rows, size_t columns) {
	for (size_t j = 0; j < columns; j++) {
		real variance = s->inverse_deviation[j] / (real)rows;
		s->inverse_deviation[j] = 1 / real_sqrt(variance + s->epsilon);
		s->running_mean[j] += (1 - s->momentum) * (s->mean[j] - s->running_mean[j]);
		s->running_variance[j] += (1 - s->momentum) * (variance - s->running_variance[j]);
	}
}

// y = (x - mean) scale + shift; output may be input.
ALWAYS_INLINE void normalize_chunk(const struct matrix *input, const struct matrix *output, size_t first,
                                   const real *restrict mean, const real *restrict scale, const real *restrict shift,
                                   size_t n) {
	for (size_t i = 0; i < input->rows; i++) {
		const real *x = row_of(input, i) + first;
		real *y = row_of(output, i) + first;
		IN_PLACE
		for (size_t j = 0; j < n; j++)
			y[j] = (x[j] - mean[j]) * scale[j] + shift[j];
	}
}

static void batch_norm(const struct batch_norm_state *s, const struct matrix *input, const struct matrix *output) {
	EACH_CHUNK(input->columns, first, n) {
		real scale[CHUNK];
		for (size_t j = 0; j < n; j++)
			scale[j] = s->gamma[first + j] * s->inverse_deviation[first + j];
		BY_WIDTH(n, N, normalize_chunk(input, output, first, s->mean + first, scale, s->beta + first, N));
	}
}

static void batch_norm_running(const struct batch_norm_state *s, const struct matrix *input,
                               const struct matrix *output) {
	EACH_CHUNK(input->columns, first, n) {
		real scale[CHUNK];
		for (size_t j = 0; j < n; j++)
			scale[j] = s->gamma[first + j] / real_sqrt(s->running_variance[first + j] + s->epsilon);
		BY_WIDTH(n, N, normalize_chunk(input, output, first, s->running_mean + first, scale, s->beta + first, N));
	}
}

ALWAYS_INLINE void batch_norm_back_gather_chunk(const struct batch_norm_state *s, size_t before,
                                                const struct matrix *input, const struct matrix *gradient, size_t first,
                                                real *restrict dgamma, real *restrict dbeta, size_t n) {
	const real *restrict mean = s->mean + first;
	real sum[CHUNK] = {0}, product[CHUNK] = {0};
	for (size_t i = 0; i < input->rows; i++) {
		const real *restrict x = row_of(input, i) + first, *restrict dy = row_of(gradient, i) + first;
		for (size_t j = 0; j < n; j++) {
			sum[j] += dy[j];
			product[j] += dy[j] * (x[j] - mean[j]);
		}
	}
	for (size_t j = 0; j < n; j++) {
		dbeta[j] = (before ? dbeta[j] : 0) + sum[j];
		dgamma[j] = (before ? dgamma[j] : 0) + product[j] * s->inverse_deviation[first + j];
	}
}

static void batch_norm_back_gather(const struct batch_norm_state *s, size_t before, const struct matrix *input,
                                   const struct matrix *gradient, real *dgamma, real *dbeta) {
	EACH_CHUNK(input->columns, first, n)
	BY_WIDTH(n, N, batch_norm_back_gather_chunk(s, before, input, gradient, first, dgamma + first, dbeta + first, N));
}

// dx = scale (dy - (dbeta + z dgamma) / rows), z = (x - mean) inverse; dx may be dy.
ALWAYS_INLINE void batch_norm_back_chunk(const struct batch_norm_state *s, size_t rows, const real *dgamma,
                                         const real *dbeta, const struct matrix *input, const struct matrix *gradient,
                                         real beta, const struct matrix *ret, size_t first, size_t n) {
	const real *restrict mean = s->mean + first;
	real scale[CHUNK], slope[CHUNK], shift[CHUNK];
	for (size_t j = 0; j < n; j++) {
		scale[j] = s->gamma[first + j] * s->inverse_deviation[first + j];
		shift[j] = scale[j] * dbeta[first + j] / (real)rows;
		slope[j] = scale[j] * s->inverse_deviation[first + j] * dgamma[first + j] / (real)rows;
	}
	for (size_t i = 0; i < input->rows; i++) {
		const real *x = row_of(input, i) + first, *dy = row_of(gradient, i) + first;
		real *dx = row_of(ret, i) + first;
		if (beta == 0) {
			IN_PLACE
			for (size_t j = 0; j < n; j++)
				dx[j] = scale[j] * dy[j] - (x[j] - mean[j]) * slope[j] - shift[j];
		} else {
			IN_PLACE
			for (size_t j = 0; j < n; j++)
				dx[j] = beta * dx[j] + scale[j] * dy[j] - (x[j] - mean[j]) * slope[j] - shift[j];
		}
	}
}

static void batch_norm_back(const struct batch_norm_state *s, size_t rows, const real *dgamma, const real *dbeta,
                            const struct matrix *input, const struct matrix *gradient, real beta,
                            const struct matrix *ret) {
	EACH_CHUNK(input->columns, first, n)
	BY_WIDTH(n, N, batch_norm_back_chunk(s, rows, dgamma, dbeta, input, gradient, beta, ret, first, N));
}

// --- loss ---

// One cell, with its weight.
static inline double one_cell(const struct loss_cells *c, real y, real t, real weight, real scale, real *g) {
	switch (c->id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		*g = scale * weight * name##_slope(y, t, c->p);                                                                \
		return (double)weight * (double)name##_loss(y, t, c->p);
		CELL_LOSSES(X)
#undef X
	case CELL_LOSS_COUNT:
		break;
	}
	return 0;
}

static inline double stored_cell(const struct loss_cells *c, real y, real t, real scale, real *g) {
	return one_cell(c, y, t, loss_weight(c, t), scale, g);
}

// Every cell as if nothing were stored there.
static double zero_targets(const struct loss_cells *c, const real *restrict y, size_t n, real scale, real *restrict g) {
	const real p = c->p, weighted = scale * c->unobserved;
	double total = 0;
	for (size_t first = 0; first < n; first += CHUNK) {
		size_t count = n - first < CHUNK ? n - first : CHUNK;
		real loss[CHUNK];
		switch (c->id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		for (size_t j = 0; j < count; j++) {                                                                           \
			loss[j] = name##_loss(y[first + j], 0, p);                                                                 \
			g[first + j] = weighted * name##_slope(y[first + j], 0, p);                                                \
		}                                                                                                              \
		break;
			CELL_LOSSES(X)
#undef X
		case CELL_LOSS_COUNT:
			return 0;
		}
		real sum = 0;
		for (size_t j = 0; j < count; j++)
			sum += loss[j];
		total += sum;
	}
	return (double)c->unobserved * total;
}

static double packed_row(const struct loss_cells *c, size_t i, const real *restrict y, real *restrict g) {
	const real scale = (real)loss_scale(c, i);
	double sum = 0;
	for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++)
		sum += stored_cell(c, y[k], c->target->value[k], scale, &g[k]);
	return sum;
}

// Columns [first, first + n) of a row: all as if nothing were stored, then what is.
static double dense_row(const struct loss_cells *c, size_t i, size_t first, const real *y, real *g, size_t n) {
	const real scale = (real)loss_scale(c, i);
	double sum = 0;
	if (c->all)
		sum = zero_targets(c, y, n, scale, g);
	else
		memset(g, 0, n * sizeof(real));
	for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++) {
		size_t column = c->target->column[k] - first; // below first it is huge
		real ignored;
		if (column >= n)
			continue;
		if (c->all)
			sum -= one_cell(c, y[column], 0, c->unobserved, scale, &ignored);
		sum += stored_cell(c, y[column], c->target->value[k], scale, &g[column]);
	}
	return sum;
}

static void loss(const struct loss_cells *cells, bool packed, size_t first, const struct matrix *prediction,
                 const struct matrix *gradient, double *ret_sum) {
	for (size_t i = 0; i < cells->target->rows; i++)
		ret_sum[i] = loss_scale(cells, i) * (packed ? packed_row(cells, i, prediction->data, gradient->data)
		                                            : dense_row(cells, i, first, row_of(prediction, i),
		                                                        row_of(gradient, i), prediction->columns));
}

// --- optimizers ---

// A row's weights with their state, where a function works on them.
struct places {
	real *w, *s, *d; // (n) each
};

// In place of the state that an optimizer does not keep: written to, and read times 0.
struct absent {
	real s[CHUNK], d[CHUNK];
};

// The wait and the update of one number while it is in registers.
#define UPDATE_LOOP(name)                                                                                              \
	IN_PLACE                                                                                                           \
	for (size_t j = 0; j < n; j++) {                                                                                   \
		real weight = w[j], state = s[j], other = d[j];                                                                \
		name##_wait(&f, &weight, &state, &other);                                                                      \
		name##_update(&numbers, &weight, &state, &other, g[j] + l2 * weight);                                          \
		w[j] = weight;                                                                                                 \
		s[j] = state;                                                                                                  \
		d[j] = other;                                                                                                  \
	}

static const struct waiting no_wait = {.state = 1};

// Catches up with a wait, and updates.
static inline __attribute__((always_inline)) void update_loop(enum optimizer_id id, const struct optimizer_rows *rows,
                                                              const struct waiting *waited, struct places at,
                                                              const real *restrict g, size_t n) {
	const struct optimizer_numbers numbers = rows->numbers;
	const struct waiting f = *waited;
	const real l2 = 2 * rows->l2;
	real *restrict w = at.w, *restrict s = at.s, *restrict d = at.d;
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		UPDATE_LOOP(name)                                                                                              \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

// n at most CHUNK; the loops of the usual widths have no ends to look after.
static inline void update(const struct optimizer_rows *rows, const struct waiting *waited, struct places at,
                          const real *restrict g, size_t n) {
	if (n == CHUNK)
		update_loop(rows->id, rows, waited, at, g, CHUNK);
	else if (n == CHUNK / 4)
		update_loop(rows->id, rows, waited, at, g, CHUNK / 4);
	else
		update_loop(rows->id, rows, waited, at, g, n);
}

static inline void wait(const struct optimizer_rows *rows, const struct waiting *f, struct places at, size_t n) {
	real *restrict w = at.w, *restrict s = at.s, *restrict d = at.d;
	switch (rows->id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		for (size_t j = 0; j < n; j++)                                                                                 \
			name##_wait(f, &w[j], &s[j], &d[j]);                                                                       \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

static inline struct places places_of(const struct optimizer_rows *rows, size_t row, size_t column,
                                      struct absent *absent) {
	size_t place = row * rows->weight.stride + column;
	return (struct places){&rows->weight.data[place], rows->state[0] ? &rows->state[0][place] : absent->s,
	                       rows->state[1] ? &rows->state[1][place] : absent->d};
}

static inline double squares_of(const real *w, size_t n) {
	double sum = 0;
	for (size_t j = 0; j < n; j++)
		sum += (double)w[j] * w[j];
	return sum;
}

static double optimize(const struct optimizer_rows *rows, const struct matrix *gradient) {
	double squares = 0;
	struct absent absent = {{0}, {0}};
	for (size_t i = 0; i < rows->weight.rows; i++) {
		if (rows->l2 > 0)
			squares += squares_of(row_of(&rows->weight, i), rows->weight.columns);
		EACH_CHUNK(rows->weight.columns, first, n)
		update(rows, &no_wait, places_of(rows, i, first, &absent), row_of(gradient, i) + first, n);
	}
	return squares;
}

// The gradient of weights whose rows a batch touched: sums of value times rows of y.
struct batch_gradient {
	const struct transposed *t;
	const real *value;
	const struct matrix *y;
};

// One row: its gradient (the sum over the touched place's entries, or 0 where it has none) a chunk at a time, and the
// update with it at once.
static inline void step_row(const struct optimizer_rows *rows, size_t row, const struct batch_gradient *gradient,
                            size_t place, bool touched, const struct waiting *waited, struct absent *absent) {
	uint32_t begin = touched ? gradient->t->start[place] : 0, end = touched ? gradient->t->start[place + 1] : 0;
	EACH_CHUNK(rows->weight.columns, first, n) {
		real g[CHUNK];
		struct places at = places_of(rows, row, first, absent);
		struct matrix y = matrix_part(gradient->y, 0, gradient->y->rows, first, n);
		struct summands part = batch_rows(gradient->t, gradient->value, &y);
		sum_rows(&part, begin, end, NULL, 0, g, n);
		update(rows, waited, at, g, n);
	}
}

// Touched places ahead whose row and state are asked for: the rows lie anywhere in a large table.
enum { ROWS_AHEAD = 8 };

static inline __attribute__((always_inline)) void fetch_places(const struct optimizer_rows *rows, size_t row,
                                                               size_t first, size_t n) {
	size_t place = row * rows->weight.stride + first;
	fetch(&rows->weight.data[place], n);
	for (size_t i = 0; i < 2; i++)
		if (rows->state[i])
			fetch(&rows->state[i][place], n);
}

// A chunk of the columns of all touched rows. Its numbers are copies, so that nothing that is stored can change them.
ALWAYS_INLINE void step_lazily_by(enum optimizer_id id, const struct optimizer_rows *all,
                                  const struct batch_gradient *gradient, size_t first, size_t n, double *before,
                                  double *after) {
	const struct optimizer_rows rows = *all;
	const struct transposed t = *gradient->t;
	const struct matrix y = matrix_part(gradient->y, 0, gradient->y->rows, first, n);
	const struct summands part = batch_rows(&t, gradient->value, &y);
	struct absent absent = {{0}, {0}};
	double squares[2] = {0};
	real g[CHUNK];
	for (size_t i = 0; i < t.count; i++) {
		struct places at = places_of(&rows, t.column[i], first, &absent);
		struct waiting f = no_wait;
		if (i + ROWS_AHEAD < t.count)
			fetch_places(&rows, t.column[i + ROWS_AHEAD], first, n);
		sum_rows(&part, t.start[i], t.start[i + 1], NULL, 0, g, n);
		if (!rows.caught_up)
			f = waiting_of(rows.waiting, t.waited[i]);
		squares[0] += rows.l2 > 0 ? squares_of(at.w, n) : 0;
		update_loop(id, &rows, &f, at, g, n);
		squares[1] += rows.l2 > 0 ? squares_of(at.w, n) : 0;
	}
	*before += squares[0];
	*after += squares[1];
}

static void step_lazily_chunk(const struct optimizer_rows *rows, const struct batch_gradient *gradient, size_t first,
                              size_t n, double *before, double *after) {
	switch (rows->id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		if (n == CHUNK)                                                                                                \
			step_lazily_by(OPTIMIZER_##NAME, rows, gradient, first, CHUNK, before, after);                             \
		else if (n == CHUNK / 4)                                                                                       \
			step_lazily_by(OPTIMIZER_##NAME, rows, gradient, first, CHUNK / 4, before, after);                         \
		else                                                                                                           \
			step_lazily_by(OPTIMIZER_##NAME, rows, gradient, first, n, before, after);                                 \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

// The squares of all rows before the step, where some were updated whose squares were and are these.
static double note_squares(const struct optimizer_rows *rows, double before, double after) {
	double all = rows->l2 > 0 ? *rows->squares : 0;
	if (rows->l2 > 0) { // plain sgd: the others shrink by 1 - 2 rate l2
		double shrink = 1 - 2 * (double)rows->numbers.rate * (double)rows->l2;
		*rows->squares = (all - before) * shrink * shrink + after;
	}
	return all;
}

static double step_lazily(const struct optimizer_rows *rows, const struct batch_gradient *gradient) {
	double before = 0, after = 0;
	EACH_CHUNK(rows->weight.columns, first, n)
	step_lazily_chunk(rows, gradient, first, n, &before, &after);
	return note_squares(rows, before, after);
}

static double step_all(const struct optimizer_rows *rows, const struct batch_gradient *gradient) {
	double squares = 0;
	struct absent absent = {{0}, {0}};
	for (size_t row = 0; row < rows->weight.rows; row++) {
		size_t place;
		bool touched = transposed_find(gradient->t, row, &place);
		if (rows->l2 > 0)
			squares += squares_of(row_of(&rows->weight, row), rows->weight.columns);
		step_row(rows, row, gradient, place, touched, &no_wait, &absent);
	}
	return squares;
}

// Weights (rows, 1), a chunk of touched rows at a time: collected, updated side by side, put back.
static void step_column_chunk(const struct optimizer_rows *rows, const struct transposed *t, const real *value,
                              size_t first, size_t n, double *before, double *after) {
	real w[CHUNK], s[CHUNK], d[CHUNK], g[CHUNK];
	struct absent absent = {{0}, {0}};
	for (size_t i = 0; i < n; i++) {
		struct places at = places_of(rows, t->column[first + i], 0, &absent);
		if (!rows->caught_up && t->waited[first + i]) {
			struct waiting f = waiting_of(rows->waiting, t->waited[first + i]);
			wait(rows, &f, at, 1);
		}
		w[i] = *at.w;
		s[i] = *at.s;
		d[i] = *at.d;
		g[i] = 0;
		for (uint32_t k = t->start[first + i]; k < t->start[first + i + 1]; k++)
			g[i] += value[t->entry[k]];
	}
	*before += rows->l2 > 0 ? squares_of(w, n) : 0;
	update(rows, &no_wait, (struct places){w, s, d}, g, n);
	*after += rows->l2 > 0 ? squares_of(w, n) : 0;
	for (size_t i = 0; i < n; i++) {
		struct places at = places_of(rows, t->column[first + i], 0, &absent);
		*at.w = w[i];
		*at.s = s[i];
		*at.d = d[i];
	}
}

static double step_column_lazily(const struct optimizer_rows *rows, const struct transposed *t, const real *value) {
	double before = 0, after = 0;
	EACH_CHUNK(t->count, first, n)
	step_column_chunk(rows, t, value, first, n, &before, &after);
	return note_squares(rows, before, after);
}

static double step_column_all(const struct optimizer_rows *rows, const struct transposed *t, const real *value) {
	double squares = 0;
	struct absent absent = {{0}, {0}};
	for (size_t row = 0; row < rows->weight.rows; row++) {
		size_t place;
		real g = 0;
		if (transposed_find(t, row, &place))
			for (uint32_t k = t->start[place]; k < t->start[place + 1]; k++)
				g += value[t->entry[k]];
		squares += rows->l2 > 0 ? squares_of(row_of(&rows->weight, row), 1) : 0;
		update(rows, &no_wait, places_of(rows, row, 0, &absent), &g, 1);
	}
	return squares;
}

static double optimize_touched(const struct optimizer_rows *rows, const struct transposed *t, const real *value,
                               const struct matrix *y) {
	const struct batch_gradient gradient = {t, value, y};
	if (y)
		return rows->lazy ? step_lazily(rows, &gradient) : step_all(rows, &gradient);
	return rows->lazy ? step_column_lazily(rows, t, value) : step_column_all(rows, t, value);
}

#include "tensor/kernels_listed.h"

static void catch_up(const struct optimizer_rows *rows, const uint32_t *row, const uint32_t *waited, size_t count) {
	struct absent absent = {{0}, {0}};
	for (size_t i = 0; i < count; i++) {
		if (!waited[i])
			continue;
		struct waiting f = waiting_of(rows->waiting, waited[i]);
		EACH_CHUNK(rows->weight.columns, first, n)
		wait(rows, &f, places_of(rows, row ? row[i] : i, first, &absent), n);
	}
}

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .sparse_times = sparse_times,
    .transposed_times = transposed_times,
    .cells_times = cells_times,
    .cells_sum = cells_sum,
    .spread = spread,
    .add = add,
    .activate = activate,
    .activate_back = activate_back,
    .dropout = dropout,
    .dropout_back = dropout_back,
    .dropout_sparse = dropout_sparse,
    .column_sums = column_sums,
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
    .softmax_back = softmax_back,
    .optimize = optimize,
    .optimize_touched = optimize_touched,
    .optimize_listed = optimize_listed,
    .squares = squares,
    .scale = scale,
    .catch_up = catch_up,
};
