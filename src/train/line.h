// Line searches: how far to go from a point in a direction, so that a function falls enough.
#ifndef AEXP_TRAIN_LINE_H
#define AEXP_TRAIN_LINE_H

#include "nn/op.h"

// A function of many numbers.
struct slope {
	void *context;
	// Writes its value at x (n) and its gradient there (n). False: the search is to end.
	bool (*at)(void *context, const double *x, double *ret_gradient, double *ret_value);
};

struct line {
	size_t n;
	const double *from, *direction; // (n)
	double *x, *gradient;           // (n) the point that was looked at last; before, of `from`
	double value, step;             // of the function there; to try first, then the one that was found
};

enum line_end {
	LINE_FOUND,
	LINE_STOPPED,   // by the function
	LINE_RISES,     // in that direction
	LINE_ROUNDING,  // no step between two that differ by rounding alone
	LINE_NARROW,    // the same, by the width between them
	LINE_SHORT,     // no step is short enough
	LINE_LONG,      // none is long enough
	LINE_EXHAUSTED, // not within so many evaluations
	LINE_NO_STEP,   // a first step of 0 or less
	LINE_ENDS,
};
extern const char *const line_ends[LINE_ENDS]; // in words

// At most so many evaluations, from 1. Unless it is found, x is anywhere.
enum line_end line_search(struct line *line, const struct slope *slope, enum search_kind kind, size_t most);

double vector_dot(const double *a, const double *b, size_t n);
void vector_add(double *to, const double *a, double factor, size_t n); // to += factor a

#endif
