// Lazy updates against the dense update applied in every step; the factors against their definitions. Built for float
// and for double.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tensor/waiting.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 10000, ROWS = 48, COLUMNS = 4, CELLS = ROWS * COLUMNS };

// The tolerance is of a weight's or state's largest size in the run. Dense and lazy updates of floats part by the
// roundings of the dense one, which are up to 10,000 at 6e-8 each.
#ifdef AEXP_DOUBLE
static const double tolerance = 1e-12;
static const long double unit = DBL_EPSILON, least = DBL_MIN;
#else
static const double tolerance = 3e-5;
static const long double unit = (long double)FLT_EPSILON, least = (long double)FLT_MIN;
#endif

static const struct variant {
	const char *name;
	enum optimizer_id id;
	struct optimizer_numbers numbers;
	real l2;
} variants[] = {
    {"sgd", OPTIMIZER_SGD, {.rate = (real)0.1}, 0},
    {"sgd l2", OPTIMIZER_SGD, {.rate = (real)0.1}, (real)1e-3},
    {"sgd strong l2", OPTIMIZER_SGD, {.rate = 1}, (real)0.2},
    {"momentum", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.9}, 0},
    {"high momentum", OPTIMIZER_SGD, {.rate = (real)0.01, .decay = (real)0.999}, 0},
    {"nesterov", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.9, .nesterov = 1}, 0},
    {"momentum l2", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.9}, (real)1e-3},
    {"momentum weak l2", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.99}, (real)1e-6},
    {"nesterov l2", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.9, .nesterov = 1}, (real)1e-3},
    {"complex", OPTIMIZER_SGD, {.rate = (real)0.5, .decay = (real)0.9}, (real)0.1},
    {"nesterov complex", OPTIMIZER_SGD, {.rate = (real)0.5, .decay = (real)0.9, .nesterov = 1}, (real)0.1},
    {"equal eigenvalues", OPTIMIZER_SGD, {.rate = 1, .decay = (real)0.25}, (real)0.125},
    {"adagrad", OPTIMIZER_ADAGRAD, {.rate = (real)0.1, .epsilon = (real)1e-7}, 0},
    {"rmsprop", OPTIMIZER_RMSPROP, {.rate = (real)0.001, .epsilon = (real)1e-7, .decay = (real)0.9}, 0},
    {"slow rmsprop", OPTIMIZER_RMSPROP, {.rate = (real)0.001, .epsilon = (real)1e-7, .decay = (real)0.999}, 0},
    {"adadelta", OPTIMIZER_ADADELTA, {.rate = 1, .epsilon = (real)1e-6, .decay = (real)0.95}, 0},
};
enum { VARIANTS = sizeof(variants) / sizeof(*variants) };

static uint32_t draw(uint64_t *state) {
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}
static real draw_real(uint64_t *state) {
	return (real)(draw(state) >> 8) / (real)(1 << 23) - 1;
}

// Row 0 waits until the end, row 1 from step 10 on and row 2 between; of the others a row is touched with probability
// 1, 1/2, 1/4, ... 1/8192.
static bool touched(size_t row, uint32_t step, uint64_t *state) {
	uint32_t lot = draw(state);
	if (row < 3)
		return (row > 0 && step == 10) || (row == 2 && step == 9000);
	return (lot & ((1u << (row % 14)) - 1)) == 0;
}

static void update(const struct variant *v, real *w, real *s, real *d, real gradient) {
	gradient += 2 * v->l2 * *w;
	switch (v->id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		name##_update(&v->numbers, w, s, d, gradient);                                                                 \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

static void apply(enum optimizer_id id, const struct waiting *f, real *w, real *s, real *d) {
	switch (id) {
#define X(NAME, name)                                                                                                  \
	case OPTIMIZER_##NAME:                                                                                             \
		name##_wait(f, w, s, d);                                                                                       \
		break;
		OPTIMIZERS(X)
#undef X
	case OPTIMIZER_COUNT:
		break;
	}
}

// Weights and both states; `most` is the largest size that each had.
struct cells {
	real value[3][CELLS];
	double most[3][CELLS];
};

static void dense_step(struct cells *c, const struct variant *v, const bool touch[ROWS], const real gradient[CELLS]) {
	for (size_t i = 0; i < CELLS; i++) {
		update(v, &c->value[0][i], &c->value[1][i], &c->value[2][i], touch[i / COLUMNS] ? gradient[i] : 0);
		for (size_t part = 0; part < 3; part++)
			c->most[part][i] = fmax(c->most[part][i], fabs((double)c->value[part][i]));
	}
}

static void catch_up(struct cells *c, const struct waiting_table *table, size_t row, uint64_t waited) {
	struct waiting f = waiting_of(table, waited);
	for (size_t i = row * COLUMNS; i < (row + 1) * COLUMNS; i++)
		apply(table->id, &f, &c->value[0][i], &c->value[1][i], &c->value[2][i]);
}

static void lazy_step(struct cells *c, const struct waiting_table *table, const struct variant *v, uint32_t step,
                      uint32_t stamp[ROWS], const bool touch[ROWS], const real gradient[CELLS]) {
	for (size_t row = 0; row < ROWS; row++) {
		if (!touch[row])
			continue;
		catch_up(c, table, row, step - 1 - stamp[row]);
		stamp[row] = step;
		for (size_t i = row * COLUMNS; i < (row + 1) * COLUMNS; i++)
			update(v, &c->value[0][i], &c->value[1][i], &c->value[2][i], gradient[i]);
	}
}

static void check(const struct variant *v, const struct cells *dense, const struct cells *lazy) {
	double worst[3] = {0};
	for (size_t part = 0; part < 3; part++)
		for (size_t i = 0; i < CELLS; i++) {
			double off = fabs((double)dense->value[part][i] - (double)lazy->value[part][i]);
			double relative = off > 0 ? off / dense->most[part][i] : 0;
			if (!(relative <= worst[part]))
				worst[part] = relative;
		}
	print_message("%-18s weight %.2g, states %.2g %.2g\n", v->name, worst[0], worst[1], worst[2]);
	for (size_t part = 0; part < 3; part++)
		assert_true(worst[part] <= tolerance);
}

static void test_dense(void **state) {
	(void)state;
	static struct cells dense, lazy;
	static struct waiting_table table;
	for (size_t k = 0; k < VARIANTS; k++) {
		const struct variant *v = &variants[k];
		uint64_t seed = k;
		uint32_t stamp[ROWS] = {0};
		memset(&dense, 0, sizeof(dense));
		for (size_t i = 0; i < CELLS; i++) {
			dense.value[0][i] = draw_real(&seed);
			dense.most[0][i] = fabs((double)dense.value[0][i]);
		}
		lazy = dense;
		waiting_table_init(&table, v->id, &v->numbers, v->l2);
		for (uint32_t step = 1; step <= STEPS; step++) {
			bool touch[ROWS];
			real gradient[CELLS];
			for (size_t row = 0; row < ROWS; row++)
				touch[row] = touched(row, step, &seed);
			for (size_t i = 0; i < CELLS; i++)
				gradient[i] = draw_real(&seed);
			dense_step(&dense, v, touch, gradient);
			lazy_step(&lazy, &table, v, step, stamp, touch, gradient);
		}
		for (size_t row = 0; row < ROWS; row++)
			catch_up(&lazy, &table, row, STEPS - stamp[row]);
		check(v, &dense, &lazy);
	}
}

static void assert_near(const char *what, uint64_t k, real got, long double want, long double scale) {
	long double off = fabsl((long double)got - want);
	if (!(off <= 64 * unit * scale))
		fail_msg("%s after %llu steps: %.17g, not %.17Lg", what, (unsigned long long)k, (double)got, want);
}

// sgd's factors without the matrix: its eigenvalues 1 + x are the roots of x^2 - (trace) x + determinant, of the matrix
// less 1, here real and different. In long double; it has more digits than a double on every machine of ours.
static void check_eigenvalues(const struct variant *v, uint64_t k) {
	const long double m = (long double)v->numbers.decay, nesterov = (long double)v->numbers.nesterov;
	const long double a = 2 * (long double)v->numbers.rate * (long double)v->l2, c = nesterov * m + 1 - nesterov;
	const long double weight = -a * (c + nesterov), weight_state = c * m, state = m;
	long double trace = weight + (state - 1), determinant = weight * (state - 1) + weight_state * a;
	long double fast = (trace - sqrtl(trace * trace - 4 * determinant)) / 2, slow = determinant / fast;
	long double fast_power = m == 0 ? k == 0 : expl((long double)k * log1pl(fast));
	long double slow_power = expm1l((long double)k * log1pl(slow)); // less 1
	long double p = (slow_power + 1 - fast_power) / (slow - fast);  // A^k = 1 + slow_power + p (A - 1 - slow)
	struct waiting got = waiting_make(v->id, &v->numbers, v->l2, k);
	assert_near(v->name, k, got.weight, slow_power + p * (weight - slow), fabsl(slow_power) + fabsl(p * weight));
	assert_near(v->name, k, got.weight_state, p * weight_state, 1 / (1 - m));
	assert_near(v->name, k, got.state_weight, -p * a, 1);
	assert_near(v->name, k, got.state, 1 + slow_power + p * (state - 1 - slow), 1);
}

static const uint64_t waits[] = {0, 1, 2, 3, 7, 100, 4095, 4096, 4097, 1000003, UINT32_MAX, UINT64_C(1) << 32};
enum { WAITS = sizeof(waits) / sizeof(*waits) };

static void test_sgd_factors(void **state) {
	(void)state;
	static const struct variant slow[] = {
	    {"sgd", OPTIMIZER_SGD, {.rate = 1}, (real)1e-10},
	    {"momentum", OPTIMIZER_SGD, {.rate = 1, .decay = (real)0.9}, (real)1e-11},
	    {"nesterov", OPTIMIZER_SGD, {.rate = 1, .decay = (real)0.9, .nesterov = 1}, (real)1e-11},
	    {"momentum alone", OPTIMIZER_SGD, {.rate = 1, .decay = (real)0.9}, 0},
	    {"momentum, stronger", OPTIMIZER_SGD, {.rate = (real)0.1, .decay = (real)0.5}, (real)1e-3},
	};
	for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++)
		for (size_t j = 0; j < WAITS; j++)
			check_eigenvalues(&slow[i], waits[j]);
}

static void test_decay_factors(void **state) {
	(void)state;
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		if (v->id != OPTIMIZER_RMSPROP && v->id != OPTIMIZER_ADADELTA)
			continue;
		for (size_t j = 0; j < WAITS; j++) {
			long double want = powl((long double)v->numbers.decay, (long double)waits[j]);
			struct waiting got = waiting_make(v->id, &v->numbers, 0, waits[j]);
			assert_near(v->name, waits[j], got.state, want, want + least);
			assert_true(got.weight == 0 && got.weight_state == 0 && got.state_weight == 0);
		}
	}
}

static void test_table(void **state) {
	(void)state;
	static struct waiting_table table;
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		waiting_table_init(&table, v->id, &v->numbers, v->l2);
		for (size_t j = 0; j < WAITS; j++) {
			struct waiting want = waiting_make(v->id, &v->numbers, v->l2, waits[j]), got = waiting_of(&table, waits[j]);
			assert_memory_equal(&got, &want, sizeof(got));
		}
	}
}

static void test_where(void **state) {
	(void)state;
	const struct optimizer_numbers none = {.rate = 1}, decay = {.rate = 1, .decay = (real)0.9};
	const real l2 = (real)0.1;
	assert_true(waiting_exact(OPTIMIZER_SGD, 0) && waiting_exact(OPTIMIZER_SGD, l2));
	assert_true(waiting_exact(OPTIMIZER_ADAGRAD, 0) && !waiting_exact(OPTIMIZER_ADAGRAD, l2));
	assert_true(waiting_exact(OPTIMIZER_RMSPROP, 0) && !waiting_exact(OPTIMIZER_RMSPROP, l2));
	assert_true(waiting_exact(OPTIMIZER_ADADELTA, 0) && !waiting_exact(OPTIMIZER_ADADELTA, l2));
	assert_true(!waiting_exact(OPTIMIZER_ADAM, 0) && !waiting_exact(OPTIMIZER_ADAM, l2));
	assert_true(!waiting_exact(OPTIMIZER_ADAMW, 0) && !waiting_exact(OPTIMIZER_ADAMW, l2));
	assert_true(!waiting_exact(OPTIMIZER_RPROP, 0) && !waiting_exact(OPTIMIZER_RPROP, l2));
	assert_true(!waiting_changes(OPTIMIZER_SGD, &none, 0) && waiting_changes(OPTIMIZER_SGD, &none, l2));
	assert_true(waiting_changes(OPTIMIZER_SGD, &decay, 0) && waiting_changes(OPTIMIZER_SGD, &decay, l2));
	assert_true(!waiting_changes(OPTIMIZER_ADAGRAD, &none, 0));
	assert_true(waiting_changes(OPTIMIZER_RMSPROP, &decay, 0) && waiting_changes(OPTIMIZER_ADADELTA, &decay, 0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dense), cmocka_unit_test(test_sgd_factors), cmocka_unit_test(test_decay_factors),
	    cmocka_unit_test(test_table), cmocka_unit_test(test_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
