// The k best of a row of scores, without sorting the rest. Order: higher score first, the lower item index on ties, NaN
// after everything else; -0 and +0 are equal.
#ifndef AEXP_EVAL_TOPK_H
#define AEXP_EVAL_TOPK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// An unsigned integer that orders like the score: 0 for NaN, then -inf ... inf.
static inline uint32_t topk_key(float score) {
	uint32_t bits;
	if (score != score)
		return 0;
	if (score == 0)
		score = 0; // -0 becomes +0
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 31 ? ~bits : bits | UINT32_C(0x80000000);
}

// A candidate as one integer, the better the larger: the score's key above the inverted item index.
static inline uint64_t topk_place(float score, uint32_t item) {
	return (uint64_t)topk_key(score) << 32 | (uint32_t)~item;
}
static inline uint32_t topk_item(uint64_t place) {
	return ~(uint32_t)place;
}

// Chooses the first k of the items [0, items) that are not in `excluded` (ascending, each < items), best first, into
// ret_places (room for min(k, items)); topk_item gives an entry's item. Returns how many: min(k, candidates). items at
// most 2^32 - 1. A bounded heap: O(items + excluded_count + entries * log k), no allocation.
size_t topk_select(const float *scores, size_t items, const uint32_t *excluded, size_t excluded_count, size_t k,
                   uint64_t *ret_places);

#endif
