// sweep.json read back: order, marks, damaged files; and what mattered, on trials made up.
#include "fixture.h"

#include "base/file.h"
#include "report/trials.h"

struct place {
	char *folder;
	struct text text;
};

static void place_init(struct place *place) {
	*place = (struct place){.folder = fixture_folder()};
}

static void place_finish(struct place *place) {
	struct error error;
	assert_true(folder_remove(place->folder, &error));
	text_finish(&place->text);
	free(place->folder);
}

static bool read_text(const struct place *place, const char *text, struct trials *ret, struct error *error) {
	char *path = path_join(place->folder, "sweep.json");
	assert_true(file_write(path, text, strlen(text), error));
	free(path);
	return trials_read(place->folder, ret, error);
}

static const char HEAD[] = "{\"schema\": \"aexp.sweep/1\", \"experiment\": \"e\", \"id\": \"i\", \"kind\": \"tpe\", "
                           "\"early_stop\": \"asha\", \"protocol\": null, ";

static void begin(struct place *place, const char *goal, const char *axes) {
	text_format(&place->text,
	            "%s\"objectives\": [{\"metric\": \"valid.x\", \"goal\": \"%s\"}], \"axes\": [%s], \"trials\": [", HEAD,
	            goal, axes);
}

static void test_order(void **state) {
	(void)state;
	struct place place;
	struct trials trials;
	struct error error = {0};
	place_init(&place);
	begin(&place, "max", "{\"key\": \"a\", \"values\": [\"1\", \"2\"]}, {\"key\": \"b\", \"choices\": [\"x\"]}");
	text_append(
	    &place.text,
	    "{\"trial\": 1, \"status\": \"stopped\", \"id\": \"r1\", \"set\": {\"a\": \"1\"}, \"objectives\": [9], "
	    "\"epochs\": 2, \"reason\": null},"
	    "{\"trial\": 2, \"status\": \"finished\", \"id\": \"r2\", \"set\": {\"a\": \"2\", \"b\": \"x\"}, "
	    "\"objectives\": [0.5], \"epochs\": 12},"
	    "{\"trial\": 3, \"status\": \"failed\", \"id\": null, \"set\": {}, \"objectives\": [], \"epochs\": 0, "
	    "\"reason\": "
	    "\"out of memory\"},"
	    "{\"trial\": 4, \"status\": \"finished\", \"id\": \"r4\", \"set\": {}, \"objectives\": [0.75], \"epochs\": 12},"
	    "{\"trial\": 5, \"status\": \"finished\", \"id\": \"r5\", \"set\": {}, \"objectives\": [null], \"epochs\": 12}"
	    "], \"counts\": {}, \"best\": [4]}");
	assert_true(read_text(&place, text_string(&place.text), &trials, &error));
	assert_int_equal(trials.count, 5);
	static const size_t order[] = {4, 2, 5, 1, 3};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(trials.items[i].number, order[i]);
	assert_true(trials.items[0].best);
	assert_false(trials.items[1].best);
	assert_string_equal(trials.items[1].set[1], "x");
	assert_null(trials.items[3].set[1]);
	assert_string_equal(trials.items[4].reason, "out of memory");
	assert_null(trials.items[4].id);
	assert_true(isnan(trials.items[4].objectives[0]));
	assert_int_equal(trials.counts[END_FINISHED], 3);
	assert_int_equal(trials.counts[END_STOPPED], 1);
	assert_int_equal(trials.counts[END_FAILED], 1);
	assert_string_equal(trials.early_stop, "asha");
	assert_null(trials.protocol);
	char *folder = trial_folder("results/e/i", &trials.items[0]);
	assert_non_null(strstr(folder, "/results/e/r4"));
	free(folder);
	struct key_shares shares;
	trials_shares(&trials, 0, &shares);
	assert_int_equal(shares.trials, 2);
	assert_string_equal(shares.reason, "fewer than 8 finished trials with different values");
	assert_int_equal(shares.count, 0);
	key_shares_finish(&shares);
	trials_finish(&trials);
	place_finish(&place);
}

static void test_damaged(void **state) {
	(void)state;
	static const char *const bad[] = {
	    "\"objectives\": [], \"axes\": [], \"trials\": []}",
	    "\"objectives\": [{\"metric\": 1, \"goal\": \"min\"}], \"axes\": [], \"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": {}, \"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [{\"key\": \"k\"}], \"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [{\"key\": \"k\", \"low\": 2, \"high\": "
	    "1}], "
	    "\"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [{\"key\": \"k\", \"low\": 0, \"high\": "
	    "1, "
	    "\"scale\": \"log\"}], \"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [{\"key\": \"k\", \"values\": []}], "
	    "\"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [{\"key\": \"k\", \"values\": [1]}], "
	    "\"trials\": []}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [], \"trials\": [{\"trial\": 1, "
	    "\"status\": "
	    "\"odd\"}]}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [], \"trials\": [{\"trial\": -1, "
	    "\"status\": \"failed\"}]}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [], \"trials\": [{\"trial\": 1, "
	    "\"status\": "
	    "\"failed\", \"objectives\": [\"low\"]}]}",
	    "\"objectives\": [{\"metric\": \"m\", \"goal\": \"min\"}], \"axes\": [], \"trials\": [{\"trial\": 1, "
	    "\"status\": "
	    "\"failed\", \"id\": 3}]}",
	};
	struct place place;
	place_init(&place);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text text = {0};
		struct trials trials;
		struct error error = {0};
		text_format(&text, "%s%s", HEAD, bad[i]);
		if (read_text(&place, text_string(&text), &trials, &error))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(error.code, ERROR_DATA);
		assert_non_null(strstr(error.message, "not what a sweep leaves"));
		trials_finish(&trials);
		text_finish(&text);
	}
	place_finish(&place);
}

static double share_of(const struct key_shares *shares, const char *first, const char *second) {
	for (size_t i = 0; i < shares->count; i++) {
		const struct key_share *one = &shares->items[i];
		if (!strcmp(one->first, first) && (second ? one->second && !strcmp(one->second, second) : !one->second))
			return one->share;
	}
	fail_msg("no share of %s", first);
	return 0;
}

// Stopped and failed trials would say otherwise, and do not count.
static void test_shares(void **state) {
	(void)state;
	struct place place;
	struct trials trials;
	struct error error = {0};
	struct key_shares shares;
	place_init(&place);
	begin(&place, "min",
	      "{\"key\": \"kind\", \"choices\": [\"p\", \"q\", \"r\"]}, {\"key\": \"rate\", \"low\": 1e-4, \"high\": 1, "
	      "\"scale\": \"log\", \"integer\": false}, {\"key\": \"units\", \"values\": [\"64\", \"8\", \"16\", \"32\"]}");
	// 3 kinds x 4 units x 25 rates. The value: kind's 0, 1, 5, and log10 of the rate, from -4 to 0: nothing of the
	// units.
	for (size_t i = 0; i < 300; i++) {
		static const char *const kinds[] = {"p", "q", "r"}, *const units[] = {"8", "16", "32.0", "64"};
		static const double of_kind[] = {0, 1, 5};
		double power = -4 + 4 * ((double)(i / 12) + 0.5) / 25;
		text_format(
		    &place.text,
		    "{\"trial\": %zu, \"status\": \"finished\", \"id\": \"r\", \"set\": {\"kind\": \"%s\", \"rate\": "
		    "\"%.9g\", \"units\": \"%s\"}, \"objectives\": [%.9g], \"epochs\": 1}, {\"trial\": %zu, \"status\": "
		    "\"%s\", \"set\": {\"units\": \"%s\"}, \"objectives\": [%d]},\n",
		    2 * i, kinds[i % 3], pow(10, power), units[i / 3 % 4], of_kind[i % 3] + power, 2 * i + 1,
		    i % 2 ? "stopped" : "failed", units[i / 3 % 4], i / 3 % 4 ? 0 : 1000);
	}
	text_append(&place.text, "{\"trial\": 600, \"status\": \"failed\"}], \"best\": [0]}");
	assert_true(read_text(&place, text_string(&place.text), &trials, &error));
	trials_shares(&trials, 0, &shares);
	assert_null(shares.reason);
	assert_int_equal(shares.trials, 300);
	assert_int_equal(shares.count, 3 + 3);
	double kind = 14 / 3.0, rate = 16 / 12.0; // (0 + 1 + 25) / 3 - 4, and of a uniform of width 4
	assert_float_equal(share_of(&shares, "kind", NULL), kind / (kind + rate), 0.03);
	assert_float_equal(share_of(&shares, "rate", NULL), rate / (kind + rate), 0.03);
	assert_float_equal(share_of(&shares, "units", NULL), 0, 0.01);
	assert_string_equal(shares.items[0].first, "kind");
	key_shares_finish(&shares);
	trials_finish(&trials);
	place_finish(&place);
}

// A key that is there only where another one says so: whether it is there is a difference like any other. Of 200 trials
// half have no momentum; the value is 1 with it and 0 without, wherever it stands.
static void test_conditional(void **state) {
	(void)state;
	struct place place;
	struct trials trials;
	struct error error = {0};
	struct key_shares shares;
	place_init(&place);
	begin(&place, "min",
	      "{\"key\": \"momentum\", \"low\": 0, \"high\": 1, \"scale\": \"linear\", \"integer\": false}, {\"key\": "
	      "\"word\", "
	      "\"values\": [\"u\", \"v\"]}, {\"key\": \"rate\", \"low\": 0, \"high\": 1}");
	for (size_t i = 0; i < 200; i++) {
		text_format(&place.text, "%s{\"trial\": %zu, \"status\": \"finished\", \"id\": \"r\", \"set\": {", i ? "," : "",
		            i + 1);
		if (i % 2)
			text_format(&place.text, "\"momentum\": \"%.6f\", ", (double)i / 200);
		text_format(&place.text, "%s\"rate\": \"%.6f\"}, \"objectives\": [%.9g], \"epochs\": 1}",
		            i % 4 < 2 ? "\"word\": \"u\", " : "", (double)(i * 77 % 200) / 200,
		            (double)(i % 2) + 1e-6 * (double)i);
	}
	text_append(&place.text, "], \"best\": [1]}");
	assert_true(read_text(&place, text_string(&place.text), &trials, &error));
	trials_shares(&trials, 0, &shares);
	assert_float_equal(share_of(&shares, "momentum", NULL), 1, 0.01);
	assert_float_equal(share_of(&shares, "word", NULL), 0, 0.01);
	assert_float_equal(share_of(&shares, "rate", NULL), 0, 0.01);
	key_shares_finish(&shares);
	trials_finish(&trials);
	place_finish(&place);
}

// More values than bins: they share them.
static void test_many_values(void **state) {
	(void)state;
	for (int words = 0; words < 2; words++) {
		struct place place;
		struct trials trials;
		struct error error = {0};
		struct key_shares shares;
		struct text axes = {0};
		place_init(&place);
		text_append(&axes, "{\"key\": \"k\", \"values\": [");
		for (int i = 0; i < 200; i++)
			text_format(&axes, "%s\"%s%d\"", i ? "," : "", words ? "w" : "", i);
		text_append(&axes, "]}, {\"key\": \"none\", \"values\": [\"1\"]}");
		begin(&place, "min", text_string(&axes));
		for (int i = 0; i < 400; i++)
			text_format(
			    &place.text,
			    "%s{\"trial\": %d, \"status\": \"finished\", \"id\": \"r\", \"set\": {\"k\": \"%s%d\", \"none\": "
			    "\"1\"}, \"objectives\": [%d], \"epochs\": 1}",
			    i ? "," : "", i + 1, words ? "w" : "", i % 200, i % 200 < 50 ? 1 : i % 200);
		text_append(&place.text, "], \"best\": [1]}");
		assert_true(read_text(&place, text_string(&place.text), &trials, &error));
		trials_shares(&trials, 0, &shares);
		assert_null(shares.reason);
		assert_float_equal(share_of(&shares, "k", NULL), 1, 1e-9);
		assert_float_equal(share_of(&shares, "none", NULL), 0, 1e-9);
		key_shares_finish(&shares);
		trials_finish(&trials);
		text_finish(&axes);
		place_finish(&place);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),       cmocka_unit_test(test_damaged),     cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_conditional), cmocka_unit_test(test_many_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
