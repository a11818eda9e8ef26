// Cells without a rating that count as targets of value 0: drawn for each row anew at each epoch, by counter, so that
// what is drawn depends on (stream, epoch, row of the data) alone.
#ifndef AEXP_NN_NEGATIVES_H
#define AEXP_NN_NEGATIVES_H

#include "base/random.h"
#include "tensor/real.h"

#include <stdbool.h>
#include <stddef.h>

struct negatives {
	struct random_stream stream;
	size_t per_entry; // drawn for each stored entry
	uint32_t epoch;
};

// How many entries a row of `count` stored ones has with its negatives: no more than it has columns.
size_t negatives_entries(const struct negatives *negatives, size_t count, size_t columns);
// Words of the scratch memory of negatives_merge.
size_t negatives_words(size_t columns);
// The row's stored entries and negatives, by ascending column; the draws are uniform over the columns that are not
// stored, none twice. bits: (negatives_words(columns)), 0 before and after. Writes and returns negatives_entries of
// them.
size_t negatives_merge(const struct negatives *negatives, uint32_t row, const uint32_t *column, const real *value,
                       size_t count, size_t columns, uint64_t *bits, uint32_t *ret_column, real *ret_value);

#endif
