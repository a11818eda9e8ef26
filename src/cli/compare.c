// aexp compare: runs side by side: the keys in which their experiments differ, and what that did to the figures; or the
// trials of one sweep.
#include "cli/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(struct comparison *c, size_t i) {
	return arena_format(&c->arena, "%s/%s", c->runs[i].entry.name, c->runs[i].entry.id);
}

static bool read_all(const struct options *options, struct comparison *c, struct error *error) {
	bool good = true;
	for (size_t i = 0; good && i < options->arguments_count; i++) {
		char *folder = NULL;
		good =
		    runs_resolve(options->results, options->arguments[i], &folder, error) && comparison_add(c, folder, error);
		free(folder);
	}
	return good;
}

// --- what differs ---

// Calls `each` for every key that not all runs give the same value, in order.
static void each_difference(struct comparison *c, void (*each)(struct comparison *c, const char *key, void *context),
                            void *context) {
	const char *last = "";
	for (;;) {
		const char *next = NULL;
		for (size_t i = 0; i < c->count; i++)
			for (size_t k = 0; k < c->runs[i].config.count; k++) {
				const char *key = c->runs[i].config.items[k].key;
				if (strcmp(key, last) <= 0)
					continue;
				if (!next || strcmp(key, next) < 0)
					next = key;
				break; // they are in order
			}
		if (!next)
			return;
		const char *first = compared_value(&c->runs[0], next);
		bool same = true;
		for (size_t i = 1; i < c->count; i++) {
			const char *other = compared_value(&c->runs[i], next);
			same = same && (first && other ? !strcmp(first, other) : first == other);
		}
		if (!same)
			each(c, next, context);
		last = next;
	}
}

static void list_asking(struct comparison *c, const char *key, void *context) {
	(void)c;
	struct text *text = context;
	if (compared_asks(key))
		text_format(text, "%s%s", text->length ? ", " : "", key);
}

// Figures of different protocols answer different questions.
static bool check_protocols(struct comparison *c, const struct options *options) {
	size_t other = 1;
	while (other < c->count && !strcmp(c->runs[0].entry.protocol, c->runs[other].entry.protocol))
		other++;
	if (other == c->count || options->force)
		return true;
	struct error error = {0};
	struct text keys = {0};
	each_difference(c, list_asking, &keys);
	error_set(&error, ERROR_CONFIG, "\"%s\" has protocol %s, \"%s\" has %s: their figures answer different questions",
	          name_of(c, 0), c->runs[0].entry.protocol, name_of(c, other), c->runs[other].entry.protocol);
	error_hint(&error, "They differ in %s; --force puts them into one table.",
	           keys.length ? text_string(&keys) : "the data, or were made by versions with other definitions");
	print_error(&error);
	text_finish(&keys);
	return false;
}

static void add_difference(struct comparison *c, const char *key, void *context) {
	struct table *table = context;
	table_text(table, key);
	for (size_t i = 0; i < c->count; i++)
		table_text(table, compared_value(&c->runs[i], key));
}

static void print_tables(struct comparison *c, enum table_form form) {
	struct table keys = {0}, figures = {0};
	table_column(&keys, "key", TABLE_CODE);
	for (size_t i = 0; i < c->count; i++)
		table_column(&keys, name_of(c, i), TABLE_WORDS);
	each_difference(c, add_difference, &keys);
	comparison_table(c, &figures);
	output_table(&keys, form);
	printf(form == TABLE_CSV ? "\r\n" : "\n");
	output_table(&figures, form);
	table_finish(&keys);
	table_finish(&figures);
}

static void json_difference(struct comparison *c, const char *key, void *context) {
	struct json *json = context;
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; i < c->count; i++)
		json_string(json, NULL, compared_value(&c->runs[i], key));
	json_end(json);
}

static void print_json(struct comparison *c) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_object(&json, NULL, JSON_LINES);
	json_array(&json, "runs", JSON_LINES);
	for (size_t i = 0; i < c->count; i++) {
		json_object(&json, NULL, JSON_INLINE);
		json_string(&json, "name", c->runs[i].entry.name);
		json_string(&json, "id", c->runs[i].entry.id);
		json_string(&json, "protocol", c->runs[i].entry.protocol);
		json_string(&json, "split", c->runs[i].split);
		json_end(&json);
	}
	json_end(&json);
	json_object(&json, "keys", JSON_LINES);
	each_difference(c, json_difference, &json);
	json_end(&json);
	comparison_json(c, &json);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int compare_runs(const struct options *options) {
	struct comparison c = {0};
	struct error error = {0};
	int code = 0;
	if (!read_all(options, &c, &error)) {
		print_error(&error);
		code = (int)error.code;
	} else if (!check_protocols(&c, options)) {
		code = ERROR_CONFIG;
	} else if (options->json) {
		print_json(&c);
	} else {
		print_tables(&c, options_form(options));
	}
	comparison_finish(&c);
	return code;
}

// One argument: a run alone cannot be compared.
static int run(const struct options *options) {
	struct error error = {0};
	char *folder;
	if (options->arguments_count > 1)
		return compare_runs(options);
	if (!runs_resolve_sweep(options->results, options->arguments[0], &folder, &error)) {
		error_hint(&error, "Name one sweep, or two runs or more; `aexp list` shows what is there.");
		print_error(&error);
		return (int)error.code;
	}
	int code = compare_sweep(folder, options);
	free(folder);
	return code;
}

const struct verb verb_compare = {
    .name = "compare",
    .usage = "compare RUN RUN... | SWEEP",
    .doc = "sets runs side by side, or the trials of a sweep: what differs, what that did to the figures",
    .help =
        "Each further run is set against the first. Where both are asked the same ratings, intervals and tests are\n"
        "over the users of users.tsv (the mean of users' own differences); of runs with repeats over their seeds.\n"
        "Runs with different protocols are refused; --force puts them into one table, without tests.\n"
        "\n"
        "Of a sweep (its folder, NAME/ID, the beginning of its ID, or a NAME with one sweep): the trials, the best\n"
        "first (--limit N: so many); which keys mattered, as shares of the objective's variance by fANOVA; and the\n"
        "best trial against the runner-up, tested as above.\n"
        "\n"
        "There are several tables, with an empty line between them; --csv, --latex and --markdown write them in\n"
        "those forms, --json all in one object.\n",
    .takes = TAKES(force) | TAKES(limit) | TAKES_TABLE,
    .arguments_min = 1,
    .arguments_max = 64,
    .run = run,
};
