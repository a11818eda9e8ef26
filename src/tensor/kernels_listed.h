// Part of kernels.c: what happens to a gradient that was written down before the weights change. Its sum of squares,
// its scaling, and the update of a batch's touched rows by it.
#ifndef AEXP_TENSOR_KERNELS_LISTED_H
#define AEXP_TENSOR_KERNELS_LISTED_H

static double squares(const struct matrix *x) {
	double sum = 0;
	for (size_t i = 0; i < x->rows; i++)
		sum += squares_of(row_of(x, i), x->columns);
	return sum;
}

static void scale(real factor, real most, const struct matrix *x) {
	for (size_t i = 0; i < x->rows; i++) {
		real *row = row_of(x, i);
		if (factor == 0) {
			memset(row, 0, x->columns * sizeof(real));
			continue;
		}
		for (size_t j = 0; j < x->columns; j++)
			row[j] *= factor;
		for (size_t j = 0; most > 0 && j < x->columns; j++)
			row[j] = row[j] > most ? most : row[j] < -most ? -most : row[j];
	}
}

// A chunk of the columns of all listed rows: step_lazily_by with its gradients read.
static inline __attribute__((always_inline)) void listed_by(enum optimizer_id id, const struct optimizer_rows *rows,
                                                            const struct transposed *list,
                                                            const struct matrix *gradient, size_t first, size_t n,
                                                            double *before, double *after) {
	struct absent absent = {{0}, {0}};
	for (size_t i = 0; i < list->count; i++) {
		struct places at = places_of(rows, list->column[i], first, &absent);
		struct waiting f = no_wait;
		if (i + ROWS_AHEAD < list->count)
			fetch_places(rows, list->column[i + ROWS_AHEAD], first, n);
		if (!rows->caught_up)
			f = waiting_of(rows->waiting, list->waited[i]);
		*before += rows->l2 > 0 ? squares_of(at.w, n) : 0;
		update_loop(id, rows, &f, at, row_of(gradient, i) + first, n);
		*after += rows->l2 > 0 ? squares_of(at.w, n) : 0;
	}
}

static void listed_chunk(const struct optimizer_rows *rows, const struct transposed *list,
                         const struct matrix *gradient, size_t first, size_t n, double *before, double *after) {
	switch (rows->id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		if (n == CHUNK)                                                                                                \
			listed_by(OPTIMIZER_##NAME, rows, list, gradient, first, CHUNK, before, after);                            \
		else                                                                                                           \
			listed_by(OPTIMIZER_##NAME, rows, list, gradient, first, n, before, after);                                \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

static double listed_lazily(const struct optimizer_rows *rows, const struct transposed *list,
                            const struct matrix *gradient) {
	double before = 0, after = 0;
	EACH_CHUNK(rows->weight.columns, first, n)
	listed_chunk(rows, list, gradient, first, n, &before, &after);
	return note_squares(rows, before, after);
}

static double listed_all(const struct optimizer_rows *rows, const struct transposed *list,
                         const struct matrix *gradient) {
	static const real none[CHUNK] = {0};
	double sum = 0;
	struct absent absent = {{0}, {0}};
	for (size_t row = 0; row < rows->weight.rows; row++) {
		size_t place;
		bool listed = transposed_find(list, row, &place);
		if (rows->l2 > 0)
			sum += squares_of(row_of(&rows->weight, row), rows->weight.columns);
		EACH_CHUNK(rows->weight.columns, first, n)
		update(rows, &no_wait, places_of(rows, row, first, &absent), listed ? row_of(gradient, place) + first : none,
		       n);
	}
	return sum;
}

static double optimize_listed(const struct optimizer_rows *rows, const struct transposed *list,
                              const struct matrix *gradient) {
	return rows->lazy ? listed_lazily(rows, list, gradient) : listed_all(rows, list, gradient);
}

#endif
