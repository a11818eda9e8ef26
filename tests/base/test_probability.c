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

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(student_has_closed_forms),
	    cmocka_unit_test(quantiles_are_those_of_the_tables),
	    cmocka_unit_test(intervals_are_of_the_mean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
