// What no single key of the `data` group can say: combinations. Everything is reported in one go, at the line that set
// it.
#include "data/check.h"

#include <string.h>

#include "base/number.h"
#include "data/split.h"

static const struct format *format_of(const struct data_config *config) {
	return (const struct format *)config->source->format.row; // its row comes first
}

bool check_split_files(const struct data_config *config) {
	return config->split != NULL && config->split->kind.row == &split_files_kind.row;
}

void check_separator(const char *separator, const char *key, bool quotes, const struct value *root,
                     struct errors *errors) {
	struct origin at = value_origin(root, key);
	if (separator[0] == '\0')
		errors_add(errors, ERROR_CONFIG, at, "%s is empty", key);
	else if (strpbrk(separator, "\r\n") != NULL)
		errors_add(errors, ERROR_CONFIG, at, "%s holds a line end", key);
	else if (quotes && strchr(separator, '"') != NULL)
		errors_add(errors, ERROR_CONFIG, at, "%s holds a quote, which quotes fields", key);
}

// --- Buckets ---

static void check_thresholds(const struct reals *thresholds, struct origin at, struct errors *errors) {
	for (size_t i = 1; i < thresholds->count; i++) {
		char before[NUMBER_TEXT], after[NUMBER_TEXT];
		if (thresholds->items[i - 1] < thresholds->items[i])
			continue;
		number_write(thresholds->items[i - 1], before);
		number_write(thresholds->items[i], after);
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, at, "data.buckets.thresholds: \"%s\" comes after \"%s\"", after, before);
		error_hint(error, "Thresholds must increase strictly.");
		return;
	}
}

// As what they become: two values that are the same in single precision would be one bucket.
static void check_distinct(const struct reals *values, struct origin at, struct errors *errors) {
	for (size_t i = 0; i < values->count; i++) {
		for (size_t j = 0; j < i; j++) {
			char text[NUMBER_TEXT];
			if ((float)values->items[i] != (float)values->items[j])
				continue;
			number_write(values->items[i], text);
			struct error *error =
			    errors_add(errors, ERROR_CONFIG, at, "data.buckets.values: \"%s\" stands there twice", text);
			error_hint(error, "Each bucket needs a value of its own.");
			return;
		}
	}
}

static void check_buckets(const struct buckets_config *buckets, const struct value *root, struct errors *errors) {
	if (buckets == NULL)
		return;
	struct origin values_at = value_origin(root, "data.buckets.values");
	size_t wanted = buckets->thresholds.count + 1;
	check_thresholds(&buckets->thresholds, value_origin(root, "data.buckets.thresholds"), errors);
	if (buckets->values.count != wanted) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, values_at, "data.buckets.values has \"%zu\" value%s, \"%zu\" are needed",
		               buckets->values.count, buckets->values.count == 1 ? "" : "s", wanted);
		error_hint(error, "There is one value more than thresholds: one below the first, one above each.");
	}
	check_distinct(&buckets->values, values_at, errors);
}

static void check_scale(const struct data_config *config, const struct value *root, struct errors *errors) {
	const struct scale_config *scale = config->scale;
	if (scale == NULL)
		return;
	if (config->buckets != NULL) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, value_origin(root, "data.scale"), "data.scale beside data.buckets");
		error_hint(error, "Write the values of the buckets as they should be.");
	}
	if (scale->low < scale->high)
		return;
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	number_write(scale->low, low);
	number_write(scale->high, high);
	errors_add(errors, ERROR_CONFIG, value_origin(root, "data.scale.high"),
	           "data.scale: high is \"%s\", must be above low, which is \"%s\"", high, low);
}

// --- Side information ---

struct side {
	const struct features_config *config;
	const char *key; // dotted
	bool own;        // the format knows its own
};

static struct origin side_at(const struct side *side, const char *name, const struct value *root) {
	struct text key = {0};
	text_format(&key, "%s.%s", side->key, name);
	struct origin at = value_origin(root, text_string(&key));
	text_finish(&key);
	return at;
}

static bool named_before(const struct strings *const lists[3], size_t list, size_t place) {
	const char *name = lists[list]->items[place];
	for (size_t i = 0; i <= list; i++) {
		for (size_t j = 0; j < (i == list ? place : lists[i]->count); j++) {
			if (strcmp(lists[i]->items[j], name) == 0)
				return true;
		}
	}
	return false;
}

// A column is named once, and by its number where the file has no header.
static void check_side_columns(const struct side *side, struct errors *errors) {
	const struct features_config *config = side->config;
	const struct strings *const lists[] = {&config->categorical, &config->numeric, &config->multi};
	bool numbered = config->path != NULL && !config->header;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		for (size_t j = 0; j < lists[i]->count; j++) {
			const char *name = lists[i]->items[j];
			struct origin at = lists[i]->at == NULL ? (struct origin){0} : lists[i]->at[j];
			int64_t number;
			if (named_before(lists, i, j))
				errors_add(errors, ERROR_CONFIG, at, "%s names the column \"%s\" twice", side->key, name);
			if (!numbered || (number_read_integer(name, strlen(name), &number) && number >= 1))
				continue;
			struct error *error =
			    errors_add(errors, ERROR_CONFIG, at, "column \"%s\" is named, but there is no header", name);
			error_hint(error, "Give the column's number, as \"3\", or set %s.header = true.", side->key);
		}
	}
}

// The keys of a file of one's own: all of them, or none.
static void check_side_file(const struct side *side, const struct value *root, struct errors *errors) {
	const struct features_config *config = side->config;
	bool id = config->id.name != NULL || config->id.number > 0;
	if (config->path == NULL && !side->own) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(root, side->key),
		                                 "missing key \"path\" in \"%s\"", side->key);
		error_hint(error, "The format has no side information of its own: name a file.");
	}
	if (config->path != NULL && !id) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, value_origin(root, side->key), "missing key \"id\" in \"%s\"", side->key);
		error_hint(error, "Name the column that holds the ids.");
	}
	if (config->path == NULL && side->own && id)
		errors_add(errors, ERROR_CONFIG, side_at(side, "id", root), "%s.id without %s.path", side->key, side->key);
	if (config->path == NULL)
		return;
	if (config->id.name != NULL && !config->header) {
		struct error *error = errors_add(errors, ERROR_CONFIG, side_at(side, "id", root),
		                                 "column \"%s\" is named, but there is no header", config->id.name);
		error_hint(error, "Give the column's number, or set %s.header = true.", side->key);
	}
	if (config->categorical.count + config->numeric.count + config->multi.count == 0) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, value_origin(root, side->key), "%s names no columns", side->key);
		error_hint(error, "List columns as categorical, numeric or multi.");
	}
	struct text key = {0};
	text_format(&key, "%s.separator", side->key);
	check_separator(config->separator, text_string(&key), config->quotes, root, errors);
	text_finish(&key);
}

static void check_side(const struct side *side, const struct value *root, struct errors *errors) {
	if (side->config == NULL)
		return;
	check_side_file(side, root, errors);
	check_side_columns(side, errors);
}

// --- Split ---

static void need_time(const char *key, const char *what, const struct value *root, struct errors *errors) {
	struct error *error =
	    errors_add(errors, ERROR_CONFIG, value_origin(root, key), "%s needs times, and the ratings have none", what);
	error_hint(error, "Name the column with data.source.columns.time, or choose another one.");
}

static void check_split_source(const struct data_config *config, const struct value *root, struct errors *errors) {
	const struct format *format = format_of(config);
	const void *params = config->source->format.params;
	if (config->split == NULL)
		return;
	if (check_split_files(config) && format->load_ratings == NULL)
		errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.kind"),
		           "split \"files\" needs a format that reads files, not \"%s\"", format->row.name);
	if (format->has_time != NULL && format->has_time(params))
		return;
	const struct row *kind = config->split->kind.row;
	if (kind == &split_time_kind.row) {
		need_time("data.split.kind", "split \"time\"", root, errors);
	} else if (kind == &split_leave_one_out_kind.row) {
		const struct split_leave_one_out *leave = config->split->kind.params;
		if (strcmp(leave->order.row->name, "time") == 0)
			need_time("data.split.order", "order \"time\"", root, errors);
	}
}

void data_check(const struct data_config *config, const struct value *root, struct errors *errors) {
	const struct format *format = format_of(config);
	struct side users = {config->user_features, "data.user_features", format->own_user_features};
	struct side items = {config->item_features, "data.item_features", format->own_item_features};
	check_buckets(config->buckets, root, errors);
	check_scale(config, root, errors);
	check_side(&users, root, errors);
	check_side(&items, root, errors);
	check_split_source(config, root, errors);
	split_check(config, root, errors);
	if (format->check != NULL)
		format->check(config, config->source->format.params, root, errors);
}
