// For targets that end in a data set: the text of a `data` group to its keys, and what a data set promises.
#ifndef AEXP_TESTS_FUZZ_DATASET_H
#define AEXP_TESTS_FUZZ_DATASET_H

#include "fuzz.h"

#include "data/data.h"

// Keys that are good; in the process's memory. Paths are relative to fuzz_folder().
const struct data_config *fuzz_data_keys(const char *text);
// Loads, also in blocks of a few bytes, which must give the same; what loads is sound, and makes matrices.
void fuzz_load(const struct data_config *config);
// Places, values, side information within bounds; matrices and statistics can be made of it. made: here, so that ids
// are found as well; someone else's table may say what it likes.
void fuzz_require_sound(const struct data_config *config, const struct dataset *data, bool made);

#endif
