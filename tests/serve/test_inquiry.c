// Questions and answers: the bytes of the command line, what is refused and as what, and the bounds of one question.
#include "serve/inquiry.h"

#include "hand.h"
#include "recommend/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/aexp-inquiry-XXXXXX";
static struct aexp_model *model;

static int make(void **state) {
	(void)state;
	struct error error = {0};
	int file = mkstemp(path);
	return file < 0 || close(file) || !hand_write(path, "1") || !model_open(path, NULL, &model, &error);
}

static int unmake(void **state) {
	(void)state;
	aexp_close(model);
	return unlink(path);
}

static const struct inquiry lists = {.how = {.top = 10}, .from = "the test"};
static const struct inquiry pairs = {.how = {.top = 10}, .from = "the test", .predicts = true};

static void hold(const struct inquiry *q, const char *lines, enum status status, const char *wanted) {
	struct text text = {0};
	struct error error = {0};
	enum status was = inquiry_answer(model, q, lines, strlen(lines), &text, &error);
	if (was != status)
		fail_msg("%s: status %d, expected %d: %s", lines, was, status, error.message);
	if (status == STATUS_GOOD)
		assert_string_equal(text_string(&text), wanted);
	else if (!strstr(error.message, wanted))
		fail_msg("%s: \"%s\" lacks \"%s\"", lines, error.message, wanted);
	text_finish(&text);
}

static void test_answers(void **state) {
	(void)state;
	hold(&lists, "{\"id\": \"u\", \"ratings\": {\"a\": 2, \"b\": 3}}", STATUS_GOOD,
	     "{\"id\": \"u\", \"items\": [{\"item\": \"c\", \"score\": 12}, {\"item\": \"d\", \"score\": 9, \"title\": "
	     "\"Delta\"}], \"from\": \"ratings\"}\n");
	struct inquiry one = lists;
	one.how.top = 1;
	one.before = 6;
	hold(&one, "{}\n\n  \n{\"id\": 3}\r\n", STATUS_GOOD,
	     "{\"id\": \"7\", \"items\": [{\"item\": \"b\", \"score\": 9}], \"from\": \"popularity\"}\n"
	     "{\"id\": \"3\", \"items\": [{\"item\": \"b\", \"score\": 9}], \"from\": \"popularity\"}\n");
	hold(&pairs, "{\"id\": \"u\", \"ratings\": {\"a\": 2, \"b\": 3}, \"items\": [\"d\"]}", STATUS_GOOD,
	     "{\"id\": \"u\", \"items\": [{\"item\": \"d\", \"score\": 9, \"rating\": 9, \"title\": \"Delta\"}], "
	     "\"from\": \"ratings\"}\n");
}

static void test_refusals(void **state) {
	(void)state;
	static const char *const bad[][2] = {
	    {"", "nothing is asked"},
	    {" \n\n", "nothing is asked"},
	    {"id,item,rating\nu,a,5\n", "not one JSON object"},
	    {"{\"id\": \"u\"", "not one JSON object"},
	    {"{} {}", "not one JSON object"},
	    {"[]", "not one JSON object"},
	    {"{\"rating\": {}}", "there is no member"},
	    {"{\"ratings\": {\"a\": \"5\"}}", "no number is the rating"},
	    {"{\"ratings\": {\"a\": 5, \"a\": 4}}", "is rated twice"},
	    {"{\"items\": [\"a\"]}", "there is no member"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		hold(&lists, bad[i][0], STATUS_BAD, bad[i][1]);
	hold(&pairs, "{\"id\": \"42\", \"items\": [\"a\"]}", STATUS_BAD, "users of the run's data are not served");
	struct inquiry strict = lists;
	strict.how.strict = true;
	hold(&strict, "{\"ratings\": {\"zebra\": 5}}", STATUS_BAD, "\"zebra\" is unknown");
}

static void test_where(void **state) {
	(void)state;
	struct error error = {0};
	struct text text = {0};
	const char lines[] = "{}\n{\"ratins\": {}}\n", nul[] = "{\"id\": \"a\0b\"}";
	assert_int_equal(inquiry_answer(model, &lists, lines, strlen(lines), &text, &error), STATUS_BAD);
	text.length = 0;
	inquiry_refuse(&error, &text);
	assert_string_equal(text_string(&text), "{\"error\": \"there is no member \\\"ratins\\\"\", \"hint\": \"Did you "
	                                        "mean \\\"ratings\\\"?\", \"line\": 2}\n");
	assert_int_equal(inquiry_answer(model, &lists, nul, sizeof(nul) - 1, &text, &error), STATUS_BAD);
	assert_non_null(strstr(error.message, "NUL"));
	text_finish(&text);
}

// So many lines, each that text.
static void hold_many(const struct inquiry *q, size_t count, const char *line, enum status status) {
	struct text lines = {0}, text = {0};
	struct error error = {0};
	for (size_t i = 0; i < count; i++)
		text_append(&lines, line);
	assert_int_equal(inquiry_answer(model, q, lines.data, lines.length, &text, &error), status);
	text_finish(&lines);
	text_finish(&text);
}

static void test_bounds(void **state) {
	(void)state;
	struct inquiry q = lists;
	q.how.top = 1;
	hold_many(&q, INQUIRY_ROWS_MOST, "{}\n", STATUS_GOOD);
	hold_many(&q, INQUIRY_ROWS_MOST + 1, "{}\n", STATUS_TOO_MUCH);
	q.how.top = INQUIRY_TOP_MOST;
	hold_many(&q, INQUIRY_LIST_MOST / INQUIRY_TOP_MOST, "{}\n", STATUS_GOOD);
	hold_many(&q, INQUIRY_LIST_MOST / INQUIRY_TOP_MOST + 1, "{}\n", STATUS_TOO_MUCH);
	q.how.top = 1;
	q.how.reasons = 3; // a row for the user, and one for each rating
	hold_many(&q, INQUIRY_ROWS_MOST / 3, "{\"ratings\": {\"a\": 1, \"b\": 1}}\n", STATUS_GOOD);
	hold_many(&q, INQUIRY_ROWS_MOST / 3 + 1, "{\"ratings\": {\"a\": 1, \"b\": 1}}\n", STATUS_TOO_MUCH);
}

static void test_parameters(void **state) {
	(void)state;
	struct inquiry q = lists;
	struct error error = {0};
	assert_true(inquiry_set(&q, "top", "3", &error) && q.how.top == 3);
	assert_true(inquiry_set(&q, "include_rated", "1", &error) && q.how.include_rated);
	assert_true(inquiry_set(&q, "include_rated", "false", &error) && !q.how.include_rated);
	assert_true(inquiry_set(&q, "strict", "", &error) && q.how.strict);
	assert_true(inquiry_set(&q, "explain", "true", &error) && q.how.reasons);
	assert_true(inquiry_set(&q, "explain", "0", &error) && !q.how.reasons);
	static const char *const bad[][2] = {{"top", "0"},  {"top", "1001"}, {"top", "-1"},     {"top", ""},
	                                     {"top", "3 "}, {"top", "1e1"},  {"strict", "yes"}, {"tpo", "3"},
	                                     {"", "3"},     {"explain", "2"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(inquiry_set(&q, bad[i][0], bad[i][1], &error));
	assert_false(inquiry_set(&q, "tpo", "3", &error));
	assert_string_equal(error.hint, "Did you mean \"top\"?");
	q = pairs;
	assert_false(inquiry_set(&q, "top", "3", &error));
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers), cmocka_unit_test(test_refusals),
	                                   cmocka_unit_test(test_where), cmocka_unit_test(test_bounds),
	                                   cmocka_unit_test(test_parameters)};
	return cmocka_run_group_tests(tests, make, unmake);
}
