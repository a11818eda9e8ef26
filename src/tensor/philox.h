// Dropout masks by Philox4x32-10 (base/random.h), 16 bits a unit. Whether a unit is kept depends on (stream, epoch,
// row, unit) alone, as tensor/mask.h defines it: eight blocks in eight lanes are 64 units in their order. Only inline
// functions, so that each instruction set of kernels.c compiles its own.
#ifndef AEXP_TENSOR_PHILOX_H
#define AEXP_TENSOR_PHILOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "tensor/mask.h"
#include "tensor/real.h"

enum { PHILOX_TIMES = 10 }; // rounds

// A dropout layer at an epoch: what all rows share.
struct philox_dropout {
	uint64_t key0[PHILOX_TIMES], key1[PHILOX_TIMES]; // of each round; below 2^32, as wide as the lanes they go to
	uint32_t epoch;
	uint32_t threshold; // 0 ... 65536: a unit is dropped with probability threshold / 65536
};

// The paper's multipliers and Weyl constants (Salmon et al., SC 2011, section 3.3).
#define PHILOX_MULTIPLIER0 UINT64_C(0xD2511F53)
#define PHILOX_MULTIPLIER1 UINT64_C(0xCD9E8D57)
#define PHILOX_WEYL0 0x9E3779B9u
#define PHILOX_WEYL1 0xBB67AE85u

static inline struct philox_dropout philox_dropout_make(struct random_stream stream, uint32_t epoch,
                                                        uint32_t threshold) {
	struct philox_dropout d = {.epoch = epoch, .threshold = threshold};
	for (uint32_t i = 0; i < PHILOX_TIMES; i++) {
		d.key0[i] = (uint32_t)stream.key + i * PHILOX_WEYL0;
		d.key1[i] = (uint32_t)(stream.key >> 32) + i * PHILOX_WEYL1;
	}
	return d;
}

// --- the machine's vectors: a word of Philox is the low half of a 64-bit lane, the high half may be anything ---

// PHILOX_PORTABLE leaves the intrinsics out, for the test.
#define PHILOX_PLAIN 0
#define PHILOX_NEON 1
#define PHILOX_SSE2 2
#define PHILOX_AVX2 3
#define PHILOX_AVX512 4
#if defined(PHILOX_PORTABLE)
#define PHILOX_SET PHILOX_PLAIN
#elif defined(__AVX512F__)
#define PHILOX_SET PHILOX_AVX512
#elif defined(__AVX2__)
#define PHILOX_SET PHILOX_AVX2
#elif defined(__SSE2__)
#define PHILOX_SET PHILOX_SSE2
#elif defined(__aarch64__)
#define PHILOX_SET PHILOX_NEON
#else
#define PHILOX_SET PHILOX_PLAIN
#endif

#if PHILOX_SET >= PHILOX_SSE2
#include <immintrin.h>
#elif PHILOX_SET == PHILOX_NEON
#include <arm_neon.h>
#endif

// Chunks of a row computed side by side, so that one's latency hides behind the other. With AVX2 and SSE2 a second one
// gained nothing when measured: a chunk is already two vectors, and two chunks want more registers than there are.
#ifndef PHILOX_SIDE
#define PHILOX_SIDE (PHILOX_SET == PHILOX_AVX512 ? 2 : 1)
#endif

#define PHILOX_BYTES (PHILOX_SET == PHILOX_AVX512 ? 64 : PHILOX_SET == PHILOX_AVX2 ? 32 : 16)
enum {
	PHILOX_LANES = PHILOX_BYTES / 8,
	PHILOX_PARTS = PHILOX_SET == PHILOX_AVX512 ? 1 : 2, // vectors of blocks whose words are packed together
	PHILOX_GROUPS = PHILOX_CHUNK_BLOCKS / PHILOX_LANES / PHILOX_PARTS, // of parts, in a chunk
	PHILOX_MOST = PHILOX_SIDE * PHILOX_PARTS,                          // vectors of blocks at once
	PHILOX_UNITS = PHILOX_BYTES / 4,                                   // that one vector of floats holds
	PHILOX_DRAWS = 32 / PHILOX_UNITS,                                  // vectors of draws of a chunk, two draws a lane
};
typedef uint64_t philox_wide __attribute__((vector_size(PHILOX_BYTES)));
typedef int32_t philox_draws __attribute__((vector_size(PHILOX_BYTES)));
typedef uint32_t philox_unsigned __attribute__((vector_size(PHILOX_BYTES)));
typedef float philox_floats __attribute__((vector_size(PHILOX_BYTES), aligned(sizeof(float)), may_alias));

static inline philox_wide philox_all(uint64_t x) {
	return x - (philox_wide){0};
}

#if PHILOX_SET == PHILOX_AVX512

typedef __mmask16 philox_flags; // of UNITS units

static inline philox_wide philox_load(const uint32_t *p) {
	return (philox_wide)_mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)p));
}
static inline philox_wide philox_times(philox_wide x, uint64_t multiplier) {
	return (philox_wide)_mm512_mul_epu32((__m512i)x, _mm512_set1_epi64((long long)multiplier));
}
// Both exclusive ors are one instruction, of table 0x96.
static inline philox_wide philox_mix(philox_wide x, philox_wide y, uint64_t key) {
	__m512i high = _mm512_srli_epi64((__m512i)x, 32);
	return (philox_wide)_mm512_ternarylogic_epi64(high, (__m512i)y, _mm512_set1_epi64((long long)key), 0x96);
}
static inline philox_flags philox_at_least(philox_draws draw, uint32_t threshold) {
	return _mm512_cmpge_epu32_mask((__m512i)draw, _mm512_set1_epi32((int)threshold));
}
static inline uint64_t philox_bits(philox_flags flags) {
	return flags;
}
static inline philox_flags philox_flags_of(uint64_t bits) {
	return (philox_flags)bits;
}
static inline philox_floats philox_select(philox_flags flags, philox_floats x) {
	return (philox_floats)_mm512_maskz_mov_ps(flags, (__m512)x);
}
static inline uint64_t philox_signs(philox_wide x) {
	return _mm512_movepi64_mask((__m512i)x);
}

#else

typedef philox_draws philox_flags; // all bits of a lane, or none

static inline philox_wide philox_load(const uint32_t *p) {
#if PHILOX_SET == PHILOX_AVX2
	return (philox_wide)_mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)p));
#else
	return (philox_wide){p[0], p[1]};
#endif
}

// The 64-bit products of the low halves.
static inline philox_wide philox_times(philox_wide x, uint64_t multiplier) {
#if PHILOX_SET == PHILOX_AVX2
	return (philox_wide)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x((long long)multiplier));
#elif PHILOX_SET == PHILOX_SSE2
	return (philox_wide)_mm_mul_epu32((__m128i)x, _mm_set1_epi64x((long long)multiplier));
#elif PHILOX_SET == PHILOX_NEON
	return (philox_wide)vmull_u32(vmovn_u64((uint64x2_t)x), vdup_n_u32((uint32_t)multiplier));
#else
	return (philox_wide){(uint32_t)x[0] * multiplier, (uint32_t)x[1] * multiplier};
#endif
}

// The high half of x, with y and the key.
static inline philox_wide philox_mix(philox_wide x, philox_wide y, uint64_t key) {
	return (x >> 32) ^ (y ^ key);
}

static inline philox_flags philox_at_least(philox_draws draw, uint32_t threshold) {
	return draw > (int32_t)threshold - 1;
}

// One bit a unit, from bit 0 up.
static inline uint64_t philox_bits(philox_flags flags) {
#if PHILOX_SET == PHILOX_AVX2
	return (uint32_t)_mm256_movemask_ps((__m256)flags);
#elif PHILOX_SET == PHILOX_SSE2
	return (uint32_t)_mm_movemask_ps((__m128)flags);
#elif PHILOX_SET == PHILOX_NEON
	return vaddvq_s32((int32x4_t)(flags & (philox_draws){1, 2, 4, 8}));
#else
	uint64_t bits = 0;
	for (int l = 0; l < PHILOX_UNITS; l++)
		bits |= (uint64_t)(flags[l] & 1) << l;
	return bits;
#endif
}

static inline philox_flags philox_flags_of(uint64_t bits) {
	philox_draws bit = {0};
	for (int l = 0; l < PHILOX_UNITS; l++)
		bit[l] = 1 << l;
	return ((int32_t)bits & bit) == bit;
}

static inline philox_floats philox_select(philox_flags flags, philox_floats x) {
	return (philox_floats)((philox_draws)x & flags);
}

// The top bit of each lane.
static inline uint64_t philox_signs(philox_wide x) {
#if PHILOX_SET == PHILOX_AVX2
	return (uint32_t)_mm256_movemask_pd((__m256d)x);
#elif PHILOX_SET == PHILOX_SSE2
	return (uint32_t)_mm_movemask_pd((__m128d)x);
#else
	return x[0] >> 63 | x[1] >> 63 << 1;
#endif
}

// The low halves of two parts beside each other: x's lane l is block 2l of a group, y's is block 2l + 1.
static inline philox_draws philox_pack(philox_wide x, philox_wide y) {
#if PHILOX_SET == PHILOX_AVX2
	return (philox_draws)_mm256_blend_epi32((__m256i)x, _mm256_slli_epi64((__m256i)y, 32), 0xAA);
#elif __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return (philox_draws)((y & UINT32_MAX) | x << 32);
#else
	return (philox_draws)((x & UINT32_MAX) | y << 32);
#endif
}

#endif

// --- blocks ---

// Words 0 ... 3 of some vectors of blocks, computed side by side.
struct philox_state {
	philox_wide a[PHILOX_MOST], b[PHILOX_MOST], c[PHILOX_MOST], d[PHILOX_MOST];
};

static inline void philox_rounds(const struct philox_dropout *d, int from, int vectors, struct philox_state *s) {
#pragma GCC unroll 10
	for (int round = from; round < PHILOX_TIMES; round++) {
#pragma GCC unroll 4
		for (int i = 0; i < vectors; i++) {
			philox_wide p = philox_times(s->a[i], PHILOX_MULTIPLIER0), q = philox_times(s->c[i], PHILOX_MULTIPLIER1);
			s->a[i] = philox_mix(q, s->b[i], d->key0[round]);
			s->c[i] = philox_mix(p, s->d[i], d->key1[round]);
			s->b[i] = q;
			s->d[i] = p;
		}
	}
}

// Vector i after the first two rounds: what comes from the row alone is the same in all lanes, and is a number here.
static inline void philox_start(const struct philox_dropout *d, uint64_t row, philox_wide block, int i,
                                struct philox_state *s) {
	uint64_t q0 = PHILOX_MULTIPLIER1 * (row >> 32), a1 = (q0 >> 32) ^ (uint32_t)row ^ d->key0[0];
	uint64_t p1 = PHILOX_MULTIPLIER0 * a1;
	philox_wide p0 = philox_times(block, PHILOX_MULTIPLIER0);
	philox_wide q1 = philox_times((p0 >> 32) ^ (d->epoch ^ d->key1[0]), PHILOX_MULTIPLIER1);
	s->a[i] = (q1 >> 32) ^ ((q0 & UINT32_MAX) ^ d->key0[1]);
	s->b[i] = q1;
	s->c[i] = p0 ^ ((p1 >> 32) ^ d->key1[1]);
	s->d[i] = philox_all(p1);
}

// --- chunks ---

// Vector v has unit v * UNITS + l in the low half of its lane l, and unit 32 + v * UNITS + l in the high half.
struct philox_chunk {
	philox_draws v[PHILOX_DRAWS];
};

// Vectors first ... of the state, as group `group` of a chunk.
static inline void philox_take(const struct philox_state *s, int first, int group, struct philox_chunk *ret) {
#if PHILOX_SET == PHILOX_AVX512
	(void)group;
	const __m512i low = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	ret->v[0] = (philox_draws)_mm512_permutex2var_epi32((__m512i)s->a[first], low, (__m512i)s->b[first]);
	ret->v[1] = (philox_draws)_mm512_permutex2var_epi32((__m512i)s->c[first], low, (__m512i)s->d[first]);
#else
	ret->v[group] = philox_pack(s->a[first], s->a[first + 1]);
	ret->v[PHILOX_GROUPS + group] = philox_pack(s->b[first], s->b[first + 1]);
	ret->v[2 * PHILOX_GROUPS + group] = philox_pack(s->c[first], s->c[first + 1]);
	ret->v[3 * PHILOX_GROUPS + group] = philox_pack(s->d[first], s->d[first + 1]);
#endif
}

// Chunks first ... first + count - 1 of a row; count is a constant of at most SIDE.
static inline void philox_chunks(const struct philox_dropout *d, uint64_t row, uint32_t first, int count,
                                 struct philox_chunk *ret) {
	philox_wide lane = {0};
	for (int l = 0; l < PHILOX_LANES; l++)
		lane[l] = (uint64_t)(PHILOX_PARTS * l);
#pragma GCC unroll 2
	for (int group = 0; group < PHILOX_GROUPS; group++) {
		struct philox_state s;
#pragma GCC unroll 4
		for (int i = 0; i < count * PHILOX_PARTS; i++) {
			uint64_t chunk = first + (uint64_t)(i / PHILOX_PARTS);
			uint64_t block = (uint64_t)(PHILOX_PARTS * PHILOX_LANES * group + i % PHILOX_PARTS);
			philox_start(d, row, chunk * PHILOX_CHUNK_BLOCKS + block + lane, i, &s);
		}
		philox_rounds(d, 2, count * PHILOX_PARTS, &s);
#pragma GCC unroll 2
		for (int k = 0; k < count; k++)
			philox_take(&s, k * PHILOX_PARTS, group, &ret[k]);
	}
}

// Of the units that begin at v * UNITS of the chunk.
static inline philox_flags philox_flags_at(const struct philox_chunk *draws, int v, uint32_t threshold) {
	philox_draws two = draws->v[v % PHILOX_DRAWS];
	return philox_at_least(v < PHILOX_DRAWS ? two & 0xFFFF : (philox_draws)((philox_unsigned)two >> 16), threshold);
}

static inline uint64_t philox_chunk_bits(const struct philox_chunk *draws, uint32_t threshold) {
	uint64_t bits = 0;
#pragma GCC unroll 16
	for (int v = 0; v < 2 * PHILOX_DRAWS; v++)
		bits |= philox_bits(philox_flags_at(draws, v, threshold)) << (v * PHILOX_UNITS);
	return bits;
}

// The mask of a chunk: bit u is 1 where unit 64 chunk + u is kept.
static inline uint64_t philox_keep_chunk(const struct philox_dropout *d, uint64_t row, uint32_t chunk) {
	struct philox_chunk draws;
	philox_chunks(d, row, chunk, 1, &draws);
	return philox_chunk_bits(&draws, d->threshold);
}

// --- rows ---

// y = kept ? scale x : 0 for the first `count` (at most 64) bits of a mask; y may be x.
static inline void philox_apply(uint64_t bits, size_t count, const real *x, real scale, real *y) {
	size_t j = 0;
#ifndef AEXP_DOUBLE
#pragma GCC unroll 16
	for (; j + PHILOX_UNITS <= count; j += PHILOX_UNITS) {
		philox_floats scaled = scale * *(const philox_floats *)(x + j);
		*(philox_floats *)(y + j) = philox_select(philox_flags_of(bits >> j), scaled);
	}
#endif
	for (; j < count; j++)
		y[j] = bits >> j & 1 ? scale * x[j] : 0;
}

// The same for a whole chunk whose draws are at hand: the flags are used before they are bits.
static inline uint64_t philox_apply_draws(const struct philox_chunk *draws, uint32_t threshold, const real *x,
                                          real scale, real *y) {
#ifdef AEXP_DOUBLE
	uint64_t bits = philox_chunk_bits(draws, threshold);
	philox_apply(bits, PHILOX_CHUNK, x, scale, y);
#else
	uint64_t bits = 0;
#pragma GCC unroll 16
	for (int v = 0; v < 2 * PHILOX_DRAWS; v++) {
		int j = v * PHILOX_UNITS;
		philox_flags flags = philox_flags_at(draws, v, threshold);
		*(philox_floats *)(y + j) = philox_select(flags, scale * *(const philox_floats *)(x + j));
		bits |= philox_bits(flags) << j;
	}
#endif
	return bits;
}

// Bits past the last unit are 0 in every mask.
static inline uint64_t philox_first_bits(size_t count) {
	return count < PHILOX_CHUNK ? ~(UINT64_MAX << count) : UINT64_MAX;
}

// Words of the mask of a row.
static inline size_t philox_mask_words(size_t count) {
	return (count + PHILOX_CHUNK - 1) / PHILOX_CHUNK;
}

// Units 0 ... count - 1 of a row: y = kept ? scale x : 0, and the mask for the way back. y may be x.
static inline void philox_dropout_row(const struct philox_dropout *d, uint64_t row, size_t count, const real *x,
                                      real scale, real *y, uint64_t *mask) { // mask: (philox_mask_words(count))
	size_t j = 0, step = PHILOX_SIDE * PHILOX_CHUNK;
	struct philox_chunk draws[PHILOX_SIDE];
	for (; PHILOX_SIDE > 1 && j + step <= count; j += step) {
		philox_chunks(d, row, (uint32_t)(j / PHILOX_CHUNK), PHILOX_SIDE, draws);
#pragma GCC unroll 2
		for (size_t k = 0; k < PHILOX_SIDE; k++) {
			size_t at = j + k * PHILOX_CHUNK;
			mask[at / PHILOX_CHUNK] = philox_apply_draws(&draws[k], d->threshold, x + at, scale, y + at);
		}
	}
	for (; j + PHILOX_CHUNK <= count; j += PHILOX_CHUNK) {
		philox_chunks(d, row, (uint32_t)(j / PHILOX_CHUNK), 1, draws);
		mask[j / PHILOX_CHUNK] = philox_apply_draws(&draws[0], d->threshold, x + j, scale, y + j);
	}
	if (j < count) {
		uint64_t bits = philox_keep_chunk(d, row, (uint32_t)(j / PHILOX_CHUNK)) & philox_first_bits(count - j);
		philox_apply(bits, count - j, x + j, scale, y + j);
		mask[j / PHILOX_CHUNK] = bits;
	}
}

// The way back, by the mask: dx = beta dx + (kept ? scale dy : 0); dx is not read where beta is 0, and may be dy then.
static inline void philox_dropout_row_back(const uint64_t *mask, size_t count, const real *dy, real scale, real beta,
                                           real *dx) {
	for (size_t j = 0; j < count; j += PHILOX_CHUNK) {
		size_t n = count - j < PHILOX_CHUNK ? count - j : PHILOX_CHUNK;
		if (beta == 0) {
			philox_apply(mask[j / PHILOX_CHUNK], n, dy + j, scale, dx + j);
			continue;
		}
		real part[PHILOX_CHUNK];
		philox_apply(mask[j / PHILOX_CHUNK], n, dy + j, scale, part);
		for (size_t k = 0; k < n; k++)
			dx[j + k] = beta * dx[j + k] + part[k];
	}
}

// A mask as bytes, 0 or 1; count at most 64.
static inline void philox_bytes(uint64_t bits, size_t count, uint8_t *keep) { // keep: (count)
	for (size_t j = 0; j < count; j++)
		keep[j] = bits >> j & 1;
}

// Units first ... first + count - 1 of a row as bytes; first is a multiple of 64.
static inline void philox_keep_row(const struct philox_dropout *d, uint64_t row, uint32_t first, size_t count,
                                   uint8_t *keep) {
	for (size_t j = 0; j < count; j += PHILOX_CHUNK) {
		uint64_t bits = philox_keep_chunk(d, row, (uint32_t)((first + j) / PHILOX_CHUNK));
		philox_bytes(bits, count - j < PHILOX_CHUNK ? count - j : PHILOX_CHUNK, keep + j);
	}
}

// --- scattered cells: an entry a lane ---

enum { PHILOX_CELLS = PHILOX_LANES * PHILOX_MOST }; // at once

static inline philox_wide philox_choose(philox_wide bit, philox_wide one, philox_wide zero) {
	return zero ^ ((zero ^ one) & -bit);
}

// Draws of vector i of entries, less than 2^16.
static inline philox_wide philox_cell_draws(const struct philox_state *s, int i, philox_wide unit) {
	philox_wide even = philox_choose(unit >> 4 & 1, s->c[i], s->a[i]),
	            odd = philox_choose(unit >> 4 & 1, s->d[i], s->b[i]);
	philox_wide word = philox_choose(unit >> 3 & 1, odd, even);
	return philox_choose(unit >> 5 & 1, word >> 16, word) & 0xFFFF;
}

struct philox_cells {
	philox_wide row[PHILOX_MOST], unit[PHILOX_MOST];
};

static inline uint64_t philox_keep_lanes(const struct philox_dropout *d, const struct philox_cells *cells) {
	struct philox_state s;
#pragma GCC unroll 4
	for (int i = 0; i < PHILOX_MOST; i++) {
		s.a[i] = (cells->unit[i] >> 6 << 3) + (cells->unit[i] & 7);
		s.b[i] = cells->row[i];
		s.c[i] = cells->row[i] >> 32;
		s.d[i] = philox_all(d->epoch);
	}
	philox_rounds(d, 0, PHILOX_MOST, &s);
	uint64_t bits = 0;
#pragma GCC unroll 4
	for (int i = 0; i < PHILOX_MOST; i++) { // threshold - 1 - draw is negative where the draw is not below
		philox_wide left = (uint64_t)d->threshold - 1 - philox_cell_draws(&s, i, cells->unit[i]);
		bits |= philox_signs(left) << (i * PHILOX_LANES);
	}
	return bits;
}

// The mask of cells (row[k], unit[k]), k < count, at most 64.
static inline uint64_t philox_keep_cells(const struct philox_dropout *d, const uint32_t *row, const uint32_t *unit,
                                         size_t count) {
	uint64_t bits = 0;
	for (size_t k = 0; k < count; k += PHILOX_CELLS) {
		uint32_t last_row[PHILOX_CELLS] = {0}, last_unit[PHILOX_CELLS] = {0};
		const uint32_t *r = row + k, *u = unit + k;
		if (count - k < PHILOX_CELLS) {
			r = memcpy(last_row, r, (count - k) * sizeof *r);
			u = memcpy(last_unit, u, (count - k) * sizeof *u);
		}
		struct philox_cells cells;
#pragma GCC unroll 4
		for (int i = 0; i < PHILOX_MOST; i++) {
			cells.row[i] = philox_load(r + i * PHILOX_LANES);
			cells.unit[i] = philox_load(u + i * PHILOX_LANES);
		}
		bits |= philox_keep_lanes(d, &cells) << k;
	}
	return bits & philox_first_bits(count);
}

// The mask of units unit[k] of one row, k < count, at most 64.
static inline uint64_t philox_keep_units(const struct philox_dropout *d, uint64_t row, const uint32_t *unit,
                                         size_t count) {
	uint64_t bits = 0;
	for (size_t k = 0; k < count; k += PHILOX_CELLS) {
		uint32_t last_unit[PHILOX_CELLS] = {0};
		const uint32_t *u = unit + k;
		if (count - k < PHILOX_CELLS)
			u = memcpy(last_unit, u, (count - k) * sizeof *u);
		struct philox_cells cells;
#pragma GCC unroll 4
		for (int i = 0; i < PHILOX_MOST; i++) {
			cells.row[i] = philox_all(row);
			cells.unit[i] = philox_load(u + i * PHILOX_LANES);
		}
		bits |= philox_keep_lanes(d, &cells) << k;
	}
	return bits & philox_first_bits(count);
}

#endif
