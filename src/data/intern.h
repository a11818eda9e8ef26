// Numbers ids in the order of their first appearance while blocks of a file are read beside each other. Blocks are read
// in waves, each larger than the one before. A block writes down a code for every id, and a list of the ids that may be
// new; taking the lists in the order of the blocks gives every id its number, and then the codes are replaced. The
// result is that of reading from the beginning to the end. What earlier waves have found has its number at once.
//
// Most files have small decimal numbers for ids: a table that all blocks share tells of each whether an earlier block
// has it. Anything else ("007", "a12", ten digits) that is new goes through a table of the block's own.
#ifndef AEXP_DATA_INTERN_H
#define AEXP_DATA_INTERN_H

#include "data/dataset.h"
#include "data/known.h"

#include <stdatomic.h>

enum {
	INTERN_NUMBERS = 1 << 24, // numbers below have a place in the shared table
	INTERN_DIGITS = 8,        // that they have at most
};
#define INTERN_NAMED UINT32_C(0x80000000) // a code with this bit is a place in the block's own table
#define INTERN_NUMBER UINT32_C(0x40000000) // without that one and with this: a number; with neither: the id's index
#define INTERN_KNOWN UINT32_C(0x80000000) // a place with this bit holds an id's index; else the first block + 1, or 0
#define INTERN_INVALID (UINT32_MAX - 1)   // in place of a code: the id is not UTF-8
#define INTERN_FULL UINT32_MAX            // in place of a code: no memory

// What the blocks share about users, or about items.
struct intern {
	_Atomic uint32_t *place; // (INTERN_NUMBERS)
	struct ids *ids;         // the data set's table, which intern_merge fills
	struct known known;      // of those that are no small numbers
};

// What one block has found.
struct intern_block {
	uint32_t number;  // of the block, counted over all files
	struct ids names; // that are no small numbers
	uint32_t *index;  // (names.count) of the names, once merged
	uint32_t *fresh;  // (fresh_count) codes, in the order of first appearance in the block
	size_t fresh_count, fresh_capacity;
	bool pending; // some code is no index yet
};

bool intern_init(struct intern *intern, struct ids *ids, struct error *error);
void intern_finish(struct intern *intern); // a zeroed one is fine

uint32_t intern_name(struct intern *intern, struct intern_block *block, const char *name, size_t length); // any id
// One of at most KNOWN_BYTES, with its key.
static inline uint32_t intern_short(struct intern *intern, struct intern_block *block, struct known_key key,
                                    const char *name, size_t length) {
	uint32_t index;
	return known_find(&intern->known, key, &index) ? index : intern_name(intern, block, name, length);
}
uint32_t intern_fresh_number(struct intern *intern, struct intern_block *block, uint32_t number);
// An id that is spelled like that number, without leading zeros. Safe beside other blocks.
static inline uint32_t intern_number(struct intern *intern, struct intern_block *block, uint32_t number) {
	uint32_t place = atomic_load_explicit(&intern->place[number], memory_order_relaxed);
	uint32_t index = place - INTERN_KNOWN;
	return index < INTERN_NUMBER ? index : intern_fresh_number(intern, block, number);
}

// Gives the block's new ids their indices; blocks in order, one at a time. False where there is no room: *ret_code is
// the code of the id that found none.
bool intern_merge(struct intern *intern, struct intern_block *block, uint32_t *ret_code);
// Replaces codes by indices, once the block is merged. Safe beside other blocks.
void intern_resolve(const struct intern *intern, const struct intern_block *block, uint32_t *codes, size_t count);
// Takes back what the block has put in the shared table: for a block, and all behind it, that are not merged.
void intern_forget(struct intern *intern, struct intern_block *block);
void intern_block_finish(struct intern_block *block);

#endif
