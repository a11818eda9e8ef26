// See inquiry.h.
#include "serve/inquiry.h"

#include "base/nearest.h"
#include "base/number.h"
#include "recommend/answer.h"
#include "recommend/asks.h"
#include "recommend/model.h"
#include "report/json.h"

#include <string.h>

enum { USERS_AT_ONCE = 1024 }; // as the command line: blocks are cut alike, so that sums are rounded alike

// --- what a question goes by ---

static bool read_flag(const char *value, bool *ret) {
	static const char *const words[] = {"0", "1", "false", "true", "", NULL}; // "": it is there
	for (size_t i = 0; words[i]; i++)
		if (!strcmp(words[i], value)) {
			*ret = i == 1 || i >= 3;
			return true;
		}
	return false;
}

static bool set_top(struct inquiry *q, const char *value) {
	int64_t top;
	if (!number_read_integer(value, strlen(value), &top) || top < 1 || top > INQUIRY_TOP_MOST)
		return false;
	q->how.top = (size_t)top;
	return true;
}

static bool set_include_rated(struct inquiry *q, const char *value) {
	return read_flag(value, &q->how.include_rated);
}

static bool set_strict(struct inquiry *q, const char *value) {
	return read_flag(value, &q->how.strict);
}

static bool set_explain(struct inquiry *q, const char *value) {
	bool explain;
	if (!read_flag(value, &explain))
		return false;
	q->how.reasons = explain ? ANSWER_REASONS : 0;
	return true;
}

static const struct {
	const char *name, *wants;
	bool (*set)(struct inquiry *q, const char *value);
	bool lists; // not of predictions
} settings[] = {
    {"top", "a whole number from 1 to 1000", set_top, true},
    {"include_rated", "true or false", set_include_rated, true},
    {"strict", "true or false", set_strict, false},
    {"explain", "true or false", set_explain, true},
};
_Static_assert(INQUIRY_TOP_MOST == 1000, "as its row says");

bool inquiry_set(struct inquiry *q, const char *name, const char *value, struct error *error) {
	struct nearest nearest = {.word = name};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (settings[i].lists && q->predicts)
			continue;
		if (!strcmp(settings[i].name, name))
			return settings[i].set(q, value) ||
			       error_set(error, ERROR_CONFIG, "\"%s\" is not what %s wants: %s", value, name, settings[i].wants);
		nearest_offer(&nearest, settings[i].name);
	}
	error_set(error, ERROR_CONFIG, "there is no parameter \"%s\"", name);
	if (nearest.best)
		error_hint(error, "Did you mean \"%s\"?", nearest.best);
	return false;
}

// --- from lines to lists ---

// A question on its way.
struct work {
	struct aexp_model *model;
	const struct inquiry *inquiry;
	struct arena arena; // of the users at hand
	size_t rows, listed;
};

static bool is_too_much(struct work *w, const struct aexp_user *users, size_t count) {
	const struct aexp_how *how = &w->inquiry->how;
	for (size_t i = 0; i < count; i++) {
		w->rows += 1 + (how->reasons ? users[i].ratings_count : 0);
		w->listed += w->inquiry->predicts ? users[i].asked_count : how->top;
	}
	return w->rows > INQUIRY_ROWS_MOST || w->listed > INQUIRY_LIST_MOST;
}

static bool are_new(const struct ask *asks, size_t count, struct error *error) {
	for (size_t i = 0; i < count; i++)
		if (asks[i].known) {
			error_set(error, ERROR_DATA, "users of the run's data are not served: \"%s\" has no ratings",
			          asks[i].user.id);
			error_hint(error, "Give the ratings of the user, or ask `aexp predict RUN`.");
			return false;
		}
	return true;
}

static enum status answer_some(struct work *w, const struct ask *asks, size_t count, struct text *ret,
                               struct error *error) {
	const struct inquiry *q = w->inquiry;
	struct answer answer = {.form = ANSWER_JSON, .predicts = q->predicts};
	struct aexp_user *users = arena_alloc(&w->arena, (count + 1) * sizeof(*users));
	struct aexp_list *lists = arena_alloc(&w->arena, (count + 1) * sizeof(*lists));
	struct aexp_error failed;
	for (size_t i = 0; i < count; i++)
		users[i] = asks[i].user;
	if (!are_new(asks, count, error))
		return STATUS_BAD;
	if (is_too_much(w, users, count)) {
		error_set(error, ERROR_DATA, "that is too much at once");
		error_hint(error, "Ask about fewer users, or for fewer items, at a time.");
		return STATUS_TOO_MUCH;
	}
	if (!(q->predicts ? aexp_predict : aexp_recommend)(w->model, users, count, &q->how, lists, &failed)) {
		private_error(&failed, error);
		return error->code == ERROR_DATA ? STATUS_BAD : STATUS_FAILED;
	}
	for (size_t i = 0; i < count; i++)
		answer_write(&answer, users[i].id, &lists[i], ret);
	return STATUS_GOOD;
}

static enum status answer_all(struct work *w, FILE *from, struct text *ret, struct error *error) {
	const struct inquiry *q = w->inquiry;
	struct asks asks = {.from = from, .name = q->from, .predicts = q->predicts, .form = ASKS_JSON, .number = q->before};
	enum status status = STATUS_GOOD;
	size_t count = 1;
	while (status == STATUS_GOOD && count) {
		struct ask *ask;
		bool good = asks_next(&asks, USERS_AT_ONCE, &w->arena, &ask, &count, error);
		status = good ? answer_some(w, ask, count, ret, error) : STATUS_BAD;
		arena_finish(&w->arena);
	}
	asks_close(&asks);
	return status;
}

enum status inquiry_answer(struct aexp_model *model, const struct inquiry *q, const char *lines, size_t length,
                           struct text *ret, struct error *error) {
	struct work work = {.model = model, .inquiry = q};
	size_t before = ret->length;
	FILE *from = length ? fmemopen((void *)(uintptr_t)lines, length, "r") : NULL;
	enum status status = from || !length ? STATUS_GOOD : STATUS_FAILED;
	if (from) {
		status = answer_all(&work, from, ret, error);
		fclose(from);
	}
	if (status == STATUS_FAILED && error->code == ERROR_NONE)
		error_set(error, ERROR_RUN, "there is no memory for the question");
	if (status == STATUS_GOOD && ret->length == before) {
		error_set(error, ERROR_DATA, "nothing is asked");
		error_hint(error, "A question is one JSON object a line, as {\"ratings\": {\"50\": 5}}.");
		status = STATUS_BAD;
	}
	return status;
}

void inquiry_refuse(const struct error *error, struct text *ret) {
	struct json json = {.text = ret};
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, "error", error->message);
	if (error->hint[0])
		json_string(&json, "hint", error->hint);
	if (error->line)
		json_count(&json, "line", error->line);
	json_end(&json);
	text_append(ret, "\n");
}
