// The words of an experiment file, each with its line, before libconfig sees any of them: literals are read here,
// because libconfig 1.5 wraps integers silently, loses the line of an element and leaks on an unterminated string.
#ifndef AEXP_CONFIG_SCAN_H
#define AEXP_CONFIG_SCAN_H

#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

enum token_kind { TOKEN_NAME, TOKEN_BOOL, TOKEN_INTEGER, TOKEN_REAL, TOKEN_STRING, TOKEN_MARK, TOKEN_END };

enum { SCAN_DEPTH_MAX = 64 }; // brackets within brackets

struct token {
	enum token_kind kind;
	bool big;         // TOKEN_INTEGER: above INT64_MAX, its bits are in `integer`
	bool bad;         // a literal that was refused; the error stands in the list already
	char mark;        // TOKEN_MARK: one of = : , ; ( ) [ ] { }
	size_t line;      // from 1
	const char *text; // (length) as written, in the scanned text
	size_t length;
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *string; // decoded, adjacent strings joined; in the arena
	} as;
};

struct tokens {
	struct token *items; // (count), the last one is TOKEN_END
	size_t count, capacity;
};

// What is scanned, and how places in it are named.
struct source_text {
	const char *text; // (length)
	size_t length;
	struct origin at; // the file; without `lines` the place of everything in the text
	bool lines;       // places are lines of the text
};

struct origin source_origin(const struct source_text *source, size_t line);

// Cuts the text into tokens. Literals that cannot be held are added to errors and marked bad; false where it makes no
// sense to go on (a string or comment that is not closed, a stray character, a NUL byte, too deep, no token at all).
// tokens_finish in either case.
bool tokens_scan(const struct source_text *source, struct arena *arena, struct tokens *ret, struct errors *errors);
void tokens_finish(struct tokens *tokens);

#endif
