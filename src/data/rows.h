// The ratings of one part of the split as compressed sparse rows, straight from the data set.
#ifndef AEXP_DATA_ROWS_H
#define AEXP_DATA_ROWS_H

#include "data/data.h"

// Which row, or which column, a rating stands in.
struct rows_axis {
	const uint32_t *id;    // (ratings of the data set)
	const uint32_t *index; // (ids) the row or column of each id that a rating of the part has
	size_t count;          // rows or columns
};
struct rows {
	const struct matrices *matrices; // its data set, and what a rating becomes: buckets, scale and `liked`
	const uint8_t *part;             // (ratings of the data set)
	uint8_t wanted;                  // the part that is built
	struct rows_axis row, column;
};
// On the threads of the data set's pool. ERROR_DATA where an entry stands twice, ERROR_RUN where memory is out.
bool rows_build(const struct rows *rows, struct csr *ret, struct error *error);

#endif
