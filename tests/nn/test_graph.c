// What the graph refuses, word for word, and what it plans: sparse or dense, touched rows, parameters; and the reductions
// of a loss against sums by hand.
#include "graph_test.h"

#include <math.h>

static const struct graph_shape plain = { .ratings_width = 9, .user_width = 5, .batch = 4, .ratings_entries = 1,
	                                      .user_entries = 1, .target_entries = 1 };

#define DENSE(more) "{ op = \"dense\"; " more " }"
#define OUTPUT "{ name = \"out\"; op = \"dense\"; units = \"items\"; }"

static const struct {
	const char *graph, *message, *hint;
	size_t line;
	bool without_user;
} refused[] = {
	{ "", "the graph has no nodes", "", 1, false },
	{ "{ name = \"a\"; op = \"add\"; inputs = [ \"ratings\", \"b\" ]; },\n"
	  "{ name = \"b\"; op = \"dropout\"; rate = 0.1; input = \"a\"; },\n" OUTPUT,
	  "nodes form a cycle: \"a\" reads \"b\" reads \"a\"", "", 2, false },
	{ "{ name = \"a\"; op = \"dropout\"; rate = 0.1; input = \"a\"; },\n" OUTPUT,
	  "nodes form a cycle: \"a\" reads \"a\"", "", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n"
	  "{ name = \"b\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n" OUTPUT,
	  "nothing uses node \"a\"", "The output is the last node; every other node must be read by one.", 2, false },
	{ "{ name = \"taste\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n"
	  "{ name = \"out\"; op = \"dense\"; units = \"items\"; input = \"tast\"; }",
	  "node \"out\" reads \"tast\", which is no node", "Did you mean \"taste\"?", 3, false },
	{ "{ op = \"dense\"; units = \"items\"; input = \"rating\"; }",
	  "node \"dense_1\" reads \"rating\", which is no node", "Did you mean \"ratings\"?", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n"
	  "{ name = \"a\"; op = \"dense\"; units = \"items\"; }",
	  "two nodes are called \"a\"", "", 3, false },
	{ "{ name = \"dense_2\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n" DENSE("units = \"items\";"),
	  "two nodes are called \"dense_2\"", "", 3, false },
	{ "{ name = \"user\"; op = \"dense\"; units = \"items\"; input = \"ratings\"; }",
	  "\"user\" is the name of an input, not of a node", "", 2, false },
	{ "{ name = \"a b\"; op = \"dense\"; units = \"items\"; input = \"ratings\"; }",
	  "\"a b\" cannot be the name of a node", "Use up to 64 letters, digits, _ and -.", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n"
	  "{ name = \"b\"; op = \"dense\"; units = 4; input = \"ratings\"; },\n"
	  "{ name = \"c\"; op = \"add\"; inputs = [ \"a\", \"b\" ]; },\n" OUTPUT,
	  "node \"c\" adds \"b\" of width 4 to \"a\" of width 3", "", 4, false },
	{ "{ name = \"who\"; op = \"dense\"; units = \"items\"; input = \"user\"; }",
	  "node \"who\" reads \"user\", but the data has no side information", "Name it in data.user_features.", 2, true },
	{ "{ name = \"out\"; op = \"dense\"; units = 8; input = \"ratings\"; }",
	  "the output \"out\" is 8 wide, but a rating row has 9", "Say units = \"items\" in the last node.", 2, false },
	{ "{ name = \"a\"; op = \"dropout\"; rate = 0.1; input = \"ratings\"; path = \"sparse\"; },\n" OUTPUT,
	  "node \"a\" has no sparse path", "Only dense nodes have a path to choose.", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = 3; input = \"ratings\"; },\n"
	  "{ name = \"b\"; op = \"dense\"; units = 3; path = \"sparse\"; },\n" OUTPUT,
	  "node \"b\" has no sparse path",
	  "It reads no sparse rows, and is not the output of a loss over rated cells that reads dense ones.", 3, false },
	{ "{ name = \"a\"; op = \"dropout\"; rate = 0.1; input = \"ratings\"; }", "the graph has nothing to train", "", 2, false },
	{ DENSE("units = \"items\";"), "node \"dense_1\" has no input, and no node above it",
	  "Say input = \"ratings\" or input = \"user\".", 2, false },
	{ "{ name = \"a\"; op = \"concat\"; input = \"ratings\"; },\n" OUTPUT,
	  "node \"a\" has 1 input, but concat takes at least 2", "Say inputs = [ \"a\", \"b\" ].", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = 3; inputs = [ \"ratings\", \"user\" ]; },\n" OUTPUT,
	  "node \"a\" has 2 inputs, but dense takes at most 1", "", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = \"items\"; input = \"ratings\"; inputs = [ \"ratings\" ]; }",
	  "node \"a\" has both input and inputs", "", 2, false },
	{ "{ name = \"a\"; op = \"dense\"; units = \"items\"; input = \"b\"; },\n"
	  "{ name = \"b\"; op = \"dense\"; units = \"items\"; input = \"ratings\"; }",
	  "node \"b\" is the last and so the output, but another node reads it",
	  "Put the output at the end of the list.", 3, false },
};

static void check_refused(size_t which) {
	char text[2048];
	struct parsed parsed;
	struct graph graph = { 0 };
	struct graph_shape shape = plain;
	if (refused[which].without_user)
		shape.user_width = 0;
	snprintf(text, sizeof(text), "graph: (\n%s );", refused[which].graph);
	parse_model(text, &parsed);
	assert_int_equal(parsed.errors.count, 0);
	if (plan_model(&parsed, &shape, &graph))
		fail_msg("case %zu is planned", which);
	assert_true(parsed.errors.count > 0);
	const struct error *e = &parsed.errors.items[0];
	assert_string_equal(e->message, refused[which].message);
	assert_string_equal(e->hint, refused[which].hint);
	assert_int_equal(e->line, refused[which].line);
	assert_int_equal(e->code, ERROR_CONFIG);
	assert_int_equal(parsed.errors.count, 1);
	graph_finish(&graph);
	parsed_finish(&parsed);
}

static void test_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check_refused(i);
}

// --- plans -------------------------------------------------------------------------------------------------------------

static void plan(const char *text, const struct graph_shape *shape, struct parsed *parsed, struct graph *graph) {
	parse_model(text, parsed);
	if (parsed->errors.count || !plan_model(parsed, shape, graph))
		fail_msg("%s", parsed->errors.items[0].message);
}

static void expect_path(const char *text, const struct graph_shape *shape, bool reads_rows, bool cells) {
	struct parsed parsed;
	struct graph graph;
	plan(text, shape, &parsed, &graph);
	const struct node *first = graph.listed[0], *last = graph.listed[graph.listed_count - 1];
	assert_int_equal(first->reads_rows, reads_rows);
	assert_int_equal(graph.ratings->densified, !reads_rows);
	assert_int_equal(last->cells, cells);
	assert_int_equal(first->parameters[0]->touched, reads_rows ? TOUCHED_RATINGS : TOUCHED_ALL);
	assert_int_equal(last->parameters[0]->touched, cells ? TOUCHED_TARGETS : TOUCHED_ALL);
	assert_int_equal(last->parameters[0]->transposed, cells);
	assert_int_equal(graph.trainable, 9 * 4 + 4 + 4 * 9 + 9);
	struct graph_facts facts;
	graph_describe(&graph, &facts);
	assert_int_equal(facts.parameters, graph.trainable);
	assert_int_equal(facts.count, 2);
	assert_string_equal(facts.nodes[0].path, reads_rows ? "sparse" : "dense");
	assert_string_equal(facts.nodes[1].path, cells ? "sparse" : "dense");
	assert_int_equal(facts.nodes[0].width, 4);
	assert_int_equal(facts.nodes[1].width, 9);
	graph_finish(&graph);
	parsed_finish(&parsed);
}

#define TWO(in, out) "graph: ( { op = \"dense\"; input = \"ratings\"; units = 4; " in " }, { op = \"dense\"; units = \"items\"; " out " } );"

static void test_paths(void **state) {
	(void)state;
	struct graph_shape full = plain;
	full.ratings_entries = full.target_entries = 8;
	expect_path(TWO("", ""), &plain, true, true);
	expect_path(TWO("", "") "\nloss = \"mse\";", &plain, true, false);
	expect_path(TWO("", ""), &full, false, false);
	expect_path(TWO("path = \"dense\";", ""), &plain, false, true);
	expect_path(TWO("", "path = \"dense\";"), &plain, true, false);
	expect_path(TWO("path = \"sparse\";", "path = \"sparse\";"), &full, true, true);
}

static void test_order(void **state) {
	(void)state;
	struct parsed parsed;
	struct graph graph;
	plan("graph: ( { name = \"late\"; op = \"activation\"; activation = \"relu\"; input = \"early\"; },\n"
	     "{ name = \"early\"; op = \"dense\"; units = 4; input = \"user\"; },\n"
	     "{ op = \"dense\"; units = \"items\"; input = \"late\"; } );",
	     &plain, &parsed, &graph);
	assert_int_equal(graph.nodes_count, 4);
	assert_null(graph.ratings);
	assert_string_equal(graph.nodes[1].name, "early");
	assert_string_equal(graph.nodes[2].name, "late");
	assert_string_equal(graph.listed[0]->name, "late");
	assert_string_equal(graph.output->name, "dense_3");
	graph_finish(&graph);
	parsed_finish(&parsed);
}

// --- the loss of a batch, from predictions -------------------------------------------------------------------------------

static double expected_loss(const struct batch *batch, const struct matrix *y, bool all, const char *reduction) {
	double total = 0, cells = 0, means = 0, rows = 0;
	for (size_t i = 0; i < batch->rows; i++) {
		double sum = 0, count = 0;
		uint32_t k = batch->target.start[i];
		for (size_t j = 0; j < y->columns; j++) {
			bool stored = k < batch->target.start[i + 1] && batch->target.column[k] == j;
			double t = stored ? (double)batch->target.value[k] : 0, difference = (double)y->data[i * y->stride + j] - t;
			k += stored;
			sum += stored || all ? difference * difference : 0;
			count += stored || all;
		}
		total += sum;
		cells += count;
		means += count > 0 ? sum / count : 0;
		rows += count > 0;
	}
	return !strcmp(reduction, "sum") ? total
	       : !strcmp(reduction, "mean") ? total / cells
	       : !strcmp(reduction, "rows") ? total / (double)batch->rows
	                                    : means / rows;
}

static void check_reduction(const char *loss, const char *reduction, const struct csr *ratings) {
	static const uint32_t rows[] = { 3, 1, 0, 4 }; // 3 is empty
	char text[1024];
	struct parsed parsed;
	struct graph graph;
	snprintf(text, sizeof(text), "%s\nloss: { kind = \"%s\"; reduction = \"%s\"; };", TWO("", ""), loss, reduction);
	plan(text, &plain, &parsed, &graph);
	struct batch_source source = { ratings, NULL, ratings };
	struct batch batch;
	struct device *device;
	struct network *network;
	assert_true(batch_create(&source, 1, 4, &batch, NULL));
	batch_gather(&batch, &source, rows, 4);
	struct network_room room = { 4, batch_cells_most(&batch), batch_rating_entries_most(&batch), 0, 4, false };
	assert_true(open_tested(NULL, &device));
	assert_true(network_create(&graph, device, tested, 1, &room, &network, NULL));
	struct matrix y = network_predict_all(network, &batch);
	double want = expected_loss(&batch, &y, !strcmp(loss, "mse"), reduction);
	float packed[36];
	network_predict_cells(network, &batch, packed);
	y = network_predict_all(network, &batch);
	for (size_t i = 0; i < 4; i++)
		for (uint32_t k = batch.target.start[i]; k < batch.target.start[i + 1]; k++)
			assert_true(fabs((double)packed[k] - (double)y.data[i * y.stride + batch.target.column[k]]) < 1e-5);
	assert_true(want > 0);
	assert_true(fabs(network_loss(network, &batch, 0, false) - want) < 1e-5 * want);
	network_destroy(network);
	tested->close(device);
	batch_destroy(&batch);
	graph_finish(&graph);
	parsed_finish(&parsed);
}

static void test_reductions(void **state) {
	(void)state;
	struct csr ratings;
	uint64_t seed = 4;
	make_csr(&seed, 6, 9, 0.5, &ratings);
	for (size_t i = 0; i < reduction_registry.count; i++) {
		check_reduction("masked_mse", reduction_registry.rows[i]->name, &ratings);
		check_reduction("mse", reduction_registry.rows[i]->name, &ratings);
	}
	csr_finish(&ratings);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_reductions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
