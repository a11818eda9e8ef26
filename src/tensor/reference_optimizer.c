// The reference backend's updates of weights: all rows, those that a batch touched, and those that waited.
#include "tensor/reference.h"

static void update(enum optimizer_id id, const struct optimizer_numbers *n, real *w, real *s, real *d, real g) {
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		name##_update(n, w, s, d, g);                                                                                  \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

static void wait(enum optimizer_id id, const struct waiting *f, real *w, real *s, real *d) {
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		name##_wait(f, w, s, d);                                                                                       \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

// A weight and its state, which may be absent.
static real *state_at(const struct optimizer_rows *rows, size_t which, size_t place, real *absent) {
	return rows->state[which] ? &rows->state[which][place] : &absent[which];
}

static void wait_row(const struct optimizer_rows *rows, size_t row, uint32_t waited) {
	struct waiting f = waiting_make(rows->id, &rows->numbers, rows->l2, waited);
	for (size_t j = 0; waited && j < rows->weight.columns; j++) {
		real absent[2] = {0};
		size_t place = row * rows->weight.stride + j;
		wait(rows->id, &f, &rows->weight.data[place], state_at(rows, 0, place, absent),
		     state_at(rows, 1, place, absent));
	}
}

static double squares_of(const struct optimizer_rows *rows, size_t row) {
	double squares = 0;
	for (size_t j = 0; j < rows->weight.columns; j++)
		squares += (double)*at(&rows->weight, row, j) * *at(&rows->weight, row, j);
	return squares;
}

static void update_weight(const struct optimizer_rows *rows, size_t row, size_t j, real gradient) {
	size_t place = row * rows->weight.stride + j;
	real *w = &rows->weight.data[place], absent[2] = {0};
	update(rows->id, &rows->numbers, w, state_at(rows, 0, place, absent), state_at(rows, 1, place, absent),
	       gradient + 2 * rows->l2 * *w);
}

static void note_squares(const struct optimizer_rows *rows, double squares, double *ret) {
	if (rows->l2 > 0)
		*ret = squares;
}

void reference_optimize(struct device *device, const struct optimizer_rows *rows, const struct matrix *gradient,
                        double *ret) {
	(void)device;
	double squares = 0;
	for (size_t i = 0; i < rows->weight.rows; i++) {
		squares += squares_of(rows, i);
		for (size_t j = 0; j < rows->weight.columns; j++)
			update_weight(rows, i, j, *at(gradient, i, j));
	}
	note_squares(rows, squares, ret);
}

// Where the gradient of touched rows comes from: it is summed over their entries, or was written down by place.
struct touched_gradient {
	const real *value;
	const struct matrix *y, *written; // y NULL: sums of the values
};

static real touched_gradient(const struct transposed *t, size_t place, const struct touched_gradient *from, size_t j) {
	double sum = 0;
	if (from->written)
		return *at(from->written, place, j);
	for (uint32_t k = t->start[place]; k < t->start[place + 1]; k++)
		sum += (double)from->value[t->entry[k]] * (from->y ? *at(from->y, t->row[k], j) : 1);
	return (real)sum;
}

static double optimize_touched(const struct optimizer_rows *rows, const struct transposed *t,
                               const struct touched_gradient *from) {
	double before = 0, touched_before = 0, touched_after = 0;
	for (size_t row = 0; row < rows->weight.rows; row++) {
		size_t place;
		bool touched = transposed_find(t, row, &place);
		double squares = squares_of(rows, row);
		before += squares;
		if (rows->lazy && !touched)
			continue;
		if (rows->lazy && !rows->caught_up)
			wait_row(rows, row, t->waited[place]);
		for (size_t j = 0; j < rows->weight.columns; j++)
			update_weight(rows, row, j, touched ? touched_gradient(t, place, from, j) : 0);
		touched_before += squares;
		touched_after += squares_of(rows, row);
	}
	if (!rows->lazy || rows->l2 == 0)
		return rows->l2 > 0 ? before : 0;
	before = *rows->squares; // the rows that wait have not shrunk yet
	double shrink = 1 - 2 * (double)rows->numbers.rate * (double)rows->l2;
	*rows->squares = (before - touched_before) * shrink * shrink + touched_after;
	return before;
}

void reference_optimize_touched(struct device *device, const struct optimizer_rows *rows, const struct transposed *t,
                                const real *value, const struct matrix *y, double *ret) {
	(void)device;
	note_squares(rows, optimize_touched(rows, t, &(struct touched_gradient){.value = value, .y = y}), ret);
}

void reference_optimize_listed(struct device *device, const struct optimizer_rows *rows, const struct transposed *list,
                               const struct matrix *gradient, double *ret) {
	(void)device;
	note_squares(rows, optimize_touched(rows, list, &(struct touched_gradient){.written = gradient}), ret);
}

void reference_squares(struct device *device, const struct matrix *x, double *ret) {
	double sum = 0;
	(void)device;
	for (size_t i = 0; i < x->rows; i++)
		for (size_t j = 0; j < x->columns; j++)
			sum += (double)*at(x, i, j) * *at(x, i, j);
	*ret = sum;
}

void reference_scale(struct device *device, const double *by, real most, const struct matrix *x) {
	real factor = by ? (real)*by : 1;
	(void)device;
	for (size_t i = 0; i < x->rows; i++)
		for (size_t j = 0; j < x->columns; j++) {
			real scaled = factor == 0 ? 0 : *at(x, i, j) * factor;
			*at(x, i, j) = most > 0 && scaled > most ? most : most > 0 && scaled < -most ? -most : scaled;
		}
}

void reference_catch_up(struct device *device, const struct optimizer_rows *rows, const uint32_t *row,
                        const uint32_t *waited, size_t count) {
	(void)device;
	for (size_t i = 0; i < count; i++)
		wait_row(rows, row ? row[i] : i, waited[i]);
}
