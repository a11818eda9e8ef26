// Any text table with one rating a line: CSV, TSV, "::"...
#include <stddef.h>
#include <string.h>

#include "data/check.h"
#include "data/formats.h"
#include "data/ratings.h"

struct columns_config {
	struct column_ref user, item, rating, time;
};
struct delimited_params {
	const char *path, *separator;
	bool header, quotes;
	struct columns_config *columns;
};

#define COLUMN(role, number, text)                                                                                     \
	{                                                                                                                  \
		.name = #role, .type = KEY_COLUMN, .offset = offsetof(struct columns_config, role), .fallback = number,        \
		.doc = text ", by number from 1 or by the header's name"                                                       \
	}
static const struct key column_keys[] = {
    COLUMN(user, "1", "Column of the user's id"),
    COLUMN(item, "2", "Column of the item's id"),
    COLUMN(rating, "3", "Column of the rating"),
    COLUMN(time, NULL, "Column of the time, an integer; needed by splits that go by time"),
};
static const struct schema columns_schema = SCHEMA(struct columns_config, column_keys);

#define KEY(field, kind, ...)                                                                                          \
	{ .name = #field, .type = kind, .offset = offsetof(struct delimited_params, field), __VA_ARGS__ }
static const struct key keys[] = {
    KEY(path, KEY_PATH,
        .doc = "The file of ratings, plain or compressed, or an archive of one; not read under split files"),
    KEY(separator, KEY_STRING, .fallback = "\",\"", .doc = "What divides the fields: one character or several"),
    KEY(header, KEY_BOOL, .fallback = "true", .doc = "Whether the first line names the columns"),
    KEY(quotes, KEY_BOOL, .fallback = "true", .doc = "Whether a field in double quotes may hold separators"),
    KEY(columns, KEY_GROUP, .fallback = "{ }", .schema = &columns_schema, .doc = "Where user, item and rating stand"),
};

static struct ratings_layout layout_of(const struct delimited_params *delimited) {
	const struct columns_config *columns = delimited->columns;
	return (struct ratings_layout){
	    .lines = {.separator = delimited->separator, .quotes = delimited->quotes},
	    .header = delimited->header,
	    .user = columns->user,
	    .item = columns->item,
	    .rating = columns->rating,
	    .time = columns->time,
	};
}

static bool load(const struct data_config *config, const void *params, struct dataset *ret, struct error *error) {
	(void)config;
	const struct delimited_params *delimited = params;
	struct ratings_layout layout = layout_of(delimited);
	return ratings_read(delimited->path, NULL, &layout, PART_TRAIN, ret, error);
}

static bool load_ratings(const struct data_config *config, const void *params, const char *path, uint8_t part,
                         struct dataset *ret, struct error *error) {
	(void)config;
	struct ratings_layout layout = layout_of(params);
	return ratings_read(path, NULL, &layout, part, ret, error);
}

static void sources(const struct data_config *config, const void *params,
                    void (*add)(void *context, const char *path, const char *want), void *context) {
	const struct delimited_params *delimited = params;
	add(context, check_split_files(config) ? NULL : delimited->path, NULL);
}

static bool is_set(const struct column_ref *column) {
	return column->name != NULL || column->number > 0;
}

static bool has_time(const void *params) {
	const struct delimited_params *delimited = params;
	return is_set(&delimited->columns->time);
}

static bool same_column(const struct column_ref *a, const struct column_ref *b) {
	if (a->name != NULL && b->name != NULL)
		return strcmp(a->name, b->name) == 0;
	return a->name == NULL && b->name == NULL && a->number == b->number;
}

static void check_columns(const struct delimited_params *delimited, const struct value *root, struct errors *errors) {
	static const char *const names[] = {"user", "item", "rating", "time"};
	const struct columns_config *columns = delimited->columns;
	const struct column_ref *refs[] = {&columns->user, &columns->item, &columns->rating, &columns->time};
	for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
		struct text key = {0};
		text_format(&key, "data.source.columns.%s", names[i]);
		struct origin at = value_origin(root, text_string(&key));
		if (refs[i]->name != NULL && !delimited->header) {
			struct error *added =
			    errors_add(errors, ERROR_CONFIG, at, "column \"%s\" is named, but there is no header", refs[i]->name);
			error_hint(added, "Give the column's number, or set data.source.header = true.");
		}
		for (size_t j = 0; j < i; j++) {
			if (is_set(refs[i]) && same_column(refs[i], refs[j]))
				errors_add(errors, ERROR_CONFIG, at, "%s and %s are the same column", names[j], names[i]);
		}
		text_finish(&key);
	}
}

static void check(const struct data_config *config, const void *params, const struct value *root,
                  struct errors *errors) {
	const struct delimited_params *delimited = params;
	if (delimited->path == NULL && !check_split_files(config)) {
		struct error *added = errors_add(errors, ERROR_CONFIG, value_origin(root, "data.source"),
		                                 "missing key \"path\" in \"data.source\"");
		error_hint(added, "Name the file of ratings.");
	}
	check_separator(delimited->separator, "data.source.separator", delimited->quotes, root, errors);
	check_columns(delimited, root, errors);
}

const struct format format_delimited = {
    .row = {.name = "delimited",
            .doc = "A text table with one rating a line: CSV, TSV and the like",
            .params = SCHEMA(struct delimited_params, keys)},
    .load = load,
    .load_ratings = load_ratings,
    .has_time = has_time,
    .sources = sources,
    .check = check,
};
