// What the CPU backends share: the device, and memory that is the host's own.
#ifndef AEXP_TENSOR_CPU_H
#define AEXP_TENSOR_CPU_H

#include "tensor/backend.h"

struct kernels;

struct device {
	const struct backend *backend;
	struct pool *pool;             // NULL: one thread
	const struct kernels *kernels; // openblas: the loops for this processor
	char description[256];
};

bool cpu_open(const struct backend *backend, struct pool *pool, struct device **ret, struct error *error);
void cpu_close(struct device *device);
size_t cpu_members(const struct device *device);
void cpu_team(struct device *device, void (*body)(void *context, size_t member), void *context);
void cpu_barrier(struct device *device);
const char *cpu_describe(const struct device *device);
void *cpu_allocate(struct device *device, size_t bytes, struct error *error);
void cpu_release(struct device *device, void *memory);
void cpu_copy(struct device *device, void *to, const void *from, size_t bytes);

#endif
