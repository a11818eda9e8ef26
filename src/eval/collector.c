// Collects the ranking metrics of many users: one pass over a user's scores serves all metrics and cut-offs. All memory
// is taken at creation.
#include "eval/metric.h"
#include "eval/topk.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct collected {
	const struct metric *metric; // NULL for a cell metric
	size_t k;
	double sum; // over the users that counted
};

struct ranking_collector {
	size_t items;
	size_t depth;           // places that the largest k asks for, at most items
	struct collected *uses; // (uses_count)
	size_t uses_count;
	size_t users, skipped;
	uint64_t *places;  // (depth) workspace: the first candidates, see topk.h
	uint8_t *relevant; // (depth) workspace
};

struct ranking_collector *ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items) {
	struct ranking_collector *collector = memory_alloc(sizeof(*collector));
	collector->items = items;
	collector->uses_count = uses_count;
	collector->uses = memory_alloc((uses_count + 1) * sizeof(*collector->uses));
	for (size_t i = 0; i < uses_count; i++) {
		if (!uses[i].metric->over_ranking)
			continue;
		collector->uses[i] = (struct collected){.metric = uses[i].metric, .k = uses[i].k};
		size_t depth = uses[i].k < items ? uses[i].k : items;
		if (depth > collector->depth)
			collector->depth = depth;
	}
	collector->places = memory_alloc((collector->depth + 1) * sizeof(*collector->places));
	collector->relevant = memory_alloc(collector->depth + 1);
	return collector;
}

void ranking_collector_destroy(struct ranking_collector *collector) {
	if (!collector)
		return;
	free(collector->uses);
	free(collector->places);
	free(collector->relevant);
	free(collector);
}

size_t ranking_collector_depth(const struct ranking_collector *collector) {
	return collector->depth;
}

void ranking_collector_add_ranking(struct ranking_collector *collector, const struct ranking *ranking) {
	if (ranking->relevant_count == 0) {
		collector->skipped++;
		return;
	}
	collector->users++;
	for (size_t i = 0; i < collector->uses_count; i++) {
		struct collected *use = &collector->uses[i];
		if (use->metric)
			use->sum += use->metric->over_ranking(ranking, use->k);
	}
}

// How many of the relevant are candidates; both lists ascend.
static size_t count_candidates(const uint32_t *relevant, size_t relevant_count, const uint32_t *excluded,
                               size_t excluded_count) {
	size_t count = 0;
	for (size_t i = 0, j = 0; i < relevant_count; i++) {
		while (j < excluded_count && excluded[j] < relevant[i])
			j++;
		count += j == excluded_count || excluded[j] != relevant[i];
	}
	return count;
}

static bool contains(const uint32_t *list, size_t count, uint32_t item) {
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list[middle] < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && list[low] == item;
}

void ranking_collector_add(struct ranking_collector *collector, const float *scores, const uint32_t *excluded,
                           size_t excluded_count, const uint32_t *relevant, size_t relevant_count) {
	struct ranking ranking = {.relevant = collector->relevant};
	ranking.relevant_count = count_candidates(relevant, relevant_count, excluded, excluded_count);
	if (ranking.relevant_count > 0)
		ranking.length =
		    topk_select(scores, collector->items, excluded, excluded_count, collector->depth, collector->places);
	for (size_t i = 0; i < ranking.length; i++)
		collector->relevant[i] = contains(relevant, relevant_count, topk_item(collector->places[i]));
	ranking_collector_add_ranking(collector, &ranking);
}

void ranking_collector_merge(struct ranking_collector *into, const struct ranking_collector *from) {
	assert(into->uses_count == from->uses_count && into->items == from->items);
	for (size_t i = 0; i < into->uses_count; i++) {
		assert(into->uses[i].metric == from->uses[i].metric && into->uses[i].k == from->uses[i].k);
		into->uses[i].sum += from->uses[i].sum;
	}
	into->users += from->users;
	into->skipped += from->skipped;
}

void ranking_collector_result(const struct ranking_collector *collector, double *ret_means, size_t *ret_users,
                              size_t *ret_skipped) {
	for (size_t i = 0; i < collector->uses_count; i++) {
		const struct collected *use = &collector->uses[i];
		ret_means[i] = use->metric && collector->users ? use->sum / (double)collector->users : NAN;
	}
	*ret_users = collector->users;
	*ret_skipped = collector->skipped;
}
