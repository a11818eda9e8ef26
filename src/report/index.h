// The index of a results folder, results/.index.sqlite: what was read from run folders, so that ten thousand of them
// are listed without opening a file of theirs. Never the truth: a row counts only while the stamp of its folder is the
// one that was seen when the row was made, and every row carries a hash of itself. What is missing, stale or damaged is
// read from the folder again and written back where that can be done.
#ifndef AEXP_REPORT_INDEX_H
#define AEXP_REPORT_INDEX_H

#include "base/pool.h"
#include "report/runs.h"

#include <stdint.h>

// Time of change in ns of the folder; then time of change, size and inode of each file that a row is made of.
enum { INDEX_FILES = 4, INDEX_STAMP = 1 + 3 * INDEX_FILES };

struct run_place {
	const char *name, *id, *folder;
	int64_t stamp[INDEX_STAMP];
	bool fresh; // changed so shortly ago that it may change again without another stamp: it is not kept
};
// Fills entries[i] for places[i] (count, by name, then id): from the index, or by `read`. Strings in the arena. *note
// says why the index could not be used or written, which fails nothing; code ERROR_NONE where it could. `read` is
// called on the pool's threads (NULL: on this one).
void index_read(const char *results, const struct run_place *places, size_t count, struct pool *pool,
                struct arena *arena,
                void (*read)(struct arena *arena, const struct run_place *place, struct run_entry *ret),
                struct run_entry *entries, struct error *note);

#endif
