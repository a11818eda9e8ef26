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

double gather_bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads,
                        size_t repeats) {
	static const size_t aheads[] = {0, 4, 16};
	struct gather g = {.rows = rows, .stride = gather_stride(width), .index = index, .count = count};
	size_t bytes = rows * g.stride * sizeof(float);
	g.table = aligned_alloc(LINE_BYTES, bytes);
	if (!g.table || threads > sizeof(g.sink) / sizeof(g.sink[0]))
		return NAN;
	for (size_t i = 0; i < rows * g.stride; i++)
		g.table[i] = (float)(i % 7);
	double best = INFINITY;
	for (size_t a = 0; a < sizeof(aheads) / sizeof(aheads[0]); a++) {
		g.ahead = aheads[a];
		best = fmin(best, team_best(threads, repeats, gather_share, &g));
	}
	free(g.table);
	return (double)count * (double)g.stride * sizeof(float) / best;
}
