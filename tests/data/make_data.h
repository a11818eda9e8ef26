// Data sets made by hand for the tests of filter, split, matrices and statistics: random distinct pairs, ratings in
// half steps with zeros and negatives, times with many ties.
#ifndef AEXP_TESTS_DATA_MAKE_DATA_H
#define AEXP_TESTS_DATA_MAKE_DATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "data/data.h"
#include "data/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A sequence of its own, so that a test reads like one that throws dice.
struct dice {
	struct random_stream stream;
	uint64_t thrown;
};

static inline struct dice dice_make(uint64_t seed) {
	return (struct dice){random_stream_make(seed, "test", ""), 0};
}

static inline size_t dice_throw(struct dice *dice, size_t sides) {
	return (size_t)(random_u64(dice->stream, 0, dice->thrown++, 0) % sides);
}

static inline void *make_array(size_t count, size_t size) {
	void *array = calloc(count + 1, size);
	assert_non_null(array);
	return array;
}

// At most `count` ratings (pairs that were drawn twice count once) in random order.
static inline struct dataset make_dataset(struct dice *dice, size_t users, size_t items, size_t count) {
	struct dataset d = {.users.count = users, .items.count = items};
	uint8_t *taken = make_array(users * items, 1);
	d.user = make_array(count, sizeof *d.user);
	d.item = make_array(count, sizeof *d.item);
	d.rating = make_array(count, sizeof *d.rating);
	d.time = make_array(count, sizeof *d.time);
	for (size_t i = 0; i < count; i++) {
		size_t user = dice_throw(dice, users);
		size_t item = dice_throw(dice, 1 + dice_throw(dice, items)); // the first items are the popular ones
		if (!taken[user * items + item]) {
			taken[user * items + item] = 1;
			d.user[d.count] = (uint32_t)user;
			d.item[d.count] = (uint32_t)item;
			d.rating[d.count] = (float)dice_throw(dice, 13) / 2 - 1; // -1 ... 5
			d.time[d.count++] = (int64_t)dice_throw(dice, 9) - 4;
		}
	}
	free(taken);
	return d;
}

static inline void free_attributes(struct attributes *attributes) {
	for (size_t a = 0; a < attributes->count; a++) {
		free(attributes->items[a].start);
		free(attributes->items[a].level);
		free(attributes->items[a].number);
		free(attributes->items[a].levels.offset);
		free(attributes->items[a].levels.bytes);
	}
	free(attributes->items);
}

static inline void free_dataset(struct dataset *d) {
	free(d->user);
	free(d->item);
	free(d->rating);
	free(d->time);
	free(d->part);
	free_attributes(&d->user_attributes);
	free_attributes(&d->item_attributes);
}

// The configuration of a `data` group, with all its parts in one place.
struct made_config {
	struct data_config data;
	struct filter_config filter;
	struct buckets_config buckets;
	struct split_config split;
	struct split_shares shares;
	struct split_leave_one_out leave_one_out;
	struct split_users users;
	struct split_files files;
};

static const struct row make_rows_users = {"users", "", SCHEMA_NONE}, make_rows_items = {"items", "", SCHEMA_NONE};
static const struct row make_order_random = {"random", "", SCHEMA_NONE}, make_order_time = {"time", "", SCHEMA_NONE};

// The same user and item ratings everywhere, no buckets, no split.
static inline void make_config(struct made_config *c) {
	*c = (struct made_config){.data = {.rows = {&make_rows_users, NULL}, .liked = NAN}, .filter = {1, 1, NAN}};
	c->data.filter = &c->filter;
	c->shares.seed = c->leave_one_out.seed = c->users.seed = c->files.seed = SPLIT_SEED_OF_RUN;
}

static inline void make_split(struct made_config *c, const struct split *kind, void *params) {
	c->split.kind = (struct choice){&kind->row, params};
	c->data.split = &c->split;
}

#endif
