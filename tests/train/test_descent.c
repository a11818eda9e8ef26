// L-BFGS against libLBFGS: the same function of many numbers, looked at in the same points by each line search. To the
// bit where AEXP_TEST_STRICT says that the library was compiled without -ffast-math; as its own makefile and Debian
// compile it, its interpolations are rounded otherwise, and the first points are the same but for that. Then kept and
// taken again after each iteration, and stopped within each search: to the bit.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/memory.h"
#include "train/descent.h"

#ifdef HAVE_LBFGS
#include <lbfgs.h>
#endif

enum { MOST = 60, FUNCTIONS = 6, POINTS = 12 }; // iterations; functions; evaluations that are compared

// --- functions ---

struct function {
	int kind;
	size_t n, evaluations, stop; // stop: false at that evaluation, from 1; 0: never
	struct text points;          // all that were looked at
};

static double valley(const double *x, double *g, size_t n) { // Rosenbrock's
	double f = 0;
	for (size_t i = 0; i + 1 < n; i += 2) {
		double a = 1 - x[i], b = 10 * (x[i + 1] - x[i] * x[i]);
		g[i + 1] = 20 * b;
		g[i] = -2 * (x[i] * g[i + 1] + a);
		f += a * a + b * b;
	}
	return f;
}
static double bowl(const double *x, double *g, size_t n) { // curved a million times more one way than another
	double f = 0;
	for (size_t i = 0; i < n; i++) {
		double c = pow(1e6, (double)i / (double)n);
		f += c * x[i] * x[i];
		g[i] = 2 * c * x[i];
	}
	return f;
}
static double waves(const double *x, double *g, size_t n) {
	double f = 0;
	for (size_t i = 0; i < n; i++) {
		f += 0.05 * x[i] * x[i] - cos(3 * x[i] + (double)i);
		g[i] = 0.1 * x[i] + 3 * sin(3 * x[i] + (double)i);
	}
	return f;
}
static double edge(const double *x, double *g, size_t n) { // not smooth: a search may find nothing
	double f = 0;
	for (size_t i = 0; i < n; i++) {
		f += fabs(x[i] - 0.3) + 1e-3 * x[i];
		g[i] = (x[i] > 0.3 ? 1 : -1) + 1e-3;
	}
	return f;
}
static double slide(const double *x, double *g, size_t n) { // falls without end
	double f = 0;
	for (size_t i = 0; i < n; i++) {
		f -= exp(x[i] / 50);
		g[i] = -exp(x[i] / 50) / 50;
	}
	return f;
}
static double rounded(const double *x, double *g, size_t n) { // in single precision, as a network's loss is
	double f = 0;
	for (size_t i = 0; i < n; i++) {
		float y = (float)x[i] - 1.5f;
		f += (double)(y * y * y * y + 0.1f * y * y);
		g[i] = (double)(4 * y * y * y + 0.2f * y);
	}
	return f;
}
static double (*const functions[FUNCTIONS])(const double *, double *, size_t) = {valley, bowl,  waves,
                                                                                 edge,   slide, rounded};

static bool look(void *context, const double *x, double *gradient, double *ret_value) {
	struct function *f = context;
	if (++f->evaluations == f->stop)
		return false;
	text_append_bytes(&f->points, (const char *)x, f->n * sizeof(*x));
	*ret_value = functions[f->kind](x, gradient, f->n);
	return true;
}

static void begin_at(struct function *f, double *x) {
	for (size_t i = 0; i < f->n; i++)
		x[i] = i % 2 ? 1.1 : -1.2 + 0.01 * (double)i;
}

// --- ours ---

struct ending {
	enum descent_end end;
	enum line_end line;
	size_t iterations;
	double value;
	char x[HASH_HEX], points[HASH_HEX];
	double first[POINTS]; // a number of each of the first points
};

static void hash_of(const void *data, size_t size, char ret[HASH_HEX]) {
	struct hash hash;
	hash_init(&hash);
	hash_bytes(&hash, data, size);
	hash_finish(&hash, ret);
}

static void end_at(struct function *f, const double *x, struct ending *e) {
	size_t size = f->n * sizeof(*x);
	hash_of(x, size, e->x);
	hash_of(f->points.data, f->points.length, e->points);
	for (size_t i = 0; i < POINTS && i < f->points.length / size; i++)
		memcpy(&e->first[i], f->points.data + i * size, sizeof(e->first[i]));
	text_finish(&f->points);
}

static void end_with(struct function *f, const struct descent *d, struct ending *e) {
	end_at(f, d->x, e);
	e->iterations = d->iterations + (e->line == LINE_FOUND && e->end != DESCENT_GOES_ON && f->evaluations > 1);
	e->value = d->value;
}

static bool put_text(void *context, const void *data, size_t size) {
	text_append_bytes(context, data, size);
	return true;
}

// As another process would take it up.
static void renew(struct descent **d) {
	struct text kept = {0};
	struct error error = {0};
	struct descent *next;
	size_t iterations = (*d)->iterations;
	descent_put(*d, &(struct bytes_out){.context = &kept, .put = put_text});
	assert_true(descent_create((*d)->n, (*d)->params, &next, &error));
	assert_true((double)kept.length <= descent_size((*d)->n, (*d)->params) + 64);
	for (int dry = 1; dry >= 0; dry--) {
		struct bytes_in in = {.data = kept.data, .left = kept.length};
		descent_take(next, iterations, &in, dry);
		assert_false(in.failed);
		assert_int_equal(in.left, 0);
		assert_int_equal(next->iterations, dry ? 0 : iterations);
	}
	for (size_t cut = 0; cut < kept.length; cut += cut < 64 ? 1 : 997) {
		struct bytes_in in = {.data = kept.data, .left = cut};
		descent_take(next, iterations, &in, true);
		assert_true(in.failed);
	}
	descent_destroy(*d);
	text_finish(&kept);
	*d = next;
}

// stop: a search ends at that evaluation, and is tried again.
static void descend(int kind, size_t n, const struct lbfgs_params *p, bool renewed, size_t stop, struct ending *ret) {
	struct function f = {.kind = kind, .n = n};
	struct slope slope = {&f, look};
	struct error error = {0};
	struct descent *d;
	*ret = (struct ending){0};
	assert_true(descent_create(n, p, &d, &error));
	begin_at(&f, d->x);
	ret->end = descent_begin(d, &slope);
	while (ret->end == DESCENT_GOES_ON && d->iterations < MOST) {
		size_t points = f.points.length;
		f.stop = stop ? f.evaluations + stop : 0;
		ret->line = descent_search(d, &slope);
		if (ret->line == LINE_STOPPED) {
			if (d->iterations)
				renew(&d);
			f.points.length = points;
			f.stop = 0;
			ret->line = descent_search(d, &slope);
		}
		if (ret->line != LINE_FOUND)
			break;
		ret->end = descent_turn(d);
		if (renewed && ret->end == DESCENT_GOES_ON)
			renew(&d);
	}
	end_with(&f, d, ret);
	descent_destroy(d);
}

static struct lbfgs_params params_of(int search, int memory, int past, int most) {
	const struct row *const *rows = line_search_registry.rows;
	return (struct lbfgs_params){.memory = memory,
	                             .epsilon = 1e-9,
	                             .past = past,
	                             .delta = 1e-4,
	                             .line_search = {.row = rows[search]},
	                             .most_evaluations = most};
}

static void assert_same(const struct ending *a, const struct ending *b) {
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->line, b->line);
	assert_int_equal(a->iterations, b->iterations);
	assert_string_equal(a->x, b->x);
	assert_memory_equal(&a->value, &b->value, sizeof(a->value));
}

// check(kind, n, params) for all of them.
static void each(void (*check)(int kind, size_t n, const struct lbfgs_params *params)) {
	static const struct {
		int memory, past, most;
	} sets[] = {{6, 0, 40}, {1, 0, 40}, {3, 4, 40}, {20, 1, 40}, {6, 0, 2}};
	for (int kind = 0; kind < FUNCTIONS; kind++)
		for (int search = 0; search < 4; search++)
			for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
				for (size_t n = 2; n <= 33; n += 31) {
					struct lbfgs_params p = params_of(search, sets[i].memory, sets[i].past, sets[i].most);
					check(kind, n, &p);
				}
}

// --- libLBFGS ---

#ifdef HAVE_LBFGS
struct theirs {
	struct function f;
	size_t iterations;
};
static double look_theirs(void *context, const double *x, double *gradient, int n, double step) {
	struct theirs *t = context;
	double value = NAN;
	(void)n, (void)step;
	look(&t->f, x, gradient, &value);
	return value;
}
static int count_theirs(void *context, const double *x, const double *g, double f, double length, double slope,
                        double step, int n, int k, int evaluations) {
	struct theirs *t = context;
	(void)x, (void)g, (void)f, (void)length, (void)slope, (void)step, (void)n, (void)evaluations;
	t->iterations = (size_t)k;
	return 0;
}

static const struct {
	int code;
	enum descent_end end;
	enum line_end line;
} codes[] = {{LBFGS_SUCCESS, DESCENT_STEEP_NO_MORE, LINE_FOUND},
             {LBFGS_ALREADY_MINIMIZED, DESCENT_STEEP_NO_MORE, LINE_FOUND},
             {LBFGS_STOP, DESCENT_FALLS_NO_MORE, LINE_FOUND},
             {LBFGSERR_MAXIMUMITERATION, DESCENT_GOES_ON, LINE_FOUND},
             {LBFGSERR_ROUNDING_ERROR, DESCENT_GOES_ON, LINE_ROUNDING},
             {LBFGSERR_WIDTHTOOSMALL, DESCENT_GOES_ON, LINE_NARROW},
             {LBFGSERR_MINIMUMSTEP, DESCENT_GOES_ON, LINE_SHORT},
             {LBFGSERR_MAXIMUMSTEP, DESCENT_GOES_ON, LINE_LONG},
             {LBFGSERR_MAXIMUMLINESEARCH, DESCENT_GOES_ON, LINE_EXHAUSTED},
             {LBFGSERR_INCREASEGRADIENT, DESCENT_GOES_ON, LINE_RISES},
             {LBFGSERR_INVALIDPARAMETERS, DESCENT_GOES_ON, LINE_NO_STEP}};
static bool seen[LINE_ENDS];

static bool is_near(double a, double b) {
	return fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

static void check_theirs(int kind, size_t n, const struct lbfgs_params *p) {
	struct ending ours, wanted = {.end = DESCENT_STOPPED};
	struct theirs t = {.f = {.kind = kind, .n = n}};
	lbfgs_parameter_t numbers;
	lbfgs_parameter_init(&numbers);
	numbers.m = (int)p->memory;
	numbers.epsilon = p->epsilon;
	numbers.past = (int)p->past;
	numbers.delta = p->delta;
	numbers.max_iterations = MOST;
	numbers.linesearch = (int)((const struct line_search *)p->line_search.row)->kind;
	numbers.max_linesearch = (int)p->most_evaluations;
	double *x = lbfgs_malloc((int)n);
	assert_non_null(x);
	begin_at(&t.f, x);
	int code = lbfgs((int)n, x, &wanted.value, look_theirs, count_theirs, &t, &numbers);
	descend(kind, n, p, false, 0, &ours);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code) {
			wanted.end = codes[i].end;
			wanted.line = codes[i].line;
		}
	end_at(&t.f, x, &wanted);
	wanted.iterations = t.iterations;
	assert_int_not_equal(wanted.end, DESCENT_STOPPED);
	for (size_t i = 0; i < POINTS && isfinite(ours.first[i]); i++) // -ffast-math knows no other
		assert_true(is_near(wanted.first[i], ours.first[i]));
	if (getenv("AEXP_TEST_STRICT")) {
		assert_same(&wanted, &ours);
		assert_string_equal(wanted.points, ours.points);
	}
	seen[ours.line] = true;
	lbfgs_free(x);
}

static void test_theirs(void **state) {
	(void)state;
	each(check_theirs);
	assert_true(seen[LINE_FOUND] && seen[LINE_EXHAUSTED] && seen[LINE_RISES] + seen[LINE_ROUNDING] + seen[LINE_NARROW]);
}
#else
static void test_theirs(void **state) {
	(void)state;
	skip();
}
#endif

// --- taken up again ---

static void check_renewed(int kind, size_t n, const struct lbfgs_params *p) {
	struct ending calm, other;
	descend(kind, n, p, false, 0, &calm);
	descend(kind, n, p, true, 0, &other);
	assert_same(&calm, &other);
	assert_string_equal(calm.points, other.points);
	for (size_t stop = 1; stop < 4; stop++) {
		descend(kind, n, p, stop == 2, stop, &other);
		assert_same(&calm, &other);
		assert_string_equal(calm.points, other.points);
	}
}

static void test_renewed(void **state) {
	(void)state;
	each(check_renewed);
}

// Of another size, memory or number of iterations.
static void test_foreign(void **state) {
	(void)state;
	struct lbfgs_params p = params_of(0, 3, 0, 40), other = params_of(0, 4, 0, 40);
	struct function f = {.kind = 0, .n = 4};
	struct error error = {0};
	struct text kept = {0};
	struct descent *d, *wider, *deeper;
	assert_true(descent_create(4, &p, &d, &error));
	assert_true(descent_create(5, &p, &wider, &error));
	assert_true(descent_create(4, &other, &deeper, &error));
	begin_at(&f, d->x);
	assert_int_equal(descent_begin(d, &(struct slope){&f, look}), DESCENT_GOES_ON);
	assert_int_equal(descent_search(d, &(struct slope){&f, look}), LINE_FOUND);
	assert_int_equal(descent_turn(d), DESCENT_GOES_ON);
	descent_put(d, &(struct bytes_out){.context = &kept, .put = put_text});
	struct descent *const takers[] = {d, d, wider, deeper};
	for (size_t i = 0; i < 4; i++) {
		struct bytes_in in = {.data = kept.data, .left = kept.length};
		descent_take(takers[i], i == 1 ? 2 : 1, &in, true);
		assert_int_equal(in.failed, i > 0);
	}
	descent_destroy(d);
	descent_destroy(wider);
	descent_destroy(deeper);
	text_finish(&f.points);
	text_finish(&kept);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_theirs), cmocka_unit_test(test_renewed),
	                                   cmocka_unit_test(test_foreign)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
