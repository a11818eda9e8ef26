// XXH3 128-bit hashing; the digest is spelled in its canonical (big-endian) order, so it is the same on every machine.
#include "base/hash.h"

#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

enum { HASH_STATE = 576 }; // bytes of XXH3's state, for the message alone: the type is opaque

void hash_init(struct hash *hash) {
	hash->state = XXH3_createState();
	if (hash->state == NULL)
		memory_exhausted(HASH_STATE);
	XXH3_128bits_reset(hash->state);
}

void hash_bytes(struct hash *hash, const void *data, size_t size) {
	if (size > 0)
		XXH3_128bits_update(hash->state, data, size);
}

void hash_string(struct hash *hash, const char *text) {
	hash_bytes(hash, text, strlen(text) + 1);
}

void hash_u64(struct hash *hash, uint64_t value) {
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	hash_bytes(hash, bytes, sizeof bytes);
}

void hash_finish(struct hash *hash, char ret_hex[HASH_HEX]) {
	static const char digits[] = "0123456789abcdef";
	XXH128_canonical_t canonical;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash->state));
	for (size_t i = 0; i < sizeof canonical.digest; i++) {
		ret_hex[2 * i] = digits[canonical.digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[canonical.digest[i] & 15];
	}
	ret_hex[HASH_HEX - 1] = '\0';
	XXH3_freeState(hash->state);
	hash->state = NULL;
}
