// From a data set to what training sees: filter, split, the users and items that are left, buckets, orientation, side
// information. Everything follows from the data set's order, the keys and the seed; nothing from anything else.
#include "base/pool.h"
#include "data/coding.h"
#include "data/data.h"
#include "data/filter.h"
#include "data/rows.h"
#include "data/split.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NO_INDEX UINT32_MAX

// What is needed while the matrices are made.
struct builder {
	const struct dataset *dataset;
	struct matrices *matrices;
	struct assignment assignment;
	uint32_t *user_index, *item_index; // (dataset users), (dataset items): index in the matrices, or NO_INDEX
};

static void builder_finish(struct builder *builder) {
	free(builder->assignment.part);
	free(builder->assignment.held_out);
	free(builder->user_index);
	free(builder->item_index);
}

// What the split made of the ratings, whatever keys and seeds led there.
static void hash_split(const struct builder *builder) {
	struct hash hash;
	hash_init(&hash);
	hash_string(&hash, "aexp.split/1");
	hash_bytes(&hash, builder->assignment.part, builder->dataset->count);
	hash_finish(&hash, builder->matrices->split_hash);
}

static bool divide(const struct data_config *config, uint64_t seed, struct builder *builder, struct error *error) {
	const struct dataset *dataset = builder->dataset;
	struct assignment *assignment = &builder->assignment;
	*assignment = (struct assignment){.dataset = dataset, .seed = seed, .exists = {[PART_TRAIN] = true}};
	assignment->part = memory_array(dataset->count, 1, "parts of ratings", error);
	assignment->held_out = assignment->part ? memory_array(dataset->users.count, 1, "parts of users", error) : NULL;
	bool divided = assignment->held_out && filter_apply(config->filter, dataset, assignment->part, error) &&
	               split_assign(config, assignment, error);
	if (divided) {
		hash_split(builder);
	}
	return divided;
}

enum { MARK_BLOCK = 1 << 16 }; // ratings whose ids one thread marks at a time

struct marking {
	const struct builder *builder;
	const uint32_t *id;    // (ratings)
	_Atomic uint8_t *seen; // (ids)
};

static void mark_block(void *context, size_t block) {
	const struct marking *marking = context;
	size_t end = (block + 1) * MARK_BLOCK, count = marking->builder->dataset->count;
	const uint8_t *part = marking->builder->assignment.part;
	for (size_t i = block * MARK_BLOCK; i < (end < count ? end : count); i++) {
		_Atomic uint8_t *seen = &marking->seen[marking->id[i]];
		// Written once: a line that another thread writes to would have to be fetched for every rating.
		if (part[i] != SPLIT_DROPPED && !atomic_load_explicit(seen, memory_order_relaxed)) {
			atomic_store_explicit(seen, 1, memory_order_relaxed);
		}
	}
}

// Numbers what has a rating that the filter left, in the order of the data set. (*ret_index)[i] is i's number or
// NO_INDEX, (*ret_of)[number] is i.
static bool compact(const struct builder *builder, const uint32_t *id, size_t ids, uint32_t **ret_index,
                    uint32_t **ret_of, size_t *ret_count, struct error *error) {
	struct marking marking = {.builder = builder, .id = id};
	uint32_t *index = *ret_index = memory_array(ids, sizeof *index, "numbers of users or items", error);
	marking.seen = index ? memory_array(ids, sizeof *marking.seen, "users or items", error) : NULL;
	if (!marking.seen) {
		return false;
	}
	pool_run(builder->dataset->pool, builder->dataset->count / MARK_BLOCK + 1, mark_block, &marking);
	size_t count = 0;
	for (size_t i = 0; i < ids; i++) {
		index[i] = marking.seen[i] ? (uint32_t)count++ : NO_INDEX;
	}
	free((void *)marking.seen);
	uint32_t *of = *ret_of = memory_array(count, sizeof *of, "users or items", error);
	for (size_t i = 0; of && i < ids; i++) {
		if (index[i] != NO_INDEX) {
			of[index[i]] = (uint32_t)i;
		}
	}
	*ret_count = count;
	return of != NULL;
}

static bool number(struct builder *builder, struct error *error) {
	const struct dataset *dataset = builder->dataset;
	struct matrices *m = builder->matrices;
	return compact(builder, dataset->user, dataset->users.count, &builder->user_index, &m->user_of, &m->users, error) &&
	       compact(builder, dataset->item, dataset->items.count, &builder->item_index, &m->item_of, &m->items, error);
}

static void set_values(const struct data_config *config, struct matrices *m) {
	const struct buckets_config *buckets = config->buckets;
	if (buckets && buckets->values.count > 0) {
		m->levels = buckets->values.count;
		m->values = arena_copy(&m->arena, buckets->values.items, m->levels * sizeof *m->values);
		m->thresholds = arena_alloc(&m->arena, m->levels * sizeof *m->thresholds);
		if (m->levels > 1) {
			memcpy(m->thresholds, buckets->thresholds.items, (m->levels - 1) * sizeof *m->thresholds);
		}
	}
	if (config->scale) {
		m->scale_low = config->scale->low;
		m->scale_high = config->scale->high;
	}
	m->liked = config->liked;
	if (isnan(m->liked)) {
		m->liked = m->levels > 1 ? m->thresholds[m->levels - 2] : -INFINITY;
	}
}

static bool build_part(const struct builder *builder, uint8_t part, struct csr *ret, struct error *error) {
	const struct matrices *m = builder->matrices;
	const struct dataset *dataset = builder->dataset;
	struct rows rows = {
	    .matrices = m,
	    .part = builder->assignment.part,
	    .wanted = part,
	    .row = {dataset->user, builder->user_index, m->users},
	    .column = {dataset->item, builder->item_index, m->items},
	};
	if (m->items_as_rows) {
		struct rows_axis users = rows.row;
		rows.row = rows.column;
		rows.column = users;
	}
	return rows_build(&rows, ret, error);
}

static bool build_evaluated(const struct builder *builder, uint8_t which, struct part *part, struct error *error) {
	part->input = &builder->matrices->train;
	if (!builder->assignment.exists[which]) {
		return true;
	}
	if (builder->assignment.fold_in) {
		part->input = &part->own_input;
		if (!build_part(builder, which | SPLIT_INPUT, &part->own_input, error)) {
			return false;
		}
		builder->matrices->input_count += csr_count(&part->own_input);
	}
	return build_part(builder, which, &part->target, error);
}

static bool build_parts(const struct builder *builder, struct error *error) {
	struct matrices *m = builder->matrices;
	if (!build_part(builder, PART_TRAIN, &m->train, error)) {
		return false;
	}
	if (csr_count(&m->train) == 0) {
		error_set(error, ERROR_DATA, "the split leaves no rating for training");
		error_hint(error, "Lower the shares of data.split, or choose another kind of split.");
		return false;
	}
	return build_evaluated(builder, PART_VALID, &m->valid, error) &&
	       build_evaluated(builder, PART_TEST, &m->test, error);
}

static bool mark_trained(const struct builder *builder, struct error *error) {
	struct matrices *m = builder->matrices;
	uint8_t *trained = memory_array(m->train.rows, 1, "rows of training", error);
	for (size_t row = 0; trained && row < m->train.rows; row++) {
		trained[row] = m->items_as_rows || builder->assignment.held_out[m->user_of[row]] == PART_TRAIN;
	}
	m->row_trained = trained;
	return trained != NULL;
}

static bool build(const struct data_config *config, uint64_t seed, struct builder *builder, struct error *error) {
	struct matrices *m = builder->matrices;
	const struct dataset *dataset = builder->dataset;
	set_values(config, m);
	return divide(config, seed, builder, error) && number(builder, error) && build_parts(builder, error) &&
	       mark_trained(builder, error) &&
	       coding_create(m->items_as_rows ? &dataset->item_attributes : &dataset->user_attributes,
	                     m->items_as_rows ? m->item_of : m->user_of, m, error);
}

bool matrices_create(const struct data_config *config, const struct dataset *dataset, uint64_t seed,
                     struct matrices *ret, struct error *error) {
	*ret = (struct matrices){.dataset = dataset};
	ret->items_as_rows = config->rows.row && strcmp(config->rows.row->name, "items") == 0;
	struct builder builder = {.dataset = dataset, .matrices = ret};
	bool built = build(config, seed, &builder, error);
	builder_finish(&builder);
	if (!built) {
		matrices_finish(ret);
	}
	return built;
}

void matrices_finish(struct matrices *matrices) {
	if (!matrices) {
		return;
	}
	csr_finish(&matrices->train);
	csr_finish(&matrices->valid.own_input);
	csr_finish(&matrices->valid.target);
	csr_finish(&matrices->test.own_input);
	csr_finish(&matrices->test.target);
	csr_finish(&matrices->features);
	free(matrices->user_of);
	free(matrices->item_of);
	free((void *)matrices->row_trained);
	arena_finish(&matrices->arena);
	*matrices = (struct matrices){0};
}
