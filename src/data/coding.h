// Side information as a sparse feature matrix.
#ifndef AEXP_DATA_CODING_H
#define AEXP_DATA_CODING_H

#include "data/data.h"

// Fills ret->features, coding and coding_count from the attributes of the rows; row_of: (rows) index of a row in the
// attributes. ret->train and ret->arena must be there. Does nothing where there are no attributes.
// Names of columns and levels are not copied: they live as long as the data set.
bool coding_create(const struct attributes *attributes, const uint32_t *row_of, struct matrices *ret,
                   struct error *error);

#endif
