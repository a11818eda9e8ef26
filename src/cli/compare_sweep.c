// aexp compare SWEEP: its trials, the best first; which keys mattered; the best against the runner-up.
#include "cli/comparison.h"

#include "base/number.h"
#include "report/trials.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep_view {
	struct trials trials;
	struct key_shares *shares; // (objectives)
	struct comparison pair;    // the best and the runner-up, where there are two
	const char *no_pair;       // why there are not; NULL: there are
	struct error error;        // what no_pair points into
	size_t shown;              // trials in the table
};

// --- the best and the runner-up ---

// The first trial from `from` on that is finished, and another run than `id`; NULL: none.
static const struct ended_trial *next_finished(const struct trials *t, size_t from, const char *id) {
	for (size_t i = from; i < t->count; i++) {
		const struct ended_trial *trial = &t->items[i];
		if (trial->status == END_FINISHED && trial->id && !isnan(trial->objectives[0]) &&
		    (!id || strcmp(trial->id, id) != 0))
			return trial;
	}
	return NULL;
}

static bool add_trial(struct sweep_view *view, const char *folder, const struct ended_trial *trial) {
	char *path = trial_folder(folder, trial);
	bool good = comparison_add(&view->pair, path, &view->error);
	free(path);
	return good;
}

static bool is_tested(const struct comparison *pair) {
	for (size_t i = 0; i < pair->runs[0].entry.final_count; i++) {
		struct compare_figure figure;
		if (compare_figure(&pair->runs[0], &pair->runs[1], i, &figure) && figure.test != COMPARE_NONE)
			return true;
	}
	return false;
}

static void find_pair(struct sweep_view *view, const char *folder) {
	const struct ended_trial *best = next_finished(&view->trials, 0, NULL);
	const struct ended_trial *second = best ? next_finished(&view->trials, 0, best->id) : NULL;
	if (view->trials.objectives_count > 1)
		view->no_pair = "several objectives have no one best trial";
	else if (!second)
		view->no_pair = "there are no two finished trials";
	else if (!add_trial(view, folder, best) || !add_trial(view, folder, second))
		view->no_pair = view->error.message;
}

// What the test between the two rests on.
static const char *test_basis(const struct comparison *pair) {
	if (!is_tested(pair))
		return "no test: neither repeats nor users' own values that both have";
	if (pair->runs[0].summary && pair->runs[1].summary)
		return "tested over their repeats";
	return "tested over users alone: single runs, whose seeds are not averaged over (repeats = 5 does that)";
}

// --- tables ---

static bool are_numbers(const struct trials *t, size_t axis) {
	double value;
	for (size_t i = 0; i < t->count; i++) {
		const char *word = t->items[i].set[axis];
		if (word && !number_read(word, strlen(word), &value))
			return false;
	}
	return true;
}

static void trials_table(const struct sweep_view *view, struct table *table) {
	const struct trials *t = &view->trials;
	table_column(table, "trial", TABLE_NUMBERS);
	table_column(table, "id", TABLE_CODE);
	table_column(table, "status", TABLE_WORDS);
	for (size_t i = 0; i < t->objectives_count; i++)
		table_column(table, t->objectives[i].metric, TABLE_NUMBERS);
	table_column(table, "epochs", TABLE_NUMBERS);
	for (size_t i = 0; i < t->axes_count; i++)
		table_column(table, t->axes[i].key, are_numbers(t, i) ? TABLE_NUMBERS : TABLE_WORDS);
	if (t->counts[END_FAILED])
		table_column(table, "reason", TABLE_WORDS);
	for (size_t k = 0; k < view->shown; k++) {
		const struct ended_trial *trial = &t->items[k];
		table_count(table, trial->number);
		table_text(table, trial->id);
		table_text(table, trial->best ? "best" : trial_end_names[trial->status]);
		for (size_t i = 0; i < t->objectives_count; i++)
			table_number(table, trial->objectives[i]);
		table_count(table, trial->epochs);
		for (size_t i = 0; i < t->axes_count; i++)
			table_text(table, trial->set[i]);
		if (t->counts[END_FAILED])
			table_text(table, trial->reason);
	}
}

static void shares_table(const struct key_shares *shares, struct table *table) {
	table_column(table, "key", TABLE_CODE);
	table_column(table, "with", TABLE_CODE);
	table_column(table, "share", TABLE_NUMBERS);
	table_column(table, "sd", TABLE_NUMBERS);
	for (size_t i = 0; i < shares->count; i++) {
		char text[2][32];
		const struct key_share *one = &shares->items[i];
		snprintf(text[0], sizeof(text[0]), "%.3f", one->share);
		snprintf(text[1], sizeof(text[1]), "%.3f", one->deviation);
		table_text(table, one->first);
		table_text(table, one->second);
		table_cell(table, text[0], one->share);
		table_cell(table, text[1], one->deviation);
	}
}

// A line between tables: text in text, a comment in LaTeX; in CSV it would be a row, so it goes to the messages.
static void say(enum table_form form, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(enum table_form form, const char *format, ...) {
	va_list arguments;
	FILE *to = form == TABLE_CSV ? stderr : stdout;
	fprintf(to, form == TABLE_LATEX ? "%% " : "");
	va_start(arguments, format);
	vfprintf(to, format, arguments);
	va_end(arguments);
	fprintf(to, form == TABLE_MARKDOWN ? "\n\n" : "\n");
}

static void print_and_free(struct table *table, enum table_form form) {
	output_table(table, form);
	table_finish(table);
}

static void print_trials(const struct sweep_view *view, enum table_form form) {
	const struct trials *t = &view->trials;
	struct table table = {0};
	say(form, "%s/%s  %s%s%s  %zu trials: %zu finished, %zu stopped early, %zu failed", t->name, t->id, t->kind,
	    t->early_stop ? " with " : "", t->early_stop ? t->early_stop : "", t->count, t->counts[END_FINISHED],
	    t->counts[END_STOPPED], t->counts[END_FAILED]);
	trials_table(view, &table);
	print_and_free(&table, form);
	if (view->shown < t->count)
		say(form, "%zu more (--limit)", t->count - view->shown);
}

static void print_shares(const struct sweep_view *view, size_t objective, enum table_form form) {
	const struct key_shares *shares = &view->shares[objective];
	const char *metric = view->trials.objectives[objective].metric;
	struct table table = {0};
	printf(form == TABLE_CSV ? "\r\n" : "\n");
	if (shares->reason) {
		say(form, "fANOVA of %s: %s", metric, shares->reason);
		return;
	}
	say(form, "fANOVA of %s over %zu finished trials: shares of its variance due to a key, and to two beyond each",
	    metric, shares->trials);
	shares_table(shares, &table);
	print_and_free(&table, form);
}

static void print_pair(struct sweep_view *view, enum table_form form) {
	struct table table = {0};
	printf(form == TABLE_CSV ? "\r\n" : "\n");
	if (view->no_pair) {
		say(form, "best against runner-up: %s", view->no_pair);
		return;
	}
	say(form, "best %s against runner-up %s: %s", view->pair.runs[0].entry.id, view->pair.runs[1].entry.id,
	    test_basis(&view->pair));
	comparison_table(&view->pair, &table);
	print_and_free(&table, form);
}

// --- JSON ---

static void trial_json(struct json *json, const struct trials *t, const struct ended_trial *trial) {
	json_object(json, NULL, JSON_INLINE);
	json_count(json, "trial", trial->number);
	json_string(json, "status", trial_end_names[trial->status]);
	json_bool(json, "best", trial->best);
	json_string(json, "id", trial->id);
	json_array(json, "objectives", JSON_INLINE);
	for (size_t i = 0; i < t->objectives_count; i++)
		json_real(json, NULL, trial->objectives[i]);
	json_end(json);
	json_count(json, "epochs", trial->epochs);
	json_object(json, "set", JSON_INLINE);
	for (size_t i = 0; i < t->axes_count; i++)
		if (trial->set[i])
			json_string(json, t->axes[i].key, trial->set[i]);
	json_end(json);
	json_string(json, "reason", trial->reason);
	json_end(json);
}

static void shares_json(struct json *json, const char *metric, const struct key_shares *shares) {
	json_object(json, NULL, JSON_LINES);
	json_string(json, "method", "fANOVA");
	json_string(json, "objective", metric);
	json_count(json, "trials", shares->trials);
	json_string(json, "reason", shares->reason);
	json_array(json, "shares", JSON_LINES);
	for (size_t i = 0; i < shares->count; i++) {
		const struct key_share *one = &shares->items[i];
		json_object(json, NULL, JSON_INLINE);
		json_array(json, "keys", JSON_INLINE);
		json_string(json, NULL, one->first);
		if (one->second)
			json_string(json, NULL, one->second);
		json_end(json);
		json_real(json, "share", one->share);
		json_real(json, "sd", one->deviation);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void pair_json(struct json *json, const struct sweep_view *view) {
	json_object(json, "test", JSON_LINES);
	json_string(json, "best", view->no_pair ? NULL : view->pair.runs[0].entry.id);
	json_string(json, "runner_up", view->no_pair ? NULL : view->pair.runs[1].entry.id);
	json_string(json, "basis", view->no_pair ? view->no_pair : test_basis(&view->pair));
	if (!view->no_pair)
		comparison_json(&view->pair, json);
	json_end(json);
}

static void print_json(const struct sweep_view *view) {
	const struct trials *t = &view->trials;
	struct text text = {0};
	struct json json = {.text = &text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "name", t->name);
	json_string(&json, "id", t->id);
	json_string(&json, "kind", t->kind);
	json_string(&json, "early_stop", t->early_stop);
	json_string(&json, "protocol", t->protocol);
	json_array(&json, "objectives", JSON_INLINE);
	for (size_t i = 0; i < t->objectives_count; i++)
		json_string(&json, NULL, t->objectives[i].metric);
	json_end(&json);
	json_object(&json, "counts", JSON_INLINE);
	for (size_t i = 0; i < 3; i++)
		json_count(&json, trial_end_names[i], t->counts[i]);
	json_end(&json);
	json_array(&json, "trials", JSON_LINES);
	for (size_t i = 0; i < view->shown; i++)
		trial_json(&json, t, &t->items[i]);
	json_end(&json);
	json_array(&json, "importance", JSON_LINES);
	for (size_t i = 0; i < t->objectives_count; i++)
		shares_json(&json, t->objectives[i].metric, &view->shares[i]);
	json_end(&json);
	pair_json(&json, view);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static void view_finish(struct sweep_view *view) {
	for (size_t i = 0; view->shares && i < view->trials.objectives_count; i++)
		key_shares_finish(&view->shares[i]);
	free(view->shares);
	comparison_finish(&view->pair);
	trials_finish(&view->trials);
}

static void print_view(struct sweep_view *view, const struct options *options) {
	enum table_form form = options_form(options);
	if (form == TABLE_JSON) {
		print_json(view);
		return;
	}
	print_trials(view, form);
	for (size_t i = 0; i < view->trials.objectives_count; i++)
		print_shares(view, i, form);
	print_pair(view, form);
}

int compare_sweep(const char *folder, const struct options *options) {
	struct sweep_view view = {0};
	struct error error = {0};
	int code = 0;
	if (trials_read(folder, &view.trials, &error)) {
		struct trials *t = &view.trials;
		view.shown = options->limit && options->limit < t->count ? options->limit : t->count;
		view.shares = memory_alloc(t->objectives_count * sizeof(*view.shares));
		for (size_t i = 0; i < t->objectives_count; i++)
			trials_shares(t, i, &view.shares[i]);
		find_pair(&view, folder);
		print_view(&view, options);
	} else {
		print_error(&error);
		code = (int)error.code;
	}
	view_finish(&view);
	return code;
}
