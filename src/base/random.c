// Streams, and bulk draws: random_fill is Philox's rounds (base/random_draw.h) written so that a compiler can turn them
// into vector code.
#include "base/random.h"

#include <assert.h>
#include <stdbool.h>
#include <xxhash.h>

#include "base/memory.h"
#include "base/random_draw.h"

enum { HASH_STATE = 576 }; // bytes of XXH3's state, for the message alone: the type is opaque

struct random_stream random_stream_make(uint64_t seed, const char *purpose, const char *name) {
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL)
		memory_exhausted(HASH_STATE);
	XXH3_64bits_reset_withSeed(state, seed);
	XXH3_64bits_update(state, purpose, strlen(purpose) + 1);
	XXH3_64bits_update(state, name, strlen(name) + 1);
	struct random_stream stream = {.key = XXH3_64bits_digest(state)};
	XXH3_freeState(state);
	return stream;
}

struct random_stream random_stream_branch(struct random_stream stream, uint32_t number) {
	uint8_t bytes[] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24)};
	return number ? (struct random_stream){.key = XXH3_64bits_withSeed(bytes, sizeof(bytes), stream.key)} : stream;
}

struct random_block random_block_at(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t block) {
	return draw_block(stream, epoch, row, block);
}

uint32_t random_u32(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return random_block_at(stream, epoch, row, unit / 4).lane[unit % 4];
}

uint64_t random_u64(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return draw_u64(stream, epoch, row, unit);
}

static double uniform_of(uint64_t u) {
	return (double)(u >> 11) * 0x1p-53;
}

double random_uniform(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return uniform_of(random_u64(stream, epoch, row, unit));
}

// The rounds of one block within a loop over blocks: unrolled, for gcc to turn that loop into vector code.
#define ROUNDS(a, b, c, d, k0, k1)                                                                                     \
	_Pragma("GCC unroll 10") for (uint32_t round = 0; round < DRAW_ROUNDS; round++) {                                  \
		uint64_t p = DRAW_M0 * (a), q = DRAW_M1 * (c);                                                                 \
		(a) = (uint32_t)(q >> 32) ^ (b) ^ ((k0) + round * DRAW_W0);                                                    \
		(c) = (uint32_t)(p >> 32) ^ (d) ^ ((k1) + round * DRAW_W1);                                                    \
		(b) = (uint32_t)q;                                                                                             \
		(d) = (uint32_t)p;                                                                                             \
	}

// Blocks done together; a multiple of the lanes of any machine's vector registers.
enum { WIDE = 16 };

// Blocks first ... first + WIDE - 1 of a row, their lanes in order: out (4 * WIDE).
static void fill_wide(uint64_t key, uint32_t epoch, uint64_t row, uint32_t first, uint32_t *restrict out) {
	uint32_t low = (uint32_t)row, high = (uint32_t)(row >> 32), k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (uint32_t i = 0; i < WIDE; i++) {
		uint32_t a = first + i, b = low, c = high, d = epoch;
		ROUNDS(a, b, c, d, k0, k1)
		out[4 * i] = a;
		out[4 * i + 1] = b;
		out[4 * i + 2] = c;
		out[4 * i + 3] = d;
	}
}

void random_fill(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                 uint32_t *out) {
	uint32_t done = 0;
	while (done < count) {
		uint32_t unit = first_unit + done; // wraps at 2^32 as a caller's own sum would
		bool whole = unit % 4 == 0 && count - done >= 4 * WIDE && unit <= UINT32_MAX - 4 * WIDE;
		if (whole) {
			fill_wide(stream.key, epoch, row, unit / 4, out + done);
			done += 4 * WIDE;
			continue;
		}
		struct random_block block = random_block_at(stream, epoch, row, unit / 4);
		for (uint32_t lane = unit % 4; lane < 4 && done < count; lane++)
			out[done++] = block.lane[lane];
	}
}

// random_u64 of WIDE pairs of a row and a unit.
static void pairs_wide(uint64_t key, uint32_t epoch, const uint32_t *restrict row, const uint32_t *restrict unit,
                       uint64_t *restrict out) {
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32), low[WIDE], high[WIDE];
	for (uint32_t i = 0; i < WIDE; i++) {
		uint32_t a = unit[i] / 2, b = row[i], c = 0, d = epoch;
		ROUNDS(a, b, c, d, k0, k1)
		uint32_t odd = -(unit[i] & 1);
		low[i] = (a & ~odd) | (c & odd);
		high[i] = (b & ~odd) | (d & odd);
	}
	for (uint32_t i = 0; i < WIDE; i++)
		out[i] = low[i] | (uint64_t)high[i] << 32;
}

void random_u64_pairs(struct random_stream stream, uint32_t epoch, const uint32_t *row, const uint32_t *unit,
                      size_t count, uint64_t *out) {
	size_t i = 0;
	for (; count - i >= WIDE; i += WIDE)
		pairs_wide(stream.key, epoch, row + i, unit + i, out + i);
	for (; i < count; i++)
		out[i] = random_u64(stream, epoch, row[i], unit[i]);
}

// random_u32 of WIDE rows' unit 0.
static void rows_wide(uint64_t key, uint32_t epoch, const uint32_t *restrict row, uint32_t *restrict out) {
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (uint32_t i = 0; i < WIDE; i++) {
		uint32_t a = 0, b = row[i], c = 0, d = epoch;
		ROUNDS(a, b, c, d, k0, k1)
		out[i] = a;
	}
}

void random_u32_rows(struct random_stream stream, uint32_t epoch, const uint32_t *row, size_t count, uint32_t *out) {
	size_t i = 0;
	for (; count - i >= WIDE; i += WIDE)
		rows_wide(stream.key, epoch, row + i, out + i);
	for (; i < count; i++)
		out[i] = random_u32(stream, epoch, row[i], 0);
}

double random_log(double x) {
	return draw_log(x);
}

double random_normal_quantile(double p) {
	return draw_quantile(p);
}

double random_normal(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return draw_normal(stream, epoch, row, unit);
}

enum { BULK = 64 }; // 64-bit values at once

static uint32_t fill_bulk(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit, uint32_t left,
                          uint64_t *out) {
	uint32_t words[2 * BULK], count = left < BULK ? left : BULK;
	assert(unit <= UINT32_MAX / 2 - BULK);
	random_fill(stream, epoch, row, 2 * unit, 2 * count, words);
	for (uint32_t i = 0; i < count; i++)
		out[i] = (uint64_t)words[2 * i + 1] << 32 | words[2 * i];
	return count;
}

void random_uniforms(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                     double *out) {
	uint64_t u[BULK];
	for (uint32_t done = 0, some; done < count; done += some) {
		some = fill_bulk(stream, epoch, row, first_unit + done, count - done, u);
		for (uint32_t i = 0; i < some; i++)
			out[done + i] = uniform_of(u[i]);
	}
}

// The centre's ratio for all, side by side, and then again for the 15 % that lie outside it.
void random_normals(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                    double *out) {
	uint64_t u[BULK];
	double p[BULK];
	for (uint32_t done = 0, some; done < count; done += some) {
		some = fill_bulk(stream, epoch, row, first_unit + done, count - done, u);
		for (uint32_t i = 0; i < some; i++)
			p[i] = draw_probability(u[i]);
		for (uint32_t i = 0; i < some; i++)
			out[done + i] = draw_centre(p[i] - 0.5);
		for (uint32_t i = 0; i < some; i++) {
			if (p[i] - 0.5 < -DRAW_CENTRE_HALF)
				out[done + i] = draw_quantile(p[i]);
			if (u[i] >> 63)
				out[done + i] = -out[done + i];
		}
	}
}
