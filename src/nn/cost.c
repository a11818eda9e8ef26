// The constants were measured by `tests/bench/bench_paths` of the build folder, which prints them again, on one thread
// of an AMD EPYC (Zen 3, AVX2; OpenBLAS 0.3.21, kernel Zen), 2026-11-24. On processors with AVX-512 both sides are
// about twice as fast, so that the density where they meet stays about the same.
#include "nn/cost.h"

#include <math.h>

// Per stored entry and column of a product: rows of weights from a table of so many bytes, fetched and used.
static const struct {
	double bytes, ns;
} gather[] = {{5e5, 0.07}, {2e6, 0.10}, {1e7, 0.16}, {5e7, 0.47}, {2.5e8, 0.55}};
enum { GATHERS = sizeof(gather) / sizeof(gather[0]) };

static const double ENTRY_NS = 1.5;      // per stored entry and product, whatever the width
static const double MULTIPLY_NS = 0.024; // per multiplication of a dense product
static const double CELL_NS = 1.5;    // per cell of the dense form: activation, loss and their ways back, or filling in
static const double UPDATE_NS = 0.55; // per weight that an optimizer updates

// Between the measured sizes by the logarithm, beyond them the last one's.
static double gather_ns(double bytes) {
	size_t i = 0;
	while (i < GATHERS && gather[i].bytes < bytes)
		i++;
	if (i == 0 || i == GATHERS)
		return gather[i ? GATHERS - 1 : 0].ns;
	double share = log(bytes / gather[i - 1].bytes) / log(gather[i].bytes / gather[i - 1].bytes);
	return gather[i - 1].ns + share * (gather[i].ns - gather[i - 1].ns);
}

static double products(const struct cost_shape *s) {
	return s->output ? 3 : 2;
}

static double update_ns(const struct cost_shape *s, double rows) {
	return rows * (double)s->width * UPDATE_NS / (double)s->batch;
}

// Columns that a batch touches, as if each entry fell anywhere.
static double touched(const struct cost_shape *s) {
	double columns = (double)s->columns;
	return columns * (1 - pow(1 - fmin(s->entries / columns, 1), (double)s->batch));
}

double cost_sparse(const struct cost_shape *s) {
	double width = (double)s->width, entry = width * gather_ns((double)s->columns * width * sizeof(float)) + ENTRY_NS;
	return products(s) * s->entries * entry + update_ns(s, s->lazy ? touched(s) : (double)s->columns);
}

double cost_dense(const struct cost_shape *s) {
	double cell = products(s) * (double)s->width * MULTIPLY_NS + CELL_NS;
	return (double)s->columns * cell + update_ns(s, (double)s->columns);
}

double cost_multiply(double multiplications) {
	return multiplications * MULTIPLY_NS;
}

double cost_gather(double multiplications, double table_bytes) {
	return multiplications * gather_ns(table_bytes);
}

double cost_cells(double cells) {
	return cells * CELL_NS;
}

double cost_update(double weights) {
	return weights * UPDATE_NS;
}
