// Phases of training, and copies of an encoder: who learns and who rests, each phase's own optimizer, noise, clipping,
// L2 of what rests; what a renewal copies, and when the epochs of a turn begin and end.
#include "graph_test.h"

#include "nn/phase.h"

#include <math.h>

enum { DATA_ROWS = 40, ITEMS = 30, BATCH = 20 };

static struct csr ratings;

struct world {
	struct parsed parsed;
	struct graph graph;
	struct device *device;
	struct network *network;
	struct batch batch;
	uint32_t rows[BATCH];
};

static void make(struct world *w, const char *text) {
	struct graph_shape shape = {ITEMS, 0, BATCH, 8, 0, 8, DATA_ROWS};
	struct batch_source source = {.ratings = &ratings, .target = &ratings};
	*w = (struct world){0};
	parse_model(text, &w->parsed);
	if (w->parsed.errors.count || !plan_model(&w->parsed, &shape, &w->graph))
		fail_msg("%s in\n%s", w->parsed.errors.items[0].message, text);
	assert_true(batch_create(&source, 1, BATCH, &w->batch, NULL));
	for (uint32_t i = 0; i < BATCH; i++)
		w->rows[i] = 2 * i;
	batch_gather(&w->batch, &source, w->rows, BATCH);
	batch_transpose(&w->batch);
	struct network_room room = {
	    .rows = BATCH, .cells = batch_cells_most(&w->batch), .rating_entries = batch_rating_entries_most(&w->batch)};
	assert_true(open_tested(NULL, &w->device));
	assert_true(network_create(&w->graph, w->device, tested, 5, &room, &w->network, NULL));
}

static void finish(struct world *w) {
	network_destroy(w->network);
	tested->close(w->device);
	batch_destroy(&w->batch);
	graph_finish(&w->graph);
	parsed_finish(&w->parsed);
}

// Weights of the node that moved, by their distance; a copy of them all is kept in `before`.
static double moved(const struct world *w, const char *name, const real *before) {
	double sum = 0;
	bool found = false;
	real *now = weights_of(w->network);
	for (size_t k = 0; k < w->graph.parameters_count; k++) {
		const struct parameter *p = &w->graph.parameters[k];
		if (strcmp(p->node->name, name) != 0)
			continue;
		found = true;
		for (size_t i = 0; i < p->rows; i++)
			for (size_t j = 0; j < p->columns; j++) {
				size_t at = parameter_place(p, i, j);
				double d = (double)now[at] - (double)before[at];
				sum += d * d;
			}
	}
	free(now);
	assert_true(found);
	return sqrt(sum);
}

static double step_from(struct world *w, size_t phase, real *before) {
	network_set_phase(w->network, phase);
	network_save(w->network, before);
	return network_step(w->network, &w->batch, 1);
}

// --- who learns ---

// Nodes "a" and "n" below "b" and "c"; what the phases are, and the rest of the file.
#define GRAPH(activation, tail)                                                                                        \
	"graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 9; activation = \"" activation              \
	"\"; l2 = 0.01; },\n"                                                                                              \
	"{ name = \"n\"; op = \"batch_norm\"; },\n"                                                                        \
	"{ name = \"b\"; op = \"dense\"; units = 70; activation = \"tanh\"; l2_bias = 0.02; },\n"                          \
	"{ name = \"c\"; op = \"dense\"; units = \"items\"; l2 = 0.03; } );\n" tail

static void test_who_learns(void **unused) {
	static const char *const texts[] = {
	    GRAPH("tanh", "alternate: ( { nodes = [ \"a\", \"n\" ]; }, { nodes = [ \"b\" ]; }, { nodes = [ \"c\" ]; } );"),
	    GRAPH("tanh", "alternate: ( { nodes = [ \"n\", \"a\" ]; }, { nodes = [ \"b\" ]; }, { nodes = [ \"c\" ]; } );\n"
	                  "optimizer: { kind = \"adam\"; clip_norm = 0.5; clip_value = 0.1; };"),
	    GRAPH("tanh", "alternate: ( { nodes = [ \"n\", \"a\" ]; }, { nodes = [ \"b\" ]; }, { nodes = [ \"c\" ]; } );\n"
	                  "loss = \"mse\"; optimizer = \"adadelta\";"),
	};
	static const char *const names[] = {"a", "n", "b", "c"};
	static const size_t phase_of[] = {0, 0, 1, 2};
	(void)unused;
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct world w;
		make(&w, texts[t]);
		real *before = memory_alloc(w.graph.weights * sizeof(*before));
		for (size_t step = 0; step < 9; step++) {
			step_from(&w, step % 3, before);
			for (size_t i = 0; i < 4; i++) {
				bool running = i == 1; // batch norm's averages go on, whoever learns
				if (phase_of[i] == step % 3)
					assert_true(moved(&w, names[i], before) > 0);
				else if (!running)
					assert_true(moved(&w, names[i], before) == 0);
			}
		}
		for (size_t k = 0; k < w.graph.parameters_count; k++)
			assert_false(w.graph.parameters[k].lazy);
		free(before);
		finish(&w);
	}
}

// A phase's steps are those of a graph in which the others' rate is 0: the gradient is the same.
static void test_gradient(void **unused) {
	struct world alone, all;
	(void)unused;
	make(&alone,
	     GRAPH("tanh", "alternate: ( { nodes = [ \"a\", \"n\" ]; }, { nodes = [ \"b\", \"c\" ]; } ); optimizer: { kind "
	                   "= \"sgd\"; rate = 0.5; };"));
	make(&all, GRAPH("tanh", "optimizer: { kind = \"sgd\"; rate = 0.5; };"));
	assert_int_equal(alone.graph.weights, all.graph.weights);
	real *before = memory_alloc(all.graph.weights * sizeof(*before));
	double loss = step_from(&alone, 0, before);
	assert_true(fabs(loss - network_step(all.network, &all.batch, 1)) < 1e-6 * loss);
	network_settle(all.network);
	real *weights[] = {weights_of(alone.network), weights_of(all.network)};
	for (size_t k = 0; k < all.graph.parameters_count; k++) {
		const struct parameter *p = &all.graph.parameters[k];
		bool learns = !strcmp(p->node->name, "a") || !strcmp(p->node->name, "n");
		for (size_t i = 0; learns && i < p->rows; i++)
			for (size_t j = 0; j < p->columns; j++) {
				size_t at = parameter_place(p, i, j);
				double own = (double)weights[0][at], want = (double)weights[1][at];
				assert_true(fabs(own - want) <= 1e-6 * (fabs(want) + 1e-3));
			}
	}
	free(before);
	free(weights[0]);
	free(weights[1]);
	finish(&alone);
	finish(&all);
}

// --- the optimizer ---

// Adam's first step is the rate, whatever the gradient; were its steps counted with the other phase's, the first one of
// this phase would be far longer.
static void test_own_steps(void **unused) {
	struct world w;
	const double rate = 0.001;
	(void)unused;
	make(&w, "graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 9; activation = \"tanh\"; },\n"
	         "{ name = \"c\"; op = \"dense\"; units = \"items\"; } );\n"
	         "optimizer: { kind = \"adam\"; rate = 0.001; epsilon = 1e-30; };\n"
	         "alternate: ( { nodes = [ \"a\" ]; }, { nodes = [ \"c\" ]; } );");
	real *before = memory_alloc(w.graph.weights * sizeof(*before));
	for (size_t i = 0; i < 50; i++)
		step_from(&w, 0, before);
	step_from(&w, 1, before);
	double most = 0;
	real *now = weights_of(w.network);
	for (size_t k = 0; k < w.graph.weights; k++)
		most = fmax(most, fabs((double)now[k] - (double)before[k]));
	free(now);
	assert_true(fabs(most - rate) < 1e-3 * rate);
	free(before);
	finish(&w);
}

// The norm that is clipped is that of the gradients of those who learn.
static void test_clip(void **unused) {
	struct world w;
	(void)unused;
	make(&w, "graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 9; activation = \"tanh\"; },\n"
	         "{ name = \"c\"; op = \"dense\"; units = \"items\"; } );\n"
	         "optimizer: { kind = \"sgd\"; rate = 1.0; clip_norm = 1e-3; };\n"
	         "alternate: ( { nodes = [ \"a\" ]; }, { nodes = [ \"c\" ]; } );");
	real *before = memory_alloc(w.graph.weights * sizeof(*before));
	for (size_t step = 0; step < 6; step++) {
		step_from(&w, step % 2, before);
		assert_true(fabs(moved(&w, step % 2 ? "c" : "a", before) - 1e-3) < 5e-6);
	}
	free(before);
	finish(&w);
}

// The loss of a step has the L2 of all weights, of those that rest too.
static void test_penalty(void **unused) {
	struct world w;
	(void)unused;
	make(&w, GRAPH("tanh", "alternate: ( { nodes = [ \"a\", \"n\", \"b\" ]; }, { nodes = [ \"c\" ]; } );"));
	real *before = memory_alloc(w.graph.weights * sizeof(*before));
	for (size_t step = 0; step < 6; step++) {
		double loss = network_loss(w.network, &w.batch, 1, true);
		assert_true(fabs(step_from(&w, step / 2 % 2, before) - loss) < 1e-5 * loss);
	}
	free(before);
	finish(&w);
}

// --- noise ---

// Without noise on the data a phase's loss is that of a graph without that dropout; inside the graph dropout stays.
static void test_quiet(void **unused) {
	static const char *const texts[] = {
	    "graph: ( { op = \"dropout\"; input = \"ratings\"; rate = 0.5; }, { name = \"a\"; op = \"dense\"; units = 9; "
	    "},\n"
	    "{ name = \"d\"; op = \"dropout\"; rate = 0.5; }, { name = \"c\"; op = \"dense\"; units = \"items\"; } );\n"
	    "alternate: ( { nodes = [ \"a\" ]; }, { nodes = [ \"c\" ]; noise = false; } );",
	    "graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 9; },\n"
	    "{ name = \"d\"; op = \"dropout\"; rate = 0.5; }, { name = \"c\"; op = \"dense\"; units = \"items\"; } );",
	    "graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 9; },\n"
	    "{ name = \"c\"; op = \"dense\"; units = \"items\"; } );",
	};
	struct world w[3];
	double loss[3];
	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		make(&w[i], texts[i]);
		network_set_phase(w[i].network, i == 0 ? 1 : 0);
		loss[i] = network_step(w[i].network, &w[i].batch, 1);
	}
	assert_true(loss[0] == loss[1]);
	assert_true(loss[1] != loss[2]);
	network_set_phase(w[0].network, 0);
	assert_true(network_step(w[0].network, &w[0].batch, 1) != loss[0]);
	for (size_t i = 0; i < 3; i++)
		finish(&w[i]);
}

// --- copies ---

#define RECVAE                                                                                                         \
	"graph: ( { op = \"dropout\"; input = \"ratings\"; rate = 0.5; },\n"                                               \
	"{ name = \"h\"; op = \"dense\"; units = 70; activation = \"swish\"; }, { name = \"l\"; op = \"layer_norm\"; },\n" \
	"{ name = \"m\"; op = \"dense\"; input = \"l\"; units = 5; }, { name = \"v\"; op = \"dense\"; input = \"l\"; "     \
	"units = 5; },\n"                                                                                                  \
	"{ name = \"z\"; op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; prior = \"composite\"; },\n"                        \
	"{ name = \"score\"; op = \"dense\"; units = \"items\"; } );\n"                                                    \
	"loss: { kind = \"masked_mse\"; kl: { cap = 0.1; }; };\noptimizer = \"adam\";"

static const struct node *node_of(const struct world *w, const char *name) {
	for (size_t i = 0; i < w->graph.nodes_count; i++)
		if (!strcmp(w->graph.nodes[i].name, name))
			return &w->graph.nodes[i];
	fail_msg("no node %s", name);
	return NULL;
}

static double distance(const struct world *w, const char *name) {
	char copy[32];
	snprintf(copy, sizeof(copy), "%s(old)", name);
	const struct node *a = node_of(w, name), *b = node_of(w, copy);
	double sum = 0;
	real *weights = weights_of(w->network);
	assert_ptr_equal(b->copy_of, a);
	assert_int_equal(a->parameters_count, b->parameters_count);
	for (size_t k = 0; k < a->parameters_count; k++) {
		const struct parameter *p = a->parameters[k], *q = b->parameters[k];
		assert_false(q->trainable);
		for (size_t i = 0; i < p->rows; i++)
			for (size_t j = 0; j < p->columns; j++)
				sum += fabs((double)weights[parameter_place(p, i, j)] - (double)weights[parameter_place(q, i, j)]);
	}
	free(weights);
	return sum;
}

static void test_renewal(void **unused) {
	static const char *const names[] = {"h", "l", "m", "v"};
	struct world w;
	struct arena arena = {0};
	struct tensor_facts *tensors;
	(void)unused;
	make(&w, RECVAE);
	assert_int_equal(w.graph.listed_count, 7);
	assert_int_equal(w.graph.nodes_count, 1 + 7 + 4); // the ratings; no copy of dropout, of z and of what is above it
	assert_ptr_equal(node_of(&w, "h(old)")->inputs[0], w.graph.ratings);
	assert_true(distance(&w, "h") > 0 && distance(&w, "m") > 0); // from weights of their own
	for (size_t i = 0; i < 3; i++)
		network_step(w.network, &w.batch, 1);
	assert_true(distance(&w, "l") > 0);
	double before = network_loss(w.network, &w.batch, 1, true);
	network_renew(w.network);
	for (size_t i = 0; i < 4; i++)
		assert_true(distance(&w, names[i]) == 0);
	assert_true(network_loss(w.network, &w.batch, 1, true) != before);
	network_step(w.network, &w.batch, 1);
	for (size_t i = 0; i < 4; i++)
		assert_true(distance(&w, names[i]) > 0);
	assert_int_equal(network_tensors(w.network, &arena, &tensors), 5 * 2); // those of the file's nodes
	size_t trainable = 0;
	for (size_t i = 0; i < w.graph.parameters_count; i++)
		trainable +=
		    w.graph.parameters[i].node->copy_of ? 0 : w.graph.parameters[i].rows * w.graph.parameters[i].columns;
	assert_int_equal(trainable, w.graph.trainable);
	arena_finish(&arena);
	finish(&w);
}

// With the copy renewed, all of the mixture's weight on it and z drawn, log q - log p is 0 but for the dropout.
static void test_divergence_from_itself(void **unused) {
	static const char format[] =
	    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 70; activation = \"tanh\"; },\n"
	    "{ name = \"m\"; op = \"dense\"; input = \"h\"; units = 5; }, { name = \"v\"; op = \"dense\"; input = \"h\"; "
	    "units = 5; },\n"
	    "{ op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; prior: { kind = \"composite\"; weights = [ 0.0, 1.0, 0.0 ]; "
	    "}; },\n"
	    "{ op = \"dense\"; units = \"items\"; } );\nloss: { kind = \"masked_mse\"; kl: { cap = %s; }; };";
	double loss[2];
	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		char text[1024];
		struct world w;
		snprintf(text, sizeof(text), format, i ? "1000.0" : "0.0");
		make(&w, text);
		assert_true(i == 0 || fabs(network_loss(w.network, &w.batch, 1, true) - loss[0]) > 1);
		network_renew(w.network);
		loss[i] = network_loss(w.network, &w.batch, 1, true);
		finish(&w);
	}
	assert_true(fabs(loss[1] - loss[0]) < 1e-2); // 1000 times the rounding of a sum
}

// --- epochs ---

static void test_turns(void **unused) {
	struct world w;
	static const struct {
		size_t phase;
		bool ends;
	} want[] = {{0, false}, {0, false}, {0, true}, {1, true}, {2, false}, {2, true}};
	bool ends;
	(void)unused;
	make(&w, GRAPH("tanh", "alternate: ( { nodes = [ \"a\", \"n\" ]; epochs = 3; }, { nodes = [ \"b\" ]; },\n"
	                       "{ nodes = [ \"c\" ]; epochs = 2; } );"));
	for (size_t epoch = 1; epoch <= 18; epoch++) {
		assert_int_equal(phase_at(&w.graph, epoch, &ends), want[(epoch - 1) % 6].phase);
		assert_int_equal(ends, want[(epoch - 1) % 6].ends);
	}
	finish(&w);
	make(&w, GRAPH("tanh", ""));
	for (size_t epoch = 1; epoch < 4; epoch++) {
		assert_int_equal(phase_at(&w.graph, epoch, &ends), 0);
		assert_true(ends);
	}
	finish(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_learns), cmocka_unit_test(test_gradient),
	    cmocka_unit_test(test_own_steps),  cmocka_unit_test(test_clip),
	    cmocka_unit_test(test_penalty),    cmocka_unit_test(test_quiet),
	    cmocka_unit_test(test_renewal),    cmocka_unit_test(test_divergence_from_itself),
	    cmocka_unit_test(test_turns),
	};
	uint64_t state = 7;
	make_csr(&state, DATA_ROWS, ITEMS, 0.3, &ratings);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	csr_finish(&ratings);
	return failed;
}
