// Errors as values: filling, spelling out, and the growing list for files that are checked in one go.
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// A message is one line on a terminal: names and values from files may hold anything, also what a terminal obeys.
static void make_plain(char *text) {
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			*text = '?';
	}
}

// Formats into a buffer of its own first, so that the arguments may point into the error that is being filled.
static void fill_text(char *target, size_t size, const char *format, va_list arguments) {
	char text[ERROR_TEXT_MAX];
	if (vsnprintf(text, sizeof text, format, arguments) < 0)
		text[0] = '\0';
	make_plain(text);
	snprintf(target, size, "%s", text);
}

static void fill(struct error *error, enum error_code code, struct origin at, const char *format, va_list arguments) {
	if (error == NULL)
		return;
	fill_text(error->message, sizeof error->message, format, arguments);
	error->code = code;
	error->line = at.line;
	error->outside = false;
	error->hint[0] = '\0';
	if (at.file == NULL)
		error->file[0] = '\0';
	else if (at.file != error->file)
		snprintf(error->file, sizeof error->file, "%s", at.file);
	make_plain(error->file);
}

bool error_set(struct error *error, enum error_code code, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	fill(error, code, (struct origin){0}, format, arguments);
	va_end(arguments);
	return false;
}

bool error_at(struct error *error, enum error_code code, struct origin at, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	fill(error, code, at, format, arguments);
	va_end(arguments);
	return false;
}

void error_hint(struct error *error, const char *format, ...) {
	if (error == NULL)
		return;
	va_list arguments;
	va_start(arguments, format);
	fill_text(error->hint, sizeof error->hint, format, arguments);
	va_end(arguments);
}

void error_format(const struct error *error, char *text, size_t size) {
	if (error->file[0] == '\0')
		snprintf(text, size, "%s", error->message);
	else if (error->line == 0)
		snprintf(text, size, "%s: %s", error->file, error->message);
	else
		snprintf(text, size, "%s:%zu: %s", error->file, error->line, error->message);
}

static struct error *errors_append(struct errors *errors) {
	if (errors->count == errors->capacity) {
		size_t capacity = errors->capacity == 0 ? 8 : 2 * errors->capacity;
		errors->items = memory_resize(errors->items, capacity * sizeof *errors->items);
		errors->capacity = capacity;
	}
	struct error *error = &errors->items[errors->count++];
	memset(error, 0, sizeof *error);
	return error;
}

struct error *errors_add(struct errors *errors, enum error_code code, struct origin at, const char *format, ...) {
	struct error error = {0};
	va_list arguments;
	va_start(arguments, format);
	fill(&error, code, at, format, arguments);
	va_end(arguments);
	struct error *added = errors_append(errors);
	*added = error;
	return added;
}

void errors_push(struct errors *errors, const struct error *error) {
	struct error copy = *error; // it may be one of the list's own, which moves when the list grows
	*errors_append(errors) = copy;
}

void errors_finish(struct errors *errors) {
	free(errors->items);
	*errors = (struct errors){0};
}
