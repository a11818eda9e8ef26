// See probability.h.
#include "base/probability.h"

#include <float.h>
#include <math.h>

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method; converges fast for
// x < (a + 1) / (a + b + 2).
static double beta_fraction(double a, double b, double x) {
	enum { TERMS_MOST = 100000 };
	const double tiny = 1e-300;
	double c = 1, d = 1 - (a + b) * x / (a + 1);
	d = 1 / (fabs(d) < tiny ? tiny : d);
	double fraction = d;
	for (int i = 1; i <= TERMS_MOST; i++) {
		double m = i, even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		d = 1 + even * d;
		c = 1 + even / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		fraction *= d * c;
		d = 1 + odd * d;
		c = 1 + odd / c;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = fabs(c) < tiny ? tiny : c;
		fraction *= d * c;
		if (fabs(d * c - 1) < DBL_EPSILON)
			break;
	}
	return fraction;
}

// The regularised incomplete beta function I_x(a, b); rest is 1 - x, given apart so that it loses no digits.
static double beta_share(double a, double b, double x, double rest) {
	if (x <= 0 || rest <= 0)
		return x <= 0 ? 0 : 1;
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, rest) / b;
}

double student_t_two_sided(double t, double df) {
	double sum = df + t * t;
	return beta_share(df / 2, 0.5, df / sum, t * t / sum);
}

double student_t_quantile(double p, double df) {
	if (p == 0.5)
		return 0;
	double tail = 2 * (p < 0.5 ? p : 1 - p), low = 0, high = 1;
	while (student_t_two_sided(high, df) > tail && high < DBL_MAX / 4)
		high *= 2;
	for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
		double middle = low + (high - low) / 2;
		if (student_t_two_sided(middle, df) > tail)
			low = middle;
		else
			high = middle;
	}
	return p < 0.5 ? -high : high;
}

struct interval interval_of(const double *values, size_t count) {
	struct interval r = {count, NAN, NAN, NAN, NAN};
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	if (count)
		r.mean = sum / (double)count;
	if (count < 2)
		return r;
	for (size_t i = 0; i < count; i++)
		squares += (values[i] - r.mean) * (values[i] - r.mean);
	r.sd = sqrt(squares / (double)(count - 1));
	double half = student_t_quantile(0.975, (double)(count - 1)) * r.sd / sqrt((double)count);
	r.low = r.mean - half;
	r.high = r.mean + half;
	return r;
}
