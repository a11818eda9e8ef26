// data.filter: ratings up to `above` are left out, then what has too few ratings is removed until nothing more goes.
#ifndef AEXP_DATA_FILTER_H
#define AEXP_DATA_FILTER_H

#include "data/data.h"

// part: (dataset->count); ratings that go become SPLIT_DROPPED, the others are left as they are. filter NULL keeps all.
// ERROR_DATA when nothing is left.
bool filter_apply(const struct filter_config *filter, const struct dataset *dataset, uint8_t *part,
                  struct error *error);
// Whether a rating is above the filter's threshold (compared as float, as ratings are stored); filter may be NULL.
bool filter_keeps(const struct filter_config *filter, float rating);

#endif
