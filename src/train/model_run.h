// A run without training: the experiment's model is fitted in one go, and evaluated like any other.
#ifndef AEXP_TRAIN_MODEL_RUN_H
#define AEXP_TRAIN_MODEL_RUN_H

#include "model/model.h"
#include "train/result.h"

// Whether this data can be fitted.
bool model_plan(const struct experiment *experiment, const struct matrices *matrices, struct errors *errors);

// Bytes that the fit, a block of rows with its scores, and evaluation take at most.
void model_measure(const struct experiment *experiment, const struct matrices *matrices, size_t threads,
                   double *ret_fit, double *ret_batch, double *ret_evaluation);

// As train_run: history and best are of one epoch without a loss. Facts go into the arena.
bool model_run(const struct experiment *experiment, const struct matrices *matrices, struct arena *arena,
               struct pool *pool, struct run_result *ret, char **ret_backend, struct error *error);

#endif
