// Schedules of the learning rate: factors against their definitions, every row of the registry; the plateau's memory;
// and that a network's steps follow the factor and the warm-up.
#include "graph_test.h"

#include <math.h>

#include "nn/schedule.h"

static void parse_schedule(const char *schedule, struct parsed *parsed, struct graph *graph) {
	char text[512];
	struct graph_shape shape = { 3, 0, 2, 1, 0, 1 };
	snprintf(text, sizeof(text),
	         "graph: ( { name = \"y\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; l2 = 0.1; } );\n"
	         "optimizer: { kind = \"sgd\"; rate = 0.5; schedule = %s; };",
	         schedule);
	parse_model(text, parsed);
	if (parsed->errors.count || !plan_model(parsed, &shape, graph))
		fail_msg("%s in\n%s", parsed->errors.items[0].message, text);
}

static void finish(struct parsed *parsed, struct graph *graph) {
	graph_finish(graph);
	parsed_finish(parsed);
}

// The factor of epochs 1 to 6 of 6.
static const struct factors {
	const char *schedule;
	double factor[6];
} factors[] = {
	{ "\"constant\"", { 1, 1, 1, 1, 1, 1 } },
	{ "{ kind = \"step\"; every = 2; factor = 0.1; }", { 1, 1, 0.1, 0.1, 0.01, 0.01 } },
	{ "{ kind = \"at\"; epochs = [ 1, 4 ]; factor = 0.5; }", { 1, 0.5, 0.5, 0.5, 0.25, 0.25 } },
	{ "\"cosine\"", { 1, 0.93301270189221930, 0.75, 0.5, 0.25, 0.06698729810778070 } },
	{ "{ kind = \"cosine\"; floor = 0.2; }", { 1, 0.94641016151377544, 0.8, 0.6, 0.4, 0.25358983848622456 } },
	{ "\"plateau\"", { 1, 1, 1, 1, 1, 1 } },
};
enum { FACTORS = sizeof(factors) / sizeof(factors[0]) };

static void test_factors(void **state) {
	(void)state;
	for (size_t i = 0; i < FACTORS; i++) {
		struct parsed parsed;
		struct graph graph;
		parse_schedule(factors[i].schedule, &parsed, &graph);
		for (size_t epoch = 1; epoch <= 6; epoch++) {
			double got = schedule_factor(graph.schedule, &(struct schedule_state){ .epoch = epoch, .epochs = 6 });
			if (!(fabs(got - factors[i].factor[epoch - 1]) <= 1e-15))
				fail_msg("%s: epoch %zu has %.17g, not %.17g", factors[i].schedule, epoch, got, factors[i].factor[epoch - 1]);
		}
		assert_int_equal(schedule_is_constant(graph.schedule), i == 0);
		finish(&parsed, &graph);
	}
	for (size_t r = 0; r < schedule_registry.count; r++) {
		bool found = false;
		for (size_t i = 0; i < FACTORS; i++)
			found |= strstr(factors[i].schedule, schedule_registry.rows[r]->name) != NULL;
		if (!found)
			fail_msg("no case has schedule \"%s\"", schedule_registry.rows[r]->name);
	}
}

static void test_plateau(void **state) {
	(void)state;
	static const double figure[] = { 5, 4, 4, NAN, 3.95, 3.5, 3.4, 3.45, 3.5, 3.6, 3.3 };
	static const double want[] = { 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125 }; // afterwards
	struct parsed parsed;
	struct graph graph;
	for (int higher = 0; higher < 2; higher++) {
		struct schedule_state s = { .epoch = 1, .epochs = 20 };
		parse_schedule("{ kind = \"plateau\"; factor = 0.5; patience = 2; min_delta = 0.11; }", &parsed, &graph);
		for (size_t i = 0; i < sizeof(figure) / sizeof(figure[0]); i++) {
			schedule_watch(graph.schedule, &s, higher ? -figure[i] : figure[i], higher);
			if (schedule_factor(graph.schedule, &s) != want[i])
				fail_msg("after figure %zu: %.17g, not %.17g", i, schedule_factor(graph.schedule, &s), want[i]);
		}
		finish(&parsed, &graph);
	}
}

// A step of plain sgd moves the weights by the rate times the gradient: with L2 too, but that is the gradient's part.
static double moved(struct network *n, const struct batch *batch) {
	real *before = memory_alloc(n->graph->weights * sizeof(real)), *after = memory_alloc(n->graph->weights * sizeof(real));
	double sum = 0;
	network_save(n, before);
	network_step(n, batch, 0);
	network_save(n, after);
	for (size_t i = 0; i < n->graph->weights; i++)
		sum += fabs((double)after[i] - (double)before[i]);
	network_load(n, before);
	free(before);
	free(after);
	return sum;
}

static void test_steps(void **state) {
	(void)state;
	struct csr ratings;
	struct parsed parsed;
	struct graph graph;
	struct batch batch;
	struct device *device;
	struct network *network;
	static const uint32_t rows[] = { 0, 1 };
	uint64_t seed = 3;
	make_csr(&seed, 2, 3, 1, &ratings);
	struct batch_source source = { .ratings = &ratings, .target = &ratings };
	parse_schedule("{ kind = \"step\"; warmup = 4; }", &parsed, &graph);
	for (size_t i = 0; i < graph.parameters_count; i++)
		assert_false(graph.parameters[i].lazy && graph.parameters[i].l2 > 0); // the rate is not the same in all steps
	assert_true(batch_create(&source, 1, 2, &batch, NULL));
	batch_gather(&batch, &source, rows, 2);
	batch_transpose(&batch);
	struct network_room room = { .rows = 2, .cells = batch_cells_most(&batch),
		                         .rating_entries = batch_rating_entries_most(&batch) };
	assert_true(open_tested(NULL, &device));
	assert_true(network_create(&graph, device, tested, 1, &room, &network, NULL));
	double step[6];
	for (size_t i = 0; i < 6; i++) {
		network_set_rate(network, i == 5 ? 0.1 : 1);
		step[i] = moved(network, &batch);
	}
	static const double want[] = { 0.25, 0.5, 0.75, 1, 1, 0.1 };
	for (size_t i = 0; i < 6; i++)
		if (!(fabs(step[i] - want[i] * step[3]) <= 1e-5 * step[3]))
			fail_msg("step %zu moved the weights by %.9g, step 4 by %.9g", i + 1, step[i], step[3]);
	network_destroy(network);
	tested->close(device);
	batch_destroy(&batch);
	finish(&parsed, &graph);
	csr_finish(&ratings);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_plateau),
		cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
