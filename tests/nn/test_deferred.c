// Updates that come after all gradients: without a bound that matters, the bytes of updates that come with each
// gradient; clipped, the gradients scaled and cut by hand.
#include "graph_test.h"

#include <math.h>

enum { DATA_ROWS = 60, ITEMS = 90, BATCH = 12, STEPS = 40, STEPS_APART = 6 };

static const char *const graphs[] = {
	// sparse rows and cells
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 100; activation = \"tanh\"; l2 = %s; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; l2 = %s; l2_bias = %s; } );\n"
	"optimizer: { %s };",
	// all dense
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 70; path = \"dense\"; l2 = %s; },\n"
	"{ name = \"n\"; op = \"batch_norm\"; },\n"
	"{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; path = \"dense\"; l2 = %s;\n"
	"l2_bias = %s; } );\noptimizer: { %s };",
};
enum { GRAPHS = sizeof(graphs) / sizeof(graphs[0]) };

static struct csr ratings;

static void plan(const char *format, const char *l2, const char *optimizer, struct parsed *parsed, struct graph *graph) {
	char text[1024];
	struct graph_shape shape = { ITEMS, 0, BATCH, 1, 0, 1 };
	snprintf(text, sizeof(text), format, l2, l2, l2, optimizer);
	parse_model(text, parsed);
	if (parsed->errors.count || !plan_model(parsed, &shape, graph))
		fail_msg("%s in\n%s", parsed->errors.items[0].message, text);
}

static void make(const struct graph *graph, const struct backend *row, bool gradients, struct batch *batch,
                 struct device **device, struct network **network) {
	struct batch_source source = { .ratings = &ratings, .target = &ratings };
	assert_true(batch_create(&source, 1, BATCH, batch, NULL));
	struct network_room room = { .rows = BATCH, .cells = batch_cells_most(batch),
		                         .rating_entries = batch_rating_entries_most(batch), .gradients = gradients };
	const struct backend *backend;
	assert_true(backend_open(row, NULL, NULL, &backend, device, NULL));
	assert_true(network_create(graph, *device, backend, 1, &room, network, NULL));
}

static void gather(struct batch *batch, uint32_t *rows, uint64_t *state) {
	struct batch_source source = { .ratings = &ratings, .target = &ratings };
	for (size_t i = 0; i < BATCH; i++)
		rows[i] = (uint32_t)draw_below(state, DATA_ROWS);
	batch_gather(batch, &source, rows, BATCH);
	batch_transpose(batch);
}

// --- without a bound that matters ---

static size_t steps_of(void) { return tested_row()->apart ? STEPS_APART : STEPS; }

static void train(const struct graph *graph, real *ret_weights, double *ret_losses) {
	struct batch batch;
	struct device *device;
	struct network *network;
	uint32_t rows[BATCH];
	uint64_t state = 4;
	make(graph, tested_row(), false, &batch, &device, &network);
	for (size_t step = 0; step < steps_of(); step++) {
		gather(&batch, rows, &state);
		ret_losses[step] = network_step(network, &batch, 0);
	}
	network_save(network, ret_weights);
	const struct backend *backend = network->backend;
	network_destroy(network);
	backend->close(device);
	batch_destroy(&batch);
}

static void check_same(const char *format, const char *l2, const char *optimizer) {
	double losses[2][STEPS];
	real *weights[2];
	size_t count[2];
	for (size_t i = 0; i < 2; i++) {
		struct parsed parsed;
		struct graph graph;
		char text[256];
		snprintf(text, sizeof(text), "%s%s", optimizer, i ? "clip_value = 1e9;" : "");
		plan(format, l2, text, &parsed, &graph);
		for (size_t k = 0; k < graph.parameters_count; k++)
			assert_int_equal(graph.parameters[k].deferred, i && graph.parameters[k].trainable);
		count[i] = graph.weights;
		weights[i] = memory_alloc(graph.weights * sizeof(real));
		train(&graph, weights[i], losses[i]);
		graph_finish(&graph);
		parsed_finish(&parsed);
	}
	assert_int_equal(count[0], count[1]);
	if (tested_row()->apart) { // which may add up what it writes down in another order
		for (size_t i = 0; i < steps_of(); i++)
			assert_true(fabs(losses[0][i] - losses[1][i]) <= 1e-4 * fabs(losses[0][i]));
	} else {
		assert_memory_equal(losses[0], losses[1], steps_of() * sizeof(losses[0][0]));
		assert_memory_equal(weights[0], weights[1], count[0] * sizeof(real));
	}
	free(weights[0]);
	free(weights[1]);
}

static void test_same(void **state) {
	(void)state;
	for (size_t g = 0; g < GRAPHS; g++)
		for (size_t i = 0; i < optimizer_registry.count; i++)
			for (int l2 = 0; l2 < 2 && !((const struct optimizer *)optimizer_registry.rows[i])->descends; l2++) {
				char optimizer[128];
				snprintf(optimizer, sizeof(optimizer), "kind = \"%s\"; rate = 0.01; ", optimizer_registry.rows[i]->name);
				check_same(graphs[g], l2 ? "0.01" : "0.0", optimizer);
			}
}

// --- clipped, by hand ---

static double clip_of(double norm, double clip_norm) {
	return clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
}

// One step of sgd with rate 1, whose gradients another network gives; l2's part is not clipped.
static void check_step(const char *format, const struct backend *backend, double clip_norm, double clip_value) {
	struct parsed parsed[2];
	struct graph graph[2];
	struct batch batch[2];
	struct device *device[2];
	struct network *network[2];
	char optimizer[2][128] = { "kind = \"sgd\"; rate = 1.0;", "" };
	snprintf(optimizer[1], sizeof(optimizer[1]), "kind = \"sgd\"; rate = 1.0; ");
	if (clip_norm > 0)
		snprintf(optimizer[1] + strlen(optimizer[1]), 40, "clip_norm = %g; ", clip_norm);
	if (clip_value > 0)
		snprintf(optimizer[1] + strlen(optimizer[1]), 40, "clip_value = %g; ", clip_value);
	uint32_t rows[2][BATCH];
	for (size_t i = 0; i < 2; i++) {
		uint64_t state = 8;
		plan(format, "0.01", optimizer[i], &parsed[i], &graph[i]);
		make(&graph[i], backend, i == 0, &batch[i], &device[i], &network[i]);
		gather(&batch[i], rows[i], &state);
	}
	network_gradients(network[0], &batch[0], 0);
	real *weights = weights_of(network[0]);
	double squares = 0;
	real *gradient[16];
	for (size_t k = 0; k < graph[0].parameters_count; k++) { // less what L2 adds
		const struct parameter *p = &graph[0].parameters[k];
		gradient[k] = memory_alloc(p->rows * p->columns * sizeof(real));
		if (!p->trainable)
			continue;
		network_gradient_of(network[0], &batch[0], p, gradient[k]);
		for (size_t i = 0; i < p->rows * p->columns; i++) {
			double w = weights[parameter_place(p, i / p->columns, i % p->columns)];
			gradient[k][i] -= (real)(2 * p->l2 * w);
			squares += (double)gradient[k][i] * (double)gradient[k][i];
		}
	}
	double factor = clip_of(sqrt(squares), clip_norm);
	assert_true(clip_norm == 0 || factor < 0.5);
	real *before = memory_alloc(graph[1].weights * sizeof(real)), *after = memory_alloc(graph[1].weights * sizeof(real));
	size_t cut = 0;
	network_save(network[1], before);
	network_step(network[1], &batch[1], 0);
	network_save(network[1], after);
	for (size_t k = 0; k < graph[0].parameters_count; k++) {
		const struct parameter *p = &graph[1].parameters[k];
		for (size_t i = 0; p->trainable && i < p->rows * p->columns; i++) {
			size_t place = parameter_place(p, i / p->columns, i % p->columns);
			double g = (double)gradient[k][i] * factor;
			cut += clip_value > 0 && fabs(g) > clip_value;
			g = clip_value > 0 ? fmax(-clip_value, fmin(clip_value, g)) : g;
			double want = (double)before[place] - g - 2 * p->l2 * (double)before[place];
			if (!(fabs((double)after[place] - want) <= 2e-6))
				fail_msg("%s.%s %zu: %.9g, not %.9g", p->node->name, p->suffix, i, (double)after[place], want);
		}
		free(gradient[k]);
	}
	assert_true(clip_value == 0 || cut > 10);
	free(before);
	free(after);
	free(weights);
	for (size_t i = 0; i < 2; i++) {
		const struct backend *table = network[i]->backend;
		network_destroy(network[i]);
		table->close(device[i]);
		batch_destroy(&batch[i]);
		graph_finish(&graph[i]);
		parsed_finish(&parsed[i]);
	}
}

static void test_clipped(void **state) {
	(void)state;
	const struct backend *backends[] = { tested_row(), &backend_reference };
	size_t count = tested_row()->whole ? 1 : 2; // graphs are planned for the one that is tested
	for (size_t g = 0; g < GRAPHS; g++)
		for (size_t b = 0; b < count; b++) {
			check_step(graphs[g], backends[b], 0.01, 0);
			check_step(graphs[g], backends[b], 0, 0.001);
			check_step(graphs[g], backends[b], 0.02, 0.001);
		}
}

static int set_up(void **state) {
	(void)state;
	uint64_t seed = 6;
	make_csr(&seed, DATA_ROWS, ITEMS, 0.1, &ratings);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	csr_finish(&ratings);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same), cmocka_unit_test(test_clipped) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
