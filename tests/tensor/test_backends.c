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
enum { LONG_ROUND = 6, LONG_WIDTH = 9000 }; // small worlds: rows so long that a device cuts them in pieces
enum { POOL = 10 * ROWS_MOST * (WIDTH_MOST + PAD_MOST) };

// One round's shapes and numbers. Outputs begin as pool[3], so that what beta keeps, and what a stride skips, is compared.
struct world {
	uint64_t state;
	size_t round, m, n, k, pad;
	struct sparse s, range; // (m, k), and some of its rows
	size_t first;           // row of the range
	size_t cells;           // of s
	real *pool[POOLS];
	struct transposed t;
	uint32_t *row; // (m) places in the data
	real beta;
};
static real *pool[POOLS]; // (POOL) in [-1, 1); of a world on a device, copies of them

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

// `small`: for what runs a thousand times slower; still some with many rows, some with wide ones.
static void make_world(struct world *w, size_t round, bool small) {
	*w = (struct world){ .state = 1000 + round, .round = round };
	bool large = round % 6 == 5, wide = round % 6 == 2;
	w->m = small && wide ? 3 : small && large ? ROWS_MOST / 2 : large ? ROWS_MOST : 1 + draw_below(&w->state, 20);
	w->n = round % 10 == 3 ? 1 : 1 + draw_below(&w->state, small && large ? 40 : small && !wide ? 150 : WIDTH_MOST);
	w->n = small && wide ? WIDTH_MOST - 4 * (round % 7) : w->n;
	w->k = round % 10 == 7 ? 1 : 1 + draw_below(&w->state, 200);
	if (small && round == LONG_ROUND)
		w->m = 3, w->n = 10, w->k = LONG_WIDTH;
	w->pad = draw_below(&w->state, 3) ? draw_below(&w->state, PAD_MOST + 1) : 0;
	w->beta = (real)draw_below(&w->state, 3) / 2;
	make_sparse(w, round % 3 ? 10 : 60);
	w->cells = sparse_count(&w->s);
	memcpy(w->pool, pool, sizeof(pool));
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

// Memory of the device with what is in the host's; b->release gives it back.
static void *there(const struct backend *b, struct device *d, const void *from, size_t bytes) {
	void *memory = b->allocate(d, bytes ? bytes : 1, NULL);
	assert_non_null(memory);
	b->upload(d, memory, from, bytes);
	return memory;
}
// The other way round, into memory for free().
static void *here(const struct backend *b, struct device *d, const void *from, size_t bytes) {
	void *memory = memory_alloc(bytes ? bytes : 1);
	b->download(d, memory, from, bytes);
	return memory;
}
// Doubles of the device, as numbers after `filled` others.
static size_t put_doubles(const struct backend *b, struct device *d, const double *from, size_t count, real *out, size_t filled) {
	double *numbers_here = here(b, d, from, count * sizeof(double));
	real *rounded = memory_alloc((count + 1) * sizeof(*rounded));
	for (size_t i = 0; i < count; i++)
		rounded[i] = (real)numbers_here[i];
	b->upload(d, out + filled, rounded, count * sizeof(real));
	free(rounded);
	free(numbers_here);
	return filled + count;
}
// f on some of the numbers, wherever they lie.
static void change(const struct backend *b, struct device *d, real *numbers, size_t count, real (*f)(real x)) {
	real *some = here(b, d, numbers, count * sizeof(real));
	for (size_t i = 0; i < count; i++)
		some[i] = f(some[i]);
	b->upload(d, numbers, some, count * sizeof(real));
	free(some);
}
static real positive(real x) { return real_fabs(x); }
static real above_one(real x) { return 1 + real_fabs(x); }
static real not_a_number(real x) { return x * NAN; }

typedef size_t seam_case(const struct backend *b, struct device *d, const struct world *w, real *out);

static size_t run_gemm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool ta = w->round & 1, tb = w->round & 2;
	struct matrix x = matrix(w->pool[0], ta ? w->k : w->m, ta ? w->m : w->k, w->pad);
	struct matrix y = matrix(w->pool[1], tb ? w->n : w->k, tb ? w->k : w->n, w->pad), c = matrix(out, w->m, w->n, w->pad);
	b->gemm(d, ta, tb, &x, &y, w->beta, &c);
	return numbers(&c);
}

static size_t run_sparse_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(w->pool[0], w->k, w->n, w->pad), y = matrix(out, w->m, w->n, w->pad);
	struct matrix part = matrix_part(&y, w->first, w->range.rows, 0, w->n);
	b->sparse_times(d, &w->range, &x, w->round & 1 ? w->pool[1] + 3 : NULL, w->beta, &part);
	return numbers(&y);
}

static size_t run_transposed_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(w->pool[0], w->m, w->n, w->pad), g = matrix(out, w->t.count, w->n, w->pad);
	uint32_t *place = memory_alloc((w->t.count + 1) * sizeof(*place)); // the other way round
	for (size_t i = 0; i < w->t.count; i++)
		place[i] = (uint32_t)(w->t.count - 1 - i);
	uint32_t *placed = there(b, d, place, w->t.count * sizeof(*place));
	b->transposed_times(d, &w->t, w->round & 1 ? placed : NULL, w->pool[1], &y, w->beta, &g);
	b->release(d, placed);
	free(place);
	return numbers(&g);
}

static size_t run_transposed_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	b->transposed_sums(d, &w->t, w->pool[1], out);
	return w->t.count + 1;
}

static size_t run_cells_times(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix h = matrix(w->pool[0], w->m, w->n, w->pad), x = matrix(w->pool[1], w->k, w->n, w->pad);
	struct matrix part = matrix_part(&h, w->first, w->range.rows, 0, w->n);
	b->cells_times(d, &w->range, &part, &x, out);
	return w->cells + 1;
}

static size_t run_cells_sum(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix parts = matrix(w->pool[0], 1 + w->round % 9, w->cells, w->pad);
	b->cells_sum(d, &w->range, &parts, w->round & 1 ? w->pool[2] + 7 : NULL, out);
	return w->cells + 1;
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
	b->spread(d, w->pool[0], &y);
	return numbers(&y);
}

static size_t run_column_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(w->pool[0], w->m, w->n, w->pad);
	b->column_sums(d, &y, out);
	return w->n + 1;
}

static size_t run_add(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), y = matrix(out, w->m, w->n, w->pad);
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
		struct matrix y = matrix(out + filled, w->m, w->n, w->pad), x = w->round & 1 ? y : matrix(w->pool[0], w->m, w->n, 0);
		b->activate(d, (enum activation_id)id, parameter_of(id), &x, &y);
		filled += numbers(&y);
	}
	return filled;
}

static size_t run_activate_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	size_t filled = 0;
	bool in_place = w->round & 1;
	for (size_t id = 0; id < ACTIVATION_COUNT; id++) {
		struct matrix dx = matrix(out + filled, w->m, w->n, w->pad), x = matrix(w->pool[0], w->m, w->n, w->pad);
		struct matrix y = matrix(w->pool[1], w->m, w->n, 0), dy = in_place ? dx : matrix(w->pool[2], w->m, w->n, w->pad);
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
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), y = matrix(out, w->m, w->n, w->pad);
	size_t words = (w->n + 63) / 64;
	uint64_t *mask = b->allocate(d, w->m * words * sizeof(*mask), NULL);
	b->dropout(d, &drawn, &x, &y, mask, words);
	uint64_t *keep = here(b, d, mask, w->m * words * sizeof(*keep));
	real *bits = memory_alloc(w->m * w->n * sizeof(*bits));
	for (size_t i = 0; i < w->m; i++)
		for (size_t j = 0; j < w->n; j++)
			bits[i * w->n + j] = (real)(keep[i * words + j / 64] >> j % 64 & 1);
	b->upload(d, out + numbers(&y), bits, w->m * w->n * sizeof(*bits));
	free(bits);
	free(keep);
	b->release(d, mask);
	return numbers(&y) + w->m * w->n;
}

static size_t run_dropout_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix dy = matrix(w->pool[0], w->m, w->n, 0), dx = matrix(out, w->m, w->n, w->pad);
	size_t words = (w->n + 63) / 64;
	uint64_t *keep = memory_alloc(w->m * words * sizeof(*keep)), state = w->state;
	for (size_t i = 0; i < w->m * words; i++)
		keep[i] = (uint64_t)draw(&state) << 32 | draw(&state);
	uint64_t *mask = there(b, d, keep, w->m * words * sizeof(*keep));
	b->dropout_back(d, (real)1.25, mask, words, &dy, w->beta, &dx);
	b->release(d, mask);
	free(keep);
	return numbers(&dx);
}

static size_t run_dropout_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct dropout_draw drawn = draw_of(w);
	drawn.row += w->first;
	b->dropout_sparse(d, &drawn, &w->range, out);
	return w->cells + 1;
}

static struct noise_draw noise_of(const struct world *w) {
	return (struct noise_draw){ .stream = random_stream_make(w->round, "noise", "node"), .epoch = (uint32_t)w->round,
		                        .row = w->row, .unit = (uint32_t)(w->round % 3 * 40), .sd = (real)0.5 };
}

// In place on every other round.
static size_t run_noise(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct noise_draw drawn = noise_of(w);
	struct matrix y = matrix(out, w->m, w->n, w->pad), x = w->round & 1 ? y : matrix(w->pool[0], w->m, w->n, 0);
	b->noise(d, &drawn, &x, &y);
	return numbers(&y);
}

static size_t run_noise_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct noise_draw drawn = noise_of(w);
	drawn.row += w->first;
	b->noise_sparse(d, &drawn, &w->range, out);
	return w->cells + 1;
}

static size_t run_multiply(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), z = w->round & 1 ? x : matrix(w->pool[1], w->m, w->n, w->pad);
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
	struct matrix y = matrix(out, w->m, w->n, w->pad), filled = y;
	filled.data = here(b, d, out, numbers(&y) * sizeof(real));
	fill_rows(w, &filled);
	b->upload(d, out, filled.data, numbers(&y) * sizeof(real));
	free(filled.data);
	b->normalize(d, shortest, &y, &y, out + numbers(&y));
	return numbers(&y) + w->m;
}

// Of what was normalised in double: whose gradient is left as it is does not depend on the backend's rounding.
static size_t run_normalize_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool in_place = w->round & 1;
	struct matrix y = matrix(memory_alloc(w->m * w->n * sizeof(real)), w->m, w->n, 0), dx = matrix(out, w->m, w->n, w->pad);
	struct matrix dy = in_place ? dx : matrix(w->pool[1], w->m, w->n, 0), y_there = y;
	real *inverse = memory_alloc(w->m * sizeof(*inverse));
	fill_rows(w, &y);
	backend_reference.normalize(NULL, shortest, &y, &y, inverse);
	y_there.data = there(b, d, y.data, numbers(&y) * sizeof(real));
	real *inverse_there = there(b, d, inverse, w->m * sizeof(*inverse));
	b->normalize_back(d, shortest, &y_there, inverse_there, &dy, in_place ? 0 : w->beta, &dx);
	real *result = here(b, d, out, numbers(&dx) * sizeof(real));
	for (size_t i = 0; i < w->m; i++) // of the size that the others are of
		for (size_t j = 0; j < w->n; j++)
			result[i * dx.stride + j] /= inverse[i] > 1 ? inverse[i] : 1;
	b->upload(d, out, result, numbers(&dx) * sizeof(real));
	b->release(d, y_there.data);
	b->release(d, inverse_there);
	free(result);
	free(inverse);
	free(y.data);
	return numbers(&dx);
}

static size_t run_normalize_sparse(const struct backend *b, struct device *d, const struct world *w, real *out) {
	b->normalize_sparse(d, &w->range, w->round & 1 ? shortest : (real)0.9, out);
	return w->cells + 1;
}

// out: y or dx | mean | inverse deviation
static struct layer_norm_state rows_of(const struct backend *b, struct device *d, const struct world *w,
                                       const struct matrix *y, real *out) {
	struct layer_norm_state state = { .gamma = w->pool[1] + 3, .beta = w->pool[2], .mean = out + numbers(y),
		                              .inverse = out + numbers(y) + w->m, .epsilon = (real)1e-2 };
	change(b, d, state.inverse, w->m, above_one);
	return state;
}

static size_t run_layer_norm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(out, w->m, w->n, w->pad), x = matrix(w->pool[0], w->m, w->n, 0);
	struct layer_norm_state state = rows_of(b, d, w, &y, out);
	b->layer_norm(d, &state, &x, &y);
	return numbers(&y) + 2 * w->m;
}

static size_t run_layer_norm_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool in_place = w->round & 1;
	struct matrix dx = matrix(out, w->m, w->n, w->pad), x = matrix(w->pool[0], w->m, w->n, 0);
	struct matrix dy = in_place ? dx : matrix(w->pool[2], w->m, w->n, 0);
	struct layer_norm_state state = rows_of(b, d, w, &dx, out);
	b->layer_norm_back(d, &state, &x, &dy, in_place ? 0 : w->beta, &dx);
	return numbers(&dx) + 2 * w->m;
}

// out: dgamma | dbeta | mean | inverse deviation; some columns
static size_t run_layer_norm_sums(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), dy = matrix(w->pool[1], w->m, w->n, w->pad);
	struct matrix none = { out, 1, 2 * w->n, 2 * w->n };
	struct layer_norm_state state = rows_of(b, d, w, &none, out);
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

static struct norm norm_of(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = { .y = matrix(out, w->m, w->n, w->pad) };
	for (size_t i = 0; i < 6; i++)
		n.vector[i] = out + numbers(&n.y) + i * w->n;
	change(b, d, n.vector[1], w->n, positive);
	change(b, d, n.vector[3], w->n, above_one);
	n.state = (struct batch_norm_state){ w->pool[1], w->pool[2], n.vector[0], n.vector[1], n.vector[2], n.vector[3],
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
	struct norm n = norm_of(b, d, w, out);
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), first, rest;
	in_blocks(w, &first, &rest, &x);
	if (first.rows)
		b->batch_norm_gather(d, &n.state, 0, &first);
	b->batch_norm_gather(d, &n.state, first.rows, &rest);
	return n.count;
}

static size_t run_batch_norm_finish(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(b, d, w, out);
	b->batch_norm_finish(d, &n.state, w->m, w->n);
	return n.count;
}

static size_t run_batch_norm(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(b, d, w, out);
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0);
	b->batch_norm(d, &n.state, &x, &n.y);
	return n.count;
}

static size_t run_batch_norm_running(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(b, d, w, out);
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0);
	b->batch_norm_running(d, &n.state, &x, &n.y);
	return n.count;
}

static size_t run_batch_norm_back_gather(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(b, d, w, out);
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), dy = matrix(w->pool[1] + 5, w->m, w->n, w->pad), x1, x2, dy1, dy2;
	in_blocks(w, &x1, &x2, &x);
	in_blocks(w, &dy1, &dy2, &dy);
	if (x1.rows)
		b->batch_norm_back_gather(d, &n.state, 0, &x1, &dy1, n.vector[4], n.vector[5]);
	b->batch_norm_back_gather(d, &n.state, x1.rows, &x2, &dy2, n.vector[4], n.vector[5]);
	return n.count;
}

static size_t run_batch_norm_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct norm n = norm_of(b, d, w, out);
	struct matrix x = matrix(w->pool[0], w->m, w->n, 0), dy = matrix(w->pool[1] + 5, w->m, w->n, w->pad);
	b->batch_norm_back(d, &n.state, w->m, n.vector[4], n.vector[5], &x, &dy, w->beta, &n.y);
	return n.count;
}

// Each loss at cells, over the observed cells of a dense one, and over all.
static size_t run_loss(const struct backend *b, struct device *d, const struct world *w, real *out) {
	static real inside[ROWS_MOST * (WIDTH_MOST + PAD_MOST)];
	size_t cells = w->cells, filled = 0;
	real *targets = memory_alloc((cells + 1) * sizeof(*targets));
	for (size_t i = 0; i < cells; i++)
		targets[i] = real_fabs(pool[2][i]);
	for (size_t i = 0; i < w->m * (w->k + w->pad); i++)
		inside[i] = (real)0.05 + (real)0.9 * real_fabs(pool[0][i]);
	struct sparse target = w->s;
	real *values = there(b, d, targets, cells * sizeof(*targets));
	real *predictions = there(b, d, inside, w->m * (w->k + w->pad) * sizeof(*inside));
	target.value = values;
	double *sums = b->allocate(d, w->range.rows * sizeof(*sums), NULL);
	target = sparse_rows(&target, w->first, w->range.rows);
	for (size_t form = 0; form < (size_t)3 * CELL_LOSS_COUNT; form++) {
		struct loss_cells loss = { .id = (enum cell_loss_id)(form / 3), .target = &target, .all = form % 3 == 2, .scale = 0.7,
			                       .by_row = w->round & 1, .unobserved = w->round & 2 ? (real)0.3 : 1,
			                       .alpha = w->round & 4 ? (real)1.5 : 0, .p = (real)0.4 };
		bool packed = form % 3 == 0;
		size_t first = packed ? 0 : w->k / 4;
		struct matrix y = packed ? matrix(predictions, 1, cells, 0) : matrix(predictions, w->m, w->k, w->pad), g = y;
		g.data = out + filled;
		struct matrix y_part = packed ? y : matrix_part(&y, w->first, target.rows, first, w->k - first);
		struct matrix g_part = packed ? g : matrix_part(&g, w->first, target.rows, first, w->k - first);
		b->loss(d, &loss, packed, first, &y_part, &g_part, sums);
		filled += numbers(&g);
		filled = put_doubles(b, d, sums, target.rows, out, filled);
	}
	b->release(d, sums);
	b->release(d, values);
	b->release(d, predictions);
	free(targets);
	return filled;
}

// What a row's soft-max left, as numbers.
static size_t put_parts(const struct backend *b, struct device *d, const struct softmax_part *parts, size_t rows, real *out,
                        size_t filled) {
	enum { NUMBERS = 4 };
	real *rounded = memory_alloc(NUMBERS * rows * sizeof(*rounded));
	for (size_t i = 0; i < rows; i++) {
		rounded[NUMBERS * i] = isinf(parts[i].most) ? -100 : (real)parts[i].most;
		rounded[NUMBERS * i + 1] = (real)parts[i].sum;
		rounded[NUMBERS * i + 2] = (real)parts[i].dot;
		rounded[NUMBERS * i + 3] = (real)parts[i].weight;
	}
	b->upload(d, out + filled, rounded, NUMBERS * rows * sizeof(*rounded));
	free(rounded);
	return filled + NUMBERS * rows;
}

static void go_back(const struct backend *b, struct device *d, const struct loss_cells *loss, bool packed, size_t first,
                    const struct softmax_part *parts, const struct matrix *g) {
	size_t rows = loss->target->rows;
	struct softmax_factors *factors = memory_alloc(rows * sizeof(*factors));
	for (size_t i = 0; i < rows; i++)
		factors[i] = (struct softmax_factors){ (real)(parts[i].weight / (parts[i].sum + 1)), (real)0.3 };
	struct softmax_factors *factors_there = there(b, d, factors, rows * sizeof(*factors));
	b->softmax_back(d, loss, packed, first, factors_there, g);
	b->release(d, factors_there);
	free(factors);
}

// Packed, over the stored cells of a dense one, and over all; what is kept, the parts, and the gradient made of both.
static size_t run_softmax(const struct backend *b, struct device *d, const struct world *w, real *out, bool back) {
	size_t cells = w->cells, filled = 0;
	struct sparse target = sparse_rows(&w->s, w->first, w->range.rows);
	struct softmax_part *parts_there = b->allocate(d, target.rows * sizeof(*parts_there), NULL);
	for (size_t form = 0; form < 3; form++) {
		struct loss_cells loss = { .target = &target, .all = form == 2 };
		bool packed = form == 0;
		size_t first = packed ? 0 : w->k / 4;
		struct matrix x = packed ? matrix(w->pool[0], 1, cells, 0) : matrix(w->pool[0], w->m, w->k, w->pad), g = x;
		g.data = out + filled;
		struct matrix x_part = packed ? x : matrix_part(&x, w->first, target.rows, first, w->k - first);
		struct matrix g_part = packed ? g : matrix_part(&g, w->first, target.rows, first, w->k - first);
		b->softmax_parts(d, &loss, packed, first, &x_part, &g_part, parts_there);
		struct softmax_part *parts = here(b, d, parts_there, target.rows * sizeof(*parts));
		if (back)
			go_back(b, d, &loss, packed, first, parts, &g_part);
		filled = put_parts(b, d, parts, target.rows, out, filled + numbers(&g));
		free(parts);
	}
	b->release(d, parts_there);
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
	struct loss_cells loss = { .target = &w->range, .scale = 0.3, .by_row = w->round & 1 };
	size_t rows = w->range.rows;
	for (size_t i = 0; i < GROUPS * rows; i++)
		parts[i] = i % rows + 1 == rows ? (struct softmax_part){ .most = -INFINITY }
		                                : (struct softmax_part){ 3 * (double)pool[0][i], 1 + fabs((double)pool[1][i]),
		                                                         (double)pool[2][i], fabs((double)pool[3][i]) };
	struct softmax_part *parts_there = there(b, d, parts, GROUPS * rows * sizeof(*parts));
	double *sums = b->allocate(d, rows * sizeof(*sums), NULL);
	// what it writes are pairs of numbers
	b->softmax_join(d, &loss, GROUPS, rows, parts_there, (struct softmax_factors *)out, sums);
	size_t filled = put_doubles(b, d, sums, rows, out, 2 * GROUPS * rows);
	b->release(d, parts_there);
	b->release(d, sums);
	return filled;
}

static size_t run_pick(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix y = matrix(w->pool[0], w->m, w->k, w->pad), part = matrix_part(&y, w->first, w->range.rows, 0, w->k);
	b->pick(d, &w->range, &part, out);
	return w->cells + 1;
}

// Words of the device, as numbers after `filled` others.
static size_t put_words(const struct backend *b, struct device *d, const uint32_t *from, size_t count, real *out, size_t filled) {
	uint32_t *words = here(b, d, from, count * sizeof(*words));
	real *rounded = memory_alloc((count + 1) * sizeof(*rounded));
	for (size_t i = 0; i < count; i++)
		rounded[i] = (real)(words[i] & 0xffffff);
	b->upload(d, out + filled, rounded, count * sizeof(real));
	free(rounded);
	free(words);
	return filled + count;
}

// The world's rows in another order, some of them twice, some not at all: coded, or with a value of each.
static size_t run_gather(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool coded = w->round & 1;
	uint32_t *place = memory_alloc(w->m * sizeof(*place)), *start = here(b, d, w->s.start, (w->m + 1) * sizeof(*start));
	uint32_t *entry = here(b, d, w->s.column, w->cells * sizeof(*entry)), count = 0;
	uint64_t state = w->state;
	for (size_t i = 0; i < w->m; i++) {
		place[i] = (uint32_t)draw_below(&state, w->m);
		count += start[place[i] + 1] - start[place[i]];
	}
	for (size_t k = 0; coded && k < w->cells; k++)
		entry[k] |= (uint32_t)(k % 200) << ENTRY_COLUMN_BITS;
	uint32_t *placed = there(b, d, place, w->m * sizeof(*place)), *entries = there(b, d, entry, w->cells * sizeof(*entry));
	uint32_t *starts = there(b, d, start, (w->m + 1) * sizeof(*start)), *column = b->allocate(d, (count + 1) * sizeof(*column), NULL);
	struct data_rows from = { w->k, w->s.start, entries, w->s.value, coded };
	b->gather(d, &from, placed, w->m, starts, column, out);
	size_t filled = put_words(b, d, starts, w->m + 1, out, count);
	filled = put_words(b, d, column, count, out, filled);
	uint32_t *memory[] = { placed, entries, starts, column };
	for (size_t i = 0; i < 4; i++)
		b->release(d, memory[i]);
	free(place);
	free(start);
	free(entry);
	return filled;
}

static struct transposed_room room_of(const struct backend *b, struct device *d, size_t columns, size_t touched, size_t entries) {
	size_t count[] = { touched, touched + 1, entries, entries, touched, columns, columns, 1 };
	uint32_t *memory[8];
	for (size_t i = 0; i < 8; i++)
		memory[i] = b->allocate(d, (count[i] + 1) * sizeof(uint32_t), NULL);
	return (struct transposed_room){ memory[0], memory[1], memory[2], memory[3], memory[4], memory[5], memory[6], memory[7], STEP + 1 };
}
static void release_room(const struct backend *b, struct device *d, const struct transposed_room *r) {
	uint32_t *memory[] = { r->column, r->start, r->row, r->entry, r->waited, r->slot, r->stamp, r->counted };
	for (size_t i = 0; i < 8; i++)
		b->release(d, memory[i]);
}
static size_t counted_of(const struct backend *b, struct device *d, const struct transposed_room *r) {
	uint32_t *words = here(b, d, r->counted, sizeof(*words)), count = *words;
	free(words);
	return count;
}

// Against the reference, and there against the definition.
static size_t run_transpose(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct transposed_room room = room_of(b, d, w->k, w->k < w->cells ? w->k : w->cells, w->cells);
	uint32_t *work = b->allocate(d, transpose_words(w->cells, w->k) * sizeof(*work), NULL);
	b->transpose(d, &w->s, w->cells, work, &room);
	assert_int_equal(counted_of(b, d, &room), w->t.count);
	const uint32_t *want[] = { w->t.column, w->t.start, w->t.row, w->t.entry }, *got[] = { room.column, room.start, room.row, room.entry };
	size_t count[] = { w->t.count, w->t.count + 1, w->cells, w->cells }, filled = 0;
	for (size_t i = 0; i < 4; i++) {
		uint32_t *a = here(b, d, want[i], count[i] * sizeof(*a)), *c = here(b, d, got[i], count[i] * sizeof(*c));
		assert_memory_equal(a, c, count[i] * sizeof(*a));
		free(a);
		free(c);
		filled = put_words(b, d, got[i], count[i], out, filled);
	}
	filled = put_words(b, d, room.slot, w->k, out, filled);
	filled = put_words(b, d, room.stamp, w->k, out, filled);
	b->release(d, work);
	release_room(b, d, &room);
	return filled;
}

// With the lists of some of the rows, as a device makes them: their number is its own.
static size_t run_join(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct sparse part[] = { sparse_rows(&w->s, 0, (w->m + 1) / 2), sparse_rows(&w->s, w->m / 3, w->m - w->m / 3) };
	uint32_t *start = here(b, d, w->s.start, (w->m + 1) * sizeof(*start)), *work = b->allocate(d, transpose_words(w->cells, w->k) * sizeof(*work), NULL);
	uint32_t *starts[2], *place[2];
	struct transposed_room room[2], both = room_of(b, d, w->k, w->k, 0);
	struct transposed t[2];
	for (size_t i = 0; i < 2; i++) {
		size_t first = i ? w->m / 3 : 0, count = start[first + part[i].rows] - start[first], most = w->k < count ? w->k : count;
		uint32_t *of_part = memory_alloc((part[i].rows + 1) * sizeof(*of_part));
		for (size_t k = 0; k <= part[i].rows; k++)
			of_part[k] = start[first + k] - start[first];
		starts[i] = there(b, d, of_part, (part[i].rows + 1) * sizeof(*of_part));
		free(of_part);
		part[i].start = starts[i];
		part[i].column += start[first];
		room[i] = room_of(b, d, w->k, most, count);
		b->transpose(d, &part[i], count, work, &room[i]);
		t[i] = transposed_of(&room[i], most);
		place[i] = b->allocate(d, (most + 1) * sizeof(**place), NULL);
	}
	b->join(d, &t[0], &t[1], place[0], place[1], &both);
	size_t joined = counted_of(b, d, &both), filled = put_words(b, d, both.counted, 1, out, 0);
	filled = put_words(b, d, both.column, joined, out, filled);
	filled = put_words(b, d, both.slot, w->k, out, filled);
	filled = put_words(b, d, both.stamp, w->k, out, filled);
	for (size_t i = 0; i < 2; i++) {
		filled = put_words(b, d, place[i], counted_of(b, d, &room[i]), out, filled);
		b->release(d, place[i]);
		b->release(d, starts[i]);
		release_room(b, d, &room[i]);
	}
	release_room(b, d, &both);
	b->release(d, work);
	free(start);
	return filled;
}

// Scores with many equals, both zeros, infinities and no numbers.
static real *scores_of(const struct backend *b, struct device *d, const struct world *w, struct matrix *ret) {
	*ret = matrix(b->allocate(d, w->m * (w->k + w->pad) * sizeof(real), NULL), w->m, w->k, w->pad);
	real *some = memory_alloc(w->m * ret->stride * sizeof(*some));
	static const real odd[] = { (real)NAN, (real)INFINITY, (real)-INFINITY, 0, -(real)0 };
	uint64_t state = w->state + 7;
	for (size_t i = 0; i < w->m * ret->stride; i++) {
		size_t what = draw_below(&state, 20);
		some[i] = what < 5 ? odd[what] : w->round % 3 ? (real)((int)draw_below(&state, 9) - 4) / 2 : draw_real(&state);
	}
	b->upload(d, ret->data, some, w->m * ret->stride * sizeof(*some));
	free(some);
	return ret->data;
}

// Of few and of many, more than there are, and where next to all are left out.
static size_t run_topk(const struct backend *b, struct device *d, const struct world *w, real *out) {
	size_t lengths[] = { 1, 1 + w->k / 7, w->k, w->k + 3 }, filled = 0;
	struct matrix y;
	scores_of(b, d, w, &y);
	for (size_t i = 0; i < 4; i++) {
		size_t k = lengths[i];
		uint32_t *best = b->allocate(d, w->m * k * sizeof(*best), NULL), *count = b->allocate(d, w->m * sizeof(*count), NULL);
		b->topk(d, &y, &w->s, k, best, count);
		filled = put_words(b, d, count, w->m, out, filled);
		filled = put_words(b, d, best, w->m * k, out, filled);
		b->release(d, best);
		b->release(d, count);
	}
	b->release(d, y.data);
	return filled;
}

// Marked is what stands in the other half of the pattern's columns.
static size_t run_rank_pairs(const struct backend *b, struct device *d, const struct world *w, real *out) {
	uint32_t *start = here(b, d, w->s.start, (w->m + 1) * sizeof(*start)), *column = here(b, d, w->s.column, w->cells * sizeof(*column));
	uint32_t *starts[2], *columns[2], *moved[4];
	for (size_t half = 0; half < 2; half++) {
		uint32_t filled = 0;
		starts[half] = memory_alloc((w->m + 1) * sizeof(uint32_t));
		columns[half] = memory_alloc((w->cells + 1) * sizeof(uint32_t));
		for (size_t i = 0; i < w->m; i++) {
			starts[half][i] = filled;
			for (uint32_t k = start[i]; k < start[i + 1]; k++)
				if (column[k] % 2 == half)
					columns[half][filled++] = column[k];
		}
		starts[half][w->m] = filled;
		moved[2 * half] = there(b, d, starts[half], (w->m + 1) * sizeof(uint32_t));
		moved[2 * half + 1] = there(b, d, columns[half], filled * sizeof(uint32_t));
		free(starts[half]);
		free(columns[half]);
	}
	struct sparse none = { w->m, w->k, moved[0], moved[1], NULL }, marked = { w->m, w->k, moved[2], moved[3], NULL };
	struct matrix y;
	scores_of(b, d, w, &y);
	double *pairs = b->allocate(d, 2 * w->m * sizeof(*pairs), NULL);
	b->rank_pairs(d, &y, &none, &marked, pairs);
	size_t filled = put_doubles(b, d, pairs, 2 * w->m, out, 0);
	for (size_t i = 0; i < 4; i++)
		b->release(d, moved[i]);
	b->release(d, y.data);
	b->release(d, pairs);
	free(start);
	free(column);
	return filled;
}

// Twice, of which the second finds what the first has left; then all of them, as at an epoch's end.
static size_t run_note_waits(const struct backend *b, struct device *d, const struct world *w, real *out) {
	uint32_t *words = memory_alloc(w->k * sizeof(*words)), *waited = b->allocate(d, (w->k + 1) * sizeof(*waited), NULL);
	for (size_t i = 0; i < w->k; i++)
		words[i] = (uint32_t)i % 9;
	uint32_t *stamp = there(b, d, words, w->k * sizeof(*words));
	size_t filled = 0;
	for (uint32_t step = 10; step < 30; step += 13) {
		b->note_waits(d, &w->t, 0, step, stamp, waited);
		filled = put_words(b, d, waited, w->t.count, out, filled);
		filled = put_words(b, d, stamp, w->k, out, filled);
	}
	b->note_waits(d, NULL, w->k, 40, stamp, waited);
	filled = put_words(b, d, waited, w->k, out, filled);
	filled = put_words(b, d, stamp, w->k, out, filled);
	b->release(d, stamp);
	b->release(d, waited);
	free(words);
	return filled;
}

static size_t run_sum(const struct backend *b, struct device *d, const struct world *w, real *out) {
	double from[ROWS_MOST], sum = 0.5;
	for (size_t i = 0; i < w->m; i++)
		from[i] = (double)pool[0][i];
	double *numbers_there = there(b, d, from, w->m * sizeof(*from)), *ret = there(b, d, &sum, sizeof(sum));
	b->sum(d, 0.7, numbers_there, w->round % 7 ? w->m : 0, w->round & 1, ret);
	put_doubles(b, d, ret, 1, out, 0);
	b->release(d, numbers_there);
	b->release(d, ret);
	return 1;
}

static size_t run_clip(const struct backend *b, struct device *d, const struct world *w, real *out) {
	const double squares[] = { w->round % 3 ? (double)w->round : 0, 0 };
	double *both = there(b, d, squares, sizeof(squares));
	b->clip(d, 2.5, both, both + 1);
	put_doubles(b, d, both + 1, 1, out, 0);
	b->release(d, both);
	return 1;
}

static size_t run_zero(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(out, w->m, w->n, w->pad);
	change(b, d, x.data + w->n / 2, 1, not_a_number);
	b->zero(d, &x);
	return numbers(&x);
}

// out: weights | state | state | sum of squares before | and after
struct optimizer {
	struct optimizer_rows rows;
	struct waiting_table *waiting; // of the device, as
	double *squares;               // (2): of all rows, and what an update returns
	size_t size;                   // numbers of the weights
};

static struct optimizer optimizer_of(const struct backend *b, struct device *d, const struct world *w, bool lazy,
                                     size_t columns, real *out) {
	static struct waiting_table waiting;
	struct optimizer_rows rows = {
		.id = (enum optimizer_id)(w->round % OPTIMIZER_COUNT),
		.numbers = { .rate = (real)0.1, .epsilon = (real)1e-6, .decay = (real)0.9, .decay_square = (real)0.99,
		             .correction = 2, .correction_square = 3, .nesterov = (real)(w->round / 15 & 1),
		             .weight_decay = (real)0.3, .smaller = (real)0.5, .larger = (real)1.2, .least = (real)0.05,
		             .most = (real)0.8 },
		.weight = matrix(out, w->k, columns, w->pad),
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
	change(b, d, out + size, 2 * size, positive);
	if (rows.lazy)
		waiting_table_init(&waiting, rows.id, &rows.numbers, rows.l2);
	real *weights = here(b, d, out, size * sizeof(*weights));
	double squares[2] = { 0, 0 };
	for (size_t i = 0; i < size; i++)
		squares[0] += i % rows.weight.stride < columns ? (double)weights[i] * (double)weights[i] : 0;
	free(weights);
	struct optimizer o = { rows, there(b, d, &waiting, sizeof(waiting)), there(b, d, squares, sizeof(squares)), size };
	o.rows.waiting = o.waiting;
	o.rows.squares = o.squares;
	return o;
}

// What an update says of the squares, after the weights and their state, before and after it.
static size_t finish_optimizer(const struct backend *b, struct device *d, struct optimizer *o, real *out) {
	static const double none[2] = { 0, 0 };
	if (!(o->rows.l2 > 0))
		b->upload(d, o->squares, none, sizeof(none));
	else if (!o->rows.lazy)
		b->upload(d, o->squares, none, sizeof(none[0]));
	put_doubles(b, d, o->squares, 2, out, 3 * o->size);
	b->release(d, o->waiting);
	b->release(d, o->squares);
	return 3 * o->size + 2;
}

static size_t run_optimize(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct optimizer o = optimizer_of(b, d, w, false, w->n, out);
	struct matrix gradient = matrix(w->pool[1], w->k, w->n, w->pad);
	b->optimize(d, &o.rows, &gradient, o.rows.l2 > 0 ? o.squares + 1 : NULL);
	return finish_optimizer(b, d, &o, out);
}

// Lazily and all rows, matrices and single columns.
static size_t run_optimize_touched(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool column = w->round % 7 == 2;
	struct optimizer o = optimizer_of(b, d, w, w->round % 4 < 2, column ? 1 : w->n, out);
	struct matrix y = matrix(w->pool[1], w->m, w->n, w->pad);
	b->optimize_touched(d, &o.rows, &w->t, w->pool[0], column ? NULL : &y, o.rows.l2 > 0 ? o.squares + 1 : NULL);
	return finish_optimizer(b, d, &o, out);
}

static size_t run_optimize_listed(const struct backend *b, struct device *d, const struct world *w, real *out) {
	bool column = w->round % 7 == 2;
	struct optimizer o = optimizer_of(b, d, w, w->round % 4 < 2, column ? 1 : w->n, out);
	struct matrix gradient = matrix(w->pool[1], w->t.count, column ? 1 : w->n, w->pad);
	b->optimize_listed(d, &o.rows, &w->t, &gradient, o.rows.l2 > 0 ? o.squares + 1 : NULL);
	return finish_optimizer(b, d, &o, out);
}

static size_t run_squares(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(w->pool[0], w->m, w->n, w->pad);
	double *sum = b->allocate(d, sizeof(*sum), NULL);
	b->squares(d, &x, sum);
	put_doubles(b, d, sum, 1, out, 0);
	b->release(d, sum);
	return 1;
}

static size_t run_scale(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct matrix x = matrix(out, w->m, w->n, w->pad);
	if (w->round % 4 == 2 && w->round % 5 != 1)
		change(b, d, x.data + w->n / 2, 1, not_a_number);
	const double factor = w->round % 4 == 2 ? 0 : 1.5;
	double *by = there(b, d, &factor, sizeof(factor));
	b->scale(d, w->round % 5 == 1 ? NULL : by, w->beta / 2, &x);
	b->release(d, by);
	return numbers(&x);
}

static size_t run_catch_up(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct optimizer o = optimizer_of(b, d, w, true, w->n, out);
	if (o.rows.lazy)
		b->catch_up(d, &o.rows, w->t.column, w->t.waited, w->t.count);
	return finish_optimizer(b, d, &o, out);
}

// With a mixture as the prior on every other round; its old distribution is as any other.
static struct gaussian_values gaussian_of(const struct world *w, real *out, size_t *ret_count) {
	struct gaussian_values g = { .mean = matrix(w->pool[0], w->m, w->n, 0), .log_variance = matrix(w->pool[1], w->m, w->n, w->pad),
		                         .noise = matrix(out, w->m, w->n, w->pad), .old_mean = matrix(w->pool[2], w->m, w->n, 0),
		                         .old_log_variance = matrix(w->pool[2] + 7, w->m, w->n, 1) };
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
	struct mixture mixture;
	struct gaussian_prior prior = prior_of(w, &mixture);
	size_t count;
	struct gaussian_values g = gaussian_of(w, out, &count);
	double *sums = b->allocate(d, w->m * sizeof(*sums), NULL);
	prior.weight /= (double)w->n; // so that sums are of the size that the others are of
	b->gaussian_divergence(d, &prior, &g, sums);
	count = put_doubles(b, d, sums, w->m, out, count);
	b->release(d, sums);
	return count;
}

static size_t run_gaussian_back(const struct backend *b, struct device *d, const struct world *w, real *out) {
	struct mixture mixture;
	struct gaussian_prior prior = prior_of(w, &mixture);
	size_t count;
	struct gaussian_values g = gaussian_of(w, out, &count);
	struct matrix dz = matrix(w->pool[0] + 3, w->m, w->n, w->pad), to = matrix(out + count, w->m, w->n, w->pad);
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
	{ "gather", run_gather, true },
	{ "transpose", run_transpose, true },
	{ "join", run_join, true },
	{ "note_waits", run_note_waits, true },
	{ "topk", run_topk, true },
	{ "rank_pairs", run_rank_pairs, true },
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
enum { CASES = sizeof(cases) / sizeof(cases[0]), DEVICE_FUNCTIONS = 15 }; // open ... unit

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
	size_t lists = 4 * w->cells + 8 * w->k + 2 * w->m + 8 + w->m * (3 * w->k + 9);
	size_t most = maps > weights ? maps : weights;
	most = most > lists ? most : lists;
	return (most > losses ? most : losses) + 2;
}

static size_t run_on(size_t which, const struct backend *b, struct device *d, const struct world *w, real *out) {
	b->upload(d, out, pool[3], room(w) * sizeof(real));
	return cases[which].run(b, d, w, out);
}

static void check_case(size_t which, const struct world *w, const struct kernels *kernels, real *const out[2]) {
	size_t count = run_on(which, &backend_reference, reference, w, out[0]);
	assert_in_range(count, 1, room(w));
	openblas->kernels = kernels;
	assert_int_equal(run_on(which, &backend_openblas, openblas, w, out[1]), count);
	compare(which, w, kernels->name, out[0], out[1], count);
}

// --- a backend with memory of its own ---------------------------------------------------------------------------------

static uint32_t *words_there(const struct backend *b, struct device *d, const uint32_t *from, size_t count) {
	return there(b, d, from, count * sizeof(*from));
}

// The same world on a device; `pools` are there already.
static struct world move_world(const struct backend *b, struct device *d, const struct world *w, real *const *pools) {
	struct world ret = *w;
	memcpy(ret.pool, pools, sizeof(ret.pool));
	ret.s.start = words_there(b, d, w->s.start, w->m + 1);
	ret.s.column = words_there(b, d, w->s.column, w->cells);
	ret.s.value = ret.pool[2];
	ret.range = sparse_rows(&ret.s, w->first, w->range.rows);
	ret.t.column = words_there(b, d, w->t.column, w->t.count);
	ret.t.start = words_there(b, d, w->t.start, w->t.count + 1);
	ret.t.row = words_there(b, d, w->t.row, w->cells);
	ret.t.entry = words_there(b, d, w->t.entry, w->cells);
	ret.t.waited = words_there(b, d, w->t.waited, w->t.count);
	ret.t.slot = words_there(b, d, w->t.slot, w->k);
	ret.t.stamp = words_there(b, d, w->t.stamp, w->k);
	ret.row = words_there(b, d, w->row, w->m);
	return ret;
}

static void release_world(const struct backend *b, struct device *d, const struct world *w) {
	const void *parts[] = { w->s.start, w->s.column, w->t.column, w->t.start, w->t.row, w->t.entry, w->t.waited,
		                    w->t.slot, w->t.stamp, w->row };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		b->release(d, (void *)(uintptr_t)parts[i]);
}

static real *run_there(size_t which, const struct backend *b, struct device *d, const struct world *w, real *out,
                       size_t *ret_count) {
	struct error error = { 0 };
	*ret_count = run_on(which, b, d, w, out);
	if (!b->sync(d, &error))
		fail_msg("%s: %s", cases[which].name, error.message);
	return here(b, d, out, *ret_count * sizeof(real));
}

// Against the reference, and twice: the same bytes.
static void check_there(size_t which, const struct backend *b, struct device *d, const struct world *w,
                        const struct world *moved, real *const out[2]) {
	size_t count = run_on(which, &backend_reference, reference, w, out[0]), done;
	assert_in_range(count, 0, room(w)); // 0: no column is touched
	real *first = run_there(which, b, d, moved, out[1], &done);
	assert_int_equal(done, count);
	compare(which, w, b->row.name, out[0], first, count);
	if (w->round % 4 == 0) {
		real *second = run_there(which, b, d, moved, out[1], &done);
		assert_memory_equal(first, second, count * sizeof(real));
		free(second);
	}
	free(first);
}

static size_t rounds_there = ROUNDS;

static void test_there(void **state) {
	(void)state;
	struct error error = { 0 };
	struct device *d;
	const struct backend *b;
	if (!backend_open(&backend_cuda, NULL, NULL, &b, &d, &error))
		fail_msg("%s", error.message);
	print_message("%s\n", b->describe(d));
	real *pools[POOLS], *out[2] = { memory_alloc(POOL * sizeof(real)), b->allocate(d, POOL * sizeof(real), &error) };
	for (size_t i = 0; i < POOLS; i++)
		pools[i] = there(b, d, pool[i], POOL * sizeof(real));
	for (size_t round = 0; round < rounds_there; round++) {
		struct world w;
		make_world(&w, round, true);
		struct world moved = move_world(b, d, &w, pools);
		for (size_t i = 0; i < CASES; i++)
			check_there(i, b, d, &w, &moved, out);
		release_world(b, d, &moved);
		finish_world(&w);
	}
	for (size_t i = 0; i < POOLS; i++)
		b->release(d, pools[i]);
	b->release(d, out[1]);
	free(out[0]);
	b->close(d);
}

static void check_kernels(const struct kernels *kernels) {
	real *out[2];
	for (size_t i = 0; i < 2; i++)
		out[i] = memory_alloc(POOL * sizeof(real));
	for (size_t round = 0; round < ROUNDS; round++) {
		struct world w;
		make_world(&w, round, false);
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
	make_world(&w, 5, false);
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

// What lists count on (recommend/lists.c): over neighbouring numbers, the smaller first, activations but swish never fall
// by more than 4e-7 of what they are, and the identity and relus not at all.
static void check_rising(const struct backend *b, struct device *d, size_t id, float from) {
	enum { NUMBERS = 4096 };
	static real x[NUMBERS], y[NUMBERS];
	bool exact = id == ACTIVATION_IDENTITY || id == ACTIVATION_RELU || id == ACTIVATION_LEAKY_RELU;
	for (size_t i = 0; i < NUMBERS; i++, from = nextafterf(from, INFINITY))
		x[i] = (real)from;
	struct matrix in = { x, 1, NUMBERS, NUMBERS }, out = { y, 1, NUMBERS, NUMBERS };
	b->activate(d, (enum activation_id)id, parameter_of(id), &in, &out);
	real most = y[0];
	for (size_t i = 1; i < NUMBERS; i++) {
		assert_true(y[i] >= most - (exact ? 0 : (real)4e-7 * (most < 0 ? -most : most)));
		most = y[i] > most ? y[i] : most;
	}
}

static void test_rising(void **state) {
	(void)state;
	for (size_t id = 0; id < ACTIVATION_COUNT; id++)
		for (int i = -900; id != ACTIVATION_SWISH && i < 900; i++) {
			float from = (float)i * fabsf((float)i) / 20000;
			check_rising(&backend_openblas, openblas, id, from);
			check_rising(&backend_reference, reference, id, from);
		}
}

static int tear_down(void **state) {
	(void)state;
	backend_reference.close(reference);
	backend_openblas.close(openblas);
	for (size_t i = 0; i < POOLS; i++)
		free(pool[i]);
	return 0;
}

// Without an argument the CPU backends; with "cuda" the same list on what the plug-in of that name opens, all rounds of it
// or as many as the second argument says.
int main(int count, char **arguments) {
	if (count > 2)
		rounds_there = strtoul(arguments[2], NULL, 10);
	const struct CMUnitTest there_tests[] = { cmocka_unit_test(test_there) };
	if (count > 1 && strcmp(arguments[1], "cuda") == 0)
		return cmocka_run_group_tests(there_tests, set_up, tear_down);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_dropout_rate),
		cmocka_unit_test(test_logits),
		cmocka_unit_test(test_rising),
		cmocka_unit_test(test_softmax_far),
		cmocka_unit_test(test_cuda_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
