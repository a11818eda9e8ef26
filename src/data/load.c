// From the `data` group to a data set: ratings, then duplicates, then side information (which needs all ids), then the
// fingerprint.
#include "data/data.h"
#include "data/duplicates.h"
#include "data/features.h"
#include "data/fingerprint.h"
#include "data/ratings.h"
#include "data/split.h"

struct load {
	const struct data_config *config;
	const struct format *format;
	const void *params;
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
	ret->loading = loading_create(NULL, 0);
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

bool data_load(const struct data_config *config, uint64_t seed, struct dataset *ret, struct error *error) {
	(void)seed; // what is read is never drawn: the split draws
	struct load load = {.config = config, .format = (const struct format *)config->source->format.row};
	load.params = config->source->format.params;
	struct dataset dataset = {0};
	if (!load_ratings(&load, &dataset, error) || !load_own_side(&load, &dataset, error) ||
	    !load_named_side(&load, &dataset, error)) {
		dataset_finish(&dataset);
		return false;
	}
	dataset_fingerprint(&dataset);
	*ret = dataset;
	return true;
}
