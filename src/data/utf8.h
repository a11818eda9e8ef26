// What leaves the program is UTF-8: names are checked, and the Latin-1 of old files is converted.
#ifndef AEXP_DATA_UTF8_H
#define AEXP_DATA_UTF8_H

#include "base/memory.h"

// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool utf8_valid(const char *text, size_t length);
// Appends the text, converted from Latin-1 where it is not UTF-8 already. (Latin-1 with accents is hardly ever valid
// UTF-8, and some copies of old files were converted by hand.)
void utf8_append(struct text *to, const char *text, size_t length);

#endif
