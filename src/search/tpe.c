// Strategy tpe: tree-structured Parzen estimators (Bergstra, Bardenet, Bengio, Kegl, "Algorithms for hyper-parameter
// optimization", NIPS 2011). For each axis two densities are estimated, of the best trials' settings and of the
// others'; of some candidates drawn from the first, the one with the largest ratio of the two is proposed. The details
// that the paper leaves open are those of Optuna's TPESampler with its defaults (Watanabe, arXiv:2304.11127): a tenth
// of the trials, at most 25, count as best; older ones of many weigh less; axes are independent; a kernel is as wide as
// the larger gap to its neighbours, within bounds; the prior is one kernel more. Trials whose result may not be known
// yet count among the others, so that trials beside each other keep apart. Left out: multivariate kernels.
#include "search/strategy.h"

#include "base/random.h"

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
     .doc = "Candidates drawn for each axis"},
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

// --- densities of one axis ---

// Some trials' settings on one axis, by number, with the prior as the last kernel.
struct parzen {
	const struct axis *axis;
	size_t count;         // of kernels, the prior's included
	double *weight;       // (count), of sum 1
	double *mean, *width; // (count) of a range, in coordinates
	size_t *level;        // (count - 1) of levels
};

// Weights of trials from the oldest on: of many, the older ones rise from 1 / n to 1.
static double weight_of(size_t index, size_t count) {
	if (count <= FULL_WEIGHTS || index >= count - FULL_WEIGHTS)
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

// A kernel is as wide as the larger gap to its neighbours; the first and the last look inwards alone. Between the whole
// range and a hundredth of it, or a share by the number of kernels.
static void fill_widths(struct parzen *p) {
	double low = axis_low(p->axis), high = axis_high(p->axis), range = high - low;
	double shares = 1 + (double)p->count, least = range / (shares < WIDTHS_LEAST ? shares : WIDTHS_LEAST);
	struct placed *sorted = memory_alloc(p->count * sizeof(*sorted));
	for (size_t i = 0; i < p->count; i++)
		sorted[i] = (struct placed){p->mean[i], i};
	qsort(sorted, p->count, sizeof(*sorted), compare_placed);
	for (size_t i = 0; i < p->count; i++) {
		double left = sorted[i].mean - (i ? sorted[i - 1].mean : low);
		double right = (i + 1 < p->count ? sorted[i + 1].mean : high) - sorted[i].mean;
		double width = p->count >= 2 && i == 0 ? right : p->count >= 2 && i + 1 == p->count ? left : fmax(left, right);
		p->width[sorted[i].kernel] = fmin(fmax(width, least), range);
	}
	p->width[p->count - 1] = range; // the prior
	free(sorted);
}

// `trials` (count) in order of their numbers; those without the axis in force are passed over.
static void parzen_create(struct parzen *p, const struct search *search, size_t axis, const struct known_trial *known,
                          const size_t *trials, size_t count) {
	double sum = 1, middle = (axis_low(&search->space.axes[axis]) + axis_high(&search->space.axes[axis])) / 2;
	*p = (struct parzen){.axis = &search->space.axes[axis]};
	p->weight = memory_alloc((count + 1) * sizeof(*p->weight));
	p->mean = memory_alloc((count + 1) * sizeof(*p->mean));
	p->width = memory_alloc((count + 1) * sizeof(*p->width));
	p->level = memory_alloc((count + 1) * sizeof(*p->level));
	for (size_t i = 0; i < count; i++) {
		const struct setting *setting = &known[trials[i]].point[axis];
		if (!setting->active)
			continue;
		p->level[p->count] = setting->level;
		p->mean[p->count++] = p->axis->levels ? 0 : axis_coordinate(p->axis, setting->number);
	}
	for (size_t i = 0; i < p->count; i++)
		sum += p->weight[i] = weight_of(i, p->count);
	p->weight[p->count] = 1;
	p->mean[p->count++] = middle;
	for (size_t i = 0; i < p->count; i++)
		p->weight[i] /= sum;
	if (!p->axis->levels)
		fill_widths(p);
}

static void parzen_finish(struct parzen *p) {
	free(p->weight);
	free(p->mean);
	free(p->width);
	free(p->level);
}

static double below(double z) { // the standard normal's distribution function
	return 0.5 * erfc(-z / sqrt(2));
}

// The mass of the kernel, which is cut at the range's ends, between two coordinates.
static double kernel_mass(const struct parzen *p, size_t i, double from, double to) {
	double mean = p->mean[i], width = p->width[i];
	double all = below((axis_high(p->axis) - mean) / width) - below((axis_low(p->axis) - mean) / width);
	return (below((to - mean) / width) - below((from - mean) / width)) / all;
}

static double kernel_density(const struct parzen *p, size_t i, double at) {
	double z = (at - p->mean[i]) / p->width[i];
	double all =
	    below((axis_high(p->axis) - p->mean[i]) / p->width[i]) - below((axis_low(p->axis) - p->mean[i]) / p->width[i]);
	return exp(-z * z / 2) / (p->width[i] * all); // less a factor that all kernels have
}

// Of levels: each kernel has most of its mass at its own level, and the prior's share everywhere.
static double level_mass(const struct parzen *p, size_t i, size_t level) {
	double levels = (double)p->axis->levels, prior = 1 / (double)p->count;
	if (i + 1 == p->count)
		return 1 / levels;
	return (prior + (p->level[i] == level ? 1 : 0)) / (1 + levels * prior);
}

static double log_density(const struct parzen *p, const struct setting *at) {
	double sum = 0, coordinate = p->axis->levels ? 0 : axis_coordinate(p->axis, at->number);
	for (size_t i = 0; i < p->count; i++) {
		double one;
		if (p->axis->levels)
			one = level_mass(p, i, at->level);
		else if (p->axis->integer)
			one = kernel_mass(p, i, axis_coordinate(p->axis, at->number - 0.5),
			                  axis_coordinate(p->axis, at->number + 0.5));
		else
			one = kernel_density(p, i, coordinate);
		sum += p->weight[i] * one;
	}
	return log(fmax(sum, 1e-300));
}

// A draw by two uniform numbers: which kernel, and where in it.
static void parzen_draw(const struct parzen *p, double which, double where, struct setting *ret) {
	size_t kernel = 0, level = 0;
	while (kernel + 1 < p->count && which >= p->weight[kernel])
		which -= p->weight[kernel++];
	if (p->axis->levels) {
		while (level + 1 < p->axis->levels && where >= level_mass(p, kernel, level))
			where -= level_mass(p, kernel, level++);
		ret->level = level;
		return;
	}
	double mean = p->mean[kernel], width = p->width[kernel], low = axis_low(p->axis), high = axis_high(p->axis);
	double from = below((low - mean) / width), to = below((high - mean) / width), share = from + where * (to - from);
	double z = share > 0 && share < 1 ? random_normal_quantile(share) : 0;
	axis_place(p->axis, fmin(fmax(mean + width * z, low), high), ret);
}

static void propose_axis(const struct search *search, size_t trial, size_t axis, const struct parzen *best,
                         const struct parzen *others, struct setting *ret) {
	const struct tpe_params *params = search->config->kind.params;
	double highest = -INFINITY;
	for (uint32_t i = 0; i < (uint32_t)params->candidates; i++) {
		struct setting candidate = {0};
		parzen_draw(best, search_uniform(search, "sweep tpe", trial, axis, 2 * i),
		            search_uniform(search, "sweep tpe", trial, axis, 2 * i + 1), &candidate);
		double gain = log_density(best, &candidate) - log_density(others, &candidate);
		if (gain > highest) {
			highest = gain;
			*ret = candidate;
		}
	}
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
	for (size_t axis = 0; axis < search->space.count; axis++) {
		struct parzen parzen[2];
		for (size_t side = 0; side < 2; side++)
			parzen_create(&parzen[side], search, axis, known, sides[side], counts[side]);
		propose_axis(search, trial, axis, &parzen[0], &parzen[1], &ret[axis]);
		parzen_finish(&parzen[0]);
		parzen_finish(&parzen[1]);
	}
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
