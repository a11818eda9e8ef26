// Hashing: the digest is XXH3's of the concatenated bytes however they are cut; strings and numbers are unambiguous.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/hash.h"
#include "base/random.h"

enum { BYTES = 5000 };

static void one_shot(const void *data, size_t size, char hex[HASH_HEX]) {
	XXH128_hash_t value = XXH3_128bits(data, size);
	snprintf(hex, HASH_HEX, "%016llx%016llx", (unsigned long long)value.high64, (unsigned long long)value.low64);
}

static void known_answers(void **state) {
	(void)state;
	struct hash hash;
	char hex[HASH_HEX];
	hash_init(&hash);
	hash_finish(&hash, hex);
	assert_string_equal(hex, "99aa06d3014798d86001c324468d497f"); // of nothing: XXH3's own test vector
	assert_int_equal(strlen(hex), HASH_HEX - 1);
}

static void cuts_do_not_matter(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(5, "test", "hash");
	static uint32_t words[BYTES / 4];
	random_fill(stream, 0, 0, 0, BYTES / 4, words);
	const unsigned char *data = (const unsigned char *)words;
	for (uint32_t trial = 0; trial < 200; trial++) {
		size_t size = random_u32(stream, 1, trial, 0) % (BYTES + 1), at = 0;
		char expected[HASH_HEX], hex[HASH_HEX];
		one_shot(data, size, expected);
		struct hash hash;
		hash_init(&hash);
		for (uint32_t cut = 1; at < size; cut++) {
			size_t part = random_u32(stream, 1, trial, cut) % (trial % 2 ? 20 : 2000);
			part = part > size - at ? size - at : part;
			hash_bytes(&hash, data + at, part);
			at += part;
		}
		hash_bytes(&hash, NULL, 0);
		hash_finish(&hash, hex);
		assert_string_equal(hex, expected);
	}
}

static void strings_keep_their_ends(void **state) {
	(void)state;
	static const char *const pairs[][2] = {{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"", "abc"}};
	char hex[4][HASH_HEX];
	for (size_t i = 0; i < 4; i++) {
		struct hash hash;
		hash_init(&hash);
		hash_string(&hash, pairs[i][0]);
		hash_string(&hash, pairs[i][1]);
		hash_finish(&hash, hex[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(hex[i], hex[j]);
	}
	char expected[HASH_HEX];
	one_shot("ab\0c", 5, expected);
	assert_string_equal(hex[0], expected);
}

static void numbers_are_little_endian(void **state) {
	(void)state;
	char expected[HASH_HEX], hex[HASH_HEX];
	one_shot("\x08\x07\x06\x05\x04\x03\x02\x01", 8, expected);
	struct hash hash;
	hash_init(&hash);
	hash_u64(&hash, UINT64_C(0x0102030405060708));
	hash_finish(&hash, hex);
	assert_string_equal(hex, expected);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_answers),
	    cmocka_unit_test(cuts_do_not_matter),
	    cmocka_unit_test(strings_keep_their_ends),
	    cmocka_unit_test(numbers_are_little_endian),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
