// XXH3 128-bit hashing of byte streams, and its spelling in hexadecimal.
#ifndef AEXP_BASE_HASH_H
#define AEXP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
	void *state; // XXH3_state_t
};
enum { HASH_HEX = 33 }; // 32 digits and the terminator

void hash_init(struct hash *hash);
void hash_bytes(struct hash *hash, const void *data, size_t size);
void hash_string(struct hash *hash, const char *text); // with its terminator, so that "ab","c" differs from "a","bc"
void hash_u64(struct hash *hash, uint64_t value);      // little-endian, the same on every machine
void hash_finish(struct hash *hash, char ret_hex[HASH_HEX]); // frees the state

#endif
