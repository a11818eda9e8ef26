// The Gram matrix of the columns of sparse rows, X^T X, in double precision.
#ifndef AEXP_MODEL_GRAM_H
#define AEXP_MODEL_GRAM_H

#include "data/csr.h"

// ret: (columns, columns), symmetric, to be freed. Each element is a sum in the order of the rows, so that it does not
// depend on the pool's threads. Cost: the sum of the squared lengths of the rows. ERROR_RUN when memory is out.
bool gram_create(const struct csr *x, struct pool *pool, double **ret, struct error *error);
double gram_bytes(size_t columns);

#endif
