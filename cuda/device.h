// The CUDA device of the seam (tensor/backend.h) and what all families of kernels share: launching, scratch memory, and
// errors, which are kept until `sync` is asked. Compiled by nvcc, or for the host by any C++17 compiler with the shim.
//
// One stream and one member: kernels run one after the other, in the order of the calls. Each output element is written
// by one thread, warp or block, and sums are added in an order that depends on shapes alone, never by atomics: the same
// calls give the same bytes.
#ifndef AEXP_CUDA_DEVICE_H
#define AEXP_CUDA_DEVICE_H

#ifdef __CUDACC__
#include <cublas_v2.h>
#include <cuda_runtime.h>
#define LAUNCH(kernel, blocks, threads, stream, ...) kernel<<<blocks, threads, 0, stream>>>(__VA_ARGS__)
#else
#include "shim/shim.h"
#endif

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern "C" {
#include "tensor/backend.h"
#include "tensor/work.h"
}

constexpr int WARP = 32;                         // lanes
constexpr int THREADS = 256;                     // of a block
constexpr unsigned GRID_MOST = 65535;            // blocks along y and z
constexpr size_t STAGING_HALF = (size_t)4 << 20; // bytes
constexpr size_t DEVICE_NUMBERS = 4;
#define ALL_LANES 0xffffffffu

// Memory that uploads pass through, so that the caller's is free at once and the host need not wait: halves, of which
// one is filled while the other is copied.
struct staging {
	char *memory; // (2 STAGING_HALF) pinned
	cudaEvent_t copied[2];
	size_t filled; // bytes of the half at hand
	int half;
};

// One of two halves of what is uploaded while the device is at the other: its pinned memory; when its copy is done, and
// when all has been asked for that reads it.
struct ahead {
	char *memory; // (bytes)
	size_t bytes;
	cudaEvent_t copied, issued;
	bool used;
};

// A step that is launched as one graph; see unit.cu.
struct unit {
	const void *key; // NULL: free
	cudaGraphExec_t graph;
	size_t times;
};
constexpr size_t UNITS_MOST = 16;

struct device {
	const struct backend *backend;
	cudaStream_t stream, ahead_stream;
	struct ahead ahead[2];
	struct unit units[UNITS_MOST];
	bool capturing, spoiled; // while a unit is captured; whether it asked for what cannot be captured
	bool plain;              // no graphs: AEXP_CUDA_PLAIN
	void *workspace;         // of cuBLAS, whose own would be allocated while it is captured
	cublasHandle_t blas;
	struct staging staging;
	void *scratch; // (scratch_bytes) of the device: any kernel's until the next call on the seam; see reserve
	size_t scratch_bytes;
	double *numbers;    // (DEVICE_NUMBERS) of the device, as short-lived
	real *one;          // (1) of the device: 1
	cudaError_t failed; // the first error since the last sync, and what was asked for then
	const char *failed_at;
	char description[512];
};

// Notes an error, unless there is one already.
static inline void device_check(struct device *device, cudaError_t error, const char *what) {
	if (error == cudaSuccess || device->failed != cudaSuccess)
		return;
	device->failed = error;
	device->failed_at = what;
}
// At least so many bytes, aligned as cudaMalloc's; NULL where there are none, which sync tells.
void *device_scratch(struct device *device, size_t bytes);

// Launches a kernel on (x, y, z) blocks of so many threads; a template stands in brackets. No blocks: nothing.
#define RUN_ON(device, kernel, blocks, threads, ...)                                                                   \
	do {                                                                                                               \
		const dim3 run_blocks = blocks;                                                                                \
		if (run_blocks.x && run_blocks.y && run_blocks.z) {                                                            \
			LAUNCH(kernel, run_blocks, dim3(threads), (device)->stream, __VA_ARGS__);                                  \
			device_check(device, cudaGetLastError(), #kernel);                                                         \
		}                                                                                                              \
	} while (0)

// How many columns a list has, of `count` at most.
__device__ static inline size_t touched_count(const struct transposed &t) {
	return t.counted ? *t.counted : t.count;
}

static inline unsigned blocks_for(size_t count, size_t each) {
	return (unsigned)((count + each - 1) / each);
}

__host__ __device__ static inline real *at(const struct matrix *m, size_t i, size_t j) {
	return &m->data[i * m->stride + j];
}
// beta 0 means that the old value is not read, it may be anything.
__host__ __device__ static inline real blend(real beta, const real *old, real fresh) {
	return beta == 0 ? fresh : beta * *old + fresh;
}

#endif
