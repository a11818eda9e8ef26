// Popularity ranking without scores: the order of the items is sorted once, and each user walks it from the top,
// stepping over what is no candidate. O(entries of the user + k + steps) a user, instead of O(items).
#include "eval/popularity.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IS_EXCLUDED = 1, IS_RELEVANT = 2 };

// The lists of a part by user, whatever the rows of the matrices are.
struct lists_by_user {
	struct csr target, input, seen;
	bool owned;      // transposed here
	uint32_t *asked; // (asked_count) users with a target
	size_t asked_count;
};

struct walk {
	const struct lists_by_user *lists;
	const uint32_t *order; // (items) most train entries first, the lower index on ties
	const uint32_t *times; // (items) train entries
};

static int compare_descending(const void *a, const void *b) {
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y) - (x > y);
}

uint32_t *popularity_counts(const struct matrices *matrices, struct error *error) {
	const struct csr *train = &matrices->train;
	uint32_t *times = memory_array(matrices->items, sizeof(*times), "popularity", error);
	for (size_t row = 0; times && row < train->rows; row++)
		for (size_t i = train->start[row]; i < train->start[row + 1]; i++)
			times[matrices->items_as_rows ? row : train->column[i]]++;
	return times;
}

// Users with a train entry.
static size_t training_users(const struct matrices *matrices) {
	const struct csr *train = &matrices->train;
	size_t count = 0;
	uint8_t *seen = memory_alloc(matrices->users + 1);
	for (size_t row = 0; row < train->rows; row++)
		for (size_t i = train->start[row]; i < train->start[row + 1]; i++)
			seen[matrices->items_as_rows ? train->column[i] : row] = 1;
	for (size_t user = 0; user < matrices->users; user++)
		count += seen[user];
	free(seen);
	return count;
}

double *surprise_create(const struct matrices *matrices, struct error *error) {
	uint32_t *times = popularity_counts(matrices, error);
	double *surprise = times ? memory_array(matrices->items, sizeof(*surprise), "the novelty of items", error) : NULL;
	double users = surprise ? (double)training_users(matrices) : 0;
	users = users > 0 ? users : 1;
	for (size_t i = 0; surprise && i < matrices->items; i++)
		surprise[i] = -log2((times[i] > 0 ? (double)times[i] : 1) / users);
	free(times);
	return surprise;
}

// By whole numbers: a float does not hold every count.
static uint32_t *sort_items(const uint32_t *times, size_t items, struct error *error) {
	uint64_t *key = memory_array(items, sizeof(*key), "popularity", error);
	uint32_t *order = key ? memory_array(items, sizeof(*order), "popularity", error) : NULL;
	for (size_t i = 0; order && i < items; i++)
		key[i] = (uint64_t)times[i] << 32 | (uint32_t) ~(uint32_t)i;
	if (order)
		qsort(key, items, sizeof(*key), compare_descending);
	for (size_t i = 0; order && i < items; i++)
		order[i] = ~(uint32_t)key[i];
	free(key);
	return order;
}

static void lists_finish(struct lists_by_user *lists) {
	free(lists->asked);
	if (!lists->owned)
		return;
	csr_finish(&lists->target);
	csr_finish(&lists->input);
	csr_finish(&lists->seen);
}

// The users with a target, in order.
static bool find_asked(struct lists_by_user *lists, struct error *error) {
	const struct csr *target = &lists->target;
	lists->asked = memory_array(target->rows, sizeof(*lists->asked), "popularity", error);
	for (size_t user = 0; lists->asked && user < target->rows; user++)
		if (target->start[user + 1] > target->start[user])
			lists->asked[lists->asked_count++] = (uint32_t)user;
	return lists->asked;
}

static bool lists_init(struct lists_by_user *lists, const struct matrices *matrices, const struct part *part,
                       const struct part *valid_excluded, struct error *error) {
	const struct csr *seen = valid_excluded && valid_excluded->target.start ? &valid_excluded->target : NULL;
	*lists = (struct lists_by_user){.owned = matrices->items_as_rows};
	if (!lists->owned) {
		lists->target = part->target;
		lists->input = *part->input;
		if (seen)
			lists->seen = *seen;
	} else if (!csr_transpose(&part->target, &lists->target, error) ||
	           !csr_transpose(part->input, &lists->input, error) ||
	           (seen && !csr_transpose(seen, &lists->seen, error))) {
		return false;
	}
	return find_asked(lists, error);
}

static void set_marks(uint8_t *marks, const struct csr *csr, size_t user, uint8_t mark) {
	for (size_t i = csr->start[user]; i < csr->start[user + 1]; i++)
		marks[csr->column[i]] = mark;
}

// Marks the liked targets that are candidates, and returns their number.
static size_t mark_relevant(uint8_t *marks, const struct csr *target, size_t user) {
	size_t count = 0;
	for (size_t i = target->start[user]; i < target->start[user + 1]; i++) {
		uint8_t *mark = &marks[target->column[i]];
		if (!target->liked[i] || *mark == IS_EXCLUDED)
			continue;
		*mark = IS_RELEVANT;
		count++;
	}
	return count;
}

// As user_auc of the collector, in one walk over groups of equally popular items.
static double walk_auc(const struct walk *walk, const uint8_t *marks, size_t items, size_t relevant) {
	double twice = 0;
	size_t before = 0, others = 0; // relevant ones in the groups walked so far
	for (size_t i = 0; i < items;) {
		size_t first = i, here[2] = {0};
		for (; i < items && walk->times[walk->order[i]] == walk->times[walk->order[first]]; i++)
			if (marks[walk->order[i]] != IS_EXCLUDED)
				here[marks[walk->order[i]] == IS_RELEVANT]++;
		twice += (double)here[0] * (double)(2 * before + here[1]);
		before += here[1];
		others += here[0];
	}
	return others ? twice / (2.0 * (double)relevant * (double)others) : NAN;
}

static void walk_user(const void *context, struct ranker *ranker, size_t index, struct ranking *ret) {
	const struct walk *walk = context;
	const struct lists_by_user *lists = walk->lists;
	uint8_t *marks = ranker->mark;
	size_t user = lists->asked[index];
	set_marks(marks, &lists->input, user, IS_EXCLUDED);
	if (lists->seen.start)
		set_marks(marks, &lists->seen, user, IS_EXCLUDED);
	*ret = (struct ranking){.relevant = ranker->relevant, .item = ranker->best, .auc = NAN};
	ret->relevant_count = mark_relevant(marks, &lists->target, user);
	for (size_t i = 0; ret->relevant_count > 0 && i < ranker->items && ret->length < ranker->depth; i++) {
		uint8_t mark = marks[walk->order[i]];
		if (mark == IS_EXCLUDED)
			continue;
		ranker->best[ret->length] = walk->order[i];
		ranker->relevant[ret->length++] = mark == IS_RELEVANT;
	}
	if (ranker->wants_auc && ret->relevant_count > 0)
		ret->auc = walk_auc(walk, marks, ranker->items, ret->relevant_count);
	set_marks(marks, &lists->input, user, 0);
	set_marks(marks, &lists->target, user, 0);
	if (lists->seen.start)
		set_marks(marks, &lists->seen, user, 0);
}

bool popularity_collect(const struct matrices *matrices, const struct part *part, const struct part *valid_excluded,
                        struct ranking_collector *collector, struct error *error) {
	struct lists_by_user lists = {0};
	assert(part->target.liked);
	uint32_t *times = popularity_counts(matrices, error);
	uint32_t *order = times ? sort_items(times, matrices->items, error) : NULL;
	bool done = order && lists_init(&lists, matrices, part, valid_excluded, error);
	if (done)
		ranking_collector_add(collector, lists.asked_count, walk_user, &(struct walk){&lists, order, times});
	free(order);
	free(times);
	lists_finish(&lists);
	return done;
}
