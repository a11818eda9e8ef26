// The best of rows that come in pieces, against a full sort of the whole row: any order of scores (rising ones settle
// most often), many equal ones, -infinity and NaN that are never chosen, a rising function that makes different values
// equal.
#include "eval_test.h"

#include "eval/scan.h"

enum { ITEMS = 1500, ROWS = 3 };

struct fixture {
	float values[ROWS][ITEMS];
	struct scan scan;
	struct scan_function function;
	size_t items, k;
	uint32_t out[ITEMS]; // (out_count) every so many-th item
	size_t out_count;
	// what a row is expected to have: values of some items, or more than they are
	size_t expected; // items, the last ones; 0: nothing
	float more;
};

static float score_of(const struct fixture *f, float value) {
	float score = value;
	if (f->function.of)
		f->function.of(f->function.context, &value, 1, &score);
	return score;
}

// How many candidates come before it; values that are never chosen come before nothing.
static size_t place_of(const struct fixture *f, size_t row, size_t item) {
	size_t before = 0;
	float own = score_of(f, f->values[row][item]);
	for (size_t i = 0; i < f->items; i++) {
		float score = f->values[row][i] > -INFINITY ? score_of(f, f->values[row][i]) : -INFINITY;
		before += score > own || (score == own && i < item);
	}
	return before;
}

static void expect(struct fixture *f, size_t row) {
	float values[SCAN_EXPECTED_MOST];
	uint32_t excluded[SCAN_EXPECTED_MOST];
	size_t first = f->items - f->expected, excluded_count = 0;
	for (size_t i = 0; i < f->expected; i++)
		values[i] = f->values[row][first + i] + f->more;
	for (size_t i = 0; i < f->out_count; i++)
		if (f->out[i] >= first)
			excluded[excluded_count++] = (uint32_t)(f->out[i] - first);
	scan_expect(&f->scan, row, values, f->expected, excluded, excluded_count);
}

// In pieces of that many columns.
static void add_all(struct fixture *f, size_t columns) {
	float piece[ITEMS + SCAN_BLOCK];
	scan_begin(&f->scan, ROWS);
	for (size_t row = 0; row < ROWS; row++)
		scan_leave_out(&f->scan, row, f->out, f->out_count);
	for (size_t row = 0; f->expected && row < ROWS; row++)
		expect(f, row);
	for (size_t first = 0; first < f->items; first += columns)
		for (size_t row = 0; row < ROWS; row++) {
			size_t count = f->items - first < columns ? f->items - first : columns;
			for (size_t i = 0; i < count + SCAN_BLOCK; i++)
				piece[i] = i < count ? f->values[row][first + i] : -INFINITY;
			scan_add(&f->scan, row, first, piece, count);
		}
}

// Returns how many rows are sure of their list.
static size_t hold_with(const struct topk_kernels *kernels, struct fixture *f, size_t columns) {
	size_t rows = 0;
	struct error error = {0};
	uint32_t items[ITEMS];
	float scores[ITEMS];
	assert_true(scan_init(&f->scan, ROWS, f->k, f->function, &error));
	f->scan.topk.kernels = kernels;
	add_all(f, columns);
	for (size_t row = 0; row < ROWS; row++) {
		for (size_t i = 0; i < f->out_count; i++)
			f->values[row][f->out[i]] = -INFINITY; // the same to a whole sort
		bool sure;
		size_t candidates = 0, count = scan_take(&f->scan, row, items, scores, &sure);
		rows += sure;
		assert_true(sure || f->expected);
		if (!sure)
			continue;
		for (size_t i = 0; i < f->items; i++)
			candidates += f->values[row][i] > -INFINITY;
		assert_int_equal(count, candidates < f->k ? candidates : f->k);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(place_of(f, row, items[i]), i);
			assert_true(scores[i] == score_of(f, f->values[row][items[i]]));
		}
	}
	scan_finish(&f->scan);
	return rows;
}

static size_t hold(const struct fixture *f, size_t columns) {
	const struct topk_kernels *kernels[KERNEL_SETS];
	size_t rows = 0;
	for (size_t i = 0; i < kernel_sets(kernels); i++) {
		struct fixture fixture = *f;
		size_t these = hold_with(kernels[i], &fixture, columns);
		assert_true(i == 0 || these == rows); // all sets know as much
		rows = these;
	}
	return rows;
}

// Values that are falling, rising, of few different ones, and any.
static void fill(struct fixture *f, size_t items, size_t kind) {
	uint64_t random = items + kind;
	f->items = items;
	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < items; i++) {
			float any = (float)draw_below(&random, 100000) / 1000 - 50;
			f->values[row][i] = kind == 0   ? -(float)i
			                    : kind == 1 ? (float)i
			                    : kind == 2 ? (float)draw_below(&random, 5)
			                                : any;
			if (kind == 3 && draw_chance(&random, 5))
				f->values[row][i] = draw_chance(&random, 50) ? -INFINITY : NAN;
		}
}

static void test_whole_sort(void **state) {
	static const size_t items[] = {1, 63, 64, 65, 400, ITEMS}, tops[] = {1, 3, 100}, columns[] = {64, 384, 2048};
	(void)state;
	for (size_t kind = 0; kind < 4; kind++)
		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
			for (size_t t = 0; t < 3; t++)
				for (size_t c = 0; c < 3; c++) {
					struct fixture f = {.k = tops[t]};
					fill(&f, items[i], kind);
					for (size_t item = c; c && item < items[i]; item += 1 + c)
						f.out[f.out_count++] = (uint32_t)item;
					hold(&f, columns[c]);
				}
}

// Rises, but not strictly: steps of 8, and flat from 16 on.
static void steps(const void *context, float *value, size_t count, float *ret) {
	(void)context;
	for (size_t i = 0; i < count; i++)
		ret[i] = floorf((value[i] > 16 ? 16 : value[i]) / 8);
}

static void test_function(void **state) {
	(void)state;
	for (size_t kind = 0; kind < 4; kind++) {
		struct fixture f = {.k = 20, .function = {steps, NULL}};
		fill(&f, ITEMS, kind);
		hold(&f, 128);
	}
}

// Rises but for rounding: every other value scores a little less than its neighbours.
static void wavers(const void *context, float *value, size_t count, float *ret) {
	(void)context;
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &value[i], sizeof(bits));
		ret[i] = value[i] > 16 ? 16 : value[i];
		ret[i] -= bits % 2 ? fabsf(ret[i]) * 1.2e-7F : 0;
	}
}

// Values that lie as near to each other as its errors are, with many that score the most, or all of any size.
static void test_wavering(void **state) {
	(void)state;
	for (size_t kind = 0; kind < 4; kind++)
		for (size_t near = 0; near < 3; near++)
			for (size_t expected = 0; expected < 2; expected++) {
				struct fixture f = {.k = 20, .function = {wavers, NULL, 3e-7F}, .expected = expected * 100};
				fill(&f, ITEMS, kind);
				for (size_t row = 0; near && row < ROWS; row++)
					for (size_t i = 0; i < ITEMS; i++)
						f.values[row][i] = near == 1 ? 3 + f.values[row][i] * 2e-8F : 16 + f.values[row][i] * 1e-5F;
				assert_true(hold(&f, 384) == ROWS);
			}
}

// A bound from some of the items: where a row is sure of its list it is the whole sort's, whatever was expected, and it
// is sure where no more was expected than is there and scores are no mere ties.
static void test_expected(void **state) {
	static const size_t expected[] = {1, 30, SCAN_EXPECTED_MOST};
	static const float more[] = {0, -0.5F, 1e-4F, 3, 1000};
	size_t sure = 0, unsure = 0;
	(void)state;
	for (size_t kind = 0; kind < 4; kind++)
		for (size_t function = 0; function < 2; function++)
			for (size_t e = 0; e < sizeof(expected) / sizeof(expected[0]); e++)
				for (size_t m = 0; m < sizeof(more) / sizeof(more[0]); m++)
					for (size_t out = 0; out < 2; out++) {
						struct fixture f = {.k = 20, .expected = expected[e], .more = more[m]};
						f.function.of = function ? steps : NULL;
						fill(&f, ITEMS, kind);
						for (size_t item = 0; out && item < ITEMS; item += 3)
							f.out[f.out_count++] = (uint32_t)item;
						size_t rows = hold(&f, 384);
						assert_true(rows == ROWS || more[m] > 0);
						sure += rows;
						unsure += ROWS - rows;
					}
	assert_true(sure > 500 && unsure > 50);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_sort), cmocka_unit_test(test_function),
	                                   cmocka_unit_test(test_wavering), cmocka_unit_test(test_expected)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
