// Training by L-BFGS: a problem whose minimum has a closed form, losses that only fall, and what ends it.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/train.h"

enum { ITEMS = 20 };
#define L2 3.0

static const char head[] = "name = \"lbfgs\"; seed = 5;\n"
                           "data: { source: { format = \"synthetic\"; users = 300; items = 20; ratings = 2400; };\n"
                           "  split: { kind = \"ratio\"; valid = 0.2; }; };\n"
                           "loss: { kind = \"masked_mse\"; reduction = \"sum\"; }; metrics = [ \"mse\" ];\n";
static const char linear[] =
    "graph: ( { name = \"out\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; bias = false; l2 = 3.0; } );\n";
static const char sigmoid[] =
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 90; activation = \"sigmoid\"; l2 = 0.5; },\n"
    "  { name = \"out\"; op = \"dense\"; units = \"items\"; l2 = 0.5; l2_bias = 0.1; } );\n";

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	struct graph graph;
	struct pool *pool;
	struct run_result result;
	struct error error;
	char *backend;
};

static bool run(struct world *w, const char *graph, const char *rest, const struct train_observer *observer) {
	char path[] = "/tmp/aexp-lbfgs-XXXXXX";
	struct errors errors = {0};
	int descriptor = mkstemp(path);
	FILE *file = fdopen(descriptor, "w");
	assert_non_null(file);
	fprintf(file, "%s%s%s", head, graph, rest);
	fclose(file);
	*w = (struct world){.pool = pool_create(2)};
	if (!experiment_read(path, NULL, 0, &w->experiment, &errors))
		fail_msg("%s", errors.items[0].message);
	remove(path);
	assert_true(data_load(w->experiment.data, w->experiment.seed, &w->dataset, &w->error));
	assert_true(matrices_create(w->experiment.data, &w->dataset, w->experiment.seed, &w->matrices, &w->error));
	assert_true(train_plan(&w->experiment, &w->matrices, &w->graph, &errors));
	errors_finish(&errors);
	return train_run(&w->experiment, &w->matrices, &w->graph, w->pool, observer, &w->result, &w->backend, &w->error);
}

static void finish(struct world *w) {
	free(w->backend);
	train_result_finish(&w->result);
	graph_finish(&w->graph);
	matrices_finish(&w->matrices);
	dataset_finish(&w->dataset);
	experiment_finish(&w->experiment);
	pool_destroy(w->pool);
}

// --- the minimum ---

// Solves a x = b by elimination with pivots; a: (ITEMS, ITEMS).
static void solve(double a[ITEMS][ITEMS], double b[ITEMS]) {
	for (size_t k = 0; k < ITEMS; k++) {
		size_t pivot = k;
		for (size_t i = k + 1; i < ITEMS; i++)
			pivot = fabs(a[i][k]) > fabs(a[pivot][k]) ? i : pivot;
		for (size_t j = 0; j < ITEMS; j++) {
			double swap = a[k][j];
			a[k][j] = a[pivot][j];
			a[pivot][j] = swap;
		}
		double swap = b[k];
		b[k] = b[pivot];
		b[pivot] = swap;
		for (size_t i = 0; i < ITEMS; i++) {
			double factor = i == k ? 0 : a[i][k] / a[k][k];
			for (size_t j = 0; j < ITEMS; j++)
				a[i][j] -= factor * a[k][j];
			b[i] -= factor * b[k];
		}
	}
	for (size_t k = 0; k < ITEMS; k++)
		b[k] /= a[k][k];
}

// Ridge regression of a column on the rows that rated it: (X'X + L2 I) w = X'y.
static void ridge(const struct csr *train, size_t column, double ret[ITEMS]) {
	double gram[ITEMS][ITEMS] = {{0}};
	memset(ret, 0, ITEMS * sizeof(*ret));
	for (size_t i = 0; i < train->rows; i++) {
		double x[ITEMS] = {0};
		bool rated = false;
		for (size_t k = train->start[i]; k < train->start[i + 1]; k++) {
			x[train->column[k]] = (double)train->value[k];
			rated |= train->column[k] == column;
		}
		for (size_t a = 0; rated && a < ITEMS; a++) {
			ret[a] += x[a] * x[column];
			for (size_t b = 0; b < ITEMS; b++)
				gram[a][b] += x[a] * x[b];
		}
	}
	for (size_t a = 0; a < ITEMS; a++)
		gram[a][a] += L2;
	solve(gram, ret);
}

static void test_minimum(void **unused) {
	static const char *const searches[] = {"more_thuente", "armijo", "wolfe", "strong_wolfe"};
	(void)unused;
	for (size_t s = 0; s < sizeof(searches) / sizeof(searches[0]); s++) {
		struct world w;
		char rest[256];
		snprintf(rest, sizeof(rest),
		         "optimizer: { kind = \"lbfgs\"; line_search = \"%s\"; };\ntrain: { batch = 0; epochs = 2000; };",
		         searches[s]);
		assert_true(run(&w, linear, rest, NULL));
		assert_non_null(w.result.converged);
		assert_true(w.result.epochs_count < 2000);
		assert_int_equal(w.result.tensors_count, 1);
		const float *weight = w.result.tensors[0].data;
		for (size_t column = 0; column < ITEMS; column++) {
			double want[ITEMS];
			ridge(&w.matrices.train, column, want);
			for (size_t a = 0; a < ITEMS; a++)
				assert_true(fabs((double)weight[a * ITEMS + column] - want[a]) < 1e-3);
		}
		finish(&w);
	}
}

// --- on the way ---

static void test_falls(void **unused) {
	struct world w;
	(void)unused;
	assert_true(run(&w, sigmoid, "optimizer = \"lbfgs\";\ntrain: { batch = 0; epochs = 40; };", NULL));
	assert_int_equal(w.result.epochs_count, 40);
	assert_null(w.result.converged);
	for (size_t i = 1; i < 40; i++) {
		assert_true(w.result.epochs[i].train_loss < w.result.epochs[i - 1].train_loss);
		assert_true(w.result.epochs[i].valid.exists);
	}
	assert_true(w.result.epochs[39].train_loss < 0.5 * w.result.epochs[0].train_loss);
	finish(&w);
}

// --- the end ---

static void test_converges(void **unused) {
	struct world w;
	(void)unused;
	assert_true(run(&w, sigmoid,
	                "optimizer: { kind = \"lbfgs\"; past = 1; delta = 0.05; };\ntrain: { batch = 0; epochs = 500; };",
	                NULL));
	assert_string_equal(w.result.converged, "the loss falls no more");
	assert_true(w.result.epochs_count < 100);
	assert_false(w.result.stopped_early);
	finish(&w);
}

static void test_stops_early(void **unused) {
	struct world w;
	(void)unused;
	assert_true(run(&w, sigmoid,
	                "optimizer = \"lbfgs\";\n"
	                "train: { batch = 0; epochs = 2000; early_stop: { metric = \"valid.mse\"; patience = 2; }; };",
	                NULL));
	assert_true(w.result.stopped_early);
	assert_null(w.result.converged);
	assert_int_equal(w.result.epochs_count, w.result.best_epoch + 2);
	assert_int_equal(w.result.final_epoch, w.result.best_epoch);
	finish(&w);
}

static bool always(void *context) {
	(void)context;
	return true;
}

static void test_interrupted(void **unused) {
	struct world w;
	const struct train_observer observer = {.interrupted = always};
	(void)unused;
	assert_false(run(&w, sigmoid, "optimizer = \"lbfgs\";\ntrain: { batch = 0; epochs = 2000; };", &observer));
	assert_int_equal(w.error.code, ERROR_INTERRUPTED);
	finish(&w);
}

// A loss that no number holds is no result.
static void test_not_finite(void **unused) {
	struct world w;
	char steep[1024] =
	    "graph: ( { op = \"dense\"; input = \"ratings\"; units = 9; init: { kind = \"normal\"; sd = 1e6; }; },\n";
	for (size_t layer = 0; layer < 8; layer++)
		strcat(steep, "{ op = \"dense\"; units = 9; init: { kind = \"normal\"; sd = 1e6; }; },\n");
	strcat(steep, "{ op = \"dense\"; units = \"items\"; } );\n");
	(void)unused;
	assert_false(run(&w, steep, "optimizer = \"lbfgs\";\ntrain: { batch = 0; epochs = 20; };", NULL));
	assert_int_equal(w.error.code, ERROR_RUN);
	finish(&w);
}

// A search that is given too few evaluations has found no minimum.
static void test_search_fails(void **unused) {
	struct world w;
	(void)unused;
	assert_false(run(&w, sigmoid,
	                 "optimizer: { kind = \"lbfgs\"; most_evaluations = 1; line_search = \"strong_wolfe\"; };\n"
	                 "train: { batch = 0; epochs = 60; };",
	                 NULL));
	assert_int_equal(w.error.code, ERROR_RUN);
	assert_non_null(strstr(w.error.message, "L-BFGS fails in epoch"));
	finish(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_minimum),      cmocka_unit_test(test_falls),       cmocka_unit_test(test_converges),
	    cmocka_unit_test(test_stops_early),  cmocka_unit_test(test_interrupted), cmocka_unit_test(test_not_finite),
	    cmocka_unit_test(test_search_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
