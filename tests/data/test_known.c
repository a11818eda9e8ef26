// The table of short ids against a list of all that were entered.
#include "make_data.h"

#include "data/known.h"

#include <stdio.h>

enum { ENTERED = 5000, AHEAD = 16 };

// Names of 1 to 12 bytes, each another one, with something behind them.
static size_t spell(size_t i, char text[32]) {
	static const char *const forms[] = {"%zu", "u%zu", "a%zu-", "ab%06zu", "item%08zu", "%zuxyz"};
	int length = snprintf(text, 32, forms[i % 6], i);
	assert_true(length > 0 && length <= KNOWN_BYTES);
	memset(text + length, 'z', (size_t)AHEAD);
	return (size_t)length;
}

static void finds_what_was_entered(void **state) {
	(void)state;
	struct known known = {0};
	char text[32 + AHEAD];
	uint32_t index;
	size_t found = 0;
	assert_false(known_find(&known, known_key("a", 1), &index));
	for (size_t i = 0; i < ENTERED; i++) {
		size_t length = spell(i, text);
		assert_false(known_find(&known, known_key(text, length), &index));
		known_add(&known, known_key(text, length), (uint32_t)i);
	}
	for (size_t i = 0; i < 2 * ENTERED; i++) {
		size_t length = spell(i, text);
		struct known_key key = known_key(text, length);
		index = UINT32_MAX;
		if (known_find(&known, key, &index)) {
			assert_int_equal(index, i);
			assert_true(i < ENTERED);
			found++;
		}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		struct known_key ahead = known_key_ahead(text, length);
		assert_true(ahead.low == key.low && ahead.high == key.high);
#endif
	}
	assert_int_equal(found, known.count);
	assert_true(found > ENTERED * 99 / 100); // one without a slot near its own is left out
	known_finish(&known);
	known_finish(&known);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_entered)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
