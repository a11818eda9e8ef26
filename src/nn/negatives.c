// See negatives.h. A row's columns are a set of bits: draws that hit a bit which is set are passed over, and in the end
// the set is read out in order.
#include "nn/negatives.h"

enum { WORD = 64, DRAWS = 64 }; // bits of a word; draws made together

size_t negatives_words(size_t columns) {
	return (columns + WORD - 1) / WORD;
}

size_t negatives_entries(const struct negatives *negatives, size_t count, size_t columns) {
	size_t free = columns - count;
	return count + (count && negatives->per_entry > free / count ? free : count * negatives->per_entry);
}

// Sets `wanted` bits that were not set.
static void draw(const struct negatives *n, uint32_t row, size_t wanted, size_t columns, uint64_t *bits) {
	for (uint32_t unit = 0; wanted; unit += DRAWS) {
		uint32_t drawn[DRAWS];
		random_fill(n->stream, n->epoch, row, unit, DRAWS, drawn);
		for (size_t i = 0; wanted && i < DRAWS; i++) {
			size_t column = (size_t)((uint64_t)drawn[i] * columns >> 32);
			uint64_t bit = UINT64_C(1) << column % WORD;
			wanted -= !(bits[column / WORD] & bit);
			bits[column / WORD] |= bit;
		}
	}
}

static void set_stored(const uint32_t *column, size_t count, uint64_t *bits) {
	for (size_t k = 0; k < count; k++)
		bits[column[k] / WORD] |= UINT64_C(1) << column[k] % WORD;
}

// What was not set is, and the other way round.
static void turn(size_t columns, uint64_t *bits) {
	size_t words = negatives_words(columns);
	for (size_t w = 0; w < words; w++)
		bits[w] = ~bits[w];
	if (columns % WORD)
		bits[words - 1] &= (UINT64_C(1) << columns % WORD) - 1;
}

size_t negatives_merge(const struct negatives *n, uint32_t row, const uint32_t *column, const real *value, size_t count,
                       size_t columns, uint64_t *bits, uint32_t *ret_column, real *ret_value) {
	size_t wanted = negatives_entries(n, count, columns) - count, left = columns - count - wanted, filled = 0, k = 0;
	if (!count)
		return 0;
	set_stored(column, count, bits);
	draw(n, row, wanted <= left ? wanted : left, columns, bits);
	if (wanted > left) { // more than half of them: those were drawn that are left out
		turn(columns, bits);
		set_stored(column, count, bits);
	}
	for (size_t w = 0; w < negatives_words(columns); w++) {
		for (uint64_t word = bits[w]; word; word &= word - 1) {
			ret_column[filled] = (uint32_t)(w * WORD + (size_t)__builtin_ctzll(word));
			bool stored = k < count && column[k] == ret_column[filled];
			ret_value[filled++] = stored ? value[k] : 0;
			k += stored;
		}
		bits[w] = 0;
	}
	return filled;
}
