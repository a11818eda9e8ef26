// Every function of the seam: the openblas backend, with each set of kernels that this processor runs, against the
// reference on random shapes. Each case runs on a part of its tensors, as members of a team do, and what is beside the
// part must stay as it was.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/cpu.h"
#include "tensor/kernels.h"

enum { ROUNDS = 45, ROWS_MOST = 300, WIDTH_MOST = 1100, PAD_MOST = 16, POOLS = 4, STEP = 100 };
enum { POOL = 10 * ROWS_MOST * (WIDTH_MOST + PAD_MOST) };

// One round's shapes and numbers. Outputs begin as pool[3], so that what beta keeps, and what a stride skips, is compared.
struct world {
	uint64_t state;
	size_t round, m, n, k, pad;
	struct sparse s, range; // (m, k), and some of its rows
	size_t first;           // row of the range
	struct transposed t;
	uint32_t *row; // (m) places in the data
	real beta;
};
static real *pool[POOLS]; // (POOL) in [-1, 1)

static uint32_t draw(uint64_t *state) {
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}
static size_t draw_below(uint64_t *state, size_t limit) { return draw(state) % limit; }
static real draw_real(uint64_t *state) { return (real)(draw(state) >> 8) / (real)(1 << 23) - 1; }

static struct matrix matrix(real *data, size_t rows, size_t columns, size_t pad) {
	return (struct matrix){ data, rows, columns, columns + pad };
}
static size_t numbers(const struct matrix *m) { return m->rows * m->stride; }

// --- a world ---------------------------------------------------------------------------------------------------------

static void make_sparse(struct world *w, unsigned density) {
	uint32_t *start = memory_alloc((w->m + 1) * sizeof(*start)), *column = memory_alloc(w->m * w->k * sizeof(*column));
	uint32_t count = 0;
	for (size_t i = 0; i < w->m; i++) {
		start[i] = count;
		bool empty = draw_below(&w->state, 4) == 0;
		for (uint32_t j = 0; !empty && j < w->k; j++)
			if (draw_below(&w->state, 100) < density)
				column[count++] = j;
	}
	start[w->m] = count;
	w->s = (struct sparse){ w->m, w->k, start, column, pool[2] };
}

// By the definition: columns in order of first appearance, their entries by row.
static void make_transposed(struct world *w) {
	uint32_t entries = w->s.start[w->m], filled = 0, touched = 0;
	uint32_t *column = memory_alloc((w->k + 1) * sizeof(*column)), *start = memory_alloc((w->k + 2) * sizeof(*start));
	uint32_t *row = memory_alloc((entries + 1) * sizeof(*row)), *entry = memory_alloc((entries + 1) * sizeof(*entry));
	bool *seen = memory_alloc(w->k + 1);
	for (uint32_t k = 0; k < entries; k++) {
		uint32_t c = w->s.column[k];
		if (seen[c])
			continue;
		seen[c] = true;
		start[touched] = filled;
		column[touched++] = c;
		for (uint32_t i = 0; i < w->m; i++)
			for (uint32_t e = w->s.start[i]; e < w->s.start[i + 1]; e++)
				if (w->s.column[e] == c) {
					row[filled] = i;
					entry[filled++] = e;
				}
	}
	start[touched] = filled;
	free(seen);
	uint32_t *slot = memory_alloc((w->k + 1) * sizeof(*slot)), *stamp = memory_alloc((w->k + 1) * sizeof(*stamp));
	uint32_t *waited = memory_alloc((touched + 1) * sizeof(*waited));
	for (uint32_t i = 0; i < touched; i++) {
		slot[column[i]] = i;
		stamp[column[i]] = STEP;
		waited[i] = i % 4 ? i * 7 % 90 : 0;
	}
	w->t = (struct transposed){ touched, column, start, row, entry, waited, slot, stamp, STEP };
}

static void make_world(struct world *w, size_t round) {
	*w = (struct world){ .state = 1000 + round, .round = round };
	bool large = round % 6 == 5;
	w->m = large ? ROWS_MOST : 1 + draw_below(&w->state, 20);
	w->n = round % 10 == 3 ? 1 : 1 + draw_below(&w->state, WIDTH_MOST);
	w->k = round % 10 == 7 ? 1 : 1 + draw_below(&w->state, 200);
	w->pad = draw_below(&w->state, 3) ? draw_below(&w->state, PAD_MOST + 1) : 0;
	w->beta = (real)draw_below(&w->state, 3) / 2;
	make_sparse(w, round % 3 ? 10 : 60);
	make_transposed(w);
	w->first = draw_below(&w->state, w->m);
	w->range = sparse_rows(&w->s, w->first, 1 + draw_below(&w->state, w->m - w->first));
	w->row = memory_alloc(w->m * sizeof(*w->row));
	for (size_t i = 0; i < w->m; i++)
		w->row[i] = draw(&w->state);
}

static void finish_world(struct world *w) {
	const void *parts[] = { w->s.start, w->s.column, w->t.column, w->t.start, w->t.row, w->t.entry, w->t.waited,
		                    w->t.slot, w->t.stamp, w->row };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		free((void *)(uintptr_t)parts[i]);
}

// --- one function of the seam each; they fill `out` and return how much of it counts ------------------------------------

typedef size_t seam_case(const struct backend *b, struct device *d, const struct world *w, real *out);

static size_t run_gemm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool ta = w->round & 1, tb = w->round & 2;
	struct matrix x = matrix(pool[0], ta ? w->k : w->m, ta ? w->m : w->k, w->pad);
	struct matrix y = matrix(pool[1], tb ? w->n : w->k, tb ? w->k : w->n, w->pad), c = matrix(out, w->m, w->n, w->pad);
	b->gemm(d, ta, tb, &x, &y, w->beta, &c);
	return numbers(&c);
}

static size_t run_sparse_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(pool[0], w->k, w->n, w->pad), y = matrix(out, w->m, w->n, w->pad);
	struct matrix part = matrix_part(&y, w->first, w->range.rows, 0, w->n);
	b->sparse_times(d, &w->range, &x, w->round & 1 ? pool[1] + 3 : NULL, w->beta, &part);
	return numbers(&y);
}

static size_t run_transposed_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(pool[0], w->m, w->n, w->pad), g = matrix(out, w->t.count, w->n, w->pad);
	uint32_t *place = memory_alloc((w->t.count + 1) * sizeof(*place)); // the other way round
	for (size_t i = 0; i < w->t.count; i++)
		place[i] = (uint32_t)(w->t.count - 1 - i);
	b->transposed_times(d, &w->t, w->round & 1 ? place : NULL, pool[1], &y, w->beta, &g);
	free(place);
	return numbers(&g);
}

static size_t run_transposed_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	b->transposed_sums(d, &w->t, pool[1], out);
	return w->t.count + 1;
}

static size_t run_cells_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix h = matrix(pool[0], w->m, w->n, w->pad), x = matrix(pool[1], w->k, w->n, w->pad);
	struct matrix part = matrix_part(&h, w->first, w->range.rows, 0, w->n);
	b->cells_times(d, &w->range, &part, &x, out);
	return sparse_count(&w->s) + 1;
}

static size_t run_cells_sum(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix parts = matrix(pool[0], 1 + w->round % 9, sparse_count(&w->s), w->pad);
	b->cells_sum(d, &w->range, &parts, w->round & 1 ? pool[2] + 7 : NULL, out);
	return sparse_count(&w->s) + 1;
}

static size_t run_densify(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(out, w->m, w->k, w->pad);
	size_t column = w->k / 3;
	struct matrix part = matrix_part(&y, w->first, w->range.rows, column, w->k - column - w->k / 5);
	b->densify(d, &w->range, column, &part);
	return numbers(&y);
}

static size_t run_spread(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(out, w->m, w->n, w->pad);
	b->spread(d, pool[0], &y);
	return numbers(&y);
}

static size_t run_column_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(pool[0], w->m, w->n, w->pad);
	b->column_sums(d, &y, out);
	return w->n + 1;
}

static size_t run_add(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(pool[0], w->m, w->n, 0), y = matrix(out, w->m, w->n, w->pad);
	b->add(d, &x, w->beta, &y);
	return numbers(&y);
}

static real parameter_of(size_t activation) {
	return activation == ACTIVATION_LEAKY_RELU ? (real)0.2 : activation == ACTIVATION_ELU ? (real)1.3 : 0;
}

// In place on every other round, as dense nodes do it.
static size_t run_activate(const struct backend *b, struct device *d, const struct world *w, real *out) {
	size_t filled = 0;
	for (size_t id = 0; id < ACTIVATION_COUNT; id++) {
		struct matrix y = matrix(out + filled, w->m, w->n, w->pad), x = w->round & 1 ? y : matrix(pool[0], w->m, w->n, 0);
		b->activate(d, (enum activation_id)id, parameter_of(id), &x, &y);
		filled += numbers(&y);
	}
	return filled;
}

static size_t run_activate_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	size_t filled = 0;
	bool in_place = w->round & 1;
	for (size_t id = 0; id < ACTIVATION_COUNT; id++) {
		struct matrix dx = matrix(out + filled, w->m, w->n, w->pad), x = matrix(pool[0], w->m, w->n, w->pad);
		struct matrix y = matrix(pool[1], w->m, w->n, 0), dy = in_place ? dx : matrix(pool[2], w->m, w->n, w->pad);
		b->activate_back(d, (enum activation_id)id, parameter_of(id), id == ACTIVATION_SWISH ? &x : NULL, &y, &dy,
		                 in_place ? 0 : w->beta, &dx);
		filled += numbers(&dx);
	}
	return filled;
}

static struct dropout_draw draw_of(const struct world *w) {
	static const double rates[] = { 0, 0.2, 0.5, 0.99 };
	return (struct dropout_draw){ .stream = random_stream_make(w->round, "dropout", "node"), .epoch = (uint32_t)w->round,
		                          .row = w->row, .unit = (uint32_t)(w->round % 3 * 40), .rate = rates[w->round % 4], .scale = w->round % 5 ? dropout_scale(rates[w->round % 4]) : 1 };
}

// The bits of a row's last word beyond the width are anybody's.
static size_t run_dropout(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct dropout_draw drawn = draw_of(w);
	struct matrix x = matrix(pool[0], w->m, w->n, 0), y = matrix(out, w->m, w->n, w->pad);
	size_t words = (w->n + 63) / 64;
	uint64_t *keep = memory_alloc(w->m * words * sizeof(*keep));
	b->dropout(d, &drawn, &x, &y, keep, words);
	for (size_t i = 0; i < w->m; i++)
		for (size_t j = 0; j < w->n; j++)
			out[numbers(&y) + i * w->n + j] = (real)(keep[i * words + j / 64] >> j % 64 & 1);
	free(keep);
	return numbers(&y) + w->m * w->n;
}

static size_t run_dropout_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix dy = matrix(pool[0], w->m, w->n, 0), dx = matrix(out, w->m, w->n, w->pad);
	size_t words = (w->n + 63) / 64;
	uint64_t *keep = memory_alloc(w->m * words * sizeof(*keep)), state = w->state;
	for (size_t i = 0; i < w->m * words; i++)
		keep[i] = (uint64_t)draw(&state) << 32 | draw(&state);
	b->dropout_back(d, (real)1.25, keep, words, &dy, w->beta, &dx);
	free(keep);
	return numbers(&dx);
}

static size_t run_dropout_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct dropout_draw drawn = draw_of(w);
	drawn.row += w->first;
	b->dropout_sparse(d, &drawn, &w->range, out);
	return sparse_count(&w->s) + 1;
}

static struct noise_draw noise_of(const struct world *w) {
	return (struct noise_draw){ .stream = random_stream_make(w->round, "noise", "node"), .epoch = (uint32_t)w->round,
		                        .row = w->row, .unit = (uint32_t)(w->round % 3 * 40), .sd = (real)0.5 };
}

// In place on every other round.
static size_t run_noise(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct noise_draw drawn = noise_of(w);
	struct matrix y = matrix(out, w->m, w->n, w->pad), x = w->round & 1 ? y : matrix(pool[0], w->m, w->n, 0);
	b->noise(d, &drawn, &x, &y);
	return numbers(&y);
}

static size_t run_noise_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct noise_draw drawn = noise_of(w);
	drawn.row += w->first;
	b->noise_sparse(d, &drawn, &w->range, out);
	return sparse_count(&w->s) + 1;
}

static size_t run_multiply(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(pool[0], w->m, w->n, 0), z = w->round & 1 ? x : matrix(pool[1], w->m, w->n, w->pad);
	struct matrix y = matrix(out, w->m, w->n, w->pad);
	b->multiply(d, &x, &z, w->beta, &y);
	return numbers(&y);
}

// Every fourth row is 0, every fourth one shorter than epsilon.
static const real shortest = (real)1e-3;
static void fill_rows(const struct world *w, const struct matrix *ret) {
	for (size_t i = 0; i < w->m; i++)
		for (size_t j = 0; j < w->n; j++)
			ret->data[i * ret->stride + j] = pool[0][i * w->n + j] * (i % 4 == 1 ? 0 : i % 4 == 2 ? (real)1e-6 : 1);
}

static size_t run_normalize(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(out, w->m, w->n, w->pad);
	fill_rows(w, &y);
	b->normalize(d, shortest, &y, &y, out + numbers(&y));
	return numbers(&y) + w->m;
}

// Of what was normalised in double: whose gradient is left as it is does not depend on the backend's rounding.
static size_t run_normalize_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool in_place = w->round & 1;
	struct matrix y = matrix(memory_alloc(w->m * w->n * sizeof(real)), w->m, w->n, 0), dx = matrix(out, w->m, w->n, w->pad);
	struct matrix dy = in_place ? dx : matrix(pool[1], w->m, w->n, 0);
	real *inverse = memory_alloc(w->m * sizeof(*inverse));
	fill_rows(w, &y);
	backend_reference.normalize(NULL, shortest, &y, &y, inverse);
	b->normalize_back(d, shortest, &y, inverse, &dy, in_place ? 0 : w->beta, &dx);
	for (size_t i = 0; i < w->m; i++) // of the size that the others are of
		for (size_t j = 0; j < w->n; j++)
			out[i * dx.stride + j] /= inverse[i] > 1 ? inverse[i] : 1;
	free(inverse);
	free(y.data);
	return numbers(&dx);
}

static size_t run_normalize_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	b->normalize_sparse(d, &w->range, w->round & 1 ? shortest : (real)0.9, out);
	return sparse_count(&w->s) + 1;
}

// out: y or dx | mean | inverse deviation
static struct layer_norm_state rows_of(const struct world *w, const struct matrix *y, real *out) {
	struct layer_norm_state state = { .gamma = pool[1] + 3, .beta = pool[2], .mean = out + numbers(y),
		                              .inverse = out + numbers(y) + w->m, .epsilon = (real)1e-2 };
	for (size_t i = 0; i < w->m; i++)
		state.inverse[i] = 1 + real_fabs(state.inverse[i]);
	return state;
}

static size_t run_layer_norm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(out, w->m, w->n, w->pad), x = matrix(pool[0], w->m, w->n, 0);
	struct layer_norm_state state = rows_of(w, &y, out);
	b->layer_norm(d, &state, &x, &y);
	return numbers(&y) + 2 * w->m;
}

static size_t run_layer_norm_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool in_place = w->round & 1;
	struct matrix dx = matrix(out, w->m, w->n, w->pad), x = matrix(pool[0], w->m, w->n, 0);
	struct matrix dy = in_place ? dx : matrix(pool[2], w->m, w->n, 0);
	struct layer_norm_state state = rows_of(w, &dx, out);
	b->layer_norm_back(d, &state, &x, &dy, in_place ? 0 : w->beta, &dx);
	return numbers(&dx) + 2 * w->m;
}

// out: dgamma | dbeta | mean | inverse deviation; some columns
static size_t run_layer_norm_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(pool[0], w->m, w->n, 0), dy = matrix(pool[1], w->m, w->n, w->pad);
	struct matrix none = { out, 1, 2 * w->n, 2 * w->n };
	struct layer_norm_state state = rows_of(w, &none, out);
	size_t first = w->n / 3, columns = w->n - first;
	struct matrix x_part = matrix_part(&x, 0, w->m, first, columns), dy_part = matrix_part(&dy, 0, w->m, first, columns);
	b->layer_norm_sums(d, &state, &x_part, &dy_part, out + first, out + w->n + first);
	return 2 * w->n + 2 * w->m;
}

// out: y or dx | running mean | running variance | mean | inverse deviation | dgamma | dbeta
struct norm {
	struct matrix y;
	struct batch_norm_state state;
	real *vector[6];
	size_t count;
};

static struct norm norm_of(const struct world *w, real *out) {
	struct norm n = { .y = matrix(out, w->m, w->n, w->pad) };
	for (size_t i = 0; i < 6; i++)
		n.vector[i] = out + numbers(&n.y) + i * w->n;
	for (size_t j = 0; j < w->n; j++) {
		n.vector[1][j] = real_fabs(n.vector[1][j]);
		n.vector[3][j] = real_fabs(n.vector[3][j]) + 1;
	}
	n.state = (struct batch_norm_state){ pool[1], pool[2], n.vector[0], n.vector[1], n.vector[2], n.vector[3],
		                                 (real)0.9, (real)1e-3 };
	n.count = numbers(&n.y) + 6 * w->n;
	return n;
}

// The rows in two blocks, as many as the round has it.
static void in_blocks(const struct world *w, struct matrix *ret_first, struct matrix *ret_rest, const struct matrix *x) {
	size_t first = w->round % 3 ? w->round % w->m : 0;
	*ret_first = matrix_part(x, 0, first, 0, x->columns);
	*ret_rest = matrix_part(x, first, x->rows - first, 0, x->columns);
}

static size_t run_batch_norm_gather(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	struct matrix x = matrix(pool[0], w->m, w->n, 0), first, rest;
	in_blocks(w, &first, &rest, &x);
	if (first.rows)
		b->batch_norm_gather(d, &n.state, 0, &first);
	b->batch_norm_gather(d, &n.state, first.rows, &rest);
	return n.count;
}

static size_t run_batch_norm_finish(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	b->batch_norm_finish(d, &n.state, w->m, w->n);
	return n.count;
}

static size_t run_batch_norm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	struct matrix x = matrix(pool[0], w->m, w->n, 0);
	b->batch_norm(d, &n.state, &x, &n.y);
	return n.count;
}

static size_t run_batch_norm_running(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	struct matrix x = matrix(pool[0], w->m, w->n, 0);
	b->batch_norm_running(d, &n.state, &x, &n.y);
	return n.count;
}

static size_t run_batch_norm_back_gather(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	struct matrix x = matrix(pool[0], w->m, w->n, 0), dy = matrix(pool[1] + 5, w->m, w->n, w->pad), x1, x2, dy1, dy2;
	in_blocks(w, &x1, &x2, &x);
	in_blocks(w, &dy1, &dy2, &dy);
	if (x1.rows)
		b->batch_norm_back_gather(d, &n.state, 0, &x1, &dy1, n.vector[4], n.vector[5]);
	b->batch_norm_back_gather(d, &n.state, x1.rows, &x2, &dy2, n.vector[4], n.vector[5]);
	return n.count;
}

static size_t run_batch_norm_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(w, out);
	struct matrix x = matrix(pool[0], w->m, w->n, 0), dy = matrix(pool[1] + 5, w->m, w->n, w->pad);
	b->batch_norm_back(d, &n.state, w->m, n.vector[4], n.vector[5], &x, &dy, w->beta, &n.y);
	return n.count;
}

// Each loss at cells, over the observed cells of a dense one, and over all.
static size_t run_loss(const struct backend *b, struct device *d, const struct world *w, real *out) {
	static real inside[ROWS_MOST * (WIDTH_MOST + PAD_MOST)];
	size_t cells = sparse_count(&w->s), filled = 0;
	real *targets = memory_alloc((cells + 1) * sizeof(*targets));
	for (size_t i = 0; i < cells; i++)
		targets[i] = real_fabs(pool[2][i]);
	for (size_t i = 0; i < w->m * (w->k + w->pad); i++)
		inside[i] = (real)0.05 + (real)0.9 * real_fabs(pool[0][i]);
	struct sparse target = w->s;
	target.value = targets;
	double *sums = memory_alloc(w->range.rows * sizeof(*sums));
	target = sparse_rows(&target, w->first, w->range.rows);
	for (size_t form = 0; form < (size_t)3 * CELL_LOSS_COUNT; form++) {
		struct loss_cells loss = { .id = (enum cell_loss_id)(form / 3), .target = &target, .all = form % 3 == 2, .scale = 0.7,
			                       .by_row = w->round & 1, .unobserved = w->round & 2 ? (real)0.3 : 1,
			                       .alpha = w->round & 4 ? (real)1.5 : 0, .p = (real)0.4 };
		bool packed = form % 3 == 0;
		size_t first = packed ? 0 : w->k / 4;
		struct matrix y = packed ? matrix(inside, 1, cells, 0) : matrix(inside, w->m, w->k, w->pad), g = y;
		g.data = out + filled;
		struct matrix y_part = packed ? y : matrix_part(&y, w->first, target.rows, first, w->k - first);
		struct matrix g_part = packed ? g : matrix_part(&g, w->first, target.rows, first, w->k - first);
		b->loss(d, &loss, packed, first, &y_part, &g_part, sums);
		filled += numbers(&g);
		for (size_t i = 0; i < target.rows; i++)
			out[filled++] = (real)sums[i];
	}
	free(sums);
	free(targets);
	return filled;
}

// Packed, over the stored cells of a dense one, and over all; what is kept, the parts, and the gradient made of both.
static size_t run_softmax(const struct backend *b, struct device *d, const struct world *w, real *out, bool back) {
	size_t cells = sparse_count(&w->s), filled = 0;
	struct sparse target = sparse_rows(&w->s, w->first, w->range.rows);
	struct softmax_part *parts = memory_alloc(target.rows * sizeof(*parts));
	struct softmax_factors *factors = memory_alloc(target.rows * sizeof(*factors));
	for (size_t form = 0; form < 3; form++) {
		struct loss_cells loss = { .target = &target, .all = form == 2 };
		bool packed = form == 0;
		size_t first = packed ? 0 : w->k / 4;
		struct matrix x = packed ? matrix(pool[0], 1, cells, 0) : matrix(pool[0], w->m, w->k, w->pad), g = x;
		g.data = out + filled;
		struct matrix x_part = packed ? x : matrix_part(&x, w->first, target.rows, first, w->k - first);
		struct matrix g_part = packed ? g : matrix_part(&g, w->first, target.rows, first, w->k - first);
		b->softmax_parts(d, &loss, packed, first, &x_part, &g_part, parts);
		for (size_t i = 0; i < target.rows; i++)
			factors[i] = (struct softmax_factors){ (real)(parts[i].weight / (parts[i].sum + 1)), (real)0.3 };
		if (back)
			b->softmax_back(d, &loss, packed, first, factors, &g_part);
		filled += numbers(&g);
		for (size_t i = 0; i < target.rows; i++) {
			out[filled++] = isinf(parts[i].most) ? -100 : (real)parts[i].most;
			out[filled++] = (real)parts[i].sum;
			out[filled++] = (real)parts[i].dot;
			out[filled++] = (real)parts[i].weight;
		}
	}
	free(parts);
	free(factors);
	return filled;
}
static size_t run_softmax_parts(const struct backend *b, struct device *d, const struct world *w, real *out) {
	return run_softmax(b, d, w, out, false);
}
static size_t run_softmax_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	return run_softmax(b, d, w, out, true);
}

// Groups of one width whose parts were made by hand; the last row has no cell.
static size_t run_softmax_join(const struct backend *b, struct device *d, const struct world *w, real *out) {
	enum { GROUPS = 3, JOINED_MOST = ROWS_MOST };
	static struct softmax_part parts[GROUPS * JOINED_MOST];
	static struct softmax_factors factors[GROUPS * JOINED_MOST];
	double sum[JOINED_MOST];
	struct loss_cells loss = { .target = &w->range, .scale = 0.3, .by_row = w->round & 1 };
	size_t rows = w->range.rows, filled = 0;
	for (size_t i = 0; i < GROUPS * rows; i++)
		parts[i] = i % rows + 1 == rows ? (struct softmax_part){ .most = -INFINITY }
		                                : (struct softmax_part){ 3 * (double)pool[0][i], 1 + fabs((double)pool[1][i]),
		                                                         (double)pool[2][i], fabs((double)pool[3][i]) };
	b->softmax_join(d, &loss, GROUPS, rows, parts, factors, sum);
	for (size_t i = 0; i < GROUPS * rows; i++) {
		out[filled++] = factors[i].exponential;
		out[filled++] = factors[i].target;
	}
	for (size_t i = 0; i < rows; i++)
		out[filled++] = (real)sum[i];
	return filled;
}

static size_t run_pick(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(pool[0], w->m, w->k, w->pad), part = matrix_part(&y, w->first, w->range.rows, 0, w->k);
	b->pick(d, &w->range, &part, out);
	return w->s.start[w->m];
}

static size_t run_note_places(const struct backend *b, struct device *d, const struct world *w, real *out) {
	uint32_t *place = memory_alloc(2 * w->k * sizeof(*place));
	b->note_places(d, w->t.column, w->t.count, STEP + 1, place, place + w->k);
	for (size_t i = 0; i < 2 * w->k; i++)
		out[i] = (real)place[i];
	free(place);
	return 2 * w->k;
}

static size_t run_sum(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double from[ROWS_MOST], sum = 0.5;
	for (size_t i = 0; i < w->m; i++)
		from[i] = (double)pool[0][i];
	b->sum(d, 0.7, from, w->round % 7 ? w->m : 0, w->round & 1, &sum);
	out[0] = (real)sum;
	return 1;
}

static size_t run_clip(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double squares = w->round % 3 ? (double)w->round : 0, factor;
	b->clip(d, 2.5, &squares, &factor);
	out[0] = (real)factor;
	return 1;
}

static size_t run_zero(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(out, w->m, w->n, w->pad);
	x.data[w->n / 2] = NAN;
	b->zero(d, &x);
	return numbers(&x);
}

// out: weights | state | state | sum of squares before | and after
static struct optimizer_rows optimizer_of(const struct world *w, bool lazy, size_t columns, real *out,
                                          struct waiting_table *waiting, double *squares) {
	struct optimizer_rows rows = {
		.id = (enum optimizer_id)(w->round % OPTIMIZER_COUNT),
		.numbers = { .rate = (real)0.1, .epsilon = (real)1e-6, .decay = (real)0.9, .decay_square = (real)0.99,
		             .correction = 2, .correction_square = 3, .nesterov = (real)(w->round / 15 & 1),
		             .weight_decay = (real)0.3, .smaller = (real)0.5, .larger = (real)1.2, .least = (real)0.05,
		             .most = (real)0.8 },
		.weight = matrix(out, w->k, columns, w->pad),
		.waiting = waiting,
		.squares = squares,
	};
	size_t size = numbers(&rows.weight);
	rows.lazy = lazy && waiting_exact(rows.id, 0);
	if (rows.lazy && rows.id == OPTIMIZER_SGD && w->round / 5 & 1)
		rows.numbers.decay = 0;
	if (!rows.lazy || (rows.id == OPTIMIZER_SGD && rows.numbers.decay == 0))
		rows.l2 = (real)0.01 * (real)(w->round / 2 & 1);
	rows.caught_up = rows.lazy && (rows.id == OPTIMIZER_SGD || rows.id == OPTIMIZER_ADAGRAD);
	for (size_t i = 0; i < 2; i++)
		rows.state[i] = out + (i + 1) * size;
	for (size_t i = size; i < 3 * size; i++)
		out[i] = real_fabs(out[i]);
	if (rows.lazy)
		waiting_table_init(waiting, rows.id, &rows.numbers, rows.l2);
	*squares = 0;
	for (size_t i = 0; i < w->k * rows.weight.stride; i++)
		*squares += i % rows.weight.stride < columns ? (double)out[i] * (double)out[i] : 0;
	return rows;
}

static struct waiting_table waiting;

static size_t run_optimize(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double squares, before = 0;
	struct optimizer_rows rows = optimizer_of(w, false, w->n, out, &waiting, &squares);
	size_t size = numbers(&rows.weight);
	struct matrix gradient = matrix(pool[1], w->k, w->n, w->pad);
	b->optimize(d, &rows, &gradient, rows.l2 > 0 ? &before : NULL);
	out[3 * size] = (real)before;
	return 3 * size + 1;
}

// Lazily and all rows, matrices and single columns.
static size_t run_optimize_touched(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double squares, before = 0;
	bool column = w->round % 7 == 2;
	struct optimizer_rows rows = optimizer_of(w, w->round % 4 < 2, column ? 1 : w->n, out, &waiting, &squares);
	size_t size = numbers(&rows.weight);
	struct matrix y = matrix(pool[1], w->m, w->n, w->pad);
	b->optimize_touched(d, &rows, &w->t, pool[0], column ? NULL : &y, rows.l2 > 0 ? &before : NULL);
	out[3 * size] = (real)before;
	out[3 * size + 1] = (real)(rows.lazy && rows.l2 > 0 ? squares : 0);
	return 3 * size + 2;
}

static size_t run_optimize_listed(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double squares, before = 0;
	bool column = w->round % 7 == 2;
	struct optimizer_rows rows = optimizer_of(w, w->round % 4 < 2, column ? 1 : w->n, out, &waiting, &squares);
	size_t size = numbers(&rows.weight);
	struct matrix gradient = matrix(pool[1], w->t.count, column ? 1 : w->n, w->pad);
	b->optimize_listed(d, &rows, &w->t, &gradient, rows.l2 > 0 ? &before : NULL);
	out[3 * size] = (real)before;
	out[3 * size + 1] = (real)(rows.lazy && rows.l2 > 0 ? squares : 0);
	return 3 * size + 2;
}

static size_t run_squares(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(pool[0], w->m, w->n, w->pad);
	double sum;
	b->squares(d, &x, &sum);
	out[0] = (real)sum;
	return 1;
}

static size_t run_scale(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(out, w->m, w->n, w->pad);
	if (w->round % 4 == 2 && w->round % 5 != 1)
		x.data[w->n / 2] = NAN;
	const double factor = w->round % 4 == 2 ? 0 : 1.5;
	b->scale(d, w->round % 5 == 1 ? NULL : &factor, w->beta / 2, &x);
	return numbers(&x);
}

static size_t run_catch_up(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double squares;
	struct optimizer_rows rows = optimizer_of(w, true, w->n, out, &waiting, &squares);
	if (rows.lazy)
		b->catch_up(d, &rows, w->t.column, w->t.waited, w->t.count);
	return 3 * numbers(&rows.weight);
}

// With a mixture as the prior on every other round; its old distribution is as any other.
static struct gaussian_values gaussian_of(const struct world *w, real *out, size_t *ret_count) {
	struct gaussian_values g = { .mean = matrix(pool[0], w->m, w->n, 0), .log_variance = matrix(pool[1], w->m, w->n, w->pad),
		                         .noise = matrix(out, w->m, w->n, w->pad), .old_mean = matrix(pool[2], w->m, w->n, 0),
		                         .old_log_variance = matrix(pool[2] + 7, w->m, w->n, 1) };
	g.z = matrix(out + numbers(&g.noise), w->m, w->n, 0);
	*ret_count = numbers(&g.noise) + numbers(&g.z);
	return g;
}

static struct gaussian_prior prior_of(const struct world *w, struct mixture *mixture) {
	*mixture = (struct mixture){ { (real)log(0.2), w->round % 4 > 1 ? (real)log(0.8) : -INFINITY, (real)log(0.1) }, 3 };
	return (struct gaussian_prior){ w->round & 1 ? mixture : NULL, 0.1, w->round % 5 ? w->s.start : NULL };
}

static size_t run_gaussian(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct noise_draw draw = { random_stream_make(w->round, "gaussian", "z"), 3, w->row, (uint32_t)w->round, (real)0.7 };
	size_t count;
	struct gaussian_values g = gaussian_of(w, out, &count);
	b->gaussian(d, w->round % 5 ? &draw : NULL, &g);
	return count;
}

static size_t run_gaussian_divergence(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double sum[ROWS_MOST];
	struct mixture mixture;
	struct gaussian_prior prior = prior_of(w, &mixture);
	size_t count;
	struct gaussian_values g = gaussian_of(w, out, &count);
	b->gaussian_divergence(d, &prior, &g, sum);
	for (size_t i = 0; i < w->m; i++)
		out[count++] = (real)(sum[i] / (double)w->n);
	return count;
}

static size_t run_gaussian_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct mixture mixture;
	struct gaussian_prior prior = prior_of(w, &mixture);
	size_t count;
	struct gaussian_values g = gaussian_of(w, out, &count);
	struct matrix dz = matrix(pool[0] + 3, w->m, w->n, w->pad), to = matrix(out + count, w->m, w->n, w->pad);
	b->gaussian_back(d, &prior, &g, w->round % 3 > 0, &dz, w->beta, &to);
	return count + numbers(&to);
}

static const struct {
	const char *name;
	seam_case *run;
	bool exact; // the reference's very bits
} cases[] = {
	{ "gemm", run_gemm, false },
	{ "sparse_times", run_sparse_times, false },
	{ "transposed_times", run_transposed_times, false },
	{ "transposed_sums", run_transposed_sums, false },
	{ "cells_times", run_cells_times, false },
	{ "cells_sum", run_cells_sum, false },
	{ "densify", run_densify, true },
	{ "pick", run_pick, true },
	{ "note_places", run_note_places, true },
	{ "spread", run_spread, true },
	{ "column_sums", run_column_sums, false },
	{ "add", run_add, false },
	{ "activate", run_activate, false },
	{ "activate_back", run_activate_back, false },
	{ "dropout", run_dropout, true },
	{ "dropout_back", run_dropout_back, false },
	{ "dropout_sparse", run_dropout_sparse, true },
	{ "noise", run_noise, false },
	{ "noise_sparse", run_noise_sparse, false },
	{ "multiply", run_multiply, false },
	{ "normalize", run_normalize, false },
	{ "normalize_back", run_normalize_back, false },
	{ "normalize_sparse", run_normalize_sparse, false },
	{ "layer_norm", run_layer_norm, false },
	{ "layer_norm_back", run_layer_norm_back, false },
	{ "layer_norm_sums", run_layer_norm_sums, false },
	{ "gaussian", run_gaussian, false },
	{ "gaussian_divergence", run_gaussian_divergence, false },
	{ "gaussian_back", run_gaussian_back, false },
	{ "batch_norm_gather", run_batch_norm_gather, false },
	{ "batch_norm_finish", run_batch_norm_finish, false },
	{ "batch_norm", run_batch_norm, false },
	{ "batch_norm_running", run_batch_norm_running, false },
	{ "batch_norm_back_gather", run_batch_norm_back_gather, false },
	{ "batch_norm_back", run_batch_norm_back, false },
	{ "loss", run_loss, false },
	{ "softmax_parts", run_softmax_parts, false },
	{ "softmax_join", run_softmax_join, false },
	{ "softmax_back", run_softmax_back, false },
	{ "optimize", run_optimize, false },
	{ "optimize_touched", run_optimize_touched, false },
	{ "optimize_listed", run_optimize_listed, false },
	{ "squares", run_squares, false },
	{ "sum", run_sum, false },
	{ "clip", run_clip, false },
	{ "scale", run_scale, true },
	{ "zero", run_zero, true },
	{ "catch_up", run_catch_up, false },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]), DEVICE_FUNCTIONS = 12 }; // open ... download

_Static_assert(sizeof(struct backend) == offsetof(struct backend, open) + (CASES + DEVICE_FUNCTIONS) * sizeof(void (*)(void)),
               "a function of the seam has no case here");

// --- devices ------------------------------------------------------------------------------------------------------------

static struct device *reference, *openblas;

static bool runs_here(const struct kernels *kernels) {
#if defined(__x86_64__)
	if (kernels == &kernels_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	if (kernels == &kernels_avx512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
	return kernels == &kernels_baseline;
}

static void compare(size_t which, const struct world *w, const char *kernels, const real *want, const real *got, size_t count) {
	const real tolerance = cases[which].exact ? 0 : (real)1e-4;
	for (size_t i = 0; i < count; i++)
		if (!(real_fabs(want[i] - got[i]) <= tolerance * (1 + real_fabs(want[i]))))
			fail_msg("%s, kernels %s, round %zu (m %zu, n %zu, k %zu): number %zu is %.9g, not %.9g", cases[which].name,
			         kernels, w->round, w->m, w->n, w->k, i, (double)got[i], (double)want[i]);
}

// The most that a case writes.
static size_t room(const struct world *w) {
	size_t maps = ACTIVATION_COUNT * w->m * (w->n + w->pad) + 6 * w->n + 2 * w->m, weights = 3 * w->k * (w->n + w->pad) + w->k;
	size_t losses = 3 * CELL_LOSS_COUNT * w->m * (w->k + w->pad + 1);
	size_t most = maps > weights ? maps : weights;
	return (most > losses ? most : losses) + 2;
}

static size_t run_on(size_t which, const struct backend *b, struct device *d, const struct world *w, real *out) {
	memcpy(out, pool[3], room(w) * sizeof(real));
	return cases[which].run(b, d, w, out);
}

static void check_case(size_t which, const struct world *w, const struct kernels *kernels, real *const out[2]) {
	size_t count = run_on(which, &backend_reference, reference, w, out[0]);
	assert_in_range(count, 1, room(w));
	openblas->kernels = kernels;
	assert_int_equal(run_on(which, &backend_openblas, openblas, w, out[1]), count);
	compare(which, w, kernels->name, out[0], out[1], count);
}

static void check_kernels(const struct kernels *kernels) {
	real *out[2];
	for (size_t i = 0; i < 2; i++)
		out[i] = memory_alloc(POOL * sizeof(real));
	for (size_t round = 0; round < ROUNDS; round++) {
		struct world w;
		make_world(&w, round);
		for (size_t i = 0; i < CASES; i++)
			check_case(i, &w, kernels, out);
		finish_world(&w);
	}
	for (size_t i = 0; i < 2; i++)
		free(out[i]);
}

static void test_baseline(void **state) {
	(void)state;
	check_kernels(&kernels_baseline);
}

static void test_chosen(void **state) {
	(void)state;
#if defined(__x86_64__)
	static const struct kernels *const sets[] = { &kernels_avx2, &kernels_avx512 };
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (runs_here(sets[i]))
			check_kernels(sets[i]);
#endif
	assert_true(runs_here(openblas->kernels));
}

static void test_dropout_rate(void **state) {
	(void)state;
	struct world w;
	make_world(&w, 5);
	struct dropout_draw drawn = draw_of(&w);
	drawn.rate = 0.2;
	size_t words = (WIDTH_MOST + 63) / 64, kept = 0, all = w.m * WIDTH_MOST;
	real *y = memory_alloc(w.m * WIDTH_MOST * sizeof(*y));
	uint64_t *keep = memory_alloc(w.m * words * sizeof(*keep));
	struct matrix x = matrix(pool[0], w.m, WIDTH_MOST, 0), m = matrix(y, w.m, WIDTH_MOST, 0);
	backend_openblas.dropout(openblas, &drawn, &x, &m, keep, words);
	for (size_t i = 0; i < w.m; i++)
		for (size_t j = 0; j < WIDTH_MOST; j++)
			kept += keep[i * words + j / 64] >> j % 64 & 1;
	assert_in_range(kept, (size_t)(0.79 * (double)all), (size_t)(0.81 * (double)all)); // 14 standard deviations
	free(y);
	free(keep);
	finish_world(&w);
}

// Cross-entropy of logits far out, where a sigmoid has rounded to 0 or 1, against the formula in long double.
static void test_logits(void **state) {
	(void)state;
	static const real far[] = { -80, -30, -1, 0, 1, 30, 80 }, target[] = { 0, 1, (real)0.25 };
	enum { COUNT = sizeof(far) / sizeof(far[0]), TARGETS = sizeof(target) / sizeof(target[0]) };
	static const uint32_t start[] = { 0, COUNT }, column[COUNT] = { 0, 1, 2, 3, 4, 5, 6 };
	const struct backend *backends[] = { &backend_reference, &backend_openblas };
	for (size_t t = 0; t < TARGETS; t++) {
		real values[COUNT], x[COUNT], slopes[COUNT];
		long double want = 0;
		for (size_t i = 0; i < COUNT; i++) {
			values[i] = target[t];
			x[i] = far[i];
			want += logl(1 + expl((long double)far[i])) - (long double)target[t] * (long double)far[i];
		}
		struct sparse s = { 1, COUNT, start, column, values };
		struct matrix y = matrix(x, 1, COUNT, 0), g = matrix(slopes, 1, COUNT, 0);
		for (size_t b = 0; b < 2; b++)
			for (int packed = 0; packed < 2; packed++) {
				struct loss_cells cells = { .id = CELL_LOSS_BCE_LOGITS, .target = &s, .scale = 1, .unobserved = 1 };
				double sum;
				backends[b]->loss(b ? openblas : reference, &cells, packed, 0, &y, &g, &sum);
				assert_true(fabs(sum - (double)want) < 1e-5 * (double)want);
				for (size_t i = 0; i < COUNT; i++) {
					long double slope = 1 / (1 + expl(-(long double)far[i])) - (long double)target[t];
					assert_true(fabs((double)slopes[i] - (double)slope) < 1e-6);
				}
			}
	}
}

// A soft-max of predictions so large, or so far apart, that their exponentials alone have no place in a float.
static void test_softmax_far(void **state) {
	(void)state;
	enum { WIDTH = 200 };
	static const uint32_t start[] = { 0, 3, 3 }, column[] = { 0, 70, 199 };
	static const real values[] = { 1, 2, 1 };
	const struct backend *backends[] = { &backend_reference, &backend_openblas };
	struct sparse s = { 2, WIDTH, start, column, values };
	struct loss_cells cells = { .target = &s, .all = true };
	for (size_t b = 0; b < 2; b++) {
		real x[2 * WIDTH], kept[2 * WIDTH];
		struct softmax_part parts[2];
		for (size_t j = 0; j < WIDTH; j++) {
			x[j] = j == 70 ? 10000 : -10000;
			x[WIDTH + j] = 5000;
		}
		struct matrix y = matrix(x, 2, WIDTH, 0), k = matrix(kept, 2, WIDTH, 0);
		backends[b]->softmax_parts(b ? openblas : reference, &cells, false, 0, &y, &k, parts);
		assert_true(parts[0].most == 10000 && parts[0].sum == 1 && parts[0].dot == 0 && parts[0].weight == 4);
		assert_true(parts[1].most == 5000 && parts[1].sum == WIDTH && parts[1].dot == 0 && parts[1].weight == 0);
		const struct softmax_factors factors[] = { { 4, 1 }, { 0, 1 } };
		backends[b]->softmax_back(b ? openblas : reference, &cells, false, 0, factors, &k);
		for (size_t j = 0; j < WIDTH; j++) {
			assert_true(kept[j] == (j == 70 ? 2 : j == 0 || j == 199 ? -1 : 0));
			assert_true(kept[WIDTH + j] == 0);
		}
	}
}

static void test_cuda_refused(void **state) {
	(void)state;
	struct error error = { 0 };
	const struct backend *table;
	struct device *device = NULL;
	assert_false(backend_open(&backend_cuda, NULL, NULL, &table, &device, &error));
	assert_int_equal(error.code, ERROR_BACKEND);
	assert_null(device);
}

static int set_up(void **state) {
	(void)state;
	uint64_t seed = 3;
	for (size_t i = 0; i < POOLS; i++) {
		pool[i] = memory_alloc(POOL * sizeof(real));
		for (size_t k = 0; k < POOL; k++)
			pool[i][k] = draw_real(&seed);
	}
	if (!backend_openblas.open(&backend_openblas, NULL, NULL, &openblas, NULL))
		return 1;
	return backend_reference.open(&backend_reference, NULL, NULL, &reference, NULL) ? 0 : 1;
}

static int tear_down(void **state) {
	(void)state;
	backend_reference.close(reference);
	backend_openblas.close(openblas);
	for (size_t i = 0; i < POOLS; i++)
		free(pool[i]);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_dropout_rate),
		cmocka_unit_test(test_logits),
		cmocka_unit_test(test_softmax_far),
		cmocka_unit_test(test_cuda_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
