// Re-feeding against steps made by hand: the outputs of network_predict_all as rows of data of which every cell is
// stored, gathered and trained on as any rows are. With dropout, what is re-fed is the output that the step had, and
// the re-fed step draws anew.
#include "../nn/graph_test.h"

#include <math.h>

#include "train/refeed.h"

enum { DATA_ROWS = 50, ITEMS = 70, FEATURES = 6, BATCH = 12, STEPS = 9, MOST_TIMES = 3 };

static const char *const graphs[] = {
    // sparse rows and cells, rows that wait for their updates
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 40; activation = \"selu\"; path = "
    "\"sparse\"; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"selu\"; path = \"sparse\"; } );\n"
    "optimizer: { kind = \"sgd\"; rate = 0.02; momentum = 0.9; };",
    // the same with gradients clipped, and L2
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 40; activation = \"selu\"; path = "
    "\"sparse\";\n"
    "l2 = 0.001; }, { name = \"y\"; op = \"dense\"; units = \"items\"; path = \"sparse\"; l2 = 0.001; } );\n"
    "optimizer: { kind = \"adam\"; clip_norm = 0.1; };",
    // all dense, deeper
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 40; activation = \"selu\"; path = "
    "\"dense\"; },\n"
    "{ name = \"c\"; op = \"dense\"; units = 70; activation = \"selu\"; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; activation = \"selu\"; path = \"dense\"; } );\n"
    "optimizer: { kind = \"sgd\"; rate = 0.02; momentum = 0.9; clip_norm = 1.0; };",
    // tied weights
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 24; activation = \"tanh\"; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; tie = \"h\"; } );\n"
    "optimizer: { kind = \"adam\"; rate = 0.01; };",
    // what stays as it is of a row: side information, its own vector
    "graph: ( { name = \"u\"; op = \"dense\"; input = \"user\"; units = 8; },\n"
    "{ name = \"v\"; op = \"embedding\"; units = 24; },\n"
    "{ name = \"n\"; op = \"l2_normalize\"; input = \"ratings\"; },\n"
    "{ name = \"t\"; op = \"dense\"; units = 24; },\n"
    "{ name = \"s\"; op = \"add\"; inputs = [ \"v\", \"t\" ]; },\n"
    "{ name = \"c\"; op = \"concat\"; inputs = [ \"u\", \"s\" ]; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; } );\noptimizer: { kind = \"adagrad\"; rate = 0.1; };",
    // every cell a target already
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 24; activation = \"tanh\"; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; } );\nloss = \"mse\"; optimizer: { kind = \"adam\"; rate = "
    "0.01; };",
};
enum { GRAPHS = sizeof(graphs) / sizeof(graphs[0]) };

struct world {
	struct csr ratings, features;
	struct batch_source source;
	struct parsed parsed;
	struct graph graph;
	struct device *device;
	const struct backend *backend;
	struct network *network;
	struct batch batch;
	struct refeed refeed;
	uint8_t trained[DATA_ROWS];
};

static void make(const char *text, const struct backend *backend, size_t times, struct world *w) {
	struct graph_shape shape = {ITEMS, FEATURES, BATCH, 1, 1, 1, DATA_ROWS, times};
	uint64_t seed = 5;
	*w = (struct world){.backend = backend};
	make_csr(&seed, DATA_ROWS, ITEMS, 0.2, &w->ratings);
	make_csr(&seed, DATA_ROWS, FEATURES, 0.4, &w->features);
	for (size_t i = 0; i < DATA_ROWS; i++)
		w->trained[i] = i % 7 != 2;
	parse_model(text, &w->parsed);
	if (w->parsed.errors.count || !plan_model(&w->parsed, &shape, &w->graph))
		fail_msg("%s in\n%s", w->parsed.errors.items[0].message, text);
	w->source = (struct batch_source){.ratings = &w->ratings,
	                                  .features = &w->features,
	                                  .target = &w->ratings,
	                                  .trained = w->graph.row ? w->trained : NULL};
	assert_true(batch_create(&w->source, 1, BATCH, &w->batch, NULL));
	assert_true(refeed_create(&w->source, BATCH, times, &w->refeed, NULL));
	struct network_room room = {.rows = BATCH,
	                            .cells = batch_cells_most(&w->batch),
	                            .rating_entries = batch_rating_entries_most(&w->batch),
	                            .feature_entries = batch_feature_entries_most(&w->batch)};
	refeed_room(BATCH, ITEMS, &room);
	assert_true(backend->open(backend, NULL, NULL, &w->device, NULL));
	assert_true(network_create(&w->graph, w->device, backend, 3, &room, &w->network, NULL));
}

static void finish(struct world *w) {
	network_destroy(w->network);
	w->backend->close(w->device);
	batch_destroy(&w->batch);
	refeed_finish(&w->refeed);
	graph_finish(&w->graph);
	parsed_finish(&w->parsed);
	csr_finish(&w->ratings);
	csr_finish(&w->features);
}

// Different rows, of which now and then there are fewer.
static size_t choose(size_t step, uint32_t row[BATCH]) {
	for (size_t i = 0; i < BATCH; i++)
		row[i] = (uint32_t)((step * BATCH + i) % DATA_ROWS);
	return step % 4 == 2 ? BATCH - 5 : BATCH;
}

static void train(struct world *w, double *ret_losses) {
	for (size_t step = 0; step < STEPS; step++) {
		struct error error = {0};
		uint32_t row[BATCH];
		size_t rows = choose(step, row);
		batch_gather(&w->batch, &w->source, row, rows);
		batch_transpose(&w->batch);
		assert_true(refeed_train(&w->refeed, w->network, &w->batch, 1, step + 1, ret_losses++, &error));
		*ret_losses++ = refeed_take_loss(&w->refeed);
	}
}

// Data with these rows, all of them stored.
static void make_full(const uint32_t *row, size_t rows, const float *values, struct csr *ret) {
	*ret = (struct csr){.rows = DATA_ROWS, .columns = ITEMS};
	ret->start = memory_alloc((DATA_ROWS + 1) * sizeof(*ret->start));
	ret->column = memory_alloc(BATCH * ITEMS * sizeof(*ret->column));
	ret->value = memory_alloc(BATCH * ITEMS * sizeof(*ret->value));
	size_t count = 0;
	for (uint32_t i = 0; i < DATA_ROWS; i++) {
		ret->start[i] = count;
		for (size_t k = 0; k < rows; k++)
			for (uint32_t j = 0; row[k] == i && j < ITEMS; j++) {
				ret->column[count] = j;
				ret->value[count++] = values[k * ITEMS + j];
			}
	}
	ret->start[DATA_ROWS] = count;
}

static void outputs_of(struct world *w, const struct batch *batch, float *ret) {
	struct matrix y = network_predict_all(w->network, batch);
	for (size_t i = 0; i < batch->rows; i++)
		for (size_t j = 0; j < ITEMS; j++)
			ret[i * ITEMS + j] = (float)y.data[i * y.stride + j];
}

// A step on rows of the data, or on rows whose every cell is stored; the outputs before it.
static double step_on(struct world *w, const struct csr *data, const uint32_t *row, size_t rows, float *ret_outputs) {
	struct batch_source source = w->source;
	struct batch batch;
	source.ratings = source.target = data;
	assert_true(batch_create(&source, 1, BATCH, &batch, NULL));
	batch_gather(&batch, &source, row, rows);
	batch_transpose(&batch);
	outputs_of(w, &batch, ret_outputs);
	double loss = network_step(w->network, &batch, 1);
	batch_destroy(&batch);
	return loss;
}

static void train_by_hand(struct world *w, size_t times, double *ret_losses) {
	for (size_t step = 0; step < STEPS; step++) {
		float outputs[BATCH * ITEMS];
		uint32_t row[BATCH];
		size_t rows = choose(step, row);
		*ret_losses++ = step_on(w, &w->ratings, row, rows, outputs);
		double sum = 0;
		for (size_t time = 0; time < times; time++) {
			struct csr full;
			make_full(row, rows, outputs, &full);
			sum += step_on(w, &full, row, rows, outputs);
			csr_finish(&full);
		}
		*ret_losses++ = sum / (double)times;
	}
}

static void check_by_hand(const char *text, const struct backend *backend, size_t times) {
	struct world w[2];
	double losses[2][2 * STEPS];
	real *weights[2];
	for (size_t i = 0; i < 2; i++) {
		make(text, backend, times, &w[i]);
		weights[i] = memory_alloc(w[i].graph.weights * sizeof(real));
	}
	train(&w[0], losses[0]);
	train_by_hand(&w[1], times, losses[1]);
	for (size_t i = 0; i < 2; i++)
		network_save(w[i].network, weights[i]);
	for (size_t i = 0; i < 2 * STEPS; i++)
		if (!(fabs(losses[0][i] - losses[1][i]) <= 1e-12 * fabs(losses[1][i])))
			fail_msg("loss %zu is %.17g, by hand %.17g in\n%s", i, losses[0][i], losses[1][i], text);
	assert_memory_equal(weights[0], weights[1], w[0].graph.weights * sizeof(real));
	for (size_t i = 0; i < 2; i++) {
		free(weights[i]);
		finish(&w[i]);
	}
}

static void test_by_hand(void **state) {
	(void)state;
	for (size_t i = 0; i < GRAPHS; i++)
		for (size_t times = 1; times <= MOST_TIMES; times++) {
			check_by_hand(graphs[i], &backend_openblas, times);
			check_by_hand(graphs[i], &backend_reference, times);
		}
}

// --- noise ---

static const char *const noisy[] = {
    "graph: ( { op = \"dropout\"; input = \"ratings\"; rate = 0.3; },\n"
    "{ op = \"dense\"; units = 40; activation = \"selu\"; }, { op = \"dropout\"; rate = 0.5; },\n"
    "{ op = \"dense\"; units = \"items\"; }, { op = \"dropout\"; rate = 0.2; }, { op = \"noise\"; sd = 0.1; } );",
    "graph: ( { op = \"dense\"; input = \"ratings\"; units = 40; path = \"dense\"; }, { op = \"mask\"; rate = 0.5; },\n"
    "{ op = \"noise\"; sd = 0.1; }, { op = \"dense\"; units = \"items\"; path = \"dense\"; } );",
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 20; },\n"
    "{ name = \"m\"; op = \"dense\"; input = \"h\"; units = 9; }, { name = \"s\"; op = \"dense\"; input = \"h\"; units "
    "= 9; },\n"
    "{ name = \"z\"; op = \"gaussian\"; inputs = [ \"m\", \"s\" ]; },\n"
    "{ name = \"y\"; op = \"dense\"; units = \"items\"; } ); loss: { kind = \"masked_mse\"; kl: { cap = 0.0; }; };",
};

static double gap_at(const struct sparse *target, const struct matrix *y) {
	double sum = 0;
	for (size_t i = 0; i < target->rows; i++)
		for (uint32_t k = target->start[i]; k < target->start[i + 1]; k++) {
			double gap = (double)y->data[i * y->stride + target->column[k]] - (double)target->value[k];
			sum += gap * gap;
		}
	return sum / (double)sparse_count(target);
}

static void check_noise(const char *text, const struct backend *backend) {
	struct world w;
	uint32_t row[BATCH];
	make(text, backend, 1, &w);
	batch_gather(&w.batch, &w.source, row, choose(0, row));
	batch_transpose(&w.batch);
	struct matrix y = network_outputs(w.network, &w.batch, 1);
	double of_outputs = gap_at(&w.batch.target, &y);
	batch_refeed(&w.refeed.batch[0], &w.batch, &y);
	double loss = network_loss(w.network, &w.batch, 1, true);
	if (!(fabs(loss - of_outputs) <= 1e-5 * loss))
		fail_msg("the step's loss is %.9g, its outputs' %.9g in\n%s", loss, of_outputs, text);
	struct batch *refed = &w.refeed.batch[0], again = *refed;
	again.refed = 0;
	assert_int_equal(refed->refed, 1);
	y = network_outputs(w.network, refed, 1);
	double drawn_anew = gap_at(&refed->target, &y);
	assert_true(fabs(network_loss(w.network, refed, 1, true) - drawn_anew) <= 1e-5 * drawn_anew);
	assert_true(fabs(network_loss(w.network, &again, 1, true) - drawn_anew) > 1e-3 * drawn_anew);
	finish(&w);
}

static void test_noise(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(noisy) / sizeof(noisy[0]); i++) {
		check_noise(noisy[i], &backend_openblas);
		check_noise(noisy[i], &backend_reference);
	}
}

// --- an end ---

static void test_not_finite(void **state) {
	(void)state;
	struct world w;
	struct error error = {0};
	uint32_t row[BATCH];
	double loss;
	make("graph: ( { op = \"dense\"; input = \"ratings\"; units = 40; }, { op = \"dense\"; units = \"items\"; } );\n"
	     "optimizer: { kind = \"sgd\"; rate = 100.0; };",
	     &backend_openblas, 1, &w);
	bool good = true;
	for (size_t step = 0; good && step < 20; step++) {
		batch_gather(&w.batch, &w.source, row, choose(step, row));
		batch_transpose(&w.batch);
		good = refeed_train(&w.refeed, w.network, &w.batch, 4, step + 1, &loss, &error);
		assert_true(isfinite(loss)); // else nothing would be re-fed
	}
	assert_false(good);
	assert_non_null(strstr(error.message, "in the re-fed batch of epoch 4, batch "));
	finish(&w);
}

static void test_too_large(void **state) {
	(void)state;
	struct csr wide = {.rows = 1, .columns = (size_t)1 << 31};
	size_t start[2] = {0, 0};
	struct batch_source source = {.ratings = &wide, .target = &wide};
	struct refeed refeed;
	struct error error = {0};
	wide.start = start;
	assert_false(refeed_create(&source, 2, 1, &refeed, &error));
	assert_non_null(strstr(error.message, "a re-fed batch of 2 rows"));
	refeed_finish(&refeed);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_hand),
	    cmocka_unit_test(test_noise),
	    cmocka_unit_test(test_not_finite),
	    cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
