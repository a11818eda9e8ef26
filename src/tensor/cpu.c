// The device of the CPU backends: a pool of threads and the host's memory; and what both compute in the same way.
#include "tensor/cpu.h"

#include "base/memory.h"
#include "data/big_array.h"
#include "tensor/pattern.h"
#include "tensor/softmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

bool cpu_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
              struct device **ret, struct error *error) {
	(void)options, (void)error;
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

void cpu_memory(const struct device *device, size_t *ret_free, size_t *ret_all) {
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	(void)device;
	*ret_free = (size_t)sysconf(_SC_AVPHYS_PAGES) * page;
	*ret_all = (size_t)sysconf(_SC_PHYS_PAGES) * page;
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

bool cpu_sync(struct device *device, struct error *error) {
	(void)device, (void)error;
	return true;
}

void cpu_pick(struct device *device, const struct sparse *pattern, const struct matrix *y, real *ret) {
	(void)device;
	for (size_t i = 0; i < pattern->rows; i++)
		for (uint32_t k = pattern->start[i]; k < pattern->start[i + 1]; k++)
			ret[k] = y->data[i * y->stride + pattern->column[k]];
}

void cpu_upload_ahead(struct device *device, int half, void *to, const void *from, size_t bytes) {
	(void)half;
	cpu_copy(device, to, from, bytes);
}

void cpu_unit(struct device *device, const void *key, void (*body)(void *context), void *context) {
	(void)device, (void)key;
	body(context);
}

void cpu_gather(struct device *device, const struct data_rows *from, const uint32_t *place, size_t rows,
                uint32_t *ret_start, uint32_t *ret_column, real *ret_value) {
	uint32_t filled = 0;
	(void)device;
	for (size_t i = 0; i < rows; i++) {
		ret_start[i] = filled;
		for (uint32_t k = from->start[place[i]]; k < from->start[place[i] + 1]; k++) {
			uint32_t entry = from->entry[k];
			ret_column[filled] = from->coded ? entry_column(entry) : entry;
			ret_value[filled++] = from->value[from->coded ? entry_code(entry) : k];
		}
	}
	ret_start[rows] = filled;
}

void cpu_transpose(struct device *device, const struct sparse *s, size_t entries, uint32_t *work,
                   const struct transposed_room *ret) {
	(void)device, (void)entries, (void)work;
	*ret->counted = pattern_transpose(s, ret);
}

void cpu_join(struct device *device, const struct transposed *a, const struct transposed *b, uint32_t *ret_a,
              uint32_t *ret_b, const struct transposed_room *ret) {
	(void)device;
	*ret->counted = pattern_join(a, b, ret_a, ret_b, ret);
}

void cpu_note_waits(struct device *device, const struct transposed *t, size_t count, uint32_t now, uint32_t *stamp,
                    uint32_t *waited) {
	(void)device;
	for (size_t i = 0; i < (t ? t->counted ? *t->counted : t->count : count); i++) {
		uint32_t *noted = &stamp[t ? t->column[i] : i];
		waited[i] = now - (t != NULL) - *noted;
		*noted = now;
	}
}

void cpu_softmax_join(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
                      const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum) {
	(void)device;
	for (size_t i = 0; i < cells->target->rows; i++)
		ret_sum[i] = softmax_join_row(parts + i, groups, stride, loss_scale(cells, i), ret_factors + i);
}

void cpu_sum(struct device *device, double factor, const double *from, size_t count, bool more, double *ret) {
	double sum = more ? *ret : 0;
	(void)device;
	for (size_t i = 0; i < count; i++)
		sum += factor * from[i];
	*ret = sum;
}

// As PyTorch's clip_grad_norm_, with its 1e-6.
void cpu_clip(struct device *device, double norm, const double *squares, double *ret) {
	(void)device;
	*ret = fmin(1, norm / (sqrt(*squares) + 1e-6));
}

void cpu_zero(struct device *device, const struct matrix *x) {
	(void)device;
	for (size_t i = 0; i < x->rows; i++)
		memset(x->data + i * x->stride, 0, x->columns * sizeof(real));
}
