// Errors: what is filled and what is left, the exact spelling, aliasing, truncation, growing lists.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void set_fills_everything(void **state) {
	(void)state;
	struct error error;
	memset(&error, 'x', sizeof error); // garbage must not shine through
	assert_false(error_set(&error, ERROR_DATA, "no item \"%s\" among %d", "i7", 12));
	assert_int_equal(error.code, ERROR_DATA);
	assert_string_equal(error.message, "no item \"i7\" among 12");
	assert_string_equal(error.file, "");
	assert_string_equal(error.hint, "");
	assert_int_equal(error.line, 0);
	assert_false(error_at(&error, ERROR_CONFIG, (struct origin){"a.cfg", 12}, "unknown key \"%s\"", "epoch"));
	error_hint(&error, "Did you mean \"%s\"?", "epochs");
	assert_int_equal(error.code, ERROR_CONFIG);
	assert_string_equal(error.file, "a.cfg");
	assert_int_equal(error.line, 12);
	assert_string_equal(error.hint, "Did you mean \"epochs\"?");
	assert_false(error_set(&error, ERROR_RUN, "later"));
	assert_string_equal(error.hint, ""); // a hint belongs to its own message
	assert_string_equal(error.file, "");
}

static void nobody_listens(void **state) {
	(void)state;
	assert_false(error_set(NULL, ERROR_RUN, "x"));
	assert_false(error_at(NULL, ERROR_RUN, (struct origin){"f", 1}, "x"));
	error_hint(NULL, "x");
}

static void format_says_what_is_known(void **state) {
	(void)state;
	static const struct {
		struct origin at;
		const char *text;
	} cases[] = {
	    {{NULL, 0}, "bad"},
	    {{NULL, 7}, "bad"},
	    {{"", 7}, "bad"},
	    {{"a.cfg", 7}, "a.cfg:7: bad"},
	    {{"-s train.epochs", 0}, "-s train.epochs: bad"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct error error = {0};
		char text[64];
		error_at(&error, ERROR_CONFIG, cases[i].at, "bad");
		error_format(&error, text, sizeof text);
		assert_string_equal(text, cases[i].text);
	}
	struct error error = {0};
	error_at(&error, ERROR_CONFIG, (struct origin){"a.cfg", 7}, "bad");
	char few[6] = "?????";
	error_format(&error, few, sizeof few);
	assert_string_equal(few, "a.cfg"); // cut, and terminated
	char one[1] = {'?'};
	error_format(&error, one, 1);
	assert_string_equal(one, "");
}

static void arguments_may_be_the_error_itself(void **state) {
	(void)state;
	struct error error = {0};
	error_at(&error, ERROR_DATA, (struct origin){"u.data", 3}, "inner");
	error_at(&error, ERROR_DATA, (struct origin){error.file, error.line}, "outer: %s", error.message);
	assert_string_equal(error.message, "outer: inner");
	assert_string_equal(error.file, "u.data");
	assert_int_equal(error.line, 3);
	error_hint(&error, "First.");
	error_hint(&error, "%s Second.", error.hint);
	assert_string_equal(error.hint, "First. Second.");
}

static void long_texts_are_cut(void **state) {
	(void)state;
	char text[3000];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct error error;
	error_at(&error, ERROR_RUN, (struct origin){text, 1}, "%s", text);
	error_hint(&error, "%s", text);
	assert_int_equal(strlen(error.message), ERROR_TEXT_MAX - 1);
	assert_int_equal(strlen(error.hint), ERROR_TEXT_MAX - 1);
	assert_int_equal(strlen(error.file), ERROR_FILE_MAX - 1);
}

static void lists_grow(void **state) {
	(void)state;
	struct errors errors = {0};
	for (size_t i = 0; i < 100; i++) {
		struct error *added =
		    errors_add(&errors, i % 2 ? ERROR_DATA : ERROR_CONFIG, (struct origin){"f", i}, "number %zu", i);
		assert_ptr_equal(added, &errors.items[i]);
		error_hint(added, "Hint %zu.", i);
	}
	while (errors.count < 300) // its own first item, at each point where the list moves too
		errors_push(&errors, &errors.items[0]);
	for (size_t i = 0; i < 100; i++) {
		char text[64];
		snprintf(text, sizeof text, "number %zu", i);
		assert_string_equal(errors.items[i].message, text);
		snprintf(text, sizeof text, "Hint %zu.", i);
		assert_string_equal(errors.items[i].hint, text);
		assert_int_equal(errors.items[i].line, i);
		assert_int_equal(errors.items[i].code, i % 2 ? ERROR_DATA : ERROR_CONFIG);
	}
	for (size_t i = 100; i < 300; i++)
		assert_string_equal(errors.items[i].hint, "Hint 0.");
	errors_finish(&errors);
	assert_null(errors.items);
	assert_int_equal(errors.count, 0);
	errors_finish(&errors);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_fills_everything),      cmocka_unit_test(nobody_listens),
	    cmocka_unit_test(format_says_what_is_known), cmocka_unit_test(arguments_may_be_the_error_itself),
	    cmocka_unit_test(long_texts_are_cut),        cmocka_unit_test(lists_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
