// The files of single trials, and what is read from runs.
#include "sweep/record.h"

#include "base/file.h"
#include "base/number.h"
#include "report/runs.h"

#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MOST = 1 << 20, METRICS_MOST = 64 << 20, EPOCHS_MOST = 1000000000 };

static char *record_path(const struct sweep *sweep, size_t index) {
	struct text name = {0};
	text_format(&name, "trials/%zu.json", index + 1);
	char *path = path_join(sweep->folder, text_string(&name));
	text_finish(&name);
	return path;
}

// --- written ---

static void begin_json(struct json *json, struct sweep *sweep, size_t index) {
	const struct trial *trial = &sweep->trials[index];
	const struct space *space = &sweep->search.space;
	json_object(json, NULL, JSON_INLINE);
	json_count(json, "trial", trial->number);
	json_string(json, "status", trial_state_names[trial->state]);
	json_string(json, "id", trial->id);
	json_object(json, "set", JSON_INLINE);
	for (size_t i = 0; i < space->count; i++)
		if (trial->point[i].active)
			json_string(json, space->axes[i].label, setting_text(&space->axes[i], &trial->point[i], &sweep->arena));
	json_end(json);
	json_array(json, "objectives", JSON_INLINE);
	for (size_t i = 0; i < sweep->search.objectives; i++)
		json_real(json, NULL, trial->objectives[i]);
	json_end(json);
	json_count(json, "epochs", trial->epochs);
	json_string(json, "reason", trial->reason);
}

void record_json(struct json *json, struct sweep *sweep, size_t index) {
	begin_json(json, sweep, index);
	json_end(json);
}

bool record_write(struct sweep *sweep, size_t index, struct error *error) {
	struct text text = {0};
	struct json json = {.text = &text};
	char *path = record_path(sweep, index);
	begin_json(&json, sweep, index);
	json_string(&json, "protocol", sweep->trials[index].protocol);
	json_end(&json);
	text_append(&text, "\n");
	bool good = file_write(path, text_string(&text), text.length, error);
	free(path);
	text_finish(&text);
	return good;
}

bool record_remove(struct sweep *sweep, size_t index, struct error *error) {
	char *path = record_path(sweep, index);
	bool good = unlink(path) == 0 || errno == ENOENT;
	if (!good)
		error_set(error, ERROR_RUN, "cannot remove \"%s\": %s", path, strerror(errno));
	free(path);
	return good;
}

// --- read ---

static const struct cJSON *member(const struct cJSON *object, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *string_of(struct sweep *sweep, const struct cJSON *object, const char *name) {
	const struct cJSON *value = member(object, name);
	return cJSON_IsString(value) ? arena_string(&sweep->arena, value->valuestring) : NULL;
}

static bool read_point(struct sweep *sweep, const struct cJSON *set, struct setting **ret) {
	const struct space *space = &sweep->search.space;
	*ret = arena_alloc(&sweep->arena, (space->count + 1) * sizeof(**ret));
	for (size_t i = 0; i < space->count; i++) {
		const struct cJSON *value = member(set, space->axes[i].label);
		if (!value)
			continue;
		if (!cJSON_IsString(value) || !setting_read(&space->axes[i], value->valuestring, &(*ret)[i]))
			return false;
	}
	struct setting *settled = memory_alloc((space->count + 1) * sizeof(*settled));
	memcpy(settled, *ret, space->count * sizeof(*settled));
	space_settle(space, settled);
	bool whole = true;
	for (size_t i = 0; i < space->count; i++)
		whole = whole && settled[i].active == (member(set, space->axes[i].label) != NULL);
	memcpy(*ret, settled, space->count * sizeof(*settled));
	free(settled);
	return whole;
}

static bool read_state(const struct cJSON *object, enum trial_state *ret) {
	const struct cJSON *status = member(object, "status");
	for (int state = TRIAL_FINISHED; cJSON_IsString(status) && state <= TRIAL_FAILED; state++)
		if (!strcmp(status->valuestring, trial_state_names[state])) {
			*ret = (enum trial_state)state;
			return true;
		}
	return false;
}

static bool read_object(struct sweep *sweep, size_t index, const struct cJSON *object) {
	struct trial *trial = &sweep->trials[index];
	const struct cJSON *objectives = member(object, "objectives"), *epochs = member(object, "epochs");
	enum trial_state state;
	struct setting *point;
	if (!read_state(object, &state) || !cJSON_IsArray(objectives) || !cJSON_IsNumber(epochs) ||
	    !(epochs->valuedouble >= 0 && epochs->valuedouble <= EPOCHS_MOST) ||
	    (size_t)cJSON_GetArraySize(objectives) != sweep->search.objectives ||
	    !read_point(sweep, member(object, "set"), &point))
		return false;
	for (size_t i = 0; i < sweep->search.objectives; i++) {
		const struct cJSON *value = cJSON_GetArrayItem(objectives, (int)i);
		trial->objectives[i] = cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
		trial->losses[i] = sweep_loss(sweep, i, trial->objectives[i]);
	}
	trial->point = point;
	trial->epochs = (size_t)epochs->valuedouble;
	trial->id = string_of(sweep, object, "id");
	trial->reason = string_of(sweep, object, "reason");
	trial->protocol = string_of(sweep, object, "protocol");
	trial->state = state;
	return true;
}

void record_read(struct sweep *sweep, size_t index) {
	char *path = record_path(sweep, index);
	struct cJSON *object = NULL;
	struct error error;
	if (file_exists(path) && json_read(path, RECORD_MOST, &object, &error))
		read_object(sweep, index, object);
	cJSON_Delete(object);
	free(path);
}

// --- from runs ---

double sweep_loss(const struct sweep *sweep, size_t objective, double value) {
	return strcmp(sweep->search.config->goal.items[objective], "max") ? value : -value;
}

static bool read_json(const char *folder, const char *name, struct cJSON **ret) {
	char *path = path_join(folder, name);
	struct error error;
	bool good = file_exists(path) && json_read(path, METRICS_MOST, ret, &error);
	free(path);
	return good;
}

// False where it is no run's folder, but perhaps a summary's.
static bool parameters_in(const char *folder, double *ret) {
	struct cJSON *object = NULL;
	bool good = read_json(folder, "metrics.json", &object);
	*ret = json_number(member(member(object, "model"), "parameters"));
	cJSON_Delete(object);
	return good;
}

// Of the first run where it is the summary of several.
static double parameters_of(const char *folder) {
	struct cJSON *object = NULL;
	double ret;
	if (!parameters_in(folder, &ret) && read_json(folder, "summary.json", &object)) {
		const struct cJSON *id = member(cJSON_GetArrayItem(member(object, "runs"), 0), "id");
		bool named = cJSON_IsString(id) && json_is_id(id->valuestring);
		char *parent = path_folder(folder), *run = named ? path_join(parent, id->valuestring) : NULL;
		if (run)
			parameters_in(run, &ret);
		free(run);
		free(parent);
	}
	cJSON_Delete(object);
	return ret;
}

static double figure_of(const struct run_entry *run, const char *name) {
	if (!strcmp(name, "model.parameters"))
		return parameters_of(run->folder);
	for (size_t i = 0; i < run->final_count; i++)
		if (!strcmp(run->final[i].name, name))
			return run->final[i].value;
	return NAN;
}

bool sweep_record_run(struct sweep *sweep, size_t index, const char *folder, bool stopped, struct error *error) {
	struct trial *trial = &sweep->trials[index];
	struct run_entry run;
	runs_read_one(folder, &sweep->arena, &run);
	if (!run.finished)
		return error_set(error, ERROR_RUN, "\"%s\" is not a finished run", folder);
	for (size_t i = 0; i < sweep->search.objectives; i++) {
		trial->objectives[i] = figure_of(&run, sweep->search.config->objective.items[i]);
		trial->losses[i] = sweep_loss(sweep, i, trial->objectives[i]);
	}
	trial->id = run.id;
	trial->protocol = run.protocol;
	trial->epochs = run.runs ? run.runs * experiment_epochs(&sweep->experiment) : run.epochs;
	trial->reason = NULL;
	trial->state = stopped ? TRIAL_STOPPED : TRIAL_FINISHED;
	return record_write(sweep, index, error);
}

bool sweep_record_failure(struct sweep *sweep, size_t index, const char *reason, struct error *error) {
	struct trial *trial = &sweep->trials[index];
	trial->id = trial->protocol = NULL;
	trial->reason = arena_string(&sweep->arena, reason);
	trial->epochs = 0;
	trial->state = TRIAL_FAILED;
	return record_write(sweep, index, error);
}

// --- rungs ---

static char *rung_path(const struct sweep *sweep, size_t index, size_t epochs) {
	struct text name = {0};
	text_format(&name, "rungs/%zu-%zu", index + 1, epochs);
	char *path = path_join(sweep->folder, text_string(&name));
	text_finish(&name);
	return path;
}

bool sweep_rung_write(const struct sweep *sweep, size_t index, size_t epochs, double loss, struct error *error) {
	char number[NUMBER_TEXT + 1], *path = rung_path(sweep, index, epochs);
	number_write(loss, number);
	strcat(number, "\n");
	bool good = file_write(path, number, strlen(number), error);
	free(path);
	return good;
}

bool sweep_rung_read(const struct sweep *sweep, size_t index, size_t epochs, double *ret) {
	char *path = rung_path(sweep, index, epochs), *data = NULL;
	size_t size = 0;
	struct error error;
	bool good = file_exists(path) && file_read(path, NUMBER_TEXT, &data, &size, &error) && size > 1;
	if (good && !number_read(data, size - 1, ret))
		*ret = NAN;
	free(data);
	free(path);
	return good;
}

bool sweep_rung_of_run(const struct sweep *sweep, const char *folder, size_t epochs, double *ret) {
	const char *objective = sweep->search.config->objective.items[0], *dot = strchr(objective, '.');
	struct cJSON *object = NULL;
	bool found = false;
	if (read_json(folder, "metrics.json", &object)) {
		char part[16] = "";
		memcpy(part, objective, (size_t)(dot - objective));
		const struct cJSON *epoch = cJSON_GetArrayItem(member(object, "epochs"), (int)epochs - 1);
		const struct cJSON *value = member(member(epoch, part), dot + 1);
		found = epoch != NULL;
		*ret = sweep_loss(sweep, 0, cJSON_IsNumber(value) ? value->valuedouble : (double)NAN);
	}
	cJSON_Delete(object);
	return found;
}

// --- sweep.json ---

static void axis_json(struct json *json, const struct axis *axis) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "key", axis->label);
	if (axis->levels) {
		json_array(json, axis->choices ? "choices" : "values", JSON_INLINE);
		for (size_t i = 0; i < axis->levels; i++)
			json_string(json, NULL, axis->text[i]);
		json_end(json);
	} else {
		json_real(json, "low", axis->low);
		json_real(json, "high", axis->high);
		json_string(json, "scale", axis->logarithmic ? "log" : "linear");
		json_bool(json, "integer", axis->integer);
	}
	json_end(json);
}

// Of the trials' runs, where they are all asked the same; NULL where they are not, or there is none.
static const char *common_protocol(const struct sweep *sweep) {
	const char *first = NULL;
	for (size_t i = 0; i < sweep->begun; i++) {
		const struct trial *trial = &sweep->trials[i];
		if (trial->state == TRIAL_OPEN || !trial->id)
			continue;
		if (!trial->protocol || (first && strcmp(first, trial->protocol)))
			return NULL;
		first = trial->protocol;
	}
	return first;
}

static void counts_json(struct json *json, const struct sweep *sweep) {
	json_object(json, "counts", JSON_INLINE);
	for (int state = TRIAL_FINISHED; state <= TRIAL_FAILED; state++)
		json_count(json, trial_state_names[state], sweep_count(sweep, (enum trial_state)state));
	json_end(json);
}

static void lists_json(struct json *json, struct sweep *sweep) {
	const struct sweep_config *config = sweep->search.config;
	json_array(json, "objectives", JSON_LINES);
	for (size_t i = 0; i < sweep->search.objectives; i++) {
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "metric", config->objective.items[i]);
		json_string(json, "goal", config->goal.items[i]);
		json_end(json);
	}
	json_end(json);
	json_array(json, "axes", JSON_LINES);
	for (size_t i = 0; i < sweep->search.space.count; i++)
		axis_json(json, &sweep->search.space.axes[i]);
	json_end(json);
	json_array(json, "trials", JSON_LINES);
	for (size_t i = 0; i < sweep->begun; i++)
		if (sweep->trials[i].state != TRIAL_OPEN)
			record_json(json, sweep, i);
	json_end(json);
}

void sweep_json(struct sweep *sweep, struct text *text) {
	const struct sweep_config *config = sweep->search.config;
	struct json json = {.text = text};
	size_t *best = memory_alloc((sweep->search.trials + 1) * sizeof(*best)), count = sweep_best(sweep, best);
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "schema", "aexp.sweep/1");
	json_string(&json, "experiment", sweep->experiment.name);
	json_string(&json, "id", sweep->id);
	json_string(&json, "kind", config->kind.row->name);
	json_string(&json, "early_stop", config->early_stop ? config->early_stop->kind.row->name : NULL);
	json_string(&json, "protocol", common_protocol(sweep));
	lists_json(&json, sweep);
	counts_json(&json, sweep);
	json_array(&json, "best", JSON_INLINE);
	for (size_t i = 0; i < count; i++)
		json_count(&json, NULL, best[i] + 1);
	json_end(&json);
	json_end(&json);
	text_append(text, "\n");
	free(best);
}
