// Compressed sparse rows: the one form in which ratings and side information reach the graph.
#ifndef AEXP_DATA_CSR_H
#define AEXP_DATA_CSR_H

#include "base/error.h"
#include "base/memory.h"
#include "base/pool.h"

#include <stdint.h>

struct csr {
	size_t rows, columns;
	size_t *start;    // (rows + 1), ascending; start[0] = 0
	uint32_t *column; // (start[rows]), strictly ascending within a row
	float *value;     // (start[rows]); of ratings: what the loss sees, after buckets. 0 is a value like any other
	uint8_t *liked;   // (start[rows]); 1 where the raw rating is above data.liked; NULL for side information
};

static inline size_t csr_count(const struct csr *csr) {
	return csr->start ? csr->start[csr->rows] : 0;
}

// Builds the rows from entries in any order, columns ascending; liked may be NULL. An entry that stands twice is
// ERROR_DATA.
bool csr_build(size_t rows, size_t columns, size_t count, const uint32_t *row, const uint32_t *column,
               const float *value, const uint8_t *liked, struct csr *ret, struct error *error);
// The same in two steps, for one that fills the rows itself: all bounds are 0, and the `count` entries, of which
// `liked` is NULL where it is not wanted, hold anything. ERROR_RUN where memory is out.
bool csr_allocate(size_t rows, size_t columns, size_t count, bool liked, struct csr *ret, struct error *error);
// Puts the entries of every row in the order of their columns, on the threads of a pool (NULL: one). Where it fails, as
// csr_build, the rows are still the caller's to release.
bool csr_sort(struct pool *pool, struct csr *csr, struct error *error);
bool csr_transpose(const struct csr *csr, struct csr *ret, struct error *error);
void csr_finish(struct csr *csr);

#endif
