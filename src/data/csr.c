// Compressed sparse rows by counting sort, twice: first by column, then by row. The second pass is stable, so that
// columns ascend within a row. Linear in entries + rows + columns, whatever the order of the entries.
#include "data/csr.h"

#include <stdlib.h>
#include <string.h>

static bool csr_allocate(size_t rows, size_t columns, size_t count, bool liked, struct csr *ret, struct error *error) {
	struct csr csr = {.rows = rows, .columns = columns};
	size_t bounds;
	if (__builtin_add_overflow(rows, 1, &bounds)) {
		return error_set(error, ERROR_RUN, "too many rows: \"%zu\"", rows);
	}
	csr.start = memory_array(bounds, sizeof *csr.start, "row bounds", error);
	csr.column = csr.start ? memory_array(count, sizeof *csr.column, "columns of entries", error) : NULL;
	csr.value = csr.column ? memory_array(count, sizeof *csr.value, "values of entries", error) : NULL;
	bool complete = csr.value != NULL;
	if (complete && liked) {
		csr.liked = memory_array(count, sizeof *csr.liked, "liked entries", error);
		complete = csr.liked != NULL;
	}
	if (!complete) {
		csr_finish(&csr);
		return false;
	}
	*ret = csr;
	return true;
}

// From counts in start[i + 1] to start[i] = the first place of i. What was at the end moves on: start[n] is the total.
static void csr_accumulate(size_t *start, size_t n) {
	for (size_t i = 0; i < n; i++) {
		start[i + 1] += start[i];
	}
}

// Placing with start[i]++ leaves each bound at the end of its row, which is the next one's beginning.
static void csr_rewind(size_t *start, size_t n) {
	memmove(start + 1, start, n * sizeof *start);
	start[0] = 0;
}

static void csr_place(struct csr *csr, size_t row, uint32_t column, float value, const uint8_t *liked) {
	size_t at = csr->start[row]++;
	csr->column[at] = column;
	csr->value[at] = value;
	if (liked) {
		csr->liked[at] = *liked;
	}
}

bool csr_transpose(const struct csr *csr, struct csr *ret, struct error *error) {
	struct csr turned;
	size_t count = csr_count(csr);
	if (!csr_allocate(csr->columns, csr->rows, count, csr->liked != NULL, &turned, error)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		turned.start[(size_t)csr->column[i] + 1]++;
	}
	csr_accumulate(turned.start, turned.rows);
	for (size_t row = 0; row < csr->rows; row++) {
		for (size_t i = csr->start[row]; i < csr->start[row + 1]; i++) {
			csr_place(&turned, csr->column[i], (uint32_t)row, csr->value[i], csr->liked ? csr->liked + i : NULL);
		}
	}
	csr_rewind(turned.start, turned.rows);
	*ret = turned;
	return true;
}

bool csr_build(size_t rows, size_t columns, size_t count, const uint32_t *row, const uint32_t *column,
               const float *value, const uint8_t *liked, struct csr *ret, struct error *error) {
	struct csr by_column;
	if (!csr_allocate(columns, rows, count, liked != NULL, &by_column, error)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		by_column.start[(size_t)column[i] + 1]++;
	}
	csr_accumulate(by_column.start, columns);
	for (size_t i = 0; i < count; i++) {
		csr_place(&by_column, column[i], row[i], value[i], liked ? liked + i : NULL);
	}
	csr_rewind(by_column.start, columns);
	bool built = csr_transpose(&by_column, ret, error);
	csr_finish(&by_column);
	return built;
}

void csr_finish(struct csr *csr) {
	if (!csr) {
		return;
	}
	free(csr->start);
	free(csr->column);
	free(csr->value);
	free(csr->liked);
	*csr = (struct csr){0};
}
