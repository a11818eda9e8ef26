// Numbers as text: the shortest decimal that reads back as the same double, and strict parsing.
#ifndef AEXP_BASE_NUMBER_H
#define AEXP_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT = 32 };

// The shortest of %.15g, %.16g, %.17g that reads back as the same double; "nan", "inf", "-inf" otherwise. Locale-free.
void number_write(double value, char ret_text[NUMBER_TEXT]);
// The same of %.6g ... %.9g for a float: the shortest that reads back as the same one.
void number_write_single(float value, char ret_text[NUMBER_TEXT]);
// The whole of [text, text + length) must be one finite decimal number (no hexadecimal, no blanks, no inf/nan).
// Locale-free; correctly rounded.
bool number_read(const char *text, size_t length, double *ret_value);
bool number_read_integer(const char *text, size_t length, int64_t *ret_value); // false on overflow too
// "1,234,567" style is for people: writes value with thousands separated by commas.
void number_write_count(uint64_t value, char ret_text[NUMBER_TEXT]);
void number_write_seconds(double seconds, char ret_text[NUMBER_TEXT]); // "2 h 05 min"; "?" where it is not known
void number_write_bytes(double bytes, char ret_text[NUMBER_TEXT]); // "1.2 GiB"

#endif
