// Cell metrics against hand-worked examples and against definitions written out the slow way, on data full of ties.
#include "eval_test.h"

#define CELLS(n, p, t, l) ((struct cells){.count = (n), .prediction = (p), .target = (t), .liked = (l)})

static void hand_worked(void **state) {
	(void)state;
	const float prediction[] = {1, 2, 4, -1}, target[] = {1, 4, 1, 0};
	const uint8_t liked[] = {0, 1, 0, 0};
	const double levels[] = {0, 1, 4};
	struct cells cells = CELLS(4, prediction, target, liked);
	cells.levels = levels;
	cells.levels_count = 3;
	assert_near(metric_mse.over_cells(&cells), 3.5, 0); // (0 + 4 + 9 + 1) / 4
	assert_near(metric_rmse.over_cells(&cells), sqrt(3.5), 0);
	assert_near(metric_mae.over_cells(&cells), 1.5, 0);
	assert_near(metric_accuracy.over_cells(&cells), 0.5, 0); // 2 is nearest to 1, not to 4
	assert_near(metric_auc.over_cells(&cells), 2.0 / 3, 0);  // 2 is above 1 and -1, below 4
}

static void nothing_to_measure_is_undefined(void **state) {
	(void)state;
	const float prediction[] = {1, 2}, target[] = {1, 1};
	const uint8_t none[] = {0, 0}, all[] = {1, 1};
	const double levels[] = {1};
	struct cells empty = CELLS(0, prediction, target, none);
	empty.levels = levels;
	empty.levels_count = 1;
	for (size_t i = 0; i < metric_registry.count; i++) {
		const struct metric *metric = (const struct metric *)metric_registry.rows[i];
		if (metric->over_cells)
			assert_true(isnan(metric->over_cells(&empty)));
	}
	assert_true(isnan(metric_auc.over_cells(&CELLS(2, prediction, target, none))));
	assert_true(isnan(metric_auc.over_cells(&CELLS(2, prediction, target, all))));
	assert_true(isnan(metric_accuracy.over_cells(&CELLS(2, prediction, target, all)))); // no levels
}

static void a_prediction_that_is_no_number(void **state) {
	(void)state;
	const float prediction[] = {NAN, 1, 2}, target[] = {1, 1, 2};
	const uint8_t liked[] = {0, 0, 1};
	const double levels[] = {1, 2};
	struct cells cells = CELLS(3, prediction, target, liked);
	cells.levels = levels;
	cells.levels_count = 2;
	assert_true(isnan(metric_mse.over_cells(&cells)));
	assert_true(isnan(metric_rmse.over_cells(&cells)));
	assert_true(isnan(metric_mae.over_cells(&cells)));
	assert_true(isnan(metric_auc.over_cells(&cells)));
	assert_near(metric_accuracy.over_cells(&cells), 2.0 / 3, 0);
}

static void predictions_are_not_clipped(void **state) {
	(void)state;
	const float prediction[] = {7}, target[] = {5};
	const uint8_t liked[] = {1};
	const double levels[] = {1, 2, 3, 4, 5};
	struct cells cells = CELLS(1, prediction, target, liked);
	cells.levels = levels;
	cells.levels_count = 5;
	assert_near(metric_mse.over_cells(&cells), 4, 0);
	assert_near(metric_mae.over_cells(&cells), 2, 0);
	assert_near(metric_accuracy.over_cells(&cells), 1, 0);
}

static void accuracy_ties_go_to_the_lower_level(void **state) {
	(void)state;
	const double levels[] = {-1, 0, 2};
	static const struct {
		float prediction, nearest;
	} cases[] = {{-9, -1},          {-0.5F, -1}, {-0.49F, 0}, {0, 0},          {1, 0},
	             {1.000001F, 2.0F}, {2, 2},      {99, 2},     {-INFINITY, -1}, {INFINITY, 2}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t level = 0; level < 3; level++) {
			float target = (float)levels[level];
			struct cells cells = CELLS(1, &cases[i].prediction, &target, NULL);
			cells.levels = levels;
			cells.levels_count = 3;
			assert_near(metric_accuracy.over_cells(&cells), target == cases[i].nearest, 0);
		}
}

// Bucket values need not be floats: 0.1 as a float is still nearest to the double 0.1.
static void accuracy_of_inexact_levels(void **state) {
	(void)state;
	const float prediction[] = {0.54F, 0.56F}, target[] = {0.1F, 1.0F};
	const double levels[] = {0.1, 1.0};
	struct cells cells = CELLS(2, prediction, target, NULL);
	cells.levels = levels;
	cells.levels_count = 2;
	assert_near(metric_accuracy.over_cells(&cells), 1, 0);
}

static size_t naive_nearest(const double *levels, size_t count, double value) {
	size_t best = 0;
	for (size_t i = 1; i < count; i++)
		if (fabs(value - levels[i]) < fabs(value - levels[best]))
			best = i;
	return best;
}

struct naive {
	double mse, mae, accuracy, auc;
};

static struct naive naive_metrics(const struct cells *cells) {
	double squares = 0, distances = 0, right = 0, won = 0, pairs = 0;
	for (size_t i = 0; i < cells->count; i++) {
		double p = (double)cells->prediction[i], t = (double)cells->target[i];
		squares += pow(p - t, 2);
		distances += fabs(p - t);
		right += naive_nearest(cells->levels, cells->levels_count, p) ==
		         naive_nearest(cells->levels, cells->levels_count, t);
		for (size_t j = 0; cells->liked[i] && j < cells->count; j++) {
			if (cells->liked[j])
				continue;
			pairs++;
			won += cells->prediction[i] > cells->prediction[j]    ? 1
			       : cells->prediction[i] == cells->prediction[j] ? 0.5
			                                                      : 0;
		}
	}
	double n = (double)cells->count;
	return (struct naive){squares / n, distances / n, right / n, pairs > 0 ? won / pairs : NAN};
}

// As the definition has it, for every float around the middle of two levels, whatever their size; few levels and many.
static void accuracy_decides_as_the_distances_do(void **state) {
	(void)state;
	enum { LEVELS = 40, NEAR = 8 };
	uint64_t random = 10;
	for (size_t round = 0; round < 400; round++) {
		double levels[LEVELS], scale = ldexp(1, (int)draw_below(&random, 60) - 30);
		size_t count = 2 + draw_below(&random, round % 2 ? 3 : LEVELS - 1), at = 1 + draw_below(&random, count - 1);
		levels[0] = scale * ((double)draw_below(&random, 1000) - 5000);
		for (size_t i = 1; i < count; i++)
			levels[i] = levels[i - 1] + scale * ((double)(1 + draw_below(&random, 1000)) / (1 + (double)(round % 3)));
		float prediction = (float)((levels[at - 1] + levels[at]) / 2);
		for (size_t i = 0; i < NEAR / 2; i++)
			prediction = nextafterf(prediction, -INFINITY);
		for (size_t i = 0; i < NEAR; i++, prediction = nextafterf(prediction, INFINITY)) {
			float target = (float)levels[draw_below(&random, count)];
			struct cells cells = CELLS(1, &prediction, &target, NULL);
			cells.levels = levels;
			cells.levels_count = count;
			bool right =
			    naive_nearest(levels, count, (double)prediction) == naive_nearest(levels, count, (double)target);
			assert_near(metric_accuracy.over_cells(&cells), right, 0);
		}
	}
}

enum { MOST = 300 };

static void random_cells_equal_the_definitions(void **state) {
	(void)state;
	uint64_t random = 1;
	const double levels[] = {-2, -0.5, 0, 1, 1.5, 4};
	for (size_t round = 0; round < 500; round++) {
		float prediction[MOST], target[MOST];
		uint8_t liked[MOST];
		size_t count = 1 + draw_below(&random, MOST), values = 1 + draw_below(&random, 40);
		unsigned share = (unsigned)draw_below(&random, 101);
		for (size_t i = 0; i < count; i++) {
			prediction[i] = (float)((double)draw_below(&random, values) / 4 - 3); // negatives, -0.0 and ties
			if (prediction[i] == 0 && draw_chance(&random, 50))
				prediction[i] = -0.0F;
			target[i] = (float)levels[draw_below(&random, 6)];
			liked[i] = draw_chance(&random, share);
		}
		struct cells cells = CELLS(count, prediction, target, liked);
		cells.levels = levels;
		cells.levels_count = 6;
		struct naive naive = naive_metrics(&cells);
		assert_near(metric_mse.over_cells(&cells), naive.mse, 1e-12);
		assert_near(metric_rmse.over_cells(&cells), sqrt(naive.mse), 1e-12);
		assert_near(metric_mae.over_cells(&cells), naive.mae, 1e-12);
		assert_near(metric_accuracy.over_cells(&cells), naive.accuracy, 1e-12);
		assert_near(metric_auc.over_cells(&cells), naive.auc, 1e-12);
	}
}

// Scores of the whole range of floats: every digit of the sort's key counts.
static void auc_orders_all_floats(void **state) {
	(void)state;
	uint64_t random = 2;
	for (size_t round = 0; round < 100; round++) {
		float prediction[MOST], target[MOST] = {0};
		uint8_t liked[MOST];
		const double level = 0;
		for (size_t i = 0; i < MOST; i++) {
			uint32_t bits = (uint32_t)draw(&random);
			memcpy(&prediction[i], &bits, sizeof(bits));
			if (isnan(prediction[i]))
				prediction[i] = i % 2 ? INFINITY : -INFINITY;
			liked[i] = draw_chance(&random, 50);
		}
		struct cells cells = CELLS(MOST, prediction, target, liked);
		cells.levels = &level;
		cells.levels_count = 1;
		assert_near(metric_auc.over_cells(&cells), naive_metrics(&cells).auc, 1e-12);
	}
}

// Cells in many blocks: the same bits on any number of threads, and the definition's count.
static void threads_change_nothing(void **state) {
	(void)state;
	enum { MANY = 300000 };
	uint64_t random = 11;
	const double levels[] = {-1, 0, 1};
	float *prediction = malloc(MANY * sizeof(*prediction)), *target = malloc(MANY * sizeof(*target));
	uint8_t *liked = malloc(MANY);
	size_t right = 0;
	assert_true(prediction && target && liked);
	for (size_t i = 0; i < MANY; i++) {
		prediction[i] = (float)draw_below(&random, 1000) / 300 - 1.5F;
		target[i] = (float)levels[draw_below(&random, 3)];
		liked[i] = draw_chance(&random, 30);
		right += naive_nearest(levels, 3, (double)prediction[i]) == naive_nearest(levels, 3, (double)target[i]);
	}
	struct cells cells = CELLS(MANY, prediction, target, liked);
	cells.levels = levels;
	cells.levels_count = 3;
	assert_near(metric_accuracy.over_cells(&cells), (double)right / MANY, 0);
	for (size_t i = 0; i < metric_registry.count; i++) {
		const struct metric *metric = (const struct metric *)metric_registry.rows[i];
		if (!metric->over_cells)
			continue;
		cells.pool = NULL;
		double alone = metric->over_cells(&cells);
		cells.pool = pool_create(3);
		assert_near(metric->over_cells(&cells), alone, 0);
		pool_destroy(cells.pool);
	}
	free(prediction);
	free(target);
	free(liked);
}

// A million cells: counted by value, which is another way than sorting.
static void auc_of_many_cells(void **state) {
	(void)state;
	enum { MANY = 1000000, VALUES = 1000 };
	uint64_t random = 3, count[2][VALUES] = {{0}};
	float *prediction = malloc(MANY * sizeof(*prediction));
	uint8_t *liked = malloc(MANY);
	assert_true(prediction && liked);
	for (size_t i = 0; i < MANY; i++) {
		size_t value = draw_below(&random, VALUES);
		liked[i] = draw_below(&random, 2 * VALUES) < value + 300;
		prediction[i] = (float)value / 7 - 50;
		count[liked[i]][value]++;
	}
	double won = 0, below = 0;
	for (size_t value = 0; value < VALUES; value++) {
		won += (double)count[1][value] * (below + (double)count[0][value] / 2);
		below += (double)count[0][value];
	}
	struct cells cells = CELLS(MANY, prediction, NULL, liked);
	assert_near(metric_auc.over_cells(&cells), won / (below * ((double)MANY - below)), 1e-12);
	free(prediction);
	free(liked);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hand_worked),
	    cmocka_unit_test(nothing_to_measure_is_undefined),
	    cmocka_unit_test(a_prediction_that_is_no_number),
	    cmocka_unit_test(predictions_are_not_clipped),
	    cmocka_unit_test(accuracy_ties_go_to_the_lower_level),
	    cmocka_unit_test(accuracy_of_inexact_levels),
	    cmocka_unit_test(random_cells_equal_the_definitions),
	    cmocka_unit_test(auc_orders_all_floats),
	    cmocka_unit_test(auc_of_many_cells),
	    cmocka_unit_test(accuracy_decides_as_the_distances_do),
	    cmocka_unit_test(threads_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
