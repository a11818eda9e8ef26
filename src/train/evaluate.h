// Evaluation of a trained network on one part: cell metrics over all of its target cells, and rankings of all
// candidates, in one pass.
#ifndef AEXP_TRAIN_EVALUATE_H
#define AEXP_TRAIN_EVALUATE_H

#include "nn/network.h"
#include "train/result.h"

struct evaluation {
	// what the caller sets
	const struct experiment *experiment;
	const struct matrices *matrices;
	struct network *network;
	struct batch *batch;    // room for `rows` rows
	struct pool *pool;      // may be NULL; results do not depend on it
	size_t rows, full_rows; // of a block; of a block of rankings
	size_t scores_most;     // where a row is an item: scores of users by items that are held at once; 0: 2^26 (256 MiB)
	// what evaluation_begin sets
	double *levels; // (levels_count) ascending: what a target may be
	size_t levels_count;
	struct evaluation_part *parts;       // (PARTS) what is kept from one evaluation of a part to the next
	struct ranking_collector *collector; // NULL where no ranking metric is asked for
};

bool evaluation_begin(struct evaluation *evaluation, struct error *error);
void evaluation_finish(struct evaluation *evaluation); // accepts what is zeroed or half begun

// part: PART_*. Ranking metrics are left undefined for train, whose relevant items are no candidates.
bool evaluate_part(struct evaluation *evaluation, int part, struct part_result *ret, struct error *error);

// Whether a ranking metric is asked for at all.
bool evaluate_ranks(const struct experiment *experiment);
// The distinct target values, ascending; of more than LEVELS_MAX none (accuracy is then undefined).
bool evaluate_levels(const struct matrices *matrices, double **ret_levels, size_t *ret_count, struct error *error);

#endif
