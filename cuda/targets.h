// The cells of a row that a loss counts, for a block of THREADS.
#ifndef AEXP_CUDA_TARGETS_H
#define AEXP_CUDA_TARGETS_H

#include "device.h"

// A loss's cells as a kernel is given them: the target is the host's, and beside them here.
struct targets {
	struct loss_cells cells;
	struct sparse target;
	bool packed;
	size_t first, columns; // of the part at hand, where they are not packed
};
static inline struct targets targets_of(const struct loss_cells *cells, bool packed, size_t first, size_t columns) {
	return targets{*cells, *cells->target, packed, first, columns};
}
__device__ static inline double scale_of(const struct targets *t, size_t i) {
	struct loss_cells cells = t->cells;
	cells.target = &t->target;
	return loss_scale(&cells, i);
}

// The first entry in [begin, end) whose column is not below `column`.
__device__ static inline uint32_t entry_from(const uint32_t *of, uint32_t begin, uint32_t end, size_t column) {
	while (begin < end) {
		const uint32_t middle = begin + (end - begin) / 2;
		if (of[middle] < column)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

// body(place, target, stored) for each cell of row i that counts, absent(place) for each other one of the part; each
// place by one thread, the same one each time. A chunk's stored cells are noted in a bit each, since a search for every
// column would cost more than the columns; places are read and written by neighbouring threads.
template <typename F, typename A> __device__ void each_target(const struct targets *t, size_t i, F body, A absent) {
	constexpr size_t CHUNK = 8192; // columns
	__shared__ unsigned stored[CHUNK / 32];
	const struct sparse *s = &t->target;
	uint32_t begin = s->start[i];
	const uint32_t end = s->start[i + 1];
	if (t->packed) {
		for (uint32_t k = begin + threadIdx.x; k < end; k += THREADS)
			body(k, s->value[k], true);
		return;
	}
	begin = entry_from(s->column, begin, end, t->first);
	for (size_t from = 0; from < t->columns; from += CHUNK) {
		const size_t width = t->columns - from < CHUNK ? t->columns - from : CHUNK, base = t->first + from;
		const uint32_t next = entry_from(s->column, begin, end, base + width);
		__syncthreads();
		for (size_t w = threadIdx.x; w < CHUNK / 32; w += THREADS)
			stored[w] = 0;
		__syncthreads();
		for (uint32_t k = begin + threadIdx.x; k < next; k += THREADS)
			atomicOr(&stored[(s->column[k] - base) / 32], 1u << (s->column[k] - base) % 32);
		__syncthreads();
		for (size_t j = threadIdx.x; j < width; j += THREADS) {
			if (stored[j / 32] >> j % 32 & 1)
				continue;
			if (t->cells.all)
				body(from + j, (real)0, false);
			else
				absent(from + j);
		}
		for (uint32_t k = begin + threadIdx.x; k < next; k += THREADS)
			body(s->column[k] - t->first, s->value[k], true);
		begin = next;
	}
}

#endif
