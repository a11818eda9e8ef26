// exp, expm1, log, log1p and tanh of a float, for loops: no branch, no table and no call, only + - * / and integer
// operations on the bits, so that gcc and clang turn a plain loop over them into vectors of any width. Within 2 ulp of
// the true value (1.5 at most over every seventh float; tests/tensor/test_exponential.c); contraction to fma may change
// the last bit between instruction sets. Infinities, NaN and the ends of the range are as in ISO C's annex F, without
// errno, flags, and the sign of a zero. Where the processor flushes denormals, they count as 0, as argument and as
// result.
//
// The polynomials are minimax, found by the Remez exchange in 60 decimal digits and then rounded to float; each one's
// line says what it minimises over which interval, and the largest error before the rounding.
#ifndef AEXP_TENSOR_EXPONENTIAL_H
#define AEXP_TENSOR_EXPONENTIAL_H

#include "base/inline.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

AEXP_INLINE uint32_t float_bits(float x) {
	uint32_t bits;
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}
AEXP_INLINE float float_of_bits(uint32_t bits) {
	float x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

// A float's exponent begins at bit 23.
#define EXPONENT_BIT 23
#define ONE_BITS UINT32_C(0x3f800000)       // of 1.0f
#define HALF_ROOT_BITS UINT32_C(0x3f3504f3) // of sqrt(1/2)
#define SIGN_BIT UINT32_C(0x80000000)

// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits of the sum.
#define ROUNDER 0x1.8p23f
#define ROUNDER_BITS UINT32_C(0x4b400000)
#define LOG2_E 0x1.715476p0f
// ln 2 in two parts. The first has 15 bits, so that its product with an exponent is exact without fma too.
#define LN_2_HIGH 0x1.62e4p-1f
#define LN_2_LOW 0x1.7f7d1cp-20f

// x = n ln 2 + r + rest, |r| <= ln 2 / 2, and 2^n = first * last: at both ends 2^n alone is outside of a float's range.
struct exponential_parts {
	float r, rest;
	float first, last, last_inverse;
};

// Beyond +-`limit` x counts as that. No path has a constant for x, so that gcc does not double the code for it.
AEXP_INLINE struct exponential_parts exponential_split(float x, float limit) {
	uint32_t sign = float_bits(x) & SIGN_BIT;
	float size = float_of_bits(float_bits(x) ^ sign);
	x = float_of_bits(float_bits(size > limit ? limit : size) | sign);
	float rounded = x * LOG2_E + ROUNDER, n = rounded - ROUNDER;
	float near = x - n * LN_2_HIGH, r = near - n * LN_2_LOW;
	uint32_t whole = float_bits(rounded) - ROUNDER_BITS;
	uint32_t half = (uint32_t)((int32_t)whole >> 1) << EXPONENT_BIT, other = (whole << EXPONENT_BIT) - half;
	return (struct exponential_parts){
	    r,
	    (near - r) - n * LN_2_LOW,
	    float_of_bits(ONE_BITS + half),
	    float_of_bits(ONE_BITS + other),
	    float_of_bits(ONE_BITS - other),
	};
}

// e^-104 rounds to 0, and e^89 is beyond the largest float.
AEXP_INLINE float float_exp(float x) {
	struct exponential_parts p = exponential_split(x, 104);
	float r = p.r;
	// (e^r - 1 - r) / r^2; 3.1e-9 relative to e^r, |r| <= ln 2 / 2
	float q = 0x1.6a2432p-10f;
	q = q * r + 0x1.1239e2p-7f;
	q = q * r + 0x1.5558f2p-5f;
	q = q * r + 0x1.555492p-3f;
	q = q * r + 0x1.fffffcp-2f;
	return (1 + (r + r * r * q)) * p.first * p.last;
}

// (2^n - 1) + 2^n r is rounded first and the small rest added, for the sake of n = 1 and r < 0 where they nearly
// cancel.
AEXP_INLINE float expm1_within(float x, float limit) {
	struct exponential_parts p = exponential_split(x, limit);
	float r = p.r;
	// (e^r - 1 - r) / r^2; 2.4e-10 relative to e^r - 1, |r| <= ln 2 / 2
	float q = 0x1.a032bep-13f;
	q = q * r + 0x1.6d71f8p-10f;
	q = q * r + 0x1.11118ap-7f;
	q = q * r + 0x1.5554b2p-5f;
	q = q * r + 0x1.555554p-3f;
	q = q * r + 0x1p-1f;
	return (((p.first - p.last_inverse) + p.first * r) + p.first * (r * r * q + p.rest)) * p.last;
}
AEXP_INLINE float float_expm1(float x) {
	return expm1_within(x, 104);
}

// t / (t + 2) with t = e^(2|x|) - 1, whose errors die away as t grows, and 1 from e^20 on; below 0.4 a polynomial.
AEXP_INLINE float float_tanh(float x) {
	uint32_t sign = float_bits(x) & SIGN_BIT;
	float size = float_of_bits(float_bits(x) ^ sign);
	float t = expm1_within(2 * size, 20);
	float large = float_of_bits(float_bits(t / (t + 2)) | sign);
	// (tanh(x) / x - 1) / z with z = x^2; 1.8e-9 relative to tanh(x), |x| <= 0.4
	float z = x * x;
	float q = 0x1.331a4cp-6f;
	q = q * z - 0x1.b6c786p-5f;
	q = q * z + 0x1.1105f4p-3f;
	q = q * z - 0x1.55553ep-2f;
	float small = x + x * (z * q);
	return size < 0.4f ? small : large;
}

// ln(2^e (1 + f)) with 1 + f in [sqrt(1/2), sqrt(2)).
AEXP_INLINE float log_of_parts(float e, float f) {
	// (ln(1 + f) - f + f^2 / 2) / f^3; 7.5e-10 relative to ln(1 + f), sqrt(1/2) <= 1 + f <= sqrt(2)
	// in pairs, since the chain of one product after another is what a loop waits for
	float square = f * f;
	float q = 0x1.1457b6p-4f;
	q = q * square + (0x1.e6f066p-4f - 0x1.de3c1ap-4f * f);
	q = q * square + (0x1.233768p-3f - 0x1.fc2206p-4f * f);
	q = q * square + (0x1.99a4b6p-3f - 0x1.555c4ep-3f * f);
	q = q * square + (0x1.555548p-2f - 0x1.000006p-2f * f);
	float low = square * f * q + e * LN_2_LOW;
	return (f + (low - 0.5f * square)) + e * LN_2_HIGH;
}

// `y` where the logarithm's argument u is finite and positive, and what the standard says elsewhere.
AEXP_INLINE float log_ends(float u, float y) {
	y = u < INFINITY ? y : u;
	y = u > 0 ? y : NAN;
	return u == 0 ? -INFINITY : y;
}

// The exponent of a positive float, so that the mantissa is in [sqrt(1/2), sqrt(2)).
AEXP_INLINE int32_t log_exponent(float x) {
	return (int32_t)(float_bits(x) - HALF_ROOT_BITS) >> EXPONENT_BIT;
}

AEXP_INLINE float float_log(float x) {
	float normal = x < 0x1p-126f ? x * 0x1p24f : x;
	float shift = x < 0x1p-126f ? -24.0f : 0.0f;
	int32_t e = log_exponent(normal);
	float f = float_of_bits(float_bits(normal) - ((uint32_t)e << EXPONENT_BIT)) - 1;
	return log_ends(x, log_of_parts((float)e + shift, f));
}

// As log(1 + x), but f = x 2^-e + (2^-e - 1), since 1 + x has lost digits of x. 2^-e is formed as a quarter of 2^(2 -
// e), which is a normal number up to the largest e, 128.
AEXP_INLINE float float_log1p(float x) {
	float u = 1 + x;
	int32_t e = log_exponent(u);
	uint32_t shift = (uint32_t)e << EXPONENT_BIT;
	float four = float_of_bits(ONE_BITS + (2u << EXPONENT_BIT) - shift);
	float f = float_of_bits(float_bits(x) - shift) + (0.25f * four - 1);
	return log_ends(u, log_of_parts((float)e, f));
}

#undef EXPONENT_BIT
#undef ONE_BITS
#undef HALF_ROOT_BITS
#undef SIGN_BIT
#undef ROUNDER
#undef ROUNDER_BITS
#undef LOG2_E
#undef LN_2_HIGH
#undef LN_2_LOW

#endif
