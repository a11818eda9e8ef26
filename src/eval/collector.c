// Collects the ranking metrics of many users: one choice of the best serves all metrics and cut-offs. Threads take a
// few users at a time and leave their values; the caller's thread adds them up. All memory is taken at creation.
#include "eval/metric.h"
#include "eval/topk.h"
#include "eval/topk_kernels.h"

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// GRAIN: users that a thread takes at a time.
enum { GRAIN = 8 };

struct collected {
	const struct metric *metric; // NULL for a cell metric
	size_t k;
	double sum;   // over the users that counted
	size_t count; // of them, those whose value is defined
	size_t list;  // over lists: place in the collector's
};

struct ranking_collector {
	struct pool *pool;
	struct collected *uses; // (uses_count)
	size_t uses_count;
	size_t *list_k; // (lists_count) the different cut-offs of metrics over lists
	size_t lists_count;
	size_t items;
	const double *surprise;   // (items) or NULL
	struct user_values *keep; // NULL: values of single users are forgotten
	size_t users, skipped;
	struct ranker *rankers; // (rankers_count) one a thread
	size_t rankers_count;
	double *values;   // (RANKING_PORTION, uses_count)
	uint8_t *counted; // (RANKING_PORTION)
	uint32_t *times;  // (items) of one list, over all threads
};

// Users that are ranked at once.
struct round {
	struct ranking_collector *collector;
	size_t first, count;
	void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret);
	const void *context;
	atomic_size_t next; // user to take
};

// Room for one ranker; with lists a count of items for each of them.
static bool ranker_init(struct ranker *ranker, const struct ranking_collector *collector, size_t depth,
                        struct error *error) {
	size_t items = collector->items, times;
	ranker->items = items;
	ranker->depth = depth;
	ranker->topk = memory_alloc(sizeof(*ranker->topk));
	if (!memory_product(items, collector->lists_count, &times))
		return error_set(error, ERROR_RUN, "counts of %zu items for %zu lists do not fit into memory", items,
		                 collector->lists_count);
	return topk_init(ranker->topk, items, depth, error) &&
	       (ranker->mark = memory_array(items, 1, "a ranking", error)) &&
	       (ranker->best = memory_array(depth, sizeof(*ranker->best), "a ranking", error)) &&
	       (ranker->relevant = memory_array(depth, 1, "a ranking", error)) &&
	       (ranker->key = memory_array(ranker->wants_auc ? items : 0, sizeof(*ranker->key), "a ranking", error)) &&
	       (ranker->times = memory_array(times, sizeof(*ranker->times), "a ranking", error));
}

static void ranker_finish(struct ranker *ranker) {
	if (ranker->topk)
		topk_finish(ranker->topk);
	free(ranker->topk);
	free(ranker->mark);
	free(ranker->best);
	free(ranker->relevant);
	free(ranker->key);
	free(ranker->times);
}

// The place of a cut-off among the lists, where it is added if it is new.
static size_t list_of(struct ranking_collector *collector, size_t k) {
	size_t place = 0;
	while (place < collector->lists_count && collector->list_k[place] != k)
		place++;
	if (place == collector->lists_count)
		collector->list_k[collector->lists_count++] = k;
	return place;
}

// Returns how many places count.
static size_t read_uses(struct ranking_collector *collector, const struct metric_use *uses) {
	for (size_t i = 0; i < collector->uses_count; i++) {
		const struct metric *metric = uses[i].metric;
		if (!metric_ranks(metric))
			continue;
		collector->uses[i] = (struct collected){.metric = metric, .k = uses[i].k};
		if (metric->over_lists)
			collector->uses[i].list = list_of(collector, uses[i].k);
		for (size_t r = 0; r < collector->rankers_count; r++) {
			collector->rankers[r].wants_auc |= metric->wants_auc;
			collector->rankers[r].wants_items |= metric->wants_surprise || metric->over_lists;
		}
	}
	return metric_uses_depth(uses, collector->uses_count, collector->items);
}

bool ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items, struct pool *pool,
                              struct ranking_collector **ret, struct error *error) {
	struct ranking_collector *collector = memory_alloc(sizeof(*collector));
	*collector = (struct ranking_collector){
	    .pool = pool, .uses_count = uses_count, .items = items, .rankers_count = pool_threads(pool), .uses = NULL};
	collector->uses = memory_alloc((uses_count + 1) * sizeof(*collector->uses));
	collector->list_k = memory_alloc((uses_count + 1) * sizeof(*collector->list_k));
	collector->rankers = memory_alloc(collector->rankers_count * sizeof(*collector->rankers));
	collector->values = memory_alloc((RANKING_PORTION * uses_count + 1) * sizeof(*collector->values));
	collector->counted = memory_alloc(RANKING_PORTION);
	size_t depth = read_uses(collector, uses);
	bool good = (collector->times = memory_array(items, sizeof(*collector->times), "a ranking", error));
	for (size_t i = 0; good && i < collector->rankers_count; i++)
		good = ranker_init(&collector->rankers[i], collector, depth, error);
	if (!good) {
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
	free(collector->list_k);
	free(collector->values);
	free(collector->counted);
	free(collector->times);
	free(collector);
}

void ranking_collector_clear(struct ranking_collector *collector) {
	collector->users = collector->skipped = 0;
	for (size_t i = 0; i < collector->uses_count; i++) {
		collector->uses[i].sum = 0;
		collector->uses[i].count = 0;
	}
	for (size_t i = 0; i < collector->rankers_count; i++)
		memset(collector->rankers[i].times, 0,
		       collector->lists_count * collector->items * sizeof(*collector->rankers[i].times));
}

void ranking_collector_surprise(struct ranking_collector *collector, const double *surprise) {
	collector->surprise = surprise;
}

void ranking_collector_keep(struct ranking_collector *collector, struct user_values *values) {
	assert(!values || values->uses == collector->uses_count);
	collector->keep = values;
}

double *user_values_add(struct user_values *values, uint32_t user) {
	if (values->count == values->room) {
		values->room = values->room ? 2 * values->room : 256;
		values->user = memory_resize(values->user, values->room * sizeof(*values->user));
		values->value = memory_resize(values->value, values->room * values->uses * sizeof(*values->value) + 1);
	}
	double *value = values->value + values->count * values->uses;
	values->user[values->count++] = user;
	for (size_t i = 0; i < values->uses; i++)
		value[i] = NAN;
	return value;
}

void user_values_finish(struct user_values *values) {
	free(values->user);
	free(values->value);
	*values = (struct user_values){0};
}

// Counts the items of one user's list at each of the cut-offs.
static void count_lists(const struct ranking_collector *collector, struct ranker *ranker,
                        const struct ranking *ranking) {
	for (size_t list = 0; list < collector->lists_count; list++) {
		uint32_t *times = ranker->times + list * collector->items;
		for (size_t i = 0; i < collector->list_k[list] && i < ranking->length; i++)
			times[ranking->item[i]]++;
	}
}

// index: for `rank`; place: in the portion.
static void rank_one(const struct round *round, struct ranker *ranker, size_t index, size_t place) {
	struct ranking_collector *collector = round->collector;
	struct ranking ranking = {0};
	round->rank(round->context, ranker, index, &ranking);
	ranking.surprise = collector->surprise;
	collector->counted[place] = ranking.relevant_count > 0;
	if (ranking.relevant_count == 0)
		return;
	count_lists(collector, ranker, &ranking);
	for (size_t i = 0; i < collector->uses_count; i++) {
		const struct collected *use = &collector->uses[i];
		collector->values[place * collector->uses_count + i] =
		    use->metric && use->metric->over_ranking ? use->metric->over_ranking(&ranking, use->k) : NAN;
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
			rank_one(round, &round->collector->rankers[member], round->first + i, i);
	}
}

static void add_user(struct ranking_collector *collector, const double *value) {
	for (size_t i = 0; i < collector->uses_count; i++) {
		bool defined = !isnan(value[i]);
		collector->uses[i].sum += defined ? value[i] : 0;
		collector->uses[i].count += defined;
	}
	if (collector->keep)
		memcpy(user_values_add(collector->keep, (uint32_t)(collector->users + collector->skipped)), value,
		       collector->uses_count * sizeof(*value));
}

static void add_up(struct ranking_collector *collector, size_t count) {
	for (size_t user = 0; user < count; user++) {
		if (collector->counted[user])
			add_user(collector, collector->values + user * collector->uses_count);
		collector->users += collector->counted[user];
		collector->skipped += !collector->counted[user];
	}
}

void ranking_collector_add(struct ranking_collector *collector, size_t count,
                           void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                           const void *context) {
	for (size_t first = 0; first < count; first += RANKING_PORTION) {
		struct round round = {.collector = collector,
		                      .first = first,
		                      .count = count - first < RANKING_PORTION ? count - first : RANKING_PORTION,
		                      .rank = rank,
		                      .context = context};
		pool_team(collector->pool, rank_some, &round);
		add_up(collector, round.count);
	}
}

void ranking_collector_rank(struct ranking_collector *collector, size_t member, size_t first, size_t count,
                            void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                            const void *context) {
	struct round round = {.collector = collector, .rank = rank, .context = context};
	assert(member < collector->rankers_count && first + count <= RANKING_PORTION);
	for (size_t i = 0; i < count; i++)
		rank_one(&round, &collector->rankers[member], i, first + i);
}

void ranking_collector_join(struct ranking_collector *collector, size_t users) {
	add_up(collector, users);
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

// How many of the sorted keys are below `key`.
static size_t keys_below(const int32_t *keys, size_t count, int64_t key) {
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_keys(const void *a, const void *b) {
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

// The share of pairs of a relevant candidate and another one where the relevant one's score is higher, ties counting
// half: the user's area under the ROC curve. NAN where every candidate is relevant.
static double user_auc(struct ranker *ranker, size_t relevant) {
	const int32_t *keys = ranker->topk->keys;
	size_t filled = 0, others = 0;
	double twice = 0;
	for (size_t i = 0; i < ranker->items; i++)
		if (ranker->mark[i])
			ranker->key[filled++] = keys[i];
	qsort(ranker->key, relevant, sizeof(*ranker->key), compare_keys);
	for (size_t i = 0; i < ranker->items; i++) {
		if (ranker->mark[i] || keys[i] == TOPK_EXCLUDED)
			continue;
		size_t below = keys_below(ranker->key, relevant, keys[i]);
		size_t up_to = keys_below(ranker->key, relevant, (int64_t)keys[i] + 1);
		twice += (double)(2 * (relevant - up_to) + (up_to - below));
		others++;
	}
	return others ? twice / (2.0 * (double)relevant * (double)others) : NAN;
}

// --- places of few relevant items ---

// What is asked of a relevant item's place: which items come before it, of those that are candidates.
struct place {
	const float *scores;
	uint32_t item;
	bool excluded;
	size_t before;
};

static void exclude(struct place *place, uint32_t item) {
	float score = place->scores[item], own = place->scores[place->item];
	place->excluded |= item == place->item;
	place->before -= item < place->item ? score >= own : score > own;
}

// The other list's items are marked where there are two, so that none counts twice.
static void find_place(const struct ranker *ranker, const struct question *question, bool marked, struct place *place) {
	size_t items = ranker->items;
	place->before = ranker->topk->kernels->before_place(place->scores, items, place->item);
	for (size_t i = 0; i < question->excluded[0].count; i++)
		exclude(place, question->excluded[0].items[i]);
	for (size_t i = 0; i < question->excluded[1].count; i++)
		if (!marked || !ranker->mark[question->excluded[1].items[i]])
			exclude(place, question->excluded[1].items[i]);
}

static void mark_excluded(struct ranker *ranker, const struct question *question, uint8_t mark) {
	for (size_t i = 0; i < question->excluded[0].count; i++)
		ranker->mark[question->excluded[0].items[i]] = mark;
}

static size_t count_candidates(const struct ranker *ranker, const struct question *question, bool marked) {
	size_t excluded = question->excluded[0].count;
	for (size_t i = 0; i < question->excluded[1].count; i++)
		excluded += !marked || !ranker->mark[question->excluded[1].items[i]];
	return ranker->items - excluded;
}

// A list costs some passes over the scores and an order of its own; a place costs one pass.
static bool is_counted(const struct ranker *ranker, const struct question *question) {
	enum { PASSES = 3, ORDER = 1 << 15 }; // ORDER: as long as a pass over so many scores
	size_t liked = 0, most = PASSES + ORDER / ranker->items;
	if (ranker->wants_auc || ranker->wants_items)
		return false;
	for (size_t i = 0; i < question->target_count; i++) {
		liked += question->liked[i];
		if (liked > most || (question->liked[i] && isnan(question->scores[question->target[i]])))
			return false;
	}
	return true;
}

// The same without a list: only how many candidates come before each relevant one.
static void answer_by_counting(struct ranker *ranker, const struct question *question, struct ranking *ret) {
	bool marked = question->excluded[0].count && question->excluded[1].count;
	if (marked)
		mark_excluded(ranker, question, 1);
	size_t candidates = count_candidates(ranker, question, marked);
	*ret = (struct ranking){.relevant = ranker->relevant, .auc = NAN};
	ret->length = ranker->depth < candidates ? ranker->depth : candidates;
	memset(ranker->relevant, 0, ret->length);
	for (size_t i = 0; i < question->target_count; i++) {
		struct place place = {.scores = question->scores, .item = question->target[i]};
		if (!question->liked[i])
			continue;
		find_place(ranker, question, marked, &place);
		ret->relevant_count += !place.excluded;
		if (!place.excluded && place.before < ret->length)
			ranker->relevant[place.before] = 1;
	}
	if (marked)
		mark_excluded(ranker, question, 0);
}

void ranker_answer(struct ranker *ranker, const struct question *question, struct ranking *ret) {
	if (is_counted(ranker, question)) {
		answer_by_counting(ranker, question, ret);
		return;
	}
	topk_begin(ranker->topk, question->scores);
	for (size_t i = 0; i < 2; i++)
		topk_exclude(ranker->topk, question->excluded[i].items, question->excluded[i].count);
	*ret = (struct ranking){.relevant = ranker->relevant,
	                        .item = ranker->best,
	                        .relevant_count = mark_relevant(ranker, question),
	                        .auc = NAN};
	if (ret->relevant_count == 0)
		return;
	ret->length = topk_take(ranker->topk, ranker->depth, ranker->best);
	for (size_t i = 0; i < ret->length; i++)
		ranker->relevant[i] = ranker->mark[ranker->best[i]];
	if (ranker->wants_auc)
		ret->auc = user_auc(ranker, ret->relevant_count);
	for (size_t i = 0; i < question->target_count; i++)
		ranker->mark[question->target[i]] = 0;
}

void ranker_take(struct ranker *ranker, const struct given_ranking *given, struct ranking *ret) {
	double pairs = 2.0 * (double)given->relevant_count * given->others;
	*ret = (struct ranking){.relevant = ranker->relevant,
	                        .item = given->item,
	                        .length = given->length,
	                        .relevant_count = given->relevant_count,
	                        .auc = ranker->wants_auc && given->others > 0 ? given->twice / pairs : NAN};
	for (size_t i = 0; i < given->relevant_count; i++)
		ranker->mark[given->relevant[i]] = 1;
	for (size_t i = 0; i < given->length; i++)
		ranker->relevant[i] = ranker->mark[given->item[i]];
	for (size_t i = 0; i < given->relevant_count; i++)
		ranker->mark[given->relevant[i]] = 0;
}

// What the threads counted of one list, together.
static double value_of_list(const struct ranking_collector *collector, const struct collected *use) {
	for (size_t i = 0; i < collector->items; i++) {
		collector->times[i] = 0;
		for (size_t r = 0; r < collector->rankers_count; r++)
			collector->times[i] += collector->rankers[r].times[use->list * collector->items + i];
	}
	return use->metric->over_lists(&(struct lists){collector->items, collector->users, collector->times}, use->k);
}

void ranking_collector_result(const struct ranking_collector *collector, double *ret_values, size_t *ret_users,
                              size_t *ret_skipped) {
	for (size_t i = 0; i < collector->uses_count; i++) {
		const struct collected *use = &collector->uses[i];
		if (use->metric && use->metric->over_lists)
			ret_values[i] = value_of_list(collector, use);
		else
			ret_values[i] = use->metric && use->count ? use->sum / (double)use->count : NAN;
	}
	*ret_users = collector->users;
	*ret_skipped = collector->skipped;
}
