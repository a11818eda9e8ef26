// The popularity yardstick: the same ranking of items, by number of train entries, for everyone.
#ifndef AEXP_EVAL_POPULARITY_H
#define AEXP_EVAL_POPULARITY_H

#include "data/data.h"
#include "eval/metric.h"

// Adds every user who has a target entry in the part, in order. Candidates are all items less the user's input and,
// where valid_excluded is given, its targets. ERROR_RUN when memory is out.
bool popularity_collect(const struct matrices *matrices, const struct part *part, const struct part *valid_excluded,
                        struct ranking_collector *collector, struct error *error);

// How surprising each item is (items): -log2 of the share of training users who have it, an item that nobody has
// counting as one that one user has. NULL and ERROR_RUN when memory is out; free() it.
double *surprise_create(const struct matrices *matrices, struct error *error);
// Train entries of each item (items); likewise.
uint32_t *popularity_counts(const struct matrices *matrices, struct error *error);

#endif
