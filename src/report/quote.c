// Quoting for JSON (RFC 8259), gnuplot's single quotes, graphviz' HTML-like labels and LaTeX. What is left out on
// purpose: any way for a name to reach gnuplot's double quotes, where a backquote would start a command.
#include "report/quote.h"

#include <string.h>

// The length of the UTF-8 character at s (RFC 3629: no overlong forms, no surrogates), or 0 where there is none.
static size_t utf8_length(const unsigned char *s) {
	static const struct {
		unsigned char low, high, second_low, second_high;
		size_t length;
	} forms[] = {
	    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].low || s[0] > forms[i].high)
			continue;
		if (forms[i].length > 1 && (s[1] < forms[i].second_low || s[1] > forms[i].second_high))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

// Appends the character at s as UTF-8; returns how many bytes of s it took.
static size_t append_character(struct text *text, const unsigned char *s) {
	size_t length = utf8_length(s);
	if (length > 0) {
		text_append_bytes(text, s, length);
		return length;
	}
	unsigned char two[2] = {(unsigned char)(0xc0 | s[0] >> 6), (unsigned char)(0x80 | (s[0] & 0x3f))};
	text_append_bytes(text, two, sizeof(two));
	return 1;
}

// What stands for an ASCII character in JSON, or NULL where it stands for itself.
static const char *json_escape(unsigned char c, char buffer[8]) {
	static const char *const named[] = {['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
	                                    ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t"};
	static const char digits[] = "0123456789abcdef";
	if (c < sizeof(named) / sizeof(named[0]) && named[c])
		return named[c];
	if (c >= 0x20)
		return NULL;
	memcpy(buffer, "\\u00", 4);
	buffer[4] = digits[c >> 4];
	buffer[5] = digits[c & 15];
	buffer[6] = '\0';
	return buffer;
}

// How many characters from s on stand for themselves in JSON; all of an ordinary id, so that long lists are quick.
static size_t plain_length(const unsigned char *s) {
	size_t length = 0;
	while (s[length] >= 0x20 && s[length] < 0x80 && s[length] != '"' && s[length] != '\\')
		length++;
	return length;
}

void quote_json(struct text *text, const char *string) {
	char buffer[8];
	text_append(text, "\"");
	for (const unsigned char *s = (const unsigned char *)string; *s;) {
		size_t plain = plain_length(s);
		const char *escape = json_escape(*s, buffer);
		if (plain > 0)
			text_append_bytes(text, s, plain), s += plain;
		else if (escape)
			text_append(text, escape), s++;
		else
			s += append_character(text, s);
	}
	text_append(text, "\"");
}

// Control characters, and U+FFFE and U+FFFF, have no place in a picture (XML 1.0 forbids them).
static size_t blank_length(const unsigned char *s) {
	if (*s < 0x20 || *s == 0x7f)
		return 1;
	return s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe ? 3 : 0;
}

static void quote_drawn(struct text *text, const char *string, const char *(*escape)(unsigned char c)) {
	for (const unsigned char *s = (const unsigned char *)string; *s;) {
		size_t blank = blank_length(s);
		if (blank > 0)
			text_append(text, " "), s += blank;
		else if (escape(*s))
			text_append(text, escape(*s)), s++;
		else
			s += append_character(text, s);
	}
}

// gnuplot 5.4 reads two single quotes within such a string as one, but loses its way where another follows: each is a
// string of its own instead.
static const char *gnuplot_escape(unsigned char c) {
	return c == '\'' ? "' . \"\\047\" . '" : NULL;
}

static const char *html_escape(unsigned char c) {
	static const char *const entity[] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};
	return c < sizeof(entity) / sizeof(entity[0]) ? entity[c] : NULL;
}

void quote_gnuplot(struct text *text, const char *string) {
	text_append(text, "'");
	quote_drawn(text, string, gnuplot_escape);
	text_append(text, "'");
}

void quote_html(struct text *text, const char *string) {
	quote_drawn(text, string, html_escape);
}

static const char *tex_escape(unsigned char c) {
	static const char *const spelled[128] = {
	    ['#'] = "\\#",
	    ['$'] = "\\$",
	    ['%'] = "\\%",
	    ['&'] = "\\&",
	    ['_'] = "\\_",
	    ['{'] = "\\{",
	    ['}'] = "\\}",
	    ['~'] = "\\textasciitilde{}",
	    ['^'] = "\\textasciicircum{}",
	    ['\\'] = "\\textbackslash{}",
	    ['<'] = "\\textless{}",
	    ['>'] = "\\textgreater{}",
	    ['|'] = "\\textbar{}",
	    ['"'] = "''",
	};
	return c < 128 ? spelled[c] : NULL;
}

void quote_tex(struct text *text, const char *string) {
	quote_drawn(text, string, tex_escape);
}
