// Names of columns.
#include "data/columns.h"

#include <string.h>

#include "base/nearest.h"

bool columns_find(const struct columns *columns, const char *name, size_t *ret_place) {
	for (size_t i = 0; i < columns->count; i++) {
		if (strcmp(columns->names[i], name) == 0) {
			*ret_place = i;
			return true;
		}
	}
	return false;
}

const char *columns_nearest(const struct columns *columns, const char *name) {
	struct nearest nearest = {.word = name};
	for (size_t i = 0; i < columns->count; i++)
		nearest_offer(&nearest, columns->names[i]);
	return nearest.best;
}

struct columns columns_of_header(const struct lines *lines, struct arena *arena) {
	const char **names = arena_alloc(arena, lines->count * sizeof *names);
	for (size_t i = 0; i < lines->count; i++)
		names[i] = arena_format(arena, "%.*s", (int)lines->fields[i].length, lines->fields[i].data);
	return (struct columns){.names = names, .count = lines->count};
}
