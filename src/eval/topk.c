// See topk.h. The threshold is looked for among the maxima of groups of items, of which there are some times k: if k
// maxima reach it, so do at least k items, and hardly more. Where many scores are equal more may reach it than the
// memory for sorting holds; then the k-th largest key is found exactly.
#include "eval/topk.h"

#include "base/memory.h"
#include "eval/topk_kernels.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// CHUNK: up to here counting is the faster sort (it is quadratic), from here on sorted chunks are merged.
// SPARE: how many more than 2 k may reach the threshold before it is made exact.
enum { CHUNK = 256, SPARE = 64 };

const struct topk_kernels *topk_kernels_choose(void) {
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw"))
		return &topk_kernels_avx512;
	if (__builtin_cpu_supports("avx2"))
		return &topk_kernels_avx2;
#endif
	return &topk_kernels_baseline;
}

// Groups for a choice of k: a power of two, at least 2.5 k, so that their maxima are mostly the k best.
static size_t groups_for(size_t k) {
	size_t groups = TOPK_BLOCK;
	while (2 * groups < 5 * k)
		groups *= 2;
	return groups;
}

static int32_t *keys_array(size_t count, struct error *error) {
	return memory_array(topk_padded(count), sizeof(int32_t), "a ranking", error);
}

bool topk_init(struct topk *topk, size_t items, size_t k_most, struct error *error) {
	assert(items <= (size_t)1 << 31);
	k_most = k_most < items ? k_most : items;
	*topk = (struct topk){.kernels = topk_kernels_choose(), .items = items, .k_most = k_most};
	size_t sorted = topk_padded(2 * k_most + SPARE);
	bool good = (topk->keys = keys_array(items, error)) && (topk->maxima = keys_array(groups_for(k_most), error)) &&
	            (topk->item = memory_array(topk_padded(items), sizeof(*topk->item), "a ranking", error)) &&
	            (topk->item_key = keys_array(items, error)) &&
	            (topk->before = memory_array(CHUNK, sizeof(*topk->before), "a ranking", error)) &&
	            (topk->place[0] = memory_array(sorted, sizeof(uint64_t), "a ranking", error)) &&
	            (topk->place[1] = memory_array(sorted, sizeof(uint64_t), "a ranking", error));
	return good;
}

void topk_finish(struct topk *topk) {
	free(topk->keys);
	free(topk->maxima);
	free(topk->item);
	free(topk->item_key);
	free(topk->before);
	free(topk->place[0]);
	free(topk->place[1]);
	*topk = (struct topk){0};
}

static void pad_keys(int32_t *keys, size_t count) {
	for (size_t i = count; i < topk_padded(count); i++)
		keys[i] = TOPK_EXCLUDED;
}

void topk_begin_some(struct topk *topk, const float *scores, size_t count) {
	assert(count <= topk->items);
	topk->count = count;
	topk->kernels->make_keys(scores, count, topk->keys);
	pad_keys(topk->keys, count);
}

void topk_begin(struct topk *topk, const float *scores) {
	topk_begin_some(topk, scores, topk->items);
}

void topk_exclude(struct topk *topk, const uint32_t *items, size_t count) {
	for (size_t i = 0; i < count; i++) {
		assert(items[i] < topk->count);
		topk->keys[items[i]] = TOPK_EXCLUDED;
	}
}

bool topk_is_candidate(const struct topk *topk, uint32_t item) {
	return topk->keys[item] != TOPK_EXCLUDED;
}

// --- the threshold ---

static double value_of(int64_t key) {
	uint32_t bits = key < 0 ? (uint32_t)-key | UINT32_C(0x80000000) : (uint32_t)key;
	float value;
	memcpy(&value, &bits, sizeof(value));
	return (double)value;
}

// The binary logarithm within 0.01, which is enough to guess by: a float's exponent and, of what is behind it, a
// parabola.
static double log2_nearly(double count) {
	uint64_t bits;
	memcpy(&bits, &count, sizeof(bits));
	double straight = (double)bits * 0x1p-52, part = straight - floor(straight);
	return straight + 0.3431 * part * (1 - part);
}

// A key, and the logarithm of how many reach it.
struct looked_up {
	int64_t key;
	double log_count;
};

static struct looked_up looked_up(int64_t key, size_t count) {
	return (struct looked_up){key, log2_nearly(count ? (double)count : 0.5)};
}

// Where as many as wanted reach it if their number goes on falling by equal factors over equal distances, as over short
// ones the tails of most scores do; the middle where that is not between low and high.
static int64_t guess(struct looked_up a, struct looked_up b, double log_wanted, int64_t low, int64_t high) {
	double from = value_of(b.key), slope = (from - value_of(a.key)) / (b.log_count - a.log_count);
	float value = (float)(from + slope * (log_wanted - b.log_count));
	int32_t key;
	topk_kernels_baseline.make_keys(&value, 1, &key);
	return key > low && key < high ? key : low + (high - low) / 2;
}

// A key that k to k + slack of the keys reach, or, where equal keys leave no such, the k-th largest key. TOPK_NAN where
// fewer than k are candidates. Found by guesses, and by the middle after two that did not halve what is in question.
static int32_t threshold(const struct topk_kernels *kernels, const int32_t *keys, size_t count, size_t k,
                         size_t slack) {
	int32_t smallest, largest;
	size_t reached = kernels->extremes(keys, count, &smallest, &largest), below = 0;
	int64_t low = smallest, high = (int64_t)largest + 1;
	if (reached < k)
		return TOPK_NAN;
	struct looked_up a = looked_up(high, 0), b = looked_up(low, reached);
	double log_wanted = log2_nearly((double)k + (double)slack / 2);
	size_t question[3] = {reached, SIZE_MAX, SIZE_MAX}; // keys between low and high: now, one and two steps ago
	while (reached > k + slack && high - low > 1) {     // at least k reach low; fewer, `below`, reach high
		int64_t middle = question[0] > question[2] / 2 ? low + (high - low) / 2 : guess(a, b, log_wanted, low, high);
		size_t here = kernels->count_from(keys, count, (int32_t)middle);
		a = b;
		b = looked_up(middle, here);
		if (here >= k) {
			low = middle;
			reached = here;
		} else {
			high = middle;
			below = here;
		}
		question[2] = question[1];
		question[1] = question[0];
		question[0] = reached - below;
	}
	return (int32_t)low;
}

// Leaves exactly k of the candidates: what is above the k-th largest key, and of its equals the first.
static void cut_ties(struct topk *topk, size_t count, size_t k) {
	int32_t *key = topk->item_key;
	pad_keys(key, count);
	int32_t last = threshold(topk->kernels, key, topk_padded(count), k, 0);
	size_t above = last == INT32_MAX ? 0 : topk->kernels->count_from(key, topk_padded(count), last + 1), kept = 0;
	size_t equals = above < k ? k - above : 0;
	for (size_t i = 0; i < count && kept < k; i++) {
		if (key[i] < last || (key[i] == last && equals == 0))
			continue;
		equals -= key[i] == last;
		topk->item[kept] = topk->item[i];
		key[kept++] = key[i];
	}
}

// One number that orders like key, then place among the candidates, from the largest down.
static uint64_t place_of(int32_t key, uint32_t item) {
	return (uint64_t)((uint32_t)key ^ UINT32_C(0x80000000)) << 32 | (uint32_t)~item;
}

static void merge(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count, uint64_t *ret) {
	const uint64_t *a_end = a + a_count, *b_end = b + b_count;
	while (a < a_end && b < b_end) {
		bool first = *a > *b;
		*ret++ = first ? *a : *b;
		a += first;
		b += !first;
	}
	while (a < a_end)
		*ret++ = *a++;
	while (b < b_end)
		*ret++ = *b++;
}

static void order_chunk(struct topk *topk, size_t first, size_t count) {
	int32_t key[CHUNK];
	for (size_t i = 0; i < count; i++)
		key[i] = topk->item_key[first + i];
	pad_keys(key, count);
	topk->kernels->count_before(key, count, topk->before);
	for (size_t i = 0; i < count; i++)
		topk->place[0][first + topk->before[i]] = place_of(key[i], topk->item[first + i]);
}

static void order_many(struct topk *topk, size_t count, size_t k, uint32_t *ret_items) {
	for (size_t first = 0; first < count; first += CHUNK)
		order_chunk(topk, first, count - first < CHUNK ? count - first : CHUNK);
	uint64_t *from = topk->place[0], *to = topk->place[1];
	for (size_t run = CHUNK; run < count; run *= 2) {
		for (size_t first = 0; first < count; first += 2 * run) {
			size_t a = count - first < run ? count - first : run, rest = count - first - a;
			merge(from + first, a, from + first + a, rest < run ? rest : run, to + first);
		}
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	for (size_t i = 0; i < k; i++)
		ret_items[i] = ~(uint32_t)from[i];
}

static void order_few(struct topk *topk, size_t count, size_t k, uint32_t *ret_items) {
	pad_keys(topk->item_key, count);
	topk->kernels->count_before(topk->item_key, count, topk->before);
	for (size_t i = 0; i < count; i++)
		if (topk->before[i] < k)
			ret_items[topk->before[i]] = topk->item[i];
}

// A key that at least k of the candidates reach, hardly more.
static int32_t least_of(struct topk *topk, size_t k) {
	const struct topk_kernels *kernels = topk->kernels;
	size_t padded = topk_padded(topk->count), groups = groups_for(k);
	assert(k <= topk->k_most);
	bool grouped = padded >= 2 * groups;
	if (grouped)
		kernels->group_maxima(topk->keys, padded, groups, topk->maxima);
	return grouped ? threshold(kernels, topk->maxima, groups, k, k / 8)
	               : threshold(kernels, topk->keys, padded, k, k / 8);
}

bool topk_least(struct topk *topk, size_t k, float *ret) {
	int32_t least = topk->count ? least_of(topk, k) : TOPK_NAN;
	*ret = (float)value_of(least);
	return least > TOPK_NAN;
}

// What reaches it: in topk->item and item_key, ascending by item.
static size_t collect(struct topk *topk, size_t k) {
	size_t padded = topk_padded(topk->count);
	if (padded == 0)
		return 0;
	return topk->kernels->collect(topk->keys, padded, least_of(topk, k), topk->item, topk->item_key);
}

size_t topk_take(struct topk *topk, size_t k, uint32_t *ret_items) {
	if (k == 0)
		return 0;
	size_t count = collect(topk, k);
	if (count > 2 * k + SPARE) {
		cut_ties(topk, count, k);
		count = k;
	}
	size_t taken = k < count ? k : count;
	if (count <= CHUNK)
		order_few(topk, count, taken, ret_items);
	else
		order_many(topk, count, taken, ret_items);
	return taken;
}

size_t topk_pick(struct topk *topk, size_t k, uint32_t *ret_items) {
	size_t count = k ? collect(topk, k) : 0;
	if (count > 2 * k) {
		cut_ties(topk, count, k);
		count = k;
	}
	memcpy(ret_items, topk->item, count * sizeof(*ret_items));
	return count;
}
