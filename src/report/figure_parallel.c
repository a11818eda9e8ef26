// parallel: parallel coordinates of a sweep (Inselberg, "The plane with parallel coordinates", The Visual Computer 1,
// 1985): an axis a key, one more for the objective, a line a trial. Trials in which a key was not active are left out.
#include "report/figure_kind.h"

#include "base/number.h"
#include "report/embedded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AXES_MOST = 16, TICS_MOST = 12, NAME_DRAWN = 24 };

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key keys[] = {
    KEY(parallel_config, metric, KEY_STRING,
        .doc = "The last axis and the colour; default: the sweep's first objective"),
    KEY(parallel_config, keys, KEY_STRINGS, .doc = "The other axes; default: all of the sweep's"),
};

static const struct parallel_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct parallel_config *config = config_of(f);
	if (config->metric)
		figure_check_name(f, "metric", config->metric, errors);
	else if (f->runs.count)
		error_hint(errors_add(errors, ERROR_CONFIG, figure_origin(f, "kind"), "missing key \"metric\""),
		           "Only a sweep has an objective of its own.");
	if (f->runs.count && !config->keys.set)
		error_hint(errors_add(errors, ERROR_CONFIG, figure_origin(f, "kind"), "missing key \"keys\""),
		           "Only a sweep has axes of its own.");
	if (config->keys.count >= AXES_MOST)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "keys"), "more than %d keys", AXES_MOST - 1);
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	figure_want_figure(ret, config_of(f)->metric);
	for (size_t i = 0; i < config_of(f)->keys.count; i++)
		figure_want_key(ret, config_of(f)->keys.items[i]);
}

// One axis: the samples' values, as numbers or as places among the texts that there are.
struct line {
	const char *key;
	const char **text; // (samples)
	double *value;     // (samples)
	struct figure_range range;
	bool log, words, declared;    // declared: the sweep says its scale
	const char *names[TICS_MOST]; // of words
	size_t names_count;
};
struct coordinates {
	struct figure_data *data;
	struct figure_sample **samples; // (count) those that have all keys
	size_t count;
	struct line axes[AXES_MOST]; // (axes_count), the last one is the objective
	size_t axes_count;
	bool higher;
};

static bool choose_axes(const struct figure *f, struct coordinates *c, struct error *error) {
	const struct strings *keys_asked = &config_of(f)->keys;
	const struct trials *sweep = c->data->sweeps_count ? &c->data->sweeps[0] : NULL;
	size_t count = keys_asked->set ? keys_asked->count : sweep->axes_count;
	if (count >= AXES_MOST)
		return error_at(error, ERROR_CONFIG, figure_origin(f, "keys"),
		                "the sweep has more than %d axes: name those to draw", AXES_MOST - 1);
	for (size_t i = 0; i < count; i++) {
		const char *key = keys_asked->set ? keys_asked->items[i] : sweep->axes[i].key;
		size_t axis = sweep ? figure_axis(sweep, key) : 0;
		bool declared = sweep && axis < sweep->axes_count && sweep->axes[axis].kind == AXIS_RANGE;
		c->axes[c->axes_count++] =
		    (struct line){.key = key, .declared = declared, .log = declared && sweep->axes[axis].log};
	}
	return true;
}

// Keeps the samples that have every key.
static bool choose_samples(const struct figure *f, struct coordinates *c, struct error *error) {
	struct figure_data *data = c->data;
	c->samples = arena_alloc(data->arena, (data->count + 1) * sizeof(struct figure_sample *));
	for (size_t a = 0; a <= c->axes_count; a++) {
		c->axes[a].text = arena_alloc(data->arena, (data->count + 1) * sizeof(char *));
		c->axes[a].value = arena_alloc(data->arena, (data->count + 1) * sizeof(double));
		c->axes[a].range = figure_range_none;
	}
	for (size_t i = 0; i < data->count; i++) {
		bool all = true;
		for (size_t a = 0; a < c->axes_count; a++) {
			c->axes[a].text[c->count] =
			    figure_sample_key(f, data, &data->samples[i], "keys", c->axes[a].key, data->samples[i].trial, error);
			if (!c->axes[a].text[c->count] && !data->samples[i].trial)
				return false;
			all = all && c->axes[a].text[c->count];
		}
		if (all)
			c->samples[c->count++] = &data->samples[i];
	}
	return true;
}

static bool value_axis(const struct figure *f, struct coordinates *c, struct error *error) {
	const char *metric = config_of(f)->metric;
	const struct trial_objective *objective = metric ? NULL : &c->data->sweeps[0].objectives[0];
	bool known;
	struct line *last = &c->axes[c->axes_count++];
	last->key = metric ? metric : objective->metric;
	c->higher = metric ? figure_higher(metric, &known) : objective->more_is_better;
	for (size_t i = 0; i < c->count; i++) {
		struct run_value value;
		if (!figure_sample_value(f, c->data, c->samples[i], "metric", last->key, &value, error))
			return false;
		last->value[i] = value.value;
		figure_range_add(&last->range, value.value);
	}
	return true;
}

static void place_words(struct line *line, size_t count) {
	line->words = true;
	line->range = figure_range_none;
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;
		while (k < line->names_count && strcmp(line->names[k], line->text[i]) != 0)
			k++;
		if (k == line->names_count && k < TICS_MOST)
			line->names[line->names_count++] = line->text[i];
		line->value[i] = (double)(k < TICS_MOST ? k : TICS_MOST - 1);
		figure_range_add(&line->range, line->value[i]);
	}
}

static void place_numbers(struct line *line, size_t count) {
	bool numbers = true;
	for (size_t i = 0; numbers && i < count; i++) {
		numbers = number_read(line->text[i], strlen(line->text[i]), &line->value[i]);
		figure_range_add(&line->range, numbers ? line->value[i] : (double)NAN);
	}
	// Without a word on it, as most people would draw it.
	bool wide = !line->declared && line->range.high / line->range.low >= 30;
	line->log = numbers && line->range.low > 0 && (line->log || wide);
	if (!numbers)
		place_words(line, count);
}

// Where a value stands on its axis, 0 to 1.
static double share_of(const struct line *line, double value) {
	double low = line->range.low, high = line->range.high;
	if (!(high > low))
		return 0.5;
	return line->log ? log(value / low) / log(high / low) : (value - low) / (high - low);
}

static void put_table(const struct coordinates *c, struct text *tsv) {
	const struct line *last = &c->axes[c->axes_count - 1];
	text_append(tsv, "trial\tobjective\trank");
	for (size_t a = 0; a < c->axes_count; a++)
		tsv_text(tsv, c->axes[a].key);
	text_append(tsv, "\n");
	for (size_t i = 0; i < c->count; i++) {
		double share = share_of(last, last->value[i]);
		if (!isfinite(last->value[i]))
			continue;
		text_format(tsv, "%zu", c->samples[i]->trial ? c->samples[i]->trial->number : i + 1);
		tsv_real(tsv, last->value[i]);
		tsv_real(tsv, c->higher ? share : 1 - share);
		for (size_t a = 0; a < c->axes_count; a++)
			tsv_real(tsv, share_of(&c->axes[a], c->axes[a].value[i]));
		text_append(tsv, "\n");
	}
}

// --- what stands beside the axes ---

struct tics {
	struct text axes, places;
	const char *names[AXES_MOST * TICS_MOST];
	size_t count;
};

static void add_tic(struct tics *tics, size_t axis, double place, const char *name) {
	tics->names[tics->count++] = name;
	text_format(&tics->axes, "tic_axes[%zu] = %zu\n", tics->count, axis + 1);
	text_format(&tics->places, "tic_places[%zu] = %.6f\n", tics->count, place);
}

// The different values of an axis where they are few; ends and middles otherwise.
static void add_tics(struct coordinates *c, size_t axis, struct tics *tics) {
	enum { STEPS = 4 };
	struct line *line = &c->axes[axis];
	double seen[TICS_MOST];
	size_t count = 0;
	for (size_t i = 0; i < c->count && count <= TICS_MOST / 2; i++) {
		size_t k = 0;
		while (k < count && seen[k] != line->value[i])
			k++;
		if (k == count)
			seen[count++] = line->value[i];
	}
	bool few = axis + 1 < c->axes_count && count <= TICS_MOST / 2;
	size_t tic_count = line->words ? line->names_count : few ? count : STEPS + 1;
	for (size_t k = 0; k < tic_count; k++) {
		double share = (double)k / STEPS, low = line->range.low, high = line->range.high;
		double value = line->words ? (double)k
		               : few       ? seen[k]
		               : line->log ? low * pow(high / low, share)
		                           : low + share * (high - low);
		const char *name = line->words ? line->names[k] : arena_format(c->data->arena, few ? "%.6g" : "%.3g", value);
		if (strlen(name) > NAME_DRAWN)
			name = arena_format(c->data->arena, "%.*s...", NAME_DRAWN - 3, name);
		add_tic(tics, axis, share_of(line, value), name);
	}
}

static void put_tics(struct coordinates *c, struct text *facts) {
	struct tics *tics = memory_alloc(sizeof(*tics));
	for (size_t a = 0; a < c->axes_count; a++)
		add_tics(c, a, tics);
	fact_count(facts, "tics_count", tics->count);
	text_format(facts, "array tic_axes[%zu]\narray tic_places[%zu]\n", tics->count + 1, tics->count + 1);
	text_append(facts, text_string(&tics->axes));
	text_append(facts, text_string(&tics->places));
	fact_texts(facts, "tic_names", tics->names, tics->count);
	text_finish(&tics->axes);
	text_finish(&tics->places);
	free(tics);
}

// "graph.taste.units" is long below an axis: "taste.units".
static const char *short_name(const char *key) {
	const char *before = strrchr(key, '.');
	while (before && before > key && before[-1] != '.')
		before--;
	return before && strlen(key) > 14 ? before : key;
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	struct coordinates *c = arena_alloc(data->arena, sizeof(*c));
	c->data = data;
	if (!choose_axes(f, c, error) || !choose_samples(f, c, error) || !value_axis(f, c, error))
		return false;
	for (size_t a = 0; a + 1 < c->axes_count; a++)
		place_numbers(&c->axes[a], c->count);
	const char *names[AXES_MOST];
	size_t longest = 0;
	for (size_t a = 0; a < c->axes_count; a++) {
		names[a] = short_name(c->axes[a].key);
		longest = strlen(names[a]) > longest ? strlen(names[a]) : longest;
	}
	put_table(c, &ret->tsv);
	fact_text(&ret->facts, "xlabel", f->xlabel);
	fact_text(&ret->facts, "ylabel", f->ylabel);
	fact_count(&ret->facts, "axes_count", c->axes_count);
	fact_texts(&ret->facts, "axis_names", names, c->axes_count);
	fact_count(&ret->facts, "staggered", figure_crowded(f, longest, c->axes_count));
	put_tics(c, &ret->facts);
	snprintf(ret->note, sizeof(ret->note), "a line a finished trial, %zu of them; the best one is drawn broad",
	         c->count);
	ret->plot = (const char *)embedded_parallel_gp;
	return true;
}

const struct figure_kind figure_parallel = {
    .row = {.name = "parallel",
            .doc = "Parallel coordinates of a sweep: an axis a key, a line a trial, dark where it is better",
            .params = SCHEMA(struct parallel_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_SWEEP,
    .check = check,
    .wants = wants,
    .make = make,
};
