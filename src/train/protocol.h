// The protocol of an experiment: what makes figures of two runs figures of the same question. A hash of the definitions
// of the metrics, the data as it was read, and of the keys that say which ratings are asked: filter, buckets, liked,
// split (its kind and sizes, not its seed nor which fold) and `evaluate`. What a model is given and how it looks at it
// (rows, side information, scale) and which metrics are named do not enter: U- and I-AutoRec answer the same question.
#ifndef AEXP_TRAIN_PROTOCOL_H
#define AEXP_TRAIN_PROTOCOL_H

#include "train/experiment.h"

// fingerprint: of the data set. What one split made of the ratings is matrices.split_hash: runs that agree in both are
// asked the very same cells, and can be compared in pairs.
void experiment_protocol(const struct experiment *experiment, const char *fingerprint, char ret[EXPERIMENT_ID]);

#endif
