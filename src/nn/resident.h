// Batches in the memory of a device that has memory of its own. They come there in one of three ways: gathered from the
// data's rows that lie there (store.h); several at a time in blocks, of which one is on its way while the device is at
// the other; or alone. Their patterns by columns are made there.
#ifndef AEXP_NN_RESIDENT_H
#define AEXP_NN_RESIDENT_H

#include "nn/batch.h"
#include "nn/graph.h"

struct store;

struct resident_room {
	size_t rows, cells, rating_entries, feature_entries; // of a batch, at most
	size_t block_bytes; // of each of two blocks of batches; 0: there are none, and they come alone
	bool lists;         // their patterns by columns will be asked for
};

enum resident_list { LIST_RATINGS, LIST_FEATURES, LIST_TARGETS, LIST_SELF, LIST_BOTH, LISTS };

struct resident {
	const struct graph *graph;
	struct resident_room room;
	const struct store *store; // of batches with places; may be NULL
	struct batch batch;        // the one that was chosen last: arrays are the device's, numbers the host's
	struct batch *brought;     // (brought_count) those of the last call of resident_bring
	size_t brought_count, brought_room;
	// of the device
	char *memory;                               // a batch that comes alone, or is gathered
	char *block[2];                             // (room.block_bytes)
	struct transposed_room list[LISTS];         // of the batch at hand
	uint32_t *both_rating, *both_target, *work; // see struct batch; for transposing
	// of the host
	char *staging; // what is on its way
	int half;      // block that comes next
	uint32_t number;
};

void resident_init(struct resident *resident, const struct graph *graph, const struct resident_room *room);
void resident_finish(struct resident *resident);
size_t resident_bytes(const struct resident *resident);         // of the device's memory that it needs
void resident_lay_out(struct resident *resident, void *memory); // memory NULL while sizes are counted
// The most that a batch of such sizes takes of a block.
size_t resident_upload_bytes(const struct graph *graph, const struct resident_room *room);

// Brings some of the batches, at least one, and returns how many: nothing that was brought before is asked for any
// more.
size_t resident_bring(struct resident *resident, const struct backend *backend, struct device *device,
                      const struct batch *batches, size_t count);
// One of those that were brought, which stands until the next call; then, as often as may be, what the device makes of
// it: gathered rows, and patterns by columns. batch: the host's, for its numbers.
void resident_choose(struct resident *resident, size_t index);
const struct batch *resident_make(struct resident *resident, const struct backend *backend, struct device *device,
                                  const struct batch *batch, bool transposed);

#endif
