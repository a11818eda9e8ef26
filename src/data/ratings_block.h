// Reads one block of a file of ratings that lies in memory.
#ifndef AEXP_DATA_RATINGS_BLOCK_H
#define AEXP_DATA_RATINGS_BLOCK_H

#include "data/intern.h"
#include "data/lines.h"

enum rating_role { ROLE_USER, ROLE_ITEM, ROLE_RATING, ROLE_TIME, ROLES };
enum { ROLE_NONE = ROLES, FAST_COLUMNS = 8, FAST_SEPARATOR = 8 };
extern const char *const rating_role_names[ROLES];

// Where in a line each thing stands.
struct rating_columns {
	bool used[ROLES];
	size_t place[ROLES]; // of the field, from 0
	// For the quick way, which knows only fields near the beginning of a line:
	uint8_t role[FAST_COLUMNS]; // of the fields in front, ROLE_NONE for those that are passed over
	size_t count;               // of them; 0: there is no quick way
	size_t separator_length;
	uint64_t separator, mask; // its bytes as they lie in memory, and which bytes of a word they are
};
// Fills what the quick way needs from used and place.
void rating_columns_settle(struct rating_columns *columns, const struct lines_layout *lines);

// Line numbers: from `rating` on (up to the next run), rating i stands on line i + (line - rating).
struct line_run {
	size_t rating, line;
};
struct line_runs {
	struct line_run *items; // (count)
	size_t count, capacity;
};
void line_runs_add(struct line_runs *runs, size_t rating, size_t line);

// One block. What is not said to be found is given.
struct ratings_block {
	const struct rating_columns *columns;
	struct intern *users, *items;
	struct lines lines; // over the text up to its end, at the block's first line. The first line of a file is line 1,
	                    // that of any other block too, until the blocks before it are known
	bool first;         // of the file
	size_t until;       // bytes of the text: lines that begin there or later are not the block's
	size_t place;       // in the arrays, of the block's first rating
	uint32_t *user, *item; // codes; see intern.h
	float *rating;
	int64_t *time; // NULL: none

	struct intern_block user_ids, item_ids; // found, like all that follows
	size_t count;                           // ratings
	struct line_runs runs;                  // of ratings counted from the block's first
	struct error *error;                    // the first one, its line counted like those of `lines`; NULL
};
void ratings_block_read(struct ratings_block *block);
void ratings_block_finish(struct ratings_block *block);

#endif
