// A question, one user a line as `aexp recommend --json` and `aexp predict --json` read them, and its answer, the very
// bytes that these print.
#ifndef AEXP_SERVE_INQUIRY_H
#define AEXP_SERVE_INQUIRY_H

#include "base/error.h"
#include "base/memory.h"
#include "recommend/aexp.h"

enum { INQUIRY_MOST = 1 << 20 };      // bytes
enum { INQUIRY_ROWS_MOST = 4096 };    // rows that the model computes: the users', with reasons one more a rating
enum { INQUIRY_LIST_MOST = 1 << 16 }; // items of all lists together
enum { INQUIRY_TOP_MOST = 1000 };     // items of a list

// What became of it, as HTTP says it.
enum status {
	STATUS_GOOD = 200,
	STATUS_BAD = 400, // the question makes no sense
	STATUS_UNKNOWN = 404,
	STATUS_METHOD = 405,
	STATUS_LATE = 408,
	STATUS_TOO_MUCH = 413,
	STATUS_FAILED = 500,
	STATUS_BUSY = 503,
};

struct inquiry {
	bool predicts;
	struct aexp_how how;
	const char *from; // for messages
	size_t before;    // lines that came before these
};
// top, include_rated, strict, explain, as words. ERROR_CONFIG: there is none by that name, or it has no such value.
bool inquiry_set(struct inquiry *inquiry, const char *name, const char *value, struct error *error);
// A line for each user behind what is in the text; what is there where it fails is of no use.
enum status inquiry_answer(struct aexp_model *model, const struct inquiry *inquiry, const char *lines, size_t length,
                           struct text *ret, struct error *error);
// {"error": "...", "hint": "...", "line": 2}
void inquiry_refuse(const struct error *error, struct text *ret);

#endif
