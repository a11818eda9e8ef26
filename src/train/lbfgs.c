// See lbfgs.h.
#include "train/lbfgs.h"

#include "nn/op.h"
#include "nn/whole.h"

#include <lbfgs.h>

#include <limits.h>
#include <math.h>

struct descent {
	struct trainer *trainer;
	struct error *error;
	bool failed;
	size_t epochs;
	double start, ratings; // of the epoch at hand
	double loss, trial;    // of the last epoch; of the last evaluation
};

static double evaluate(void *context, const double *x, double *gradient, const int n, const double step) {
	struct descent *d = context;
	struct trainer *t = d->trainer;
	(void)n, (void)step;
	whole_set(t->network, x);
	double loss = whole_slope(t->network, t->batches, 1, gradient);
	t->ratings += (double)sparse_count(&t->batches->ratings);
	d->trial = loss;
	return loss;
}

static bool end_epoch(struct descent *d, double loss) {
	struct trainer *t = d->trainer;
	d->epochs++;
	d->loss = loss;
	if (!isfinite(loss))
		return error_set(d->error, ERROR_RUN, "the loss is not finite in epoch %zu", d->epochs);
	if (t->observer->batch)
		t->observer->batch(t->observer->context, d->epochs, 1, t->ratings);
	if (!trainer_end_epoch(t, d->epochs, loss, train_seconds() - d->start, t->ratings - d->ratings, d->error))
		return false;
	d->start = train_seconds();
	d->ratings = t->ratings;
	if (t->observer->interrupted && t->observer->interrupted(t->observer->context))
		return error_set(d->error, ERROR_INTERRUPTED, "interrupted in epoch %zu", d->epochs + 1);
	return true;
}

// Anything but 0 ends the descent.
static int progress(void *context, const double *x, const double *gradient, const double loss, const double length,
                    const double gradient_length, const double step, int n, int iteration, int evaluations) {
	struct descent *d = context;
	(void)gradient, (void)length, (void)gradient_length, (void)step, (void)n, (void)iteration, (void)evaluations;
	whole_set(d->trainer->network, x);
	d->failed = !end_epoch(d, loss);
	return d->failed || d->trainer->result->stopped_early || d->trainer->result->ended;
}

// Of a loss whose predictions are in single precision.
static const double ROUNDING = 1e-5;

// Why it ended, where no one asked for it; NULL: it is no end, but a failure. A line search that finds no lower loss is
// an end where what it tried last differs by rounding alone.
static const char *reason(const struct descent *d, int code) {
	bool flat = d->epochs && fabs(d->trial - d->loss) <= ROUNDING * fabs(d->loss);
	switch (code) {
	case LBFGS_SUCCESS:
	case LBFGS_ALREADY_MINIMIZED:
		return "the gradient is small";
	case LBFGS_STOP:
		return "the loss falls no more";
	case LBFGSERR_ROUNDING_ERROR:
	case LBFGSERR_MINIMUMSTEP:
	case LBFGSERR_MAXIMUMLINESEARCH:
	case LBFGSERR_WIDTHTOOSMALL:
	case LBFGSERR_INCREASEGRADIENT:
		return flat ? "no step lowers the loss by more than rounding does" : NULL;
	default:
		return NULL;
	}
}

static bool finish(struct descent *d, int code, double loss) {
	struct run_result *r = d->trainer->result;
	if (d->failed)
		return false;
	if (code == LBFGSERR_MAXIMUMITERATION || r->stopped_early || r->ended)
		return true;
	const char *why = reason(d, code);
	if (!why || !isfinite(loss)) {
		error_set(d->error, ERROR_RUN, "L-BFGS fails in epoch %zu (liblbfgs' code %d)", d->epochs + 1, code);
		error_hint(d->error,
		           "Its line search found no step: the loss may be too steep or not smooth there. Try smaller "
		           "initial weights, more most_evaluations, another line_search, or another optimizer.");
		return false;
	}
	r->converged = why;
	return d->epochs || end_epoch(d, loss);
}

bool train_lbfgs(struct trainer *t, struct error *error) {
	const struct graph *graph = t->graph;
	const struct lbfgs_params *params = graph->optimizer_params;
	struct descent d = {.trainer = t, .error = error, .start = train_seconds()};
	lbfgs_parameter_t numbers;
	double loss;
	if (graph->trainable > INT_MAX)
		return error_set(error, ERROR_RUN, "liblbfgs counts no %zu parameters", graph->trainable);
	double *x = lbfgs_malloc((int)graph->trainable);
	if (!x)
		return error_set(error, ERROR_RUN, "not enough memory for %zu parameters in L-BFGS", graph->trainable);
	trainer_gather(t, 0, 1);
	lbfgs_parameter_init(&numbers);
	numbers.m = (int)params->memory;
	numbers.epsilon = params->epsilon;
	numbers.past = (int)params->past;
	numbers.delta = params->delta;
	numbers.max_iterations = (int)experiment_epochs(t->experiment);
	numbers.linesearch = ((const struct line_search *)params->line_search.row)->number;
	numbers.max_linesearch = (int)params->most_evaluations;
	whole_get(t->network, x);
	int code = lbfgs((int)graph->trainable, x, &loss, evaluate, progress, &d, &numbers);
	whole_set(t->network, x);
	lbfgs_free(x);
	return finish(&d, code, loss);
}
