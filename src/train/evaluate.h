// Evaluation of a trained network on one part: cell metrics over all of its target cells, and rankings of all
// candidates.
#ifndef AEXP_TRAIN_EVALUATE_H
#define AEXP_TRAIN_EVALUATE_H

#include "nn/network.h"
#include "train/result.h"

struct evaluation {
	const struct experiment *experiment;
	const struct matrices *matrices;
	struct network *network;
	struct batch *batch;    // room for `rows` rows
	size_t rows, full_rows; // of a block; of a block of rankings
	double *levels;         // (levels_count) ascending: what a target may be
	size_t levels_count;
};

// part: PART_*. Ranking metrics are left undefined for train, whose relevant items are no candidates.
bool evaluate_part(const struct evaluation *evaluation, int part, struct part_result *ret, struct error *error);

// Whether a ranking metric is asked for at all.
bool evaluate_ranks(const struct experiment *experiment);
// The distinct target values, ascending; of more than LEVELS_MAX none (accuracy is then undefined).
bool evaluate_levels(const struct matrices *matrices, double **ret_levels, size_t *ret_count, struct error *error);

#endif
