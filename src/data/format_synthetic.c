// Format "synthetic": the embedded default data, made from a seed. The model stands in synthetic_model.c, the choice of
// items in synthetic_picker.c, the shapes in synthetic_presets.c. Users come in order, and a user's ratings in the
// order in which they were drawn. Integers, + - * / and sqrt alone: the same data on every machine.
#include "base/pool.h"
#include "data/formats.h"
#include "data/synthetic_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { USER_DIGITS = 6, ITEM_DIGITS = 4, TITLE_DIGITS = 3, NAME_MAX_LENGTH = 32 };

// --- Keys ---

#define KEY(field, ...)                                                                                                \
	{ .name = #field, .offset = offsetof(struct synthetic_params, field), __VA_ARGS__ }
static const struct key keys[] = {
    KEY(preset, .type = KEY_CHOICE, .registry = &synthetic_presets, .fallback = "\"sephora\"",
        .doc = "the shape that the other keys default to"),
    KEY(users, .type = KEY_INTEGER, .fallback = "0", .min = 0, .max = 1e8, .doc = "users; 0: the preset's"),
    KEY(items, .type = KEY_INTEGER, .fallback = "0", .min = 0, .max = 1e7, .doc = "items; 0: the preset's"),
    KEY(ratings, .type = KEY_INTEGER, .fallback = "0", .min = 0, .max = 4e9,
        .doc = "distinct (user, item) pairs, at least one a user, and one an item where there are enough; 0: the "
               "preset's"),
    KEY(rank, .type = KEY_INTEGER, .fallback = "0", .min = 0, .max = SYNTHETIC_RANK_MAX,
        .doc = "dimensions of the planted taste; 0: the preset's"),
    KEY(noise, .type = KEY_REAL, .min = 0, .max = 1000,
        .doc = "standard deviation of what nothing explains, where all the rest has 1; default: the preset's"),
    KEY(seed, .type = KEY_SEED, .fallback = "2017", .doc = "seed of the data; does not follow the run's seed"),
};

void synthetic_resolve(void *params) {
	struct synthetic_params *p = params;
	const struct preset *preset = (const struct preset *)p->preset.row;
	p->users = p->users ? p->users : preset->users;
	p->items = p->items ? p->items : preset->items;
	p->ratings = p->ratings ? p->ratings : preset->ratings;
	p->rank = p->rank ? p->rank : preset->rank;
	p->noise = isnan(p->noise) ? preset->noise : p->noise;
}

bool synthetic_check(const void *params, struct error *error) {
	const struct synthetic_params *p = params;
	if (p->ratings < p->users) {
		error_set(error, ERROR_CONFIG, "%" PRId64 " ratings are too few for %" PRId64 " users", p->ratings, p->users);
		error_hint(error, "Every user has at least one rating: set ratings to at least the number of users.");
		return false;
	}
	if (p->ratings > p->users * p->items) { // below 2^57 by the keys' bounds
		error_set(error, ERROR_CONFIG,
		          "%" PRId64 " ratings do not fit into %" PRId64 " users x %" PRId64 " items, %" PRId64 " pairs",
		          p->ratings, p->users, p->items, p->users * p->items);
		error_hint(error, "A user rates an item once: set ratings to at most users times items.");
		return false;
	}
	return true;
}

static void check(const struct data_config *config, const void *params, const struct value *root,
                  struct errors *errors) {
	(void)config;
	struct synthetic_params resolved = *(const struct synthetic_params *)params;
	struct error error = {0};
	synthetic_resolve(&resolved);
	if (synthetic_check(&resolved, &error))
		return;
	struct error *added =
	    errors_add(errors, error.code, value_origin(root, "data.source.ratings"), "%s", error.message);
	error_hint(added, "%s", error.hint);
}

// --- Names ---

// prefix, then number with at least `digits` digits; the length. Half a million of them are worth not using printf.
static size_t write_name(const char *prefix, size_t number, size_t digits, char ret_name[NAME_MAX_LENGTH]) {
	char backwards[NAME_MAX_LENGTH];
	size_t count = 0, length = strlen(prefix);
	for (; number > 0 || count < digits; number /= 10)
		backwards[count++] = (char)('0' + number % 10);
	memcpy(ret_name, prefix, length);
	while (count > 0)
		ret_name[length++] = backwards[--count];
	return length;
}

static bool add_names(const char *prefix, size_t count, size_t digits, struct ids *ids, struct error *error) {
	char name[NAME_MAX_LENGTH];
	for (size_t i = 0; i < count; i++) {
		size_t length = write_name(prefix, i + 1, digits, name);
		if (ids_add(ids, name, length) == IDS_FULL)
			return error_set(error, ERROR_RUN, "no room for %zu ids", count);
	}
	return true;
}

// "Velvet Cleanser 017": any adjective, the item's kind and its number.
static void add_titles(const struct planted *model, uint64_t seed, struct dataset *data) {
	const struct preset *preset = model->preset;
	struct random_stream stream = random_stream_make(seed, "synthetic-title", "");
	data->titles = arena_alloc(&data->arena, model->items * sizeof(*data->titles));
	for (size_t i = 0; i < model->items; i++) {
		const char *adjective = preset->adjective[random_u32(stream, 0, i, 0) % preset->adjectives];
		const char *kind = preset->kind->level[model->kind[i]].name;
		data->titles[i] = arena_format(&data->arena, "%s %s %0*zu", adjective, kind, (int)TITLE_DIGITS, i + 1);
	}
}

// --- Attributes ---

// Gives the attribute its name and levels, and room for one level a row, 0 so far.
static bool attribute_create(const struct trait *trait, size_t rows, struct attribute *ret, struct error *error) {
	ret->name = trait->name;
	ret->start = memory_array(rows + 1, sizeof(*ret->start), trait->name, error);
	ret->level = memory_array(rows, sizeof(*ret->level), trait->name, error);
	if (!ret->start || !ret->level)
		return false;
	for (size_t r = 0; r <= rows; r++)
		ret->start[r] = r;
	for (size_t l = 0; l < trait->levels; l++)
		if (ids_add(&ret->levels, trait->level[l].name, strlen(trait->level[l].name)) == IDS_FULL)
			return error_set(error, ERROR_RUN, "no room for the levels of %s", trait->name);
	return true;
}

// All of them: what the experiment does not name is dropped by features_select. None where it reads a file instead.
static bool attributes_create(const struct trait *traits, size_t count, const struct features_config *config,
                              size_t rows, struct arena *arena, struct attributes *ret, struct error *error) {
	if (config && config->path)
		return true;
	ret->rows = rows;
	ret->items = arena_alloc(arena, count * sizeof(*ret->items));
	for (size_t t = 0; t < count; t++) {
		ret->count++;
		if (!attribute_create(&traits[t], rows, &ret->items[t], error))
			return false;
	}
	return true;
}

static bool add_attributes(const struct planted *model, const struct data_config *config, struct dataset *data,
                           struct error *error) {
	const struct preset *preset = model->preset;
	if (!attributes_create(preset->traits, preset->trait_count, config->user_features, model->users, &data->arena,
	                       &data->user_attributes, error) ||
	    !attributes_create(preset->kind, 1, config->item_features, model->items, &data->arena, &data->item_attributes,
	                       error))
		return false;
	for (size_t i = 0; i < model->items && data->item_attributes.count > 0; i++)
		data->item_attributes.items[0].level[i] = model->kind[i] + 1U;
	return true; // the users' levels are filled in when their ratings are
}

// --- Ratings ---

enum { USERS_BLOCK = 4096 }; // users that one thread makes at a time

// All that the blocks of users share, and where each finds its own.
struct filling {
	const struct picker *picker;
	const struct planted *model;
	struct dataset *data;
	const uint32_t *counts; // (users) ratings of each
	size_t *start;          // (blocks) rating
	atomic_bool fail;       // no memory
};

static size_t fill_user(struct picker *picker, const struct planted *model, const struct taste *taste, size_t count,
                        struct dataset *data, size_t at) {
	for (size_t t = 0; t < data->user_attributes.count; t++)
		data->user_attributes.items[t].level[taste->user] = taste->shown[t] ? taste->level[t] + 1U : 0;
	picker_draw(picker, model, taste, count, data->item + at);
	for (size_t i = 0; i < count; i++, at++) {
		data->user[at] = (uint32_t)taste->user;
		data->rating[at] = (float)planted_stars(model, taste, data->item[at]);
	}
	return at;
}

// A user is made from nothing but the seed and the number, so that blocks do not depend on each other.
static void fill_block(void *context, size_t block) {
	struct filling *filling = context;
	struct picker picker;
	size_t at = filling->start[block], end = (block + 1) * USERS_BLOCK;
	end = end < filling->model->users ? end : filling->model->users;
	if (!picker_share(filling->picker, &picker)) {
		atomic_store(&filling->fail, true);
		return;
	}
	for (size_t u = block * USERS_BLOCK; u < end; u++) {
		struct taste taste;
		planted_user(filling->model, u, &taste);
		at = fill_user(&picker, filling->model, &taste, filling->counts[u], filling->data, at);
	}
	picker_unshare(&picker);
}

// Gives every item a rating: one of an item that has more is handed over. Nobody had rated the item, so pairs stay
// distinct.
static bool cover_items(const struct planted *model, uint64_t seed, struct dataset *data, struct error *error) {
	struct random_stream stream = random_stream_make(seed, "synthetic-cover", "");
	uint32_t *count = memory_array(model->items, sizeof(*count), "the items' ratings", error);
	if (!count)
		return false;
	for (size_t e = 0; e < data->count; e++)
		count[data->item[e]]++;
	for (size_t i = 0; i < model->items && data->count >= model->items; i++) {
		if (count[i] > 0)
			continue;
		size_t e = (size_t)(random_u64(stream, 0, i, 0) % data->count);
		while (count[data->item[e]] < 2)
			e = e + 1 < data->count ? e + 1 : 0;
		struct taste taste;
		planted_user(model, data->user[e], &taste);
		count[data->item[e]]--;
		count[i] = 1;
		data->item[e] = (uint32_t)i;
		data->rating[e] = (float)planted_stars(model, &taste, i);
	}
	free(count);
	return true;
}

static bool fill_blocks(struct filling *filling, struct error *error) {
	size_t users = filling->model->users, blocks = (users + USERS_BLOCK - 1) / USERS_BLOCK, ratings = 0;
	filling->start = memory_array(blocks, sizeof(*filling->start), "blocks of users", error);
	if (!filling->start)
		return false;
	for (size_t u = 0; u < users; u++) {
		if (u % USERS_BLOCK == 0)
			filling->start[u / USERS_BLOCK] = ratings;
		ratings += filling->counts[u];
	}
	pool_run(filling->data->pool, blocks, fill_block, filling);
	free(filling->start);
	filling->data->count = ratings;
	return !filling->fail || error_set(error, ERROR_RUN, "out of memory for the ratings of %zu users", users);
}

static bool fill_users(struct picker *picker, const struct planted *model, size_t ratings, struct dataset *data,
                       struct error *error) {
	data->user = memory_array(ratings, sizeof(*data->user), "ratings", error);
	data->item = memory_array(ratings, sizeof(*data->item), "ratings", error);
	data->rating = memory_array(ratings, sizeof(*data->rating), "ratings", error);
	uint32_t *counts = memory_array(model->users, sizeof(*counts), "the users' ratings", error);
	bool ok = data->user && data->item && data->rating && counts;
	if (ok) {
		planted_activity(model, ratings, counts);
		struct filling filling = {.picker = picker, .model = model, .data = data, .counts = counts};
		ok = fill_blocks(&filling, error);
	}
	free(counts);
	return ok;
}

static bool fill(const struct data_config *config, const struct synthetic_params *params, struct picker *picker,
                 const struct planted *model, struct dataset *data, struct error *error) {
	const struct preset *preset = model->preset;
	if (!add_attributes(model, config, data, error) ||
	    !add_names(preset->user_prefix, model->users, USER_DIGITS, &data->users, error) ||
	    !add_names(preset->item_prefix, model->items, ITEM_DIGITS, &data->items, error))
		return false;
	add_titles(model, params->seed, data);
	return fill_users(picker, model, (size_t)params->ratings, data, error) &&
	       cover_items(model, params->seed, data, error);
}

static bool load(const struct data_config *config, const void *params, struct dataset *ret, struct error *error) {
	struct synthetic_params resolved = *(const struct synthetic_params *)params;
	synthetic_resolve(&resolved);
	if (!synthetic_check(&resolved, error))
		return false;
	const struct preset *preset = (const struct preset *)resolved.preset.row;
	struct picker picker = {0};
	struct planted model = {0};
	bool ok = picker_create(preset, (size_t)resolved.items, resolved.seed, &picker, error) &&
	          planted_create(&resolved, picker.weight, &model, error) &&
	          fill(config, &resolved, &picker, &model, ret, error);
	planted_finish(&model);
	picker_finish(&picker);
	return ok;
}

const struct format format_synthetic = {
    .row = {.name = "synthetic",
            .doc = "Made from a seed: a planted low-rank taste that user attributes partly explain",
            .params = SCHEMA(struct synthetic_params, keys)},
    .load = load,
    .own_user_features = true,
    .own_item_features = true,
    .check = check,
};
