// See packed.h.
#include "nn/packed.h"

#include "base/memory.h"
#include "data/big_array.h"

#include <stdlib.h>
#include <string.h>

// Values by code, and where a value's code is found: open addressing over the float's bits.
struct dictionary {
	uint32_t count, bits[PACKED_VALUES];
	uint16_t place[4 * PACKED_VALUES]; // code + 1; 0: free
};

static uint32_t bits_of(float value) {
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static bool find_code(struct dictionary *d, float value, uint32_t *ret_code) {
	uint32_t bits = bits_of(value), at = bits * 2654435761u >> 22; // the upper 10 bits: as many as there are places
	while (d->place[at] && d->bits[d->place[at] - 1] != bits)
		at = (at + 1) % (4 * PACKED_VALUES);
	if (!d->place[at]) {
		if (d->count == PACKED_VALUES)
			return false;
		d->bits[d->count++] = bits;
		d->place[at] = (uint16_t)d->count;
	}
	*ret_code = d->place[at] - 1u;
	return true;
}

static size_t row_count(const struct csr *csr, size_t row) {
	return csr && csr->start ? csr->start[row + 1] - csr->start[row] : 0;
}

// The start of each row, or NULL; false where counts or their sum are too many.
static bool place_rows(const struct csr *ratings, const struct csr *features, uint32_t *ret_start) {
	uint64_t words = 0;
	for (size_t i = 0; i < ratings->rows; i++) {
		size_t r = row_count(ratings, i), f = row_count(features, i);
		if (r >= (size_t)1 << PACKED_RATINGS_BITS || f >= (size_t)1 << (32 - PACKED_RATINGS_BITS))
			return false;
		if (ret_start)
			ret_start[i] = (uint32_t)words;
		words += 1 + r + f;
		if (words > UINT32_MAX)
			return false;
	}
	if (ret_start)
		ret_start[ratings->rows] = (uint32_t)words;
	return true;
}

static bool pack_entries(const struct csr *csr, size_t row, struct dictionary *values, uint32_t *ret) {
	if (!csr || !csr->start)
		return true;
	for (size_t k = csr->start[row]; k < csr->start[row + 1]; k++) {
		uint32_t code;
		if (!find_code(values, csr->value[k], &code))
			return false;
		*ret++ = csr->column[k] | code << PACKED_COLUMN_BITS;
	}
	return true;
}

static bool pack_rows(const struct csr *ratings, const struct csr *features, struct dictionary values[2],
                      struct packed *p) {
	for (size_t i = 0; i < ratings->rows; i++) {
		uint32_t r = (uint32_t)row_count(ratings, i), *row = p->words + p->start[i];
		row[0] = r | (uint32_t)row_count(features, i) << PACKED_RATINGS_BITS;
		if (!pack_entries(ratings, i, &values[0], row + 1) || !pack_entries(features, i, &values[1], row + 1 + r))
			return false;
	}
	return true;
}

static bool few_values(const struct csr *csr, struct dictionary *values) {
	uint32_t code;
	for (size_t k = 0; csr && csr->start && k < csr_count(csr); k++)
		if (!find_code(values, csr->value[k], &code))
			return false;
	return true;
}

static bool few_columns(const struct csr *csr) {
	return !csr || csr->columns <= (size_t)1 << PACKED_COLUMN_BITS;
}

bool packed_can(const struct csr *ratings, const struct csr *features) {
	struct dictionary *values = memory_alloc(2 * sizeof(*values));
	bool can = few_columns(ratings) && few_columns(features) && place_rows(ratings, features, NULL) &&
	           few_values(ratings, &values[0]) && few_values(features, &values[1]);
	free(values);
	return can;
}

// Of all codes: what is read past a row's end has one too.
static float *values_of(const struct dictionary *d) {
	float *values = memory_alloc(PACKED_VALUES * sizeof(*values));
	memcpy(values, d->bits, d->count * sizeof(*values));
	return values;
}

bool packed_create(const struct csr *ratings, const struct csr *features, struct packed *ret, struct error *error) {
	enum { SHORT = 8 };
	*ret = (struct packed){0};
	if (!few_columns(ratings) || !few_columns(features))
		return true;
	struct packed p = {.start = big_array(ratings->rows + 1, sizeof(*p.start), "packed rows", error)};
	if (!p.start)
		return false;
	if (!place_rows(ratings, features, p.start)) {
		packed_finish(&p);
		return true;
	}
	p.words = big_array((size_t)p.start[ratings->rows] + PACKED_BLOCK, sizeof(*p.words), "packed rows", error);
	if (!p.words) {
		packed_finish(&p);
		return false;
	}
	// what is read past the last row's end has a code, as what is read past any other's
	memset(p.words + p.start[ratings->rows], 0, PACKED_BLOCK * sizeof(*p.words));
	struct dictionary *values = memory_alloc(2 * sizeof(*values));
	if (pack_rows(ratings, features, values, &p)) {
		p.short_rows = csr_count(ratings) <= SHORT * ratings->rows;
		p.rating_value = values_of(&values[0]);
		p.feature_value = values_of(&values[1]);
		*ret = p;
	} else {
		packed_finish(&p);
	}
	free(values);
	return true;
}

void packed_finish(struct packed *p) {
	free(p->start);
	free(p->words);
	free(p->rating_value);
	free(p->feature_value);
	*p = (struct packed){0};
}
