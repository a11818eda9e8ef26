// The k best of a row of scores, without sorting the rest. Order: higher score first, the lower item index on ties, NaN
// after everything else; -0 and +0 are equal.
//
// Scores become integer keys once; a threshold that at least k of them reach is found by bisection; what reaches it,
// little more than k, is copied out and ordered. O(items + a little that grows with k), no allocation.
#ifndef AEXP_EVAL_TOPK_H
#define AEXP_EVAL_TOPK_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct topk_kernels;

// Memory for one row at a time; one for each thread.
struct topk {
	const struct topk_kernels *kernels;
	size_t items, k_most;
	size_t count;       // of the row at hand: items, or fewer
	int32_t *keys;      // (items, padded) of the row at hand
	int32_t *maxima;    // (groups, padded)
	uint32_t *item;     // (items, padded) what reached the threshold,
	int32_t *item_key;  // (items, padded) and its keys
	uint32_t *before;   // (a chunk) how many come before
	uint64_t *place[2]; // (k_most and some): sorting
};

// Rows of `items` scores (at most 2^31), up to k_most of them wanted. ERROR_RUN when memory is out. topk_finish accepts
// what is zeroed or half made.
bool topk_init(struct topk *topk, size_t items, size_t k_most, struct error *error);
void topk_finish(struct topk *topk);

// A row: its scores (items) first, then what is no candidate (any order, each < items), then the choice.
void topk_begin(struct topk *topk, const float *scores);
void topk_begin_some(struct topk *topk, const float *scores, size_t count); // of the first `count` items alone
void topk_exclude(struct topk *topk, const uint32_t *items, size_t count);
bool topk_is_candidate(const struct topk *topk, uint32_t item);
// The first k candidates, best first; k at most k_most. Returns how many: min(k, candidates).
size_t topk_take(struct topk *topk, size_t k, uint32_t *ret_items);
// A score that at least k candidates reach, hardly more; false where there are fewer than k, or numbers among them.
bool topk_least(struct topk *topk, size_t k, float *ret);
// All that reach a score which the first k reach, hardly more than those and at most 2 k, ascending by item; all
// candidates where there are fewer than k. ret_items: (2 k).
size_t topk_pick(struct topk *topk, size_t k, uint32_t *ret_items);

#endif
