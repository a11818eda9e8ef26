// What training reads of the data, a row's ratings and side information side by side, four bytes an entry: batches take
// rows from all over the data, so that what counts is how many cache lines a row lies in.
#ifndef AEXP_NN_PACKED_H
#define AEXP_NN_PACKED_H

#include "data/csr.h"
#include "tensor/backend.h"

// A row: one word of counts, then its ratings, then its features; an entry is a column and the code of a value.
struct packed {
	uint32_t *start;                     // (rows + 1): first word of each row
	uint32_t *words;                     // (start[rows] + PACKED_BLOCK): rows may be read by blocks, past their end
	float *rating_value, *feature_value; // (PACKED_VALUES) by code
	bool short_rows;                     // a few ratings each: what a loop over a row takes is how it begins and ends
};
enum { PACKED_COLUMN_BITS = ENTRY_COLUMN_BITS, PACKED_VALUES = 256, PACKED_RATINGS_BITS = 20, PACKED_BLOCK = 4 };

// features may be NULL. *ret stays empty (start NULL) where the data does not fit: more than 256 different values, 2^24
// columns, 2^20 ratings or 4,096 features of a row, or 2^32 words. False when memory is out.
bool packed_create(const struct csr *ratings, const struct csr *features, struct packed *ret, struct error *error);
// Whether it does.
bool packed_can(const struct csr *ratings, const struct csr *features);
void packed_finish(struct packed *packed);

static inline uint32_t packed_ratings(uint32_t counts) {
	return counts & ((1u << PACKED_RATINGS_BITS) - 1);
}
static inline uint32_t packed_features(uint32_t counts) {
	return counts >> PACKED_RATINGS_BITS;
}
static inline uint32_t packed_column(uint32_t entry) {
	return entry_column(entry);
}
static inline uint32_t packed_code(uint32_t entry) {
	return entry_code(entry);
}

#endif
