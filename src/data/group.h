// Counting sort on several threads, without what is sorted: things are looked at in runs; every run counts its things
// of each number, and the sums over numbers and runs are where it puts them. Things of a number stay in their order,
// whatever the runs.
#ifndef AEXP_DATA_GROUP_H
#define AEXP_DATA_GROUP_H

#include "base/error.h"

#include <stdint.h>

struct group {
	size_t count, numbers; // things, and what they are grouped by
	size_t run, runs;      // things of a run; runs
	uint32_t *counts; // (runs, numbers) zeros, for the counts; then how many things of it stand before the run's own
};
// count below 2^32. ERROR_RUN where memory is out.
bool group_init(size_t count, size_t numbers, struct group *ret, struct error *error);
void group_finish(struct group *group);

// The things of run k are [group_start, group_end).
static inline size_t group_start(const struct group *group, size_t k) {
	return k * group->run;
}
static inline size_t group_end(const struct group *group, size_t k) {
	size_t end = (k + 1) * group->run;
	return end < group->count ? end : group->count;
}
static inline uint32_t *group_counts(const struct group *group, size_t k) {
	return group->counts + k * group->numbers;
}

// Once all is counted: the first place of each number, and the number of things behind them; start: (numbers + 1). The
// next thing of number n in run k then goes to start[n] + group_counts(k)[n]++.
void group_add_up(struct group *group, size_t *start);

#endif
