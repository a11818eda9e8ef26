// Batches of packed rows are those of the matrices, and the choice of a path follows density, width and size.
#include "graph_test.h"

#include "nn/cost.h"
#include "nn/packed.h"

enum { ROWS = 300, COLUMNS = 70, FEATURES = 9, BATCH = 64 };

static void expect_same(const struct sparse *got, const struct sparse *want) {
	assert_int_equal(got->rows, want->rows);
	assert_int_equal(got->columns, want->columns);
	assert_memory_equal(got->start, want->start, (want->rows + 1) * sizeof(*want->start));
	assert_memory_equal(got->column, want->column, sparse_count(want) * sizeof(*want->column));
	assert_memory_equal(got->value, want->value, sparse_count(want) * sizeof(*want->value));
}

static void few_values(struct csr *csr, size_t values) {
	for (size_t k = 0; k < csr->start[csr->rows]; k++)
		csr->value[k] = (float)(k * 7 % values) * 0.25f - 3;
}

static void check_gather(const struct csr *ratings, const struct csr *features, const struct packed *packed) {
	struct batch_source plain = { ratings, features, ratings, NULL }, fast = plain;
	struct batch batch[2];
	uint64_t state = 4;
	fast.packed = packed;
	assert_true(batch_create(&plain, 1, BATCH, &batch[0], NULL));
	assert_true(batch_create_like(&batch[0], &batch[1], NULL));
	for (size_t round = 0; round < 50; round++) {
		uint32_t row[BATCH];
		size_t rows = 1 + draw_below(&state, BATCH);
		for (size_t i = 0; i < rows; i++)
			row[i] = (uint32_t)draw_below(&state, ROWS);
		batch_gather(&batch[0], &plain, row, rows);
		batch_gather(&batch[1], &fast, row, rows);
		expect_same(&batch[1].ratings, &batch[0].ratings);
		expect_same(&batch[1].user, &batch[0].user);
		expect_same(&batch[1].target, &batch[0].target);
	}
	batch_destroy(&batch[0]);
	batch_destroy(&batch[1]);
}

static void test_packed(void **state) {
	(void)state;
	struct csr ratings, features;
	uint64_t seed = 1;
	make_csr(&seed, ROWS, COLUMNS, 0.2, &ratings);
	make_csr(&seed, ROWS, FEATURES, 0.4, &features);
	for (size_t values = 1; values <= 256; values += 255) {
		struct packed packed;
		few_values(&ratings, values);
		few_values(&features, 2);
		assert_true(packed_create(&ratings, &features, &packed, NULL));
		assert_non_null(packed.start);
		check_gather(&ratings, &features, &packed);
		packed_finish(&packed);
		assert_true(packed_create(&ratings, NULL, &packed, NULL));
		assert_non_null(packed.start);
		check_gather(&ratings, NULL, &packed);
		packed_finish(&packed);
	}
	csr_finish(&ratings);
	csr_finish(&features);
}

// What does not fit is not packed, and that is no error.
static void test_too_many(void **state) {
	(void)state;
	struct csr ratings;
	struct packed packed;
	uint64_t seed = 1;
	make_csr(&seed, ROWS, COLUMNS, 0.2, &ratings);
	few_values(&ratings, 257);
	assert_true(packed_create(&ratings, NULL, &packed, NULL));
	assert_null(packed.start);
	few_values(&ratings, 2);
	ratings.columns = ((size_t)1 << PACKED_COLUMN_BITS) + 1;
	assert_true(packed_create(&ratings, NULL, &packed, NULL));
	assert_null(packed.start);
	csr_finish(&ratings);
}

// The share of stored cells from which the dense path is chosen.
static double crossing(size_t columns, size_t width) {
	double share = 0.001;
	struct cost_shape shape = { .columns = columns, .width = width, .batch = 1024, .output = true, .lazy = true };
	for (; share < 1; share *= 1.01) {
		shape.entries = share * (double)columns;
		if (cost_dense(&shape) < cost_sparse(&shape))
			break;
	}
	return share;
}

// Measured elsewhere, for the output on a processor with AVX-512: 32, 25 and 20 % at width 144 and 800, 3,700 and 20,000
// columns; 24, 20 and 11 % at width 528. The model may be off by half.
static void test_cost(void **state) {
	(void)state;
	static const struct {
		size_t columns, width;
		double share;
	} measured[] = { { 800, 144, 0.32 }, { 3700, 144, 0.25 }, { 20000, 144, 0.20 },
		             { 800, 528, 0.24 }, { 3700, 528, 0.20 }, { 20000, 528, 0.11 } };
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		double share = crossing(measured[i].columns, measured[i].width);
		if (share < measured[i].share / 2 || share > measured[i].share * 1.5)
			fail_msg("%zu columns, width %zu: dense from %.3f", measured[i].columns, measured[i].width, share);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_cost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
