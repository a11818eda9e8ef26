// See evaluate.h. Rows go through the network in blocks; never more than a block of rankings is in memory.
#include "train/evaluate.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 1024 };
// Scores of users by items that are held at once where a row is an item, in numbers (256 MiB).
static const size_t SCORES_MOST = (size_t)1 << 26;

bool evaluate_ranks(const struct experiment *experiment) {
	for (size_t i = 0; i < experiment->uses_count; i++)
		if (!experiment->uses[i].metric->over_cells)
			return true;
	return false;
}

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static bool add_levels(const struct csr *csr, double *levels, size_t *count) {
	for (size_t k = 0; k < csr_count(csr); k++) {
		double value = csr->value[k];
		if (*count && bsearch(&value, levels, *count, sizeof(*levels), ascending))
			continue;
		if (*count == LEVELS_MAX)
			return false;
		levels[(*count)++] = value;
		qsort(levels, *count, sizeof(*levels), ascending);
	}
	return true;
}

bool evaluate_levels(const struct matrices *matrices, double **ret_levels, size_t *ret_count, struct error *error) {
	double *levels = memory_array(LEVELS_MAX, sizeof(*levels), "the target values", error);
	size_t count = 0;
	if (!levels)
		return false;
	if (!add_levels(&matrices->train, levels, &count) || !add_levels(&matrices->valid.target, levels, &count) ||
	    !add_levels(&matrices->test.target, levels, &count))
		count = 0;
	*ret_levels = levels;
	*ret_count = count;
	return true;
}

// The part's input and target; train is asked for what it was given.
static void part_source(const struct matrices *m, int part, struct batch_source *ret) {
	const struct part *p = part == PART_VALID ? &m->valid : &m->test;
	*ret = (struct batch_source){.ratings = part == PART_TRAIN ? &m->train : p->input,
	                             .features = m->features.start ? &m->features : NULL,
	                             .target = part == PART_TRAIN ? &m->train : &p->target};
}

// Rows with targets, in order.
static uint32_t *rows_with_targets(const struct csr *target, size_t *ret_count, struct error *error) {
	uint32_t *rows = memory_array(target->rows, sizeof(*rows), "the rows of a part", error);
	*ret_count = 0;
	for (size_t i = 0; rows && i < target->rows; i++)
		if (target->start[i + 1] > target->start[i])
			rows[(*ret_count)++] = (uint32_t)i;
	return rows;
}

static bool evaluate_cells(const struct evaluation *e, const struct batch_source *source, const uint32_t *rows,
                           size_t rows_count, struct part_result *ret, struct error *error) {
	const struct csr *target = source->target;
	float *prediction = memory_array(csr_count(target), sizeof(*prediction), "the predictions", error);
	if (!prediction)
		return false;
	size_t filled = 0;
	for (size_t first = 0; first < rows_count; first += e->rows) {
		size_t count = rows_count - first < e->rows ? rows_count - first : e->rows;
		batch_gather(e->batch, source, rows + first, count);
		network_predict_cells(e->network, e->batch, prediction + filled);
		filled += sparse_count(&e->batch->target);
	}
	struct cells cells = {filled, prediction, target->value, target->liked, e->levels, e->levels_count};
	for (size_t i = 0; i < e->experiment->uses_count; i++) {
		const struct metric *metric = e->experiment->uses[i].metric;
		if (metric->over_cells)
			ret->metric[i] = metric->over_cells(&cells);
	}
	free(prediction);
	return true;
}

// --- rankings ---

// By user: what is asked, and what is no candidate. Transposed where a row is an item.
struct questions {
	struct csr target, input, also_excluded; // also_excluded.start NULL: nothing
	bool owned;
	uint32_t *excluded, *relevant; // (items) each
};

static void questions_finish(struct questions *q) {
	if (q->owned) {
		csr_finish(&q->target);
		csr_finish(&q->input);
		csr_finish(&q->also_excluded);
	}
	free(q->excluded);
	free(q->relevant);
}

static bool questions_create(const struct matrices *m, int part, struct questions *ret, struct error *error) {
	struct batch_source source;
	part_source(m, part, &source);
	const struct csr *also = part == PART_TEST && m->valid.target.start ? &m->valid.target : NULL;
	*ret = (struct questions){.owned = m->items_as_rows};
	if (!m->items_as_rows) {
		ret->target = *source.target;
		ret->input = *source.ratings;
		if (also)
			ret->also_excluded = *also;
	} else if (!csr_transpose(source.target, &ret->target, error) ||
	           !csr_transpose(source.ratings, &ret->input, error) ||
	           (also && !csr_transpose(also, &ret->also_excluded, error))) {
		return false;
	}
	ret->excluded = memory_array(m->items, sizeof(uint32_t), "a ranking", error);
	ret->relevant = memory_array(m->items, sizeof(uint32_t), "a ranking", error);
	return ret->excluded && ret->relevant;
}

static size_t relevant_items(const struct questions *q, size_t user) {
	size_t count = 0;
	for (size_t k = q->target.start[user]; k < q->target.start[user + 1]; k++)
		if (q->target.liked[k])
			q->relevant[count++] = q->target.column[k];
	return count;
}

static size_t excluded_items(const struct questions *q, size_t user) {
	size_t count = 0, a = q->input.start[user], a_end = q->input.start[user + 1], b = 0, b_end = 0;
	if (q->also_excluded.start) {
		b = q->also_excluded.start[user];
		b_end = q->also_excluded.start[user + 1];
	}
	while (a < a_end || b < b_end) {
		uint32_t x = a < a_end ? q->input.column[a] : UINT32_MAX,
		         y = b < b_end ? q->also_excluded.column[b] : UINT32_MAX;
		q->excluded[count++] = x < y ? x : y;
		a += x <= y;
		b += y <= x;
	}
	return count;
}

static void rank_user(const struct questions *q, size_t user, const float *scores,
                      struct ranking_collector *collector) {
	size_t relevant = relevant_items(q, user);
	if (relevant)
		ranking_collector_add(collector, scores, q->excluded, excluded_items(q, user), q->relevant, relevant);
	else
		ranking_collector_add_ranking(collector, &(struct ranking){0});
}

static void rank_user_rows(const struct evaluation *e, const struct batch_source *source, const struct questions *q,
                           const uint32_t *rows, size_t rows_count, struct ranking_collector *collector) {
	for (size_t first = 0; first < rows_count; first += e->full_rows) {
		size_t count = rows_count - first < e->full_rows ? rows_count - first : e->full_rows;
		batch_gather(e->batch, source, rows + first, count);
		struct matrix scores = network_predict_all(e->network, e->batch);
		for (size_t i = 0; i < count; i++)
			rank_user(q, rows[first + i], (const float *)(scores.data + i * scores.stride), collector);
	}
}

// Scores of users [first, first + count): (count, items), from all item rows.
static void score_users(const struct evaluation *e, const struct batch_source *source, size_t first, size_t count,
                        uint32_t *rows, float *scores) {
	size_t items = e->matrices->items;
	for (size_t item = 0; item < items; item += e->full_rows) {
		size_t block = items - item < e->full_rows ? items - item : e->full_rows;
		for (size_t i = 0; i < block; i++)
			rows[i] = (uint32_t)(item + i);
		batch_gather(e->batch, source, rows, block);
		struct matrix all = network_predict_all(e->network, e->batch);
		for (size_t u = 0; u < count; u++)
			for (size_t i = 0; i < block; i++)
				scores[u * items + item + i] = (float)all.data[i * all.stride + first + u];
	}
}

static bool rank_item_rows(const struct evaluation *e, const struct batch_source *source, const struct questions *q,
                           struct ranking_collector *collector, struct error *error) {
	size_t users = e->matrices->users, items = e->matrices->items;
	size_t most = SCORES_MOST / items > 0 ? SCORES_MOST / items : 1;
	size_t block = users < most ? users : most;
	float *scores = memory_array(block * items, sizeof(*scores), "a block of rankings", error);
	uint32_t *rows = memory_array(e->full_rows, sizeof(*rows), "a block of rankings", error);
	for (size_t first = 0; scores && rows && first < users; first += block) {
		size_t count = users - first < block ? users - first : block;
		score_users(e, source, first, count, rows, scores);
		for (size_t u = 0; u < count; u++)
			if (q->target.start[first + u + 1] > q->target.start[first + u])
				rank_user(q, first + u, scores + u * items, collector);
	}
	bool good = scores && rows;
	free(scores);
	free(rows);
	return good;
}

static bool evaluate_rankings(const struct evaluation *e, int part, const struct batch_source *source,
                              const uint32_t *rows, size_t rows_count, struct part_result *ret, struct error *error) {
	struct questions q;
	double means[METRIC_USES_MAX];
	struct ranking_collector *collector =
	    ranking_collector_create(e->experiment->uses, e->experiment->uses_count, e->matrices->items);
	bool good = questions_create(e->matrices, part, &q, error);
	if (good && e->matrices->items_as_rows)
		good = rank_item_rows(e, source, &q, collector, error);
	else if (good)
		rank_user_rows(e, source, &q, rows, rows_count, collector);
	ranking_collector_result(collector, means, &ret->ranked_users, &ret->skipped_users);
	for (size_t i = 0; i < e->experiment->uses_count; i++)
		if (!e->experiment->uses[i].metric->over_cells)
			ret->metric[i] = means[i];
	ranking_collector_destroy(collector);
	questions_finish(&q);
	return good;
}

bool evaluate_part(const struct evaluation *e, int part, struct part_result *ret, struct error *error) {
	struct batch_source source;
	size_t rows_count;
	*ret = (struct part_result){0};
	for (size_t i = 0; i < METRIC_USES_MAX; i++)
		ret->metric[i] = NAN;
	part_source(e->matrices, part, &source);
	if (!source.target->start)
		return true;
	ret->exists = true;
	uint32_t *rows = rows_with_targets(source.target, &rows_count, error);
	bool good = rows && evaluate_cells(e, &source, rows, rows_count, ret, error);
	if (good && part != PART_TRAIN && evaluate_ranks(e->experiment))
		good = evaluate_rankings(e, part, &source, rows, rows_count, ret, error);
	free(rows);
	return good;
}
