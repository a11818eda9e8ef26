// What the kinds of split share: keys that put ratings in an order, the first so many in that order (radix selection:
// linear, and no sorting of the whole), and the ratings of one user in that order.
#include "data/split.h"

#include "base/random.h"

#include <math.h>
#include <stdlib.h>

uint64_t *split_random_keys(const struct dataset *dataset, uint64_t seed, struct error *error) {
	uint64_t *key = memory_array(dataset->count, sizeof *key, "keys of the split", error);
	struct random_stream stream = random_stream_make(seed, "split", "");
	for (size_t i = 0; key && i < dataset->count; i++) {
		key[i] = random_u64(stream, 0, dataset->user[i], dataset->item[i]);
	}
	return key;
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

// Narrows *key by one digit: of the things whose key has the known high digits, finds the digit at which `*rank` of
// them are reached, and takes from *rank those with a smaller one.
static void narrow(const struct split_ranking *ranking, uint8_t from, int shift, uint64_t *key, size_t *rank,
                   size_t *histogram) {
	uint64_t known = shift + DIGIT_BITS < 64 ? UINT64_MAX << (shift + DIGIT_BITS) : 0;
	for (size_t d = 0; d < DIGITS; d++) {
		histogram[d] = 0;
	}
	for (size_t i = 0; i < ranking->count; i++) {
		if (ranking->part[i] == from && (ranking->key[i] & known) == *key) {
			histogram[(ranking->key[i] >> shift) & (DIGITS - 1)]++;
		}
	}
	uint64_t digit = 0;
	for (; histogram[digit] < *rank; digit++) {
		*rank -= histogram[digit];
	}
	*key |= digit << shift;
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

// Of the things of part `from` with just this key, moves the `wanted` first by (user, item), or by place.
static bool take_ties(const struct split_ranking *ranking, uint64_t key, size_t wanted, uint8_t from, uint8_t to,
                      struct error *error) {
	size_t count = 0, n = 0;
	for (size_t i = 0; i < ranking->count; i++) {
		count += ranking->part[i] == from && ranking->key[i] == key;
	}
	struct tie *ties = memory_array(count, sizeof *ties, "ratings of one key", error);
	if (!ties) {
		return false;
	}
	for (size_t i = 0; i < ranking->count; i++) {
		if (ranking->part[i] == from && ranking->key[i] == key) {
			ties[n++] = (struct tie){ranking->user ? (uint64_t)ranking->user[i] << 32 | ranking->item[i] : 0, i};
		}
	}
	if (wanted < count) {
		qsort(ties, count, sizeof *ties, compare_ties);
	}
	for (size_t i = 0; i < wanted; i++) {
		ranking->part[ties[i].at] = to;
	}
	free(ties);
	return true;
}

bool split_take(const struct split_ranking *ranking, size_t wanted, uint8_t from, uint8_t to, struct error *error) {
	size_t available = split_count(ranking, from);
	size_t rank = wanted < available ? wanted : available;
	if (rank == 0) {
		return true;
	}
	size_t *histogram = memory_array(DIGITS, sizeof *histogram, "histogram of keys", error);
	if (!histogram) {
		return false;
	}
	uint64_t key = 0;
	for (int shift = 64 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
		narrow(ranking, from, shift, &key, &rank, histogram);
	}
	free(histogram);
	if (!take_ties(ranking, key, rank, from, to, error)) {
		return false;
	}
	for (size_t i = 0; i < ranking->count; i++) {
		if (ranking->part[i] == from && ranking->key[i] < key) {
			ranking->part[i] = to;
		}
	}
	return true;
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
