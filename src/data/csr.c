// Compressed sparse rows: entries are placed by row, then each row is put in the order of its columns, in blocks of
// rows: a short one by insertion, a long one by radix sort.
#include "data/csr.h"

#include "data/big_array.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

bool csr_allocate(size_t rows, size_t columns, size_t count, bool liked, struct csr *ret, struct error *error) {
	struct csr csr = {.rows = rows, .columns = columns};
	size_t bounds;
	if (__builtin_add_overflow(rows, 1, &bounds)) {
		return error_set(error, ERROR_RUN, "too many rows: \"%zu\"", rows);
	}
	if (columns > (size_t)UINT32_MAX + 1) {
		return error_set(error, ERROR_RUN, "too many columns: \"%zu\"", columns);
	}
	csr.start = memory_array(bounds, sizeof *csr.start, "row bounds", error);
	csr.column = csr.start ? big_array(count, sizeof *csr.column, "columns of entries", error) : NULL;
	csr.value = csr.column ? big_array(count, sizeof *csr.value, "values of entries", error) : NULL;
	bool complete = csr.value != NULL;
	if (complete && liked) {
		csr.liked = big_array(count, sizeof *csr.liked, "liked entries", error);
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

// --- Sorting ---

enum {
	BLOCK_ENTRIES = 1 << 16, // entries that one thread sorts at a time
	INSERTION_MOST = 40,     // entries of a row that is sorted by insertion
	// Digits of a column in the radix sort: counting wide ones pays in long rows alone.
	NARROW_BITS = 8,
	WIDE_BITS = 11,
	WIDE_LEAST = 2048,                                  // entries
	PASSES_MOST = (32 + NARROW_BITS - 1) / NARROW_BITS, // of a column's 32 bits
	COUNTS = (PASSES_MOST << NARROW_BITS) > (3 << WIDE_BITS) ? PASSES_MOST << NARROW_BITS : 3 << WIDE_BITS,
};

struct sorting {
	struct csr *csr;
	unsigned column_bits; // that a column has at most
	size_t *bound;        // (blocks + 1) the rows of each block
	atomic_bool fail;     // no memory
	atomic_bool twice;    // a row has a column twice
};

// Room to sort a row in.
struct sorter {
	uint64_t *key, *other;  // (most) column << 32 | place in the row; the same between two passes
	float *value;           // (most)
	uint8_t *liked;         // (most)
	uint32_t count[COUNTS]; // (passes, digits)
};

static struct sorter *sorter_create(size_t most) {
	struct sorter *sorter = malloc(sizeof *sorter);
	if (!sorter) {
		return NULL;
	}
	sorter->key = malloc((most + 1) * sizeof *sorter->key);
	sorter->other = malloc((most + 1) * sizeof *sorter->other);
	sorter->value = malloc((most + 1) * sizeof *sorter->value);
	sorter->liked = malloc(most + 1);
	return sorter;
}

static bool sorter_complete(const struct sorter *sorter) {
	return sorter && sorter->key && sorter->other && sorter->value && sorter->liked;
}

static void sorter_destroy(struct sorter *sorter) {
	if (!sorter) {
		return;
	}
	free(sorter->key);
	free(sorter->other);
	free(sorter->value);
	free(sorter->liked);
	free(sorter);
}

static bool is_ascending(const uint32_t *column, size_t count) {
	for (size_t i = 1; i < count; i++) {
		if (column[i - 1] >= column[i]) {
			return false;
		}
	}
	return true;
}

static void insertion_sort(uint64_t *key, size_t count) {
	for (size_t i = 1; i < count; i++) {
		uint64_t moving = key[i];
		size_t j = i;
		for (; j > 0 && key[j - 1] > moving; j--) {
			key[j] = key[j - 1];
		}
		key[j] = moving;
	}
}

static inline size_t digit_of(uint64_t key, unsigned shift, unsigned bits) {
	return (key >> shift) & (((size_t)1 << bits) - 1);
}

// Least digit first; equal digits stay in their order.
static void radix_sort(struct sorter *sorter, size_t count, unsigned column_bits) {
	unsigned bits = count < WIDE_LEAST ? NARROW_BITS : WIDE_BITS, passes = (column_bits + bits - 1) / bits;
	size_t digits = (size_t)1 << bits;
	memset(sorter->count, 0, passes * digits * sizeof *sorter->count);
	for (unsigned pass = 0; pass < passes; pass++) {
		uint32_t *here = sorter->count + pass * digits;
		for (size_t i = 0; i < count; i++) {
			here[digit_of(sorter->key[i], 32 + pass * bits, bits)]++;
		}
	}
	for (unsigned pass = 0; pass < passes; pass++) {
		uint32_t *here = sorter->count + pass * digits, sum = 0;
		for (size_t digit = 0; digit < digits; digit++) {
			uint32_t more = here[digit];
			here[digit] = sum;
			sum += more;
		}
		for (size_t i = 0; i < count; i++) {
			uint64_t key = sorter->key[i];
			sorter->other[here[digit_of(key, 32 + pass * bits, bits)]++] = key;
		}
		uint64_t *sorted = sorter->other;
		sorter->other = sorter->key;
		sorter->key = sorted;
	}
}

// Fills sorter->key, ascending; false where a column stands twice.
static bool sort_keys(struct sorter *sorter, const uint32_t *column, size_t count, unsigned column_bits) {
	for (size_t i = 0; i < count; i++) {
		sorter->key[i] = (uint64_t)column[i] << 32 | i;
	}
	if (count <= INSERTION_MOST) {
		insertion_sort(sorter->key, count);
	} else {
		radix_sort(sorter, count, column_bits);
	}
	bool twice = false;
	for (size_t i = 1; i < count; i++) {
		twice |= sorter->key[i] >> 32 == sorter->key[i - 1] >> 32;
	}
	return !twice;
}

static bool sort_row(struct sorter *sorter, const struct sorting *sorting, size_t row) {
	const struct csr *csr = sorting->csr;
	size_t start = csr->start[row], count = csr->start[row + 1] - start;
	uint32_t *column = csr->column + start;
	float *value = csr->value + start;
	if (is_ascending(column, count)) {
		return true;
	}
	if (!sort_keys(sorter, column, count, sorting->column_bits)) {
		return false;
	}
	const uint64_t *key = sorter->key;
	memcpy(sorter->value, value, count * sizeof *value);
	for (size_t i = 0; i < count; i++) {
		column[i] = (uint32_t)(key[i] >> 32);
		value[i] = sorter->value[(uint32_t)key[i]];
	}
	if (csr->liked) {
		uint8_t *liked = csr->liked + start;
		memcpy(sorter->liked, liked, count);
		for (size_t i = 0; i < count; i++) {
			liked[i] = sorter->liked[(uint32_t)key[i]];
		}
	}
	return true;
}

static void sort_block(void *context, size_t i) {
	struct sorting *sorting = context;
	size_t most = 0, row;
	for (row = sorting->bound[i]; row < sorting->bound[i + 1]; row++) {
		size_t count = sorting->csr->start[row + 1] - sorting->csr->start[row];
		most = count > most ? count : most;
	}
	struct sorter *sorter = sorter_create(most);
	if (!sorter_complete(sorter)) {
		atomic_store(&sorting->fail, true);
		sorter_destroy(sorter);
		return;
	}
	for (row = sorting->bound[i]; row < sorting->bound[i + 1]; row++) {
		if (!sort_row(sorter, sorting, row)) {
			atomic_store(&sorting->twice, true);
		}
	}
	sorter_destroy(sorter);
}

// Blocks of rows with about as many entries each; they depend on the entries alone.
bool csr_sort(struct pool *pool, struct csr *csr, struct error *error) {
	struct sorting sorting = {.csr = csr, .column_bits = 1};
	while (sorting.column_bits < 32 && csr->columns > (size_t)1 << sorting.column_bits) {
		sorting.column_bits++;
	}
	size_t blocks = 0, count = csr_count(csr);
	sorting.bound = memory_array(count / BLOCK_ENTRIES + 2, sizeof *sorting.bound, "blocks of rows", error);
	if (!sorting.bound) {
		return false;
	}
	for (size_t row = 0; row < csr->rows; row++) {
		if (csr->start[row + 1] - csr->start[sorting.bound[blocks]] >= BLOCK_ENTRIES) {
			sorting.bound[++blocks] = row + 1;
		}
	}
	if (sorting.bound[blocks] < csr->rows) {
		sorting.bound[++blocks] = csr->rows;
	}
	pool_run(pool, blocks, sort_block, &sorting);
	free(sorting.bound);
	if (sorting.fail) {
		return error_set(error, ERROR_RUN, "out of memory for sorting \"%zu\" entries", count);
	}
	return !sorting.twice || error_set(error, ERROR_DATA, "an entry of a row stands twice");
}

bool csr_build(size_t rows, size_t columns, size_t count, const uint32_t *row, const uint32_t *column,
               const float *value, const uint8_t *liked, struct csr *ret, struct error *error) {
	struct csr csr;
	if (!csr_allocate(rows, columns, count, liked != NULL, &csr, error)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		csr.start[(size_t)row[i] + 1]++;
	}
	csr_accumulate(csr.start, rows);
	for (size_t i = 0; i < count; i++) {
		csr_place(&csr, row[i], column[i], value[i], liked ? liked + i : NULL);
	}
	csr_rewind(csr.start, rows);
	if (!csr_sort(NULL, &csr, error)) {
		csr_finish(&csr);
		return false;
	}
	*ret = csr;
	return true;
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
