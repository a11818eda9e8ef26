// Distribution functions against values from tables and closed forms.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/probability.h"

#include <math.h>

static void near(double got, double want, double tolerance) {
	if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
		fail_msg("%.17g, not %.17g", got, want);
}

// df 1 is the Cauchy distribution and df 2 has a closed form.
static void student_has_closed_forms(void **state) {
	(void)state;
	const double pi = acos(-1.0);
	for (double t = 0; t < 200; t = t * 1.7 + 0.01) {
		near(student_t_two_sided(t, 1), 1 - 2 * atan(t) / pi, 1e-13);
		near(student_t_two_sided(-t, 2), 1 - t / sqrt(2 + t * t), 1e-13);
		near(student_t_two_sided(t, 4), 1 - t * (6 + t * t) / pow(4 + t * t, 1.5), 1e-12);
	}
	near(student_t_two_sided(1.959963984540054, 1e6), 0.05, 1e-6); // nearly the normal distribution
}

static void quantiles_are_those_of_the_tables(void **state) {
	(void)state;
	near(student_t_quantile(0.975, 1), 12.706204736174705, 1e-10);
	near(student_t_quantile(0.975, 4), 2.7764451051977934, 1e-10);
	near(student_t_quantile(0.975, 9), 2.2621571627409915, 1e-10);
	near(student_t_quantile(0.025, 30), -2.0422724563012373, 1e-10);
	assert_true(student_t_quantile(0.5, 3) == 0);
	for (double df = 1; df < 3000; df *= 2.3)
		for (double p = 0.51; p < 0.9999; p += 0.0371)
			near(1 - student_t_two_sided(student_t_quantile(p, df), df) / 2, p, 1e-12);
}

static void intervals_are_of_the_mean(void **state) {
	(void)state;
	const double values[] = {0.83, 0.84, 0.82, 0.85, 0.83};
	struct interval five = interval_of(values, 5), one = interval_of(values, 1), none = interval_of(values, 0);
	near(five.mean, 0.834, 1e-14);
	near(five.sd, 0.011401754250991, 1e-12);
	near(five.high - five.mean, 2.7764451051977934 * 0.011401754250991 / sqrt(5), 1e-10);
	near(five.mean - five.low, five.high - five.mean, 1e-12);
	assert_true(one.mean == 0.83 && isnan(one.sd) && isnan(one.low) && isnan(one.high));
	assert_true(isnan(none.mean));
}

// By trying all signs: how many give a sum of positive ranks at least as far from its mean. Ranks are those of 1 to n.
static double all_signs(const double *difference, size_t n) {
	double sum = 0, mean = (double)(n * (n + 1)) / 4;
	size_t far = 0;
	for (size_t i = 0; i < n; i++) {
		size_t rank = 1;
		for (size_t k = 0; k < n; k++)
			rank += fabs(difference[k]) < fabs(difference[i]);
		sum += difference[i] > 0 ? (double)rank : 0;
	}
	for (size_t signs = 0; signs < (size_t)1 << n; signs++) {
		double other = 0;
		for (size_t i = 0; i < n; i++)
			other += signs >> i & 1 ? (double)(i + 1) : 0;
		far += fabs(other - mean) >= fabs(sum - mean);
	}
	return (double)far / (double)((size_t)1 << n);
}

static void signed_ranks(void **state) {
	(void)state;
	near(normal_two_sided(1.959963984540054), 0.05, 1e-14);
	near(normal_two_sided(-3), 0.0026997960632601866, 1e-14);
	// Hollander and Wolfe's depression scale factor, the example of R's wilcox.test: V = 40, p = 0.03906
	const double depression[] = {0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01};
	near(wilcoxon_two_sided(depression, 9), 0.0390625, 1e-15);
	double difference[12];
	for (size_t n = 1; n <= 12; n++)
		for (unsigned round = 0; round < 20; round++) {
			for (size_t i = 0; i < n; i++) // distinct sizes, signs by chance
				difference[i] = (double)((i * 5 + 3) % 13 + 1) * ((round * 2654435761u >> (i + 8)) & 1 ? 1 : -1);
			near(wilcoxon_two_sided(difference, n), all_signs(difference, n), 1e-14);
		}
	// With ties and a zero, by hand: sizes 1 1 2 3 3 3 4, ranks 1.5 1.5 3 5 5 5 7, positive 1.5 + 3 + 5 + 5 + 7 = 21.5;
	// mean 14, variance 7 * 8 * 15 / 24 - (6 + 24) / 48 = 34.375; z = (7.5 - 0.5) / sqrt(34.375)
	const double tied[] = {1, -1, 2, 3, -3, 3, 0, 4};
	near(wilcoxon_two_sided(tied, 8), erfc(7 / sqrt(34.375) / sqrt(2)), 1e-14);
	assert_true(isnan(wilcoxon_two_sided((double[]){0, 0}, 2)));
	double many[60];
	for (size_t i = 0; i < 60; i++)
		many[i] = (double)(i + 1) * (i % 3 ? 1 : -1);
	// positive: 1830 - (1 + 4 + ... + 58 = 590) = 1240; mean 915, variance 60 * 61 * 121 / 24 = 18452.5
	near(wilcoxon_two_sided(many, 60), erfc(324.5 / sqrt(18452.5) / sqrt(2)), 1e-13);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(student_has_closed_forms),
	    cmocka_unit_test(quantiles_are_those_of_the_tables),
	    cmocka_unit_test(intervals_are_of_the_mean),
	    cmocka_unit_test(signed_ranks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
