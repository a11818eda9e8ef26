// Strategies on functions whose least value is known, one trial after the other: for each seed from 1 the difference of
// the best value found from the least one, a line each. Usage: tpe_play STRATEGY FUNCTION TRIALS SEEDS
#include "config/tree.h"
#include "search/strategy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

// Branin's function: x from -5 to 10, y from 0 to 15.
static double branin(const double *x) {
	double a = x[1] - 5.1 / (4 * PI * PI) * x[0] * x[0] + 5 / PI * x[0] - 6;
	return a * a + 10 * (1 - 1 / (8 * PI)) * cos(x[0]) + 10;
}

// Hartmann's function of six variables from 0 to 1.
static double hartmann(const double *x) {
	static const double alpha[4] = {1, 1.2, 3, 3.2};
	static const double a[4][6] = {
	    {10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}};
	static const double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
	                               {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
	                               {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
	                               {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
	double sum = 0;
	for (size_t i = 0; i < 4; i++) {
		double inner = 0;
		for (size_t k = 0; k < 6; k++)
			inner += a[i][k] * (x[k] - p[i][k]) * (x[k] - p[i][k]);
		sum -= alpha[i] * exp(-inner);
	}
	return sum;
}

// Rosenbrock's function of three variables from -2.048 to 2.048.
static double rosenbrock(const double *x) {
	double sum = 0;
	for (size_t i = 0; i < 2; i++)
		sum += 100 * pow(x[i + 1] - x[i] * x[i], 2) + pow(1 - x[i], 2);
	return sum;
}

// A mixed one: a rate on a log scale, a whole number, and a choice that shifts both; least 0.
static double mixed(const double *x) {
	double rate = log10(x[0]) + 3, units = (x[1] - 40) / 30;
	static const double shift[3] = {1, 0, 0.5};
	return rate * rate + units * units + shift[(size_t)x[2]] + (x[2] == 2 ? 0.3 * rate : 0);
}

static const struct function {
	const char *name, *space;
	double (*value)(const double *x);
	double least;
} functions[] = {
    {"branin", "{ key = \"a\"; range = [ -5.0, 10.0 ]; }, { key = \"b\"; range = [ 0.0, 15.0 ]; }", branin,
     0.39788735772973816},
    {"hartmann",
     "{ key = \"a\"; range = [ 0.0, 1.0 ]; }, { key = \"b\"; range = [ 0.0, 1.0 ]; }, { key = \"c\"; range = [ 0.0, "
     "1.0 ]; },"
     "{ key = \"d\"; range = [ 0.0, 1.0 ]; }, { key = \"e\"; range = [ 0.0, 1.0 ]; }, { key = \"f\"; range = [ 0.0, "
     "1.0 ]; }",
     hartmann, -3.3223680114155152},
    {"rosenbrock",
     "{ key = \"a\"; range = [ -2.048, 2.048 ]; }, { key = \"b\"; range = [ -2.048, 2.048 ]; },"
     "{ key = \"c\"; range = [ -2.048, 2.048 ]; }",
     rosenbrock, 0},
    {"mixed",
     "{ key = \"a\"; range = [ 1e-6, 1.0 ]; scale = \"log\"; }, { key = \"b\"; range = [ 1, 200 ]; integer = true; },"
     "{ key = \"c\"; values = [ 0, 1, 2 ]; }",
     mixed, 0},
};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]), AXES_MOST = 6 };

static double value_at(const struct function *f, const struct search *search, const struct setting *point) {
	double x[AXES_MOST];
	for (size_t i = 0; i < search->space.count; i++)
		x[i] = search->space.axes[i].levels ? (double)point[i].level : point[i].number;
	return f->value(x);
}

static double play(const struct function *f, const struct search *search) {
	size_t axes = search->space.count;
	struct setting *points = memory_alloc(search->trials * axes * sizeof(*points));
	struct known_trial *known = memory_alloc(search->trials * sizeof(*known));
	double *losses = memory_alloc(search->trials * sizeof(*losses)), best = INFINITY;
	for (size_t i = 0; i < search->trials; i++) {
		search_propose(search, i, known, points + i * axes);
		losses[i] = value_at(f, search, points + i * axes);
		known[i] = (struct known_trial){TRIAL_FINISHED, points + i * axes, &losses[i], 1};
		best = fmin(best, losses[i]);
	}
	free(points);
	free(known);
	free(losses);
	return best - f->least;
}

static void play_seed(const char *strategy, const struct function *f, const char *trials, unsigned long seed) {
	struct arena arena = {0};
	struct errors errors = {0};
	struct error error;
	struct sweep_config config = {0};
	struct search search = {0};
	char *text =
	    arena_format(&arena, "kind = \"%s\"; trials = %s; seed = %lu; lag = 1; objective = \"x\"; space = ( %s );",
	                 strategy, trials, seed, f->space);
	struct source_text source = {.text = text, .length = strlen(text), .at = {.file = "tpe_play"}};
	struct value *tree = tree_parse(&source, &arena, &errors);
	if (!tree || !schema_read(&sweep_schema, tree, "", &arena, &config, &errors) ||
	    !search_create(&config, &arena, &search, &error)) {
		fprintf(stderr, "%s\n", errors.count ? errors.items[0].message : error.message);
		exit(2);
	}
	printf("%.17g\n", play(f, &search));
	search_finish(&search);
	errors_finish(&errors);
	arena_finish(&arena);
}

int main(int argc, char **argv) {
	for (size_t i = 0; argc == 5 && i < FUNCTIONS; i++) {
		if (strcmp(functions[i].name, argv[2]))
			continue;
		for (unsigned long seed = 1; seed <= strtoul(argv[4], NULL, 10); seed++)
			play_seed(argv[1], &functions[i], argv[3], seed);
		return 0;
	}
	fprintf(stderr, "usage: tpe_play STRATEGY branin|hartmann|rosenbrock|mixed TRIALS SEEDS\n");
	return 2;
}
