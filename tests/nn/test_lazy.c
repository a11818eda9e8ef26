// Optimizers that update touched rows alone, against the same updates of all rows: random gradients for 10,000 steps at
// the seam, and whole networks. A few rows are touched so seldom that they wait longer than the table of powers is long.
#include "graph_test.h"

#include <math.h>

enum { ROWS = 24, WIDTH = 19, STRIDE = 32, STEPS = 10000 };

struct side {
	real weight[ROWS * STRIDE], state[2][ROWS * STRIDE];
	double squares;
};

struct lazy_case {
	enum optimizer_id id;
	real rate, decay, epsilon, nesterov, l2;
	size_t states;
};
static const struct lazy_case lazy_cases[] = {
	{ OPTIMIZER_SGD, (real)0.1, 0, 0, 0, 0, 0 },
	{ OPTIMIZER_SGD, (real)0.01, 0, 0, 0, (real)0.01, 0 },
	{ OPTIMIZER_SGD, (real)0.01, (real)0.9, 0, 0, 0, 1 },
	{ OPTIMIZER_SGD, (real)0.01, (real)0.5, 0, 1, 0, 1 },
	{ OPTIMIZER_ADAGRAD, (real)0.1, 0, (real)1e-7, 0, 0, 1 },
	{ OPTIMIZER_RMSPROP, (real)0.001, (real)0.9, (real)1e-7, 0, 0, 1 },
	{ OPTIMIZER_RMSPROP, (real)0.001, (real)0.9995, (real)1e-7, 0, 0, 1 },
	{ OPTIMIZER_ADADELTA, 1, (real)0.95, (real)1e-8, 0, 0, 2 },
	{ OPTIMIZER_ADADELTA, 1, (real)0.999, (real)1e-6, 0, 0, 2 },
};

static bool moves(const struct lazy_case *c) { return c->id == OPTIMIZER_SGD && (c->decay > 0 || c->l2 > 0); }

static struct optimizer_rows update_of(const struct lazy_case *c, struct side *side, bool lazy,
                                       const struct waiting_table *waiting) {
	return (struct optimizer_rows){
		.id = c->id,
		.numbers = { .rate = c->rate, .decay = c->decay, .epsilon = c->epsilon, .nesterov = c->nesterov },
		.weight = { side->weight, ROWS, WIDTH, STRIDE },
		.state = { c->states > 0 ? side->state[0] : NULL, c->states > 1 ? side->state[1] : NULL },
		.l2 = c->l2,
		.lazy = lazy,
		.caught_up = lazy && (moves(c) || !waiting_changes(c->id, &(struct optimizer_numbers){ .decay = c->decay }, c->l2)),
		.waiting = waiting,
		.squares = &side->squares,
	};
}

// One step's touched rows, each with one entry.
struct touch {
	uint32_t column[ROWS], start[ROWS + 1], row[ROWS], waited[ROWS], slot[ROWS], stamp[ROWS], last[ROWS];
	struct transposed t;
};

// Row r is touched with probability 3 / (r + 2)^3.
static void draw_rows(uint64_t *state, uint32_t step, struct touch *touch) {
	uint32_t count = 0;
	for (uint32_t r = 0; r < ROWS; r++) {
		if (draw_between(state, 0, 1) * pow(r + 2, 3) >= 3)
			continue;
		touch->waited[count] = step - 1 - touch->last[r];
		touch->last[r] = touch->stamp[r] = step;
		touch->slot[r] = touch->row[count] = count;
		touch->column[count++] = r;
		touch->start[count] = count;
	}
	touch->t = (struct transposed){ count, touch->column, touch->start, touch->row, touch->row, touch->waited,
		                            touch->slot, touch->stamp, step };
}

static void expect_near(const real *got, const real *want, size_t row, const char *what, size_t which) {
	for (size_t j = 0; j < WIDTH; j++)
		if (!(fabs((double)got[row * STRIDE + j] - (double)want[row * STRIDE + j]) <=
		      1e-4 * (0.1 + fabs((double)want[row * STRIDE + j]))))
			fail_msg("case %zu, %s of row %zu: lazy %.9g, dense %.9g", which, what, row, (double)got[row * STRIDE + j],
			         (double)want[row * STRIDE + j]);
}

static void expect_same(const struct lazy_case *c, const struct side *lazy, const struct side *dense, size_t row) {
	expect_near(lazy->weight, dense->weight, row, "weight", (size_t)(c - lazy_cases));
	for (size_t s = 0; s < c->states; s++)
		expect_near(lazy->state[s], dense->state[s], row, "state", (size_t)(c - lazy_cases));
}

static double squares_of(const struct side *side) {
	double sum = 0;
	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; j < WIDTH; j++)
			sum += (double)side->weight[i * STRIDE + j] * (double)side->weight[i * STRIDE + j];
	return sum;
}

static void check_seam(const struct backend *backend, const struct lazy_case *c) {
	static struct side lazy, dense;
	static real gradient[ROWS * STRIDE], ones[ROWS];
	static struct waiting_table waiting;
	struct touch touch = { 0 };
	struct device *device;
	uint32_t longest = 0, rest[ROWS];
	uint64_t state = (uint64_t)(c - lazy_cases);
	assert_true(backend->open(backend, NULL, NULL, &device, NULL));
	lazy = dense = (struct side){ 0 };
	for (size_t i = 0; i < ROWS * STRIDE; i++)
		lazy.weight[i] = dense.weight[i] = (real)draw_between(&state, -1, 1);
	lazy.squares = squares_of(&lazy);
	struct optimizer_rows some = update_of(c, &lazy, true, &waiting), all = update_of(c, &dense, false, &waiting);
	waiting_table_init(&waiting, c->id, &some.numbers, c->l2);
	for (size_t i = 0; i < ROWS; i++)
		ones[i] = 1;
	for (uint32_t step = 1; step <= STEPS; step++) {
		draw_rows(&state, step, &touch);
		for (size_t i = 0; i < touch.t.count * STRIDE; i++)
			gradient[i] = (real)draw_between(&state, -1, 1);
		struct matrix y = { gradient, touch.t.count, WIDTH, STRIDE };
		if (moves(c))
			backend->catch_up(device, &some, touch.t.column, touch.t.waited, touch.t.count);
		double before = 0, want = 0;
		backend->optimize_touched(device, &some, &touch.t, ones, &y, &before);
		backend->optimize_touched(device, &all, &touch.t, ones, &y, &want);
		assert_true(fabs(before - want) <= 1e-3 * want);
		for (size_t i = 0; i < touch.t.count; i++) {
			longest = touch.waited[i] > longest ? touch.waited[i] : longest;
			expect_same(c, &lazy, &dense, touch.column[i]);
		}
	}
	for (size_t r = 0; r < ROWS; r++)
		rest[r] = STEPS - touch.last[r];
	backend->catch_up(device, &some, NULL, rest, ROWS);
	for (size_t r = 0; r < ROWS; r++)
		expect_same(c, &lazy, &dense, r);
	assert_in_range(longest, 1000, STEPS);
	backend->close(device);
}

// On the host's memory alone; what is elsewhere has tests/tensor/test_backends.c.
static void test_seam(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(lazy_cases) / sizeof(lazy_cases[0]); i++) {
		check_seam(&backend_reference, &lazy_cases[i]);
		check_seam(&backend_openblas, &lazy_cases[i]);
	}
}

// --- networks ---------------------------------------------------------------------------------------------------------

enum { DATA_ROWS = 200, ITEMS = 40, BATCH = 3, NETWORK_STEPS = 2000, STEPS_APART = 12 };

// A device that tests run on may be a thousand times slower.
static size_t network_steps(void) { return tested_row()->apart ? STEPS_APART : NETWORK_STEPS; }

static const struct twin_case {
	const char *optimizer, *l2;
	bool lazy, tied;
} optimizers[] = {
	{ "{ kind = \"sgd\"; rate = 0.1; }", "0.0", true },
	{ "{ kind = \"sgd\"; rate = 0.1; }", "0.01", true },
	{ "{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; }", "0.0", true },
	{ "{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; nesterov = true; }", "0.0", true },
	{ "{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; }", "0.01", false },
	{ "{ kind = \"sgd\"; rate = 0.1; clip_norm = 0.2; }", "0.01", true },
	{ "{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; clip_norm = 0.2; clip_value = 0.01; }", "0.0", true },
	{ "{ kind = \"adagrad\"; rate = 0.05; }", "0.0", true },
	{ "{ kind = \"adagrad\"; rate = 0.05; clip_value = 0.01; }", "0.0", true },
	{ "{ kind = \"adagrad\"; rate = 0.05; }", "0.01", false },
	{ "{ kind = \"rmsprop\"; }", "0.0", true },
	{ "{ kind = \"adadelta\"; }", "0.0", true },
	{ "{ kind = \"adadelta\"; }", "0.01", false },
	{ "{ kind = \"adam\"; }", "0.0", false },
	{ "{ kind = \"sgd\"; rate = 0.1; }", "0.0", true, true },
	{ "{ kind = \"sgd\"; rate = 0.1; }", "0.01", true, true },
	{ "{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; clip_norm = 0.2; }", "0.0", true, true },
	{ "{ kind = \"rmsprop\"; }", "0.0", true, true },
	{ "{ kind = \"adadelta\"; }", "0.0", true, true },
	{ "{ kind = \"adagrad\"; rate = 0.05; }", "0.01", false, true },
	{ "{ kind = \"adam\"; }", "0.0", false, true },
	{ "{ kind = \"adam\"; clip_norm = 0.2; }", "0.01", false },
	{ "{ kind = \"adamw\"; }", "0.0", false },
	{ "{ kind = \"rprop\"; most = 0.01; }", "0.0", false },
};

// The same network twice; the second one updates all rows.
static void plan_twin(const struct twin_case *c, bool lazy, struct parsed *parsed, struct graph *graph) {
	char text[1024];
	snprintf(text, sizeof(text),
	         "graph: ( { name = \"a\"; op = \"dense\"; input = \"ratings\"; units = 6; l2 = %s; },\n"
	         "{ name = \"b\"; op = \"embedding\"; units = 6; l2 = %s; }, { op = \"add\"; inputs = [ \"a\", \"b\" ]; },\n"
	         "{ op = \"activation\"; activation = \"tanh\"; },\n"
	         "{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; l2 = %s; l2_bias = %s; %s } );\n"
	         "optimizer: %s;",
	         c->l2, c->l2, c->tied ? "0.0" : c->l2, c->l2, c->tied ? "tie = \"a\";" : "", c->optimizer);
	parse_model(text, parsed);
	struct graph_shape shape = { ITEMS, 0, BATCH, 1, 0, 1, DATA_ROWS };
	if (parsed->errors.count || !plan_model(parsed, &shape, graph))
		fail_msg("%s", parsed->errors.items[0].message);
	for (size_t i = 0; i < graph->parameters_count; i++) {
		assert_int_equal(graph->parameters[i].lazy,
		                 graph->parameters[i].touched != TOUCHED_ALL &&
		                     (c->lazy || (graph->parameters[i].l2 == 0 && strcmp(c->l2, "0.0"))));
		graph->parameters[i].lazy &= lazy;
	}
}

static void train(const struct graph *graph, const struct csr *ratings, const struct csr *target, real *ret_weights,
                  double *ret_losses) {
	static uint8_t trained[DATA_ROWS];
	memset(trained, 1, sizeof(trained));
	struct batch_source source = { .ratings = ratings, .target = target, .trained = trained };
	struct batch batch;
	struct device *device;
	struct network *network;
	uint64_t state = 9;
	assert_true(batch_create(&source, 1, BATCH, &batch, NULL));
	struct network_room room = { .rows = BATCH, .cells = batch_cells_most(&batch),
		                         .rating_entries = batch_rating_entries_most(&batch) };
	assert_true(open_tested(NULL, &device));
	assert_true(network_create(graph, device, tested, 1, &room, &network, NULL));
	for (size_t step = 0; step < network_steps(); step++) {
		uint32_t rows[BATCH];
		for (size_t i = 0; i < BATCH; i++)
			rows[i] = (uint32_t)draw_below(&state, DATA_ROWS);
		batch_gather(&batch, &source, rows, BATCH);
		batch_transpose(&batch);
		ret_losses[step] = network_step(network, &batch, 0);
	}
	network_save(network, ret_weights);
	network_destroy(network);
	tested->close(device);
	batch_destroy(&batch);
}

static void check_twins(const struct twin_case *c, const struct csr *ratings, const struct csr *target) {
	static double losses[2][NETWORK_STEPS];
	struct parsed parsed[2];
	struct graph graph[2];
	real *weights[2];
	for (size_t i = 0; i < 2; i++) {
		plan_twin(c, i == 0, &parsed[i], &graph[i]);
		weights[i] = memory_alloc(graph[i].weights * sizeof(real));
		train(&graph[i], ratings, target, weights[i], losses[i]);
	}
	assert_int_equal(graph[0].weights, graph[1].weights);
	for (size_t i = 0; i < graph[0].weights; i++)
		if (!(fabs((double)weights[0][i] - (double)weights[1][i]) <= 2e-3 * (0.05 + fabs((double)weights[1][i]))))
			fail_msg("%s, l2 %s: weight %zu is %.9g lazily, %.9g else", c->optimizer, c->l2, i, (double)weights[0][i],
			         (double)weights[1][i]);
	for (size_t i = 0; i < network_steps(); i++)
		if (!(fabs(losses[0][i] - losses[1][i]) <= 1e-3 * losses[1][i] + 1e-5))
			fail_msg("%s, l2 %s: loss %zu is %.9g lazily, %.9g else", c->optimizer, c->l2, i, losses[0][i], losses[1][i]);
	for (size_t i = 0; i < 2; i++) {
		free(weights[i]);
		graph_finish(&graph[i]);
		parsed_finish(&parsed[i]);
	}
}

static void test_networks(void **state) {
	(void)state;
	struct csr ratings, target;
	uint64_t seed = 2;
	make_csr(&seed, DATA_ROWS, ITEMS, 0.05, &ratings);
	make_csr(&seed, DATA_ROWS, ITEMS, 0.05, &target);
	for (size_t i = 0; i < sizeof(optimizers) / sizeof(optimizers[0]); i++) {
		check_twins(&optimizers[i], &ratings, &ratings);
		if (optimizers[i].tied) // other rows are touched by targets than by ratings
			check_twins(&optimizers[i], &ratings, &target);
	}
	csr_finish(&ratings);
	csr_finish(&target);
}

// A row of the registry that no twin above trains is a failure, but for those that make no steps of single weights.
static void test_reached(void **state) {
	(void)state;
	for (size_t i = 0; i < optimizer_registry.count; i++) {
		bool found = ((const struct optimizer *)optimizer_registry.rows[i])->descends;
		char kind[64];
		snprintf(kind, sizeof(kind), "\"%s\"", optimizer_registry.rows[i]->name);
		for (size_t k = 0; k < sizeof(optimizers) / sizeof(optimizers[0]); k++)
			found |= strstr(optimizers[k].optimizer, kind) != NULL;
		if (!found)
			fail_msg("no network is trained by %s", kind);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seam),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_reached),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
