// From the `data` group to a data set: ratings, then duplicates, then side information (which needs all ids), then the
// fingerprint; or all of it from a cache.
#include "data/cache.h"
#include "data/data.h"
#include "data/duplicates.h"
#include "data/features.h"
#include "data/fingerprint.h"
#include "data/ratings.h"
#include "data/split.h"

#include <string.h>

struct load {
	const struct data_config *config;
	const struct format *format;
	const void *params;
	const struct data_access *access;
};

// Split `files`: three files in the format's layout, in place of the one that the source names.
static bool load_files(const struct load *load, const struct split_files *files, struct dataset *ret,
                       struct error *error) {
	const char *const paths[PARTS] = {
	    [PART_TRAIN] = files->train, [PART_VALID] = files->valid, [PART_TEST] = files->test};
	ret->loading->parts = true;
	for (size_t part = 0; part < PARTS; part++) {
		if (paths[part] != NULL &&
		    !load->format->load_ratings(load->config, load->params, paths[part], (uint8_t)part, ret, error))
			return false;
	}
	return true;
}

static bool load_ratings(const struct load *load, struct dataset *ret, struct error *error) {
	const struct split_config *split = load->config->split;
	ret->loading = loading_create(load->access->pool, load->access->block_bytes);
	bool files = split != NULL && split->kind.row == &split_files_kind.row;
	bool fine = files ? load_files(load, split->kind.params, ret, error)
	                  : load->format->load(load->config, load->params, ret, error);
	const struct duplicates_rule *rule = (const struct duplicates_rule *)load->config->duplicates.row;
	fine = fine && duplicates_settle(rule, ret, error);
	loading_destroy(ret->loading);
	ret->loading = NULL;
	return fine;
}

static bool load_own_side(const struct load *load, struct dataset *ret, struct error *error) {
	const struct data_config *config = load->config;
	struct arena *arena = &ret->arena;
	if (load->format->load_side != NULL)
		return load->format->load_side(config, load->params, ret, error);
	if (config->user_features != NULL && config->user_features->path == NULL &&
	    !features_select(config->user_features, "user", arena, &ret->user_attributes, error))
		return false;
	return config->item_features == NULL || config->item_features->path != NULL ||
	       features_select(config->item_features, "item", arena, &ret->item_attributes, error);
}

// Files that the experiment names, in place of what the format has.
static bool load_named_side(const struct load *load, struct dataset *ret, struct error *error) {
	const struct features_config *users = load->config->user_features, *items = load->config->item_features;
	if (users != NULL && users->path != NULL) {
		attributes_finish(&ret->user_attributes);
		if (!features_read_file(users, "user", &ret->users, &ret->arena, &ret->user_attributes, NULL, error))
			return false;
	}
	if (items == NULL || items->path == NULL)
		return true;
	attributes_finish(&ret->item_attributes);
	return features_read_file(items, "item", &ret->items, &ret->arena, &ret->item_attributes,
	                          items->title == NULL ? NULL : &ret->titles, error);
}

static bool load_files_of(const struct data_config *config, const struct data_access *access, struct dataset *ret,
                          struct error *error) {
	struct load load = {
	    .config = config, .format = (const struct format *)config->source->format.row, .access = access};
	load.params = config->source->format.params;
	struct dataset dataset = {.pool = access->pool};
	if (!load_ratings(&load, &dataset, error) || !load_own_side(&load, &dataset, error) ||
	    !load_named_side(&load, &dataset, error)) {
		dataset_finish(&dataset);
		return false;
	}
	dataset_fingerprint(&dataset);
	*ret = dataset;
	return true;
}

bool data_load_with(const struct data_config *config, struct data_access *access, struct dataset *ret,
                    struct error *error) {
	const struct format *format = (const struct format *)config->source->format.row;
	access->note = (struct error){0};
	access->from = format->sources == NULL ? "synthetic" : "files";
	if (access->cache == NULL || !cache_key(config, access->pool, access->key))
		access->key[0] = '\0';
	else if (cache_read(access->cache, access->key, access->pool, ret, &access->note))
		access->from = "cache";
	if (strcmp(access->from, "cache") != 0)
		return load_files_of(config, access, ret, error);
	ret->pool = access->pool;
	return true;
}

void data_keep(struct data_access *access, const struct dataset *dataset) {
	if (access->key[0] != '\0' && strcmp(access->from, "files") == 0)
		cache_write(access->cache, access->key, dataset, &access->note);
}

bool data_load(const struct data_config *config, uint64_t seed, struct dataset *ret, struct error *error) {
	(void)seed;
	struct data_access access = {0};
	return data_load_with(config, &access, ret, error);
}
