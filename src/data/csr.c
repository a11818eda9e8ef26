// Compressed sparse rows: entries are placed by row (a copy where they come row by row, else a counting sort), then
// each row is put in the order of its columns by a bit set, in blocks of rows. A row that is long beside the number of
// columns is read off the bit set; a short one is sorted.
#include "data/csr.h"

#include "data/big_array.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static bool csr_allocate(size_t rows, size_t columns, size_t count, bool liked, struct csr *ret, struct error *error) {
	struct csr csr = {.rows = rows, .columns = columns};
	size_t bounds;
	if (__builtin_add_overflow(rows, 1, &bounds)) {
		return error_set(error, ERROR_RUN, "too many rows: \"%zu\"", rows);
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

// --- Building ---

enum {
	BLOCK_ENTRIES = 1 << 16, // entries that one thread places or sorts at a time
	INSERTION_MOST = 24,     // entries of a row that is sorted by insertion
	WORD_BITS = 64,
	SPARSE_WORDS =
	    8, // words of the bit set for an entry of the row: beyond, looking through it costs more than sorting
};

struct build {
	struct csr *csr;
	size_t count;
	const uint32_t *row, *column; // (count)
	const float *value;
	const uint8_t *liked;
	size_t *bound;     // (blocks + 1) the rows of each block
	atomic_bool fail;  // no memory
	atomic_bool twice; // a row has a column twice
};

// Entries that come row by row are where they belong.
static void copy_block(void *context, size_t i) {
	const struct build *build = context;
	size_t start = i * BLOCK_ENTRIES, left = build->count - start, count = left < BLOCK_ENTRIES ? left : BLOCK_ENTRIES;
	memcpy(build->csr->column + start, build->column + start, count * sizeof *build->column);
	memcpy(build->csr->value + start, build->value + start, count * sizeof *build->value);
	if (build->liked) {
		memcpy(build->csr->liked + start, build->liked + start, count);
	}
}

// Counts the rows' entries; whether they come row by row.
static bool count_rows(const struct build *build) {
	bool ascending = true;
	uint32_t last = 0;
	for (size_t i = 0; i < build->count; i++) {
		uint32_t row = build->row[i];
		ascending = ascending && row >= last;
		last = row;
		build->csr->start[(size_t)row + 1]++;
	}
	csr_accumulate(build->csr->start, build->csr->rows);
	return ascending;
}

static void place_entries(const struct build *build) {
	for (size_t i = 0; i < build->count; i++) {
		csr_place(build->csr, build->row[i], build->column[i], build->value[i], build->liked ? build->liked + i : NULL);
	}
	csr_rewind(build->csr->start, build->csr->rows);
}

// Room to sort a row in.
struct sorter {
	uint64_t *bits;  // (columns / 64 + 1), all 0 between rows
	uint32_t *place; // (columns) where a column of the row stands
	uint64_t *key;   // (most) of a row
	float *value;    // (most)
	uint8_t *liked;  // (most)
};

// `columns` 0: no row is read off the bit set.
static bool sorter_init(struct sorter *sorter, size_t columns, size_t most) {
	*sorter = (struct sorter){
	    .bits = calloc(columns / WORD_BITS + 1, sizeof *sorter->bits),
	    .place = malloc((columns + 1) * sizeof *sorter->place),
	    .key = malloc((most + 1) * sizeof *sorter->key),
	    .value = malloc((most + 1) * sizeof *sorter->value),
	    .liked = malloc(most + 1),
	};
	return sorter->bits && sorter->place && sorter->key && sorter->value && sorter->liked;
}

static void sorter_finish(struct sorter *sorter) {
	free(sorter->bits);
	free(sorter->place);
	free(sorter->key);
	free(sorter->value);
	free(sorter->liked);
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

static int compare_keys(const void *left, const void *right) {
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

// Fills sorter->key with column << 32 | place in the row, ascending; false where a column stands twice.
static bool sort_keys(struct sorter *sorter, const uint32_t *column, size_t count) {
	for (size_t i = 0; i < count; i++) {
		sorter->key[i] = (uint64_t)column[i] << 32 | i;
	}
	if (count <= INSERTION_MOST) {
		insertion_sort(sorter->key, count);
	} else {
		qsort(sorter->key, count, sizeof *sorter->key, compare_keys);
	}
	bool twice = false;
	for (size_t i = 1; i < count; i++) {
		twice |= sorter->key[i] >> 32 == sorter->key[i - 1] >> 32;
	}
	return !twice;
}

static bool sort_by_bits(struct sorter *sorter, const uint32_t *column, size_t columns, size_t count) {
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		sorter->bits[column[i] / WORD_BITS] |= UINT64_C(1) << column[i] % WORD_BITS;
		sorter->place[column[i]] = (uint32_t)i;
	}
	for (size_t word = 0; word <= columns / WORD_BITS; word++) {
		for (uint64_t bits = sorter->bits[word]; bits; bits &= bits - 1) {
			size_t found = word * WORD_BITS + (size_t)__builtin_ctzll(bits);
			sorter->key[at++] = (uint64_t)found << 32 | sorter->place[found];
		}
		sorter->bits[word] = 0;
	}
	return at == count;
}

static bool by_bits(const struct csr *csr, size_t count) {
	return count > INSERTION_MOST && csr->columns / WORD_BITS <= SPARSE_WORDS * count;
}

static bool sort_row(struct sorter *sorter, struct csr *csr, size_t row) {
	size_t start = csr->start[row], count = csr->start[row + 1] - start;
	uint32_t *column = csr->column + start;
	if (is_ascending(column, count)) {
		return true;
	}
	if (by_bits(csr, count) ? !sort_by_bits(sorter, column, csr->columns, count) : !sort_keys(sorter, column, count)) {
		return false;
	}
	memcpy(sorter->value, csr->value + start, count * sizeof *sorter->value);
	if (csr->liked) {
		memcpy(sorter->liked, csr->liked + start, count);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t from = (uint32_t)sorter->key[i];
		column[i] = (uint32_t)(sorter->key[i] >> 32);
		csr->value[start + i] = sorter->value[from];
		if (csr->liked) {
			csr->liked[start + i] = sorter->liked[from];
		}
	}
	return true;
}

static void sort_block(void *context, size_t i) {
	struct build *build = context;
	size_t most = 0, row;
	for (row = build->bound[i]; row < build->bound[i + 1]; row++) {
		size_t count = build->csr->start[row + 1] - build->csr->start[row];
		most = count > most ? count : most;
	}
	struct sorter sorter;
	if (sorter_init(&sorter, by_bits(build->csr, most) ? build->csr->columns : 0, most)) {
		for (row = build->bound[i]; row < build->bound[i + 1]; row++) {
			if (!sort_row(&sorter, build->csr, row)) {
				atomic_store(&build->twice, true);
			}
		}
	} else {
		atomic_store(&build->fail, true);
	}
	sorter_finish(&sorter);
}

// Blocks of rows with about as many entries each; they depend on the entries alone.
static bool sort_rows(struct pool *pool, struct build *build, struct error *error) {
	size_t blocks = 0, rows = build->csr->rows;
	build->bound = memory_array(build->count / BLOCK_ENTRIES + 2, sizeof *build->bound, "blocks of rows", error);
	if (!build->bound) {
		return false;
	}
	for (size_t row = 0; row < rows; row++) {
		if (build->csr->start[row + 1] - build->csr->start[build->bound[blocks]] >= BLOCK_ENTRIES) {
			build->bound[++blocks] = row + 1;
		}
	}
	if (build->bound[blocks] < rows) {
		build->bound[++blocks] = rows;
	}
	pool_run(pool, blocks, sort_block, build);
	free(build->bound);
	if (build->fail) {
		return error_set(error, ERROR_RUN, "out of memory for sorting \"%zu\" entries", build->count);
	}
	return !build->twice || error_set(error, ERROR_DATA, "an entry of a row stands twice");
}

bool csr_build_on(struct pool *pool, size_t rows, size_t columns, size_t count, const uint32_t *row,
                  const uint32_t *column, const float *value, const uint8_t *liked, struct csr *ret,
                  struct error *error) {
	struct csr csr;
	if (columns > (size_t)UINT32_MAX + 1) {
		return error_set(error, ERROR_RUN, "too many columns: \"%zu\"", columns);
	}
	if (!csr_allocate(rows, columns, count, liked != NULL, &csr, error)) {
		return false;
	}
	struct build build = {.csr = &csr, .count = count, .row = row, .column = column, .value = value, .liked = liked};
	if (count_rows(&build)) {
		pool_run(pool, count / BLOCK_ENTRIES + (count % BLOCK_ENTRIES > 0), copy_block, &build);
	} else {
		place_entries(&build);
	}
	if (!sort_rows(pool, &build, error)) {
		csr_finish(&csr);
		return false;
	}
	*ret = csr;
	return true;
}

bool csr_build(size_t rows, size_t columns, size_t count, const uint32_t *row, const uint32_t *column,
               const float *value, const uint8_t *liked, struct csr *ret, struct error *error) {
	return csr_build_on(NULL, rows, columns, count, row, column, value, liked, ret, error);
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
