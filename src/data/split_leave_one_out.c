// One rating of each user is the test, another one the validation: drawn at random, or the latest and the one before.
// A user with one rating keeps it for training, and one with two has no validation rating.
#include "data/split.h"

#include <stdlib.h>
#include <string.h>

static void visit(const void *params, const struct split_user *user, struct assignment *assignment) {
	const struct split_leave_one_out *kind = params;
	if (user->count > 1) {
		assignment->part[user->rating[user->count - 1]] = PART_TEST;
	}
	if (user->count > 2 && kind->valid) {
		assignment->part[user->rating[user->count - 2]] = PART_VALID;
	}
}

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_leave_one_out *kind = params;
	uint64_t *key = strcmp(kind->order.row->name, "time") == 0
	                    ? split_time_keys(assignment->dataset, error)
	                    : split_random_keys(assignment->dataset, assignment->seed, error);
	bool done = key && split_each_user(assignment, key, visit, params, error);
	free(key);
	assignment->exists[PART_VALID] = kind->valid;
	assignment->exists[PART_TEST] = true;
	return done;
}

static const struct row order_random = {"random", "Any of the user's ratings", SCHEMA_NONE};
static const struct row order_time = {"time", "The user's latest ratings", SCHEMA_NONE};
static const struct row *const orders[] = {&order_random, &order_time};
static const struct registry order_registry = {"order", "orders", orders, sizeof orders / sizeof orders[0]};

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_leave_one_out),
    {
        .name = "valid",
        .type = KEY_BOOL,
        .offset = offsetof(struct split_leave_one_out, valid),
        .fallback = "true",
        .doc = "Whether a second rating of each user with three or more is held out for validation",
    },
    {
        .name = "order",
        .type = KEY_CHOICE,
        .offset = offsetof(struct split_leave_one_out, order),
        .fallback = "\"random\"",
        .registry = &order_registry,
        .doc = "Which ratings are held out: any, or the latest",
    },
};

const struct split split_leave_one_out_kind = {
    .row = {"leave_one_out", "One rating of each user is the test, another one the validation",
            SCHEMA(struct split_leave_one_out, keys)},
    .assign = assign,
};
