// Lines of a file come from a buffer that holds one line of the largest size and a block more: what is left of a line
// moves to the front when the buffer is refilled. Fields point into the buffer; only quoted ones are copied.
#include "data/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	BLOCK_BYTES = 256 * 1024,
	BUFFER_BYTES = LINE_BYTES_MAX + BLOCK_BYTES,
	FIRST_FIELDS = 16,
};

static bool fill(struct lines *lines, struct error *error) {
	memmove(lines->owned, lines->owned + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	size_t room = BUFFER_BYTES - lines->end, got;
	if (!input_read(&lines->input, lines->owned + lines->end, room, &got, error))
		return false;
	lines->end += got;
	lines->ended = got < room;
	return true;
}

static void skip_mark(struct lines *lines) {
	static const char mark[] = "\xEF\xBB\xBF"; // UTF-8 byte order mark
	if (lines->end >= strlen(mark) && memcmp(lines->buffer, mark, strlen(mark)) == 0)
		lines->start = strlen(mark);
}

void lines_over(const char *text, size_t size, bool whole, const char *name, const struct lines_layout *layout,
                struct lines *ret) {
	*ret = (struct lines){.layout = *layout, .separator_length = strlen(layout->separator), .next_line = 1};
	ret->input.name = memory_copy_string(name);
	ret->buffer = text;
	ret->end = size;
	ret->ended = true;
	ret->cut_off = !whole;
	skip_mark(ret);
}

bool lines_open(const char *path, const char *want, const struct lines_layout *layout, struct lines *ret,
                struct error *error) {
	struct lines lines = {.layout = *layout, .separator_length = strlen(layout->separator), .next_line = 1};
	if (!input_open(path, want, &lines.input, error))
		return false;
	lines.buffer = lines.owned = memory_array(BUFFER_BYTES, 1, "lines", error);
	if (lines.buffer == NULL || !fill(&lines, error)) {
		lines_close(&lines);
		return false;
	}
	skip_mark(&lines);
	*ret = lines;
	return true;
}

void lines_close(struct lines *lines) {
	input_close(&lines->input);
	free(lines->owned);
	free(lines->unpacked);
	free(lines->fields);
	*lines = (struct lines){0};
}

struct origin lines_at(const struct lines *lines) {
	return (struct origin){.file = lines->input.name, .line = lines->line};
}

static bool at_separator(const struct lines *lines, const char *text, const char *end) {
	return (size_t)(end - text) >= lines->separator_length && text[0] == lines->layout.separator[0] &&
	       memcmp(text, lines->layout.separator, lines->separator_length) == 0;
}

// The end of the field that begins at text, where it is not quoted.
static const char *plain_end(const struct lines *lines, const char *text, const char *end) {
	while (text < end && !at_separator(lines, text, end))
		text++;
	return text;
}

// Behind the quote that closes the field whose opening quote is at text; NULL where it is not closed before end.
static const char *quoted_end(const char *text, const char *end) {
	const char *p = text + 1;
	while (p < end && (p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		if (p + 1 == end || p[1] != '"')
			return p + 1;
		p += 2; // a quote that stands for itself
	}
	return NULL;
}

// The newline that ends a line with quotes in it; NULL where it does not end before `end`.
static const char *quoted_line_end(const struct lines *lines, const char *text, const char *end) {
	const char *newline = memchr(text, '\n', (size_t)(end - text));
	while (newline != NULL) {
		if (*text == '"') {
			text = quoted_end(text, end);
			if (text == NULL)
				return NULL;
			if (text > newline && (newline = memchr(text, '\n', (size_t)(end - text))) == NULL)
				return NULL;
		}
		text = plain_end(lines, text, newline);
		if (text == newline)
			return newline;
		text += lines->separator_length;
	}
	return NULL;
}

// How far a line is looked for: not much farther than a line may be long, however much there is in memory.
static size_t reach(const struct lines *lines) {
	size_t left = lines->end - lines->start;
	return left < BUFFER_BYTES ? left : BUFFER_BYTES;
}

// The newline that ends the line at the start of the buffer; NULL where more must be read.
static const char *line_end(const struct lines *lines) {
	const char *text = lines->buffer + lines->start;
	const char *newline = memchr(text, '\n', reach(lines));
	if (newline == NULL || !lines->layout.quotes || memchr(text, '"', (size_t)(newline - text)) == NULL)
		return newline;
	return quoted_line_end(lines, text, text + reach(lines));
}

static bool too_long(const struct lines *lines, struct error *error) {
	error_at(error, ERROR_DATA, lines_at(lines), "the line is longer than 1 MiB");
	if (lines->layout.quotes && memchr(lines->buffer + lines->start, '"', reach(lines)) != NULL)
		error_hint(error, "A quoted field may not be closed; set quotes = false if quotes are ordinary characters.");
	return false;
}

// Takes the next line, empty or not: text and length, without its end.
static bool take_line(struct lines *lines, bool *ret_more, struct error *error) {
	lines->line = lines->next_line;
	const char *end;
	while ((end = line_end(lines)) == NULL && !lines->ended) {
		if (lines->end - lines->start > LINE_BYTES_MAX)
			return too_long(lines, error);
		if (!fill(lines, error))
			return false;
	}
	*ret_more = lines->start < lines->end && (end != NULL || !lines->cut_off || reach(lines) > LINE_BYTES_MAX);
	if (!*ret_more)
		return true;
	lines->text = lines->buffer + lines->start;
	lines->length = end == NULL ? lines->end - lines->start : (size_t)(end - lines->text);
	if (lines->length > LINE_BYTES_MAX)
		return too_long(lines, error);
	lines->start += lines->length + (end != NULL);
	lines->next_line++;
	if (lines->length > 0 && lines->text[lines->length - 1] == '\r')
		lines->length--;
	return true;
}

static struct field *add_field(struct lines *lines) {
	if (lines->count == lines->capacity) {
		lines->capacity = lines->capacity == 0 ? FIRST_FIELDS : 2 * lines->capacity;
		lines->fields = memory_resize(lines->fields, lines->capacity * sizeof *lines->fields);
	}
	return &lines->fields[lines->count++];
}

static void split_plain(struct lines *lines) {
	const char *text = lines->text, *end = text + lines->length;
	for (;;) {
		const char *stop = plain_end(lines, text, end);
		*add_field(lines) = (struct field){.data = text, .length = (size_t)(stop - text)};
		if (stop == end)
			return;
		text = stop + lines->separator_length;
	}
}

// Copies a quoted field to `out` without its quotes.
static struct field unpack(const char *text, const char *end, char *out) {
	char *start = out;
	for (const char *p = text + 1; p + 1 < end; p++) {
		*out++ = *p;
		p += *p == '"'; // of two, one stands for a quote
	}
	return (struct field){.data = start, .length = (size_t)(out - start)};
}

// Fields take less room without their quotes than the line has.
static char *reserve_unpacked(struct lines *lines) {
	if (lines->unpacked_capacity < lines->length) {
		free(lines->unpacked);
		lines->unpacked_capacity = 2 * lines->length;
		lines->unpacked = memory_alloc(lines->unpacked_capacity);
	}
	return lines->unpacked;
}

static bool split_quoted(struct lines *lines, struct error *error) {
	const char *text = lines->text, *end = text + lines->length;
	char *room = reserve_unpacked(lines);
	for (;;) {
		const char *stop;
		if (text < end && *text == '"') {
			stop = quoted_end(text, end);
			if (stop == NULL || (stop < end && !at_separator(lines, stop, end))) {
				error_at(error, ERROR_DATA, lines_at(lines),
				         stop == NULL ? "a quoted field is not closed" : "text behind a closing quote");
				error_hint(error, "Set quotes = false if quotes are ordinary characters in this file.");
				return false;
			}
			struct field field = unpack(text, stop, room);
			room += field.length;
			*add_field(lines) = field;
		} else {
			stop = plain_end(lines, text, end);
			*add_field(lines) = (struct field){.data = text, .length = (size_t)(stop - text)};
		}
		if (stop == end)
			return true;
		text = stop + lines->separator_length;
	}
}

// A line with quotes in it may reach over several of the file.
static void count_lines(struct lines *lines) {
	const char *text = lines->text, *end = text + lines->length;
	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		lines->next_line++;
		text++;
	}
}

bool lines_next(struct lines *lines, bool *ret_more, struct error *error) {
	do {
		if (!take_line(lines, ret_more, error))
			return false;
		if (!*ret_more)
			return true;
	} while (lines->length == 0);
	if (memchr(lines->text, '\0', lines->length) != NULL) {
		error_at(error, ERROR_DATA, lines_at(lines), "the line holds a NUL byte");
		error_hint(error, "The file must be plain text, for instance UTF-8.");
		return false;
	}
	lines->count = 0;
	if (!lines->layout.quotes || memchr(lines->text, '"', lines->length) == NULL) {
		split_plain(lines);
		return true;
	}
	count_lines(lines);
	return split_quoted(lines, error);
}

// Tells how the present line would be cut: how often the separator occurs.
static size_t occurrences(const struct lines *lines, const char *separator) {
	size_t count = 0, length = strlen(separator);
	const char *end = lines->text + lines->length;
	for (const char *p = lines->text; (p = memmem(p, (size_t)(end - p), separator, length)) != NULL; p += length)
		count++;
	return count;
}

static const char *better_separator(const struct lines *lines) {
	// in order of preference: what holds another one stands before it
	static const char *const usual[] = {"\t", "::", ";", ",", "|", " "};
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		if (strcmp(usual[i], lines->layout.separator) != 0 && occurrences(lines, usual[i]) >= lines->count)
			return usual[i];
	}
	return NULL;
}

void lines_hint_separator(const struct lines *lines, struct error *error) {
	const char *better = better_separator(lines);
	const char *now = lines->layout.separator;
	if (better == NULL)
		return;
	error_hint(error, "The separator is \"%s\"; this line looks separated by \"%s\".",
	           strcmp(now, "\t") == 0 ? "\\t" : now, strcmp(better, "\t") == 0 ? "\\t" : better);
}
