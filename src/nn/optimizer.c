// Optimizers by name: keys with their defaults, how much state, and whether untouched rows may wait. The updates
// themselves are in tensor/elementwise.h, with their sources.
#include "nn/op.h"
#include "nn/schedule.h"

struct sgd_params {
	double rate, momentum;
	bool nesterov;
};
struct rate_params {
	double rate, rho, epsilon;
};
struct adam_params {
	double rate, beta_1, beta_2, epsilon;
};
struct adamw_params {
	struct adam_params adam;
	double weight_decay;
};
struct rprop_params {
	double rate, smaller, larger, least, most;
};

#define RATE(params, text, line)                                                                                       \
	{                                                                                                                  \
		.name = "rate", .type = KEY_REAL, .offset = offsetof(struct params, rate), .fallback = text, .min = 0,         \
		.max = 1e6, .flags = KEY_OPEN_MIN, .doc = line                                                                 \
	}
#define SHARE(params, field, text, line)                                                                               \
	{                                                                                                                  \
		.name = #field, .type = KEY_REAL, .offset = offsetof(struct params, field), .fallback = text, .min = 0,        \
		.max = 1, .flags = KEY_OPEN_MAX, .doc = line                                                                   \
	}
#define BOUNDED(params, field, text, low, high, open, line)                                                            \
	{                                                                                                                  \
		.name = #field, .type = KEY_REAL, .offset = offsetof(struct params, field), .fallback = text, .min = low,      \
		.max = high, .flags = open, .doc = line                                                                        \
	}
#define EPSILON(params, text, line)                                                                                    \
	{                                                                                                                  \
		.name = "epsilon", .type = KEY_REAL, .offset = offsetof(struct params, epsilon), .fallback = text, .min = 0,   \
		.max = 1, .flags = KEY_OPEN_MIN, .doc = line                                                                   \
	}

static const struct key sgd_keys[] = {
    RATE(sgd_params, "0.01", "Learning rate (Keras' default)"),
    SHARE(sgd_params, momentum, "0.0", "Momentum; Keras' form: v = momentum v - rate g, w += v"),
    {.name = "nesterov",
     .type = KEY_BOOL,
     .offset = offsetof(struct sgd_params, nesterov),
     .fallback = "false",
     .doc = "Nesterov's form: w += momentum v - rate g"},
};
static const struct key adagrad_keys[] = {
    RATE(rate_params, "0.01", "Learning rate (PyTorch's and Keras' default)"),
    EPSILON(rate_params, "1e-10", "Added to the root (PyTorch's default; Keras has 1e-7)"),
};
static const struct key rmsprop_keys[] = {
    RATE(rate_params, "0.001", "Learning rate (Keras' default; PyTorch has 0.01)"),
    SHARE(rate_params, rho, "0.9", "Decay of the mean square (Keras' default; PyTorch's alpha is 0.99)"),
    EPSILON(rate_params, "1e-7", "Added to the root (Keras' default; PyTorch has 1e-8)"),
};
static const struct key adadelta_keys[] = {
    RATE(rate_params, "1.0",
         "Factor of the step (1.0 as in the paper, PyTorch and Keras to 2.2; TensorFlow 2 has 0.001)"),
    SHARE(rate_params, rho, "0.95", "Decay of the mean squares (Keras' default; PyTorch has 0.9)"),
    EPSILON(rate_params, "1e-8", "Added under the roots (Keras' default of 2017; PyTorch has 1e-6)"),
};
// The struct begins with the numbers of adam.
#define ADAM_KEYS(params)                                                                                              \
	RATE(params, "0.001", "Learning rate (PyTorch's and Keras' default)"),                                             \
	    SHARE(params, beta_1, "0.9", "Decay of the mean (PyTorch's and Keras' default)"),                              \
	    SHARE(params, beta_2, "0.999", "Decay of the mean square (PyTorch's and Keras' default)"),                     \
	    EPSILON(params, "1e-8", "Added to the corrected root (PyTorch's default; Keras has 1e-7)")
static const struct key adam_keys[] = {ADAM_KEYS(adam_params)};
static const struct key adamw_keys[] = {
    ADAM_KEYS(adam_params),
    BOUNDED(adamw_params, weight_decay, "0.01", 0, 1e6, 0,
            "A step takes rate times this share of every weight and bias (PyTorch's default; Keras has 0.004)"),
};
static const struct key rprop_keys[] = {
    RATE(rprop_params, "0.01", "Size of the first step (PyTorch's default)"),
    BOUNDED(rprop_params, smaller, "0.5", 0, 1, KEY_OPEN_MIN | KEY_OPEN_MAX,
            "Factor of the size where the gradient has changed its sign (the paper's)"),
    BOUNDED(rprop_params, larger, "1.2", 1, 10, KEY_OPEN_MIN, "Factor of the size where it has not (the paper's)"),
    BOUNDED(rprop_params, least, "1e-6", 0, 1e6, KEY_OPEN_MIN, "The smallest size (the paper's)"),
    BOUNDED(rprop_params, most, "50.0", 0, 1e6, KEY_OPEN_MIN, "The largest size (the paper's)"),
};

// libLBFGS's, with its defaults.
static const struct line_search line_searches[] = {
    {{"more_thuente", "More and Thuente 1994", SCHEMA_NONE}, SEARCH_MORE_THUENTE},
    {{"armijo", "Backtracking until the loss has fallen enough", SCHEMA_NONE}, SEARCH_ARMIJO},
    {{"wolfe", "Backtracking until its slope has risen enough, too", SCHEMA_NONE}, SEARCH_WOLFE},
    {{"strong_wolfe", "Backtracking until its slope has become small enough, too", SCHEMA_NONE}, SEARCH_STRONG_WOLFE},
};
static const struct row *const line_search_rows[] = {&line_searches[0].row, &line_searches[1].row,
                                                     &line_searches[2].row, &line_searches[3].row};
const struct registry line_search_registry = {"line search", "line searches", line_search_rows,
                                              sizeof(line_search_rows) / sizeof(line_search_rows[0])};
#define COUNTED(params, field, text, low, high, line)                                                                  \
	{                                                                                                                  \
		.name = #field, .type = KEY_INTEGER, .offset = offsetof(struct params, field), .fallback = text, .min = low,   \
		.max = high, .doc = line                                                                                       \
	}
static const struct key lbfgs_keys[] = {
    COUNTED(lbfgs_params, memory, "6", 1, 1000, "Corrections that the inverse Hessian is made of (liblbfgs' m)"),
    BOUNDED(lbfgs_params, epsilon, "1e-5", 0, 1, 0,
            "Converged where the gradient is shorter than this times the weights, or 1 (liblbfgs' default)"),
    COUNTED(lbfgs_params, past, "0", 0, 1000,
            "And where over so many iterations the loss has fallen by no more than `delta` of itself; 0: not asked"),
    BOUNDED(lbfgs_params, delta, "1e-5", 0, 1, 0, "See `past`"),
    {.name = "line_search",
     .type = KEY_CHOICE,
     .offset = offsetof(struct lbfgs_params, line_search),
     .registry = &line_search_registry,
     .fallback = "\"more_thuente\"",
     .doc = "How far a step goes: \"more_thuente\", \"armijo\", \"wolfe\" or \"strong_wolfe\""},
    COUNTED(lbfgs_params, most_evaluations, "40", 1, 10000, "Evaluations of the loss for one step, at most"),
};

static size_t no_state(const void *params) {
	(void)params;
	return 0;
}
static size_t no_states(const void *params) {
	return ((const struct sgd_params *)params)->momentum > 0 ? 1 : 0;
}
static size_t one_state(const void *params) {
	(void)params;
	return 1;
}
static size_t two_states(const void *params) {
	(void)params;
	return 2;
}

// See waiting_exact. Momentum with L2 has a closed form too, but what L2 adds to the loss has not: it stays dense.
static bool sgd_lazy(const void *params, double l2, bool constant_rate) {
	const struct sgd_params *p = params;
	return l2 == 0 || (p->momentum == 0 && constant_rate);
}
static bool sgd_moves(const void *params, double l2) {
	return ((const struct sgd_params *)params)->momentum > 0 || l2 > 0;
}
static bool lazy_without_l2(const void *params, double l2, bool constant_rate) {
	(void)params, (void)constant_rate;
	return l2 == 0;
}
static bool never_lazy(const void *params, double l2, bool constant_rate) {
	(void)params, (void)l2, (void)constant_rate;
	return false;
}
static bool never_moves(const void *params, double l2) {
	(void)params, (void)l2;
	return false;
}
static void sgd_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	const struct sgd_params *p = params;
	(void)step;
	*ret = (struct optimizer_numbers){.rate = (real)p->rate, .decay = (real)p->momentum, .nesterov = p->nesterov};
}
static void rate_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	const struct rate_params *p = params;
	(void)step;
	*ret = (struct optimizer_numbers){.rate = (real)p->rate, .decay = (real)p->rho, .epsilon = (real)p->epsilon};
}
static void adam_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	const struct adam_params *p = params;
	*ret = (struct optimizer_numbers){
	    .rate = (real)p->rate,
	    .epsilon = (real)p->epsilon,
	    .decay = (real)p->beta_1,
	    .decay_square = (real)p->beta_2,
	    .correction = (real)(1 / (1 - pow(p->beta_1, step))),
	    .correction_square = (real)(1 / (1 - pow(p->beta_2, step))),
	};
}
static void adamw_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	const struct adamw_params *p = params;
	adam_numbers(&p->adam, step, ret);
	ret->weight_decay = (real)p->weight_decay;
}
static void rprop_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	const struct rprop_params *p = params;
	(void)step;
	*ret = (struct optimizer_numbers){.rate = (real)p->rate,
	                                  .smaller = (real)p->smaller,
	                                  .larger = (real)p->larger,
	                                  .least = (real)p->least,
	                                  .most = (real)p->most};
}

static void no_numbers(const void *params, uint32_t step, struct optimizer_numbers *ret) {
	(void)params, (void)step;
	*ret = (struct optimizer_numbers){0};
}

static const struct optimizer optimizers[] = {
    {.row = {"adadelta", "Step by the ratio of decayed mean squares of steps and gradients (Zeiler 2012)",
             SCHEMA(struct rate_params, adadelta_keys)},
     .id = OPTIMIZER_ADADELTA,
     .states = two_states,
     .lazy = lazy_without_l2,
     .moves = never_moves,
     .numbers = rate_numbers},
    {.row = {"sgd", "Stochastic gradient descent, with momentum and Nesterov's form as in Keras",
             SCHEMA(struct sgd_params, sgd_keys)},
     .id = OPTIMIZER_SGD,
     .states = no_states,
     .lazy = sgd_lazy,
     .moves = sgd_moves,
     .numbers = sgd_numbers},
    {.row = {"adagrad", "Step over the root of the sum of squared gradients (Duchi et al. 2011)",
             SCHEMA(struct rate_params, adagrad_keys)},
     .id = OPTIMIZER_ADAGRAD,
     .states = one_state,
     .lazy = lazy_without_l2,
     .moves = never_moves,
     .numbers = rate_numbers},
    {.row = {"rmsprop", "Step over the root of a decayed mean of squared gradients (Hinton's lecture 6e)",
             SCHEMA(struct rate_params, rmsprop_keys)},
     .id = OPTIMIZER_RMSPROP,
     .states = one_state,
     .lazy = lazy_without_l2,
     .moves = never_moves,
     .numbers = rate_numbers},
    {.row = {"adam", "Decayed means of gradients and their squares, corrected for their start (Kingma and Ba 2015)",
             SCHEMA(struct adam_params, adam_keys)},
     .id = OPTIMIZER_ADAM,
     .states = two_states,
     .lazy = never_lazy,
     .moves = never_moves,
     .numbers = adam_numbers},
    {.row = {"adamw", "Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019)",
             SCHEMA(struct adamw_params, adamw_keys)},
     .id = OPTIMIZER_ADAMW,
     .states = two_states,
     .lazy = never_lazy,
     .moves = never_moves,
     .numbers = adamw_numbers},
    {.row = {"rprop",
             "Steps of their own size for each weight, by the gradient's sign alone, on all rows at once: iRprop- "
             "(Igel and Huesken 2000)",
             SCHEMA(struct rprop_params, rprop_keys)},
     .id = OPTIMIZER_RPROP,
     .full_batch = true,
     .states = two_states,
     .lazy = never_lazy,
     .moves = never_moves,
     .numbers = rprop_numbers},
    {.row = {"lbfgs",
             "Quasi-Newton steps on all rows at once, each with a line search: an iteration an epoch (Nocedal 1980; "
             "libLBFGS)",
             SCHEMA(struct lbfgs_params, lbfgs_keys)},
     .id = OPTIMIZER_SGD, // of which no step is made
     .full_batch = true,
     .descends = true,
     .states = no_state,
     .lazy = never_lazy,
     .moves = never_moves,
     .numbers = no_numbers},
};
static const struct row *const rows[] = {&optimizers[0].row, &optimizers[1].row, &optimizers[2].row,
                                         &optimizers[3].row, &optimizers[4].row, &optimizers[5].row,
                                         &optimizers[6].row, &optimizers[7].row};
const struct registry optimizer_registry = {"optimizer", "optimizers", rows, sizeof(rows) / sizeof(rows[0])};

void optimizer_check(const struct optimizer_config *config, struct origin at, struct errors *errors) {
	const struct optimizer *optimizer = (const struct optimizer *)config->kind.row;
	if (optimizer->full_batch && !schedule_is_constant(config->schedule)) {
		struct error *error = errors_add(
		    errors, ERROR_CONFIG, at, "optimizer \"%s\" has no rate that a schedule could change", optimizer->row.name);
		error_hint(error, "It sizes its steps itself: leave optimizer.schedule out.");
	}
	if (optimizer->descends && !(isnan(config->clip_norm) && isnan(config->clip_value)))
		errors_add(errors, ERROR_CONFIG, at, "optimizer \"%s\" needs whole gradients, not clipped ones",
		           optimizer->row.name);
}
