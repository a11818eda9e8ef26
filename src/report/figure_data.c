// What a figure is drawn from: finished runs and the trials of sweeps, as samples that can be asked for figures and
// keys.
#include "report/figure_kind.h"

#include "base/file.h"
#include "base/nearest.h"
#include "config/read.h"
#include "eval/metric.h"
#include "report/json.h"
#include "train/experiment.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SUMMARY_MOST = 64 << 20 };

// --- reading ---

static bool read_config(struct figure_data *data, struct figure_sample *sample, const char *folder,
                        struct error *error) {
	struct errors errors = {0};
	char *path = path_join(folder, "experiment.cfg");
	const struct value *tree =
	    config_load(arena_string(data->arena, path), NULL, 0, &experiment_schema, data->arena, &errors);
	bool good = tree && errors.count == 0;
	if (good)
		sample->config = tree;
	else if (error) {
		*error = errors.items[0];
		error->code = ERROR_DATA;
	}
	free(path);
	errors_finish(&errors);
	return good;
}

static bool read_run(const struct figure *f, size_t index, const char *folder, struct figure_data *data,
                     struct error *error) {
	const struct figure_run *run = f->runs.items[index];
	struct figure_sample *sample = &data->samples[data->count++];
	sample->at = f->runs.from ? f->runs.from[index]->at : (struct origin){0};
	runs_read_one(folder, data->arena, &sample->entry);
	if (!sample->entry.finished)
		return error_at(error, ERROR_CONFIG, sample->at, "\"%s\" is no finished run", folder);
	if (!read_config(data, sample, folder, error))
		return false;
	sample->named = run->label;
	sample->label = run->label ? run->label : sample->entry.name;
	sample->series = run->series ? run->series : "";
	return true;
}

static size_t finished_trials(const struct trials *sweep) {
	return sweep->counts[END_FINISHED];
}

static void add_trials(const struct figure *f, size_t index, const char *folder, struct figure_data *data) {
	const struct trials *sweep = &data->sweeps[index];
	const struct figure_sweep *asked = f->sweeps.items[index];
	for (size_t i = 0; i < sweep->count; i++) {
		if (sweep->items[i].status != END_FINISHED)
			continue;
		data->samples[data->count++] =
		    (struct figure_sample){.label = asked->label ? asked->label : sweep->name,
		                           .series = "",
		                           .sweep = sweep,
		                           .sweep_folder = arena_string(data->arena, folder),
		                           .trial = &sweep->items[i],
		                           .at = f->sweeps.from ? f->sweeps.from[index]->at : (struct origin){0}};
	}
}

static int by_number(const void *a, const void *b) {
	const struct ended_trial *left = a, *right = b;
	return (left->number > right->number) - (left->number < right->number);
}

bool figure_data_read(const struct figure *f, const struct figure_folders *folders, struct arena *arena,
                      struct figure_data *ret, struct error *error) {
	size_t count = f->runs.count;
	*ret = (struct figure_data){.arena = arena};
	ret->sweeps = arena_alloc(arena, (f->sweeps.count + 1) * sizeof(*ret->sweeps));
	for (; ret->sweeps_count < f->sweeps.count; ret->sweeps_count++) {
		struct trials *sweep = &ret->sweeps[ret->sweeps_count];
		if (!trials_read(folders->sweeps[ret->sweeps_count], sweep, error)) {
			trials_finish(sweep);
			return false;
		}
		qsort(sweep->items, sweep->count, sizeof(*sweep->items), by_number);
		count += finished_trials(sweep);
	}
	ret->samples = arena_alloc(arena, (count + 1) * sizeof(*ret->samples));
	for (size_t i = 0; i < f->runs.count; i++)
		if (!read_run(f, i, folders->runs[i], ret, error))
			return false;
	for (size_t i = 0; i < f->sweeps.count; i++)
		add_trials(f, i, folders->sweeps[i], ret);
	return true;
}

void figure_data_finish(struct figure_data *data) {
	for (size_t i = 0; i < data->sweeps_count; i++)
		trials_finish(&data->sweeps[i]);
	data->sweeps_count = 0;
}

size_t figure_axis(const struct trials *sweep, const char *key) {
	size_t i = 0;
	while (i < sweep->axes_count && strcmp(sweep->axes[i].key, key) != 0)
		i++;
	return i;
}

// --- asking ---

// The run of a trial lies beside its sweep; read when a figure wants what sweep.json has not.
static bool need_run(struct figure_data *data, struct figure_sample *sample) {
	if (sample->entry.folder)
		return sample->entry.finished;
	if (!sample->trial->id)
		return false;
	char *folder = trial_folder(sample->sweep_folder, sample->trial);
	runs_read_one(folder, data->arena, &sample->entry);
	bool good = sample->entry.finished && read_config(data, sample, folder, NULL);
	sample->entry.finished = good;
	free(folder);
	return good;
}

static const char *name_of(const struct figure_data *data, const struct figure_sample *sample) {
	return sample->trial ? arena_format(data->arena, "trial %zu of %s/%s", sample->trial->number, sample->sweep->name,
	                                    sample->sweep->id)
	                     : arena_format(data->arena, "%s/%s", sample->entry.name, sample->entry.id);
}

static bool no_value(const struct figure *f, const struct figure_data *data, const struct figure_sample *sample,
                     const char *key, const char *name, struct error *error) {
	struct nearest nearest = {.word = name};
	struct text all = {0};
	for (size_t i = 0; i < sample->entry.final_count; i++) {
		nearest_offer(&nearest, sample->entry.final[i].name);
		text_format(&all, "%s%s", i ? ", " : "", sample->entry.final[i].name);
	}
	error_at(error, ERROR_CONFIG, figure_origin(f, key), "%s has no figure \"%s\"", name_of(data, sample), name);
	if (nearest.best)
		error_hint(error, "Did you mean \"%s\"?", nearest.best);
	else if (all.length)
		error_hint(error, "It has %s.", text_string(&all));
	text_finish(&all);
	return false;
}

bool figure_sample_folders(const struct figure_sample *sample, struct arena *arena, const char ***ret,
                           size_t *ret_count, struct error *error) {
	const struct run_entry *entry = &sample->entry;
	*ret = arena_alloc(arena, (entry->runs + 1) * sizeof(**ret));
	*ret_count = 0;
	if (!entry->runs) {
		(*ret)[(*ret_count)++] = entry->folder;
		return true;
	}
	char *path = path_join(entry->folder, "summary.json"), *beside = path_folder(entry->folder);
	struct cJSON *summary = NULL;
	const struct cJSON *run;
	bool good = json_read(path, SUMMARY_MOST, &summary, error);
	cJSON_ArrayForEach(run, json_member(summary, "runs")) {
		const char *id = json_text(json_member(run, "id"), arena);
		if (json_is_id(id) && *ret_count < entry->runs)
			(*ret)[(*ret_count)++] = arena_format(arena, "%s/%s", beside, id);
	}
	cJSON_Delete(summary);
	free(beside);
	free(path);
	return good;
}

// Of a summary those of its first run.
static bool read_parameters(struct figure_data *data, struct figure_sample *sample, double *ret, struct error *error) {
	const char **folders;
	size_t count;
	struct cJSON *metrics = NULL;
	if (!figure_sample_folders(sample, data->arena, &folders, &count, error))
		return false;
	char *path = path_join(count ? folders[0] : sample->entry.folder, "metrics.json");
	bool good = json_read(path, SUMMARY_MOST, &metrics, error);
	*ret = json_number(json_member(json_member(metrics, "model"), "parameters"));
	cJSON_Delete(metrics);
	free(path);
	return good;
}

bool figure_sample_value(const struct figure *f, struct figure_data *data, struct figure_sample *sample,
                         const char *key, const char *name, struct run_value *ret, struct error *error) {
	for (size_t i = 0; sample->trial && i < sample->sweep->objectives_count; i++)
		if (!strcmp(sample->sweep->objectives[i].metric, name)) {
			*ret = (struct run_value){name, sample->trial->objectives[i], NAN, NAN};
			return true;
		}
	bool run = need_run(data, sample);
	if (run && !strcmp(name, FIGURE_PARAMETERS)) {
		*ret = (struct run_value){name, NAN, NAN, NAN};
		return read_parameters(data, sample, &ret->value, error);
	}
	if (run)
		for (size_t i = 0; i < sample->entry.final_count; i++)
			if (!strcmp(sample->entry.final[i].name, name)) {
				*ret = sample->entry.final[i];
				return true;
			}
	return no_value(f, data, sample, key, name, error);
}

static const char *no_key(const struct figure *f, const struct figure_data *data, const struct figure_sample *sample,
                          const char *at, const char *key, struct error *error) {
	error_at(error, ERROR_CONFIG, figure_origin(f, at), "%s has no key \"%s\"", name_of(data, sample), key);
	struct text axes = {0};
	for (size_t i = 0; sample->trial && i < sample->sweep->axes_count; i++)
		text_format(&axes, "%s\"%s\"", i ? ", " : "", sample->sweep->axes[i].key);
	if (axes.length)
		error_hint(error, "The axes of the sweep are %s.", text_string(&axes));
	else
		error_hint(error, "Its keys stand in \"%s/experiment.cfg\".", sample->entry.folder ? sample->entry.folder : "");
	text_finish(&axes);
	return NULL;
}

const char *figure_sample_key(const struct figure *f, struct figure_data *data, struct figure_sample *sample,
                              const char *at, const char *key, bool optional, struct error *error) {
	size_t axis = sample->trial ? figure_axis(sample->sweep, key) : 0;
	if (sample->trial && axis < sample->sweep->axes_count && sample->trial->set[axis])
		return sample->trial->set[axis];
	const struct value *value = need_run(data, sample) ? value_find(sample->config, key) : NULL;
	const char *text = value ? value_spell(value, data->arena) : NULL;
	return text || optional ? text : no_key(f, data, sample, at, key, error);
}

bool figure_higher(const char *name, bool *ret_known) {
	struct metric_use use;
	struct errors errors = {0};
	struct arena arena = {0};
	const char *dot = strchr(name, '.');
	*ret_known = !strcmp(name, "train.loss") || !strcmp(name, FIGURE_PARAMETERS);
	bool higher = false;
	if (!*ret_known && dot && metric_use_read(dot + 1, (struct origin){0}, &arena, &use, &errors)) {
		*ret_known = true;
		higher = use.metric->higher_is_better;
	}
	errors_finish(&errors);
	arena_finish(&arena);
	return higher;
}
