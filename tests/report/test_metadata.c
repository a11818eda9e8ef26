// Provenance inside pictures: each format as its own readers find it, and every file that is none refused.
#include "fixture.h"

#include "base/file.h"
#include "report/metadata.h"

#define DESCRIPTION "{\"figure\":\"a<b\",\"label\":\"(x)\\\\\"}"

static struct text describe(const char *name, const void *data, size_t size, bool wanted) {
	char *folder = fixture_folder(), *path = path_join(folder, name), *read;
	struct error error = {0};
	struct text text = {0};
	assert_true(file_write(path, data, size, &error));
	bool good = picture_describe(path, DESCRIPTION, &error);
	if (good != wanted)
		fail_msg("%s: %s", name, error.message);
	if (!good)
		assert_int_equal(error.code, ERROR_RUN);
	assert_true(file_read(path, 1 << 20, &read, &size, &error));
	text_append_bytes(&text, read, size);
	free(read);
	assert_true(folder_remove(folder, &error));
	free(path);
	free(folder);
	return text;
}

static void test_svg(void **state) {
	(void)state;
	static const char svg[] = "<?xml version=\"1.0\"?>\n<svg\n width=\"3\">\n<title>x</title></svg>\n";
	struct text text = describe("a.svg", svg, sizeof(svg) - 1, true);
	assert_string_equal(
	    text_string(&text),
	    "<?xml version=\"1.0\"?>\n<svg\n width=\"3\">\n<metadata>{&quot;figure&quot;:&quot;a&lt;b&quot;,"
	    "&quot;label&quot;:&quot;(x)\\\\&quot;}</metadata>\n<title>x</title></svg>\n");
	text_finish(&text);
	text = describe("a.svg", "no picture", 10, false);
	assert_string_equal(text_string(&text), "no picture");
	text_finish(&text);
}

// The smallest PNG there is: one grey dot, as its specification's chunks spell it.
static const unsigned char dot_png[] = {
    0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n', 0,    0,    0,    13,   'I',  'H',  'D',  'R',  0,
    0,    0,    1,    0,    0,    0,    1,    8,    0,    0,    0,    0,    0x3a, 0x7e, 0x9b, 0x55, 0,
    0,    0,    10,   'I',  'D',  'A',  'T',  0x78, 0x9c, 0x63, 0x68, 0x00, 0,    0x00, 0x82, 0x00, 0x81,
    0xdd, 0x43, 0x6a, 0xf4, 0,    0,    0,    0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};

static uint32_t read_u32(const char *bytes) {
	const unsigned char *b = (const unsigned char *)bytes;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Another way to the same remainder than the code's: by a table.
static uint32_t crc_by_table(const char *bytes, size_t size) {
	uint32_t table[256], remainder = 0xffffffffu;
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
	}
	for (size_t i = 0; i < size; i++)
		remainder = table[(remainder ^ (unsigned char)bytes[i]) & 0xff] ^ remainder >> 8;
	return remainder ^ 0xffffffffu;
}

static void test_png(void **state) {
	(void)state;
	struct text text = describe("a.png", dot_png, sizeof(dot_png), true);
	size_t length = strlen("Description") + 1 + strlen(DESCRIPTION);
	assert_int_equal(text.length, sizeof(dot_png) + 12 + length);
	const char *chunk = text.data + 33;
	assert_memory_equal(text.data, dot_png, 33);
	assert_int_equal(read_u32(chunk), length);
	assert_memory_equal(chunk + 4, "tEXtDescription\0" DESCRIPTION, 4 + length);
	assert_int_equal(read_u32(chunk + 8 + length), crc_by_table(chunk + 4, length + 4));
	assert_int_equal(crc_by_table("IEND", 4), 0xae426082u);
	assert_memory_equal(chunk + 12 + length, dot_png + 33, sizeof(dot_png) - 33);
	text_finish(&text);
	text = describe("a.png", dot_png, 20, false);
	text_finish(&text);
}

static void test_pdf(void **state) {
	(void)state;
	static const char pdf[] = "%PDF-1.5\n1 0 obj\n<< /Producer (cairo) /CreationDate (D:20261126180138Z)\n>>\nendobj\n"
	                          "2 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 3\n...\n"
	                          "trailer\n<< /Size 3\n   /Root 2 0 R\n   /Info 1 0 R\n>>\nstartxref\n112\n%%EOF\n";
	struct text text = describe("a.pdf", pdf, sizeof(pdf) - 1, true);
	const char *now = text_string(&text), *object = strstr(now, "3 0 obj\n"), *table = NULL;
	assert_non_null(strstr(now, "(D:19700101000000Z)"));
	assert_null(strstr(now, "2026"));
	assert_non_null(object);
	table = strstr(object, "xref\n");
	assert_non_null(strstr(object, "/Subject ({\"figure\":\"a<b\",\"label\":\"\\(x\\)\\\\\\\\\"})"));
	struct text wanted = {0};
	text_format(&wanted,
	            "xref\n3 1\n%010zu 00000 n \ntrailer\n<< /Size 4 /Root 2 0 R /Info 3 0 R /Prev 112 "
	            ">>\nstartxref\n%zu\n%%%%EOF\n",
	            (size_t)(object - now), (size_t)(table - now));
	assert_string_equal(table, text_string(&wanted));
	text_finish(&wanted);
	text_finish(&text);
	// Without a table that can be read: a comment, and the date is gone all the same.
	static const char bare[] = "%PDF-1.7\n/CreationDate (D:20261126180138Z)\nstartxref\n9\n%%EOF";
	text = describe("a.pdf", bare, sizeof(bare) - 1, true);
	assert_non_null(strstr(text_string(&text), "(D:19700101000000Z)"));
	assert_non_null(strstr(text_string(&text), "\n% " DESCRIPTION "\n"));
	text_finish(&text);
	text = describe("a.pdf", "<html>", 6, false);
	text_finish(&text);
}

static void test_texts(void **state) {
	(void)state;
	struct text text = describe("a.tex", "x\n", 2, true);
	assert_string_equal(text_string(&text), "% " DESCRIPTION "\nx\n");
	text_finish(&text);
	text = describe("a.md", "| a |\n", 6, true);
	assert_string_equal(text_string(&text), "<!-- " DESCRIPTION " -->\n\n| a |\n");
	text_finish(&text);
	text = describe("a.gif", "GIF", 3, false);
	text_finish(&text);
	char *folder = fixture_folder(), *path = path_join(folder, "none.svg");
	struct error error = {0};
	assert_false(picture_describe(path, DESCRIPTION, &error));
	assert_true(folder_remove(folder, &error));
	free(path);
	free(folder);
}

static void test_ascii(void **state) {
	(void)state;
	struct text text = {0};
	metadata_ascii("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z", &text);
	assert_string_equal(text_string(&text), "a\\u00e9\\u20ac\\ud83d\\ude00z");
	text_finish(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_svg),   cmocka_unit_test(test_png),   cmocka_unit_test(test_pdf),
	    cmocka_unit_test(test_texts), cmocka_unit_test(test_ascii),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
