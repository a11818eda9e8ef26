// See probability.h.
#include "base/probability.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

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

double normal_two_sided(double z) {
	return erfc(fabs(z) / sqrt(2));
}

static int by_size(const void *a, const void *b) {
	double left = fabs(*(const double *)a), right = fabs(*(const double *)b);
	return (left > right) - (left < right);
}

enum { WILCOXON_EXACT_MOST = 25 };

// P of a rank sum at least as far from its mean as `sum`: of the 2^n ways to give signs to the ranks 1 to n, counted by
// their sum of positive ranks.
static double wilcoxon_exact(double sum, size_t n) {
	double ways[WILCOXON_EXACT_MOST * (WILCOXON_EXACT_MOST + 1) / 2 + 1] = {1};
	size_t most = n * (n + 1) / 2;
	for (size_t rank = 1; rank <= n; rank++)
		for (size_t s = most; s >= rank; s--)
			ways[s] += ways[s - rank];
	double low = fmin(sum, (double)most - sum), tail = 0;
	for (size_t s = 0; (double)s <= low; s++)
		tail += ways[s];
	return fmin(1, 2 * tail / pow(2, (double)n));
}

struct signed_ranks {
	double sum;  // of the ranks of what is positive
	double ties; // sum over groups of t^3 - t
};

// sorted: (n) by size.
static struct signed_ranks rank_signs(const double *sorted, size_t n) {
	struct signed_ranks r = {0};
	for (size_t i = 0, end; i < n; i = end) {
		size_t positive = 0;
		for (end = i; end < n && fabs(sorted[end]) == fabs(sorted[i]); end++)
			positive += sorted[end] > 0;
		double tied = (double)(end - i);
		r.sum += (double)positive * ((double)(i + end + 1) / 2);
		r.ties += tied * tied * tied - tied;
	}
	return r;
}

double wilcoxon_two_sided(const double *difference, size_t count) {
	double *sorted = memory_alloc((count + 1) * sizeof(*sorted));
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (difference[i] != 0)
			sorted[n++] = difference[i];
	qsort(sorted, n, sizeof(*sorted), by_size);
	struct signed_ranks r = rank_signs(sorted, n);
	free(sorted);
	if (n == 0)
		return NAN;
	if (n == count && r.ties == 0 && n <= WILCOXON_EXACT_MOST)
		return wilcoxon_exact(r.sum, n);
	double size = (double)n, mean = size * (size + 1) / 4;
	double variance = size * (size + 1) * (2 * size + 1) / 24 - r.ties / 48;
	return normal_two_sided(fmax(0, fabs(r.sum - mean) - 0.5) / sqrt(variance));
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
