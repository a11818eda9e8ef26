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
	char *buffer; // (BUFFER_BYTES), of which [start, end) is not yet read
	size_t start, end;
	bool ended;             // nothing comes after end
	size_t line, next_line; // of the present line, from 1; the one after it
	const char *text;       // (length) the present line, without its end. Quoted fields are unpacked in place
	size_t length;
	struct field *fields; // (count) of the present line
	size_t count, capacity;
};

// path and want as in input_open. A byte order mark is skipped.
bool lines_open(const char *path, const char *want, const struct lines_layout *layout, struct lines *ret,
                struct error *error);
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
