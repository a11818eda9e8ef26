// heatmap: the objective over two keys of a sweep, or of runs: a cell a pair of values. Where several trials share a
// cell, the best of them or their mean. A range is cut into cells of equal width on its own scale.
#include "report/figure_kind.h"

#include "base/number.h"
#include "report/embedded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MOST = 64, BINS = 8 };

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct row of_best = {.name = "best", .doc = "The best trial of the cell"};
static const struct row of_mean = {.name = "mean", .doc = "The mean of the cell's trials"};
static const struct row *const of_rows[] = {&of_best, &of_mean};
static const struct registry of_registry = {.what = "choice", .plural = "choices", .rows = of_rows, .count = 2};

static const struct key keys[] = {
    KEY(heatmap_config, metric, KEY_STRING, .doc = "What the colour shows; default: the sweep's first objective"),
    KEY(heatmap_config, x, KEY_STRING, .flags = KEY_REQUIRED, .doc = "The x axis: a key of the experiments"),
    KEY(heatmap_config, y, KEY_STRING, .flags = KEY_REQUIRED, .doc = "The y axis"),
    KEY(heatmap_config, of, KEY_CHOICE, .registry = &of_registry, .fallback = "\"best\"",
        .doc = "Of several trials in one cell: the best one, or their mean"),
    KEY(heatmap_config, numbers, KEY_BOOL, .fallback = "true", .doc = "Each cell says its value, where there is room"),
};

static const struct heatmap_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct heatmap_config *config = config_of(f);
	if (config->metric)
		figure_check_name(f, "metric", config->metric, errors);
	else if (f->runs.count)
		error_hint(errors_add(errors, ERROR_CONFIG, figure_origin(f, "kind"), "missing key \"metric\""),
		           "Only a sweep has an objective of its own.");
	if (!strcmp(config->x, config->y))
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "y"), "x and y are the same key");
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	figure_want_figure(ret, config_of(f)->metric);
	figure_want_key(ret, config_of(f)->x);
	figure_want_key(ret, config_of(f)->y);
}

// The cells along one axis: values as text, or the edges of a range.
struct side {
	const char *key, *at; // the experiment's, and the figure file's that names it
	const char *names[CELLS_MOST];
	size_t count;
	const struct trial_axis *range; // NULL: values
};

static double bin_edge(const struct trial_axis *axis, double share) {
	return axis->log ? axis->low * pow(axis->high / axis->low, share) : axis->low + share * (axis->high - axis->low);
}

static void name_bins(struct side *side, struct arena *arena) {
	side->count = BINS;
	for (size_t i = 0; i < BINS; i++)
		side->names[i] = arena_format(arena, "%.2g", bin_edge(side->range, ((double)i + 0.5) / BINS));
}

static size_t bin_of(const struct trial_axis *axis, double value) {
	double share = axis->log ? log(value / axis->low) / log(axis->high / axis->low)
	                         : (value - axis->low) / (axis->high - axis->low);
	share = isfinite(share) && share > 0 ? share : 0;
	size_t bin = (size_t)(share * BINS);
	return bin < BINS ? bin : BINS - 1;
}

static int by_number(const void *a, const void *b) {
	double left = NAN, right = NAN;
	const char *one = *(const char *const *)a, *other = *(const char *const *)b;
	number_read(one, strlen(one), &left);
	number_read(other, strlen(other), &right);
	return (left > right) - (left < right);
}

// Numbers in their order, words in the order in which they came.
static void sort_names(struct side *side) {
	double number;
	for (size_t i = 0; i < side->count; i++)
		if (!number_read(side->names[i], strlen(side->names[i]), &number))
			return;
	qsort(side->names, side->count, sizeof(*side->names), by_number);
}

static size_t place_of(const struct side *side, const char *text) {
	double value = NAN;
	if (side->range)
		return number_read(text, strlen(text), &value) ? bin_of(side->range, value) : 0;
	size_t i = 0;
	while (i < side->count && strcmp(side->names[i], text) != 0)
		i++;
	return i;
}

static bool make_side(const struct figure *f, struct figure_data *data, struct side *side, struct error *error) {
	const struct trials *sweep = data->sweeps_count ? &data->sweeps[0] : NULL;
	size_t axis = sweep ? figure_axis(sweep, side->key) : 0;
	side->range = sweep && axis < sweep->axes_count && sweep->axes[axis].kind == AXIS_RANGE ? &sweep->axes[axis] : NULL;
	if (side->range) {
		name_bins(side, data->arena);
		return true;
	}
	for (size_t i = 0; i < data->count; i++) {
		bool trial = data->samples[i].trial; // in which the key may be inactive
		const char *text = figure_sample_key(f, data, &data->samples[i], side->at, side->key, trial, error);
		if (!text && !trial)
			return false;
		if (!text || place_of(side, text) < side->count)
			continue;
		if (side->count == CELLS_MOST)
			return error_at(error, ERROR_CONFIG, figure_origin(f, side->at), "\"%s\" has more than %d values",
			                side->key, CELLS_MOST);
		side->names[side->count++] = text;
	}
	sort_names(side);
	return true;
}

// Cells, (y, x): their value and how many trials it is of.
struct cells {
	double *value;
	size_t *trials;
};

static void add_to(struct cells *cells, size_t cell, double value, bool mean, bool higher) {
	double *at = &cells->value[cell];
	if (!isfinite(value))
		return;
	double count = (double)++cells->trials[cell];
	if (count == 1)
		*at = value;
	else if (mean)
		*at += (value - *at) / count;
	else
		*at = higher ? fmax(*at, value) : fmin(*at, value);
}

static bool fill(const struct figure *f, struct figure_data *data, const struct side *x, const struct side *y,
                 const char *metric, bool higher, struct cells *cells, struct error *error) {
	for (size_t i = 0; i < data->count; i++) {
		struct figure_sample *sample = &data->samples[i];
		struct run_value value;
		const char *left = figure_sample_key(f, data, sample, "x", x->key, sample->trial, error);
		const char *up = figure_sample_key(f, data, sample, "y", y->key, sample->trial, error);
		if (!left || !up)
			continue; // a trial without one of the keys: make_side has refused such a run
		if (!figure_sample_value(f, data, sample, "metric", metric, &value, error))
			return false;
		add_to(cells, place_of(y, up) * x->count + place_of(x, left), value.value, config_of(f)->of.row == &of_mean,
		       higher);
	}
	return true;
}

// As many as tell a tenth of the range.
static int digits_of(const struct figure_range *range) {
	double most = fmax(fabs(range->low), fabs(range->high)), width = range->high - range->low;
	double digits = width > 0 ? ceil(log10(most / width)) + 1 : 3;
	return digits < 2 ? 2 : digits > 6 ? 6 : (int)digits;
}

static void put_cells(const struct side *x, const struct side *y, const struct cells *cells,
                      struct figure_drawing *ret) {
	struct figure_range range = figure_range_none;
	text_append(&ret->tsv, "x\ty\tvalue\ttrials\tx_value\ty_value\n");
	for (size_t i = 0; i < x->count * y->count; i++) {
		if (!cells->trials[i])
			continue;
		text_format(&ret->tsv, "%zu\t%zu", i % x->count + 1, i / x->count + 1);
		tsv_real(&ret->tsv, cells->value[i]);
		text_format(&ret->tsv, "\t%zu", cells->trials[i]);
		tsv_text(&ret->tsv, x->names[i % x->count]);
		tsv_text(&ret->tsv, y->names[i / x->count]);
		text_append(&ret->tsv, "\n");
		figure_range_add(&range, cells->value[i]);
	}
	text_format(&ret->facts, "value_format = '%%.%dg'\n", digits_of(&range));
	fact_real(&ret->facts, "low", range.low <= range.high ? range.low : 0);
	fact_real(&ret->facts, "high", range.low <= range.high ? range.high : 1);
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct heatmap_config *config = config_of(f);
	struct side x = {.key = config->x, .at = "x"}, y = {.key = config->y, .at = "y"};
	const char *metric = config->metric ? config->metric : data->sweeps[0].objectives[0].metric;
	bool known, higher = config->metric ? figure_higher(metric, &known) : data->sweeps[0].objectives[0].more_is_better;
	if (!make_side(f, data, &x, error) || !make_side(f, data, &y, error))
		return false;
	struct cells cells = {arena_alloc(data->arena, (x.count * y.count + 1) * sizeof(double)),
	                      arena_alloc(data->arena, (x.count * y.count + 1) * sizeof(size_t))};
	if (!fill(f, data, &x, &y, metric, higher, &cells, error))
		return false;
	put_cells(&x, &y, &cells, ret);
	fact_text(&ret->facts, "xlabel", f->xlabel ? f->xlabel : x.key);
	fact_text(&ret->facts, "ylabel", f->ylabel ? f->ylabel : y.key);
	fact_text(&ret->facts, "value_label", metric);
	size_t longest = 0;
	for (size_t i = 0; i < x.count; i++)
		longest = strlen(x.names[i]) > longest ? strlen(x.names[i]) : longest;
	// The colour's scale takes a fifth of the width.
	fact_count(&ret->facts, "numbers", config->numbers && !figure_crowded(f, 5, x.count * 5 / 4 + 1));
	fact_count(&ret->facts, "turned_palette", !higher);
	fact_count(&ret->facts, "turned", figure_crowded(f, longest, x.count * 5 / 4 + 1));
	fact_count(&ret->facts, "x_count", x.count);
	fact_texts(&ret->facts, "x_names", x.names, x.count);
	fact_count(&ret->facts, "y_count", y.count);
	fact_texts(&ret->facts, "y_names", y.names, y.count);
	snprintf(ret->note, sizeof(ret->note), "a cell is the %s of its trials%s", config->of.row->name,
	         x.range || y.range ? "; a range's cells are named by their middle" : "");
	ret->plot = (const char *)embedded_heatmap_gp;
	return true;
}

const struct figure_kind figure_heatmap = {
    .row = {.name = "heatmap",
            .doc = "A figure over two keys of a sweep or of runs, a cell a pair of values, dark where it is better",
            .params = SCHEMA(struct heatmap_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_SWEEP,
    .check = check,
    .wants = wants,
    .make = make,
};
