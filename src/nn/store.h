// The data's rows in memory of a device, from which it gathers batches by itself: ratings, side information and the
// rows' own ids, four bytes an entry where packed.h can pack them and eight where it cannot; and the order of an epoch.
#ifndef AEXP_NN_STORE_H
#define AEXP_NN_STORE_H

#include "nn/batch.h"

struct store {
	const struct backend *backend;
	struct device *device;
	struct data_rows ratings, features, self; // start NULL: there are none
	uint32_t *order;                          // (order_most) places of rows in the data
	char *memory;
	size_t used;
};

// Whether batches of such a source can be gathered from one: its target is the ratings themselves, without negatives.
bool store_can(const struct batch_source *source);
// Bytes of the device's memory. coded: packed.h can pack the source's rows (packed_can).
size_t store_bytes(const struct batch_source *source, bool coded, size_t order_most);
// source->packed: where they are packed already. store_destroy also after a failure.
bool store_create(const struct backend *backend, struct device *device, const struct batch_source *source,
                  size_t order_most, struct store *ret, struct error *error);
void store_destroy(struct store *store); // accepts what is zeroed
// Of an epoch that begins: the device has done with the one before.
void store_order(struct store *store, const uint32_t *place, size_t count);

#endif
