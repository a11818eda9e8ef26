// L-BFGS (Nocedal 1980; Liu and Nocedal 1989): down a function of many numbers, an iteration at a time. What it knows
// between two iterations can be kept as bytes and taken again, and it goes on to the bit.
#ifndef AEXP_TRAIN_DESCENT_H
#define AEXP_TRAIN_DESCENT_H

#include "base/bytes.h"
#include "base/error.h"
#include "train/line.h"

// A step that was taken, and by how much the gradient changed over it.
struct correction {
	double *step, *change; // (n)
	double product, share; // of the two; of a direction, while that is made
};

struct descent {
	size_t n;
	const struct lbfgs_params *params;
	size_t iterations;              // so far; correction k % memory is of iteration k, from 0
	double value;                   // at x
	double *x, *gradient;           // (n)
	double *from, *from_gradient;   // (n) where the iteration began
	double *direction;              // (n)
	struct correction *corrections; // (params->memory), of which the last iterations' count
	double *past;                   // (params->past) values of the last iterations, value k at k % past; NULL: none
	bool begun;
};

enum descent_end {
	DESCENT_GOES_ON,
	DESCENT_STEEP_NO_MORE, // the gradient is short
	DESCENT_FALLS_NO_MORE, // over so many iterations
	DESCENT_STOPPED,       // by the function
};

// params outlive it. x is the caller's to fill before the first call of descent_begin.
bool descent_create(size_t n, const struct lbfgs_params *params, struct descent **ret, struct error *error);
void descent_destroy(struct descent *descent); // accepts NULL

// The function at x. Anything but DESCENT_GOES_ON ends it.
enum descent_end descent_begin(struct descent *descent, const struct slope *slope);
// One line search. LINE_FOUND: x, value and gradient are of the point that was found. Else x and gradient (and, where
// it was stopped, value) are of where it began, as if it had not been called.
enum line_end descent_search(struct descent *descent, const struct slope *slope);
// After a search that found a point: whether there is another one to come, and then its direction.
enum descent_end descent_turn(struct descent *descent);

double descent_size(size_t n, const struct lbfgs_params *params); // as bytes, at most
void descent_put(const struct descent *descent,
                 struct bytes_out *out); // after descent_turn, or a search that was stopped
// iterations: of the descent that was put, from 1. Fails (in->failed) where the bytes are of no such one. With `dry`
// they are only looked at.
void descent_take(struct descent *descent, size_t iterations, struct bytes_in *in, bool dry);

#endif
