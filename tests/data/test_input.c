// One table in every wrapping must load to the same fingerprint; and what cannot be opened says why.
#include "load_fixture.h"

#include "base/random.h"

#define SOURCE(path) "source: { format = \"delimited\"; path = \"" path "\"; };\n"

// Large enough that a truncated file is cut within its compressed data.
static void make_table(struct text *file) {
	struct random_stream stream = random_stream_make(1, "test", "input");
	text_append(file, "user,item,rating\n");
	for (uint32_t i = 0; i < 20000; i++)
		text_format(file, "u%u,i%u,%u\n", i % 997, i, random_u32(stream, 0, i, 0) % 100);
}

static char *slurp(struct fixture *f, const char *name, size_t *ret_size) {
	char *data;
	struct error error;
	assert_true(file_read(fixture_path(f, name), SIZE_MAX - 2, &data, ret_size, &error));
	return data;
}

static const struct wrapping {
	const char *name, *filter, *format;
} wrappings[] = {
    {"r.csv.gz", "gzip", "raw"},   {"r.csv.xz", "xz", "raw"},    {"r.csv.zst", "zstd", "raw"},
    {"r.csv.bz2", "bzip2", "raw"}, {"r.zip", "none", "zip"},     {"r.tar", "none", "ustar"},
    {"r.tar.gz", "gzip", "pax"},   {"r.tar.xz", "xz", "gnutar"}, {"named-wrongly.csv", "gzip", "raw"},
};
enum { WRAPPINGS = sizeof wrappings / sizeof wrappings[0] };

static void test_wrappings(void **state) {
	struct fixture *f = *state;
	struct text table = {0};
	make_table(&table);
	write_text(f, "r.csv", text_string(&table));
	must_load(f, SOURCE("r.csv"));
	char plain[HASH_HEX];
	strcpy(plain, f->data.fingerprint);
	for (size_t i = 0; i < WRAPPINGS; i++) {
		const struct wrapping *w = &wrappings[i];
		bool raw = strcmp(w->format, "raw") == 0;
		struct member members[] = {{"sub/", NULL, 0}, {"sub/r.csv", table.data, table.length}};
		pack(f, w->name, w->filter, w->format, members + raw, raw ? 1 : 2);
		char source[200];
		snprintf(source, sizeof source, "source: { format = \"delimited\"; path = \"%s\"; };\n", w->name);
		must_load(f, source);
		assert_string_equal(f->data.fingerprint, plain);
	}
	text_finish(&table);
}

// Cut short at many places, every wrapping is an error with a reason or, where nothing was lost, the same data.
static void test_truncated(void **state) {
	struct fixture *f = *state;
	struct text table = {0};
	make_table(&table);
	for (size_t i = 0; i < WRAPPINGS; i++) {
		const struct wrapping *w = &wrappings[i];
		struct member member = {"r.csv", table.data, table.length};
		pack(f, w->name, w->filter, w->format, &member, 1);
		size_t size;
		char *whole = slurp(f, w->name, &size);
		for (size_t part = 1; part < 20; part++) {
			write_bytes(f, "short", whole, size * part / 20);
			if (strcmp(w->filter, "none") != 0 || strcmp(w->format, "zip") == 0)
				assert_false(load(f, SOURCE("short")));
			else if (load(f, SOURCE("short")))
				assert_true(part == 19 && f->data.count == 20000); // what was cut is the padding of the tar
			assert_true(f->loaded || f->errors.items[0].code == ERROR_DATA);
		}
		free(whole);
	}
	struct member member = {"r.csv", table.data, table.length};
	pack(f, "r.gz", "gzip", "raw", &member, 1);
	size_t size;
	char *whole = slurp(f, "r.gz", &size);
	write_bytes(f, "cut.gz", whole, size / 2);
	must_fail(f, SOURCE("cut.gz"), ERROR_DATA, "cannot read \"cut.gz\": truncated gzip input", "");
	write_bytes(f, "cut.gz", whole, size - 4); // within the checksum
	must_fail(f, SOURCE("cut.gz"), ERROR_DATA, "cannot read \"cut.gz\": truncated or damaged", "");
	free(whole);
	text_finish(&table);
}

// Flipped bytes: an error, or (where the format has no checksum there) some data, but never a crash.
static void test_damaged(void **state) {
	struct fixture *f = *state;
	struct text table = {0};
	make_table(&table);
	struct random_stream stream = random_stream_make(2, "test", "input");
	for (size_t i = 0; i < WRAPPINGS; i++) {
		const struct wrapping *w = &wrappings[i];
		struct member member = {"r.csv", table.data, 4000};
		pack(f, w->name, w->filter, w->format, &member, 1);
		size_t size;
		char *whole = slurp(f, w->name, &size);
		for (uint32_t round = 0; round < 60; round++) {
			size_t at = random_u32(stream, (uint32_t)i, round, 0) % size;
			char old = whole[at];
			whole[at] = (char)(old ^ (1 << random_u32(stream, (uint32_t)i, round, 1) % 8));
			write_bytes(f, "damaged", whole, size);
			load(f, SOURCE("damaged"));
			whole[at] = old;
		}
		free(whole);
	}
	text_finish(&table);
}

static void test_candidates(void **state) {
	struct fixture *f = *state;
	static const char rows[] = "u,i,r\na,b,1\n";
	struct member two[] = {{"a/one.csv", rows, sizeof rows - 1}, {"b/two.csv", rows, sizeof rows - 1}};
	pack(f, "two.zip", "none", "zip", two, 2);
	must_fail(f, SOURCE("two.zip"), ERROR_DATA,
	          "\"two.zip\" holds more than one candidate: \"a/one.csv\" and \"b/two.csv\"",
	          "Unpack the archive and name the file that is meant.");
	struct member hidden[] = {{"__MACOSX/._one.csv", rows, 3}, {".DS_Store", rows, 3}, two[0]};
	pack(f, "one.zip", "none", "zip", hidden, 3);
	must_load(f, SOURCE("one.zip"));
	struct member folder = {"empty/", NULL, 0};
	pack(f, "none.zip", "none", "zip", &folder, 1);
	must_fail(f, SOURCE("none.zip"), ERROR_DATA, "\"none.zip\" holds no file", "");
	struct member bad = {"sub/bad.csv", "u,i,r\na,b,x\n", 12};
	pack(f, "bad.zip", "none", "zip", &bad, 1);
	must_fail(f, SOURCE("bad.zip"), ERROR_DATA, "bad.zip/sub/bad.csv:2: rating \"x\" is not a finite number", "");
	struct member empty = {"empty.csv", "", 0};
	pack(f, "empty.zip", "none", "zip", &empty, 1);
	must_fail(f, SOURCE("empty.zip"), ERROR_DATA, "empty.zip/empty.csv: the file holds no ratings", "");
	pack(f, "empty.gz", "gzip", "raw", &empty, 1);
	must_fail(f, SOURCE("empty.gz"), ERROR_DATA, "empty.gz: the file holds no ratings", "");
}

static void test_paths(void **state) {
	struct fixture *f = *state;
	struct error error;
	must_fail(f, SOURCE("gone.csv"), ERROR_DATA, "cannot read \"gone.csv\": No such file or directory", "");
	assert_true(folder_create(fixture_path(f, "folder.csv"), &error));
	must_fail(f, SOURCE("folder.csv"), ERROR_DATA, "cannot read \"folder.csv\": Is a directory", "");
	write_text(f, "r.csv", "u,i,r\na,b,1\n");
	setenv("AEXP_TEST_FOLDER", f->folder, 1);
	must_load(f, SOURCE("${AEXP_TEST_FOLDER}/r.csv"));
	unsetenv("AEXP_TEST_FOLDER");
	assert_false(load(f, SOURCE("${AEXP_TEST_FOLDER}/r.csv")));
	assert_int_equal(f->errors.items[0].code, ERROR_CONFIG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_wrappings, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_truncated, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_damaged, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_candidates, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_paths, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
