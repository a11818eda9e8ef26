// A share of each user's ratings, drawn at random. The number is rounded half down, and every user keeps at least one
// rating for training.
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

static size_t round_half_down(double share, size_t count) {
	return (size_t)ceil(fmax(share * (double)count - 0.5, 0));
}

static void visit(const void *params, const struct split_user *user, struct assignment *assignment) {
	const struct split_shares *shares = params;
	size_t left = user->count - 1;
	size_t test = round_half_down(shares->test, user->count), valid = round_half_down(shares->valid, user->count);
	test = test < left ? test : left;
	left -= test;
	valid = valid < left ? valid : left;
	for (size_t i = 0; i < test + valid; i++) {
		assignment->part[user->rating[i]] = i < test ? PART_TEST : PART_VALID;
	}
}

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_shares *shares = params;
	uint64_t *key = split_random_keys(assignment->dataset, assignment->seed, error);
	bool done = key && split_each_user(assignment, key, visit, params, error);
	free(key);
	assignment->exists[PART_VALID] = shares->valid > 0;
	assignment->exists[PART_TEST] = shares->test > 0;
	return done;
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_shares),
    SPLIT_KEY_SHARE(struct split_shares, valid, "0.05", "Share of each user's ratings for validation; 0: none"),
    SPLIT_KEY_SHARE(struct split_shares, test, "0.1", "Share of each user's ratings for the test; 0: none"),
};

const struct split split_per_user_kind = {
    .row = {"per_user", "A share of each user's ratings, drawn at random", SCHEMA(struct split_shares, keys)},
    .assign = assign,
    .check = split_check_shares,
};
