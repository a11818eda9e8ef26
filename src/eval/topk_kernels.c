// See topk_kernels.h. Compiled with -DKERNELS=NAME and the flags of one instruction set. Plain loops that compilers
// turn into vectors, but for the masks, which need the instruction by name, and count_before, whose sums must stay in
// registers.
#include "eval/topk_kernels.h"

#include <string.h>

#if defined(__AVX2__) || defined(__AVX512BW__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

// A vector of the machine's own width: wider ones, and comparisons of them, are compiled badly.
#if defined(__AVX512BW__)
enum { LANES = 16 };
#elif defined(__AVX2__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef int32_t lanes __attribute__((vector_size(LANES * sizeof(int32_t))));
typedef float float_lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t unsigned_lanes __attribute__((vector_size(LANES * sizeof(int32_t))));

static inline lanes load(const void *from) {
	lanes v;
	memcpy(&v, from, sizeof(v));
	return v;
}
static inline float_lanes load_scores(const float *from) {
	float_lanes v;
	memcpy(&v, from, sizeof(v));
	return v;
}
// Of unsigned numbers: the padding's smallest key may wrap, whose lanes nobody reads.
static inline lanes plus(lanes a, lanes b) {
	return (lanes)((unsigned_lanes)a + (unsigned_lanes)b);
}
static inline void store(void *to, lanes v) {
	memcpy(to, &v, sizeof(v));
}

// A float's bits are sign and magnitude: negative ones are mirrored, which makes -0 and +0 the same.
static void make_keys(const float *restrict scores, size_t count, int32_t *restrict ret_keys) {
	const int32_t infinity = 0x7F800000;
	for (size_t i = 0; i < count; i++) {
		int32_t bits;
		memcpy(&bits, &scores[i], sizeof(bits));
		int32_t magnitude = bits & INT32_MAX, key = bits < 0 ? -magnitude : magnitude;
		ret_keys[i] = magnitude > infinity ? TOPK_NAN : key;
	}
}

static void group_maxima(const int32_t *restrict keys, size_t count, size_t groups, int32_t *restrict ret) {
	size_t first = 0;
	memcpy(ret, keys, groups * sizeof(*ret));
	while ((first += groups) < count) {
		const int32_t *more = keys + first;
		size_t here = count - first < groups ? count - first : groups;
		for (size_t i = 0; i < here; i++)
			ret[i] = more[i] > ret[i] ? more[i] : ret[i];
	}
}

static inline lanes choose(lanes mask, lanes a, lanes b) {
	return (a & mask) | (b & ~mask);
}

static size_t extremes(const int32_t *keys, size_t count, int32_t *ret_smallest, int32_t *ret_largest) {
	const lanes none = (lanes){0} + INT32_MAX, nan = (lanes){0} + TOPK_NAN;
	lanes smallest = none, largest = nan, total = {0};
	for (size_t i = 0; i < count; i += LANES) {
		lanes key = load(keys + i), real = key > nan, low = choose(real, key, none);
		smallest = choose(low < smallest, low, smallest);
		largest = choose(key > largest, key, largest);
		total -= real;
	}
	*ret_smallest = INT32_MAX;
	*ret_largest = TOPK_NAN;
	size_t ret = 0;
	for (unsigned i = 0; i < LANES; i++) {
		*ret_smallest = smallest[i] < *ret_smallest ? smallest[i] : *ret_smallest;
		*ret_largest = largest[i] > *ret_largest ? largest[i] : *ret_largest;
		ret += (uint32_t)total[i];
	}
	return ret;
}

static size_t count_from(const int32_t *keys, size_t count, int32_t least) {
	uint32_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += keys[i] >= least;
	return total;
}

// Bit i: keys[i] > below, of TOPK_BLOCK keys.
static inline uint64_t mask_above(const int32_t *keys, int32_t below) {
	uint64_t mask = 0;
#if defined(__AVX512BW__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 16)
		mask |= (uint64_t)_mm512_cmpgt_epi32_mask(_mm512_loadu_si512(keys + i), _mm512_set1_epi32(below)) << i;
#elif defined(__AVX2__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 8) {
		__m256i above = _mm256_cmpgt_epi32(_mm256_loadu_si256((const __m256i *)(keys + i)), _mm256_set1_epi32(below));
		mask |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(above)) << i;
	}
#elif defined(__SSE2__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 4) {
		__m128i above = _mm_cmpgt_epi32(_mm_loadu_si128((const __m128i *)(keys + i)), _mm_set1_epi32(below));
		mask |= (uint64_t)(unsigned)_mm_movemask_ps(_mm_castsi128_ps(above)) << i;
	}
#else
	for (unsigned i = 0; i < TOPK_BLOCK; i++)
		mask |= (uint64_t)(keys[i] > below) << i;
#endif
	return mask;
}

static size_t collect(const int32_t *keys, size_t count, int32_t least, uint32_t *ret_place, int32_t *ret_key) {
	size_t found = 0;
	for (size_t first = 0; first < count; first += TOPK_BLOCK)
		for (uint64_t mask = mask_above(keys + first, least - 1); mask; mask &= mask - 1) {
			size_t place = first + (size_t)__builtin_ctzll(mask);
			ret_place[found] = (uint32_t)place;
			ret_key[found++] = keys[place];
		}
	return found;
}

// Bit i: scores[i] > below, of TOPK_BLOCK scores.
static inline uint64_t mask_of_scores(const float *scores, float below) {
	uint64_t mask = 0;
#if defined(__AVX512BW__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 16)
		mask |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), _mm512_set1_ps(below), _CMP_GT_OQ) << i;
#elif defined(__AVX2__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 8)
		mask |= (uint64_t)(unsigned)_mm256_movemask_ps(
		            _mm256_cmp_ps(_mm256_loadu_ps(scores + i), _mm256_set1_ps(below), _CMP_GT_OQ))
		        << i;
#elif defined(__SSE2__)
	for (unsigned i = 0; i < TOPK_BLOCK; i += 4)
		mask |= (uint64_t)(unsigned)_mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(scores + i), _mm_set1_ps(below))) << i;
#else
	for (unsigned i = 0; i < TOPK_BLOCK; i++)
		mask |= (uint64_t)(scores[i] > below) << i;
#endif
	return mask;
}

// Whether one of TOPK_BLOCK scores is above. A vector's maximum takes its second operand where one is NaN, so that none
// gets into the largest so far.
static inline bool has_above(const float *scores, float below) {
#if defined(__AVX512BW__)
	const __m512 bound = _mm512_set1_ps(below);
	__m512 a = _mm512_max_ps(_mm512_loadu_ps(scores), bound), b = _mm512_max_ps(_mm512_loadu_ps(scores + 16), bound);
	a = _mm512_max_ps(_mm512_loadu_ps(scores + 32), a);
	b = _mm512_max_ps(_mm512_loadu_ps(scores + 48), b);
	return _mm512_cmp_ps_mask(_mm512_max_ps(a, b), bound, _CMP_GT_OQ);
#elif defined(__AVX2__)
	const __m256 bound = _mm256_set1_ps(below);
	__m256 a = bound, b = bound;
	for (unsigned i = 0; i < TOPK_BLOCK; i += 16) {
		a = _mm256_max_ps(_mm256_loadu_ps(scores + i), a);
		b = _mm256_max_ps(_mm256_loadu_ps(scores + i + 8), b);
	}
	return _mm256_movemask_ps(_mm256_cmp_ps(_mm256_max_ps(a, b), bound, _CMP_GT_OQ));
#elif defined(__SSE2__)
	const __m128 bound = _mm_set1_ps(below);
	__m128 a = bound, b = bound;
	for (unsigned i = 0; i < TOPK_BLOCK; i += 8) {
		a = _mm_max_ps(_mm_loadu_ps(scores + i), a);
		b = _mm_max_ps(_mm_loadu_ps(scores + i + 4), b);
	}
	return _mm_movemask_ps(_mm_cmpgt_ps(_mm_max_ps(a, b), bound));
#else
	return mask_of_scores(scores, below);
#endif
}

// Takes the bits of what is left out of a block. What is left out before it is passed over.
static inline uint64_t strike_out(uint64_t mask, uint32_t first, struct topk_list *list) {
	const uint32_t *out = list->out, *const end = list->out_end;
	while (out < end && *out < first)
		out++;
	for (; out < end && *out - first < TOPK_BLOCK; out++)
		mask &= ~(UINT64_C(1) << (*out - first));
	list->out = out;
	return mask;
}

// Those of a block that the mask has, some at a time whether there are as many or not, which a processor cannot guess.
static inline size_t append(const float *scores, uint64_t mask, uint32_t first, uint32_t *item, float *value) {
	enum { SOME = 4 };
	size_t count = (size_t)__builtin_popcountll(mask);
	do {
		for (unsigned i = 0; i < SOME; i++, mask &= mask - 1) {
			uint64_t place = (uint64_t)__builtin_ctzll(mask | UINT64_C(1) << (TOPK_BLOCK - 1));
			item[i] = first + (uint32_t)place;
			value[i] = scores[place];
		}
		item += SOME;
		value += SOME;
	} while (mask);
	return count;
}

// Blocks that have something above are noted first, many at a time: most have nothing.
static size_t append_above(const float *scores, size_t scores_count, float below, uint32_t first,
                           struct topk_list *list) {
	enum { NOTED = 64 }; // blocks
	for (size_t at = 0; at < scores_count; at += (size_t)NOTED * TOPK_BLOCK) {
		size_t left = (scores_count - at) / TOPK_BLOCK, blocks = left < NOTED ? left : NOTED;
		uint64_t noted = 0;
		for (size_t b = 0; b < blocks; b++)
			noted |= (uint64_t)has_above(scores + at + b * TOPK_BLOCK, below) << b;
		for (; noted; noted &= noted - 1) {
			size_t here = at + (size_t)__builtin_ctzll(noted) * TOPK_BLOCK, count = list->count;
			uint32_t place = first + (uint32_t)here;
			if (count + TOPK_BLOCK > list->room)
				return here;
			uint64_t mask = strike_out(mask_of_scores(scores + here, below), place, list);
			list->count += append(scores + here, mask, place, list->item + count, list->value + count);
		}
	}
	return scores_count;
}

// NaN is neither above nor equal.
static size_t before_place(const float *scores, size_t count, size_t place) {
	const size_t whole = count / LANES, own = place / LANES;
	const float_lanes score = (float_lanes){0} + scores[place];
	lanes a = {0}, b = {0};
	size_t total = 0, v = 0;
	for (; v + 1 < own; v += 2) {
		a -= load_scores(scores + v * LANES) >= score;
		b -= load_scores(scores + (v + 1) * LANES) >= score;
	}
	if (v < own)
		a -= load_scores(scores + v * LANES) >= score;
	for (v = own + 1; v + 1 < whole; v += 2) {
		a -= load_scores(scores + v * LANES) > score;
		b -= load_scores(scores + (v + 1) * LANES) > score;
	}
	if (v < whole)
		a -= load_scores(scores + v * LANES) > score;
	for (size_t i = own * LANES; i < count && i < (own + 1) * LANES; i++)
		total += i < place ? scores[i] >= scores[place] : scores[i] > scores[place];
	for (size_t i = (own < whole ? whole : own + 1) * LANES; i < count; i++)
		total += scores[i] > scores[place];
	a += b;
	for (unsigned i = 0; i < LANES; i++)
		total += (uint32_t)a[i];
	return total;
}

// Four vectors of keys against all others. An equal key comes before if its place is lower: for those below the
// vectors' own places the comparison is with one less. Comparisons give -1.
static void count_before(const int32_t *keys, size_t count, uint32_t *ret) {
	static const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	const lanes lane = load(numbers), one = (lanes){0} + 1;
	enum { OWN = 4 * LANES };
	for (size_t first = 0; first < count; first += OWN) {
		const int32_t *own = keys + first;
		lanes a = load(own), b = load(own + LANES), c = load(own + 2 * LANES), d = load(own + 3 * LANES);
		lanes before_a = {0}, before_b = {0}, before_c = {0}, before_d = {0};
		lanes least_a = plus(a, -one), least_b = plus(b, -one), least_c = plus(c, -one), least_d = plus(d, -one);
		for (size_t i = 0; i < first; i++) {
			before_a -= keys[i] > least_a;
			before_b -= keys[i] > least_b;
			before_c -= keys[i] > least_c;
			before_d -= keys[i] > least_d;
		}
		for (int32_t i = 0; i < OWN; i++) {
			before_a -= own[i] > plus(a, lane > i);
			before_b -= own[i] > plus(b, lane + LANES > i);
			before_c -= own[i] > plus(c, lane + 2 * LANES > i);
			before_d -= own[i] > plus(d, lane + 3 * LANES > i);
		}
		for (size_t i = first + OWN; i < count; i++) {
			before_a -= keys[i] > a;
			before_b -= keys[i] > b;
			before_c -= keys[i] > c;
			before_d -= keys[i] > d;
		}
		store(ret + first, before_a);
		store(ret + first + LANES, before_b);
		store(ret + first + 2 * LANES, before_c);
		store(ret + first + 3 * LANES, before_d);
	}
}

const struct topk_kernels KERNELS = {
    .name = KERNELS_NAME,
    .make_keys = make_keys,
    .group_maxima = group_maxima,
    .extremes = extremes,
    .count_from = count_from,
    .collect = collect,
    .append_above = append_above,
    .before_place = before_place,
    .count_before = count_before,
};
