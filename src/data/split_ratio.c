// A share of all ratings, drawn at random: exactly round(share * n) of them.
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_shares *shares = params;
	uint64_t *key = split_random_keys(assignment->dataset, assignment->seed, error);
	if (!key) {
		return false;
	}
	const struct dataset *dataset = assignment->dataset;
	struct split_ranking ranking = {dataset->count, key, dataset->user, dataset->item, assignment->part};
	double count = (double)split_count(&ranking, PART_TRAIN);
	size_t test = (size_t)llround(shares->test * count), valid = (size_t)llround(shares->valid * count);
	bool done = split_take(&ranking, test, PART_TRAIN, PART_TEST, error) &&
	            split_take(&ranking, valid, PART_TRAIN, PART_VALID, error);
	free(key);
	assignment->exists[PART_VALID] = shares->valid > 0;
	assignment->exists[PART_TEST] = shares->test > 0;
	return done;
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_shares),
    SPLIT_KEY_SHARE(struct split_shares, valid, "0.05", "Share of all ratings for validation; 0: none"),
    SPLIT_KEY_SHARE(struct split_shares, test, "0.1", "Share of all ratings for the test; 0: none"),
};

const struct split split_ratio_kind = {
    .row = {"ratio", "A share of all ratings, drawn at random", SCHEMA(struct split_shares, keys)},
    .assign = assign,
    .check = split_check_shares,
};
