// Numbers as text, whatever the locale. Reading: the text is held against the grammar first; up to 15 digits with a
// power of ten up to 22 are one exact product or quotient (Clinger, PLDI 1990), everything else is left to strtod.
#include "base/number.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

// snprintf in the C locale. The C library's "C" is a constant: neither newlocale nor freelocale costs an allocation.
__attribute__((format(printf, 2, 3))) static void write_plain(char text[NUMBER_TEXT], const char *format, ...) {
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	locale_t before = uselocale(plain);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, NUMBER_TEXT, format, arguments);
	va_end(arguments);
	uselocale(before);
	freelocale(plain);
}

static double read_plain(const char *text) {
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	double value = strtod_l(text, NULL, plain);
	freelocale(plain);
	return value;
}

static bool write_special(double value, char ret_text[NUMBER_TEXT]) {
	if (isfinite(value))
		return false;
	strcpy(ret_text, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
	return true;
}

void number_write_single(float value, char ret_text[NUMBER_TEXT]) {
	if (write_special((double)value, ret_text))
		return;
	for (int digits = 6; digits <= 9; digits++) { // 9 always suffice for a float
		write_plain(ret_text, "%.*g", digits, (double)value);
		if (digits == 9 || (float)read_plain(ret_text) == value)
			return;
	}
}

void number_write(double value, char ret_text[NUMBER_TEXT]) {
	if (write_special(value, ret_text))
		return;
	for (int digits = 15; digits <= 17; digits++) { // 17 always suffice for a double
		write_plain(ret_text, "%.*g", digits, value);
		if (digits == 17 || read_plain(ret_text) == value)
			return;
	}
}

// What the grammar [+-] digits [. digits] [(e|E) [+-] digits], at least one digit before the e, found.
struct decimal {
	bool negative;
	uint64_t digits;   // the first MOST digits after leading zeros, as an integer
	size_t count;      // how many digits after leading zeros there are
	int scale;         // the value is digits * 10^scale, where count <= EXACT_DIGITS
	bool has_exponent; // then strtod does it
};

enum { EXACT_DIGITS = 15, EXACT_SCALE = 22 }; // 10^15 < 2^53, and 10^22 is the largest power that a double holds

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

// Reads digits from text[at] on; returns where they end.
static size_t scan_digits(const char *text, size_t length, size_t at, struct decimal *decimal) {
	for (; at < length && is_digit(text[at]); at++) {
		if (decimal->count == 0 && text[at] == '0')
			continue;
		if (decimal->count < EXACT_DIGITS)
			decimal->digits = decimal->digits * 10 + (uint64_t)(text[at] - '0');
		decimal->count++;
	}
	return at;
}

static size_t skip_sign(const char *text, size_t length, size_t at) {
	return at < length && (text[at] == '+' || text[at] == '-') ? at + 1 : at;
}

static bool scan_exponent(const char *text, size_t length, size_t at) {
	at = skip_sign(text, length, at);
	if (at == length)
		return false;
	while (at < length && is_digit(text[at]))
		at++;
	return at == length;
}

static bool scan(const char *text, size_t length, struct decimal *decimal) {
	size_t start = skip_sign(text, length, 0);
	decimal->negative = start == 1 && text[0] == '-';
	size_t at = scan_digits(text, length, start, decimal);
	size_t seen = at - start;
	if (at < length && text[at] == '.') {
		size_t end = scan_digits(text, length, at + 1, decimal);
		size_t places = end - (at + 1);
		seen += places;
		decimal->scale = places > EXACT_SCALE ? -EXACT_SCALE - 1 : -(int)places;
		at = end;
	}
	if (seen == 0)
		return false;
	if (at == length)
		return true;
	decimal->has_exponent = text[at] == 'e' || text[at] == 'E';
	return decimal->has_exponent && scan_exponent(text, length, at + 1);
}

static double read_slowly(const char *text, size_t length) {
	char few[64];
	char *copy = length < sizeof few ? few : memory_alloc(length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	double value = read_plain(copy);
	if (copy != few)
		free(copy);
	return value;
}

bool number_read(const char *text, size_t length, double *ret_value) {
	static const double power[EXACT_SCALE + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
	                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	struct decimal decimal = {0};
	if (!scan(text, length, &decimal))
		return false;
	if (!decimal.has_exponent && decimal.count <= EXACT_DIGITS && decimal.scale >= -EXACT_SCALE) {
		double value = (double)decimal.digits / power[-decimal.scale];
		*ret_value = decimal.negative ? -value : value;
		return true;
	}
	double value = read_slowly(text, length);
	if (!isfinite(value))
		return false;
	*ret_value = value;
	return true;
}

bool number_read_integer(const char *text, size_t length, int64_t *ret_value) {
	size_t at = skip_sign(text, length, 0);
	bool negative = at == 1 && text[0] == '-';
	if (at == length)
		return false;
	int64_t value = 0; // built on its own side of zero, where the smallest integer has room
	for (; at < length; at++) {
		if (!is_digit(text[at]))
			return false;
		int64_t digit = text[at] - '0';
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return false;
	}
	*ret_value = value;
	return true;
}

void number_write_count(uint64_t value, char ret_text[NUMBER_TEXT]) {
	char digits[NUMBER_TEXT];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value), out = 0;
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			ret_text[out++] = ',';
		ret_text[out++] = digits[i];
	}
	ret_text[out] = '\0';
}

void number_write_bytes(double bytes, char ret_text[NUMBER_TEXT]) {
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	enum { UNITS = sizeof units / sizeof units[0] };
	if (bytes < 1023.5) {
		write_plain(ret_text, "%.0f B", bytes);
		return;
	}
	size_t unit = 0;
	double value = bytes / 1024;
	while (value >= 1023.95 && unit + 1 < UNITS) { // what would be written as 1024.0 is one of the next unit
		value /= 1024;
		unit++;
	}
	write_plain(ret_text, value < 1e15 ? "%.1f %s" : "%.3e %s", value, units[unit]);
}

void number_write_seconds(double seconds, char ret_text[NUMBER_TEXT]) {
	if (!(seconds < 360000))
		snprintf(ret_text, NUMBER_TEXT, "?");
	else if (seconds < 60)
		snprintf(ret_text, NUMBER_TEXT, "%.0f s", seconds);
	else if (seconds < 3600)
		snprintf(ret_text, NUMBER_TEXT, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
	else
		snprintf(ret_text, NUMBER_TEXT, "%d h %02d min", (int)seconds / 3600, (int)seconds / 60 % 60);
}
