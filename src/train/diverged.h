// Where a training went wrong: the first batch whose loss or gradient is not finite, or that leaves a weight that is
// not. Found by training once more from the last checkpoint, batch by batch, so that a training in which nothing goes
// wrong pays nothing for it.
#ifndef AEXP_TRAIN_DIVERGED_H
#define AEXP_TRAIN_DIVERGED_H

#include "train/trainer.h"

// `finished`: a trainer that diverged and was finished; what its caller set, `diverged` and the keeper are read.
// snapshot: what it would have gone back to; empty: its last checkpoint, or its beginning. Adds to the error's message
// the batch, the parameter and the largest gradient, where they are found in reasonable time.
void diverged_explain(const struct trainer *finished, const struct text *snapshot, struct error *error);

#endif
