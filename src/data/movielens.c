// Reads the three files of a MovieLens data set. Titles come with the movies, whichever attributes are asked for.
#include "data/movielens.h"

#include <stddef.h>

#include "data/check.h"

const struct key movielens_keys[1] = {
    {
        .name = "path",
        .type = KEY_PATH,
        .flags = KEY_REQUIRED,
        .offset = offsetof(struct movielens_params, path),
        .doc = "The folder with the files of the data set, each plain or compressed, or their archive",
    },
};

bool movielens_has_time(const void *params) {
	(void)params;
	return true;
}

static const struct movielens_files *files_of(const struct data_config *config) {
	return &((const struct movielens_format *)config->source->format.row)->files;
}

void movielens_sources(const struct data_config *config, const void *params,
                       void (*add)(void *context, const char *path, const char *want), void *context) {
	const struct movielens_params *movielens = params;
	const struct movielens_files *files = files_of(config);
	bool own_users = config->user_features == NULL || config->user_features->path == NULL;
	add(context, check_split_files(config) ? NULL : movielens->path, files->ratings);
	if (files->users != NULL)
		add(context, own_users ? movielens->path : NULL, files->users->table.want);
	add(context, movielens->path, files->movies->table.want);
}

bool movielens_load(const struct data_config *config, const void *params, struct dataset *ret, struct error *error) {
	const struct movielens_params *movielens = params;
	const struct movielens_files *files = files_of(config);
	return ratings_read(movielens->path, files->ratings, &files->layout, PART_TRAIN, ret, error);
}

bool movielens_load_ratings(const struct data_config *config, const void *params, const char *path, uint8_t part,
                            struct dataset *ret, struct error *error) {
	(void)params;
	return ratings_read(path, NULL, &files_of(config)->layout, part, ret, error);
}

static struct strings strings_of(const char *const *names, struct arena *arena) {
	struct strings list = {0};
	while (names != NULL && names[list.count] != NULL)
		list.count++;
	list.items = arena_copy(arena, names, list.count * sizeof *names);
	return list;
}

// The columns to read: the experiment's, else the table's own.
static struct features_config columns_of(const struct features_config *config, const struct movielens_table *table,
                                         struct arena *arena) {
	struct features_config columns = {0};
	if (config != NULL && config->path != NULL)
		return columns; // attributes come from elsewhere
	if (config != NULL)
		columns = *config;
	if (columns.categorical.count + columns.numeric.count + columns.multi.count > 0)
		return columns;
	columns.categorical = strings_of(table->categorical, arena);
	columns.numeric = strings_of(table->numeric, arena);
	columns.multi = strings_of(table->multi, arena);
	return columns;
}

bool movielens_load_side(const struct data_config *config, const void *params, struct dataset *ret,
                         struct error *error) {
	const struct movielens_files *files = files_of(config);
	const struct movielens_params *movielens = params;
	bool own_users = config->user_features == NULL || config->user_features->path == NULL;
	if (files->users != NULL && own_users) {
		struct table table = files->users->table;
		struct features_config columns = columns_of(config->user_features, files->users, &ret->arena);
		table.path = movielens->path;
		if (!features_read(&table, &columns, "user", &ret->users, &ret->arena, &ret->user_attributes, NULL, error))
			return false;
	}
	struct table table = files->movies->table;
	struct features_config columns = columns_of(config->item_features, files->movies, &ret->arena);
	table.path = movielens->path;
	return features_read(&table, &columns, "item", &ret->items, &ret->arena, &ret->item_attributes, &ret->titles,
	                     error);
}
