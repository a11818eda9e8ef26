// See store.h.
#include "nn/store.h"

#include "base/memory.h"
#include "nn/packed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256, CHUNK = 1 << 18 }; // bytes from which arrays begin; numbers on their way at a time

static size_t padded(size_t count) {
	return (count * sizeof(uint32_t) + LINE - 1) / LINE * LINE;
}

bool store_can(const struct batch_source *source) {
	return source->target == source->ratings && !source->negatives && csr_count(source->ratings) < UINT32_MAX &&
	       (!source->features || csr_count(source->features) < UINT32_MAX);
}

static size_t rows_bytes(const struct csr *csr, bool coded) {
	if (!csr || !csr->start)
		return 0;
	size_t entries = csr_count(csr);
	return padded(csr->rows + 1) + padded(entries) + padded(coded ? PACKED_VALUES : entries);
}

size_t store_bytes(const struct batch_source *s, bool coded, size_t order_most) {
	size_t rows = s->ratings->rows, self = s->trained ? padded(rows + 1) + 2 * padded(rows) : 0;
	return rows_bytes(s->ratings, coded) + rows_bytes(s->features, coded) + self + padded(order_most);
}

// --- filling ---

static void *carve(struct store *s, size_t count) {
	void *place = s->memory + s->used;
	s->used += padded(count);
	return place;
}

// Numbers that a function makes, a chunk at a time.
struct filling {
	struct store *store;
	uint32_t *to, *chunk; // (CHUNK)
	size_t filled;
};

static void flush(struct filling *f) {
	f->store->backend->upload(f->store->device, f->to, f->chunk, f->filled * sizeof(*f->chunk));
	f->to += f->filled;
	f->filled = 0;
}

static void fill(struct filling *f, uint32_t word) {
	if (f->filled == CHUNK)
		flush(f);
	f->chunk[f->filled++] = word;
}

static void fill_many(struct filling *f, const uint32_t *word, size_t count) {
	for (size_t i = 0; i < count; i++)
		fill(f, word[i]);
}

static uint32_t *begin(struct filling *f, struct store *s, size_t count) {
	f->store = s;
	return f->to = carve(s, count);
}

static const uint32_t *fill_start(struct filling *f, struct store *s, const struct csr *csr) {
	const uint32_t *ret = begin(f, s, csr->rows + 1);
	for (size_t i = 0; i <= csr->rows; i++)
		fill(f, (uint32_t)csr->start[i]);
	flush(f);
	return ret;
}

// As they stand in the packed rows, ratings before features.
static void fill_coded(struct filling *f, struct store *s, const struct packed *packed, const struct csr *csr,
                       bool features, struct data_rows *ret) {
	ret->entry = begin(f, s, csr_count(csr));
	for (size_t i = 0; i < csr->rows; i++) {
		const uint32_t *words = packed->words + packed->start[i];
		uint32_t ratings = packed_ratings(words[0]);
		fill_many(f, words + 1 + (features ? ratings : 0), features ? packed_features(words[0]) : ratings);
	}
	flush(f);
	real *value = carve(s, PACKED_VALUES);
	s->backend->upload(s->device, value, features ? packed->feature_value : packed->rating_value,
	                   PACKED_VALUES * sizeof(*value));
	ret->value = value;
}

static void fill_plain(struct store *s, const struct csr *csr, struct data_rows *ret) {
	size_t count = csr_count(csr);
	uint32_t *entry = carve(s, count);
	real *value = carve(s, count);
	s->backend->upload(s->device, entry, csr->column, count * sizeof(*entry));
	s->backend->upload(s->device, value, csr->value, count * sizeof(*value));
	ret->entry = entry;
	ret->value = value;
}

static void fill_rows(struct filling *f, struct store *s, const struct packed *packed, const struct csr *csr,
                      bool features, struct data_rows *ret) {
	if (!csr || !csr->start)
		return;
	const bool coded = packed && packed->start;
	*ret = (struct data_rows){.columns = csr->columns, .coded = coded};
	ret->start = fill_start(f, s, csr);
	if (coded)
		fill_coded(f, s, packed, csr, features, ret);
	else
		fill_plain(s, csr, ret);
}

// A row has one entry, its place, with value 1 where it is trained.
static void fill_self(struct filling *f, struct store *s, const struct batch_source *source) {
	static const real values[] = {0, 1};
	size_t rows = source->ratings->rows;
	s->self.columns = rows;
	s->self.start = begin(f, s, rows + 1);
	for (size_t i = 0; i <= rows; i++)
		fill(f, (uint32_t)i);
	flush(f);
	s->self.entry = begin(f, s, rows);
	for (size_t i = 0; i < rows; i++)
		fill(f, (uint32_t)i);
	flush(f);
	s->self.value = (const void *)begin(f, s, rows);
	for (size_t i = 0; i < rows; i++) {
		uint32_t bits;
		memcpy(&bits, &values[source->trained[i] != 0], sizeof(bits));
		fill(f, bits);
	}
	flush(f);
}

bool store_create(const struct backend *backend, struct device *device, const struct batch_source *source,
                  size_t order_most, struct store *ret, struct error *error) {
	const struct packed *packed = source->packed;
	assert(sizeof(real) == sizeof(float)); // as the data has its values
	*ret = (struct store){.backend = backend, .device = device};
	ret->memory = backend->allocate(device, store_bytes(source, packed && packed->start, order_most), error);
	if (!ret->memory)
		return false;
	struct filling f = {.chunk = memory_alloc(CHUNK * sizeof(*f.chunk))};
	fill_rows(&f, ret, packed, source->ratings, false, &ret->ratings);
	fill_rows(&f, ret, packed, source->features, true, &ret->features);
	if (source->trained)
		fill_self(&f, ret, source);
	ret->order = carve(ret, order_most);
	free(f.chunk);
	return true;
}

void store_destroy(struct store *s) {
	if (s->memory)
		s->backend->release(s->device, s->memory);
	*s = (struct store){0};
}

void store_order(struct store *s, const uint32_t *place, size_t count) {
	s->backend->upload(s->device, s->order, place, count * sizeof(*place));
}
