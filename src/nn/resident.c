// See resident.h.
#include "nn/resident.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 256 }; // bytes: each array begins where a device's loads are widest

static size_t padded(size_t bytes) {
	return (bytes + LINE - 1) / LINE * LINE;
}

static size_t smaller(size_t a, size_t b) {
	return a < b ? a : b;
}

// --- how much there is at most ---

static size_t words(size_t count) {
	return padded(count * sizeof(uint32_t));
}

static size_t sparse_bytes(size_t rows, size_t entries) {
	return words(rows + 1) + words(entries) + padded(entries * sizeof(real));
}

static size_t transposed_bytes(size_t columns, size_t entries) {
	size_t touched = smaller(columns, entries);
	return 2 * words(touched) + words(touched + 1) + 2 * words(entries);
}

static size_t batch_bytes(const struct resident *r) {
	const struct resident_room *room = &r->room;
	const struct graph_shape *shape = &r->graph->shape;
	size_t rows = room->rows, items = shape->ratings_width;
	return words(rows) + sparse_bytes(rows, room->rating_entries) + sparse_bytes(rows, room->feature_entries) +
	       sparse_bytes(rows, room->cells) + sparse_bytes(rows, rows) + transposed_bytes(items, room->rating_entries) +
	       transposed_bytes(shape->user_width, room->feature_entries) + transposed_bytes(items, room->cells) +
	       transposed_bytes(shape->rows, rows) + 4 * words(items);
}

// Columns of the pattern that such rows are touched by.
static size_t columns_of(const struct graph *graph, size_t kind) {
	return kind == TOUCHED_USER  ? graph->shape.user_width
	       : kind == TOUCHED_ROW ? graph->shape.rows
	                             : graph->shape.ratings_width;
}

static bool asked(const struct graph *graph, size_t kind) {
	for (size_t i = 0; i < graph->parameters_count; i++)
		if (graph->parameters[i].touched == kind && kind != TOUCHED_ALL)
			return true;
	return false;
}

void resident_init(struct resident *r, const struct graph *graph, const struct resident_room *room) {
	*r = (struct resident){.graph = graph, .room = *room};
}

void resident_finish(struct resident *r) {
	free(r->staging);
}

size_t resident_bytes(const struct resident *r) {
	size_t bytes = batch_bytes(r);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++)
		bytes += asked(r->graph, kind) ? 2 * words(columns_of(r->graph, kind)) : 0;
	return bytes;
}

void resident_lay_out(struct resident *r, void *memory) {
	size_t used = batch_bytes(r);
	r->memory = memory;
	for (size_t kind = 0; memory && kind < TOUCHED_KINDS; kind++) {
		size_t size = asked(r->graph, kind) ? words(columns_of(r->graph, kind)) : 0;
		r->slot[kind] = size ? (uint32_t *)(void *)(r->memory + used) : NULL;
		r->stamp[kind] = size ? (uint32_t *)(void *)(r->memory + used + size) : NULL;
		used += 2 * size;
	}
}

// --- one batch ---

static void *put(struct resident *r, const void *from, size_t count, size_t size) {
	void *place = r->memory + r->used;
	if (count)
		memcpy(r->staging + r->used, from, count * size);
	r->used += padded(count * size);
	return place;
}

static const uint32_t *put_words(struct resident *r, const uint32_t *from, size_t count) {
	return put(r, from, count, sizeof(*from));
}

static struct sparse put_sparse(struct resident *r, const struct sparse *s) {
	if (!s->start)
		return *s;
	size_t entries = sparse_count(s);
	const uint32_t *start = put_words(r, s->start, s->rows + 1), *column = put_words(r, s->column, entries);
	return (struct sparse){s->rows, s->columns, start, column, put(r, s->value, entries, sizeof(real))};
}

static struct transposed put_transposed(struct resident *r, const struct transposed *t) {
	struct transposed ret = *t;
	size_t entries = t->start ? t->start[t->count] : 0;
	ret.column = put_words(r, t->column, t->count);
	ret.start = t->start ? put_words(r, t->start, t->count + 1) : NULL;
	ret.row = t->start ? put_words(r, t->row, entries) : NULL;
	ret.entry = t->start ? put_words(r, t->entry, entries) : NULL;
	ret.waited = put(r, t->waited, t->count, sizeof(*t->waited));
	return ret;
}

static void put_lists(struct resident *r, const struct batch *from, struct batch *to) {
	bool same = from->by_target.column == from->by_rating.column;
	to->by_rating = put_transposed(r, &from->by_rating);
	to->by_feature = put_transposed(r, &from->by_feature);
	to->by_target = same ? to->by_rating : put_transposed(r, &from->by_target);
	to->by_self = put_transposed(r, &from->by_self);
	to->by_both = from->both_rating ? put_transposed(r, &from->by_both) : to->by_rating;
	if (from->both_rating) {
		to->both_rating = put_words(r, from->both_rating, from->by_rating.count);
		to->both_target = put_words(r, from->both_target, from->by_target.count);
	}
}

static void note_places(struct resident *r, const struct backend *backend, struct device *device) {
	struct transposed *lists[TOUCHED_KINDS] = {[TOUCHED_RATINGS] = &r->batch.by_rating,
	                                           [TOUCHED_USER] = &r->batch.by_feature,
	                                           [TOUCHED_TARGETS] = &r->batch.by_target,
	                                           [TOUCHED_BOTH] = &r->batch.by_both,
	                                           [TOUCHED_ROW] = &r->batch.by_self};
	r->number++;
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++) {
		if (!r->slot[kind])
			continue;
		struct transposed *t = lists[kind];
		t->slot = r->slot[kind];
		t->stamp = r->stamp[kind];
		t->number = r->number;
		backend->note_places(device, t->column, t->count, t->number, r->slot[kind], r->stamp[kind]);
	}
}

const struct batch *resident_upload(struct resident *r, const struct backend *backend, struct device *device,
                                    const struct batch *batch, bool transposed) {
	struct batch *to = &r->batch;
	if (!r->staging)
		r->staging = memory_alloc(batch_bytes(r));
	*to = *batch;
	r->used = 0;
	to->row = put_words(r, batch->row, batch->rows);
	to->ratings = put_sparse(r, &batch->ratings);
	to->user = put_sparse(r, &batch->user);
	to->self = put_sparse(r, &batch->self);
	to->target = batch->target.start == batch->ratings.start ? to->ratings : put_sparse(r, &batch->target);
	if (transposed)
		put_lists(r, batch, to);
	assert(r->used <= batch_bytes(r));
	backend->upload(device, r->memory, r->staging, r->used);
	if (transposed)
		note_places(r, backend, device);
	return to;
}
