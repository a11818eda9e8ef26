// Neither the number of threads nor where blocks end changes a data set, an error, or the line it stands on.
#include "load_fixture.h"

#include "base/pool.h"
#include "base/random.h"

enum { KINDS = 7, LINES = 400 };

static const char config[] =
    "source: { format = \"delimited\"; path = \"r.csv\"; header = false; columns: { time = 4; }; };";

// Ids, some small numbers, some not; what is asked for decides which are used.
static void append_id(struct text *text, size_t kind, const char *prefix, uint32_t draw) {
	uint32_t id = draw % 211;
	if (kind == 6) // 2 to 20 bytes, often the one before; runs of one user
		text_format(text, "%c%.*s%u", prefix[0], (int)(id * 5 % 17), "abcdefghijklmnopq", id % 100);
	else if (kind == 0 || (kind >= 2 && draw % 3 == 0))
		text_format(text, "%u", id * 7919);
	else if (kind == 1 || draw % 3 == 1)
		text_format(text, "%s-%u", prefix, id);
	else
		text_format(text, "00%u", id); // not the number
}

// One line of the kind: 0 numbers, 1 names, 2 both, 3 quoted with line ends within, 4 blank lines and \r\n, 5 odd
// numbers, 6 names of many lengths.
static void append_line(struct text *text, size_t kind, struct random_stream stream, uint64_t row) {
	static const char *const ratings[] = {
	    "4", "3.5", "-2", "1e1", "+0.250", "4.", ".5", "00012", "123456789.123456789"};
	uint32_t draw = random_u32(stream, 0, row, 0);
	const char *quote = kind == 3 && draw % 2 ? "\"" : "", *end = kind == 4 && draw % 3 ? "\r\n" : "\n";
	if (kind == 4 && draw % 5 == 0)
		text_append(text, draw % 2 ? "\n" : "\r\n\n");
	text_append(text, quote);
	append_id(text, kind, *quote ? "two\nlines" : "user", (uint32_t)(kind == 6 ? row / 5 : row) % 97);
	text_format(text, "%s,%s", quote, quote);
	append_id(text, kind, "item", (uint32_t)row);
	text_format(text, "%s,%s,%u", quote, ratings[kind == 5 ? draw % 9 : draw % 2], 900000000 + draw % 1000);
	if (kind == 3 && draw % 4 == 0)
		text_append(text, ",\"a text,\nof \"\"several\"\"\n\n lines\"");
	text_append(text, end);
}

static void make_table(struct text *text, size_t kind, size_t lines) {
	struct random_stream stream = random_stream_make(kind, "test", "blocks");
	for (size_t row = 0; row < lines; row++)
		append_line(text, kind, stream, row);
	if (kind % 2)
		text->data[--text->length] = '\0'; // no end of the last line
}

// Loads with other blocks and threads; everything must be as it was with one block on one thread.
static void must_stay(struct fixture *f, const char *keys, struct pool *const *pools, size_t pools_count) {
	static const size_t sizes[] = {1, 13, 100, 1021, 4096, 0};
	char fingerprint[HASH_HEX] = "", message[3000] = "", hint[ERROR_TEXT_MAX] = "";
	f->access = (struct data_access){.block_bytes = (size_t)1 << 30};
	bool loaded = load(f, keys);
	if (loaded) {
		strcpy(fingerprint, f->data.fingerprint);
	} else {
		error_format(&f->errors.items[0], message, sizeof message);
		strcpy(hint, f->errors.items[0].hint);
	}
	for (size_t i = 0; i < pools_count * sizeof sizes / sizeof sizes[0]; i++) {
		char again[3000];
		f->access = (struct data_access){.pool = pools[i % pools_count], .block_bytes = sizes[i / pools_count]};
		assert_int_equal(load(f, keys), loaded);
		if (loaded) {
			assert_string_equal(f->data.fingerprint, fingerprint);
			continue;
		}
		error_format(&f->errors.items[0], again, sizeof again);
		assert_string_equal(again, message);
		assert_string_equal(f->errors.items[0].hint, hint);
	}
	f->access = (struct data_access){0};
}

enum { POOLS = 3 };

static void make_pools(struct pool *pools[POOLS]) {
	for (size_t i = 0; i < POOLS; i++)
		pools[i] = i == 0 ? NULL : pool_create(2 * i);
}

static void destroy_pools(struct pool *pools[POOLS]) {
	for (size_t i = 0; i < POOLS; i++)
		pool_destroy(pools[i]);
}

static void test_data(void **state) {
	struct fixture *f = *state;
	struct pool *pools[POOLS];
	make_pools(pools);
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct text text = {0}, keys = {0};
		make_table(&text, kind, LINES);
		write_bytes(f, "r.csv", text.data, text.length);
		text_format(&keys, "%s duplicates = \"mean\";", config);
		must_stay(f, text_string(&keys), pools, POOLS);
		assert_true(load(f, text_string(&keys))); // the tables are good ones
		assert_true(f->data.count > LINES / 2);
		must_stay(f, config, pools, POOLS); // "twice", with both lines, where there are duplicates
		text_finish(&text);
		text_finish(&keys);
	}
	destroy_pools(pools);
}

// One bad line somewhere: the same error whichever block it is in, and another bad line behind it says nothing.
static void test_errors(void **state) {
	struct fixture *f = *state;
	static const char *const bad[] = {
	    "u,i\n",         "u,i,x,1\n",   ",i,1,1\n",       "u,\xff\xfe,1,1\n",       "u,i,1,1.5\n",
	    "u,i,1e999,1\n", "\"u,i,1,1\n", "\"u\"v,i,1,1\n", "u,i,1e39,1\n",           "u;i;3;5\n",
	    "u,,1,1\n",      "u,i,,1\n",    "u,i,1,\n",       "user,item,rating,time\n"};
	struct pool *pools[POOLS];
	make_pools(pools);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		size_t kind = i % KINDS;
		struct text text = {0};
		size_t lines = 40 + 29 * i;
		make_table(&text, kind == 3 ? 2 : kind, lines);
		text_append(&text, "\n");
		text_append(&text, bad[i]);
		text_append(&text, bad[(i + 1) % (sizeof bad / sizeof bad[0])]);
		make_table(&text, 1, 30);
		write_bytes(f, "r.csv", text.data, text.length);
		must_stay(f, config, pools, POOLS);
		assert_int_equal(f->errors.count, 1);
		text_finish(&text);
	}
	write_text(f, "r.csv", "u,i,x,4\nu,i,y,4\n"); // the hint of the first line
	must_stay(f, config, pools, POOLS);
	assert_string_equal(f->errors.items[0].hint, "Set header = true if the first line names the columns.");
	destroy_pools(pools);
}

// Ids in the order of first appearance, however they are spelled and wherever blocks end.
static void test_order(void **state) {
	struct fixture *f = *state;
	struct pool *pool = pool_create(3);
	write_text(f, "r.csv",
	           "7,b,1,1\n07,a,1,2\n7,16777216,1,3\nx,16777215,1,4\n0,0,1,5\n00,b,1,6\n4294967303,12345678,1,7\n"
	           "7,123456789,1,8\nx,-1,1,9\n");
	for (size_t block = 1; block < 40; block += 3) {
		f->access = (struct data_access){.pool = pool, .block_bytes = block};
		must_load(f, config);
		static const char *const users[] = {"7", "07", "x", "0", "00", "4294967303"};
		static const char *const items[] = {"b", "a", "16777216", "16777215", "0", "12345678", "123456789", "-1"};
		assert_int_equal(f->data.users.count, 6);
		assert_int_equal(f->data.items.count, 8);
		for (size_t i = 0; i < 6; i++)
			assert_string_equal(ids_name(&f->data.users, i), users[i]);
		for (size_t i = 0; i < 8; i++)
			assert_string_equal(ids_name(&f->data.items, i), items[i]);
		for (size_t i = 0; i < f->data.count; i++)
			assert_true(f->data.time[i] == (int64_t)i + 1);
	}
	pool_destroy(pool);
}

// Values of the quick way, read eight digits at a time, are those of the careful one.
static void test_values(void **state) {
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(1, "test", "values");
	struct text text = {0};
	double rating[1000];
	int64_t time[1000];
	for (size_t i = 0; i < 1000; i++) {
		char number[40];
		uint32_t draw = random_u32(stream, 0, i, 0);
		snprintf(number, sizeof number, "%.*f", (int)(draw % 9), (double)(draw >> 8) / (double)(1 + draw % 100000));
		rating[i] = strtod(number, NULL);
		time[i] = (int64_t)(random_u64(stream, 0, i, 1) >> (draw % 64));
		text_format(&text, "%zu,%u,%s,%lld%s", i, draw, number, (long long)time[i], draw % 2 ? "\n" : "\r\n");
	}
	text_append(&text, "last,item,1,1\n"); // the end of a text is read carefully
	write_bytes(f, "r.csv", text.data, text.length);
	must_load(f, config);
	assert_int_equal(f->data.count, 1001);
	for (size_t i = 0; i < 1000; i++) {
		assert_true(f->data.rating[i] == (float)rating[i]);
		assert_true(f->data.time[i] == time[i]);
	}
	text_finish(&text);
}

// Compressed text comes in pieces; several files share their ids.
static void test_pieces(void **state) {
	struct fixture *f = *state;
	struct pool *pool = pool_create(2);
	for (size_t kind = 0; kind < KINDS; kind += 3) {
		struct text text = {0}, keys = {0};
		make_table(&text, kind, 250000);
		write_bytes(f, "r.csv", text.data, text.length);
		struct member member = {"r.csv", text.data, text.length};
		pack(f, "r.gz", "gzip", "raw", &member, 1);
		text_format(&keys, "%s duplicates = \"last\";", config);
		must_load(f, text_string(&keys));
		char fingerprint[HASH_HEX];
		strcpy(fingerprint, f->data.fingerprint);
		for (size_t block = 1000; block <= 100000; block *= 10) {
			f->access = (struct data_access){.pool = pool, .block_bytes = block};
			must_load(f, "source: { format = \"delimited\"; path = \"r.gz\"; header = false; columns: { time = 4; }; };"
			             " duplicates = \"last\";");
			assert_string_equal(f->data.fingerprint, fingerprint);
			f->access = (struct data_access){0};
		}
		text_finish(&text);
		text_finish(&keys);
	}
	write_text(f, "a.csv", "u1,5,1,1\n9,6,2,2\n");
	write_text(f, "b.csv", "9,5,3,3\nu2,7,4,4\nu1,7,4,4\n");
	must_stay(f,
	          "source: { format = \"delimited\"; header = false; columns: { time = 4; }; };"
	          "split: { kind = \"files\"; train = \"a.csv\"; test = \"b.csv\"; };",
	          &pool, 1);
	assert_int_equal(f->data.users.count, 3);
	assert_int_equal(f->data.items.count, 3);
	assert_int_equal(f->data.part[1], PART_TRAIN);
	assert_int_equal(f->data.part[2], PART_TEST);
	pool_destroy(pool);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_data, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_errors, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_order, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_values, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_pieces, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
