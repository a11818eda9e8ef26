// What the kinds of split share: keys that put ratings in an order, the first so many in that order (radix selection:
// linear, and no sorting of the whole), and the ratings of one user in that order.
#include "data/split.h"

#include "base/pool.h"
#include "base/random.h"
#include "data/big_array.h"

#include <math.h>
#include <stdlib.h>

enum { KEYS_BLOCK = 1 << 14 }; // ratings whose keys one thread makes at a time

struct random_keys {
	const struct dataset *dataset;
	struct random_stream stream;
	uint64_t *key; // (dataset->count)
};

static void make_keys(void *context, size_t block) {
	const struct random_keys *keys = context;
	const struct dataset *dataset = keys->dataset;
	size_t start = block * KEYS_BLOCK, left = dataset->count - start;
	random_u64_pairs(keys->stream, 0, dataset->user + start, dataset->item + start,
	                 left < KEYS_BLOCK ? left : KEYS_BLOCK, keys->key + start);
}

uint64_t *split_random_keys(const struct dataset *dataset, uint64_t seed, struct error *error) {
	struct random_keys keys = {
	    .dataset = dataset,
	    .stream = random_stream_make(seed, "split", ""),
	    .key = big_array(dataset->count, sizeof *keys.key, "keys of the split", error),
	};
	if (keys.key) {
		pool_run(dataset->pool, dataset->count / KEYS_BLOCK + 1, make_keys, &keys);
	}
	return keys.key;
}

uint64_t *split_time_keys(const struct dataset *dataset, struct error *error) {
	if (!dataset->time) {
		error_set(error, ERROR_DATA, "a split by time needs times, and the data has none");
		error_hint(error, "Name the column of the times in data.source.columns, or choose another data.split.");
		return NULL;
	}
	uint64_t *key = memory_array(dataset->count, sizeof *key, "keys of the split", error);
	for (size_t i = 0; key && i < dataset->count; i++) {
		key[i] = (uint64_t)dataset->time[i] ^ (UINT64_C(1) << 63); // two's complement to ascending unsigned
	}
	return key;
}

size_t split_count(const struct split_ranking *ranking, uint8_t part) {
	size_t count = 0;
	for (size_t i = 0; i < ranking->count; i++) {
		count += ranking->part[i] == part;
	}
	return count;
}

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

// The things that may still be at the rank that is looked for: all of the ranking, or, once they are few, a list.
struct search {
	const struct split_ranking *ranking;
	uint8_t from;
	uint64_t key, known; // the digits of the key that are found, and their bits
	size_t rank;         // among those that have them
	uint32_t *list;      // (count) places; NULL: all that are there
	size_t count;
	size_t *histogram; // (DIGITS)
};

static inline size_t search_place(const struct search *search, size_t i) {
	return search->list ? search->list[i] : i;
}

static inline bool search_has(const struct search *search, size_t at) {
	return search->ranking->part[at] == search->from && (search->ranking->key[at] & search->known) == search->key;
}

// Finds one more digit: that at which `rank` of those with the known digits are reached; takes from rank those with a
// smaller one. Returns how many have it.
static size_t narrow(struct search *search, int shift) {
	for (size_t d = 0; d < DIGITS; d++) {
		search->histogram[d] = 0;
	}
	for (size_t i = 0; i < search->count; i++) {
		size_t at = search_place(search, i);
		if (search_has(search, at)) {
			search->histogram[(search->ranking->key[at] >> shift) & (DIGITS - 1)]++;
		}
	}
	uint64_t digit = 0;
	for (; search->histogram[digit] < search->rank; digit++) {
		search->rank -= search->histogram[digit];
	}
	search->key |= digit << shift;
	search->known = UINT64_MAX << shift;
	return search->histogram[digit];
}

enum { LIST_SHARE = 8 }; // of the things, one in so many: fewer are listed

// Lists those that are left. Without memory for that the search goes on over all.
static void list_left(struct search *search, size_t left) {
	size_t used = 0;
	if (search->list || left > search->count / LIST_SHARE || search->count > UINT32_MAX) {
		return;
	}
	uint32_t *list = malloc((left + 1) * sizeof *list);
	for (size_t i = 0; list && i < search->count; i++) {
		list[used] = (uint32_t)i; // the one behind the last is written and not counted
		used += search_has(search, i);
	}
	search->count = list ? used : search->count;
	search->list = list;
}

struct tie {
	uint64_t pair; // user, item
	size_t at;
};

static int compare_ties(const void *left, const void *right) {
	const struct tie *a = left, *b = right;
	if (a->pair != b->pair) {
		return a->pair < b->pair ? -1 : 1;
	}
	return (a->at > b->at) - (a->at < b->at);
}

// Of the things with just this key, moves the `rank` first by (user, item), or by place.
static bool take_ties(const struct search *search, uint8_t to, struct error *error) {
	const struct split_ranking *ranking = search->ranking;
	size_t count = 0, n = 0;
	for (size_t i = 0; i < search->count; i++) {
		count += search_has(search, search_place(search, i));
	}
	struct tie *ties = memory_array(count, sizeof *ties, "ratings of one key", error);
	if (!ties) {
		return false;
	}
	for (size_t i = 0; i < search->count; i++) {
		size_t at = search_place(search, i);
		if (search_has(search, at)) {
			ties[n++] = (struct tie){ranking->user ? (uint64_t)ranking->user[at] << 32 | ranking->item[at] : 0, at};
		}
	}
	if (search->rank < count) {
		qsort(ties, count, sizeof *ties, compare_ties);
	}
	for (size_t i = 0; i < search->rank; i++) {
		ranking->part[ties[i].at] = to;
	}
	free(ties);
	return true;
}

bool split_take(const struct split_ranking *ranking, size_t wanted, uint8_t from, uint8_t to, struct error *error) {
	size_t available = split_count(ranking, from);
	struct search search = {
	    .ranking = ranking, .from = from, .rank = wanted < available ? wanted : available, .count = ranking->count};
	if (search.rank == 0) {
		return true;
	}
	search.histogram = memory_array(DIGITS, sizeof *search.histogram, "histogram of keys", error);
	if (!search.histogram) {
		return false;
	}
	for (int shift = 64 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
		list_left(&search, narrow(&search, shift));
	}
	free(search.histogram);
	bool taken = take_ties(&search, to, error);
	free(search.list);
	for (size_t i = 0; taken && i < ranking->count; i++) {
		uint8_t part = ranking->part[i];
		ranking->part[i] = ((part == from) & (ranking->key[i] < search.key)) ? to : part;
	}
	return taken;
}

bool split_draw(const struct dataset *dataset, uint64_t seed, double share, uint8_t from, uint8_t to, uint8_t *part,
                struct error *error) {
	uint64_t *key = split_random_keys(dataset, seed, error);
	if (!key) {
		return false;
	}
	struct split_ranking ranking = {dataset->count, key, dataset->user, dataset->item, part};
	size_t wanted = (size_t)llround(share * (double)split_count(&ranking, from));
	bool done = split_take(&ranking, wanted, from, to, error);
	free(key);
	return done;
}

// The ratings of part PART_TRAIN by user: the bounds and the places.
struct by_user {
	size_t *start;    // (users + 1)
	uint32_t *rating; // (start[users])
	size_t most;      // ratings of one user
};

static void by_user_finish(struct by_user *by) {
	free(by->start);
	free(by->rating);
}

// From the number of each user's ratings in start[user].
static void by_user_fill(const struct assignment *assignment, struct by_user *by) {
	const struct dataset *dataset = assignment->dataset;
	size_t total = 0;
	for (size_t user = 0; user < dataset->users.count; user++) {
		by->most = by->start[user] > by->most ? by->start[user] : by->most;
		by->start[user] = total += by->start[user];
	}
	by->start[dataset->users.count] = total;
	// From behind: each bound comes down from the end of its user to the beginning.
	for (size_t i = dataset->count; i-- > 0;) {
		if (assignment->part[i] == PART_TRAIN) {
			by->rating[--by->start[dataset->user[i]]] = (uint32_t)i;
		}
	}
}

static bool by_user_init(const struct assignment *assignment, struct by_user *by, struct error *error) {
	const struct dataset *dataset = assignment->dataset;
	*by = (struct by_user){0};
	if (dataset->count > UINT32_MAX) {
		return error_set(error, ERROR_DATA, "\"%zu\" ratings are more than a split by user can hold, which is %u",
		                 dataset->count, UINT32_MAX);
	}
	by->start = memory_array(dataset->users.count + 1, sizeof *by->start, "bounds of users", error);
	by->rating = by->start ? memory_array(dataset->count, sizeof *by->rating, "ratings by user", error) : NULL;
	if (!by->rating) {
		by_user_finish(by);
		return false;
	}
	for (size_t i = 0; i < dataset->count; i++) {
		by->start[dataset->user[i]] += assignment->part[i] == PART_TRAIN;
	}
	by_user_fill(assignment, by);
	return true;
}

struct place {
	uint64_t key;
	uint32_t item, rating;
};

static int compare_places(const void *left, const void *right) {
	const struct place *a = left, *b = right;
	if (a->key != b->key) {
		return a->key < b->key ? -1 : 1;
	}
	return (a->item > b->item) - (a->item < b->item);
}

static void sort_user(const struct dataset *dataset, const uint64_t *key, uint32_t *rating, size_t count,
                      struct place *places) {
	for (size_t i = 0; i < count; i++) {
		places[i] = (struct place){key[rating[i]], dataset->item[rating[i]], rating[i]};
	}
	qsort(places, count, sizeof *places, compare_places);
	for (size_t i = 0; i < count; i++) {
		rating[i] = places[i].rating;
	}
}

bool split_each_user(struct assignment *assignment, const uint64_t *key,
                     void (*visit)(const void *params, const struct split_user *user, struct assignment *assignment),
                     const void *params, struct error *error) {
	const struct dataset *dataset = assignment->dataset;
	struct by_user by;
	if (!by_user_init(assignment, &by, error)) {
		return false;
	}
	struct place *places = memory_array(by.most, sizeof *places, "ratings of one user", error);
	for (size_t user = 0; places && user < dataset->users.count; user++) {
		uint32_t *rating = by.rating + by.start[user];
		size_t count = by.start[user + 1] - by.start[user];
		if (count > 1) {
			sort_user(dataset, key, rating, count, places);
		}
		if (count > 0) {
			struct split_user found = {(uint32_t)user, count, rating};
			visit(params, &found, assignment);
		}
	}
	bool done = places != NULL;
	free(places);
	by_user_finish(&by);
	return done;
}
