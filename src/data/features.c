// Reading a table of side information. Its lines come in any order; levels are numbered in the order of the ids, so
// that neither the order of the lines nor lines about others change anything. While reading, a column's levels are kept
// in the order of arrival (raw) in a pool, with the place of each row's in it.
#include "data/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "data/columns.h"
#include "data/utf8.h"

enum { FIRST_POOL = 1024, VALUE_SHOWN = 60 };

enum kind { CATEGORICAL, NUMERIC, MULTI };
#define MULTI_SEPARATOR '|'

struct feature {
	enum kind kind;
	const char *name;
	size_t place, flags; // the field, from 0; how many fields hold flags, 0: it is an ordinary cell
	double *number;      // (rows) numeric
	struct ids raw;      // levels in the order of arrival
	uint32_t *pool;      // (pool_used) raw levels, row by row in the order of arrival
	size_t pool_used, pool_capacity;
	size_t *first, *count; // (rows) a row's levels in the pool
};

struct reading {
	const struct table *table;
	const char *what;
	const struct ids *ids;
	struct arena *arena;
	struct lines lines;
	struct columns columns;
	size_t id_place, title_place;
	struct feature *features; // (count)
	size_t count;
	size_t *line;        // (ids->count) where each was read, 0 where not yet
	const char **titles; // (ids->count) or NULL
	struct text scratch; // the cell at hand, as UTF-8
};

// "no column ..." at the place in the experiment file, or where that is not known, at the table's first line.
static bool no_column(const struct reading *reading, struct origin at, const char *name, struct error *error) {
	if (at.file == NULL)
		at = (struct origin){.file = reading->lines.input.name, .line = reading->table->header ? 1 : 0};
	error_at(error, ERROR_DATA, at, "no column \"%s\" in \"%s\"", name, reading->lines.input.name);
	const char *nearest = columns_nearest(&reading->columns, name);
	if (nearest != NULL)
		error_hint(error, "Did you mean \"%s\"?", nearest);
	else if (reading->table->header)
		lines_hint_separator(&reading->lines, error);
	return false;
}

static bool find_column(const struct reading *reading, struct origin at, const char *name, size_t *ret_place,
                        struct error *error) {
	int64_t number;
	if (columns_find(&reading->columns, name, ret_place))
		return true;
	bool numbered = reading->columns.names == NULL; // a file without names: "3" is the third column
	if (!numbered || !number_read_integer(name, strlen(name), &number) || number < 1)
		return no_column(reading, at, name, error);
	*ret_place = (size_t)number - 1;
	return true;
}

static bool prepare_feature(struct reading *reading, enum kind kind, const char *name, struct origin at,
                            struct error *error) {
	const struct table *table = reading->table;
	struct feature *feature = &reading->features[reading->count++];
	feature->kind = kind;
	feature->name = arena_string(reading->arena, name);
	if (kind == MULTI && table->flags != NULL && strcmp(table->flags, name) == 0) {
		feature->place = table->flags_first;
		feature->flags = table->flags_count;
	} else if (!find_column(reading, at, name, &feature->place, error)) {
		return false;
	}
	size_t rows = reading->ids->count;
	if (kind == NUMERIC) {
		feature->number = memory_array(rows, sizeof *feature->number, "side information", error);
		return feature->number != NULL;
	}
	feature->first = memory_array(rows, sizeof *feature->first, "side information", error);
	if (feature->first != NULL)
		feature->count = memory_array(rows, sizeof *feature->count, "side information", error);
	return feature->count != NULL;
}

static bool prepare_features(struct reading *reading, const struct features_config *columns, struct error *error) {
	const struct strings *lists[] = {&columns->categorical, &columns->numeric, &columns->multi}; // by enum kind
	size_t most = columns->categorical.count + columns->numeric.count + columns->multi.count;
	reading->features = memory_alloc(most * sizeof *reading->features);
	for (size_t kind = CATEGORICAL; kind <= MULTI; kind++) {
		const struct strings *list = lists[kind];
		for (size_t i = 0; i < list->count; i++) {
			struct origin at = list->at == NULL ? (struct origin){0} : list->at[i];
			if (!prepare_feature(reading, (enum kind)kind, list->items[i], at, error))
				return false;
		}
	}
	return true;
}

static bool prepare(struct reading *reading, const struct features_config *columns, struct error *error) {
	const struct table *table = reading->table;
	size_t rows = reading->ids->count;
	reading->columns = (struct columns){.names = table->columns, .count = table->columns_count};
	bool more = true;
	if (table->header && !lines_next(&reading->lines, &more, error))
		return false;
	if (table->header && more)
		reading->columns = columns_of_header(&reading->lines, reading->arena);
	struct origin nowhere = {0};
	if (table->id.name == NULL)
		reading->id_place = table->id.number - 1;
	else if (more && !find_column(reading, nowhere, table->id.name, &reading->id_place, error))
		return false;
	if (table->title != NULL) {
		if (more && !find_column(reading, nowhere, table->title, &reading->title_place, error))
			return false;
		reading->titles = arena_alloc(reading->arena, rows * sizeof *reading->titles);
	}
	reading->line = memory_array(rows, sizeof *reading->line, "side information", error);
	return reading->line != NULL && (!more || prepare_features(reading, columns, error));
}

// The cell as UTF-8, in reading->scratch.
static bool cell_text(struct reading *reading, const struct field *field, struct error *error) {
	reading->scratch.length = 0;
	if (!reading->table->latin1 && !utf8_valid(field->data, field->length)) {
		error_at(error, ERROR_DATA, lines_at(&reading->lines), "the line is not UTF-8");
		error_hint(error, "Convert the file, for instance with iconv -f latin1 -t utf-8.");
		return false;
	}
	utf8_append(&reading->scratch, field->data, field->length);
	return true;
}

static bool is_missing(const struct reading *reading, const struct field *field) {
	const char *missing = reading->table->missing;
	return field->length == 0 || (missing != NULL && field_is(field, missing, strlen(missing)));
}

static bool add_level(struct reading *reading, struct feature *feature, size_t row, const char *name, size_t length,
                      struct error *error) {
	uint32_t level = ids_add(&feature->raw, name, length);
	if (level == IDS_FULL)
		return error_at(error, ERROR_DATA, lines_at(&reading->lines), "no room for more than %zu levels of \"%s\"",
		                feature->raw.count, feature->name);
	if (feature->pool_used == feature->pool_capacity) {
		size_t capacity = feature->pool_capacity == 0 ? FIRST_POOL : 2 * feature->pool_capacity;
		uint32_t *pool = memory_array(capacity, sizeof *pool, "side information", error);
		if (pool == NULL)
			return false;
		if (feature->pool_used > 0)
			memcpy(pool, feature->pool, feature->pool_used * sizeof *pool);
		free(feature->pool);
		feature->pool = pool;
		feature->pool_capacity = capacity;
	}
	feature->pool[feature->pool_used++] = level;
	feature->count[row]++;
	return true;
}

static bool read_levels(struct reading *reading, struct feature *feature, size_t row, struct error *error) {
	const struct field *field = &reading->lines.fields[feature->place];
	if (is_missing(reading, field))
		return true;
	if (!cell_text(reading, field, error))
		return false;
	const char *text = text_string(&reading->scratch), *end = text + reading->scratch.length;
	if (feature->kind == CATEGORICAL)
		return add_level(reading, feature, row, text, (size_t)(end - text), error);
	for (;;) {
		const char *stop = memchr(text, MULTI_SEPARATOR, (size_t)(end - text));
		size_t length = (size_t)((stop == NULL ? end : stop) - text);
		if (length > 0 && !add_level(reading, feature, row, text, length, error))
			return false;
		if (stop == NULL)
			return true;
		text = stop + 1;
	}
}

static bool read_flags(struct reading *reading, struct feature *feature, size_t row, struct error *error) {
	for (size_t i = 0; i < feature->flags; i++) {
		const struct field *field = &reading->lines.fields[feature->place + i];
		const char *name = reading->columns.names[feature->place + i];
		bool set = field_is(field, "1", 1);
		if (!set && !field_is(field, "0", 1))
			return error_at(error, ERROR_DATA, lines_at(&reading->lines), "%s \"%.*s\" is neither 0 nor 1", name,
			                field->length < VALUE_SHOWN ? (int)field->length : VALUE_SHOWN, field->data);
		if (set && !add_level(reading, feature, row, name, strlen(name), error))
			return false;
	}
	return true;
}

static bool read_number(const struct reading *reading, struct feature *feature, size_t row, struct error *error) {
	const struct field *field = &reading->lines.fields[feature->place];
	feature->number[row] = NAN;
	if (is_missing(reading, field) || number_read(field->data, field->length, &feature->number[row]))
		return true;
	error_at(error, ERROR_DATA, lines_at(&reading->lines), "%s \"%.*s\" is not a finite number", feature->name,
	         field->length < VALUE_SHOWN ? (int)field->length : VALUE_SHOWN, field->data);
	error_hint(error, "Leave the cell empty where the number is not known, or name the column as categorical.");
	return false;
}

static bool enough_fields(const struct reading *reading, size_t place, const char *name, struct error *error) {
	const struct lines *lines = &reading->lines;
	if (place < lines->count)
		return true;
	error_at(error, ERROR_DATA, lines_at(lines), "the line has %zu field%s, but \"%s\" is column %zu", lines->count,
	         lines->count == 1 ? "" : "s", name, place + 1);
	lines_hint_separator(lines, error);
	return false;
}

static bool read_row(struct reading *reading, size_t row, struct error *error) {
	for (size_t i = 0; i < reading->count; i++) {
		struct feature *feature = &reading->features[i];
		size_t last = feature->place + (feature->flags > 0 ? feature->flags - 1 : 0);
		if (!enough_fields(reading, last, feature->name, error))
			return false;
		if (feature->kind != NUMERIC)
			feature->first[row] = feature->pool_used;
		bool fine = feature->kind == NUMERIC ? read_number(reading, feature, row, error)
		            : feature->flags > 0     ? read_flags(reading, feature, row, error)
		                                     : read_levels(reading, feature, row, error);
		if (!fine)
			return false;
	}
	if (reading->titles == NULL)
		return true;
	if (!enough_fields(reading, reading->title_place, reading->table->title, error) ||
	    !cell_text(reading, &reading->lines.fields[reading->title_place], error))
		return false;
	reading->titles[row] = arena_string(reading->arena, text_string(&reading->scratch));
	return true;
}

static bool read_line(struct reading *reading, struct error *error) {
	uint32_t row;
	if (!enough_fields(reading, reading->id_place, "id", error))
		return false;
	const struct field *id = &reading->lines.fields[reading->id_place];
	if (!ids_find(reading->ids, id->data, id->length, &row))
		return true;
	size_t line = reading->lines.line;
	if (reading->line[row] != 0) {
		error_at(error, ERROR_DATA, lines_at(&reading->lines), "%s \"%s\" stands here twice", reading->what,
		         ids_name(reading->ids, row));
		error_hint(error, "First on line %zu, again on line %zu.", reading->line[row], line);
		return false;
	}
	reading->line[row] = line;
	return read_row(reading, row, error);
}

static bool read_lines(struct reading *reading, struct error *error) {
	for (bool more = true; more;) {
		if (!lines_next(&reading->lines, &more, error) || (more && !read_line(reading, error)))
			return false;
	}
	struct origin file = {.file = reading->lines.input.name};
	for (size_t i = 0; i < reading->ids->count; i++) {
		if (reading->line[i] != 0)
			continue;
		error_at(error, ERROR_DATA, file, "%s \"%s\" of the ratings is missing", reading->what,
		         ids_name(reading->ids, i));
		error_hint(error, "The side information needs a line for every %s that has ratings.", reading->what);
		return false;
	}
	return true;
}

static int compare_levels(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

// Sorts a row's levels and drops what is there twice; an empty row becomes "missing".
static size_t settle_row(uint32_t *level, size_t count) {
	if (count == 0) {
		level[0] = 0;
		return 1;
	}
	qsort(level, count, sizeof *level, compare_levels);
	size_t kept = 1;
	for (size_t i = 1; i < count; i++) {
		if (level[i] != level[kept - 1])
			level[kept++] = level[i];
	}
	return kept;
}

// Numbers the levels in the order of the rows: level l of ret is its levels' name l - 1.
static bool number_levels(const struct feature *feature, size_t rows, struct attribute *ret, struct error *error) {
	ret->start = memory_array(rows + 1, sizeof *ret->start, "side information", error);
	ret->level = ret->start == NULL
	                 ? NULL
	                 : memory_array(feature->pool_used + rows, sizeof *ret->level, "side information", error);
	for (size_t row = 0; ret->level != NULL && row < rows; row++) {
		uint32_t *level = ret->level + ret->start[row];
		for (size_t i = 0; i < feature->count[row]; i++) {
			const char *name = ids_name(&feature->raw, feature->pool[feature->first[row] + i]);
			uint32_t index = ids_add(&ret->levels, name, strlen(name));
			if (index == IDS_FULL)
				return error_set(error, ERROR_RUN, "no room for the levels of \"%s\"", feature->name);
			level[i] = index + 1;
		}
		ret->start[row + 1] = ret->start[row] + settle_row(level, feature->count[row]);
	}
	return ret->level != NULL;
}

static bool settle(struct reading *reading, struct attributes *ret, struct error *error) {
	size_t rows = reading->ids->count;
	ret->rows = rows;
	ret->items = arena_alloc(reading->arena, reading->count * sizeof *ret->items);
	for (size_t i = 0; i < reading->count; i++) {
		struct feature *feature = &reading->features[i];
		struct attribute *attribute = &ret->items[ret->count++]; // counted first: what is half-built is released too
		attribute->name = feature->name;
		attribute->numeric = feature->kind == NUMERIC;
		attribute->number = feature->number;
		feature->number = NULL;
		if (!attribute->numeric && !number_levels(feature, rows, attribute, error))
			return false;
	}
	return true;
}

static void reading_finish(struct reading *reading) {
	for (size_t i = 0; i < reading->count; i++) {
		struct feature *feature = &reading->features[i];
		ids_finish(&feature->raw);
		free(feature->number);
		free(feature->pool);
		free(feature->first);
		free(feature->count);
	}
	free(reading->features);
	free(reading->line);
	text_finish(&reading->scratch);
	lines_close(&reading->lines);
}

bool features_read(const struct table *table, const struct features_config *columns, const char *what,
                   const struct ids *ids, struct arena *arena, struct attributes *ret, const char ***ret_titles,
                   struct error *error) {
	struct reading reading = {.table = table, .what = what, .ids = ids, .arena = arena};
	if (!lines_open(table->path, table->want, &table->lines, &reading.lines, error))
		return false;
	bool fine = prepare(&reading, columns, error) && read_lines(&reading, error) && settle(&reading, ret, error);
	if (fine && ret_titles != NULL)
		*ret_titles = reading.titles;
	reading_finish(&reading);
	return fine;
}

bool features_read_file(const struct features_config *config, const char *what, const struct ids *ids,
                        struct arena *arena, struct attributes *ret, const char ***ret_titles, struct error *error) {
	struct table table = {
	    .path = config->path,
	    .lines = {.separator = config->separator, .quotes = config->quotes},
	    .header = config->header,
	    .id = config->id,
	    .title = config->title,
	};
	return features_read(&table, config, what, ids, arena, ret, ret_titles, error);
}
