// A stand-in for CUDA's language and the part of its runtime that the backend uses, so that g++ and clang++ compile the
// kernels for the host, and sanitizers see what they do. Threads of a block are fibers, which take turns at barriers
// and shuffles alone; order of blocks and threads: AEXP_SHIM_ORDER, see shim.cc. A fault of a kernel ends the program
// with a line that begins with "shim: ". It shows neither races between streams, nor a card's rounding, nor its speed.
#ifndef AEXP_CUDA_SHIM_H
#define AEXP_CUDA_SHIM_H

#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tuple>

// --- the language ---

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

struct uint3 {
	unsigned x, y, z;
};
struct dim3 : uint3 {
	dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : uint3{x_, y_, z_} {}
};
struct __attribute__((may_alias, aligned(16))) float4 {
	float x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) {
	return float4{x, y, z, w};
}
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;

// kernel<<<blocks, threads, 0, stream>>>(arguments); a kernel that is a template stands in brackets. The arguments are
// those of now, whenever it runs.
#define LAUNCH(kernel, blocks, threads, stream, ...)                                                                   \
	shim_launch(blocks, threads, stream, #kernel, [shim_arguments = std::make_tuple(__VA_ARGS__)] {                    \
		std::apply([](auto... shim_argument) { kernel(shim_argument...); }, shim_arguments);                           \
	})
void shim_launch(dim3 blocks, dim3 threads, struct shim_stream *stream, const char *name, std::function<void()> body);

// All threads of the block meet at one place of the source, all lanes of a warp at one; what each brings is seen by
// all.
void shim_meet_block(const char *file, int line);
const uint64_t *shim_meet_warp(unsigned mask, uint64_t value, const char *file, int line); // (32)

#define SHIM_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

#define __syncthreads() shim_meet_block(__FILE__, __LINE__)
template <typename T> T shim_shuffle(unsigned mask, T value, unsigned from, const char *file, int line) {
	static_assert(sizeof(T) <= sizeof(uint64_t), "a lane brings 8 bytes");
	uint64_t bits = 0;
	memcpy(&bits, &value, sizeof(T));
	const uint64_t *all = shim_meet_warp(mask, bits, file, line);
	memcpy(&value, &all[from % 32], sizeof(T));
	return value;
}
template <typename T> T __shfl_sync(unsigned mask, T value, int lane, SHIM_PLACE) {
	return shim_shuffle(mask, value, (unsigned)lane, file, line);
}
template <typename T> T __shfl_xor_sync(unsigned mask, T value, int bits, SHIM_PLACE) {
	return shim_shuffle(mask, value, threadIdx.x % 32 ^ (unsigned)bits, file, line);
}
template <typename T> T __shfl_up_sync(unsigned mask, T value, unsigned far, SHIM_PLACE) {
	const unsigned lane = threadIdx.x % 32;
	return shim_shuffle(mask, value, lane >= far ? lane - far : lane, file, line);
}
static inline void __syncwarp(SHIM_PLACE) {
	shim_meet_warp(~0u, 0, file, line);
}
static inline int __popc(unsigned bits) {
	return __builtin_popcount(bits);
}
static inline int __ffs(int bits) {
	return __builtin_ffs(bits);
}
static inline unsigned __ballot_sync(unsigned mask, int flag, SHIM_PLACE) {
	const uint64_t *all = shim_meet_warp(mask, flag != 0, file, line);
	unsigned bits = 0;
	for (unsigned lane = 0; lane < 32; lane++)
		bits |= (unsigned)(all[lane] & 1) << lane;
	return bits;
}
static inline unsigned atomicAdd(unsigned *to, unsigned more) {
	unsigned old = *to;
	*to = old + more;
	return old;
}
static inline unsigned atomicOr(unsigned *to, unsigned bits) {
	unsigned old = *to;
	*to = old | bits;
	return old;
}

// --- the runtime: one device, whose memory is the host's and filled with 0xff; see stream.cc for when things are done
// ---

enum cudaError_t {
	cudaSuccess = 0,
	cudaErrorMemoryAllocation = 2,
	cudaErrorInsufficientDriver = 35,
	cudaErrorNoDevice = 100,
	cudaErrorNoKernelImageForDevice = 209,
	cudaErrorLaunchFailure = 719,
	cudaErrorStreamCaptureUnsupported = 900,
	cudaErrorStreamCaptureInvalidated = 901,
	cudaErrorGraphExecUpdateFailure = 910,
	cudaErrorUnknown = 999,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0 };
typedef struct shim_stream *cudaStream_t;
typedef struct shim_event *cudaEvent_t;
typedef struct shim_graph *cudaGraph_t;
typedef struct shim_graph_exec *cudaGraphExec_t;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
struct cudaGraphExecUpdateResultInfo {
	int result;
};
struct cudaDeviceProp {
	char name[256];
	int major, minor;
	size_t totalGlobalMem;
};

cudaError_t cudaGetDeviceCount(int *ret);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *ret, int device);
cudaError_t cudaDriverGetVersion(int *ret);
cudaError_t cudaRuntimeGetVersion(int *ret);
cudaError_t cudaMemGetInfo(size_t *ret_free, size_t *ret_total);
cudaError_t cudaMalloc(void **ret, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaHostAlloc(void **ret, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *ret, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *ret, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *ret);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *ret, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo *ret);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);

// --- cuBLAS: column-major products by the host's BLAS ---

typedef struct shim_blas *cublasHandle_t;
enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_NOT_INITIALIZED = 1 };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_TF32_TENSOR_OP_MATH = 3 };
cublasStatus_t cublasCreate(cublasHandle_t *ret);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                           const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta,
                           float *c, int ldc);

#endif
