// The same bytes from any number of threads: losses, weights and predictions of graphs that are wide enough to be cut
// into several groups, with every op, path and kind of barrier. The thread sanitizer sees a barrier that is missing.
#include "graph_test.h"

enum { DATA_ROWS = 120, ITEMS = 600, FEATURES = 20, BATCH = 40, BATCHES = 3, ROUNDS = 4 };

static const char *const graphs[] = {
	// the seed's own
	"graph: ( { name = \"who\"; op = \"dense\"; input = \"user\"; units = 20; activation = \"relu\"; },\n"
	"{ name = \"who2\"; op = \"dropout\"; rate = 0.2; },\n"
	"{ name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 150; activation = \"relu\"; },\n"
	"{ name = \"norm\"; op = \"batch_norm\"; },\n"
	"{ name = \"taste2\"; op = \"dropout\"; rate = 0.2; },\n"
	"{ name = \"both\"; op = \"concat\"; inputs = [ \"who2\", \"taste2\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; } );\noptimizer = \"adadelta\";",
	// dropout over a concat, whose groups begin anywhere; L2, lazily
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 100; activation = \"swish\"; l2 = 0.001; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"ratings\"; units = 70; activation = \"tanh\"; },\n"
	"{ name = \"c\"; op = \"concat\"; inputs = [ \"a\", \"b\", \"a\" ]; }, { op = \"dropout\"; rate = 0.5; },\n"
	"{ op = \"dense\"; units = \"items\"; l2 = 0.001; }, { op = \"dropout\"; rate = 0.1; },\n"
	"{ op = \"activation\"; activation = \"sigmoid\"; } );\noptimizer: { kind = \"sgd\"; rate = 0.1; };",
	// dense layers, noise on the input, momentum
	"graph: ( { name = \"noise\"; op = \"dropout\"; input = \"ratings\"; rate = 0.3; },\n"
	"{ name = \"h\"; op = \"dense\"; units = 300; activation = \"tanh\"; },\n"
	"{ name = \"g\"; op = \"dense\"; units = 270; activation = \"elu\"; },\n"
	"{ name = \"f\"; op = \"dense\"; input = \"noise\"; units = 270; path = \"dense\"; },\n"
	"{ op = \"add\"; inputs = [ \"f\", \"g\" ]; },\n"
	"{ op = \"dense\"; units = \"items\"; } );\noptimizer: { kind = \"sgd\"; rate = 0.05; momentum = 0.9; };",
	// gradients clipped by their norm, of sparse and dense weights, biases and a batch norm; L2 on biases
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 200; activation = \"tanh\"; },\n"
	"{ name = \"n\"; op = \"batch_norm\"; }, { name = \"g\"; op = \"dense\"; units = 300; l2_bias = 0.01; },\n"
	"{ op = \"dense\"; units = \"items\"; l2 = 0.001; l2_bias = 0.001; } );\n"
	"optimizer: { kind = \"sgd\"; rate = 0.1; clip_norm = 0.05; clip_value = 0.002; };",
	// tied weights, at cells and dense, whose columns are cut otherwise than what reads them
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 150; activation = \"tanh\"; },\n"
	"{ name = \"b\"; op = \"dense\"; units = 280; activation = \"tanh\"; l2 = 0.001; },\n"
	"{ name = \"c\"; op = \"dense\"; units = 150; activation = \"tanh\"; tie = \"b\"; },\n"
	"{ op = \"dropout\"; rate = 0.3; },\n"
	"{ op = \"dense\"; units = \"items\"; tie = \"a\"; } );\n"
	"optimizer: { kind = \"sgd\"; rate = 0.05; momentum = 0.9; clip_norm = 1.0; };",
	// two outputs at cells
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 200; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"h\"; units = \"items\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"swish\"; bias = false; },\n"
	"{ op = \"add\"; inputs = [ \"a\", \"b\" ]; } );\noptimizer = \"adam\";",
	// batch norm over data, and the inputs themselves
	"graph: ( { name = \"n\"; op = \"batch_norm\"; input = \"ratings\"; },\n"
	"{ name = \"c\"; op = \"concat\"; inputs = [ \"n\", \"user\" ]; }, { op = \"dense\"; units = \"items\"; l2 = 0.01; },\n"
	"{ name = \"y\"; op = \"activation\"; activation = \"sigmoid\"; },\n"
	"{ op = \"add\"; inputs = [ \"y\", \"ratings\" ]; } );\noptimizer = \"rmsprop\";",
	// rows normalised, sparse and dense, noise before and after, products of nodes with other groups
	"graph: ( { op = \"l2_normalize\"; input = \"ratings\"; }, { op = \"noise\"; sd = 0.1; },\n"
	"{ name = \"n\"; op = \"mask\"; rate = 0.2; }, { name = \"h\"; op = \"dense\"; units = 300; activation = \"tanh\"; },\n"
	"{ op = \"layer_norm\"; }, { name = \"g\"; op = \"dense\"; units = 270; }, { op = \"noise\"; sd = 0.2; },\n"
	"{ name = \"l\"; op = \"l2_normalize\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"n\"; units = 270; activation = \"sigmoid\"; path = \"sparse\"; },\n"
	"{ name = \"m\"; op = \"multiply\"; inputs = [ \"a\", \"l\" ]; }, { op = \"mask\"; rate = 0.1; },\n"
	"{ op = \"layer_norm\"; }, { op = \"dense\"; units = \"items\"; } );\noptimizer: { kind = \"sgd\"; rate = 0.1; };",
	// vectors of the rows' own, some of which wait; all cells or some
	"graph: ( { name = \"v\"; op = \"embedding\"; units = 200; init = \"glorot_uniform\"; l2 = 0.001; },\n"
	"{ name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 200; },\n"
	"{ op = \"add\"; inputs = [ \"v\", \"h\" ]; }, { op = \"activation\"; activation = \"tanh\"; },\n"
	"{ op = \"dense\"; units = \"items\"; } );\noptimizer: { kind = \"sgd\"; rate = 0.1; };",
	// two outputs multiplied, at cells, with noise on them
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 200; activation = \"tanh\"; },\n"
	"{ name = \"a\"; op = \"dense\"; input = \"h\"; units = \"items\"; activation = \"sigmoid\"; },\n"
	"{ name = \"b\"; op = \"dense\"; input = \"h\"; units = \"items\"; },\n"
	"{ op = \"multiply\"; inputs = [ \"a\", \"b\" ]; }, { op = \"noise\"; sd = 0.1; }, { op = \"mask\"; rate = 0.1; } );\n"
	"optimizer = \"adam\";",
	// a latent layer whose heads have other groups
	"graph: ( { name = \"m\"; op = \"dense\"; input = \"ratings\"; units = 300; activation = \"tanh\"; },\n"
	"{ name = \"v\"; op = \"dense\"; units = 300; },\n"
	"{ name = \"z\"; op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; }, { op = \"dense\"; units = 270; },\n"
	"{ op = \"dense\"; units = \"items\"; } );\noptimizer = \"adam\";",
};
static const char *const losses[] = { "kind = \"masked_mse\";", "kind = \"mse\";", "kind = \"multinomial\";",
	                                  "kind = \"multinomial\"; negatives = 3;", "kind = \"mse\"; negatives = 2;" };

enum { LOSSES = sizeof(losses) / sizeof(losses[0]) };

static struct {
	struct csr ratings, features;
} data;

struct outcome {
	real *weights;
	double loss[ROUNDS * BATCHES];
	float *cells;
	real *all; // (BATCH, ITEMS)
	size_t cells_count;
};

static void gather(struct batch *batch, const struct batch_source *source, uint32_t *rows, uint64_t *state) {
	for (size_t i = 0; i < BATCH; i++)
		rows[i] = (uint32_t)draw_below(state, DATA_ROWS);
	batch_gather(batch, source, rows, BATCH);
	batch_transpose(batch);
}

static void predict(struct network *n, const struct batch *batch, struct outcome *ret) {
	ret->cells_count = sparse_count(&batch->target);
	ret->cells = memory_alloc((ret->cells_count + 1) * sizeof(*ret->cells));
	ret->all = memory_alloc(BATCH * ITEMS * sizeof(*ret->all));
	network_predict_cells(n, batch, ret->cells);
	struct matrix all = network_predict_all(n, batch);
	for (size_t i = 0; i < BATCH; i++)
		memcpy(ret->all + i * ITEMS, all.data + i * all.stride, ITEMS * sizeof(real));
}

static void outcome_finish(struct outcome *outcome) {
	free(outcome->weights);
	free(outcome->cells);
	free(outcome->all);
}

// What members of the team predict from readers of their own, all of them the same batch.
struct reading {
	const struct batch *batch;
	struct network **networks; // (members)
	struct outcome *outcomes;  // (members)
};

static void read_alone(void *context, size_t member) {
	const struct reading *r = context;
	struct outcome *ret = &r->outcomes[member];
	network_read_cells(r->networks[member], r->batch, ret->cells);
	struct matrix all = network_read_all(r->networks[member], r->batch);
	for (size_t i = 0; i < BATCH; i++)
		memcpy(ret->all + i * ITEMS, all.data + i * all.stride, ITEMS * sizeof(real));
}

static void check_readers(struct network *n, struct pool *pool, struct network_room room, const struct batch *batch,
                          const struct outcome *expected) {
	enum { MOST = 8 };
	struct network *networks[MOST] = { n };
	struct outcome outcomes[MOST] = { { 0 } };
	size_t members = pool_threads(pool);
	room.reads = true;
	for (size_t i = 0; i < members; i++) {
		outcomes[i].cells = memory_alloc((expected->cells_count + 1) * sizeof(float));
		outcomes[i].all = memory_alloc(BATCH * ITEMS * sizeof(real));
		if (i)
			assert_true(network_create_reader(n, &room, &networks[i], NULL));
	}
	network_ready(n, true);
	pool_team(pool, read_alone, &(struct reading){ batch, networks, outcomes });
	for (size_t i = 0; i < members; i++) {
		assert_memory_equal(outcomes[i].cells, expected->cells, expected->cells_count * sizeof(float));
		assert_memory_equal(outcomes[i].all, expected->all, BATCH * ITEMS * sizeof(real));
		outcome_finish(&outcomes[i]);
		if (i)
			network_destroy(networks[i]);
	}
}

// Where there are no readers: the same once more.
static void check_again(struct network *n, const struct batch *batch, const struct outcome *expected) {
	struct outcome again = { 0 };
	predict(n, batch, &again);
	assert_memory_equal(again.cells, expected->cells, expected->cells_count * sizeof(float));
	assert_memory_equal(again.all, expected->all, BATCH * ITEMS * sizeof(real));
	outcome_finish(&again);
}

static size_t rounds_of(void) { return tested_row()->apart ? 1 : ROUNDS; } // they take long on the shim

static void train(const struct graph *graph, size_t threads, struct outcome *ret) {
	static uint8_t trained[DATA_ROWS];
	for (size_t i = 0; i < DATA_ROWS; i++)
		trained[i] = i % 7 > 0;
	struct negatives negatives = { random_stream_make(3, "negatives", ""), (size_t)graph->loss_config->negatives, 0 };
	struct batch_source source = { .ratings = &data.ratings, .features = &data.features, .trained = trained, .target = &data.ratings,
		                           .negatives = negatives.per_entry ? &negatives : NULL };
	struct batch batches[BATCHES];
	uint32_t rows[BATCHES][BATCH];
	uint64_t state = 5;
	struct pool *pool = pool_create(threads);
	struct device *device;
	struct network *network;
	for (size_t b = 0; b < BATCHES; b++)
		assert_true(batch_create(&source, 1, BATCH, &batches[b], NULL));
	struct network_room room = { .rows = BATCH, .cells = batch_cells_most(batches),
		                         .rating_entries = batch_rating_entries_most(batches),
		                         .feature_entries = batch_feature_entries_most(batches), .full_rows = BATCH };
	assert_true(open_tested(pool, &device));
	assert_true(network_create(graph, device, tested, 3, &room, &network, NULL));
	for (size_t round = 0; round < rounds_of(); round++) {
		negatives.epoch = (uint32_t)round / 2;
		for (size_t b = 0; b < BATCHES; b++)
			gather(&batches[b], &source, rows[b], &state);
		network_train(network, batches, BATCHES, (uint32_t)round / 2, ret->loss + round * BATCHES);
		if (round == 1)
			network_settle(network);
	}
	ret->weights = memory_alloc(graph->weights * sizeof(real));
	network_save(network, ret->weights);
	predict(network, batches, ret);
	network_load(network, ret->weights); // what was made of weights is to be made again
	if (tested->apart)
		check_again(network, batches, ret);
	else
		check_readers(network, pool, room, batches, ret);
	network_destroy(network);
	tested->close(device);
	pool_destroy(pool);
	for (size_t b = 0; b < BATCHES; b++)
		batch_destroy(&batches[b]);
}

static void check_graph(const struct graph *graph) {
	static const size_t threads[] = { 2, 3, 8 };
	size_t count = tested_row()->apart ? 1 : sizeof(threads) / sizeof(threads[0]); // a device has none: the same once more
	struct outcome one;
	train(graph, 1, &one);
	assert_true(one.loss[0] > 0 && one.loss[rounds_of() * BATCHES - 1] < 1e6);
	for (size_t t = 0; t < count; t++) {
		struct outcome more;
		train(graph, threads[t], &more);
		assert_memory_equal(one.loss, more.loss, rounds_of() * BATCHES * sizeof(one.loss[0]));
		assert_memory_equal(one.weights, more.weights, graph->weights * sizeof(real));
		assert_memory_equal(one.cells, more.cells, one.cells_count * sizeof(*one.cells));
		assert_memory_equal(one.all, more.all, BATCH * ITEMS * sizeof(*one.all));
		outcome_finish(&more);
	}
	outcome_finish(&one);
}

static void test_graphs(void **state) {
	(void)state;
	uint64_t seed = 8;
	make_csr(&seed, DATA_ROWS, ITEMS, 0.03, &data.ratings);
	make_csr(&seed, DATA_ROWS, FEATURES, 0.2, &data.features);
	for (size_t i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++)
		for (size_t l = 0; l < LOSSES; l++) {
			if (tested_row()->apart && l != i % LOSSES)
				continue;
			char text[2048];
			struct parsed parsed;
			struct graph graph = { 0 };
			struct graph_shape shape = { ITEMS, FEATURES, BATCH, 18, 4, 18, DATA_ROWS };
			const char *kl = strstr(graphs[i], "gaussian") ? "kl: { cap = 0.2; steps = 7; scale = \"entries\"; };" : "";
			snprintf(text, sizeof(text), "%s\nloss: { %s %s };", graphs[i], losses[l], kl);
			parse_model(text, &parsed);
			if (parsed.errors.count || !plan_model(&parsed, &shape, &graph))
				fail_msg("%s in\n%s", parsed.errors.items[0].message, text);
			check_graph(&graph);
			graph_finish(&graph);
			parsed_finish(&parsed);
		}
	csr_finish(&data.ratings);
	csr_finish(&data.features);
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_graphs) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
