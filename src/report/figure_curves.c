// curves: the loss, or a metric, over the epochs of several runs; of a run with repeats the mean, with a band.
#include "report/figure_kind.h"

#include "base/file.h"
#include "base/number.h"
#include "report/embedded.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_MOST = 64 << 20, POINTS_DRAWN = 12 };

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct row band_t95 = {.name = "t95", .doc = "The 95 % interval of the mean, by Student's t"};
static const struct row band_range = {.name = "range", .doc = "From the least to the largest"};
static const struct row band_none = {.name = "none", .doc = "No band"};
static const struct row *const bands[] = {&band_t95, &band_range, &band_none};
const struct registry figure_band_registry = {
    .what = "band", .plural = "bands", .rows = bands, .count = sizeof(bands) / sizeof(bands[0])};

static const struct key keys[] = {
    KEY(curves_config, metrics, KEY_STRINGS, .flags = KEY_REQUIRED,
        .doc = "A curve each for every run: \"train.loss\", or \"valid.\" and one of the experiment's metrics"),
    KEY(curves_config, names, KEY_STRINGS, .doc = "What the figure calls them; default: as they are"),
    KEY(curves_config, band, KEY_CHOICE, .registry = &figure_band_registry, .fallback = "\"t95\"",
        .doc = "Around the mean over repeats: t95, range or none"),
    KEY(curves_config, log, KEY_BOOL, .fallback = "false", .doc = "A logarithmic y axis"),
};

static const struct curves_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct curves_config *config = config_of(f);
	if (config->metrics.count == 0)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "metrics"), "metrics is empty");
	if (config->names.set && config->names.count != config->metrics.count)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "names"), "%zu names for %zu metrics", config->names.count,
		           config->metrics.count);
	for (size_t i = 0; i < config->metrics.count; i++) {
		const char *name = config->metrics.items[i];
		if (strncmp(name, "valid.", 6) == 0 || strcmp(name, "train.loss") == 0)
			figure_check_name(f, "metrics", name, errors);
		else
			error_hint(errors_add(errors, ERROR_CONFIG, config->metrics.at[i], "no epoch has a \"%s\"", name),
			           "Epochs have \"train.loss\", and \"valid.\" and each metric.");
	}
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	for (size_t i = 0; i < config_of(f)->metrics.count; i++)
		figure_want_figure(ret, config_of(f)->metrics.items[i]);
}

// --- epochs of runs ---

// Values of one metric by epoch, of one run: (epochs), NAN where it was not evaluated.
struct epochs {
	double *value;
	size_t count;
};

static double value_in(const struct cJSON *epoch, const char *metric) {
	const char *dot = strchr(metric, '.');
	const struct cJSON *part = json_member(epoch, strncmp(metric, "train.", 6) == 0 ? "train" : "valid");
	return dot ? json_number(json_member(part, dot + 1)) : (double)NAN;
}

static bool read_epochs(const char *folder, const char *metric, struct arena *arena, struct epochs *ret,
                        struct error *error) {
	char *path = path_join(folder, "metrics.json");
	struct cJSON *metrics = NULL;
	const struct cJSON *epoch;
	bool good = json_read(path, METRICS_MOST, &metrics, error);
	const struct cJSON *list = good ? json_member(metrics, "epochs") : NULL;
	ret->count = 0;
	ret->value = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*ret->value));
	cJSON_ArrayForEach(epoch, list) ret->value[ret->count++] = value_in(epoch, metric);
	cJSON_Delete(metrics);
	free(path);
	return good;
}

// --- mean and band ---

struct interval figure_band_of(const double *values, size_t count, const struct row *band) {
	struct interval interval = interval_of(values, count);
	struct figure_range range = figure_range_none;
	for (size_t i = 0; i < count; i++)
		figure_range_add(&range, values[i]);
	if (band == &band_range) {
		interval.low = range.low;
		interval.high = range.high;
	}
	if (band == &band_none || count < 2)
		interval.low = interval.high = NAN;
	return interval;
}

const char *figure_band_words(const struct row *band) {
	return band == &band_t95     ? "bands are 95 % t-intervals of the mean"
	       : band == &band_range ? "bands reach from the least to the largest value"
	                             : "";
}

// Where a run has ended the mean of the others would be of something else: the curve ends with the first of them.
static struct figure_band mean_of(const struct epochs *runs, size_t count, size_t rows, const struct row *band,
                                  struct arena *arena) {
	struct figure_band ret = {arena_alloc(arena, (rows + 1) * sizeof(*ret.at))};
	double *value = memory_alloc((count + 1) * sizeof(*value));
	for (size_t epoch = 0; epoch < rows; epoch++) {
		size_t there = 0;
		for (size_t i = 0; i < count; i++)
			if (epoch < runs[i].count && isfinite(runs[i].value[epoch]))
				value[there++] = runs[i].value[epoch];
		ret.at[epoch] = there == count ? figure_band_of(value, count, band) : (struct interval){0, NAN, NAN, NAN, NAN};
	}
	free(value);
	return ret;
}

static void put_names(const struct figure_bands *b, struct text *tsv) {
	text_append(tsv, "x");
	for (size_t i = 0; i < b->count; i++) {
		tsv_text(tsv, b->names[i]);
		text_append(tsv, "\tlow\thigh");
	}
	text_append(tsv, "\n");
}

void figure_bands_make(const struct figure *figure, const struct figure_bands *b, const char *xlabel,
                       const char *ylabel, struct figure_drawing *ret) {
	struct figure_range x = figure_range_none, y = figure_range_none;
	put_names(b, &ret->tsv);
	for (size_t row = 0; row < b->rows; row++) {
		char number[NUMBER_TEXT];
		number_write(b->x[row], number);
		text_append(&ret->tsv, number);
		figure_range_add(&x, b->x[row]);
		for (size_t i = 0; i < b->count; i++) {
			const struct interval *at = &b->items[i].at[row];
			const double cells[] = {at->mean, at->low, at->high};
			for (size_t k = 0; k < 3; k++) {
				tsv_real(&ret->tsv, cells[k]);
				figure_range_add(&y, b->log_y && !(cells[k] > 0) ? (double)NAN : cells[k]);
			}
		}
		text_append(&ret->tsv, "\n");
	}
	bool any = y.low <= y.high;
	fact_text(&ret->facts, "xlabel", figure->xlabel ? figure->xlabel : xlabel);
	fact_text(&ret->facts, "ylabel", figure->ylabel ? figure->ylabel : ylabel);
	fact_real(&ret->facts, "x_low", x.low <= x.high ? x.low : 0);
	fact_real(&ret->facts, "x_high", x.low <= x.high ? x.high : 1);
	fact_real(&ret->facts, "y_low", any ? y.low : 0.1);
	fact_real(&ret->facts, "y_high", any ? y.high : 1);
	fact_count(&ret->facts, "x_log", b->log_x);
	fact_count(&ret->facts, "y_log", b->log_y);
	fact_count(&ret->facts, "points", !b->stairs);
	size_t every = (b->rows + POINTS_DRAWN - 1) / POINTS_DRAWN;
	fact_count(&ret->facts, "every", every ? every : 1);
	fact_count(&ret->facts, "series_count", b->count);
	fact_texts(&ret->facts, "series", b->names, b->count);
	text_format(&ret->facts, "array bands[%zu]\n", b->count ? b->count : 1);
	for (size_t i = 0; i < b->count; i++) {
		bool band = false;
		for (size_t row = 0; row < b->rows; row++)
			band = band || isfinite(b->items[i].at[row].low);
		text_format(&ret->facts, "bands[%zu] = %d\n", i + 1, band);
	}
	ret->plot = (const char *)embedded_curves_gp;
}

// --- the kind ---

// A run and a metric: "label", "label, metric", or the metric alone.
static const char *curve_name(const struct figure *f, const struct figure_data *data, size_t run, size_t metric) {
	const struct curves_config *config = config_of(f);
	const char *name = config->names.set ? config->names.items[metric] : config->metrics.items[metric];
	if (config->metrics.count == 1)
		return data->samples[run].label;
	if (data->count == 1)
		return name;
	return arena_format(data->arena, "%s, %s", data->samples[run].label, name);
}

static bool read_curve(struct figure_data *data, size_t run, const char *metric, struct epochs **ret, size_t *ret_count,
                       struct error *error) {
	const char **folders;
	if (!figure_sample_folders(&data->samples[run], data->arena, &folders, ret_count, error))
		return false;
	*ret = arena_alloc(data->arena, (*ret_count + 1) * sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		if (!read_epochs(folders[i], metric, data->arena, &(*ret)[i], error))
			return false;
	return true;
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct curves_config *config = config_of(f);
	size_t curves = data->count * config->metrics.count, rows = 0;
	struct epochs **of = arena_alloc(data->arena, (curves + 1) * sizeof(struct epochs *));
	size_t *runs = arena_alloc(data->arena, (curves + 1) * sizeof(*runs));
	struct figure_bands b = {.count = curves, .log_y = config->log};
	b.items = arena_alloc(data->arena, (curves + 1) * sizeof(*b.items));
	b.names = arena_alloc(data->arena, (curves + 1) * sizeof(*b.names));
	for (size_t i = 0; i < curves; i++) {
		size_t run = i / config->metrics.count, metric = i % config->metrics.count;
		if (!read_curve(data, run, config->metrics.items[metric], &of[i], &runs[i], error))
			return false;
		b.names[i] = curve_name(f, data, run, metric);
		for (size_t k = 0; k < runs[i]; k++)
			rows = of[i][k].count > rows ? of[i][k].count : rows;
	}
	double *x = arena_alloc(data->arena, (rows + 1) * sizeof(*x));
	for (size_t i = 0; i < rows; i++)
		x[i] = (double)i + 1;
	for (size_t i = 0; i < curves; i++)
		b.items[i] = mean_of(of[i], runs[i], rows, config->band.row, data->arena);
	b.x = x;
	b.rows = rows;
	const char *ylabel = config->metrics.count > 1 ? ""
	                     : config->names.set       ? config->names.items[0]
	                                               : config->metrics.items[0];
	figure_bands_make(f, &b, "epoch", ylabel, ret);
	bool several = false;
	for (size_t i = 0; i < curves; i++)
		several = several || runs[i] > 1;
	if (several)
		snprintf(ret->note, sizeof(ret->note), "means over repeats; %s; a curve ends with the first of its runs",
		         figure_band_words(config->band.row));
	return true;
}

const struct figure_kind figure_curves = {
    .row = {.name = "curves",
            .doc = "Loss or a metric over the epochs of runs; over repeats the mean, with a band",
            .params = SCHEMA(struct curves_config, keys)},
    .takes = FIGURE_RUNS,
    .check = check,
    .wants = wants,
    .make = make,
};
