// The order of rows in an epoch: a new one each time, a function of the seed and the epoch alone.
#ifndef AEXP_TRAIN_ORDER_H
#define AEXP_TRAIN_ORDER_H

#include "base/pool.h"
#include "base/random.h"
#include "data/csr.h"

struct order {
	uint32_t *rows, *place, *spare_place; // (count)
	uint32_t *key, *spare_key;            // (count)
	size_t count;
	struct random_stream stream;
};

size_t order_rows_in_use(const struct csr *target); // rows that have an entry
// All rows with targets, in the order of the data. order_finish also after a failure.
bool order_create(const struct csr *target, uint64_t seed, struct order *ret, struct error *error);
// Sorts them by a draw for each: order->place.
void order_shuffle(struct order *order, uint32_t epoch, struct pool *pool);
void order_finish(struct order *order);

#endif
