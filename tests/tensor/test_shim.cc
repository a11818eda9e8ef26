// The shim itself: kernels that are right give their results in every order of blocks and threads, and faults that were
// planted are found: a write out of bounds, a barrier that is missing, diverges or stands in two places, a host that
// reads the device's memory.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <cmocka.h>
}

#include "shim/shim.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#endif

enum { BLOCKS = 5, THREADS = 96, COUNT = BLOCKS * THREADS, WARP = 32 };

static const char *const orders[] = {"forward", "reverse", "shuffled"};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

static unsigned *device_numbers(size_t count) {
	void *memory = NULL;
	assert_int_equal(cudaMalloc(&memory, count * sizeof(unsigned)), cudaSuccess);
	return (unsigned *)memory;
}
static void get(unsigned *to, const unsigned *from, size_t count) {
	assert_int_equal(cudaMemcpyAsync(to, from, count * sizeof(unsigned), cudaMemcpyDeviceToHost, NULL), cudaSuccess);
}

// --- what is right ---

static __global__ void number_kernel(unsigned *ret) {
	ret[blockIdx.x * blockDim.x + threadIdx.x] = blockIdx.x * 1000 + threadIdx.x;
}

// Each thread gives what its neighbour to the right brought, by shared memory; twice, so that memory is used again.
template <bool BARRIERS> static __global__ void turn_kernel(unsigned *ret) {
	__shared__ unsigned brought[THREADS];
	for (unsigned time = 1; time <= 2; time++) {
		if (BARRIERS)
			__syncthreads();
		brought[threadIdx.x] = time * (threadIdx.x + 1);
		if (BARRIERS)
			__syncthreads();
		ret[threadIdx.x] = brought[(threadIdx.x + 1) % THREADS];
	}
}

static __global__ void warp_kernel(unsigned *ret) {
	unsigned sum = threadIdx.x;
	for (int bits = WARP / 2; bits; bits /= 2)
		sum += __shfl_xor_sync(~0u, sum, bits);
	const unsigned odd = __ballot_sync(~0u, threadIdx.x & 1);
	const unsigned third = __shfl_sync(~0u, threadIdx.x, 3);
	ret[threadIdx.x] = sum + third + (odd == 0xaaaaaaaau ? 10000 : 0);
}

// --- streams and graphs ---

static __global__ void add_kernel(unsigned *numbers, unsigned more) {
	numbers[threadIdx.x] += more;
}

// A graph does what was captured, with the arguments of then, as often as it is launched; an update brings others; nothing
// is done by capturing, and what a capture does not take spoils it.
static void test_graph(void **state) {
	(void)state;
	unsigned *numbers = device_numbers(THREADS), got[THREADS];
	cudaStream_t stream;
	cudaGraph_t graph[3];
	cudaGraphExec_t exec;
	cudaStreamCreateWithFlags(&stream, 0);
	cudaMemsetAsync(numbers, 0, THREADS * sizeof(unsigned), stream);
	for (unsigned i = 0; i < 3; i++) {
		unsigned more = i ? 10 : 1;
		assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
		LAUNCH(add_kernel, dim3(1), dim3(THREADS), stream, numbers, more);
		if (i < 2)
			LAUNCH(add_kernel, dim3(1), dim3(THREADS), stream, numbers, 2 * more);
		more = 1000; // too late
		assert_int_equal(cudaStreamEndCapture(stream, &graph[i]), cudaSuccess);
	}
	cudaGraphInstantiate(&exec, graph[0], 0);
	cudaGraphLaunch(exec, stream);
	cudaGraphLaunch(exec, stream);
	cudaGraphExecUpdateResultInfo info;
	assert_int_equal(cudaGraphExecUpdate(exec, graph[1], &info), cudaSuccess);
	cudaGraphLaunch(exec, stream);
	assert_int_equal(cudaGraphExecUpdate(exec, graph[2], &info), cudaErrorGraphExecUpdateFailure);
	cudaMemcpyAsync(got, numbers, sizeof(got), cudaMemcpyDeviceToHost, stream);
	cudaStreamSynchronize(stream);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(got[i], 3 + 3 + 30);
	cudaGraph_t none;
	void *memory;
	cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
	assert_int_equal(cudaMalloc(&memory, 1), cudaErrorStreamCaptureUnsupported);
	assert_int_equal(cudaStreamEndCapture(stream, &none), cudaErrorStreamCaptureInvalidated);
	assert_null(none);
	for (cudaGraph_t g : graph)
		cudaGraphDestroy(g);
	cudaGraphExecDestroy(exec);
	cudaStreamDestroy(stream);
	cudaFree(numbers);
}

// Two streams of which one reads what the other writes: 1 where it waits for it, else what was there.
static int read_after_write(bool waits) {
	unsigned *numbers = device_numbers(THREADS), *copy = device_numbers(THREADS), got[THREADS];
	cudaStream_t writes, reads;
	cudaEvent_t written;
	setenv("AEXP_SHIM_LATE", "1", 1);
	cudaStreamCreateWithFlags(&writes, 0);
	cudaStreamCreateWithFlags(&reads, 0);
	cudaEventCreateWithFlags(&written, 0);
	cudaMemsetAsync(copy, 0, THREADS * sizeof(unsigned), reads);
	cudaMemsetAsync(numbers, 0, THREADS * sizeof(unsigned), writes);
	cudaStreamSynchronize(writes);
	LAUNCH(add_kernel, dim3(1), dim3(THREADS), writes, numbers, 1u);
	cudaEventRecord(written, writes);
	if (waits)
		cudaStreamWaitEvent(reads, written, 0);
	cudaMemcpyAsync(got, numbers, sizeof(got), cudaMemcpyDeviceToHost, reads);
	cudaStreamSynchronize(reads);
	const int ret = (int)got[0];
	cudaStreamDestroy(writes);
	cudaStreamDestroy(reads);
	cudaEventDestroy(written);
	cudaFree(numbers);
	cudaFree(copy);
	return ret;
}

// In a process of its own, since the shim asks for the setting once.
static void test_late(void **state) {
	(void)state;
	const pid_t child = fork();
	int status;
	if (child == 0)
		_exit(read_after_write(true) == 1 && read_after_write(false) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_right(void **state) {
	(void)state;
	unsigned *numbers = device_numbers(COUNT), got[COUNT];
	for (size_t order = 0; order < ORDERS; order++) {
		setenv("AEXP_SHIM_ORDER", orders[order], 1);
		LAUNCH(number_kernel, dim3(BLOCKS), dim3(THREADS), NULL, numbers);
		get(got, numbers, COUNT);
		for (unsigned i = 0; i < COUNT; i++)
			assert_int_equal(got[i], i / THREADS * 1000 + i % THREADS);
		LAUNCH((turn_kernel<true>), dim3(1), dim3(THREADS), NULL, numbers);
		get(got, numbers, THREADS);
		for (unsigned i = 0; i < THREADS; i++)
			assert_int_equal(got[i], 2 * ((i + 1) % THREADS + 1));
		LAUNCH(warp_kernel, dim3(1), dim3(THREADS), NULL, numbers);
		get(got, numbers, THREADS);
		for (unsigned i = 0; i < THREADS; i++) { // 0 + ... + 31, and 32 x 32 more for each warp before
			const unsigned warp = i / WARP;
			assert_int_equal(got[i], 496 + 1024 * warp + 32 * warp + 3 + 10000);
		}
	}
	cudaFree(numbers);
}

// --- planted faults ---

// Without its barriers the kernel above is wrong in some order.
static void test_missing_barrier(void **state) {
	(void)state;
	unsigned *numbers = device_numbers(THREADS), got[THREADS], wrong = 0;
	for (size_t order = 0; order < ORDERS; order++) {
		setenv("AEXP_SHIM_ORDER", orders[order], 1);
		LAUNCH((turn_kernel<false>), dim3(1), dim3(THREADS), NULL, numbers);
		get(got, numbers, THREADS);
		for (unsigned i = 0; i < THREADS; i++)
			wrong += got[i] != 2 * ((i + 1) % THREADS + 1);
	}
	assert_true(wrong > 0);
	cudaFree(numbers);
}

// Shared memory that is written again while another warp may still read it: a warp that meets nobody else runs ahead.
template <bool BARRIER> static __global__ void ahead_kernel(unsigned *ret) {
	__shared__ unsigned part[THREADS / WARP];
	unsigned sum = 0;
	for (unsigned time = 1; time <= 2; time++) {
		const unsigned mine = __shfl_sync(~0u, time, 0);
		if (BARRIER)
			__syncthreads();
		if (threadIdx.x % WARP == 0)
			part[threadIdx.x / WARP] = mine;
		__syncthreads();
		for (unsigned w = 0; w < THREADS / WARP; w++)
			sum += time * part[w];
	}
	ret[threadIdx.x] = sum;
}

template <bool BARRIER> static unsigned wrong_ahead(void) {
	const unsigned right = (1 + 4) * (THREADS / WARP), times = 20; // some blocks run ahead
	unsigned *numbers = device_numbers(THREADS), got[THREADS], wrong = 0;
	setenv("AEXP_SHIM_ORDER", "shuffled", 1);
	for (unsigned time = 0; time < times; time++) {
		LAUNCH((ahead_kernel<BARRIER>), dim3(1), dim3(THREADS), NULL, numbers);
		get(got, numbers, THREADS);
		for (unsigned i = 0; i < THREADS; i++)
			wrong += got[i] != right;
	}
	cudaFree(numbers);
	return wrong;
}
static void test_missing_barrier_ahead(void **state) {
	(void)state;
	assert_int_equal(wrong_ahead<true>(), 0);
	assert_true(wrong_ahead<false>() > 0);
}

static __global__ void beyond_kernel(unsigned *ret, unsigned count) {
	ret[threadIdx.x < count ? threadIdx.x : count] = 1;
}
static void write_beyond(void) {
	unsigned *numbers = device_numbers(THREADS - 1);
	LAUNCH(beyond_kernel, dim3(1), dim3(THREADS), NULL, numbers, THREADS - 1);
}

static __global__ void divergent_kernel(unsigned *ret) {
	if (threadIdx.x % 2)
		__syncthreads();
	ret[threadIdx.x] = 1;
}
static void diverge(void) {
	LAUNCH(divergent_kernel, dim3(1), dim3(THREADS), NULL, device_numbers(THREADS));
}

static __global__ void two_places_kernel(unsigned *ret) {
	if (threadIdx.x % 2)
		__syncthreads();
	else
		__syncthreads();
	ret[threadIdx.x] = 1;
}
static void meet_in_two_places(void) {
	LAUNCH(two_places_kernel, dim3(1), dim3(THREADS), NULL, device_numbers(THREADS));
}

static __global__ void part_kernel(unsigned *ret) {
	ret[threadIdx.x] = threadIdx.x % WARP < 7 ? __shfl_xor_sync(~0u, threadIdx.x, 1) : 0;
}
static void meet_without_some_lanes(void) {
	LAUNCH(part_kernel, dim3(1), dim3(THREADS), NULL, device_numbers(THREADS));
}

static void copy_beyond(void) {
	unsigned got[THREADS];
	cudaMemcpyAsync(got, device_numbers(THREADS - 1), sizeof(got), cudaMemcpyDeviceToHost, NULL);
}

static void read_as_host(void) {
	setenv("AEXP_SHIM_GUARD", "1", 1);
	volatile unsigned *numbers = device_numbers(THREADS);
	_exit(numbers[0] == 1 ? 2 : 0);
}

// Runs f in another process, before whose memory no other shim has been used. False where it ended well; what it said
// goes to text.
static bool fails(void (*f)(void), char *text, size_t size) {
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		signal(SIGSEGV, SIG_DFL); // cmocka's handler would go on with the next test
		signal(SIGBUS, SIG_DFL);
		f();
		_exit(0);
	}
	close(ends[1]);
	size_t filled = 0;
	char rest[256];
	for (ssize_t got; (got = filled + 1 < size ? read(ends[0], text + filled, size - 1 - filled)
	                                           : read(ends[0], rest, sizeof(rest))) > 0;)
		filled += filled + 1 < size ? (size_t)got : 0;
	text[filled] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_faults(void **state) {
	(void)state;
	static const struct {
		void (*f)(void);
		const char *said; // NULL: a signal says it
	} faults[] = {
	    {diverge, "shim: barrier divergence: others have ended, threads wait at"},
	    {meet_in_two_places, "shim: threads meet at different places"},
	    {meet_without_some_lanes, "shim: barrier divergence"},
	    {copy_beyond, "shim: a copy reads or writes what is not one block of the device's memory"},
	    {read_as_host, NULL},
#ifdef WATCHED
	    {write_beyond, "AddressSanitizer"},
#endif
	};
	char text[2048];
	for (size_t order = 0; order < ORDERS; order++) {
		setenv("AEXP_SHIM_ORDER", orders[order], 1);
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
			if (!fails(faults[i].f, text, sizeof(text)))
				fail_msg("fault %zu went unnoticed in order %s: %s", i, orders[order], text);
			if (faults[i].said && !strstr(text, faults[i].said))
				fail_msg("fault %zu in order %s says: %s", i, orders[order], text);
		}
	}
	(void)write_beyond;
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_faults), // first: its processes begin without memory of the device
	    cmocka_unit_test(test_late),  // and this: its process asks for its setting first
	    cmocka_unit_test(test_graph),
	    cmocka_unit_test(test_right),
	    cmocka_unit_test(test_missing_barrier),
	    cmocka_unit_test(test_missing_barrier_ahead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
