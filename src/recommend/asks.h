// What users are asked about: JSON lines or CSV, told apart by the first character that is not blank.
//   {"id": "new1", "ratings": {"50": 5, "181": 4}, "user": {"gender": "F"}, "items": ["64"]}
//   id,item,rating,gender      (a header; the lines of a user stand together; other columns are attributes)
// `items` are asked about in predictions; in CSV those of lines without a rating. There a user of whom nothing but an
// id is said is one of the run's data.
#ifndef AEXP_RECOMMEND_ASKS_H
#define AEXP_RECOMMEND_ASKS_H

#include "base/error.h"
#include "base/memory.h"
#include "recommend/aexp.h"

#include <stdio.h>

// Bytes that one line, and all that is said of one user, may take; a user has rated less.
enum { ASKS_USER_MOST = 1 << 26, ASKS_ATTRIBUTES_MOST = 4096 };

struct ask {
	struct aexp_user user;
	bool known; // of the run's data
};
enum asks_form { ASKS_UNKNOWN, ASKS_JSON, ASKS_CSV };
// Zero-initialise with what the caller sets; asks_close frees.
struct asks {
	FILE *from;
	const char *name;    // for messages
	bool predicts;       // items are asked about
	enum asks_form form; // ASKS_UNKNOWN: told by the first line
	size_t number;       // lines before the next one
	// its own
	char *line; // (length)
	size_t line_capacity, length;
	size_t taken; // bytes of lines that the ask at hand, and those before it in one call, are made of
	bool held;    // the line is the next one to be read
	struct arena header;
	const char **columns;                   // (columns_count) of CSV
	size_t columns_count, id, item, rating; // rating: columns_count where there is none
};
// Up to `most` of them, in the arena; fewer where they have ASKS_USER_MOST bytes together, and none at the end alone.
// ERROR_DATA with the line; also where one user has more than those bytes.
bool asks_next(struct asks *asks, size_t most, struct arena *arena, struct ask **ret, size_t *ret_count,
               struct error *error);
void asks_close(struct asks *asks);

#endif
