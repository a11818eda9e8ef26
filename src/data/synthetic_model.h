// What the files of the synthetic format share: presets, the planted model, and the choice of items by popularity.
#ifndef AEXP_DATA_SYNTHETIC_MODEL_H
#define AEXP_DATA_SYNTHETIC_MODEL_H

#include "base/random.h"
#include "data/synthetic.h"

enum { SYNTHETIC_RANK_MAX = 64, TRAIT_LEVELS_MAX = 16, TRAITS_MAX = 8, STARS = 5 };

// One attribute of users or items.
struct trait {
	const char *name;
	double share;     // of the taste's variance that it carries
	unsigned missing; // cells of a thousand that do not say the level
	struct {
		const char *name;
		unsigned weight; // how common it is, relative to the others
	} level[TRAIT_LEVELS_MAX];
	size_t levels;
};

// The shape of a known data set, and the words for it. All proportions are invented, in the likeness of the real ones.
struct preset {
	struct row row;
	int64_t users, items, ratings, rank, fewest; // fewest: ratings of any user, where there are enough
	double noise;
	double quality, taste, bias; // shares of the latent's variance apart from the noise; the sum is 1
	unsigned activity_roots;     // ratings a user ~ Lomax(shape 2) with 1, Lomax(shape 4) with 2 ...
	double activity_cut;         // ... without the busiest users, this share of them
	double head;                 // popularity of rank k of n: (n - k)^fade / (k + head * n)^(slope_halves / 2)
	unsigned slope_halves, fade;
	double star_share[STARS];   // of 1 ... 5 stars; the sum is 1
	const struct trait *traits; // (trait_count) of users
	size_t trait_count;
	const struct trait *kind;     // of items; the second word of a title
	const char *const *adjective; // (adjectives) the first word of a title
	size_t adjectives;
	const char *user_prefix, *item_prefix; // of ids
};

// One trait's levels as the model has them.
struct levels {
	uint32_t below[TRAIT_LEVELS_MAX]; // a 32-bit value under below[l], and not under below[l - 1], is level l
	double factor[TRAIT_LEVELS_MAX][SYNTHETIC_RANK_MAX]; // mean 0, variance the trait's share
};

// What the seed decides, once and for all users.
struct planted {
	const struct preset *preset;
	size_t users, items, rank;
	double noise;
	struct random_stream activity, trait, taste, cell, choice;
	struct levels *levels; // (trait_count)
	double quality_weight, taste_weight, bias_weight;
	double personal;             // deviation of the part of a taste that no trait tells
	uint8_t *kind;               // (items) level of preset->kind
	double *factor;              // (items, rank), each of length 1
	double *quality;             // (items), mean 0, variance 1 over ratings
	double threshold[STARS - 1]; // latent value above which one more star is given
};

// One user, made from nothing but the seed and the number: cheap to make again.
struct taste {
	size_t user;
	uint8_t level[TRAITS_MAX]; // the true one
	bool shown[TRAITS_MAX];    // false: missing from the side information
	double factor[SYNTHETIC_RANK_MAX];
	double bias;
};

// `weight` (items) is the popularity, to which `quality` is centred. ERROR_RUN when out of memory. planted_finish
// either way.
bool planted_create(const struct synthetic_params *params, const uint64_t *weight, struct planted *ret,
                    struct error *error);
void planted_finish(struct planted *model);
void planted_user(const struct planted *model, size_t user, struct taste *ret);
double planted_affinity(const struct planted *model, const struct taste *taste, size_t item); // mean 0, variance 1
double planted_latent(const struct planted *model, const struct taste *taste, size_t item);   // without the noise
int planted_stars(const struct planted *model, const struct taste *taste, size_t item);       // 1 ... 5
// Splits `ratings` over the users: ret_counts (users) sums to it exactly, each from 1 to items.
void planted_activity(const struct planted *model, size_t ratings, uint32_t *ret_counts);

// Draws distinct items by popularity.
struct picker {
	size_t items, leaves;
	uint64_t *weight; // (items), at least 1; the sum is below 2^57
	uint32_t *coin;   // (items) alias table: the item itself below it, else `alias`
	uint32_t *alias;  // (items)
	uint64_t *tree;   // (2 * leaves) sums of weights, root at 1; built on first use
	uint32_t *seen;   // (items) user + 1 of the user that last took the item
};
bool picker_create(const struct preset *preset, size_t items, uint64_t seed, struct picker *ret, struct error *error);
void picker_finish(struct picker *picker);
// One that draws the same, for another thread: it has its own notes and shares the rest with `picker`, which must
// outlive it. False when out of memory.
bool picker_share(const struct picker *picker, struct picker *ret);
void picker_unshare(struct picker *picker);
// `count` distinct items (count <= items) of one user, in the order in which they were drawn.
void picker_draw(struct picker *picker, const struct planted *model, const struct taste *taste, size_t count,
                 uint32_t *ret_items);

#endif
