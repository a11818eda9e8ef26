// See gather.h. Compiler vectors as wide as the machine's registers: wider ones would go through memory.
#include "gather.h"

#include "team.h"

#include <math.h>
#include <stdlib.h>

enum { LINE_BYTES = 64 };
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
enum { VECTORS = LINE_BYTES / VECTOR_BYTES }; // of a line
typedef float vector __attribute__((vector_size(VECTOR_BYTES)));

static inline void prefetch_row(const char *row, size_t bytes) {
	for (size_t at = 0; at < bytes; at += LINE_BYTES)
		__builtin_prefetch(row + at);
}

// Sums that do not wait for each other: an addition takes some cycles, two loads one.
struct sums {
	vector a, b, c, d, e, f, g, h;
};

// Two lines at a time; a row of an odd number of lines ends with one.
static inline void add_row(const vector *row, size_t lines, struct sums *sums) {
	const vector *end = row + (lines & ~(size_t)1) * VECTORS;
	for (; row < end; row += 2 * VECTORS) {
		sums->a += row[0];
		sums->b += row[1];
#if !defined(__AVX512F__)
		sums->c += row[2];
		sums->d += row[3];
#if !defined(__AVX__)
		sums->e += row[4];
		sums->f += row[5];
		sums->g += row[6];
		sums->h += row[7];
#endif
#endif
	}
	for (size_t v = 0; v < (lines & 1) * VECTORS; v++)
		sums->e += row[v];
}

static void gather_share(void *context, size_t thread, size_t threads) {
	struct gather *g = context;
	size_t begin = g->count * thread / threads, end = g->count * (thread + 1) / threads,
	       lines = g->stride / GATHER_LINE;
	const char *table = (const char *)g->table;
	size_t bytes = lines * LINE_BYTES;
	struct sums sums = {0};
	for (size_t i = begin; i < end; i++) {
		if (g->ahead && i + g->ahead < end)
			prefetch_row(table + g->index[i + g->ahead] * bytes, bytes);
		add_row((const vector *)(table + g->index[i] * bytes), lines, &sums);
	}
	vector all = sums.a + sums.b + sums.c + sums.d + sums.e + sums.f + sums.g + sums.h;
	g->sink[thread] = 0;
	for (size_t i = 0; i < VECTOR_BYTES / sizeof(float); i++)
		g->sink[thread] += all[i];
}

// A few additions and products, so that moving the rows is what it takes.
static inline void update_lines(vector *weight, vector *gradients, vector *changes, size_t vectors) {
	for (size_t v = 0; v < vectors; v++) {
		vector change = weight[v] - gradients[v];
		weight[v] = gradients[v] - changes[v];
		gradients[v] = changes[v] + change;
		changes[v] = change;
	}
}

static void update_share(void *context, size_t thread, size_t threads) {
	struct gather *g = context;
	size_t lines = g->stride / GATHER_LINE, begin = lines * thread / threads, end = lines * (thread + 1) / threads;
	size_t row_bytes = lines * LINE_BYTES, table_bytes = g->rows * row_bytes, bytes = (end - begin) * LINE_BYTES;
	char *first = (char *)g->table + begin * LINE_BYTES;
	for (size_t i = 0; i < g->count; i++) {
		char *row = first + g->index[i] * row_bytes;
		if (g->ahead && i + g->ahead < g->count)
			for (size_t table = 0; table < 3; table++)
				prefetch_row(first + g->index[i + g->ahead] * row_bytes + table * table_bytes, bytes);
		update_lines((vector *)row, (vector *)(row + table_bytes), (vector *)(row + 2 * table_bytes),
		             bytes / VECTOR_BYTES);
	}
}

// The best over several prefetch distances, in seconds; NAN without memory or threads.
static double best_seconds(struct gather *g, size_t tables, size_t threads, size_t repeats, team_work *work) {
	static const size_t aheads[] = {0, 4, 16};
	size_t numbers = tables * g->rows * g->stride;
	g->table = aligned_alloc(LINE_BYTES, numbers * sizeof(float));
	if (!g->table || threads > sizeof(g->sink) / sizeof(g->sink[0])) {
		free(g->table);
		return NAN;
	}
	for (size_t i = 0; i < numbers; i++)
		g->table[i] = (float)(i % 7);
	double best = INFINITY;
	for (size_t a = 0; a < sizeof(aheads) / sizeof(aheads[0]); a++) {
		g->ahead = aheads[a];
		best = fmin(best, team_best(threads, repeats, work, g));
	}
	free(g->table);
	return best;
}

double gather_bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads,
                        size_t repeats) {
	struct gather g = {.rows = rows, .stride = gather_stride(width), .index = index, .count = count};
	return (double)count * (double)g.stride * sizeof(float) / best_seconds(&g, 1, threads, repeats, gather_share);
}

double update_bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads,
                        size_t repeats) {
	struct gather g = {.rows = rows, .stride = gather_stride(width), .index = index, .count = count};
	return 6 * (double)count * (double)g.stride * sizeof(float) / best_seconds(&g, 3, threads, repeats, update_share);
}
