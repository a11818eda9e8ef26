// See order.h.
#include "train/order.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

size_t order_rows_in_use(const struct csr *csr) {
	size_t count = 0;
	for (size_t i = 0; i < csr->rows; i++)
		count += csr->start[i + 1] > csr->start[i];
	return count;
}

enum { KEYS_AT_ONCE = 4096 };
struct drawing {
	struct order *order;
	uint32_t epoch;
};

static void draw_keys(void *context, size_t block) {
	const struct drawing *d = context;
	struct order *order = d->order;
	size_t first = block * KEYS_AT_ONCE, left = order->count - first;
	for (size_t i = first; i < first + (left < KEYS_AT_ONCE ? left : KEYS_AT_ONCE); i++) {
		order->place[i] = order->rows[i];
		order->key[i] = random_u32(order->stream, d->epoch, order->rows[i], 0);
	}
}

// Sorts rows by a 32-bit draw each, rows of equal draws in their own order: a radix sort is stable.
void order_shuffle(struct order *order, uint32_t epoch, struct pool *pool) {
	enum { BITS = 11, BINS = 1 << BITS, PASSES = 3 };
	pool_run(pool, (order->count + KEYS_AT_ONCE - 1) / KEYS_AT_ONCE, draw_keys, &(struct drawing){order, epoch});
	for (unsigned pass = 0; pass < PASSES; pass++) {
		size_t bins[BINS + 1] = {0};
		for (size_t i = 0; i < order->count; i++)
			bins[(order->key[i] >> (pass * BITS) & (BINS - 1)) + 1]++;
		for (size_t b = 0; b < BINS; b++)
			bins[b + 1] += bins[b];
		for (size_t i = 0; i < order->count; i++) {
			size_t to = bins[order->key[i] >> (pass * BITS) & (BINS - 1)]++;
			order->spare_key[to] = order->key[i];
			order->spare_place[to] = order->place[i];
		}
		uint32_t *key = order->key, *place = order->place;
		order->key = order->spare_key;
		order->place = order->spare_place;
		order->spare_key = key;
		order->spare_place = place;
	}
}

bool order_create(const struct csr *target, uint64_t seed, struct order *ret, struct error *error) {
	*ret = (struct order){.count = order_rows_in_use(target), .stream = random_stream_make(seed, "order", "")};
	uint32_t **arrays[] = {&ret->rows, &ret->place, &ret->spare_place, &ret->key, &ret->spare_key};
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		if (!(*arrays[i] = memory_array(ret->count, sizeof(uint32_t), "the order of rows", error)))
			return false;
	size_t filled = 0;
	for (size_t i = 0; i < target->rows; i++)
		if (target->start[i + 1] > target->start[i])
			ret->rows[filled++] = (uint32_t)i;
	memcpy(ret->place, ret->rows, filled * sizeof(uint32_t));
	return true;
}

void order_finish(struct order *order) {
	free(order->rows);
	free(order->place);
	free(order->spare_place);
	free(order->key);
	free(order->spare_key);
}
