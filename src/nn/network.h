// A graph with memory on a device: weights, gradients, optimizer state, one batch's activations. Everything is
// allocated when it is created; a step allocates nothing. Numbers and the structs are the host's, and so is what says
// so; the rest is memory of the device.
//
// Flat vectors, all in the graph's parameter layout: weights | state[0] | state[1].
#ifndef AEXP_NN_NETWORK_H
#define AEXP_NN_NETWORK_H

#include "nn/batch.h"
#include "nn/op.h"
#include "nn/program.h"
#include "nn/resident.h"

#include <stdatomic.h>

enum { SLOT_COLUMNS = 4, SLOT_ROWS = 2 };

// A node's memory for the batch at hand.
struct slot {
	real *value, *gradient;           // (rows, width) by stride, or NULL
	size_t stride, gradient_stride;   // of value and before; of gradient
	real *cell_value, *cell_gradient; // (cells)
	real *parts;                      // (groups of the input, cells): what each group adds to a cell
	real *joined;                     // (width, input's width): the weights of a node with cells, as one matrix
	real *before;                     // (rows, width): input of an activation whose slope needs it
	real *cell_before;                // (cells)
	uint64_t *keep;                   // dropout: (rows, network_keep_word(width, groups)), a bit a cell
	real *sparse_value;               // (entries): of a sparse node with values of its own
	real *column[SLOT_COLUMNS];       // (width) each: what an op keeps of its columns
	real *row[SLOT_ROWS];             // (rows) each: what an op keeps of the rows
	real *noise;                      // (rows, width) by stride: what an op drew
	double *extra;                    // (groups, rows): what an op adds to the loss
	struct random_stream stream;      // what the node draws from; see pass_stream
};

struct parameter_memory {
	struct matrix gradient;        // as the parameter; touched by rows: (touched rows), where it is written down
	struct waiting_table *waiting; // (1) lazy, and a wait changes something
	double *squares, *penalty;     // (parts): with L2, sums of squared weights now (lazy), and before the last update
	double *norm;                  // (parts): sums of its squared gradient, where gradients are clipped by their norm
};

enum program_id { PROGRAM_GRADIENTS, PROGRAM_LOSS, PROGRAM_CELLS, PROGRAM_FULL, PROGRAM_BELOW, PROGRAMS };

// Who computes: one thread, or all of them. The result is the same; which is faster depends on the size of a batch, and
// on what else runs on the machine, since threads that wait for each other need to be at work at the same time.
enum crew_id { CREW_ALONE, CREW_TEAM, CREWS };

// What training has seen of them, a run of batches at a time.
struct pace {
	enum crew_id preferred;
	size_t trying;         // runs that the other one does next, the last of which decides
	double seconds;        // an entry, lately, by the preferred one
	size_t left, patience; // runs until the other one is tried, and how many that was after the last trial
};

// For rankings, where there is room for them: lists that go to the device, and what comes from it.
struct rank_memory {
	size_t rows, k_most, out_most;
	uint32_t *out, *marked; // (rows + 1 and out_most): starts, then columns
	uint32_t *item, *count; // (rows, k_most), (rows)
	uint32_t *each;         // (rows + 1): where each row's items begin
	real *score;            // (rows, k_most)
	double *pairs;          // (rows, 2)
};

struct network {
	const struct graph *graph;
	struct device *device;
	const struct backend *backend;
	struct arena arena;
	void *memory; // of the device, in one piece: all that follows, but for the host's
	uint64_t seed;
	real *weights, *state[2];            // (graph->weights)
	struct parameter_memory *parameters; // (graph->parameters_count)
	struct slot *slots;                  // (graph->nodes_count)
	double *row_sum;                     // (groups of the output or 1, rows): of the loss
	struct softmax_part *softmax_part;   // (groups of the output, rows): of a loss over rows
	struct softmax_factors *softmax;     // (groups of the output, rows)
	double *losses;                      // (losses_most): of the batches since they were asked for last
	size_t losses_count, losses_most;
	double *sums, *clip; // (SUMS), (CLIPS): see network_private.h
	real *picked;        // (cells): predictions at cells, where the output is computed as a whole
	struct rank_memory rank;
	size_t rows, cells;       // room
	struct resident resident; // the batch at hand, where the device's memory is apart
	struct seen *seen;        // the host's: see network_seen
	struct program programs[PROGRAMS];
	struct program *steps; // (phases, or one): of a training step
	size_t phase;          // that is on
	uint32_t *taken;       // (phases, or one): steps of the optimizer; each phase has one of its own
	struct crew crews[CREWS];
	struct pace pace;
	// lazy updates
	uint32_t *stamp[TOUCHED_KINDS]; // (rows of such parameters) the step after which a row is current
	uint32_t *waited;               // (the most of them)
	uint32_t step;                  // of training, 0 before the first
	double rate_factor;             // of the optimizer's rate, from now on
	double slowing;                 // the same, whatever the schedule
	bool settled;                   // no row waits
	atomic_size_t begun;            // of a run of batches: how many it has come to
	bool joined;                    // the slots' joined weights are the present ones
};

// The longest rankings that are made where the scores are: to sort them costs the square of their length.
enum { RANK_MOST = 1024 };

// rows: the most rows of a batch; cells, entries: the most target cells and input entries of one; full_rows: room to
// compute every cell of the output (rankings), for batches of up to that many rows; gradients: network_gradients will
// be asked for.
struct network_room {
	size_t rows, cells, rating_entries, feature_entries, full_rows;
	bool gradients;
	bool blank;         // for predictions alone: no state, no gradients, weights 0 until they are set
	size_t block_bytes; // where the device's memory is apart: see struct resident_room
	size_t rank_k;      // rankings of up to so many columns will be asked for (network_rank); 0: none
	size_t losses;      // of so many batches are kept until they are asked for; at least RUN_BATCHES are
	bool reads;         // for predictions by another's weights; see network_create_reader
};
bool network_create(const struct graph *graph, struct device *device, const struct backend *backend, uint64_t seed,
                    const struct network_room *room, struct network **ret, struct error *error);
void network_destroy(struct network *network);
// One that predicts by the weights of another, which outlives it, on the calling thread alone: several readers, and the
// other itself, can be at it at the same time. Not where the device's memory is apart. The room is one that reads.
bool network_create_reader(const struct network *of, const struct network_room *room, struct network **ret,
                           struct error *error);
// Bytes of the device's memory that it would have.
size_t network_bytes(const struct graph *graph, const struct backend *backend, const struct network_room *room);

// A training step for each of the batches: forward with dropout on, loss, backward, update. ret_loss: (count) each
// batch's loss, L2 included, by the loss's reduction; or NULL: nothing waits for the device, and network_losses has
// them, of no more batches than it has room for since the last time. Where memory is the host's too the batches must be
// transposed; they are free again on return.
enum { RUN_BATCHES = 256 };
void network_train(struct network *network, const struct batch *batches, size_t count, uint32_t epoch,
                   double *ret_loss);
void network_losses(struct network *network, double *ret_loss);        // (losses_count), and forgets
void network_hold(struct network *network, const struct store *store); // where batches with places come from
size_t network_begun(const struct network *network); // how many of them it has come to; from any thread
double network_step(struct network *network, const struct batch *batch, uint32_t epoch); // the same for one
// What the step that comes next has as its output, dropout and all, at every cell: (rows, width), the network's own
// memory, where the host can read it, which the next pass may overwrite. Needs room for full_rows.
struct matrix network_outputs(struct network *network, const struct batch *batch, uint32_t epoch);
// What the optimizer's rate is multiplied by in the steps that follow, a schedule's warm-up apart. 1 at first; it may
// differ from 1 only where the graph's schedule is not constant.
void network_set_rate(struct network *network, double factor);
// And besides, whatever the schedule: 1 at first. No row waits, or none of an optimizer whose waits the rate enters.
void network_slow(struct network *network, double factor);
// Which of the graph's phases is on in the steps that follow; the first one at first.
void network_set_phase(struct network *network, size_t phase);
// Copies take over the present weights of what they are copies of.
void network_renew(struct network *network);
// Rows that wait for their turn catch up (lazy optimizers). Everything below does so by itself; where it is done enters
// the rounding of the weights, so training calls it at the end of each epoch, whatever is evaluated when.
void network_settle(struct network *network);

// Loss and gradients without an update, for checks; and the gradient of one parameter as a full (rows, columns) matrix.
double network_gradients(struct network *network, const struct batch *batch, uint32_t epoch);
void network_gradient_of(const struct network *network, const struct batch *batch, const struct parameter *parameter,
                         real *ret);

// Predictions with dropout off: at the batch's target cells (ret: packed, in the order of batch->target), or all of
// them.
void network_predict_cells(struct network *network, const struct batch *batch, float *ret);
struct matrix network_predict_all(struct network *network,
                                  const struct batch *batch); // (rows, width), as network_outputs has them
// Rankings of a batch's rows by their outputs, as topk and rank_pairs of the seam: on the device, and only what is
// named here leaves it. Needs room for full_rows and rank_k.
struct rank_lists {
	const uint32_t *start, *column; // (rows + 1), (start[rows]) of each row; none twice
};
struct rank_ask {
	struct rank_lists out;    // no candidates
	struct rank_lists marked; // of whose pairs are asked; start NULL: nobody asks
	size_t k;
};
struct rank_answer {        // the caller's
	uint32_t *item, *count; // (rows, k), (rows)
	float *score;           // (rows, k) of the items; NULL: nobody asks
	double *pairs;          // (rows, 2) where pairs are asked for
	float *cells;           // (target cells) predictions there; NULL: nobody asks
};
void network_rank(struct network *network, const struct batch *batch, const struct rank_ask *ask,
                  struct rank_answer *ret);
// The same on the calling thread alone, of a reader or of the network that it reads, once that is ready: after
// network_ready until its weights change. all: for network_read_all, too, which needs room for full_rows.
void network_ready(struct network *network, bool all);
void network_read_cells(struct network *network, const struct batch *batch, float *ret);
struct matrix network_read_all(struct network *network, const struct batch *batch);
// What the output reads, without the output: (rows, its input's width), as network_outputs has them. Only where the
// output has one input, which is dense. A batch may have as many rows as the network has room for, whatever full_rows
// is.
struct matrix network_hidden(struct network *network, const struct batch *batch);

// The loss of a batch without touching gradients; training decides about dropout and batch statistics.
double network_loss(struct network *network, const struct batch *batch, uint32_t epoch, bool training);

// The weights as a whole (running statistics included), for keeping the best.
void network_save(struct network *network, real *ret); // (graph->weights)
void network_load(struct network *network, const real *weights);
// As they are stored: dense weights (inputs, units). Data in the arena. Returns the number.
size_t network_tensors(struct network *network, struct arena *arena, struct tensor_facts **ret);
// Sets one from such a tensor, on the team's threads; false when no parameter has that name and shape.
bool network_set_tensor(struct network *network, const struct tensor_facts *tensor);
// The shape of that tensor, of a vector (length, 1); returns its dimensions.
size_t parameter_shape(const struct parameter *parameter, size_t ret[2]);
// Whether a parameter is what such a tensor holds: its name, its dimensions, its shape.
bool parameter_is_tensor(const struct parameter *parameter, const struct tensor_facts *tensor);

// --- for ops: the steps that no op makes ---

void network_make_catch_up(struct maker *maker);
void network_make_densify(struct maker *maker, const struct node *node);
void network_make_loss(struct maker *maker);
void network_make_zero(struct maker *maker);    // gradients that two nodes add to
void network_make_updates(struct maker *maker); // of deferred parameters
void network_make_sum(struct maker *maker);

// --- for ops: what their steps run on ---

// Whole tensors: (rows, width), or (1, cells) where the node is at cells.
struct matrix pass_value(const struct pass *pass, const struct node *node);
struct matrix pass_gradient(const struct pass *pass, const struct node *node);
struct matrix pass_before(const struct pass *pass, const struct node *node);
struct sparse pass_rows(const struct pass *pass, const struct node *node);             // of a sparse node
struct matrix pass_weight(const struct pass *pass, const struct parameter *parameter); // stored as one matrix
struct matrix pass_weight_columns(const struct pass *pass, const struct parameter *parameter, const struct tile *tile);
struct matrix pass_joined(const struct pass *pass, const struct node *node);
const struct transposed *pass_touched(const struct pass *pass, const struct parameter *parameter); // NULL: all
// What a pattern of the batch touches of a parameter, and the places of that in the parameter's gradient; NULL: in
// order.
const struct transposed *pass_touched_place(const struct pass *pass, const struct parameter *parameter,
                                            enum touched from, const uint32_t **ret_place);
static inline struct slot *pass_slot(const struct pass *pass, const struct node *node) {
	return &pass->network->slots[node->index];
}
// What a node draws from in this batch: another stream each time that outputs are re-fed.
static inline struct random_stream pass_stream(const struct pass *pass, const struct node *node) {
	return random_stream_branch(pass_slot(pass, node)->stream, pass->batch->refed);
}
// The first word of a group's bits in a row of a mask: groups share none.
static inline size_t network_keep_word(size_t column, size_t group) {
	return column / 64 + group;
}
// What the divergences of rows from `first` on are multiplied by in the loss: loss.kl and the reduction. ret_start: see
// struct gaussian_prior.
double pass_divergence_weight(const struct pass *pass, size_t first, const uint32_t **ret_start);
// Whether a node with noise draws any.
static inline bool pass_noisy(const struct pass *pass, const struct node *node) {
	return pass->training && !(pass->quiet && node->sparse);
}
// Whether the output's activation is left out, because the loss takes what stands before it.
static inline bool pass_logits(const struct pass *pass, const struct node *node) {
	return pass->to_loss && node->logits;
}
static inline bool pass_at_cells(const struct pass *pass, const struct node *node) {
	return pass->at_cells && node->cells;
}
// The tile of such a tensor; its cells where the node is at cells.
struct matrix pass_tile(const struct pass *pass, const struct node *node, const struct matrix *whole,
                        const struct tile *tile);

// The gradient of a parameter, where an op writes it: columns of the part.
struct matrix pass_parameter_gradient(const struct pass *pass, const struct parameter *parameter,
                                      const struct tile *tile);
// Updates the tile's columns of a parameter by the gradient that was written so. Nothing in a pass without update, nor
// where the update is deferred.
void pass_update(const struct pass *pass, const struct parameter *parameter, const struct tile *tile);
// The gradient of rows that a batch touched is transpose(pattern) y: updates by it, or writes it down in a pass without
// update and where that is deferred. y NULL: sums of the values.
// `from`: the pattern whose values these are; the parameter's own, but where it is shared, to whose gradient this adds.
void pass_update_touched(const struct pass *pass, const struct parameter *parameter, const struct tile *tile,
                         enum touched from, const real *value, const struct matrix *y);

#endif
