// Rankings by the CPU backends, one row after the other by a sort: what a device's are held against. Evaluations on the
// CPU use eval/topk.h.
#include "tensor/cpu.h"

#include "base/memory.h"

#include <stdlib.h>

enum { CANDIDATE, OUT, MARKED };

static void note(const struct sparse *s, size_t row, uint8_t what, uint8_t *ret) {
	for (uint32_t k = s->start[row]; k < s->start[row + 1]; k++)
		ret[s->column[k]] = what;
}

static int ascending(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void cpu_topk(struct device *device, const struct matrix *y, const struct sparse *out, size_t k, uint32_t *ret,
              uint32_t *ret_count) {
	uint8_t *is = memory_alloc(y->columns + 1);
	uint64_t *place = memory_alloc((y->columns + 1) * sizeof(*place)); // the best first: turned key, then column
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		size_t count = 0;
		note(out, i, OUT, is);
		for (size_t j = 0; j < y->columns; j++)
			if (is[j] == CANDIDATE)
				place[count++] = (uint64_t)~score_key(y->data[i * y->stride + j]) << 32 | j;
		qsort(place, count, sizeof(*place), ascending);
		ret_count[i] = (uint32_t)(count < k ? count : k);
		for (size_t j = 0; j < k; j++)
			ret[i * k + j] = j < ret_count[i] ? (uint32_t)place[j] : 0;
		note(out, i, CANDIDATE, is);
	}
	free(is);
	free(place);
}

void cpu_rank_pairs(struct device *device, const struct matrix *y, const struct sparse *out,
                    const struct sparse *marked, double *ret) {
	uint8_t *is = memory_alloc(y->columns + 1);
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		const real *score = y->data + i * y->stride;
		double twice = 0, others = 0;
		note(out, i, OUT, is);
		note(marked, i, MARKED, is);
		for (size_t j = 0; j < y->columns; j++) {
			if (is[j] != CANDIDATE)
				continue;
			others++;
			for (uint32_t k = marked->start[i]; k < marked->start[i + 1]; k++) {
				uint32_t a = score_key(score[marked->column[k]]), b = score_key(score[j]);
				twice += a > b ? 2 : a == b;
			}
		}
		ret[2 * i] = twice;
		ret[2 * i + 1] = others;
		note(out, i, CANDIDATE, is);
		note(marked, i, CANDIDATE, is);
	}
	free(is);
}
