// Pieces of data_check that formats use too.
#ifndef AEXP_DATA_CHECK_H
#define AEXP_DATA_CHECK_H

#include "data/data.h"

// A separator must be something, and neither a line end nor, where fields may be quoted, a quote. `key` is its dotted
// name.
void check_separator(const char *separator, const char *key, bool quotes, const struct value *root,
                     struct errors *errors);
// Whether the split names the files of ratings itself.
bool check_split_files(const struct data_config *config);

#endif
