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

const struct movielens_format format_movielens_csv = {
    .format =
        {
            .row = {.name = "movielens-csv",
                    .doc = "MovieLens latest, 20M, 25M, 32M: ratings.csv and movies.csv (item: genres)",
                    .params = MOVIELENS_SCHEMA},
            .load = movielens_load,
            .own_item_features = true,
            .load_ratings = movielens_load_ratings,
            .load_side = movielens_load_side,
            .has_time = movielens_has_time,
            .sources = movielens_sources,
        },
    .files = {
        .ratings = "ratings.csv",
        .layout = {.lines = {.separator = ",", .quotes = true},
                   .header = true,
                   .user = {.name = "userId"},
                   .item = {.name = "movieId"},
                   .rating = {.name = "rating"},
                   .time = {.name = "timestamp"}},
        .movies = &movies,
    }};
