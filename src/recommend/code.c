// A user's ratings and attributes as the rows that the model was trained on: the same buckets, scale and coding as in
// data/matrices.c and data/coding.c, from what the model's file says of them.
#include "recommend/model.h"

#include "base/number.h"
#include "data/buckets.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool report_unknown(const struct report *report, struct error *error, const char *format, ...) {
	char text[ERROR_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (report->how->strict)
		return error_set(error, ERROR_DATA, "user \"%s\": %s", report->user, text);
	if (report->how->note)
		report->how->note(report->how->context, report->user, text);
	return true;
}

static float value_of(const struct aexp_model *m, float rating) {
	double range = m->scale_high - m->scale_low;
	if (m->levels)
		return (float)m->values[bucket_of(m->thresholds, m->levels, rating)];
	return range > 0 ? (float)(((double)rating - m->scale_low) / range) : rating;
}

struct entry {
	uint32_t column;
	float value;
};

static int by_column(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	return (x->column > y->column) - (x->column < y->column);
}

static void entries_of(const struct entry *from, size_t count, struct arena *arena, struct row_entries *ret) {
	ret->count = count;
	ret->column = arena_alloc(arena, count * sizeof(*ret->column));
	ret->value = arena_alloc(arena, count * sizeof(*ret->value));
	for (size_t i = 0; i < count; i++) {
		ret->column[i] = from[i].column;
		ret->value[i] = from[i].value;
	}
}

// What is input of what was rated: mostly all of it, whose columns are not written twice.
static void keep_above(const struct aexp_model *m, const struct row_entries *rated, struct arena *arena,
                       struct row_entries *ret) {
	size_t kept = 0;
	for (size_t i = 0; i < rated->count; i++)
		kept += rated->value[i] > (float)m->above;
	*ret = (struct row_entries){rated->column, arena_alloc(arena, kept * sizeof(*ret->value)), kept};
	if (kept < rated->count)
		ret->column = arena_alloc(arena, kept * sizeof(*ret->column));
	for (size_t i = 0, to = 0; i < rated->count; i++) {
		if (!(rated->value[i] > (float)m->above))
			continue;
		if (kept < rated->count)
			ret->column[to] = rated->column[i];
		ret->value[to++] = value_of(m, rated->value[i]);
	}
}

// Whose items the ratings are, IDS_FULL for unknown ones.
static const uint32_t *find_rated(const struct aexp_model *m, const struct aexp_user *user, struct arena *arena) {
	const char **name = arena_alloc(arena, user->ratings_count * sizeof(*name));
	uint32_t *ret = arena_alloc(arena, user->ratings_count * sizeof(*ret));
	for (size_t i = 0; i < user->ratings_count; i++)
		name[i] = user->ratings[i].item;
	ids_find_many(&m->item_ids, name, user->ratings_count, ret);
	return ret;
}

bool code_ratings(const struct aexp_model *m, const struct aexp_user *user, const struct report *report,
                  struct arena *arena, struct row_entries *ret, struct row_entries *ret_rated, struct error *error) {
	struct entry *entries = arena_alloc(arena, user->ratings_count * sizeof(*entries));
	const uint32_t *items = find_rated(m, user, arena);
	size_t count = 0;
	for (size_t i = 0; i < user->ratings_count; i++) {
		const struct aexp_rating *r = &user->ratings[i];
		float rating = (float)r->rating;
		if (!isfinite(rating))
			return error_set(error, ERROR_DATA, "user \"%s\": the rating of item \"%s\" is no finite number",
			                 report->user, r->item);
		if (items[i] != IDS_FULL)
			entries[count++] = (struct entry){items[i], rating};
		else if (!report_unknown(report, error, "item \"%s\" is unknown, its rating is left out", r->item))
			return false;
	}
	bool sorted = true;
	for (size_t i = 1; i < count; i++)
		sorted = sorted && entries[i].column > entries[i - 1].column;
	if (!sorted)
		qsort(entries, count, sizeof(*entries), by_column);
	for (size_t i = 1; i < count; i++)
		if (entries[i].column == entries[i - 1].column)
			return error_set(error, ERROR_DATA, "user \"%s\": item \"%s\" is rated twice", report->user,
			                 ids_name(&m->item_ids, entries[i].column));
	entries_of(entries, count, arena, ret_rated);
	keep_above(m, ret_rated, arena, ret);
	return true;
}

// --- attributes ---

static const char *attribute_value(const struct aexp_user *user, const char *name) {
	for (size_t i = 0; i < user->attributes_count; i++)
		if (!strcmp(user->attributes[i].name, name))
			return user->attributes[i].value ? user->attributes[i].value : "";
	return "";
}

static bool code_number(const struct feature_coding *c, const char *text, const struct report *report,
                        struct entry *entries, size_t *count, bool *known, struct error *error) {
	double number;
	bool given = *text;
	if (given && !number_read(text, strlen(text), &number)) {
		if (!report_unknown(report, error, "\"%s\" is no number, as \"%s\" wants one; it counts as missing", text,
		                    c->name))
			return false;
		given = false;
	}
	if (!given) {
		entries[(*count)++] = (struct entry){(uint32_t)c->first_column + 1, 1};
		return true;
	}
	float value = (float)((number - c->mean) / c->deviation);
	if (!isfinite(value))
		return error_set(error, ERROR_DATA, "user \"%s\": the number \"%s\" of \"%s\" is too large", report->user, text,
		                 c->name);
	*known = true;
	if (value != 0)
		entries[(*count)++] = (struct entry){(uint32_t)c->first_column, value};
	return true;
}

// Words divided by '|'; none that is known: missing.
static bool code_words(const struct feature_coding *c, const struct ids *levels, const char *text,
                       const struct report *report, struct entry *entries, size_t *count, bool *known,
                       struct error *error) {
	size_t first = *count;
	uint32_t level;
	if (*text && ids_find(levels, text, strlen(text), &level)) { // a word of its own, whatever is in it
		entries[(*count)++] = (struct entry){(uint32_t)c->first_column + 1 + level, 1};
		*known = true;
		return true;
	}
	while (*text) {
		size_t length = strcspn(text, "|");
		if (length && ids_find(levels, text, length, &level))
			entries[(*count)++] = (struct entry){(uint32_t)c->first_column + 1 + level, 1};
		else if (length && !report_unknown(report, error, "\"%.*s\" is no known value of \"%s\"; it is left out",
		                                   (int)(length < 200 ? length : 200), text, c->name))
			return false;
		text += length + (text[length] == '|');
	}
	if (*count > first)
		*known = true;
	else
		entries[(*count)++] = (struct entry){(uint32_t)c->first_column, 1};
	return true;
}

static bool check_names(const struct aexp_model *m, const struct aexp_user *user, const struct report *report,
                        struct error *error) {
	for (size_t i = 0; i < user->attributes_count; i++) {
		size_t a = 0;
		while (a < m->coding_count && strcmp(m->coding[a].name, user->attributes[i].name) != 0)
			a++;
		if (a == m->coding_count &&
		    !report_unknown(report, error, "the model knows no attribute \"%s\"", user->attributes[i].name))
			return false;
	}
	return true;
}

bool code_attributes(const struct aexp_model *m, const struct aexp_user *user, const struct report *report,
                     struct arena *arena, struct row_entries *ret, bool *ret_known, struct error *error) {
	size_t most = m->coding_count, count = 0;
	*ret = (struct row_entries){0};
	*ret_known = false;
	if (m->items_as_rows || !check_names(m, user, report, error))
		return m->items_as_rows;
	for (size_t i = 0; i < user->attributes_count; i++)
		for (const char *c = user->attributes[i].value; c && *c; c++)
			most += *c == '|';
	struct entry *entries = arena_alloc(arena, most * sizeof(*entries));
	for (size_t a = 0; a < m->coding_count; a++) {
		const struct feature_coding *c = &m->coding[a];
		const char *text = attribute_value(user, c->name);
		if (c->numeric ? !code_number(c, text, report, entries, &count, ret_known, error)
		               : !code_words(c, &m->level_ids[a], text, report, entries, &count, ret_known, error))
			return false;
	}
	qsort(entries, count, sizeof(*entries), by_column);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) // a word that was said twice counts once
		if (!kept || entries[kept - 1].column != entries[i].column)
			entries[kept++] = entries[i];
	entries_of(entries, kept, arena, ret);
	*ret_known = *ret_known && m->graph.user;
	return true;
}
