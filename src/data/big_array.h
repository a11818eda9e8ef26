// Arrays as long as the data.
#ifndef AEXP_DATA_BIG_ARRAY_H
#define AEXP_DATA_BIG_ARRAY_H

#include "base/error.h"

#include <stddef.h>

// Like memory_array, but the memory is not zeroed, so that its pages are first touched by whoever fills them, and comes
// in huge pages where the system has them: first touches cost more than reading text. free() releases it.
void *big_array(size_t count, size_t size, const char *what, struct error *error);

#endif
