// A batch of rows, gathered from the data's matrices: sparse inputs, sparse targets, and their transposed patterns.
#ifndef AEXP_NN_BATCH_H
#define AEXP_NN_BATCH_H

#include "data/csr.h"
#include "nn/negatives.h"
#include "tensor/backend.h"

// Where rows come from. features and target may be NULL. packed: the same ratings and features once more, the ratings
// being the target too; or NULL. trained: (rows) where the rows' own ids are read, whether each takes part in training;
// or NULL. no_lists: batches of it are never transposed, because a device does that.
struct batch_source {
	const struct csr *ratings, *features, *target;
	const struct packed *packed;
	const struct negatives *negatives; // that join the target; NULL: none
	const uint8_t *trained;
	bool no_lists;
};

struct batch {
	size_t rows;
	const uint32_t *row; // (rows): places in the data, in the batch's own order
	struct sparse ratings, user, target;
	struct sparse self; // one entry a row: its place in the data, with value 1, or 0 where it is not trained
	struct transposed by_rating, by_feature, by_target, by_self; // after batch_transpose
	// what ratings or targets touch, without entries, and the places there of what each of them touches; NULL: the same
	struct transposed by_both;
	const uint32_t *both_rating, *both_target;
	// gathered on a device: there, the rows' places in its store (nn/store.h), and of the patterns the host has `start`
	// alone; NULL: the host has it all
	const uint32_t *place;
	uint32_t refed; // 0: rows of the data; else how often the outputs for them have been made rows: noise is drawn anew
	struct batch_memory *memory;
};

// Room for batches of up to `rows` rows of any of the sources. Sources' shapes must agree.
bool batch_create(const struct batch_source *sources, size_t sources_count, size_t rows, struct batch *ret,
                  struct error *error);
bool batch_create_like(const struct batch *batch, struct batch *ret, struct error *error); // another one
// Room for batch_refeed with batches of up to `rows` rows of that source.
bool batch_create_full(const struct batch_source *source, size_t rows, struct batch *ret, struct error *error);
// Room for batch_count with batches of up to `rows` rows.
bool batch_create_counts(size_t rows, struct batch *ret, struct error *error);
void batch_destroy(struct batch *batch);
// The most entries that a batch can hold.
size_t batch_cells_most(const struct batch *batch);
size_t batch_rating_entries_most(const struct batch *batch);
size_t batch_feature_entries_most(const struct batch *batch);

// What batches of up to `rows` rows of these sources will take, before there are any.
struct batch_measure {
	size_t cells, rating_entries, feature_entries; // the most that one can hold
	double bytes;                                  // of one
};
void batch_measure(const struct batch_source *sources, size_t sources_count, size_t rows, struct batch_measure *ret);
// Of one as batch_create_full and batch_create_counts make.
void batch_measure_full(const struct batch_source *source, size_t rows, struct batch_measure *ret);
void batch_measure_counts(size_t rows, struct batch_measure *ret);

// Short rows that are read from a packed source are put into another order, by their number of ratings.
void batch_gather(struct batch *batch, const struct batch_source *source, const uint32_t *row, size_t rows);
// That order, for those who gather rows elsewhere: of a batch's rows, in place. The batch only lends its memory.
void batch_sort_rows(struct batch *batch, const struct csr *ratings, uint32_t *row, size_t rows);
// Only how many entries the rows have: for a batch that a device gathers, at `place`, from ratings that are the target.
void batch_count(struct batch *batch, const struct batch_source *source, const uint32_t *row, const uint32_t *place,
                 size_t rows);
void batch_transpose(struct batch *batch); // what training needs on top
// Both in parts that take about as long as each other: 0 ... BATCH_PARTS - 1, one after the other, by any threads.
enum { BATCH_PARTS = 4 };
void batch_make_part(struct batch *batch, const struct batch_source *source, const uint32_t *row, size_t rows,
                     size_t part);
// The rows of another batch with the outputs that a network has for them, (rows, columns), in place of their ratings:
// every column is stored, as input and as target. Features and the rows' own places stay. Transposed already.
void batch_refeed(struct batch *batch, const struct batch *from, const struct matrix *outputs);

#endif
