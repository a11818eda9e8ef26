// Fields of a Protocol Buffers message, appended one after the other:
// https://protobuf.dev/programming-guides/encoding/. A message within a message is written on its own first, and is a
// field of bytes then. Only what the formats that are written here need: varints, single precision, bytes.
#ifndef AEXP_BASE_PROTOBUF_H
#define AEXP_BASE_PROTOBUF_H

#include "base/memory.h"

#include <stdint.h>

void protobuf_integer(struct text *text, unsigned field, uint64_t value);
void protobuf_float(struct text *text, unsigned field, float value);
void protobuf_bytes(struct text *text, unsigned field, const void *data, size_t size);
void protobuf_string(struct text *text, unsigned field, const char *string);
void protobuf_message(struct text *text, unsigned field, struct text *message); // and empties it
// What stands before a field of bytes whose bytes, `size` of them, the caller puts behind it.
void protobuf_bytes_begin(struct text *text, unsigned field, size_t size);

#endif
