// See summary.h.
#include "report/summary.h"

#include "base/file.h"
#include "base/probability.h"
#include "report/json.h"
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double value_in(const struct run_entry *run, const char *name) {
	for (size_t i = 0; i < run->final_count; i++)
		if (!strcmp(run->final[i].name, name))
			return run->final[i].value;
	return NAN;
}

static void runs_json(struct json *json, const struct summary *s) {
	json_array(json, "runs", JSON_LINES);
	for (size_t i = 0; i < s->count; i++) {
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "id", s->runs[i].id);
		json_string(json, "seed", s->runs[i].seed);
		if (s->fold[i])
			json_count(json, "fold", s->fold[i]);
		json_end(json);
	}
	json_end(json);
}

// One figure: over the runs in which it is defined.
static void figure_json(struct json *json, const struct summary *s, const char *figure, const char *key) {
	double *defined = memory_alloc((s->count + 1) * sizeof(*defined));
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++) {
		double value = value_in(&s->runs[i], figure);
		if (!isnan(value))
			defined[count++] = value;
	}
	struct interval interval = interval_of(defined, count);
	json_object(json, key, JSON_INLINE);
	json_real(json, "mean", interval.mean);
	json_real(json, "sd", interval.sd);
	json_real(json, "low", interval.low);
	json_real(json, "high", interval.high);
	json_array(json, "values", JSON_INLINE);
	for (size_t i = 0; i < s->count; i++)
		json_real(json, NULL, value_in(&s->runs[i], figure));
	json_end(json);
	json_end(json);
	free(defined);
}

// The first run has them all: figures are "part.metric", a part's side by side.
static void final_json(struct json *json, const struct summary *s) {
	const struct run_entry *first = &s->runs[0];
	json_object(json, "final", JSON_LINES);
	for (size_t i = 0; i < first->final_count;) {
		const char *name = first->final[i].name;
		size_t length = strcspn(name, ".");
		char part[16] = "";
		memcpy(part, name, length < sizeof(part) ? length : sizeof(part) - 1);
		json_object(json, part, JSON_LINES);
		for (; i < first->final_count && !strncmp(first->final[i].name, name, length + 1); i++)
			figure_json(json, s, first->final[i].name, first->final[i].name + length + 1);
		json_end(json);
	}
	json_end(json);
}

void report_summary_json(const struct summary *s, struct text *text) {
	struct json json = {.text = text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "schema", "aexp.summary/1");
	json_string(&json, "experiment", s->experiment);
	json_string(&json, "id", s->id);
	json_string(&json, "backend", s->runs[0].backend);
	json_string(&json, "protocol", s->runs[0].protocol);
	runs_json(&json, s);
	final_json(&json, s);
	json_end(&json);
	text_append(text, "\n");
}

bool summary_write(const char *folder, const struct summary *summary, const char *experiment_text,
                   struct error *error) {
	struct text text = {0};
	char *path = path_join(folder, "summary.json");
	report_summary_json(summary, &text);
	bool good =
	    run_folder_begin(folder, experiment_text, error) && file_write(path, text_string(&text), text.length, error);
	text_finish(&text);
	free(path);
	return good;
}
