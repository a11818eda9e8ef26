// See lbfgs.h.
#include "train/lbfgs.h"

#include "nn/whole.h"
#include "train/checkpoint.h"
#include "train/descent.h"

#include <math.h>

// An epoch that is being looked for a step of.
struct looking {
	struct trainer *trainer;
	size_t count; // evaluations of it
	double loss;  // of the last one
};

static bool interrupted(const struct trainer *t) {
	return t->observer->interrupted && t->observer->interrupted(t->observer->context);
}

// Asked before all but an epoch's first, which comes after it was asked for the epoch before.
static bool evaluate(void *context, const double *x, double *gradient, double *ret_loss) {
	struct looking *l = context;
	struct trainer *t = l->trainer;
	if (l->count && interrupted(t))
		return false;
	whole_set(t->network, x);
	l->loss = *ret_loss = whole_slope(t->network, t->batches, 1, gradient);
	l->count++;
	return true;
}

// What the network is between two epochs, and a checkpoint of it.
static bool interrupt(struct trainer *t, struct error *error) {
	whole_set(t->network, t->descent->x);
	return keeper_interrupt(t, t->result->epochs_count + 1, error);
}

static double ratings_of(const struct trainer *t, const struct looking *l) {
	return (double)l->count * (double)sparse_count(&t->batches->ratings);
}

// With the weights of the point that was found. begin, ratings: as they were when the epoch began.
static bool end_epoch(struct trainer *t, double begin, double ratings, struct error *error) {
	size_t epoch = t->result->epochs_count + 1;
	double loss = t->descent->value;
	if (!isfinite(loss))
		return error_set(error, ERROR_RUN, "the loss is not finite in epoch %zu", epoch);
	whole_set(t->network, t->descent->x);
	if (t->observer->batch)
		t->observer->batch(t->observer->context, epoch, 1, t->ratings);
	return trainer_end_epoch(t, epoch, loss, train_seconds() - begin, t->ratings - ratings, error);
}

// Of a loss whose predictions are in single precision.
static const double ROUNDING = 1e-5;

// A search that finds no lower loss is an end where what it tried last differs by rounding alone.
static bool end_search(struct trainer *t, const struct looking *l, enum line_end end, struct error *error) {
	struct run_result *r = t->result;
	double loss = r->epochs_count ? r->epochs[r->epochs_count - 1].train_loss : NAN;
	bool flat = fabs((l->count ? l->loss : loss) - loss) <= ROUNDING * fabs(loss);
	whole_set(t->network, t->descent->x);
	if (flat && end != LINE_LONG && end != LINE_NO_STEP) {
		r->converged = "no step lowers the loss by more than rounding does";
		return true;
	}
	error_set(error, ERROR_RUN, "L-BFGS fails in epoch %zu: %s", r->epochs_count + 1, line_ends[end]);
	error_hint(error, "Its line search found no step: the loss may be too steep or not smooth there. Try smaller "
	                  "initial weights, more most_evaluations, another line_search, or another optimizer.");
	return false;
}

// Says why it ends, where it does.
static bool goes_on(struct trainer *t, enum descent_end end) {
	if (end == DESCENT_STEEP_NO_MORE)
		t->result->converged = "the gradient is small";
	else if (end == DESCENT_FALLS_NO_MORE)
		t->result->converged = "the loss falls no more";
	return end == DESCENT_GOES_ON;
}

// After an epoch. ret_on: another one is to come.
static bool turn(struct trainer *t, bool *ret_on, struct error *error) {
	const struct run_result *r = t->result;
	*ret_on = !r->stopped_early && !r->ended && goes_on(t, descent_turn(t->descent)) &&
	          r->epochs_count < experiment_epochs(t->experiment);
	if (*ret_on && interrupted(t))
		return interrupt(t, error);
	if (*ret_on && (keeper_due_after_epoch(t) || keeper_due_in_epoch(t)))
		keeper_write(t);
	return true;
}

// The first point, unless a checkpoint has a later one; where that is a minimum, it is an epoch's.
static bool start(struct trainer *t, bool *ret_on, struct error *error) {
	const struct run_result *r = t->result;
	struct looking l = {.trainer = t};
	double begin = train_seconds();
	trainer_gather(t, 0, 1);
	if (t->descent->iterations) {
		*ret_on = !r->stopped_early && r->epochs_count < experiment_epochs(t->experiment);
		return true;
	}
	whole_get(t->network, t->descent->x);
	*ret_on = goes_on(t, descent_begin(t->descent, &(struct slope){&l, evaluate}));
	t->ratings += ratings_of(t, &l);
	return *ret_on || end_epoch(t, begin, 0, error);
}

bool train_lbfgs(struct trainer *t, struct error *error) {
	double begin = train_seconds(), ratings = t->ratings;
	bool on;
	if (!start(t, &on, error))
		return false;
	for (; on; begin = train_seconds(), ratings = t->ratings) {
		struct looking l = {.trainer = t};
		enum line_end end = descent_search(t->descent, &(struct slope){&l, evaluate});
		if (end == LINE_STOPPED)
			return interrupt(t, error);
		t->ratings += ratings_of(t, &l);
		if (end != LINE_FOUND)
			return end_search(t, &l, end, error);
		if (!end_epoch(t, begin, ratings, error) || !turn(t, &on, error))
			return false;
	}
	return true;
}
