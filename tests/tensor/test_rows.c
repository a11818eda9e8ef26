// What the comparison of backends (test_backends.c) does not show: that noise is normal, of the deviation asked for, and
// drawn anew for each epoch, row and unit, whichever part of a matrix is asked for; and rows of extreme lengths.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tensor/backend.h"

enum { ROWS = 200, COLUMNS = 500, DRAWS = ROWS * COLUMNS };

static uint32_t row[ROWS];
static const struct backend *const backends[] = { &backend_reference, &backend_openblas };

static struct noise_draw draw_at(uint32_t epoch, real sd) {
	return (struct noise_draw){ .stream = random_stream_make(7, "noise", "node"), .epoch = epoch, .row = row, .sd = sd };
}

// The noise alone: of zeros.
static void draw_noise(const struct backend *b, struct device *d, uint32_t epoch, real sd, real *ret) {
	struct noise_draw draw = draw_at(epoch, sd);
	struct matrix y = { ret, ROWS, COLUMNS, COLUMNS };
	for (size_t i = 0; i < DRAWS; i++)
		ret[i] = 0;
	b->noise(d, &draw, &y, &y);
}

struct moments {
	double mean, variance, beyond_two; // share of draws beyond two deviations
};

static struct moments moments_of(const real *x, double sd) {
	struct moments m = { 0 };
	for (size_t i = 0; i < DRAWS; i++) {
		m.mean += (double)x[i] / DRAWS;
		m.variance += (double)x[i] * (double)x[i] / DRAWS;
		m.beyond_two += fabs((double)x[i]) > 2 * sd ? 1.0 / DRAWS : 0;
	}
	return m;
}

static double correlation(const real *x, const real *y, size_t count) {
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)x[i] * (double)y[i];
	return sum / (double)count;
}

// Five standard errors of each figure; P(|e| > 2) = 0.0455.
static void check_normal(const struct backend *b, struct device *d) {
	const double sd = 0.25, error = 5 / sqrt(DRAWS);
	real *x = memory_alloc(DRAWS * sizeof(*x)), *y = memory_alloc(DRAWS * sizeof(*y));
	draw_noise(b, d, 3, (real)sd, x);
	draw_noise(b, d, 4, (real)sd, y);
	struct moments m = moments_of(x, sd);
	assert_true(fabs(m.mean) < error * sd);
	assert_true(fabs(m.variance - sd * sd) < error * sqrt(2) * sd * sd);
	assert_true(fabs(m.beyond_two - 0.0455) < error * sqrt(0.0455));
	assert_true(fabs(correlation(x, y, DRAWS)) < error * sd * sd);                        // epochs
	assert_true(fabs(correlation(x, x + 1, DRAWS - 1)) < error * sd * sd);                // units
	assert_true(fabs(correlation(x, x + COLUMNS, DRAWS - COLUMNS)) < 1.1 * error * sd * sd); // rows
	free(x);
	free(y);
}

// A part has the draws of the whole, and so have sparse rows; a row's draws do not depend on where it is in the batch.
static void check_places(const struct backend *b, struct device *d) {
	enum { FIRST_ROW = 30, FIRST = 67, WIDTH = 129 };
	static const uint32_t start[] = { 0, 2, 3 }, column[] = { 5, 480, 77 };
	real *x = memory_alloc(DRAWS * sizeof(*x)), part[WIDTH] = { 0 }, value[3] = { 0 };
	draw_noise(b, d, 3, 1, x);
	struct noise_draw draw = draw_at(3, 1);
	draw.row += FIRST_ROW;
	struct sparse s = { 2, COLUMNS, start, column, value };
	b->noise_sparse(d, &draw, &s, value);
	for (size_t k = 0; k < 3; k++)
		assert_true(value[k] == x[(FIRST_ROW + k / 2) * COLUMNS + column[k]]);
	draw.unit = FIRST;
	struct matrix y = { part, 1, WIDTH, WIDTH };
	b->noise(d, &draw, &y, &y);
	for (size_t j = 0; j < WIDTH; j++)
		assert_true(part[j] == x[FIRST_ROW * COLUMNS + FIRST + j]);
	free(x);
}

static void test_noise(void **state) {
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		row[i] = (uint32_t)(i * 17 % ROWS);
	for (size_t i = 0; i < 2; i++) {
		struct device *d;
		assert_true(backends[i]->open(backends[i], NULL, NULL, &d, NULL));
		check_normal(backends[i], d);
		check_places(backends[i], d);
		backends[i]->close(d);
	}
}

// A row of zeros stays one, without a division by 0; a row of constants has no deviation; what is no number stays none.
static void check_extremes(const struct backend *b, struct device *d) {
	enum { N = 20 };
	real x[3 * N] = { 0 }, y[3 * N], inverse[3], mean[3], gamma[N], beta[N];
	for (size_t j = 0; j < N; j++) {
		x[N + j] = (real)1e-4;
		gamma[j] = 2;
		beta[j] = (real)0.5;
	}
	x[2 * N + 3] = (real)NAN;
	struct matrix in = { x, 3, N, N }, out = { y, 3, N, N };
	b->normalize(d, (real)1e-12, &in, &out, inverse);
	for (size_t j = 0; j < N; j++) {
		assert_true(y[j] == 0);
		assert_true(fabs((double)y[N + j] - 1 / sqrt(N)) < 1e-5);
	}
	assert_true(isnan(y[2 * N + 3]));
	struct layer_norm_state state = { gamma, beta, mean, inverse, (real)1e-5 };
	b->layer_norm(d, &state, &in, &out);
	for (size_t j = 0; j < N; j++)
		assert_true(y[j] == beta[j] && fabs((double)y[N + j] - 0.5) < 1e-3);
	assert_true(isnan(y[2 * N + 3]));
	b->normalize(d, (real)1e-12, &(struct matrix){ x, 0, N, N }, &(struct matrix){ y, 0, N, N }, inverse); // no rows
}

static void test_extremes(void **state) {
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct device *d;
		assert_true(backends[i]->open(backends[i], NULL, NULL, &d, NULL));
		check_extremes(backends[i], d);
		backends[i]->close(d);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_noise), cmocka_unit_test(test_extremes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
