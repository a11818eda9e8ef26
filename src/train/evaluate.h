// Evaluation of a trained model on one part: cell metrics over all of its target cells, and rankings of all
// candidates, in one pass.
#ifndef AEXP_TRAIN_EVALUATE_H
#define AEXP_TRAIN_EVALUATE_H

#include "nn/network.h"
#include "train/result.h"

// Who predicts: a network, or a model that is no graph. The memory that `all` returns is the scorer's own, until its
// next call.
struct scorer {
	void *context;
	// at the batch's target cells, packed in their order; NULL: they are taken from `all`
	void (*cells)(void *context, const struct batch *batch, float *ret);
	struct matrix (*all)(void *context, const struct batch *batch); // (rows, columns)
	// rankings where the scores are (nn/network.h); NULL: they are made of those of `all`
	void (*rank)(void *context, const struct batch *batch, const struct rank_ask *ask, struct rank_answer *ret);
};
struct scorer scorer_of_network(struct network *network); // with room for full rows where rankings are asked for

// Where several threads may predict, each blocks of its own.
struct evaluation_sharing {
	struct network *network;  // the scorer's; NULL: they may not
	struct network_room room; // of a reader of it
};

struct evaluation {
	// what the caller sets
	const struct experiment *experiment;
	const struct matrices *matrices;
	struct scorer scorer;
	bool no_cells;                     // its scores are no predictions of targets: cell metrics are undefined
	struct batch *batch;               // room for `rows` rows
	struct pool *pool;                 // may be NULL; results do not depend on it
	size_t rows, full_rows;            // of a block; of a block of rankings
	struct evaluation_sharing sharing; // results do not depend on it
	size_t scores_most; // where a row is an item: scores of users by items that are held at once; 0: 2^26 (256 MiB)
	// what evaluation_begin sets
	double *levels; // (levels_count) ascending: what a target may be
	size_t levels_count;
	struct adjust adjust;                // of predictions, before cell metrics
	uint32_t *column_entries;            // (columns) train entries, where adjust has a cold default; else NULL
	double *surprise;                    // (items) where a metric asks for it; else NULL
	struct evaluation_part *parts;       // (PARTS) what is kept from one evaluation of a part to the next
	struct ranking_collector *collector; // NULL where no ranking metric is asked for
	struct evaluation_reader *readers;   // (readers_count), as many as the pool has threads, or none yet
	size_t readers_count;
};

bool evaluation_begin(struct evaluation *evaluation, struct error *error);
void evaluation_finish(struct evaluation *evaluation); // accepts what is zeroed or half begun

// part: PART_*. Ranking metrics are left undefined for train, whose relevant items are no candidates.
bool evaluate_part(struct evaluation *evaluation, int part, struct part_result *ret, struct error *error);
// The same with the values of single users, by metric use, of all who have a value, in their order. ret_users is
// zeroed before, and finished by user_values_finish also after a failure.
bool evaluate_part_users(struct evaluation *evaluation, int part, struct part_result *ret,
                         struct user_values *ret_users, struct error *error);

// Bytes that one takes at most, its batch and scorer apart, before there is any.
double evaluation_measure(const struct experiment *experiment, const struct matrices *matrices, size_t rows,
                          size_t threads);

// Whether a ranking metric is asked for at all.
bool evaluate_ranks(const struct experiment *experiment);
// The distinct target values, ascending; of more than LEVELS_MAX none (accuracy is then undefined).
bool evaluate_levels(const struct matrices *matrices, double **ret_levels, size_t *ret_count, struct error *error);

#endif
