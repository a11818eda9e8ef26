// Popularity ranking without scores: the order of the items is sorted once, and each user walks it from the top,
// stepping over what is no candidate. O(entries of the user + k + steps) a user, instead of O(items).
#include "eval/popularity.h"

#include "eval/topk.h"

#include <assert.h>
#include <stdlib.h>

enum { IS_EXCLUDED = 1, IS_RELEVANT = 2 };

struct walk {
	size_t items;
	uint32_t *order; // (items) most train entries first, the lower index on ties
	uint8_t *mark;   // (items) IS_*; all 0 between users
	uint8_t *places; // (depth) is the item at that place relevant
	size_t depth;
};

// The lists of a part by user, whatever the rows of the matrices are.
struct lists {
	struct csr target, input, seen;
	bool owned; // transposed here
};

static int compare_descending(const void *a, const void *b) {
	uint64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y) - (x > y);
}

// Not through topk_place: a float does not hold every count.
static bool sort_items(const struct matrices *matrices, uint32_t *order, struct error *error) {
	const struct csr *train = &matrices->train;
	uint64_t *key = memory_array(matrices->items, sizeof(*key), "popularity", error);
	if (!key)
		return false;
	for (size_t i = 0; i < matrices->items; i++)
		key[i] = (uint32_t) ~(uint32_t)i;
	for (size_t row = 0; row < train->rows; row++)
		for (size_t i = train->start[row]; i < train->start[row + 1]; i++)
			key[matrices->items_as_rows ? row : train->column[i]] += UINT64_C(1) << 32;
	qsort(key, matrices->items, sizeof(*key), compare_descending);
	for (size_t i = 0; i < matrices->items; i++)
		order[i] = topk_item(key[i]);
	free(key);
	return true;
}

static bool walk_init(struct walk *walk, const struct matrices *matrices, size_t depth, struct error *error) {
	*walk = (struct walk){.items = matrices->items, .depth = depth};
	walk->order = memory_array(walk->items, sizeof(*walk->order), "popularity", error);
	walk->mark = walk->order ? memory_array(walk->items, 1, "popularity", error) : NULL;
	walk->places = walk->mark ? memory_array(depth, 1, "popularity", error) : NULL;
	return walk->places && sort_items(matrices, walk->order, error);
}

static void walk_finish(struct walk *walk) {
	free(walk->order);
	free(walk->mark);
	free(walk->places);
}

static void lists_finish(struct lists *lists) {
	if (!lists->owned)
		return;
	csr_finish(&lists->target);
	csr_finish(&lists->input);
	csr_finish(&lists->seen);
}

static bool lists_init(struct lists *lists, const struct matrices *matrices, const struct part *part,
                       const struct part *valid_excluded, struct error *error) {
	const struct csr *seen = valid_excluded && valid_excluded->target.start ? &valid_excluded->target : NULL;
	*lists = (struct lists){.owned = matrices->items_as_rows};
	if (lists->owned)
		return csr_transpose(&part->target, &lists->target, error) &&
		       csr_transpose(part->input, &lists->input, error) && (!seen || csr_transpose(seen, &lists->seen, error));
	lists->target = part->target;
	lists->input = *part->input;
	if (seen)
		lists->seen = *seen;
	return true;
}

static void set_marks(struct walk *walk, const struct csr *csr, size_t user, uint8_t mark) {
	for (size_t i = csr->start[user]; i < csr->start[user + 1]; i++)
		walk->mark[csr->column[i]] = mark;
}

// Marks the liked targets that are candidates, and returns their number.
static size_t mark_relevant(struct walk *walk, const struct csr *target, size_t user) {
	size_t count = 0;
	for (size_t i = target->start[user]; i < target->start[user + 1]; i++) {
		uint8_t *mark = &walk->mark[target->column[i]];
		if (!target->liked[i] || *mark == IS_EXCLUDED)
			continue;
		*mark = IS_RELEVANT;
		count++;
	}
	return count;
}

static void walk_user(struct walk *walk, const struct lists *lists, size_t user, struct ranking *ret) {
	set_marks(walk, &lists->input, user, IS_EXCLUDED);
	if (lists->seen.start)
		set_marks(walk, &lists->seen, user, IS_EXCLUDED);
	*ret = (struct ranking){.relevant = walk->places, .relevant_count = mark_relevant(walk, &lists->target, user)};
	for (size_t i = 0; ret->relevant_count > 0 && i < walk->items && ret->length < walk->depth; i++) {
		uint8_t mark = walk->mark[walk->order[i]];
		if (mark != IS_EXCLUDED)
			walk->places[ret->length++] = mark == IS_RELEVANT;
	}
	set_marks(walk, &lists->input, user, 0);
	set_marks(walk, &lists->target, user, 0);
	if (lists->seen.start)
		set_marks(walk, &lists->seen, user, 0);
}

bool popularity_collect(const struct matrices *matrices, const struct part *part, const struct part *valid_excluded,
                        struct ranking_collector *collector, struct error *error) {
	struct lists lists = {0};
	struct walk walk;
	assert(part->target.liked);
	bool done = walk_init(&walk, matrices, ranking_collector_depth(collector), error) &&
	            lists_init(&lists, matrices, part, valid_excluded, error);
	for (size_t user = 0; done && user < matrices->users; user++) {
		struct ranking ranking;
		if (lists.target.start[user] == lists.target.start[user + 1])
			continue;
		walk_user(&walk, &lists, user, &ranking);
		ranking_collector_add_ranking(collector, &ranking);
	}
	walk_finish(&walk);
	lists_finish(&lists);
	return done;
}
