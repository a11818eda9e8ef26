// Collects the ranking metrics of many users: one choice of the best serves all metrics and cut-offs. Threads take a
// few users at a time and leave their values; the caller's thread adds them up. All memory is taken at creation.
#include "eval/metric.h"
#include "eval/topk.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

// ROUND: users whose values are held at once. GRAIN: users that a thread takes at a time.
enum { ROUND = 1024, GRAIN = 8 };

struct collected {
	const struct metric *metric; // NULL for a cell metric
	size_t k;
	double sum; // over the users that counted
};

struct ranking_collector {
	struct pool *pool;
	struct collected *uses; // (uses_count)
	size_t uses_count;
	size_t users, skipped;
	struct ranker *rankers; // (rankers_count) one a thread
	size_t rankers_count;
	double *values;   // (ROUND, uses_count)
	uint8_t *counted; // (ROUND)
};

// Users that are ranked at once.
struct round {
	struct ranking_collector *collector;
	size_t first, count;
	void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret);
	const void *context;
	atomic_size_t next; // user to take
};

static bool ranker_init(struct ranker *ranker, size_t items, size_t depth, struct error *error) {
	*ranker = (struct ranker){.items = items, .depth = depth, .topk = memory_alloc(sizeof(*ranker->topk))};
	return topk_init(ranker->topk, items, depth, error) &&
	       (ranker->mark = memory_array(items, 1, "a ranking", error)) &&
	       (ranker->best = memory_array(depth, sizeof(*ranker->best), "a ranking", error)) &&
	       (ranker->relevant = memory_array(depth, 1, "a ranking", error));
}

static void ranker_finish(struct ranker *ranker) {
	if (ranker->topk)
		topk_finish(ranker->topk);
	free(ranker->topk);
	free(ranker->mark);
	free(ranker->best);
	free(ranker->relevant);
}

static size_t read_uses(struct ranking_collector *collector, const struct metric_use *uses, size_t items) {
	size_t deepest = 0;
	for (size_t i = 0; i < collector->uses_count; i++) {
		if (!uses[i].metric->over_ranking)
			continue;
		collector->uses[i] = (struct collected){.metric = uses[i].metric, .k = uses[i].k};
		size_t depth = uses[i].k < items ? uses[i].k : items;
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

bool ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items, struct pool *pool,
                              struct ranking_collector **ret, struct error *error) {
	struct ranking_collector *collector = memory_alloc(sizeof(*collector));
	*collector = (struct ranking_collector){
	    .pool = pool, .uses_count = uses_count, .rankers_count = pool_threads(pool), .uses = NULL};
	collector->uses = memory_alloc((uses_count + 1) * sizeof(*collector->uses));
	collector->rankers = memory_alloc(collector->rankers_count * sizeof(*collector->rankers));
	collector->values = memory_alloc((ROUND * uses_count + 1) * sizeof(*collector->values));
	collector->counted = memory_alloc(ROUND);
	size_t depth = read_uses(collector, uses, items);
	for (size_t i = 0; i < collector->rankers_count; i++)
		if (!ranker_init(&collector->rankers[i], items, depth, error)) {
			ranking_collector_destroy(collector);
			return false;
		}
	*ret = collector;
	return true;
}

void ranking_collector_destroy(struct ranking_collector *collector) {
	if (!collector)
		return;
	for (size_t i = 0; i < collector->rankers_count; i++)
		ranker_finish(&collector->rankers[i]);
	free(collector->rankers);
	free(collector->uses);
	free(collector->values);
	free(collector->counted);
	free(collector);
}

void ranking_collector_clear(struct ranking_collector *collector) {
	collector->users = collector->skipped = 0;
	for (size_t i = 0; i < collector->uses_count; i++)
		collector->uses[i].sum = 0;
}

static void rank_one(struct round *round, struct ranker *ranker, size_t index) {
	struct ranking_collector *collector = round->collector;
	struct ranking ranking = {0};
	round->rank(round->context, ranker, round->first + index, &ranking);
	collector->counted[index] = ranking.relevant_count > 0;
	for (size_t i = 0; ranking.relevant_count > 0 && i < collector->uses_count; i++) {
		const struct collected *use = &collector->uses[i];
		if (use->metric)
			collector->values[index * collector->uses_count + i] = use->metric->over_ranking(&ranking, use->k);
	}
}

static void rank_some(void *context, size_t member) {
	struct round *round = context;
	for (;;) {
		size_t first = atomic_fetch_add_explicit(&round->next, GRAIN, memory_order_relaxed);
		size_t end = first + GRAIN < round->count ? first + GRAIN : round->count;
		if (first >= round->count)
			return;
		for (size_t i = first; i < end; i++)
			rank_one(round, &round->collector->rankers[member], i);
	}
}

static void add_up(struct ranking_collector *collector, size_t count) {
	for (size_t user = 0; user < count; user++) {
		collector->users += collector->counted[user];
		collector->skipped += !collector->counted[user];
		for (size_t i = 0; collector->counted[user] && i < collector->uses_count; i++)
			collector->uses[i].sum += collector->values[user * collector->uses_count + i];
	}
}

void ranking_collector_add(struct ranking_collector *collector, size_t count,
                           void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                           const void *context) {
	for (size_t first = 0; first < count; first += ROUND) {
		struct round round = {.collector = collector,
		                      .first = first,
		                      .count = count - first < ROUND ? count - first : ROUND,
		                      .rank = rank,
		                      .context = context};
		pool_team(collector->pool, rank_some, &round);
		add_up(collector, round.count);
	}
}

// Marks the relevant candidates, and returns their number.
static size_t mark_relevant(struct ranker *ranker, const struct question *question) {
	size_t count = 0;
	for (size_t i = 0; i < question->target_count; i++) {
		uint32_t item = question->target[i];
		if (!question->liked[i] || !topk_is_candidate(ranker->topk, item))
			continue;
		ranker->mark[item] = 1;
		count++;
	}
	return count;
}

void ranker_answer(struct ranker *ranker, const struct question *question, struct ranking *ret) {
	topk_begin(ranker->topk, question->scores);
	for (size_t i = 0; i < 2; i++)
		topk_exclude(ranker->topk, question->excluded[i].items, question->excluded[i].count);
	*ret = (struct ranking){.relevant = ranker->relevant, .relevant_count = mark_relevant(ranker, question)};
	if (ret->relevant_count == 0)
		return;
	ret->length = topk_take(ranker->topk, ranker->depth, ranker->best);
	for (size_t i = 0; i < ret->length; i++)
		ranker->relevant[i] = ranker->mark[ranker->best[i]];
	for (size_t i = 0; i < question->target_count; i++)
		ranker->mark[question->target[i]] = 0;
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
