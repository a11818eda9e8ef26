// See resident.h.
#include "nn/resident.h"

#include "base/memory.h"
#include "nn/store.h"

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

// --- memory: laid out twice by the same code, first to count ---

struct carve {
	char *base; // NULL while counting
	size_t used;
};

static void *carve(struct carve *c, size_t count, size_t size) {
	void *place = c->base ? c->base + c->used : NULL;
	c->used += padded(count * size);
	return place;
}

static uint32_t *carve_words(struct carve *c, size_t count) {
	return carve(c, count, sizeof(uint32_t));
}

static size_t sparse_bytes(size_t rows, size_t entries) {
	return padded((rows + 1) * sizeof(uint32_t)) + padded(entries * sizeof(uint32_t)) + padded(entries * sizeof(real));
}

size_t resident_upload_bytes(const struct graph *graph, const struct resident_room *room) {
	size_t rows = room->rows, self = graph->row ? sparse_bytes(rows, rows) : 0;
	return padded(rows * sizeof(uint32_t)) + sparse_bytes(rows, room->rating_entries) +
	       sparse_bytes(rows, room->feature_entries) + sparse_bytes(rows, room->cells) + self;
}

struct list_size {
	size_t columns, entries;
};

static struct list_size size_of(const struct resident *r, enum resident_list list) {
	const struct resident_room *room = &r->room;
	const struct graph_shape *shape = &r->graph->shape;
	switch (list) {
	case LIST_RATINGS:
		return (struct list_size){shape->ratings_width, room->rating_entries};
	case LIST_FEATURES:
		return (struct list_size){shape->user_width, room->feature_entries};
	case LIST_TARGETS:
		return (struct list_size){shape->ratings_width, room->cells};
	case LIST_SELF:
		return (struct list_size){shape->rows, r->graph->row ? room->rows : 0};
	case LIST_BOTH:
	case LISTS:
		break;
	}
	return (struct list_size){shape->ratings_width, room->rating_entries + room->cells};
}

static void carve_list(struct resident *r, enum resident_list list, struct carve *c) {
	struct list_size size = size_of(r, list);
	size_t touched = smaller(size.columns, size.entries), entries = list == LIST_BOTH ? 0 : size.entries;
	size_t columns = list == LIST_SELF && !r->graph->row ? 0 : size.columns;
	r->list[list] = (struct transposed_room){.column = carve_words(c, touched),
	                                         .start = carve_words(c, touched + 1),
	                                         .row = carve_words(c, entries),
	                                         .entry = carve_words(c, entries),
	                                         .waited = carve_words(c, touched),
	                                         .slot = carve_words(c, columns),
	                                         .stamp = carve_words(c, columns),
	                                         .counted = carve_words(c, 1)};
}

static void lay_out(struct resident *r, struct carve *c) {
	size_t work = 0;
	r->memory = carve(c, resident_upload_bytes(r->graph, &r->room), 1);
	for (size_t i = 0; i < 2; i++)
		r->block[i] = carve(c, r->room.block_bytes, 1);
	for (size_t i = 0; r->room.lists && i < LISTS; i++) {
		struct list_size size = size_of(r, (enum resident_list)i);
		size_t words = i == LIST_BOTH ? 0 : transpose_words(size.entries, size.columns);
		carve_list(r, (enum resident_list)i, c);
		work = words > work ? words : work;
	}
	if (!r->room.lists)
		return;
	struct list_size ratings = size_of(r, LIST_RATINGS), targets = size_of(r, LIST_TARGETS);
	r->both_rating = carve_words(c, smaller(ratings.columns, ratings.entries));
	r->both_target = carve_words(c, smaller(targets.columns, targets.entries));
	r->work = carve_words(c, work);
}

void resident_init(struct resident *r, const struct graph *graph, const struct resident_room *room) {
	*r = (struct resident){.graph = graph, .room = *room};
}

void resident_finish(struct resident *r) {
	free(r->staging);
	free(r->brought);
}

size_t resident_bytes(const struct resident *r) {
	struct resident counted = *r;
	struct carve c = {0};
	lay_out(&counted, &c);
	return c.used;
}

void resident_lay_out(struct resident *r, void *memory) {
	struct carve c = {.base = memory};
	lay_out(r, &c);
}

// --- from the host ---

// Where arrays go one after the other, and where they are gathered on the way.
struct putting {
	char *to, *staging;
	size_t used;
};

static void *put(struct putting *p, const void *from, size_t count, size_t size) {
	void *place = p->to + p->used;
	if (count)
		memcpy(p->staging + p->used, from, count * size);
	p->used += padded(count * size);
	return place;
}

static struct sparse put_sparse(struct putting *p, const struct sparse *s) {
	if (!s->start)
		return *s;
	size_t entries = sparse_count(s);
	const uint32_t *start = put(p, s->start, s->rows + 1, sizeof(*start));
	const uint32_t *column = put(p, s->column, entries, sizeof(*column));
	return (struct sparse){s->rows, s->columns, start, column, put(p, s->value, entries, sizeof(real))};
}

// What reads the rows' own ids alone has any use for them.
static void put_batch(const struct resident *r, struct putting *p, const struct batch *batch, struct batch *to) {
	*to = *batch;
	to->self = (struct sparse){0};
	to->row = put(p, batch->row, batch->rows, sizeof(*batch->row));
	to->ratings = put_sparse(p, &batch->ratings);
	to->user = put_sparse(p, &batch->user);
	if (r->graph->row)
		to->self = put_sparse(p, &batch->self);
	to->target = batch->target.start == batch->ratings.start ? to->ratings : put_sparse(p, &batch->target);
}

static size_t sparse_size(const struct sparse *s) {
	return s->start ? sparse_bytes(s->rows, sparse_count(s)) : 0;
}

static size_t upload_size(const struct batch *b) {
	return padded(b->rows * sizeof(*b->row)) + sparse_size(&b->ratings) + sparse_size(&b->user) +
	       sparse_size(&b->self) + (b->target.start == b->ratings.start ? 0 : sparse_size(&b->target));
}

static struct batch *room_for(struct resident *r, size_t index) {
	if (index == r->brought_room) {
		r->brought_room = index ? 2 * index : 16;
		r->brought = memory_resize(r->brought, r->brought_room * sizeof(*r->brought));
	}
	return &r->brought[index];
}

// As many of them as fit into a block.
static size_t bring_block(struct resident *r, const struct backend *backend, struct device *device,
                          const struct batch *batches, size_t count) {
	struct putting p = {.to = r->block[r->half], .staging = r->staging};
	size_t some = 0;
	for (; some < count && !batches[some].place && p.used + upload_size(&batches[some]) <= r->room.block_bytes; some++)
		put_batch(r, &p, &batches[some], room_for(r, some));
	if (some)
		backend->upload_ahead(device, r->half, p.to, p.staging, p.used);
	r->half = some ? !r->half : r->half;
	return some;
}

static size_t bring_one(struct resident *r, const struct backend *backend, struct device *device,
                        const struct batch *batch) {
	struct putting p = {.to = r->memory, .staging = r->staging};
	put_batch(r, &p, batch, room_for(r, 0));
	backend->upload(device, p.to, p.staging, p.used);
	return 1;
}

size_t resident_bring(struct resident *r, const struct backend *backend, struct device *device,
                      const struct batch *batches, size_t count) {
	size_t alone = resident_upload_bytes(r->graph, &r->room);
	if (!r->staging)
		r->staging = memory_alloc(alone > r->room.block_bytes ? alone : r->room.block_bytes);
	r->brought_count = 0;
	if (batches->place)
		for (; r->brought_count < count && batches[r->brought_count].place; r->brought_count++)
			*room_for(r, r->brought_count) = batches[r->brought_count];
	else if (r->room.block_bytes)
		r->brought_count = bring_block(r, backend, device, batches, count);
	if (!r->brought_count)
		r->brought_count = bring_one(r, backend, device, batches);
	return r->brought_count;
}

void resident_choose(struct resident *r, size_t index) {
	assert(index < r->brought_count);
	r->batch = r->brought[index];
	r->number++;
}

// --- on the device ---

static struct sparse gather(const struct data_rows *from, const struct batch *batch, const struct backend *backend,
                            struct device *device, size_t entries, struct carve *c) {
	if (!from->start)
		return (struct sparse){.rows = batch->rows};
	uint32_t *start = carve_words(c, batch->rows + 1), *column = carve_words(c, entries);
	real *value = carve(c, entries, sizeof(*value));
	backend->gather(device, from, batch->place, batch->rows, start, column, value);
	return (struct sparse){batch->rows, from->columns, start, column, value};
}

static void gather_batch(struct resident *r, const struct backend *backend, struct device *device) {
	struct batch *b = &r->batch;
	struct carve c = {.base = r->memory};
	b->row = b->place;
	b->ratings = gather(&r->store->ratings, b, backend, device, r->room.rating_entries, &c);
	b->user = gather(&r->store->features, b, backend, device, r->room.feature_entries, &c);
	if (r->graph->row)
		b->self = gather(&r->store->self, b, backend, device, r->room.rows, &c);
	b->target = b->ratings;
}

static struct transposed transpose(struct resident *r, const struct backend *backend, struct device *device,
                                   enum resident_list list, const struct sparse *s, size_t entries) {
	struct transposed_room *room = &r->list[list];
	room->number = r->number;
	if (!s->start || !s->columns)
		return (struct transposed){0};
	backend->transpose(device, s, entries, r->work, room);
	return transposed_of(room, smaller(s->columns, entries));
}

static void join(struct resident *r, const struct backend *backend, struct device *device, struct batch *b) {
	struct transposed_room *room = &r->list[LIST_BOTH];
	room->number = r->number;
	backend->join(device, &b->by_target, &b->by_rating, r->both_target, r->both_rating, room);
	b->by_both = transposed_of(room, smaller(b->ratings.columns, b->by_target.count + b->by_rating.count));
	b->both_rating = r->both_rating;
	b->both_target = r->both_target;
}

const struct batch *resident_make(struct resident *r, const struct backend *backend, struct device *device,
                                  const struct batch *batch, bool transposed) {
	struct batch *b = &r->batch;
	if (b->place)
		gather_batch(r, backend, device);
	if (!transposed)
		return b;
	assert(r->room.lists);
	bool same = b->target.start == b->ratings.start;
	b->by_rating = transpose(r, backend, device, LIST_RATINGS, &b->ratings, sparse_count(&batch->ratings));
	b->by_feature = transpose(r, backend, device, LIST_FEATURES, &b->user, sparse_count(&batch->user));
	b->by_self = transpose(r, backend, device, LIST_SELF, &b->self, b->self.start ? b->rows : 0);
	b->by_target =
	    same ? b->by_rating : transpose(r, backend, device, LIST_TARGETS, &b->target, sparse_count(&batch->target));
	if (same) {
		b->by_both = b->by_rating;
		b->both_rating = b->both_target = NULL;
	} else {
		join(r, backend, device, b);
	}
	return b;
}
