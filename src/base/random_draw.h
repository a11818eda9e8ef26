// The draws of base/random.h as inline functions, for loops on any device: Philox4x32-10 (Salmon et al., SC 2011), key
// = the stream, counter = (block, row low, row high, epoch), and the normal by Wichura's AS 241 (PPND16), Applied
// Statistics 37 (1988) 477-484, with a logarithm of our own. Compiled without contraction to fma they give the same
// bits everywhere.
#ifndef AEXP_BASE_RANDOM_DRAW_H
#define AEXP_BASE_RANDOM_DRAW_H

#include "base/inline.h"
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// The paper's multipliers and Weyl constants (its section 3.3), and the rounds its authors recommend.
#define DRAW_M0 UINT64_C(0xD2511F53)
#define DRAW_M1 UINT64_C(0xCD9E8D57)
#define DRAW_W0 0x9E3779B9u
#define DRAW_W1 0xBB67AE85u
enum { DRAW_ROUNDS = 10 };

AEXP_INLINE struct random_block draw_block(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t block) {
	uint32_t a = block, b = (uint32_t)row, c = (uint32_t)(row >> 32), d = epoch;
	for (uint32_t round = 0; round < DRAW_ROUNDS; round++) {
		uint64_t p = DRAW_M0 * a, q = DRAW_M1 * c;
		a = (uint32_t)(q >> 32) ^ b ^ ((uint32_t)stream.key + round * DRAW_W0);
		c = (uint32_t)(p >> 32) ^ d ^ ((uint32_t)(stream.key >> 32) + round * DRAW_W1);
		b = (uint32_t)q;
		d = (uint32_t)p;
	}
	struct random_block ret = {{a, b, c, d}};
	return ret;
}

AEXP_INLINE uint64_t draw_u64(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	struct random_block block = draw_block(stream, epoch, row, unit / 2);
	return unit % 2 ? block.lane[2] | (uint64_t)block.lane[3] << 32 : block.lane[0] | (uint64_t)block.lane[1] << 32;
}

// x = m 2^e with m in [sqrt(1/2), sqrt(2)); with s = (m - 1) / (m + 1), log m = 2 s (1 + s^2/3 + s^4/5 + ...), where
// s^2 < 0.0295, so that the terms left out are under 2^-62. log 2 stands in two parts, the first with 21 zero bits at
// its end, so that e times it is exact (as in fdlibm's e_log.c).
AEXP_INLINE double draw_log(double x) {
	const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
	const double SQRT_HALF = 0.70710678118654752440;
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
struct draw_ratio {
	double above[8], below[8];
};

AEXP_INLINE double draw_ratio_at(const struct draw_ratio *ratio, double r) {
	double above = ratio->above[7], below = ratio->below[7];
	for (int i = 6; i >= 0; i--) {
		above = above * r + ratio->above[i];
		below = below * r + ratio->below[i];
	}
	return above / below;
}

// PPND16's coefficients: a and b of the centre, |q| <= 0.425, ...
#define DRAW_CENTRE_HALF 0.425
AEXP_INLINE double draw_centre(double q) {
	static const struct draw_ratio CENTRE = {
	    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
	     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
	    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
	     3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3},
	};
	return q * draw_ratio_at(&CENTRE, 0.180625 - q * q); // DRAW_CENTRE_HALF^2
}

// ... c and d of the flanks, e and f of the far tails.
AEXP_INLINE double draw_quantile(double p) {
	static const struct draw_ratio FLANK = {
	    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
	     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
	    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
	     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9},
	};
	static const struct draw_ratio TAIL = {
	    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
	     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
	    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
	     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15},
	};
	assert(p > 0 && p < 1);
	double q = p - 0.5;
	if (q >= -DRAW_CENTRE_HALF && q <= DRAW_CENTRE_HALF)
		return draw_centre(q);
	double r = sqrt(-draw_log(q < 0 ? p : 1 - p));
	double value = r <= 5 ? draw_ratio_at(&FLANK, r - 1.6) : draw_ratio_at(&TAIL, r - 5);
	return q < 0 ? -value : value;
}

// (u + 1/2) / 2^64 in the lower half. The upper half is mirrored, 1 - (u + 1/2) / 2^64 = (~u + 1/2) / 2^64: near 1 a
// double could not tell p from 1.
AEXP_INLINE double draw_probability(uint64_t u) {
	return ((double)(int64_t)(u >> 63 ? ~u : u) + 0.5) * 0x1p-64;
}

AEXP_INLINE double draw_normal(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit) {
	uint64_t u = draw_u64(stream, epoch, row, unit);
	double value = draw_quantile(draw_probability(u));
	return u >> 63 ? -value : value;
}

#endif
