// Gathers batches, and transposes their patterns by a counting sort over the columns that occur.
#include "nn/batch.h"

#include "base/memory.h"
#include "data/big_array.h"
#include "nn/packed.h"
#include "tensor/pattern.h"

#include <stdlib.h>
#include <string.h>

struct rows_memory {
	size_t entries; // room
	uint32_t *start, *column;
	real *value;
};

struct transposed_memory {
	uint32_t *column, *start, *row, *entry, *waited;
	uint32_t *slot;  // (columns) touched place + 1, valid where stamp is this batch's
	uint32_t *stamp; // (columns)
	uint32_t batch;  // number of the batch
};

// What two patterns touch.
struct joint_memory {
	uint32_t *column, *waited, *rating, *target;
	uint32_t *slot, *stamp; // (columns), as in transposed_memory
	uint32_t batch;
};

// The most that a batch holds.
struct batch_room {
	size_t rows, ratings, features, target; // entries
	size_t columns, feature_columns;
	size_t observed; // entries of a target without its negatives, where it is not the ratings
	bool negatives, no_lists;
	size_t places; // rows of the data, where ids are read
};

struct batch_memory {
	struct batch_room room;
	struct rows_memory ratings, user, target, observed, self;
	uint64_t *bits; // for negatives_merge
	struct transposed_memory by_rating, by_feature, by_target, by_self;
	struct joint_memory both;
	uint32_t *kind, *sorted; // (rows): of sort_rows
	bool same_pattern;       // targets are the input's entries
	size_t filled_rows;      // by batch_refeed, whose pattern of ratings stands
};

// The most entries that `rows` rows can hold, with their negatives (NULL: none): those of the longest ones.
static size_t most_entries(const struct csr *csr, size_t rows, const struct negatives *negatives) {
	if (!csr || !csr->start)
		return 0;
	if (rows >= csr->rows && !negatives)
		return csr_count(csr);
	size_t longest = 0, total = 0;
	for (size_t i = 0; i < csr->rows; i++) {
		size_t length = csr->start[i + 1] - csr->start[i];
		longest = length > longest ? length : longest;
	}
	size_t *lengths = memory_alloc((longest + 1) * sizeof(*lengths)); // how many rows have each length
	for (size_t i = 0; i < csr->rows; i++)
		lengths[csr->start[i + 1] - csr->start[i]]++;
	for (size_t length = longest; rows && length; length--) {
		size_t taken = lengths[length] < rows ? lengths[length] : rows;
		total += taken * (negatives ? negatives_entries(negatives, length, csr->columns) : length);
		rows -= taken;
	}
	free(lengths);
	return total;
}

static bool rows_create(struct rows_memory *m, size_t rows, size_t entries, struct error *error) {
	m->entries = entries;
	if (entries >= UINT32_MAX)
		return error_set(error, ERROR_RUN, "a batch of %zu rows would hold %zu entries, more than 32 bits count", rows,
		                 entries);
	return (m->start = memory_array(rows + 1, sizeof(*m->start), "a batch", error)) &&
	       (m->column = big_array(entries + PACKED_BLOCK, sizeof(*m->column), "a batch", error)) &&
	       (m->value = big_array(entries + PACKED_BLOCK, sizeof(*m->value), "a batch", error));
}

static bool transposed_create(struct transposed_memory *m, size_t columns, size_t entries, struct error *error) {
	size_t touched = columns < entries ? columns : entries;
	return (m->column = memory_array(touched + 1, sizeof(*m->column), "a batch", error)) && // one that is no new one
	       (m->start = memory_array(touched + 1, sizeof(*m->start), "a batch", error)) &&
	       (m->row = big_array(entries, sizeof(*m->row), "a batch", error)) &&
	       (m->entry = big_array(entries, sizeof(*m->entry), "a batch", error)) &&
	       (m->waited = memory_array(touched, sizeof(*m->waited), "a batch", error)) &&
	       (m->slot = memory_array(columns, sizeof(*m->slot), "a batch", error)) &&
	       (m->stamp = memory_array(columns, sizeof(*m->stamp), "a batch", error));
}

static bool joint_create(struct joint_memory *m, size_t columns, struct error *error) {
	uint32_t **arrays[] = {&m->column, &m->waited, &m->rating, &m->target, &m->slot, &m->stamp};
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		if (!(*arrays[i] = memory_array(columns, sizeof(uint32_t), "a batch", error)))
			return false;
	return true;
}

static bool lists_create(struct batch_memory *m, const struct batch_room *room, struct error *error) {
	return transposed_create(&m->by_rating, room->columns, room->ratings, error) &&
	       transposed_create(&m->by_feature, room->feature_columns, room->features, error) &&
	       transposed_create(&m->by_target, room->columns, room->target, error) &&
	       transposed_create(&m->by_self, room->places, room->places ? room->rows : 0, error) &&
	       joint_create(&m->both, room->columns, error);
}

static bool create(const struct batch_room *room, struct batch *ret, struct error *error) {
	*ret = (struct batch){.memory = memory_alloc(sizeof(*ret->memory))};
	struct batch_memory *m = ret->memory;
	m->room = *room;
	if (!(m->kind = memory_array(room->rows, sizeof(*m->kind), "a batch", error)) ||
	    !(m->sorted = memory_array(room->rows, sizeof(*m->sorted), "a batch", error)) ||
	    !rows_create(&m->ratings, room->rows, room->ratings, error) ||
	    !rows_create(&m->user, room->rows, room->features, error) ||
	    !rows_create(&m->target, room->rows, room->target, error) ||
	    !rows_create(&m->observed, room->rows, room->observed, error) ||
	    (room->negatives &&
	     !(m->bits = memory_array(negatives_words(room->columns), sizeof(*m->bits), "a batch", error))) ||
	    !rows_create(&m->self, room->rows, room->places ? room->rows : 0, error) ||
	    (!room->no_lists && !lists_create(m, room, error))) {
		batch_destroy(ret);
		return false;
	}
	return true;
}

static size_t larger(size_t a, size_t b) {
	return a > b ? a : b;
}

static struct batch_room room_of(const struct batch_source *sources, size_t sources_count, size_t rows) {
	struct batch_room room = {.rows = rows};
	for (size_t i = 0; i < sources_count; i++) {
		const struct batch_source *s = &sources[i];
		room.ratings = larger(room.ratings, most_entries(s->ratings, rows, NULL));
		room.features = larger(room.features, most_entries(s->features, rows, NULL));
		room.target = larger(room.target, most_entries(s->target, rows, s->negatives));
		if (s->negatives && s->target != s->ratings)
			room.observed = larger(room.observed, most_entries(s->target, rows, NULL));
		room.negatives |= s->negatives != NULL;
		room.no_lists |= s->no_lists;
		room.columns = s->ratings->columns;
		room.feature_columns = s->features ? s->features->columns : 0;
		room.places = s->trained ? s->ratings->rows : 0;
	}
	return room;
}

bool batch_create(const struct batch_source *sources, size_t sources_count, size_t rows, struct batch *ret,
                  struct error *error) {
	struct batch_room room = room_of(sources, sources_count, rows);
	return create(&room, ret, error);
}

bool batch_create_like(const struct batch *batch, struct batch *ret, struct error *error) {
	return create(&batch->memory->room, ret, error);
}

bool batch_create_counts(size_t rows, struct batch *ret, struct error *error) {
	const struct batch_room room = {.rows = rows, .no_lists = true};
	return create(&room, ret, error);
}

// ratings 0: more than 32 bits count.
static struct batch_room full_room_of(const struct batch_source *source, size_t rows) {
	struct batch_room room = {.rows = rows,
	                          .features = most_entries(source->features, rows, NULL),
	                          .columns = source->ratings->columns,
	                          .feature_columns = source->features ? source->features->columns : 0,
	                          .places = source->trained ? source->ratings->rows : 0};
	room.ratings = rows && room.columns > UINT32_MAX / rows ? 0 : rows * room.columns;
	return room;
}

bool batch_create_full(const struct batch_source *source, size_t rows, struct batch *ret, struct error *error) {
	struct batch_room room = full_room_of(source, rows);
	if (rows && room.columns && !room.ratings)
		return error_set(error, ERROR_RUN,
		                 "a re-fed batch of %zu rows would hold %zu entries each, more than 32 bits count", rows,
		                 room.columns);
	return create(&room, ret, error);
}

// --- what create will take ---

static double rows_bytes(size_t rows, size_t entries) {
	return sizeof(uint32_t) * (double)(rows + 1) + (sizeof(uint32_t) + sizeof(real)) * (double)entries;
}

static double transposed_bytes(size_t columns, size_t entries) {
	double touched = (double)(columns < entries ? columns : entries);
	return sizeof(uint32_t) * (3 * touched + 1 + 2 * (double)entries + 2 * (double)columns);
}

static double lists_bytes(const struct batch_room *room) {
	enum { JOINT_ARRAYS = sizeof(struct joint_memory) / sizeof(uint32_t *) - 1 }; // as joint_create has them
	return transposed_bytes(room->columns, room->ratings) + transposed_bytes(room->feature_columns, room->features) +
	       transposed_bytes(room->columns, room->target) +
	       transposed_bytes(room->places, room->places ? room->rows : 0) +
	       JOINT_ARRAYS * sizeof(uint32_t) * (double)room->columns;
}

static double room_bytes(const struct batch_room *room) {
	size_t places = room->places ? room->rows : 0;
	double bits = room->negatives ? sizeof(uint64_t) * (double)negatives_words(room->columns) : 0;
	return 2 * sizeof(uint32_t) * (double)room->rows + rows_bytes(room->rows, room->ratings) +
	       rows_bytes(room->rows, room->features) + rows_bytes(room->rows, room->target) +
	       rows_bytes(room->rows, room->observed) + rows_bytes(room->rows, places) + bits +
	       (room->no_lists ? 0 : lists_bytes(room));
}

static void measure(const struct batch_room *room, struct batch_measure *ret) {
	*ret = (struct batch_measure){larger(room->target, room->ratings), room->ratings, room->features, room_bytes(room)};
}

void batch_measure(const struct batch_source *sources, size_t sources_count, size_t rows, struct batch_measure *ret) {
	struct batch_room room = room_of(sources, sources_count, rows);
	measure(&room, ret);
}

void batch_measure_full(const struct batch_source *source, size_t rows, struct batch_measure *ret) {
	struct batch_room room = full_room_of(source, rows);
	measure(&room, ret);
}

void batch_measure_counts(size_t rows, struct batch_measure *ret) {
	const struct batch_room room = {.rows = rows, .no_lists = true};
	measure(&room, ret);
}

static void rows_free(struct rows_memory *m) {
	free(m->start);
	free(m->column);
	free(m->value);
}

static void transposed_free(struct transposed_memory *m) {
	free(m->column);
	free(m->start);
	free(m->row);
	free(m->entry);
	free(m->waited);
	free(m->slot);
	free(m->stamp);
}

static void joint_free(struct joint_memory *m) {
	free(m->column);
	free(m->waited);
	free(m->rating);
	free(m->target);
	free(m->slot);
	free(m->stamp);
}

void batch_destroy(struct batch *batch) {
	struct batch_memory *m = batch->memory;
	if (!m)
		return;
	rows_free(&m->ratings);
	rows_free(&m->user);
	rows_free(&m->target);
	rows_free(&m->observed);
	free(m->bits);
	free(m->kind);
	free(m->sorted);
	rows_free(&m->self);
	transposed_free(&m->by_rating);
	transposed_free(&m->by_feature);
	transposed_free(&m->by_target);
	joint_free(&m->both);
	transposed_free(&m->by_self);
	free(m);
	*batch = (struct batch){0};
}

// Rows of the data lie anywhere in memory: they are asked for some rows ahead, first where they begin, then themselves.
enum { AHEAD = 12 };

static inline __attribute__((always_inline)) void fetch_ahead(const struct csr *csr, const uint32_t *row, size_t i,
                                                              size_t rows) {
	if (i + 2 * AHEAD < rows)
		__builtin_prefetch(&csr->start[row[i + 2 * AHEAD]]);
	if (i + AHEAD < rows) {
		size_t first = csr->start[row[i + AHEAD]];
		__builtin_prefetch(&csr->column[first]);
		__builtin_prefetch(&csr->value[first]);
	}
}

static struct sparse sparse_of(const struct rows_memory *m, const struct csr *csr, size_t rows) {
	return (struct sparse){rows, csr ? csr->columns : 0, m->start, m->column, m->value};
}

static void gather(struct rows_memory *m, const struct csr *csr, const uint32_t *row, size_t rows, struct sparse *ret) {
	uint32_t filled = 0;
	for (size_t i = 0; i < rows; i++) {
		m->start[i] = filled;
		if (!csr || !csr->start)
			continue;
		fetch_ahead(csr, row, i, rows);
		size_t first = csr->start[row[i]], count = csr->start[row[i] + 1] - first;
		for (size_t k = 0; k < count; k++) {
			m->column[filled + k] = csr->column[first + k];
			m->value[filled + k] = csr->value[first + k];
		}
		filled += (uint32_t)count;
	}
	m->start[rows] = filled;
	*ret = sparse_of(m, csr, rows);
}

// By blocks, the last of which may be more than the row has: most rows are short, and how often a loop over one ends
// after one turn or two is nothing that a processor could guess. What is too much is written over by the next row.
static uint32_t unpack(const uint32_t *entry, uint32_t count, const float *values, uint32_t filled,
                       struct rows_memory *ret) {
	uint32_t *restrict column = ret->column + filled;
	real *restrict value = ret->value + filled;
	for (uint32_t first = 0; first < count; first += PACKED_BLOCK)
		for (uint32_t k = first; k < first + PACKED_BLOCK; k++) {
			column[k] = packed_column(entry[k]);
			value[k] = values[packed_code(entry[k])];
		}
	return filled + count;
}

// Always inline: gcc takes a call of what only fetches for one without effect, and leaves it out.
static inline __attribute__((always_inline)) void fetch_packed(const struct packed *packed, const uint32_t *row,
                                                               size_t i, size_t rows) {
	enum { LINE = 64 / sizeof(uint32_t) };
	if (i + 2 * AHEAD < rows)
		__builtin_prefetch(&packed->start[row[i + 2 * AHEAD]]);
	if (i + AHEAD < rows) {
		__builtin_prefetch(&packed->words[packed->start[row[i + AHEAD]]]);
		__builtin_prefetch(&packed->words[packed->start[row[i + AHEAD]] + LINE]);
	}
}

enum { ROW_KINDS = 8 };

// first: how many rows there are of each kind, (ROW_KINDS + 1).
static const uint32_t *rows_by_kind(struct batch_memory *m, uint32_t *first, const uint32_t *row, size_t rows) {
	uint32_t *restrict kind = m->kind, *restrict sorted = m->sorted;
	for (uint32_t k = 0, before = 0; k <= ROW_KINDS; k++) {
		uint32_t here = first[k];
		first[k] = before;
		before += here;
	}
	for (size_t i = 0; i < rows; i++)
		sorted[first[kind[i]]++] = row[i];
	return sorted;
}

// The batch's rows by their number of ratings, many alike: where rows are short, loops over them end where the last one
// did. Which rows a batch has is the order's alone.
static const uint32_t *sort_rows(struct batch_memory *m, const struct packed *packed, const uint32_t *row,
                                 size_t rows) {
	uint32_t first[ROW_KINDS + 1] = {0}, *restrict kind = m->kind;
	for (size_t i = 0; i < rows; i++) {
		fetch_packed(packed, row, i, rows);
		uint32_t count = packed_ratings(packed->words[packed->start[row[i]]]);
		kind[i] = count < ROW_KINDS ? count : ROW_KINDS;
		first[kind[i]]++;
	}
	return rows_by_kind(m, first, row, rows);
}

void batch_sort_rows(struct batch *batch, const struct csr *ratings, uint32_t *row, size_t rows) {
	struct batch_memory *m = batch->memory;
	uint32_t first[ROW_KINDS + 1] = {0};
	for (size_t i = 0; i < rows; i++) {
		size_t count = ratings->start[row[i] + 1] - ratings->start[row[i]];
		m->kind[i] = count < ROW_KINDS ? (uint32_t)count : ROW_KINDS;
		first[m->kind[i]]++;
	}
	memcpy(row, rows_by_kind(m, first, row, rows), rows * sizeof(*row));
}

static void gather_packed(struct batch_memory *m, const struct packed *packed, const uint32_t *row, size_t rows) {
	uint32_t ratings = 0, features = 0;
	for (size_t i = 0; i < rows; i++) {
		if (!packed->short_rows)
			fetch_packed(packed, row, i, rows);
		const uint32_t *words = packed->words + packed->start[row[i]];
		m->ratings.start[i] = ratings;
		m->user.start[i] = features;
		ratings = unpack(words + 1, packed_ratings(words[0]), packed->rating_value, ratings, &m->ratings);
		features = unpack(words + 1 + packed_ratings(words[0]), packed_features(words[0]), packed->feature_value,
		                  features, &m->user);
	}
	m->ratings.start[rows] = ratings;
	m->user.start[rows] = features;
}

static void gather_self(struct rows_memory *m, const struct batch_source *source, const uint32_t *row, size_t rows,
                        struct sparse *ret) {
	for (size_t i = 0; i < rows; i++) {
		m->start[i] = (uint32_t)i;
		m->column[i] = row[i];
		m->value[i] = source->trained[row[i]] ? 1 : 0;
	}
	m->start[rows] = (uint32_t)rows;
	*ret = (struct sparse){rows, source->ratings->rows, m->start, m->column, m->value};
}

static struct sparse with_negatives(struct batch_memory *m, const struct negatives *negatives, const uint32_t *row,
                                    const struct sparse *observed) {
	size_t filled = 0;
	for (size_t i = 0; i < observed->rows; i++) {
		uint32_t first = observed->start[i];
		m->target.start[i] = (uint32_t)filled;
		filled += negatives_merge(negatives, row[i], observed->column + first, observed->value + first,
		                          observed->start[i + 1] - first, observed->columns, m->bits, m->target.column + filled,
		                          m->target.value + filled);
	}
	m->target.start[observed->rows] = (uint32_t)filled;
	return (struct sparse){observed->rows, observed->columns, m->target.start, m->target.column, m->target.value};
}

// Without its negatives.
static struct sparse gather_target(struct batch *batch, const struct batch_source *source, const uint32_t *row,
                                   size_t rows) {
	struct sparse target;
	if (source->target == source->ratings)
		return batch->ratings;
	gather(source->negatives ? &batch->memory->observed : &batch->memory->target, source->target, row, rows, &target);
	return target;
}

static bool is_packed(const struct batch_source *source) {
	return source->packed && source->target == source->ratings;
}

static void take_rows(struct batch *batch, const struct batch_source *source, const uint32_t *row, size_t rows) {
	if (is_packed(source) && source->packed->short_rows)
		row = sort_rows(batch->memory, source->packed, row, rows);
	batch->rows = rows;
	batch->row = row;
	batch->memory->same_pattern = source->target == source->ratings && !source->negatives;
}

static void take_entries(struct batch *batch, const struct batch_source *source) {
	struct batch_memory *m = batch->memory;
	const uint32_t *row = batch->row;
	size_t rows = batch->rows;
	if (m->room.places)
		gather_self(&m->self, source, row, rows, &batch->self);
	if (is_packed(source)) {
		gather_packed(m, source->packed, row, rows);
		batch->ratings = sparse_of(&m->ratings, source->ratings, rows);
		batch->user = sparse_of(&m->user, source->features, rows);
	} else {
		gather(&m->ratings, source->ratings, row, rows, &batch->ratings);
		gather(&m->user, source->features, row, rows, &batch->user);
	}
	batch->target = gather_target(batch, source, row, rows);
	if (source->negatives)
		batch->target = with_negatives(m, source->negatives, row, &batch->target);
}

void batch_gather(struct batch *batch, const struct batch_source *source, const uint32_t *row, size_t rows) {
	take_rows(batch, source, row, rows);
	take_entries(batch, source);
}

// The touched columns by their number of entries, many alike: one, two, three, more. Whoever sums entries column by
// column then knows how often its loop goes round.
static void sort_touched(struct transposed_memory *m, uint32_t touched) {
	enum { KINDS = 4 };
	uint32_t first[KINDS + 1] = {0}, *restrict count = m->waited,
	                       *restrict column = m->row; // free until they are filled
	for (uint32_t i = 0; i < touched; i++) {
		count[i] = m->start[i];
		column[i] = m->column[i];
		first[count[i] < KINDS ? count[i] : KINDS]++;
	}
	for (uint32_t kind = 0, before = 0; kind <= KINDS; kind++) {
		uint32_t here = first[kind];
		first[kind] = before;
		before += here;
	}
	for (uint32_t i = 0; i < touched; i++) {
		uint32_t place = first[count[i] < KINDS ? count[i] : KINDS]++;
		m->start[place] = count[i];
		m->column[place] = column[i];
		m->slot[column[i]] = place;
	}
}

// Whether a column is a new one cannot be guessed: what a new one needs is written for every entry, where it does no
// harm.
static void transpose(struct transposed_memory *m, const struct sparse *s, struct transposed *ret) {
	uint32_t entries = s->start[s->rows], touched = 0;
	if (++m->batch == 0) { // the stamps have gone round
		memset(m->stamp, 0, s->columns * sizeof(*m->stamp));
		m->batch = 1;
	}
	const uint32_t batch = m->batch;
	uint32_t *restrict stamp = m->stamp, *restrict slot = m->slot, *restrict start = m->start;
	for (uint32_t k = 0; k < entries; k++) {
		uint32_t column = s->column[k], fresh = stamp[column] != batch, place = fresh ? touched : slot[column];
		stamp[column] = batch;
		slot[column] = place;
		m->column[touched] = column;
		start[touched] = 0;
		touched += fresh;
		start[place]++;
	}
	sort_touched(m, touched);
	pattern_place(s, touched,
	              &(struct transposed_room){.start = m->start, .row = m->row, .entry = m->entry, .slot = m->slot});
	*ret = (struct transposed){.count = touched,
	                           .column = m->column,
	                           .start = m->start,
	                           .row = m->row,
	                           .entry = m->entry,
	                           .waited = m->waited,
	                           .slot = m->slot,
	                           .stamp = m->stamp,
	                           .number = m->batch};
}

static void count(struct rows_memory *m, const struct csr *csr, const uint32_t *row, size_t rows, struct sparse *ret) {
	uint32_t filled = 0;
	for (size_t i = 0; i < rows; i++) {
		m->start[i] = filled;
		filled += csr && csr->start ? (uint32_t)(csr->start[row[i] + 1] - csr->start[row[i]]) : 0;
	}
	m->start[rows] = filled;
	*ret = sparse_of(m, csr, rows);
}

void batch_count(struct batch *batch, const struct batch_source *source, const uint32_t *row, const uint32_t *place,
                 size_t rows) {
	struct batch_memory *m = batch->memory;
	batch->rows = rows;
	batch->row = row;
	batch->place = place;
	count(&m->ratings, source->ratings, row, rows, &batch->ratings);
	count(&m->user, source->features, row, rows, &batch->user);
	batch->target = batch->ratings;
	batch->self = (struct sparse){.rows = rows, .columns = source->ratings->rows};
}

static void join(struct batch *batch) {
	struct joint_memory *m = &batch->memory->both;
	if (batch->memory->same_pattern) {
		batch->by_both = batch->by_rating;
		batch->both_rating = batch->both_target = NULL;
		return;
	}
	if (++m->batch == 0) { // the stamps have gone round
		memset(m->stamp, 0, batch->ratings.columns * sizeof(*m->stamp));
		m->batch = 1;
	}
	const struct transposed_room room = {.column = m->column, .slot = m->slot, .stamp = m->stamp, .number = m->batch};
	uint32_t touched = pattern_join(&batch->by_target, &batch->by_rating, m->target, m->rating, &room);
	batch->by_both = (struct transposed){.count = touched,
	                                     .column = m->column,
	                                     .waited = m->waited,
	                                     .slot = m->slot,
	                                     .stamp = m->stamp,
	                                     .number = m->batch};
	batch->both_rating = m->rating;
	batch->both_target = m->target;
}

static void transpose_others(struct batch *batch) {
	struct batch_memory *m = batch->memory;
	transpose(&m->by_feature, &batch->user, &batch->by_feature);
	if (m->room.places)
		transpose(&m->by_self, &batch->self, &batch->by_self);
	if (m->same_pattern)
		batch->by_target = batch->by_rating;
	else
		transpose(&m->by_target, &batch->target, &batch->by_target);
	join(batch);
}

void batch_transpose(struct batch *batch) {
	transpose(&batch->memory->by_rating, &batch->ratings, &batch->by_rating);
	transpose_others(batch);
}

void batch_make_part(struct batch *batch, const struct batch_source *source, const uint32_t *row, size_t rows,
                     size_t part) {
	switch (part) {
	case 0:
		take_rows(batch, source, row, rows);
		break;
	case 1:
		take_entries(batch, source);
		break;
	case 2:
		transpose(&batch->memory->by_rating, &batch->ratings, &batch->by_rating);
		break;
	default:
		transpose_others(batch);
		break;
	}
}

static void copy_rows(const struct sparse *from, struct rows_memory *m, struct sparse *ret) {
	size_t entries = sparse_count(from);
	memcpy(m->start, from->start, (from->rows + 1) * sizeof(*m->start));
	memcpy(m->column, from->column, entries * sizeof(*m->column));
	memcpy(m->value, from->value, entries * sizeof(*m->value));
	*ret = (struct sparse){from->rows, from->columns, m->start, m->column, m->value};
}

static void fill_pattern(struct rows_memory *m, size_t rows, size_t columns) {
	for (size_t i = 0; i <= rows; i++)
		m->start[i] = (uint32_t)(i * columns);
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < columns; j++)
			m->column[i * columns + j] = (uint32_t)j;
}

void batch_refeed(struct batch *batch, const struct batch *from, const struct matrix *outputs) {
	struct batch_memory *m = batch->memory;
	size_t rows = from->rows, columns = outputs->columns;
	batch->rows = rows;
	batch->row = from->row;
	batch->refed = from->refed + 1;
	m->same_pattern = true;
	for (size_t i = 0; i < rows; i++)
		memcpy(m->ratings.value + i * columns, outputs->data + i * outputs->stride, columns * sizeof(real));
	if (m->filled_rows != rows) { // else it is as it was: only the values are others
		fill_pattern(&m->ratings, rows, columns);
		batch->ratings = (struct sparse){rows, columns, m->ratings.start, m->ratings.column, m->ratings.value};
		transpose(&m->by_rating, &batch->ratings, &batch->by_rating);
		m->filled_rows = rows;
	}
	batch->target = batch->ratings;
	batch->by_target = batch->by_rating;
	copy_rows(&from->user, &m->user, &batch->user);
	transpose(&m->by_feature, &batch->user, &batch->by_feature);
	if (m->room.places) {
		copy_rows(&from->self, &m->self, &batch->self);
		transpose(&m->by_self, &batch->self, &batch->by_self);
	}
	join(batch);
}

size_t batch_cells_most(const struct batch *batch) {
	size_t target = batch->memory->target.entries, ratings = batch->memory->ratings.entries;
	return target > ratings ? target : ratings;
}
size_t batch_rating_entries_most(const struct batch *batch) {
	return batch->memory->ratings.entries;
}
size_t batch_feature_entries_most(const struct batch *batch) {
	return batch->memory->user.entries;
}
