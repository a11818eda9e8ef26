// Runs a piece of work on several threads at once and times it, for measurements: the best of several repeats.
#ifndef AEXP_BENCH_TEAM_H
#define AEXP_BENCH_TEAM_H

#include <stddef.h>

// Does the share of `thread`, 0 ... threads - 1.
typedef void team_work(void *context, size_t thread, size_t threads);

double team_now(void); // seconds of a monotonic clock

// The shortest time from the first thread's start to the last one's end, in seconds, over `repeats` runs, after one run
// that is not counted. NAN where a thread cannot be had.
double team_best(size_t threads, size_t repeats, team_work *work, void *context);

#endif
