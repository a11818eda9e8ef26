// Metrics over cells (mse, auc, ...) and over rankings (ndcg@k, ...). Pure functions over arrays: they know no model.
// Definitions where libraries differ: docs/metrics.md.
#ifndef AEXP_EVAL_METRIC_H
#define AEXP_EVAL_METRIC_H

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

// Collects rankings user by user. Ties go to the lower item index; users without a relevant candidate are skipped and
// counted.
struct ranking_collector;
struct ranking_collector *ranking_collector_create(const struct metric_use *uses, size_t uses_count, size_t items);
// scores: (items); excluded: ascending item indices that are no candidates; relevant: ascending item indices.
void ranking_collector_add(struct ranking_collector *collector, const float *scores, const uint32_t *excluded,
                           size_t excluded_count, const uint32_t *relevant, size_t relevant_count);
// For a caller that knows the order without scores: `ranking` holds the first min(depth, candidates) places; a
// relevant_count of 0 is skipped and counted. depth = min(largest k asked, items).
size_t ranking_collector_depth(const struct ranking_collector *collector);
void ranking_collector_add_ranking(struct ranking_collector *collector, const struct ranking *ranking);
// The means over the users added so far, one a use (NAN for a cell metric, or where no user counted).
void ranking_collector_result(const struct ranking_collector *collector, double *ret_means, size_t *ret_users,
                              size_t *ret_skipped);
void ranking_collector_destroy(struct ranking_collector *collector);

// Several collectors that were filled for consecutive blocks of users are added in order: deterministic for any
// threads.
void ranking_collector_merge(struct ranking_collector *into, const struct ranking_collector *from);

#endif
