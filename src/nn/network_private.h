// What the files of a network share, and no op needs: network.c (memory, tensors), passes.c, updates.c, loss_steps.c.
#ifndef AEXP_NN_NETWORK_PRIVATE_H
#define AEXP_NN_NETWORK_PRIVATE_H

#include "nn/network.h"

// Rows of whole cache lines, an odd number of them: a column chunk of many rows would fall into few sets of a cache if
// rows were a power of two apart.
static inline size_t network_padded(size_t width) {
	enum { NUMBERS = 16 }; // a cache line of floats
	return ((width + NUMBERS - 1) / NUMBERS | 1) * NUMBERS;
}

static inline struct parameter_memory *network_memory_of(const struct network *n, const struct parameter *p) {
	return &n->parameters[p - n->graph->parameters];
}

// What a batch's loss is made of: network->sums.
enum { SUM_CELLS, SUM_EXTRA, SUM_PENALTY, SUMS };
// The gradient's sum of squares where it is clipped by its norm, and what it is multiplied by: network->clip.
enum { CLIP_SQUARES, CLIP_FACTOR, CLIPS };

struct seen {
	real *data;
	size_t room; // numbers
};
// What stands in memory of the device, where the host can read and change it until the next call; and back there.
real *network_seen(const struct network *network, const real *data, size_t count);
void network_unseen(const struct network *network, real *data, const real *seen, size_t count);
struct matrix network_seen_matrix(const struct network *network, const struct matrix *matrix);
// The rows of a parameter that the last pass's batch touches, in the order of its gradient; the caller frees. NULL:
// all, and ret_count is how many that is. Where memory is the host's the batch must be transposed.
uint32_t *network_touched_rows(const struct network *network, const struct batch *batch,
                               const struct parameter *parameter, size_t *ret_count);

// Every output of a batch, in memory of the device: (rows, width).
struct matrix network_full(struct network *network, const struct batch *batch);

// Runs before the other crew is tried, at first and at most.
enum { PATIENCE_LEAST = 64, PATIENCE_MOST = 512 };

// --- updates.c ---

// The optimizer's numbers at a step, from 1.
void network_numbers_at(const struct network *network, uint32_t step, struct optimizer_numbers *ret);
// Rows of the parameters of each kind that are lazy; 0 stays where there are none.
void network_count_lazy_rows(const struct graph *graph, size_t ret_rows[TOUCHED_KINDS]);
// Whether rows of the parameter wait, and a wait changes something.
bool network_waits(const struct network *network, const struct parameter *parameter);
// Tables of what a wait does, where it changes something. The numbers of all steps are the same where an optimizer is
// lazy.
void network_fill_waiting(struct network *network);
// Where L2 is lazy, the sums of squared weights that are kept up to date.
void network_sum_squares(struct network *network);
// How long each row that a batch touches has waited, and that it waits no longer; the batch's lists are the device's.
void network_note_waits(struct network *network, const struct batch *on, uint32_t step);

// --- loss_steps.c ---

// The sum of its squared weights as they are.
double network_squares_of(const struct network *network, const struct parameter *parameter);
// What a parameter's L2 adds to the loss with the weights as they are.
double network_penalty_of(const struct network *network, const struct parameter *parameter);

#endif
