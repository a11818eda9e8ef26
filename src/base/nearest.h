// The closest name, for "did you mean". Damerau-Levenshtein distance, at most a third of the word's length (at least 1),
// where upper and lower case count as the same letter, and at least one letter must be common. The first of equals wins.
#ifndef AEXP_BASE_NEAREST_H
#define AEXP_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word;
	const char *best; // NULL while none is near enough
	size_t distance;
};
// Usage: struct nearest n = { .word = word }; for each candidate nearest_offer(&n, candidate); then n.best.
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
