// See protobuf.h.
#include "base/protobuf.h"

#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_32_BITS = 5 };

// Seven bits a byte, the lowest first; the eighth says that more follow.
static void append_varint(struct text *text, uint64_t value) {
	unsigned char bytes[10];
	size_t count = 0;
	do {
		bytes[count] = (unsigned char)(value & 127);
		value >>= 7;
		bytes[count++] |= value ? 128 : 0;
	} while (value);
	text_append_bytes(text, bytes, count);
}

static void append_tag(struct text *text, unsigned field, enum wire_type type) {
	append_varint(text, (uint64_t)field << 3 | type);
}

void protobuf_integer(struct text *text, unsigned field, uint64_t value) {
	append_tag(text, field, WIRE_VARINT);
	append_varint(text, value);
}

void protobuf_float(struct text *text, unsigned field, float value) {
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	append_tag(text, field, WIRE_32_BITS);
	for (int i = 0; i < 4; i++)
		text_append_bytes(text, &(unsigned char){(unsigned char)(bits >> 8 * i)}, 1);
}

void protobuf_bytes_begin(struct text *text, unsigned field, size_t size) {
	append_tag(text, field, WIRE_BYTES);
	append_varint(text, size);
}

void protobuf_bytes(struct text *text, unsigned field, const void *data, size_t size) {
	protobuf_bytes_begin(text, field, size);
	text_append_bytes(text, data, size);
}

void protobuf_string(struct text *text, unsigned field, const char *string) {
	protobuf_bytes(text, field, string, strlen(string));
}

void protobuf_message(struct text *text, unsigned field, struct text *message) {
	protobuf_bytes(text, field, text_string(message), message->length);
	text_finish(message);
	*message = (struct text){0};
}
