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

bool cpu_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
              struct device **ret, struct error *error);
void cpu_close(struct device *device);
size_t cpu_members(const struct device *device);
void cpu_team(struct device *device, void (*body)(void *context, size_t member), void *context);
void cpu_barrier(struct device *device);
const char *cpu_describe(const struct device *device);
void cpu_memory(const struct device *device, size_t *ret_free, size_t *ret_all);
void *cpu_allocate(struct device *device, size_t bytes, struct error *error);
void cpu_release(struct device *device, void *memory);
void cpu_copy(struct device *device, void *to, const void *from, size_t bytes);
bool cpu_sync(struct device *device, struct error *error);

// --- functions on tensors of which there is one form ---

void cpu_pick(struct device *device, const struct sparse *pattern, const struct matrix *y, real *ret);
void cpu_note_places(struct device *device, const uint32_t *column, size_t count, uint32_t number, uint32_t *slot,
                     uint32_t *stamp);
void cpu_softmax_join(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
                      const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum);
void cpu_sum(struct device *device, double factor, const double *from, size_t count, bool more, double *ret);
void cpu_clip(struct device *device, double norm, const double *squares, double *ret);
void cpu_zero(struct device *device, const struct matrix *x);

#endif
