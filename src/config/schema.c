// Reading a tree into a plain struct by a table of keys. Every problem is collected; the list comes out in order of
// lines.
#include "config/schema.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/nearest.h"
#include "base/number.h"
#include "config/tree.h"

// ---- tables ----

const struct row *registry_find(const struct registry *registry, const char *name) {
	for (size_t i = 0; i < registry->count; i++) {
		if (strcmp(registry->rows[i]->name, name) == 0)
			return registry->rows[i];
	}
	return NULL;
}

const struct key *schema_key(const struct schema *schema, const char *name) {
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(schema->keys[i].name, name) == 0)
			return &schema->keys[i];
	}
	return NULL;
}

const struct key *schema_tag(const struct schema *schema) {
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->keys[i].type == KEY_TAG)
			return &schema->keys[i];
	}
	return NULL;
}

// The text of a string, or what stood behind the `=` of an override; NULL where it is neither.
static const char *as_string(const struct value *value) {
	return value->type == VALUE_STRING ? value->as.string : value->raw;
}

// The row of a fallback, which is spelled with its quotes: "\"adadelta\"".
static const struct row *fallback_row(const struct key *tag) {
	size_t length = tag->fallback == NULL ? 0 : strlen(tag->fallback);
	for (size_t i = 0; length > 2 && i < tag->registry->count; i++) {
		const struct row *row = tag->registry->rows[i];
		if (strlen(row->name) == length - 2 && strncmp(tag->fallback + 1, row->name, length - 2) == 0)
			return row;
	}
	return NULL;
}

const struct row *schema_row(const struct key *tag, const struct value *group) {
	const struct value *value = value_child(group, tag->name);
	if (value == NULL)
		return fallback_row(tag);
	const char *name = as_string(value);
	return name == NULL ? NULL : registry_find(tag->registry, name);
}

static const struct key *find_key(const struct schema *schema, const char *name, size_t length) {
	for (size_t i = 0; i < schema->count; i++)
		if (strlen(schema->keys[i].name) == length && strncmp(schema->keys[i].name, name, length) == 0)
			return &schema->keys[i];
	return NULL;
}

bool schema_holds(const struct schema *schema, const void *data, const char *name) {
	size_t length = strcspn(name, ".");
	const struct key *key = find_key(schema, name, length), *tag = schema_tag(schema);
	if (key == NULL && tag != NULL) {
		const struct choice *choice = (const void *)((const char *)data + tag->offset);
		data = choice->params;
		key = choice->row == NULL || data == NULL ? NULL : find_key(&choice->row->params, name, length);
	}
	if (key == NULL || name[length] == '\0')
		return key != NULL;
	if (key->type != KEY_GROUP)
		return false;
	const void *group = *(void *const *)(const void *)((const char *)data + key->offset);
	return group != NULL && schema_holds(key->schema, group, name + length + 1);
}

// ---- bounds ----

struct bounds {
	bool has_min, has_max;
	double min, max;
};

// Both 0 is no bounds, an infinite one is none, and so is a maximum below the minimum (a table that names `min` alone).
static struct bounds bounds_of(const struct key *key) {
	bool none = key->min == 0 && key->max == 0;
	struct bounds bounds = {.min = key->min, .max = key->max};
	bounds.has_min = isfinite(key->min) && (!none || (key->flags & KEY_OPEN_MIN) != 0);
	bounds.has_max = isfinite(key->max) && (none ? (key->flags & KEY_OPEN_MAX) != 0 : key->max >= key->min);
	bool counts = key->type == KEY_UNITS || key->type == KEY_COLUMN;
	if (counts && (!bounds.has_min || bounds.min < 1)) {
		bounds.has_min = true;
		bounds.min = 1;
	}
	return bounds;
}

static bool within(const struct key *key, double value) {
	struct bounds bounds = bounds_of(key);
	bool open_min = (key->flags & KEY_OPEN_MIN) != 0, open_max = (key->flags & KEY_OPEN_MAX) != 0;
	if (bounds.has_min && (open_min ? value <= bounds.min : value < bounds.min))
		return false;
	return !bounds.has_max || (open_max ? value < bounds.max : value <= bounds.max);
}

void schema_bounds(const struct key *key, struct text *text) {
	struct bounds bounds = bounds_of(key);
	char number[NUMBER_TEXT];
	if (bounds.has_min) {
		number_write(bounds.min, number);
		text_format(text, "%s %s", (key->flags & KEY_OPEN_MIN) != 0 ? "more than" : "at least", number);
	}
	if (bounds.has_max) {
		number_write(bounds.max, number);
		text_format(text, "%s%s %s", bounds.has_min ? " and " : "",
		            (key->flags & KEY_OPEN_MAX) != 0 ? "less than" : "at most", number);
	}
}

// ---- messages ----

struct reader {
	struct arena *arena;
	struct errors *errors;
	size_t start; // errors that were in the list before
};

static bool is_full(const struct reader *r) {
	return r->errors->count - r->start >= ERRORS_MOST;
}

static const char *type_name(const struct value *value) {
	static const char *const names[] = {
	    [VALUE_BOOL] = "true or false", [VALUE_INTEGER] = "an integer", [VALUE_REAL] = "a real number",
	    [VALUE_STRING] = "a string",    [VALUE_GROUP] = "a group",      [VALUE_LIST] = "a list"};
	return names[value->type];
}

static const char *expected_name(const struct key *key) {
	static const char *const names[] = {
	    [KEY_BOOL] = "true or false",
	    [KEY_INTEGER] = "an integer",
	    [KEY_SEED] = "an integer",
	    [KEY_REAL] = "a number",
	    [KEY_STRING] = "a string",
	    [KEY_PATH] = "a string",
	    [KEY_REALS] = "a list of numbers",
	    [KEY_STRINGS] = "a list of strings",
	    [KEY_VALUES] = "a list of values",
	    [KEY_CHOICE] = "a string",
	    [KEY_TAG] = "a string",
	    [KEY_GROUP] = "a group",
	    [KEY_LIST] = "a list of groups",
	    [KEY_UNITS] = "an integer or \"items\"",
	    [KEY_COLUMN] = "an integer or a column's name",
	};
	if (key->type == KEY_GROUP && schema_tag(key->schema) != NULL)
		return "a group or a name";
	return names[key->type];
}

// An integer that does not fit is a string to the overrides, which try everything else first.
static bool is_huge_integer(const struct value *value) {
	if (value->raw == NULL || value->type != VALUE_STRING)
		return false;
	const char *digits = value->raw + (value->raw[0] == '-' || value->raw[0] == '+' ? 1 : 0);
	return digits[0] != '\0' && digits[strspn(digits, "0123456789")] == '\0';
}

// Whether an override that became a string was meant as a number, list or group: then its flaw is what helps.
static bool was_meant_otherwise(const struct value *value) {
	if (value->raw == NULL || value->type != VALUE_STRING || value->raw[0] == '\0')
		return false;
	const char *first = value->raw + (value->raw[0] == '-' || value->raw[0] == '+' ? 1 : 0);
	return strchr("[({", value->raw[0]) != NULL || (first[0] >= '0' && first[0] <= '9');
}

static void add_mistyped(struct reader *r, const struct key *key, const struct value *value) {
	if (!was_meant_otherwise(value) || !tree_explain_value(value->raw, value->at, r->errors))
		errors_add(r->errors, ERROR_CONFIG, value->at, "\"%s\" must be %s, not %s", key->name, expected_name(key),
		           type_name(value));
}

static void add_mistyped_element(struct reader *r, const struct key *key, size_t index, const char *expected,
                                 const struct value *value) {
	errors_add(r->errors, ERROR_CONFIG, value->at, "element %zu of \"%s\" must be %s, not %s", index + 1, key->name,
	           expected, type_name(value));
}

static void add_outside(struct reader *r, const struct key *key, struct origin at, const char *number) {
	struct text limits = {0};
	schema_bounds(key, &limits);
	errors_add(r->errors, ERROR_CONFIG, at, "\"%s\" is %s, but must be %s", key->name, number, text_string(&limits));
	text_finish(&limits);
}

// "Did you mean ...?" or, where nothing is near, all that is known.
static void hint_names(struct error *error, const struct nearest *nearest, const struct text *all) {
	if (nearest->best != NULL)
		error_hint(error, "Did you mean \"%s\"?", nearest->best);
	else if (all->length > 0)
		error_hint(error, "Known are %s.", text_string(all));
}

static void offer(struct nearest *nearest, struct text *all, const char *name) {
	nearest_offer(nearest, name);
	text_format(all, "%s\"%s\"", all->length == 0 ? "" : ", ", name);
}

static void add_unknown_name(struct reader *r, const struct registry *registry, struct origin at, const char *name) {
	struct nearest nearest = {.word = name};
	struct text all = {0};
	for (size_t i = 0; i < registry->count; i++)
		offer(&nearest, &all, registry->rows[i]->name);
	hint_names(errors_add(r->errors, ERROR_CONFIG, at, "unknown %s \"%s\"", registry->what, name), &nearest, &all);
	text_finish(&all);
}

static void add_missing(struct reader *r, const struct key *key, const struct value *group, const char *path) {
	bool root = path[0] == '\0';
	struct error *error = errors_add(r->errors, ERROR_CONFIG, group->at, "missing key \"%s\"%s%s%s", key->name,
	                                 root ? "" : " in \"", path, root ? "" : "\"");
	error_hint(error, "It is %s: %s.", expected_name(key), key->doc == NULL ? "see the manual" : key->doc);
}

// ---- one key ----

// A list that is not too long; false with an error.
static bool is_list(struct reader *r, const struct key *key, const struct value *value) {
	if (value->type != VALUE_LIST) {
		add_mistyped(r, key, value);
		return false;
	}
	if (value->as.children.count <= LIST_MOST)
		return true;
	errors_add(r->errors, ERROR_CONFIG, value->at, "\"%s\" has %zu elements, but may have at most %d", key->name,
	           value->as.children.count, LIST_MOST);
	return false;
}

static void read_group(struct reader *r, const struct schema *schema, const struct value *group, const char *path,
                       void *ret);

static void read_bool(struct reader *r, const struct key *key, const struct value *value, const char *path, void *ret) {
	(void)path;
	if (value->type == VALUE_BOOL)
		*(bool *)ret = value->as.boolean;
	else
		add_mistyped(r, key, value);
}

// An integer within the key's bounds; false with an error.
static bool take_integer(struct reader *r, const struct key *key, const struct value *value, int64_t *ret) {
	char number[NUMBER_TEXT];
	uint64_t bits = (uint64_t)value->as.integer;
	if (value->big)
		snprintf(number, sizeof number, "%" PRIu64, bits);
	else
		snprintf(number, sizeof number, "%" PRId64, value->as.integer);
	if (!within(key, value->big ? (double)bits : (double)value->as.integer)) {
		add_outside(r, key, value->at, number);
		return false;
	}
	if (value->big) {
		errors_add(r->errors, ERROR_CONFIG, value->at, "\"%s\" is %s, but must be at most %" PRId64, key->name, number,
		           INT64_MAX);
		return false;
	}
	*ret = value->as.integer;
	return true;
}

static void read_integer(struct reader *r, const struct key *key, const struct value *value, const char *path,
                         void *ret) {
	(void)path;
	if (value->type == VALUE_INTEGER)
		take_integer(r, key, value, ret);
	else
		add_mistyped(r, key, value);
}

static void read_seed(struct reader *r, const struct key *key, const struct value *value, const char *path, void *ret) {
	(void)path;
	if (value->type == VALUE_INTEGER)
		*(uint64_t *)ret = (uint64_t)value->as.integer;
	else
		add_mistyped(r, key, value);
}

// The number a value holds; false where it holds none.
static bool number_of(const struct value *value, double *ret) {
	if (value->type == VALUE_REAL)
		*ret = value->as.real;
	else if (value->type == VALUE_INTEGER)
		*ret = value->big ? (double)(uint64_t)value->as.integer : (double)value->as.integer;
	else
		return false;
	return true;
}

static void check_real(struct reader *r, const struct key *key, struct origin at, double value) {
	char number[NUMBER_TEXT];
	if (within(key, value))
		return;
	number_write(value, number);
	add_outside(r, key, at, number);
}

static void read_real(struct reader *r, const struct key *key, const struct value *value, const char *path, void *ret) {
	(void)path;
	double number;
	if (!number_of(value, &number)) {
		add_mistyped(r, key, value);
		return;
	}
	check_real(r, key, value->at, number);
	*(double *)ret = number;
}

static void read_string(struct reader *r, const struct key *key, const struct value *value, const char *path,
                        void *ret) {
	(void)path;
	const char *string = as_string(value);
	if (string == NULL)
		add_mistyped(r, key, value);
	else
		*(const char **)ret = string;
}

char *schema_place_path(const char *path, struct origin at) {
	if (path[0] == '/' || strncmp(path, "${", 2) == 0)
		return memory_copy_string(path);
	char *folder = at.file == NULL || origin_is_override(at) ? memory_copy_string(".") : path_folder(at.file);
	char *joined = path_join(folder, path), *absolute = path_absolute(joined);
	free(joined);
	free(folder);
	return absolute;
}

static const char *place_path(struct reader *r, const char *path, struct origin at) {
	char *placed = schema_place_path(path, at);
	const char *kept = arena_string(r->arena, placed);
	free(placed);
	return kept;
}

// An unset ${NAME} is found here, where its place is known.
static void check_expands(struct reader *r, const char *string, struct origin at) {
	struct error error = {0};
	char *expanded;
	if (path_expand(string, &expanded, &error)) {
		free(expanded);
		return;
	}
	struct error *added = errors_add(r->errors, ERROR_CONFIG, at, "%s", error.message);
	added->outside = error.outside;
	if (error.hint[0])
		error_hint(added, "%s", error.hint);
}

static void read_path(struct reader *r, const struct key *key, const struct value *value, const char *path, void *ret) {
	(void)path;
	const char *string = as_string(value);
	if (string == NULL)
		add_mistyped(r, key, value);
	else if (string[0] == '\0')
		errors_add(r->errors, ERROR_CONFIG, value->at, "\"%s\" is empty, but must be a path", key->name);
	else {
		check_expands(r, string, value->at);
		*(const char **)ret = place_path(r, string, value->at);
	}
}

static void read_reals(struct reader *r, const struct key *key, const struct value *value, const char *path,
                       void *ret) {
	(void)path;
	if (!is_list(r, key, value))
		return;
	struct reals *reals = ret;
	reals->set = true;
	reals->count = value->as.children.count;
	reals->items = arena_alloc(r->arena, reals->count * sizeof *reals->items);
	for (size_t i = 0; i < reals->count && !is_full(r); i++) {
		const struct value *element = value->as.children.items[i];
		if (element->bad)
			continue;
		if (number_of(element, &reals->items[i]))
			check_real(r, key, element->at, reals->items[i]);
		else
			add_mistyped_element(r, key, i, "a number", element);
	}
}

static void read_strings(struct reader *r, const struct key *key, const struct value *value, const char *path,
                         void *ret) {
	(void)path;
	if (value->type == VALUE_STRING && !was_meant_otherwise(value)) {
		struct value *list = value_create(r->arena, value->name, VALUE_LIST, value->at);
		value_append(r->arena, list, value_create_string(r->arena, NULL, value->as.string, value->at));
		value = list;
	}
	if (!is_list(r, key, value))
		return;
	struct strings *strings = ret;
	strings->set = true;
	strings->count = value->as.children.count;
	strings->items = arena_alloc(r->arena, strings->count * sizeof *strings->items);
	strings->at = arena_alloc(r->arena, strings->count * sizeof *strings->at);
	for (size_t i = 0; i < strings->count && !is_full(r); i++) {
		const struct value *element = value->as.children.items[i];
		strings->items[i] = element->type == VALUE_STRING ? element->as.string : "";
		strings->at[i] = element->at;
		if (element->type != VALUE_STRING && !element->bad)
			add_mistyped_element(r, key, i, "a string", element);
	}
}

static void read_values(struct reader *r, const struct key *key, const struct value *value, const char *path,
                        void *ret) {
	(void)path;
	if (!is_list(r, key, value))
		return;
	struct values *values = ret;
	values->set = true;
	values->count = value->as.children.count;
	values->items = arena_alloc(r->arena, values->count * sizeof *values->items);
	values->at = arena_alloc(r->arena, values->count * sizeof *values->at);
	for (size_t i = 0; i < values->count; i++) {
		struct text text = {0};
		value_write(value->as.children.items[i], &text);
		values->items[i] = arena_string(r->arena, text_string(&text));
		values->at[i] = value->as.children.items[i]->at;
		text_finish(&text);
	}
}

// KEY_CHOICE, and the name of a KEY_TAG.
static void read_choice(struct reader *r, const struct key *key, const struct value *value, const char *path,
                        void *ret) {
	(void)path;
	const char *name = as_string(value);
	if (name == NULL) {
		add_mistyped(r, key, value);
		return;
	}
	struct choice *choice = ret;
	choice->row = registry_find(key->registry, name);
	if (choice->row == NULL)
		add_unknown_name(r, key->registry, value->at, name);
}

static const char *path_below(struct reader *r, const char *path, const char *name) {
	return path[0] == '\0' ? name : arena_format(r->arena, "%s.%s", path, name);
}

static void read_subgroup(struct reader *r, const struct key *key, const struct value *value, const char *path,
                          void *ret) {
	const struct key *tag = schema_tag(key->schema);
	struct value *group = NULL;
	if (tag != NULL && value->type == VALUE_STRING) { // the short form
		group = value_create(r->arena, value->name, VALUE_GROUP, value->at);
		value_append(r->arena, group, value_create_string(r->arena, tag->name, value->as.string, value->at));
		value = group;
	}
	if (value->type != VALUE_GROUP) {
		add_mistyped(r, key, value);
		return;
	}
	void *data = arena_alloc(r->arena, key->schema->size);
	read_group(r, key->schema, value, path_below(r, path, key->name), data);
	*(void **)ret = data;
}

static void read_list(struct reader *r, const struct key *key, const struct value *value, const char *path, void *ret) {
	if (!is_list(r, key, value))
		return;
	struct groups *groups = ret;
	groups->set = true;
	groups->count = value->as.children.count;
	groups->items = arena_alloc(r->arena, groups->count * sizeof *groups->items);
	groups->from = arena_alloc(r->arena, groups->count * sizeof *groups->from);
	const char *list = path_below(r, path, key->name);
	for (size_t i = 0; i < groups->count; i++) {
		const struct value *element = value->as.children.items[i];
		groups->from[i] = element;
		groups->items[i] = arena_alloc(r->arena, key->schema->size);
		if (element->type == VALUE_GROUP)
			read_group(r, key->schema, element, path_below(r, list, value_label(element, i, r->arena)),
			           groups->items[i]);
		else if (!element->bad && !is_full(r))
			add_mistyped_element(r, key, i, "a group", element);
	}
}

static void read_units(struct reader *r, const struct key *key, const struct value *value, const char *path,
                       void *ret) {
	(void)path;
	static const char items[] = "items";
	struct units *units = ret;
	int64_t count;
	if (value->type == VALUE_INTEGER) {
		if (take_integer(r, key, value, &count))
			units->count = (size_t)count;
	} else if (value->type != VALUE_STRING || is_huge_integer(value)) {
		add_mistyped(r, key, value);
	} else if (strcmp(value->as.string, items) == 0) {
		units->is_items = true;
	} else {
		struct nearest nearest = {.word = value->as.string};
		nearest_offer(&nearest, items);
		struct error *error =
		    errors_add(r->errors, ERROR_CONFIG, value->at, "\"%s\" is \"%s\", but must be an integer or \"items\"",
		               key->name, value->as.string);
		if (nearest.best != NULL)
			error_hint(error, "Did you mean \"%s\"?", nearest.best);
	}
}

static void read_column(struct reader *r, const struct key *key, const struct value *value, const char *path,
                        void *ret) {
	(void)path;
	struct column_ref *column = ret;
	int64_t number;
	if (value->type == VALUE_INTEGER) {
		if (take_integer(r, key, value, &number))
			column->number = (size_t)number;
	} else if (as_string(value) == NULL || is_huge_integer(value)) {
		add_mistyped(r, key, value);
	} else {
		column->name = as_string(value);
	}
}

static void (*const readers[])(struct reader *, const struct key *, const struct value *, const char *, void *) = {
    [KEY_BOOL] = read_bool,     [KEY_INTEGER] = read_integer, [KEY_SEED] = read_seed,      [KEY_REAL] = read_real,
    [KEY_STRING] = read_string, [KEY_PATH] = read_path,       [KEY_REALS] = read_reals,    [KEY_STRINGS] = read_strings,
    [KEY_CHOICE] = read_choice, [KEY_TAG] = read_choice,      [KEY_GROUP] = read_subgroup, [KEY_LIST] = read_list,
    [KEY_UNITS] = read_units,   [KEY_COLUMN] = read_column,   [KEY_VALUES] = read_values,
};

// ---- a group ----

static void read_key(struct reader *r, const struct key *key, const struct value *group, const char *path, void *ret) {
	const struct value *value = value_child(group, key->name);
	if (is_full(r))
		return;
	if (value == NULL && (key->flags & KEY_REQUIRED) != 0) {
		add_missing(r, key, group, path);
		return;
	}
	if (value == NULL && key->fallback != NULL)
		value = tree_parse_value(key->fallback, group->at, r->arena);
	if (value == NULL && key->type == KEY_REAL)
		*(double *)ret = NAN;
	if (value != NULL && !value->bad)
		readers[key->type](r, key, value, path, ret);
}

// The rows of the registry that do have the key, for the hint: `"rho" is a key of optimizer "adadelta", not of "sgd".`
static bool hint_other_rows(struct error *error, const struct key *tag, const struct row *row, const char *name) {
	struct text rows = {0};
	size_t count = 0;
	for (size_t i = 0; i < tag->registry->count; i++) {
		if (schema_key(&tag->registry->rows[i]->params, name) != NULL)
			text_format(&rows, "%s\"%s\"", count++ == 0 ? "" : ", ", tag->registry->rows[i]->name);
	}
	if (count > 0)
		error_hint(error, "\"%s\" is a key of %s %s, not of \"%s\".", name,
		           count == 1 ? tag->registry->what : tag->registry->plural, text_string(&rows), row->name);
	text_finish(&rows);
	return count > 0;
}

static void add_unknown_key(struct reader *r, const struct schema *schema, const struct row *row,
                            const struct value *child) {
	struct error *error = errors_add(r->errors, ERROR_CONFIG, child->at, "unknown key \"%s\"", child->name);
	const struct key *tag = schema_tag(schema);
	if (tag != NULL && row != NULL && hint_other_rows(error, tag, row, child->name))
		return;
	struct nearest nearest = {.word = child->name};
	struct text all = {0};
	for (size_t i = 0; i < schema->count; i++)
		offer(&nearest, &all, schema->keys[i].name);
	for (size_t i = 0; row != NULL && i < row->params.count; i++)
		offer(&nearest, &all, row->params.keys[i].name);
	hint_names(error, &nearest, &all);
	text_finish(&all);
}

static bool is_key_of_any_row(const struct key *tag, const char *name) {
	for (size_t i = 0; i < tag->registry->count; i++) {
		if (schema_key(&tag->registry->rows[i]->params, name) != NULL)
			return true;
	}
	return false;
}

// `row` is NULL where the group has no tag, or an unknown one: then the keys of any row pass.
static void check_unknown(struct reader *r, const struct schema *schema, const struct row *row,
                          const struct value *group) {
	const struct key *tag = schema_tag(schema);
	for (size_t i = 0; i < group->as.children.count && !is_full(r); i++) {
		const struct value *child = group->as.children.items[i];
		bool known = schema_key(schema, child->name) != NULL ||
		             (row != NULL && schema_key(&row->params, child->name) != NULL) ||
		             (tag != NULL && row == NULL && is_key_of_any_row(tag, child->name));
		if (!known)
			add_unknown_key(r, schema, row, child);
	}
}

static void read_group(struct reader *r, const struct schema *schema, const struct value *group, const char *path,
                       void *ret) {
	for (size_t i = 0; i < schema->count; i++)
		read_key(r, &schema->keys[i], group, path, (char *)ret + schema->keys[i].offset);
	const struct key *tag = schema_tag(schema);
	struct choice *choice = tag == NULL ? NULL : (struct choice *)(void *)((char *)ret + tag->offset);
	const struct row *row = choice == NULL ? NULL : choice->row;
	if (row != NULL && row->params.size > 0) {
		choice->params = arena_alloc(r->arena, row->params.size);
		for (size_t i = 0; i < row->params.count; i++)
			read_key(r, &row->params.keys[i], group, path, (char *)choice->params + row->params.keys[i].offset);
	}
	check_unknown(r, schema, row, group);
}

// ---- the order of the list ----

struct place {
	size_t file, line, index; // file: the place of its first error
};

static int compare_places(const void *a, const void *b) {
	const struct place *left = a, *right = b;
	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

// File by file, line by line; what stands on one line keeps its order.
static void sort_errors(struct error *items, size_t count) {
	struct place *places = memory_alloc(count * sizeof *places);
	struct error *sorted = memory_alloc(count * sizeof *sorted);
	for (size_t i = 0; i < count; i++) {
		size_t file = 0;
		while (strcmp(items[file].file, items[i].file) != 0)
			file++;
		places[i] = (struct place){.file = file, .line = items[i].line, .index = i};
	}
	qsort(places, count, sizeof *places, compare_places);
	for (size_t i = 0; i < count; i++)
		sorted[i] = items[places[i].index];
	if (count > 0)
		memcpy(items, sorted, count * sizeof *sorted);
	free(sorted);
	free(places);
}

bool schema_read(const struct schema *schema, const struct value *group, const char *path, struct arena *arena,
                 void *ret, struct errors *errors) {
	struct reader reader = {.arena = arena, .errors = errors, .start = errors->count};
	read_group(&reader, schema, group, path, ret);
	size_t added = errors->count - reader.start;
	if (added > 0)
		sort_errors(errors->items + reader.start, added);
	if (added >= ERRORS_MOST)
		errors_add(errors, ERROR_CONFIG, (struct origin){0}, "too many errors, the rest is not shown");
	return added == 0;
}
