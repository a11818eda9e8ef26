// The hash that names a data set by what is in it.
#ifndef AEXP_DATA_FINGERPRINT_H
#define AEXP_DATA_FINGERPRINT_H

#include "data/dataset.h"

// Of ids, ratings, times, parts, titles and attributes, each in the order of its index: not of paths, compression or
// the machine. Fills dataset->fingerprint.
void dataset_fingerprint(struct dataset *dataset);

#endif
