// How ratings are divided into train, validation and test: the kinds, their keys, and what they share.
// One file a kind (split_KIND.c); split.c holds the table, split_order.c the drawing and ordering.
#ifndef AEXP_DATA_SPLIT_H
#define AEXP_DATA_SPLIT_H

#include "config/schema.h"
#include "data/data.h"

#include <stddef.h>

// `data.split.seed` left out: the run's seed counts. The default spells this value, and split_settle puts the run's
// seed in its place before the resolved file is written.
#define SPLIT_SEED_OF_RUN UINT64_MAX

// Every kind's struct begins with the seed, so that a choice's params can be read as struct split_common.
struct split_common {
	uint64_t seed;
};
struct split_shares { // ratio, per_user, time
	uint64_t seed;
	double valid, test; // shares of the ratings (of all, or of each user's); 0: no such part
};
struct split_leave_one_out {
	uint64_t seed;
	bool valid;          // a second rating of each user is held out for validation
	struct choice order; // "random" | "time"
};
struct split_users {
	uint64_t seed;
	double valid, test;              // shares of the users; NAN where a number stands beside it (split_settle)
	double fold_in;                  // share of a held-out user's ratings that is its input
	int64_t valid_users, test_users; // how many users; 0: the share counts
	bool floor;                      // the target of a held-out user is rounded down, and who has none is not asked
	bool drop_cold_items;            // held-out ratings of items that no training user has are left out
};
struct split_kfold {
	uint64_t seed;
	int64_t folds, fold; // fold from 1; 0: each of them in turn, and the first where only one can be meant
	double valid;        // share of the ratings that are not in the fold
};
struct split_files {
	uint64_t seed;
	const char *train, *valid, *test; // valid and test may be NULL
	double valid_share;               // of the train file's ratings, drawn at random; only without `valid`
};

// What a kind is given and what it leaves: the part of each rating.
enum {
	SPLIT_INPUT = 0x40,   // on top of PART_VALID or PART_TEST: the fold-in input of a held-out user, not its target
	SPLIT_DROPPED = 0x80, // removed by the filter
};
struct assignment {
	const struct dataset *dataset;
	uint64_t seed;      // of the split
	uint8_t *part;      // (dataset->count) comes as PART_TRAIN or SPLIT_DROPPED
	bool exists[PARTS]; // comes as train alone
	bool fold_in;       // comes false; true where held-out users have inputs of their own
	uint8_t *held_out;  // (dataset->users.count) comes as PART_TRAIN; the part for which the whole user is held out
};

struct split {
	struct row row;
	bool (*assign)(const void *params, struct assignment *assignment, struct error *error);
	// What no single key can check; NULL where there is nothing. `root` is the tree of the file, for positions.
	void (*check)(const void *params, const struct data_config *config, const struct value *root,
	              struct errors *errors);
};

// Checks that no single key can: shares that leave nothing for training, `users` with rows = "items", `valid` beside
// `valid_share`. `root` is the tree of the file, for positions. Nothing to do where config->split is NULL.
void split_check(const struct data_config *config, const struct value *root, struct errors *errors);

// The check of the kinds with two shares: something must be left for training.
void split_check_shares(const void *params, const struct data_config *config, const struct value *root,
                        struct errors *errors);

// The run's seed in place of SPLIT_SEED_OF_RUN; split may be NULL.
void split_settle(const struct split_config *split, uint64_t run_seed);

// Of split `kfold` without a `fold`: how many folds there are, each a run of its own; else 0. split may be NULL.
size_t split_folds(const struct split_config *split);

// Fills part, exists, fold_in and held_out, which come in the state that struct assignment names; assignment->seed is
// the run's seed and is replaced by the split's own where that was written. config->split NULL: everything is train.
bool split_assign(const struct data_config *config, struct assignment *assignment, struct error *error);

// Moves round(share * n) of the n ratings whose part is `from` to `to`: those with the smallest split_random_keys.
// part: (dataset->count).
bool split_draw(const struct dataset *dataset, uint64_t seed, double share, uint8_t from, uint8_t to, uint8_t *part,
                struct error *error);

// A key for each rating, (count), free(); NULL on failure. Random: Philox of (seed, stream "split", user, item), so
// that the order of the ratings does not enter it. Time: ascending with it; ERROR_DATA where the data has none.
uint64_t *split_random_keys(const struct dataset *dataset, uint64_t seed, struct error *error);
uint64_t *split_time_keys(const struct dataset *dataset, struct error *error);

// Things in the order of (key, user, item), each in a part.
struct split_ranking {
	size_t count;
	const uint64_t *key;         // (count)
	const uint32_t *user, *item; // (count) or both NULL: equal keys stay in their order
	uint8_t *part;               // (count)
};
size_t split_count(const struct split_ranking *ranking, uint8_t part);
// Moves the `wanted` first of part `from` to `to` (all of them where there are not as many). Linear in count.
bool split_take(const struct split_ranking *ranking, size_t wanted, uint8_t from, uint8_t to, struct error *error);

// A user's ratings of part PART_TRAIN, as places in the data set, ascending by (key, item).
struct split_user {
	uint32_t user;
	size_t count;           // at least 1
	const uint32_t *rating; // (count)
};
// Calls visit for each user that has any, in the order of the data set.
bool split_each_user(struct assignment *assignment, const uint64_t *key,
                     void (*visit)(const void *params, const struct split_user *user, struct assignment *assignment),
                     const void *params, struct error *error);

// The kinds, one file each.
extern const struct split split_ratio_kind, split_per_user_kind, split_leave_one_out_kind, split_time_kind,
    split_users_kind, split_files_kind, split_kfold_kind;

// Rows of a key table that several kinds have.
#define SPLIT_KEY_SEED(group)                                                                                          \
	{                                                                                                                  \
		.name = "seed", .type = KEY_SEED, .offset = offsetof(group, seed), .fallback = "18446744073709551615",         \
		.doc = "Seed of the split; 18446744073709551615 stands for the run's seed"                                     \
	}
#define SPLIT_KEY_SHARE(group, key, share, text)                                                                       \
	{                                                                                                                  \
		.name = #key, .type = KEY_REAL, .flags = KEY_OPEN_MAX, .offset = offsetof(group, key), .fallback = share,      \
		.min = 0, .max = 1, .doc = text                                                                                \
	}

#endif
