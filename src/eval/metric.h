// Metrics over cells (mse, auc, ...) and over rankings (ndcg@k, ...). Pure functions over arrays: they know no model.
// Definitions where libraries differ: docs/metrics.md.
#ifndef AEXP_EVAL_METRIC_H
#define AEXP_EVAL_METRIC_H

#include "base/pool.h"
#include "config/schema.h"
#include "data/csr.h"

// All target cells of one part, in the order of its csr.
struct cells {
	size_t count;
	const float *prediction; // (count)
	const float *target;     // (count) after buckets
	const uint8_t *liked;    // (count)
	const double *levels;    // (levels_count) ascending: the values a target may take, for accuracy
	size_t levels_count;
	struct pool *pool; // may be NULL; values do not depend on it
};

// One user's ranking: the first `length` candidates by score, and what was relevant among all candidates.
struct ranking {
	const uint8_t *relevant; // (length) 1 where the item at that place is relevant, else 0
	size_t length;           // min(largest k asked, candidates)
	size_t relevant_count;   // relevant items in all, > 0
};

struct metric {
	struct row row;
	bool higher_is_better;
	bool takes_k;                                                    // written name@k; the k is part of the name
	double (*over_cells)(const struct cells *cells);                 // NAN where undefined; NULL for a ranking metric
	double (*over_ranking)(const struct ranking *ranking, size_t k); // of one user
};
extern const struct registry metric_registry;

// A metric as an experiment names it.
struct metric_use {
	const struct metric *metric;
	size_t k;         // 0 where it takes none
	const char *name; // "ndcg@10"
};
// Parses "mse", "ndcg@10"; on failure appends to errors (unknown name with did-you-mean, missing or needless @k, k <
// 1).
bool metric_use_read(const char *text, struct origin at, struct arena *arena, struct metric_use *ret,
                     struct errors *errors);

// Collects rankings of many users: their values are found on the pool's threads and added in the order of the users,
// so that the means are the same for any number of threads. Users without a relevant candidate are skipped and counted.
struct ranking_collector;
// pool may be NULL, and must outlive the collector. ERROR_RUN when memory is out.
bool ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items, struct pool *pool,
                              struct ranking_collector **ret, struct error *error);
void ranking_collector_destroy(struct ranking_collector *collector); // NULL is fine
void ranking_collector_clear(struct ranking_collector *collector);   // forgets the users added so far

// One thread's memory for ranking.
struct ranker {
	size_t items, depth; // depth = min(largest k asked, items): places that count
	struct topk *topk;
	uint8_t *mark;     // (items) all 0 between users
	uint32_t *best;    // (depth)
	uint8_t *relevant; // (depth)
};
// Ranks users 0 ... count - 1 and adds them. `rank` fills the ranking of one; it runs on any thread.
void ranking_collector_add(struct ranking_collector *collector, size_t count,
                           void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                           const void *context);

// What a user is asked. Lists are of item indices, in any order.
struct question {
	const float *scores; // (items)
	const uint32_t *target;
	const uint8_t *liked; // (target_count) which of them are relevant
	size_t target_count;
	struct {
		const uint32_t *items;
		size_t count;
	} excluded[2]; // no candidates
};
// For `rank`: by score, the highest first; ties go to the lower item index.
void ranker_answer(struct ranker *ranker, const struct question *question, struct ranking *ret);

// The means over the users added so far, one a use (NAN for a cell metric, or where no user counted).
void ranking_collector_result(const struct ranking_collector *collector, double *ret_means, size_t *ret_users,
                              size_t *ret_skipped);

#endif
