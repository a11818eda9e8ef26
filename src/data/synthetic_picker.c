// Distinct items by popularity. An alias table (Walker 1974, Vose 1991) proposes and what the user has is proposed
// again; a user who wants much of the catalogue goes on with a tree of sums, from which what was taken is removed.
//
// Popularity of the k-th item of n, k = 0, 1, ...: (n - k)^fade / (k + head * n)^slope, a Zipf-Mandelbrot law whose
// tail fades out as in the discrete generalised beta distribution. Which item is the k-th is a random permutation. One
// proposal in two is the one of two items that is nearer to the user's taste.
#include "data/synthetic_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double WEIGHT_SCALE = 4294967296.0; // the most popular item's weight

enum { TRIES_FACTOR = 4, TRIES_MORE = 16 }; // proposals before the tree takes over, per item that is wanted, and in all

// base^(halves / 2) by products and a square root.
static double power_of_halves(double base, unsigned halves) {
	double result = halves % 2 ? sqrt(base) : 1;
	for (unsigned i = 0; i < halves / 2; i++)
		result *= base;
	return result;
}

static double popularity(const struct preset *preset, size_t k, size_t items) {
	double n = (double)items;
	return power_of_halves(n - (double)k, 2 * preset->fade) /
	       power_of_halves((double)k + preset->head * n, preset->slope_halves);
}

// weight[i] for a random order of the items (Fisher-Yates).
static void fill_weights(const struct preset *preset, uint64_t seed, struct picker *picker) {
	struct random_stream stream = random_stream_make(seed, "synthetic-popularity", "");
	double most = popularity(preset, 0, picker->items);
	for (size_t i = 0; i < picker->items; i++)
		picker->weight[i] = (uint64_t)(popularity(preset, i, picker->items) / most * WEIGHT_SCALE) + 1;
	for (size_t i = picker->items; i-- > 1;) {
		size_t j = (size_t)(random_u64(stream, 0, i, 0) % (i + 1));
		uint64_t swap = picker->weight[i];
		picker->weight[i] = picker->weight[j];
		picker->weight[j] = swap;
	}
}

// Vose's construction in integers: column i of n is full at `total`, an item fills n * weight. `stack` is (items): the
// columns with room grow from its bottom, those with too much from its top.
static void fill_alias(struct picker *picker, uint64_t *fill, uint32_t *stack) {
	size_t n = picker->items, small = 0, large = n;
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += picker->weight[i];
	for (size_t i = 0; i < n; i++) {
		fill[i] = picker->weight[i] * n; // below 2^33 * 2^24
		picker->alias[i] = (uint32_t)i;
		if (fill[i] < total)
			stack[small++] = (uint32_t)i;
		else
			stack[--large] = (uint32_t)i;
	}
	while (small > 0 && large < n) {
		uint32_t poor = stack[--small], rich = stack[large];
		picker->coin[poor] = (uint32_t)((double)fill[poor] / (double)total * (double)UINT32_MAX);
		picker->alias[poor] = rich;
		fill[rich] -= total - fill[poor];
		if (fill[rich] < total) {
			large++;
			stack[small++] = rich;
		}
	}
}

static bool picker_build(const struct preset *preset, uint64_t seed, struct picker *picker, struct error *error) {
	uint64_t *fill = memory_array(picker->items, sizeof(*fill), "the popularity of items", error);
	uint32_t *stack = memory_array(picker->items, sizeof(*stack), "the popularity of items", error);
	bool ok = fill && stack;
	if (ok) {
		fill_weights(preset, seed, picker);
		fill_alias(picker, fill, stack);
	}
	free(fill);
	free(stack);
	return ok;
}

static void tree_add(struct picker *picker, size_t item, uint64_t amount) {
	for (size_t node = picker->leaves + item; node > 0; node /= 2)
		picker->tree[node] += amount; // wraps around to subtract
}

static void tree_build(struct picker *picker) {
	memcpy(picker->tree + picker->leaves, picker->weight, picker->items * sizeof(*picker->weight));
	for (size_t node = picker->leaves - 1; node > 0; node--)
		picker->tree[node] = picker->tree[2 * node] + picker->tree[2 * node + 1];
}

bool picker_create(const struct preset *preset, size_t items, uint64_t seed, struct picker *ret, struct error *error) {
	static const char what[] = "the popularity of items";
	*ret = (struct picker){.items = items, .leaves = 1};
	while (ret->leaves < items)
		ret->leaves *= 2;
	ret->weight = memory_array(items, sizeof(*ret->weight), what, error);
	ret->coin = memory_array(items, sizeof(*ret->coin), what, error);
	ret->alias = memory_array(items, sizeof(*ret->alias), what, error);
	ret->tree = memory_array(2 * ret->leaves, sizeof(*ret->tree), what, error);
	ret->seen = memory_array(items, sizeof(*ret->seen), what, error);
	return ret->weight && ret->coin && ret->alias && ret->tree && ret->seen && picker_build(preset, seed, ret, error);
}

void picker_finish(struct picker *picker) {
	free(picker->weight);
	free(picker->coin);
	free(picker->alias);
	free(picker->tree);
	free(picker->seen);
	*picker = (struct picker){0};
}

bool picker_share(const struct picker *picker, struct picker *ret) {
	*ret = *picker;
	ret->tree = calloc(2 * picker->leaves, sizeof(*ret->tree));
	ret->seen = calloc(picker->items, sizeof(*ret->seen));
	if (ret->tree && ret->seen)
		return true;
	picker_unshare(ret);
	return false;
}

void picker_unshare(struct picker *picker) {
	free(picker->tree);
	free(picker->seen);
	*picker = (struct picker){0};
}

// The high half of value * items is the column, the low half is the coin.
static uint32_t propose(const struct picker *picker, uint32_t value) {
	uint64_t place = (uint64_t)value * picker->items;
	uint32_t column = (uint32_t)(place >> 32);
	return (uint32_t)place < picker->coin[column] ? column : picker->alias[column];
}

static uint32_t propose_by_taste(const struct picker *picker, const struct planted *model, const struct taste *taste,
                                 struct random_block block) {
	uint32_t first = propose(picker, block.lane[0]);
	if (block.lane[2] & 1)
		return first;
	uint32_t second = propose(picker, block.lane[1]);
	return planted_affinity(model, taste, second) > planted_affinity(model, taste, first) ? second : first;
}

static uint32_t tree_find(const struct picker *picker, uint64_t place) {
	size_t node = 1;
	while (node < picker->leaves) {
		node *= 2;
		if (place >= picker->tree[node])
			place -= picker->tree[node++];
	}
	return (uint32_t)(node - picker->leaves);
}

// items[done] ... items[count - 1], without replacement; the tree is left as it was found.
static void draw_from_tree(struct picker *picker, struct random_stream stream, size_t user, size_t done, size_t count,
                           uint32_t *items) {
	if (picker->tree[1] == 0)
		tree_build(picker);
	for (size_t i = 0; i < done; i++)
		tree_add(picker, items[i], 0 - picker->weight[items[i]]);
	for (size_t i = done; i < count; i++) {
		uint64_t place = random_u64(stream, 1, user, (uint32_t)i) % picker->tree[1];
		items[i] = tree_find(picker, place);
		tree_add(picker, items[i], 0 - picker->weight[items[i]]);
	}
	for (size_t i = 0; i < count; i++)
		tree_add(picker, items[i], picker->weight[items[i]]);
}

void picker_draw(struct picker *picker, const struct planted *model, const struct taste *taste, size_t count,
                 uint32_t *ret_items) {
	uint32_t mark = (uint32_t)taste->user + 1;
	size_t done = 0, tries = TRIES_FACTOR * count + TRIES_MORE;
	for (size_t t = 0; t < tries && done < count; t++) {
		struct random_block block = random_block_at(model->choice, 0, taste->user, (uint32_t)t);
		uint32_t item = propose_by_taste(picker, model, taste, block);
		if (picker->seen[item] != mark)
			ret_items[done++] = item;
		picker->seen[item] = mark;
	}
	if (done < count)
		draw_from_tree(picker, model->choice, taste->user, done, count, ret_items);
}
