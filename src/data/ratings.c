// One line a rating: user, item, rating and perhaps a time, in whichever columns. Lines are checked one by one, and the
// first bad one ends the reading: a file that is not what it should be would give an error a line.
#include "data/ratings.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "data/columns.h"
#include "data/utf8.h"

enum {
	FIRST_RATINGS = 4096,
	VALUE_SHOWN = 60, // bytes of a bad value that a message shows
};

enum role { USER, ITEM, RATING, TIME, ROLES };
static const char *const role_names[ROLES] = {"user", "item", "rating", "time"};

struct reading {
	struct lines lines;
	const struct ratings_layout *layout;
	bool used[ROLES];
	size_t place[ROLES]; // of the field, from 0
	uint8_t part;
	struct dataset *dataset;
};

struct loading *loading_create(bool parts) {
	struct loading *loading = memory_alloc(sizeof *loading);
	loading->parts = parts;
	return loading;
}

void loading_destroy(struct loading *loading) {
	if (loading == NULL)
		return;
	for (size_t i = 0; i < loading->files_count; i++)
		free(loading->files[i].name);
	free(loading->line);
	free(loading);
}

struct origin loading_at(const struct loading *loading, size_t rating) {
	struct origin at = {0};
	for (size_t i = 0; loading != NULL && i < loading->files_count && loading->files[i].first <= rating; i++)
		at = (struct origin){.file = loading->files[i].name, .line = loading->line[rating]};
	return at;
}

static void *grown(void *old, size_t used, size_t capacity, size_t size, struct error *error) {
	void *array = memory_array(capacity, size, "ratings", error);
	if (array != NULL && used > 0)
		memcpy(array, old, used * size);
	if (array != NULL)
		free(old);
	return array;
}

// Doubles the arrays that the data set has.
static bool grow(struct dataset *dataset, bool with_time, struct error *error) {
	struct loading *loading = dataset->loading;
	size_t capacity = loading->capacity == 0 ? FIRST_RATINGS : 2 * loading->capacity, used = dataset->count;
	bool fine = true;
#define GROW(array)                                                                                                    \
	do {                                                                                                               \
		void *more = fine ? grown(array, used, capacity, sizeof *(array), error) : NULL;                               \
		fine = more != NULL;                                                                                           \
		if (fine)                                                                                                      \
			(array) = more;                                                                                            \
	} while (0)
	GROW(dataset->user);
	GROW(dataset->item);
	GROW(dataset->rating);
	GROW(loading->line);
	if (with_time)
		GROW(dataset->time);
	if (loading->parts)
		GROW(dataset->part);
#undef GROW
	if (fine)
		loading->capacity = capacity;
	return fine;
}

static int shown(const struct field *field) {
	return field->length < VALUE_SHOWN ? (int)field->length : VALUE_SHOWN;
}

// Columns by name, from the header; by number, as they stand.
static bool find_columns(struct reading *reading, const struct columns *header, struct error *error) {
	const struct ratings_layout *layout = reading->layout;
	const struct column_ref *refs[ROLES] = {&layout->user, &layout->item, &layout->rating, &layout->time};
	for (size_t role = 0; role < ROLES; role++) {
		const char *name = refs[role]->name;
		reading->used[role] = name != NULL || refs[role]->number > 0;
		if (name == NULL) {
			reading->place[role] = reading->used[role] ? refs[role]->number - 1 : 0;
		} else if (!columns_find(header, name, &reading->place[role])) {
			error_at(error, ERROR_DATA, lines_at(&reading->lines), "the header has no column \"%s\"", name);
			const char *nearest = columns_nearest(header, name);
			if (nearest != NULL)
				error_hint(error, "Did you mean \"%s\"?", nearest);
			else
				lines_hint_separator(&reading->lines, error);
			return false;
		}
	}
	return true;
}

// A header that was promised but is not there would cost a rating without a word.
static bool check_header(const struct reading *reading, struct error *error) {
	double number;
	const struct lines *lines = &reading->lines;
	if (reading->place[RATING] >= lines->count)
		return true; // the lines below will say so
	const struct field *field = &lines->fields[reading->place[RATING]];
	if (!number_read(field->data, field->length, &number))
		return true;
	error_at(error, ERROR_DATA, lines_at(lines), "the header's rating column is a number, \"%.*s\"", shown(field),
	         field->data);
	error_hint(error, "Set header = false if the file has no header.");
	return false;
}

static bool read_header(struct reading *reading, struct error *error) {
	struct columns header = {0};
	struct arena names = {0};
	bool more = true;
	bool fine = true;
	if (reading->layout->header)
		fine = lines_next(&reading->lines, &more, error);
	if (fine && !more)
		return true; // an empty file has its own message
	if (fine && reading->layout->header)
		header = columns_of_header(&reading->lines, &names);
	fine = fine && find_columns(reading, &header, error) && (!reading->layout->header || check_header(reading, error));
	arena_finish(&names);
	return fine;
}

static bool enough_fields(const struct reading *reading, struct error *error) {
	const struct lines *lines = &reading->lines;
	for (size_t role = 0; role < ROLES; role++) {
		if (!reading->used[role] || reading->place[role] < lines->count)
			continue;
		error_at(error, ERROR_DATA, lines_at(lines), "the line has %zu field%s, but the %s is column %zu", lines->count,
		         lines->count == 1 ? "" : "s", role_names[role], reading->place[role] + 1);
		lines_hint_separator(lines, error);
		return false;
	}
	return true;
}

static bool read_id(const struct reading *reading, enum role role, struct ids *ids, uint32_t *ret,
                    struct error *error) {
	const struct field *field = &reading->lines.fields[reading->place[role]];
	struct origin at = lines_at(&reading->lines);
	const char *what = role_names[role];
	if (field->length == 0)
		return error_at(error, ERROR_DATA, at, "the %s id is empty", what);
	size_t known = ids->count;
	*ret = ids_add(ids, field->data, field->length);
	if (*ret == IDS_FULL)
		return error_at(error, ERROR_DATA, at, "no room for more than %zu %ss", known, what);
	if (ids->count == known || utf8_valid(field->data, field->length))
		return true;
	error_at(error, ERROR_DATA, at, "the %s id is not UTF-8", what);
	error_hint(error, "Convert the file, for instance with iconv -f latin1 -t utf-8.");
	return false;
}

static bool read_rating(const struct reading *reading, float *ret, struct error *error) {
	const struct field *field = &reading->lines.fields[reading->place[RATING]];
	struct origin at = lines_at(&reading->lines);
	double value;
	if (field->length == 0)
		return error_at(error, ERROR_DATA, at, "the rating is empty");
	if (!number_read(field->data, field->length, &value)) {
		error_at(error, ERROR_DATA, at, "rating \"%.*s\" is not a finite number", shown(field), field->data);
		if (reading->lines.line == 1)
			error_hint(error, "Set header = true if the first line names the columns.");
		else
			lines_hint_separator(&reading->lines, error);
		return false;
	}
	*ret = (float)value + 0.0f; // -0 is 0
	if (!isfinite(*ret))
		return error_at(error, ERROR_DATA, at, "rating \"%.*s\" is too large", shown(field), field->data);
	return true;
}

static bool read_time(const struct reading *reading, int64_t *ret, struct error *error) {
	const struct field *field = &reading->lines.fields[reading->place[TIME]];
	if (number_read_integer(field->data, field->length, ret))
		return true;
	error_at(error, ERROR_DATA, lines_at(&reading->lines), "time \"%.*s\" is not an integer", shown(field),
	         field->data);
	error_hint(error, "Times are whole numbers that grow, for instance seconds since 1970.");
	return false;
}

// The rating on the present line.
static bool append(struct reading *reading, struct error *error) {
	struct dataset *dataset = reading->dataset;
	struct loading *loading = dataset->loading;
	size_t i = dataset->count;
	if (i == loading->capacity && !grow(dataset, reading->used[TIME], error))
		return false;
	if (i >= UINT32_MAX - 1)
		return error_at(error, ERROR_DATA, lines_at(&reading->lines), "no room for more than %zu ratings", i);
	if (!enough_fields(reading, error) || !read_id(reading, USER, &dataset->users, &dataset->user[i], error) ||
	    !read_id(reading, ITEM, &dataset->items, &dataset->item[i], error) ||
	    !read_rating(reading, &dataset->rating[i], error))
		return false;
	if (reading->used[TIME] && !read_time(reading, &dataset->time[i], error))
		return false;
	if (loading->parts)
		dataset->part[i] = reading->part;
	loading->line[i] = reading->lines.line <= UINT32_MAX ? (uint32_t)reading->lines.line : 0;
	dataset->count++;
	return true;
}

static bool read_lines(struct reading *reading, struct error *error) {
	if (!read_header(reading, error))
		return false;
	struct dataset *dataset = reading->dataset;
	size_t before = dataset->count;
	for (;;) {
		bool more;
		if (!lines_next(&reading->lines, &more, error))
			return false;
		if (!more)
			break;
		if (!append(reading, error))
			return false;
	}
	struct origin file = {.file = reading->lines.input.name};
	return dataset->count > before || error_at(error, ERROR_DATA, file, "the file holds no ratings");
}

bool ratings_read(const char *path, const char *want, const struct ratings_layout *layout, uint8_t part,
                  struct dataset *ret, struct error *error) {
	struct reading reading = {.layout = layout, .part = part, .dataset = ret};
	struct loading *loading = ret->loading;
	assert(loading != NULL && loading->files_count < PARTS);
	if (!lines_open(path, want, &layout->lines, &reading.lines, error))
		return false;
	loading->files[loading->files_count].name = memory_copy_string(reading.lines.input.name);
	loading->files[loading->files_count++].first = ret->count;
	bool fine = read_lines(&reading, error);
	lines_close(&reading.lines);
	return fine;
}
