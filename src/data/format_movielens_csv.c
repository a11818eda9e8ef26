// The later MovieLens sets (latest, 20M, 25M, 32M): ratings.csv and movies.csv, with headers and quoted titles. They
// know nothing about users. README: https://files.grouplens.org/datasets/movielens/ml-latest-README.html
#include "data/formats.h"
#include "data/movielens.h"

static const char *const movie_multi[] = {"genres", NULL};
static const struct movielens_table movies = {
    .table = {.want = "movies.csv",
              .lines = {.separator = ",", .quotes = true},
              .header = true,
              .id = {.name = "movieId"},
              .title = "title",
              .missing = "(no genres listed)"},
    .multi = movie_multi,
};

static const struct movielens_files files = {
    .ratings = "ratings.csv",
    .layout = {.lines = {.separator = ",", .quotes = true},
               .header = true,
               .user = {.name = "userId"},
               .item = {.name = "movieId"},
               .rating = {.name = "rating"},
               .time = {.name = "timestamp"}},
    .movies = &movies,
};

static bool load(const struct data_config *config, const void *params, struct dataset *ret, struct error *error) {
	(void)config;
	return movielens_load(&files, params, ret, error);
}

static bool load_ratings(const struct data_config *config, const void *params, const char *path, uint8_t part,
                         struct dataset *ret, struct error *error) {
	(void)config, (void)params;
	return ratings_read(path, NULL, &files.layout, part, ret, error);
}

static bool load_side(const struct data_config *config, const void *params, struct dataset *ret, struct error *error) {
	return movielens_load_side(&files, config, params, ret, error);
}

const struct format format_movielens_csv = {
    .row = {.name = "movielens-csv",
            .doc = "MovieLens latest, 20M, 25M, 32M: ratings.csv and movies.csv (item: genres)",
            .params = MOVIELENS_SCHEMA},
    .load = load,
    .own_item_features = true,
    .load_ratings = load_ratings,
    .load_side = load_side,
    .has_time = movielens_has_time,
};
