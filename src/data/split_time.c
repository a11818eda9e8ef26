// The latest ratings overall are held out: train comes before validation, validation before test. Of ratings at the
// same time, those of later users, then of later items count as later.
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_shares *shares = params;
	const struct dataset *dataset = assignment->dataset;
	uint64_t *key = split_time_keys(dataset, error);
	if (!key) {
		return false;
	}
	// The earliest are those that can be taken, so everything goes to the test first and comes back from it.
	struct split_ranking ranking = {dataset->count, key, dataset->user, dataset->item, assignment->part};
	size_t count = split_count(&ranking, PART_TRAIN);
	size_t test = (size_t)llround(shares->test * (double)count), valid = (size_t)llround(shares->valid * (double)count);
	bool done = split_take(&ranking, count, PART_TRAIN, PART_TEST, error) &&
	            split_take(&ranking, count - test - valid, PART_TEST, PART_TRAIN, error) &&
	            split_take(&ranking, valid, PART_TEST, PART_VALID, error);
	free(key);
	assignment->exists[PART_VALID] = shares->valid > 0;
	assignment->exists[PART_TEST] = shares->test > 0;
	return done;
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_shares),
    SPLIT_KEY_SHARE(struct split_shares, valid, "0.05",
                    "Share of all ratings, before the test's, for validation; 0: none"),
    SPLIT_KEY_SHARE(struct split_shares, test, "0.1", "Share of all ratings, the latest, for the test; 0: none"),
};

const struct split split_time_kind = {
    .row = {"time", "The latest ratings overall are held out", SCHEMA(struct split_shares, keys)},
    .assign = assign,
    .check = split_check_shares,
};
