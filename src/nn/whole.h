// All weights that learn as one vector, and the loss of a batch as a function of it: for optimizers that are no rule
// for single weights but go down a function.
#ifndef AEXP_NN_WHOLE_H
#define AEXP_NN_WHOLE_H

#include "nn/network.h"

// (graph->trainable) numbers: parameter by parameter, rows of columns as they are stored.
void whole_get(const struct network *network, double *ret);
void whole_set(struct network *network, const double *weights);
// The loss with its L2, and its gradient. The network has room for gradients.
double whole_slope(struct network *network, const struct batch *batch, uint32_t epoch, double *ret);

#endif
