// search: the best objective that a sweep had found, over the trials or the epochs that it had spent by then. Sweeps of
// one label are repeats (other seeds of the strategy): their mean, with a band. Trials count in their order, stopped
// ones with the epochs they had; failed ones only as trials.
#include "report/figure_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_MOST = 400 }; // steps that are drawn

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct row over_trials = {.name = "trials", .doc = "Trials so far"};
static const struct row over_epochs = {.name = "epochs", .doc = "Epochs of all trials so far"};
static const struct row *const over_rows[] = {&over_trials, &over_epochs};
static const struct registry over_registry = {.what = "budget", .plural = "budgets", .rows = over_rows, .count = 2};

static const struct key keys[] = {
    KEY(search_config, metric, KEY_STRING, .doc = "One of the sweeps' objectives; default: the first"),
    KEY(search_config, over, KEY_CHOICE, .registry = &over_registry, .fallback = "\"trials\"",
        .doc = "The x axis: trials, or the epochs of all trials"),
    KEY(search_config, band, KEY_CHOICE, .registry = &figure_band_registry, .fallback = "\"t95\"",
        .doc = "Around the mean over sweeps of one label: t95, range or none"),
    KEY(search_config, log, KEY_BOOL, .fallback = "false", .doc = "A logarithmic y axis"),
};

static const struct search_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	if (config_of(f)->metric)
		figure_check_name(f, "metric", config_of(f)->metric, errors);
}

// One sweep as a staircase: from `spent` on, the best is `best`.
struct stairs {
	const char *label;
	double *spent, *best; // (count)
	size_t count;
};

static bool objective_of(const struct figure *f, const struct trials *sweep, size_t *ret, struct error *error) {
	const char *metric = config_of(f)->metric;
	*ret = 0;
	while (metric && *ret < sweep->objectives_count && strcmp(sweep->objectives[*ret].metric, metric) != 0)
		++*ret;
	return *ret < sweep->objectives_count || error_at(error, ERROR_CONFIG, figure_origin(f, "metric"),
	                                                  "%s/%s has no objective \"%s\"", sweep->name, sweep->id, metric);
}

static bool climb(const struct figure *f, const struct trials *sweep, struct arena *arena, struct stairs *ret,
                  struct error *error) {
	size_t which;
	double spent = 0, best = NAN;
	if (!objective_of(f, sweep, &which, error))
		return false;
	ret->spent = arena_alloc(arena, (sweep->count + 1) * sizeof(double));
	ret->best = arena_alloc(arena, (sweep->count + 1) * sizeof(double));
	for (size_t i = 0; i < sweep->count; i++) {
		const struct ended_trial *trial = &sweep->items[i];
		double value = trial->objectives[which];
		spent += config_of(f)->over.row == &over_epochs ? (double)trial->epochs : 1;
		// What was stopped early is not what the sweep would give back.
		if (trial->status == END_FINISHED && isfinite(value))
			best = isnan(best)                               ? value
			       : sweep->objectives[which].more_is_better ? fmax(best, value)
			                                                 : fmin(best, value);
		ret->spent[ret->count] = spent;
		ret->best[ret->count++] = best;
	}
	return true;
}

static double best_at(const struct stairs *stairs, double spent) {
	double best = NAN;
	for (size_t i = 0; i < stairs->count && stairs->spent[i] <= spent; i++)
		best = stairs->best[i];
	return best;
}

static int by_value(const void *a, const void *b) {
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

// Where any staircase has a step, each once; thinned out where there are many.
static size_t grid_of(const struct stairs *stairs, size_t count, struct arena *arena, double **ret) {
	size_t all = 0, used = 0, drawn = 0;
	for (size_t i = 0; i < count; i++)
		all += stairs[i].count;
	double *x = arena_alloc(arena, (all + 1) * sizeof(*x));
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < stairs[i].count; k++)
			x[used++] = stairs[i].spent[k];
	qsort(x, used, sizeof(*x), by_value);
	for (size_t i = 0; i < used; i++)
		if (drawn == 0 || x[i] > x[drawn - 1])
			x[drawn++] = x[i];
	for (size_t i = 0; drawn > GRID_MOST && i < GRID_MOST; i++)
		x[i] = x[i * (drawn - 1) / (GRID_MOST - 1)];
	*ret = x;
	return drawn < GRID_MOST ? drawn : GRID_MOST;
}

// Stairs as lines: each x but the first twice, before the step and behind it.
static size_t double_grid(double **x, size_t rows, struct arena *arena) {
	double *twice = arena_alloc(arena, (2 * rows + 1) * sizeof(*twice));
	size_t count = 0;
	for (size_t i = 0; i < rows; i++) {
		if (i > 0)
			twice[count++] = (*x)[i];
		twice[count++] = (*x)[i];
	}
	*x = twice;
	return count;
}

// Odd rows stand before their step.
static double spent_at(const double *x, size_t row) {
	return row % 2 ? x[row - 1] : x[row];
}

// A mean is drawn while all of its sweeps go on and have found something.
static void average(const struct stairs *stairs, size_t count, const char *label, const double *x, size_t rows,
                    const struct row *band, struct interval *ret) {
	double *value = memory_alloc((count + 1) * sizeof(*value));
	for (size_t row = 0; row < rows; row++) {
		size_t there = 0, asked = 0;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(stairs[i].label, label) != 0)
				continue;
			bool over = stairs[i].count == 0 || stairs[i].spent[stairs[i].count - 1] < x[row];
			double best = over ? (double)NAN : best_at(&stairs[i], spent_at(x, row));
			asked++;
			if (!isnan(best))
				value[there++] = best;
		}
		ret[row] = there == asked ? figure_band_of(value, there, band) : (struct interval){0, NAN, NAN, NAN, NAN};
	}
	free(value);
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct search_config *config = config_of(f);
	struct arena *arena = data->arena;
	size_t count = data->sweeps_count;
	struct stairs *stairs = arena_alloc(arena, (count + 1) * sizeof(*stairs));
	struct figure_bands b = {.stairs = true, .log_y = config->log};
	double *x;
	b.items = arena_alloc(arena, (count + 1) * sizeof(*b.items));
	b.names = arena_alloc(arena, (count + 1) * sizeof(*b.names));
	for (size_t i = 0; i < count; i++) {
		const struct figure_sweep *asked = f->sweeps.items[i];
		stairs[i].label = asked->label ? asked->label : data->sweeps[i].kind;
		if (!climb(f, &data->sweeps[i], arena, &stairs[i], error))
			return false;
	}
	b.rows = grid_of(stairs, count, arena, &x);
	b.rows = double_grid(&x, b.rows, arena);
	b.x = x;
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;
		while (k < b.count && strcmp(b.names[k], stairs[i].label) != 0)
			k++;
		if (k < b.count)
			continue;
		b.names[b.count] = stairs[i].label;
		b.items[b.count].at = arena_alloc(arena, (b.rows + 1) * sizeof(struct interval));
		average(stairs, count, stairs[i].label, x, b.rows, config->band.row, b.items[b.count++].at);
	}
	const char *metric = config->metric ? config->metric : data->sweeps[0].objectives[0].metric;
	figure_bands_make(f, &b, config->over.row == &over_epochs ? "epochs spent" : "trials",
	                  arena_format(arena, "best %s so far", metric), ret);
	if (count > b.count)
		snprintf(ret->note, sizeof(ret->note), "means over sweeps of one label; %s",
		         figure_band_words(config->band.row));
	return true;
}

const struct figure_kind figure_search = {
    .row = {.name = "search",
            .doc = "The best objective that sweeps had found over the trials or epochs spent; over repeats the mean",
            .params = SCHEMA(struct search_config, keys)},
    .takes = FIGURE_SWEEPS,
    .check = check,
    .make = make,
};
