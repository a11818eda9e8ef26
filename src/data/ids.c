// The table of ids: names one after another in one buffer, and an open-addressing index over them (XXH3, linear
// probing, at most two thirds full). Removing is left out on purpose: an id's index never changes.
#include "data/dataset.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Inlined: ids are short, and the call would cost more than the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	FIRST_SLOTS = 64, // a power of two, like every later number of slots
	FIRST_BYTES = 512,
	FIRST_IDS = 32,
};

static size_t name_length(const struct ids *ids, size_t index) {
	size_t end = index + 1 < ids->count ? ids->offset[index + 1] : ids->bytes_used;
	return end - ids->offset[index] - 1;
}

enum { NO_SLOT = -1 };

// Ids are short: a call would cost more than the comparison.
static inline bool same_bytes(const char *a, const char *b, size_t length) {
	uint64_t x, y;
	size_t at = 0;
	for (; length - at >= sizeof x; at += sizeof x) {
		memcpy(&x, a + at, sizeof x);
		memcpy(&y, b + at, sizeof y);
		if (x != y)
			return false;
	}
	if (at > 0 && at < length) { // the last eight bytes, some of them once more
		memcpy(&x, a + length - sizeof x, sizeof x);
		memcpy(&y, b + length - sizeof y, sizeof y);
		return x == y;
	}
	for (; at < length; at++) {
		if (a[at] != b[at])
			return false;
	}
	return true;
}

static size_t first_slot(const struct ids *ids, const char *name, size_t length) {
	return (size_t)XXH3_64bits(name, length) & (ids->slots_count - 1);
}

// The slot that holds the name, or the free one where it belongs; NO_SLOT where neither is near. slot: its first_slot.
static ptrdiff_t find_slot(const struct ids *ids, size_t slot, const char *name, size_t length) {
	size_t mask = ids->slots_count - 1;
	for (size_t probes = 0; probes < IDS_PROBES_MOST; probes++, slot = (slot + 1) & mask) {
		uint32_t taken = ids->slots[slot];
		if (taken == 0)
			return (ptrdiff_t)slot;
		size_t index = taken - 1;
		if (name_length(ids, index) == length && same_bytes(ids_name(ids, index), name, length))
			return (ptrdiff_t)slot;
	}
	return NO_SLOT;
}

static bool grow_slots(struct ids *ids) {
	if (ids->slots_count > 0 && ids->count < ids->slots_count / 3 * 2)
		return true;
	size_t count = ids->slots_count == 0 ? FIRST_SLOTS : 2 * ids->slots_count;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	free(ids->slots);
	ids->slots = slots;
	ids->slots_count = count;
	for (size_t i = 0; i < ids->count; i++) {
		const char *name = ids_name(ids, i);
		size_t length = name_length(ids, i);
		ptrdiff_t slot = find_slot(ids, first_slot(ids, name, length), name, length);
		if (slot == NO_SLOT)
			return false;
		slots[slot] = (uint32_t)i + 1;
	}
	return true;
}

// The capacity that holds `wanted`: doubled, and never above `most`.
static size_t grown(size_t capacity, size_t first, size_t wanted, size_t most) {
	size_t next = capacity == 0 ? first : capacity;
	while (next < wanted)
		next = next > most / 2 ? most : 2 * next;
	return next;
}

static bool grow_names(struct ids *ids, size_t length) {
	if (ids->count >= IDS_FULL - 1 || length >= UINT32_MAX - ids->bytes_used)
		return false;
	if (ids->count == ids->capacity) {
		size_t capacity = grown(ids->capacity, FIRST_IDS, ids->count + 1, UINT32_MAX);
		uint32_t *offset = realloc(ids->offset, capacity * sizeof *offset);
		if (offset == NULL)
			return false;
		ids->offset = offset;
		ids->capacity = capacity;
	}
	size_t wanted = ids->bytes_used + length + 1;
	if (wanted > ids->bytes_capacity) {
		size_t capacity = grown(ids->bytes_capacity, FIRST_BYTES, wanted, UINT32_MAX);
		char *bytes = realloc(ids->bytes, capacity);
		if (bytes == NULL)
			return false;
		ids->bytes = bytes;
		ids->bytes_capacity = capacity;
	}
	return true;
}

uint32_t ids_add(struct ids *ids, const char *name, size_t length) {
	if (!grow_slots(ids))
		return IDS_FULL;
	ptrdiff_t slot = find_slot(ids, first_slot(ids, name, length), name, length);
	if (slot == NO_SLOT)
		return IDS_FULL;
	if (ids->slots[slot] != 0)
		return ids->slots[slot] - 1;
	if (!grow_names(ids, length))
		return IDS_FULL;
	ids->offset[ids->count] = (uint32_t)ids->bytes_used;
	memcpy(ids->bytes + ids->bytes_used, name, length);
	ids->bytes[ids->bytes_used + length] = '\0';
	ids->bytes_used += length + 1;
	ids->slots[slot] = (uint32_t)++ids->count;
	return (uint32_t)ids->count - 1;
}

// IDS_FULL where it is unknown.
static uint32_t index_at(const struct ids *ids, size_t first, const char *name, size_t length) {
	ptrdiff_t slot = find_slot(ids, first, name, length);
	uint32_t taken = slot == NO_SLOT ? 0 : ids->slots[slot];
	return taken ? taken - 1 : IDS_FULL;
}

bool ids_find(const struct ids *ids, const char *name, size_t length, uint32_t *ret) {
	if (ids->slots_count == 0)
		return false;
	uint32_t index = index_at(ids, first_slot(ids, name, length), name, length);
	if (index == IDS_FULL)
		return false;
	*ret = index;
	return true;
}

enum { MANY = 16 }; // names that are on their way together

// What find_slot reads of some names, one kind of memory after the other: the first slot, where that id's name begins,
// the name.
static void fetch_names(const struct ids *ids, const size_t *slot, size_t count) {
	uint32_t taken[MANY];
	for (size_t i = 0; i < count; i++) {
		taken[i] = ids->slots[slot[i]];
		if (taken[i])
			__builtin_prefetch(&ids->offset[taken[i] - 1]);
	}
	for (size_t i = 0; i < count; i++)
		if (taken[i])
			__builtin_prefetch(ids_name(ids, taken[i] - 1));
}

static void find_some(const struct ids *ids, const char *const *names, size_t count, uint32_t *ret) {
	size_t length[MANY], slot[MANY];
	for (size_t i = 0; i < count; i++) {
		length[i] = strlen(names[i]);
		slot[i] = first_slot(ids, names[i], length[i]);
		__builtin_prefetch(&ids->slots[slot[i]]);
	}
	fetch_names(ids, slot, count);
	for (size_t i = 0; i < count; i++)
		ret[i] = index_at(ids, slot[i], names[i], length[i]);
}

void ids_find_many(const struct ids *ids, const char *const *names, size_t count, uint32_t *ret) {
	for (size_t i = 0; ids->slots_count == 0 && i < count; i++)
		ret[i] = IDS_FULL;
	for (size_t first = 0; ids->slots_count && first < count; first += MANY)
		find_some(ids, names + first, count - first < MANY ? count - first : MANY, ret + first);
}

void ids_finish(struct ids *ids) {
	free(ids->offset);
	free(ids->bytes);
	free(ids->slots);
	*ids = (struct ids){0};
}
