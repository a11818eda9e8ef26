// Reads files of ratings, one line a rating, into a data set; and what is known only while that goes on.
#ifndef AEXP_DATA_RATINGS_H
#define AEXP_DATA_RATINGS_H

#include "base/pool.h"
#include "data/data.h"
#include "data/ratings_block.h"

enum { LOADING_BLOCK = 1 << 20 }; // bytes of text that one thread reads at a time

// Lives in dataset->loading until duplicates are settled.
struct loading {
	struct pool *pool;          // NULL: one thread
	size_t block_bytes;         // LOADING_BLOCK, and less in tests; never changes a result
	size_t capacity;            // of the data set's arrays, in ratings
	bool parts;                 // split `files`: dataset->part is filled
	uint32_t blocks;            // read so far
	struct intern users, items; // of the data set that owns this; zeroed until the first file
	struct line_runs lines;     // of all ratings
	struct {
		char *name;
		size_t first; // rating
	} files[PARTS];   // in the order of reading
	size_t files_count;
};
struct loading *loading_create(struct pool *pool, size_t block_bytes); // 0: LOADING_BLOCK
void loading_destroy(struct loading *loading);                         // NULL is fine
// Where a rating was read; unknown for ratings that were made, not read.
struct origin loading_at(const struct loading *loading, size_t rating);

// The layout of a file of ratings.
struct ratings_layout {
	struct lines_layout lines;
	bool header;
	struct column_ref user, item, rating, time; // time may be left out
};

// Appends the ratings of a file to ret, whose `loading` is set; path and want as in input_open. ERROR_DATA with file
// and line: a missing column, too few fields, an empty id, a rating that is no finite number, a file without ratings...
bool ratings_read(const char *path, const char *want, const struct ratings_layout *layout, uint8_t part,
                  struct dataset *ret, struct error *error);

#endif
