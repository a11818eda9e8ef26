// What a training will need of memory and disk, told from the plan: so that too little of it is an error before it
// begins.
#ifndef AEXP_TRAIN_NEEDS_H
#define AEXP_TRAIN_NEEDS_H

#include "train/train.h"

enum need { NEED_NETWORK, NEED_BATCHES, NEED_EVALUATION, NEED_KEPT, NEEDS };
extern const char *const need_names[NEEDS]; // "network", "batches", "evaluation", "copies"

// All in bytes, and upper bounds rather than guesses: memory that is only touched where a batch is large counts in
// full.
struct train_needs {
	double memory[NEEDS]; // besides program and data: weights, gradients, state and activations, or a model's fit;
	                      // batches and the order of rows; predictions and rankings; copies of weights
	double memory_total;
	double checkpoint; // of one; 0: none is kept
	double files;      // of the folder of a finished run, about
	double disk;       // most that it takes at one time: checkpoints, one more while it is written, and the files
	double cache;      // of the data set, where one is left
};
// device_left: bytes that are free on a device with memory of its own (SIZE_MAX: nobody knows), which decide what the
// host has besides.
void train_measure(const struct experiment *experiment, const struct matrices *matrices, const struct graph *graph,
                   size_t threads, size_t device_left, struct train_needs *ret);
// Whether there is as much: memory by every limit of this process, disk where `folder` is or will be. What lies in
// `checkpoints` already is part of what is needed. ERROR_RUN, with both figures, where there is not.
bool train_fits(const struct train_needs *needs, const char *folder, const char *checkpoints, struct error *error);

#endif
