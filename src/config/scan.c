// The scanner: libconfig 1.5's words (names, literals, marks, three kinds of comment), with exact 64-bit integers.
// Stricter than libconfig in one thing: a string ends on its line, so that a forgotten quote is found where it is.
// More lenient in one: a number needs no L, and a byte order mark is skipped. @include is refused: `extends` does it.
#include "config/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "config/tree.h"

enum {
	LITERAL_SHOWN = 40, // bytes of a literal that a message repeats
	GROUP_MOST = 1024,  // settings of one group: libconfig and we look them up one by one, so the time is their square
};

struct scanner {
	const struct source_text *source;
	size_t at, line, depth;
	size_t settings[SCAN_DEPTH_MAX + 1]; // names so far in the bracket that is open at each depth
	struct arena *arena;
	struct tokens *tokens;
	struct errors *errors;
};

struct origin source_origin(const struct source_text *source, size_t line) {
	return (struct origin){.file = source->at.file, .line = source->lines ? line : source->at.line};
}

void tokens_finish(struct tokens *tokens) {
	free(tokens->items);
	*tokens = (struct tokens){0};
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c) {
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The character `ahead` of the current one, NUL at the end (the text itself holds none, see check_bytes).
static char peek(const struct scanner *s, size_t ahead) {
	return s->at + ahead < s->source->length ? s->source->text[s->at + ahead] : '\0';
}

static struct origin here(const struct scanner *s, size_t line) {
	return source_origin(s->source, line);
}

static struct token *push(struct scanner *s, enum token_kind kind, size_t length) {
	struct tokens *tokens = s->tokens;
	if (tokens->count == tokens->capacity) {
		tokens->capacity = tokens->capacity == 0 ? 64 : 2 * tokens->capacity;
		tokens->items = memory_resize(tokens->items, tokens->capacity * sizeof *tokens->items);
	}
	struct token *token = &tokens->items[tokens->count++];
	*token = (struct token){.kind = kind, .line = s->line, .text = s->source->text + s->at, .length = length};
	return token;
}

// Says why a literal is refused; the scan goes on. Beyond ERRORS_MOST in silence: the list says enough.
static void refuse(struct scanner *s, struct token *token, const char *before, const char *after) {
	bool all = token->length <= LITERAL_SHOWN;
	token->bad = true;
	if (s->errors->count >= ERRORS_MOST)
		return;
	errors_add(s->errors, ERROR_CONFIG, here(s, token->line), "%s%.*s%s%s", before,
	           (int)(all ? token->length : LITERAL_SHOWN), token->text, all ? "" : "...", after);
}

// Skips one comment; false where it is not closed.
static bool skip_comment(struct scanner *s) {
	if (peek(s, 1) != '*' || peek(s, 0) != '/') {
		while (s->at < s->source->length && peek(s, 0) != '\n')
			s->at++;
		return true;
	}
	size_t line = s->line;
	for (s->at += 2; s->at < s->source->length; s->at++) {
		if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			s->at += 2;
			return true;
		}
		s->line += peek(s, 0) == '\n';
	}
	error_hint(errors_add(s->errors, ERROR_CONFIG, here(s, line), "comment is not closed"), "It ends with */.");
	return false;
}

// Skips blanks and comments.
static bool skip_blank(struct scanner *s) {
	for (;;) {
		char c = peek(s, 0);
		if (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '\f') {
			s->line += c == '\n';
			s->at++;
		} else if (c == '#' || (c == '/' && (peek(s, 1) == '/' || peek(s, 1) == '*'))) {
			if (!skip_comment(s))
				return false;
		} else {
			return true;
		}
	}
}

static unsigned hex_digit(char c) {
	return (unsigned)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

// Digits in a base, up to 2^64 - 1.
static bool read_digits(const char *text, size_t length, unsigned base, uint64_t *ret) {
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)hex_digit(text[i]), &value))
			return false;
	}
	*ret = value;
	return true;
}

static bool all_digits(const char *text, size_t length, bool (*is)(char)) {
	for (size_t i = 0; i < length; i++) {
		if (!is(text[i]))
			return false;
	}
	return length > 0;
}

// The length of an integer literal's body: without the L or LL that libconfig wants for 64 bits.
static size_t without_suffix(const char *text, size_t length) {
	for (int i = 0; i < 2 && length > 1 && text[length - 1] == 'L'; i++)
		length--;
	return length;
}

static bool fill_integer(struct token *token, bool negative, uint64_t size) {
	if (negative && size > (uint64_t)INT64_MAX + 1)
		return false;
	token->big = !negative && size > INT64_MAX;
	uint64_t bits = negative ? 0 - size : size;
	memcpy(&token->as.integer, &bits, sizeof bits);
	return true;
}

static void read_number(struct scanner *s, struct token *token) {
	const char *text = token->text;
	size_t body = without_suffix(text, token->length);
	bool signed_text = text[0] == '-' || text[0] == '+';
	size_t skip = signed_text ? 1 : 0;
	uint64_t size;
	if (body > 2 && text[0] == '0' && (text[1] | 0x20) == 'x' && all_digits(text + 2, body - 2, is_hex)) {
		if (!read_digits(text + 2, body - 2, 16, &size) || !fill_integer(token, false, size))
			refuse(s, token, "integer ", " does not fit into 64 bits");
	} else if (all_digits(text + skip, body - skip, is_digit)) {
		if (!read_digits(text + skip, body - skip, 10, &size) || !fill_integer(token, text[0] == '-', size))
			refuse(s, token, "integer ", " does not fit into 64 bits");
	} else if (strcspn(text, ".eE") >= token->length) {
		refuse(s, token, "\"", "\" is not a number");
	} else {
		token->kind = TOKEN_REAL;
		if (number_read(text, token->length, &token->as.real))
			return;
		// The same digits without the exponent read well where the exponent alone is too large.
		double mantissa;
		size_t exponent = strcspn(text, "eE");
		bool number = exponent < token->length && number_read(text, exponent, &mantissa) &&
		              strspn(text + exponent + 1, "+-0123456789") >= token->length - exponent - 1;
		bool real = number && is_digit(text[token->length - 1]);
		refuse(s, token, real ? "real " : "\"", real ? " does not fit into a double" : "\" is not a number");
	}
}

static bool number_begins(const struct scanner *s) {
	size_t skip = peek(s, 0) == '+' || peek(s, 0) == '-' ? 1 : 0;
	return is_digit(peek(s, skip)) || (peek(s, skip) == '.' && is_digit(peek(s, skip + 1)));
}

// Everything that sticks to a number belongs to it, so that "12abc" is one mistake and not two words.
static bool scan_number(struct scanner *s) {
	size_t length = 1;
	bool hex = peek(s, 0) == '0' && (peek(s, 1) | 0x20) == 'x';
	for (;; length++) {
		char c = peek(s, length), last = peek(s, length - 1);
		bool exponent_sign = (c == '+' || c == '-') && (last | 0x20) == 'e' && !hex;
		if (!is_digit(c) && !is_letter(c) && c != '.' && c != '_' && !exponent_sign)
			break;
	}
	struct token *token = push(s, TOKEN_INTEGER, length);
	read_number(s, token);
	s->at += length;
	return true;
}

static bool equals_word(const char *text, size_t length, const char *lower) {
	if (strlen(lower) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((text[i] | 0x20) != lower[i])
			return false;
	}
	return true;
}

static bool scan_word(struct scanner *s) {
	size_t length = 1;
	for (char c = peek(s, 1); is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '*'; c = peek(s, length))
		length++;
	struct token *token = push(s, TOKEN_NAME, length);
	bool yes = equals_word(token->text, length, "true");
	if (yes || equals_word(token->text, length, "false")) {
		token->kind = TOKEN_BOOL;
		token->as.boolean = yes;
	} else if (++s->settings[s->depth] > GROUP_MOST) {
		errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "more than %d settings in one group", GROUP_MOST);
		return false;
	}
	s->at += length;
	return true;
}

// Decodes one escape at s->at (a backslash); what is none stays as written, as libconfig has it.
static void scan_escape(struct scanner *s, struct token *token, struct text *ret) {
	static const char codes[] = "nrtf\\\"", meant[] = "\n\r\t\f\\\"";
	char next = peek(s, 1);
	const char *code = next == '\0' ? NULL : strchr(codes, next);
	if (code != NULL) {
		text_append_bytes(ret, &meant[code - codes], 1);
		s->at += 2;
	} else if ((next | 0x20) == 'x' && is_hex(peek(s, 2)) && is_hex(peek(s, 3))) {
		char byte = (char)(hex_digit(peek(s, 2)) * 16 + hex_digit(peek(s, 3)));
		if (byte == '\0' && !token->bad && s->errors->count < ERRORS_MOST)
			errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "a string cannot hold \"\\x00\"");
		token->bad |= byte == '\0';
		text_append_bytes(ret, &byte, 1);
		s->at += 4;
	} else {
		text_append(ret, "\\");
		s->at++;
	}
}

// One pair of quotes; s->at is at the opening one.
static bool scan_quoted(struct scanner *s, struct token *token, struct text *ret) {
	s->at++;
	for (;;) {
		char c = peek(s, 0);
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c == '\n' || s->at >= s->source->length) {
			error_hint(errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "string is not closed"),
			           "A string ends with a double quote on the line where it begins; a line break in it is \\n.");
			return false;
		}
		if (c == '\\') {
			scan_escape(s, token, ret);
		} else {
			text_append_bytes(ret, &c, 1);
			s->at++;
		}
	}
}

// Adjacent strings are one.
static bool scan_string(struct scanner *s) {
	struct token *token = push(s, TOKEN_STRING, 0);
	struct text decoded = {0};
	bool fine;
	do {
		fine = scan_quoted(s, token, &decoded);
		token->length = (size_t)(s->source->text + s->at - token->text);
		fine = fine && skip_blank(s);
	} while (fine && peek(s, 0) == '"');
	token->as.string = arena_string(s->arena, text_string(&decoded));
	text_finish(&decoded);
	return fine;
}

static bool scan_mark(struct scanner *s) {
	char c = peek(s, 0);
	if (strchr("([{", c) != NULL && ++s->depth > SCAN_DEPTH_MAX) {
		errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "nested deeper than %d", SCAN_DEPTH_MAX);
		return false;
	}
	if (strchr("([{", c) != NULL)
		s->settings[s->depth] = 0;
	if (strchr(")]}", c) != NULL && s->depth > 0)
		s->depth--;
	push(s, TOKEN_MARK, 1)->mark = c;
	s->at++;
	return true;
}

static bool stray(struct scanner *s) {
	char c = peek(s, 0);
	struct error *error;
	if (c == '@') {
		error = errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "\"@include\" is not read here");
		error_hint(error, "Write extends = \"FILE\"; and set what differs.");
	} else if (c >= ' ' && c <= '~') {
		errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "unexpected character \"%c\"", c);
	} else {
		errors_add(s->errors, ERROR_CONFIG, here(s, s->line), "unexpected byte 0x%02x", (unsigned)(unsigned char)c);
	}
	return false;
}

static bool scan_token(struct scanner *s) {
	char c = peek(s, 0);
	if (is_letter(c) || c == '*')
		return scan_word(s);
	if (number_begins(s))
		return scan_number(s);
	if (c == '"')
		return scan_string(s);
	if (strchr("=:,;()[]{}", c) != NULL)
		return scan_mark(s);
	return stray(s);
}

// A NUL byte ends the text for C's string functions, and libconfig's: what follows would be lost in silence.
static bool check_bytes(struct scanner *s) {
	const char *text = s->source->text, *nul = memchr(text, '\0', s->source->length);
	if (nul == NULL)
		return true;
	size_t line = 1;
	for (const char *c = text; c < nul; c++)
		line += *c == '\n';
	errors_add(s->errors, ERROR_CONFIG, here(s, line), "the file holds a NUL byte");
	return false;
}

bool tokens_scan(const struct source_text *source, struct arena *arena, struct tokens *ret, struct errors *errors) {
	struct scanner s = {.source = source, .line = 1, .arena = arena, .tokens = ret, .errors = errors};
	if (!check_bytes(&s))
		return false;
	if (source->length >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0)
		s.at = 3;
	for (;;) {
		if (!skip_blank(&s))
			return false;
		if (s.at >= source->length)
			break;
		if (!scan_token(&s))
			return false;
	}
	if (ret->count == 0) {
		errors_add(errors, ERROR_CONFIG, here(&s, 1), "the file is empty");
		return false;
	}
	push(&s, TOKEN_END, 0);
	return true;
}
