// Short ids that already have their index, found without a look at the table of ids: an id of up to twelve bytes lies
// in the table's slot itself, beside its index, so that one line of the cache answers for it. The table is small beside
// the caches of a processor, and full at some point: what is not found may be in the table of ids all the same.
#ifndef AEXP_DATA_KNOWN_H
#define AEXP_DATA_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { KNOWN_BYTES = 12, KNOWN_PROBES = 8 };

// An id's bytes, zeros behind them: no id holds a zero, so that no two ids are the same key.
struct known_key {
	uint64_t low; // bytes 0 to 7, as memory has them
	uint32_t high;
};
struct known_slot {
	struct {
		uint32_t low[2], high;
	} key;
	uint32_t index; // of the id, + 1; 0: free
};
struct known {
	struct known_slot *slots; // (2^bits); NULL: none yet
	unsigned bits;
	size_t count;
};

// Multiplied by odd constants (bits of the golden ratio and of the square root of 2): the highest bits of a product
// depend on all of the key.
static inline size_t known_place(const struct known *known, struct known_key key) {
	uint64_t mixed = (key.low ^ key.high * UINT64_C(0x6A09E667F3BCC909)) * UINT64_C(0x9E3779B97F4A7C15);
	return (size_t)(mixed >> (64 - known->bits));
}

static inline struct known_slot *known_slot(const struct known *known, size_t at) {
	return &known->slots[at & (((size_t)1 << known->bits) - 1)];
}

static inline bool known_is(const struct known_slot *slot, struct known_key key) {
	uint64_t low;
	memcpy(&low, slot->key.low, sizeof low);
	return low == key.low && slot->key.high == key.high;
}

// The key of name; length at most KNOWN_BYTES.
static inline struct known_key known_key(const char *name, size_t length) {
	char bytes[KNOWN_BYTES] = {0};
	struct known_key key;
	memcpy(bytes, name, length);
	memcpy(&key.low, bytes, sizeof key.low);
	memcpy(&key.high, bytes + sizeof key.low, sizeof key.high);
	return key;
}

// The same where memory goes on behind the name, up to KNOWN_BYTES from its beginning, and low bytes come first.
static inline struct known_key known_key_ahead(const char *name, size_t length) {
	enum { LOW_BYTES = sizeof(uint64_t) };
	struct known_key key;
	memcpy(&key.low, name, sizeof key.low);
	memcpy(&key.high, name + LOW_BYTES, sizeof key.high);
	if (length < LOW_BYTES) {
		key.low &= (UINT64_C(1) << 8 * length) - 1;
		key.high = 0;
	} else {
		key.high &= (uint32_t)((UINT64_C(1) << 8 * (length - LOW_BYTES)) - 1);
	}
	return key;
}

// The index of the id; false where the table does not hold it.
static inline bool known_find(const struct known *known, struct known_key key, uint32_t *ret) {
	if (known->slots == NULL)
		return false;
	size_t at = known_place(known, key);
	for (size_t probes = 0; probes < KNOWN_PROBES; probes++, at++) {
		const struct known_slot *slot = known_slot(known, at);
		if (known_is(slot, key)) {
			*ret = slot->index - 1;
			return true;
		}
		if (slot->index == 0)
			return false;
	}
	return false;
}

// Enters an id that is not there, if there is room. Nobody may look for one meanwhile.
void known_add(struct known *known, struct known_key key, uint32_t index);
void known_finish(struct known *known);

#endif
