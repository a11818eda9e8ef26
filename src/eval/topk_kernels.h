// The loops of top-k. topk_kernels.c is compiled once for each instruction set and exports one table each; topk.c
// chooses one at run time. All give the same numbers: they are whole numbers throughout.
#ifndef AEXP_EVAL_TOPK_KERNELS_H
#define AEXP_EVAL_TOPK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Lists of keys are padded with TOPK_EXCLUDED to a multiple of this, and begin on a cache line.
enum { TOPK_BLOCK = 64 };
// Every score's key is above: NaN has TOPK_NAN, -inf and all others more.
#define TOPK_EXCLUDED INT32_MIN
#define TOPK_NAN (INT32_MIN + 1)

static inline size_t topk_padded(size_t count) {
	return (count + TOPK_BLOCK - 1) / TOPK_BLOCK * TOPK_BLOCK;
}

// What grows while scores are looked through, places ascending; written up to TOPK_BLOCK behind its end.
struct topk_list {
	uint32_t *item; // (room)
	float *value;   // (room)
	size_t count, room;
	const uint32_t *out, *out_end; // places that are left out, ascending: those that are still to come
};

struct topk_kernels {
	const char *name;
	// Keys that order like the scores, as signed numbers. Leaves the padding alone.
	void (*make_keys)(const float *scores, size_t count, int32_t *ret_keys);
	// ret[g] = the largest of keys[g], keys[g + groups], ...; count and groups are multiples of TOPK_BLOCK.
	void (*group_maxima)(const int32_t *keys, size_t count, size_t groups, int32_t *ret);
	// The smallest and the largest above TOPK_NAN, and how many are; of none, what the two are says nothing. count is a
	// multiple of TOPK_BLOCK.
	size_t (*extremes)(const int32_t *keys, size_t count, int32_t *ret_smallest, int32_t *ret_largest);
	// How many are >= least. count is a multiple of TOPK_BLOCK.
	size_t (*count_from)(const int32_t *keys, size_t count, int32_t least);
	// The places with a key >= least, ascending, and their keys; returns their number. count is a multiple of
	// TOPK_BLOCK.
	size_t (*collect)(const int32_t *keys, size_t count, int32_t least, uint32_t *ret_place, int32_t *ret_key);
	// Appends the scores that are above, and their places after `first`, less what is left out, block by block of
	// TOPK_BLOCK while the list has room for a block more; returns how many scores were looked at. scores_count is a
	// multiple of TOPK_BLOCK. NaN is above nothing.
	size_t (*append_above)(const float *scores, size_t scores_count, float below, uint32_t first,
	                       struct topk_list *list);
	// How many scores come before the one at `place`, which is a number: the larger ones, and the equal ones at lower
	// places.
	size_t (*before_place)(const float *scores, size_t count, size_t place);
	// ret[i] = how many of the keys come before key i: the larger ones, and the equal ones at lower places. The padding
	// is read, and ret is written up to it.
	void (*count_before)(const int32_t *keys, size_t count, uint32_t *ret);
};

extern const struct topk_kernels topk_kernels_baseline;
#if defined(__x86_64__)
extern const struct topk_kernels topk_kernels_avx2, topk_kernels_avx512;
#endif
const struct topk_kernels *topk_kernels_choose(void); // the best that this processor has

#endif
