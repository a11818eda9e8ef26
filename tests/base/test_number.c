// Numbers as text: round trips, agreement with strtod on random and awkward decimals, strictness, foreign locales.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/random.h"

static bool reads_back(double value) {
	char text[NUMBER_TEXT];
	double again;
	number_write(value, text);
	return number_read(text, strlen(text), &again) && memcmp(&again, &value, sizeof value) == 0;
}

static void every_double_reads_back(void **state) {
	(void)state;
	static const double values[] = {
	    0.0,     -0.0,    0.1,          0.1 + 0.2, 1.0 / 3, 1e22, 1e23, 9007199254740993.0,
	    DBL_MAX, DBL_MIN, DBL_TRUE_MIN, -DBL_MAX,  5e-324,  1e-5, 1e15, 123456789012345680.0};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		assert_true(reads_back(values[i]));
	struct random_stream stream = random_stream_make(1, "test", "number");
	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t bits = random_u64(stream, 0, 0, i);
		double value;
		memcpy(&value, &bits, sizeof value);
		if (isfinite(value))
			assert_true(reads_back(value));
		assert_true(reads_back((double)(float)random_normal(stream, 1, 0, i)));
	}
}

static void writes_the_shortest(void **state) {
	(void)state;
	static const struct {
		double value;
		const char *text;
	} cases[] = {
	    {0, "0"},        {-0.0, "-0"},   {1, "1"},          {0.1, "0.1"},        {0.1 + 0.2, "0.30000000000000004"},
	    {1e-8, "1e-08"}, {2017, "2017"}, {1e300, "1e+300"}, {3.5, "3.5"},        {1.0 / 3, "0.3333333333333333"},
	    {NAN, "nan"},    {-NAN, "nan"},  {INFINITY, "inf"}, {-INFINITY, "-inf"}, {-DBL_MAX, "-1.7976931348623157e+308"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[NUMBER_TEXT];
		number_write(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
}

// Random decimals of 1 to 25 digits with a point anywhere and an exponent at times, against strtod bit for bit.
static void reads_as_strtod_does(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(2, "test", "number");
	for (uint32_t trial = 0; trial < 50000; trial++) {
		struct random_block block = random_block_at(stream, 0, trial, 0);
		uint32_t digits = block.lane[0] % 25 + 1, point = block.lane[1] % 30, length = 0;
		char text[64];
		if (block.lane[2] % 3 == 0)
			text[length++] = "+-"[block.lane[2] / 3 % 2];
		for (uint32_t i = 0; i < digits; i++) {
			if (i == point)
				text[length++] = '.';
			text[length++] = (char)('0' + random_u32(stream, 1, trial, i) % (block.lane[3] % 2 ? 10 : 2));
		}
		text[length] = '\0';
		if (block.lane[3] % 5 == 0)
			length += (uint32_t)sprintf(text + length, "%c%d", "eE"[trial % 2], (int)(block.lane[3] / 5 % 600) - 320);
		double expected = strtod(text, NULL), value = 42;
		assert_int_equal(number_read(text, length, &value), isfinite(expected));
		if (isfinite(expected))
			assert_memory_equal(&value, &expected, sizeof value);
	}
}

static void refuses_what_is_no_number(void **state) {
	(void)state;
	static const char *const bad[] = {"",    " ",   "1 ",    " 1",       "+",     "-",     ".",     "+.",
	                                  "e5",  "1e",  "1e+",   "1e5x",     "1.2.3", "--1",   "+-1",   "0x10",
	                                  "inf", "nan", "NaN",   "infinity", "1,5",   "1_000", "1e309", "-1e400",
	                                  "1L",  "1f",  "1e5.0", ".e1",      "1 e5",  "１"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		double value = 42;
		assert_false(number_read(bad[i], strlen(bad[i]), &value));
		assert_true(value == 42);
	}
	double value;
	assert_false(number_read("1\0002", 3, &value)); // a NUL inside
	assert_true(number_read("123", 2, &value));     // the length counts, not the terminator
	assert_true(value == 12);
	assert_true(number_read("4.5::6", 3, &value) && value == 4.5);
}

static void reads_odd_ones(void **state) {
	(void)state;
	static const struct {
		const char *text;
		double value;
	} cases[] = {
	    {"5.", 5},
	    {".5", 0.5},
	    {"+3", 3},
	    {"-.5e1", -5},
	    {"00012", 12},
	    {"1e-400", 0},
	    {"0e999999999999", 0},
	    {"0.00000000000000000000000000000000000001", 1e-38},
	    {"9007199254740993", 9007199254740992.0},
	    {"9007199254740993.0000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
	     9007199254740994.0}, // longer than any buffer of ours, and the last digit decides
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = 42;
		assert_true(number_read(cases[i].text, strlen(cases[i].text), &value));
		assert_true(value == cases[i].value);
	}
}

static void integers(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {
	    {"0", true, 0},
	    {"-0", true, 0},
	    {"+12", true, 12},
	    {"3000000000", true, 3000000000},
	    {"9223372036854775807", true, INT64_MAX},
	    {"-9223372036854775808", true, INT64_MIN},
	    {"9223372036854775808", false, 0},
	    {"-9223372036854775809", false, 0},
	    {"99999999999999999999", false, 0},
	    {"000000000000000000000000007", true, 7},
	    {"", false, 0},
	    {"-", false, 0},
	    {"1.0", false, 0},
	    {"1e3", false, 0},
	    {"0x1", false, 0},
	    {"12L", false, 0},
	    {" 1", false, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t value = 42;
		assert_int_equal(number_read_integer(cases[i].text, strlen(cases[i].text), &value), cases[i].fits);
		assert_true(value == (cases[i].fits ? cases[i].value : 42));
	}
	struct random_stream stream = random_stream_make(3, "test", "number");
	for (uint32_t i = 0; i < 10000; i++) {
		int64_t wanted = (int64_t)(random_u64(stream, 0, 0, i) >> i % 64), value = 0;
		char text[NUMBER_TEXT];
		int length = snprintf(text, sizeof text, "%" PRId64, wanted);
		assert_true(number_read_integer(text, (size_t)length, &value) && value == wanted);
	}
}

static void for_people(void **state) {
	(void)state;
	static const struct {
		uint64_t value;
		const char *text;
	} counts[] = {{0, "0"},
	              {12, "12"},
	              {999, "999"},
	              {1000, "1,000"},
	              {100000, "100,000"},
	              {1000209, "1,000,209"},
	              {UINT64_MAX, "18,446,744,073,709,551,615"}};
	static const struct {
		double value;
		const char *text;
	} bytes[] = {{0, "0 B"},
	             {1, "1 B"},
	             {1023, "1023 B"},
	             {1023.7, "1.0 KiB"},
	             {1024, "1.0 KiB"},
	             {1536, "1.5 KiB"},
	             {1048524, "1023.9 KiB"},
	             {1048575, "1.0 MiB"},
	             {1288490189, "1.2 GiB"},
	             {0x1p62, "4.0 EiB"},
	             {0x1p75, "32768.0 EiB"}};
	char text[NUMBER_TEXT];
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		number_write_count(counts[i].value, text);
		assert_string_equal(text, counts[i].text);
	}
	for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
		number_write_bytes(bytes[i].value, text);
		assert_string_equal(text, bytes[i].text);
	}
	number_write_bytes(DBL_MAX, text); // no more than the buffer holds
}

// A locale that writes decimal commas: any one that is installed; the numbers must not change under it.
static void locales_do_not_matter(void **state) {
	(void)state;
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8", "fr_FR.utf8",
	                                    "es_ES.UTF-8", "it_IT.UTF-8", "nl_NL.UTF-8", "pt_BR.UTF-8"};
	bool found = false;
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++)
		found = setlocale(LC_ALL, names[i]) != NULL;
	if (!found) {
		print_message("no locale with a decimal comma is installed here\n");
		skip();
	}
	char text[NUMBER_TEXT];
	double value = 0;
	number_write(1234.5, text);
	bool fine = strcmp(text, "1234.5") == 0;
	number_write_bytes(1536, text);
	fine = fine && strcmp(text, "1.5 KiB") == 0;
	fine = fine && number_read("1.5e3", 5, &value) && value == 1500 && !number_read("1,5", 3, &value);
	fine = fine && strcmp(localeconv()->decimal_point, ",") == 0; // and the caller's locale is as it was
	setlocale(LC_ALL, "C");
	assert_true(fine);
}

static void test_single(void **state) {
	(void)state;
	static const struct {
		float value;
		const char *text;
	} cases[] = {{0.1f, "0.1"}, {0.93f, "0.93"}, {1e30f, "1e+30"},   {16777216, "16777216"}, {1 / 3.0f, "0.33333334"},
	             {-0.0f, "-0"}, {NAN, "nan"},    {-INFINITY, "-inf"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[NUMBER_TEXT];
		number_write_single(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
	uint32_t bits = 1;
	for (int i = 0; i < 20000; i++) { // what is written reads back as the same float
		char text[NUMBER_TEXT];
		float value;
		double back;
		bits = bits * 1664525u + 1013904223u;
		memcpy(&value, &bits, sizeof value);
		if (!isfinite(value))
			continue;
		number_write_single(value, text);
		assert_true(number_read(text, strlen(text), &back));
		assert_true((float)back == value);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_single),
	    cmocka_unit_test(every_double_reads_back),
	    cmocka_unit_test(writes_the_shortest),
	    cmocka_unit_test(reads_as_strtod_does),
	    cmocka_unit_test(refuses_what_is_no_number),
	    cmocka_unit_test(reads_odd_ones),
	    cmocka_unit_test(integers),
	    cmocka_unit_test(for_people),
	    cmocka_unit_test(locales_do_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
