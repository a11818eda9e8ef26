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
void cpu_upload_ahead(struct device *device, int half, void *to, const void *from, size_t bytes);
void cpu_unit(struct device *device, const void *key, void (*body)(void *context), void *context);
void cpu_gather(struct device *device, const struct data_rows *from, const uint32_t *place, size_t rows,
                uint32_t *ret_start, uint32_t *ret_column, real *ret_value);
void cpu_transpose(struct device *device, const struct sparse *s, size_t entries, uint32_t *work,
                   const struct transposed_room *ret);
void cpu_join(struct device *device, const struct transposed *a, const struct transposed *b, uint32_t *ret_a,
              uint32_t *ret_b, const struct transposed_room *ret);
void cpu_note_waits(struct device *device, const struct transposed *t, size_t count, uint32_t now, uint32_t *stamp,
                    uint32_t *waited);
void cpu_topk(struct device *device, const struct matrix *y, const struct sparse *out, size_t k, uint32_t *ret,
              uint32_t *ret_count);
void cpu_rank_pairs(struct device *device, const struct matrix *y, const struct sparse *out,
                    const struct sparse *marked, double *ret);
void cpu_softmax_join(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
                      const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum);
void cpu_sum(struct device *device, double factor, const double *from, size_t count, bool more, double *ret);
void cpu_clip(struct device *device, double norm, const double *squares, double *ret);
void cpu_zero(struct device *device, const struct matrix *x);

#endif
