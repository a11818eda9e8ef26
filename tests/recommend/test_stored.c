// Files that are no models, or lie: each must be refused with a reason, and none be read beyond its end.
#include "recommend/stored.h"

#include "scratch.h"

// length 0: the header's own, padded to 8 bytes.
static void write_file(const char *header, uint64_t length, size_t body) {
	struct text text = {0};
	struct error error = {0};
	size_t padded = (strlen(header) + 7) / 8 * 8;
	length = length ? length : padded;
	text_append_bytes(&text, &length, 8);
	text_append(&text, header);
	for (size_t i = strlen(header); i < padded; i++)
		text_append(&text, " ");
	for (size_t i = 0; i < body; i++)
		text_append_bytes(&text, "\0", 1);
	assert_true(file_write(path, text.data, text.length, &error));
	text_finish(&text);
}

static bool opens(struct error *error) {
	struct stored stored;
	bool good = stored_open(path, &stored, error);
	stored_close(&stored);
	return good;
}

#define TENSOR(name, shape, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_good(void **state) {
	(void)state;
	struct stored stored;
	struct error error = {0};
	write_file("{\"__metadata__\":{\"a\":\"[1]\",\"b\":\"[\"}," TENSOR("y", "[2,3]", "[8,32]") "," TENSOR(
	               "none", "[0]", "[8,8]") "," TENSOR("x", "[2]", "[0,8]") "}",
	           0, 32);
	assert_true(stored_open(path, &stored, &error));
	assert_int_equal(stored.tensors_count, 3);
	const struct tensor_facts *x = stored_tensor(&stored, "x"), *y = stored_tensor(&stored, "y");
	assert_non_null(x);
	assert_int_equal(x->dimensions, 1);
	assert_ptr_equal((const char *)y->data, (const char *)x->data + 8);
	assert_int_equal(y->shape[1], 3);
	assert_null(stored_tensor(&stored, "z"));
	assert_string_equal(stored_text(&stored, "a"), "[1]");
	assert_null(stored_text(&stored, "c"));
	struct cJSON *value;
	assert_false(stored_json(&stored, "b", &value, &error));
	assert_false(stored_json(&stored, "c", &value, &error));
	stored_close(&stored);
}

static void test_hostile(void **state) {
	(void)state;
	static const struct {
		const char *header;
		uint64_t length; // 0: as it is
		size_t body;
		const char *says;
	} cases[] = {
	    {"{}", 1000, 0, "longer than the file"},
	    {"{}", UINT64_MAX, 0, "longer than the file"},
	    {"{}", UINT64_MAX - 7, 0, "longer than the file"},
	    {"{}", 100000001, 0, "longer than the file"},
	    {"", 0, 0, "no JSON object"},
	    {"[]", 0, 0, "no JSON object"},
	    {"{\"a\"", 0, 0, "no JSON object"},
	    {"{} x", 0, 0, "behind the header"},
	    {"{}", 0, 4, "behind the tensors"},
	    {"{\"x\":3}", 0, 0, "not of single precision (F32) is the tensor \"x\""},
	    {"{\"x\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 0, 2, "(F32) is the tensor \"x\""},
	    {"{" TENSOR("x", "[]", "[0,4]") "}", 0, 4, "no shape"},
	    {"{" TENSOR("x", "[1,1,1]", "[0,4]") "}", 0, 4, "no shape"},
	    {"{" TENSOR("x", "[-1]", "[0,4]") "}", 0, 4, "no shape"},
	    {"{" TENSOR("x", "[0.5]", "[0,2]") "}", 0, 2, "no shape"},
	    {"{" TENSOR("x", "[1e300]", "[0,4]") "}", 0, 4, "no shape"},
	    {"{" TENSOR("x", "[4294967296,4294967296]", "[0,0]") "}", 0, 0, "no shape"},
	    {"{" TENSOR("x", "[2]", "[0,4]") "}", 0, 4, "other bytes"},
	    {"{" TENSOR("x", "[2]", "[0,8]") "}", 0, 4, "not within the file"},
	    {"{" TENSOR("x", "[1]", "[4,0]") "}", 0, 4, "not within the file"},
	    {"{" TENSOR("x", "[1]", "[-4,0]") "}", 0, 4, "not within the file"},
	    {"{" TENSOR("x", "[1]", "[0]") "}", 0, 4, "not within the file"},
	    {"{" TENSOR("x", "[1]", "[9007199254740988,9007199254740991]") "}", 0, 4, "not within the file"},
	    {"{" TENSOR("x", "[1]", "[2,6]") "}", 0, 8, "not where numbers may lie"},
	    {"{" TENSOR("x", "[1]", "[0,4]") "," TENSOR("y", "[1]", "[0,4]") "}", 0, 4, "over another one"},
	    {"{" TENSOR("x", "[2]", "[0,8]") "," TENSOR("y", "[2]", "[4,12]") "}", 0, 12, "over another one"},
	    {"{" TENSOR("x", "[1]", "[0,4]") "," TENSOR("y", "[1]", "[8,12]") "}", 0, 12, "behind a hole"},
	    {"{" TENSOR("x", "[1]", "[0,4]") "," TENSOR("x", "[1]", "[4,8]") "}", 0, 8, "twice there is"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {0};
		write_file(cases[i].header, cases[i].length, cases[i].body);
		if (opens(&error) || error.code != ERROR_DATA || !strstr(error.message, cases[i].says))
			fail_msg("%s: %s", cases[i].header, error.message);
	}
}

// A good file cut short anywhere, and with any byte of its header changed, is refused or is sound: never a fault.
static void test_cut_and_changed(void **state) {
	(void)state;
	static const char header[] = "{\"__metadata__\":{\"a\":\"1\"}," TENSOR("x", "[2]", "[0,8]") "}";
	struct error error = {0};
	char *data;
	size_t size;
	write_file(header, 0, 8);
	assert_true(file_read(path, 1 << 20, &data, &size, &error));
	for (size_t cut = 0; cut < size; cut++) {
		assert_true(file_write(path, data, cut, &error));
		assert_false(opens(&error));
	}
	for (size_t i = 0; i < size - 8; i++) {
		static const char bytes[] = {0, '9', '{', '"', ']', (char)0xff};
		char before = data[i];
		for (size_t b = 0; b < sizeof(bytes); b++) {
			data[i] = bytes[b];
			assert_true(file_write(path, data, size, &error));
			opens(&error);
		}
		data[i] = before;
	}
	free(data);
	assert_true(file_write(path, "", 0, &error));
	assert_false(opens(&error));
}

static void test_no_file(void **state) {
	(void)state;
	struct stored stored;
	struct error error = {0};
	assert_false(stored_open("/no/such/file", &stored, &error));
	assert_int_equal(error.code, ERROR_DATA);
	stored_close(&stored);
	assert_false(stored_open("/tmp", &stored, &error));
	stored_close(&stored);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_cut_and_changed),
	    cmocka_unit_test(test_no_file),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
