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
	const uint32_t *item;    // (length) the item at that place; NULL where nobody asks for it
	size_t length;           // min(largest k asked, candidates)
	size_t relevant_count;   // relevant items in all, > 0
	double auc;              // over all candidates; NAN where a class is missing or nobody asks for it
	const double *surprise;  // (items) see popularity.h; NULL where nobody asks for it
};

// Everyone's first k places together.
struct lists {
	size_t items, users;   // users: those who have a list
	const uint32_t *times; // (items) in how many of the lists an item stands
};

// One of the three functions is there; NAN where undefined.
struct metric {
	struct row row;
	bool higher_is_better;
	bool takes_k;                   // written name@k; the k is part of the name
	bool wants_auc, wants_surprise; // who wants surprise, or is about lists, asks for the items of rankings
	double (*over_cells)(const struct cells *cells);
	double (*over_ranking)(const struct ranking *ranking, size_t k); // of one user; the mean counts, less the undefined
	double (*over_lists)(const struct lists *lists, size_t k);
};
// Whether it is about rankings, not about cells.
static inline bool metric_ranks(const struct metric *metric) {
	return !metric->over_cells;
}
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

bool metric_uses_want_surprise(const struct metric_use *uses, size_t uses_count);
bool metric_uses_want_auc(const struct metric_use *uses, size_t uses_count);
// How many places of a ranking of so many items the metrics look at.
size_t metric_uses_depth(const struct metric_use *uses, size_t uses_count, size_t items);

// Collects rankings of many users: their values are found on the pool's threads and added in the order of the users,
// so that the means are the same for any number of threads. Users without a relevant candidate are skipped and counted.
struct ranking_collector;
// pool may be NULL, and must outlive the collector. ERROR_RUN when memory is out.
bool ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items, struct pool *pool,
                              struct ranking_collector **ret, struct error *error);
void ranking_collector_destroy(struct ranking_collector *collector); // NULL is fine
void ranking_collector_clear(struct ranking_collector *collector);   // forgets the users added so far
// What rankings are given from now on (items, or NULL); the collector keeps the pointer.
void ranking_collector_surprise(struct ranking_collector *collector, const double *surprise);

// Values of single users, for paired tests. Zero-initialise to start; arrays grow with the users.
struct user_values {
	uint32_t *user; // (count)
	double *value;  // (count, uses): NAN where undefined
	size_t count, room, uses;
};
double *user_values_add(struct user_values *values, uint32_t user); // (uses), all NAN; valid until the next call
void user_values_finish(struct user_values *values);
// From now on each user who counts is added, as the place among the users since ranking_collector_clear; NULL: no more.
void ranking_collector_keep(struct ranking_collector *collector, struct user_values *values);

// One thread's memory for ranking.
struct ranker {
	size_t items, depth; // depth = min(largest k asked, items): places that count
	struct topk *topk;
	uint8_t *mark;     // (items) all 0 between users
	uint32_t *best;    // (depth)
	uint8_t *relevant; // (depth)
	bool wants_auc;    // of every ranking
	bool wants_items;  // likewise
	int32_t *key;      // (items) where wants_auc: the relevant candidates' scores
	uint32_t *times;   // (lists of the collector, items) how often an item stood in the first k
};
// Ranks users 0 ... count - 1 and adds them. `rank` fills the ranking of one; it runs on any thread.
void ranking_collector_add(struct ranking_collector *collector, size_t count,
                           void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                           const void *context);

// The same in two steps, so that several threads can rank users of their own: users [first, first + count) of a
// portion, `rank` with indices from 0, as one of the pool's threads; then, when all are done, all `users` of the
// portion are added. Portions have at most RANKING_PORTION users.
enum { RANKING_PORTION = 1 << 14 };
void ranking_collector_rank(struct ranking_collector *collector, size_t member, size_t first, size_t count,
                            void (*rank)(const void *context, struct ranker *ranker, size_t index, struct ranking *ret),
                            const void *context);
void ranking_collector_join(struct ranking_collector *collector, size_t users);

// What a user is asked. Lists are of item indices, in any order; none has an item twice.
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

// A ranking that was made elsewhere, of the same order.
struct given_ranking {
	const uint32_t *item; // (length), at most as deep as the metrics look
	size_t length;
	const uint32_t *relevant; // (relevant_count) candidates
	size_t relevant_count;
	double twice, others; // pairs and other candidates, as rank_pairs of the seam has them
};
void ranker_take(struct ranker *ranker, const struct given_ranking *given, struct ranking *ret);

// The values over the users added so far, one a use (NAN for a cell metric, or where no user counted).
void ranking_collector_result(const struct ranking_collector *collector, double *ret_values, size_t *ret_users,
                              size_t *ret_skipped);

#endif
