// Philox4x32-10 (Salmon et al., SC 2011): key = the stream, counter = (block, row low, row high, epoch). Single blocks
// come from Random123; random_fill is the same rounds written so that a compiler can turn them into vector code.
// The normal is Wichura's AS 241 (PPND16), Applied Statistics 37 (1988) 477-484, with a logarithm of our own.
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

#include "base/memory.h"

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
	philox4x32_ctr_t counter = {{block, (uint32_t)row, (uint32_t)(row >> 32), epoch}};
	philox4x32_key_t key = {{(uint32_t)stream.key, (uint32_t)(stream.key >> 32)}};
	philox4x32_ctr_t value = philox4x32_R(10, counter, key);
	return (struct random_block){{value.v[0], value.v[1], value.v[2], value.v[3]}};
}

uint32_t random_u32(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return random_block_at(stream, epoch, row, unit / 4).lane[unit % 4];
}

uint64_t random_u64(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	struct random_block block = random_block_at(stream, epoch, row, unit / 2);
	size_t low = 2 * (unit % 2);
	return block.lane[low] | (uint64_t)block.lane[low + 1] << 32;
}

static double uniform_of(uint64_t u) {
	return (double)(u >> 11) * 0x1p-53;
}

double random_uniform(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	return uniform_of(random_u64(stream, epoch, row, unit));
}

// Blocks done together; a multiple of the lanes of any machine's vector registers.
enum { WIDE = 16 };

// The paper's multipliers and Weyl constants (its section 3.3), and the rounds its authors recommend.
static const uint32_t PHILOX_M0 = 0xD2511F53, PHILOX_M1 = 0xCD9E8D57;
static const uint32_t PHILOX_W0 = 0x9E3779B9, PHILOX_W1 = 0xBB67AE85;
enum { PHILOX_ROUNDS = 10 };

// Blocks first ... first + WIDE - 1 of a row, their lanes in order: out (4 * WIDE). The rounds must be unrolled for gcc
// to turn the loop over the blocks into vector code.
static void fill_wide(uint64_t key, uint32_t epoch, uint64_t row, uint32_t first, uint32_t *restrict out) {
	uint32_t low = (uint32_t)row, high = (uint32_t)(row >> 32), k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
	for (uint32_t i = 0; i < WIDE; i++) {
		uint32_t a = first + i, b = low, c = high, d = epoch;
#pragma GCC unroll 10
		for (uint32_t round = 0; round < PHILOX_ROUNDS; round++) {
			uint64_t p = (uint64_t)PHILOX_M0 * a, q = (uint64_t)PHILOX_M1 * c;
			a = (uint32_t)(q >> 32) ^ b ^ (k0 + round * PHILOX_W0);
			c = (uint32_t)(p >> 32) ^ d ^ (k1 + round * PHILOX_W1);
			b = (uint32_t)q;
			d = (uint32_t)p;
		}
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

// x = m 2^e with m in [sqrt(1/2), sqrt(2)); with s = (m - 1) / (m + 1), log m = 2 s (1 + s^2/3 + s^4/5 + ...), where
// s^2 < 0.0295, so that the terms left out are under 2^-62. log 2 stands in two parts, the first with 21 zero bits at
// its end, so that e times it is exact (as in fdlibm's e_log.c).
double random_log(double x) {
	static const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
	static const double SQRT_HALF = 0.70710678118654752440;
	assert(x > 0 && x < (double)INFINITY);
	int exponent = 0;
	if (x < 0x1p-1022) { // subnormal: no leading bit to find the exponent by
		x *= 0x1p54;
		exponent = -54;
	}
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	exponent += (int)(bits >> 52) - 1022;
	bits = (bits & 0xFFFFFFFFFFFFF) | (uint64_t)1022 << 52; // m in [1/2, 1)
	double m;
	memcpy(&m, &bits, sizeof m);
	if (m < SQRT_HALF) {
		m *= 2;
		exponent -= 1;
	}
	double f = m - 1, s = f / (2 + f), z = s * s, sum = 0;
	for (int odd = 25; odd >= 3; odd -= 2)
		sum = z * (1.0 / odd + sum);
	// 2 s = f - s f, so the large part f enters exactly and only the correction is rounded.
	return exponent * LN2_HIGH + (f - (s * (f - 2 * sum) - exponent * LN2_LOW));
}

// A ratio of two polynomials of degree 7, coefficients from the constant up.
struct ratio {
	double above[8], below[8];
};

static double ratio_at(const struct ratio *ratio, double r) {
	double above = ratio->above[7], below = ratio->below[7];
	for (int i = 6; i >= 0; i--) {
		above = above * r + ratio->above[i];
		below = below * r + ratio->below[i];
	}
	return above / below;
}

// PPND16's coefficients: the centre (a, b), the flanks (c, d) and the far tails (e, f).
static const struct ratio CENTRE = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
     3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3},
};
static const struct ratio FLANK = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9},
};
static const struct ratio TAIL = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15},
};

static const double CENTRE_HALF = 0.425;

static double centre_quantile(double q) {
	return q * ratio_at(&CENTRE, 0.180625 - q * q); // CENTRE_HALF^2
}

double random_normal_quantile(double p) {
	assert(p > 0 && p < 1);
	double q = p - 0.5;
	if (q >= -CENTRE_HALF && q <= CENTRE_HALF)
		return centre_quantile(q);
	double r = sqrt(-random_log(q < 0 ? p : 1 - p));
	double value = r <= 5 ? ratio_at(&FLANK, r - 1.6) : ratio_at(&TAIL, r - 5);
	return q < 0 ? -value : value;
}

// (u + 1/2) / 2^64 in the lower half. The upper half is mirrored, 1 - (u + 1/2) / 2^64 = (~u + 1/2) / 2^64: near 1 a
// double could not tell p from 1.
static double probability_of(uint64_t u) {
	return ((double)(int64_t)(u >> 63 ? ~u : u) + 0.5) * 0x1p-64;
}

double random_normal(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	uint64_t u = random_u64(stream, epoch, row, unit);
	double value = random_normal_quantile(probability_of(u));
	return u >> 63 ? -value : value;
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
			p[i] = probability_of(u[i]);
		for (uint32_t i = 0; i < some; i++)
			out[done + i] = centre_quantile(p[i] - 0.5);
		for (uint32_t i = 0; i < some; i++) {
			if (p[i] - 0.5 < -CENTRE_HALF)
				out[done + i] = random_normal_quantile(p[i]);
			if (u[i] >> 63)
				out[done + i] = -out[done + i];
		}
	}
}
