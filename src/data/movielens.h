// What the MovieLens formats share: a folder or an archive with a file of ratings, and files about users and movies
// whose layout is known.
#ifndef AEXP_DATA_MOVIELENS_H
#define AEXP_DATA_MOVIELENS_H

#include "data/features.h"
#include "data/ratings.h"

struct movielens_params {
	const char *path;
};
extern const struct key movielens_keys[1];
#define MOVIELENS_SCHEMA                                                                                               \
	{ .keys = movielens_keys, .count = 1, .size = sizeof(struct movielens_params) }

// A file about users or movies, and the columns that are read where the experiment names none.
struct movielens_table {
	struct table table;                                             // without its path
	const char *const *categorical, *const *numeric, *const *multi; // each ends with NULL, or is NULL
};
struct movielens_files {
	const char *ratings;
	struct ratings_layout layout;
	const struct movielens_table *users, *movies; // users NULL: there is no such file
};

// A row of the format registry with its files; the functions below find them through the experiment's choice.
struct movielens_format {
	struct format format;
	struct movielens_files files;
};

bool movielens_load(const struct data_config *config, const void *params, struct dataset *ret, struct error *error);
bool movielens_load_ratings(const struct data_config *config, const void *params, const char *path, uint8_t part,
                            struct dataset *ret, struct error *error);
bool movielens_load_side(const struct data_config *config, const void *params, struct dataset *ret,
                         struct error *error);
void movielens_sources(const struct data_config *config, const void *params,
                       void (*add)(void *context, const char *path, const char *want), void *context);
bool movielens_has_time(const void *params); // all of them have

#endif
