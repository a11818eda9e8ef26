// The plug-in's device and its table: opening and closing, memory, copies, errors. Exports aexp_plugin and nothing
// else.
#include "seam.h"

#include <stdio.h>
#include <stdlib.h>

extern "C" {
#include "tensor/plugin.h"
}

constexpr size_t WORKSPACE = (size_t)32 << 20;  // bytes, as cuBLAS's documentation has it for the largest cards
constexpr int LEAST_MAJOR = 7, LEAST_MINOR = 5; // compute capability that nvcc 13 still compiles for

// --- opening ---

static bool cuda_fails(struct error *error, cudaError_t code, const char *what) {
	return error_set(error, ERROR_BACKEND, "backend \"cuda\": %s: %s", what, cudaGetErrorString(code));
}

static bool find_card(struct error *error) {
	int count = 0, driver = 0;
	const cudaError_t code = cudaGetDeviceCount(&count);
	if (code == cudaErrorInsufficientDriver) {
		cudaDriverGetVersion(&driver);
		if (driver)
			error_set(error, ERROR_BACKEND, "backend \"cuda\": the NVIDIA driver is too old, it knows CUDA %d.%d alone",
			          driver / 1000, driver % 1000 / 10);
		else
			error_set(error, ERROR_BACKEND, "backend \"cuda\": there is no NVIDIA driver on this machine");
		error_hint(error, "Install a driver for CUDA 13, or use backend = \"openblas\".");
		return false;
	}
	if (code == cudaErrorNoDevice || (code == cudaSuccess && count == 0)) {
		error_set(error, ERROR_BACKEND, "backend \"cuda\": there is no CUDA device on this machine");
		error_hint(error, "Look at CUDA_VISIBLE_DEVICES and nvidia-smi, or use backend = \"openblas\".");
		return false;
	}
	return code == cudaSuccess ? true : cuda_fails(error, code, "devices cannot be counted");
}

static bool check_card(const struct cudaDeviceProp *card, struct error *error) {
	if (card->major > LEAST_MAJOR || (card->major == LEAST_MAJOR && card->minor >= LEAST_MINOR))
		return true;
	error_set(error, ERROR_BACKEND, "backend \"cuda\": \"%s\" has compute capability %d.%d, at least %d.%d is needed",
	          card->name, card->major, card->minor, LEAST_MAJOR, LEAST_MINOR);
	error_hint(error, "Use a card of 2018 or later, or backend = \"openblas\".");
	return false;
}

static void describe_card(struct device *device, const struct cudaDeviceProp *card, bool tf32) {
	int driver = 0, runtime = 0;
	cudaDriverGetVersion(&driver);
	cudaRuntimeGetVersion(&runtime);
	snprintf(device->description, sizeof(device->description),
	         "%s (%d.%d, %.1f GiB), driver CUDA %d.%d, runtime %d.%d, %s", card->name, card->major, card->minor,
	         (double)card->totalGlobalMem / (1 << 30), driver / 1000, driver % 1000 / 10, runtime / 1000,
	         runtime % 1000 / 10, tf32 ? "tf32" : "float32");
}

static void *take(struct device *device, size_t bytes, cudaError_t *ret_code) {
	void *memory = NULL;
	*ret_code = cudaMalloc(&memory, bytes);
	if (*ret_code == cudaSuccess)
		*ret_code = cudaMemsetAsync(memory, 0, bytes, device->stream);
	if (*ret_code == cudaSuccess)
		return memory;
	cudaFree(memory);
	cudaGetLastError(); // it is told here and must not be told again
	return NULL;
}

static cudaError_t open_ahead(struct device *device) {
	cudaError_t code = cudaStreamCreateWithFlags(&device->ahead_stream, cudaStreamNonBlocking);
	for (struct ahead &half : device->ahead) {
		if (code == cudaSuccess)
			code = cudaEventCreateWithFlags(&half.copied, cudaEventDisableTiming);
		if (code == cudaSuccess)
			code = cudaEventCreateWithFlags(&half.issued, cudaEventDisableTiming);
	}
	return code;
}

static bool open_parts(struct device *device, bool tf32, struct error *error) {
	struct staging *s = &device->staging;
	cudaError_t code = cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking);
	if (code == cudaSuccess)
		code = cudaHostAlloc((void **)&s->memory, 2 * STAGING_HALF, cudaHostAllocDefault);
	for (int i = 0; code == cudaSuccess && i < 2; i++)
		code = cudaEventCreateWithFlags(&s->copied[i], cudaEventDisableTiming);
	if (code == cudaSuccess)
		code = open_ahead(device);
	if (code == cudaSuccess)
		device->workspace = take(device, WORKSPACE, &code);
	if (code == cudaSuccess)
		device->numbers = (double *)take(device, DEVICE_NUMBERS * sizeof(double), &code);
	if (code == cudaSuccess)
		device->one = (real *)take(device, sizeof(real), &code);
	if (code != cudaSuccess)
		return cuda_fails(error, code, "the device cannot be set up");
	if (cublasCreate(&device->blas) != CUBLAS_STATUS_SUCCESS ||
	    cublasSetStream(device->blas, device->stream) != CUBLAS_STATUS_SUCCESS ||
	    cublasSetWorkspace(device->blas, device->workspace, WORKSPACE) != CUBLAS_STATUS_SUCCESS ||
	    cublasSetMathMode(device->blas, tf32 ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH) !=
	        CUBLAS_STATUS_SUCCESS)
		return error_set(error, ERROR_BACKEND, "backend \"cuda\": cuBLAS cannot be set up");
	return true;
}

// Whether the plug-in has code for this card.
static bool runs(struct device *device, const struct cudaDeviceProp *card, struct error *error) {
	const struct matrix number = {device->one, 1, 1, 1};
	gpu_zero(device, &number);
	if (device->failed == cudaSuccess)
		return true;
	cuda_fails(error, device->failed, card->name);
	if (device->failed == cudaErrorNoKernelImageForDevice)
		error_hint(error, "Build the plug-in with -Dgpu_architectures=%d%d.", card->major, card->minor);
	return false;
}

static void gpu_upload(struct device *device, void *to, const void *from, size_t bytes);

static void close_ahead(struct device *device) {
	for (struct ahead &half : device->ahead) {
		if (half.copied)
			cudaEventDestroy(half.copied);
		if (half.issued)
			cudaEventDestroy(half.issued);
		if (half.memory)
			cudaFreeHost(half.memory);
	}
	if (device->ahead_stream)
		cudaStreamDestroy(device->ahead_stream);
}

static void gpu_close(struct device *device) {
	if (!device)
		return;
	cudaStreamSynchronize(device->stream);
	if (device->blas)
		cublasDestroy(device->blas);
	for (int i = 0; i < 2; i++)
		if (device->staging.copied[i])
			cudaEventDestroy(device->staging.copied[i]);
	if (device->staging.memory)
		cudaFreeHost(device->staging.memory);
	close_ahead(device);
	gpu_forget_units(device);
	cudaFree(device->workspace);
	cudaFree(device->numbers);
	cudaFree(device->one);
	cudaFree(device->scratch);
	if (device->stream)
		cudaStreamDestroy(device->stream);
	free(device);
}

static bool gpu_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
                     struct device **ret, struct error *error) {
	struct cudaDeviceProp card;
	const real one = 1;
	const bool tf32 = options && options->tf32;
	(void)pool;
	if (!find_card(error))
		return false;
	cudaError_t code = cudaSetDevice(0);
	if (code == cudaSuccess)
		code = cudaGetDeviceProperties(&card, 0);
	if (code != cudaSuccess)
		return cuda_fails(error, code, "the device cannot be used");
	if (!check_card(&card, error))
		return false;
	struct device *device = (struct device *)calloc(1, sizeof(*device));
	if (!device)
		return error_set(error, ERROR_BACKEND, "backend \"cuda\": out of memory");
	device->backend = backend;
	if (!open_parts(device, tf32, error)) {
		gpu_close(device);
		return false;
	}
	if (!runs(device, &card, error)) {
		gpu_close(device);
		return false;
	}
	gpu_upload(device, device->one, &one, sizeof(one));
	device->plain = getenv("AEXP_CUDA_PLAIN") != NULL;
	describe_card(device, &card, tf32);
	*ret = device;
	return true;
}

static const char *gpu_describe(const struct device *device) {
	return device->description;
}

// AEXP_CUDA_MEMORY: bytes beyond which nothing is planned, for a card that is shared, or to see what streaming takes.
static void gpu_memory(const struct device *device, size_t *ret_free, size_t *ret_all) {
	(void)device;
	const char *most = getenv("AEXP_CUDA_MEMORY");
	*ret_free = *ret_all = 0;
	cudaMemGetInfo(ret_free, ret_all);
	const size_t limit = most ? strtoull(most, NULL, 10) : SIZE_MAX;
	if (*ret_free > limit)
		*ret_free = limit;
}

// --- one member ---

static size_t gpu_members(const struct device *device) {
	(void)device;
	return 1;
}
static void gpu_team(struct device *device, void (*body)(void *context, size_t member), void *context) {
	(void)device;
	body(context, 0);
}
static void gpu_barrier(struct device *device) {
	(void)device;
}

// --- memory and copies ---

static bool gpu_sync(struct device *device, struct error *error) {
	device_check(device, cudaStreamSynchronize(device->stream), "sync");
	const cudaError_t code = device->failed;
	device->failed = cudaSuccess;
	if (code == cudaSuccess)
		return true;
	error_set(error, ERROR_RUN, "the CUDA device failed at %s: %s", device->failed_at, cudaGetErrorString(code));
	if (code == cudaErrorMemoryAllocation)
		error_hint(error, "A smaller train.batch needs less memory.");
	return false;
}

static void refuse(struct error *error, cudaError_t code, size_t bytes) {
	size_t left = 0, total = 0;
	cudaMemGetInfo(&left, &total);
	if (code != cudaErrorMemoryAllocation) {
		cuda_fails(error, code, "memory cannot be had");
		return;
	}
	error_set(error, ERROR_BACKEND, "backend \"cuda\": %.1f MiB are needed, and %.1f of the card's %.1f MiB are free",
	          (double)bytes / (1 << 20), (double)left / (1 << 20), (double)total / (1 << 20));
	error_hint(
	    error,
	    "Take a smaller train.batch or smaller layers, end other programs on the card, or use backend = \"openblas\".");
}

static void *gpu_allocate(struct device *device, size_t bytes, struct error *error) {
	cudaError_t code;
	void *memory = take(device, bytes ? bytes : 1, &code);
	if (!memory)
		refuse(error, code, bytes);
	for (struct ahead &half : device->ahead)
		half.used = false; // the next upload ahead may go into this, and waits until it is zeroed
	return memory;
}

static void gpu_release(struct device *device, void *memory) {
	device_check(device, cudaFree(memory), "release"); // which waits for what still uses it
	gpu_forget_units(device);                          // their keys are of what goes with it
}

// --- memory that kernels work with ---

// What has it waits for what uses it.
static bool grow_scratch(struct device *device, size_t bytes, cudaError_t *ret_code) {
	cudaFree(device->scratch);
	device->scratch = NULL;
	device->scratch_bytes = 0;
	*ret_code = cudaMalloc(&device->scratch, bytes);
	if (*ret_code == cudaSuccess) {
		device->scratch_bytes = bytes;
		return true;
	}
	device->scratch = NULL;
	cudaGetLastError();
	return false;
}

static bool gpu_reserve(struct device *device, size_t bytes, struct error *error) {
	cudaError_t code;
	if (bytes <= device->scratch_bytes || grow_scratch(device, bytes, &code))
		return true;
	refuse(error, code, bytes);
	return false;
}

void *device_scratch(struct device *device, size_t bytes) {
	cudaError_t code;
	if (bytes <= device->scratch_bytes)
		return device->scratch;
	if (device->capturing) { // it cannot grow now: the unit is done without
		device->spoiled = true;
		return NULL;
	}
	if (grow_scratch(device, bytes + bytes / 4, &code)) // slowly growing shapes do not ask each time
		return device->scratch;
	device_check(device, code, "scratch memory");
	return NULL;
}

// The half that is full goes its way, and the other one is free once its copy is done: then, as a rule, long since.
static void next_half(struct device *device) {
	struct staging *s = &device->staging;
	device_check(device, cudaEventRecord(s->copied[s->half], device->stream), "upload");
	s->half = !s->half;
	s->filled = 0;
	device_check(device, cudaEventSynchronize(s->copied[s->half]), "upload");
}

static void gpu_upload(struct device *device, void *to, const void *from, size_t bytes) {
	constexpr size_t ALIGN = 256;
	struct staging *s = &device->staging;
	for (size_t done = 0; done < bytes;) {
		if (s->filled >= STAGING_HALF)
			next_half(device);
		const size_t room = STAGING_HALF - s->filled, some = bytes - done < room ? bytes - done : room;
		char *held = s->memory + s->half * STAGING_HALF + s->filled;
		memcpy(held, (const char *)from + done, some);
		device_check(device, cudaMemcpyAsync((char *)to + done, held, some, cudaMemcpyHostToDevice, device->stream),
		             "upload");
		s->filled += (some + ALIGN - 1) / ALIGN * ALIGN;
		done += some;
	}
}

static void gpu_download(struct device *device, void *to, const void *from, size_t bytes) {
	if (!bytes)
		return;
	device_check(device, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device->stream), "download");
	device_check(device, cudaStreamSynchronize(device->stream), "download");
}

// Grows; what is lost is free, since its last copy is done.
static bool make_room(struct device *device, struct ahead *half, size_t bytes) {
	if (bytes <= half->bytes)
		return true;
	if (half->memory)
		cudaFreeHost(half->memory);
	half->memory = NULL;
	half->bytes = 0;
	const size_t wanted = bytes + bytes / 4; // blocks differ a little, and to free it may wait for the device
	const cudaError_t code = cudaHostAlloc((void **)&half->memory, wanted, cudaHostAllocDefault);
	if (code == cudaSuccess)
		half->bytes = wanted;
	else
		cudaGetLastError();
	device_check(device, code, "pinned memory");
	return code == cudaSuccess;
}

static void gpu_upload_ahead(struct device *device, int which, void *to, const void *from, size_t bytes) {
	struct ahead *half = &device->ahead[which], *other = &device->ahead[!which];
	if (!bytes)
		return;
	device_check(device, cudaEventSynchronize(half->copied), "upload");
	if (!make_room(device, half, bytes))
		return;
	memcpy(half->memory, from, bytes);
	device_check(device, cudaEventRecord(other->issued, device->stream), "upload");
	if (!half->used) // what made the memory must be done as well
		device_check(device, cudaEventRecord(half->issued, device->stream), "upload");
	half->used = true;
	device_check(device, cudaStreamWaitEvent(device->ahead_stream, half->issued, 0), "upload");
	device_check(device, cudaMemcpyAsync(to, half->memory, bytes, cudaMemcpyHostToDevice, device->ahead_stream),
	             "upload");
	device_check(device, cudaEventRecord(half->copied, device->ahead_stream), "upload");
	device_check(device, cudaStreamWaitEvent(device->stream, half->copied, 0), "upload");
}

// --- the table ---

static struct backend make_table(void) {
	struct backend b = {};
	b.row.name = "cuda";
	b.row.doc = "An NVIDIA GPU";
	b.apart = b.whole = true;
	b.open = gpu_open;
	b.close = gpu_close;
	b.describe = gpu_describe;
	b.memory = gpu_memory;
	b.members = gpu_members;
	b.team = gpu_team;
	b.barrier = gpu_barrier;
	b.sync = gpu_sync;
	b.allocate = gpu_allocate;
	b.release = gpu_release;
	b.upload = gpu_upload;
	b.download = gpu_download;
	b.reserve = gpu_reserve;
	b.upload_ahead = gpu_upload_ahead;
	b.unit = gpu_unit;
#define FUNCTION(name) b.name = gpu_##name;
	FUNCTION(gemm)
	FUNCTION(sparse_times)
	FUNCTION(transposed_times)
	FUNCTION(transposed_sums)
	FUNCTION(cells_times)
	FUNCTION(cells_sum)
	FUNCTION(densify)
	FUNCTION(pick)
	FUNCTION(gather)
	FUNCTION(transpose)
	FUNCTION(join)
	FUNCTION(note_waits)
	FUNCTION(topk)
	FUNCTION(rank_pairs)
	FUNCTION(spread)
	FUNCTION(column_sums)
	FUNCTION(add)
	FUNCTION(activate)
	FUNCTION(activate_back)
	FUNCTION(dropout)
	FUNCTION(dropout_back)
	FUNCTION(dropout_sparse)
	FUNCTION(noise)
	FUNCTION(noise_sparse)
	FUNCTION(multiply)
	FUNCTION(normalize)
	FUNCTION(normalize_back)
	FUNCTION(normalize_sparse)
	FUNCTION(layer_norm)
	FUNCTION(layer_norm_back)
	FUNCTION(layer_norm_sums)
	FUNCTION(gaussian)
	FUNCTION(gaussian_divergence)
	FUNCTION(gaussian_back)
	FUNCTION(batch_norm_gather)
	FUNCTION(batch_norm_finish)
	FUNCTION(batch_norm)
	FUNCTION(batch_norm_running)
	FUNCTION(batch_norm_back_gather)
	FUNCTION(batch_norm_back)
	FUNCTION(loss)
	FUNCTION(softmax_parts)
	FUNCTION(softmax_join)
	FUNCTION(softmax_back)
	FUNCTION(optimize)
	FUNCTION(optimize_touched)
	FUNCTION(optimize_listed)
	FUNCTION(squares)
	FUNCTION(sum)
	FUNCTION(clip)
	FUNCTION(scale)
	FUNCTION(zero)
	FUNCTION(catch_up)
#undef FUNCTION
	return b;
}

static const struct backend table = make_table();
extern "C" __attribute__((visibility("default"))) const struct plugin aexp_plugin;
const struct plugin aexp_plugin = {PLUGIN_SEAM, AEXP_VERSION, &table};
