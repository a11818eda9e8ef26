// Errors as values: a code (the exit code it leads to), where it happened, a message and a hint.
// A fallible function returns false and fills *error; lists of errors are for files that are checked in one go.
#ifndef AEXP_BASE_ERROR_H
#define AEXP_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

// The exit codes of the program, see the manual.
enum error_code {
	ERROR_NONE = 0,
	ERROR_RUN = 1,           // a run failed
	ERROR_CONFIG = 2,        // usage, or an invalid experiment file
	ERROR_DATA = 3,          // the data cannot be read or is not what the file says
	ERROR_BACKEND = 4,       // the backend is not available here
	ERROR_INTERRUPTED = 130, // SIGINT, SIGTERM
};

enum { ERROR_FILE_MAX = 1024, ERROR_TEXT_MAX = 1024 };

struct error {
	enum error_code code;
	char file[ERROR_FILE_MAX];    // "" where no file is meant; "-s KEY" for an override
	size_t line;                  // from 1; 0 where no line is meant
	bool outside;                 // the file is good, but names something that is not there
	char message[ERROR_TEXT_MAX]; // short, lower case, the offending value quoted, no full stop; control characters
	                              // are shown as '?' in all three
	char hint[ERROR_TEXT_MAX];    // "" or a full sentence that says how to mend it
};

// Where something was said: in a file, or by an override on the command line (file "-s KEY", line 0).
struct origin {
	const char *file; // NULL where nothing is known
	size_t line;
};

// Fills *error (which may be NULL) and returns false, so that a caller can write `return error_set(...)`.
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool error_at(struct error *error, enum error_code code, struct origin at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Writes "file:line: message" (or as much of it as is known) into text, always terminated.
void error_format(const struct error *error, char *text, size_t size);

// A growing list; what is checked "in one go" collects here. Zero-initialise; errors_finish frees.
struct errors {
	struct error *items; // (count)
	size_t count, capacity;
};

struct error *errors_add(struct errors *errors, enum error_code code, struct origin at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void errors_push(struct errors *errors, const struct error *error);
void errors_finish(struct errors *errors);

#endif
