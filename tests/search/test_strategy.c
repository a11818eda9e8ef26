// Proposals: what they depend on, how evenly they lie, and that tpe finds what random does not.
#include "support.h"

static const char *const kinds[] = {"random", "sobol", "tpe"};
enum { AXES = 3, TRIALS = 60 };

static void create(struct test_search *t, const char *kind, size_t trials, const char *more) {
	char text[1024];
	snprintf(
	    text, sizeof(text),
	    "kind = \"%s\"; trials = %zu; objective = \"valid.rmse\"; %s space = ({ key = \"x\"; range = [ 0.0, 1.0 ]; },"
	    "{ key = \"y\"; range = [ 1e-4, 1.0 ]; scale = \"log\"; }, { key = \"z\"; values = [ 1, 2, 3, 4 ]; });",
	    kind, trials, more);
	test_create(t, text);
}

// Least at x = 0.3, y = 0.01, z = 2.
static double loss_of(const struct setting *p) {
	return fabs(p[0].number - 0.3) + fabs(log10(p[1].number) + 2) / 4 + (p[2].level == 1 ? 0 : 0.5);
}

// What a sweep does, with results kept from proposals as long as the lag wants.
static double play(struct test_search *t, struct setting (*points)[AXES], struct known_trial *known, double *losses) {
	double best = INFINITY;
	for (size_t trial = 0; trial < t->search.trials; trial++) {
		size_t needs = search_needs(&t->search, trial);
		for (size_t i = 0; i < trial; i++)
			known[i].state = i < needs ? TRIAL_FINISHED : TRIAL_OPEN;
		search_propose(&t->search, trial, known, points[trial]);
		losses[trial] = loss_of(points[trial]);
		known[trial] = (struct known_trial){TRIAL_OPEN, points[trial], &losses[trial], 1};
		best = fmin(best, losses[trial]);
	}
	return best;
}

static void proposals_repeat_and_follow_the_seed(void **state) {
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct test_search t[3];
		static struct setting points[3][TRIALS][AXES];
		struct known_trial known[TRIALS];
		double losses[TRIALS];
		for (size_t i = 0; i < 3; i++) {
			create(&t[i], kinds[k], TRIALS, i == 2 ? "seed = 7;" : "");
			play(&t[i], points[i], known, losses);
		}
		size_t same = 0;
		for (size_t trial = 0; trial < TRIALS; trial++) {
			assert_true(space_same(&t[0].search.space, points[0][trial], points[1][trial]));
			same += space_same(&t[0].search.space, points[0][trial], points[2][trial]);
		}
		assert_int_equal(same, 0);
		for (size_t i = 0; i < 3; i++)
			test_destroy(&t[i]);
	}
}

// A result within the lag must not change a proposal, one before it may.
static void proposals_do_not_see_what_lies_within_the_lag(void **state) {
	(void)state;
	struct test_search t;
	static struct setting points[TRIALS][AXES];
	struct known_trial known[TRIALS];
	struct setting again[AXES];
	double losses[TRIALS];
	create(&t, "tpe", TRIALS, "lag = 5;");
	play(&t, points, known, losses);
	size_t trial = 40, needs = search_needs(&t.search, trial), changed = 0;
	assert_int_equal(needs, trial - 4);
	for (size_t i = 0; i < trial; i++)
		known[i].state = i < needs ? TRIAL_FINISHED : TRIAL_OPEN;
	for (size_t i = needs; i < trial; i++)
		losses[i] = -100;
	search_propose(&t.search, trial, known, again);
	assert_true(space_same(&t.search.space, points[trial], again));
	for (size_t i = 0; i < needs; i++)
		losses[i] = -losses[i];
	for (; trial < 45; trial++) {
		search_propose(&t.search, trial, known, again);
		changed += !space_same(&t.search.space, points[trial], again);
	}
	assert_true(changed > 0);
	test_destroy(&t);
}

static void tpe_beats_random(void **state) {
	(void)state;
	enum { SEEDS = 30 };
	double sum[2] = {0};
	for (size_t k = 0; k < 2; k++)
		for (size_t seed = 1; seed <= SEEDS; seed++) {
			struct test_search t;
			static struct setting points[TRIALS][AXES];
			struct known_trial known[TRIALS];
			double losses[TRIALS];
			char more[64];
			snprintf(more, sizeof(more), "seed = %zu; lag = 1;", seed);
			create(&t, k ? "tpe" : "random", TRIALS, more);
			sum[k] += play(&t, points, known, losses);
			test_destroy(&t);
		}
	assert_true(sum[1] < 0.6 * sum[0]);
}

// The first 2^k points of each axis fall into as many equal cells, one each.
static void sobol_is_even(void **state) {
	(void)state;
	struct test_search t;
	char text[4096] = "kind = \"sobol\"; trials = 64; objective = \"valid.rmse\"; space = (";
	for (size_t i = 0; i < 21; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s{ key = \"a%zu\"; range = [ 0.0, 1.0 ]; }",
		         i ? "," : "", i);
	strcat(text, ");");
	test_create(&t, text);
	bool seen[21][64] = {0};
	struct setting point[21];
	for (size_t trial = 0; trial < 64; trial++) {
		search_propose(&t.search, trial, NULL, point);
		for (size_t i = 0; i < 21; i++) {
			size_t cell = (size_t)(point[i].number * 64);
			cell = cell < 64 ? cell : 63;
			assert_false(seen[i][cell]);
			seen[i][cell] = true;
		}
	}
	test_destroy(&t);
}

static void conditions_hold_in_proposals(void **state) {
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct test_search t;
		char text[1024];
		static struct setting points[TRIALS][2];
		struct known_trial known[TRIALS];
		double losses[TRIALS];
		size_t active = 0;
		snprintf(text, sizeof(text),
		         "kind = \"%s\"; trials = %d; objective = \"valid.rmse\"; space = ( { key = \"a\"; values = [ \"on\", "
		         "\"off\" ]; },"
		         "{ key = \"b\"; range = [ 0.0, 1.0 ]; when = [ \"a=on\" ]; } );",
		         kinds[k], TRIALS);
		test_create(&t, text);
		for (size_t trial = 0; trial < TRIALS; trial++) {
			for (size_t i = 0; i < trial; i++)
				known[i].state = i < search_needs(&t.search, trial) ? TRIAL_FINISHED : TRIAL_OPEN;
			search_propose(&t.search, trial, known, points[trial]);
			assert_int_equal(points[trial][1].active, points[trial][0].level == 0);
			active += points[trial][1].active;
			losses[trial] = points[trial][1].active ? points[trial][1].number : 0.5;
			known[trial] = (struct known_trial){TRIAL_OPEN, points[trial], &losses[trial], 1};
		}
		assert_in_range(active, 10, TRIALS - 1);
		test_destroy(&t);
	}
}

static void fronts_peel_off(void **state) {
	(void)state;
	const double losses[] = {1, 4, 2, 2, 4, 1, 3, 3, 5, 5, 2, 2, 1, NAN};
	size_t front[7];
	losses_fronts(losses, 7, 2, front);
	const size_t expected[7] = {0, 0, 0, 1, 2, 0, 1};
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(front[i], expected[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proposals_repeat_and_follow_the_seed),
	    cmocka_unit_test(proposals_do_not_see_what_lies_within_the_lag),
	    cmocka_unit_test(tpe_beats_random),
	    cmocka_unit_test(sobol_is_even),
	    cmocka_unit_test(conditions_hold_in_proposals),
	    cmocka_unit_test(fronts_peel_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
