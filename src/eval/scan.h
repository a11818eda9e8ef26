// The k best of rows whose scores come in pieces, a few columns of many rows at a time, so that a row need never lie in
// memory as a whole. What is not above the k-th best so far is passed over by comparisons alone. Order: higher score
// first, of equal ones the lower item; what is NaN or -infinity is never chosen.
//
// A row may begin with a bound that it is expected to surpass, so that little is collected in vain; whether it did is
// known at the end.
//
// A score may be a function of what the pieces hold (an activation), rising but not strictly: it is computed only of
// what may be chosen.
#ifndef AEXP_EVAL_SCAN_H
#define AEXP_EVAL_SCAN_H

#include "eval/topk.h"
#include "eval/topk_kernels.h"

// Scores of values, element by element.
struct scan_function {
	void (*of)(const void *context, float *value, size_t count, float *ret_score);
	const void *context;
	float error; // what it may score less, relatively, than it does for a lesser value: it rises but for rounding
};

struct scan_row {
	float least;           // only what is above may be chosen
	float expected;        // the score of what it began with; NAN: nothing was expected
	struct topk_list list; // candidates by ascending item, and what the pieces had of them
};

// Memory for some rows at a time; one for each thread.
struct scan {
	struct topk topk; // of a row's candidates
	size_t k, room;   // room: for candidates of a row
	size_t rows;      // that are scanned
	struct scan_row *row;
	uint32_t *item;                // (rows, room) of the rows' lists
	float *value;                  // (rows, room)
	float *score;                  // (room) where there is a function
	uint32_t *chosen;              // (2 k)
	struct scan_function function; // .of NULL: scores are the values
};

// ERROR_RUN when memory is out; scan_finish accepts what is zeroed or half made.
bool scan_init(struct scan *scan, size_t rows, size_t k, struct scan_function function, struct error *error);
void scan_finish(struct scan *scan);

void scan_begin(struct scan *scan, size_t rows);
// What is no candidate of a row, ascending; it stays the caller's. Once, before its first piece.
void scan_leave_out(struct scan *scan, size_t row, const uint32_t *items, size_t count);
// What the row's values of `count` items, in any order, will be, or nearly so; excluded: places among them of what is
// no candidate. Before its first piece.
enum { SCAN_EXPECTED_MOST = 384 };
void scan_expect(struct scan *scan, size_t row, const float *values, size_t count, const uint32_t *excluded,
                 size_t excluded_count);
// Columns [first, first + count) of a row, later ones behind earlier ones. values: (count, padded with -infinity to a
// multiple of SCAN_BLOCK).
enum { SCAN_BLOCK = TOPK_BLOCK };
void scan_add(struct scan *scan, size_t row, size_t first, const float *values, size_t count);
// The best first; returns how many. *ret_sure false: the row is below what was expected of it, and is to be scanned
// again without that.
size_t scan_take(struct scan *scan, size_t row, uint32_t *ret_items, float *ret_scores, bool *ret_sure);

#endif
