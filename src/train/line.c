// See line.h. Dennis and Schnabel 1983 (backtracking); More and Thuente 1994. Conditions, numbers and order of
// arithmetic are libLBFGS's (1.10, as it is without SSE2), so that the same steps come out to the bit:
// tests/train/test_descent.c.
#include "train/line.h"

#include <math.h>
#include <string.h>

// libLBFGS's defaults. ENOUGH: of what the slope promises, the function has to fall; FLATTER: of the slope may be left;
// WIDTH: between the ends of an interval, relative to them.
static const double STEP_LEAST = 1e-20, STEP_MOST = 1e20, ENOUGH = 1e-4, FLATTER = 0.9, WIDTH = 1e-16;

const char *const line_ends[LINE_ENDS] = {
    [LINE_FOUND] = "found",
    [LINE_STOPPED] = "interrupted",
    [LINE_RISES] = "the loss rises in its direction",
    [LINE_ROUNDING] = "no step lowers the loss by more than rounding does",
    [LINE_NARROW] = "steps that differ by rounding alone",
    [LINE_SHORT] = "no step is short enough",
    [LINE_LONG] = "no step is long enough",
    [LINE_EXHAUSTED] = "most_evaluations are used up",
    [LINE_NO_STEP] = "the gradient has no length",
};

// One sum, in order: what a vector of sums would add up differs in its last digits.
double vector_dot(const double *a, const double *b, size_t n) {
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

void vector_add(double *to, const double *a, double factor, size_t n) {
	for (size_t i = 0; i < n; i++)
		to[i] += factor * a[i];
}

static bool go(struct line *l, const struct slope *slope) {
	memcpy(l->x, l->from, l->n * sizeof(*l->x));
	vector_add(l->x, l->direction, l->step, l->n);
	return slope->at(slope->context, l->x, l->gradient, &l->value);
}

// --- backtracking ---

// By what the step is to change; 0: it will do.
static double change(const struct line *l, enum search_kind kind, double start, double start_slope) {
	const double SHORTER = 0.5, LONGER = 2.1;
	if (l->value > start + l->step * (ENOUGH * start_slope))
		return SHORTER;
	if (kind == SEARCH_ARMIJO)
		return 0;
	double slope = vector_dot(l->gradient, l->direction, l->n);
	if (slope < FLATTER * start_slope)
		return LONGER;
	return kind == SEARCH_STRONG_WOLFE && slope > -FLATTER * start_slope ? SHORTER : 0;
}

static enum line_end backtrack(struct line *l, const struct slope *slope, enum search_kind kind, size_t most,
                               double start_slope) {
	double start = l->value;
	for (size_t count = 1;; count++) {
		if (!go(l, slope))
			return LINE_STOPPED;
		double factor = change(l, kind, start, start_slope);
		if (factor == 0)
			return LINE_FOUND;
		if (l->step < STEP_LEAST)
			return LINE_SHORT;
		if (l->step > STEP_MOST)
			return LINE_LONG;
		if (count >= most)
			return LINE_EXHAUSTED;
		l->step *= factor;
	}
}

// --- More and Thuente ---

// A step, the function and its slope there.
struct trial {
	double step, value, slope;
};
// The best step so far, and the other end of the interval that holds a minimum once it is closed.
struct interval {
	struct trial best, other;
	bool closed;
	double low, high; // steps between which the next one lies
};

static double least(double a, double b) {
	return a <= b ? a : b;
}
static double most_of(double a, double b) {
	return a >= b ? a : b;
}

// What a cubic through two of them with their slopes is made of.
struct cubic {
	double width, theta, ratio, scale, under; // under the root, of scale^2
};
static struct cubic cubic_through(struct trial u, struct trial v) {
	struct cubic c = {.width = v.step - u.step};
	c.theta = (u.value - v.value) * 3 / c.width + u.slope + v.slope;
	c.scale = most_of(most_of(fabs(c.theta), fabs(u.slope)), fabs(v.slope));
	c.ratio = c.theta / c.scale;
	c.under = c.ratio * c.ratio - (u.slope / c.scale) * (v.slope / c.scale);
	return c;
}

static double cubic_least(struct trial u, struct trial v) {
	struct cubic c = cubic_through(u, v);
	double gamma = c.scale * sqrt(c.under);
	if (v.step < u.step)
		gamma = -gamma;
	double p = gamma - u.slope + c.theta, q = gamma - u.slope + gamma + v.slope;
	return u.step + p / q * c.width;
}

// Beyond v; where it has none there, the end of the interval.
static double cubic_beyond(struct trial u, struct trial v, double low, double high) {
	struct cubic c = cubic_through(u, v);
	double gamma = c.scale * sqrt(most_of(0, c.under));
	if (u.step < v.step)
		gamma = -gamma;
	double p = gamma - v.slope + c.theta, q = gamma - v.slope + gamma + u.slope, r = p / q;
	if (r < 0 && gamma != 0)
		return v.step - r * c.width;
	return c.ratio < 0 ? high : low;
}

// Through two values and a slope; through two slopes.
static double quadratic_least(struct trial u, struct trial v) {
	double width = v.step - u.step;
	return u.step + u.slope / ((u.value - v.value) / width + u.slope) / 2 * width;
}
static double secant_least(struct trial u, struct trial v) {
	double width = u.step - v.step;
	return v.step + v.slope / (v.slope - u.slope) * width;
}

// The next step, of the paper's four cases. ret_bounded: it is held off the other end.
static double choose(struct interval *in, struct trial t, bool turned, bool *ret_bounded) {
	struct trial x = in->best;
	*ret_bounded = false;
	if (x.value < t.value) {
		in->closed = *ret_bounded = true;
		double cubic = cubic_least(x, t), quadratic = quadratic_least(x, t);
		return fabs(cubic - x.step) < fabs(quadratic - x.step) ? cubic : cubic + 0.5 * (quadratic - cubic);
	}
	if (turned) {
		in->closed = true;
		double cubic = cubic_least(x, t), secant = secant_least(x, t);
		return fabs(cubic - t.step) > fabs(secant - t.step) ? cubic : secant;
	}
	if (fabs(t.slope) < fabs(x.slope)) {
		*ret_bounded = true;
		double cubic = cubic_beyond(x, t, in->low, in->high), secant = secant_least(x, t);
		double near = fabs(t.step - cubic), far = fabs(t.step - secant);
		return (in->closed ? near < far : near > far) ? cubic : secant;
	}
	if (in->closed)
		return cubic_least(t, in->other);
	return x.step < t.step ? in->high : in->low;
}

// Of a step that was tried: the interval with it, and the step to try next. False where none is left.
static bool narrow(struct interval *in, struct trial t, double *ret_step) {
	struct trial *x = &in->best, *y = &in->other;
	bool turned = t.slope * (x->slope / fabs(x->slope)) < 0, bounded;
	if (in->closed && (t.step <= least(x->step, y->step) || most_of(x->step, y->step) <= t.step ||
	                   0 <= x->slope * (t.step - x->step) || in->high < in->low))
		return false;
	double step = choose(in, t, turned, &bounded);
	if (x->value < t.value) {
		*y = t;
	} else {
		if (turned)
			*y = *x;
		*x = t;
	}
	step = in->high < step ? in->high : step;
	step = step < in->low ? in->low : step;
	if (in->closed && bounded) {
		const double INSIDE = 0.66;
		double bound = x->step + INSIDE * (y->step - x->step);
		if (x->step < y->step ? bound < step : step < bound)
			step = bound;
	}
	*ret_step = step;
	return true;
}

// The function less what is enough of its fall.
static struct trial lowered(struct trial p, double enough) {
	return (struct trial){p.step, p.value - p.step * enough, p.slope - enough};
}
static struct trial raised(struct trial p, double enough) {
	return (struct trial){p.step, p.value + p.step * enough, p.slope + enough};
}

static bool narrow_lowered(struct interval *in, struct trial t, double enough, double *ret_step) {
	in->best = lowered(in->best, enough);
	in->other = lowered(in->other, enough);
	bool good = narrow(in, lowered(t, enough), ret_step);
	in->best = raised(in->best, enough);
	in->other = raised(in->other, enough);
	return good;
}

static void bound(struct interval *in, double step) {
	const double FURTHER = 4;
	double x = in->best.step, y = in->other.step;
	in->low = in->closed ? least(x, y) : x;
	in->high = in->closed ? most_of(x, y) : step + FURTHER * (step - x);
}

struct thuente {
	struct interval in;
	bool lost, second;                 // no step is left; of its two stages
	double width, wider;               // of the interval, and of the one before
	double start, start_slope, enough; // enough: of the slope
};

// Whether the search ends at t, which is the count-th.
static bool ends(const struct thuente *s, struct trial t, size_t count, size_t most, enum line_end *ret) {
	const struct interval *in = &s->in;
	double fallen = s->start + t.step * s->enough;
	bool outside = t.step <= in->low || in->high <= t.step;
	if (in->closed && (outside || s->lost))
		*ret = LINE_ROUNDING;
	else if (t.step == STEP_MOST && t.value <= fallen && t.slope <= s->enough)
		*ret = LINE_LONG;
	else if (t.step == STEP_LEAST && (fallen < t.value || s->enough <= t.slope))
		*ret = LINE_SHORT;
	else if (in->closed && in->high - in->low <= WIDTH * in->high)
		*ret = LINE_NARROW;
	else if (count >= most)
		*ret = LINE_EXHAUSTED;
	else if (t.value <= fallen && fabs(t.slope) <= FLATTER * -s->start_slope)
		*ret = LINE_FOUND;
	else
		return false;
	return true;
}

// Before a step is tried: within bounds, and the best so far where the search is about to end.
static double clip(const struct thuente *s, double step, size_t count, size_t most) {
	const struct interval *in = &s->in;
	step = step < STEP_LEAST ? STEP_LEAST : step;
	step = STEP_MOST < step ? STEP_MOST : step;
	bool last =
	    step <= in->low || in->high <= step || most <= count || s->lost || in->high - in->low <= WIDTH * in->high;
	return in->closed && last ? in->best.step : step;
}

// An interval shrinks by a third in two rounds, at least.
static double halve_where_slow(struct thuente *s, double step) {
	const double SLOW = 0.66;
	struct interval *in = &s->in;
	if (!in->closed)
		return step;
	double width = fabs(in->other.step - in->best.step);
	if (SLOW * s->wider <= width)
		step = in->best.step + 0.5 * (in->other.step - in->best.step);
	s->wider = s->width;
	s->width = width;
	return step;
}

static enum line_end more_thuente(struct line *l, const struct slope *slope, size_t most, double start_slope) {
	struct trial start = {0, l->value, start_slope};
	struct thuente s = {.in = {.best = start, .other = start}, .start = l->value, .start_slope = start_slope};
	enum line_end end;
	s.width = STEP_MOST - STEP_LEAST;
	s.wider = 2 * s.width;
	s.enough = ENOUGH * start_slope;
	for (size_t count = 1;; count++) {
		bound(&s.in, l->step);
		l->step = clip(&s, l->step, count, most);
		if (!go(l, slope))
			return LINE_STOPPED;
		struct trial t = {l->step, l->value, vector_dot(l->gradient, l->direction, l->n)};
		double fallen = s.start + t.step * s.enough;
		if (ends(&s, t, count, most, &end))
			return end;
		s.second |= t.value <= fallen && least(ENOUGH, FLATTER) * start_slope <= t.slope;
		bool lower = !s.second && fallen < t.value && t.value <= s.in.best.value;
		s.lost = lower ? !narrow_lowered(&s.in, t, s.enough, &l->step) : !narrow(&s.in, t, &l->step);
		l->step = halve_where_slow(&s, l->step);
	}
}

enum line_end line_search(struct line *l, const struct slope *slope, enum search_kind kind, size_t most) {
	if (l->step <= 0)
		return LINE_NO_STEP;
	double start_slope = vector_dot(l->gradient, l->direction, l->n);
	if (start_slope > 0)
		return LINE_RISES;
	return kind == SEARCH_MORE_THUENTE ? more_thuente(l, slope, most, start_slope)
	                                   : backtrack(l, slope, kind, most, start_slope);
}
