// See exponential_loops.h. Compiled with -DLOOPS=NAME, -DLOOPS_NAME="..." and the flags of one instruction set.
#include "exponential_loops.h"

#include "tensor/elementwise.h"

#define LOOP(NAME, VALUE)                                                                                              \
	static void NAME(const float *restrict x, float *restrict y, size_t n) {                                           \
		for (size_t i = 0; i < n; i++)                                                                                 \
			y[i] = (VALUE);                                                                                            \
	}

LOOP(exp_loop, float_exp(x[i]))
LOOP(expm1_loop, float_expm1(x[i]))
LOOP(log_loop, float_log(x[i]))
LOOP(log1p_loop, float_log1p(x[i]))
LOOP(tanh_loop, float_tanh(x[i]))
LOOP(sigmoid_loop, sigmoid_value(x[i], 0))
LOOP(softplus_loop, softplus_value(x[i], 0))

const struct exponential_loops LOOPS = {
    LOOPS_NAME, exp_loop, expm1_loop, log_loop, log1p_loop, tanh_loop, sigmoid_loop, softplus_loop,
};
