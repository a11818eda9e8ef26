// The number type of the graph. float in the program; the test that checks gradients builds the same sources with
// -DAEXP_DOUBLE=1, so that finite differences have digits to spare. The exponentials of floats are our own, since a
// loop over libm's is not vectorised.
#ifndef AEXP_TENSOR_REAL_H
#define AEXP_TENSOR_REAL_H

#ifdef AEXP_DOUBLE
#include <math.h>
typedef double real;
#define real_exp exp
#define real_expm1 expm1
#define real_log log
#define real_log1p log1p
#define real_sqrt sqrt
#define real_tanh tanh
#define real_fabs fabs
#else
#include "tensor/exponential.h"
typedef float real;
#define real_exp float_exp
#define real_expm1 float_expm1
#define real_log float_log
#define real_log1p float_log1p
#define real_sqrt sqrtf
#define real_tanh float_tanh
#define real_fabs fabsf
#endif

#endif
