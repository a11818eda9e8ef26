// See gram.h. A thread does some columns at a time: for each of a column's entries the row's entries from there on are
// added, which fills the upper half; the lower one is copied.
#include "model/gram.h"

#include <stdlib.h>

enum { STRIPE = 8 }; // columns of a block

struct gram {
	const struct csr *x, *by_column;
	double *g; // (columns, columns)
	size_t columns;
};

// The place of the first entry of a row from `column` on: it is there.
static size_t find_entry(const struct csr *x, size_t row, uint32_t column) {
	size_t low = x->start[row], high = x->start[row + 1];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (x->column[middle] < column)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void fill_column(const struct gram *g, size_t column) {
	const struct csr *by = g->by_column, *x = g->x;
	double *to = g->g + column * g->columns;
	for (size_t k = by->start[column]; k < by->start[column + 1]; k++) {
		size_t row = by->column[k];
		double value = (double)by->value[k];
		for (size_t i = find_entry(x, row, (uint32_t)column); i < x->start[row + 1]; i++)
			to[x->column[i]] += value * (double)x->value[i];
	}
}

static void fill_stripe(void *context, size_t index) {
	const struct gram *g = context;
	for (size_t i = index * STRIPE; i < (index + 1) * STRIPE && i < g->columns; i++)
		fill_column(g, i);
}

static void mirror_stripe(void *context, size_t index) {
	const struct gram *g = context;
	for (size_t i = index * STRIPE; i < (index + 1) * STRIPE && i < g->columns; i++)
		for (size_t j = 0; j < i; j++)
			g->g[i * g->columns + j] = g->g[j * g->columns + i];
}

double gram_bytes(size_t columns) {
	return (double)columns * (double)columns * (double)sizeof(double);
}

bool gram_create(const struct csr *x, struct pool *pool, double **ret, struct error *error) {
	struct csr by_column = {0};
	size_t n = x->columns, numbers;
	if (!memory_product(n, n, &numbers))
		return error_set(error, ERROR_RUN, "a matrix of %zu by %zu items does not fit into memory", n, n);
	struct gram g = {.x = x, .by_column = &by_column, .columns = n};
	g.g = memory_array(numbers, sizeof(*g.g), "the Gram matrix of the items", error);
	if (!g.g || !csr_transpose(x, &by_column, error)) {
		free(g.g);
		return false;
	}
	pool_run(pool, (n + STRIPE - 1) / STRIPE, fill_stripe, &g);
	pool_run(pool, (n + STRIPE - 1) / STRIPE, mirror_stripe, &g);
	csr_finish(&by_column);
	*ret = g.g;
	return true;
}
