// Counter-based randomness: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), from
// Random123. A value depends on (seed, stream, epoch, row, unit) alone: no state, no order of calls, any thread.
// Only integers, + - * / and sqrt are used, so that values are the same on every machine.
#ifndef AEXP_BASE_RANDOM_H
#define AEXP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

// A stream is a purpose ("dropout", "init", "split", "order", ...) and a name (a node's, or "").
struct random_stream {
	uint64_t key; // mixed from seed, purpose and name
};

struct random_block {
	uint32_t lane[4];
};

struct random_stream random_stream_make(uint64_t seed, const char *purpose, const char *name);
// Another stream of the same purpose for each number; number 0 is the stream itself.
struct random_stream random_stream_branch(struct random_stream stream, uint32_t number);

// The four 32-bit values of units 4 * block ... 4 * block + 3 of a row at an epoch.
struct random_block random_block_at(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t block);

// out[i] = random_u32(stream, epoch, row, first_unit + i) for i < count, several blocks at a time: the one for loops.
void random_fill(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                 uint32_t *out); // (count)

// One value; the unit's lane of its block.
uint32_t random_u32(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit);
uint64_t random_u64(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit); // units 2u and 2u + 1
// out[i] = random_u32 of row[i] and unit 0, (count): the same draws, many at a time.
void random_u32_rows(struct random_stream stream, uint32_t epoch, const uint32_t *row, size_t count, uint32_t *out);
// out[i] = random_u64 of row[i] and unit[i], (count) each: the same draws, many at a time.
void random_u64_pairs(struct random_stream stream, uint32_t epoch, const uint32_t *row, const uint32_t *unit,
                      size_t count, uint64_t *out);
double random_uniform(struct random_stream stream, uint32_t epoch, uint64_t row,
                      uint32_t unit); // [0, 1), 53 bits of random_u64

// Standard normal by Wichura's inverse distribution function (AS 241, PPND16) of (random_u64 + 1/2) / 2^64, with a
// logarithm of our own for the tails (+ - * / only).
double random_normal(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit);
// out[i] = random_normal, or random_uniform, of unit first_unit + i for i < count: the same bits, several at a time.
void random_normals(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                    double *out); // (count)
void random_uniforms(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t first_unit, uint32_t count,
                     double *out);       // (count)
double random_normal_quantile(double p); // the inverse distribution function itself, 0 < p < 1
double random_log(double x);             // the natural logarithm it uses; x positive and finite; within 2 ulp of libm

#endif
