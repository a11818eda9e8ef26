// Strong generalisation (Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018): whole users
// are held out; a share of their ratings is what the model is shown, and the rest what it is asked.
#include "data/split.h"

#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// How many of a held-out user's ratings are its input. One with two ratings or more has at least one of each, and the
// only rating of a user is asked; with `floor` the target is rounded down, as Liang et al. do it, to none for users
// with few.
static size_t input_of(const struct split_users *kind, size_t count) {
	if (kind->floor) {
		return count - (size_t)((1 - kind->fold_in) * (double)count + 1e-9);
	}
	size_t input = (size_t)llround(kind->fold_in * (double)count);
	input = input < 1 ? 1 : input;
	return input < count ? input : count - 1;
}

static void visit(const void *params, const struct split_user *user, struct assignment *assignment) {
	const struct split_users *kind = params;
	uint8_t part = assignment->held_out[user->user];
	if (part == PART_TRAIN) {
		return;
	}
	size_t input = input_of(kind, user->count);
	for (size_t i = 0; i < user->count; i++) {
		assignment->part[user->rating[i]] = (uint8_t)(i < input ? part | SPLIT_INPUT : part);
	}
}

// Ratings of held-out users for items without a training rating go before they are divided.
static bool drop_cold_items(struct assignment *assignment, struct error *error) {
	const struct dataset *dataset = assignment->dataset;
	uint8_t *warm = memory_array(dataset->items.count, 1, "items of the training users", error);
	if (!warm) {
		return false;
	}
	for (size_t i = 0; i < dataset->count; i++) {
		if (assignment->part[i] == PART_TRAIN && assignment->held_out[dataset->user[i]] == PART_TRAIN) {
			warm[dataset->item[i]] = 1;
		}
	}
	for (size_t i = 0; i < dataset->count; i++) {
		if (!warm[dataset->item[i]]) {
			assignment->part[i] = SPLIT_DROPPED;
		}
	}
	free(warm);
	return true;
}

// Of so many users: the number that the file names, or the share.
static size_t held_out(int64_t number, double share, double users) {
	return number > 0 ? (size_t)number : (size_t)llround(share * users);
}

// Which users are held out. Those without ratings are not among the users to choose from.
static bool choose(const struct split_users *kind, struct assignment *assignment, struct error *error) {
	const struct dataset *dataset = assignment->dataset;
	uint64_t *key = memory_array(dataset->users.count, sizeof *key, "keys of users", error);
	if (!key) {
		return false;
	}
	struct random_stream stream = random_stream_make(assignment->seed, "split", "users");
	for (size_t user = 0; user < dataset->users.count; user++) {
		key[user] = random_u64(stream, 0, user, 0);
		assignment->held_out[user] = SPLIT_DROPPED;
	}
	for (size_t i = 0; i < dataset->count; i++) {
		if (assignment->part[i] == PART_TRAIN) {
			assignment->held_out[dataset->user[i]] = PART_TRAIN;
		}
	}
	struct split_ranking ranking = {.count = dataset->users.count, .key = key, .part = assignment->held_out};
	double users = (double)split_count(&ranking, PART_TRAIN);
	size_t test = held_out(kind->test_users, kind->test, users),
	       valid = held_out(kind->valid_users, kind->valid, users);
	if (kind->test_users + kind->valid_users > 0 && (double)(test + valid) >= users) {
		free(key);
		return error_set(error, ERROR_DATA, "%zu users are to be held out, but there are %.0f", test + valid, users);
	}
	bool done = split_take(&ranking, test, PART_TRAIN, PART_TEST, error) &&
	            split_take(&ranking, valid, PART_TRAIN, PART_VALID, error);
	free(key);
	return done;
}

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_users *kind = params;
	uint64_t *key = split_random_keys(assignment->dataset, assignment->seed, error);
	bool done = key && choose(kind, assignment, error) &&
	            (!kind->drop_cold_items || drop_cold_items(assignment, error)) &&
	            split_each_user(assignment, key, visit, params, error);
	free(key);
	assignment->fold_in = true;
	assignment->exists[PART_VALID] = kind->valid > 0 || kind->valid_users > 0;
	assignment->exists[PART_TEST] = kind->test > 0 || kind->test_users > 0;
	return done;
}

// split_check_shares reads the two shares where struct split_shares has them.
_Static_assert(offsetof(struct split_users, valid) == offsetof(struct split_shares, valid), "shares are alike");
_Static_assert(offsetof(struct split_users, test) == offsetof(struct split_shares, test), "shares are alike");

static void check(const void *params, const struct data_config *config, const struct value *root,
                  struct errors *errors) {
	if (config->rows.row && strcmp(config->rows.row->name, "items") == 0) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.kind"),
		                                 "data.split.kind: \"users\" does not go with data.rows = \"items\"");
		error_hint(error, "A row is an item here, so that no user can be held out: choose another kind of split.");
	}
	const struct split_users *kind = params;
	if (kind->valid_users > 0 && value_child(value_child(value_child(root, "data"), "split"), "valid")) {
		errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.valid_users"),
		           "data.split has both valid, a share, and valid_users, a number");
	}
	if (kind->test_users > 0 && value_child(value_child(value_child(root, "data"), "split"), "test")) {
		errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.test_users"),
		           "data.split has both test, a share, and test_users, a number");
	}
	split_check_shares(params, config, root, errors);
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_users),
    SPLIT_KEY_SHARE(struct split_users, valid, "0.05", "Share of the users that is held out for validation; 0: none"),
    SPLIT_KEY_SHARE(struct split_users, test, "0.1", "Share of the users that is held out for the test; 0: none"),
    {
        .name = "fold_in",
        .type = KEY_REAL,
        .flags = KEY_OPEN_MIN | KEY_OPEN_MAX,
        .offset = offsetof(struct split_users, fold_in),
        .fallback = "0.8",
        .min = 0,
        .max = 1,
        .doc = "Share of a held-out user's ratings that is the input; the rest is the target",
    },
    {
        .name = "valid_users",
        .type = KEY_INTEGER,
        .offset = offsetof(struct split_users, valid_users),
        .fallback = "0",
        .min = 0,
        .max = 1e9,
        .doc = "Users held out for validation, instead of the share; 0: the share counts",
    },
    {
        .name = "test_users",
        .type = KEY_INTEGER,
        .offset = offsetof(struct split_users, test_users),
        .fallback = "0",
        .min = 0,
        .max = 1e9,
        .doc = "Users held out for the test, instead of the share; 0: the share counts",
    },
    {
        .name = "floor",
        .type = KEY_BOOL,
        .offset = offsetof(struct split_users, floor),
        .fallback = "false",
        .doc = "A held-out user's target is rounded down, and a user whose target is empty is not asked (Liang et al.)",
    },
    {
        .name = "drop_cold_items",
        .type = KEY_BOOL,
        .offset = offsetof(struct split_users, drop_cold_items),
        .fallback = "false",
        .doc = "Held-out ratings of items that no training user has are left out (Liang et al.)",
    },
};

const struct split split_users_kind = {
    .row = {"users", "Whole users are held out; part of their ratings is the input and the rest the target",
            SCHEMA(struct split_users, keys)},
    .assign = assign,
    .check = check,
};
