// sensitivity: a figure against the learning rate, or another key that is a positive number, on a logarithmic axis.
#include "report/figure_kind.h"

#include <math.h>
#include <stdio.h>

struct sensitivity_config {
	const char *metric, *key, *by;
	bool log;
};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key keys[] = {
    KEY(sensitivity_config, metric, KEY_STRING, .flags = KEY_REQUIRED, .doc = "The y axis: \"valid.rmse\""),
    KEY(sensitivity_config, key, KEY_STRING, .fallback = "\"optimizer.rate\"", .doc = "The x axis"),
    KEY(sensitivity_config, by, KEY_STRING, .doc = "A key whose values are the series, where runs do not name theirs"),
    KEY(sensitivity_config, log, KEY_BOOL, .fallback = "false", .doc = "A logarithmic y axis too"),
};

static const struct sensitivity_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	figure_check_name(f, "metric", config_of(f)->metric, errors);
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	figure_want_figure(ret, config_of(f)->metric);
	figure_want_key(ret, config_of(f)->key);
	figure_want_key(ret, config_of(f)->by);
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct sensitivity_config *config = config_of(f);
	struct figure_points points = {
	    .xlabel = config->key, .ylabel = config->metric, .scale = "log", .log_y = config->log, .connect = true};
	bool good = true, bars = false;
	for (size_t i = 0; good && i < data->count; i++) {
		struct figure_sample *sample = &data->samples[i];
		struct run_value value = {0};
		good = figure_sample_value(f, data, sample, "metric", config->metric, &value, error);
		const char *series = sample->series, *text = NULL;
		if (good && config->by && !*series)
			series = figure_sample_key(f, data, sample, "by", config->by, false, error);
		if (good && series)
			text = figure_sample_key(f, data, sample, "key", config->key, false, error);
		good = good && series && text;
		bars = bars || isfinite(value.low);
		if (good)
			figure_points_add(&points, (struct figure_point){series, sample->label, text, 0, value.value, value.low,
			                                                 value.high, false});
	}
	good = good && figure_points_make(f, &points, data->arena, ret, error);
	if (bars)
		snprintf(ret->note, sizeof(ret->note), "bars are 95 %% t-intervals of the mean over repeats");
	figure_points_finish(&points);
	return good;
}

const struct figure_kind figure_sensitivity = {
    .row = {.name = "sensitivity",
            .doc = "A figure against the learning rate on a logarithmic axis, a line a series",
            .params = SCHEMA(struct sensitivity_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_SWEEP,
    .check = check,
    .wants = wants,
    .make = make,
};
