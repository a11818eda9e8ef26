// Metrics over cells: every target cell of a part counts once, whoever's it is (never a mean of users' means).
// Sums are in double, in the order of the cells. Predictions are taken as they are, unclipped. NAN without cells.
#include "eval/metrics.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// mean of (p - t)^2
static double mse_over_cells(const struct cells *cells) {
	double sum = 0;
	for (size_t i = 0; i < cells->count; i++) {
		double difference = (double)cells->prediction[i] - (double)cells->target[i];
		sum += difference * difference;
	}
	return cells->count ? sum / (double)cells->count : NAN;
}

static double rmse_over_cells(const struct cells *cells) {
	return sqrt(mse_over_cells(cells));
}

// mean of |p - t|
static double mae_over_cells(const struct cells *cells) {
	double sum = 0;
	for (size_t i = 0; i < cells->count; i++)
		sum += fabs((double)cells->prediction[i] - (double)cells->target[i]);
	return cells->count ? sum / (double)cells->count : NAN;
}

// --- accuracy ---

static float float_of_key(int64_t key) {
	uint32_t bits = key < 0 ? (uint32_t)-key | UINT32_C(0x80000000) : (uint32_t)key;
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

// The largest number that is as near to `low` as to `high`, or nearer: the lower one of two levels that are equally
// near counts. By bisection over all floats, so that a comparison with it decides as the distances do.
static float bound_between(double low, double high) {
	int64_t below = -0x7F800000, above = 0x7F800000; // keys of the infinities: near to low, not near to low
	while (above - below > 1) {
		int64_t middle = below + (above - below) / 2;
		double value = (double)float_of_key(middle);
		if (value - low <= high - value)
			below = middle;
		else
			above = middle;
	}
	return float_of_key(below);
}

// How many bounds lie below value: the index of the nearest level.
static size_t nearest_level(const float *bounds, size_t count, float value) {
	enum { FEW = 16 };
	size_t low = 0, high = count;
	if (count <= FEW) {
		for (size_t i = 0; i < count; i++)
			low += value > bounds[i];
		return low;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (value > bounds[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum { BLOCK = 1 << 16 };

struct comparison {
	const struct cells *cells;
	float *bounds; // (levels - 1)
	size_t *right; // (blocks)
};

// a prediction that is not a number is near to none
static void count_right(void *context, size_t index) {
	const struct comparison *c = context;
	const float *prediction = c->cells->prediction, *target = c->cells->target;
	size_t begin = index * BLOCK, end = c->cells->count - begin < BLOCK ? c->cells->count : begin + BLOCK;
	size_t bounds = c->cells->levels_count - 1, right = 0;
	for (size_t i = begin; i < end; i++)
		right += !isnan(prediction[i]) &&
		         nearest_level(c->bounds, bounds, prediction[i]) == nearest_level(c->bounds, bounds, target[i]);
	c->right[index] = right;
}

// share of cells whose nearest level is the target's
static double accuracy_over_cells(const struct cells *cells) {
	size_t blocks = (cells->count + BLOCK - 1) / BLOCK, right = 0;
	if (cells->count == 0 || cells->levels_count == 0)
		return NAN;
	struct comparison comparison = {.cells = cells,
	                                .bounds = memory_alloc(cells->levels_count * sizeof(float)),
	                                .right = memory_alloc(blocks * sizeof(size_t))};
	for (size_t i = 0; i + 1 < cells->levels_count; i++)
		comparison.bounds[i] = bound_between(cells->levels[i], cells->levels[i + 1]);
	pool_run(cells->pool, blocks, count_right, &comparison);
	for (size_t i = 0; i < blocks; i++)
		right += comparison.right[i];
	free(comparison.bounds);
	free(comparison.right);
	return (double)right / (double)cells->count;
}

// --- area under the ROC curve ---

enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS, RADIX_PASSES = 3 }; // 3 * 11 bits cover a key of 32

// Sorts ascending: least significant digit first, three counting passes. The result is in keys; scratch has room for as
// many.
static void sort_keys(uint32_t *keys, uint32_t *scratch, size_t count) {
	size_t place[RADIX_PASSES][RADIX_SIZE] = {{0}};
	for (size_t i = 0; i < count; i++)
		for (unsigned pass = 0; pass < RADIX_PASSES; pass++)
			place[pass][keys[i] >> (pass * RADIX_BITS) & (RADIX_SIZE - 1)]++;
	uint32_t *from = keys, *to = scratch;
	for (unsigned pass = 0; pass < RADIX_PASSES; pass++) {
		size_t before = 0;
		for (size_t digit = 0; digit < RADIX_SIZE; digit++) {
			size_t here = place[pass][digit];
			place[pass][digit] = before;
			before += here;
		}
		for (size_t i = 0; i < count; i++)
			to[place[pass][from[i] >> (pass * RADIX_BITS) & (RADIX_SIZE - 1)]++] = from[i];
		uint32_t *swap = from;
		from = to;
		to = swap;
	}
	memcpy(keys, from, count * sizeof(*keys)); // an odd number of passes ends in scratch
}

// Twice the Mann-Whitney U of the liked keys: two for each pair in the right order, one for each tie. Both are sorted.
static double twice_u(const uint32_t *liked, size_t liked_count, const uint32_t *other, size_t other_count) {
	uint64_t u = 0;
	size_t below = 0, up_to = 0; // how many of the other are < and <= liked[i]
	for (size_t i = 0; i < liked_count; i++) {
		while (below < other_count && other[below] < liked[i])
			below++;
		while (up_to < other_count && other[up_to] <= liked[i])
			up_to++;
		u += below + up_to;
	}
	return (double)u;
}

// An unsigned integer that orders like the score, which is a number; -0 and +0 are the same.
static uint32_t key_of(float score) {
	uint32_t bits;
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 31 ? UINT32_C(0x80000000) - (bits & INT32_MAX) : bits | UINT32_C(0x80000000);
}

static size_t count_liked(const struct cells *cells) {
	size_t liked = 0;
	for (size_t i = 0; i < cells->count; i++)
		liked += cells->liked[i] != 0;
	return liked;
}

// The keys of the liked cells, then those of the others; false where a prediction is not a number.
static bool gather_keys(const struct cells *cells, uint32_t *liked, uint32_t *other) {
	for (size_t i = 0; i < cells->count; i++) {
		if (isnan(cells->prediction[i]))
			return false;
		*(cells->liked[i] ? liked++ : other++) = key_of(cells->prediction[i]);
	}
	return true;
}

struct sorts {
	uint32_t *keys[2], *scratch[2]; // (count[i]) each
	size_t count[2];
};

static void sort_class(void *context, size_t index) {
	const struct sorts *sorts = context;
	sort_keys(sorts->keys[index], sorts->scratch[index], sorts->count[index]);
}

// P(score of a liked cell > score of another) + P(equal) / 2: the area under the ROC curve (Hanley and McNeil,
// Radiology 143, 1982), exactly, by sorting. NAN where a class is missing or a score is not a number.
static double auc_over_cells(const struct cells *cells) {
	size_t liked = count_liked(cells), other = cells->count - liked, bytes;
	if (liked == 0 || other == 0)
		return NAN;
	bool fits = memory_product(cells->count, 2 * sizeof(uint32_t), &bytes);
	assert(fits); // the predictions alone are half as many bytes
	(void)fits;
	uint32_t *keys = memory_resize(NULL, bytes), *scratch = keys + cells->count;
	struct sorts sorts = {{keys, keys + liked}, {scratch, scratch + liked}, {liked, other}};
	double auc = NAN;
	if (gather_keys(cells, keys, keys + liked)) {
		pool_run(cells->pool, 2, sort_class, &sorts);
		auc = twice_u(keys, liked, keys + liked, other) / (2.0 * (double)liked * (double)other);
	}
	free(keys);
	return auc;
}

const struct metric metric_mse = {
    .row = {.name = "mse", .doc = "Mean squared error over the target cells, unclipped"},
    .over_cells = mse_over_cells,
};

const struct metric metric_rmse = {
    .row = {.name = "rmse", .doc = "Square root of the mean squared error over the target cells, unclipped"},
    .over_cells = rmse_over_cells,
};

const struct metric metric_mae = {
    .row = {.name = "mae", .doc = "Mean absolute error over the target cells, unclipped"},
    .over_cells = mae_over_cells,
};

const struct metric metric_accuracy = {
    .row = {.name = "accuracy", .doc = "Share of target cells whose nearest level is the target's, ties to the lower"},
    .higher_is_better = true,
    .over_cells = accuracy_over_cells,
};

const struct metric metric_auc = {
    .row = {.name = "auc",
            .doc = "Probability that a liked target cell scores above one that is not liked, ties count half"},
    .higher_is_better = true,
    .over_cells = auc_over_cells,
};
