// The planted model. The stars of user u and item i are a function of the seed, u and i alone:
//
//   latent(u, i) = sqrt(q) quality_i + sqrt(t) <taste_u, factor_i> + sqrt(b) bias_u + noise * e_ui
//   taste_u      = sum over attributes a of factor_a(level of u) + sqrt(1 - sum of their shares) personal_u
//   factor_i     = factor(kind of i) + sqrt(1 - its share) own_i, scaled to length 1
//   stars        = 1 + the number of thresholds under latent(u, i)
//
// q + t + b = 1 are the preset's shares; quality, bias, personal, own and e are standard normal; the factors of a
// trait's levels are normal, then centred and scaled to a variance of the trait's share over users (or items). So
// <taste, factor> has variance 1 and the latent 1 + noise^2. The side information shows the level, or says that it is
// missing: the taste is the true level's either way. A user picks items by popularity, half of them as the better liked
// of two (synthetic_picker.c), so that over ratings <taste, factor> has mean m = 1 / (2 sqrt(pi)) and variance 1 - m^2.
// The thresholds stand at the quantiles of the preset's shares of stars under a normal of the latent's mean and
// variance.
//
// Left out on purpose: time, text, correlation between attributes, and any effect of popularity on quality.
#include "data/synthetic_model.h"

#include <math.h>
#include <stdlib.h>

static const double PI = 3.14159265358979323846;

// --- Traits ---

static void fill_bounds(const struct trait *trait, struct levels *levels) {
	uint64_t total = 0, sum = 0;
	for (size_t l = 0; l < trait->levels; l++)
		total += trait->level[l].weight;
	for (size_t l = 0; l < trait->levels; l++) {
		sum += trait->level[l].weight;
		levels->below[l] = (uint32_t)(sum * UINT32_MAX / total);
	}
}

static uint8_t level_of(const struct levels *levels, size_t count, uint32_t value) {
	size_t l = 0;
	while (l + 1 < count && value >= levels->below[l])
		l++;
	return (uint8_t)l;
}

// Centres one dimension of the levels' factors and scales it to the trait's share, each level counting as often as it
// occurs.
static void standardise_levels(const struct trait *trait, size_t dimension, struct levels *levels) {
	double total = 0, sum = 0, square = 0;
	for (size_t l = 0; l < trait->levels; l++) {
		double weight = trait->level[l].weight, value = levels->factor[l][dimension];
		total += weight;
		sum += weight * value;
		square += weight * value * value;
	}
	double mean = sum / total, scale = sqrt(trait->share / (square / total - mean * mean));
	for (size_t l = 0; l < trait->levels; l++)
		levels->factor[l][dimension] = (levels->factor[l][dimension] - mean) * scale;
}

static void fill_levels(const struct trait *trait, size_t rank, uint64_t seed, struct levels *levels) {
	struct random_stream stream = random_stream_make(seed, "synthetic-levels", trait->name);
	fill_bounds(trait, levels);
	for (size_t l = 0; l < trait->levels; l++)
		for (size_t d = 0; d < rank; d++)
			levels->factor[l][d] = random_normal(stream, 0, l, (uint32_t)d);
	for (size_t d = 0; d < rank; d++)
		standardise_levels(trait, d, levels);
}

// --- Items ---

static void fill_factor(const struct planted *model, const struct levels *kinds, struct random_stream own,
                        size_t item) {
	double *factor = model->factor + item * model->rank, length = 0;
	double own_part = sqrt(1 - model->preset->kind->share);
	for (size_t d = 0; d < model->rank; d++) {
		factor[d] = kinds->factor[model->kind[item]][d] + own_part * random_normal(own, 0, item, (uint32_t)d);
		length += factor[d] * factor[d];
	}
	for (size_t d = 0; d < model->rank; d++)
		factor[d] /= sqrt(length);
}

// A single item has no variance to scale: it stays at 0.
static void standardise_quality(const struct planted *model, const uint64_t *weight) {
	double total = 0, sum = 0, square = 0;
	for (size_t i = 0; i < model->items; i++) {
		total += (double)weight[i];
		sum += (double)weight[i] * model->quality[i];
	}
	for (size_t i = 0; i < model->items; i++) {
		model->quality[i] -= sum / total;
		square += (double)weight[i] * model->quality[i] * model->quality[i];
	}
	for (size_t i = 0; i < model->items && square > 0; i++)
		model->quality[i] /= sqrt(square / total);
}

static void fill_items(const struct planted *model, uint64_t seed, const uint64_t *weight) {
	const struct trait *trait = model->preset->kind;
	struct random_stream kind = random_stream_make(seed, "synthetic-kind", ""),
	                     own = random_stream_make(seed, "synthetic-factor", ""),
	                     quality = random_stream_make(seed, "synthetic-quality", "");
	struct levels kinds;
	fill_levels(trait, model->rank, seed, &kinds);
	for (size_t i = 0; i < model->items; i++) {
		model->kind[i] = level_of(&kinds, trait->levels, random_u32(kind, 0, i, 0));
		fill_factor(model, &kinds, own, i);
		model->quality[i] = random_normal(quality, 0, i, 0);
	}
	standardise_quality(model, weight);
}

// --- The model ---

static void fill_thresholds(struct planted *model) {
	double taste = model->preset->taste, below = 0;
	double mean = sqrt(taste) / (2 * sqrt(PI)), variance = 1 + model->noise * model->noise - mean * mean;
	for (size_t s = 0; s < STARS - 1; s++) {
		below += model->preset->star_share[s];
		model->threshold[s] = mean + sqrt(variance) * random_normal_quantile(below);
	}
}

bool planted_create(const struct synthetic_params *params, const uint64_t *weight, struct planted *ret,
                    struct error *error) {
	static const char what[] = "the synthetic model";
	const struct preset *preset = (const struct preset *)params->preset.row;
	uint64_t seed = params->seed;
	*ret = (struct planted){
	    .preset = preset,
	    .users = (size_t)params->users,
	    .items = (size_t)params->items,
	    .rank = (size_t)params->rank,
	    .noise = params->noise,
	    .quality_weight = sqrt(preset->quality),
	    .taste_weight = sqrt(preset->taste),
	    .bias_weight = sqrt(preset->bias),
	    .activity = random_stream_make(seed, "synthetic-activity", ""),
	    .trait = random_stream_make(seed, "synthetic-trait", ""),
	    .taste = random_stream_make(seed, "synthetic-taste", ""),
	    .cell = random_stream_make(seed, "synthetic-noise", ""),
	    .choice = random_stream_make(seed, "synthetic-choice", ""),
	};
	ret->levels = memory_array(preset->trait_count, sizeof(*ret->levels), what, error);
	ret->kind = memory_array(ret->items, sizeof(*ret->kind), what, error);
	ret->factor = memory_array(ret->items, ret->rank * sizeof(*ret->factor), what, error);
	ret->quality = memory_array(ret->items, sizeof(*ret->quality), what, error);
	if (!ret->levels || !ret->kind || !ret->factor || !ret->quality)
		return false;
	double personal = 1;
	for (size_t t = 0; t < preset->trait_count; t++) {
		fill_levels(&preset->traits[t], ret->rank, seed, &ret->levels[t]);
		personal -= preset->traits[t].share;
	}
	ret->personal = sqrt(personal);
	fill_items(ret, seed, weight);
	fill_thresholds(ret);
	return true;
}

void planted_finish(struct planted *model) {
	free(model->levels);
	free(model->kind);
	free(model->factor);
	free(model->quality);
	*model = (struct planted){0};
}

// --- Users ---

static void add_levels(const struct planted *model, struct taste *taste) {
	uint32_t value[2 * TRAITS_MAX];
	const struct preset *preset = model->preset;
	random_fill(model->trait, 0, taste->user, 0, (uint32_t)(2 * preset->trait_count), value);
	for (size_t t = 0; t < preset->trait_count; t++) {
		const struct levels *levels = &model->levels[t];
		taste->level[t] = level_of(levels, preset->traits[t].levels, value[2 * t]);
		taste->shown[t] = (uint64_t)value[2 * t + 1] * 1000 >> 32 >= preset->traits[t].missing;
		for (size_t d = 0; d < model->rank; d++)
			taste->factor[d] += levels->factor[taste->level[t]][d];
	}
}

void planted_user(const struct planted *model, size_t user, struct taste *ret) {
	ret->user = user;
	for (size_t d = 0; d < model->rank; d++)
		ret->factor[d] = model->personal * random_normal(model->taste, 0, user, (uint32_t)d);
	add_levels(model, ret);
	ret->bias = random_normal(model->taste, 0, user, (uint32_t)model->rank);
}

double planted_affinity(const struct planted *model, const struct taste *taste, size_t item) {
	const double *factor = model->factor + item * model->rank;
	double sum = 0;
	for (size_t d = 0; d < model->rank; d++)
		sum += taste->factor[d] * factor[d];
	return sum;
}

double planted_latent(const struct planted *model, const struct taste *taste, size_t item) {
	return model->quality_weight * model->quality[item] + model->taste_weight * planted_affinity(model, taste, item) +
	       model->bias_weight * taste->bias;
}

int planted_stars(const struct planted *model, const struct taste *taste, size_t item) {
	double latent = planted_latent(model, taste, item);
	latent += model->noise * random_normal(model->cell, 0, taste->user, (uint32_t)item);
	int stars = 1;
	for (size_t s = 0; s < STARS - 1; s++)
		stars += latent > model->threshold[s];
	return stars;
}

// --- Activity ---

// A Lomax variate less its scale: u^(-1/2) - 1 or u^(-1/4) - 1.
static double activity(const struct planted *model, size_t user) {
	double u = 1 - (1 - model->preset->activity_cut) * random_uniform(model->activity, 0, user, 0); // (cut, 1]
	for (unsigned r = 0; r < model->preset->activity_roots; r++)
		u = sqrt(u);
	return 1 / u - 1;
}

// What the first users have so far is their part of `extra` by cumulated activity, rounded down: the sum is exact, and
// what one user has no room for goes to the next.
static size_t share_out(const struct planted *model, double total, size_t extra, size_t room, uint32_t *counts) {
	double cumulated = 0;
	size_t given = 0;
	for (size_t u = 0; u < model->users; u++) {
		cumulated += activity(model, u);
		size_t want = (size_t)((double)extra * (cumulated / total)) - given;
		size_t take = want < room ? want : room;
		counts[u] += (uint32_t)take;
		given += take;
	}
	return extra - given;
}

void planted_activity(const struct planted *model, size_t ratings, uint32_t *ret_counts) {
	size_t each = ratings / model->users, fewest = (size_t)model->preset->fewest;
	each = each < fewest ? each : fewest;
	size_t left = ratings - each * model->users, room = model->items - each;
	double total = 0;
	for (size_t u = 0; u < model->users; u++) {
		ret_counts[u] = (uint32_t)each;
		total += activity(model, u);
	}
	if (total > 0)
		left = share_out(model, total, left, room, ret_counts);
	for (size_t u = 0; u < model->users && left > 0; u++) {
		size_t free_here = model->items - ret_counts[u], take = left < free_here ? left : free_here;
		ret_counts[u] += (uint32_t)take;
		left -= take;
	}
}
