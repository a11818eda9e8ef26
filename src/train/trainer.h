// What the parts of a training share: its memory, and what every way of training does the same, whoever moves the
// weights.
#ifndef AEXP_TRAIN_TRAINER_H
#define AEXP_TRAIN_TRAINER_H

#include "nn/packed.h"
#include "nn/schedule.h"
#include "nn/store.h"
#include "train/descent.h"
#include "train/evaluate.h"
#include "train/order.h"
#include "train/refeed.h"
#include "train/train.h"

// How far the epoch at hand is.
struct progress_in_epoch {
	size_t first, number; // row in the order, and batch (from 1), that come next; first 0: it has not begun
	double total, cells;  // of the losses so far
};

// When the next checkpoint is due; see checkpoint.h.
struct keeper {
	const struct train_keep *keep; // NULL: none are kept
	uint64_t serial;               // of the last one that counts; 0: none
	double cost, last;             // seconds that the last one took (or would take), and when it was written
	bool told;                     // that one could not be written
};

// A batch that was trained on: its number, and what its loss weighs in the epoch's.
struct unsettled {
	size_t number;
	double weight;
};

struct trainer {
	const struct experiment *experiment;
	const struct matrices *matrices;
	struct graph *graph;
	const struct train_observer *observer;
	struct run_result *result;
	const struct backend *backend;
	struct pool *pool;
	struct device *device;
	struct network *network;
	struct batch batch;    // for evaluation
	struct batch *batches; // (batches_count): a run of batches to train on, gathered together
	struct batch *ahead;   // (batches_count): the next run, gathered by threads that would wait; or NULL
	size_t batches_count;
	size_t ahead_first, ahead_count; // what that holds: batches of the epoch at hand, from this place of its order on
	struct batch *batches_memory;    // (batches_made): of both
	size_t batches_made;
	struct unsettled *unsettled; // (unsettled_most): what is asked of the batches' losses once they are there
	size_t unsettled_count;      // of steps that the device may still be at
	size_t unsettled_most;
	struct packed packed;
	struct store store; // where the data lies on the device
	bool held;          // it does
	bool short_rows;    // of what is held: see struct packed
	struct order order;
	struct refeed refeed;
	struct evaluation evaluation;
	struct batch_source source;
	struct negatives negatives; // of the epoch at hand
	real *best;                 // (graph->weights) with early_stop
	double ratings;             // trained on so far
	size_t epochs_room;         // of result->epochs
	int best_use;               // index of the watched metric, -1: train.loss
	size_t waited;              // epochs since the best
	struct schedule_state schedule;
	struct descent *descent; // of an optimizer that descends, else NULL
	struct progress_in_epoch at;
	struct divergence diverged; // where a loss or a weight was not finite; epoch 0: nowhere
	bool gradients;             // the network has room for them
	struct keeper keeper;
	struct text snapshot; // trainer_put after the last good epoch, where training may go back to it; else empty
};

// How much a training holds at once: known before anything is allocated. Not to be moved: the sources point into it.
struct trainer_shape {
	struct negatives negatives;         // for their number alone: none is drawn
	struct batch_source sources[PARTS]; // (sources_count) training's first
	size_t sources_count;
	size_t rows, full_rows;       // of a batch for evaluation; of a block of rankings
	size_t trained_rows, batches; // of a batch for training; how many of those are gathered together
	size_t runs;                  // of so many batches each: one, or one more that is gathered ahead
	struct network_room room;
	bool may_hold;                   // training's batches can be gathered on the device
	size_t upload_bytes;             // of a batch that is not: see struct resident_room
	struct network_room reader_room; // of one more thread that predicts
	size_t readers;                  // such threads, none of which may be there in the end
};
void trainer_measure(const struct experiment *experiment, const struct matrices *matrices, const struct graph *graph,
                     size_t threads, struct trainer_shape *ret);

// What a device with memory of its own holds, and in which way batches come there, with so much of its memory free.
// shape->room is made to fit.
void trainer_place(const struct backend *backend, const struct graph *graph, size_t left, struct trainer_shape *shape,
                   struct device_needs *ret);

// Batches that are gathered together, but one for each thread; and as many as are counted where a device gathers them.
enum { GATHERED_MOST = 16 };
// Opens nothing: backend, device, pool, experiment, matrices, graph, result and observer are the caller's.
bool trainer_create(struct trainer *trainer, struct error *error);
void trainer_finish(struct trainer *trainer); // accepts what is zeroed or half created

// The epoch's rows from `first` on, in `count` of the trainer's batches.
void trainer_gather(struct trainer *trainer, size_t first, size_t count);
// Rate, phase, order and negatives of an epoch; where it has begun already, as of a checkpoint, it goes on. ret_ends:
// it is the last one of its phase.
void trainer_begin_epoch(struct trainer *trainer, size_t epoch, bool *ret_ends);
size_t trainer_batches_left(const struct trainer *trainer); // of the epoch
// Trains on the next ones, at most `most`. False where a loss is not finite, which is where it diverged. With a device
// of its own losses are looked at when the epoch ends: nothing waits for the device before.
bool trainer_step(struct trainer *trainer, size_t epoch, size_t most, struct error *error);
// Waits for the last step's losses, before the epoch ends or what there is is kept. False as of trainer_step.
bool trainer_settle(struct trainer *trainer, size_t epoch, struct error *error);
// After all batches: rows that wait catch up, copies follow where a phase ends. False where a weight is not finite,
// which is divergence too. ret_loss: of the epoch.
bool trainer_close_epoch(struct trainer *trainer, size_t epoch, bool phase_ends, double *ret_loss, struct error *error);
// After an epoch of that loss, which took so many seconds: history, evaluation, what decides which epoch is best and
// whether training ends.
bool trainer_end_epoch(struct trainer *trainer, size_t epoch, double loss, double seconds, double ratings,
                       struct error *error);

#endif
