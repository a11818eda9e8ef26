// The items of a user are marked in a bit set, one after the other, and one that is marked already is a repeat. Several
// threads look at users of their own. In most files a user's lines follow each other; where they do not, a counting
// sort brings the items of each user together.
#include "data/repeats.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/pool.h"
#include "data/big_array.h"
#include "data/group.h"

enum {
	RUN = 1 << 16,    // ratings that one thread looks at
	WORD_BITS = 64,   // of the bit set
	ITEMS_SHARE = 16, // of a bit set: no more items for each rating that is looked at with it
};

struct look {
	const struct dataset *dataset;
	size_t *start;        // (users + 1) of each user's items in `item`
	const uint32_t *item; // (count) those of the data set, or `own`
	uint32_t *own;        // (count) grouped by user; NULL where they are already
	size_t block, blocks; // ratings; blocks of users with about so many
	struct group group;
	atomic_bool mixed, found, fail;
};

static size_t run_end(const struct look *look, size_t k) {
	size_t end = (k + 1) * RUN;
	return end < look->dataset->count ? end : look->dataset->count;
}

static void look_for_order(void *context, size_t k) {
	struct look *look = context;
	const uint32_t *user = look->dataset->user;
	size_t start = k * RUN, end = run_end(look, k);
	uint32_t falls = 0;
	for (size_t i = start > 0 ? start : 1; i < end; i++)
		falls |= user[i] < user[i - 1];
	if (falls)
		atomic_store_explicit(&look->mixed, true, memory_order_relaxed);
}

// Of users in their order: each run knows where those begin that follow another one's rating.
static void bound_users(void *context, size_t k) {
	const struct look *look = context;
	const uint32_t *user = look->dataset->user;
	size_t end = run_end(look, k);
	for (size_t i = k * RUN; i < end; i++) {
		size_t last = i > 0 ? (size_t)user[i - 1] + 1 : 0;
		for (size_t u = last; u <= user[i]; u++)
			look->start[u] = i;
	}
}

static void count_users(void *context, size_t k) {
	const struct look *look = context;
	const uint32_t *user = look->dataset->user;
	uint32_t *counts = group_counts(&look->group, k);
	size_t end = group_end(&look->group, k);
	for (size_t i = group_start(&look->group, k); i < end; i++)
		counts[user[i]]++;
}

static void copy_items(void *context, size_t k) {
	const struct look *look = context;
	const uint32_t *user = look->dataset->user, *item = look->dataset->item;
	uint32_t *counts = group_counts(&look->group, k);
	size_t end = group_end(&look->group, k);
	for (size_t i = group_start(&look->group, k); i < end; i++)
		look->own[look->start[user[i]] + counts[user[i]]++] = item[i];
}

static bool copy_grouped(struct look *look, struct error *error) {
	const struct dataset *dataset = look->dataset;
	look->own = big_array(dataset->count, sizeof *look->own, "the search for repeated ratings", error);
	look->item = look->own;
	if (look->own == NULL || !group_init(dataset->count, dataset->users.count, &look->group, error))
		return false;
	pool_run(dataset->pool, look->group.runs, count_users, look);
	group_add_up(&look->group, look->start);
	pool_run(dataset->pool, look->group.runs, copy_items, look);
	return true;
}

static bool group_items(struct look *look, struct error *error) {
	const struct dataset *dataset = look->dataset;
	size_t runs = dataset->count / RUN + (dataset->count % RUN > 0), users = dataset->users.count;
	pool_run(dataset->pool, runs, look_for_order, look);
	if (look->mixed)
		return copy_grouped(look, error);
	pool_run(dataset->pool, runs, bound_users, look);
	size_t last = dataset->count > 0 ? (size_t)dataset->user[dataset->count - 1] + 1 : 0;
	for (size_t u = last; u <= users; u++)
		look->start[u] = dataset->count;
	return true;
}

// The first user whose items begin at `at` or behind it.
static size_t first_user(const struct look *look, size_t at) {
	size_t low = 0, high = look->dataset->users.count; // it is in [low, high]
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (look->start[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// Whether one of the items stands twice; the bits are all 0 before and after.
static bool stands_twice(const uint32_t *item, size_t count, uint64_t *bits) {
	uint64_t twice = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t bit = UINT64_C(1) << item[i] % WORD_BITS, word = bits[item[i] / WORD_BITS];
		twice |= word & bit;
		bits[item[i] / WORD_BITS] = word | bit;
	}
	for (size_t i = 0; i < count; i++)
		bits[item[i] / WORD_BITS] = 0;
	return twice != 0;
}

static void look_at_users(void *context, size_t k) {
	struct look *look = context;
	const size_t *start = look->start;
	uint64_t *bits = calloc(look->dataset->items.count / WORD_BITS + 1, sizeof *bits);
	size_t first = first_user(look, k * look->block), end = first_user(look, (k + 1) * look->block);
	bool twice = false;
	for (size_t u = first; bits != NULL && u < end; u++)
		twice |= stands_twice(look->item + start[u], start[u + 1] - start[u], bits);
	if (bits == NULL)
		atomic_store_explicit(&look->fail, true, memory_order_relaxed);
	if (twice)
		atomic_store_explicit(&look->found, true, memory_order_relaxed);
	free(bits);
}

bool repeats_exist(const struct dataset *dataset, bool *ret, struct error *error) {
	struct look look = {.dataset = dataset, .item = dataset->item};
	look.start = memory_array(dataset->users.count + 1, sizeof *look.start, "the search for repeated ratings", error);
	bool fine = look.start != NULL && group_items(&look, error);
	if (fine) {
		size_t least = dataset->items.count / ITEMS_SHARE;
		look.block = least < RUN ? RUN : least;
		pool_run(dataset->pool, dataset->count / look.block + 1, look_at_users, &look);
		fine = !look.fail || error_set(error, ERROR_RUN, "out of memory for the search for repeated ratings");
	}
	group_finish(&look.group);
	free(look.start);
	free(look.own);
	*ret = look.found;
	return fine;
}
