// Open addressing, at most half full. An id that finds no slot near its own is left out: ids that were made to collide
// cost a few probes each.
#include "data/known.h"

#include <stdlib.h>

enum { FIRST_BITS = 10, MOST_BITS = 18 }; // of the slots: 16 KiB to 4 MiB

static void put(struct known *known, struct known_slot slot) {
	struct known_key key = {.high = slot.key.high};
	memcpy(&key.low, slot.key.low, sizeof key.low);
	size_t at = known_place(known, key);
	for (size_t probes = 0; probes < KNOWN_PROBES; probes++, at++) {
		struct known_slot *place = known_slot(known, at);
		if (place->index == 0) {
			*place = slot;
			known->count++;
			return;
		}
	}
}

static size_t slots_of(const struct known *known) {
	return known->slots == NULL ? 0 : (size_t)1 << known->bits;
}

// Twice the slots. Without memory for them the table stays as it is.
static void grow(struct known *known) {
	struct known bigger = {.bits = known->slots == NULL ? FIRST_BITS : known->bits + 1};
	bigger.slots = calloc((size_t)1 << bigger.bits, sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return;
	for (size_t i = 0; i < slots_of(known); i++) {
		if (known->slots[i].index != 0)
			put(&bigger, known->slots[i]);
	}
	free(known->slots);
	*known = bigger;
}

void known_add(struct known *known, struct known_key key, uint32_t index) {
	if (known->count >= slots_of(known) / 2 && known->bits < MOST_BITS)
		grow(known);
	if (known->count >= slots_of(known) / 2)
		return;
	struct known_slot slot = {.key.high = key.high, .index = index + 1};
	memcpy(slot.key.low, &key.low, sizeof key.low);
	put(known, slot);
}

void known_finish(struct known *known) {
	free(known->slots);
	*known = (struct known){0};
}
