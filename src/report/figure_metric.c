// metric: a figure of runs, or of a sweep's trials, against one key of their experiments, beside points that others
// published.
#include "report/figure_kind.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct published_config {
	double x; // NAN where left out
	const char *category;
	double y;
	const char *label;
};
struct metric_config {
	const char *metric, *key, *by;
	struct choice scale;
	bool connect, log;
	struct groups published; // of struct published_config
};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key published_keys[] = {
    KEY(published_config, x, KEY_REAL, .doc = "Where on the x axis"),
    KEY(published_config, category, KEY_STRING, .doc = "Instead of x, where the axis has categories"),
    KEY(published_config, y, KEY_REAL, .flags = KEY_REQUIRED, .doc = "The figure that was published"),
    KEY(published_config, label, KEY_STRING, .fallback = "\"published\"", .doc = "What the figure calls it"),
};
static const struct schema published_schema = SCHEMA(struct published_config, published_keys);

static const struct key keys[] = {
    KEY(metric_config, metric, KEY_STRING, .flags = KEY_REQUIRED, .doc = "The y axis: \"test.rmse\""),
    KEY(metric_config, key, KEY_STRING, .flags = KEY_REQUIRED,
        .doc = "The x axis: a key of the experiments, \"graph.hidden.units\"; \"label\": each run's own label"),
    KEY(metric_config, by, KEY_STRING, .doc = "A key whose values are the series, where runs do not name theirs"),
    KEY(metric_config, scale, KEY_CHOICE, .registry = &figure_scale_registry, .fallback = "\"auto\"",
        .doc = "The x axis: auto (numbers where all are), linear, log or categories"),
    KEY(metric_config, log, KEY_BOOL, .fallback = "false", .doc = "A logarithmic y axis"),
    KEY(metric_config, connect, KEY_BOOL, .fallback = "true", .doc = "A line joins the points of a series"),
    KEY(metric_config, published, KEY_LIST, .schema = &published_schema, .doc = "Points of others"),
};

static const struct metric_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct metric_config *config = config_of(f);
	figure_check_name(f, "metric", config->metric, errors);
	for (size_t i = 0; i < config->published.count; i++) {
		const struct published_config *p = config->published.items[i];
		if (isnan(p->x) == !p->category)
			error_hint(errors_add(errors, ERROR_CONFIG, config->published.from[i]->at,
			                      "a published point has either an x or a category"),
			           "Say x where the axis has numbers.");
	}
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	const struct metric_config *config = config_of(f);
	figure_want_figure(ret, config->metric);
	figure_want_key(ret, strcmp(config->key, "label") ? config->key : NULL);
	figure_want_key(ret, config->by);
}

static bool add_sample(const struct figure *f, struct figure_data *data, struct figure_sample *sample,
                       struct figure_points *points, struct error *error) {
	const struct metric_config *config = config_of(f);
	struct run_value value;
	const char *series = sample->series, *text = sample->label;
	if (!figure_sample_value(f, data, sample, "metric", config->metric, &value, error))
		return false;
	if (strcmp(config->key, "label") != 0)
		text = figure_sample_key(f, data, sample, "key", config->key, false, error);
	if (config->by && !*series)
		series = figure_sample_key(f, data, sample, "by", config->by, false, error);
	if (!text || !series)
		return false;
	figure_points_add(points, (struct figure_point){.series = series,
	                                                .label = sample->label,
	                                                .text = text,
	                                                .y = value.value,
	                                                .low = value.low,
	                                                .high = value.high});
	return true;
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct metric_config *config = config_of(f);
	struct figure_points points = {.xlabel = config->key,
	                               .ylabel = config->metric,
	                               .scale = config->scale.row->name,
	                               .log_y = config->log,
	                               .connect = config->connect};
	bool good = true, bars = false;
	for (size_t i = 0; good && i < data->count; i++) {
		good = add_sample(f, data, &data->samples[i], &points, error);
		bars = bars || (good && isfinite(points.items[points.count - 1].low));
	}
	for (size_t i = 0; i < config->published.count; i++) {
		const struct published_config *p = config->published.items[i];
		figure_points_add(&points, (struct figure_point){.label = p->label,
		                                                 .text = p->category,
		                                                 .x = p->x,
		                                                 .y = p->y,
		                                                 .low = NAN,
		                                                 .high = NAN,
		                                                 .published = true});
	}
	good = good && figure_points_make(f, &points, data->arena, ret, error);
	if (bars)
		snprintf(ret->note, sizeof(ret->note), "bars are 95 %% t-intervals of the mean over repeats");
	figure_points_finish(&points);
	return good;
}

const struct figure_kind figure_metric = {
    .row = {.name = "metric",
            .doc = "A figure against one key, numbers or categories, with error bars from repeats and published points",
            .params = SCHEMA(struct metric_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_SWEEP,
    .check = check,
    .wants = wants,
    .make = make,
};
