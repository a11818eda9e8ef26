// Which bucket a rating falls into: the one rule, for the matrices, the statistics and the use of a model. Ratings are
// stored as float, so thresholds are compared as float too: 3.7 stands below no rating that was written 3.7.
#ifndef AEXP_DATA_BUCKETS_H
#define AEXP_DATA_BUCKETS_H

#include <stddef.h>

// thresholds: (levels - 1), ascending. A rating at a threshold belongs below it.
static inline size_t bucket_of(const double *thresholds, size_t levels, float rating) {
	size_t bucket = 0;
	while (bucket + 1 < levels && rating > (float)thresholds[bucket]) {
		bucket++;
	}
	return bucket;
}

#endif
