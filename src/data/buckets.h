// Which bucket a rating falls into: the one rule, for the matrices, the statistics and the use of a model. Ratings are
// stored as float, so thresholds are compared as float too: 3.7 stands below no rating that was written 3.7.
#ifndef AEXP_DATA_BUCKETS_H
#define AEXP_DATA_BUCKETS_H

#include <stddef.h>

// thresholds: (levels - 1), ascending. A rating at a threshold belongs below it. All of them are counted: where to end
// would be a guess for the processor, and every other one wrong.
static inline size_t bucket_of(const double *thresholds, size_t levels, float rating) {
	size_t bucket = 0;
	for (size_t i = 0; i + 1 < levels; i++) {
		bucket += rating > (float)thresholds[i];
	}
	return bucket;
}

#endif
