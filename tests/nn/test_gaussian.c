// Latent layers: what is drawn, that nothing is at evaluation, and what the divergence weighs in the loss, against the
// formulas in double.
#include "graph_test.h"

enum { DATA_ROWS = 200, ITEMS = 12, WIDTH = 500 };

static struct csr ratings;

struct world {
	struct parsed parsed;
	struct graph graph;
	struct pool *pool;
	struct device *device;
	struct network *network;
	struct batch_source source;
	struct batch batch;
	uint32_t rows[DATA_ROWS];
};

// Heads without weights that matter: mean = bias of "m", log variance = bias of "v".
static void make(struct world *w, const char *loss, double sd) {
	char text[1024];
	*w = (struct world){ 0 };
	snprintf(text, sizeof(text),
	         "graph: ( { name = \"m\"; op = \"dense\"; input = \"ratings\"; units = %d; init = \"zeros\"; },\n"
	         "{ name = \"v\"; op = \"dense\"; input = \"ratings\"; units = %d; init = \"zeros\"; },\n"
	         "{ name = \"z\"; op = \"gaussian\"; inputs = [ \"m\", \"v\" ]; sd = %g; },\n"
	         "{ op = \"dense\"; units = \"items\"; } );\nloss: { %s };",
	         WIDTH, WIDTH, sd, loss);
	parse_model(text, &w->parsed);
	struct graph_shape shape = { ITEMS, 0, DATA_ROWS, 1, 1, 1 };
	if (w->parsed.errors.count || !plan_model(&w->parsed, &shape, &w->graph))
		fail_msg("%s in\n%s", w->parsed.errors.items[0].message, text);
	w->source = (struct batch_source){ .ratings = &ratings, .target = &ratings };
	assert_true(batch_create(&w->source, 1, DATA_ROWS, &w->batch, NULL));
	for (uint32_t i = 0; i < DATA_ROWS; i++)
		w->rows[i] = i;
	batch_gather(&w->batch, &w->source, w->rows, DATA_ROWS);
	batch_transpose(&w->batch);
	struct network_room room = { .rows = DATA_ROWS, .cells = batch_cells_most(&w->batch),
		                         .rating_entries = batch_rating_entries_most(&w->batch), .full_rows = DATA_ROWS };
	assert_true(open_tested(NULL, &w->device));
	assert_true(network_create(&w->graph, w->device, tested, 3, &room, &w->network, NULL));
}

static void finish(struct world *w) {
	network_destroy(w->network);
	tested->close(w->device);
	batch_destroy(&w->batch);
	graph_finish(&w->graph);
	parsed_finish(&w->parsed);
}

static const struct node *node_of(const struct world *w, const char *name) {
	for (size_t i = 0; i < w->graph.nodes_count; i++)
		if (!strcmp(w->graph.nodes[i].name, name))
			return &w->graph.nodes[i];
	fail_msg("no node %s", name);
	return NULL;
}

static void set_bias(struct world *w, const char *name, real value) {
	const struct parameter *bias = node_of(w, name)->parameters[1];
	for (size_t j = 0; j < WIDTH; j++)
		tested->upload(w->device, &w->network->weights[parameter_place(bias, 0, j)], &value, sizeof(value));
}

// The layer's values; the caller frees.
static real *z_of(const struct world *w, size_t *ret_stride) {
	const struct slot *slot = &w->network->slots[node_of(w, "z")->index];
	real *z = memory_alloc(DATA_ROWS * slot->stride * sizeof(*z));
	tested->download(w->device, z, slot->value, ((DATA_ROWS - 1) * slot->stride + WIDTH) * sizeof(*z));
	*ret_stride = slot->stride;
	return z;
}

static real z_at(const struct world *w, size_t i, size_t j) {
	size_t stride;
	real *z = z_of(w, &stride), one = z[i * stride + j];
	free(z);
	return one;
}

// Mean and deviation of (z - m) / exp(v / 2), over 100,000 draws.
static void moments(const struct world *w, double m, double v, double *ret_mean, double *ret_sd) {
	double sum = 0, squares = 0, count = (double)DATA_ROWS * WIDTH;
	size_t stride;
	real *z = z_of(w, &stride);
	for (size_t i = 0; i < DATA_ROWS; i++)
		for (size_t j = 0; j < WIDTH; j++) {
			double e = ((double)z[i * stride + j] - m) / exp(v / 2);
			sum += e;
			squares += e * e;
		}
	free(z);
	*ret_mean = sum / count;
	*ret_sd = sqrt(squares / count - *ret_mean * *ret_mean);
}

// RecBole's Mult-VAE draws with a deviation of 0.01; ours is 1 unless the file says otherwise.
static void test_draws(void **state) {
	(void)state;
	static const double sds[] = { 1, 0.01 };
	for (size_t k = 0; k < 2; k++) {
		struct world w;
		double mean, sd, error = 5 * sds[k] / sqrt((double)DATA_ROWS * WIDTH);
		make(&w, "kind = \"mse\"; kl: { cap = 0.2; };", sds[k]);
		set_bias(&w, "m", (real)0.25);
		set_bias(&w, "v", (real)-1.5);
		network_loss(w.network, &w.batch, 1, true);
		moments(&w, 0.25, -1.5, &mean, &sd);
		assert_true(fabs(mean) < error && fabs(sd - sds[k]) < error);
		real first = z_at(&w, 0, 0), other = z_at(&w, 7, 3);
		network_loss(w.network, &w.batch, 1, true);
		assert_true(z_at(&w, 0, 0) == first && z_at(&w, 7, 3) == other);
		network_loss(w.network, &w.batch, 2, true);
		assert_true(z_at(&w, 0, 0) != first && z_at(&w, 7, 3) != other);
		finish(&w);
	}
}

static void expect_means(const struct world *w) {
	size_t stride;
	real *z = z_of(w, &stride);
	for (size_t i = 0; i < DATA_ROWS; i++)
		for (size_t j = 0; j < WIDTH; j++)
			assert_true(z[i * stride + j] == (real)0.25);
	free(z);
}

static void test_evaluation(void **state) {
	(void)state;
	struct world w;
	make(&w, "kind = \"mse\"; kl: { cap = 0.2; };", 1);
	set_bias(&w, "m", (real)0.25);
	set_bias(&w, "v", (real)1.5);
	network_predict_all(w.network, &w.batch);
	expect_means(&w);
	network_loss(w.network, &w.batch, 1, true);
	network_loss(w.network, &w.batch, 1, false);
	expect_means(&w);
	finish(&w);
}

// The divergence of one row.
static double divergence(double m, double v) {
	return WIDTH * 0.5 * (m * m + exp(v) - v - 1);
}

// What kl adds to the loss at an optimizer's step, from 1.
static double added(const char *reduction, const char *kl, uint32_t step) {
	struct world w;
	char text[256];
	double loss[2];
	for (int with = 0; with < 2; with++) {
		snprintf(text, sizeof(text), "kind = \"mse\"; reduction = \"%s\"; kl: { %s };", reduction, with ? kl : "cap = 0;");
		make(&w, text, 1);
		set_bias(&w, "m", (real)0.5);
		set_bias(&w, "v", (real)-0.7);
		w.network->step = step - 1;
		loss[with] = network_loss(w.network, &w.batch, 1, false);
		finish(&w);
	}
	return loss[1] - loss[0];
}

static void expect_near(double got, double want) {
	if (!(fabs(got - want) <= 1e-4 * fabs(want) + 1e-6))
		fail_msg("%.9g, not %.9g", got, want);
}

static void test_weights(void **state) {
	(void)state;
	double one = divergence(0.5, -0.7), entries = (double)csr_count(&ratings);
	expect_near(added("sum", "cap = 0.3;", 1), DATA_ROWS * 0.3 * one);
	expect_near(added("mean", "cap = 0.3;", 1), 0.3 * one / ITEMS);
	expect_near(added("row_mean", "cap = 0.3;", 1), 0.3 * one);
	expect_near(added("row_mean", "cap = 0.005; scale = \"entries\";", 9), 0.005 * one * entries / DATA_ROWS);
	expect_near(added("row_mean", "cap = 0.2; steps = 100;", 1), 0);
	expect_near(added("row_mean", "cap = 0.2; steps = 100;", 11), 0.1 * one);
	expect_near(added("row_mean", "cap = 0.2; steps = 100;", 21), 0.2 * one);
	expect_near(added("row_mean", "cap = 0.2; steps = 100;", 500), 0.2 * one);
}

static int set_up(void **state) {
	(void)state;
	uint64_t seed = 4;
	make_csr(&seed, DATA_ROWS, ITEMS, 0.4, &ratings);
	return 0;
}

static int tear_down(void **state) {
	(void)state;
	csr_finish(&ratings);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_draws), cmocka_unit_test(test_evaluation),
		                                cmocka_unit_test(test_weights) };
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
