// The shim's runtime: memory, copies, and what the rest of the calls answer.
//
// AEXP_SHIM_GUARD: the device's memory lies apart and cannot be touched outside of launches and copies, so that a host
// that reads through a pointer of the device's ends with a segmentation fault. AEXP_SHIM_FAIL makes the device fail as
// real ones do: driver, device, old, code, memory, launch. AEXP_SHIM_MEMORY: bytes that it says it has.
#include "shim.h"

#include "memory.h"
#include "stream.h"

#include <cblas.h>
#include <map>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

namespace {

constexpr size_t ARENA = (size_t)1 << 36, PAGE = 4096, LARGE_PAGE = (size_t)2 << 20,
                 ALIGN = 256;             // address space alone; nothing in it is used twice
constexpr size_t TOTAL = (size_t)1 << 34; // bytes of memory that the device says it has

std::map<const char *, size_t> blocks; // the device's memory: from where, how many bytes
size_t used;                           // bytes of them
char *arena;                           // NULL: each block is malloc's
size_t arena_used;
cudaError_t last;

bool fails(const char *what) {
	const char *name = getenv("AEXP_SHIM_FAIL");
	return name && !strcmp(name, what);
}

[[noreturn]] void die(const char *what) {
	fprintf(stderr, "shim: %s\n", what);
	abort();
}

void guard(int rights) {
	if (arena && arena_used && mprotect(arena, (arena_used + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE, rights))
		die("mprotect fails");
}

// What a block takes up: aligned as cudaMalloc's are, or in the arena with a page or nearly one before the next.
size_t room_of(size_t bytes) {
	return arena ? (bytes + 2 * PAGE - 1) / PAGE * PAGE : (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

char *take(size_t bytes) {
	static const bool apart = getenv("AEXP_SHIM_GUARD") != NULL;
	if (!apart)
		return (char *)aligned_alloc(ALIGN, room_of(bytes));
	if (!arena) {
		void *memory = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED)
			die("no address space");
		arena = (char *)(((uintptr_t)memory + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
		madvise(arena, ARENA - LARGE_PAGE,
		        MADV_HUGEPAGE); // its rights change twice a launch: of few pages, where it can be
	}
	if (arena_used + room_of(bytes) > ARENA - LARGE_PAGE)
		die("the guarded memory is used up");
	char *memory = arena + arena_used;
	arena_used += room_of(bytes);
	return memory;
}

// Bytes from `memory` on must lie in one block of the device's.
void must_be_device(const void *memory, size_t bytes) {
	const char *at = (const char *)memory;
	auto after = blocks.upper_bound(at);
	if (after == blocks.begin() || (--after, at + bytes > after->first + after->second))
		die("a copy reads or writes what is not one block of the device's memory");
}

} // namespace

void shim_memory_open(void) {
	guard(PROT_READ | PROT_WRITE);
}
void shim_memory_close(void) {
	guard(PROT_NONE);
}
bool shim_may_launch(void) {
	if (!fails("launch") && !fails("code"))
		return true;
	last = fails("code") ? cudaErrorNoKernelImageForDevice : cudaErrorLaunchFailure;
	return false;
}

cudaError_t cudaGetDeviceCount(int *ret) {
	if (fails("driver"))
		return cudaErrorInsufficientDriver;
	*ret = fails("device") ? 0 : 1;
	return fails("device") ? cudaErrorNoDevice : cudaSuccess;
}
cudaError_t cudaSetDevice(int) {
	return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *ret, int) {
	memset(ret, 0, sizeof(*ret));
	strcpy(ret->name, "the host (shim)");
	ret->major = fails("old") ? 6 : 9;
	ret->minor = fails("old") ? 1 : 0;
	ret->totalGlobalMem = TOTAL;
	return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int *ret) {
	*ret = 13000;
	return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *ret) {
	*ret = 13000;
	return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t *ret_free, size_t *ret_total) {
	const char *most = getenv("AEXP_SHIM_MEMORY");
	size_t total = most ? strtoull(most, NULL, 10) : TOTAL;
	*ret_total = total;
	*ret_free = used < total ? total - used : 0;
	return cudaSuccess;
}

cudaError_t cudaMalloc(void **ret, size_t bytes) {
	size_t left, total;
	if (shim_capturing())
		return cudaErrorStreamCaptureUnsupported;
	cudaMemGetInfo(&left, &total);
	char *memory = bytes <= left && !fails("memory") ? take(bytes) : NULL;
	if (!memory)
		return cudaErrorMemoryAllocation;
	blocks[memory] = bytes;
	used += bytes;
	shim_memory_open();
	memset(memory, 0xff, bytes); // no number, and an index beyond everything
	shim_memory_close();
	ASAN_POISON_MEMORY_REGION(memory + bytes, room_of(bytes) - bytes);
	*ret = memory;
	return cudaSuccess;
}
cudaError_t cudaFree(void *memory) {
	auto found = blocks.find((char *)memory);
	if (!memory)
		return cudaSuccess;
	if (shim_capturing())
		return cudaErrorStreamCaptureUnsupported;
	if (found == blocks.end())
		die("cudaFree of what cudaMalloc did not give");
	shim_do_all(); // a card waits for what may still use it
	used -= found->second;
	size_t bytes = found->second;
	blocks.erase(found);
	if (arena) {
		ASAN_POISON_MEMORY_REGION(memory, bytes);
		return cudaSuccess;
	}
	ASAN_UNPOISON_MEMORY_REGION(memory, room_of(bytes));
	free(memory);
	return cudaSuccess;
}
cudaError_t cudaHostAlloc(void **ret, size_t bytes, unsigned) {
	*ret = malloc(bytes);
	return *ret ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void *memory) {
	shim_do_all();
	free(memory);
	return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream) {
	must_be_device(to, bytes);
	shim_ask(stream, "memset", [=] {
		shim_memory_open();
		memset(to, byte, bytes);
		shim_memory_close();
	});
	return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
	if (kind != cudaMemcpyDeviceToHost)
		must_be_device(to, bytes);
	if (kind != cudaMemcpyHostToDevice)
		must_be_device(from, bytes);
	shim_ask(stream, "memcpy", [=] {
		shim_memory_open();
		memmove(to, from, bytes);
		shim_memory_close();
	});
	return cudaSuccess;
}

cudaError_t cudaGetLastError(void) {
	cudaError_t error = last;
	last = cudaSuccess;
	return error;
}
const char *cudaGetErrorString(cudaError_t error) {
	switch (error) {
	case cudaSuccess:
		return "no error";
	case cudaErrorMemoryAllocation:
		return "out of memory";
	case cudaErrorInsufficientDriver:
		return "CUDA driver version is insufficient for CUDA runtime version";
	case cudaErrorNoDevice:
		return "no CUDA-capable device is detected";
	case cudaErrorNoKernelImageForDevice:
		return "no kernel image is available for execution on the device";
	case cudaErrorStreamCaptureUnsupported:
		return "operation not permitted when stream is capturing";
	case cudaErrorStreamCaptureInvalidated:
		return "operation failed due to a previous error during capture";
	case cudaErrorGraphExecUpdateFailure:
		return "the graph update was not performed because it included changes which violated constraints";
	case cudaErrorLaunchFailure:
		return "unspecified launch failure";
	case cudaErrorUnknown:
		break;
	}
	return "unknown error";
}

// Products go to the stream of the handle.
struct shim_blas {
	cudaStream_t stream;
};
cublasStatus_t cublasCreate(cublasHandle_t *ret) {
	*ret = new shim_blas{};
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
	delete handle;
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
	handle->stream = stream;
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t, void *workspace, size_t bytes) {
	must_be_device(workspace, bytes);
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) {
	return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                           const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta,
                           float *c, int ldc) {
	const float by = *alpha, old = *beta; // the host's, read now
	shim_ask(handle->stream, "sgemm", [=] {
		shim_memory_open();
		cblas_sgemm(CblasColMajor, ta == CUBLAS_OP_T ? CblasTrans : CblasNoTrans,
		            tb == CUBLAS_OP_T ? CblasTrans : CblasNoTrans, m, n, k, by, a, lda, b, ldb, old, c, ldc);
		shim_memory_close();
	});
	return CUBLAS_STATUS_SUCCESS;
}
