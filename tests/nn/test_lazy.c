// Optimizers that update touched rows alone, against the same updates of all rows: random gradients for 10,000 steps at
// the seam, and whole networks. A few rows are touched so seldom that they wait longer than the table of powers is long.
#include "graph_test.h"

#include <math.h>

enum { ROWS = 24, WIDTH = 19, STRIDE = 32, STEPS = 10000, POWERS = 512 };

struct side {
	real weight[ROWS * STRIDE], state[2][ROWS * STRIDE];
	uint32_t stamp[ROWS], slot[ROWS];
};

struct lazy_case {
	enum optimizer_id id;
	real rate, decay, epsilon;
	size_t states;
};
static const struct lazy_case lazy_cases[] = {
	{ OPTIMIZER_SGD, (real)0.1, 0, 0, 0 },
	{ OPTIMIZER_ADAGRAD, (real)0.1, 0, (real)1e-7, 1 },
	{ OPTIMIZER_RMSPROP, (real)0.001, (real)0.9, (real)1e-7, 1 },
	{ OPTIMIZER_RMSPROP, (real)0.001, (real)0.9995, (real)1e-7, 1 },
	{ OPTIMIZER_ADADELTA, 1, (real)0.95, (real)1e-8, 2 },
	{ OPTIMIZER_ADADELTA, 1, (real)0.999, (real)1e-6, 2 },
};

static struct optimizer_rows update_of(const struct lazy_case *c, struct side *side, bool lazy, const real *powers) {
	return (struct optimizer_rows){
		.id = c->id,
		.numbers = { .rate = c->rate, .decay = c->decay, .epsilon = c->epsilon },
		.weight = { side->weight, ROWS, WIDTH, STRIDE },
		.state = { c->states > 0 ? side->state[0] : NULL, c->states > 1 ? side->state[1] : NULL },
		.lazy = lazy,
		.stamp = side->stamp,
		.slot = side->slot,
		.decay_power = powers,
		.decay_powers = POWERS,
		.first_only = c->id == OPTIMIZER_SGD || c->id == OPTIMIZER_ADAGRAD,
	};
}

// Row r is touched with probability 3 / (r + 2)^3.
static size_t draw_rows(uint64_t *state, uint32_t *row, uint32_t *slot) {
	size_t count = 0;
	memset(slot, 0, ROWS * sizeof(*slot));
	for (uint32_t r = 0; r < ROWS; r++)
		if (draw_between(state, 0, 1) * pow(r + 2, 3) < 3) {
			row[count++] = r;
			slot[r] = (uint32_t)count;
		}
	return count;
}

static void expect_near(const real *got, const real *want, size_t row, const char *what, size_t which) {
	for (size_t j = 0; j < WIDTH; j++)
		if (!(fabs((double)got[row * STRIDE + j] - (double)want[row * STRIDE + j]) <=
		      1e-4 * (0.01 + fabs((double)want[row * STRIDE + j]))))
			fail_msg("case %zu, %s of row %zu: lazy %.9g, dense %.9g", which, what, row, (double)got[row * STRIDE + j],
			         (double)want[row * STRIDE + j]);
}

static void check_seam(const struct backend *backend, size_t which) {
	static struct side lazy, dense;
	static real gradient[ROWS * STRIDE], powers[POWERS];
	const struct lazy_case *c = &lazy_cases[which];
	struct device *device;
	uint32_t row[ROWS], last[ROWS] = { 0 }, longest = 0;
	uint64_t state = which;
	assert_true(backend->open(backend, NULL, &device, NULL));
	lazy = dense = (struct side){ 0 };
	for (size_t i = 0; i < POWERS; i++)
		powers[i] = (real)pow((double)c->decay, (double)i);
	struct optimizer_rows sparse = update_of(c, &lazy, true, powers), all = update_of(c, &dense, false, powers);
	for (uint32_t step = 1; step <= STEPS; step++) {
		size_t count = draw_rows(&state, row, dense.slot);
		for (size_t i = 0; i < count * STRIDE; i++)
			gradient[i] = (real)draw_between(&state, -1, 1);
		sparse.row = all.row = row;
		sparse.step = all.step = step;
		sparse.gradient = all.gradient = (struct matrix){ gradient, count, WIDTH, STRIDE };
		backend->optimize(device, &sparse);
		backend->optimize(device, &all);
		for (size_t i = 0; i < count; i++) {
			longest = step - last[row[i]] > longest ? step - last[row[i]] : longest;
			last[row[i]] = step;
			for (size_t s = 0; s < c->states; s++)
				expect_near(lazy.state[s], dense.state[s], row[i], "state", which);
		}
	}
	for (size_t r = 0; r < ROWS; r++)
		expect_near(lazy.weight, dense.weight, r, "weight", which);
	assert_in_range(longest, POWERS * 2, STEPS);
	backend->close(device);
}

static void test_seam(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(lazy_cases) / sizeof(lazy_cases[0]); i++) {
		check_seam(&backend_reference, i);
		check_seam(&backend_openblas, i);
	}
}

// --- networks ---------------------------------------------------------------------------------------------------------

enum { DATA_ROWS = 200, ITEMS = 40, BATCH = 3, NETWORK_STEPS = 2000 };

static const char *const optimizers[] = {
	"{ kind = \"sgd\"; rate = 0.1; }",
	"{ kind = \"sgd\"; rate = 0.1; momentum = 0.5; }",
	"{ kind = \"adagrad\"; rate = 0.05; }",
	"{ kind = \"rmsprop\"; }",
	"{ kind = \"adadelta\"; }",
	"{ kind = \"adam\"; }",
};

// The same network; an L2 of next to nothing, or momentum, has all rows updated.
static void plan_twin(const char *optimizer, const char *l2, struct parsed *parsed, struct graph *graph) {
	char text[1024];
	snprintf(text, sizeof(text),
	         "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 6; activation = \"tanh\"; l2 = %s; },\n"
	         "{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"sigmoid\"; l2 = %s; } );\noptimizer: %s;",
	         l2, l2, optimizer);
	parse_model(text, parsed);
	struct graph_shape shape = { ITEMS, 0, BATCH, 1, 0, 1 };
	if (parsed->errors.count || !plan_model(parsed, &shape, graph))
		fail_msg("%s", parsed->errors.items[0].message);
}

static void train(const struct graph *graph, const struct csr *ratings, real *ret_weights) {
	struct batch_source source = { ratings, NULL, ratings };
	struct batch batch;
	struct device *device;
	struct network *network;
	uint64_t state = 9;
	assert_true(batch_create(&source, 1, BATCH, &batch, NULL));
	struct network_room room = { .rows = BATCH, .cells = batch_cells_most(&batch),
		                         .rating_entries = batch_rating_entries_most(&batch) };
	assert_true(backend_openblas.open(&backend_openblas, NULL, &device, NULL));
	assert_true(network_create(graph, device, &backend_openblas, 1, &room, &network, NULL));
	for (size_t step = 0; step < NETWORK_STEPS; step++) {
		uint32_t rows[BATCH];
		for (size_t i = 0; i < BATCH; i++)
			rows[i] = (uint32_t)draw_below(&state, DATA_ROWS);
		batch_gather(&batch, &source, rows, BATCH);
		batch_transpose(&batch);
		network_step(network, &batch, 0);
	}
	network_save(network, ret_weights);
	network_destroy(network);
	backend_openblas.close(device);
	batch_destroy(&batch);
}

static void check_twins(const char *optimizer, const struct csr *ratings) {
	struct parsed parsed[2];
	struct graph graph[2];
	real *weights[2];
	for (size_t i = 0; i < 2; i++) {
		plan_twin(optimizer, i ? "1e-30" : "0.0", &parsed[i], &graph[i]);
		weights[i] = memory_alloc(graph[i].weights * sizeof(real));
		train(&graph[i], ratings, weights[i]);
	}
	bool lazy = graph[0].optimizer->lazy(graph[0].optimizer_params);
	for (size_t i = 0; i < graph[0].parameters_count; i++) {
		const struct parameter *p = &graph[0].parameters[i];
		assert_int_equal(p->lazy, lazy && p->touched != TOUCHED_ALL);
		assert_false(graph[1].parameters[i].lazy && graph[1].parameters[i].l2 > 0);
	}
	assert_int_equal(graph[0].weights, graph[1].weights);
	for (size_t i = 0; i < graph[0].weights; i++)
		if (!(fabs((double)weights[0][i] - (double)weights[1][i]) <= 2e-3 * (0.05 + fabs((double)weights[1][i]))))
			fail_msg("%s: weight %zu is %.9g lazily, %.9g else", optimizer, i, (double)weights[0][i], (double)weights[1][i]);
	for (size_t i = 0; i < 2; i++) {
		free(weights[i]);
		graph_finish(&graph[i]);
		parsed_finish(&parsed[i]);
	}
}

static void test_networks(void **state) {
	(void)state;
	struct csr ratings;
	uint64_t seed = 2;
	make_csr(&seed, DATA_ROWS, ITEMS, 0.05, &ratings);
	for (size_t i = 0; i < sizeof(optimizers) / sizeof(optimizers[0]); i++)
		check_twins(optimizers[i], &ratings);
	csr_finish(&ratings);
}

// A row of the registry that no twin above trains is a failure.
static void test_reached(void **state) {
	(void)state;
	for (size_t i = 0; i < optimizer_registry.count; i++) {
		bool found = false;
		char kind[64];
		snprintf(kind, sizeof(kind), "\"%s\"", optimizer_registry.rows[i]->name);
		for (size_t k = 0; k < sizeof(optimizers) / sizeof(optimizers[0]); k++)
			found |= strstr(optimizers[k], kind) != NULL;
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
