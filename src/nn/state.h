// What a training has made of a network so far, as bytes: weights, optimizer state with rows that wait for their turn
// as they are, counters. A network that takes them back goes on to the bit as the one that gave them. Then whether its
// weights and gradients are sound.
#ifndef AEXP_NN_STATE_H
#define AEXP_NN_STATE_H

#include "base/bytes.h"
#include "nn/network.h"

size_t network_state_size(const struct graph *graph); // bytes, about
void network_state_put(struct network *network, struct bytes_out *out);
// Fails (in->failed) where the bytes are not of a network of that graph. With `dry` they are only looked at; what then
// does not fail does not fail without.
void network_state_take(struct network *network, struct bytes_in *in, bool dry);

// Vectors of (graph->weights) numbers in the memory of the device, as network_save and network_load have them.
void network_vector_put(const struct network *network, const real *vector, struct bytes_out *out);
void network_vector_take(const struct network *network, real *vector, struct bytes_in *in, bool dry);

bool numbers_finite(const real *data, size_t count);
// The first parameter of which a weight is not finite; NULL: none. batch: of lazy parameters only rows that it touched.
const struct parameter *network_not_finite(const struct network *network, const struct batch *batch);

// After network_gradients: the largest gradient, L2 apart, and the first parameter of which one is not finite.
struct gradient_facts {
	const struct parameter *largest, *bad; // NULL: there is none
	double size;                           // of the largest one that is finite
};
void network_gradient_facts(const struct network *network, const struct batch *batch, struct gradient_facts *ret);

#endif
