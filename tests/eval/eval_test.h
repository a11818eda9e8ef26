// What the tests of this floor share: cmocka, a small generator of numbers, comparisons of doubles.
#ifndef AEXP_TESTS_EVAL_TEST_H
#define AEXP_TESTS_EVAL_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eval/metrics.h"
#include "eval/topk_kernels.h"

// splitmix64 (Steele, Lea and Flood, OOPSLA 2014)
static inline uint64_t draw(uint64_t *state) {
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static inline size_t draw_below(uint64_t *state, size_t bound) {
	return (size_t)(draw(state) % bound);
}
static inline bool draw_chance(uint64_t *state, unsigned percent) {
	return draw_below(state, 100) < percent;
}

// NAN equals NAN; anything else within tolerance.
static inline bool is_near(double a, double b, double tolerance) {
	return isnan(a) || isnan(b) ? isnan(a) && isnan(b) : fabs(a - b) <= tolerance;
}
#define assert_near(a, b, tolerance)                                                                                   \
	do {                                                                                                               \
		if (!is_near(a, b, tolerance))                                                                                 \
			fail_msg("%s = %.17g, %s = %.17g", #a, (double)(a), #b, (double)(b));                                      \
	} while (0)

// A use without reading it from text.
static inline struct metric_use use_of(const struct metric *metric, size_t k) {
	return (struct metric_use){.metric = metric, .k = k, .name = metric->row.name};
}

// The loops of top-k that this processor can run.
enum { KERNEL_SETS = 3 };
static inline size_t kernel_sets(const struct topk_kernels *ret[KERNEL_SETS]) {
	size_t count = 0;
	ret[count++] = &topk_kernels_baseline;
#if defined(__x86_64__)
	if (topk_kernels_choose() != &topk_kernels_baseline)
		ret[count++] = &topk_kernels_avx2;
	if (topk_kernels_choose() == &topk_kernels_avx512)
		ret[count++] = &topk_kernels_avx512;
#endif
	return count;
}

#endif
