// What is done to predictions: each step alone, their order, and who counts as unseen.
#include "eval_test.h"

#include "eval/adjust.h"

// Rows 0 and 1 have input, row 2 has none; columns 0 and 1 stand in train, column 2 does not.
static size_t input_start[] = {0, 1, 2, 2}, target_start[] = {0, 3, 3, 6};
static uint32_t input_column[] = {0, 1}, target_column[] = {0, 1, 2, 0, 1, 2}, column_entries[] = {1, 1, 0};
static float target_value[] = {0, 0.5F, 1, 0.25F, 0.75F, 1};
static const struct csr input = {.rows = 3, .columns = 3, .start = input_start, .column = input_column};
static const struct csr target = {
    .rows = 3, .columns = 3, .start = target_start, .column = target_column, .value = target_value};
static const float raw[] = {-1, 0.5F, 0.5F, 0.5F, 2, NAN};

static void expect(const struct adjust *adjust, const float expected[6]) {
	float prediction[6];
	memcpy(prediction, raw, sizeof(raw));
	adjust_predictions(adjust, &input, &target, prediction);
	for (size_t i = 0; i < 6; i++)
		assert_near(prediction[i], expected[i], 0);
}

static void nothing_asked_nothing_done(void **state) {
	(void)state;
	float *values;
	struct error error;
	expect(&(struct adjust){0}, raw);
	assert_true(adjust_targets(&(struct adjust){0}, &target, &values, &error));
	assert_null(values);
}

static void clipping(void **state) {
	(void)state;
	expect(&(struct adjust){.clips = true, .low = 0, .high = 1}, (float[]){0, 0.5F, 0.5F, 0.5F, 1, NAN});
}

// Seen row: its one unseen column is cold. Unseen row: all of its cells are, whether their columns were seen or not.
static void either_side_is_enough(void **state) {
	(void)state;
	const struct adjust cold = {.has_cold = true, .cold = 3, .column_entries = column_entries};
	expect(&cold, (float[]){-1, 0.5F, 3, 3, 3, 3});
}

// Scale first: the default and the range are in the ratings' own scale. The default is clipped like everything.
static void the_order(void **state) {
	(void)state;
	struct adjust all = {.scales = true, .factor = 4, .shift = 1, .clips = true, .low = 1, .high = 5};
	float *values;
	struct error error;
	expect(&all, (float[]){1, 3, 3, 3, 5, NAN});
	all.has_cold = true;
	all.cold = 2;
	all.column_entries = column_entries;
	expect(&all, (float[]){1, 3, 2, 2, 2, 2});
	all.cold = 9;
	expect(&all, (float[]){1, 3, 5, 5, 5, 5});
	assert_true(adjust_targets(&all, &target, &values, &error));
	for (size_t i = 0; i < 6; i++)
		assert_near(values[i], 1 + 4 * target_value[i], 0);
	free(values);
	assert_near(adjust_value(&all, 0.25), 2, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_asked_nothing_done),
	    cmocka_unit_test(clipping),
	    cmocka_unit_test(either_side_is_enough),
	    cmocka_unit_test(the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
