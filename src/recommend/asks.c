// See asks.h.
#include "recommend/asks.h"

#include "base/nearest.h"
#include "base/number.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool fail(const struct asks *a, struct error *error, const char *what, const char *value) {
	return error_at(error, ERROR_DATA, (struct origin){.file = a->name, .line = a->number}, "%s%s%s%s", what,
	                value ? " \"" : "", value ? value : "", value ? "\"" : "");
}

// --- lines ---

static bool is_blank(const struct asks *a) {
	return strspn(a->line, " \t\r") == a->length;
}

// The next line with its end, or as much of it as may be; false at the end.
static bool take_line(struct asks *a) {
	int c = 0;
	a->length = 0;
	while (a->length <= ASKS_USER_MOST && c != '\n' && (c = getc_unlocked(a->from)) != EOF) {
		if (a->length + 1 >= a->line_capacity) {
			a->line_capacity = a->line_capacity ? 2 * a->line_capacity : 256;
			a->line = memory_resize(a->line, a->line_capacity);
		}
		a->line[a->length++] = (char)c;
	}
	if (a->length)
		a->line[a->length] = '\0';
	return a->length > 0;
}

// The next line that is not blank, without its end; *ret_more false at the end.
static bool next_line(struct asks *a, bool *ret_more, struct error *error) {
	*ret_more = true;
	if (a->held) {
		a->held = false;
		return true;
	}
	do {
		if (!take_line(a)) {
			*ret_more = false;
			return !ferror(a->from) || fail(a, error, "cannot be read", NULL);
		}
		a->number++;
		a->taken += a->length;
		bool long_line = a->length > ASKS_USER_MOST;
		while (a->length && (a->line[a->length - 1] == '\n' || a->line[a->length - 1] == '\r'))
			a->line[--a->length] = '\0';
		if (long_line)
			return error_at(error, ERROR_DATA, (struct origin){.file = a->name, .line = a->number},
			                "the line is longer than %d bytes", ASKS_USER_MOST);
		if (strlen(a->line) != a->length)
			return fail(a, error, "the line holds a NUL byte", NULL);
	} while (is_blank(a));
	return true;
}

// --- lists that grow in an arena ---

// Room for one more of `count` elements, whose capacity is the next power of two.
static void *grown(struct arena *arena, const void *items, size_t count, size_t size) {
	if (count & (count - 1))
		return (void *)(uintptr_t)items;
	void *more = arena_alloc(arena, (count ? 2 * count : 1) * size);
	if (count)
		memcpy(more, items, count * size);
	return more;
}

static void add_rating(struct arena *arena, struct aexp_user *u, const char *item, double rating) {
	struct aexp_rating *all = grown(arena, u->ratings, u->ratings_count, sizeof(*all));
	all[u->ratings_count++] = (struct aexp_rating){item, rating};
	u->ratings = all;
}

static void add_asked(struct arena *arena, struct aexp_user *u, const char *item) {
	const char **all = grown(arena, u->asked, u->asked_count, sizeof(*all));
	all[u->asked_count++] = item;
	u->asked = all;
}

// Each is looked up among the model's.
static bool add_attribute(const struct asks *a, struct arena *arena, struct aexp_user *u, const char *name,
                          const char *value, struct error *error) {
	if (u->attributes_count == ASKS_ATTRIBUTES_MOST)
		return error_at(error, ERROR_DATA, (struct origin){.file = a->name, .line = a->number},
		                "a user has more than %d attributes", ASKS_ATTRIBUTES_MOST);
	struct aexp_attribute *all = grown(arena, u->attributes, u->attributes_count, sizeof(*all));
	all[u->attributes_count++] = (struct aexp_attribute){name, value};
	u->attributes = all;
	return true;
}

// --- JSON lines ---

// A word or a number as text; NULL where it is neither.
static const char *text_of(const cJSON *value, struct arena *arena) {
	char number[NUMBER_TEXT];
	if (cJSON_IsString(value))
		return arena_string(arena, value->valuestring);
	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
		return NULL;
	number_write(value->valuedouble, number);
	return arena_string(arena, number);
}

static bool take_id(const struct asks *a, const cJSON *value, struct arena *arena, struct aexp_user *u,
                    struct error *error) {
	u->id = text_of(value, arena);
	return u->id || fail(a, error, "the id is neither a word nor a number", NULL);
}

static bool take_ratings(const struct asks *a, const cJSON *value, struct arena *arena, struct aexp_user *u,
                         struct error *error) {
	const cJSON *rating;
	if (!cJSON_IsObject(value))
		return fail(a, error, "\"ratings\" is no object of items and their ratings", NULL);
	cJSON_ArrayForEach(rating, value) {
		if (!cJSON_IsNumber(rating) || !isfinite(rating->valuedouble))
			return fail(a, error, "no number is the rating of", rating->string);
		add_rating(arena, u, arena_string(arena, rating->string), rating->valuedouble);
	}
	return true;
}

// Several words of one attribute are divided by '|', as in the data.
static const char *attribute_text(const cJSON *value, struct arena *arena) {
	struct text text = {0};
	const cJSON *word;
	const char *one = "";
	if (cJSON_IsNull(value))
		return "";
	if (!cJSON_IsArray(value))
		return text_of(value, arena);
	cJSON_ArrayForEach(word, value) {
		one = text_of(word, arena);
		if (!one)
			break;
		text_append(&text, text.length ? "|" : "");
		text_append(&text, one);
	}
	one = one ? arena_string(arena, text_string(&text)) : NULL;
	text_finish(&text);
	return one;
}

static bool take_user(const struct asks *a, const cJSON *value, struct arena *arena, struct aexp_user *u,
                      struct error *error) {
	const cJSON *attribute;
	if (!cJSON_IsObject(value))
		return fail(a, error, "\"user\" is no object of attributes", NULL);
	cJSON_ArrayForEach(attribute, value) {
		const char *text = attribute_text(attribute, arena);
		if (!text)
			return fail(a, error, "neither words nor a number is the attribute", attribute->string);
		if (!add_attribute(a, arena, u, arena_string(arena, attribute->string), text, error))
			return false;
	}
	return true;
}

static bool take_items(const struct asks *a, const cJSON *value, struct arena *arena, struct aexp_user *u,
                       struct error *error) {
	const cJSON *item;
	if (!cJSON_IsArray(value))
		return fail(a, error, "\"items\" is no list of items", NULL);
	cJSON_ArrayForEach(item, value) {
		const char *name = text_of(item, arena);
		if (!name)
			return fail(a, error, "\"items\" holds what is no item", NULL);
		add_asked(arena, u, name);
	}
	return true;
}

static const struct {
	const char *key;
	bool (*take)(const struct asks *a, const cJSON *value, struct arena *arena, struct aexp_user *u,
	             struct error *error);
	bool predicts, describes; // in predictions alone; says something of the user
} members[] = {
    {"id", take_id, false, false},
    {"ratings", take_ratings, false, true},
    {"user", take_user, false, true},
    {"items", take_items, true, false},
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static bool take_member(const struct asks *a, const cJSON *member, struct arena *arena, struct ask *ret,
                        struct error *error) {
	struct nearest nearest = {.word = member->string};
	for (size_t i = 0; i < MEMBERS; i++) {
		if (members[i].predicts && !a->predicts)
			continue;
		if (!strcmp(members[i].key, member->string)) {
			ret->known = ret->known && !members[i].describes;
			return members[i].take(a, member, arena, &ret->user, error);
		}
		nearest_offer(&nearest, members[i].key);
	}
	fail(a, error, "there is no member", member->string);
	if (nearest.best)
		error_hint(error, "Did you mean \"%s\"?", nearest.best);
	return false;
}

static bool read_json(struct asks *a, struct arena *arena, struct ask *ret, struct error *error) {
	const char *end = NULL;
	if (json_holds_nul(a->line, a->length))
		return fail(a, error, "the line holds the character NUL", NULL);
	bool fits = json_fits(a->line, a->length);
	cJSON *object = fits ? cJSON_ParseWithLengthOpts(a->line, a->length + 1, &end, true) : NULL;
	bool good = cJSON_IsObject(object) ||
	            fail(a, error, fits ? "not one JSON object on a line" : "more on a line than is said of a user", NULL);
	*ret = (struct ask){.known = a->predicts};
	const cJSON *member;
	cJSON_ArrayForEach(member, object) {
		if (!good)
			break;
		good = take_member(a, member, arena, ret, error);
	}
	cJSON_Delete(object);
	if (good && ret->known && !ret->user.id)
		return fail(a, error, "neither an id nor ratings nor attributes: whose predictions are wanted?", NULL);
	if (good && !ret->user.id)
		ret->user.id = arena_format(arena, "%zu", a->number);
	return good;
}

// --- CSV ---

// The fields of the line, quotes taken off, in the arena; more than the header has are an error.
static bool cut(const struct asks *a, struct arena *arena, const char ***ret, size_t *ret_count, struct error *error) {
	char *text = arena_string(arena, a->line);
	*ret = NULL;
	*ret_count = 0;
	for (bool more = true; more;) {
		char *field = text, *to = text;
		if (*text == '"') {
			for (text++; *text && !(text[0] == '"' && text[1] != '"'); text++) {
				text += *text == '"';
				*to++ = *text;
			}
			if (*text != '"' || (text[1] && text[1] != ','))
				return fail(a, error, "a quoted field is not closed, or has text behind it", NULL);
			text++;
		} else {
			to = text += strcspn(text, ",");
		}
		more = *text == ',';
		text++;
		*to = '\0';
		const char **all = grown(arena, *ret, *ret_count, sizeof(*all));
		all[(*ret_count)++] = field;
		*ret = all;
	}
	return true;
}

static size_t find_column(const struct asks *a, const char *name) {
	size_t i = 0;
	while (i < a->columns_count && strcmp(a->columns[i], name) != 0)
		i++;
	return i;
}

static bool read_header(struct asks *a, struct error *error) {
	if (!cut(a, &a->header, &a->columns, &a->columns_count, error))
		return false;
	a->id = find_column(a, "id");
	if (a->id == a->columns_count)
		a->id = find_column(a, "user");
	a->item = find_column(a, "item");
	a->rating = find_column(a, "rating");
	if (a->id < a->columns_count && a->item < a->columns_count && (a->predicts || a->rating < a->columns_count))
		return true;
	fail(a, error, "the header lacks a column that is needed", NULL);
	error_hint(error, "%s",
	           a->predicts ? "It is id,item for users of the run's data, and id,item,rating for new ones."
	                       : "It is id,item,rating, and attributes behind them.");
	return false;
}

static bool take_fields(const struct asks *a, const char *const *field, struct arena *arena, struct aexp_user *u,
                        struct error *error) {
	const char *item = field[a->item], *rating = a->rating < a->columns_count ? field[a->rating] : "";
	double value;
	if (!*item && *rating)
		return fail(a, error, "a rating without an item", NULL);
	if (*rating && !number_read(rating, strlen(rating), &value))
		return fail(a, error, "no number is the rating", rating);
	if (*rating)
		add_rating(arena, u, item, value);
	else if (*item && a->predicts)
		add_asked(arena, u, item);
	else if (*item)
		return fail(a, error, "without a rating is the item", item);
	return true;
}

static bool take_attributes(const struct asks *a, const char *const *field, struct arena *arena, struct aexp_user *u,
                            struct error *error) {
	for (size_t i = 0; i < a->columns_count; i++)
		if (i != a->id && i != a->item && i != a->rating && *field[i] &&
		    !add_attribute(a, arena, u, a->columns[i], field[i], error))
			return false;
	return true;
}

// All lines of one user; the line behind them is held.
static bool read_csv(struct asks *a, struct arena *arena, struct ask *ret, struct error *error) {
	const char **field;
	size_t count, read = a->length;
	bool more = true, first = true;
	*ret = (struct ask){.known = a->rating == a->columns_count && a->columns_count == 2};
	while (more) {
		if (!cut(a, arena, &field, &count, error))
			return false;
		if (count != a->columns_count)
			return fail(a, error, "the line has not as many fields as the header", NULL);
		if (!first && strcmp(field[a->id], ret->user.id) != 0) {
			a->held = true;
			return true;
		}
		if (read > ASKS_USER_MOST)
			return fail(a, error, "more lines than are said of the user", ret->user.id);
		if (first && !take_attributes(a, field, arena, &ret->user, error)) // the other lines repeat them
			return false;
		ret->user.id = field[a->id];
		first = false;
		if (!take_fields(a, field, arena, &ret->user, error) || !next_line(a, &more, error))
			return false;
		read += a->length;
	}
	return true;
}

// --- either ---

static bool begin(struct asks *a, bool *ret_more, struct error *error) {
	if (!next_line(a, ret_more, error))
		return false;
	if (!*ret_more)
		return true;
	static const char mark[] = "\xef\xbb\xbf"; // a byte order mark
	if (!strncmp(a->line, mark, 3))
		memmove(a->line, a->line + 3, (a->length -= 3) + 1);
	a->form = a->line[strspn(a->line, " \t")] == '{' ? ASKS_JSON : ASKS_CSV;
	if (a->form == ASKS_JSON) {
		a->held = true;
		return true;
	}
	return read_header(a, error);
}

bool asks_next(struct asks *a, size_t most, struct arena *arena, struct ask **ret, size_t *ret_count,
               struct error *error) {
	bool more = true;
	*ret = arena_alloc(arena, most * sizeof(**ret));
	*ret_count = 0;
	if (a->form == ASKS_UNKNOWN && !begin(a, &more, error))
		return false;
	a->taken = a->held ? a->length : 0;
	while (more && *ret_count < most && a->taken <= ASKS_USER_MOST) {
		if (!next_line(a, &more, error))
			return false;
		if (!more)
			break;
		if (!(a->form == ASKS_JSON ? read_json : read_csv)(a, arena, &(*ret)[*ret_count], error))
			return false;
		++*ret_count;
	}
	return true;
}

void asks_close(struct asks *a) {
	free(a->line);
	arena_finish(&a->header);
}
