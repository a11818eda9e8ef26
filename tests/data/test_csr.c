// Sparse rows against a dense table: building from entries in any order, and turning them over.
#include "make_data.h"

#include "data/csr.h"

enum { ROWS_MOST = 30, COLUMNS_MOST = 20, ROUNDS = 200 };

struct cell {
	float value;
	uint8_t there, liked;
};
struct table {
	size_t rows, columns, count;
	struct cell cell[ROWS_MOST][COLUMNS_MOST];
	uint32_t row[ROWS_MOST * COLUMNS_MOST], column[ROWS_MOST * COLUMNS_MOST];
	float value[ROWS_MOST * COLUMNS_MOST];
	uint8_t liked[ROWS_MOST * COLUMNS_MOST];
};

static void fill(struct dice *dice, struct table *t) {
	*t = (struct table){.rows = dice_throw(dice, ROWS_MOST + 1), .columns = dice_throw(dice, COLUMNS_MOST + 1)};
	size_t wanted = dice_throw(dice, t->rows * t->columns + 1);
	for (size_t i = 0; i < wanted; i++) {
		size_t row = dice_throw(dice, t->rows), column = dice_throw(dice, t->columns);
		struct cell *cell = &t->cell[row][column];
		if (!cell->there) {
			*cell = (struct cell){(float)dice_throw(dice, 5) - 2, 1, dice_throw(dice, 2) != 0}; // 0 is a value too
			t->row[t->count] = (uint32_t)row;
			t->column[t->count] = (uint32_t)column;
			t->value[t->count] = cell->value;
			t->liked[t->count++] = cell->liked;
		}
	}
}

static void check(const struct table *t, const struct csr *csr, bool turned, bool liked) {
	assert_int_equal(csr->rows, turned ? t->columns : t->rows);
	assert_int_equal(csr->columns, turned ? t->rows : t->columns);
	assert_int_equal(csr->start[0], 0);
	assert_int_equal(csr_count(csr), t->count);
	for (size_t row = 0; row < csr->rows; row++) {
		assert_true(csr->start[row] <= csr->start[row + 1]);
		for (size_t i = csr->start[row]; i < csr->start[row + 1]; i++) {
			assert_true(csr->column[i] < csr->columns);
			assert_true(i == csr->start[row] || csr->column[i - 1] < csr->column[i]);
			const struct cell *cell = turned ? &t->cell[csr->column[i]][row] : &t->cell[row][csr->column[i]];
			assert_true(cell->there);
			assert_true(cell->value == csr->value[i]);
			assert_true(!liked || cell->liked == csr->liked[i]);
		}
	}
	assert_true(liked == (csr->liked != NULL));
}

static void builds_and_turns(void **state) {
	(void)state;
	struct dice dice = dice_make(1);
	struct table *t = make_array(1, sizeof *t);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct csr csr, turned, back;
		bool liked = round % 2 == 0;
		fill(&dice, t);
		assert_true(
		    csr_build(t->rows, t->columns, t->count, t->row, t->column, t->value, liked ? t->liked : NULL, &csr, NULL));
		check(t, &csr, false, liked);
		assert_true(csr_transpose(&csr, &turned, NULL));
		check(t, &turned, true, liked);
		assert_true(csr_transpose(&turned, &back, NULL));
		check(t, &back, false, liked);
		csr_finish(&csr);
		csr_finish(&turned);
		csr_finish(&back);
	}
	free(t);
}

static void order_of_entries_does_not_matter(void **state) {
	(void)state;
	const uint32_t row[] = {2, 0, 2, 0}, column[] = {1, 3, 0, 0}, row_b[] = {0, 0, 2, 2}, column_b[] = {0, 3, 0, 1};
	const float value[] = {1, 2, 3, 0}, value_b[] = {0, 2, 3, 1};
	struct csr a, b;
	assert_true(csr_build(3, 4, 4, row, column, value, NULL, &a, NULL));
	assert_true(csr_build(3, 4, 4, row_b, column_b, value_b, NULL, &b, NULL));
	assert_memory_equal(a.start, b.start, 4 * sizeof *a.start);
	assert_memory_equal(a.column, b.column, 4 * sizeof *a.column);
	assert_memory_equal(a.value, b.value, 4 * sizeof *a.value);
	csr_finish(&a);
	csr_finish(&b);
	csr_finish(&b); // once more does nothing
	assert_int_equal(csr_count(&b), 0);
}

static void too_large_is_an_error(void **state) {
	(void)state;
	struct error error = {0};
	struct csr csr = {.rows = 7};
	assert_false(csr_build(SIZE_MAX, 1, 0, NULL, NULL, NULL, NULL, &csr, &error));
	assert_int_equal(error.code, ERROR_RUN);
	assert_int_equal(csr.rows, 7); // untouched
	assert_false(csr_build(1, SIZE_MAX / 4, 0, NULL, NULL, NULL, NULL, &csr, &error));
	assert_int_equal(error.code, ERROR_RUN);
	assert_int_equal(csr.rows, 7);
}

static void twice_is_an_error(void **state) {
	(void)state;
	enum { MOST = 200 }; // a short row is sorted otherwise than a long one
	uint32_t row[MOST] = {0}, column[MOST];
	float value[MOST] = {0};
	for (size_t count = 2; count <= MOST; count += MOST - 2) {
		struct csr csr;
		struct error error = {0};
		for (size_t i = 0; i < count; i++)
			column[i] = (uint32_t)(count - 1 - i);
		column[count - 1] = column[0];
		assert_false(csr_build(1, MOST, count, row, column, value, NULL, &csr, &error));
		assert_int_equal(error.code, ERROR_DATA);
		assert_string_equal(error.message, "an entry of a row stands twice");
	}
}

static int compare_columns(const void *left, const void *right) {
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

// Rows of every length on both sides of where the way of sorting changes, among few columns and many.
static void long_rows_are_sorted(void **state) {
	(void)state;
	static const size_t lengths[] = {1, 2, 39, 40, 41, 42, 255, 256, 2047, 2048, 2049, 9000};
	static const uint64_t columns[] = {9000, 1 << 16, (1 << 16) + 1, 1 << 22, (1 << 22) + 1, (uint64_t)1 << 32};
	enum { MOST = 9000 };
	struct dice dice = dice_make(2);
	uint32_t *row = make_array(MOST, sizeof *row), *column = make_array(MOST, sizeof *column),
	         *sorted = make_array(MOST, sizeof *sorted);
	float *value = make_array(MOST, sizeof *value);
	uint8_t *liked = make_array(MOST, 1);
	for (size_t k = 0; k < sizeof lengths / sizeof lengths[0] * (sizeof columns / sizeof columns[0]); k++) {
		size_t count = lengths[k % (sizeof lengths / sizeof lengths[0])];
		uint64_t most = columns[k / (sizeof lengths / sizeof lengths[0])];
		struct csr csr;
		for (size_t i = 0; i < count; i++) // each column once: in steps, with some room to draw from
			column[i] = (uint32_t)(i * (most / MOST) + dice_throw(&dice, (size_t)(most / MOST)));
		memcpy(sorted, column, count * sizeof *sorted);
		qsort(sorted, count, sizeof *sorted, compare_columns);
		for (size_t i = count; i-- > 1;) {
			size_t other = dice_throw(&dice, i + 1);
			uint32_t moved = column[i];
			column[i] = column[other];
			column[other] = moved;
		}
		for (size_t i = 0; i < count; i++) { // tell of the column
			value[i] = (float)(column[i] % 1000);
			liked[i] = column[i] / 7 % 2;
		}
		assert_true(csr_build(1, (size_t)most, count, row, column, value, liked, &csr, NULL));
		assert_memory_equal(csr.column, sorted, count * sizeof *sorted);
		for (size_t i = 0; i < count; i++) {
			assert_true(csr.value[i] == (float)(sorted[i] % 1000));
			assert_int_equal(csr.liked[i], sorted[i] / 7 % 2);
		}
		csr_finish(&csr);
	}
	free(row);
	free(column);
	free(sorted);
	free(value);
	free(liked);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(builds_and_turns),      cmocka_unit_test(order_of_entries_does_not_matter),
	    cmocka_unit_test(too_large_is_an_error), cmocka_unit_test(twice_is_an_error),
	    cmocka_unit_test(long_rows_are_sorted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
