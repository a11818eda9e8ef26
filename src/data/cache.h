// Data sets that were read before, kept in a form that is mapped and used nearly as it lies there. A cache is found by
// what it was made from: the bytes of the files, the format, the keys that change what reading gives, and the version
// of the reader. A changed file has another key, so that an old cache is never used for it.
#ifndef AEXP_DATA_CACHE_H
#define AEXP_DATA_CACHE_H

#include "data/data.h"

// The key of what config reads; all files that it names are read through once. False where there is none: data that is
// made, or a file that cannot be read (loading will say why).
bool cache_key(const struct data_config *config, struct pool *pool, char ret_key[HASH_HEX]);

// Maps the cache of that key in the folder. False where there is none; then *error holds a message if one is there but
// is damaged, and its code is ERROR_NONE otherwise.
bool cache_read(const char *folder, const char *key, struct pool *pool, struct dataset *ret, struct error *error);

// Leaves the data set there, under a temporary name first; the folder is made where it is not there. What was used
// longest ago is removed until all caches take at most CACHE_BYTES_MAX. ERROR_RUN where it cannot be written.
#define CACHE_BYTES_MAX ((size_t)8 << 30)
bool cache_write(const char *folder, const char *key, const struct dataset *dataset, struct error *error);

#endif
