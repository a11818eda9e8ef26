// Numbers enter the hash as little-endian bytes, floats as their bits, in blocks so that the hash is not called for
// each; every list enters with its length, and what is optional with whether it is there.
#include "data/fingerprint.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024 }; // numbers

#define FINGERPRINT_VERSION "aexp.data/1" // goes up with any change to what enters, or how

struct block {
	struct hash *hash;
	size_t used;
	unsigned char bytes[BLOCK * sizeof(uint64_t)];
};

static void block_flush(struct block *block) {
	hash_bytes(block->hash, block->bytes, block->used);
	block->used = 0;
}

static inline void block_add(struct block *block, uint64_t value, size_t size) {
	if (block->used + size > sizeof block->bytes)
		block_flush(block);
	for (size_t i = 0; i < size; i++)
		block->bytes[block->used++] = (unsigned char)(value >> (8 * i));
}

// Numbers of 4 or 8 bytes whose bits enter as they are: where memory has them little-endian, in one piece.
static void hash_words(struct hash *hash, const void *values, size_t count, size_t size) {
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
		hash_bytes(hash, values, count * size);
		return;
	}
	struct block block = {.hash = hash};
	for (size_t i = 0; i < count; i++) {
		uint32_t narrow;
		uint64_t wide = 0;
		const char *value = (const char *)values + i * size;
		memcpy(&narrow, value, sizeof narrow);
		memcpy(&wide, value, size == sizeof wide ? sizeof wide : 0);
		block_add(&block, size == sizeof wide ? wide : narrow, size);
	}
	block_flush(&block);
}

static void hash_u32s(struct hash *hash, const uint32_t *values, size_t count) {
	hash_words(hash, values, count, sizeof *values);
}

static void hash_floats(struct hash *hash, const float *values, size_t count) {
	hash_words(hash, values, count, sizeof *values);
}

static void hash_times(struct hash *hash, const int64_t *values, size_t count) {
	hash_u64(hash, values != NULL);
	if (values != NULL)
		hash_words(hash, values, count, sizeof *values);
}

static void hash_parts(struct hash *hash, const uint8_t *parts, size_t count) {
	hash_u64(hash, parts != NULL);
	if (parts != NULL)
		hash_bytes(hash, parts, count);
}

static void hash_ids(struct hash *hash, const struct ids *ids) {
	hash_u64(hash, ids->count);
	hash_bytes(hash, ids->bytes, ids->bytes_used); // names with their terminators, in the order of the index
}

static void hash_titles(struct hash *hash, const char *const *titles, size_t count) {
	hash_u64(hash, titles != NULL);
	for (size_t i = 0; titles != NULL && i < count; i++)
		hash_string(hash, titles[i] == NULL ? "" : titles[i]);
}

// A missing number has one spelling, whichever NaN stands for it.
static void hash_numbers(struct hash *hash, const double *numbers, size_t count) {
	struct block block = {.hash = hash};
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = UINT64_MAX;
		if (!isnan(numbers[i]))
			memcpy(&bits, &numbers[i], sizeof bits);
		block_add(&block, bits, sizeof bits);
	}
	block_flush(&block);
}

static void hash_levels(struct hash *hash, const struct attribute *attribute, size_t rows) {
	struct block block = {.hash = hash};
	hash_ids(hash, &attribute->levels);
	for (size_t i = 0; i < rows; i++)
		block_add(&block, attribute->start[i + 1] - attribute->start[i], sizeof(uint64_t));
	block_flush(&block);
	hash_u32s(hash, attribute->level, attribute->start[rows]);
}

static void hash_attributes(struct hash *hash, const struct attributes *attributes) {
	hash_u64(hash, attributes->count);
	for (size_t i = 0; i < attributes->count; i++) {
		const struct attribute *attribute = &attributes->items[i];
		hash_string(hash, attribute->name);
		hash_u64(hash, attribute->numeric);
		if (attribute->numeric)
			hash_numbers(hash, attribute->number, attributes->rows);
		else
			hash_levels(hash, attribute, attributes->rows);
	}
}

void dataset_fingerprint(struct dataset *dataset) {
	struct hash hash;
	hash_init(&hash);
	hash_string(&hash, FINGERPRINT_VERSION);
	hash_ids(&hash, &dataset->users);
	hash_ids(&hash, &dataset->items);
	hash_u64(&hash, dataset->count);
	hash_u32s(&hash, dataset->user, dataset->count);
	hash_u32s(&hash, dataset->item, dataset->count);
	hash_floats(&hash, dataset->rating, dataset->count);
	hash_times(&hash, dataset->time, dataset->count);
	hash_parts(&hash, dataset->part, dataset->count);
	hash_titles(&hash, dataset->titles, dataset->items.count);
	hash_attributes(&hash, &dataset->user_attributes);
	hash_attributes(&hash, &dataset->item_attributes);
	hash_finish(&hash, dataset->fingerprint);
}
