// Closest names: the distance against a plain recursive definition, the limit, ties, letter case.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/nearest.h"
#include "base/random.h"

static size_t least(size_t a, size_t b) {
	return a < b ? a : b;
}

static char lower(char c) {
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// The definition of the distance between the first i letters of a and the first j of b, as it stands in the books.
static size_t naive(const char *a, size_t i, const char *b, size_t j) {
	if (i == 0 || j == 0)
		return i + j;
	size_t best = least(naive(a, i - 1, b, j), naive(a, i, b, j - 1)) + 1;
	best = least(best, naive(a, i - 1, b, j - 1) + (lower(a[i - 1]) != lower(b[j - 1])));
	if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
		best = least(best, naive(a, i - 2, b, j - 2) + 1);
	return best;
}

static void random_word(struct random_stream stream, uint64_t row, size_t most, char *word) {
	size_t length = random_u32(stream, 0, row, 0) % (most + 1);
	for (size_t i = 0; i < length; i++)
		word[i] = "abcA"[random_u32(stream, 0, row, (uint32_t)i + 1) % 4]; // few letters, so that many agree
	word[length] = '\0';
}

static void agrees_with_the_definition(void **state) {
	(void)state;
	struct random_stream stream = random_stream_make(3, "test", "nearest");
	size_t accepted = 0;
	for (uint64_t trial = 0; trial < 3000; trial++) {
		char word[8], other[8];
		random_word(stream, 2 * trial, 7, word);
		random_word(stream, 2 * trial + 1, 7, other);
		size_t a = strlen(word), b = strlen(other), distance = naive(word, a, other, b);
		struct nearest nearest = {.word = word};
		nearest_offer(&nearest, other);
		int near = distance <= (a / 3 > 1 ? a / 3 : 1) && distance < (a > b ? a : b);
		assert_int_equal(nearest.best != NULL, near);
		if (near)
			assert_int_equal(nearest.distance, distance);
		accepted += (size_t)near;
	}
	assert_true(accepted > 100); // the test has seen both answers
}

static const char *closest(const char *word, const char *const *candidates) {
	struct nearest nearest = {.word = word};
	for (; *candidates != NULL; candidates++)
		nearest_offer(&nearest, *candidates);
	return nearest.best;
}

static void names_of_the_house(void **state) {
	(void)state;
	static const char *const names[] = {"identity", "relu", "leaky_relu", "elu",     "selu",
	                                    "sigmoid",  "tanh", "softplus",   "swish",   "masked_mse",
	                                    "adadelta", "adam", "units",      "dropout", "batch_norm",
	                                    "epochs",   "rate", "input",      "inputs",  NULL};
	static const char *const cases[][2] = {
	    {"sigmod", "sigmoid"},
	    {"sigmoidd", "sigmoid"},
	    {"sgimoid", "sigmoid"},
	    {"ReLU", "relu"},
	    {"maskd_mse", "masked_mse"},
	    {"epoch", "epochs"},
	    {"adaleta", "adadelta"},
	    {"inptu", "input"},
	    {"SELU", "selu"},
	    {"batchnorm", "batch_norm"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(closest(cases[i][0], names), cases[i][1]);
	assert_null(closest("transformer", names));
	assert_null(closest("x", names));
	assert_null(closest("", names));
}

static void the_nearest_wins_and_the_first_of_equals(void **state) {
	(void)state;
	assert_string_equal(closest("abcdef", (const char *const[]){"abcdxy", "abcdex", "abcdey", "abcdzz", NULL}),
	                    "abcdex");
	assert_string_equal(closest("rate", (const char *const[]){"Rate", "rate", NULL}), "Rate");
	assert_null(closest("x", (const char *const[]){"k", NULL})); // all letters changed: nothing alike
	assert_string_equal(closest("x", (const char *const[]){"X", NULL}), "X");
	assert_string_equal(closest("ab", (const char *const[]){"abc", NULL}), "abc");
	assert_null(closest("abcde", (const char *const[]){"abcdefg", NULL})); // two off, one allowed
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(agrees_with_the_definition),
	    cmocka_unit_test(names_of_the_house),
	    cmocka_unit_test(the_nearest_wins_and_the_first_of_equals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
