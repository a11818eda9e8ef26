// See sweep.h.
#include "sweep/sweep.h"

#include "base/file.h"
#include "config/read.h"
#include "report/runs.h"
#include "sweep/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIVEN "given.cfg"
#define RESULT "sweep.json"

void sweep_id(const struct experiment *experiment, const char *run_id, char ret[EXPERIMENT_ID]) {
	struct text text = {0};
	struct hash hash;
	char hex[HASH_HEX];
	schema_write(&sweep_schema, experiment->sweep, true, &text);
	hash_init(&hash);
	hash_string(&hash, run_id);
	hash_string(&hash, text_string(&text));
	hash_finish(&hash, hex);
	memcpy(ret, hex, EXPERIMENT_ID - 1);
	ret[EXPERIMENT_ID - 1] = '\0';
	text_finish(&text);
}

// --- its folder ---

static bool write_once(const char *folder, const char *name, const struct text *text, struct error *error) {
	char *path = path_join(folder, name);
	bool good = file_exists(path) || file_write(path, text_string(text), text->length, error);
	free(path);
	return good;
}

static bool make_folder(const char *folder, const char *name, struct error *error) {
	char *path = path_join(folder, name);
	bool good = folder_create(path, error);
	free(path);
	return good;
}

// The name goes in front: what the file's own name gives is not known elsewhere.
static void write_given(const struct experiment *e, struct text *text) {
	struct value name = {.type = VALUE_STRING, .as.string = e->name};
	if (!value_child(e->tree, "name")) {
		text_append(text, "name = ");
		value_write(&name, text);
		text_append(text, ";\n");
	}
	config_keep(e->tree, &experiment_schema, text);
}

bool sweep_begin(const struct experiment *experiment, const char *folder, struct error *error) {
	struct text given = {0}, resolved = {0};
	write_given(experiment, &given);
	experiment_write(experiment, &resolved);
	bool good = make_folder(folder, "trials", error) && make_folder(folder, "rungs", error) &&
	            write_once(folder, "experiment.cfg", &resolved, error) && write_once(folder, GIVEN, &given, error);
	text_finish(&given);
	text_finish(&resolved);
	return good;
}

static const char *kept(struct arena *arena, char *text) {
	const char *ret = arena_string(arena, text);
	free(text);
	return ret;
}

static void make_trials(struct sweep *s) {
	size_t count = s->search.trials, objectives = s->search.objectives;
	double *numbers = arena_alloc(&s->arena, 2 * count * objectives * sizeof(*numbers));
	s->trials = arena_alloc(&s->arena, count * sizeof(*s->trials));
	s->begun = count;
	for (size_t i = 0; i < 2 * count * objectives; i++)
		numbers[i] = NAN;
	for (size_t i = 0; i < count; i++)
		s->trials[i] = (struct trial){
		    .number = i + 1, .objectives = numbers + 2 * i * objectives, .losses = numbers + (2 * i + 1) * objectives};
}

bool sweep_open(const char *folder, struct sweep *ret, struct errors *errors) {
	struct error error = {0};
	*ret = (struct sweep){0};
	ret->folder = kept(&ret->arena, path_absolute(folder));
	ret->given = kept(&ret->arena, path_join(ret->folder, GIVEN));
	ret->id = path_base(ret->folder);
	ret->results = kept(&ret->arena, path_folder(kept(&ret->arena, path_folder(ret->folder))));
	if (!experiment_read(ret->given, NULL, 0, &ret->experiment, errors))
		return false;
	if (!ret->experiment.sweep) {
		errors_add(errors, ERROR_CONFIG, (struct origin){.file = ret->given}, "\"sweep\" is missing");
		return false;
	}
	if (!search_create(ret->experiment.sweep, &ret->arena, &ret->search, &error)) {
		errors_push(errors, &error);
		return false;
	}
	make_trials(ret);
	sweep_refresh(ret);
	return true;
}

void sweep_close(struct sweep *sweep) {
	search_finish(&sweep->search);
	experiment_finish(&sweep->experiment);
	arena_finish(&sweep->arena);
}

// --- trials ---

void sweep_refresh(struct sweep *sweep) {
	for (size_t i = 0; i < sweep->search.trials; i++)
		if (sweep->trials[i].state == TRIAL_OPEN)
			record_read(sweep, i);
}

bool sweep_can_propose(const struct sweep *sweep, size_t index) {
	for (size_t i = 0; i < search_needs(&sweep->search, index); i++)
		if (sweep->trials[i].state == TRIAL_OPEN)
			return false;
	return true;
}

static void propose_one(struct sweep *sweep, size_t index) {
	size_t needs = search_needs(&sweep->search, index);
	struct known_trial *known = memory_alloc((index + 1) * sizeof(*known));
	for (size_t i = 0; i < index; i++) {
		const struct trial *trial = &sweep->trials[i];
		known[i] =
		    (struct known_trial){i < needs ? trial->state : TRIAL_OPEN, trial->point, trial->losses, trial->epochs};
	}
	sweep->trials[index].point =
	    arena_alloc(&sweep->arena, (sweep->search.space.count + 1) * sizeof(*sweep->trials[index].point));
	search_propose(&sweep->search, index, known, sweep->trials[index].point);
	free(known);
}

void sweep_propose(struct sweep *sweep, size_t index) {
	const struct strategy *strategy = (const struct strategy *)sweep->search.config->kind.row;
	for (size_t i = strategy->learns ? 0 : index; i <= index; i++)
		if (!sweep->trials[i].point)
			propose_one(sweep, i);
}

void sweep_overrides(struct sweep *sweep, size_t index, struct strings *ret) {
	space_overrides(&sweep->search.space, sweep->trials[index].point, &sweep->arena, ret);
}

bool sweep_forget(struct sweep *sweep, size_t index, struct error *error) {
	char *result = path_join(sweep->folder, RESULT);
	bool good = record_remove(sweep, index, error);
	if (good && unlink(result) != 0 && errno != ENOENT)
		good = error_set(error, ERROR_RUN, "cannot remove \"%s\": %s", result, strerror(errno));
	free(result);
	if (good)
		sweep->trials[index].state = TRIAL_OPEN;
	return good;
}

// --- what came out ---

bool sweep_finished(const char *folder) {
	char *path = path_join(folder, RESULT);
	bool finished = file_exists(path);
	free(path);
	return finished;
}

size_t sweep_count(const struct sweep *sweep, enum trial_state state) {
	size_t count = 0;
	for (size_t i = 0; i < sweep->begun; i++)
		count += sweep->trials[i].state == state;
	return count;
}

static bool is_best(const struct sweep *s, size_t index) {
	const struct trial *own = &s->trials[index];
	if (own->state != TRIAL_FINISHED)
		return false;
	for (size_t k = 0; k < s->search.objectives; k++)
		if (isnan(own->losses[k]))
			return false;
	for (size_t i = 0; i < s->begun; i++) {
		const struct trial *other = &s->trials[i];
		if (other->state != TRIAL_FINISHED || i == index)
			continue;
		bool before = s->search.objectives == 1 && i < index && other->losses[0] == own->losses[0];
		if (before || losses_dominate(other->losses, own->losses, s->search.objectives))
			return false;
	}
	return true;
}

size_t sweep_best(const struct sweep *sweep, size_t *ret) {
	size_t count = 0;
	for (size_t i = 0; i < sweep->begun; i++)
		if (is_best(sweep, i))
			ret[count++] = i;
	return count;
}

bool sweep_end(struct sweep *sweep, struct error *error) {
	struct text text = {0};
	char *path = path_join(sweep->folder, RESULT);
	sweep_json(sweep, &text);
	bool good = file_write(path, text_string(&text), text.length, error);
	free(path);
	text_finish(&text);
	return good;
}
