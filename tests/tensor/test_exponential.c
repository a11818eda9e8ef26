// The functions of tensor/exponential.h, in each set of vector instructions that this processor has, against libm's of
// doubles: over a sweep of all floats, at the ends of the range, with denormals kept and flushed; and what one costs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exponential_loops.h"
#include "tensor/exponential.h"

#include <float.h>
#include <stdbool.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// STRIDE is odd, so that the last bits of a mantissa vary too.
enum { CHUNK = 4096, STRIDE = 251, REPEATS = 100 };

static double sigmoid(double x) {
	return 1 / (1 + exp(-x));
}
static double softplus(double x) {
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

// The bounds are in ulp; sigmoid and softplus are built of two functions each.
static const struct function {
	const char *name;
	double (*reference)(double x);
	size_t loop; // offset in struct exponential_loops
	double most;
	float first, last; // the arguments of the timing
} functions[] = {
    {"exp", exp, offsetof(struct exponential_loops, exp), 1.1, -20, 20},
    {"expm1", expm1, offsetof(struct exponential_loops, expm1), 1.5, -20, 20},
    {"log", log, offsetof(struct exponential_loops, log), 1.5, 1e-7f, 4},
    {"log1p", log1p, offsetof(struct exponential_loops, log1p), 1.5, -0.9f, 4},
    {"tanh", tanh, offsetof(struct exponential_loops, tanh), 2, -5, 5},
    {"sigmoid", sigmoid, offsetof(struct exponential_loops, sigmoid), 2.5, -10, 10},
    {"softplus", softplus, offsetof(struct exponential_loops, softplus), 2.5, -10, 10},
};
enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

static size_t available_loops(const struct exponential_loops *ret[3]) {
	size_t count = 0;
	ret[count++] = &loops_baseline;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		ret[count++] = &loops_avx2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw"))
		ret[count++] = &loops_avx512;
#endif
	return count;
}

static void run(const struct exponential_loops *loops, const struct function *f, const float *x, float *y, size_t n) {
	(*(exponential_loop *const *)((const char *)loops + f->loop))(x, y, n);
}

// Has no effect where the processor is not of this kind: then both sweeps are with denormals.
static void flush_denormals(bool flush) {
#if defined(__x86_64__)
	enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040, BOTH = FLUSH_TO_ZERO | DENORMALS_ARE_ZERO };
	_mm_setcsr(flush ? _mm_getcsr() | BOTH : _mm_getcsr() & ~(unsigned)BOTH);
#else
	(void)flush;
#endif
}

// The distance of y from the true value in units of the last place of the true value; infinity counts as 2^128.
static double error_in_ulp(double want, float y) {
	if (isnan(want) || isnan(y))
		return isnan(want) && isnan(y) ? 0 : INFINITY;
	double most = 0x1p128, got = isinf(y) ? copysign(most, (double)y) : (double)y;
	if (fabs(want) > most)
		want = copysign(most, want);
	int exponent = want == 0 ? -126 : ilogb(want);
	return fabs(got - want) / ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
}

// What may become 0 when denormals are flushed.
static bool may_flush(const struct function *f, float x, double want, float y) {
	bool argument = fabs((double)x) < (double)FLT_MIN && error_in_ulp(f->reference(0), y) <= f->most;
	return argument || (fabs(want) <= (double)FLT_MIN && y == 0);
}

struct worst {
	double ulp;
	float x;
};

static void compare(const struct function *f, const float *x, const double *want, const float *y, size_t n, bool flush,
                    struct worst *worst) {
	for (size_t i = 0; i < n; i++) {
		double ulp = error_in_ulp(want[i], y[i]);
		if (ulp <= worst->ulp || (flush && may_flush(f, x[i], want[i], y[i])))
			continue;
		*worst = (struct worst){ulp, x[i]};
	}
}

// The chunk of the sweep that begins at the float of these bits.
static void fill(uint64_t bits, const struct function *f, float x[CHUNK], double want[CHUNK]) {
	for (size_t i = 0; i < CHUNK; i++) {
		x[i] = float_of_bits((uint32_t)(bits + i * STRIDE));
		want[i] = f->reference((double)x[i]);
	}
}

static void test_sweep(void **state) {
	const bool flush = *(bool *)*state;
	const struct exponential_loops *sets[3];
	size_t count = available_loops(sets);
	for (size_t k = 0; k < FUNCTIONS; k++) {
		const struct function *f = &functions[k];
		struct worst worst[3] = {{0}};
		for (uint64_t bits = 0; bits <= UINT32_MAX; bits += (uint64_t)CHUNK * STRIDE) {
			float x[CHUNK], y[CHUNK];
			double want[CHUNK];
			fill(bits, f, x, want);
			for (size_t s = 0; s < count; s++) {
				flush_denormals(flush);
				run(sets[s], f, x, y, CHUNK);
				flush_denormals(false);
				compare(f, x, want, y, CHUNK, flush, &worst[s]);
			}
		}
		for (size_t s = 0; s < count; s++) {
			print_message("%-8s %-8s at most %.3f ulp, at %a\n", f->name, sets[s]->name, worst[s].ulp,
			              (double)worst[s].x);
			assert_true(worst[s].ulp <= f->most);
		}
	}
}

// Where the standard names the value, it must be that value: no ulp is given.
static const struct end {
	size_t function;
	float x, want;
} ends[] = {
    {0, 0, 1},
    {0, -0.0f, 1},
    {0, INFINITY, INFINITY},
    {0, -INFINITY, 0},
    {0, NAN, NAN},
    {0, -NAN, NAN},
    {0, 88.73f, INFINITY},
    {0, FLT_MAX, INFINITY},
    {0, -104, 0},
    {0, -FLT_MAX, 0},
    {1, 0, 0},
    {1, -0.0f, 0},
    {1, INFINITY, INFINITY},
    {1, -INFINITY, -1},
    {1, NAN, NAN},
    {1, 88.73f, INFINITY},
    {1, FLT_MAX, INFINITY},
    {1, -FLT_MAX, -1},
    {1, FLT_MIN, FLT_MIN},
    {2, 1, 0},
    {2, 0, -INFINITY},
    {2, -0.0f, -INFINITY},
    {2, INFINITY, INFINITY},
    {2, -INFINITY, NAN},
    {2, -1, NAN},
    {2, -FLT_MIN, NAN},
    {2, NAN, NAN},
    {3, 0, 0},
    {3, -0.0f, 0},
    {3, -1, -INFINITY},
    {3, INFINITY, INFINITY},
    {3, -INFINITY, NAN},
    {3, -1.0000001f, NAN},
    {3, NAN, NAN},
    {3, FLT_MIN, FLT_MIN},
    {4, 0, 0},
    {4, -0.0f, 0},
    {4, INFINITY, 1},
    {4, -INFINITY, -1},
    {4, FLT_MAX, 1},
    {4, -FLT_MAX, -1},
    {4, NAN, NAN},
    {4, FLT_MIN, FLT_MIN},
    {5, INFINITY, 1},
    {5, -INFINITY, 0},
    {5, 0, 0.5f},
    {5, NAN, NAN},
    {6, INFINITY, INFINITY},
    {6, -INFINITY, 0},
    {6, NAN, NAN},
};
enum { ENDS = sizeof(ends) / sizeof(*ends) };

static void test_ends(void **state) {
	(void)state;
	const struct exponential_loops *sets[3];
	size_t count = available_loops(sets);
	for (size_t s = 0; s < count; s++)
		for (size_t k = 0; k < ENDS; k++) {
			// 19 copies: whole vectors, and what is left over
			float x[19], y[19];
			for (size_t i = 0; i < 19; i++)
				x[i] = ends[k].x;
			run(sets[s], &functions[ends[k].function], x, y, 19);
			for (size_t i = 0; i < 19; i++)
				if (isnan(ends[k].want) ? !isnan(y[i]) : !(y[i] == ends[k].want))
					fail_msg("%s: %s(%a) is %a, not %a", sets[s]->name, functions[ends[k].function].name,
					         (double)ends[k].x, (double)y[i], (double)ends[k].want);
		}
}

// A value must not depend on its place in the loop: were the vectors and what is left over contracted differently,
// results would depend on the cut into blocks.
static void test_places(void **state) {
	(void)state;
	const struct exponential_loops *sets[3];
	size_t count = available_loops(sets);
	static float x[CHUNK], all[CHUNK], one[CHUNK];
	for (size_t k = 0; k < FUNCTIONS; k++) {
		for (size_t i = 0; i < CHUNK; i++)
			x[i] = functions[k].first + (functions[k].last - functions[k].first) * (float)i / CHUNK;
		for (size_t s = 0; s < count; s++) {
			run(sets[s], &functions[k], x, all, CHUNK);
			for (size_t i = 0; i < CHUNK; i++)
				run(sets[s], &functions[k], &x[i], &one[i], 1);
			assert_memory_equal(all, one, sizeof(all));
		}
	}
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Nanoseconds a value, the least of some repeats. Printed, not judged.
static void test_cost(void **state) {
	(void)state;
	const struct exponential_loops *sets[3];
	size_t count = available_loops(sets);
	static float x[CHUNK], y[CHUNK];
	for (size_t k = 0; k < FUNCTIONS; k++) {
		for (size_t i = 0; i < CHUNK; i++)
			x[i] = functions[k].first + (functions[k].last - functions[k].first) * (float)i / CHUNK;
		for (size_t s = 0; s < count; s++) {
			double least = INFINITY;
			for (size_t r = 0; r < REPEATS; r++) {
				double begin = now();
				run(sets[s], &functions[k], x, y, CHUNK);
				least = fmin(least, now() - begin);
			}
			print_message("%-8s %-8s %.3f ns a value\n", functions[k].name, sets[s]->name, 1e9 * least / CHUNK);
		}
	}
}

int main(void) {
	static bool kept = false, flushed = true;
	const struct CMUnitTest tests[] = {
	    {"sweep, denormals kept", test_sweep, NULL, NULL, &kept},
	    {"sweep, denormals flushed", test_sweep, NULL, NULL, &flushed},
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_places),
	    cmocka_unit_test(test_cost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
