// Strategy tpe: tree-structured Parzen estimators (Bergstra, Bardenet, Bengio, Kegl, "Algorithms for hyper-parameter
// optimization", NIPS 2011). Two densities are estimated, of the best trials' points and of the others'; of some
// candidates drawn from the first, the one with the largest ratio of the two is proposed. A density has a kernel for
// each trial, the product of one for each axis (the multivariate form of Falkner, Klein, Hutter, "BOHB", ICML 2018),
// and one more, the prior. The details that the papers leave open are those of Optuna's TPESampler with its defaults
// (Watanabe, arXiv:2304.11127): a tenth of the trials, at most 25, count as best; older ones of many weigh less; a
// kernel is as wide as the larger gap to its neighbours on the axis, within bounds. An axis that is not in force in a
// trial has the prior there. Trials whose result may not be known yet count among the others, so that trials beside
// each other keep apart.
#include "search/strategy.h"

#include "base/random.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEST_MOST = 25, FULL_WEIGHTS = 25, WIDTHS_LEAST = 100 };
static const double BEST_SHARE = 0.1;

struct tpe_params {
	int64_t startup, candidates;
};
static const struct key keys[] = {
    {.name = "startup",
     .type = KEY_INTEGER,
     .offset = offsetof(struct tpe_params, startup),
     .fallback = "10",
     .min = 1,
     .max = 1e6,
     .doc = "Random trials before results are used"},
    {.name = "candidates",
     .type = KEY_INTEGER,
     .offset = offsetof(struct tpe_params, candidates),
     .fallback = "24",
     .min = 1,
     .max = 1e5,
     .doc = "Candidates drawn for a proposal"},
};

// --- best and others ---

// One trial in the order of merit: by front (of one objective: by its loss), finished before stopped, those that came
// further before, failed last; equals by number.
struct ranked {
	size_t trial, rank, front, epochs;
	double loss;
};

static int compare_merit(const void *a, const void *b) {
	const struct ranked *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->epochs != y->epochs)
		return x->epochs > y->epochs ? -1 : 1;
	if (x->front != y->front)
		return x->front < y->front ? -1 : 1;
	if (x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	return x->trial < y->trial ? -1 : 1;
}

// Fills order (count) and returns how many have ended.
static size_t rank_trials(const struct search *search, const struct known_trial *known, size_t count,
                          struct ranked *order) {
	size_t objectives = search->objectives, ended = 0;
	double *losses = memory_alloc((count * objectives + 1) * sizeof(*losses));
	size_t *front = memory_alloc((count + 1) * sizeof(*front));
	for (size_t i = 0; i < count; i++) {
		bool stopped = known[i].state == TRIAL_STOPPED, good = stopped || known[i].state == TRIAL_FINISHED;
		if (known[i].state == TRIAL_OPEN)
			continue;
		for (size_t k = 0; k < objectives; k++)
			losses[ended * objectives + k] = good && !isnan(known[i].losses[k]) ? known[i].losses[k] : INFINITY;
		order[ended] = (struct ranked){.trial = i,
		                               .rank = stopped ? 1
		                                       : good  ? 0
		                                               : 2,
		                               .epochs = stopped ? known[i].epochs : 0,
		                               .loss = objectives == 1 ? losses[ended] : 0};
		ended++;
	}
	if (objectives > 1) {
		losses_fronts(losses, ended, objectives, front);
		for (size_t i = 0; i < ended; i++)
			order[i].front = front[i];
	}
	qsort(order, ended, sizeof(*order), compare_merit);
	free(losses);
	free(front);
	return ended;
}

// --- densities ---

// Some trials' points on one axis, and the prior as the last kernel.
struct axis_kernels {
	const struct axis *axis;
	bool *flat;           // (count) where the axis is not in force: the prior
	double *mean, *width; // (count) of a range, in coordinates
	size_t *level;        // (count) of levels
};
struct parzen {
	size_t count;              // of kernels, the prior's included
	double *weight;            // (count), of sum 1
	struct axis_kernels *axes; // (axes_count)
	size_t axes_count;
};

// Weights of trials from the oldest on: of many, the older ones rise from 1 / n to 1.
static double weight_of(size_t index, size_t count) {
	if (count < FULL_WEIGHTS || index + FULL_WEIGHTS >= count)
		return 1;
	size_t rising = count - FULL_WEIGHTS;
	double least = 1 / (double)count;
	return rising == 1 ? least : least + (1 - least) * (double)index / (double)(rising - 1);
}

struct placed {
	double mean;
	size_t kernel;
};
static int compare_placed(const void *a, const void *b) {
	const struct placed *x = a, *y = b;
	if (x->mean != y->mean)
		return x->mean < y->mean ? -1 : 1;
	return x->kernel < y->kernel ? -1 : 1;
}

// As wide as the larger gap to the neighbours; the first and the last look inwards alone, where there are two. Between
// the whole range and a hundredth of it, or a share by the number of kernels.
static void fill_widths(struct axis_kernels *k, size_t count) {
	double low = axis_low(k->axis), high = axis_high(k->axis), range = high - low;
	double shares = 1 + (double)count, least = range / (shares < WIDTHS_LEAST ? shares : WIDTHS_LEAST);
	struct placed *sorted = memory_alloc((count + 1) * sizeof(*sorted));
	size_t placed = 0;
	for (size_t i = 0; i < count; i++) {
		k->width[i] = range;
		if (!k->flat[i])
			sorted[placed++] = (struct placed){k->mean[i], i};
	}
	qsort(sorted, placed, sizeof(*sorted), compare_placed);
	for (size_t i = 0; i < placed; i++) {
		double left = sorted[i].mean - (i ? sorted[i - 1].mean : low);
		double right = (i + 1 < placed ? sorted[i + 1].mean : high) - sorted[i].mean;
		double width = placed >= 2 && i == 0 ? right : placed >= 2 && i + 1 == placed ? left : fmax(left, right);
		k->width[sorted[i].kernel] = fmin(fmax(width, least), range);
	}
	free(sorted);
}

static void fill_axis(struct axis_kernels *k, const struct axis *axis, size_t index, const struct known_trial *known,
                      const size_t *trials, size_t count) {
	*k = (struct axis_kernels){.axis = axis,
	                           .flat = memory_alloc((count + 1) * sizeof(*k->flat)),
	                           .mean = memory_alloc((count + 1) * sizeof(*k->mean)),
	                           .width = memory_alloc((count + 1) * sizeof(*k->width)),
	                           .level = memory_alloc((count + 1) * sizeof(*k->level))};
	for (size_t i = 0; i <= count; i++) {
		const struct setting *setting = i < count ? &known[trials[i]].point[index] : NULL;
		k->flat[i] = !setting || !setting->active;
		k->level[i] = k->flat[i] ? 0 : setting->level;
		if (axis->levels)
			continue;
		k->mean[i] = k->flat[i] ? (axis_low(axis) + axis_high(axis)) / 2 : axis_coordinate(axis, setting->number);
	}
	if (!axis->levels)
		fill_widths(k, count + 1);
}

// `trials` (count) in order of their numbers.
static void parzen_create(struct parzen *p, const struct search *search, const struct known_trial *known,
                          const size_t *trials, size_t count) {
	double sum = 1;
	*p = (struct parzen){.count = count + 1, .axes_count = search->space.count};
	p->weight = memory_alloc(p->count * sizeof(*p->weight));
	p->axes = memory_alloc((p->axes_count + 1) * sizeof(*p->axes));
	for (size_t i = 0; i < count; i++)
		sum += p->weight[i] = weight_of(i, count);
	p->weight[count] = 1;
	for (size_t i = 0; i < p->count; i++)
		p->weight[i] /= sum;
	for (size_t i = 0; i < p->axes_count; i++)
		fill_axis(&p->axes[i], &search->space.axes[i], i, known, trials, count);
}

static void parzen_finish(struct parzen *p) {
	for (size_t i = 0; i < p->axes_count; i++) {
		free(p->axes[i].flat);
		free(p->axes[i].mean);
		free(p->axes[i].width);
		free(p->axes[i].level);
	}
	free(p->axes);
	free(p->weight);
}

static double below(double z) { // the standard normal's distribution function
	return 0.5 * erfc(-z / sqrt(2));
}

// The mass of a normal kernel between two coordinates.
static double mass(const struct axis_kernels *k, size_t i, double from, double to) {
	return below((to - k->mean[i]) / k->width[i]) - below((from - k->mean[i]) / k->width[i]);
}

// Of levels: each kernel has most of its mass at its own level, and the prior's share everywhere.
static double level_mass(const struct axis_kernels *k, size_t count, size_t i, size_t level) {
	double levels = (double)k->axis->levels, prior = 1 / (double)count;
	if (k->flat[i])
		return 1 / levels;
	return (prior + (k->level[i] == level ? 1 : 0)) / (1 + levels * prior);
}

// Kernel i at a setting: a mass, or of a continuous range a density less a factor that all kernels have. Kernels are
// cut at the range's ends.
static double kernel_at(const struct axis_kernels *k, size_t count, size_t i, const struct setting *at) {
	if (k->axis->levels)
		return level_mass(k, count, i, at->level);
	double all = mass(k, i, axis_low(k->axis), axis_high(k->axis));
	if (k->axis->integer)
		return mass(k, i, axis_coordinate(k->axis, at->number - 0.5), axis_coordinate(k->axis, at->number + 0.5)) / all;
	double z = (axis_coordinate(k->axis, at->number) - k->mean[i]) / k->width[i];
	return exp(-z * z / 2) / (k->width[i] * all);
}

static double log_density(const struct parzen *p, const struct setting *point) {
	double sum = 0;
	for (size_t i = 0; i < p->count; i++) {
		double product = p->weight[i];
		for (size_t axis = 0; axis < p->axes_count; axis++)
			if (point[axis].active)
				product *= kernel_at(&p->axes[axis], p->count, i, &point[axis]);
		sum += product;
	}
	return log(fmax(sum, DBL_MIN));
}

// A setting drawn from kernel i by a uniform number.
static void draw_axis(const struct axis_kernels *k, size_t count, size_t i, double where, struct setting *ret) {
	if (k->axis->levels) {
		size_t level = 0;
		while (level + 1 < k->axis->levels && where >= level_mass(k, count, i, level))
			where -= level_mass(k, count, i, level++);
		ret->level = level;
		return;
	}
	double low = axis_low(k->axis), high = axis_high(k->axis), from = below((low - k->mean[i]) / k->width[i]);
	double share = from + where * mass(k, i, low, high);
	double z = share > 0 && share < 1 ? random_normal_quantile(share) : 0;
	axis_place(k->axis, fmin(fmax(k->mean[i] + k->width[i] * z, low), high), ret);
}

// Candidate number `candidate` of a trial: one kernel for all axes, then a place in it on each.
static void draw_point(const struct search *search, size_t trial, const struct parzen *p, uint32_t candidate,
                       struct setting *ret) {
	double which = search_uniform(search, "sweep tpe kernel", trial, 0, candidate);
	size_t kernel = 0;
	while (kernel + 1 < p->count && which >= p->weight[kernel])
		which -= p->weight[kernel++];
	for (size_t i = 0; i < p->axes_count; i++)
		draw_axis(&p->axes[i], p->count, kernel, search_uniform(search, "sweep tpe", trial, i, candidate), &ret[i]);
	space_settle(&search->space, ret);
}

static void choose(const struct search *search, size_t trial, const struct parzen *best, const struct parzen *others,
                   struct setting *ret) {
	const struct tpe_params *params = search->config->kind.params;
	size_t bytes = search->space.count * sizeof(*ret);
	struct setting *candidate = memory_alloc(bytes + 1);
	double highest = -INFINITY;
	for (uint32_t i = 0; i < (uint32_t)params->candidates; i++) {
		draw_point(search, trial, best, i, candidate);
		double gain = log_density(best, candidate) - log_density(others, candidate);
		if (gain > highest) {
			highest = gain;
			memcpy(ret, candidate, bytes);
		}
	}
	free(candidate);
}

// --- a proposal ---

static void tpe_propose(const struct search *search, size_t trial, const struct known_trial *known,
                        struct setting *ret) {
	const struct tpe_params *params = search->config->kind.params;
	struct ranked *order = memory_alloc((trial + 1) * sizeof(*order));
	size_t ended = rank_trials(search, known, trial, order);
	if (ended < (size_t)params->startup) {
		free(order);
		strategy_random.propose(search, trial, known, ret);
		return;
	}
	size_t best = (size_t)ceil(BEST_SHARE * (double)ended), counts[2] = {0};
	best = best < BEST_MOST ? best : BEST_MOST;
	bool *is_best = memory_alloc((trial + 1) * sizeof(*is_best));
	size_t *sides[2] = {memory_alloc((trial + 1) * sizeof(size_t)), memory_alloc((trial + 1) * sizeof(size_t))};
	for (size_t i = 0; i < best; i++)
		is_best[order[i].trial] = true;
	for (size_t i = 0; i < trial; i++)
		sides[!is_best[i]][counts[!is_best[i]]++] = i;
	struct parzen parzen[2];
	for (size_t side = 0; side < 2; side++)
		parzen_create(&parzen[side], search, known, sides[side], counts[side]);
	choose(search, trial, &parzen[0], &parzen[1], ret);
	parzen_finish(&parzen[0]);
	parzen_finish(&parzen[1]);
	free(sides[0]);
	free(sides[1]);
	free(is_best);
	free(order);
}

const struct strategy strategy_tpe = {
    .row = {.name = "tpe",
            .doc = "Tree-structured Parzen estimators: draws where good trials were dense and others were not",
            .params = SCHEMA(struct tpe_params, keys)},
    .learns = true,
    .propose = tpe_propose,
};
