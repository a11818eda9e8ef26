// The keys of the `data` group, and the registries that belong to no one else: formats, rows, duplicates.
#include <stddef.h>

#include "data/data.h"
#include "data/duplicates.h"
#include "data/formats.h"

static const struct row *const formats[] = {
    &format_synthetic.row,
    &format_delimited.row,
    &format_movielens_100k.format.row,
    &format_movielens_1m.format.row,
    &format_movielens_csv.format.row,
};
const struct registry format_registry = {"format", "formats", formats, sizeof formats / sizeof formats[0]};

static const struct row rows_users = {"users", "A row is a user's ratings (U-AutoRec)", SCHEMA_NONE};
static const struct row rows_items = {"items", "A row is an item's ratings (I-AutoRec)", SCHEMA_NONE};
static const struct row *const rows[] = {&rows_users, &rows_items};
static const struct registry rows_registry = {"rows", "rows", rows, sizeof rows / sizeof rows[0]};

enum { COUNT_MAX = 1000000000 }; // of ratings that a user or an item can be asked to have

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key source_keys[] = {
    KEY(source_config, format, KEY_TAG, .registry = &format_registry, .fallback = "\"synthetic\"",
        .doc = "How the ratings are stored"),
};
static const struct schema source_schema = SCHEMA(struct source_config, source_keys);

static const struct key filter_keys[] = {
    KEY(filter_config, min_user_ratings, KEY_INTEGER, .fallback = "1", .min = 1, .max = COUNT_MAX,
        .doc = "Users with fewer ratings are left out"),
    KEY(filter_config, min_item_ratings, KEY_INTEGER, .fallback = "1", .min = 1, .max = COUNT_MAX,
        .doc = "Items with fewer ratings are left out"),
    KEY(filter_config, above, KEY_REAL, .doc = "Ratings up to this are left out, before users and items are counted"),
};
static const struct schema filter_schema = SCHEMA(struct filter_config, filter_keys);

static const struct key buckets_keys[] = {
    KEY(buckets_config, thresholds, KEY_REALS, .flags = KEY_REQUIRED,
        .doc = "Upper ends of the buckets but the last, inclusive, increasing; empty: one value for all ratings"),
    KEY(buckets_config, values, KEY_REALS, .flags = KEY_REQUIRED,
        .doc = "What the ratings of each bucket become; one more than thresholds"),
};
static const struct schema buckets_schema = SCHEMA(struct buckets_config, buckets_keys);

static const struct key scale_keys[] = {
    KEY(scale_config, low, KEY_REAL, .flags = KEY_REQUIRED, .doc = "The rating that becomes 0"),
    KEY(scale_config, high, KEY_REAL, .flags = KEY_REQUIRED, .doc = "The rating that becomes 1"),
};
static const struct schema scale_schema = SCHEMA(struct scale_config, scale_keys);

#define FEATURES_KEYS                                                                                                  \
	KEY(features_config, path, KEY_PATH,                                                                               \
	    .doc = "The file, plain or compressed; left out where the format has its own, which is then meant"),           \
	    KEY(features_config, separator, KEY_STRING, .fallback = "\",\"",                                               \
	        .doc = "What divides the fields of the file: one character or several"),                                   \
	    KEY(features_config, header, KEY_BOOL, .fallback = "true",                                                     \
	        .doc = "Whether the file's first line names the columns; otherwise columns are numbers, as \"3\""),        \
	    KEY(features_config, quotes, KEY_BOOL, .fallback = "true",                                                     \
	        .doc = "Whether a field in double quotes may hold separators"),                                            \
	    KEY(features_config, id, KEY_COLUMN, .doc = "Column of the ids; needed with path"),                            \
	    KEY(features_config, categorical, KEY_STRINGS,                                                                 \
	        .doc = "Columns that hold one of several levels; an empty cell is a level of its own"),                    \
	    KEY(features_config, numeric, KEY_STRINGS, .doc = "Columns that hold a number; an empty cell is not known"),   \
	    KEY(features_config, multi, KEY_STRINGS, .doc = "Columns that hold several levels, divided by '|'")

static const struct key user_features_keys[] = {FEATURES_KEYS};
static const struct schema user_features_schema = SCHEMA(struct features_config, user_features_keys);

static const struct key item_features_keys[] = {
    FEATURES_KEYS,
    KEY(features_config, title, KEY_STRING, .doc = "Column of the titles in the file that path names"),
};
static const struct schema item_features_schema = SCHEMA(struct features_config, item_features_keys);

static const struct key split_keys[] = {
    KEY(split_config, kind, KEY_TAG, .flags = KEY_REQUIRED, .registry = &split_registry,
        .doc = "How ratings are divided into train, valid and test"),
};
static const struct schema split_schema = SCHEMA(struct split_config, split_keys);

static const struct key data_keys[] = {
    KEY(data_config, source, KEY_GROUP, .schema = &source_schema, .fallback = "{ }", .doc = "Where ratings come from"),
    KEY(data_config, filter, KEY_GROUP, .schema = &filter_schema, .fallback = "{ }",
        .doc = "Leaves out users and items with few ratings, until nothing changes (k-core)"),
    KEY(data_config, buckets, KEY_GROUP, .schema = &buckets_schema,
        .doc = "Replaces ratings by the values of buckets; left out: ratings stay as they are"),
    KEY(data_config, rows, KEY_CHOICE, .registry = &rows_registry, .fallback = "\"users\"",
        .doc = "What a row of the rating matrix is"),
    KEY(data_config, liked, KEY_REAL,
        .doc =
            "A rating above this counts as liked; default: the last threshold of the buckets, else every rating does"),
    KEY(data_config, duplicates, KEY_CHOICE, .registry = &duplicates_registry, .fallback = "\"error\"",
        .doc = "What happens where a user rated an item more than once"),
    KEY(data_config, user_features, KEY_GROUP, .schema = &user_features_schema,
        .doc = "Side information of users, the input `user`; default: the format's own (MovieLens: age as a number, "
               "gender and occupation as levels)"),
    KEY(data_config, item_features, KEY_GROUP, .schema = &item_features_schema,
        .doc = "Side information of items, which is the input `user` under rows = \"items\"; default: the format's own "
               "(MovieLens: genres)"),
    KEY(data_config, split, KEY_GROUP, .schema = &split_schema,
        .doc = "Division into train, valid and test; left out: everything is train"),
    KEY(data_config, scale, KEY_GROUP, .schema = &scale_schema,
        .doc = "Values become (rating - low) / (high - low), and metrics over cells are of ratings again; not beside "
               "buckets"),
    KEY(data_config, obtain, KEY_STRING, .flags = KEY_NO_ID,
        .doc = "Where the data comes from and where it goes, said where it is missing"),
};
const struct schema data_schema = SCHEMA(struct data_config, data_keys);
