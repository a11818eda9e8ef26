// aexp list: what is in a results folder, by conditions on keys and figures, in any order, as a table of any form.
#include "cli/cli.h"

#include "report/json.h"
#include "report/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_FIGURES = 8 }; // of the runs' own, in the table for people

struct listing {
	const struct options *options;
	struct arena arena;
	struct runs runs;
	struct condition *conditions; // (options->where_count)
	const char **columns;         // (columns_count)
	size_t columns_count, columns_room;
};

static bool has_column(const struct listing *l, const char *name) {
	for (size_t i = 0; i < l->columns_count; i++)
		if (!strcmp(l->columns[i], name))
			return true;
	return false;
}

static void add_column(struct listing *l, const char *name) {
	if (has_column(l, name))
		return;
	if (l->columns_count == l->columns_room) {
		l->columns_room = l->columns_room ? 2 * l->columns_room : 16;
		l->columns = memory_resize(l->columns, l->columns_room * sizeof(*l->columns));
	}
	l->columns[l->columns_count++] = name;
}

// All of them, or for people the first few of the test part.
static void add_figures(struct listing *l, bool all) {
	size_t test = 0;
	for (size_t i = 0; i < l->runs.count; i++)
		for (size_t k = 0; k < l->runs.items[i].final_count; k++) {
			const char *name = l->runs.items[i].final[k].name;
			if (has_column(l, name) || (!all && (strncmp(name, "test.", 5) != 0 || test == TEST_FIGURES)))
				continue;
			test++;
			add_column(l, name);
		}
}

static bool name_columns(struct listing *l, struct error *error) {
	char *rest = arena_string(&l->arena, l->options->columns);
	for (char *name; (name = strsep(&rest, ",")) != NULL;) {
		if (!query_knows(&l->runs, name, error))
			return false;
		add_column(l, name);
	}
	return true;
}

// Keys that were asked for are of interest.
static void default_columns(struct listing *l) {
	static const char *const first[] = {"name",   "id",         "state",       "backend",
	                                    "epochs", "best_epoch", "best_metric", "best_value"};
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		add_column(l, first[i]);
	for (size_t i = 0; i < l->options->where_count; i++)
		add_column(l, l->conditions[i].key);
	if (l->options->sort)
		add_column(l, l->options->sort);
	add_figures(l, options_form(l->options) == TABLE_CSV);
}

static bool read_conditions(struct listing *l, struct error *error) {
	l->conditions = arena_alloc(&l->arena, (l->options->where_count + 1) * sizeof(*l->conditions));
	for (size_t i = 0; i < l->options->where_count; i++)
		if (!condition_read(l->options->where[i], &l->arena, &l->conditions[i], error))
			return false;
	return true;
}

static bool check_keys(struct listing *l, struct error *error) {
	for (size_t i = 0; i < l->options->where_count; i++)
		if (!query_knows(&l->runs, l->conditions[i].key, error))
			return false;
	return !l->options->sort || query_knows(&l->runs, l->options->sort, error);
}

static void select_runs(struct listing *l) {
	size_t kept = 0;
	for (size_t i = 0; i < l->runs.count; i++) {
		bool holds = true;
		for (size_t k = 0; holds && k < l->options->where_count; k++)
			holds = condition_holds(&l->conditions[k], &l->runs.items[i]);
		if (holds)
			l->runs.items[kept++] = l->runs.items[i];
	}
	l->runs.count = kept;
}

static void order_runs(struct listing *l) {
	struct runs *runs = &l->runs;
	if (l->options->sort)
		query_sort(runs, l->options->sort, l->options->reverse);
	for (size_t i = 0; !l->options->sort && l->options->reverse && i < runs->count / 2; i++) {
		struct run_entry run = runs->items[i];
		runs->items[i] = runs->items[runs->count - 1 - i];
		runs->items[runs->count - 1 - i] = run;
	}
	if (l->options->limit && l->options->limit < runs->count)
		runs->count = l->options->limit;
}

// --- the table ---

// A column of numbers, where no run has a word.
static bool is_numeric(struct listing *l, const char *column) {
	bool any = false;
	for (size_t i = 0; i < l->runs.count; i++) {
		struct run_field field = query_field(&l->runs.items[i], column, &l->arena);
		if (field.text && isnan(field.number))
			return false;
		any = any || field.text;
	}
	return any;
}

static void add_cell(struct table *table, const struct run_field *field, bool numeric) {
	if (numeric && field->text && field->number != rint(field->number))
		table_number(table, field->number);
	else
		table_cell(table, field->text,
		           numeric && strlen(field->text ? field->text : "") < 16 ? field->number : (double)NAN);
}

static void print_runs(struct listing *l) {
	struct table table = {0};
	bool *numeric = memory_alloc(l->columns_count + 1);
	for (size_t i = 0; i < l->columns_count; i++) {
		numeric[i] = is_numeric(l, l->columns[i]);
		table_column(&table, l->columns[i], numeric[i] ? TABLE_NUMBERS : TABLE_WORDS);
	}
	for (size_t i = 0; i < l->runs.count; i++)
		for (size_t k = 0; k < l->columns_count; k++) {
			struct run_field field = query_field(&l->runs.items[i], l->columns[k], &l->arena);
			add_cell(&table, &field, numeric[k]);
		}
	output_table(&table, options_form(l->options));
	table_finish(&table);
	free(numeric);
}

// --- all of a run as JSON ---

static void json_run(struct json *json, const struct run_entry *run) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "name", run->name);
	json_string(json, "id", run->id);
	json_string(json, "folder", run->folder);
	json_string(json, "kind", run_kind_names[run->kind]);
	json_bool(json, "finished", run->finished);
	json_real(json, "ended", run->ended);
	if (run->finished) {
		json_string(json, "backend", run->backend);
		json_string(json, "protocol", run->protocol);
		if (run->kind == RUN_SUMMARY)
			json_count(json, "runs", run->runs);
		if (run->kind == RUN_SWEEP)
			json_count(json, "trials", run->trials);
		json_string(json, "seed", run->seed);
		json_count(json, "epochs", run->epochs);
		json_count(json, "best_epoch", run->best_epoch);
		json_string(json, "best_metric", run->best_metric);
		json_real(json, "best_value", run->best_value);
		json_object(json, "final", JSON_INLINE);
		for (size_t i = 0; i < run->final_count; i++)
			json_real(json, run->final[i].name, run->final[i].value);
		json_end(json);
	}
	json_end(json);
}

static void print_json(const struct runs *runs) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_array(&json, NULL, JSON_LINES);
	for (size_t i = 0; i < runs->count; i++)
		json_run(&json, &runs->items[i]);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static void print_listing(struct listing *l, size_t all) {
	const struct options *options = l->options;
	if (options->json && !options->columns)
		print_json(&l->runs);
	else if (l->runs.count || options_form(options) != TABLE_TEXT)
		print_runs(l);
	if (!all && !options->json)
		fprintf(stderr, "no runs in %s\n", options->results);
	else if (!l->runs.count && !options->json)
		fprintf(stderr, "none of the %zu runs in %s is like that\n", all, options->results);
}

static bool list_runs(struct listing *l, struct error *error) {
	const struct options *options = l->options;
	if (!read_conditions(l, error) || !runs_read_on(options->results, options->pool, &l->runs, error))
		return false;
	if (l->runs.note.code != ERROR_NONE && options->verbose)
		print_error(&l->runs.note);
	size_t all = l->runs.count;
	if (!check_keys(l, error) || (options->columns && !name_columns(l, error)))
		return false;
	select_runs(l);
	order_runs(l);
	if (!options->columns)
		default_columns(l);
	print_listing(l, all);
	return true;
}

static int list(const struct options *options) {
	struct listing l = {.options = options};
	struct error error = {0};
	bool good = list_runs(&l, &error);
	if (!good)
		print_error(&error);
	runs_finish(&l.runs);
	free(l.columns);
	arena_finish(&l.arena);
	return good ? 0 : (int)error.code;
}

const struct verb verb_list = {
    .name = "list",
    .usage = "list",
    .doc = "lists finished and unfinished runs: those for which conditions hold, in the order of a figure",
    .help = "A condition is KEY, one of < <= > >= = !=, and a value, in quotes for the shell: 'optimizer.rate<0.01',\n"
            "'graph.taste.activation.kind=relu', 'name=ml1m-*', 'test.rmse<0.9'. KEY is a dotted key of the\n"
            "experiment, a figure, or one of name, id, folder, kind (run, summary, sweep), state, finished, protocol,\n"
            "epochs, runs, trials, best_epoch, best_metric, best_value, ended. Several must all hold; a run that has\n"
            "no such key is left out. --sort puts the better first where KEY is a figure, else the smaller.\n",
    .takes = TAKES(where) | TAKES(sort) | TAKES(reverse) | TAKES(limit) | TAKES(columns) | TAKES_TABLE,
    .run = list,
};
