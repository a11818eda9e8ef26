// aexp compare: runs side by side: the keys in which their experiments differ, and what that did to the figures.
#include "cli/cli.h"

#include "report/compare.h"
#include "report/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct comparison {
	struct arena arena;
	struct compared *runs; // (count)
	size_t count;
};

static const char *name_of(struct comparison *c, size_t i) {
	return arena_format(&c->arena, "%s/%s", c->runs[i].entry.name, c->runs[i].entry.id);
}

static bool read_all(const struct options *options, struct comparison *c, struct error *error) {
	c->runs = arena_alloc(&c->arena, options->arguments_count * sizeof(*c->runs));
	for (; c->count < options->arguments_count; c->count++) {
		char *folder;
		if (!runs_resolve(options->results, options->arguments[c->count], &folder, error))
			return false;
		bool good = compared_read(arena_string(&c->arena, folder), &c->arena, &c->runs[c->count], error);
		free(folder);
		if (!good) {
			compared_finish(&c->runs[c->count]);
			return false;
		}
	}
	return true;
}

// --- what differs ---

// Calls `each` for every key that not all runs give the same value, in order.
static void each_difference(struct comparison *c, void (*each)(struct comparison *c, const char *key, void *context),
                            void *context) {
	const char *last = "";
	for (;;) {
		const char *next = NULL;
		for (size_t i = 0; i < c->count; i++)
			for (size_t k = 0; k < c->runs[i].config_count; k++) {
				const char *key = c->runs[i].config[k].key;
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

static void print_difference(struct comparison *c, const char *key, void *context) {
	bool markdown = *(const bool *)context;
	printf(markdown ? "| `%s` |" : "  %-32s", key);
	for (size_t i = 0; i < c->count; i++) {
		const char *value = compared_value(&c->runs[i], key);
		printf(markdown ? " %s |" : "  %-24s", value ? value : "-");
	}
	printf("\n");
}

static void json_difference(struct comparison *c, const char *key, void *context) {
	struct json *json = context;
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; i < c->count; i++)
		json_string(json, NULL, compared_value(&c->runs[i], key));
	json_end(json);
}

// --- figures ---

// p-values below this are shown as such: their digits mean nothing.
static const double P_LEAST = 1e-4;

static const char *p_text(struct comparison *c, double p) {
	if (isnan(p))
		return "-";
	return p < P_LEAST ? "< 0.0001" : arena_format(&c->arena, "%.4f", p);
}

static const char *value_text(struct comparison *c, const struct run_value *figure) {
	if (isnan(figure->value))
		return "-";
	if (isnan(figure->low))
		return arena_format(&c->arena, "%.6g", figure->value);
	return arena_format(&c->arena, "%.6g +- %.2g", figure->value, figure->high - figure->value);
}

static const struct run_value *value_of(const struct compared *run, const char *name) {
	for (size_t i = 0; i < run->entry.final_count; i++)
		if (!strcmp(run->entry.final[i].name, name))
			return &run->entry.final[i];
	return NULL;
}

enum { COLUMNS = 9 };

static void print_line(const char *const cells[COLUMNS], bool markdown) {
	static const int widths[COLUMNS] = {-20, -14, 18, 18, 12, 26, 10, 10, -12};
	printf(markdown ? "|" : " ");
	for (size_t i = 0; i < COLUMNS; i++)
		if (markdown)
			printf(" %s |", cells[i]);
		else
			printf(" %*s", widths[i], cells[i]);
	printf("\n");
}

static void print_figure(struct comparison *c, size_t other, const struct run_value *figure,
                         const struct compare_figure *f, bool markdown) {
	bool tested = f->test != COMPARE_NONE;
	const char *const cells[COLUMNS] = {
	    figure->name,
	    c->runs[other].entry.id,
	    value_text(c, figure),
	    value_text(c, value_of(&c->runs[other], figure->name)),
	    isnan(f->difference) ? "-" : arena_format(&c->arena, "%+.4g", f->difference),
	    isnan(f->interval.low) ? "-" : arena_format(&c->arena, "%+.4g to %+.4g", f->interval.low, f->interval.high),
	    p_text(c, f->t_p),
	    p_text(c, f->wilcoxon_p),
	    tested ? arena_format(&c->arena, "%zu %s", f->interval.count, compare_test_names[f->test]) : "-"};
	print_line(cells, markdown);
}

static void print_figures(struct comparison *c, bool markdown) {
	static const char *const heads[COLUMNS] = {"metric", "run",      "first",      "this run", "difference",
	                                           "95 %",   "t test p", "Wilcoxon p", "pairs of"};
	static const char *const rule[COLUMNS] = {"---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---"};
	print_line(heads, markdown);
	if (markdown)
		print_line(rule, true);
	for (size_t i = 0; i < c->runs[0].entry.final_count; i++)
		for (size_t other = 1; other < c->count; other++) {
			struct compare_figure figure;
			if (compare_figure(&c->runs[0], &c->runs[other], i, &figure))
				print_figure(c, other, &c->runs[0].entry.final[i], &figure, markdown);
		}
}

static void print_text(struct comparison *c, bool markdown) {
	printf(markdown ? "| key |" : "  %-32s", "");
	for (size_t i = 0; i < c->count; i++)
		printf(markdown ? " %s |" : "  %-24s", name_of(c, i));
	printf("\n");
	for (size_t i = 0; markdown && i <= c->count; i++)
		printf("%s", i ? "---|" : "|---|");
	printf(markdown ? "\n" : "");
	each_difference(c, print_difference, &markdown);
	printf("\n");
	print_figures(c, markdown);
}

static void json_figure(struct json *json, const struct comparison *c, size_t i, size_t other) {
	struct compare_figure figure;
	if (!compare_figure(&c->runs[0], &c->runs[other], i, &figure))
		return;
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "metric", c->runs[0].entry.final[i].name);
	json_string(json, "first", c->runs[0].entry.id);
	json_string(json, "other", c->runs[other].entry.id);
	json_real(json, "first_value", figure.first);
	json_real(json, "other_value", figure.other);
	json_real(json, "difference", figure.difference);
	json_string(json, "test", compare_test_names[figure.test]);
	json_count(json, "pairs", figure.interval.count);
	json_real(json, "mean", figure.interval.mean);
	json_real(json, "low", figure.interval.low);
	json_real(json, "high", figure.interval.high);
	json_real(json, "t_p", figure.t_p);
	json_real(json, "wilcoxon_p", figure.wilcoxon_p);
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
	json_array(&json, "figures", JSON_LINES);
	for (size_t i = 0; i < c->runs[0].entry.final_count; i++)
		for (size_t other = 1; other < c->count; other++)
			json_figure(&json, c, i, other);
	json_end(&json);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int run(const struct options *options) {
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
		print_text(&c, options->markdown);
	}
	for (size_t i = 0; i < c.count; i++)
		compared_finish(&c.runs[i]);
	arena_finish(&c.arena);
	return code;
}

const struct verb verb_compare = {
    .name = "compare",
    .usage = "compare RUN RUN...",
    .doc = "sets runs side by side: what differs in the experiments, what that did to the figures",
    .help =
        "Each further run is set against the first. Where both are asked the same ratings, intervals and tests are\n"
        "over the users of users.tsv (the mean of users' own differences); of runs with repeats over their seeds.\n"
        "Runs with different protocols are refused; --force puts them into one table, without tests. With --json\n"
        "or --markdown.\n",
    .takes = TAKES(force) | TAKES(json) | TAKES(markdown),
    .arguments_min = 2,
    .arguments_max = 64,
    .run = run,
};
