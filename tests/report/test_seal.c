// The hashes that run.json ends with: of the files that are there, kept where one is not made again, and its own, which
// any change of the text breaks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/json.h"
#include "report/seal.h"

#include <cJSON.h>

static const char *const names[] = {"one.tsv", "two.svg", "three.svg"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static const char plain[] = "{\n\t\"schema\": \"aexp.run/1\",\n\t\"command\": [\"aexp\", \"\\\"hash\\\": \\\"\"]\n}\n";

static char folder[64];

static int enter(void **state) {
	(void)state;
	strcpy(folder, "/tmp/aexp-test-seal-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state) {
	(void)state;
	return folder_remove(folder, NULL) ? 0 : -1;
}

static void put(const char *name, const char *text) {
	char *path = path_join(folder, name);
	assert_true(file_write(path, text, strlen(text), NULL));
	free(path);
}

static struct text sealed(void) {
	struct text text = {0};
	struct error error = {0};
	text_append(&text, plain);
	assert_true(seal_add(&text, names, NAMES, folder, &error));
	return text;
}

static void assert_hash(const struct text *text, const char *name, const char *content) {
	struct cJSON *whole = cJSON_Parse(text->data);
	const char *value = cJSON_GetStringValue(json_member(json_member(whole, "files"), name));
	struct hash hash;
	char hex[HASH_HEX];
	assert_non_null(whole);
	if (!content) {
		assert_null(value);
	} else {
		hash_init(&hash);
		hash_bytes(&hash, content, strlen(content));
		hash_finish(&hash, hex);
		assert_string_equal(value, hex);
	}
	cJSON_Delete(whole);
}

static void test_add(void **state) {
	bool there;
	(void)state;
	put("one.tsv", "1\t2\n");
	put("two.svg", "");
	struct text text = sealed();
	assert_hash(&text, "one.tsv", "1\t2\n");
	assert_hash(&text, "two.svg", "");
	assert_hash(&text, "three.svg", NULL);
	assert_true(seal_holds(&text, &there));
	assert_true(there);
	text_finish(&text);
}

static void test_every_byte_counts(void **state) {
	bool there;
	(void)state;
	put("one.tsv", "1");
	struct text text = sealed();
	for (size_t i = 0; i < text.length; i++) {
		text.data[i] ^= 1;
		assert_false(seal_holds(&text, &there));
		text.data[i] ^= 1;
	}
	assert_true(seal_holds(&text, &there));
	text_append(&text, " ");
	assert_false(seal_holds(&text, &there));
	text_finish(&text);
}

static void test_none(void **state) {
	struct text text = {0}, empty = {0};
	struct error error = {0};
	bool there = true;
	(void)state;
	text_append(&text, plain);
	assert_false(seal_holds(&text, &there));
	assert_false(there);
	assert_true(seal_renew(&text, names, NAMES, folder, &error));
	assert_string_equal(text.data, plain); // of an older version: it stays as it is
	assert_false(seal_holds(&empty, &there));
	assert_false(seal_add(&empty, names, NAMES, folder, &error));
	text_finish(&text);
}

static void test_renew(void **state) {
	static const char *const drawn[] = {"one.tsv", "three.svg"}; // two.svg could not be drawn again
	struct error error = {0};
	bool there;
	(void)state;
	put("one.tsv", "1");
	put("two.svg", "2");
	struct text text = sealed();
	assert_true(folder_remove(folder, NULL) && folder_create(folder, NULL));
	put("three.svg", "3");
	assert_true(seal_renew(&text, drawn, 2, folder, &error));
	assert_hash(&text, "one.tsv", "1");
	assert_hash(&text, "two.svg", NULL);
	assert_hash(&text, "three.svg", "3");
	assert_true(seal_holds(&text, &there));
	text_finish(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_add, enter, leave),
	    cmocka_unit_test_setup_teardown(test_every_byte_counts, enter, leave),
	    cmocka_unit_test_setup_teardown(test_none, enter, leave),
	    cmocka_unit_test_setup_teardown(test_renew, enter, leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
