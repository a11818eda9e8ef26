// Trees over trees: extends and overrides. What is kept, what is dropped with a changed kind, what patches a list, and
// that the order of overrides does not decide where it should not.
#include "support.h"

enum { OVERRIDES_MAX = 8 };

// ---- helpers ----

// Lays the overrides on the base, reads the whole by the schema, and writes it; the errors instead where there are any.
static char *resolved(const char *base, const char *const *overrides, size_t count) {
	struct arena arena = {0};
	struct errors errors = {0};
	struct text text = {0};
	struct everything data = {0};
	struct value *tree = parse_text(base, strlen(base), &arena, &errors);
	assert_non_null(tree);
	struct value *overlay = overrides_tree(overrides, count, &test_schema, &arena, &errors);
	tree = tree_merge(tree, overlay, &test_schema, &arena, &errors);
	schema_read(&test_schema, tree, "", &arena, &data, &errors);
	schema_write(&test_schema, &data, false, &text);
	char *result = errors.count > 0 ? errors_text(&errors) : memory_copy_string(text_string(&text));
	text_finish(&text);
	errors_finish(&errors);
	arena_finish(&arena);
	return result;
}

static size_t count_of(const char *const *overrides) {
	size_t count = 0;
	while (count < OVERRIDES_MAX && overrides[count] != NULL)
		count++;
	return count;
}

// Whether the overrides on the base come to the same as the file `wanted` does.
static void assert_same_as(const char *base, const char *const *overrides, size_t count, const char *wanted) {
	char *left = resolved(base, overrides, count), *right = resolved(wanted, NULL, 0);
	assert_null(strstr(right, "x.cfg:"));
	assert_string_equal(left, right);
	free(left);
	free(right);
}

static void assert_refused(const char *base, const char *const *overrides, const char *expected) {
	char *text = resolved(base, overrides, count_of(overrides));
	assert_string_equal(text, expected);
	free(text);
}

// ---- one file over another ----

static const struct {
	const char *base, *over, *same;
} layers[] = {
    // key by key, lists as a whole
    {"seed = 1; repeats = 2;", "repeats = 3; liked = 4.0;", "seed = 1; repeats = 3; liked = 4.0;"},
    {"thresholds = [ 1.0, 2.0 ];", "thresholds = [ 3.0 ];", "thresholds = [ 3.0 ];"},
    {"source: { path = \"/a\"; user = 2; };", "source: { item = 3; };",
     "source: { path = \"/a\"; user = 2; item = 3; };"},
    {"graph = ( { op = \"dropout\"; rate = 0.1; }, { op = \"dropout\"; rate = 0.2; } );",
     "graph = ( { op = \"dropout\"; rate = 0.3; } );", "graph = ( { op = \"dropout\"; rate = 0.3; } );"},
    // the same kind keeps its keys, another one drops them, also those that it has too; common keys stay
    {"optimizer: { kind = \"adadelta\"; rate = 0.5; rho = 0.5; clip = true; };",
     "optimizer: { kind = \"adadelta\"; rho = 0.6; };",
     "optimizer: { kind = \"adadelta\"; rate = 0.5; rho = 0.6; clip = true; };"},
    {"optimizer: { kind = \"adadelta\"; rate = 0.5; rho = 0.5; clip = true; };", "optimizer: { kind = \"sgd\"; };",
     "optimizer: { kind = \"sgd\"; clip = true; };"},
    {"optimizer: { rate = 0.5; rho = 0.5; };", "optimizer: { rate = 0.25; kind = \"sgd\"; };", // the kind is a default
     "optimizer: { kind = \"sgd\"; rate = 0.25; };"},
    {"optimizer: { kind = \"sgd\"; momentum = 0.5; };", "optimizer: { momentum = 0.6; };",
     "optimizer: { kind = \"sgd\"; momentum = 0.6; };"},
    // the short form over the group and back
    {"optimizer: { kind = \"sgd\"; momentum = 0.5; clip = true; };", "optimizer = \"adadelta\";",
     "optimizer: { kind = \"adadelta\"; clip = true; };"},
    {"optimizer = \"sgd\";", "optimizer: { momentum = 0.5; };", "optimizer: { kind = \"sgd\"; momentum = 0.5; };"},
    {"optimizer = \"sgd\";", "optimizer: { kind = \"adadelta\"; rho = 0.5; };",
     "optimizer: { kind = \"adadelta\"; rho = 0.5; };"},
    {"optimizer: { kind = \"sgd\"; momentum = 0.5; };", "optimizer = \"sgd\";",
     "optimizer: { kind = \"sgd\"; momentum = 0.5; };"},
    {"optimizer = \"sgd\";", "optimizer = \"plain\";", "optimizer = \"plain\";"},
    // a group over a list patches its elements
    {"graph = ( { name = \"a\"; op = \"dense\"; units = 1; l2 = 0.5; }, { op = \"dropout\"; rate = 0.2; } );",
     "graph: { a: { units = 2; }; dropout_2: { rate = 0.3; }; };",
     "graph = ( { name = \"a\"; op = \"dense\"; units = 2; l2 = 0.5; }, { op = \"dropout\"; rate = 0.3; } );"},
    {"graph = ( { name = \"a\"; op = \"dense\"; units = 1; init = { kind = \"normal\"; sd = 1.0; }; } );",
     "graph: { a: { init = \"zeros\"; }; };",
     "graph = ( { name = \"a\"; op = \"dense\"; units = 1; init = \"zeros\"; } );"},
    {"graph = ( { name = \"a\"; op = \"dense\"; units = 1; init = \"normal\"; } );",
     "graph: { a: { init: { sd = 2.0; }; }; };",
     "graph = ( { name = \"a\"; op = \"dense\"; units = 1; init = { kind = \"normal\"; sd = 2.0; }; } );"},
    {"graph = ( { name = \"a\"; op = \"dense\"; units = 1; l2 = 0.5; inputs = [ \"x\" ]; } );",
     "graph: { a: { op = \"dropout\"; rate = 0.5; }; };",
     "graph = ( { name = \"a\"; op = \"dropout\"; rate = 0.5; inputs = [ \"x\" ]; } );"},
};

static void test_layers(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
		struct folder folder = folder_make();
		struct arena arena = {0};
		struct errors errors = {0};
		struct everything data = {0};
		struct text text = {0};
		folder_write(&folder, "base.cfg", layers[i].base);
		folder_write(&folder, "over.cfg", arena_format(&arena, "extends = \"base.cfg\";\n%s", layers[i].over));
		const struct value *tree =
		    config_load(folder_file(&folder, "over.cfg", &arena), NULL, 0, &test_schema, &arena, &errors);
		assert_non_null(tree);
		schema_read(&test_schema, tree, "", &arena, &data, &errors);
		assert_errors(&errors, "");
		schema_write(&test_schema, &data, false, &text);
		char *same = resolved(layers[i].same, NULL, 0);
		assert_string_equal(text_string(&text), same);
		free(same);
		text_finish(&text);
		errors_finish(&errors);
		arena_finish(&arena);
		folder_clear(&folder);
	}
}

// An error stands at the file that set the key; base, overlay and override each have one here.
static void test_places(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	struct errors errors = {0};
	struct everything data = {0};
	folder_write(&folder, "base.cfg", "\nrepeats = 0;\nliked = \"x\";\noptimizer: { rho = 5; };");
	folder_write(&folder, "over.cfg", "extends = \"base.cfg\";\n\nliked = \"y\";\noptimizer: { rate = 0; };");
	const char *overrides[] = {"optimizer.warmup=500", "sed=1"};
	const struct value *tree =
	    config_load(folder_file(&folder, "over.cfg", &arena), overrides, 2, &test_schema, &arena, &errors);
	assert_non_null(tree);
	assert_false(schema_read(&test_schema, tree, "", &arena, &data, &errors));
	assert_errors(&errors,
	              arena_format(&arena,
	                           "%s/base.cfg:2: \"repeats\" is 0, but must be at least 1 and at most 1000\n"
	                           "%s/base.cfg:4: \"rho\" is 5, but must be at least 0 and less than 1\n"
	                           "%s/over.cfg:3: \"liked\" must be a number, not a string\n"
	                           "%s/over.cfg:4: \"rate\" is 0, but must be more than 0\n"
	                           "-s optimizer.warmup: \"warmup\" is 500, but must be at least 1 and at most 100\n"
	                           "-s sed: unknown key \"sed\"\n  Did you mean \"seed\"?\n",
	                           folder.path, folder.path, folder.path, folder.path));
	errors_finish(&errors);
	arena_finish(&arena);
	folder_clear(&folder);
}

static void test_patch_refused(void **state) {
	(void)state;
	static const struct {
		const char *over, *expected;
	} cases[] = {
	    {"graph: {\ntast: { units = 2; }; };",
	     "over.cfg:3: no element \"tast\" in \"graph\"\n  Did you mean \"taste\"?\n"},
	    {"graph: { zzzzzzz: { units = 2; }; };",
	     "over.cfg:2: no element \"zzzzzzz\" in \"graph\"\n  Its elements are \"taste\", \"dropout_2\".\n"},
	    {"graph: { taste = 5; };", "over.cfg:2: element 1 of \"graph\" must be a group, not an integer\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct folder folder = folder_make();
		struct arena arena = {0};
		struct errors errors = {0};
		struct everything data = {0};
		folder_write(
		    &folder, "base.cfg",
		    "graph = ( { name = \"taste\"; op = \"dense\"; units = 1; }, { op = \"dropout\"; rate = 0.2; } );");
		folder_write(&folder, "over.cfg", arena_format(&arena, "extends = \"base.cfg\";\n%s", cases[i].over));
		const struct value *tree =
		    config_load(folder_file(&folder, "over.cfg", &arena), NULL, 0, &test_schema, &arena, &errors);
		assert_non_null(tree);
		schema_read(&test_schema, tree, "", &arena, &data, &errors);
		assert_errors(&errors, arena_format(&arena, "%s/%s", folder.path, cases[i].expected));
		errors_finish(&errors);
		arena_finish(&arena);
		folder_clear(&folder);
	}
}

// ---- overrides ----

#define TASTE(what) "{ name = \"taste\"; op = \"dense\"; " what " }"
#define DROP(rate) "{ op = \"dropout\"; rate = " rate "; }"
#define INIT "init = { kind = \"normal\"; sd = 1.0; };"
#define GRAPH "graph = (" TASTE("units = 1; " INIT) "," DROP("0.2") ");"
#define OPTIMIZER "optimizer: { kind = \"adadelta\"; rho = 0.5; clip = true; };"
#define REST "seed = 1; " OPTIMIZER

static const char graph_base[] = REST GRAPH;

static const struct {
	const char *overrides[OVERRIDES_MAX], *same; // same: beside repeats = 3
} overridden[] = {
    // scalars; what does not parse is a string, and what a string key wants is one
    {{"seed=18446744073709551615"}, "seed = 18446744073709551615;"},
    {{"seed=0x10"}, "seed = 16;"},
    {{"liked=1"}, "liked = 1.0;"},
    {{"liked=1e-3"}, "liked = 0.001;"},
    {{"shuffle=FALSE"}, "shuffle = false;"},
    {{"name=word"}, "name = \"word\";"},
    {{"name=two words"}, "name = \"two words\";"},
    {{"name=\"quoted\""}, "name = \"quoted\";"},
    {{"name="}, "name = \"\";"},
    {{"name=007"}, "name = \"007\";"},
    {{"name=1e999"}, "name = \"1e999\";"},
    {{"name=99999999999999999999"}, "name = \"99999999999999999999\";"},
    {{"name=true"}, "name = \"true\";"},
    {{"name=(1, 2)"}, "name = \"(1, 2)\";"},
    {{"name=5#1"}, "name = \"5#1\";"},
    {{"name=5; seed = 7"}, "name = \"5; seed = 7\";"},
    {{"name=a=b.c"}, "name = \"a=b.c\";"},
    {{"name=\"open"}, "name = \"\\\"open\";"},
    {{"thresholds=[1.0,2.0]"}, "thresholds = [ 1.0, 2.0 ];"},
    {{"metrics=(\"a\", \"b\")"}, "metrics = [ \"a\", \"b\" ];"},
    {{"source.item=5"}, "source: { item = 5; };"},
    {{"source.item=five"}, "source: { item = \"five\"; };"},
    {{"source.item=\"5\""}, "source: { item = \"5\"; };"},
    {{"stop={ patience = 3; }"}, "stop: { patience = 3; };"},
    // the later of two equal ones counts
    {{"seed=5", "seed=6"}, "seed = 6;"},
    {{"source.item=a", "source.item=b", "source.user=c"}, "source: { item = \"b\"; user = \"c\"; };"},
};

static const struct {
	const char *overrides[OVERRIDES_MAX], *same; // same: the whole
} patched[] = {
    // a kind and its keys
    {{"optimizer.kind=sgd"}, "seed = 1; optimizer: { kind = \"sgd\"; clip = true; };" GRAPH},
    {{"optimizer=sgd"}, "seed = 1; optimizer: { kind = \"sgd\"; clip = true; };" GRAPH},
    {{"optimizer=adadelta"}, REST GRAPH},
    {{"optimizer.kind=sgd", "optimizer.momentum=0.5", "optimizer.rate=0.5"},
     "seed = 1; optimizer: { kind = \"sgd\"; clip = true; momentum = 0.5; rate = 0.5; };" GRAPH},
    {{"optimizer=sgd", "optimizer.momentum=0.5", "seed=2"},
     "seed = 2; optimizer: { kind = \"sgd\"; clip = true; momentum = 0.5; };" GRAPH},
    {{"optimizer={ kind = \"sgd\"; rate = 0.5; }", "optimizer.momentum=0.5"},
     "seed = 1; optimizer: { kind = \"sgd\"; clip = true; momentum = 0.5; rate = 0.5; };" GRAPH},
    // nodes by name
    {{"graph.taste.units=128"}, REST "graph = (" TASTE("units = 128; " INIT) "," DROP("0.2") ");"},
    {{"graph.taste.units=items"}, REST "graph = (" TASTE("units = \"items\"; " INIT) "," DROP("0.2") ");"},
    {{"graph.dropout_2.rate=0.5"}, REST "graph = (" TASTE("units = 1; " INIT) "," DROP("0.5") ");"},
    {{"graph.taste.init=zeros"}, REST "graph = (" TASTE("units = 1; init = \"zeros\";") "," DROP("0.2") ");"},
    {{"graph.taste.init.sd=2"},
     REST "graph = (" TASTE("units = 1; init = { kind = \"normal\"; sd = 2.0; };") "," DROP("0.2") ");"},
    {{"graph.taste.name=5"}, REST "graph = ( { name = \"5\"; op = \"dense\"; units = 1; " INIT " }," DROP("0.2") ");"},
    {{"graph=( { op = \"dropout\"; rate = 0.1; } )", "graph.dropout_1.rate=0.9"}, REST "graph = (" DROP("0.9") ");"},
    {{"graph=( { name = \"n\"; op = \"dense\"; units = 3; } )", "graph.n.op=dropout", "graph.n.rate=0.9"},
     REST "graph = ( { name = \"n\"; op = \"dropout\"; rate = 0.9; } );"},
    {{"graph.taste.op=dropout", "graph.taste.rate=0.7", "graph.dropout_2.rate=0.6"},
     REST "graph = ( { name = \"taste\"; op = \"dropout\"; rate = 0.7; }," DROP("0.6") ");"},
};

static void test_overrides(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof overridden / sizeof overridden[0]; i++) {
		struct arena arena = {0};
		assert_same_as("repeats = 3;", overridden[i].overrides, count_of(overridden[i].overrides),
		               arena_format(&arena, "repeats = 3; %s", overridden[i].same));
		arena_finish(&arena);
	}
}

// Calls with every order of the overrides from `done` on.
static void in_every_order(const char **overrides, size_t count, size_t done, const char *same) {
	if (done == count)
		assert_same_as(graph_base, overrides, count, same);
	for (size_t i = done; i < count; i++) {
		const char *first = overrides[i];
		overrides[i] = overrides[done];
		overrides[done] = first;
		in_every_order(overrides, count, done + 1, same);
		overrides[done] = overrides[i];
		overrides[i] = first;
	}
}

static void test_patches(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof patched / sizeof patched[0]; i++) {
		const char *overrides[OVERRIDES_MAX];
		memcpy(overrides, patched[i].overrides, sizeof overrides);
		in_every_order(overrides, count_of(overrides), 0, patched[i].same);
	}
}

static const struct {
	const char *overrides[OVERRIDES_MAX], *expected;
} refused[] = {
    // malformed
    {{"seed"}, "-s seed: \"seed\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    {{"=5"}, "-s: \"=5\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    {{""}, "-s: \"\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    {{".a=1"}, "-s .a: \".a=1\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    {{"a.=1"}, "-s a.: \"a.=1\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    {{"a..b=1"}, "-s a..b: \"a..b=1\" is not KEY=VALUE\n  Write for example -s optimizer.rate=0.5.\n"},
    // unknown, each told of; in the order given where they are of one depth
    {{"sede=1", "shufle=true"},
     "-s sede: unknown key \"sede\"\n  Did you mean \"seed\"?\n"
     "-s shufle: unknown key \"shufle\"\n  Did you mean \"shuffle\"?\n"},
    {{"optimizer.rhoo=1"}, "-s optimizer.rhoo: unknown key \"rhoo\"\n  Did you mean \"rho\"?\n"},
    {{"optimizer.momentum=0.5"},
     "-s optimizer.momentum: unknown key \"momentum\"\n"
     "  \"momentum\" is a key of optimizer \"sgd\", not of \"adadelta\".\n"},
    {{"optimizer=sgdd"}, "-s optimizer: unknown optimizer \"sgdd\"\n  Did you mean \"sgd\"?\n"},
    {{"optimizer.kind=7"},
     "-s optimizer.kind: unknown optimizer \"7\"\n  Known are \"adadelta\", \"plain\", \"sgd\".\n"},
    {{"graph.tast.units=5"}, "-s graph.tast.units: no element \"tast\" in \"graph\"\n  Did you mean \"taste\"?\n"},
    {{"graph.dropout_1.rate=0.5"},
     "-s graph.dropout_1.rate: no element \"dropout_1\" in \"graph\"\n  Did you mean \"dropout_2\"?\n"},
    {{"graph.taste.unit=5"}, "-s graph.taste.unit: unknown key \"unit\"\n  Did you mean \"units\"?\n"},
    {{"graph.taste=5"}, "-s graph.taste: element 1 of \"graph\" must be a group, not an integer\n"},
    {{"extends=b.cfg"},
     "-s extends: unknown key \"extends\"\n  Known are \"name\", \"seed\", \"repeats\", "
     "\"shuffle\", \"liked\", \"thresholds\", \"metrics\", \"optimizer\", \"stop\", \"source\", "
     "\"graph\".\n"}, // config_load says it better, see below
    // types and bounds
    {{"seed=word"}, "-s seed: \"seed\" must be an integer, not a string\n"},
    {{"seed=5.5"}, "-s seed: \"seed\" must be an integer, not a real number\n"},
    {{"seed.x=5"}, "-s seed.x: \"seed\" must be an integer, not a group\n"},
    {{"shuffle=yes"}, "-s shuffle: \"shuffle\" must be true or false, not a string\n"},
    {{"repeats=0"}, "-s repeats: \"repeats\" is 0, but must be at least 1 and at most 1000\n"},
    {{"repeats=3000000000"}, "-s repeats: \"repeats\" is 3000000000, but must be at least 1 and at most 1000\n"},
    {{"graph.taste.units=itemz"},
     "-s graph.taste.units: \"units\" is \"itemz\", but must be an integer or \"items\"\n"
     "  Did you mean \"items\"?\n"},
    {{"source.path="}, "-s source.path: \"path\" is empty, but must be a path\n"},
    // what was meant as a number, list or group, and is none
    {{"seed=99999999999999999999"}, "-s seed: integer 99999999999999999999 does not fit into 64 bits\n"},
    {{"seed=-9223372036854775809"}, "-s seed: integer -9223372036854775809 does not fit into 64 bits\n"},
    {{"seed=0x10000000000000000"}, "-s seed: integer 0x10000000000000000 does not fit into 64 bits\n"},
    {{"graph.taste.units=99999999999999999999"},
     "-s graph.taste.units: integer 99999999999999999999 does not fit into 64 bits\n"},
    {{"source.item=99999999999999999999"}, "-s source.item: integer 99999999999999999999 does not fit into 64 bits\n"},
    {{"liked=1e999"}, "-s liked: real 1e999 does not fit into a double\n"},
    {{"liked=12abc"}, "-s liked: \"12abc\" is not a number\n"},
    {{"repeats=5#1"}, "-s repeats: \"repeats\" must be an integer, not a string\n"},
    {{"thresholds=[1, 2.5]"},
     "-s thresholds: 2.5 is of another type than the elements before it\n"
     "  An array [ ] holds values of one type: write 1.0 where the others are reals, or use a list ( ).\n"},
    {{"metrics=(mse)"}, "-s metrics: unexpected \"mse\"\n  Put a word in double quotes: \"mse\".\n"},
    {{"metrics=(\"mse\""}, "-s metrics: the value ends too early\n  The \"(\" of line 1 is not closed.\n"},
};

static void test_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_refused(graph_base, refused[i].overrides, refused[i].expected);
	assert_refused("seed = 1;", (const char *const[OVERRIDES_MAX]){"graph.a.units=5"},
	               "-s graph.a.units: no element \"a\" in \"graph\"\n  It has no elements.\n");
}

static void test_depth(void **state) {
	(void)state;
	struct arena arena = {0};
	struct errors errors = {0};
	struct text text = {0};
	for (size_t i = 0; i < 100000; i++)
		text_append(&text, "a.");
	text_append(&text, "a=1");
	const char *override = text_string(&text);
	overrides_tree(&override, 1, &test_schema, &arena, &errors);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.items[0].hint, "optimizer.rate"));
	text_finish(&text);
	errors_finish(&errors);
	arena_finish(&arena);
}

static void test_extends_is_no_override(void **state) {
	(void)state;
	struct folder folder = folder_make();
	struct arena arena = {0};
	struct errors errors = {0};
	const char *overrides[] = {"extends=b.cfg", "seed=5"};
	folder_write(&folder, "a.cfg", "seed = 1;");
	const struct value *tree =
	    config_load(folder_file(&folder, "a.cfg", &arena), overrides, 2, &test_schema, &arena, &errors);
	assert_errors(&errors, "-s extends: \"extends\" cannot be overridden\n"
	                       "  Write it into a file of its own and run that one.\n");
	assert_int_equal(value_child(tree, "seed")->as.integer, 5);
	assert_string_equal(value_origin(tree, "seed").file, "-s seed");
	assert_true(origin_is_override(value_origin(tree, "seed")));
	assert_false(origin_is_override(tree->at));
	errors_finish(&errors);
	arena_finish(&arena);
	folder_clear(&folder);
}

// Any overrides on any of the bases: read or refused, without a crash or a leak.
static void test_random_overrides(void **state) {
	(void)state;
	static const char *const keys[] = {"seed",
	                                   "optimizer",
	                                   "optimizer.kind",
	                                   "optimizer.rate",
	                                   "graph",
	                                   "graph.taste",
	                                   "graph.taste.init",
	                                   "graph.taste.init.kind",
	                                   "graph.dropout_2.op",
	                                   "graph.1",
	                                   "source.path",
	                                   "metrics",
	                                   "stop",
	                                   "stop.patience",
	                                   "seed.x",
	                                   "metrics.1",
	                                   "x.y"};
	static const char *const values[] = {"5",
	                                     "sgd",
	                                     "dense",
	                                     "{ }",
	                                     "( )",
	                                     "[ 1 ]",
	                                     "( { op = \"dense\"; } )",
	                                     "",
	                                     "{ kind = \"plain\"; }",
	                                     "1e999",
	                                     "99999999999999999999",
	                                     "\"",
	                                     "zeros",
	                                     "/*"};
	uint64_t random = 5;
	for (int round = 0; round < 5000; round++) {
		struct arena arena = {0};
		const char *overrides[OVERRIDES_MAX];
		size_t count = draw_below(&random, OVERRIDES_MAX + 1);
		for (size_t i = 0; i < count; i++)
			overrides[i] = arena_format(&arena, "%s=%s", keys[draw_below(&random, sizeof keys / sizeof keys[0])],
			                            values[draw_below(&random, sizeof values / sizeof values[0])]);
		char *text = resolved(graph_base, overrides, count);
		assert_string_not_equal(text, "");
		free(text);
		arena_finish(&arena);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layers),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_patch_refused),
	    cmocka_unit_test(test_overrides),
	    cmocka_unit_test(test_patches),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_extends_is_no_override),
	    cmocka_unit_test(test_random_overrides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
