// The order of rows in an epoch: a new one each time, a function of the seed and the epoch alone.
#ifndef AEXP_TRAIN_ORDER_H
#define AEXP_TRAIN_ORDER_H

#include "base/pool.h"
#include "base/random.h"
#include "data/csr.h"

struct order {
	uint32_t *rows, *place; // (count) ascending; as drawn
	uint64_t *draw, *spare; // (count)
	uint32_t *bins;         // (blocks, buckets) of order.c
	size_t count;
	struct random_stream stream;
};
enum { ORDER_ROW_BYTES = 24 }; // that it takes of each row, but for some hundred KiB

size_t order_rows_in_use(const struct csr *target); // rows that have an entry
// All rows with targets, in the order of the data. order_finish also after a failure.
bool order_create(const struct csr *target, uint64_t seed, struct order *ret, struct error *error);
// Sorts them by a 32-bit draw for each, rows of equal draws in their own order: order->place.
void order_shuffle(struct order *order, uint32_t epoch, struct pool *pool);
void order_finish(struct order *order);

#endif
