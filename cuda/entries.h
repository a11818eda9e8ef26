// Loops over the entries of sparse rows.
#ifndef AEXP_CUDA_ENTRIES_H
#define AEXP_CUDA_ENTRIES_H

#include "device.h"

// A long row's entries are shared by STRIPES blocks; those of a short one end at once.
constexpr unsigned STRIPES = 8;

template <typename F> __global__ void __launch_bounds__(THREADS) each_entry_kernel(struct sparse s, F body) {
	const size_t i = blockIdx.x;
	const uint32_t end = s.start[i + 1];
	for (uint32_t k = s.start[i] + blockIdx.y * THREADS + threadIdx.x; k < end; k += STRIPES * THREADS)
		body(i, k);
}

// body(i, k) for each entry k of each row i.
template <typename F> void each_entry(struct device *device, const struct sparse *s, F body) {
	RUN_ON(device, each_entry_kernel, dim3(blocks_for(s->rows, 1), STRIPES), THREADS, *s, body);
}

#endif
