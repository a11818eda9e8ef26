// A batch in the memory of a device that has memory of its own: what the host has gathered goes there in one copy, to
// the same places for every batch. Lists that are one on the host are one there.
#ifndef AEXP_NN_RESIDENT_H
#define AEXP_NN_RESIDENT_H

#include "nn/batch.h"
#include "nn/graph.h"

struct resident_room {
	size_t rows, cells, rating_entries, feature_entries; // of a batch, at most
};

struct resident {
	const struct graph *graph;
	struct resident_room room;
	struct batch batch; // the one that was uploaded last: arrays are the device's, numbers the host's
	char *memory;       // of the device: the batch's arrays
	char *staging;      // of the host: the same, on their way
	size_t used;        // bytes
	uint32_t *slot[TOUCHED_KINDS], *stamp[TOUCHED_KINDS]; // of the device; see struct transposed. NULL: nothing asks
	uint32_t number;
};

void resident_init(struct resident *resident, const struct graph *graph, const struct resident_room *room);
void resident_finish(struct resident *resident);
size_t resident_bytes(const struct resident *resident);         // of the device's memory that it needs
void resident_lay_out(struct resident *resident, void *memory); // memory NULL while sizes are counted
// transposed: with the batch's transposed patterns. The result stands until the next call.
const struct batch *resident_upload(struct resident *resident, const struct backend *backend, struct device *device,
                                    const struct batch *batch, bool transposed);

#endif
