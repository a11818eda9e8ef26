// See importance.h. A region of the space is one set of bins an axis, a bit each; so is a leaf of a tree.
#include "report/importance.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A tree of n points has at most about SPLIT_SHARE leaves: the cost of the shares grows with them.
enum { DEPTH_MOST = 64, SPLIT_SHARE = 256 };

static uint64_t bit(size_t bin) {
	return UINT64_C(1) << bin;
}

static uint64_t all_bins(const struct importance_axis *axis) {
	return axis->bins == IMPORTANCE_BINS ? UINT64_MAX : bit(axis->bins) - 1;
}

// --- bins of numbers ---

struct placed {
	double x;
	size_t place;
};

static int by_x(const void *a, const void *b) {
	const struct placed *left = a, *right = b;
	int order = (left->x > right->x) - (left->x < right->x);
	return order ? order : (left->place > right->place) - (left->place < right->place);
}

static size_t count_different(const struct placed *points, size_t count) {
	size_t different = count > 0;
	for (size_t i = 1; i < count; i++)
		different += points[i].x > points[i - 1].x;
	return different;
}

// Borders stand in share[] while the bins are made: where each begins.
static void cut(const struct placed *points, size_t count, struct importance_axis *axis, uint8_t *bin, size_t stride) {
	size_t different = count_different(points, count);
	size_t most = different < IMPORTANCE_REAL_BINS ? different : IMPORTANCE_REAL_BINS;
	for (size_t i = 0; i < count; i++) {
		bool next = i > 0 && points[i].x > points[i - 1].x;
		// One bin for each where they are few, else as many points in each.
		if (i == 0 || (next && (different <= most || i * most >= axis->bins * count))) {
			axis->share[axis->bins] = i ? (points[i - 1].x + points[i].x) / 2 : 0;
			axis->bins++;
		}
		bin[points[i].place * stride] = (uint8_t)(axis->bins - 1);
	}
	for (size_t i = 0; i < axis->bins; i++)
		axis->share[i] = (i + 1 < axis->bins ? axis->share[i + 1] : 1) - axis->share[i];
}

void importance_bins(const double *x, size_t count, struct importance_axis *ret_axis, uint8_t *bin, size_t stride) {
	struct placed *points = memory_alloc((count + 1) * sizeof(*points));
	size_t present = 0;
	for (size_t i = 0; i < count; i++)
		if (!isnan(x[i]))
			points[present++] = (struct placed){x[i], i};
	*ret_axis = (struct importance_axis){.ordered = true, .absent = present < count};
	qsort(points, present, sizeof(*points), by_x);
	cut(points, present, ret_axis, bin, stride);
	free(points);
	if (!ret_axis->absent)
		return;
	double rest = (double)present / (double)count;
	for (size_t i = 0; i < ret_axis->bins; i++)
		ret_axis->share[i] *= rest;
	ret_axis->share[ret_axis->bins++] = 1 - rest;
	for (size_t i = 0; i < count; i++)
		if (isnan(x[i]))
			bin[i * stride] = (uint8_t)(ret_axis->bins - 1);
}

// --- trees ---

struct tree {
	const struct importance_data *data;
	size_t *point;    // (count) drawn with replacement; a node's stand side by side
	size_t least;     // points that a node must have to be split
	uint64_t *region; // (DEPTH_MOST + 2, axes_count) of the nodes from the root down
	uint64_t *leaf;   // (leaves, axes_count)
	double *value;    // (leaves)
	size_t leaves;
};

struct split {
	size_t axis;
	uint64_t left;
	double gain;
};

struct bin_sum {
	size_t bin, count;
	double sum;
};

static int by_mean(const void *a, const void *b) {
	const struct bin_sum *left = a, *right = b;
	double one = left->sum / (double)left->count, two = right->sum / (double)right->count;
	int order = (one > two) - (one < two);
	return order ? order : (left->bin > right->bin) - (left->bin < right->bin);
}

// The bins that hold points of the node; by mean where they have no order of their own (Fisher 1958: the best split
// into two sets is one of those).
static size_t sum_bins(const struct tree *tree, size_t begin, size_t end, size_t axis,
                       struct bin_sum sums[IMPORTANCE_BINS]) {
	const struct importance_data *data = tree->data;
	struct bin_sum all[IMPORTANCE_BINS] = {0};
	size_t count = 0;
	for (size_t i = begin; i < end; i++) {
		struct bin_sum *sum = &all[data->bin[tree->point[i] * data->axes_count + axis]];
		sum->count++;
		sum->sum += data->value[tree->point[i]];
	}
	for (size_t i = 0; i < data->axes[axis].bins; i++)
		if (all[i].count) {
			all[i].bin = i;
			sums[count++] = all[i];
		}
	if (!data->axes[axis].ordered)
		qsort(sums, count, sizeof(*sums), by_mean);
	return count;
}

// Bins of a range without points go half to either side, but never to what is absent.
static uint64_t left_of_range(const struct importance_axis *axis, size_t last, size_t next) {
	bool absent = axis->absent && next == axis->bins - 1;
	size_t end = absent ? next : (last + next) / 2 + 1; // at most `next`, which is above `last`
	return bit(end) - 1;
}

// Categories without points go to the side with more.
static uint64_t left_of_set(const struct bin_sum *sums, size_t count, size_t cut, size_t points_left, size_t points) {
	uint64_t left = 0, seen = 0;
	for (size_t i = 0; i < count; i++) {
		seen |= bit(sums[i].bin);
		left |= i <= cut ? bit(sums[i].bin) : 0;
	}
	return 2 * points_left >= points ? left | ~seen : left;
}

static void try_axis(const struct tree *tree, size_t begin, size_t end, size_t axis, double total, struct split *best) {
	struct bin_sum sums[IMPORTANCE_BINS];
	size_t count = sum_bins(tree, begin, end, axis, sums), points = end - begin, left = 0;
	double sum = 0;
	for (size_t i = 0; i + 1 < count; i++) {
		left += sums[i].count;
		sum += sums[i].sum;
		double rest = total - sum;
		double gain = sum * sum / (double)left + rest * rest / (double)(points - left) - total * total / (double)points;
		if (gain <= best->gain)
			continue;
		best->gain = gain;
		best->axis = axis;
		best->left = tree->data->axes[axis].ordered
		                 ? left_of_range(&tree->data->axes[axis], sums[i].bin, sums[i + 1].bin)
		                 : left_of_set(sums, count, i, left, points);
	}
}

// The points of the left side first; where the right one begins. The order within the sides stays.
static size_t divide(struct tree *tree, size_t begin, size_t end, const struct split *split) {
	const struct importance_data *data = tree->data;
	size_t *right = memory_alloc((end - begin) * sizeof(*right)), rights = 0, middle = begin;
	for (size_t i = begin; i < end; i++) {
		size_t point = tree->point[i];
		if (split->left & bit(data->bin[point * data->axes_count + split->axis]))
			tree->point[middle++] = point;
		else
			right[rights++] = point;
	}
	memcpy(tree->point + middle, right, rights * sizeof(*right));
	free(right);
	return middle;
}

static void add_leaf(struct tree *tree, const uint64_t *region, double value) {
	size_t axes = tree->data->axes_count;
	memcpy(tree->leaf + tree->leaves * axes, region, axes * sizeof(*region));
	tree->value[tree->leaves++] = value;
}

// What rounding leaves of a gain of nothing.
static const double NO_GAIN = 1e-12;

static void grow(struct tree *tree, size_t begin, size_t end, size_t depth) {
	size_t axes = tree->data->axes_count;
	uint64_t *region = tree->region + depth * axes, *below = region + axes;
	double total = 0, squares = 0;
	for (size_t i = begin; i < end; i++) {
		double value = tree->data->value[tree->point[i]];
		total += value;
		squares += value * value;
	}
	struct split split = {.gain = NO_GAIN * squares};
	for (size_t axis = 0; end - begin >= tree->least && depth < DEPTH_MOST && axis < axes; axis++)
		try_axis(tree, begin, end, axis, total, &split);
	if (split.left == 0) {
		add_leaf(tree, region, total / (double)(end - begin));
		return;
	}
	size_t middle = divide(tree, begin, end, &split);
	memcpy(below, region, axes * sizeof(*region));
	below[split.axis] = region[split.axis] & split.left;
	grow(tree, begin, middle, depth + 1);
	below[split.axis] = region[split.axis] & ~split.left;
	grow(tree, middle, end, depth + 1);
}

// Every tree sees points drawn anew, as many as there are.
static void plant(struct tree *tree, size_t number) {
	const struct importance_data *data = tree->data;
	struct random_stream stream = random_stream_make(0, "fanova", "");
	for (size_t i = 0; i < data->count; i++) {
		double u = random_uniform(stream, (uint32_t)number, i, 0);
		size_t point = (size_t)(u * (double)data->count);
		tree->point[i] = point < data->count ? point : data->count - 1;
	}
	for (size_t axis = 0; axis < data->axes_count; axis++)
		tree->region[axis] = all_bins(&data->axes[axis]);
	tree->leaves = 0;
	grow(tree, 0, data->count, 0);
}

// --- shares ---

static double share_of(const struct importance_axis *axis, uint64_t set) {
	double share = 0;
	for (size_t i = 0; i < axis->bins; i++)
		share += set & bit(i) ? axis->share[i] : 0;
	return share;
}

// Of each leaf: its share of the whole space, and of each axis.
struct volumes {
	double *whole; // (leaves)
	double *axis;  // (leaves, axes_count)
};

static void measure(const struct tree *tree, struct volumes *ret) {
	size_t axes = tree->data->axes_count;
	for (size_t leaf = 0; leaf < tree->leaves; leaf++) {
		ret->whole[leaf] = 1;
		for (size_t k = 0; k < axes; k++) {
			ret->axis[leaf * axes + k] = share_of(&tree->data->axes[k], tree->leaf[leaf * axes + k]);
			ret->whole[leaf] *= ret->axis[leaf * axes + k];
		}
	}
}

// Takes the mean off the leaves' values, and returns the variance that is left.
static double centre(struct tree *tree, const struct volumes *volumes) {
	double mean = 0, variance = 0;
	for (size_t i = 0; i < tree->leaves; i++)
		mean += volumes->whole[i] * tree->value[i];
	for (size_t i = 0; i < tree->leaves; i++) {
		tree->value[i] -= mean;
		variance += volumes->whole[i] * tree->value[i] * tree->value[i];
	}
	return variance;
}

// The variance of the tree's mean over all axes but one.
static double variance_of_one(const struct tree *tree, const struct volumes *volumes, size_t axis) {
	const struct importance_axis *a = &tree->data->axes[axis];
	size_t axes = tree->data->axes_count;
	double marginal[IMPORTANCE_BINS] = {0}, variance = 0;
	for (size_t leaf = 0; leaf < tree->leaves; leaf++) {
		double part = tree->value[leaf] * volumes->whole[leaf] / volumes->axis[leaf * axes + axis];
		for (size_t i = 0; i < a->bins; i++)
			marginal[i] += tree->leaf[leaf * axes + axis] & bit(i) ? part : 0;
	}
	for (size_t i = 0; i < a->bins; i++)
		variance += a->share[i] * marginal[i] * marginal[i];
	return variance;
}

// The same of all but two, with what each does alone.
static double variance_of_two(const struct tree *tree, const struct volumes *volumes, size_t first, size_t second) {
	const struct importance_axis *a = &tree->data->axes[first], *b = &tree->data->axes[second];
	size_t axes = tree->data->axes_count;
	double marginal[IMPORTANCE_BINS][IMPORTANCE_BINS] = {{0}}, variance = 0;
	for (size_t leaf = 0; leaf < tree->leaves; leaf++) {
		const uint64_t *sets = tree->leaf + leaf * axes;
		const double *volume = volumes->axis + leaf * axes;
		double part = tree->value[leaf] * volumes->whole[leaf] / (volume[first] * volume[second]);
		for (size_t i = 0; i < a->bins; i++)
			for (size_t k = 0; sets[first] & bit(i) && k < b->bins; k++)
				marginal[i][k] += sets[second] & bit(k) ? part : 0;
	}
	for (size_t i = 0; i < a->bins; i++)
		for (size_t k = 0; k < b->bins; k++)
			variance += a->share[i] * b->share[k] * marginal[i][k] * marginal[i][k];
	return variance;
}

// Sums over trees: of shares and their squares, as (axes_count, axes_count), one axis alone on the diagonal.
struct sums {
	double *share, *square;
	size_t trees;
};

static void add_share(struct sums *sums, size_t at, double share) {
	sums->share[at] += share;
	sums->square[at] += share * share;
}

static void add_ones(const struct tree *tree, const struct volumes *volumes, double variance, struct sums *sums) {
	size_t axes = tree->data->axes_count;
	for (size_t k = 0; k < axes; k++)
		add_share(sums, k * axes + k, variance_of_one(tree, volumes, k) / variance);
	sums->trees++;
}

static void add_twos(const struct tree *tree, const struct volumes *volumes, double variance, const size_t *paired,
                     size_t paired_count, struct sums *sums) {
	size_t axes = tree->data->axes_count;
	for (size_t i = 0; i < paired_count; i++)
		for (size_t k = i + 1; k < paired_count; k++) {
			size_t first = paired[i] < paired[k] ? paired[i] : paired[k];
			size_t second = paired[i] < paired[k] ? paired[k] : paired[i];
			double both = variance_of_two(tree, volumes, first, second);
			double alone = variance_of_one(tree, volumes, first) + variance_of_one(tree, volumes, second);
			add_share(sums, first * axes + second, fmax(both - alone, 0) / variance); // below 0 by rounding only
		}
}

static int by_share(const void *a, const void *b) {
	const struct importance_share *left = a, *right = b;
	if (left->share != right->share)
		return left->share > right->share ? -1 : 1;
	size_t one = left->first, two = right->first;
	if (one == two) {
		one = left->second;
		two = right->second;
	}
	return (one > two) - (one < two);
}

static struct importance_share mean_share(const struct sums *sums, size_t axes, size_t first, size_t second) {
	double trees = (double)sums->trees, mean = sums->share[first * axes + second] / trees;
	double variance = sums->square[first * axes + second] / trees - mean * mean;
	return (struct importance_share){first, second, mean, sqrt(fmax(variance, 0))};
}

// Walks over all trees once; `paired` NULL: for the axes alone, else for the pairs of those. Trees are planted again
// rather than kept: the same numbers give the same trees.
static void walk_forest(struct tree *tree, struct volumes *volumes, const size_t *paired, size_t paired_count,
                        struct sums *sums) {
	for (size_t number = 0; number < IMPORTANCE_TREES; number++) {
		plant(tree, number);
		measure(tree, volumes);
		double variance = centre(tree, volumes);
		if (!(variance > 0))
			continue;
		if (paired)
			add_twos(tree, volumes, variance, paired, paired_count, sums);
		else
			add_ones(tree, volumes, variance, sums);
	}
}

static size_t collect(const struct sums *sums, size_t axes, struct importance_share *shares) {
	for (size_t k = 0; k < axes; k++)
		shares[k] = mean_share(sums, axes, k, k);
	qsort(shares, axes, sizeof(*shares), by_share);
	return axes;
}

static size_t collect_pairs(const struct sums *sums, size_t axes, const size_t *paired, size_t paired_count,
                            struct importance_share *shares) {
	size_t count = 0;
	for (size_t i = 0; i < paired_count; i++)
		for (size_t k = i + 1; k < paired_count; k++) {
			size_t first = paired[i] < paired[k] ? paired[i] : paired[k];
			shares[count++] = mean_share(sums, axes, first, paired[i] + paired[k] - first);
		}
	qsort(shares, count, sizeof(*shares), by_share);
	return count;
}

size_t importance_shares(const struct importance_data *data, struct importance_share **ret) {
	size_t axes = data->axes_count, count = 0, paired[IMPORTANCE_PAIRED], paired_count;
	struct tree tree = {.data = data, .least = data->count / SPLIT_SHARE};
	tree.least = tree.least < 2 ? 2 : tree.least;
	tree.point = memory_alloc((data->count + 1) * sizeof(*tree.point));
	tree.region = memory_alloc((DEPTH_MOST + 2) * (axes + 1) * sizeof(*tree.region));
	tree.leaf = memory_alloc((data->count + 1) * (axes + 1) * sizeof(*tree.leaf));
	tree.value = memory_alloc((data->count + 1) * sizeof(*tree.value));
	struct volumes volumes = {memory_alloc((data->count + 1) * sizeof(double)),
	                          memory_alloc((data->count + 1) * (axes + 1) * sizeof(double))};
	struct sums sums = {memory_alloc((axes * axes + 1) * sizeof(double)),
	                    memory_alloc((axes * axes + 1) * sizeof(double)), 0};
	*ret = memory_alloc((axes + IMPORTANCE_PAIRED * IMPORTANCE_PAIRED) * sizeof(**ret));
	if (data->count)
		walk_forest(&tree, &volumes, NULL, 0, &sums);
	if (sums.trees) {
		count = collect(&sums, axes, *ret);
		for (paired_count = 0; paired_count < axes && paired_count < IMPORTANCE_PAIRED; paired_count++)
			paired[paired_count] = (*ret)[paired_count].first;
		walk_forest(&tree, &volumes, paired, paired_count, &sums);
		count += collect_pairs(&sums, axes, paired, paired_count, *ret + count);
	}
	free(tree.point);
	free(tree.region);
	free(tree.leaf);
	free(tree.value);
	free(volumes.whole);
	free(volumes.axis);
	free(sums.share);
	free(sums.square);
	return count;
}
