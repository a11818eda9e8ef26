// time: how long training took against how large it was. Times are those of run.json: they differ from machine to
// machine and from run to run, and with them this figure's bytes, unlike any other's.
#include "report/figure_kind.h"

#include "base/file.h"
#include "base/number.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_MOST = 64 << 20 };

struct time_config {
	const char *size;
};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key keys[] = {
    KEY(time_config, size, KEY_STRING, .fallback = "\"ratings\"",
        .doc = "The x axis: ratings (of the training part), parameters, or a key of the experiments"),
};

static const struct time_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static bool is_key(const char *size) {
	return strcmp(size, "ratings") != 0 && strcmp(size, "parameters") != 0;
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	figure_want_key(ret, is_key(config_of(f)->size) ? config_of(f)->size : NULL);
}

// Of a run's metrics.json; of a summary of its first run.
static bool count_in(const struct figure_sample *sample, struct arena *arena, const char *what, double *ret) {
	const char **folders;
	size_t count;
	*ret = NAN;
	if (!figure_sample_folders(sample, arena, &folders, &count, NULL) || count == 0)
		return false;
	char *path = path_join(folders[0], "metrics.json");
	struct cJSON *metrics = NULL;
	bool good = json_read(path, METRICS_MOST, &metrics, NULL);
	const struct cJSON *ratings = json_member(json_member(metrics, "data"), "ratings");
	*ret = json_number(!strcmp(what, "parameters") ? json_member(json_member(metrics, "model"), "parameters")
	                                               : json_member(ratings, "train"));
	cJSON_Delete(metrics);
	free(path);
	return good && !isnan(*ret);
}

static bool size_of(const struct figure *f, struct figure_data *data, struct figure_sample *sample, const char **ret,
                    struct error *error) {
	const char *size = config_of(f)->size;
	char number[NUMBER_TEXT];
	double count;
	if (is_key(size)) {
		*ret = figure_sample_key(f, data, sample, "size", size, false, error);
		return *ret;
	}
	if (!count_in(sample, data->arena, size, &count))
		return error_at(error, ERROR_DATA, sample->at, "\"%s\" does not say how many %s it has", sample->entry.folder,
		                size);
	number_write(count, number);
	*ret = arena_string(data->arena, number);
	return true;
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const char *size = config_of(f)->size;
	struct figure_points points = {
	    .xlabel = !strcmp(size, "ratings") ? "ratings of the training part" : size,
	    .ylabel = "seconds of training",
	    .scale = "log",
	    .log_y = true,
	    .connect = true,
	};
	bool good = true;
	for (size_t i = 0; good && i < data->count; i++) {
		struct figure_sample *sample = &data->samples[i];
		double runs = sample->entry.runs ? (double)sample->entry.runs : 1;
		double seconds = runs_time(&sample->entry).training / runs;
		const char *text = NULL;
		good = size_of(f, data, sample, &text, error);
		figure_points_add(&points,
		                  (struct figure_point){sample->series, sample->label, text, 0, seconds, NAN, NAN, false});
	}
	good = good && figure_points_make(f, &points, data->arena, ret, error);
	snprintf(ret->note, sizeof(ret->note), "seconds of the machine and the moment that ran them (run.json)");
	figure_points_finish(&points);
	return good;
}

const struct figure_kind figure_time = {
    .row = {.name = "time",
            .doc = "Seconds of training against size, both logarithmic; not the same bytes on another machine",
            .params = SCHEMA(struct time_config, keys)},
    .takes = FIGURE_RUNS,
    .wants = wants,
    .make = make,
};
