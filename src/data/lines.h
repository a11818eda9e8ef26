// Cuts a text file into lines and fields.
#ifndef AEXP_DATA_LINES_H
#define AEXP_DATA_LINES_H

#include "data/input.h"

#include <stddef.h>

enum { LINE_BYTES_MAX = 1 << 20 }; // a longer line is an error: it is no table of ratings

// How a file is cut.
struct lines_layout {
	const char *separator; // one character or several
	bool quotes;           // a field in double quotes may hold separators, line ends and "" for a quote (RFC 4180)
};

struct field {
	const char *data; // (length), not terminated; valid until the next line
	size_t length;
};

struct lines {
	struct input input;
	struct lines_layout layout;
	size_t separator_length;
	const char *buffer; // of which [start, end) is not yet read
	char *owned;        // (BUFFER_BYTES) the buffer of a file; NULL where memory is cut
	size_t start, end;
	bool ended;             // nothing comes after end
	bool cut_off;           // memory is cut that has no more in it: what is no whole line is left
	size_t line, next_line; // of the present line, from 1; the one after it
	const char *text;       // (length) the present line, without its end
	size_t length;
	char *unpacked; // (unpacked_capacity) quoted fields of the present line, without their quotes
	size_t unpacked_capacity;
	struct field *fields; // (count) of the present line
	size_t count, capacity;
};

// path and want as in input_open. A byte order mark is skipped.
bool lines_open(const char *path, const char *want, const struct lines_layout *layout, struct lines *ret,
                struct error *error);
// The same for text in memory, which must outlive *ret and is not written to; `name` stands in messages. Where the text
// is not `whole`, a line without an end is not its last one: lines_next says that there is no more, and leaves it.
void lines_over(const char *text, size_t size, bool whole, const char *name, const struct lines_layout *layout,
                struct lines *ret);
// The next line that is not empty; *ret_more is false at the end. ERROR_DATA with file and line: a line above 1 MiB, a
// NUL byte, a quoted field that is not closed or has text behind it. Line ends are \n or \r\n.
bool lines_next(struct lines *lines, bool *ret_more, struct error *error);
struct origin lines_at(const struct lines *lines); // the present line
void lines_close(struct lines *lines);

static inline bool field_is(const struct field *field, const char *text, size_t length) {
	return field->length == length && __builtin_memcmp(field->data, text, length) == 0;
}

// Where another separator would cut the present line into more fields, the hint says so: "The separator is \",\"; this
// line looks separated by \";\"."
void lines_hint_separator(const struct lines *lines, struct error *error);

#endif
