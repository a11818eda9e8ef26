// Metrics over one user's ranking, with binary relevance; their mean over users is the collector's business. And over
// everyone's lists together.
// Formulas and where libraries differ: docs/metrics.md.
#include "eval/metrics.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static size_t smaller(size_t a, size_t b) {
	return a < b ? a : b;
}

// How many of the first k are relevant.
static size_t hits(const struct ranking *ranking, size_t k) {
	size_t count = 0;
	for (size_t i = 0; i < smaller(k, ranking->length); i++)
		count += ranking->relevant[i];
	return count;
}

// The gain of a relevant item at the 0-based place i: 1 / log2(rank + 1) (Jarvelin and Kekalainen, ACM TOIS 20, 2002).
static double discount(size_t i) {
	return 1.0 / log2((double)i + 2.0);
}

// DCG of the first k over the DCG of the best order there is: relevant items in the first min(k, relevant) places.
static double ndcg_over_ranking(const struct ranking *ranking, size_t k) {
	double gain = 0, ideal = 0;
	for (size_t i = 0; i < smaller(k, ranking->length); i++)
		if (ranking->relevant[i])
			gain += discount(i);
	for (size_t i = 0; i < smaller(k, ranking->relevant_count); i++)
		ideal += discount(i);
	return gain / ideal;
}

// hits / relevant items: can stay below 1 where there are more than k relevant items
static double recall_over_ranking(const struct ranking *ranking, size_t k) {
	return (double)hits(ranking, k) / (double)ranking->relevant_count;
}

// hits / k, also where there are fewer than k candidates
static double precision_over_ranking(const struct ranking *ranking, size_t k) {
	return (double)hits(ranking, k) / (double)k;
}

// Average precision: the precision at each hit of the first k, summed, over min(k, relevant).
static double map_over_ranking(const struct ranking *ranking, size_t k) {
	double sum = 0;
	size_t found = 0;
	for (size_t i = 0; i < smaller(k, ranking->length); i++)
		if (ranking->relevant[i])
			sum += (double)++found / (double)(i + 1);
	return sum / (double)smaller(k, ranking->relevant_count);
}

// 1 / rank of the first hit, 0 where the first k hold none
static double mrr_over_ranking(const struct ranking *ranking, size_t k) {
	for (size_t i = 0; i < smaller(k, ranking->length); i++)
		if (ranking->relevant[i])
			return 1.0 / (double)(i + 1);
	return 0;
}

// 1 where the first k hold a relevant item
static double hit_over_ranking(const struct ranking *ranking, size_t k) {
	return hits(ranking, k) > 0;
}

// hits / min(k, relevant items): the recall of Mult-VAE's code (Liang et al., WWW 2018)
static double recall_capped_over_ranking(const struct ranking *ranking, size_t k) {
	return (double)hits(ranking, k) / (double)smaller(k, ranking->relevant_count);
}

static double user_auc_over_ranking(const struct ranking *ranking, size_t k) {
	(void)k;
	return ranking->auc;
}

// Mean surprise of the first k (Zhou et al., PNAS 107, 2010); fewer candidates than k are averaged as they are.
static double novelty_over_ranking(const struct ranking *ranking, size_t k) {
	size_t length = smaller(k, ranking->length);
	double sum = 0;
	for (size_t i = 0; i < length; i++)
		sum += ranking->surprise[ranking->item[i]];
	return length ? sum / (double)length : NAN;
}

// Share of all items that stand in someone's list.
static double coverage_over_lists(const struct lists *lists, size_t k) {
	size_t covered = 0;
	(void)k;
	for (size_t i = 0; i < lists->items; i++)
		covered += lists->times[i] > 0;
	return lists->users ? (double)covered / (double)lists->items : NAN;
}

static int ascending(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

// Gini index of how often each item stands in a list, over n items in ascending order of their times t, from i = 1:
// sum (2 i - n - 1) t_i / (n sum t). 0: all equally often; near 1: a few alone.
static double gini_over_lists(const struct lists *lists, size_t k) {
	uint32_t *times = memory_alloc((lists->items + 1) * sizeof(*times));
	double weighted = 0, sum = 0, n = (double)lists->items;
	(void)k;
	for (size_t i = 0; i < lists->items; i++)
		times[i] = lists->times[i];
	qsort(times, lists->items, sizeof(*times), ascending);
	for (size_t i = 0; i < lists->items; i++) {
		weighted += (2 * (double)(i + 1) - n - 1) * (double)times[i];
		sum += (double)times[i];
	}
	free(times);
	return sum > 0 ? weighted / (n * sum) : NAN;
}

#define RANKING_METRIC(id, text)                                                                                       \
	const struct metric metric_##id = {                                                                                \
	    .row = {.name = #id, .doc = text},                                                                             \
	    .higher_is_better = true,                                                                                      \
	    .takes_k = true,                                                                                               \
	    .over_ranking = id##_over_ranking,                                                                             \
	};

RANKING_METRIC(ndcg, "Discounted gain of the first k over the best possible; binary relevance, log2 discount")
RANKING_METRIC(recall, "Share of the relevant items that the first k hold; the denominator is all of them")
RANKING_METRIC(precision, "Share of the first k places that hold a relevant item")
RANKING_METRIC(map, "Mean over users of the average precision of the first k, over min(k, relevant)")
RANKING_METRIC(mrr, "Mean over users of 1 / rank of the first relevant item, 0 beyond k")
RANKING_METRIC(hit, "Share of users with at least one relevant item in the first k")
RANKING_METRIC(recall_capped, "Hits among the first k over min(k, relevant): the recall of Mult-VAE's code")

const struct metric metric_user_auc = {
    .row = {.name = "user_auc",
            .doc = "Mean over users of the probability that a relevant candidate ranks above another, ties count half"},
    .higher_is_better = true,
    .wants_auc = true,
    .over_ranking = user_auc_over_ranking,
};

const struct metric metric_novelty = {
    .row = {.name = "novelty",
            .doc = "Mean of -log2 of the share of training users that have the item, over the first k"},
    .higher_is_better = true,
    .takes_k = true,
    .wants_surprise = true,
    .over_ranking = novelty_over_ranking,
};

const struct metric metric_coverage = {
    .row = {.name = "coverage", .doc = "Share of all items that stand among the first k of some user"},
    .higher_is_better = true,
    .takes_k = true,
    .over_lists = coverage_over_lists,
};

const struct metric metric_gini = {
    .row = {.name = "gini",
            .doc = "Gini index of how often each item stands among users' first k: 0 equally often, 1 one item alone"},
    .takes_k = true,
    .over_lists = gini_over_lists,
};
