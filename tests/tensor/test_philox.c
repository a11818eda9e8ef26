// Dropout masks: every fast function of philox.h against its definition, frozen masks, and the statistics of the draws.
// Built once for each instruction set, as the kernels are; a set that this processor lacks is skipped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/philox.h"

enum { TRIALS = 400, COUNT_MOST = 1100, WORDS_MOST = COUNT_MOST / PHILOX_CHUNK + 1, GUARD = 16, SKIPPED = 77 };

// One trial's numbers.
struct world {
	struct random_stream stream, choices;
	uint32_t trial, epoch, threshold;
	uint64_t row;
	struct philox_dropout d;
};

static uint32_t choose(const struct world *w, uint32_t unit, uint32_t limit) {
	return random_u32(w->choices, w->trial, 0, unit) % limit;
}

static struct world world(const char *name, uint32_t trial) {
	static const uint32_t ends[] = {0, 1, 65535, 65536};
	struct world w = {.choices = random_stream_make(17, "test", name), .trial = trial};
	w.stream.key = random_u64(w.choices, trial, 0, 0);
	w.row = random_u64(w.choices, trial, 0, 1) >> (trial % 3 * 24); // 64, 40 and 16 bits
	w.epoch = random_u32(w.choices, trial, 0, 8) >> (trial % 2 * 24);
	w.threshold = trial % 2 ? choose(&w, 9, 65537) : ends[trial / 2 % 4];
	w.d = philox_dropout_make(w.stream, w.epoch, w.threshold);
	return w;
}

static bool expected(const struct world *w, uint64_t row, uint32_t unit) {
	return philox_keep(w->stream, w->epoch, row, unit, w->threshold);
}

static void definition_is_bits_of_blocks(void **state) {
	(void)state;
	struct world w = world("definition", 1);
	for (uint32_t chunk = 0; chunk < 40; chunk++)
		for (uint32_t half = 0; half < 2; half++)
			for (uint32_t word = 0; word < 4; word++)
				for (uint32_t block = 0; block < 8; block++) {
					struct random_block b = random_block_at(w.stream, w.epoch, w.row, 8 * chunk + block);
					uint32_t draw = half ? b.lane[word] >> 16 : b.lane[word] % 65536;
					uint32_t unit = 64 * chunk + 32 * half + 8 * word + block;
					assert_true(philox_keep(w.stream, w.epoch, w.row, unit, draw));
					assert_false(philox_keep(w.stream, w.epoch, w.row, unit, draw + 1));
				}
}

static void bytes_and_masks_are_the_definition(void **state) {
	(void)state;
	for (uint32_t trial = 0; trial < TRIALS; trial++) {
		struct world w = world("bytes", trial);
		uint32_t count = 1 + choose(&w, 20, COUNT_MOST), chunk = choose(&w, 21, trial % 4 ? 20 : 67108800);
		uint8_t keep[COUNT_MOST + GUARD];
		memset(keep, 0xab, sizeof keep);
		philox_keep_row(&w.d, w.row, chunk * PHILOX_CHUNK, count, keep);
		for (uint32_t j = 0; j < count; j++) {
			uint64_t mask = philox_keep_chunk(&w.d, w.row, chunk + j / PHILOX_CHUNK);
			assert_int_equal(keep[j], expected(&w, w.row, chunk * PHILOX_CHUNK + j));
			assert_int_equal(keep[j], mask >> (j % PHILOX_CHUNK) & 1);
		}
		for (uint32_t j = count; j < count + GUARD; j++)
			assert_int_equal(keep[j], 0xab);
	}
}

static void fill(const struct world *w, uint32_t first, size_t count, real *x) {
	for (size_t j = 0; j < count; j++)
		x[j] = (real)random_uniform(w->choices, w->trial, first, (uint32_t)j) - (real)0.5;
}

static void rows_are_the_definition(void **state) {
	(void)state;
	for (uint32_t trial = 0; trial < TRIALS; trial++) {
		struct world w = world("rows", trial);
		uint32_t count = choose(&w, 20, COUNT_MOST + 1);
		const real scale = (real)1.7;
		real x[COUNT_MOST + GUARD], y[COUNT_MOST + GUARD], same[COUNT_MOST + GUARD];
		fill(&w, 1, count + GUARD, x);
		fill(&w, 2, count + GUARD, y);
		memcpy(same, x, sizeof same);
		uint64_t mask[WORDS_MOST + 1], mask_same[WORDS_MOST + 1];
		memset(mask, 0xab, sizeof mask);
		philox_dropout_row(&w.d, w.row, count, x, scale, y, mask);
		philox_dropout_row(&w.d, w.row, count, same, scale, same, mask_same);
		for (uint32_t j = 0; j < count; j++) {
			bool kept = expected(&w, w.row, j);
			assert_int_equal(mask[j / 64] >> (j % 64) & 1, kept);
			assert_true(y[j] == (kept ? scale * x[j] : 0) && same[j] == y[j]);
		}
		if (count % 64)
			assert_int_equal(mask[count / 64] >> (count % 64), 0);
		assert_int_equal(mask[philox_mask_words(count)], UINT64_C(0xabababababababab));
		assert_memory_equal(mask, mask_same, philox_mask_words(count) * sizeof *mask);
		assert_memory_equal(same + count, x + count, GUARD * sizeof *x);
		real before[GUARD];
		fill(&w, 2, count + GUARD, same);
		memcpy(before, same + count, sizeof before);
		assert_memory_equal(y + count, before, sizeof before);
	}
}

static void way_back_follows_the_mask(void **state) {
	(void)state;
	for (uint32_t trial = 0; trial < TRIALS; trial++) {
		struct world w = world("back", trial);
		uint32_t count = choose(&w, 20, COUNT_MOST + 1);
		const real scale = (real)1.7, beta = trial % 2 ? (real)0.5 : 0;
		real dy[COUNT_MOST], dx[COUNT_MOST + GUARD], before[COUNT_MOST + GUARD];
		fill(&w, 1, count, dy);
		fill(&w, 2, count + GUARD, before);
		for (uint32_t j = 0; beta == 0 && j < count; j++)
			before[j] = (real)NAN; // never read
		memcpy(dx, before, sizeof dx);
		uint64_t mask[WORDS_MOST];
		for (uint32_t c = 0; c < WORDS_MOST; c++)
			mask[c] = philox_keep_chunk(&w.d, w.row, c);
		philox_dropout_row_back(mask, count, dy, scale, beta, dx);
		for (uint32_t j = 0; j < count; j++) {
			real part = expected(&w, w.row, j) ? scale * dy[j] : 0;
			real sum = beta == 0 ? part : beta * before[j] + part;
			assert_true(real_fabs(dx[j] - sum) <= (real)1e-6); // a compiler may fuse the product into the sum
		}
		assert_memory_equal(dx + count, before + count, GUARD * sizeof *dx);
	}
}

static void scattered_cells_are_the_definition(void **state) {
	(void)state;
	for (uint32_t trial = 0; trial < TRIALS; trial++) {
		struct world w = world("cells", trial);
		uint32_t row[PHILOX_CHUNK], unit[PHILOX_CHUNK], count = choose(&w, 20, PHILOX_CHUNK + 1);
		// On the heap and of just that size, so that reading past the end is seen.
		uint32_t *rows = malloc((count + 1) * sizeof *rows), *units = malloc((count + 1) * sizeof *units);
		assert_true(rows && units);
		for (uint32_t k = 0; k < count; k++) {
			row[k] = choose(&w, 100 + k, UINT32_MAX);
			unit[k] = choose(&w, 200 + k, trial % 3 ? 30000 : UINT32_MAX);
		}
		memcpy(rows + 1, row, count * sizeof *row);
		memcpy(units + 1, unit, count * sizeof *unit);
		uint64_t cells = philox_keep_cells(&w.d, rows + 1, units + 1, count);
		uint64_t in_row = philox_keep_units(&w.d, w.row, units + 1, count);
		for (uint32_t k = 0; k < count; k++) {
			assert_int_equal(cells >> k & 1, expected(&w, row[k], unit[k]));
			assert_int_equal(in_row >> k & 1, expected(&w, w.row, unit[k]));
		}
		if (count < PHILOX_CHUNK)
			assert_true(cells >> count == 0 && in_row >> count == 0);
		free(rows);
		free(units);
	}
}

static void nothing_and_all_are_dropped_at_the_ends(void **state) {
	(void)state;
	assert_int_equal(philox_threshold(0), 0);
	assert_int_equal(philox_threshold(0.5), 32768);
	assert_int_equal(philox_threshold(0.3), 19661); // 19660.8
	assert_int_equal(philox_threshold(1), 65536);
	struct philox_dropout none = philox_dropout_make((struct random_stream){5}, 1, 0);
	struct philox_dropout all = philox_dropout_make((struct random_stream){5}, 1, 65536);
	for (uint64_t row = 0; row < 2000; row++) {
		assert_true(philox_keep_chunk(&none, row, 1) == UINT64_MAX);
		assert_true(philox_keep_chunk(&all, row, 1) == 0);
	}
}

// A result is the same on every machine and in every version: these masks never change.
static void frozen_masks(void **state) {
	(void)state;
	struct philox_dropout d = philox_dropout_make((struct random_stream){UINT64_C(0x0123456789abcdef)}, 3, 19661);
	static const struct {
		uint64_t row, mask;
		uint32_t chunk;
	} frozen[] = {
	    {0, UINT64_C(0xfe36f77b9ffb36ff), 0},
	    {0, UINT64_C(0x7c8c5a45e3e5ac3f), 1},
	    {499999, UINT64_C(0x5eb7e7cfce67f7dc), 7},
	    {UINT64_C(0xfedcba9876543210), UINT64_C(0xddd587febbffff5f), 67108863},
	};
	for (size_t i = 0; i < sizeof frozen / sizeof frozen[0]; i++)
		assert_true(philox_keep_chunk(&d, frozen[i].row, frozen[i].chunk) == frozen[i].mask);
}

// --- statistics ---

enum { SAMPLE_ROWS = 2048, SAMPLE_UNITS = 512, SAMPLE = SAMPLE_ROWS * SAMPLE_UNITS };

// keep: (SAMPLE_ROWS, SAMPLE_UNITS)
static void sample(uint64_t key, uint32_t epoch, uint32_t threshold, uint8_t *keep) {
	struct philox_dropout d = philox_dropout_make((struct random_stream){key}, epoch, threshold);
	for (uint64_t row = 0; row < SAMPLE_ROWS; row++)
		philox_keep_row(&d, row, 0, SAMPLE_UNITS, keep + row * SAMPLE_UNITS);
}

// The sum over n independent pairs of (a - p) (b - p) has mean 0 and deviation sqrt(n) p (1 - p): within 5 of them.
static void assert_uncorrelated(const uint8_t *a, const uint8_t *b, size_t n, double p, const char *what) {
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (a[i] - p) * (b[i] - p);
	double deviations = sum / (sqrt((double)n) * p * (1 - p));
	if (fabs(deviations) > 5)
		fail_msg("%s: correlated by %.1f deviations", what, deviations);
}

static void share_kept_and_no_correlation(void **state) {
	(void)state;
	uint8_t *keep = malloc(SAMPLE), *other = malloc(SAMPLE);
	assert_true(keep && other);
	static const uint32_t thresholds[] = {655, 6554, 19661, 32768, 58982};
	static const size_t lags[] = {1, 2, 7, 8, 16, 32, 64, SAMPLE_UNITS}; // the last: the same unit of the next row
	uint64_t key = random_stream_make(3, "dropout", "hidden").key;
	for (size_t t = 0; t < sizeof thresholds / sizeof thresholds[0]; t++) {
		double p = 1 - thresholds[t] / 65536.0, kept = 0;
		sample(key, 1, thresholds[t], keep);
		for (size_t i = 0; i < SAMPLE; i++)
			kept += keep[i];
		assert_true(fabs(kept - SAMPLE * p) <= 5 * sqrt(SAMPLE * p * (1 - p)));
		for (size_t l = 0; l < sizeof lags / sizeof lags[0]; l++)
			assert_uncorrelated(keep, keep + lags[l], SAMPLE - lags[l], p, "units");
		sample(key, 2, thresholds[t], other);
		assert_uncorrelated(keep, other, SAMPLE, p, "epochs");
		sample(key + 1, 1, thresholds[t], other);
		assert_uncorrelated(keep, other, SAMPLE, p, "streams");
	}
	free(keep);
	free(other);
}

static bool processor_has_the_set(void) {
#if defined(__AVX512F__)
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#elif defined(__AVX2__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
	return true;
#endif
}

// Apart from main, whose own code must run on any processor: the compiler may use the set from a function's start on.
static __attribute__((noinline)) int run_all(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(definition_is_bits_of_blocks),
	    cmocka_unit_test(bytes_and_masks_are_the_definition),
	    cmocka_unit_test(rows_are_the_definition),
	    cmocka_unit_test(way_back_follows_the_mask),
	    cmocka_unit_test(scattered_cells_are_the_definition),
	    cmocka_unit_test(nothing_and_all_are_dropped_at_the_ends),
	    cmocka_unit_test(frozen_masks),
	    cmocka_unit_test(share_kept_and_no_correlation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
	return processor_has_the_set() ? run_all() : SKIPPED;
}
