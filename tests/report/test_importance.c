// Shares of variance of functions whose shares are known in closed form. The forest knows them at some points only:
// hence the tolerances.
#include "fixture.h"

#include "base/random.h"
#include "report/importance.h"

static const double PI = 3.14159265358979323846;

enum { POINTS = 4000, AXES_MOST = 4 };

// `count` points of the unit cube, binned; `value` by f.
struct cube {
	struct importance_axis axes[AXES_MOST];
	double x[POINTS * AXES_MOST], value[POINTS];
	uint8_t bin[POINTS * AXES_MOST];
	struct importance_data data;
	struct importance_share *shares;
	size_t count;
};

static struct cube *cube_create(size_t points, size_t axes, double (*f)(const double *x)) {
	struct cube *cube = memory_alloc(sizeof(*cube));
	struct random_stream stream = random_stream_make(1, "test", "");
	for (size_t i = 0; i < points; i++) {
		double at[AXES_MOST];
		for (size_t k = 0; k < axes; k++)
			cube->x[k * points + i] = at[k] = random_uniform(stream, 0, i, (uint32_t)k);
		cube->value[i] = f(at);
	}
	for (size_t k = 0; k < axes; k++)
		importance_bins(cube->x + k * points, points, &cube->axes[k], cube->bin + k, axes);
	cube->data = (struct importance_data){cube->axes, axes, cube->bin, cube->value, points};
	cube->count = importance_shares(&cube->data, &cube->shares);
	return cube;
}

static void cube_destroy(struct cube *cube) {
	free(cube->shares);
	free(cube);
}

static double share_of(const struct cube *cube, size_t first, size_t second) {
	for (size_t i = 0; i < cube->count; i++)
		if (cube->shares[i].first == first && cube->shares[i].second == second)
			return cube->shares[i].share;
	fail_msg("no share of %zu and %zu", first, second);
	return 0;
}

static double additive(const double *x) {
	return 4 * x[0] + 2 * x[1] + x[2];
}

static double ishigami(const double *x) {
	double a = PI * (2 * x[0] - 1), b = PI * (2 * x[1] - 1), c = PI * (2 * x[2] - 1);
	return sin(a) + 7 * sin(b) * sin(b) + 0.1 * c * c * c * c * sin(a);
}

static double product(const double *x) {
	return (x[0] < 0.5 ? -1 : 1) * (x[1] < 0.5 ? -1 : 1);
}

static double constant(const double *x) {
	(void)x;
	return 3;
}

// Shares of a x: a squared over the sum of squares.
static void test_additive(void **state) {
	(void)state;
	struct cube *cube = cube_create(POINTS, 4, additive);
	assert_int_equal(cube->count, 4 + 6);
	static const double known[] = {16 / 21.0, 4 / 21.0, 1 / 21.0, 0};
	for (size_t k = 0; k < 4; k++)
		assert_float_equal(share_of(cube, k, k), known[k], 0.03);
	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(cube->shares[k].first, k); // the largest first
		assert_true(cube->shares[k].deviation < 0.05);
	}
	for (size_t i = 4; i < cube->count; i++) {
		assert_true(cube->shares[i].first < cube->shares[i].second);
		assert_in_range(1000 * cube->shares[i].share, 0, 20);
	}
	cube_destroy(cube);
}

// Sobol' indices with a = 7, b = 0.1 (Ishigami and Homma 1990): 0.3139, 0.4424, 0; first and third together 0.2437. The
// second's sine has two periods, of which a tree sees nothing in its first splits: its share comes out too small, and
// only slowly less so with more points.
static void test_ishigami(void **state) {
	(void)state;
	struct cube *cube = cube_create(POINTS, 3, ishigami);
	assert_float_equal(share_of(cube, 0, 0), 0.3139, 0.03);
	assert_float_equal(share_of(cube, 1, 1), 0.4424, 0.08);
	assert_float_equal(share_of(cube, 2, 2), 0, 0.02);
	assert_float_equal(share_of(cube, 0, 2), 0.2437, 0.03);
	assert_float_equal(share_of(cube, 0, 1), 0, 0.03);
	assert_float_equal(share_of(cube, 1, 2), 0, 0.04);
	cube_destroy(cube);
}

// Nothing alone, everything together. A tree sees no gain in its first split but by chance: few points leave more to
// it.
static void test_interaction(void **state) {
	(void)state;
	struct cube *cube = cube_create(POINTS, 3, product);
	assert_float_equal(share_of(cube, 0, 0), 0, 0.03);
	assert_float_equal(share_of(cube, 1, 1), 0, 0.03);
	assert_float_equal(share_of(cube, 0, 1), 1, 0.05);
	cube_destroy(cube);
}

static void test_no_variance(void **state) {
	(void)state;
	struct cube *cube = cube_create(100, 2, constant);
	assert_int_equal(cube->count, 0);
	cube_destroy(cube);
}

static void test_same_bits(void **state) {
	(void)state;
	struct cube *one = cube_create(200, 3, ishigami), *other = cube_create(200, 3, ishigami);
	assert_int_equal(one->count, other->count);
	assert_memory_equal(one->shares, other->shares, one->count * sizeof(*one->shares));
	cube_destroy(one);
	cube_destroy(other);
}

// A full grid of a set of five (values in no order) and of a range of four: shares of the exact function, and every
// point is known many times, so that the forest is nearly exact.
static void test_categories(void **state) {
	(void)state;
	enum { SET = 5, RANGE = 4, TIMES = 20, ALL = SET * RANGE * TIMES };
	static const double of_set[SET] = {3, -1, 0, -1, 2}, of_range[RANGE] = {0, 1, 2, 3};
	static uint8_t bin[2 * ALL];
	static double value[ALL];
	struct importance_axis axes[2] = {{.bins = SET}, {.ordered = true, .bins = RANGE}};
	for (size_t i = 0; i < SET; i++)
		axes[0].share[i] = 1.0 / SET;
	for (size_t i = 0; i < RANGE; i++)
		axes[1].share[i] = 1.0 / RANGE;
	for (size_t i = 0; i < ALL; i++) {
		bin[2 * i] = (uint8_t)(i % SET);
		bin[2 * i + 1] = (uint8_t)(i / SET % RANGE);
		value[i] = of_set[bin[2 * i]] + of_range[bin[2 * i + 1]];
	}
	struct importance_data data = {axes, 2, bin, value, ALL};
	struct importance_share *shares;
	assert_int_equal(importance_shares(&data, &shares), 3);
	// Variances: (9 + 1 + 0 + 1 + 4) / 5 - 0.36 = 2.64, and 1.25.
	assert_int_equal(shares[0].first, 0);
	assert_float_equal(shares[0].share, 2.64 / 3.89, 0.01);
	assert_float_equal(shares[1].share, 1.25 / 3.89, 0.01);
	assert_float_equal(shares[2].share, 0, 0.01);
	free(shares);
}

static void test_bins(void **state) {
	(void)state;
	struct importance_axis axis;
	uint8_t bin[8];
	static const double few[] = {0.9, 0.1, NAN, 0.5, 0.1};
	importance_bins(few, 5, &axis, bin, 1);
	assert_true(axis.ordered && axis.absent);
	assert_int_equal(axis.bins, 4);
	static const uint8_t expected[] = {2, 0, 3, 1, 0};
	assert_memory_equal(bin, expected, 5);
	static const double shares[] = {0.3 * 0.8, 0.4 * 0.8, 0.3 * 0.8, 0.2};
	for (size_t i = 0; i < 4; i++)
		assert_float_equal(axis.share[i], shares[i], 1e-12);
	static double many[1000];
	static uint8_t bins[1000];
	size_t held[IMPORTANCE_REAL_BINS] = {0};
	double sum = 0;
	for (size_t i = 0; i < 1000; i++)
		many[i] = (double)(i * 7 % 1000) / 1000;
	importance_bins(many, 1000, &axis, bins, 1);
	assert_int_equal(axis.bins, IMPORTANCE_REAL_BINS);
	for (size_t i = 0; i < axis.bins; i++)
		sum += axis.share[i];
	assert_float_equal(sum, 1, 1e-12);
	for (size_t i = 0; i < 1000; i++)
		held[bins[i]]++;
	for (size_t i = 0; i < axis.bins; i++)
		assert_in_range(held[i], 31, 32);
	static const double absent[] = {NAN, NAN};
	importance_bins(absent, 2, &axis, bin, 1);
	assert_int_equal(axis.bins, 1);
	assert_true(axis.share[0] == 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_additive),    cmocka_unit_test(test_ishigami),  cmocka_unit_test(test_interaction),
	    cmocka_unit_test(test_no_variance), cmocka_unit_test(test_same_bits), cmocka_unit_test(test_categories),
	    cmocka_unit_test(test_bins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
