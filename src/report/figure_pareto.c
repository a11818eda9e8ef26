// pareto: two figures of runs, or of a sweep's trials, against each other, and the front of those that no other one is
// better than in both.
#include "report/figure_kind.h"

#include "report/embedded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MOST = 24 };

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct row goal_min = {.name = "min", .doc = "Less is better"};
static const struct row goal_max = {.name = "max", .doc = "More is better"};
static const struct row *const goals[] = {&goal_min, &goal_max};
const struct registry figure_goal_registry = {.what = "goal", .plural = "goals", .rows = goals, .count = 2};

static const struct key keys[] = {
    KEY(pareto_config, x, KEY_STRING, .doc = "The x axis, \"test.rmse\"; default: the sweep's first objective"),
    KEY(pareto_config, y, KEY_STRING, .doc = "The y axis; default: the sweep's second objective"),
    KEY(pareto_config, x_goal, KEY_CHOICE, .registry = &figure_goal_registry,
        .doc = "min or max; default: the objective's, or the metric's"),
    KEY(pareto_config, y_goal, KEY_CHOICE, .registry = &figure_goal_registry, .doc = "Likewise"),
};

static const struct pareto_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct pareto_config *config = config_of(f);
	const char *const names[] = {config->x, config->y}, *const at[] = {"x", "y"};
	for (size_t i = 0; i < 2; i++)
		if (names[i])
			figure_check_name(f, at[i], names[i], errors);
		else if (f->runs.count)
			error_hint(errors_add(errors, ERROR_CONFIG, figure_origin(f, "kind"), "missing key \"%s\"", at[i]),
			           "Only a sweep has objectives of its own.");
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	figure_want_figure(ret, config_of(f)->x);
	figure_want_figure(ret, config_of(f)->y);
}

// One of the two axes.
struct goal {
	const char *metric;
	bool higher;
};

static bool find_goal(const struct figure *f, const struct figure_data *data, size_t which, struct goal *ret,
                      struct error *error) {
	const struct pareto_config *config = config_of(f);
	const char *name = which ? config->y : config->x;
	const struct row *asked = which ? config->y_goal.row : config->x_goal.row;
	const struct trials *sweep = data->sweeps_count ? &data->sweeps[0] : NULL;
	if (!name && which >= sweep->objectives_count)
		return error_at(error, ERROR_CONFIG, figure_origin(f, "sweeps"),
		                "the sweep has one objective, \"%s\": say what y is", sweep->objectives[0].metric);
	ret->metric = name ? name : sweep->objectives[which].metric;
	bool known = false;
	ret->higher = figure_higher(ret->metric, &known);
	for (size_t i = 0; sweep && i < sweep->objectives_count; i++)
		if (!strcmp(sweep->objectives[i].metric, ret->metric))
			ret->higher = sweep->objectives[i].more_is_better;
	if (asked)
		ret->higher = asked == &goal_max;
	return true;
}

struct dot {
	struct run_value x, y;
	const char *label;
	bool front;
};
struct dots {
	struct dot *items; // (count)
	size_t count;
	struct goal goal[2];
};

// The same goals turned round so that less is better.
static double cost(const struct goal *goal, double value) {
	return goal->higher ? -value : value;
}

static bool dominates(const struct dots *dots, const struct dot *a, const struct dot *b) {
	double ax = cost(&dots->goal[0], a->x.value), bx = cost(&dots->goal[0], b->x.value);
	double ay = cost(&dots->goal[1], a->y.value), by = cost(&dots->goal[1], b->y.value);
	return ax <= bx && ay <= by && (ax < bx || ay < by);
}

static int by_x(const void *a, const void *b) {
	const struct dot *left = a, *right = b;
	if (left->x.value != right->x.value)
		return left->x.value < right->x.value ? -1 : 1;
	return (left->y.value > right->y.value) - (left->y.value < right->y.value);
}

// By cost in x, then y: in that order a dot is on the front where its y is below all before it, or the same dot again.
static int by_cost(const void *a, const void *b, void *context) {
	const struct dots *dots = context;
	const struct dot *left = a, *right = b;
	double x = cost(&dots->goal[0], left->x.value) - cost(&dots->goal[0], right->x.value);
	double y = cost(&dots->goal[1], left->y.value) - cost(&dots->goal[1], right->y.value);
	return x != 0 ? (x > 0) - (x < 0) : (y > 0) - (y < 0);
}

static void find_front(struct dots *dots) {
	const struct dot *last = NULL;
	qsort_r(dots->items, dots->count, sizeof(*dots->items), by_cost, dots);
	for (size_t i = 0; i < dots->count; i++) {
		struct dot *dot = &dots->items[i];
		dot->front = !last || !dominates(dots, last, dot);
		if (dot->front)
			last = dot;
	}
}

static int front_first(const void *a, const void *b) {
	const struct dot *left = a, *right = b;
	return left->front != right->front ? (left->front ? -1 : 1) : by_x(a, b);
}

static bool read_dots(const struct figure *f, struct figure_data *data, struct dots *dots, struct error *error) {
	dots->items = arena_alloc(data->arena, (data->count + 1) * sizeof(*dots->items));
	for (size_t i = 0; i < data->count; i++) {
		struct dot *dot = &dots->items[dots->count];
		struct figure_sample *sample = &data->samples[i];
		if (!figure_sample_value(f, data, sample, "x", dots->goal[0].metric, &dot->x, error) ||
		    !figure_sample_value(f, data, sample, "y", dots->goal[1].metric, &dot->y, error))
			return false;
		dot->label = sample->named ? sample->label : "";
		dots->count += isfinite(dot->x.value) && isfinite(dot->y.value);
	}
	return true;
}

static void put_dots(const struct dots *dots, struct figure_drawing *ret) {
	struct figure_range x = figure_range_none, y = figure_range_none;
	bool bars = false, others = false;
	text_append(&ret->tsv, "x\ty\tfront\tx_low\tx_high\ty_low\ty_high\tlabel\n");
	for (size_t i = 0; i < dots->count; i++) {
		const struct dot *dot = &dots->items[i];
		const double reach[2][3] = {{dot->x.value, dot->x.low, dot->x.high}, {dot->y.value, dot->y.low, dot->y.high}};
		struct text row = {0};
		tsv_real(&row, dot->x.value);
		tsv_real(&row, dot->y.value);
		text_format(&row, "\t%d", dot->front);
		for (size_t k = 0; k < 4; k++)
			tsv_real(&row, reach[k / 2][1 + k % 2]);
		tsv_text(&row, dot->label);
		text_format(&ret->tsv, "%s\n", text_string(&row) + 1);
		text_finish(&row);
		for (size_t k = 0; k < 3; k++) {
			figure_range_add(&x, reach[0][k]);
			figure_range_add(&y, reach[1][k]);
		}
		bars = bars || isfinite(dot->x.low) || isfinite(dot->y.low);
		others = others || !dot->front;
	}
	fact_count(&ret->facts, "bars", bars);
	fact_count(&ret->facts, "others", others);
	fact_real(&ret->facts, "x_low", dots->count ? x.low : 0);
	fact_real(&ret->facts, "x_high", dots->count ? x.high : 1);
	fact_real(&ret->facts, "y_low", dots->count ? y.low : 0);
	fact_real(&ret->facts, "y_high", dots->count ? y.high : 1);
	if (bars)
		snprintf(ret->note, sizeof(ret->note), "bars are 95 %% t-intervals of the mean over repeats");
}

static void put_labels(const struct dots *dots, struct text *facts) {
	const char *labels[LABELS_MOST];
	size_t count = 0;
	struct text places = {0};
	for (size_t i = 0; i < dots->count && count < LABELS_MOST; i++) {
		const struct dot *dot = &dots->items[i];
		if (!*dot->label)
			continue;
		labels[count++] = dot->label;
		text_format(&places, "label_x[%zu] = %.17g\nlabel_y[%zu] = %.17g\n", count, dot->x.value, count, dot->y.value);
	}
	fact_count(facts, "labels_count", count);
	fact_texts(facts, "labels", labels, count);
	text_format(facts, "array label_x[%zu]\narray label_y[%zu]\n", count + 1, count + 1);
	text_append(facts, text_string(&places));
	text_finish(&places);
}

static const char *with_goal(const struct goal *goal, struct arena *arena) {
	return arena_format(arena, "%s (%s)", goal->metric, goal->higher ? "max" : "min");
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	struct dots dots = {0};
	if (!find_goal(f, data, 0, &dots.goal[0], error) || !find_goal(f, data, 1, &dots.goal[1], error) ||
	    !read_dots(f, data, &dots, error))
		return false;
	find_front(&dots);
	qsort(dots.items, dots.count, sizeof(*dots.items), front_first);
	put_dots(&dots, ret);
	put_labels(&dots, &ret->facts);
	fact_text(&ret->facts, "xlabel", f->xlabel ? f->xlabel : with_goal(&dots.goal[0], data->arena));
	fact_text(&ret->facts, "ylabel", f->ylabel ? f->ylabel : with_goal(&dots.goal[1], data->arena));
	fact_count(&ret->facts, "x_higher", dots.goal[0].higher);
	fact_count(&ret->facts, "y_higher", dots.goal[1].higher);
	fact_text(&ret->facts, "front_name", "Pareto front");
	fact_text(&ret->facts, "others_name", data->sweeps_count ? "other trials" : "other runs");
	ret->plot = (const char *)embedded_pareto_gp;
	return true;
}

const struct figure_kind figure_pareto = {
    .row = {.name = "pareto",
            .doc = "Two figures against each other, and the front of those that none is better than in both",
            .params = SCHEMA(struct pareto_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_SWEEP,
    .check = check,
    .wants = wants,
    .make = make,
};
