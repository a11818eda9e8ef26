// Which trials go on, and which brackets they are in.
#include "support.h"

static struct halving_config make(const char *kind, int64_t least, int64_t reduction) {
	return (struct halving_config){
	    .kind = {.row = registry_find(&halving_registry, kind)}, .min_epochs = least, .reduction = reduction, .lag = 1};
}

static void rungs_are_powers(void **state) {
	(void)state;
	struct halving_config config = make("asha", 1, 3);
	size_t rungs[RUNGS_MAX];
	assert_int_equal(halving_rungs(&config, 0, 27, rungs), 3); // 27 is the end, no rung
	assert_int_equal(rungs[0], 1);
	assert_int_equal(rungs[2], 9);
	config.min_epochs = 5;
	assert_int_equal(halving_rungs(&config, 7, 20, rungs), 2);
	assert_int_equal(rungs[1], 15);
	assert_int_equal(halving_rungs(&config, 7, 5, rungs), 0);
}

// Of hyperband with R = 81, eta = 3 (the paper's table 1, with one rung less: the last is the end): brackets of 81, 34,
// 15, 8, 5 trials.
static void brackets_have_hyperbands_numbers(void **state) {
	(void)state;
	struct halving_config config = make("hyperband", 1, 3);
	size_t counts[5] = {0}, rungs[RUNGS_MAX];
	for (size_t trial = 0; trial < 81 + 34 + 15 + 8 + 5; trial++)
		counts[halving_bracket(&config, trial, 81)]++;
	assert_int_equal(counts[0], 81);
	assert_int_equal(counts[1], 34);
	assert_int_equal(counts[2], 15);
	assert_int_equal(counts[3], 8);
	assert_int_equal(counts[4], 5);
	assert_int_equal(halving_bracket(&config, 143, 81), 0);
	assert_int_equal(halving_rungs(&config, 0, 81, rungs), 4);
	assert_int_equal(halving_rungs(&config, 81, 81, rungs), 3);
	assert_int_equal(rungs[0], 3);
	assert_int_equal(halving_rungs(&config, 142, 81, rungs), 0);
}

static void the_best_third_goes_on(void **state) {
	(void)state;
	struct halving_config config = make("asha", 1, 3);
	double others[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	assert_true(halving_goes_on(&config, others, 0, 5)); // alone
	assert_true(halving_goes_on(&config, others, 1, 0.5));
	assert_false(halving_goes_on(&config, others, 1, 1.5)); // not the best of two
	assert_true(halving_goes_on(&config, others, 8, 2.5));  // third of nine
	assert_false(halving_goes_on(&config, others, 8, 3.5));
	assert_false(halving_goes_on(&config, others, 8, 3)); // equals: the earlier one is before
	assert_false(halving_goes_on(&config, others, 0, (double)NAN));
	others[0] = NAN;
	assert_true(halving_goes_on(&config, others, 1, 5));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rungs_are_powers),
	    cmocka_unit_test(brackets_have_hyperbands_numbers),
	    cmocka_unit_test(the_best_third_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
