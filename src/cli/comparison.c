// See comparison.h.
#include "cli/comparison.h"

#include <math.h>
#include <string.h>

bool comparison_add(struct comparison *c, const char *folder, struct error *error) {
	struct compared read;
	if (!compared_read(arena_string(&c->arena, folder), &c->arena, &read, error)) {
		compared_finish(&read);
		return false;
	}
	if (c->count == c->room) {
		struct compared *grown = arena_alloc(&c->arena, (2 * c->room + 2) * sizeof(*grown));
		if (c->count)
			memcpy(grown, c->runs, c->count * sizeof(*grown));
		c->runs = grown;
		c->room = 2 * c->room + 2;
	}
	c->runs[c->count++] = read;
	return true;
}

void comparison_finish(struct comparison *c) {
	for (size_t i = 0; i < c->count; i++)
		compared_finish(&c->runs[i]);
	arena_finish(&c->arena);
}

// p-values below this are shown as such: their digits mean nothing.
static const double P_LEAST = 1e-4;

static const char *p_text(struct comparison *c, double p) {
	if (isnan(p))
		return "-";
	return p < P_LEAST ? "< 0.0001" : arena_format(&c->arena, "%.4f", p);
}

// NULL: the run has no such figure.
static const char *value_text(struct comparison *c, const struct run_value *figure) {
	if (!figure || isnan(figure->value))
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

static void add_figure(struct comparison *c, size_t other, const struct run_value *figure,
                       const struct compare_figure *f, struct table *table) {
	const struct run_value *of_other = value_of(&c->runs[other], figure->name);
	table_text(table, figure->name);
	table_text(table, c->runs[other].entry.id);
	table_cell(table, value_text(c, figure), f->first);
	table_cell(table, value_text(c, of_other), f->other);
	table_cell(table, isnan(f->difference) ? NULL : arena_format(&c->arena, "%+.4g", f->difference), f->difference);
	table_text(table, isnan(f->interval.low) ? NULL
	                                         : arena_format(&c->arena, "%+.4g (%+.4g to %+.4g)", f->interval.mean,
	                                                        f->interval.low, f->interval.high));
	table_cell(table, p_text(c, f->t_p), f->t_p);
	table_cell(table, p_text(c, f->wilcoxon_p), f->wilcoxon_p);
	table_text(table, f->test == COMPARE_NONE || !f->interval.count
	                      ? NULL
	                      : arena_format(&c->arena, "%zu %s", f->interval.count, compare_test_names[f->test]));
}

void comparison_table(struct comparison *c, struct table *table) {
	static const struct table_column columns[] = {
	    {"metric", TABLE_WORDS},     {"run", TABLE_CODE},           {"first", TABLE_NUMBERS},
	    {"this run", TABLE_NUMBERS}, {"difference", TABLE_NUMBERS}, {"mean of pairs (95 %)", TABLE_NUMBERS},
	    {"t test p", TABLE_NUMBERS}, {"Wilcoxon p", TABLE_NUMBERS}, {"pairs of", TABLE_WORDS},
	};
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		table_column(table, columns[i].name, columns[i].kind);
	for (size_t i = 0; i < c->runs[0].entry.final_count; i++)
		for (size_t other = 1; other < c->count; other++) {
			struct compare_figure figure;
			if (compare_figure(&c->runs[0], &c->runs[other], i, &figure))
				add_figure(c, other, &c->runs[0].entry.final[i], &figure, table);
		}
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

void comparison_json(const struct comparison *c, struct json *json) {
	json_array(json, "figures", JSON_LINES);
	for (size_t i = 0; i < c->runs[0].entry.final_count; i++)
		for (size_t other = 1; other < c->count; other++)
			json_figure(json, c, i, other);
	json_end(json);
}
