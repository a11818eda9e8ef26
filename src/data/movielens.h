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

bool movielens_load(const struct movielens_files *files, const void *params, struct dataset *ret, struct error *error);
bool movielens_load_side(const struct movielens_files *files, const struct data_config *config, const void *params,
                         struct dataset *ret, struct error *error);
bool movielens_has_time(const void *params); // all of them have

#endif
