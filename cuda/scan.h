// Running sums of whole numbers: put(i, the sum of value(0) ... value(i - 1)) for each i up to count, which gets them
// all. value is asked again before its place is put, so that put may overwrite what value(i) reads.
#ifndef AEXP_CUDA_SCAN_H
#define AEXP_CUDA_SCAN_H

#include "device.h"

constexpr size_t SCAN_EACH = 4; // numbers of a thread, next to each other
constexpr size_t SCAN_TILE = THREADS * SCAN_EACH;
static_assert(SCAN_TILE == WORK_TILE, "of which memory has one sum each");
constexpr size_t SCAN_ALONE = 16 * SCAN_TILE; // up to here one block does it all

// The sum over the block's threads before this one; ret_all: over all.
__device__ static inline uint32_t block_before(uint32_t x, uint32_t *ret_all) {
	__shared__ uint32_t part[THREADS / WARP];
	const unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
	uint32_t sum = x, before = 0, all = 0;
	for (unsigned far = 1; far < WARP; far *= 2) {
		const uint32_t other = __shfl_up_sync(ALL_LANES, sum, far);
		sum += lane >= far ? other : 0;
	}
	__syncthreads(); // whoever reads the last one's parts is done
	if (lane == WARP - 1)
		part[warp] = sum;
	__syncthreads();
	for (unsigned w = 0; w < THREADS / WARP; w++) {
		before += w < warp ? part[w] : 0;
		all += part[w];
	}
	*ret_all = all;
	return before + sum - x;
}

// One tile; returns its sum.
template <typename V, typename P>
__device__ static inline uint32_t scan_tile(size_t tile, size_t count, uint32_t base, const V &value, const P &put) {
	const size_t first = tile * SCAN_TILE + threadIdx.x * SCAN_EACH;
	uint32_t x[SCAN_EACH], sum = 0, all;
#pragma unroll
	for (size_t e = 0; e < SCAN_EACH; e++) {
		x[e] = first + e < count ? value(first + e) : 0;
		sum += x[e];
	}
	uint32_t before = base + block_before(sum, &all);
#pragma unroll
	for (size_t e = 0; e < SCAN_EACH; e++) {
		if (first + e < count)
			put(first + e, before);
		before += x[e];
	}
	return all;
}

template <typename V, typename P>
__global__ void __launch_bounds__(THREADS) scan_alone_kernel(size_t count, V value, P put) {
	uint32_t base = 0;
	for (size_t tile = 0; tile * SCAN_TILE < count; tile++)
		base += scan_tile(tile, count, base, value, put);
	if (threadIdx.x == 0)
		put(count, base);
}

template <typename V>
__global__ void __launch_bounds__(THREADS) scan_sums_kernel(size_t count, V value, uint32_t *ret_sum) {
	const size_t first = (size_t)blockIdx.x * SCAN_TILE + threadIdx.x * SCAN_EACH;
	uint32_t sum = 0, all;
	for (size_t e = 0; e < SCAN_EACH; e++)
		sum += first + e < count ? value(first + e) : 0;
	block_before(sum, &all);
	if (threadIdx.x == 0)
		ret_sum[blockIdx.x] = all;
}

template <typename V, typename P>
__global__ void __launch_bounds__(THREADS) scan_put_kernel(size_t count, const uint32_t *base, V value, P put) {
	const uint32_t all = scan_tile(blockIdx.x, count, base[blockIdx.x], value, put);
	if (blockIdx.x == gridDim.x - 1 && threadIdx.x == 0)
		put(count, base[blockIdx.x] + all);
}

// work: (work_scan_words(count))
template <typename V, typename P> void scan(struct device *device, size_t count, uint32_t *work, V value, P put) {
	if (count <= SCAN_ALONE) {
		RUN_ON(device, scan_alone_kernel, dim3(1), THREADS, count, value, put);
		return;
	}
	const unsigned tiles = blocks_for(count, SCAN_TILE);
	RUN_ON(device, scan_sums_kernel, dim3(tiles), THREADS, count, value, work);
	auto of_tile = [=] __device__(size_t i) { return work[i]; };
	auto put_tile = [=] __device__(size_t i, uint32_t sum) {
		if (i < tiles)
			work[i] = sum;
	};
	RUN_ON(device, scan_alone_kernel, dim3(1), THREADS, (size_t)tiles, of_tile, put_tile);
	RUN_ON(device, scan_put_kernel, dim3(tiles), THREADS, count, work, value, put);
}

#endif
