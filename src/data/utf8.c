// Checks UTF-8 byte by byte, and widens Latin-1.
#include "data/utf8.h"

#include <stdint.h>

// The sequence that begins at text: its length, or 0 where it is not well-formed.
static size_t sequence(const unsigned char *text, size_t length) {
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; // of a sequence of that many bytes
	if (text[0] < 0x80)
		return 1;
	size_t bytes = text[0] >= 0xF8 ? 0 : text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : text[0] >= 0xC0 ? 2 : 0;
	if (bytes == 0 || bytes > length)
		return 0;
	uint32_t point = text[0] & (0x7Fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3Fu);
	}
	bool surrogate = point >= 0xD800 && point <= 0xDFFF;
	return point >= smallest[bytes] && point <= 0x10FFFF && !surrogate ? bytes : 0;
}

bool utf8_valid(const char *text, size_t length) {
	const unsigned char *bytes = (const unsigned char *)text;
	for (size_t i = 0; i < length;) {
		size_t step = sequence(bytes + i, length - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

void utf8_append(struct text *to, const char *text, size_t length) {
	if (utf8_valid(text, length)) {
		text_append_bytes(to, text, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		char pair[2] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3F))};
		if (c < 0x80)
			text_append_bytes(to, &text[i], 1);
		else
			text_append_bytes(to, pair, sizeof pair);
	}
}
