// Reading text and files: literals to the last digit, positions, messages for everything that can be wrong, extends.
#include "support.h"

#include <inttypes.h>

#include "base/number.h"

// ---- what is read ----

static const struct value *at(const struct value *root, const char *name) {
	const struct value *value = value_child(root, name);
	assert_non_null(value);
	return value;
}

static struct value *parse_good(const char *text, struct arena *arena) {
	struct errors errors = {0};
	struct value *root = parse_text(text, strlen(text), arena, &errors);
	assert_errors(&errors, "");
	assert_non_null(root);
	errors_finish(&errors);
	return root;
}

static void test_integers(void **state) {
	(void)state;
	static const struct {
		const char *text;
		uint64_t bits;
		bool big;
	} cases[] = {
	    {"0", 0, false},
	    {"-1", UINT64_MAX, false},
	    {"+7", 7, false},
	    {"007", 7, false},
	    {"3000000000", 3000000000u, false},
	    {"3000000000L", 3000000000u, false},
	    {"12LL", 12, false},
	    {"0xFFFFFFFF", UINT32_MAX, false},
	    {"0XabL", 0xab, false},
	    {"9223372036854775807", INT64_MAX, false},
	    {"-9223372036854775808", (uint64_t)1 << 63, false},
	    {"9223372036854775808", (uint64_t)1 << 63, true},
	    {"18446744073709551615", UINT64_MAX, true},
	    {"0xFFFFFFFFFFFFFFFF", UINT64_MAX, true},
	    {"00000000000000000000000018446744073709551615", UINT64_MAX, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		const struct value *value = at(parse_good(arena_format(&arena, "a = %s;", cases[i].text), &arena), "a");
		assert_int_equal(value->type, VALUE_INTEGER);
		assert_true((uint64_t)value->as.integer == cases[i].bits);
		assert_int_equal(value->big, cases[i].big);
		assert_null(value->raw);
		arena_finish(&arena);
	}
}

static void test_reals(void **state) {
	(void)state;
	static const struct {
		const char *text;
		double value;
	} cases[] = {{"1e-8", 1e-8},  {"1E+3", 1000}, {".5", 0.5},
	             {"-.5e1", -5},   {"5.", 5},      {"0.30000000000000004", 0.30000000000000004},
	             {"1e-400", 0.0}, {"-0.0", -0.0}, {"1.7976931348623157e308", 1.7976931348623157e308},
	             {"1e22", 1e22}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		const struct value *value = at(parse_good(arena_format(&arena, "a = %s", cases[i].text), &arena), "a");
		assert_int_equal(value->type, VALUE_REAL);
		assert_memory_equal(&value->as.real, &cases[i].value, sizeof(double));
		arena_finish(&arena);
	}
}

static void test_strings(void **state) {
	(void)state;
	static const struct {
		const char *text, *value;
	} cases[] = {{"\"\"", ""},
	             {"\"a # b // c /* d\"", "a # b // c /* d"},
	             {"\"\\n\\r\\t\\f\\\\\\\"\\x41\\X7e\"", "\n\r\t\f\\\"A~"},
	             {"\"C:\\d\\q\\x4\"", "C:\\d\\q\\x4"},
	             {"\"one \" /* and */\n # more\n \"two\"", "one two"},
	             {"\"h\xc3\xa9\"", "h\xc3\xa9"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		const struct value *value = at(parse_good(arena_format(&arena, "a = %s;", cases[i].text), &arena), "a");
		assert_int_equal(value->type, VALUE_STRING);
		assert_string_equal(value->as.string, cases[i].value);
		arena_finish(&arena);
	}
}

static void test_positions(void **state) {
	(void)state;
	struct arena arena = {0};
	const struct value *root = parse_good("\xef\xbb\xbf# one\r\n"
	                                      "a = 1;\r\n"
	                                      "/* three\n four */ b: { c\n"
	                                      "= true }\n"
	                                      "list = ( \"x\"\n"
	                                      ", ( ),\n"
	                                      "false\n"
	                                      ",{ d = 2.5 }\n"
	                                      ", [ 1,\n"
	                                      "3000000000 ], \"y\"\n"
	                                      "\n"
	                                      ")\n",
	                                      &arena);
	assert_int_equal(root->at.line, 1);
	assert_string_equal(root->at.file, "x.cfg");
	assert_int_equal(at(root, "a")->at.line, 2);
	assert_int_equal(at(root, "b")->at.line, 4);
	assert_int_equal(at(at(root, "b"), "c")->at.line, 4);
	assert_true(at(at(root, "b"), "c")->as.boolean);
	const struct value *list = at(root, "list");
	static const size_t lines[] = {6, 7, 8, 9, 10, 11};
	assert_int_equal(list->at.line, 6);
	assert_int_equal(list->as.children.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(list->as.children.items[i]->at.line, lines[i]);
	assert_int_equal(list->as.children.items[4]->as.children.items[1]->at.line, 11);
	assert_int_equal(value_origin(root, "b.c").line, 4);
	assert_int_equal(value_origin(root, "b.nothing.more").line, 4);
	assert_int_equal(value_origin(root, "list.4.d").line, 9);
	arena_finish(&arena);
}

static void test_labels(void **state) {
	(void)state;
	struct arena arena = {0};
	const struct value *root = parse_good("g = ( { name = \"who\"; x = 1 },\n"
	                                      "{ op = \"batch_norm\";\n x = 2 }, { kind = \"k\" },\n"
	                                      "{\n x = 3 }, 4 )",
	                                      &arena);
	const struct value *const *items = (const struct value *const *)at(root, "g")->as.children.items;
	static const char *const labels[] = {"who", "batch_norm_2", "k_3", "4", "5"};
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(value_label(items[i], i, &arena), labels[i]);
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(value_is_called(items[i], i, labels[j]), i == j);
	}
	assert_false(value_is_called(items[1], 1, "batch_norm2"));
	assert_false(value_is_called(items[1], 1, "2"));
	assert_int_equal(value_origin(root, "g.batch_norm_2.x").line, 3);
	assert_int_equal(value_origin(root, "g.4.x").line, 5);
	arena_finish(&arena);
}

// ---- what is refused ----

static const struct {
	const char *text, *expected;
} refused[] = {
    {"", "x.cfg:1: the file is empty\n"},
    {" \n # nothing\n/* at all */", "x.cfg:1: the file is empty\n"},
    {"a = 99999999999999999999;", "x.cfg:1: integer 99999999999999999999 does not fit into 64 bits\n"},
    {"a = [ 1,\n-9223372036854775809 ];\nb = 18446744073709551616;",
     "x.cfg:2: integer -9223372036854775809 does not fit into 64 bits\n"
     "x.cfg:3: integer 18446744073709551616 does not fit into 64 bits\n"},
    {"a = 0x10000000000000000;", "x.cfg:1: integer 0x10000000000000000 does not fit into 64 bits\n"},
    {"a = 1234567890123456789012345678901234567890123;",
     "x.cfg:1: integer 1234567890123456789012345678901234567890... does not fit into 64 bits\n"},
    {"a = 1e999;", "x.cfg:1: real 1e999 does not fit into a double\n"},
    {"a = 12abc;", "x.cfg:1: \"12abc\" is not a number\n"},
    {"a = 1e;", "x.cfg:1: \"1e\" is not a number\n"},
    {"a = 0x;", "x.cfg:1: \"0x\" is not a number\n"},
    {"a = 1.2.3;", "x.cfg:1: \"1.2.3\" is not a number\n"},
    {"a = 1;\nb = \"never\n closed\";",
     "x.cfg:2: string is not closed\n"
     "  A string ends with a double quote on the line where it begins; a line break in it is \\n.\n"},
    {"a = \"", "x.cfg:1: string is not closed\n"
               "  A string ends with a double quote on the line where it begins; a line break in it is \\n.\n"},
    {"a = \"\\", "x.cfg:1: string is not closed\n"
                 "  A string ends with a double quote on the line where it begins; a line break in it is \\n.\n"},
    {"a = \"x\\x00y\";", "x.cfg:1: a string cannot hold \"\\x00\"\n"},
    {"a = 1;\n/* b = 2;\n", "x.cfg:2: comment is not closed\n  It ends with */.\n"},
    {"@include \"b.cfg\"\n",
     "x.cfg:1: \"@include\" is not read here\n  Write extends = \"FILE\"; and set what differs.\n"},
    {"a = 'x';", "x.cfg:1: unexpected character \"'\"\n"},
    {"a = \xc3\xa9;", "x.cfg:1: unexpected byte 0xc3\n"},
    {"a = 1;\nb = 2;\na = 3;", "x.cfg:3: \"a\" is set twice\n  Line 1 sets it first; keep one of the two.\n"},
    {"g = { a = { a = 1 };\n b = 1;\n a = 3; }",
     "x.cfg:3: \"a\" is set twice\n  Line 1 sets it first; keep one of the two.\n"},
    {"a = relu;", "x.cfg:1: unexpected \"relu\"\n  Put a word in double quotes: \"relu\".\n"},
    {"a = [ 1, relu ];", "x.cfg:1: unexpected \"relu\"\n  Put a word in double quotes: \"relu\".\n"},
    {"a = ;", "x.cfg:1: unexpected \";\"\n  A value is missing after the \"=\".\n"},
    {"a =", "x.cfg:1: the file ends too early\n  A value is missing after the \"=\".\n"},
    {"a = [ 1, 2.0 ];",
     "x.cfg:1: 2.0 is of another type than the elements before it\n"
     "  An array [ ] holds values of one type: write 1.0 where the others are reals, or use a list ( ).\n"},
    {"a = [ 1, \"b\" ];",
     "x.cfg:1: \"b\" is of another type than the elements before it\n"
     "  An array [ ] holds values of one type: write 1.0 where the others are reals, or use a list ( ).\n"},
    {"a = ( 1,\n 2,\n );", "x.cfg:3: unexpected \")\"\n  There is no comma after the last element of a list.\n"},
    {"a = ( 1\n 2 );", "x.cfg:2: unexpected \"2\"\n  The elements of a list are separated by commas.\n"},
    {"a = ( { b = 1; }\n { b = 2; } );",
     "x.cfg:2: unexpected \"{\"\n  The elements of a list are separated by commas.\n"},
    {"a = [ { b = 1; } ];",
     "x.cfg:1: unexpected \"{\"\n  An array [ ] holds numbers or strings; a list of groups is written ( ).\n"},
    {"a = {\nb = 1;\n", "x.cfg:3: the file ends too early\n  The \"{\" of line 1 is not closed.\n"},
    {"g = {\na = ( 1, 2\n};", "x.cfg:3: unexpected \"}\"\n  The \"(\" of line 2 is not closed.\n"},
    {"a = ( 1, 2;", "x.cfg:1: unexpected \";\"\n  The \"(\" of line 1 is not closed.\n"},
    {"a 5;", "x.cfg:1: unexpected \"5\"\n  A setting is written NAME = VALUE;\n"},
    {"a \"b\";", "x.cfg:1: unexpected \"b\"\n  A setting is written NAME = VALUE;\n"},
    {"\"a\" = 5;", "x.cfg:1: unexpected \"a\"\n  A setting is written NAME = VALUE;\n"},
    {"a = 1;;", "x.cfg:1: unexpected \";\"\n  One \";\" ends a setting.\n"},
    {"a = 1; }", "x.cfg:1: unexpected \"}\"\n  A setting is written NAME = VALUE;\n"},
    {"true = 1;", "x.cfg:1: unexpected \"true\"\n  A setting is written NAME = VALUE;\n"},
};

static void test_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct arena arena = {0};
		struct errors errors = {0};
		parse_text(refused[i].text, strlen(refused[i].text), &arena, &errors);
		assert_errors(&errors, refused[i].expected);
		errors_finish(&errors);
		arena_finish(&arena);
	}
}

static void test_nul_byte(void **state) {
	(void)state;
	struct arena arena = {0};
	struct errors errors = {0};
	assert_null(parse_text("a = 1;\n\0b = 2;", 14, &arena, &errors));
	assert_errors(&errors, "x.cfg:2: the file holds a NUL byte\n");
	errors_finish(&errors);
	arena_finish(&arena);
}

static void nest(struct text *text, size_t depth) {
	text_append(text, "a = ");
	for (size_t i = 0; i < depth; i++)
		text_append(text, "(");
	for (size_t i = 0; i < depth; i++)
		text_append(text, ")");
}

static void test_depth(void **state) {
	(void)state;
	static const struct {
		size_t depth;
		const char *expected;
	} cases[] = {{64, ""}, {65, "x.cfg:1: nested deeper than 64\n"}, {1000000, "x.cfg:1: nested deeper than 64\n"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		struct errors errors = {0};
		struct text text = {0};
		nest(&text, cases[i].depth);
		parse_text(text.data, text.length, &arena, &errors);
		assert_errors(&errors, cases[i].expected);
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
	}
}

static void test_many_elements(void **state) {
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct arena arena = {0};
		struct errors errors = {0};
		struct text text = {0};
		text_append(&text, "x = [ 0");
		for (size_t i = 1; i < 10000 + more; i++)
			text_append(&text, ", 0");
		text_append(&text, " ];");
		assert_int_equal(parse_text(text.data, text.length, &arena, &errors) == NULL, more == 1);
		assert_errors(&errors, more == 0 ? "" : "x.cfg:1: more than 10000 elements in one list\n");
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
	}
}

// Time grows with the square of a group's settings, so there is an end to them; groups beside each other do not add up.
static void test_many_settings(void **state) {
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct arena arena = {0};
		struct errors errors = {0};
		struct text text = {0};
		for (size_t group = 0; group < 3; group++) {
			text_format(&text, "g%zu = {\n", group);
			for (size_t i = 0; i < 1024 + (group == 2 ? more : 0); i++)
				text_format(&text, "k%zu = 1;\n", i);
			text_append(&text, "};\n");
		}
		assert_int_equal(parse_text(text.data, text.length, &arena, &errors) == NULL, more == 1);
		assert_errors(&errors, more == 0 ? "" : "x.cfg:3078: more than 1024 settings in one group\n");
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
	}
}

// ---- files ----

// Reads NAME of the folder and holds the errors against `expected`, where each "DIR" stands for the folder.
static const struct value *load(const struct folder *folder, const char *name, struct arena *arena,
                                const char *expected) {
	struct errors errors = {0};
	const struct value *tree = config_load(folder_file(folder, name, arena), NULL, 0, &test_schema, arena, &errors);
	struct text wanted = {0};
	for (const char *from = expected, *dir; *from != '\0'; from = dir + 3) {
		dir = strstr(from, "DIR");
		if (dir == NULL) {
			text_append(&wanted, from);
			break;
		}
		text_append_bytes(&wanted, from, (size_t)(dir - from));
		text_append(&wanted, folder->path);
	}
	assert_errors(&errors, text_string(&wanted));
	text_finish(&wanted);
	errors_finish(&errors);
	return tree;
}

static void test_files(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	folder_write(&folder, "sub/good.cfg", "seed = 5;");
	assert_int_equal(at(load(&folder, "sub/good.cfg", &arena, ""), "seed")->as.integer, 5);
	assert_null(load(&folder, "none.cfg", &arena, "cannot read \"DIR/none.cfg\": No such file or directory\n"));
	assert_null(load(&folder, "sub", &arena, "cannot read \"DIR/sub\": Is a directory\n"));
	folder_write(&folder, "empty.cfg", "");
	assert_null(load(&folder, "empty.cfg", &arena, "DIR/empty.cfg:1: the file is empty\n"));
	char *big = memory_alloc((4 << 20) + 2);
	memset(big, ' ', (4 << 20) + 1);
	folder_write(&folder, "big.cfg", big);
	free(big);
	assert_null(load(&folder, "big.cfg", &arena, "\"DIR/big.cfg\" is longer than 4194304 bytes\n"));
	arena_finish(&arena);
	folder_clear(&folder);
}

static void test_extends(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	folder_write(&folder, "base/one.cfg", "seed = 1;\nrepeats = 2;\nname = \"one\";");
	folder_write(&folder, "two.cfg", "extends = \"base/one.cfg\";\nseed = 3;");
	folder_write(&folder, "deep/three.cfg", "name = \"three\";\nextends = \"${AEXP_TEST_FOLDER}/two.cfg\";");
	setenv("AEXP_TEST_FOLDER", folder.path, 1);
	const struct value *tree = load(&folder, "deep/three.cfg", &arena, "");
	assert_int_equal(at(tree, "seed")->as.integer, 3);
	assert_int_equal(at(tree, "repeats")->as.integer, 2);
	assert_string_equal(at(tree, "name")->as.string, "three");
	assert_null(value_child(tree, "extends"));
	assert_string_equal(at(tree, "seed")->at.file, folder_file(&folder, "two.cfg", &arena));
	assert_string_equal(at(tree, "repeats")->at.file, folder_file(&folder, "base/one.cfg", &arena));
	assert_int_equal(at(tree, "repeats")->at.line, 2);
	assert_string_equal(tree->at.file, folder_file(&folder, "deep/three.cfg", &arena));
	arena_finish(&arena);
	folder_clear(&folder);
}

// Each file of a list over those before it, the file itself over all; one that several of them extend is read for each.
static void test_extends_several(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	folder_write(&folder, "base.cfg", "seed = 1;\nrepeats = 2;\nname = \"base\";");
	folder_write(&folder, "left.cfg", "extends = \"base.cfg\";\nseed = 3;\nname = \"left\";");
	folder_write(&folder, "right.cfg", "name = \"right\";\nliked = 2.5;");
	folder_write(&folder, "again.cfg", "extends = [ \"left.cfg\", \"base.cfg\" ];");
	folder_write(&folder, "top.cfg", "extends = ( \"left.cfg\", \"right.cfg\" );\nrepeats = 4;");
	const struct value *tree = load(&folder, "top.cfg", &arena, "");
	assert_int_equal(at(tree, "seed")->as.integer, 3);
	assert_int_equal(at(tree, "repeats")->as.integer, 4);
	assert_string_equal(at(tree, "name")->as.string, "right");
	assert_true(at(tree, "liked")->as.real == 2.5);
	assert_null(value_child(tree, "extends"));
	assert_string_equal(tree->at.file, folder_file(&folder, "top.cfg", &arena));
	tree = load(&folder, "again.cfg", &arena, "");
	assert_int_equal(at(tree, "seed")->as.integer, 1);
	assert_string_equal(at(tree, "name")->as.string, "base");
	arena_finish(&arena);
	folder_clear(&folder);
}

static void test_extends_refused(void **state) {
	(void)state;
	static const struct {
		const char *name, *text, *expected;
	} cases[] = {
	    {"a.cfg", "seed = 1;\nextends = \"b.cfg\";",
	     "DIR/c.cfg:1: \"extends\" runs in a circle: DIR/a.cfg -> "
	     "DIR/b.cfg -> DIR/c.cfg -> DIR/a.cfg\n"},
	    {"self.cfg", "extends = \"./self.cfg\";",
	     "DIR/self.cfg:1: \"extends\" runs in a circle: DIR/self.cfg -> DIR/self.cfg\n"},
	    {"number.cfg", "\nextends = 5;",
	     "DIR/number.cfg:2: \"extends\" must be the path of a file, or a list of such paths\n"},
	    {"empty.cfg", "\nextends = [ ];",
	     "DIR/empty.cfg:2: \"extends\" must be the path of a file, or a list of such paths\n"},
	    {"numbers.cfg", "extends = [ \"good.cfg\",\n\"gone.cfg\" ];",
	     "DIR/numbers.cfg:2: cannot read \"DIR/gone.cfg\": No such file or directory\n"},
	    {"d.cfg", "extends = [ \"good.cfg\", \"e.cfg\" ];",
	     "DIR/e.cfg:1: \"extends\" runs in a circle: DIR/d.cfg -> DIR/e.cfg -> DIR/d.cfg\n"},
	    {"missing.cfg", "\nextends = \"gone.cfg\";",
	     "DIR/missing.cfg:2: cannot read \"DIR/gone.cfg\": No such file or directory\n"},
	    {"inner.cfg", "extends = \"bad.cfg\";",
	     "DIR/bad.cfg:2: unexpected \";\"\n  A value is missing after the \"=\".\n"},
	};
	struct folder folder = folder_make();
	folder_write(&folder, "b.cfg", "extends = \"c.cfg\";");
	folder_write(&folder, "c.cfg", "extends = \"./a.cfg\";");
	folder_write(&folder, "bad.cfg", "\nseed = ;");
	folder_write(&folder, "good.cfg", "seed = 1;");
	folder_write(&folder, "e.cfg", "extends = [ \"good.cfg\", \"d.cfg\" ];");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		folder_write(&folder, cases[i].name, cases[i].text);
		assert_null(load(&folder, cases[i].name, &arena, cases[i].expected));
		arena_finish(&arena);
	}
	folder_clear(&folder);
}

static void test_extends_unset(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	struct errors errors = {0};
	unsetenv("AEXP_TEST_FOLDER");
	folder_write(&folder, "a.cfg", "seed = 1;\nextends = \"${AEXP_TEST_FOLDER}/two.cfg\";");
	assert_null(config_load(folder_file(&folder, "a.cfg", &arena), NULL, 0, &test_schema, &arena, &errors));
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.items[0].line, 2);
	assert_non_null(strstr(errors.items[0].message, "AEXP_TEST_FOLDER"));
	errors_finish(&errors);
	arena_finish(&arena);
	folder_clear(&folder);
}

static void test_chain_length(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	folder_write(&folder, "0.cfg", "repeats = 9;");
	for (int i = 1; i <= 16; i++)
		folder_write(&folder, arena_format(&arena, "%d.cfg", i),
		             arena_format(&arena, "extends = \"%d.cfg\";\nseed = %d;", i - 1, i));
	const struct value *tree = load(&folder, "15.cfg", &arena, "");
	assert_int_equal(at(tree, "seed")->as.integer, 15);
	assert_int_equal(at(tree, "repeats")->as.integer, 9);
	assert_null(load(&folder, "16.cfg", &arena, "DIR/1.cfg:1: more than 16 files extend each other\n"));
	arena_finish(&arena);
	folder_clear(&folder);
}

// ---- properties ----

// A random value, written into `text` with random blanks and comments; `depth` limits the nesting.
static struct value *invent(uint64_t *state, struct arena *arena, struct text *text, size_t depth);

static void blank(uint64_t *state, struct text *text) {
	static const char *const blanks[] = {" ", "\n", "\t", "\r\n", " # word = \"1\n", "//{\n", "/* ( \" \n*/", "  "};
	for (size_t i = draw_below(state, 3); i > 0; i--)
		text_append(text, blanks[draw_below(state, 8)]);
}

static struct value *invent_group(uint64_t *state, struct arena *arena, struct text *text, size_t depth) {
	struct value *group = value_create(arena, NULL, VALUE_GROUP, (struct origin){0});
	for (size_t i = draw_below(state, 4); i > 0; i--) {
		const char *name = arena_format(arena, "n%zu-_*", i);
		text_format(text, "%s", name);
		blank(state, text);
		text_append(text, draw_below(state, 2) == 0 ? "=" : ":");
		blank(state, text);
		struct value *child = invent(state, arena, text, depth);
		child->name = name;
		value_append(arena, group, child);
		text_append(text, draw_below(state, 2) == 0 ? ";" : "\n");
		blank(state, text);
	}
	return group;
}

static struct value *invent_list(uint64_t *state, struct arena *arena, struct text *text, size_t depth) {
	struct value *list = value_create(arena, NULL, VALUE_LIST, (struct origin){0});
	text_append(text, "(");
	for (size_t i = draw_below(state, 4); i > 0; i--) {
		blank(state, text);
		value_append(arena, list, invent(state, arena, text, depth));
		blank(state, text);
		text_append(text, i > 1 ? "," : "");
	}
	text_append(text, ")");
	return list;
}

static struct value *invent_literal(uint64_t *state, struct arena *arena, struct text *text) {
	struct value *value = value_create(arena, NULL, (enum value_type)draw_below(state, 4), (struct origin){0});
	char number[NUMBER_TEXT];
	switch (value->type) {
	case VALUE_BOOL:
		value->as.boolean = draw_below(state, 2) == 0;
		text_append(text, value->as.boolean ? "tRue" : "FALSE");
		break;
	case VALUE_INTEGER:
		value->as.integer = (int64_t)(draw(state) >> draw_below(state, 64));
		value->big = value->as.integer < 0;
		text_format(text, value->big || draw_below(state, 2) == 0 ? "0x%" PRIx64 : "%" PRIu64,
		            (uint64_t)value->as.integer);
		break;
	case VALUE_REAL:
		value->as.real = (double)(int64_t)draw(state) / (double)(1 + draw_below(state, 1000000));
		number_write(value->as.real, number);
		text_format(text, "%s%s", number, strpbrk(number, ".e") == NULL ? ".0" : "");
		break;
	default:
		number_write_count(draw_below(state, 1000), number);
		value->as.string = arena_format(arena, "s%s\n\"{", number);
		text_format(text, "\"s%s\\n\"/**/\"\\\"{\"", number);
	}
	return value;
}

static struct value *invent(uint64_t *state, struct arena *arena, struct text *text, size_t depth) {
	size_t kind = depth == 0 ? 2 : draw_below(state, 4);
	if (kind == 0)
		return invent_list(state, arena, text, depth - 1);
	if (kind != 1)
		return invent_literal(state, arena, text);
	text_append(text, "{ ");
	struct value *group = invent_group(state, arena, text, depth - 1);
	text_append(text, "}");
	return group;
}

static void assert_same(const struct value *a, const struct value *b) {
	assert_int_equal(a->type, b->type);
	assert_true((a->name == NULL) == (b->name == NULL) && (a->name == NULL || strcmp(a->name, b->name) == 0));
	assert_int_equal(a->big, b->big);
	switch (a->type) {
	case VALUE_BOOL:
		assert_int_equal(a->as.boolean, b->as.boolean);
		break;
	case VALUE_INTEGER:
		assert_true(a->as.integer == b->as.integer);
		break;
	case VALUE_REAL:
		assert_memory_equal(&a->as.real, &b->as.real, sizeof(double));
		break;
	case VALUE_STRING:
		assert_string_equal(a->as.string, b->as.string);
		break;
	default:
		assert_int_equal(a->as.children.count, b->as.children.count);
		for (size_t i = 0; i < a->as.children.count; i++)
			assert_same(a->as.children.items[i], b->as.children.items[i]);
	}
}

static void test_random_trees(void **state) {
	(void)state;
	uint64_t random = 1;
	for (int round = 0; round < 2000; round++) {
		struct arena arena = {0};
		struct text text = {0};
		text_append(&text, "first = 1;");
		struct value *wanted = value_create(&arena, NULL, VALUE_GROUP, (struct origin){0});
		value_append(&arena, wanted, value_create(&arena, "first", VALUE_INTEGER, (struct origin){0}));
		wanted->as.children.items[0]->as.integer = 1;
		const struct value *more = invent_group(&random, &arena, &text, 4);
		for (size_t i = 0; i < more->as.children.count; i++)
			value_append(&arena, wanted, more->as.children.items[i]);
		assert_same(parse_good(text_string(&text), &arena), wanted);
		text_finish(&text);
		arena_finish(&arena);
	}
}

// A valid file, mutated: whatever it becomes is read or refused with a message, without a crash or a leak.
static const char valid[] =
    "# an experiment\n"
    "name = \"fuzz\"; seed = 18446744073709551615L;\nrepeats = 2; shuffle = false; liked = 3.5e0;\n"
    "thresholds = [ 3.5, 4.0 ]; metrics = ( \"mse\", \"rm\" \"se\" );\n"
    "optimizer: { kind = \"sgd\"; rate = 1e-2; nesterov = true; };\n"
    "source = { path = \"../x\\x41.dat\"; user = 1; item = \"item\"; };\n"
    "graph: (\n\t{ name = \"a\"; op = \"dense\"; units = 0x10; init = { kind = \"normal\"; sd = 0.1; }; },\n"
    "\t{ op = \"dropout\"; rate = 0.2; }, // half\n\t/* last */ { op = \"dense\"; units = \"items\"; init = \"zeros\"; "
    "l2 = 0.1; }\n);\n";

static void mutate(uint64_t *state, struct text *text) {
	static const char *const pieces[] = {"{",
	                                     "}",
	                                     "(",
	                                     ")",
	                                     "[",
	                                     "]",
	                                     "\"",
	                                     "=",
	                                     ";",
	                                     ",",
	                                     "/*",
	                                     "*/",
	                                     "#",
	                                     "\\",
	                                     "\\x",
	                                     "1",
	                                     "-",
	                                     ".",
	                                     "e",
	                                     "0x",
	                                     "true",
	                                     "a = ",
	                                     "@include \"x\"\n",
	                                     "\n",
	                                     "99999999999999999999",
	                                     "1e999",
	                                     "kind = \"adadelta\";",
	                                     "name = \"b\";",
	                                     "\xff",
	                                     "\t",
	                                     "L",
	                                     "\"\""};
	for (size_t i = 1 + draw_below(state, 4); i > 0; i--) {
		size_t from = draw_below(state, text->length + 1), cut = draw_below(state, 12);
		cut = draw_below(state, 2) == 0 || from + cut > text->length ? 0 : cut;
		const char *piece = pieces[draw_below(state, sizeof pieces / sizeof pieces[0])];
		struct text next = {0};
		text_append_bytes(&next, text->data, from);
		if (draw_below(state, 3) > 0)
			text_append(&next, piece);
		text_append_bytes(&next, text->data + from + cut, text->length - from - cut);
		if (draw_below(state, 8) == 0 && next.length > 0)
			next.data[draw_below(state, next.length)] = (char)draw(state);
		text_finish(text);
		*text = next;
	}
}

static void test_mutations(void **state) {
	(void)state;
	uint64_t random = 2;
	size_t read = 0;
	for (int round = 0; round < 20000; round++) {
		struct arena arena = {0};
		struct errors errors = {0};
		struct text text = {0};
		text_append(&text, valid);
		mutate(&random, &text);
		struct value *tree = parse_text(text.data, text.length, &arena, &errors);
		assert_true(tree != NULL || errors.count > 0);
		if (tree != NULL) {
			struct everything data = {0};
			static const char *const overrides[] = {"graph.a.units=7", "optimizer.kind=adadelta", "source.item=2"};
			struct value *overlay = overrides_tree(overrides, 3, &test_schema, &arena, &errors);
			tree = tree_merge(tree, overlay, &test_schema, &arena, &errors);
			read += schema_read(&test_schema, tree, "", &arena, &data, &errors) && errors.count == 0;
		}
		for (size_t i = 0; i < errors.count; i++)
			assert_string_not_equal(errors.items[i].message, "");
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
	}
	assert_in_range(read, 1000, 19000); // else the mutations are too tame, or too wild
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_integers),        cmocka_unit_test(test_reals),
	    cmocka_unit_test(test_strings),         cmocka_unit_test(test_positions),
	    cmocka_unit_test(test_labels),          cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_nul_byte),        cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_many_elements),   cmocka_unit_test(test_many_settings),
	    cmocka_unit_test(test_files),           cmocka_unit_test(test_extends),
	    cmocka_unit_test(test_extends_several), cmocka_unit_test(test_extends_refused),
	    cmocka_unit_test(test_extends_unset),   cmocka_unit_test(test_chain_length),
	    cmocka_unit_test(test_random_trees),    cmocka_unit_test(test_mutations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
