// The JSON writer against cJSON's reader, and the quoting of text from outside.
#include "fixture.h"

#include "base/file.h"
#include "report/json.h"
#include "report/quote.h"

#include <cJSON.h>

// splitmix64 (Steele et al. 2014): enough to draw test cases.
static uint64_t draw(uint64_t *state) {
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void check_number(double value) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_array(&json, NULL, JSON_INLINE);
	json_real(&json, NULL, value);
	json_end(&json);
	cJSON *array = cJSON_Parse(text_string(&text));
	assert_non_null(array);
	const cJSON *item = cJSON_GetArrayItem(array, 0);
	if (isfinite(value)) {
		assert_true(cJSON_IsNumber(item));
		assert_memory_equal(&item->valuedouble, &value, sizeof(value));
	} else
		assert_true(cJSON_IsNull(item));
	cJSON_Delete(array);
	text_finish(&text);
}

static void test_numbers_read_back(void **state) {
	(void)state;
	const double edges[] = {
	    0,   1,        -1,       0.1, 0.1 + 0.2, 9007199254740993.0, 1e22, 1e300, 5e-324, 2.2250738585072014e-308,
	    NAN, INFINITY, -INFINITY};
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		check_number(edges[i]);
	uint64_t seed = 1;
	for (size_t i = 0; i < 20000; i++) {
		uint64_t bits = draw(&seed);
		double value;
		memcpy(&value, &bits, sizeof(value));
		check_number(value);
	}
}

// Naive check of UTF-8, by decoding to a code point and comparing its size.
static bool is_utf8(const unsigned char *s) {
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	while (*s) {
		size_t length = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
		if (length == 0)
			return false;
		uint32_t code = length == 1 ? *s : *s & (0x7fu >> length);
		for (size_t i = 1; i < length; i++) {
			if (s[i] >> 6 != 2)
				return false;
			code = code << 6 | (s[i] & 0x3fu);
		}
		if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
		s += length;
	}
	return true;
}

static void check_string(const char *string) {
	struct text text = {0};
	struct json json = {.text = &text, .compact = true};
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, string, string);
	json_end(&json);
	assert_true(is_utf8((const unsigned char *)text_string(&text)));
	for (size_t i = 0; i < text.length; i++)
		assert_true((unsigned char)text.data[i] >= 0x20);
	cJSON *object = cJSON_Parse(text_string(&text));
	assert_non_null(object);
	assert_string_equal(object->child->string, object->child->valuestring);
	if (is_utf8((const unsigned char *)string))
		assert_string_equal(object->child->valuestring, string);
	cJSON_Delete(object);
	text_finish(&text);
}

static void test_strings_read_back(void **state) {
	(void)state;
	uint64_t seed = 2;
	check_string(AWKWARD);
	for (size_t i = 0; i < 20000; i++) {
		static const char letters[] =
		    "a\"\\\n\t\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\xc0\xff\xf4\xef\xbf\xbe";
		char string[9] = "";
		size_t length = draw(&seed) % 8;
		for (size_t k = 0; k < length; k++)
			string[k] = letters[draw(&seed) % (sizeof(letters) - 1)];
		check_string(string);
	}
}

static void expect_quoted(void (*quote)(struct text *, const char *), const char *string, const char *expected) {
	struct text text = {0};
	quote(&text, string);
	assert_string_equal(text_string(&text), expected);
	text_finish(&text);
}

static void test_quoting(void **state) {
	(void)state;
	expect_quoted(quote_json, "caf\xe9 caf\xc3\xa9\x01", "\"caf\xc3\xa9 caf\xc3\xa9\\u0001\"");
	expect_quoted(quote_json, "", "\"\"");
	expect_quoted(quote_gnuplot, "it's `x` \"$y\"\n\\", "'it' . \"\\047\" . 's `x` \"$y\" \\'");
	expect_quoted(quote_gnuplot, "", "''");
	expect_quoted(quote_html, "<b>&\"x\"\x7f\xef\xbf\xbf\xef\xbf\xbd", "&lt;b&gt;&amp;&quot;x&quot;  \xef\xbf\xbd");
}

static void write_sample(struct json *json) {
	json_object(json, NULL, JSON_LINES);
	json_count(json, "n", SIZE_MAX);
	json_array(json, "list", JSON_LINES);
	json_object(json, NULL, JSON_INLINE);
	json_bool(json, "yes", true);
	json_string(json, "none", NULL);
	json_end(json);
	json_real(json, NULL, 0.5);
	json_end(json);
	json_object(json, "empty", JSON_LINES);
	json_end(json);
	json_end(json);
}

static void test_layout(void **state) {
	(void)state;
	struct text lines = {0}, compact = {0};
	write_sample(&(struct json){.text = &lines});
	write_sample(&(struct json){.text = &compact, .compact = true});
	assert_string_equal(text_string(&lines),
	                    "{\n\t\"n\": 18446744073709551615,\n\t\"list\": [\n\t\t{\"yes\": true, \"none\": null},"
	                    "\n\t\t0.5\n\t],\n\t\"empty\": {}\n}");
	assert_string_equal(text_string(&compact),
	                    "{\"n\":18446744073709551615,\"list\":[{\"yes\":true,\"none\":null},0.5],\"empty\":{}}");
	text_finish(&lines);
	text_finish(&compact);
}

static void test_reading_refuses(void **state) {
	(void)state;
	char *folder = fixture_folder(), *path = path_join(folder, "x.json");
	static const struct {
		const char *data;
		size_t size;
		bool good;
	} cases[] = {{"{}", 2, true},       {" {\"a\": 1}\n ", 11, true}, {"", 0, false},
	             {"[]", 2, false},      {"{} x", 4, false},           {"{}\0{}", 5, false},
	             {"{\"a\":", 5, false}, {"{\"a\" 1}", 7, false},      {"{}{}", 4, false},
	             {"null", 4, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {0};
		struct cJSON *object = NULL;
		assert_true(file_write(path, cases[i].data, cases[i].size, &error));
		assert_int_equal(json_read(path, 1000, &object, &error), cases[i].good);
		if (!cases[i].good) {
			assert_string_equal(error.message, "not a whole JSON object");
			assert_string_equal(error.file, path);
			assert_int_equal(error.code, ERROR_DATA);
		}
		cJSON_Delete(object);
	}
	struct error error = {0};
	struct cJSON *object = NULL;
	assert_false(json_read(path, 3, &object, &error)); // longer than what may be read
	assert_true(folder_remove(folder, &error));
	assert_false(json_read(path, 1000, &object, &error));
	free(path);
	free(folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers_read_back), cmocka_unit_test(test_strings_read_back),
	    cmocka_unit_test(test_quoting),           cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_reading_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
