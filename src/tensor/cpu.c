// The device of the CPU backends: a pool of threads and the host's memory.
#include "tensor/cpu.h"

#include "base/memory.h"
#include "data/big_array.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Decaying sums of squares end in denormals, which cost a hundred times more and carry nothing.
static void flush_denormals(void *unused, size_t member) {
	(void)unused, (void)member;
#if defined(__x86_64__)
	enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
	_mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
#elif defined(__aarch64__)
	uint64_t control;
	__asm__ volatile("mrs %0, fpcr" : "=r"(control));
	control |= UINT64_C(1) << 24;
	__asm__ volatile("msr fpcr, %0" : : "r"(control));
#endif
}

bool cpu_open(const struct backend *backend, struct pool *pool, struct device **ret, struct error *error) {
	(void)error;
	pool_team(pool, flush_denormals, NULL);
	struct device *device = memory_alloc(sizeof(*device));
	device->backend = backend;
	device->pool = pool;
	*ret = device;
	return true;
}

void cpu_close(struct device *device) {
	if (!device)
		return;
	free(device);
}

size_t cpu_members(const struct device *device) {
	return pool_threads(device->pool);
}

void cpu_team(struct device *device, void (*body)(void *context, size_t member), void *context) {
	pool_team(device->pool, body, context);
}

void cpu_barrier(struct device *device) {
	pool_barrier(device->pool);
}

const char *cpu_describe(const struct device *device) {
	return device->description;
}

void *cpu_allocate(struct device *device, size_t bytes, struct error *error) {
	(void)device;
	void *memory =
	    big_array(bytes, 1, "the network", error); // rows are fetched from all over it: few pages, few misses
	return memory ? memset(memory, 0, bytes) : NULL;
}

void cpu_release(struct device *device, void *memory) {
	(void)device;
	free(memory);
}

void cpu_copy(struct device *device, void *to, const void *from, size_t bytes) {
	(void)device;
	if (bytes)
		memcpy(to, from, bytes);
}
