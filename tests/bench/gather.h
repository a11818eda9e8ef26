// Row-gather bandwidth: how fast rows of floats are read from a table in a given order of rows, the work that bounds
// sparse training. The row is summed and nothing is written, so no kernel that needs those rows can be faster.
#ifndef AEXP_BENCH_GATHER_H
#define AEXP_BENCH_GATHER_H

#include <stddef.h>
#include <stdint.h>

enum { GATHER_LINE = 16 }; // floats of a cache line; rows are padded to whole ones

struct gather {
	float *table; // (rows, stride), 64-byte aligned; of an update three of them
	size_t rows, stride;
	const uint32_t *index; // (count)
	size_t count;
	size_t ahead; // rows that are prefetched; set by gather_bandwidth
	float sink[256];
};

static inline size_t gather_stride(size_t width) {
	return (width + GATHER_LINE - 1) / GATHER_LINE * GATHER_LINE;
}

// Bytes a second, of whole padded rows, on so many threads, each with its share of the indices: the best over several
// repeats and prefetch distances. NAN without memory or threads.
double gather_bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads, size_t repeats);

// The same of rows of three tables that are read, changed and written, as an optimizer with two states does: six times
// the bytes of a row each. A thread has its share of each row's lines.
double update_bandwidth(size_t rows, size_t width, const uint32_t *index, size_t count, size_t threads, size_t repeats);

#endif
