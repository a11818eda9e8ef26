// Whether a data set has a pair of user and item more than once. Most have none, and this is all that is asked of them.
#ifndef AEXP_DATA_REPEATS_H
#define AEXP_DATA_REPEATS_H

#include "data/dataset.h"

// On the threads of the data set's pool. ERROR_RUN where memory is out.
bool repeats_exist(const struct dataset *dataset, bool *ret, struct error *error);

#endif
