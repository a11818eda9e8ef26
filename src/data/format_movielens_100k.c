// MovieLens 100K as GroupLens publishes it: u.data (tab separated), u.user and u.item (divided by '|', the latter in
// Latin-1). README of the data set: https://files.grouplens.org/datasets/movielens/ml-100k-README.txt
#include "data/formats.h"
#include "data/movielens.h"

static const char *const user_columns[] = {"user", "age", "gender", "occupation", "zip"};
static const char *const user_categorical[] = {"gender", "occupation", NULL};
static const char *const user_numeric[] = {"age", NULL};
static const struct movielens_table users = {
    .table = {.want = "u.user",
              .lines = {.separator = "|"},
              .latin1 = true,
              .columns = user_columns,
              .columns_count = sizeof user_columns / sizeof user_columns[0],
              .id = {.number = 1}},
    .categorical = user_categorical,
    .numeric = user_numeric,
};

// The genres in the order of the README: a 1 says that the movie is of that genre; it may be of several.
static const char *const movie_columns[] = {
    "movie",       "title",     "release_date", "video_release_date", "imdb_url", "unknown",
    "Action",      "Adventure", "Animation",    "Children's",         "Comedy",   "Crime",
    "Documentary", "Drama",     "Fantasy",      "Film-Noir",          "Horror",   "Musical",
    "Mystery",     "Romance",   "Sci-Fi",       "Thriller",           "War",      "Western"};
enum { MOVIE_COLUMNS = sizeof movie_columns / sizeof movie_columns[0], FIRST_GENRE = 5 };
static const char *const movie_multi[] = {"genres", NULL};
static const struct movielens_table movies = {
    .table = {.want = "u.item",
              .lines = {.separator = "|"},
              .latin1 = true,
              .columns = movie_columns,
              .columns_count = MOVIE_COLUMNS,
              .id = {.number = 1},
              .title = "title",
              .flags = "genres",
              .flags_first = FIRST_GENRE,
              .flags_count = MOVIE_COLUMNS - FIRST_GENRE},
    .multi = movie_multi,
};

const struct movielens_format format_movielens_100k = {
    .format =
        {
            .row = {.name = "movielens-100k",
                    .doc =
                        "MovieLens 100K: u.data, u.user (user: age, gender, occupation, zip) and u.item (item: genres)",
                    .params = MOVIELENS_SCHEMA},
            .load = movielens_load,
            .own_user_features = true,
            .own_item_features = true,
            .load_ratings = movielens_load_ratings,
            .load_side = movielens_load_side,
            .has_time = movielens_has_time,
            .sources = movielens_sources,
        },
    .files = {
        .ratings = "u.data",
        .layout = {.lines = {.separator = "\t"}, .user = {1}, .item = {2}, .rating = {3}, .time = {4}},
        .users = &users,
        .movies = &movies,
    }};
