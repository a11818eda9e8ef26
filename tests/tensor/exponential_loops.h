// Plain loops over the functions of tensor/exponential.h, compiled like the kernels: once for each instruction set.
#ifndef AEXP_TEST_EXPONENTIAL_LOOPS_H
#define AEXP_TEST_EXPONENTIAL_LOOPS_H

#include <stddef.h>

typedef void exponential_loop(const float *restrict x, float *restrict y, size_t n);

struct exponential_loops {
	const char *name;
	exponential_loop *exp, *expm1, *log, *log1p, *tanh, *sigmoid, *softplus;
};

extern const struct exponential_loops loops_baseline;
#if defined(__x86_64__)
extern const struct exponential_loops loops_avx2, loops_avx512;
#endif

#endif
