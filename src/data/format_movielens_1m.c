// MovieLens 1M as GroupLens publishes it: ratings.dat, users.dat and movies.dat (in Latin-1), divided by "::". Age and
// occupation are codes. README of the data set: https://files.grouplens.org/datasets/movielens/ml-1m-README.txt
#include "data/formats.h"
#include "data/movielens.h"

static const char *const user_columns[] = {"user", "gender", "age", "occupation", "zip"};
static const char *const user_categorical[] = {"gender", "occupation", NULL};
static const char *const user_numeric[] = {"age", NULL}; // the code is the lower end of an age group
static const struct movielens_table users = {
    .table = {.want = "users.dat",
              .lines = {.separator = "::"},
              .latin1 = true,
              .columns = user_columns,
              .columns_count = sizeof user_columns / sizeof user_columns[0],
              .id = {.number = 1}},
    .categorical = user_categorical,
    .numeric = user_numeric,
};

static const char *const movie_columns[] = {"movie", "title", "genres"};
static const char *const movie_multi[] = {"genres", NULL};
static const struct movielens_table movies = {
    .table = {.want = "movies.dat",
              .lines = {.separator = "::"},
              .latin1 = true,
              .columns = movie_columns,
              .columns_count = sizeof movie_columns / sizeof movie_columns[0],
              .id = {.number = 1},
              .title = "title"},
    .multi = movie_multi,
};

const struct movielens_format format_movielens_1m = {
    .format =
        {
            .row = {.name = "movielens-1m",
                    .doc = "MovieLens 1M: ratings.dat, users.dat (user: gender, age, occupation, zip) and movies.dat "
                           "(item: genres)",
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
        .ratings = "ratings.dat",
        .layout = {.lines = {.separator = "::"}, .user = {1}, .item = {2}, .rating = {3}, .time = {4}},
        .users = &users,
        .movies = &movies,
    }};
