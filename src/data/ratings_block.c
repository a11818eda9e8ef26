// One line a rating: user, item, rating and perhaps a time. There are two ways through a line. The quick one knows what
// nearly all lines look like, reads digits eight at a time, and declines whatever it is not sure of, before it has left
// a trace; the careful one takes any line, and is the only one that finds errors.
#include "data/ratings_block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

const char *const rating_role_names[ROLES] = {"user", "item", "rating", "time"};

enum { VALUE_SHOWN = 60 }; // bytes of a bad value that a message shows

void line_runs_add(struct line_runs *runs, size_t rating, size_t line) {
	const struct line_run *last = runs->count > 0 ? &runs->items[runs->count - 1] : NULL;
	if (last != NULL && line - rating == last->line - last->rating)
		return;
	if (runs->count == runs->capacity) {
		runs->capacity = runs->capacity == 0 ? 4 : 2 * runs->capacity;
		runs->items = memory_resize(runs->items, runs->capacity * sizeof *runs->items);
	}
	runs->items[runs->count++] = (struct line_run){.rating = rating, .line = line};
}

// --- The quick way ---

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { QUICK = 1 };
#else
enum { QUICK = 0 }; // bytes of a word are taken from its low end
#endif

static bool may_be_quick(const struct rating_columns *columns, const struct lines_layout *lines) {
	size_t length = strlen(lines->separator);
	if (!QUICK || length > FAST_SEPARATOR || strchr("0123456789+-.", lines->separator[0]) != NULL)
		return false;
	for (size_t role = 0; role < ROLES; role++) {
		for (size_t other = 0; other < role; other++) {
			if (columns->used[role] && columns->used[other] && columns->place[role] == columns->place[other])
				return false;
		}
		if (columns->used[role] && columns->place[role] >= FAST_COLUMNS)
			return false;
	}
	return true;
}

void rating_columns_settle(struct rating_columns *columns, const struct lines_layout *lines) {
	columns->count = 0;
	if (!may_be_quick(columns, lines))
		return;
	size_t length = strlen(lines->separator);
	memset(columns->role, ROLE_NONE, sizeof columns->role);
	for (size_t role = 0; role < ROLES; role++) {
		if (!columns->used[role])
			continue;
		columns->role[columns->place[role]] = (uint8_t)role;
		if (columns->place[role] >= columns->count)
			columns->count = columns->place[role] + 1;
	}
	columns->separator_length = length;
	columns->separator = 0;
	memcpy(&columns->separator, lines->separator, length);
	columns->mask = length == FAST_SEPARATOR ? UINT64_MAX : (UINT64_C(1) << (8 * length)) - 1;
}

static inline uint64_t word_at(const char *text) {
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return word;
}

// How many of the eight characters, from the first on, are digits.
static inline unsigned digits_in(uint64_t word) {
	uint64_t value = word ^ UINT64_C(0x3030303030303030);
	uint64_t other = (value | (value + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
	return other == 0 ? 8 : (unsigned)__builtin_ctzll(other) / 8;
}

// The number that the first `digits` of eight characters spell, 1 to 8 of them: pairs, then fours, then all eight, in
// two multiplications.
static inline uint32_t value_of(uint64_t word, unsigned digits) {
	word = (word ^ UINT64_C(0x3030303030303030)) << (64 - 8 * digits);
	word = word * 10 + (word >> 8);
	return (uint32_t)(((word & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
	                   ((word >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
	                  32);
}

static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

enum { ID_ROLES = ROLE_ITEM + 1 };

// What the quick way has read of a line. An id is a number, or text.
struct quick {
	const char *id[ID_ROLES]; // NULL: a number
	size_t length[ID_ROLES];
	uint32_t number[ID_ROLES];
	float rating;
	int64_t time;
};

#define EVERY_BYTE UINT64_C(0x0101010101010101)

// The high bit of each byte that is 0; up to the first such byte no other one.
static inline uint64_t zero_bytes(uint64_t word) {
	return (word - EVERY_BYTE) & ~word & EVERY_BYTE << 7;
}

// The end of a field of any characters; NULL where it is not before `end`, or the line is one for the careful way.
static inline const char *quick_text(const struct rating_columns *columns, bool quotes, const char *text,
                                     const char *end) {
	uint64_t first = (columns->separator & 0xFF) * EVERY_BYTE;
	const char *start = text; // before it there may be no memory
	if (quotes && *text == '"')
		return NULL;
	while (text < end) {
		uint64_t word = word_at(text);
		uint64_t found = zero_bytes(word) | zero_bytes(word ^ first) | zero_bytes(word ^ '\n' * EVERY_BYTE);
		if (found == 0) {
			text += sizeof word;
			continue;
		}
		text += (unsigned)__builtin_ctzll(found) / 8;
		if (text >= end || *text == '\0')
			return NULL;
		if (*text == '\n')
			return text > start && text[-1] == '\r' ? text - 1 : text;
		if ((word_at(text) & columns->mask) == columns->separator)
			return text;
		text++; // it only began like a separator
	}
	return NULL;
}

static inline bool at_field_end(const struct rating_columns *columns, const char *text) {
	return (word_at(text) & columns->mask) == columns->separator || *text == '\n' || (*text == '\r' && text[1] == '\n');
}

static inline const char *quick_id(const struct rating_columns *columns, bool quotes, const char *text, const char *end,
                                   struct quick *quick, size_t role) {
	uint64_t word = word_at(text);
	unsigned digits = digits_in(word);
	quick->id[role] = NULL;
	if (digits > 0 && at_field_end(columns, text + digits) && (*text != '0' || digits == 1)) {
		quick->number[role] = value_of(word, digits);
		if (quick->number[role] < INTERN_NUMBERS)
			return text + digits;
	}
	const char *stop = quick_text(columns, quotes, text, end);
	if (stop == NULL || stop <= text)
		return NULL;
	quick->id[role] = text;
	quick->length[role] = (size_t)(stop - text);
	return stop;
}

static inline const char *quick_rating(const struct rating_columns *columns, bool quotes, const char *text,
                                       const char *end, struct quick *quick) {
	uint64_t word = word_at(text);
	unsigned whole = digits_in(word);
	const char *stop = text + whole;
	if (whole > 0 && whole < 8) {
		double value = value_of(word, whole);
		if (*stop == '.') {
			word = word_at(stop + 1);
			unsigned part = digits_in(word);
			if (part > 0 && part < 8) // at most 14 digits: one exact quotient, as number_read has it
				value = (value * tens[part] + value_of(word, part)) / tens[part];
			stop += 1 + part;
			stop = part < 8 ? stop : text;
		}
		quick->rating = (float)value;
		if (stop > text && at_field_end(columns, stop))
			return stop;
	}
	double value;
	stop = quick_text(columns, quotes, text, end);
	if (stop == NULL || stop <= text || !number_read(text, (size_t)(stop - text), &value))
		return NULL;
	quick->rating = (float)value + 0.0f; // -0 is 0
	return isfinite(quick->rating) ? stop : NULL;
}

static inline const char *quick_time(const struct rating_columns *columns, bool quotes, const char *text,
                                     const char *end, struct quick *quick) {
	uint64_t word = word_at(text);
	unsigned digits = digits_in(word);
	if (digits == 8) {
		int64_t high = value_of(word, 8);
		word = word_at(text + 8);
		unsigned more = digits_in(word);
		if (more < 8 && at_field_end(columns, text + 8 + more)) {
			quick->time = more == 0 ? high : high * (int64_t)tens[more] + value_of(word, more);
			return text + 8 + more;
		}
	}
	const char *stop = quick_text(columns, quotes, text, end);
	return stop != NULL && stop > text && number_read_integer(text, (size_t)(stop - text), &quick->time) ? stop : NULL;
}

// The newline at the end of the line, whose other fields nobody asks for.
static const char *quick_rest(bool quotes, const char *text, const char *end) {
	for (; text < end && *text != '\n'; text++) {
		if (*text == '\0' || (quotes && *text == '"'))
			return NULL;
	}
	return text < end ? text : NULL;
}

// The newline that ends the line at text; NULL: it is one for the careful way. No byte is looked at from `end` + 24 on.
static inline const char *quick_line(const struct rating_columns *columns, bool quotes, const char *text,
                                     const char *end, struct quick *quick) {
	for (size_t i = 0; i < columns->count; i++) {
		if (text >= end)
			return NULL;
		switch (columns->role[i]) {
		case ROLE_USER:
		case ROLE_ITEM:
			text = quick_id(columns, quotes, text, end, quick, columns->role[i]);
			break;
		case ROLE_RATING:
			text = quick_rating(columns, quotes, text, end, quick);
			break;
		case ROLE_TIME:
			text = quick_time(columns, quotes, text, end, quick);
			break;
		default:
			text = quick_text(columns, quotes, text, end);
		}
		if (text == NULL)
			return NULL;
		bool last = *text == '\n' || (*text == '\r' && text[1] == '\n');
		if (last && i + 1 < columns->count)
			return NULL;
		if (last)
			return text + (*text == '\r');
		text += columns->separator_length;
	}
	return quick_rest(quotes, text, end);
}

// The last id of its kind that was text, and its code in this block: lines of a user, or of an item, often follow each
// other.
struct last_id {
	const char *text;
	size_t length;
	uint32_t code;
};

// Whether it is the same text; bytes behind both may be looked at.
static inline bool is_last(const struct last_id *last, const char *text, size_t length) {
	if (last->length != length)
		return false;
	for (size_t at = 0; at < length; at += sizeof(uint64_t)) {
		uint64_t differ = word_at(last->text + at) ^ word_at(text + at);
		size_t left = length - at;
		if (left < sizeof differ)
			differ <<= 8 * (sizeof differ - left);
		if (differ != 0)
			return false;
	}
	return true;
}

static inline uint32_t quick_code(struct intern *intern, struct intern_block *block, const struct quick *quick,
                                  size_t role, struct last_id *last) {
	const char *text = quick->id[role];
	size_t length = quick->length[role];
	if (text == NULL)
		return intern_number(intern, block, quick->number[role]);
	if (is_last(last, text, length))
		return last->code;
	last->text = text;
	last->length = length;
	last->code = length <= KNOWN_BYTES ? intern_short(intern, block, known_key_ahead(text, length), text, length)
	                                   : intern_name(intern, block, text, length);
	return last->code;
}

enum {
	MARGIN = 64, // bytes in front of the text's end that are left to the careful way: the quick one looks ahead
};

// Goes on as long as lines are such as the quick way knows; all of them follow each other. Returns where it stopped,
// and how many lines it read.
static const char *read_lines_quickly(struct ratings_block *block, const char *text, const char *until,
                                      const char *limit, size_t *ret_count) {
	const struct rating_columns columns = *block->columns;
	bool quotes = block->lines.layout.quotes;
	size_t at = block->place + block->count, first = at;
	uint32_t *users = block->user, *items = block->item;
	float *ratings = block->rating;
	int64_t *times = block->time;
	struct last_id last[ID_ROLES] = {{0}};
	while (text < until) {
		struct quick quick;
		const char *newline = quick_line(&columns, quotes, text, limit, &quick);
		if (newline == NULL || newline - text > LINE_BYTES_MAX)
			break;
		uint32_t user = quick_code(block->users, &block->user_ids, &quick, ROLE_USER, &last[ROLE_USER]);
		uint32_t item = quick_code(block->items, &block->item_ids, &quick, ROLE_ITEM, &last[ROLE_ITEM]);
		if (user >= INTERN_INVALID || item >= INTERN_INVALID)
			break;
		users[at] = user;
		items[at] = item;
		ratings[at] = quick.rating;
		if (times != NULL)
			times[at] = quick.time;
		at++;
		text = newline + 1;
	}
	*ret_count = at - first;
	return text;
}

static void read_quickly(struct ratings_block *block) {
	struct lines *lines = &block->lines;
	if (block->columns->count == 0 || lines->end < MARGIN)
		return;
	const char *limit = lines->buffer + lines->end - MARGIN, *until = lines->buffer + block->until;
	size_t count;
	const char *text =
	    read_lines_quickly(block, lines->buffer + lines->start, until < limit ? until : limit, limit, &count);
	if (count > 0)
		line_runs_add(&block->runs, block->count, lines->next_line);
	block->count += count;
	lines->next_line += count;
	lines->start = (size_t)(text - lines->buffer);
}

// --- The careful way ---

static int shown(const struct field *field) {
	return field->length < VALUE_SHOWN ? (int)field->length : VALUE_SHOWN;
}

static bool enough_fields(const struct ratings_block *block, struct error *error) {
	const struct lines *lines = &block->lines;
	for (size_t role = 0; role < ROLES; role++) {
		if (!block->columns->used[role] || block->columns->place[role] < lines->count)
			continue;
		error_at(error, ERROR_DATA, lines_at(lines), "the line has %zu field%s, but the %s is column %zu", lines->count,
		         lines->count == 1 ? "" : "s", rating_role_names[role], block->columns->place[role] + 1);
		lines_hint_separator(lines, error);
		return false;
	}
	return true;
}

static bool read_id(const struct ratings_block *block, enum rating_role role, struct intern *intern,
                    struct intern_block *found, uint32_t *ret, struct error *error) {
	const struct field *field = &block->lines.fields[block->columns->place[role]];
	struct origin at = lines_at(&block->lines);
	const char *what = rating_role_names[role];
	if (field->length == 0)
		return error_at(error, ERROR_DATA, at, "the %s id is empty", what);
	*ret = intern_name(intern, found, field->data, field->length);
	if (*ret == INTERN_FULL)
		return error_at(error, ERROR_DATA, at, "no room for more than %zu %ss", found->names.count, what);
	if (*ret != INTERN_INVALID)
		return true;
	error_at(error, ERROR_DATA, at, "the %s id is not UTF-8", what);
	error_hint(error, "Convert the file, for instance with iconv -f latin1 -t utf-8.");
	return false;
}

static bool read_rating(const struct ratings_block *block, float *ret, struct error *error) {
	const struct field *field = &block->lines.fields[block->columns->place[ROLE_RATING]];
	struct origin at = lines_at(&block->lines);
	double value;
	if (field->length == 0)
		return error_at(error, ERROR_DATA, at, "the rating is empty");
	if (!number_read(field->data, field->length, &value)) {
		error_at(error, ERROR_DATA, at, "rating \"%.*s\" is not a finite number", shown(field), field->data);
		if (block->first && block->lines.line == 1)
			error_hint(error, "Set header = true if the first line names the columns.");
		else
			lines_hint_separator(&block->lines, error);
		return false;
	}
	*ret = (float)value + 0.0f; // -0 is 0
	if (!isfinite(*ret))
		return error_at(error, ERROR_DATA, at, "rating \"%.*s\" is too large", shown(field), field->data);
	return true;
}

static bool read_time(const struct ratings_block *block, int64_t *ret, struct error *error) {
	const struct field *field = &block->lines.fields[block->columns->place[ROLE_TIME]];
	if (number_read_integer(field->data, field->length, ret))
		return true;
	error_at(error, ERROR_DATA, lines_at(&block->lines), "time \"%.*s\" is not an integer", shown(field), field->data);
	error_hint(error, "Times are whole numbers that grow, for instance seconds since 1970.");
	return false;
}

// The rating on the present line.
static bool append(struct ratings_block *block, struct error *error) {
	size_t at = block->place + block->count;
	if (!enough_fields(block, error) ||
	    !read_id(block, ROLE_USER, block->users, &block->user_ids, &block->user[at], error) ||
	    !read_id(block, ROLE_ITEM, block->items, &block->item_ids, &block->item[at], error) ||
	    !read_rating(block, &block->rating[at], error))
		return false;
	if (block->time != NULL && !read_time(block, &block->time[at], error))
		return false;
	line_runs_add(&block->runs, block->count++, block->lines.line);
	return true;
}

static bool read_carefully(struct ratings_block *block, bool *ret_more, struct error *error) {
	if (!lines_next(&block->lines, ret_more, error))
		return false;
	return !*ret_more || append(block, error);
}

void ratings_block_read(struct ratings_block *block) {
	struct error error = {0};
	for (bool more = true; more;) {
		read_quickly(block);
		if (block->lines.start >= block->until)
			return;
		if (!read_carefully(block, &more, &error)) {
			block->error = memory_alloc(sizeof *block->error);
			*block->error = error;
			return;
		}
	}
}

void ratings_block_finish(struct ratings_block *block) {
	intern_block_finish(&block->user_ids);
	intern_block_finish(&block->item_ids);
	lines_close(&block->lines);
	free(block->runs.items);
	free(block->error);
	*block = (struct ratings_block){0};
}
