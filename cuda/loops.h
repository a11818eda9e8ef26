// The loops that most kernels are: over the cells of a matrix, over rows with sums of their columns, over columns with
// sums of their rows, and over all cells with one sum. Bodies are lambdas of the device.
#ifndef AEXP_CUDA_LOOPS_H
#define AEXP_CUDA_LOOPS_H

#include "device.h"
#include "seam.h"

// --- sums within a warp or a block: the same tree each time, the result in all threads ---

__device__ static inline double warp_sum(double x) {
	for (int bits = WARP / 2; bits; bits /= 2)
		x += __shfl_xor_sync(ALL_LANES, x, bits);
	return x;
}
__device__ static inline double warp_most(double x) {
	for (int bits = WARP / 2; bits; bits /= 2) {
		double other = __shfl_xor_sync(ALL_LANES, x, bits);
		x = other > x ? other : x;
	}
	return x;
}
// A warp, or a whole block of THREADS: GROUP says which. MOST: the largest instead of the sum.
template <int GROUP, bool MOST = false> __device__ static inline double group_sum(double x) {
	static_assert(GROUP == WARP || GROUP == THREADS, "a warp or a block");
	x = MOST ? warp_most(x) : warp_sum(x);
	if (GROUP == WARP)
		return x;
	__shared__ double part[THREADS / WARP];
	__syncthreads(); // whoever reads the last one's parts is done
	if (threadIdx.x % WARP == 0)
		part[threadIdx.x / WARP] = x;
	__syncthreads();
	x = part[0];
	for (int i = 1; i < THREADS / WARP; i++)
		x = MOST ? (part[i] > x ? part[i] : x) : x + part[i];
	return x;
}

// --- each cell ---

constexpr int CELLS_EACH = 4; // of a thread, THREADS apart, so that four loads are under way at once

template <typename F> __global__ void __launch_bounds__(THREADS) each_cell_kernel(size_t rows, size_t columns, F body) {
	const size_t count = rows * columns, step = (size_t)gridDim.x * THREADS * CELLS_EACH;
	for (size_t first = (size_t)blockIdx.x * THREADS * CELLS_EACH + threadIdx.x; first < count; first += step) {
#pragma unroll
		for (int e = 0; e < CELLS_EACH; e++) {
			const size_t cell = first + (size_t)e * THREADS;
			if (cell >= count)
				break;
			// a division of 32 bits where it suffices is several times as fast
			const size_t i = count <= UINT32_MAX ? (uint32_t)cell / (uint32_t)columns : cell / columns;
			body(i, cell - i * columns);
		}
	}
}

// body(i, j) for each cell of a (rows, columns) matrix, neighbours in a row by neighbouring threads.
template <typename F> void each_cell(struct device *device, size_t rows, size_t columns, F body) {
	size_t blocks = (rows * columns + THREADS * CELLS_EACH - 1) / (THREADS * CELLS_EACH), most = 1u << 20;
	RUN_ON(device, each_cell_kernel, dim3((unsigned)(blocks < most ? blocks : most)), THREADS, rows, columns, body);
}

// --- one sum ---

template <typename F>
__global__ void __launch_bounds__(THREADS) sum_cells_kernel(size_t rows, size_t columns, F body, double *ret_part) {
	double sum = 0;
	const size_t count = rows * columns;
	for (size_t cell = (size_t)blockIdx.x * THREADS + threadIdx.x; cell < count; cell += (size_t)gridDim.x * THREADS) {
		const size_t i = count <= UINT32_MAX ? (uint32_t)cell / (uint32_t)columns : cell / columns;
		sum += body(i, cell - i * columns);
	}
	sum = group_sum<THREADS>(sum);
	if (threadIdx.x == 0)
		ret_part[blockIdx.x] = sum;
}

// ret[0] = the sum of what body(i, j) returns, over all cells.
template <typename F> void sum_cells(struct device *device, size_t rows, size_t columns, F body, double *ret) {
	const unsigned blocks = (unsigned)work_blocks((rows * columns + THREADS - 1) / THREADS);
	double *part = (double *)device_scratch(device, work_blocks_bytes(blocks));
	if (!part)
		return;
	RUN_ON(device, sum_cells_kernel, dim3(blocks), THREADS, rows, columns, body, part);
	gpu_sum(device, 1, part, blocks, false, ret);
}

// --- each row ---

// The threads that share a row: body(group, row) walks its columns from `first` on in steps of SIZE, and sums with
// them.
template <int GROUP> struct row_group {
	static constexpr int SIZE = GROUP;
	unsigned first; // this thread's column
	__device__ double sum(double x) const { return group_sum<GROUP>(x); }
	__device__ double most(double x) const { return group_sum<GROUP, true>(x); }
};

template <int GROUP, typename F> __global__ void __launch_bounds__(THREADS) each_row_kernel(size_t rows, F body) {
	const size_t row = (size_t)blockIdx.x * (THREADS / GROUP) + threadIdx.x / GROUP;
	if (row < rows) // all of a group, or none of it
		body(row_group<GROUP>{threadIdx.x % GROUP}, row);
}

template <typename F> void each_row_by_block(struct device *device, size_t rows, F body) {
	RUN_ON(device, (each_row_kernel<THREADS>), dim3(blocks_for(rows, 1)), THREADS, rows, body);
}

// A warp for a row, or a block where rows are wide.
template <typename F> void each_row(struct device *device, size_t rows, size_t columns, F body) {
	constexpr size_t NARROW = 1024;
	if (columns <= NARROW)
		RUN_ON(device, (each_row_kernel<WARP>), dim3(blocks_for(rows, THREADS / WARP)), THREADS, rows, body);
	else
		each_row_by_block(device, rows, body);
}

// --- each column ---

// Two sums at once, since most need two.
struct pair {
	double a, b;
};

// A block sums WARP columns of a slice of rows: a warp reads a row's neighbouring cells, and the warps' sums are added
// in their order. ret_part: (slices, columns).
template <typename F>
__global__ void __launch_bounds__(THREADS)
    sum_columns_kernel(size_t rows, size_t columns, size_t slice, F body, struct pair *ret_part) {
	const unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
	const size_t j = (size_t)blockIdx.x * WARP + lane, begin = blockIdx.y * slice;
	const size_t end = begin + slice < rows ? begin + slice : rows;
	struct pair sum = {0, 0};
	for (size_t i = begin + warp; j < columns && i < end; i += THREADS / WARP) {
		const struct pair more = body(i, j);
		sum.a += more.a;
		sum.b += more.b;
	}
	__shared__ struct pair part[THREADS / WARP][WARP];
	part[warp][lane] = sum;
	__syncthreads();
	if (warp || j >= columns)
		return;
	for (unsigned w = 1; w < THREADS / WARP; w++) {
		sum.a += part[w][lane].a;
		sum.b += part[w][lane].b;
	}
	ret_part[blockIdx.y * columns + j] = sum;
}

template <typename F>
__global__ void __launch_bounds__(THREADS)
    join_columns_kernel(size_t columns, unsigned slices, const struct pair *part, F take) {
	const size_t j = (size_t)blockIdx.x * THREADS + threadIdx.x;
	if (j >= columns)
		return;
	struct pair sum = {0, 0};
	for (unsigned s = 0; s < slices; s++) {
		sum.a += part[s * columns + j].a;
		sum.b += part[s * columns + j].b;
	}
	take(j, sum);
}

// take(j, the sums of what body(i, j) returns, over all rows).
template <typename F, typename T> void sum_columns(struct device *device, size_t rows, size_t columns, F body, T take) {
	const size_t most = work_slices(rows), slice = most ? (rows + most - 1) / most : 0;
	const unsigned slices = slice ? blocks_for(rows, slice) : 0;
	struct pair *part = (struct pair *)device_scratch(device, work_slices_bytes(slices, columns));
	if (!part)
		return;
	RUN_ON(device, sum_columns_kernel, dim3(blocks_for(columns, WARP), slices), THREADS, rows, columns, slice, body,
	       part);
	RUN_ON(device, join_columns_kernel, dim3(blocks_for(columns, THREADS)), THREADS, columns, slices, part, take);
}

#endif
