// Training: from a planned graph and matrices to a history of numbers and trained weights. Prints nothing.
#ifndef AEXP_TRAIN_TRAIN_H
#define AEXP_TRAIN_TRAIN_H

#include "nn/graph.h"
#include "train/result.h"

// Where a training leaves checkpoints, and finds those of an earlier one to go on from.
struct train_keep {
	const char *folder;  // made when the first one is written
	const char *program; // what computes, besides the backend: checkpoints of another one are not taken
	const char *id;      // of the run: the same
	void (*note)(void *context, const char *line); // what was not taken or not written, and why; may be NULL
	void *context;
};

// Who watches. Every member may be NULL.
struct train_observer {
	void *context;
	void (*batch)(void *context, size_t epoch, double share,
	              double ratings); // of the epoch done; ratings since the start
	void (*epoch)(void *context, const struct epoch_result *epoch);
	bool (*interrupted)(void *context);                            // asked after each batch
	bool (*ends)(void *context, const struct epoch_result *epoch); // asked after an epoch: whether it is the last
	void (*resumed)(void *context, size_t epoch, double ratings);  // training goes on from a checkpoint of that epoch
	const struct train_keep *keep;
};

// The plan of the experiment's graph for this data (an empty one for a model), and whether that data can be trained on.
// graph_finish either way.
bool train_plan(const struct experiment *experiment, const struct matrices *matrices, struct graph *ret,
                struct errors *errors);

// What was planned, in the graph's arena: the graph's nodes, or one for a model.
void train_describe(const struct experiment *experiment, const struct matrices *matrices, struct graph *graph,
                    struct graph_facts *ret);

// Bytes of the memory of a device that has memory of its own.
struct device_needs {
	size_t network; // weights, gradients, state, and all that belongs to a batch
	size_t data;    // the data set as it lies there; 0: batches of this training are not gathered there
	size_t blocks;  // where it does not: blocks of batches on their way
	bool held;      // it does
};
static inline size_t device_needs_bytes(const struct device_needs *needs) {
	return needs->network + (needs->held ? needs->data : needs->blocks);
}
// Of a training, where so many bytes are free (SIZE_MAX: nobody knows). The graph's shape.batch may be another one than
// it was planned for.
void train_device_needs(const struct experiment *experiment, const struct matrices *matrices, const struct graph *graph,
                        size_t left, struct device_needs *ret);
// Opens the experiment's backend, and closes nothing; see backend_open.
bool train_open_backend(const struct experiment *experiment, struct pool *pool, const struct backend **ret_backend,
                        struct device **ret_device, struct error *error);
// Whether it is there on this machine: asked before anything is written. ret_left: bytes of its own memory that are
// free (SIZE_MAX: it has none), as it was after a failure; may be NULL.
bool train_backend_check(const struct experiment *experiment, struct pool *pool, size_t *ret_left, struct error *error);

// Trains and evaluates, from the last checkpoint where there is one: to the bit what a training would give that nobody
// interrupted. An interrupted one leaves a checkpoint. Models have none: they are fitted anew, which gives the same
// bytes. ret is finished with train_result_finish, also after a failure. The result refers to experiment, matrices
// and graph. ret_backend: how the device describes itself, to be freed.
bool train_run(const struct experiment *experiment, const struct matrices *matrices, struct graph *graph,
               struct pool *pool, const struct train_observer *observer, struct run_result *ret, char **ret_backend,
               struct error *error);
void train_result_finish(struct run_result *result);

double train_seconds(void); // a monotonic clock

#endif
