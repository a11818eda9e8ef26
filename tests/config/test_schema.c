// A tree into a struct and back: defaults, every type, every message, the text that reads back as the same, listings.
#include "support.h"

#include "base/number.h"

// ---- helpers ----

// Reads the text by the schema; what is wrong is held against `expected`. The struct is in the arena.
static struct everything *read_text(const char *text, struct arena *arena, const char *expected) {
	struct errors errors = {0};
	struct everything *data = arena_alloc(arena, sizeof *data);
	const struct value *tree = parse_text(text, strlen(text), arena, &errors);
	bool good = tree != NULL && schema_read(&test_schema, tree, "", arena, data, &errors);
	assert_errors(&errors, expected);
	assert_true(tree == NULL || good == (errors.count == 0) || strstr(expected, "does not fit") != NULL);
	errors_finish(&errors);
	return data;
}

static char *written(const struct everything *data, bool for_id) {
	struct text text = {0};
	schema_write(&test_schema, data, for_id, &text);
	char *copy = memory_copy_string(text_string(&text));
	text_finish(&text);
	return copy;
}

// ---- what is read ----

static void test_defaults(void **state) {
	(void)state;
	struct arena arena = {0};
	const struct everything *data = read_text("graph = ( { op = \"dense\"; units = 3; } )", &arena, "");
	assert_string_equal(data->name, "no name");
	assert_true(data->seed == 2017);
	assert_int_equal(data->repeats, 1);
	assert_true(data->shuffle);
	assert_true(isnan(data->liked));
	assert_false(data->thresholds.set);
	assert_true(data->metrics.set);
	assert_int_equal(data->metrics.count, 2);
	assert_string_equal(data->metrics.items[1], "rmse");
	assert_ptr_equal(data->optimizer->kind.row, &adadelta_row);
	const struct decay_params *decay = data->optimizer->kind.params;
	assert_true(decay->rate == 1.0 && decay->rho == 0.95 && decay->warmup == 0);
	assert_null(data->stop);
	assert_null(data->source);
	const struct node *node = data->graph.items[0];
	assert_null(node->name);
	assert_false(node->inputs.set);
	const struct dense_params *dense = node->op.params;
	assert_ptr_equal(dense->activation.row, &relu_row);
	assert_ptr_equal(dense->init->kind.row, &normal_row);
	assert_true(((const struct init_params *)dense->init->kind.params)->sd == 0.05);
	arena_finish(&arena);
}

static void test_types(void **state) {
	(void)state;
	struct arena arena = {0};
	const struct everything *data =
	    read_text("seed = 18446744073709551615; repeats = 1000; shuffle = false; liked = 3;\n"
	              "thresholds = ( 1, 2.5, 18446744073709551615 ); metrics = [ ];\n"
	              "optimizer = \"sgd\"; stop: { patience = 1; };\n"
	              "source: { path = \"/x\"; user = \"the user\"; item = 3; };\n"
	              "graph = ( { op = \"dropout\"; rate = 0; inputs = [ \"a\", \"b\" ]; },\n"
	              "{ op = \"dense\"; units = \"items\"; init = { kind = \"zeros\"; }; l2 = 1; } );",
	              &arena, "");
	assert_true(data->seed == UINT64_MAX);
	assert_int_equal(data->repeats, 1000);
	assert_false(data->shuffle);
	assert_true(data->liked == 3.0);
	assert_int_equal(data->thresholds.count, 3);
	assert_true(data->thresholds.items[0] == 1.0 && data->thresholds.items[1] == 2.5);
	assert_true(data->thresholds.items[2] == 18446744073709551616.0);
	assert_true(data->metrics.set && data->metrics.count == 0);
	assert_ptr_equal(data->optimizer->kind.row, &sgd_row);
	assert_true(((const struct momentum_params *)data->optimizer->kind.params)->rate == 0.01);
	assert_int_equal(data->stop->patience, 1);
	assert_string_equal(data->source->path, "/x");
	assert_string_equal(data->source->user.name, "the user");
	assert_int_equal(data->source->item.number, 3);
	assert_int_equal(data->graph.count, 2);
	const struct node *drop = data->graph.items[0], *last = data->graph.items[1];
	assert_string_equal(drop->inputs.items[1], "b");
	assert_int_equal(drop->inputs.at[1].line, 5);
	assert_int_equal(data->graph.from[1]->at.line, 6);
	const struct dense_params *dense = last->op.params;
	assert_true(dense->units.is_items);
	assert_ptr_equal(dense->init->kind.row, &zeros_row);
	assert_null(dense->init->kind.params);
	arena_finish(&arena);
}

static void test_seeds(void **state) {
	(void)state;
	static const struct {
		const char *text;
		uint64_t seed;
	} cases[] = {{"3000000000", 3000000000u},
	             {"0", 0},
	             {"-1", UINT64_MAX},
	             {"9223372036854775808", (uint64_t)1 << 63},
	             {"18446744073709551615", UINT64_MAX},
	             {"0xFFFFFFFFFFFFFFFE", UINT64_MAX - 1}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena arena = {0};
		const char *text = arena_format(&arena, "seed = %s;", cases[i].text);
		assert_true(read_text(text, &arena, "")->seed == cases[i].seed);
		arena_finish(&arena);
	}
}

static void test_holds(void **state) {
	(void)state;
	struct arena arena = {0};
	const struct everything *data =
	    read_text("optimizer = \"sgd\"; graph = ( { op = \"dense\"; units = 3; } );", &arena, "");
	static const char *const held[] = {"seed", "optimizer", "optimizer.kind", "optimizer.rate", "graph"};
	static const char *const others[] = {"sed",     "seed.x", "optimizer.rho", "optimizer.rat", "optimizer.rate.x",
	                                     "graph.x", "",       "stop.patience", "optimizer.",    "."};
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
		if (!schema_holds(&test_schema, data, held[i]))
			fail_msg("%s is not there", held[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (schema_holds(&test_schema, data, others[i]))
			fail_msg("\"%s\" is there", others[i]);
	arena_finish(&arena);
}

static void test_values(void **state) {
	(void)state;
	struct arena arena = {0};
	struct errors errors = {0};
	static const char text[] = "a: { b = 18446744073709551615; c = [ 1.0, 2.5 ]; e = \"word\"; f = true; g = -3; };\n"
	                           "l = ( { name = \"n\"; x = 0.1; }, { op = \"dense\"; } );";
	static const char *const keys[][2] = {{"a.b", "18446744073709551615"},
	                                      {"a.c", "[ 1, 2.5 ]"},
	                                      {"a.e", "word"},
	                                      {"a.f", "true"},
	                                      {"a.g", "-3"},
	                                      {"l.n.x", "0.1"},
	                                      {"l.dense_2.op", "dense"},
	                                      {"a", NULL},
	                                      {"l", NULL}};
	const struct value *tree = parse_text(text, strlen(text), &arena, &errors);
	assert_non_null(tree);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const struct value *value = value_find(tree, keys[i][0]);
		assert_non_null(value);
		const char *spelled = value_spell(value, &arena);
		if (keys[i][1])
			assert_string_equal(spelled, keys[i][1]);
		else
			assert_null(spelled);
	}
	assert_null(value_find(tree, "a.d"));
	assert_null(value_find(tree, "a.b.c"));
	assert_null(value_find(tree, "l.m.x"));
	errors_finish(&errors);
	arena_finish(&arena);
}

// ---- what is refused ----

#define ALL_KEYS                                                                                                       \
	"\"name\", \"seed\", \"repeats\", \"shuffle\", \"liked\", \"thresholds\", \"metrics\", \"optimizer\", \"stop\", "  \
	"\"source\", \"graph\""

static const struct {
	const char *text, *expected;
} refused[] = {
    // unknown keys
    {"a = 1;\nsede = 5;", "x.cfg:1: unknown key \"a\"\n  Known are " ALL_KEYS ".\n"
                          "x.cfg:2: unknown key \"sede\"\n  Did you mean \"seed\"?\n"},
    {"\nSEED = 5;", "x.cfg:2: unknown key \"SEED\"\n  Did you mean \"seed\"?\n"},
    {"optimizer: { kind = \"sgd\";\n rho = 0.5; };",
     "x.cfg:2: unknown key \"rho\"\n  \"rho\" is a key of optimizer \"adadelta\", not of \"sgd\".\n"},
    {"optimizer: {\n momentum = 0.5; };",
     "x.cfg:2: unknown key \"momentum\"\n  \"momentum\" is a key of optimizer \"sgd\", not of \"adadelta\".\n"},
    {"optimizer: { kind = \"plain\";\n rate = 0.5; };",
     "x.cfg:2: unknown key \"rate\"\n  \"rate\" is a key of optimizers \"adadelta\", \"sgd\", not of \"plain\".\n"},
    {"optimizer: { kind = \"sgd\"; nesterof = true; };",
     "x.cfg:1: unknown key \"nesterof\"\n  Did you mean \"nesterov\"?\n"},
    {"stop: { patience = 1;\nzzzzzz = 2; };", "x.cfg:2: unknown key \"zzzzzz\"\n  Known are \"patience\".\n"},
    // unknown names; the keys of no row are judged then
    {"optimizer: {\nkind = \"adadelte\"; rho = 0.5; momentum = 0.1; };",
     "x.cfg:2: unknown optimizer \"adadelte\"\n  Did you mean \"adadelta\"?\n"},
    {"optimizer = \"qqqqqq\";",
     "x.cfg:1: unknown optimizer \"qqqqqq\"\n  Known are \"adadelta\", \"plain\", \"sgd\".\n"},
    {"graph = ( { op = \"dense\"; units = 1;\nactivation = \"sigmoidd\"; } );",
     "x.cfg:2: unknown activation \"sigmoidd\"\n  Did you mean \"sigmoid\"?\n"},
    // types
    {"seed = \"1\";", "x.cfg:1: \"seed\" must be an integer, not a string\n"},
    {"seed = 1.0;", "x.cfg:1: \"seed\" must be an integer, not a real number\n"},
    {"repeats = true;", "x.cfg:1: \"repeats\" must be an integer, not true or false\n"},
    {"shuffle = 1;", "x.cfg:1: \"shuffle\" must be true or false, not an integer\n"},
    {"liked = \"3\";", "x.cfg:1: \"liked\" must be a number, not a string\n"},
    {"name = 5;", "x.cfg:1: \"name\" must be a string, not an integer\n"},
    {"thresholds = 3.5;", "x.cfg:1: \"thresholds\" must be a list of numbers, not a real number\n"},
    {"metrics = 5;", "x.cfg:1: \"metrics\" must be a list of strings, not an integer\n"},
    {"metrics = ( \"mse\",\n5, { } );", "x.cfg:2: element 2 of \"metrics\" must be a string, not an integer\n"
                                        "x.cfg:2: element 3 of \"metrics\" must be a string, not a group\n"},
    {"thresholds = ( 1,\n\"2\" );", "x.cfg:2: element 2 of \"thresholds\" must be a number, not a string\n"},
    {"optimizer = 5;", "x.cfg:1: \"optimizer\" must be a group or a name, not an integer\n"},
    {"optimizer: { kind = 5; };", "x.cfg:1: \"kind\" must be a string, not an integer\n"},
    {"stop = \"x\";", "x.cfg:1: \"stop\" must be a group, not a string\n"},
    {"stop = ( );", "x.cfg:1: \"stop\" must be a group, not a list\n"},
    {"graph = { };", "x.cfg:1: \"graph\" must be a list of groups, not a group\n"},
    {"graph = ( { op = \"dropout\"; rate = 0.5; },\n5 );",
     "x.cfg:2: element 2 of \"graph\" must be a group, not an integer\n"},
    {"source: { path = 5; };", "x.cfg:1: \"path\" must be a string, not an integer\n"},
    {"source: { path = \"\"; };", "x.cfg:1: \"path\" is empty, but must be a path\n"},
    {"source: { user = true; };", "x.cfg:1: \"user\" must be an integer or a column's name, not true or false\n"},
    {"graph = ( { op = \"dense\"; units = 1.5; } );",
     "x.cfg:1: \"units\" must be an integer or \"items\", not a real number\n"},
    {"graph = ( { op = \"dense\"; units = \"item\"; } );",
     "x.cfg:1: \"units\" is \"item\", but must be an integer or \"items\"\n  Did you mean \"items\"?\n"},
    // bounds
    {"repeats = 0;", "x.cfg:1: \"repeats\" is 0, but must be at least 1 and at most 1000\n"},
    {"repeats = 3000000000;", "x.cfg:1: \"repeats\" is 3000000000, but must be at least 1 and at most 1000\n"},
    {"repeats = 18446744073709551615;",
     "x.cfg:1: \"repeats\" is 18446744073709551615, but must be at least 1 and at most 1000\n"},
    {"stop: { patience = 9223372036854775808; };",
     "x.cfg:1: \"patience\" is 9223372036854775808, but must be at most 9223372036854775807\n"},
    {"stop: { patience = -5; };", "x.cfg:1: \"patience\" is -5, but must be at least 1\n"},
    {"optimizer: { rate = 0; };", "x.cfg:1: \"rate\" is 0, but must be more than 0\n"},
    {"optimizer: { kind = \"sgd\"; rate = 1.5;\nmomentum = 1; };",
     "x.cfg:1: \"rate\" is 1.5, but must be more than 0 and at most 1\n"
     "x.cfg:2: \"momentum\" is 1, but must be at least 0 and less than 1\n"},
    {"graph = ( { op = \"dense\"; units = 0; l2 = -1e-9; } );",
     "x.cfg:1: \"units\" is 0, but must be at least 1 and at most 1048576\n"
     "x.cfg:1: \"l2\" is -1e-09, but must be at least 0\n"},
    {"source: { user = 0; };", "x.cfg:1: \"user\" is 0, but must be at least 1\n"},
    // literals: one error each, and the rest is still looked at
    {"seed = 99999999999999999999;\nrepeat = 1;", "x.cfg:1: integer 99999999999999999999 does not fit into 64 bits\n"
                                                  "x.cfg:2: unknown key \"repeat\"\n  Did you mean \"repeats\"?\n"},
    {"liked = 1e999;\nthresholds = ( -1e999 );", "x.cfg:1: real 1e999 does not fit into a double\n"
                                                 "x.cfg:2: real -1e999 does not fit into a double\n"},
    // what is missing, at its group
    {"\nstop: { };", "x.cfg:2: missing key \"patience\" in \"stop\"\n  It is an integer: the key patience.\n"},
    {"graph = ( { op = \"dense\"; },\n{ name = \"two\"; },\n{ name = \"three\"; op = \"dropout\"; } );",
     "x.cfg:1: missing key \"units\" in \"graph.dense_1\"\n"
     "  It is an integer or \"items\": the key units.\n"
     "x.cfg:2: missing key \"op\" in \"graph.two\"\n  It is a string: the key op.\n"
     "x.cfg:3: missing key \"rate\" in \"graph.three\"\n  It is a number: the key rate.\n"},
    // in order of lines, whatever the order of the tables
    {"graph = 1;\nrepeats = 0;\nx = 1;\nname = 2;",
     "x.cfg:1: \"graph\" must be a list of groups, not an integer\n"
     "x.cfg:2: \"repeats\" is 0, but must be at least 1 and at most 1000\n"
     "x.cfg:3: unknown key \"x\"\n  Known are " ALL_KEYS ".\n"
     "x.cfg:4: \"name\" must be a string, not an integer\n"},
};

static void test_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct arena arena = {0};
		read_text(refused[i].text, &arena, refused[i].expected);
		arena_finish(&arena);
	}
}

// A hopeless file ends in a list that a machine can hold.
static void test_many_errors(void **state) {
	(void)state;
	static const char *const starts[] = {"thresholds = ( ", "thresholds = ( ", "metrics = ( "};
	static const char *const elements[] = {"1x", "\"1\"", "1"};
	for (size_t i = 0; i < 3; i++) {
		struct arena arena = {0};
		struct errors errors = {0};
		struct text text = {0};
		text_append(&text, starts[i]);
		for (size_t j = 0; j < 9000; j++)
			text_format(&text, "%s, ", elements[i]);
		text_format(&text, "%s );", elements[i]);
		struct everything data = {0};
		const struct value *tree = parse_text(text.data, text.length, &arena, &errors);
		assert_non_null(tree);
		schema_read(&test_schema, tree, "", &arena, &data, &errors);
		assert_in_range(errors.count, 1000, 1001);
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
	}
}

// Who checks a list may say something of each element: a longer one is one error.
static void test_long_list(void **state) {
	(void)state;
	struct arena arena = {0};
	struct text text = {0};
	text_append(&text, "thresholds = [ 0");
	for (size_t i = 0; i < 10000; i++)
		text_append(&text, ", 0");
	text_append(&text, " ];");
	read_text(text_string(&text), &arena, "x.cfg:1: \"thresholds\" has 10001 elements, but may have at most 10000\n");
	text_finish(&text);
	arena_finish(&arena);
}

// ---- paths ----

// Reads a file of the folder by the schema and gives its source.path.
static const char *path_of(const char *file, const char *const *overrides, size_t count, struct arena *arena) {
	struct errors errors = {0};
	struct everything *data = arena_alloc(arena, sizeof *data);
	const struct value *tree = config_load(file, overrides, count, &test_schema, arena, &errors);
	assert_non_null(tree);
	schema_read(&test_schema, tree, "", arena, data, &errors);
	assert_errors(&errors, "");
	errors_finish(&errors);
	return data->source->path;
}

static void test_paths(void **state) {
	(void)state;
	struct arena arena = {0};
	struct folder folder = folder_make();
	char *cwd = getcwd(NULL, 0);
	folder_write(&folder, "base/one.cfg", "source: { path = \"../data/./r.csv\"; };");
	folder_write(&folder, "two.cfg", "extends = \"base/one.cfg\";\nseed = 1;");
	folder_write(&folder, "fixed.cfg", "source: { path = \"/a/b\"; };");
	folder_write(&folder, "home.cfg", "source: { path = \"${AEXP_DATA}/../x\"; };");
	const char *wanted = folder_file(&folder, "data/r.csv", &arena), *two = folder_file(&folder, "two.cfg", &arena);
	assert_string_equal(path_of(folder_file(&folder, "base/one.cfg", &arena), NULL, 0, &arena), wanted);
	assert_string_equal(path_of(two, NULL, 0, &arena), wanted); // against the file that says it, not the one that runs
	assert_string_equal(path_of(folder_file(&folder, "fixed.cfg", &arena), NULL, 0, &arena), "/a/b");
	assert_string_equal(path_of(folder_file(&folder, "home.cfg", &arena), NULL, 0, &arena), "${AEXP_DATA}/../x");
	static const struct {
		const char *override, *path; // `path` below the working folder, or as it is
	} cases[] = {{"source.path=d/r.csv", "d/r.csv"}, {"source.path=./7", "7"},        {"source.path=5", "5"},
	             {"source.path=1e3", "1e3"},         {"source.path=true", "true"},    {"source.path=\"q r\"", "q r"},
	             {"source.path=/abs", "/abs"},       {"source.path=${X}/y", "${X}/y"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool kept = cases[i].path[0] == '/' || cases[i].path[0] == '$';
		const char *path = kept ? cases[i].path : arena_format(&arena, "%s/%s", cwd, cases[i].path);
		assert_string_equal(path_of(two, &cases[i].override, 1, &arena), path);
	}
	assert_int_equal(chdir(folder.path), 0); // a bare name and a relative one mean the same folder
	assert_string_equal(path_of("two.cfg", NULL, 0, &arena), wanted);
	assert_string_equal(path_of("base/../base/one.cfg", NULL, 0, &arena), wanted);
	assert_int_equal(chdir(cwd), 0);
	free(cwd);
	folder_clear(&folder);
	arena_finish(&arena);
}

// ---- writing ----

static void test_written(void **state) {
	(void)state;
	struct arena arena = {0};
	const char *text =
	    "name = \"n\"; seed = 18446744073709551615; liked = 0.1; optimizer: { clip = true; };\n"
	    "thresholds = ( 1, 0.30000000000000004 ); source: { path = \"/p\\\\\\\"\"; user = 3000000000; };\n"
	    "graph = ( { op = \"dense\"; units = 3; }, { op = \"dropout\"; rate = 0.2; } );";
	char *whole = written(read_text(text, &arena, ""), false), *id = written(read_text(text, &arena, ""), true);
	assert_string_equal(whole, "name = \"n\";\n"
	                           "seed = 0xFFFFFFFFFFFFFFFFL;\n"
	                           "repeats = 1;\n"
	                           "shuffle = true;\n"
	                           "liked = 0.1;\n"
	                           "thresholds = [ 1.0, 0.30000000000000004 ];\n"
	                           "metrics = [ \"mse\", \"rmse\" ];\n"
	                           "optimizer: { kind = \"adadelta\"; clip = true; rate = 1.0; rho = 0.95; };\n"
	                           "source: { path = \"/p\\\\\\\"\"; user = 3000000000L; };\n"
	                           "graph: (\n"
	                           "\t{\n"
	                           "\t\top = \"dense\";\n"
	                           "\t\tunits = 3;\n"
	                           "\t\tactivation = \"relu\";\n"
	                           "\t\tinit: { kind = \"normal\"; sd = 0.05; };\n"
	                           "\t\tl2 = 0.0;\n"
	                           "\t},\n"
	                           "\t{ op = \"dropout\"; rate = 0.2; }\n"
	                           ");\n");
	assert_null(strstr(id, "name ="));
	assert_null(strstr(id, "path"));
	assert_ptr_equal(strstr(id, "seed ="), id);
	assert_non_null(strstr(id, "source: { user = 3000000000L; };"));
	free(whole);
	free(id);
	arena_finish(&arena);
}

// What is written reads back as the same, and is written the same again.
static void assert_fixed_point(const struct everything *data, struct arena *arena, struct everything **ret) {
	char *first = written(data, false);
	*ret = read_text(first, arena, "");
	char *second = written(*ret, false), *id = written(data, true), *again = written(*ret, true);
	assert_string_equal(first, second);
	assert_string_equal(id, again);
	free(first);
	free(second);
	free(id);
	free(again);
}

static void test_fixed_point_seeds(void **state) {
	(void)state;
	static const uint64_t seeds[] = {0,
	                                 1,
	                                 INT32_MAX,
	                                 (uint64_t)INT32_MAX + 1,
	                                 UINT32_MAX,
	                                 3000000000u,
	                                 INT64_MAX,
	                                 (uint64_t)INT64_MAX + 1,
	                                 UINT64_MAX - 1,
	                                 UINT64_MAX};
	for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
		struct arena arena = {0};
		struct everything *data = read_text("graph = ( );", &arena, ""), *back;
		data->seed = seeds[i];
		assert_fixed_point(data, &arena, &back);
		assert_true(back->seed == seeds[i]);
		assert_true(back->graph.set && back->graph.count == 0);
		arena_finish(&arena);
	}
}

static void test_fixed_point_reals(void **state) {
	(void)state;
	static const double edges[] = {0.0,
	                               -0.0,
	                               0.30000000000000004,
	                               0.1,
	                               1.0,
	                               100.0,
	                               1e15,
	                               1e16,
	                               1e22,
	                               1e-8,
	                               5e-324,
	                               1.7976931348623157e308,
	                               2.2250738585072014e-308,
	                               9007199254740993.0};
	uint64_t random = 3;
	for (size_t i = 0; i < 2000; i++) {
		uint64_t bits = draw(&random);
		double real;
		memcpy(&real, &bits, sizeof real);
		if (i < sizeof edges / sizeof edges[0])
			real = edges[i];
		if (!isfinite(real))
			continue;
		struct arena arena = {0};
		struct everything *data = read_text("shuffle = false;", &arena, ""), *back;
		data->liked = real;
		data->thresholds = (struct reals){.items = &real, .count = 1, .set = true};
		assert_fixed_point(data, &arena, &back);
		assert_memory_equal(&back->liked, &real, sizeof real);
		assert_memory_equal(back->thresholds.items, &real, sizeof real);
		arena_finish(&arena);
	}
}

static void test_fixed_point_strings(void **state) {
	(void)state;
	static const char *const edges[] = {
	    "",         "\"",     "\\",        "\\\"",     "\\x41",         "C:\\n\\t", "a # b // c /* d", "\n\r\t\f\v\a",
	    "${X}/y z", "\17741", "h\xc3\xa9", "\xff\xfe", "'; seed = 1; #"};
	uint64_t random = 4;
	for (size_t i = 0; i < 2000; i++) {
		struct arena arena = {0};
		char string[24] = {0};
		for (size_t j = draw_below(&random, sizeof string); j-- > 0;)
			string[j] = (char)(1 + draw_below(&random, 255));
		const char *wanted = i < sizeof edges / sizeof edges[0] ? edges[i] : string;
		struct everything *data = read_text("source: { path = \"/x\"; };", &arena, ""), *back;
		data->name = wanted;
		data->metrics.items[0] = wanted;
		data->source->path = arena_format(&arena, "/%s", wanted);
		data->source->item.name = wanted;
		assert_fixed_point(data, &arena, &back);
		assert_string_equal(back->name, wanted);
		assert_string_equal(back->metrics.items[0], wanted);
		assert_string_equal(back->source->path + 1, wanted);
		assert_string_equal(back->source->item.name, wanted);
		arena_finish(&arena);
	}
}

// ---- listings ----

static void test_print(void **state) {
	(void)state;
	struct text text = {0};
	schema_print(&source_schema, "data.source", false, &text);
	assert_string_equal(text_string(&text),
	                    "key               type                     default  bounds      meaning\n"
	                    "data.source.path  path                     (none)               the key path\n"
	                    "data.source.user  integer | column's name  1        at least 1  the key user\n"
	                    "data.source.item  integer | column's name  (none)   at least 1  the key item\n");
	text_finish(&text);
	schema_print(&test_optimizer_schema, "optimizer.", true, &text);
	assert_string_equal(text_string(&text),
	                    "| key | type | default | bounds | meaning |\n"
	                    "|---|---|---|---|---|\n"
	                    "| `optimizer.kind` | one of the optimizers | `\"adadelta\"` | | the key kind |\n"
	                    "| `optimizer.clip` | true \\| false | `false` | | the key clip |\n");
	text_finish(&text);
	schema_print_registry(&test_optimizers, false, &text);
	assert_string_equal(text_string(&text),
	                    "optimizer   type          default  bounds                      meaning\n"
	                    "adadelta                                                       the row adadelta\n"
	                    "  rate      number        1        more than 0                 the key rate\n"
	                    "  rho       number        0.95     at least 0 and less than 1  the key rho\n"
	                    "  warmup    integer       (none)   at least 1 and at most 100  the key warmup\n"
	                    "plain                                                          the row plain\n"
	                    "sgd                                                            the row sgd\n"
	                    "  rate      number        0.01     more than 0 and at most 1   the key rate\n"
	                    "  momentum  number        0.0      at least 0 and less than 1  the key momentum\n"
	                    "  nesterov  true | false  false                                the key nesterov\n");
	text_finish(&text);
	schema_print(&test_schema, "", false, &text);
	assert_non_null(strstr(text_string(&text), "\ngraph.NAME.op "));
	assert_non_null(strstr(text_string(&text), "\nstop.patience "));
	text_finish(&text);
}

int main(void) {
	// what the paths of these tests name; an unset one is an error
	setenv("X", "x", 1);
	setenv("AEXP_DATA", "data", 1);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_seeds),
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_many_errors),
	    cmocka_unit_test(test_long_list),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_fixed_point_seeds),
	    cmocka_unit_test(test_fixed_point_reals),
	    cmocka_unit_test(test_fixed_point_strings),
	    cmocka_unit_test(test_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
