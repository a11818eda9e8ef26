// Exact lazy updates: what a weight and its optimizer's state become after k steps in which the loss gave it no
// gradient, by a few factors of k instead of k updates. Every step here is linear in the weight w and the state v:
//   sgd      v' = m v - a w, w' = w + c v' - N a w, with momentum m, a = 2 rate l2, N = 1 for Nesterov's form or 0, and
//            c = N m + 1 - N: the k-th power of a 2x2 matrix. l2 = 0: v m^k and w + v c m (1 - m^k) / (1 - m);
//            m = 0: w (1 - a)^k
//   adagrad  nothing
//   rmsprop, adadelta: the states times decay^k
// Not here, since there is no closed form: adam and adamw (a root of the state divides each step), and L2 under any
// optimizer but sgd; nor rprop, each of whose steps is of all rows. The rate must be the same in all k steps where
// l2 > 0; elsewhere it plays no part.
//
// A wait of k steps rounds once where k dense updates round k times; catching up in two parts rounds twice.
#ifndef AEXP_TENSOR_WAITING_H
#define AEXP_TENSOR_WAITING_H

#include "tensor/elementwise.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The factors of one k: w' = w + weight w + weight_state v, v' = state_weight w + state v. `weight` is the factor less
// 1, so that the small decay of a short wait is not lost to rounding: the error is relative to w before the wait.
struct waiting {
	real weight, weight_state;
	real state_weight, state;
};

// The same in double: the steps' matrix and its powers.
struct waiting_power {
	double weight, weight_state;
	double state_weight, state;
};

// Whether the factors exist. l2 is the loss's: each step adds 2 l2 w to the gradient.
AEXP_INLINE bool waiting_exact(enum optimizer_id id, real l2) {
	switch (id) {
	case OPTIMIZER_SGD:
		return true;
	case OPTIMIZER_ADAGRAD:
	case OPTIMIZER_RMSPROP:
	case OPTIMIZER_ADADELTA:
		return l2 == 0;
	case OPTIMIZER_ADAM:
	case OPTIMIZER_ADAMW:
	case OPTIMIZER_RPROP:
	case OPTIMIZER_COUNT:
		break;
	}
	return false;
}

// Whether a wait changes anything; where it does not, nobody needs to count the steps.
AEXP_INLINE bool waiting_changes(enum optimizer_id id, const struct optimizer_numbers *n, real l2) {
	return id != OPTIMIZER_ADAGRAD && (id != OPTIMIZER_SGD || n->decay != 0 || l2 != 0);
}

// The product of two powers of one matrix.
AEXP_INLINE struct waiting_power waiting_product(const struct waiting_power *p, const struct waiting_power *q) {
	return (struct waiting_power){
	    p->weight + q->weight + p->weight * q->weight + p->weight_state * q->state_weight,
	    q->weight_state + p->weight * q->weight_state + p->weight_state * q->state,
	    p->state_weight + p->state_weight * q->weight + p->state * q->state_weight,
	    p->state_weight * q->weight_state + p->state * q->state,
	};
}

// By squaring: some log2 k roundings, whether the matrix's eigenvalues are real, equal or complex.
AEXP_INLINE struct waiting_power waiting_sgd(const struct optimizer_numbers *n, real l2, uint64_t k) {
	const double m = (double)n->decay, nesterov = (double)n->nesterov, c = nesterov * m + 1 - nesterov;
	const double a = (double)n->rate * (2 * (double)l2);
	struct waiting_power step = {-a * (c + nesterov), c * m, -a, m}, ret = {0, 0, 0, 1};
	for (; k; k /= 2) {
		if (k % 2)
			ret = waiting_product(&step, &ret);
		step = waiting_product(&step, &step);
	}
	return ret;
}

// The factors of k steps; waiting_exact must hold.
AEXP_INLINE struct waiting waiting_make(enum optimizer_id id, const struct optimizer_numbers *n, real l2, uint64_t k) {
	assert(waiting_exact(id, l2));
	struct waiting_power p = {0, 0, 0, 1};
	if (id == OPTIMIZER_SGD)
		p = waiting_sgd(n, l2, k);
	else if (id != OPTIMIZER_ADAGRAD)
		p.state = pow((double)n->decay, (double)k);
	return (struct waiting){(real)p.weight, (real)p.weight_state, (real)p.state_weight, (real)p.state};
}

// The factors of all short waits, made once for the parameters of one l2.
enum { WAITING_TABLE = 4096 };
struct waiting_table {
	enum optimizer_id id;
	struct optimizer_numbers numbers;
	real l2;
	struct waiting wait[WAITING_TABLE]; // by k
};
AEXP_INLINE void waiting_table_init(struct waiting_table *t, enum optimizer_id id, const struct optimizer_numbers *n,
                                    real l2) {
	t->id = id;
	t->numbers = *n;
	t->l2 = l2;
	for (size_t k = 0; k < WAITING_TABLE; k++)
		t->wait[k] = waiting_make(id, n, l2, k);
}
AEXP_INLINE struct waiting waiting_of(const struct waiting_table *t, uint64_t k) {
	return k < WAITING_TABLE ? t->wait[k] : waiting_make(t->id, &t->numbers, t->l2, k);
}

// NAME_wait: one weight's wait, for each of OPTIMIZERS; where an optimizer keeps less state, s and d are anybody's.
AEXP_INLINE void sgd_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)d;
	real weight = *w, velocity = *s;
	*w = weight + (f->weight * weight + f->weight_state * velocity);
	*s = f->state_weight * weight + f->state * velocity;
}
AEXP_INLINE void adagrad_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)f, (void)w, (void)s, (void)d;
}
AEXP_INLINE void rmsprop_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)w, (void)d;
	*s *= f->state;
}
AEXP_INLINE void adadelta_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)w;
	*s *= f->state;
	*d *= f->state;
}
// These do not wait: here for loops over all OPTIMIZERS.
AEXP_INLINE void adam_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)f, (void)w, (void)s, (void)d;
}
AEXP_INLINE void adamw_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)f, (void)w, (void)s, (void)d;
}
AEXP_INLINE void rprop_wait(const struct waiting *f, real *w, real *s, real *d) {
	(void)f, (void)w, (void)s, (void)d;
}

#endif
