// See trials.h. As with runs, nothing in the file is trusted.
#include "report/trials.h"

#include "base/file.h"
#include "base/number.h"
#include "base/random.h"
#include "report/importance.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Objectives and axes are looked up one by one in every trial.
enum { SWEEP_MOST = 1 << 30, COUNT_MOST = 1000000000, OBJECTIVES_MOST = 64, AXES_MOST = 1000 };

const char *const trial_end_names[] = {"finished", "stopped", "failed"};

static const struct cJSON *member(const struct cJSON *object, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_missing(const struct cJSON *value) {
	return !value || cJSON_IsNull(value);
}

static bool read_string(struct arena *arena, const struct cJSON *object, const char *name, const char **ret) {
	const struct cJSON *value = member(object, name);
	if (!cJSON_IsString(value))
		return false;
	*ret = arena_string(arena, value->valuestring);
	return true;
}

// A string, or null or nothing.
static bool read_word(struct arena *arena, const struct cJSON *object, const char *name, const char **ret) {
	return is_missing(member(object, name)) || read_string(arena, object, name, ret);
}

static bool read_real(const struct cJSON *value, double *ret) {
	*ret = cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
	return cJSON_IsNumber(value) || is_missing(value);
}

static bool read_count(const struct cJSON *value, size_t *ret) {
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= COUNT_MOST))
		return is_missing(value);
	*ret = (size_t)value->valuedouble;
	return true;
}

// --- objectives and axes ---

static bool read_objectives(const struct cJSON *sweep, struct trials *t) {
	const struct cJSON *list = member(sweep, "objectives"), *one;
	const char *goal;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0 || cJSON_GetArraySize(list) > OBJECTIVES_MOST)
		return false;
	t->objectives = arena_alloc(&t->arena, (size_t)cJSON_GetArraySize(list) * sizeof(*t->objectives));
	cJSON_ArrayForEach(one, list) {
		struct trial_objective *objective = &t->objectives[t->objectives_count++];
		if (!read_string(&t->arena, one, "metric", &objective->metric) || !read_string(&t->arena, one, "goal", &goal))
			return false;
		objective->more_is_better = !strcmp(goal, "max");
	}
	return true;
}

static bool read_words(struct arena *arena, const struct cJSON *list, struct trial_axis *axis) {
	const struct cJSON *one;
	axis->words = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*axis->words));
	cJSON_ArrayForEach(one, list) {
		if (!cJSON_IsString(one))
			return false;
		axis->words[axis->words_count++] = arena_string(arena, one->valuestring);
	}
	return axis->words_count > 0;
}

static bool read_range(struct arena *arena, const struct cJSON *one, struct trial_axis *axis) {
	const char *scale = "linear";
	axis->kind = AXIS_RANGE;
	axis->integer = cJSON_IsTrue(member(one, "integer"));
	if (!read_word(arena, one, "scale", &scale) || !read_real(member(one, "low"), &axis->low) ||
	    !read_real(member(one, "high"), &axis->high))
		return false;
	axis->log = !strcmp(scale, "log");
	return axis->low <= axis->high && (!axis->log || axis->low > 0);
}

static bool read_axis(struct arena *arena, const struct cJSON *one, struct trial_axis *axis) {
	const struct cJSON *values = member(one, "values"), *choices = member(one, "choices");
	if (!read_string(arena, one, "key", &axis->key))
		return false;
	if (!cJSON_IsArray(values) && !cJSON_IsArray(choices))
		return read_range(arena, one, axis);
	axis->kind = cJSON_IsArray(values) ? AXIS_VALUES : AXIS_CHOICES;
	return read_words(arena, cJSON_IsArray(values) ? values : choices, axis);
}

static bool read_axes(const struct cJSON *sweep, struct trials *t) {
	const struct cJSON *list = member(sweep, "axes"), *one;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > AXES_MOST)
		return false;
	t->axes = arena_alloc(&t->arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*t->axes));
	cJSON_ArrayForEach(one, list) if (!read_axis(&t->arena, one, &t->axes[t->axes_count++])) return false;
	return true;
}

// --- trials ---

static bool read_status(const struct cJSON *one, enum trial_end *ret) {
	const struct cJSON *status = member(one, "status");
	for (int i = 0; i < 3 && cJSON_IsString(status); i++)
		if (!strcmp(status->valuestring, trial_end_names[i])) {
			*ret = (enum trial_end)i;
			return true;
		}
	return false;
}

static bool read_values(const struct cJSON *one, struct trials *t, struct ended_trial *trial) {
	const struct cJSON *values = member(one, "objectives"), *set = member(one, "set");
	bool good = true;
	trial->objectives = arena_alloc(&t->arena, t->objectives_count * sizeof(*trial->objectives));
	for (size_t i = 0; i < t->objectives_count; i++)
		good = good && read_real(cJSON_GetArrayItem(values, (int)i), &trial->objectives[i]);
	trial->set = arena_alloc(&t->arena, (t->axes_count + 1) * sizeof(*trial->set));
	for (size_t i = 0; i < t->axes_count; i++)
		good = good && read_word(&t->arena, set, t->axes[i].key, &trial->set[i]);
	return good;
}

static bool read_trial(const struct cJSON *one, struct trials *t, struct ended_trial *trial) {
	return cJSON_IsNumber(member(one, "trial")) && read_count(member(one, "trial"), &trial->number) &&
	       read_status(one, &trial->status) && read_word(&t->arena, one, "id", &trial->id) &&
	       (!trial->id || json_is_id(trial->id)) && read_word(&t->arena, one, "reason", &trial->reason) &&
	       read_count(member(one, "epochs"), &trial->epochs) && read_values(one, t, trial);
}

static bool is_best(const struct cJSON *best, const struct ended_trial *trial) {
	const struct cJSON *one;
	cJSON_ArrayForEach(one, best) if (cJSON_IsNumber(one) && one->valuedouble == (double)trial->number) return true;
	return false;
}

static bool read_trials(const struct cJSON *sweep, struct trials *t) {
	const struct cJSON *list = member(sweep, "trials"), *one;
	if (!cJSON_IsArray(list))
		return false;
	t->items = memory_alloc(((size_t)cJSON_GetArraySize(list) + 1) * sizeof(*t->items));
	cJSON_ArrayForEach(one, list) {
		struct ended_trial *trial = &t->items[t->count];
		if (!read_trial(one, t, trial))
			return false;
		trial->best = is_best(member(sweep, "best"), trial);
		t->counts[trial->status]++;
		t->count++;
	}
	return true;
}

// The first objective, so that less is better; what has none last.
static double rank_of(const struct ended_trial *trial, bool more_is_better) {
	double value = trial->objectives[0];
	return isnan(value) ? INFINITY : more_is_better ? -value : value;
}

static int by_place(const void *a, const void *b, void *more_is_better) {
	const struct ended_trial *left = a, *right = b;
	double one = rank_of(left, *(bool *)more_is_better), two = rank_of(right, *(bool *)more_is_better);
	if (left->status != right->status)
		return left->status < right->status ? -1 : 1;
	if (left->best != right->best)
		return left->best ? -1 : 1;
	if (one != two)
		return one < two ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

static bool read_sweep(const struct cJSON *sweep, struct trials *t) {
	const char *schema;
	return read_string(&t->arena, sweep, "schema", &schema) && !strcmp(schema, "aexp.sweep/1") &&
	       read_string(&t->arena, sweep, "experiment", &t->name) && read_string(&t->arena, sweep, "id", &t->id) &&
	       read_string(&t->arena, sweep, "kind", &t->kind) &&
	       read_word(&t->arena, sweep, "early_stop", &t->early_stop) &&
	       read_word(&t->arena, sweep, "protocol", &t->protocol) && read_objectives(sweep, t) && read_axes(sweep, t) &&
	       read_trials(sweep, t);
}

bool trials_read(const char *folder, struct trials *ret, struct error *error) {
	char *path = path_join(folder, "sweep.json");
	struct cJSON *sweep = NULL;
	*ret = (struct trials){0};
	if (!file_exists(path)) {
		free(path);
		error_set(error, ERROR_CONFIG, "the sweep \"%s\" is not finished", folder);
		error_hint(error, "`aexp sweep` goes on with it.");
		return false;
	}
	bool good = json_read(path, SWEEP_MOST, &sweep, error);
	if (good && !read_sweep(sweep, ret))
		good = error_at(error, ERROR_DATA, (struct origin){.file = path}, "not what a sweep leaves");
	if (good)
		qsort_r(ret->items, ret->count, sizeof(*ret->items), by_place, &ret->objectives[0].more_is_better);
	cJSON_Delete(sweep);
	free(path);
	return good;
}

void trials_finish(struct trials *trials) {
	free(trials->items);
	arena_finish(&trials->arena);
	*trials = (struct trials){0};
}

char *trial_folder(const char *sweep_folder, const struct ended_trial *trial) {
	char *absolute = path_absolute(sweep_folder), *beside = path_folder(absolute);
	char *folder = path_join(beside, trial->id ? trial->id : "");
	free(beside);
	free(absolute);
	return folder;
}

// --- which keys mattered ---

// Where a value stands in the range, from 0 to 1 by its scale. A whole number takes up half of 1 to either side.
static double position(const struct trial_axis *axis, double value) {
	double half = axis->integer ? 0.5 : 0, low = axis->low - half, high = axis->high + half;
	if (axis->log) {
		low = random_log(low);
		high = random_log(high);
		value = value > 0 ? random_log(value) : low;
	}
	return high > low ? fmin(fmax((value - low) / (high - low), 0), 1) : 0.5;
}

static bool same_word(const char *a, const char *b) {
	double left, right;
	return !strcmp(a, b) || (number_read(a, strlen(a), &left) && number_read(b, strlen(b), &right) && left == right);
}

static bool are_numbers(const struct trial_axis *axis) {
	double value;
	for (size_t i = 0; i < axis->words_count; i++)
		if (!number_read(axis->words[i], strlen(axis->words[i]), &value))
			return false;
	return axis->kind == AXIS_VALUES;
}

// The place of a word among the axis' own, of numbers by size; words_count where it is none of them.
static size_t place_of(const struct trial_axis *axis, const char *word, bool numbers) {
	size_t found = 0, smaller = 0;
	double value = 0, other = 0;
	while (found < axis->words_count && !same_word(axis->words[found], word))
		found++;
	if (!numbers || found == axis->words_count)
		return found;
	number_read(word, strlen(word), &value);
	for (size_t i = 0; i < axis->words_count; i++)
		smaller += number_read(axis->words[i], strlen(axis->words[i]), &other) && other < value;
	return smaller;
}

struct used {
	const struct ended_trial **items; // (count) finished, with a value
	size_t count;
};

static void bin_range(const struct trial_axis *axis, const struct used *used, size_t k,
                      struct importance_axis *ret_axis, uint8_t *bin, size_t stride) {
	double *x = memory_alloc((used->count + 1) * sizeof(*x));
	for (size_t i = 0; i < used->count; i++) {
		const char *word = used->items[i]->set[k];
		double value = NAN;
		if (word)
			number_read(word, strlen(word), &value);
		x[i] = isnan(value) ? value : position(axis, value);
	}
	importance_bins(x, used->count, ret_axis, bin, stride);
	free(x);
}

// Each value has the same share. Where there are more than bins, numbers share them, and the last words do.
static void bin_words(const struct trial_axis *axis, const struct used *used, size_t k,
                      struct importance_axis *ret_axis, uint8_t *bin, size_t stride) {
	enum { MOST = IMPORTANCE_BINS - 1 }; // one is for what is absent
	bool numbers = are_numbers(axis);
	size_t words = axis->words_count, bins = words < MOST ? words : MOST, absent = 0;
	*ret_axis = (struct importance_axis){.ordered = numbers, .bins = bins};
	for (size_t i = 0; i < words; i++)
		ret_axis->share[words <= MOST ? i : numbers ? i * bins / words : i < bins ? i : bins - 1] += 1 / (double)words;
	for (size_t i = 0; i < used->count; i++) {
		const char *word = used->items[i]->set[k];
		size_t place = word ? place_of(axis, word, numbers) : words;
		absent += place == words;
		size_t shared = numbers ? place * bins / words : place < bins ? place : bins - 1;
		bin[i * stride] = (uint8_t)(place == words ? bins : words <= MOST ? place : shared);
	}
	if (!absent)
		return;
	double rest = 1 - (double)absent / (double)used->count;
	for (size_t i = 0; i < bins; i++)
		ret_axis->share[i] *= rest;
	ret_axis->share[bins] = 1 - rest;
	ret_axis->absent = true;
	ret_axis->bins = bins + 1;
}

static size_t count_different(const double *values, size_t count) {
	size_t different = 0;
	for (size_t i = 0; i < count && different < TRIALS_LEAST; i++) {
		size_t k = 0;
		while (k < i && values[k] != values[i])
			k++;
		different += k == i;
	}
	return different;
}

static void share_out(const struct trials *t, const struct used *used, const double *value, struct key_shares *ret) {
	struct importance_axis *axes = memory_alloc((t->axes_count + 1) * sizeof(*axes));
	uint8_t *bin = memory_alloc(used->count * t->axes_count + 1);
	for (size_t k = 0; k < t->axes_count; k++)
		(t->axes[k].kind == AXIS_RANGE ? bin_range : bin_words)(&t->axes[k], used, k, &axes[k], bin + k, t->axes_count);
	struct importance_data data = {axes, t->axes_count, bin, value, used->count};
	struct importance_share *shares;
	ret->count = importance_shares(&data, &shares);
	ret->items = memory_alloc((ret->count + 1) * sizeof(*ret->items));
	for (size_t i = 0; i < ret->count; i++)
		ret->items[i] = (struct key_share){t->axes[shares[i].first].key,
		                                   shares[i].second == shares[i].first ? NULL : t->axes[shares[i].second].key,
		                                   shares[i].share, shares[i].deviation};
	free(shares);
	free(bin);
	free(axes);
}

void trials_shares(const struct trials *trials, size_t objective, struct key_shares *ret) {
	struct used used = {memory_alloc((trials->count + 1) * sizeof(*used.items)), 0};
	double *value = memory_alloc((trials->count + 1) * sizeof(*value));
	*ret = (struct key_shares){0};
	for (size_t i = 0; i < trials->count; i++) {
		const struct ended_trial *trial = &trials->items[i];
		if (trial->status != END_FINISHED || !isfinite(trial->objectives[objective]))
			continue;
		value[used.count] = trial->objectives[objective];
		used.items[used.count++] = trial;
	}
	ret->trials = used.count;
	if (trials->axes_count == 0)
		ret->reason = "no key varies";
	else if (count_different(value, used.count) < TRIALS_LEAST)
		ret->reason = "fewer than 8 finished trials with different values";
	else
		share_out(trials, &used, value, ret);
	free(value);
	free(used.items);
}

void key_shares_finish(struct key_shares *shares) {
	free(shares->items);
	*shares = (struct key_shares){0};
}
