// The few routines of LAPACK that models need, from OpenBLAS, on one thread: results do not depend on -t. Matrices are
// symmetric, so that rows and columns are the same to them.
#ifndef AEXP_MODEL_LAPACK_H
#define AEXP_MODEL_LAPACK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

// a (n, n), positive definite, becomes its inverse, both halves. ERROR_RUN where it is not.
bool lapack_invert(double *a, size_t n, struct error *error);
// The eigenvectors of the `count` largest eigenvalues of a (n, n), which is overwritten: ret (count, n), the largest
// first, each of length 1. ERROR_RUN when memory is out or it does not converge.
bool lapack_largest(double *a, size_t n, size_t count, double *ret, struct error *error);

#endif
