// Element-wise mathematics, written once: activations, losses of a cell, optimizer updates of a weight. Scalar inline
// functions that every backend's loops include. Each family is one X-list: a row makes the enum and the dispatch.
#ifndef AEXP_TENSOR_ELEMENTWISE_H
#define AEXP_TENSOR_ELEMENTWISE_H

#include "base/inline.h"
#include "tensor/real.h"

#include <math.h>

// Activations: y = NAME_value(x, p) and dy/dx = NAME_slope(x, y, p); p is the row's one parameter. The slope is taken
// from y alone, except where the list says that it needs x.
// X(NAME, lower-case name, slope needs x)
#define ACTIVATIONS(X)                                                                                                 \
	X(IDENTITY, identity, 0)                                                                                           \
	X(RELU, relu, 0)                                                                                                   \
	X(LEAKY_RELU, leaky_relu, 0)                                                                                       \
	X(ELU, elu, 0)                                                                                                     \
	X(SELU, selu, 0)                                                                                                   \
	X(SIGMOID, sigmoid, 0)                                                                                             \
	X(TANH, tanh, 0)                                                                                                   \
	X(SOFTPLUS, softplus, 0)                                                                                           \
	X(SWISH, swish, 1)

enum activation_id {
#define X(NAME, name, needs_x) ACTIVATION_##NAME,
	ACTIVATIONS(X)
#undef X
	    ACTIVATION_COUNT
};

AEXP_INLINE real identity_value(real x, real p) {
	(void)p;
	return x;
}
AEXP_INLINE real identity_slope(real x, real y, real p) {
	(void)x, (void)y, (void)p;
	return 1;
}

AEXP_INLINE real relu_value(real x, real p) {
	(void)p;
	return x > 0 ? x : 0;
}
AEXP_INLINE real relu_slope(real x, real y, real p) {
	(void)x, (void)p;
	return y > 0 ? (real)1 : (real)0;
}

// p is the slope below 0; it is positive, so y has the sign of x.
AEXP_INLINE real leaky_relu_value(real x, real p) {
	return x > 0 ? x : p * x;
}
AEXP_INLINE real leaky_relu_slope(real x, real y, real p) {
	(void)x;
	return y > 0 ? (real)1 : p;
}

// Clevert et al. 2015; p is alpha.
AEXP_INLINE real elu_value(real x, real p) {
	return x > 0 ? x : p * real_expm1(x);
}
AEXP_INLINE real elu_slope(real x, real y, real p) {
	(void)x;
	return y > 0 ? (real)1 : y + p;
}

// Klambauer et al. 2017, the fixed point for mean 0 and variance 1.
#define SELU_SCALE ((real)1.0507009873554804934193349852946)
#define SELU_ALPHA ((real)1.6732632423543772848170429916717)
AEXP_INLINE real selu_value(real x, real p) {
	(void)p;
	return x > 0 ? SELU_SCALE * x : SELU_SCALE * SELU_ALPHA * real_expm1(x);
}
AEXP_INLINE real selu_slope(real x, real y, real p) {
	(void)x, (void)p;
	return y > 0 ? SELU_SCALE : y + SELU_SCALE * SELU_ALPHA;
}

// exp of a negative number only, so that nothing overflows.
AEXP_INLINE real sigmoid_value(real x, real p) {
	(void)p;
	real e = real_exp(x > 0 ? -x : x);
	return (x > 0 ? (real)1 : e) / (1 + e);
}
AEXP_INLINE real sigmoid_slope(real x, real y, real p) {
	(void)x, (void)p;
	return y * (1 - y);
}

AEXP_INLINE real tanh_value(real x, real p) {
	(void)p;
	return real_tanh(x);
}
AEXP_INLINE real tanh_slope(real x, real y, real p) {
	(void)x, (void)p;
	return 1 - y * y;
}

// log(1 + exp(x)); its slope is sigmoid(x) = 1 - exp(-y).
AEXP_INLINE real softplus_value(real x, real p) {
	(void)p;
	return (x > 0 ? x : 0) + real_log1p(real_exp(x > 0 ? -x : x));
}
AEXP_INLINE real softplus_slope(real x, real y, real p) {
	(void)x, (void)p;
	return -real_expm1(-y);
}

// x sigmoid(x); Ramachandran et al. 2017 with beta 1 (SiLU).
AEXP_INLINE real swish_value(real x, real p) {
	return x * sigmoid_value(x, p);
}
AEXP_INLINE real swish_slope(real x, real y, real p) {
	real s = sigmoid_value(x, p);
	return s + y * (1 - s);
}

// Losses of one cell: NAME_loss(prediction, target, p) and its derivative by the prediction; p is the row's one
// parameter.
#define CELL_LOSSES(X)                                                                                                 \
	X(SQUARED, squared)                                                                                                \
	X(BCE, bce)                                                                                                        \
	X(BCE_LOGITS, bce_logits)                                                                                          \
	X(ABSOLUTE, absolute)                                                                                              \
	X(HUBER, huber)

enum cell_loss_id {
#define X(NAME, name) CELL_LOSS_##NAME,
	CELL_LOSSES(X)
#undef X
	    CELL_LOSS_COUNT
};

AEXP_INLINE real squared_loss(real y, real t, real p) {
	(void)p;
	return (y - t) * (y - t);
}
AEXP_INLINE real squared_slope(real y, real t, real p) {
	(void)p;
	return 2 * (y - t);
}

// Binary cross-entropy -t log y - (1 - t) log(1 - y), with y clipped to [1e-7, 1 - 1e-7] as Keras does; the slope is
// that of the clipped value, not 0, outside of that range.
#define BCE_CLIP ((real)1e-7)
AEXP_INLINE real bce_clip(real y) {
	return y < BCE_CLIP ? BCE_CLIP : y > 1 - BCE_CLIP ? 1 - BCE_CLIP : y;
}
AEXP_INLINE real bce_loss(real y, real t, real p) {
	(void)p;
	real c = bce_clip(y);
	return -t * real_log(c) - (1 - t) * real_log1p(-c);
}
AEXP_INLINE real bce_slope(real y, real t, real p) {
	(void)p;
	real c = bce_clip(y);
	return (c - t) / (c * (1 - c));
}

// The same of y = sigmoid(x), from x: log(1 + exp(x)) - t x, finite everywhere and not clipped.
AEXP_INLINE real bce_logits_loss(real x, real t, real p) {
	(void)p;
	return (x > 0 ? x : 0) - x * t + real_log1p(real_exp(x > 0 ? -x : x));
}
AEXP_INLINE real bce_logits_slope(real x, real t, real p) {
	return sigmoid_value(x, p) - t;
}

AEXP_INLINE real absolute_loss(real y, real t, real p) {
	(void)p;
	return real_fabs(y - t);
}
// 0 where they are equal, as in PyTorch.
AEXP_INLINE real absolute_slope(real y, real t, real p) {
	(void)p;
	return (y > t ? (real)1 : (real)0) - (y < t ? (real)1 : (real)0);
}

// Huber 1964; p is delta, where the square goes over into its tangent.
AEXP_INLINE real huber_loss(real y, real t, real p) {
	real d = real_fabs(y - t);
	return d <= p ? d * d / 2 : p * (d - p / 2);
}
AEXP_INLINE real huber_slope(real y, real t, real p) {
	real d = y - t;
	return d > p ? p : d < -p ? -p : d;
}

// Optimizers: one weight's update, given its gradient and up to two numbers of state.
#define OPTIMIZERS(X)                                                                                                  \
	X(SGD, sgd)                                                                                                        \
	X(ADAGRAD, adagrad)                                                                                                \
	X(RMSPROP, rmsprop)                                                                                                \
	X(ADADELTA, adadelta)                                                                                              \
	X(ADAM, adam)                                                                                                      \
	X(ADAMW, adamw)                                                                                                    \
	X(RPROP, rprop)

enum optimizer_id {
#define X(NAME, name) OPTIMIZER_##NAME,
	OPTIMIZERS(X)
#undef X
	    OPTIMIZER_COUNT
};

// The numbers of one step; what depends on the step's number (adam's bias correction) is folded in by the caller.
struct optimizer_numbers {
	real rate, epsilon;
	real decay;                         // momentum (sgd), rho (rmsprop, adadelta), beta_1 (adam, adamw)
	real decay_square;                  // beta_2 (adam, adamw)
	real correction, correction_square; // adam, adamw: 1 / (1 - beta^t)
	real nesterov;                      // sgd: 1 or 0
	real weight_decay;                  // adamw: the share of a weight that a step at rate 1 takes away
	real smaller, larger;               // rprop: what a step's size is multiplied by
	real least, most;                   // rprop: bounds of that size
};

// Keras: v = momentum v - rate g; w += v, or with Nesterov w += momentum v - rate g.
AEXP_INLINE void sgd_update(const struct optimizer_numbers *n, real *w, real *v, real *unused, real g) {
	(void)unused;
	real step = n->rate * g;
	real velocity = n->decay * *v - step;
	*v = velocity;
	*w += n->nesterov * (n->decay * velocity - step) + (1 - n->nesterov) * velocity;
}

// Duchi et al. 2011, as PyTorch and Keras write it.
AEXP_INLINE void adagrad_update(const struct optimizer_numbers *n, real *w, real *s, real *unused, real g) {
	(void)unused;
	real sum = *s + g * g;
	*s = sum;
	*w -= n->rate * g / (real_sqrt(sum) + n->epsilon);
}

// Hinton's lecture 6e, as Keras and PyTorch write it (not centered, no momentum).
AEXP_INLINE void rmsprop_update(const struct optimizer_numbers *n, real *w, real *s, real *unused, real g) {
	(void)unused;
	real mean = n->decay * *s + (1 - n->decay) * g * g;
	*s = mean;
	*w -= n->rate * g / (real_sqrt(mean) + n->epsilon);
}

// Zeiler 2012, algorithm 1, with Keras' rate in front of the step.
AEXP_INLINE void adadelta_update(const struct optimizer_numbers *n, real *w, real *s, real *d, real g) {
	real mean = n->decay * *s + (1 - n->decay) * g * g;
	real step = g * real_sqrt((*d + n->epsilon) / (mean + n->epsilon)); // one root for the paper's two
	*s = mean;
	*d = n->decay * *d + (1 - n->decay) * step * step;
	*w -= n->rate * step;
}

// Kingma and Ba 2015, with epsilon outside of the corrected root as in the paper's algorithm 1 and in PyTorch.
AEXP_INLINE void adam_update(const struct optimizer_numbers *n, real *w, real *m, real *v, real g) {
	real mean = n->decay * *m + (1 - n->decay) * g;
	real square = n->decay_square * *v + (1 - n->decay_square) * g * g;
	*m = mean;
	*v = square;
	*w -= n->rate * (mean * n->correction) / (real_sqrt(square * n->correction_square) + n->epsilon);
}

// Loshchilov and Hutter 2019, algorithm 2, as PyTorch writes it: the decay is apart from the gradient and times the
// rate. It shrinks every weight, whether or not the loss gave it a gradient.
AEXP_INLINE void adamw_update(const struct optimizer_numbers *n, real *w, real *m, real *v, real g) {
	*w -= n->rate * n->weight_decay * *w;
	adam_update(n, w, m, v, g);
}

// iRprop- (Igel and Huesken 2000), as PyTorch's Rprop: s is the last gradient, d the size of the step, 0 before the
// first one, whose size is the rate. Where the gradient has changed its sign, the step is left out, and its sign is
// forgotten.
AEXP_INLINE void rprop_update(const struct optimizer_numbers *n, real *w, real *s, real *d, real g) {
	real agree = *s * g, size = *d > 0 ? *d : n->rate;
	size *= agree > 0 ? n->larger : agree < 0 ? n->smaller : (real)1;
	size = size < n->least ? n->least : size > n->most ? n->most : size;
	real taken = agree < 0 ? 0 : g;
	*s = taken;
	*d = size;
	*w -= taken > 0 ? size : taken < 0 ? -size : (real)0;
}

#endif
