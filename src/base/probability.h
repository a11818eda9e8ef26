// Distribution functions that intervals and tests need.
#ifndef AEXP_BASE_PROBABILITY_H
#define AEXP_BASE_PROBABILITY_H

#include <stddef.h>

// P(|T| > |t|) of Student's t with df > 0 degrees of freedom.
double student_t_two_sided(double t, double df);
// The t with P(T <= t) = p, 0 < p < 1; to about 1e-12 of its size.
double student_t_quantile(double p, double df);

double normal_two_sided(double z); // P(|Z| > |z|) of the standard normal distribution

// The two-sided p-value of Wilcoxon's signed-rank test that differences are symmetric about 0 (Biometrics Bulletin 1,
// 1945). Zeros are left out, ties share their mean rank. Exact where there are neither and at most 25 differences; else
// by the normal distribution with the variance corrected for ties and a continuity correction of 1/2, as R and scipy
// with correction=True do. NAN where no difference is left.
double wilcoxon_two_sided(const double *difference, size_t count);

// Of some numbers: mean, standard deviation (n - 1), and the two-sided 95 % interval of the mean by Student's t. What
// is undefined (no number; one number for all but the mean) is NAN.
struct interval {
	size_t count;
	double mean, sd, low, high;
};
struct interval interval_of(const double *values, size_t count);

#endif
