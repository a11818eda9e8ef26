// The rows of format_registry, one file each. A new format is one file, one line here and one line in config.c.
#ifndef AEXP_DATA_FORMATS_H
#define AEXP_DATA_FORMATS_H

#include "data/data.h"
#include "data/movielens.h"

extern const struct format format_synthetic;
extern const struct format format_delimited;
extern const struct movielens_format format_movielens_100k;
extern const struct movielens_format format_movielens_1m;
extern const struct movielens_format format_movielens_csv;

#endif
