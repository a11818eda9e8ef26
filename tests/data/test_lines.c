// Cutting text into lines and fields: the rules one by one, random tables written and read back, and where blocks end.
#include "load_fixture.h"

#include "base/random.h"
#include "data/lines.h"
#include "data/utf8.h"

static const struct lines_layout csv = {.separator = ",", .quotes = true};

// All fields of a file as "[a][b]|[c]", with line numbers in front where they are asked for; or the error's message.
static const char *cut(struct fixture *f, const char *bytes, size_t size, const struct lines_layout *layout,
                       bool numbers) {
	struct lines lines;
	struct error error = {0};
	struct text out = {0};
	write_bytes(f, "text", bytes, size);
	bool more = true, fine = lines_open(fixture_path(f, "text"), NULL, layout, &lines, &error);
	bool opened = fine;
	while (fine && (fine = lines_next(&lines, &more, &error)) && more) {
		if (numbers)
			text_format(&out, "%zu", lines.line);
		for (size_t i = 0; i < lines.count; i++)
			text_format(&out, "[%.*s]", (int)lines.fields[i].length, lines.fields[i].data);
		text_append(&out, "|");
	}
	if (opened)
		lines_close(&lines);
	if (!fine) {
		char line[3000];
		error_format(&error, line, sizeof line);
		text_append(&out, line);
	}
	const char *kept = spelled(f, text_string(&out));
	text_finish(&out);
	return kept;
}

static const char *cut_text(struct fixture *f, const char *text, const struct lines_layout *layout) {
	return cut(f, text, strlen(text), layout, false);
}

static void test_rules(void **state) {
	struct fixture *f = *state;
	const struct lines_layout tab = {.separator = "\t"}, colons = {.separator = "::"};
	static const struct {
		const char *text, *cut;
	} cases[] = {
	    {"", ""},
	    {"\n\r\n\n", ""},
	    {"a", "[a]|"},
	    {"a,b\nc,d\n", "[a][b]|[c][d]|"},
	    {"a,b\r\nc,d\r\n", "[a][b]|[c][d]|"},
	    {"a,b\n\n\nc", "[a][b]|[c]|"},
	    {",", "[][]|"},
	    {"a,,b,", "[a][][b][]|"},
	    {"\xEF\xBB\xBF"
	     "a,b",
	     "[a][b]|"},
	    {"\"a\",\"b,c\",\"\"", "[a][b,c][]|"},
	    {"\"say \"\"hi\"\"\",x", "[say \"hi\"][x]|"},
	    {"\"\"\"\"\"\"", "[\"\"]|"},
	    {"\"a\nb\",c\nd,e", "[a\nb][c]|[d][e]|"},
	    {"a\"b,\"c\"", "[a\"b][c]|"}, // a quote within a field is a character
	    {"\"a\"\r\n\"b\"\r\n", "[a]|[b]|"},
	    {"x\n\"a\"b,c", "[x]|text:2: text behind a closing quote"},
	    {"x\n\"a,b\nc", "[x]|text:2: a quoted field is not closed"},
	    {"\"", "text:1: a quoted field is not closed"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(cut_text(f, cases[i].text, &csv), cases[i].cut);
	assert_string_equal(cut_text(f, "\"a\tb\"\t c \n", &tab), "[\"a][b\"][ c ]|");
	assert_string_equal(cut_text(f, "a::b:c:::d::\n::", &colons), "[a][b:c][:d][]|[][]|");
	assert_string_equal(cut(f, "a\n\n\"b\nc\nd\",e\nf\n", 15, &csv, true), "1[a]|3[b\nc\nd][e]|6[f]|");
}

static void test_bad_bytes(void **state) {
	struct fixture *f = *state;
	assert_string_equal(cut(f, "a\nb\0c\n", 6, &csv, false), "[a]|text:2: the line holds a NUL byte");
	char *line = malloc(LINE_BYTES_MAX + 3);
	memset(line, 'x', LINE_BYTES_MAX + 3);
	line[0] = '\n';
	line[LINE_BYTES_MAX + 1] = '\n'; // the longest line that is read
	assert_int_equal(strlen(cut(f, line, LINE_BYTES_MAX + 2, &csv, false)), LINE_BYTES_MAX + 3);
	line[LINE_BYTES_MAX + 1] = 'x';
	assert_string_equal(cut(f, line, LINE_BYTES_MAX + 2, &csv, false), "text:2: the line is longer than 1 MiB");
	line[LINE_BYTES_MAX + 2] = '\n';
	assert_string_equal(cut(f, line, LINE_BYTES_MAX + 3, &csv, false), "text:2: the line is longer than 1 MiB");
	free(line);
}

static void append_cell(struct text *file, struct text *expected, struct random_stream stream, uint64_t row,
                        uint32_t unit, bool quotes) {
	static const char alphabet[] = {'a', 'b', ':', ' ', '"', ',', '\n', '7'};
	bool quoted = quotes && random_u32(stream, 0, row, 1000 + unit) % 3 == 0;
	size_t length = random_u32(stream, 1, row, unit) % 9;
	text_append(expected, "[");
	text_append(file, quoted ? "\"" : "");
	for (size_t i = 0; i < length; i++) {
		char c = alphabet[random_u32(stream, 2, row, unit * 16 + (uint32_t)i) % sizeof alphabet];
		bool plain = c == 'a' || c == 'b' || c == ' ' || c == '7' || (c == '"' && i > 0 && !quoted);
		if (!quoted && !plain)
			c = 'z';
		text_append_bytes(file, quoted && c == '"' ? "\"\"" : &c, quoted && c == '"' ? 2 : 1);
		text_append_bytes(expected, &c, 1);
	}
	text_append(file, quoted ? "\"" : "");
	text_append(expected, "]");
}

// Tables of random cells are written by the rules and must come back; they are large enough to cross the buffer's end.
static void test_round_trip(void **state) {
	struct fixture *f = *state;
	const struct lines_layout layouts[] = {{",", true}, {"::", true}, {":,", false}};
	for (size_t l = 0; l < 3; l++) {
		struct random_stream stream = random_stream_make(l, "test", "lines");
		struct text file = {0}, expected = {0};
		for (uint64_t row = 0; file.length < (size_t)LINE_BYTES_MAX * 3 / 2; row++) {
			size_t cells = 2 + random_u32(stream, 3, row, 0) % 5;
			for (uint32_t i = 0; i < cells; i++) {
				text_append(&file, i > 0 ? layouts[l].separator : "");
				append_cell(&file, &expected, stream, row, i, layouts[l].quotes);
			}
			text_append(&expected, "|");
			text_append(&file, random_u32(stream, 3, row, 1) % 2 ? "\r\n" : "\n");
		}
		const char *got = cut(f, file.data, file.length, &layouts[l], false);
		assert_int_equal(strlen(got), expected.length);
		assert_memory_equal(got, expected.data, expected.length);
		text_finish(&file);
		text_finish(&expected);
		arena_finish(&f->arena);
	}
}

static void test_utf8(void **state) {
	(void)state;
	static const char *const valid[] = {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"};
	static const char *const invalid[] = {"\x80",         "\xE9",         "\xC0\xAF",         "\xC3",
	                                      "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"};
	for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
		assert_true(utf8_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
		assert_false(utf8_valid(invalid[i], strlen(invalid[i])));
	struct text text = {0};
	utf8_append(&text, "Mis\xE9rables", 10);
	utf8_append(&text, "|Mis\xC3\xA9rables", 12);
	assert_string_equal(text_string(&text), "Mis\xC3\xA9rables|Mis\xC3\xA9rables");
	for (int c = 0x80; c < 0x100; c++) {
		char byte = (char)c;
		text.length = 0;
		utf8_append(&text, &byte, 1);
		assert_int_equal(text.length, 2);
		assert_int_equal((text.data[0] & 0x1F) << 6 | (text.data[1] & 0x3F), c);
	}
	text_finish(&text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_rules, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_bad_bytes, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_round_trip, fixture_setup, fixture_teardown),
	    cmocka_unit_test(test_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
