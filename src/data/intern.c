// A block puts its number at the place of every small number that no earlier block has put one at, by an atomic
// minimum: whoever comes first, what is there in the end is the first block that has it.
#include "data/intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "data/utf8.h"

enum { FIRST_FRESH = 64 };

enum { PLACE_BYTES = INTERN_NUMBERS * sizeof(uint32_t) };

bool intern_init(struct intern *intern, struct ids *ids, struct error *error) {
	// Straight from the system, which gives zeroed pages as they are touched: most never are.
	void *place = mmap(NULL, PLACE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (place == MAP_FAILED)
		return error_set(error, ERROR_RUN, "out of memory for ids: %zu bytes wanted", (size_t)PLACE_BYTES);
	*intern = (struct intern){.place = place, .ids = ids};
	return true;
}

void intern_finish(struct intern *intern) {
	if (intern->place != NULL)
		munmap((void *)intern->place, PLACE_BYTES);
	known_finish(&intern->known);
	*intern = (struct intern){0};
}

// Room for one more id that may be new. It is there before the id is written down anywhere: one that was written down
// and is missing from the list would count as known when its line is read once more, and never get a number.
static bool reserve(struct intern_block *block) {
	if (block->fresh_count < block->fresh_capacity)
		return true;
	size_t capacity = block->fresh_capacity == 0 ? FIRST_FRESH : 2 * block->fresh_capacity;
	uint32_t *fresh = realloc(block->fresh, capacity * sizeof *fresh);
	if (fresh == NULL)
		return false;
	block->fresh = fresh;
	block->fresh_capacity = capacity;
	return true;
}

static uint32_t push(struct intern_block *block, uint32_t code) {
	block->fresh[block->fresh_count++] = code;
	return code;
}

uint32_t intern_fresh_number(struct intern *intern, struct intern_block *block, uint32_t number) {
	uint32_t mine = block->number + 1;
	uint32_t place = atomic_load_explicit(&intern->place[number], memory_order_relaxed);
	block->pending = true;
	if ((place == 0 || place > mine) && (place & INTERN_KNOWN) == 0 && !reserve(block))
		return INTERN_FULL;
	while (place == 0 || (place > mine && (place & INTERN_KNOWN) == 0)) {
		if (atomic_compare_exchange_weak_explicit(&intern->place[number], &place, mine, memory_order_relaxed,
		                                          memory_order_relaxed))
			return push(block, INTERN_NUMBER | number);
	}
	return INTERN_NUMBER | number;
}

// Whether the id is spelled like a number of the shared table.
static bool small_number(const char *name, size_t length, uint32_t *ret) {
	if (length == 0 || length > INTERN_DIGITS || (name[0] == '0' && length > 1))
		return false;
	uint32_t number = 0;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		number = 10 * number + (uint32_t)(name[i] - '0');
	}
	*ret = number;
	return number < INTERN_NUMBERS;
}

uint32_t intern_name(struct intern *intern, struct intern_block *block, const char *name, size_t length) {
	uint32_t at;
	if (small_number(name, length, &at))
		return intern_number(intern, block, at);
	if (ids_find(intern->ids, name, length, &at) && at < INTERN_NUMBER)
		return at;
	block->pending = true;
	if (ids_find(&block->names, name, length, &at))
		return INTERN_NAMED | at;
	if (!utf8_valid(name, length))
		return INTERN_INVALID;
	bool room = block->names.count < INTERN_NAMED - 2 && reserve(block);
	at = room ? ids_add(&block->names, name, length) : IDS_FULL;
	return at != IDS_FULL ? push(block, INTERN_NAMED | at) : INTERN_FULL;
}

// The decimal spelling; its length.
static size_t spell(uint32_t number, char text[INTERN_DIGITS]) {
	char backwards[INTERN_DIGITS];
	size_t length = 0;
	do {
		backwards[length++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < length; i++)
		text[i] = backwards[length - 1 - i];
	return length;
}

static bool merge_number(struct intern *intern, const struct intern_block *block, uint32_t number) {
	_Atomic uint32_t *place = &intern->place[number];
	if (atomic_load_explicit(place, memory_order_relaxed) != block->number + 1)
		return true; // an earlier block has it
	char text[INTERN_DIGITS];
	uint32_t index = ids_add(intern->ids, text, spell(number, text));
	if (index >= INTERN_KNOWN) // or IDS_FULL
		return false;
	atomic_store_explicit(place, INTERN_KNOWN | index, memory_order_relaxed);
	return true;
}

static bool merge_name(struct intern *intern, struct intern_block *block, uint32_t at) {
	const struct ids *names = &block->names;
	size_t end = at + (size_t)1 < names->count ? names->offset[at + 1] : names->bytes_used;
	size_t length = end - names->offset[at] - 1, before = intern->ids->count;
	uint32_t index = block->index[at] = ids_add(intern->ids, ids_name(names, at), length);
	if (index == before && length <= KNOWN_BYTES && index < INTERN_NUMBER)
		known_add(&intern->known, known_key(ids_name(names, at), length), index);
	return index != IDS_FULL;
}

bool intern_merge(struct intern *intern, struct intern_block *block, uint32_t *ret_code) {
	block->index = malloc((block->names.count + 1) * sizeof *block->index);
	for (size_t i = 0; i < block->fresh_count; i++) {
		uint32_t code = block->fresh[i];
		bool fine =
		    block->index != NULL && ((code & INTERN_NAMED) != 0 ? merge_name(intern, block, code & ~INTERN_NAMED)
		                                                        : merge_number(intern, block, code & ~INTERN_NUMBER));
		if (!fine) {
			*ret_code = code;
			return false;
		}
	}
	return true;
}

void intern_resolve(const struct intern *intern, const struct intern_block *block, uint32_t *codes, size_t count) {
	for (size_t i = 0; i < count && block->pending; i++) {
		uint32_t code = codes[i], number = code & ~INTERN_NUMBER;
		if ((code & INTERN_NAMED) != 0)
			codes[i] = block->index[code & ~INTERN_NAMED];
		else if (number != code)
			codes[i] = atomic_load_explicit(&intern->place[number], memory_order_relaxed) & ~INTERN_KNOWN;
	}
}

void intern_forget(struct intern *intern, struct intern_block *block) {
	for (size_t i = 0; i < block->fresh_count; i++) {
		uint32_t code = block->fresh[i], mine = block->number + 1;
		if ((code & INTERN_NAMED) == 0)
			atomic_compare_exchange_strong_explicit(&intern->place[code & ~INTERN_NUMBER], &mine, 0,
			                                        memory_order_relaxed, memory_order_relaxed);
	}
}

void intern_block_finish(struct intern_block *block) {
	ids_finish(&block->names);
	free(block->index);
	free(block->fresh);
	*block = (struct intern_block){0};
}
