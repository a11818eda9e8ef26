// A batch's pattern by columns, on the host: what batches are transposed by, and the CPU backends' form of the seam's.
#ifndef AEXP_TENSOR_PATTERN_H
#define AEXP_TENSOR_PATTERN_H

#include "tensor/backend.h"

// As `transpose` and `join` of the seam; counted and waited are not looked at. Return how many columns are touched.
uint32_t pattern_transpose(const struct sparse *s, const struct transposed_room *ret);
// The second half of it: slot and column stand, start counts each touched column's entries.
void pattern_place(const struct sparse *s, uint32_t touched, const struct transposed_room *ret);
uint32_t pattern_join(const struct transposed *a, const struct transposed *b, uint32_t *ret_a, uint32_t *ret_b,
                      const struct transposed_room *ret);

#endif
