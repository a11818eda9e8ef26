// A graph with memory on a device: weights, gradients, optimizer state, one batch's activations. Everything is
// allocated when it is created; a step allocates nothing.
//
// Flat vectors, all in the graph's parameter layout: weights | state[0] | state[1] | gradient (of parameters that are
// touched as a whole). Parameters that are touched by rows have a compact gradient: one row for each touched row.
#ifndef AEXP_NN_NETWORK_H
#define AEXP_NN_NETWORK_H

#include "nn/batch.h"
#include "nn/op.h"

enum { SLOT_COLUMNS = 4 };

// A node's memory for the batch at hand.
struct slot {
	real *value, *gradient;           // (rows, width) by value_stride, or NULL
	size_t stride;                    // of value and gradient
	real *cell_value, *cell_gradient; // (cells)
	real *before;                     // (rows, width): input of an activation whose slope needs it
	real *cell_before;                // (cells)
	uint8_t *keep;                    // dropout: (rows, width)
	uint8_t *cell_keep;               // (cells)
	real *sparse_value;               // (entries): of a sparse node with values of its own
	struct sparse rows;               // of a sparse node: this batch
	real *column[SLOT_COLUMNS];       // (width) each: what an op keeps of its columns
	struct random_stream stream;      // what the node draws from
	bool gradient_written;            // something was written to it in this step
};

struct network {
	const struct graph *graph;
	struct device *device;
	const struct backend *backend;
	uint64_t seed;
	real *weights, *state[2], *gradient; // (graph->weights)
	struct parameter_memory {
		struct matrix rows;     // touched by rows: the compact gradient, room for the most
		uint32_t *stamp, *slot; // (parameter rows)
	} * parameters;             // (graph->parameters_count)
	struct slot *slots;         // (graph->nodes_count)
	real *decay_power;
	size_t decay_powers;
	real *row_scale;               // (rows)
	struct matrix output_gradient; // dense loss
	size_t rows, cells;            // room
	uint32_t step;                 // of the optimizer, 0 before the first
	// the pass at hand
	const struct batch *batch;
	bool training, at_cells;
	uint32_t epoch;
};

// rows: the most rows of a batch; cells, entries: the most target cells and input entries of one; full_output: room to
// compute every cell of the output (rankings), for batches of up to full_rows rows.
struct network_room {
	size_t rows, cells, rating_entries, feature_entries, full_rows;
};
bool network_create(const struct graph *graph, struct device *device, const struct backend *backend, uint64_t seed,
                    const struct network_room *room, struct network **ret, struct error *error);
void network_destroy(struct network *network);

// One training step: forward with dropout on, loss, backward, update. Returns the batch's loss, L2 included, by the
// loss's reduction. The batch must be transposed.
double network_step(struct network *network, const struct batch *batch, uint32_t epoch);
// The same without the update, for gradient checks; and the gradient of one parameter as a full (rows, columns) matrix.
double network_gradients(struct network *network, const struct batch *batch, uint32_t epoch);
void network_gradient_of(const struct network *network, const struct parameter *parameter, real *ret);

// Predictions with dropout off: at the batch's target cells (ret: packed, in the order of batch->target), or all of
// them.
void network_predict_cells(struct network *network, const struct batch *batch, float *ret);
struct matrix network_predict_all(struct network *network,
                                  const struct batch *batch); // (rows, width), the network's own memory

// The loss of a batch without touching gradients; training decides about dropout and batch statistics.
double network_loss(struct network *network, const struct batch *batch, uint32_t epoch, bool training);

// The weights as a whole (running statistics included), for keeping the best.
void network_save(const struct network *network, real *ret); // (graph->weights)
void network_load(struct network *network, const real *weights);
// As they are stored: dense weights (inputs, units). Data in the arena. Returns the number.
size_t network_tensors(const struct network *network, struct arena *arena, struct tensor_facts **ret);
// Sets one from such a tensor; false when no parameter has that name and shape.
bool network_set_tensor(struct network *network, const struct tensor_facts *tensor);

// --- for ops ---

static inline struct slot *network_slot(struct network *n, const struct node *node) {
	return &n->slots[node->index];
}
// In this pass the node's value is packed at the target cells.
static inline bool network_at_cells(const struct network *n, const struct node *node) {
	return n->at_cells && node->cells;
}
struct matrix network_value(const struct network *n, const struct node *node); // (rows, width), or (1, cells)
struct matrix network_gradient(const struct network *n, const struct node *node);
struct matrix network_before(const struct network *n, const struct node *node);
// 0 for the first writer of a node's gradient in this step, 1 for later ones, who add.
real network_gradient_beta(struct network *n, const struct node *node);
struct matrix network_weight(const struct network *n, const struct parameter *parameter);
const struct transposed *network_touched(const struct network *n, const struct parameter *parameter); // NULL: all
// Where the gradient of a parameter goes: the compact rows (as many as are touched), or the whole.
struct matrix network_parameter_gradient(const struct network *n, const struct parameter *parameter);

#endif
