// See integrity.h.
#include "report/integrity.h"

#include "base/file.h"
#include "report/json.h"
#include "report/report.h"
#include "report/seal.h"
#include "report/summary.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

const char *const integrity_words[INTEGRITIES] = {"ok", "CHANGED", "MISSING", "unknown"};

static const size_t JSON_MOST = (size_t)1 << 30; // bytes

struct check {
	const char *folder;
	const struct integrity_listener *listener;
	struct cJSON *metrics, *run; // run NULL where run.json cannot be read
};

static void say(const struct check *c, const char *file, enum integrity verdict, const char *why) {
	c->listener->say(c->listener->context, file, verdict, why);
}

static const char *text_of(const struct cJSON *object, const char *name) {
	const char *text = cJSON_GetStringValue(json_member(object, name));
	return text ? text : "";
}

static bool same_text(const struct cJSON *a, const struct cJSON *b, const char *name) {
	return !strcmp(text_of(a, name), text_of(b, name));
}

// --- run.json, and the hashes that it holds ---

static void check_run_json(struct check *c) {
	struct text text = {0};
	struct error error = {0};
	char *path = path_join(c->folder, "run.json");
	bool there, known = file_read(path, JSON_MOST, &text.data, &text.length, &error);
	bool whole = known && json_read(path, JSON_MOST, &c->run, &error);
	if (!known)
		say(c, "run.json", file_exists(path) ? INTEGRITY_CHANGED : INTEGRITY_MISSING, error.message);
	else if (!whole)
		say(c, "run.json", INTEGRITY_CHANGED, error.message);
	else if (!seal_holds(&text, &there))
		say(c, "run.json", there ? INTEGRITY_CHANGED : INTEGRITY_UNKNOWN,
		    there ? "its bytes are not what its own hash says" : "it holds no hashes: an older version wrote it");
	else if (!same_text(c->run, c->metrics, "id") || !same_text(c->run, c->metrics, "experiment"))
		say(c, "run.json", INTEGRITY_CHANGED, "it is another run's than metrics.json");
	else
		say(c, "run.json", INTEGRITY_OK, "");
	text_finish(&text);
	free(path);
}

static void check_hash(const struct check *c, const struct cJSON *recorded) {
	char hex[HASH_HEX], *path = path_join(c->folder, recorded->string);
	struct error error = {0};
	if (path_base(recorded->string) != recorded->string || !cJSON_IsString(recorded))
		say(c, "run.json", INTEGRITY_CHANGED, "what it says of a file is no hash of one beside it");
	else if (!file_exists(path))
		say(c, recorded->string, INTEGRITY_MISSING, "run.json has its hash");
	else if (!file_hash(path, hex, &error))
		say(c, recorded->string, INTEGRITY_CHANGED, error.message);
	else if (strcmp(hex, recorded->valuestring) != 0)
		say(c, recorded->string, INTEGRITY_CHANGED, "its bytes are not those of the hash in run.json");
	else
		say(c, recorded->string, INTEGRITY_OK, "");
	free(path);
}

// --- what the files say of each other ---

static void check_experiment(const struct check *c) {
	struct experiment e;
	struct errors errors = {0};
	char id[EXPERIMENT_ID], protocol[EXPERIMENT_ID], *path = path_join(c->folder, "experiment.cfg");
	const char *fingerprint = text_of(json_member(c->metrics, "data"), "fingerprint");
	if (experiment_read(path, NULL, 0, &e, &errors)) {
		experiment_id(&e, fingerprint, id);
		experiment_protocol(&e, fingerprint, protocol);
		if (strcmp(id, text_of(c->metrics, "id")) != 0)
			say(c, "experiment.cfg", INTEGRITY_CHANGED,
			    "with the data's fingerprint it gives another ID than metrics.json has");
		if (strcmp(protocol, text_of(c->metrics, "protocol")) != 0)
			say(c, "experiment.cfg", INTEGRITY_CHANGED, "it gives another protocol than metrics.json has");
	} else if (file_exists(path)) {
		say(c, "experiment.cfg", errors.items[0].outside ? INTEGRITY_UNKNOWN : INTEGRITY_CHANGED,
		    errors.items[0].message);
	}
	errors_finish(&errors);
	experiment_finish(&e);
	free(path);
}

// Each line is one of the epochs.
static bool same_epochs(char *lines, const struct cJSON *epochs) {
	const struct cJSON *epoch = epochs ? epochs->child : NULL;
	char *rest = NULL;
	bool same = true;
	for (char *line = strtok_r(lines, "\n", &rest); same && line; line = strtok_r(NULL, "\n", &rest)) {
		struct cJSON *one = cJSON_Parse(line);
		same = one && epoch && cJSON_Compare(one, epoch, true);
		epoch = epoch ? epoch->next : NULL;
		cJSON_Delete(one);
	}
	return same && !epoch;
}

static void check_history(const struct check *c) {
	char *lines, *path = path_join(c->folder, "history.jsonl");
	size_t size, epochs;
	if (file_read(path, JSON_MOST, &lines, &size, NULL)) {
		if (!same_epochs(lines, json_member(c->metrics, "epochs")))
			say(c, "history.jsonl", INTEGRITY_CHANGED, "its epochs are not those of metrics.json");
		free(lines);
	}
	if (c->run && (!json_whole(json_member(c->run, "epochs"), &epochs) ||
	               epochs != (size_t)cJSON_GetArraySize(json_member(c->metrics, "epochs"))))
		say(c, "run.json", INTEGRITY_CHANGED, "it counts other epochs than metrics.json has");
	free(path);
}

// --- a run ---

static void copy_text(char ret[HASH_HEX], const char *text) {
	if (strlen(text) < HASH_HEX)
		memcpy(ret, text, strlen(text) + 1);
}

bool integrity_check_run(const char *folder, const struct integrity_listener *listener, struct integrity_facts *ret,
                         struct error *error) {
	struct check c = {.folder = folder, .listener = listener};
	char *path = path_join(folder, "metrics.json");
	bool read = json_read(path, JSON_MOST, &c.metrics, error);
	free(path);
	if (!read)
		return false;
	*ret = (struct integrity_facts){0};
	copy_text(ret->id, text_of(c.metrics, "id"));
	copy_text(ret->fingerprint, text_of(json_member(c.metrics, "data"), "fingerprint"));
	copy_text(ret->split, text_of(c.metrics, "split"));
	copy_text(ret->weights_hash, text_of(c.metrics, "weights_hash"));
	check_run_json(&c);
	const struct cJSON *recorded, *files = json_member(c.run, "files");
	cJSON_ArrayForEach(recorded, files) check_hash(&c, recorded);
	check_experiment(&c);
	check_history(&c);
	cJSON_Delete(c.metrics);
	cJSON_Delete(c.run);
	return true;
}

// --- a summary ---

// The runs that it names, of the same results folder, as far as they are finished.
static size_t read_runs(const char *folder, const struct cJSON *list, struct arena *arena, struct run_entry *runs,
                        size_t *fold) {
	char *absolute = path_absolute(folder), *above = path_folder(absolute);
	const struct cJSON *one;
	size_t count = 0;
	cJSON_ArrayForEach(one, list) {
		char *path = path_join(above, text_of(one, "id"));
		fold[count] = 0;
		json_whole(json_member(one, "fold"), &fold[count]);
		runs_read_one(path, arena, &runs[count]);
		count += runs[count].finished && run_folder_finished(path);
		free(path);
	}
	free(above);
	free(absolute);
	return count;
}

static bool same_summary(const char *path, const struct summary *summary) {
	struct text text = {0};
	char *data;
	size_t size;
	report_summary_json(summary, &text);
	bool read = file_read(path, JSON_MOST, &data, &size, NULL);
	bool same = read && size == text.length && !memcmp(data, text_string(&text), size);
	if (read)
		free(data);
	text_finish(&text);
	return same;
}

bool integrity_check_summary(const char *folder, const struct integrity_listener *listener,
                             void (*each)(void *context, const char *folder), struct error *error) {
	struct check c = {.folder = folder, .listener = listener};
	char *path = path_join(folder, "summary.json");
	if (!json_read(path, JSON_MOST, &c.metrics, error)) {
		free(path);
		return false;
	}
	const struct cJSON *list = json_member(c.metrics, "runs");
	size_t wanted = (size_t)cJSON_GetArraySize(list);
	struct arena arena = {0};
	struct run_entry *runs = memory_alloc((wanted + 1) * sizeof(*runs));
	size_t *fold = memory_alloc((wanted + 1) * sizeof(*fold)), count = read_runs(folder, list, &arena, runs, fold);
	struct summary summary = {text_of(c.metrics, "experiment"), text_of(c.metrics, "id"), runs, fold, count};
	if (count < wanted || !count)
		say(&c, "summary.json", INTEGRITY_MISSING, "a run that it sums up is not there, or not finished");
	else if (!same_summary(path, &summary))
		say(&c, "summary.json", INTEGRITY_CHANGED, "its runs give other figures");
	else
		say(&c, "summary.json", INTEGRITY_OK, "");
	for (size_t i = 0; i < count; i++)
		each(listener->context, runs[i].folder);
	free(runs);
	free(fold);
	arena_finish(&arena);
	cJSON_Delete(c.metrics);
	free(path);
	return true;
}
