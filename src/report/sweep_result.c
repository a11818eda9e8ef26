// See sweep_result.h. Nothing in the file is trusted: what has another type, or does not fit together, is an error.
#include "report/sweep_result.h"

#include "base/file.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP "sweep.json"

enum { SWEEP_MOST = 1 << 30 };

static size_t length_of(const struct cJSON *list) {
	return cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
}

static bool read_objectives(const struct cJSON *list, struct arena *arena, struct sweep_result *ret) {
	const struct cJSON *one;
	ret->objectives = arena_alloc(arena, (length_of(list) + 1) * sizeof(*ret->objectives));
	cJSON_ArrayForEach(one, list) {
		struct sweep_objective *objective = &ret->objectives[ret->objectives_count++];
		const char *goal = json_text(json_member(one, "goal"), arena);
		objective->metric = json_text(json_member(one, "metric"), arena);
		objective->higher = goal && !strcmp(goal, "max");
		if (!objective->metric || !goal)
			return false;
	}
	return ret->objectives_count > 0;
}

static bool read_values(const struct cJSON *list, struct arena *arena, struct sweep_axis *axis) {
	const struct cJSON *one;
	axis->values = arena_alloc(arena, (length_of(list) + 1) * sizeof(*axis->values));
	cJSON_ArrayForEach(one, list) {
		if (!(axis->values[axis->values_count] = json_text(one, arena)))
			return false;
		axis->values_count++;
	}
	return axis->values_count > 0;
}

static bool read_axis(const struct cJSON *json, struct arena *arena, struct sweep_axis *axis) {
	const struct cJSON *values = json_member(json, "values"), *choices = json_member(json, "choices");
	const char *scale = json_text(json_member(json, "scale"), arena);
	axis->key = json_text(json_member(json, "key"), arena);
	axis->low = json_number(json_member(json, "low"));
	axis->high = json_number(json_member(json, "high"));
	axis->range = !isnan(axis->low) && !isnan(axis->high);
	axis->log = scale && !strcmp(scale, "log");
	axis->integer = cJSON_IsTrue(json_member(json, "integer"));
	return axis->key && (axis->range || read_values(values ? values : choices, arena, axis));
}

static bool read_axes(const struct cJSON *list, struct arena *arena, struct sweep_result *ret) {
	const struct cJSON *one;
	ret->axes = arena_alloc(arena, (length_of(list) + 1) * sizeof(*ret->axes));
	cJSON_ArrayForEach(one, list) if (!read_axis(one, arena, &ret->axes[ret->axes_count++])) return false;
	return cJSON_IsArray(list);
}

static bool is_best(const struct cJSON *best, size_t number) {
	const struct cJSON *one;
	size_t other;
	cJSON_ArrayForEach(one, best) if (json_whole(one, &other) && other == number) return true;
	return false;
}

static bool read_trial(const struct cJSON *json, const struct cJSON *best, struct arena *arena,
                       const struct sweep_result *sweep, struct sweep_trial *trial) {
	const struct cJSON *set = json_member(json, "set"), *objectives = json_member(json, "objectives");
	trial->status = json_text(json_member(json, "status"), arena);
	trial->id = json_text(json_member(json, "id"), arena);
	trial->reason = json_text(json_member(json, "reason"), arena);
	trial->set = arena_alloc(arena, (sweep->axes_count + 1) * sizeof(*trial->set));
	trial->objective = arena_alloc(arena, sweep->objectives_count * sizeof(*trial->objective));
	if (!trial->status || !json_whole(json_member(json, "trial"), &trial->number))
		return false;
	if (!json_whole(json_member(json, "epochs"), &trial->epochs))
		trial->epochs = 0;
	trial->best = is_best(best, trial->number);
	for (size_t i = 0; i < sweep->axes_count; i++)
		trial->set[i] = json_text(json_member(set, sweep->axes[i].key), arena);
	for (size_t i = 0; i < sweep->objectives_count; i++)
		trial->objective[i] = json_number(cJSON_GetArrayItem(objectives, (int)i));
	return true;
}

static bool read_trials(const struct cJSON *json, struct arena *arena, struct sweep_result *ret) {
	const struct cJSON *list = json_member(json, "trials"), *best = json_member(json, "best"), *one;
	ret->trials = arena_alloc(arena, (length_of(list) + 1) * sizeof(*ret->trials));
	cJSON_ArrayForEach(one,
	                   list) if (!read_trial(one, best, arena, ret, &ret->trials[ret->trials_count++])) return false;
	return cJSON_IsArray(list);
}

static bool read_sweep(const struct cJSON *json, struct arena *arena, struct sweep_result *ret) {
	const char *schema = json_text(json_member(json, "schema"), arena);
	ret->experiment = json_text(json_member(json, "experiment"), arena);
	ret->id = json_text(json_member(json, "id"), arena);
	ret->kind = json_text(json_member(json, "kind"), arena);
	ret->early_stop = json_text(json_member(json, "early_stop"), arena);
	ret->protocol = json_text(json_member(json, "protocol"), arena);
	return schema && !strcmp(schema, "aexp.sweep/1") && ret->experiment && ret->id && ret->kind &&
	       read_objectives(json_member(json, "objectives"), arena, ret) &&
	       read_axes(json_member(json, "axes"), arena, ret) && read_trials(json, arena, ret);
}

bool sweep_result_there(const char *folder) {
	char *path = path_join(folder, SWEEP);
	bool there = file_exists(path);
	free(path);
	return there;
}

bool sweep_result_read(const char *folder, struct arena *arena, struct sweep_result *ret, struct error *error) {
	char *path = path_join(folder, SWEEP);
	struct cJSON *json = NULL;
	*ret = (struct sweep_result){.folder = arena_string(arena, folder)};
	bool good = json_read(path, SWEEP_MOST, &json, error);
	if (good && !read_sweep(json, arena, ret))
		good = error_at(error, ERROR_DATA, (struct origin){.file = path}, "not what a sweep leaves");
	cJSON_Delete(json);
	free(path);
	return good;
}

size_t sweep_result_axis(const struct sweep_result *sweep, const char *key) {
	size_t i = 0;
	while (i < sweep->axes_count && strcmp(sweep->axes[i].key, key) != 0)
		i++;
	return i;
}

bool sweep_trial_finished(const struct sweep_trial *trial) {
	return !strcmp(trial->status, "finished");
}
