// Loading text tables: what comes out, and every way in which a table or the `data` group can be wrong, by its message.
#include "load_fixture.h"

#include <math.h>

#include "base/random.h"

#define SOURCE(more) "source: { format = \"delimited\"; path = \"r.csv\"; " more " };\n"
#define PLAIN SOURCE("")
#define NO_HEADER SOURCE("header = false;")

static void must_be_bad(struct fixture *f, const char *rows, const char *message, const char *hint) {
	write_text(f, "r.csv", rows);
	must_fail(f, PLAIN, ERROR_DATA, message, hint);
}

static void test_plain(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "user,item,rating,extra\n007,a,3.5\nx,b,-1,\"y,z\"\r\n\n7,a,0\nx,\"a\",4e0");
	must_load(f, PLAIN);
	const struct dataset *d = &f->data;
	assert_int_equal(d->count, 4);
	assert_int_equal(d->users.count, 3);
	assert_int_equal(d->items.count, 2);
	assert_string_equal(ids_name(&d->users, 0), "007");
	assert_string_equal(ids_name(&d->users, 2), "7"); // not the same as 007
	static const uint32_t user[] = {0, 1, 2, 1}, item[] = {0, 1, 0, 0};
	static const float rating[] = {3.5f, -1, 0, 4};
	assert_memory_equal(d->user, user, sizeof user);
	assert_memory_equal(d->item, item, sizeof item);
	assert_memory_equal(d->rating, rating, sizeof rating);
	assert_null(d->time);
	assert_null(d->part);
	assert_null(d->titles);
	assert_null(d->loading);
	assert_int_equal(strlen(d->fingerprint), HASH_HEX - 1);
}

static void test_columns(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "when;stars;what;who\n-5;2;i;u\n9223372036854775807;3;j;u\n");
	must_load(f, SOURCE("separator = \";\"; columns: { user = \"who\"; item = 3; rating = \"stars\"; time = 1; };"));
	assert_int_equal(f->data.count, 2);
	assert_true(f->data.time[0] == -5 && f->data.time[1] == INT64_MAX);
	assert_true(f->data.rating[0] == 2 && f->data.rating[1] == 3);
	assert_string_equal(ids_name(&f->data.items, 1), "j");
	char named[HASH_HEX];
	strcpy(named, f->data.fingerprint);
	write_text(f, "r.csv", "u\ti\t2\t-5\nu\tj\t3\t9223372036854775807\n");
	must_load(f, SOURCE("separator = \"\\t\"; header = false; columns: { time = 4; };"));
	assert_string_equal(f->data.fingerprint, named); // the same data in another layout
	write_text(f, "r.csv", "\"u\"::i::2\n");
	must_load(f, SOURCE("separator = \"::\"; header = false; quotes = false;"));
	assert_string_equal(ids_name(&f->data.users, 0), "\"u\"");
}

static void test_bad_rows(void **state) {
	struct fixture *f = *state;
	static const struct {
		const char *rows, *message, *hint;
	} cases[] = {
	    {"", "r.csv: the file holds no ratings", ""},
	    {"\n\n", "r.csv: the file holds no ratings", ""},
	    {"u,i,r\n", "r.csv: the file holds no ratings", ""},
	    {"u,i,r\na,b,good\n", "r.csv:2: rating \"good\" is not a finite number", ""},
	    {"u,i,r\na,b,1\na,c, 1\n", "r.csv:3: rating \" 1\" is not a finite number", ""},
	    {"u,i,r\na,b,nan\n", "r.csv:2: rating \"nan\" is not a finite number", ""},
	    {"u,i,r\na,b,-inf\n", "r.csv:2: rating \"-inf\" is not a finite number", ""},
	    {"u,i,r\na,b,0x10\n", "r.csv:2: rating \"0x10\" is not a finite number", ""},
	    {"u,i,r\na,b,1e999\n", "r.csv:2: rating \"1e999\" is not a finite number", ""},
	    {"u,i,r\na,b,1e39\n", "r.csv:2: rating \"1e39\" is too large", ""},
	    {"u,i,r\na,b,\n", "r.csv:2: the rating is empty", ""},
	    {"u,i,r\n,b,1\n", "r.csv:2: the user id is empty", ""},
	    {"u,i,r\na,\"\",1\n", "r.csv:2: the item id is empty", ""},
	    {"u,i,r\na,b,1\na,b\n", "r.csv:3: the line has 2 fields, but the rating is column 3", ""},
	    {"u;i;r\na;b;1\n", "r.csv:2: the line has 1 field, but the item is column 2",
	     "The separator is \",\"; this line looks separated by \";\"."},
	    {"u\ti\tr\na\tb\t1\n", "r.csv:2: the line has 1 field, but the item is column 2",
	     "The separator is \",\"; this line looks separated by \"\\t\"."},
	    {"u::i::r\na::b::1\n", "r.csv:2: the line has 1 field, but the item is column 2",
	     "The separator is \",\"; this line looks separated by \"::\"."},
	    {"a,b,4\na,c,5\n", "r.csv:1: the header's rating column is a number, \"4\"",
	     "Set header = false if the file has no header."},
	    {"u,i,r\nJos\xE9,b,1\n", "r.csv:2: the user id is not UTF-8",
	     "Convert the file, for instance with iconv -f latin1 -t utf-8."},
	    {"u,i,r\na,b\"c,1\na,\"b\"c,1\n", "r.csv:3: text behind a closing quote",
	     "Set quotes = false if quotes are ordinary characters in this file."},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		must_be_bad(f, cases[i].rows, cases[i].message, cases[i].hint);
	write_text(f, "r.csv", "user,item,rating\na,b,1\n");
	must_fail(f, NO_HEADER, ERROR_DATA, "r.csv:1: rating \"rating\" is not a finite number",
	          "Set header = true if the first line names the columns.");
	must_fail(f, SOURCE("columns: { rating = \"ratings\"; };"), ERROR_DATA,
	          "r.csv:1: the header has no column \"ratings\"", "Did you mean \"rating\"?");
	must_fail(f, SOURCE("separator = \"\\t\"; columns: { rating = \"stars\"; };"), ERROR_DATA,
	          "r.csv:1: the header has no column \"stars\"",
	          "The separator is \"\\t\"; this line looks separated by \",\".");
	write_text(f, "r.csv", "u,i,r,t\na,b,1,2020-01-01\n");
	must_fail(f, SOURCE("columns: { time = 4; };"), ERROR_DATA, "r.csv:2: time \"2020-01-01\" is not an integer",
	          "Times are whole numbers that grow, for instance seconds since 1970.");
	write_bytes(f, "r.csv", "u,i,r\na,b,1\0\n", 13);
	must_fail(f, PLAIN, ERROR_DATA, "r.csv:2: the line holds a NUL byte",
	          "The file must be plain text, for instance UTF-8.");
}

static void test_duplicates(void **state) {
	struct fixture *f = *state;
	write_text(f, "r.csv", "u,i,r,t\na,x,1,30\nb,x,2,20\na,y,5,1\na,x,2,10\nb,x,4,40\na,x,6,20\n");
#define TIMED SOURCE("columns: { time = 4; };")
	must_fail(f, TIMED, ERROR_DATA, "r.csv:5: user \"a\" rated item \"x\" twice", "First on line 2, again on line 5.");
	must_load(f, TIMED "duplicates = \"last\";");
	assert_int_equal(f->data.count, 3);
	static const float last[] = {5, 4, 6}, mean[] = {5, 3, 3};
	assert_memory_equal(f->data.rating, last, sizeof last);
	assert_true(f->data.time[1] == 40 && f->data.time[2] == 20);
	must_load(f, TIMED "duplicates = \"mean\";");
	assert_int_equal(f->data.count, 3);
	assert_memory_equal(f->data.rating, mean, sizeof mean);
	assert_true(f->data.time[0] == 1 && f->data.time[1] == 40 && f->data.time[2] == 30);
}

// Random ratings of few pairs against a naive table: what is kept, its value, its order.
static void test_duplicates_against_a_table(void **state) {
	struct fixture *f = *state;
	enum { USERS = 7, ITEMS = 9, ROUNDS = 30 };
	for (uint32_t round = 0; round < ROUNDS; round++) {
		struct random_stream stream = random_stream_make(round, "test", "duplicates");
		struct text file = {0};
		double sum[USERS][ITEMS] = {0}, last[USERS][ITEMS] = {0};
		size_t count[USERS][ITEMS] = {0}, place[USERS][ITEMS] = {0}, pairs = 0, n = 1 + round * 5;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t u = random_u32(stream, 0, i, 0) % USERS, v = random_u32(stream, 0, i, 1) % ITEMS;
			uint32_t r = random_u32(stream, 0, i, 2) % 11;
			text_format(&file, "%u,%u,%u\n", u, v, r);
			sum[u][v] += r;
			last[u][v] = r;
			place[u][v] = i;
			pairs += count[u][v]++ == 0;
		}
		write_text(f, "r.csv", text_string(&file));
		text_finish(&file);
		assert_int_equal(load(f, NO_HEADER), pairs == n);
		for (int mean = 0; mean < 2; mean++) {
			must_load(f, mean ? NO_HEADER "duplicates = \"mean\";" : NO_HEADER "duplicates = \"last\";");
			assert_int_equal(f->data.count, pairs);
			size_t before = 0;
			for (size_t i = 0; i < pairs; i++) {
				int u = atoi(ids_name(&f->data.users, f->data.user[i]));
				int v = atoi(ids_name(&f->data.items, f->data.item[i]));
				double wanted = mean ? sum[u][v] / (double)count[u][v] : last[u][v];
				assert_true(f->data.rating[i] == (float)wanted);
				assert_true(i == 0 || place[u][v] > before); // in the order of the later lines
				before = place[u][v];
			}
		}
	}
}

static void test_files(void **state) {
	struct fixture *f = *state;
	write_text(f, "a.csv", "u,i,r\n1,x,1\n2,y,2\n");
	write_text(f, "b.csv", "u,i,r\n3,x,3\n");
	write_text(f, "c.csv", "u,i,r\n1,z,5\n1,y,4\n");
#define FILES(more) "source: { format = \"delimited\"; }; split: { kind = \"files\"; train = \"a.csv\"; " more " };"
	must_load(f, FILES("valid = \"b.csv\"; test = \"c.csv\";"));
	static const uint8_t part[] = {PART_TRAIN, PART_TRAIN, PART_VALID, PART_TEST, PART_TEST};
	assert_int_equal(f->data.count, sizeof part);
	assert_memory_equal(f->data.part, part, sizeof part);
	assert_int_equal(f->data.items.count, 3);
	must_load(f, FILES("test = \"c.csv\";"));
	assert_int_equal(f->data.count, 4);
	assert_int_equal(f->data.part[3], PART_TEST);
	write_text(f, "b.csv", "u,i,r\n3,x,3\n2,y,1\n");
	must_fail(f, FILES("valid = \"b.csv\";"), ERROR_DATA, "b.csv:3: user \"2\" rated item \"y\" twice",
	          "First on line 3 of \"a.csv\", again on line 3 of \"b.csv\".");
	must_load(f, "duplicates = \"last\";" FILES("valid = \"b.csv\";"));
	static const uint8_t kept[] = {PART_TRAIN, PART_VALID, PART_VALID};
	assert_memory_equal(f->data.part, kept, sizeof kept);
	write_text(f, "c.csv", "u,i,r\n");
	must_fail(f, FILES("test = \"c.csv\";"), ERROR_DATA, "c.csv: the file holds no ratings", "");
	must_fail(f, FILES("test = \"d.csv\";"), ERROR_DATA, "cannot read \"d.csv\": No such file or directory", "");
}

// The fingerprint tells every difference that matters.
static void test_fingerprint(void **state) {
	struct fixture *f = *state;
	static const char *const rows[] = {
	    "1,x,1,0\n2,y,2,0\n", "1,x,1,0\n2,y,2,1\n",          "1,x,1,0\n2,y,2.5,0\n",
	    "1,x,1,0\n2,z,2,0\n", "1,x,1,0\n2,x,2,0\n",          "1x,,1,0\n",
	    "2,y,2,0\n1,x,1,0\n", "1,x,1,0\n2,y,2,0\n1,y,0,0\n", "1,xy,1,0\n2,,2,0\n",
	};
	char seen[9][HASH_HEX];
	size_t count = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_text(f, "r.csv", rows[i]);
		if (!load(f, SOURCE("header = false; columns: { time = 4; };")))
			continue; // those with an empty id
		for (size_t j = 0; j < count; j++)
			assert_string_not_equal(seen[j], f->data.fingerprint);
		strcpy(seen[count++], f->data.fingerprint);
	}
	assert_int_equal(count, 7);
	write_text(f, "r.csv", rows[0]);
	must_load(f, NO_HEADER); // without times
	assert_string_not_equal(seen[0], f->data.fingerprint);
	// Fixed for good: a change would make every run's ID another one, and needs another FINGERPRINT_VERSION.
	assert_string_equal(f->data.fingerprint, "b3578907f246c03306500fc80c095f41");
}

static void test_many_rows(void **state) {
	struct fixture *f = *state;
	enum { ROWS = 50000 };
	struct text file = {0};
	for (uint32_t i = 0; i < ROWS; i++)
		text_format(&file, "%u,%u,%u.%02u\n", i % 997, i / 997, i % 10, i % 100);
	write_text(f, "r.csv", text_string(&file));
	text_finish(&file);
	must_load(f, NO_HEADER);
	assert_int_equal(f->data.count, ROWS);
	for (uint32_t i = 0; i < ROWS; i++) {
		assert_int_equal(f->data.user[i], i % 997);
		assert_int_equal(f->data.item[i], i / 997);
		assert_true(f->data.rating[i] == (float)(i % 10 + (i % 100) / 100.0));
	}
}

static void test_checks(void **state) {
	struct fixture *f = *state;
	static const struct {
		const char *text, *message, *hint;
	} cases[] = {
	    {"buckets: { thresholds = [ 1.0, 1.0 ]; values = [ 0.1, 0.2, 0.3 ]; };",
	     "experiment.cfg:2: data.buckets.thresholds: \"1\" comes after \"1\"", "Thresholds must increase strictly."},
	    {"buckets: {\n thresholds = [ 3.5 ];\n values = [ 0.1 ]; };",
	     "experiment.cfg:4: data.buckets.values has \"1\" value, \"2\" are needed",
	     "There is one value more than thresholds: one below the first, one above each."},
	    {"buckets: { thresholds = [ 3.5 ]; values = [ 0.1, 0.1 ]; };",
	     "experiment.cfg:2: data.buckets.values: \"0.1\" stands there twice", "Each bucket needs a value of its own."},
	    {"source: { format = \"delimited\"; };", "experiment.cfg:2: missing key \"path\" in \"data.source\"",
	     "Name the file of ratings."},
	    {SOURCE("separator = \"\";"), "experiment.cfg:2: data.source.separator is empty", ""},
	    {SOURCE("separator = \"a\\n\";"), "experiment.cfg:2: data.source.separator holds a line end", ""},
	    {SOURCE("separator = \"\\\"\";"), "experiment.cfg:2: data.source.separator holds a quote, which quotes fields",
	     ""},
	    {SOURCE("columns: { item = 1; };"), "experiment.cfg:2: user and item are the same column", ""},
	    {SOURCE("header = false;\n columns: { item = \"film\"; };"),
	     "experiment.cfg:3: column \"film\" is named, but there is no header",
	     "Give the column's number, or set data.source.header = true."},
	    {PLAIN "split: { kind = \"time\"; };",
	     "experiment.cfg:3: split \"time\" needs times, and the ratings have none",
	     "Name the column with data.source.columns.time, or choose another one."},
	    {PLAIN "split: { kind = \"leave_one_out\";\n order = \"time\"; };",
	     "experiment.cfg:4: order \"time\" needs times, and the ratings have none",
	     "Name the column with data.source.columns.time, or choose another one."},
	    {"split: { kind = \"files\"; train = \"a.csv\"; };",
	     "experiment.cfg:2: split \"files\" needs a format that reads files, not \"synthetic\"", ""},
	    {PLAIN "user_features: { id = 1; numeric = [ \"age\" ]; };",
	     "experiment.cfg:3: missing key \"path\" in \"data.user_features\"",
	     "The format has no side information of its own: name a file."},
	    {PLAIN "user_features: { path = \"u.csv\"; numeric = [ \"age\" ]; };",
	     "experiment.cfg:3: missing key \"id\" in \"data.user_features\"", "Name the column that holds the ids."},
	    {PLAIN "item_features: { path = \"u.csv\"; id = 1; };", "experiment.cfg:3: data.item_features names no columns",
	     "List columns as categorical, numeric or multi."},
	    {PLAIN "user_features: { path = \"u.csv\"; id = 1; numeric = [ \"age\" ];\n multi = [ \"age\" ]; };",
	     "experiment.cfg:4: data.user_features names the column \"age\" twice", ""},
	    {PLAIN "user_features: { path = \"u.csv\"; header = false; id = \"id\"; numeric = [ \"3\" ]; };",
	     "experiment.cfg:3: column \"id\" is named, but there is no header",
	     "Give the column's number, or set data.user_features.header = true."},
	    {PLAIN "user_features: { path = \"u.csv\"; header = false; id = 1; numeric = [ \"age\" ]; };",
	     "experiment.cfg:3: column \"age\" is named, but there is no header",
	     "Give the column's number, as \"3\", or set data.user_features.header = true."},
	    {PLAIN "item_features: { path = \"u.csv\"; separator = \"\"; id = 1; numeric = [ \"age\" ]; };",
	     "experiment.cfg:3: data.item_features.separator is empty", ""},
	    {"source: { format = \"movielens-100k\"; path = \"ml\"; };\nuser_features: { id = 1; };",
	     "experiment.cfg:3: data.user_features.id without data.user_features.path", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		must_fail(f, cases[i].text, ERROR_CONFIG, cases[i].message, cases[i].hint);
	assert_false(load(f, "buckets: { thresholds = [ 2.0, 1.0 ]; values = [ 1.0, 1.0 ]; };\n"
	                     "source: { format = \"delimited\"; separator = \"\"; };"));
	assert_int_equal(f->errors.count, 5); // all in one go
}

// The resolved `data` group, written and read again, is the same: every default stands in it.
static void test_written(void **state) {
	struct fixture *f = *state;
	static const char *const texts[] = {
	    "",
	    PLAIN "liked = 3.0;\nbuckets: { thresholds = [ 3.5 ]; values = [ 0.1, 1.0 ]; };",
	    SOURCE("separator = \"\\t\"; columns: { user = \"who\"; time = 9; };") "rows = \"items\";\nitem_features: { "
	                                                                           "path = "
	                                                                           "\"i.csv\"; id = 1; numeric = [ \"a\" "
	                                                                           "]; title = \"t\"; };",
	    "source: { format = \"movielens-1m\"; path = \"ml\"; };\nuser_features: { numeric = [ \"age\" ]; };",
	    "source: { format = \"delimited\"; };\nsplit: { kind = \"files\"; train = \"a\"; valid_share = 0.1; };",
	    PLAIN "filter: { min_user_ratings = 5; };\nduplicates = \"mean\";\nsplit: { kind = \"leave_one_out\"; };",
	};
	write_text(f, "r.csv", "u,i,r\n");
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct text first = {0}, second = {0};
		load(f, texts[i]);
		assert_non_null(f->config);
		schema_write(&data_schema, f->config, false, &first);
		load(f, text_string(&first));
		assert_non_null(f->config);
		schema_write(&data_schema, f->config, false, &second);
		assert_string_equal(text_string(&first), text_string(&second));
		assert_non_null(strstr(text_string(&first), "min_user_ratings"));
		text_finish(&first);
		text_finish(&second);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plain, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_columns, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_bad_rows, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_duplicates, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_duplicates_against_a_table, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_files, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_fingerprint, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_many_rows, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_checks, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_written, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
