// Bytes that are written and read back, and reading past the end.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/memory.h"

static bool put(void *context, const void *data, size_t size) {
	text_append_bytes(context, data, size);
	return true;
}

static bool refuse(void *context, const void *data, size_t size) {
	(void)data, (void)size;
	++*(int *)context;
	return false;
}

static void test_there_and_back(void **state) {
	(void)state;
	struct text text = {0};
	struct bytes_out out = {.context = &text, .put = put};
	bytes_put_u64(&out, UINT64_MAX);
	bytes_put_double(&out, -0.0);
	bytes_put_double(&out, (double)NAN);
	bytes_put_string(&out, "");
	bytes_put_string(&out, "a\xff");
	bytes_put(&out, NULL, 0);
	assert_false(out.failed);
	struct bytes_in in = {.data = text.data, .left = text.length};
	size_t length;
	assert_true(bytes_take_u64(&in) == UINT64_MAX);
	assert_true(signbit(bytes_take_double(&in)));
	assert_true(isnan(bytes_take_double(&in)));
	assert_non_null(bytes_take_string(&in, &length));
	assert_int_equal(length, 0);
	assert_memory_equal(bytes_take_string(&in, &length), "a\xff", 2);
	assert_int_equal(length, 2);
	assert_int_equal(in.left, 0);
	assert_false(in.failed);
	text_finish(&text);
}

static void test_past_the_end(void **state) {
	(void)state;
	const char data[12] = {1, 2, 3};
	struct bytes_in in = {.data = data, .left = sizeof(data)};
	size_t length;
	bytes_take_u64(&in);
	assert_true(bytes_take_u64(&in) == 0); // four are left
	assert_true(in.failed);
	char left[2] = {7, 7};
	bytes_take(&in, left, sizeof(left)); // a failure stays
	assert_int_equal(left[0], 0);
	assert_null(bytes_view(&in, 1));
	in = (struct bytes_in){.data = "\xff\xff\xff\xff\xff\xff\xff\xff!", .left = 9};
	assert_null(bytes_take_string(&in, &length)); // of more than there is
	assert_true(in.failed);
	in = (struct bytes_in){.data = data, .left = sizeof(data)};
	assert_true(bytes_take_below(&in, 0x030201) == 0);
	assert_true(in.failed);
	in = (struct bytes_in){.data = data, .left = sizeof(data)};
	assert_true(bytes_take_below(&in, 0x030202) == 0x030201);
	in = (struct bytes_in){.data = data, .left = sizeof(data)};
	assert_false(bytes_take_equal(&in, 5));
}

static void test_a_failure_is_not_tried_again(void **state) {
	(void)state;
	int count = 0;
	struct bytes_out out = {.context = &count, .put = refuse};
	bytes_put_u64(&out, 1);
	bytes_put_string(&out, "abc");
	assert_true(out.failed);
	assert_int_equal(count, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_past_the_end),
	    cmocka_unit_test(test_a_failure_is_not_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
