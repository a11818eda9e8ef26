// Strategy sobol: Sobol's sequence (USSR Comp. Math. 7, 1967), which fills the space more evenly than random points do.
// Direction numbers of Joe and Kuo (SIAM J. Sci. Comput. 30, 2008; new-joe-kuo-6.21201). A shift by the seed (XOR of
// all points with one random number an axis) makes other seeds other sequences of the same evenness.
#include "search/strategy.h"

#include "base/random.h"

enum { BITS = 32, DIMENSIONS = 21, DEGREE_MOST = 7 };

// Of dimensions 2, 3, ...: degree and inner coefficients of the primitive polynomial, first direction numbers.
static const struct direction {
	uint32_t degree, polynomial, m[DEGREE_MOST];
} directions[DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
};

static void fill_directions(size_t dimension, uint32_t v[BITS]) {
	if (!dimension) {
		for (uint32_t i = 0; i < BITS; i++)
			v[i] = UINT32_C(1) << (BITS - 1 - i);
		return;
	}
	const struct direction *d = &directions[dimension - 1];
	for (uint32_t i = 0; i < d->degree; i++)
		v[i] = d->m[i] << (BITS - 1 - i);
	for (uint32_t i = d->degree; i < BITS; i++) {
		v[i] = v[i - d->degree] ^ (v[i - d->degree] >> d->degree);
		for (uint32_t k = 1; k < d->degree; k++)
			if (d->polynomial >> (d->degree - 1 - k) & 1)
				v[i] ^= v[i - k];
	}
}

// Point number n, in the order of Antonov and Saleev (Gray code), as other programs give them.
static uint32_t sobol_bits(size_t dimension, size_t n) {
	uint32_t v[BITS], bits = 0;
	fill_directions(dimension, v);
	size_t gray = n ^ n >> 1;
	for (uint32_t i = 0; i < BITS; i++)
		if (gray >> i & 1)
			bits ^= v[i];
	return bits;
}

static void sobol_propose(const struct search *search, size_t trial, const struct known_trial *known,
                          struct setting *ret) {
	(void)known;
	for (size_t i = 0; i < search->space.count; i++) {
		const char *label = search->space.axes[i].label;
		uint32_t shift = random_u32(random_stream_make(search->config->seed, "sweep sobol", label), 0, 0, 0);
		axis_share(&search->space.axes[i], (double)(sobol_bits(i, trial) ^ shift) / 4294967296.0, &ret[i]);
	}
}

const struct strategy strategy_sobol = {
    .row = {.name = "sobol", .doc = "Sobol's sequence, shifted by the seed: more even than random; up to 21 axes"},
    .axes_max = DIMENSIONS,
    .propose = sobol_propose,
};
