// The table of ids against a naive list.
#include "load_fixture.h"

#include "base/random.h"

static void test_order_and_names(void **state) {
	(void)state;
	struct ids ids = {0};
	uint32_t index;
	assert_false(ids_find(&ids, "a", 1, &index));
	assert_int_equal(ids_add(&ids, "b", 1), 0);
	assert_int_equal(ids_add(&ids, "", 0), 1);
	assert_int_equal(ids_add(&ids, "bb", 2), 2);
	assert_int_equal(ids_add(&ids, "bX", 1), 0); // the length counts, not what stands behind
	assert_int_equal(ids_add(&ids, "01", 2), 3);
	assert_int_equal(ids_add(&ids, "1", 1), 4); // byte for byte: not the number
	assert_int_equal(ids.count, 5);
	assert_string_equal(ids_name(&ids, 1), "");
	assert_string_equal(ids_name(&ids, 2), "bb");
	assert_true(ids_find(&ids, "", 0, &index));
	assert_int_equal(index, 1);
	assert_false(ids_find(&ids, "bbb", 3, &index));
	ids_finish(&ids);
	ids_finish(&ids); // again is fine
}

// Random words over a small alphabet, so that most are known already.
static void test_against_a_list(void **state) {
	(void)state;
	enum { WORDS = 4000, MOST = 6 };
	static char list[WORDS][MOST + 1];
	struct random_stream stream = random_stream_make(1, "test", "ids");
	struct ids ids = {0};
	size_t known = 0;
	for (size_t i = 0; i < WORDS; i++) {
		char word[MOST + 1] = "";
		size_t length = random_u32(stream, 0, i, 0) % MOST;
		for (size_t j = 0; j < length; j++)
			word[j] = (char)('a' + random_u32(stream, 0, i, (uint32_t)j + 1) % 4);
		size_t at = 0;
		while (at < known && strcmp(list[at], word) != 0)
			at++;
		uint32_t found = 0;
		assert_int_equal(ids_find(&ids, word, length, &found), at < known);
		if (at == known)
			strcpy(list[known++], word);
		else
			assert_int_equal(found, at);
		assert_int_equal(ids_add(&ids, word, length), at);
		assert_int_equal(ids.count, known);
	}
	for (size_t i = 0; i < known; i++)
		assert_string_equal(ids_name(&ids, i), list[i]);
	ids_finish(&ids);
}

static void test_many(void **state) {
	(void)state;
	enum { MANY = 200000 };
	struct ids ids = {0};
	char name[16];
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(ids_add(&ids, name, (size_t)snprintf(name, sizeof name, "%u", i * 7)), i);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t index;
		assert_true(ids_find(&ids, name, (size_t)snprintf(name, sizeof name, "%u", i * 7), &index));
		assert_int_equal(index, i);
	}
	ids_finish(&ids);
}

// Any number of names at a time, known and unknown, as one by one.
static void test_several(void **state) {
	(void)state;
	enum { KNOWN = 3000, ASKED = 100 };
	struct ids ids = {0};
	char name[ASKED][16];
	const char *names[ASKED];
	uint32_t found[ASKED + 1], one;
	struct random_stream stream = random_stream_make(1, "test", "several");
	for (size_t count = 0; count <= ASKED; count++) {
		for (size_t i = 0; i < count; i++) {
			snprintf(name[i], sizeof name[i], "%u", random_u32(stream, 0, count, (uint32_t)i) % (2 * KNOWN));
			names[i] = i % 31 == 30 ? "" : name[i];
		}
		found[count] = 7; // nothing is written behind
		ids_find_many(&ids, names, count, found);
		assert_int_equal(found[count], 7);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(found[i], ids_find(&ids, names[i], strlen(names[i]), &one) ? one : IDS_FULL);
		for (uint32_t i = 0; count == 2 && i < KNOWN; i++) // the first ones are asked of an empty table
			ids_add(&ids, name[0], (size_t)snprintf(name[0], sizeof name[0], "%u", i));
	}
	ids_finish(&ids);
}

// 4 GiB of names are not made here: the table is told that it has them.
static void test_full(void **state) {
	(void)state;
	struct ids ids = {0};
	assert_int_equal(ids_add(&ids, "a", 1), 0);
	size_t used = ids.bytes_used;
	ids.bytes_used = UINT32_MAX - 4;
	assert_int_equal(ids_add(&ids, "wxyz", 4), IDS_FULL);
	ids.bytes_used = used;
	assert_int_equal(ids_add(&ids, "wxyz", 4), 1);
	ids_finish(&ids);
}

// A table without a free slot, as only someone who made it has it: looking ends, and finds what it says.
static void test_crowded(void **state) {
	(void)state;
	enum { SLOTS = 4 * IDS_PROBES_MOST };
	struct ids ids = {0};
	uint32_t index = 7;
	assert_int_equal(ids_add(&ids, "a", 1), 0);
	ids.slots = realloc(ids.slots, SLOTS * sizeof *ids.slots);
	ids.slots_count = SLOTS;
	for (size_t i = 0; i < SLOTS; i++)
		ids.slots[i] = 1;
	assert_true(ids_find(&ids, "a", 1, &index) && index == 0);
	assert_false(ids_find(&ids, "b", 1, &index));
	assert_int_equal(ids_add(&ids, "b", 1), IDS_FULL);
	assert_int_equal(ids.count, 1);
	ids_finish(&ids);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order_and_names), cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_many),
	    cmocka_unit_test(test_several),         cmocka_unit_test(test_full),           cmocka_unit_test(test_crowded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
