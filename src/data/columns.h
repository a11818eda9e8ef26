// Finds the columns of a text table: by number, by the header's names, or by the names that a format knows.
#ifndef AEXP_DATA_COLUMNS_H
#define AEXP_DATA_COLUMNS_H

#include "config/schema.h"
#include "data/lines.h"

// The names of a table's columns.
struct columns {
	const char *const *names; // (count); NULL where they have none
	size_t count;
};

// The place, from 0, of the column of that name; false where there is none.
bool columns_find(const struct columns *columns, const char *name, size_t *ret_place);
// The name that was probably meant; NULL where none is near.
const char *columns_nearest(const struct columns *columns, const char *name);
// The present line of `lines` as names, in the arena.
struct columns columns_of_header(const struct lines *lines, struct arena *arena);

#endif
