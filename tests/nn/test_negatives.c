// Negatives of a row: never a stored column, none twice, ascending, uniform, the same whatever the batch, another set
// each epoch; and a batch whose targets hold them.
#include "graph_test.h"

#include "nn/packed.h"

enum { ROWS = 60, COLUMNS = 130, BATCH = 20 };

static struct negatives negatives_of(size_t per_entry, uint32_t epoch) {
	return (struct negatives){ random_stream_make(5, "negatives", ""), per_entry, epoch };
}

// Draws for a row of the given stored columns into seen[] (COLUMNS): 1 stored, 2 drawn.
static size_t drawn(const struct negatives *n, uint32_t row, const uint32_t *stored, size_t count, char seen[COLUMNS]) {
	uint64_t *bits = memory_alloc(negatives_words(COLUMNS) * sizeof(*bits));
	uint32_t column[COLUMNS];
	real value[COLUMNS], ones[COLUMNS];
	for (size_t k = 0; k < COLUMNS; k++)
		ones[k] = 1;
	size_t entries = negatives_merge(n, row, stored, ones, count, COLUMNS, bits, column, value), k = 0;
	assert_int_equal(entries, negatives_entries(n, count, COLUMNS));
	memset(seen, 0, COLUMNS);
	for (size_t e = 0; e < entries; e++) {
		bool is_stored = k < count && stored[k] == column[e];
		assert_true(column[e] < COLUMNS && (e == 0 || column[e] > column[e - 1]));
		assert_true(value[e] == (is_stored ? 1 : 0));
		seen[column[e]] = is_stored ? 1 : 2;
		k += is_stored;
	}
	assert_int_equal(k, count);
	for (size_t w = 0; w < negatives_words(COLUMNS); w++)
		assert_true(bits[w] == 0);
	free(bits);
	return entries;
}

// Rows of any length, up to all columns.
static void test_rows(void **state) {
	(void)state;
	for (size_t per_entry = 1; per_entry <= 1000; per_entry = per_entry * 3 + 1)
		for (size_t count = 0; count <= COLUMNS; count += count < 10 ? 1 : 15) {
			uint32_t stored[COLUMNS];
			char seen[COLUMNS], again[COLUMNS];
			for (size_t k = 0; k < count; k++)
				stored[k] = (uint32_t)(k * COLUMNS / count);
			struct negatives n = negatives_of(per_entry, 3), later = negatives_of(per_entry, 4);
			size_t entries = drawn(&n, 17, stored, count, seen), most = count * (1 + per_entry);
			assert_int_equal(entries, most < COLUMNS ? most : COLUMNS);
			drawn(&n, 17, stored, count, again);
			assert_memory_equal(seen, again, COLUMNS);
			if (count < 5 || entries == COLUMNS)
				continue;
			drawn(&n, 18, stored, count, again);
			assert_true(memcmp(seen, again, COLUMNS) != 0);
			drawn(&later, 17, stored, count, again);
			assert_true(memcmp(seen, again, COLUMNS) != 0);
		}
}

// How often each free column is drawn, few and many of a row: within 5 standard deviations of its share.
static void test_uniform(void **state) {
	(void)state;
	enum { TIMES = 4000 };
	static const uint32_t stored[] = { 0, 7, 8, 9, 64, 128, 129 };
	const size_t count = sizeof(stored) / sizeof(stored[0]), free_columns = COLUMNS - count;
	for (size_t per_entry = 2; per_entry <= 14; per_entry += 12) {
		size_t times[COLUMNS] = { 0 };
		for (uint32_t epoch = 0; epoch < TIMES; epoch++) {
			struct negatives n = negatives_of(per_entry, epoch);
			char seen[COLUMNS];
			drawn(&n, 3, stored, count, seen);
			for (size_t j = 0; j < COLUMNS; j++)
				times[j] += seen[j] == 2;
		}
		double share = (double)(per_entry * count) / (double)free_columns, deviation = sqrt(TIMES * share * (1 - share));
		for (size_t j = 0, k = 0; j < COLUMNS; j++) {
			bool is_stored = k < count && stored[k] == j;
			k += is_stored;
			assert_true(is_stored ? times[j] == 0 : fabs((double)times[j] - TIMES * share) < 5 * deviation);
		}
	}
}

static void few_values(struct csr *csr) {
	for (size_t k = 0; k < csr->start[csr->rows]; k++)
		csr->value[k] = (float)(1 + k % 5);
}

static void expect_row(const struct sparse *a, size_t i, const struct sparse *b, size_t j) {
	uint32_t count = a->start[i + 1] - a->start[i];
	assert_int_equal(count, b->start[j + 1] - b->start[j]);
	assert_memory_equal(a->column + a->start[i], b->column + b->start[j], count * sizeof(*a->column));
	assert_memory_equal(a->value + a->start[i], b->value + b->start[j], count * sizeof(*a->value));
}

// A row's targets are the same alone and among others, from packed rows and from others' targets; the inputs have no
// negatives.
static void test_batches(void **state) {
	(void)state;
	struct csr ratings, copy;
	struct packed packed;
	struct batch all, alone, other;
	uint64_t seed = 2;
	make_csr(&seed, ROWS, COLUMNS, 0.1, &ratings);
	few_values(&ratings);
	copy = ratings; // the same numbers, elsewhere as far as a batch can tell
	struct negatives n = negatives_of(4, 9);
	struct batch_source source = { .ratings = &ratings, .target = &ratings, .negatives = &n }, elsewhere = source;
	elsewhere.target = &copy;
	assert_true(packed_create(&ratings, NULL, &packed, NULL));
	assert_true(batch_create(&source, 1, BATCH, &all, NULL));
	assert_true(batch_create_like(&all, &alone, NULL));
	assert_true(batch_create(&elsewhere, 1, BATCH, &other, NULL));
	for (size_t round = 0; round < 20; round++) {
		uint32_t row[BATCH];
		for (size_t i = 0; i < BATCH; i++)
			row[i] = (uint32_t)draw_below(&seed, ROWS);
		source.packed = round % 2 ? &packed : NULL;
		batch_gather(&all, &source, row, BATCH);
		batch_transpose(&all);
		batch_gather(&other, &elsewhere, row, BATCH);
		assert_true(sparse_count(&all.target) <= batch_cells_most(&all));
		assert_int_equal(all.by_target.start[all.by_target.count], sparse_count(&all.target));
		for (size_t i = 0; i < BATCH; i++) {
			batch_gather(&alone, &source, &row[i], 1);
			expect_row(&all.target, i, &alone.target, 0);
			expect_row(&all.target, i, &other.target, i);
			assert_int_equal(all.ratings.start[i + 1] - all.ratings.start[i], ratings.start[row[i] + 1] - ratings.start[row[i]]);
		}
	}
	batch_destroy(&all);
	batch_destroy(&alone);
	batch_destroy(&other);
	packed_finish(&packed);
	csr_finish(&ratings);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
