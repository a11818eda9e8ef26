// A sweep's folder: what is read back, what a damaged file counts as, which trials are the best.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "sweep/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char text[] = "name = \"t\"; data: { source: { format = \"synthetic\"; users = 50; items = 9; ratings = "
                           "200; }; split: { kind = \"ratio\"; "
                           "valid = 0.2; }; }; graph: ( { op = \"dense\"; input = \"ratings\"; units = \"items\"; } ); "
                           "metrics = [ \"rmse\", \"mae\" ];"
                           "sweep: { kind = \"random\"; trials = 6; objective = [ \"valid.rmse\", \"valid.mae\" ]; "
                           "goal = [ \"min\", \"max\" ]; "
                           "space: ( { key = \"optimizer.rate\"; range = [ 0.1, 1.0 ]; }, { key = \"train.batch\"; "
                           "values = [ 8, 16 ]; } ); };";

struct place {
	char root[64], folder[128];
};

static void write_file(const struct place *p, const char *name, const char *data) {
	char *path = path_join(p->folder, name);
	struct error error;
	assert_true(file_write(path, data, strlen(data), &error));
	free(path);
}

static void begin(struct place *p) {
	struct experiment e;
	struct errors errors = {0};
	struct error error = {0};
	strcpy(p->root, "/tmp/aexp-sweep-XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->folder, sizeof(p->folder), "%s/t/0123", p->root);
	char *path = path_join(p->root, "given-by-hand.cfg");
	assert_true(file_write(path, text, strlen(text), &error));
	assert_true(experiment_read(path, NULL, 0, &e, &errors));
	assert_true(sweep_begin(&e, p->folder, &error));
	experiment_finish(&e);
	free(path);
}

static void end(struct place *p) {
	struct error error;
	assert_true(folder_remove(p->root, &error));
}

static void open_sweep(const struct place *p, struct sweep *s) {
	struct errors errors = {0};
	if (!sweep_open(p->folder, s, &errors))
		fail_msg("%s", errors.items[0].message);
	errors_finish(&errors);
}

static void records_are_read_back(void **state) {
	(void)state;
	struct place p;
	struct sweep s, again;
	struct error error = {0};
	begin(&p);
	open_sweep(&p, &s);
	assert_int_equal(sweep_count(&s, TRIAL_OPEN), 6);
	sweep_propose(&s, 2);
	assert_true(sweep_record_failure(&s, 2, "a \"reason\"", &error));
	open_sweep(&p, &again);
	assert_int_equal(again.trials[2].state, TRIAL_FAILED);
	assert_string_equal(again.trials[2].reason, "a \"reason\"");
	assert_true(space_same(&s.search.space, s.trials[2].point, again.trials[2].point));
	assert_true(sweep_forget(&again, 2, &error));
	sweep_refresh(&again);
	assert_int_equal(again.trials[2].state, TRIAL_OPEN);
	sweep_close(&s);
	sweep_close(&again);
	end(&p);
}

static void damaged_records_count_as_none(void **state) {
	(void)state;
	static const char *const bad[] = {
	    "",
	    "{",
	    "[]",
	    "{\"trial\": 1, \"status\": \"finished\"}",
	    "{\"status\": \"done\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": \"8\"}, \"objectives\": [1, "
	    "2], \"epochs\": 1}",
	    "{\"status\": \"finished\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": \"9\"}, \"objectives\": "
	    "[1, 2], \"epochs\": 1}",
	    "{\"status\": \"finished\", \"set\": {\"optimizer.rate\": \"0.5\"}, \"objectives\": [1, 2], \"epochs\": 1}",
	    "{\"status\": \"finished\", \"set\": {\"optimizer.rate\": \"x\", \"train.batch\": \"8\"}, \"objectives\": [1, "
	    "2], \"epochs\": 1}",
	    "{\"status\": \"finished\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": \"8\"}, \"objectives\": "
	    "[1], \"epochs\": 1}",
	    "{\"status\": \"finished\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": \"8\"}, \"objectives\": "
	    "[1, 2], \"epochs\": -1}"};
	struct place p;
	struct sweep s;
	begin(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(&p, "trials/1.json", bad[i]);
		open_sweep(&p, &s);
		assert_int_equal(s.trials[0].state, TRIAL_OPEN);
		sweep_close(&s);
	}
	write_file(&p, "trials/1.json",
	           "{\"status\": \"finished\", \"id\": \"ab\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": "
	           "\"8\"}, \"objectives\": "
	           "[1, null], \"epochs\": 3}");
	open_sweep(&p, &s);
	assert_int_equal(s.trials[0].state, TRIAL_FINISHED);
	assert_true(isnan(s.trials[0].losses[1]));
	sweep_close(&s);
	end(&p);
}

// valid.rmse is to be low, valid.mae (by its goal) high.
static void the_front_is_what_nothing_dominates(void **state) {
	(void)state;
	static const double values[6][2] = {{1, 1}, {2, 3}, {2, 2}, {0.5, 0.5}, {NAN, 9}, {1, 1}};
	struct place p;
	struct sweep s;
	begin(&p);
	for (size_t i = 0; i < 6; i++) {
		char name[32], record[256];
		snprintf(name, sizeof(name), "trials/%zu.json", i + 1);
		snprintf(record, sizeof(record),
		         "{\"status\": \"finished\", \"id\": \"r%zu\", \"set\": {\"optimizer.rate\": \"0.5\", \"train.batch\": "
		         "\"8\"}, "
		         "\"objectives\": [%s%.1f, %.1f], \"epochs\": 1}",
		         i, isnan(values[i][0]) ? "null, " : "", isnan(values[i][0]) ? values[i][1] : values[i][0],
		         values[i][1]);
		if (isnan(values[i][0]))
			snprintf(record, sizeof(record),
			         "{\"status\": \"finished\", \"id\": \"r\", \"set\": {\"optimizer.rate\": \"0.5\", "
			         "\"train.batch\": \"8\"}, "
			         "\"objectives\": [null, %.1f], \"epochs\": 1}",
			         values[i][1]);
		write_file(&p, name, record);
	}
	open_sweep(&p, &s);
	size_t best[6], count = sweep_best(&s, best);
	assert_int_equal(count, 4); // equals do not dominate each other
	assert_int_equal(best[0], 0);
	assert_int_equal(best[1], 1);
	assert_int_equal(best[2], 3);
	assert_int_equal(best[3], 5);
	sweep_close(&s);
	end(&p);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_read_back),
	    cmocka_unit_test(damaged_records_count_as_none),
	    cmocka_unit_test(the_front_is_what_nothing_dominates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
