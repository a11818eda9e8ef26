// Checkpoints: all that a training holds between two batches, in a file that is written whole or not at all. A training
// that goes on from one gives the same bytes as one that was never interrupted.
//
// File: magic | version | program, backend, ID | trainer | network | best weights | descent | hash of all before it.
#ifndef AEXP_TRAIN_CHECKPOINT_H
#define AEXP_TRAIN_CHECKPOINT_H

#include "base/bytes.h"
#include "train/trainer.h"

enum { CHECKPOINTS_KEPT = 2 };

// Once the trainer is created; observer->keep says where.
void keeper_begin(struct trainer *trainer);
bool keeper_due_after_epoch(const struct trainer *trainer);
bool keeper_due_in_epoch(const struct trainer *trainer);
// Writes the trainer as it is, or its snapshot where it has one, and drops those before the last two. What cannot be
// written is noted: it ends no training. False then, and where a weight is not finite: the last good one stays.
bool keeper_write(struct trainer *trainer);
// An interrupted training writes one and says so: false, and the error.
bool keeper_interrupt(struct trainer *trainer, size_t epoch, struct error *error);
// Takes the newest one that is whole and of this very run; each one that is not is noted. False where there is none:
// the trainer is then as it was.
bool keeper_take(struct trainer *trainer);

// The trainer's part and the network's, as in a file. Taking fails (false) where bytes are not of such a training, and
// changes nothing then.
void trainer_put(struct trainer *trainer, struct bytes_out *out);
bool trainer_take(struct trainer *trainer, struct bytes_in in);
void trainer_snap(struct trainer *trainer); // into its snapshot

#endif
