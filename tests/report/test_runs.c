// Reading a results folder back, whole and damaged, and finding a run by what a person types.
#include "fixture.h"

#include "base/file.h"
#include "report/runs.h"

struct place {
	char *results;
	struct text metrics; // of the fixture
	struct error error;
};

static void place_init(struct place *place) {
	*place = (struct place){.results = fixture_folder()};
	struct fixture *f = fixture_create(5, 1);
	report_metrics_json(&f->result, &place->metrics);
	fixture_destroy(f);
}

static void place_finish(struct place *place) {
	assert_true(folder_remove(place->results, &place->error));
	text_finish(&place->metrics);
	free(place->results);
}

static void add_file(const struct place *place, const char *name, const char *id, const char *file, const char *data,
                     size_t size) {
	char *folder = run_folder_path(place->results, name, id), *path = path_join(folder, file);
	struct error error = {0};
	assert_true(folder_create(folder, &error));
	assert_true(file_write(path, data, size, &error));
	free(path);
	free(folder);
}

static void add_metrics(const struct place *place, const char *name, const char *id, const char *data, size_t size) {
	add_file(place, name, id, "experiment.cfg", "", 0);
	add_file(place, name, id, "metrics.json", data, size);
}

static double value_of(const struct run_entry *entry, const char *name) {
	for (size_t i = 0; i < entry->final_count; i++)
		if (strcmp(entry->final[i].name, name) == 0)
			return entry->final[i].value;
	fail_msg("no %s", name);
	return 0;
}

static void test_reads_what_was_written(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	add_metrics(&place, "b", "222", text_string(&place.metrics), place.metrics.length);
	add_metrics(&place, "b", "111", text_string(&place.metrics), place.metrics.length);
	add_file(&place, "a", "333", "experiment.cfg", "", 0);        // unfinished
	add_file(&place, "a", ".444.1.tmp", "metrics.json", "{}", 2); // being written
	add_file(&place, "a", "notes", "README.md", "", 0);           // no run
	struct runs runs;
	assert_true(runs_read(place.results, &runs, &place.error));
	assert_int_equal(runs.count, 3);
	assert_string_equal(runs.items[0].id, "333");
	assert_false(runs.items[0].finished);
	assert_string_equal(runs.items[1].id, "111");
	const struct run_entry *entry = &runs.items[2];
	assert_string_equal(entry->name, "b");
	assert_string_equal(entry->id, "222");
	assert_true(entry->finished);
	assert_string_equal(entry->backend, "openblas");
	assert_string_equal(entry->seed, "18446744073709551615");
	assert_int_equal(entry->epochs, 5);
	assert_int_equal(entry->best_epoch, 2);
	assert_string_equal(entry->best_metric, "valid.mse");
	assert_int_equal(entry->final_count, 5 + 4); // train's loss and four metrics of two parts; no counts of users
	assert_string_equal(entry->final[0].name, "train.loss");
	assert_true(value_of(entry, "train.mse") == 0.1 + 0.2);
	assert_true(value_of(entry, "test.mse") == 5e-324);
	assert_true(isnan(value_of(entry, "test.ndcg@10")));
	runs_finish(&runs);
	place_finish(&place);
}

static void assert_unfinished(struct place *place, const char *data, size_t size) {
	add_metrics(place, "x", "1", data, size);
	struct runs runs;
	assert_true(runs_read(place->results, &runs, &place->error));
	assert_int_equal(runs.count, 1);
	assert_false(runs.items[0].finished);
	assert_string_equal(runs.items[0].seed, "");
	assert_int_equal(runs.items[0].final_count, 0);
	assert_true(isnan(runs.items[0].best_value));
	runs_finish(&runs);
}

static void test_damaged_metrics(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	for (size_t size = 0; size + 2 < place.metrics.length; size += 13)
		assert_unfinished(&place, text_string(&place.metrics), size);
	static const char *const bad[] = {
	    "[]",
	    "{}",
	    "{\"schema\": 1}",
	    "{\"schema\": \"aexp.metrics/2\", \"epochs\": []}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": \"1\", \"epochs\": {}}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": 1, \"epochs\": []}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": \"1\", \"epochs\": [], \"best\": {\"epoch\": "
	    "-1, "
	    "\"metric\": \"m\", \"value\": 1}, \"final\": {}}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": \"1\", \"epochs\": [], \"best\": {\"epoch\": "
	    "1e300, "
	    "\"metric\": \"m\", \"value\": 1}, \"final\": {}}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": \"1\", \"epochs\": [], \"best\": {\"epoch\": "
	    "1, "
	    "\"metric\": \"m\", \"value\": 1}, \"final\": {\"test\": {\"mse\": \"low\"}}}",
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"b\", \"seed\": \"1\", \"epochs\": [], \"best\": {\"epoch\": "
	    "1, "
	    "\"metric\": \"m\", \"value\": 1}, \"final\": {\"test\": [1]}}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_unfinished(&place, bad[i], strlen(bad[i]));
	place_finish(&place);
}

// Any byte changed: it may still read, but nothing may break.
static void test_changed_bytes(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	char *copy = memory_copy_string(text_string(&place.metrics));
	static const char replacements[] = {'"', '{', ']', ',', '9', '\0', '\\', (char)0xff};
	for (size_t i = 0; i < place.metrics.length; i += 3) {
		char old = copy[i];
		copy[i] = replacements[i / 3 % sizeof(replacements)];
		add_metrics(&place, "x", "1", copy, place.metrics.length);
		struct runs runs;
		assert_true(runs_read(place.results, &runs, &place.error));
		assert_int_equal(runs.count, 1);
		runs_finish(&runs);
		copy[i] = old;
	}
	free(copy);
	place_finish(&place);
}

static void test_no_results(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	char *missing = path_join(place.results, "missing");
	struct runs runs;
	assert_true(runs_read(missing, &runs, &place.error));
	assert_int_equal(runs.count, 0);
	runs_finish(&runs);
	assert_true(file_write(missing, "", 0, &place.error));
	assert_false(runs_read(missing, &runs, &place.error));
	assert_int_equal(place.error.code, ERROR_RUN);
	assert_non_null(strstr(place.error.message, "cannot list the results folder"));
	runs_finish(&runs);
	free(missing);
	place_finish(&place);
}

// expected: the end of the folder's path, or the beginning of the message.
static void check_resolve(const struct place *place, const char *run, bool found, const char *expected) {
	struct error error = {0};
	char *folder = NULL;
	assert_int_equal(runs_resolve(place->results, run, &folder, &error), found);
	if (found) {
		assert_true(strlen(folder) >= strlen(expected));
		assert_string_equal(folder + strlen(folder) - strlen(expected), expected);
	} else {
		assert_int_equal(error.code, ERROR_CONFIG);
		assert_memory_equal(error.message, expected, strlen(expected));
		assert_true(strlen(error.hint) > 0);
		assert_null(folder);
	}
	free(folder);
}

static void test_resolve(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	static const char *const runs[][2] = {{"a", "abc1"},  {"a", "abd2"},  {"b", "abc1"},  {"c", "def3"}, {"many", "91"},
	                                      {"many", "92"}, {"many", "93"}, {"many", "94"}, {"many", "95"}};
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		add_file(&place, runs[i][0], runs[i][1], "experiment.cfg", "", 0);
	add_file(&place, "a", "abx", "README.md", "", 0);
	check_resolve(&place, "abd", true, "/a/abd2");
	check_resolve(&place, "d", true, "/c/def3");
	check_resolve(&place, "def3", true, "/c/def3");
	check_resolve(&place, "b/abc1", true, "/b/abc1");
	check_resolve(&place, "a/abc", true, "/a/abc1");
	check_resolve(&place, "c", true, "/c/def3");
	check_resolve(&place, "abc1", false, "\"abc1\" is the beginning of 2 runs: a/abc1, b/abc1");
	check_resolve(&place, "a", false, "\"a\" is the beginning of 3 runs: a/abc1, a/abd2, b/abc1");
	check_resolve(&place, "9", false, "\"9\" is the beginning of 5 runs: many/91, many/92, many/93, many/94, ...");
	check_resolve(&place, "xyz", false, "no run \"xyz\" in \"");
	check_resolve(&place, "", false, "no run \"\" in \"");
	check_resolve(&place, "abx", false, "no run \"abx\" in \"");
	check_resolve(&place, "a/b/c", false, "no run \"a/b/c\" in \"");
	char *path = run_folder_path(place.results, "c", "def3");
	check_resolve(&place, path, true, path);
	free(path);
	place_finish(&place);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_what_was_written),
	    cmocka_unit_test(test_damaged_metrics),
	    cmocka_unit_test(test_changed_bytes),
	    cmocka_unit_test(test_no_results),
	    cmocka_unit_test(test_resolve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
