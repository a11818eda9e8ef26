// The closest name: Damerau-Levenshtein distance in its "optimal string alignment" form (a letter added, dropped or
// changed, or two neighbours swapped, each costs 1; no part is edited twice). Upper and lower case are the same letter.
#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static char fold(char c) {
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b) {
	return a < b ? a : b;
}

// One row of the table: distances of a's first i letters (i >= 1) to every beginning of b, from the two rows before.
static void distance_row(const char *a, size_t i, const char *b, size_t length, size_t *row, const size_t *last,
                         const size_t *before) {
	row[0] = i;
	for (size_t j = 1; j <= length; j++) {
		size_t change = last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
		row[j] = least(change, least(last[j], row[j - 1]) + 1);
		if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
			row[j] = least(row[j], before[j - 2] + 1);
	}
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
	size_t width = b_length + 1;
	size_t *table = memory_alloc(3 * width * sizeof *table); // (3, width), rows reused in turn
	for (size_t j = 0; j < width; j++)
		table[j] = j;
	for (size_t i = 1; i <= a_length; i++)
		distance_row(a, i, b, b_length, table + i % 3 * width, table + (i + 2) % 3 * width,
		             table + (i + 1) % 3 * width);
	size_t result = table[a_length % 3 * width + b_length];
	free(table);
	return result;
}

void nearest_offer(struct nearest *nearest, const char *candidate) {
	size_t length = strlen(nearest->word), other = strlen(candidate);
	size_t most = length / 3 > 1 ? length / 3 : 1;
	if (nearest->best != NULL)
		most = least(most, nearest->distance == 0 ? 0 : nearest->distance - 1); // a tie keeps the earlier one
	if (other > length + most || length > other + most || (nearest->best != NULL && nearest->distance == 0))
		return;
	size_t found = distance(nearest->word, length, candidate, other);
	// Where every letter would change, nothing is alike: "k" is no misspelling of "x".
	if (found > most || found >= (length > other ? length : other))
		return;
	nearest->best = candidate;
	nearest->distance = found;
}
