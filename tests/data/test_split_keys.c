// The keys of each kind of split as an experiment file writes them: defaults, what is refused, and whole ways through.
#include "load_fixture.h"

#include "data/split.h"

#define SOURCE "source: { format = \"delimited\"; path = \"ratings.csv\"; columns: { time = 4; }; };\n"

static void read_split(struct fixture *f, const char *keys, struct text *text) {
	char data[600];
	snprintf(data, sizeof data, SOURCE "split: { %s };", keys);
	fixture_reset(f);
	write_text(f, "ratings.csv", "user,item,rating,time\nu,a,1,1\nu,b,2,2\nv,a,3,3\nu,c,4,4\n");
	must_load(f, data);
	schema_write(&data_schema, f->config, false, text);
}

static void every_default_is_spelled_out(void **state) {
	struct fixture *f = *state;
	struct text text = {0};
	read_split(f, "kind = \"ratio\";", &text);
	const struct split_shares *shares = f->config->split->kind.params;
	assert_true(shares->valid == 0.05 && shares->test == 0.1 && shares->seed == SPLIT_SEED_OF_RUN);
	assert_non_null(strstr(text_string(&text), "seed = 0xFFFFFFFFFFFFFFFFL"));
	split_settle(f->config->split, 2017);
	text_finish(&text);
	schema_write(&data_schema, f->config, false, &text);
	assert_non_null(strstr(text_string(&text), "seed = 2017"));
	text_finish(&text);
	read_split(f, "kind = \"users\"; seed = 7;", &text);
	const struct split_users *users = f->config->split->kind.params;
	assert_true(users->fold_in == 0.8 && users->valid == 0.05 && users->test == 0.1 && users->seed == 7);
	text_finish(&text);
	read_split(f, "kind = \"leave_one_out\";", &text);
	const struct split_leave_one_out *leave = f->config->split->kind.params;
	assert_true(leave->valid);
	assert_string_equal(leave->order.row->name, "random");
	text_finish(&text);
}

static void impossible_keys_are_refused(void **state) {
	struct fixture *f = *state;
	assert_false(load(f, SOURCE "split: { kind = \"ratio\"; valid = 0.5;\ntest = 0.6; };"));
	assert_int_equal(f->errors.count, 1);
	assert_int_equal(f->errors.items[0].line, 4);
	assert_string_equal(f->errors.items[0].message, "data.split: valid + test is \"1.1\", must be below 1");
	const char *bad[] = {"kind = \"ratio\"; test = 1.0;",
	                     "kind = \"per_user\"; test = -0.1;",
	                     "kind = \"users\"; fold_in = 0.0;",
	                     "kind = \"time\"; fold_in = 0.5;",
	                     "kind = \"leave_one_out\"; order = \"latest\";",
	                     "kind = \"files\";"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char data[600];
		snprintf(data, sizeof data, SOURCE "split: { %s };", bad[i]);
		assert_false(load(f, data));
		assert_int_equal(f->errors.items[0].code, ERROR_CONFIG);
		assert_int_equal(f->errors.items[0].line, 3);
	}
}

// u's latest rating, of c, is the test; the one before is validation; v's only one stays.
static void leave_one_out_by_time(void **state) {
	struct fixture *f = *state;
	struct text text = {0};
	struct matrices m;
	struct error error = {0};
	read_split(f, "kind = \"leave_one_out\"; order = \"time\";", &text);
	text_finish(&text);
	assert_true(matrices_create(f->config, &f->data, 1, &m, &error));
	assert_true(csr_count(&m.train) == 2 && csr_count(&m.valid.target) == 1 && csr_count(&m.test.target) == 1);
	assert_string_equal(matrices_item(&m, m.valid.target.column[0]), "b");
	assert_string_equal(matrices_item(&m, m.test.target.column[0]), "c");
	assert_true(m.test.target.value[0] == 4 && m.test.target.start[1] == 1);
	assert_string_equal(matrices_user(&m, 0), "u");
	matrices_finish(&m);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_default_is_spelled_out, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(impossible_keys_are_refused, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(leave_one_out_by_time, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
