// What a backend does on this machine: whether its products are right, and how fast it multiplies and copies.
#ifndef AEXP_TENSOR_MEASURE_H
#define AEXP_TENSOR_MEASURE_H

#include "tensor/backend.h"

struct backend_measures {
	double product; // operations a second of one member's dense product, a multiplication and an addition being two
	double copy;    // bytes a second of one member's copy, read and written
	double error;   // of the product's cells that were looked at: the largest, over the sum of its terms' sizes
};
// A product is wrong whose error is beyond this: float32 ends at 1e-7, tf32 at 1e-3.
static const double MEASURE_ERROR_MOST = 2e-3;

// Takes a second or so. False where memory is out, or something fails on the device.
bool backend_measure(const struct backend *backend, struct device *device, struct backend_measures *ret,
                     struct error *error);

#endif
