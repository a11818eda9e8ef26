// Metrics over one user's ranking, with binary relevance; their mean over users is the collector's business.
// Formulas and where libraries differ: docs/metrics.md.
#include "eval/metrics.h"

#include <math.h>

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
