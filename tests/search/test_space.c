// Axes, conditions, grids, and points as overrides.
#include "support.h"

static const char four_axes[] =
    "kind = \"grid\"; objective = \"valid.rmse\"; space = ("
    "{ key = \"graph.taste.activation\"; values = [ \"relu\", \"sigmoid\" ]; },"
    "{ key = \"graph.drop.rate\"; values = [ 0.1, 0.5 ]; when = \"graph.taste.activation=relu\"; },"
    "{ key = \"optimizer.rate\"; range = [ 0.001, 0.1 ]; scale = \"log\"; points = 3; },"
    "{ name = \"size\"; choices = ( { name = \"small\"; set = [ \"a=1\", \"b=2\" ]; }, { name = \"large\"; set = [ "
    "\"a=9\" ]; } ); } );";

static void grid_has_every_point_once(void **state) {
	(void)state;
	struct test_search t;
	test_create(&t, four_axes);
	const struct search *s = &t.search;
	assert_int_equal(s->trials, (2 + 1) * 3 * 2); // sigmoid has no rate to vary
	for (size_t i = 0; i < s->trials; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(
			    space_same(&s->space, s->grid.points + i * s->space.count, s->grid.points + k * s->space.count));
	test_destroy(&t);
}

static void overrides_are_those_in_force(void **state) {
	(void)state;
	struct test_search t;
	struct strings overrides;
	struct setting point[4];
	test_create(&t, four_axes);
	search_propose(&t.search, 0, NULL, point);
	space_overrides(&t.search.space, point, &t.arena, &overrides);
	assert_int_equal(overrides.count, 5);
	assert_string_equal(overrides.items[0], "graph.taste.activation=\"relu\"");
	assert_string_equal(overrides.items[1], "graph.drop.rate=0.1");
	assert_string_equal(overrides.items[2], "optimizer.rate=0.001");
	assert_string_equal(overrides.items[3], "a=1");
	assert_string_equal(overrides.items[4], "b=2");
	search_propose(&t.search, 17, NULL, point);
	space_overrides(&t.search.space, point, &t.arena, &overrides);
	assert_int_equal(overrides.count, 3);
	assert_string_equal(overrides.items[0], "graph.taste.activation=\"sigmoid\"");
	assert_string_equal(overrides.items[1], "optimizer.rate=0.1");
	assert_string_equal(overrides.items[2], "a=9");
	test_destroy(&t);
}

static void settings_read_back(void **state) {
	(void)state;
	struct test_search t;
	test_create(&t,
	            "kind = \"random\"; trials = 300; objective = \"valid.rmse\"; space = ("
	            "{ key = \"a\"; range = [ 1e-7, 10.0 ]; scale = \"log\"; }, { key = \"b\"; range = [ -2.0, 2.0 ]; },"
	            "{ key = \"c\"; range = [ 1, 4 ]; integer = true; }, { key = \"d\"; range = [ 1, 1000 ]; integer = "
	            "true; scale = \"log\"; },"
	            "{ key = \"e\"; values = ( 1, \"one\", [ 1, 2 ], { kind = \"normal\"; sd = 0.1; } ); } );");
	size_t seen[5] = {0};
	for (size_t trial = 0; trial < t.search.trials; trial++) {
		struct setting point[5];
		search_propose(&t.search, trial, NULL, point);
		for (size_t i = 0; i < 5; i++) {
			struct setting back = {0};
			const struct axis *axis = &t.search.space.axes[i];
			assert_true(setting_read(axis, setting_text(axis, &point[i], &t.arena), &back));
			assert_true(axis->levels ? back.level == point[i].level : back.number == point[i].number);
			if (!axis->levels)
				assert_true(point[i].number >= axis->low && point[i].number <= axis->high);
		}
		seen[(size_t)point[2].number]++;
		assert_true(floor(point[3].number) == point[3].number);
	}
	for (size_t i = 1; i <= 4; i++)
		assert_in_range(seen[i], 45, 110); // 75 expected, sd 7.5: the ends are as likely as the middle
	assert_string_equal(t.search.space.axes[4].text[3], "{ kind = \"normal\"; sd = 0.1; }");
	assert_string_equal(t.search.space.axes[4].overrides[2], "e=( 1, 2 )");
	test_destroy(&t);
}

static void wrong_groups_are_named(void **state) {
	(void)state;
	static const struct {
		const char *text, *message;
	} wrong[] = {
	    {"space = ( );", "the space has no axis"},
	    {"space = ( { key = \"a\"; } );", "axis \"a\" is not clear"},
	    {"space = ( { name = \"a\"; values = [ 1 ]; } );", "axis \"a\" is not clear"},
	    {"space = ( { key = \"a\"; values = [ ]; } );", "axis \"a\" has nothing to choose from"},
	    {"space = ( { key = \"a\"; range = [ 2, 1 ]; } );", "the range of \"a\" is not two ascending numbers"},
	    {"space = ( { key = \"a\"; range = [ 0, 1 ]; scale = \"log\"; } );", "begins at 0, which has no logarithm"},
	    {"space = ( { key = \"a\"; range = [ 0.5, 1.0 ]; integer = true; } );", "of whole numbers, but ends at others"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; }, { key = \"a\"; values = [ 1 ]; } );", "\"a\" is varied twice"},
	    {"space = ( { key = \"name\"; values = [ \"x\" ]; } );", "\"name\" cannot be varied"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; when = \"b=1\"; } );", "\"b=1\" is no condition"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; }, { key = \"b\"; values = [ 1 ]; when = \"a=2\"; } );",
	     "\"a=2\" never holds"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; } ); goal = \"low\";", "\"low\" is no goal"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; } ); goal = [ \"min\", \"max\" ];", "2 goals for 1 objectives"},
	    {"space = ( { key = \"a\"; values = [ 1 ]; } ); kind = \"tpe\";", "how many trials is not said"},
	    {"space = ( { key = \"a\"; range = [ 0, 1 ]; points = 1001; }, { key = \"b\"; range = [ 0, 1 ]; points = 1000; "
	     "} );",
	     "the grid has more than 1000000 points"},
	    {"space = ( { name = \"a\"; choices = ( { name = \"x\"; set = [ \"b\" ]; } ); } );", "\"b\" is not KEY=VALUE"},
	    {"space = ( { name = \"a\"; choices = ( { name = \"x\"; set = \"b=1\"; }, { name = \"x\"; set = \"b=2\"; } ); "
	     "} );",
	     "has two choices \"x\""},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct test_search t;
		char text[1024];
		snprintf(text, sizeof(text), "objective = \"valid.rmse\"; %s", wrong[i].text);
		test_read(&t, text);
		assert_false(t.good);
		if (!strstr(t.errors.items[0].message, wrong[i].message))
			fail_msg("%s: %s", wrong[i].message, t.errors.items[0].message);
		test_destroy(&t);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grid_has_every_point_once),
	    cmocka_unit_test(overrides_are_those_in_force),
	    cmocka_unit_test(settings_read_back),
	    cmocka_unit_test(wrong_groups_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
