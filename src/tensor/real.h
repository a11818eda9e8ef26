// The number type of the graph. float in the program; the test that checks gradients builds the same sources with
// -DAEXP_DOUBLE=1, so that finite differences have digits to spare.
#ifndef AEXP_TENSOR_REAL_H
#define AEXP_TENSOR_REAL_H

#ifdef AEXP_DOUBLE
typedef double real;
#define real_exp exp
#define real_expm1 expm1
#define real_log log
#define real_log1p log1p
#define real_sqrt sqrt
#define real_tanh tanh
#define real_fabs fabs
#else
typedef float real;
#define real_exp expf
#define real_expm1 expm1f
#define real_log logf
#define real_log1p log1pf
#define real_sqrt sqrtf
#define real_tanh tanhf
#define real_fabs fabsf
#endif

#endif
