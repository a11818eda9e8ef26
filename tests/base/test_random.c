// Randomness: Philox against its published vectors and Random123, streams, the normal's quantiles against values of 20
// digits (mpmath), its inverse through erfc, moments and shape of a million draws, and frozen values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

#include "base/random.h"

// philox4x32_10 of Random123's kat_vectors: counter, key, value.
static const struct {
	uint32_t counter[4], key[2], value[4];
} KNOWN[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void known_answers(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++) {
		struct random_stream stream = {KNOWN[i].key[0] | (uint64_t)KNOWN[i].key[1] << 32};
		uint64_t row = KNOWN[i].counter[1] | (uint64_t)KNOWN[i].counter[2] << 32;
		struct random_block block = random_block_at(stream, KNOWN[i].counter[3], row, KNOWN[i].counter[0]);
		assert_memory_equal(block.lane, KNOWN[i].value, sizeof block.lane);
	}
}

// random_fill's own rounds: the first vector's counter is unit 0, and many more against Random123 itself.
static void fill_is_philox(void **state) {
	(void)state;
	uint32_t out[256];
	random_fill((struct random_stream){0}, 0, 0, 0, 256, out);
	assert_memory_equal(out, KNOWN[0].value, sizeof KNOWN[0].value);
	struct random_stream stream = random_stream_make(9, "test", "fill");
	for (uint32_t trial = 0; trial < 500; trial++) {
		struct random_stream other = {random_u64(stream, 0, trial, 0)};
		uint64_t row = random_u64(stream, 0, trial, 1);
		uint32_t epoch = random_u32(stream, 0, trial, 10), first = random_u32(stream, 0, trial, 11) & ~3u;
		random_fill(other, epoch, row, first, 256, out);
		for (uint32_t block = 0; block < 64; block++) {
			philox4x32_ctr_t counter = {
			    {(first / 4 + block) % (1u << 30), (uint32_t)row, (uint32_t)(row >> 32), epoch}};
			philox4x32_key_t key = {{(uint32_t)other.key, (uint32_t)(other.key >> 32)}};
			philox4x32_ctr_t expected = philox4x32_R(10, counter, key);
			assert_memory_equal(out + 4 * block, expected.v, sizeof expected.v);
		}
	}
}

static void fill_is_one_value_after_the_other(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(9, "test", "fill");
	static const uint32_t firsts[] = {0,         1, 2, 3, 4, 63, 64, 65, 1000003, UINT32_MAX - 100, UINT32_MAX - 63,
	                                  UINT32_MAX};
	static const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 60, 63, 64, 65, 67, 68, 127, 128, 200};
	for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; f++) {
		for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
			uint32_t out[201];
			memset(out, 0xab, sizeof out);
			random_fill(stream, 7, UINT64_C(0x123456789abcdef0), firsts[f], counts[c], out);
			for (uint32_t i = 0; i < counts[c]; i++)
				assert_int_equal(out[i], random_u32(stream, 7, UINT64_C(0x123456789abcdef0), firsts[f] + i));
			assert_int_equal(out[counts[c]], 0xabababab); // nothing written behind
		}
	}
}

static void values_are_parts_of_blocks(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(1, "test", "parts");
	for (uint32_t unit = 0; unit < 1000; unit++) {
		struct random_block block = random_block_at(stream, 3, 12, unit / 4);
		assert_int_equal(random_u32(stream, 3, 12, unit), block.lane[unit % 4]);
		uint64_t low = random_u32(stream, 3, 12, 2 * unit), high = random_u32(stream, 3, 12, 2 * unit + 1);
		assert_true(random_u64(stream, 3, 12, unit) == (low | high << 32));
		assert_true(random_uniform(stream, 3, 12, unit) == ldexp((double)((low | high << 32) >> 11), -53));
	}
	// Unit numbers from 2^31 on have no u32 units of their own, but values all the same.
	assert_true(random_u64(stream, 0, 0, UINT32_MAX) != random_u64(stream, 0, 0, UINT32_MAX / 2));
}

static void streams_are_told_apart(void **state) {
	(void)state;
	static const struct {
		uint64_t seed;
		const char *purpose, *name;
	} made[] = {
	    {0, "", ""},
	    {1, "", ""},
	    {0, "dropout", "a"},
	    {1, "dropout", "a"},
	    {0, "dropout", "b"},
	    {0, "dropouta", ""},
	    {0, "", "dropouta"},
	    {0, "drop", "outa"},
	    {0, "init", "a"},
	    {UINT64_MAX, "", ""},
	    {UINT64_C(1) << 32, "dropout", "a"},
	};
	enum { COUNT = sizeof made / sizeof made[0] };
	struct random_stream streams[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		streams[i] = random_stream_make(made[i].seed, made[i].purpose, made[i].name);
		for (size_t j = 0; j < i; j++)
			assert_true(streams[i].key != streams[j].key);
	}
	// The key is XXH3's hash, with the seed, of both names and their ends.
	assert_true(streams[2].key == XXH3_64bits_withSeed("dropout\0a", 10, 0));
	assert_true(streams[3].key == XXH3_64bits_withSeed("dropout\0a", 10, 1));
	char name[1001] = ""; // beyond XXH3's short inputs
	memset(name, 'n', 1000);
	char both[1006];
	memcpy(both, "init", 5);
	memcpy(both + 5, name, 1001);
	assert_true(random_stream_make(77, "init", name).key == XXH3_64bits_withSeed(both, 1006, 77));
	// A branch's is the hash of its number, lowest byte first, with the stream's key for a seed.
	assert_true(random_stream_branch(streams[0], 0).key == streams[0].key);
	assert_true(random_stream_branch(streams[0], 258).key == XXH3_64bits_withSeed("\2\1\0", 4, streams[0].key));
}

// A changed bit anywhere in the position changes half of the bits of the value.
static void positions_are_well_mixed(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(1, "test", "mixed");
	double changed[3] = {0};
	enum { TRIALS = 4000 };
	for (uint32_t i = 0; i < TRIALS; i++) {
		uint64_t row = random_u64(stream, 1, 0, i);
		uint32_t base = random_u32(stream, 5, row, 8);
		changed[0] += __builtin_popcount(base ^ random_u32(stream, 5 ^ 1u << i % 32, row, 8));
		changed[1] += __builtin_popcount(base ^ random_u32(stream, 5, row ^ UINT64_C(1) << i % 64, 8));
		changed[2] += __builtin_popcount(base ^ random_u32(stream, 5, row, 8 ^ 1u << i % 32));
	}
	for (size_t i = 0; i < 3; i++) // 16 of 32, standard deviation sqrt(8 / 4000) = 0.045
		assert_true(fabs(changed[i] / TRIALS - 16) < 0.25);
}

static void uniform_is_flat(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(2, "test", "uniform");
	enum { BINS = 100, DRAWS = 200000 };
	double count[BINS] = {0}, chi = 0, lag = 0, before = 0.5;
	for (uint32_t i = 0; i < DRAWS; i++) {
		double value = random_uniform(stream, 0, i / 50, i % 50);
		assert_true(value >= 0 && value < 1);
		count[(size_t)(value * BINS)]++;
		lag += (value - 0.5) * (before - 0.5) * 12;
		before = value;
	}
	for (size_t i = 0; i < BINS; i++)
		chi += (count[i] - DRAWS / BINS) * (count[i] - DRAWS / BINS) / (DRAWS / BINS);
	assert_true(chi > 45 && chi < 170);     // 99 degrees of freedom: mean 99, sd 14
	assert_true(fabs(lag / DRAWS) < 0.011); // sd 1 / sqrt(200000) = 0.0022
}

// Twenty digits from mpmath's erfc and Newton's iteration at 60 digits.
static const struct {
	double p, x;
} QUANTILES[] = {
    {0x1p-1074, -38.467405617144346251},   {0x1p-1022, -37.519379347144499821},
    {1e-300, -37.047096299361199237},      {1e-100, -21.273453560965324294},
    {1e-20, -9.2623400897984075796},       {0x1p-65, -9.155293772686072546},
    {1e-12, -7.0344838253011319326},       {1.3887943864964021e-11, -6.6579046435011035837},
    {1e-6, -4.7534243088228989573},        {0.001, -3.0902323061678135354},
    {0.01, -2.3263478740408410931},        {0.02425, -1.9729610513118848376},
    {0.07, -1.4757910281791706856},        {0.0749, -1.4402382675279636631},
    {0.075, -1.4395314709384559349},       {0.0751, -1.4388253927525399824},
    {0.1, -1.2815515655446004353},         {0.25, -0.6744897501960817432},
    {0.4, -0.25334710313579974132},        {0.4999999, -2.5066282747031065135e-7},
    {0.5000001, 2.5066282733116483012e-7}, {0.6, 0.25334710313579974132},
    {0.75, 0.6744897501960817432},         {0.925, 1.4395314709384562291},
    {0.9251, 1.4402382675279638594},       {0.975, 1.9599639845400538556},
    {0.999, 3.0902323061678132778},        {0.999999, 4.7534243088170877657},
    {0.9999999999, 6.3613408896974218642}, {0x1.fffffffffffffp-1, 8.2095361516013868556},
};

static void quantiles(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof QUANTILES / sizeof QUANTILES[0]; i++) {
		double x = random_normal_quantile(QUANTILES[i].p), wanted = QUANTILES[i].x;
		// Near 1/2 the value is a small difference; p itself is rounded there, so the error is held absolutely.
		if (fabs(x - wanted) > 1e-15 + 1e-15 * fabs(wanted))
			fail_msg("quantile(%.17g) = %.17g, wanted %.17g", QUANTILES[i].p, x, wanted);
	}
	assert_true(random_normal_quantile(0.5) == 0);
}

// P(quantile(p)) = p through the C library's erfc; an error dx in x shows as density(x) dx.
static void quantile_inverts_the_distribution(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(3, "test", "quantile");
	for (uint32_t i = 0; i < 100000; i++) {
		double p = random_uniform(stream, 0, 0, i) + 0x1p-54;
		if (i % 2)
			p = ldexp(p, -(int)(i / 2 % 60)); // into the tail
		if (p >= 1)
			continue;
		double x = random_normal_quantile(p);
		double density = exp(-x * x / 2) * 0.39894228040143267794;
		double error = (erfc(-x / sqrt(2)) / 2 - p) / density;
		if (!(fabs(error) < 1e-13 || (p > 0.5 && fabs(erfc(-x / sqrt(2)) / 2 - p) < 2 * DBL_EPSILON)))
			fail_msg("quantile(%.17g) = %.17g is off by %g", p, x, error);
	}
	for (int i = 1; i < 1024; i++) { // p and 1 - p both exact: odd, bit for bit, and rising
		double p = i / 2048.0;
		assert_true(random_normal_quantile(p) == -random_normal_quantile(1 - p));
		assert_true(random_normal_quantile(p) < random_normal_quantile((i + 1) / 2048.0));
	}
	double joints[] = {0.075, 0.925, 0x1.e8a7e1f3b7c5bp-37}; // where one ratio hands over to the next
	for (size_t i = 0; i < 3; i++) {
		double low = random_normal_quantile(joints[i] * (1 - 1e-14)),
		       high = random_normal_quantile(joints[i] * (1 + 1e-14));
		assert_true(high - low < 1e-12 && high - low > -1e-15);
	}
}

static void logarithm(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(4, "test", "log");
	assert_true(random_log(1) == 0);
	double worst = 0;
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t bits = random_u64(stream, 0, 0, i) & INT64_MAX;
		double x;
		memcpy(&x, &bits, sizeof x);
		if (i % 3 == 0)
			x = 1 + ldexp(random_uniform(stream, 1, 0, i) - 0.5, -(int)(i / 3 % 50)); // near 1, where it is small
		else if (i % 3 == 1)
			x = random_uniform(stream, 1, 0, i);
		if (!(x > 0 && x <= DBL_MAX) || x == 1)
			continue;
		double wanted = log(x), ulp = nextafter(fabs(wanted), INFINITY) - fabs(wanted);
		worst = fmax(worst, fabs(random_log(x) - wanted) / ulp);
	}
	if (worst > 2)
		fail_msg("random_log is %g ulp away from the C library's", worst);
	static const double edges[] = {DBL_TRUE_MIN, DBL_MIN, DBL_MAX, 0.70710678118654752, 0.70710678118654757, 2, 0.5};
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		assert_true(fabs(random_log(edges[i]) - log(edges[i])) <= 2 * DBL_EPSILON * fabs(log(edges[i])));
}

// Standard errors of a million draws: mean 0.001, variance 0.0014, third moment 0.0039 (15 / n), fourth 0.0098 (96 /
// n).
static void normals_have_the_moments(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(2017, "test", "normal");
	enum { DRAWS = 1000000, BINS = 64 };
	double sum[5] = {0}, lag = 0, before = 0, count[BINS] = {0}, chi = 0;
	for (uint32_t i = 0; i < DRAWS; i++) {
		double x = random_normal(stream, 1, i / 64, i % 64), power = 1;
		for (size_t k = 0; k < 5; k++, power *= x)
			sum[k] += power;
		lag += x * before;
		before = x;
		double p = erfc(-x / sqrt(2)) / 2; // uniform, if x is normal
		count[p >= 1 ? BINS - 1 : (size_t)(p * BINS)]++;
	}
	for (size_t i = 0; i < BINS; i++)
		chi += (count[i] - (double)DRAWS / BINS) * (count[i] - (double)DRAWS / BINS) / ((double)DRAWS / BINS);
	assert_true(fabs(sum[1] / DRAWS) < 0.005);
	assert_true(fabs(sum[2] / DRAWS - 1) < 0.007);
	assert_true(fabs(sum[3] / DRAWS) < 0.02);
	assert_true(fabs(sum[4] / DRAWS - 3) < 0.05);
	assert_true(fabs(lag / DRAWS) < 0.005);
	assert_true(chi > 25 && chi < 125); // 63 degrees of freedom: mean 63, sd 11
}

static void bulk_is_one_by_one(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(9, "init", "bulk");
	static double normal[5000], even[5000];
	for (uint32_t count = 0; count < 200; count += 13) {
		uint32_t first = count * 7 % 11;
		random_normals(stream, 2, count, first, count, normal);
		random_uniforms(stream, 2, count, first, count, even);
		for (uint32_t i = 0; i < count; i++) {
			assert_true(normal[i] == random_normal(stream, 2, count, first + i));
			assert_true(even[i] == random_uniform(stream, 2, count, first + i));
		}
	}
	random_normals(stream, 0, 1, 0, 5000, normal); // long enough for both tails
	for (uint32_t i = 0; i < 5000; i++)
		assert_true(normal[i] == random_normal(stream, 0, 1, i));
}

// The promise "the same on every machine": these values were written down once and may never change. An independent
// Philox (Python) gave the integers; mpmath's normals are the same within 2 units in the last place.
static void frozen_values(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(2017, "dropout", "taste");
	assert_true(stream.key == UINT64_C(0x362daf4842afa32f));
	static const uint32_t first[8] = {0x2611930c, 0x8c8030b1, 0x1c46078d, 0x39ebc5c4,
	                                  0xbfecc4ec, 0x1cbe3b50, 0xab081f88, 0xef9b791f};
	static const double normal[4] = {0x1.f69d2bd49bf37p-4, -0x1.80a2a4c3c5809p-1, -0x1.36e9b8183cfadp+0,
	                                 0x1.85926d55e6b24p+0};
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(random_u32(stream, 3, 12345, i), first[i]);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(random_normal(stream, 3, 12345, i) == normal[i]);
	assert_true(random_uniform(stream, 3, 12345, 0) == 0x1.190061624c232p-1);
}

static void pairs_are_single_draws(void **state) {
	(void)state;
	enum { MOST = 100 };
	struct random_stream stream = random_stream_make(5, "test", "pairs");
	uint32_t row[MOST], unit[MOST];
	uint64_t out[MOST];
	for (uint32_t i = 0; i < MOST; i++) {
		row[i] = i % 3 == 0 ? UINT32_MAX - i : i * 7919;
		unit[i] = i % 5 == 0 ? UINT32_MAX - i : i * 31;
	}
	for (size_t count = 0; count <= MOST; count++) {
		for (size_t i = 0; i < MOST; i++)
			out[i] = 1;
		random_u64_pairs(stream, (uint32_t)count, row, unit, count, out);
		for (size_t i = 0; i < MOST; i++)
			assert_true(out[i] == (i < count ? random_u64(stream, (uint32_t)count, row[i], unit[i]) : 1));
	}
}

static void rows_are_single_draws(void **state) {
	(void)state;
	enum { MOST = 50 };
	struct random_stream stream = random_stream_make(7, "test", "rows");
	uint32_t row[MOST];
	random_fill(stream, 9, 9, 0, MOST, row);
	for (size_t count = 0; count < MOST; count++) {
		uint32_t out[MOST];
		memset(out, 0xFF, sizeof(out));
		random_u32_rows(stream, (uint32_t)count, row, count, out);
		for (size_t i = 0; i < MOST; i++)
			assert_true(out[i] == (i < count ? random_u32(stream, (uint32_t)count, row[i], 0) : UINT32_MAX));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_single_draws),
	    cmocka_unit_test(pairs_are_single_draws),
	    cmocka_unit_test(known_answers),
	    cmocka_unit_test(fill_is_philox),
	    cmocka_unit_test(bulk_is_one_by_one),
	    cmocka_unit_test(fill_is_one_value_after_the_other),
	    cmocka_unit_test(values_are_parts_of_blocks),
	    cmocka_unit_test(streams_are_told_apart),
	    cmocka_unit_test(positions_are_well_mixed),
	    cmocka_unit_test(uniform_is_flat),
	    cmocka_unit_test(quantiles),
	    cmocka_unit_test(quantile_inverts_the_distribution),
	    cmocka_unit_test(logarithm),
	    cmocka_unit_test(normals_have_the_moments),
	    cmocka_unit_test(frozen_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
