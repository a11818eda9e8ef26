// bench_paths: measures the constants of src/nn/cost.c on one thread of this machine and prints them as they stand
// there. Each is the best of several runs: other work on the machine only adds.
#include "base/memory.h"
#include "base/random.h"
#include "tensor/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 512, ENTRIES = 32, REPEATS = 7 };

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static const struct backend *const backend = &backend_openblas;
static struct device *device;

static struct matrix make_matrix(size_t rows, size_t columns) {
	struct error error = {0};
	struct matrix m = {backend->allocate(device, rows * columns * sizeof(real), &error), rows, columns, columns};
	if (!m.data) {
		fprintf(stderr, "%s\n", error.message);
		exit(1);
	}
	for (size_t i = 0; i < rows * columns; i++)
		m.data[i] = (real)(i % 97) / 97 - (real)0.5;
	return m;
}

// A batch with ENTRIES random columns a row, as sparse rows and by column.
struct pattern {
	struct sparse s;
	struct transposed t;
	uint32_t *start, *column, *row, *entry, *touched, *touched_start;
	real *value;
};

static void make_pattern(size_t columns, uint32_t seed, struct pattern *ret) {
	size_t entries = ROWS * ENTRIES;
	struct random_stream stream = random_stream_make(seed, "bench", "");
	*ret = (struct pattern){.start = memory_alloc((ROWS + 1) * 4),
	                        .column = memory_alloc(entries * 4),
	                        .row = memory_alloc(entries * 4),
	                        .entry = memory_alloc(entries * 4),
	                        .touched = memory_alloc(columns * 4),
	                        .touched_start = memory_alloc((columns + 1) * 4),
	                        .value = memory_alloc(entries * sizeof(real))};
	for (uint32_t k = 0; k < entries; k++) {
		ret->start[k / ENTRIES] = k / ENTRIES * ENTRIES;
		ret->column[k] = (uint32_t)((uint64_t)random_u32(stream, 0, k, 0) * columns >> 32);
		ret->value[k] = 1;
		ret->touched_start[ret->column[k] + 1]++;
	}
	ret->start[ROWS] = (uint32_t)entries;
	for (size_t c = 0; c < columns; c++) {
		ret->touched[c] = (uint32_t)c;
		ret->touched_start[c + 1] += ret->touched_start[c];
	}
	uint32_t *next = memory_alloc((columns + 1) * 4);
	memcpy(next, ret->touched_start, (columns + 1) * 4);
	for (uint32_t k = 0; k < entries; k++) {
		uint32_t place = next[ret->column[k]]++;
		ret->row[place] = k / ENTRIES;
		ret->entry[place] = k;
	}
	free(next);
	ret->s = (struct sparse){ROWS, columns, ret->start, ret->column, ret->value};
	ret->t = (struct transposed){
	    .count = columns, .column = ret->touched, .start = ret->touched_start, .row = ret->row, .entry = ret->entry};
}

static void pattern_finish(struct pattern *p) {
	void *all[] = {p->start, p->column, p->row, p->entry, p->touched, p->touched_start, p->value};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]);
}

// ns an entry of the two products that fetch rows of the table, in the mean.
static double entry_ns(size_t items, size_t width) {
	struct pattern p[4];
	struct matrix w = make_matrix(items, width), h = make_matrix(ROWS, width);
	real *cells = memory_alloc(ROWS * ENTRIES * sizeof(real));
	double best = 1e30;
	for (uint32_t i = 0; i < 4; i++)
		make_pattern(items, i, &p[i]);
	for (size_t r = 0; r < REPEATS; r++) {
		double start = now();
		for (size_t i = 0; i < 4; i++) { // different rows, as in an epoch
			backend->cells_times(device, &p[i].s, &h, &w, cells);
			backend->sparse_times(device, &p[i].s, &w, NULL, 0, &h);
		}
		double ns = (now() - start) / (4 * 2 * ROWS * ENTRIES);
		best = ns < best ? ns : best;
	}
	for (uint32_t i = 0; i < 4; i++)
		pattern_finish(&p[i]);
	backend->release(device, w.data);
	backend->release(device, h.data);
	free(cells);
	return best;
}

static double multiply_ns(size_t items, size_t width) {
	struct matrix h = make_matrix(ROWS, width), w = make_matrix(items, width), y = make_matrix(ROWS, items);
	double best = 1e30;
	for (size_t r = 0; r < REPEATS; r++) {
		double start = now();
		backend->gemm(device, false, true, &h, &w, 0, &y);
		backend->gemm(device, false, false, &y, &w, 0, &h);
		backend->gemm(device, true, false, &y, &h, 0, &w);
		double ns = (now() - start) / (3 * (double)ROWS * (double)items * (double)width);
		best = ns < best ? ns : best;
	}
	backend->release(device, h.data);
	backend->release(device, w.data);
	backend->release(device, y.data);
	return best;
}

static double cell_ns(size_t items) {
	struct pattern p;
	struct matrix y = make_matrix(ROWS, items), g = make_matrix(ROWS, items);
	double best = 1e30, *sums = memory_alloc(ROWS * sizeof(*sums));
	make_pattern(items, 1, &p);
	struct loss_cells loss = {.id = CELL_LOSS_SQUARED, .target = &p.s, .all = true, .scale = 1, .unobserved = 1};
	for (size_t r = 0; r < REPEATS; r++) {
		double start = now();
		backend->activate(device, ACTIVATION_SIGMOID, 0, &y, &y);
		backend->loss(device, &loss, false, 0, &y, &g, sums);
		backend->activate_back(device, ACTIVATION_SIGMOID, 0, NULL, &y, &g, 0, &g);
		double ns = (now() - start) / ((double)ROWS * (double)items);
		best = ns < best ? ns : best;
	}
	pattern_finish(&p);
	backend->release(device, y.data);
	backend->release(device, g.data);
	free(sums);
	return best;
}

static double update_ns(size_t items, size_t width) {
	struct matrix w = make_matrix(items, width), s = make_matrix(items, width), d = make_matrix(items, width),
	              g = make_matrix(items, width);
	for (size_t i = 0; i < items * width; i++)
		s.data[i] = d.data[i] = (real)1e-3;
	struct optimizer_rows rows = {.id = OPTIMIZER_ADADELTA,
	                              .numbers = {.rate = 1, .decay = (real)0.95, .epsilon = (real)1e-8},
	                              .weight = w,
	                              .state = {s.data, d.data}};
	double best = 1e30;
	for (size_t r = 0; r < REPEATS; r++) {
		double start = now();
		backend->optimize(device, &rows, &g, NULL);
		double ns = (now() - start) / (double)(items * width);
		best = ns < best ? ns : best;
	}
	backend->release(device, w.data);
	backend->release(device, s.data);
	backend->release(device, d.data);
	backend->release(device, g.data);
	return best;
}

int main(void) {
	static const size_t sizes[] = {500000, 2000000, 10000000, 50000000, 250000000}; // bytes of a table
	enum { WIDTH = 128, NARROW = 16 };
	struct error error = {0};
	if (!backend->open(backend, NULL, NULL, &device, &error)) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	printf("%s\n", backend->describe(device));
	double narrow = entry_ns(800, NARROW), wide = entry_ns(800, WIDTH);
	double column = (wide - narrow) / (WIDTH - NARROW), entry = narrow - column * NARROW;
	printf("ENTRY_NS    %.3g\n", entry);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		printf("gather      {%.3g, %.3g}\n", (double)sizes[i],
		       (entry_ns(sizes[i] / (WIDTH * sizeof(real)), WIDTH) - entry) / WIDTH);
	printf("MULTIPLY_NS %.3g (width 144), %.3g (width 528)\n", multiply_ns(4000, 144), multiply_ns(4000, 528));
	printf("CELL_NS     %.3g\n", cell_ns(4000));
	printf("UPDATE_NS   %.3g\n", update_ns(800, WIDTH));
	backend->close(device);
	return 0;
}
