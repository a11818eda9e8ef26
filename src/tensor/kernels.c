// See kernels.h. Compiled with -DKERNELS=NAME and the flags of one instruction set. The vector type is sixteen numbers
// wide whatever the machine; the compiler lowers it to what the instruction set has.
#include "tensor/kernels.h"

#include <string.h>

enum { LANES = 16, CHUNK = 4 * LANES };
typedef real lanes __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

static inline lanes load(const real *p) {
	return *(const lanes *)p;
}
static inline void store(real *p, lanes v) {
	*(lanes *)p = v;
}
static inline real *row_of(const struct matrix *m, size_t i) {
	return &m->data[i * m->stride];
}

// In a fixed order: halves onto halves.
static inline real sum_of(lanes v) {
	real t[LANES];
	store(t, v);
	for (size_t width = LANES / 2; width; width /= 2)
		for (size_t i = 0; i < width; i++)
			t[i] += t[i + width];
	return t[0];
}

// --- products ---

// out[0, n) = beta out + sum of scale(k) * row(k)[0, n) over k in [begin, end); the sums of a chunk of columns stay in
// registers. A weighted sum of rows is both the forward product and, over the transposed pattern, the gradient.
#define WEIGHTED_ROWS(NAME, CONTEXT, SCALE, ROW)                                                                       \
	static inline void NAME(const CONTEXT *c, uint32_t begin, uint32_t end, real beta, real *restrict out, size_t n) { \
		size_t j = 0;                                                                                                  \
		for (; j + CHUNK <= n; j += CHUNK) {                                                                           \
			lanes a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0};                                                              \
			for (uint32_t k = begin; k < end; k++) {                                                                   \
				const real *restrict w = (ROW) + j;                                                                    \
				real scale = (SCALE);                                                                                  \
				a0 += scale * load(w);                                                                                 \
				a1 += scale * load(w + LANES);                                                                         \
				a2 += scale * load(w + 2 * LANES);                                                                     \
				a3 += scale * load(w + 3 * LANES);                                                                     \
			}                                                                                                          \
			if (beta != 0) {                                                                                           \
				a0 += beta * load(out + j);                                                                            \
				a1 += beta * load(out + j + LANES);                                                                    \
				a2 += beta * load(out + j + 2 * LANES);                                                                \
				a3 += beta * load(out + j + 3 * LANES);                                                                \
			}                                                                                                          \
			store(out + j, a0);                                                                                        \
			store(out + j + LANES, a1);                                                                                \
			store(out + j + 2 * LANES, a2);                                                                            \
			store(out + j + 3 * LANES, a3);                                                                            \
		}                                                                                                              \
		for (; j + LANES <= n; j += LANES) {                                                                           \
			lanes a = {0};                                                                                             \
			for (uint32_t k = begin; k < end; k++)                                                                     \
				a += (SCALE)*load((ROW) + j);                                                                          \
			if (beta != 0)                                                                                             \
				a += beta * load(out + j);                                                                             \
			store(out + j, a);                                                                                         \
		}                                                                                                              \
		for (; j < n; j++) {                                                                                           \
			real a = 0;                                                                                                \
			for (uint32_t k = begin; k < end; k++)                                                                     \
				a += (SCALE) * (ROW)[j];                                                                               \
			out[j] = beta != 0 ? a + beta * out[j] : a;                                                                \
		}                                                                                                              \
	}

WEIGHTED_ROWS(sum_weight_rows, struct sparse_times_args, c->s->value[k], row_of(c->w, c->s->column[k]))
WEIGHTED_ROWS(sum_batch_rows, struct transposed_times_args, c->value[c->t->entry[k]], row_of(c->y, c->t->row[k]))

static void sparse_times(const void *args, size_t begin, size_t end) {
	const struct sparse_times_args *a = args;
	for (size_t i = begin; i < end; i++)
		sum_weight_rows(a, a->s->start[i], a->s->start[i + 1], a->beta, row_of(a->y, i), a->y->columns);
}

static void transposed_times(const void *args, size_t begin, size_t end) {
	const struct transposed_times_args *a = args;
	for (size_t i = begin; i < end; i++)
		sum_batch_rows(a, a->t->start[i], a->t->start[i + 1], 0, row_of(a->g, i), a->g->columns);
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

static void cells_times(const void *args, size_t begin, size_t end) {
	const struct cells_times_args *a = args;
	for (size_t i = begin; i < end; i++) {
		const real *h = row_of(a->h, i);
		for (uint32_t k = a->pattern->start[i]; k < a->pattern->start[i + 1]; k++) {
			uint32_t column = a->pattern->column[k];
			a->ret[k] = dot(h, row_of(a->w, column), a->h->columns) + (a->bias ? a->bias[column] : 0);
		}
	}
}

// --- element maps ---

static void add_row(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	for (size_t i = begin; i < end; i++) {
		real *restrict y = row_of(a->y, i);
		for (size_t j = 0; j < a->y->columns; j++)
			y[j] += a->row[j];
	}
}

static void add(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	for (size_t i = begin; i < end; i++) {
		const real *restrict x = row_of(a->x, i);
		real *restrict y = row_of(a->y, i);
		if (a->beta == 0)
			memcpy(y, x, a->y->columns * sizeof(real));
		else
			for (size_t j = 0; j < a->y->columns; j++)
				y[j] = a->beta * y[j] + x[j];
	}
}

static void activate(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	const real p = a->p;
	for (size_t i = begin; i < end; i++) {
		const real *x = row_of(a->x, i);
		real *y = row_of(a->y, i);
		switch (a->id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		for (size_t j = 0; j < a->y->columns; j++)                                                                     \
			y[j] = name##_value(x[j], p);                                                                              \
		break;
			ACTIVATIONS(X)
#undef X
		case ACTIVATION_COUNT:
			break;
		}
	}
}

static void activate_back_row(const struct map_args *a, size_t i, const real *x) {
	const real *y = row_of(a->y, i), *dy = row_of(a->dy, i), p = a->p, beta = a->beta;
	real *dx = row_of(a->dx, i);
	switch (a->id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		for (size_t j = 0; j < a->y->columns; j++) {                                                                   \
			real d = dy[j] * name##_slope((needs_x) ? x[j] : 0, y[j], p);                                              \
			dx[j] = beta == 0 ? d : beta * dx[j] + d;                                                                  \
		}                                                                                                              \
		break;
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
}

static void activate_back(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	for (size_t i = begin; i < end; i++)
		activate_back_row(a, i, a->x ? row_of(a->x, i) : NULL);
}

static void dropout(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	const uint32_t threshold = dropout_threshold(a->draw->rate);
	const real scale = dropout_scale(a->draw->rate);
	enum { DRAWS = 256 };
	uint32_t draws[DRAWS];
	size_t n = a->y->columns;
	for (size_t i = begin; i < end; i++) {
		for (size_t first = 0; first < n; first += DRAWS) {
			size_t count = n - first < DRAWS ? n - first : DRAWS;
			random_fill(a->draw->stream, a->draw->epoch, a->draw->row[i], (uint32_t)first, (uint32_t)count, draws);
			const real *restrict x = row_of(a->x, i) + first;
			real *restrict y = row_of(a->y, i) + first;
			uint8_t *restrict keep = a->keep + i * n + first;
			for (size_t j = 0; j < count; j++) {
				keep[j] = draws[j] >= threshold;
				y[j] = draws[j] >= threshold ? x[j] * scale : 0;
			}
		}
	}
}

static void dropout_back(const void *args, size_t begin, size_t end) {
	const struct map_args *a = args;
	const real scale = dropout_scale(a->rate), beta = a->beta;
	size_t n = a->dy->columns;
	for (size_t i = begin; i < end; i++) {
		const real *dy = row_of(a->dy, i);
		real *dx = row_of(a->dx, i);
		const uint8_t *keep = a->keep + i * n;
		for (size_t j = 0; j < n; j++) {
			real d = keep[j] ? dy[j] * scale : 0;
			dx[j] = beta == 0 ? d : beta * dx[j] + d;
		}
	}
}

// --- statistics of columns: each range is swept row by row, a chunk of columns at a time ---

static void column_sums_chunk(const struct matrix *y, size_t first, size_t n, real *restrict sum) {
	memset(sum, 0, n * sizeof(real));
	for (size_t i = 0; i < y->rows; i++) {
		const real *restrict row = row_of(y, i) + first;
		for (size_t j = 0; j < n; j++)
			sum[j] += row[j];
	}
}

#define EACH_CHUNK(begin, end, first, n)                                                                               \
	for (size_t first = (begin), n; first < (end) && (n = (end)-first < CHUNK ? (end)-first : CHUNK, true);            \
	     first += CHUNK)

static void column_sums(const void *args, size_t begin, size_t end) {
	const struct column_sums_args *a = args;
	EACH_CHUNK(begin, end, first, n) {
		real sum[CHUNK];
		column_sums_chunk(a->y, first, n, sum);
		memcpy(a->ret + first, sum, n * sizeof(real));
	}
}

static void batch_norm_chunk(const struct batch_norm_args *a, size_t first, size_t n) {
	const struct batch_norm_state *s = a->state;
	const real count = (real)a->x->rows;
	real mean[CHUNK], variance[CHUNK] = {0}, scale[CHUNK], shift[CHUNK];
	column_sums_chunk(a->x, first, n, mean);
	for (size_t j = 0; j < n; j++)
		mean[j] /= count;
	for (size_t i = 0; i < a->x->rows; i++) {
		const real *restrict x = row_of(a->x, i) + first;
		for (size_t j = 0; j < n; j++)
			variance[j] += (x[j] - mean[j]) * (x[j] - mean[j]);
	}
	for (size_t j = 0; j < n; j++) {
		variance[j] /= count;
		real inverse = 1 / real_sqrt(variance[j] + s->epsilon);
		s->mean[first + j] = mean[j];
		s->inverse_deviation[first + j] = inverse;
		s->running_mean[first + j] += (1 - s->momentum) * (mean[j] - s->running_mean[first + j]);
		s->running_variance[first + j] += (1 - s->momentum) * (variance[j] - s->running_variance[first + j]);
		scale[j] = s->gamma[first + j] * inverse;
		shift[j] = s->beta[first + j];
	}
	for (size_t i = 0; i < a->x->rows; i++) {
		const real *restrict x = row_of(a->x, i) + first;
		real *restrict y = row_of(a->y, i) + first;
		for (size_t j = 0; j < n; j++)
			y[j] = (x[j] - mean[j]) * scale[j] + shift[j];
	}
}

static void batch_norm(const void *args, size_t begin, size_t end) {
	EACH_CHUNK(begin, end, first, n)
	batch_norm_chunk(args, first, n);
}

static void batch_norm_running(const void *args, size_t begin, size_t end) {
	const struct batch_norm_args *a = args;
	const struct batch_norm_state *s = a->state;
	EACH_CHUNK(begin, end, first, n) {
		real scale[CHUNK];
		for (size_t j = 0; j < n; j++)
			scale[j] = s->gamma[first + j] / real_sqrt(s->running_variance[first + j] + s->epsilon);
		for (size_t i = 0; i < a->x->rows; i++) {
			const real *x = row_of(a->x, i) + first;
			real *y = row_of(a->y, i) + first;
			for (size_t j = 0; j < n; j++)
				y[j] = (x[j] - s->running_mean[first + j]) * scale[j] + s->beta[first + j];
		}
	}
}

static void batch_norm_back_chunk(const struct batch_norm_args *a, size_t first, size_t n) {
	const struct batch_norm_state *s = a->state;
	const real *restrict mean = s->mean + first, *restrict inverse = s->inverse_deviation + first;
	const real count = (real)a->x->rows, beta = a->beta;
	real sum[CHUNK] = {0}, product[CHUNK] = {0};
	for (size_t i = 0; i < a->x->rows; i++) {
		const real *restrict x = row_of(a->x, i) + first, *restrict dy = row_of(a->dy, i) + first;
		for (size_t j = 0; j < n; j++) {
			sum[j] += dy[j];
			product[j] += dy[j] * ((x[j] - mean[j]) * inverse[j]);
		}
	}
	memcpy(a->dbeta + first, sum, n * sizeof(real));
	memcpy(a->dgamma + first, product, n * sizeof(real));
	for (size_t i = 0; a->dx && i < a->x->rows; i++) {
		const real *x = row_of(a->x, i) + first, *dy = row_of(a->dy, i) + first;
		real *dx = row_of(a->dx, i) + first;
		for (size_t j = 0; j < n; j++) {
			real z = (x[j] - mean[j]) * inverse[j];
			real d = s->gamma[first + j] * inverse[j] * (dy[j] - (sum[j] + z * product[j]) / count);
			dx[j] = beta == 0 ? d : beta * dx[j] + d;
		}
	}
}

static void batch_norm_back(const void *args, size_t begin, size_t end) {
	EACH_CHUNK(begin, end, first, n)
	batch_norm_back_chunk(args, first, n);
}

// --- loss ---

static inline double stored_cell(enum cell_loss_id id, real y, real t, real scale, real *g) {
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		*g = scale * name##_slope(y, t);                                                                               \
		return (double)name##_loss(y, t);
		CELL_LOSSES(X)
#undef X
	case CELL_LOSS_COUNT:
		break;
	}
	return 0;
}

// Every cell as if its target were 0.
static double zero_targets(enum cell_loss_id id, const real *restrict y, size_t n, real scale, real *restrict g) {
	double total = 0;
	for (size_t first = 0; first < n; first += CHUNK) {
		size_t count = n - first < CHUNK ? n - first : CHUNK;
		real loss[CHUNK];
		switch (id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		for (size_t j = 0; j < count; j++) {                                                                           \
			loss[j] = name##_loss(y[first + j], 0);                                                                    \
			g[first + j] = scale * name##_slope(y[first + j], 0);                                                      \
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
	return total;
}

static double loss_row(const struct loss_args *a, size_t i) {
	const struct loss_cells *c = a->cells;
	real scale = c->row_scale[i];
	double sum = 0;
	if (a->packed) {
		for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++)
			sum += stored_cell(c->id, a->prediction->data[k], c->target->value[k], scale, &a->gradient->data[k]);
		return sum;
	}
	const real *y = row_of(a->prediction, i);
	real *g = row_of(a->gradient, i);
	if (c->all)
		sum = zero_targets(c->id, y, a->prediction->columns, scale, g);
	else
		memset(g, 0, a->gradient->columns * sizeof(real));
	for (uint32_t k = c->target->start[i]; k < c->target->start[i + 1]; k++) {
		uint32_t column = c->target->column[k];
		real ignored;
		if (c->all)
			sum -= stored_cell(c->id, y[column], 0, scale, &ignored);
		sum += stored_cell(c->id, y[column], c->target->value[k], scale, &g[column]);
	}
	return sum;
}

static void loss(const void *args, size_t begin, size_t end) {
	const struct loss_args *a = args;
	for (size_t i = begin; i < end; i++)
		a->row_sum[i] = (double)a->cells->row_scale[i] * loss_row(a, i);
}

// --- optimizers ---

// One row of weights. The absent parts of the state are a local that nobody reads again.
#define UPDATE_LOOP(name, S, D)                                                                                        \
	for (size_t j = 0; j < n; j++) {                                                                                   \
		real absent_s = 0, absent_d = 0;                                                                               \
		(void)absent_s, (void)absent_d;                                                                                \
		name##_update(&numbers, &w[j], S, D, (g ? g[j] : 0) + l2 * w[j]);                                              \
	}

static void update_row(const struct optimizer_rows *rows, size_t row, const real *restrict g) {
	const struct optimizer_numbers numbers = rows->numbers;
	const size_t n = rows->weight.columns, place = row * rows->weight.stride;
	const real l2 = 2 * rows->l2;
	real *restrict w = &rows->weight.data[place];
	real *restrict s = rows->state[0] ? &rows->state[0][place] : NULL;
	real *restrict d = rows->state[1] ? &rows->state[1][place] : NULL;
	switch (rows->id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		if (d)                                                                                                         \
			UPDATE_LOOP(name, &s[j], &d[j])                                                                            \
		else if (s)                                                                                                    \
			UPDATE_LOOP(name, &s[j], &absent_d)                                                                        \
		else                                                                                                           \
			UPDATE_LOOP(name, &absent_s, &absent_d)                                                                    \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

static void catch_up(const struct optimizer_rows *rows, size_t row) {
	uint32_t waited = rows->step - 1 - rows->stamp[row];
	rows->stamp[row] = rows->step;
	if (!waited || rows->first_only)
		return;
	real factor = optimizer_decay(rows, waited);
	for (size_t s = 0; s < 2 && rows->state[s]; s++) {
		real *restrict state = &rows->state[s][row * rows->weight.stride];
		for (size_t j = 0; j < rows->weight.columns; j++)
			state[j] *= factor;
	}
}

static void optimize_lazy(const void *args, size_t begin, size_t end) {
	const struct optimizer_rows *rows = ((const struct optimizer_args *)args)->rows;
	for (size_t i = begin; i < end; i++) {
		catch_up(rows, rows->row[i]);
		update_row(rows, rows->row[i], row_of(&rows->gradient, i));
	}
}

static void optimize_all(const void *args, size_t begin, size_t end) {
	const struct optimizer_args *a = args;
	const struct optimizer_rows *rows = a->rows;
	for (size_t i = begin; i < end; i++) {
		const real *w = row_of(&rows->weight, i), *gradient = NULL;
		double squares = 0;
		for (size_t j = 0; a->row_sum && j < rows->weight.columns; j++)
			squares += (double)w[j] * w[j];
		if (a->row_sum)
			a->row_sum[i] = squares;
		if (!rows->row)
			gradient = row_of(&rows->gradient, i);
		else if (rows->slot[i])
			gradient = row_of(&rows->gradient, rows->slot[i] - 1);
		update_row(rows, i, gradient);
	}
}

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .sparse_times = sparse_times,
    .transposed_times = transposed_times,
    .cells_times = cells_times,
    .add_row = add_row,
    .add = add,
    .activate = activate,
    .activate_back = activate_back,
    .dropout = dropout,
    .dropout_back = dropout_back,
    .column_sums = column_sums,
    .batch_norm = batch_norm,
    .batch_norm_running = batch_norm_running,
    .batch_norm_back = batch_norm_back,
    .loss = loss,
    .optimize_lazy = optimize_lazy,
    .optimize_all = optimize_all,
};
