// What the parts of a training share: its memory, and what every way of training does the same, whoever moves the
// weights.
#ifndef AEXP_TRAIN_TRAINER_H
#define AEXP_TRAIN_TRAINER_H

#include "nn/packed.h"
#include "nn/schedule.h"
#include "train/evaluate.h"
#include "train/order.h"
#include "train/refeed.h"
#include "train/train.h"

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
	size_t batches_count;
	double *losses; // (batches_count)
	struct packed packed;
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
};

// Opens nothing: backend, device, pool, experiment, matrices, graph, result and observer are the caller's.
bool trainer_create(struct trainer *trainer, struct error *error);
void trainer_finish(struct trainer *trainer); // accepts what is zeroed or half created

// The epoch's rows from `first` on, in `count` of the trainer's batches.
void trainer_gather(struct trainer *trainer, size_t first, size_t count);
// False where a batch's loss is not finite; `number` of the first, from 1. Otherwise adds the losses, weighted by their
// cells, or by rows where that is what the loss is a mean over.
bool trainer_add_losses(struct trainer *trainer, uint32_t epoch, size_t number, size_t count, double *total,
                        double *cells, struct error *error);
// After an epoch of that loss, which took so many seconds: history, evaluation, what decides which epoch is best and
// whether training ends.
bool trainer_end_epoch(struct trainer *trainer, size_t epoch, double loss, double seconds, double ratings,
                       struct error *error);

#endif
