// Cross-validation: the ratings in random order, cut into folds of equal size; one fold is the test, the rest trains.
#include "data/split.h"

#include <math.h>
#include <stdlib.h>

// Ratings at places [count (f - 1) / folds, count f / folds) of the order: taken from its front, fold by fold.
static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_kfold *kind = params;
	const struct dataset *dataset = assignment->dataset;
	uint64_t *key = split_random_keys(dataset, assignment->seed, error);
	if (!key) {
		return false;
	}
	enum { SEEN = SPLIT_DROPPED - 1 }; // of an earlier fold, for now
	struct split_ranking ranking = {dataset->count, key, dataset->user, dataset->item, assignment->part};
	size_t count = split_count(&ranking, PART_TRAIN), folds = (size_t)kind->folds;
	size_t fold = kind->fold > 0 ? (size_t)kind->fold : 1;
	size_t before = count * (fold - 1) / folds, test = count * fold / folds - before;
	bool done = split_take(&ranking, before, PART_TRAIN, SEEN, error) &&
	            split_take(&ranking, test, PART_TRAIN, PART_TEST, error);
	for (size_t i = 0; i < dataset->count; i++) {
		assignment->part[i] = assignment->part[i] == SEEN ? PART_TRAIN : assignment->part[i];
	}
	size_t valid = (size_t)llround(kind->valid * (double)(count - test));
	done = done && split_take(&ranking, valid, PART_TRAIN, PART_VALID, error);
	free(key);
	assignment->exists[PART_VALID] = kind->valid > 0;
	assignment->exists[PART_TEST] = true;
	return done;
}

static void check(const void *params, const struct data_config *config, const struct value *root,
                  struct errors *errors) {
	const struct split_kfold *kind = params;
	(void)config;
	if (kind->fold <= kind->folds) {
		return;
	}
	errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.fold"),
	           "data.split.fold is %lld, but there are %lld folds", (long long)kind->fold, (long long)kind->folds);
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_kfold),
    {
        .name = "folds",
        .type = KEY_INTEGER,
        .offset = offsetof(struct split_kfold, folds),
        .fallback = "5",
        .min = 2,
        .max = 1000,
        .doc = "Parts of equal size that the ratings are cut into, at random",
    },
    {
        .name = "fold",
        .type = KEY_INTEGER,
        .offset = offsetof(struct split_kfold, fold),
        .fallback = "0",
        .min = 0,
        .max = 1000,
        .doc = "The one that is the test, from 1; 0: each in turn, as runs of their own (plan and data: the first)",
    },
    SPLIT_KEY_SHARE(struct split_kfold, valid, "0.05", "Share of the other folds' ratings for validation; 0: none"),
};

const struct split split_kfold_kind = {
    .row = {"kfold", "Cross-validation: each fold of the ratings is the test once", SCHEMA(struct split_kfold, keys)},
    .assign = assign,
    .check = check,
};
