// table: a row a run, a column a figure, for Markdown and LaTeX (with its package booktabs). A mean over repeats has
// half of its 95 % t-interval behind it.
#include "report/figure_kind.h"

#include "base/file.h"
#include "config/read.h"
#include "report/quote.h"
#include "train/experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct column_config {
	const char *figure, *head;
	int64_t digits;
	bool published;
};
struct table_config {
	struct groups columns; // of struct column_config
	const char *head;
	bool bold;
};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key column_keys[] = {
    KEY(column_config, figure, KEY_STRING, .flags = KEY_REQUIRED, .doc = "What the column holds: \"test.rmse\""),
    KEY(column_config, head, KEY_STRING, .doc = "Its head; default: the figure's name"),
    KEY(column_config, digits, KEY_INTEGER, .fallback = "4", .min = 0, .max = 12, .doc = "Behind the point"),
    KEY(column_config, published, KEY_BOOL, .fallback = "false",
        .doc = "One more column: what was published, as the experiment's expect says"),
};
static const struct schema column_schema = SCHEMA(struct column_config, column_keys);

static const struct key keys[] = {
    KEY(table_config, columns, KEY_LIST, .flags = KEY_REQUIRED, .schema = &column_schema, .doc = "In order"),
    KEY(table_config, head, KEY_STRING, .fallback = "\"model\"", .doc = "Head of the first column, the runs' labels"),
    KEY(table_config, bold, KEY_BOOL, .fallback = "true", .doc = "The best of each column is bold"),
};

static const struct table_config *config_of(const struct figure *figure) {
	return figure->kind.params;
}

static void check(const struct figure *f, struct errors *errors) {
	const struct table_config *config = config_of(f);
	if (config->columns.count == 0)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "columns"), "columns is empty");
	if (config->columns.count > FIGURE_WANTS_MOST)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "columns"), "more than %d columns", FIGURE_WANTS_MOST);
	for (size_t i = 0; i < config->columns.count; i++) {
		const struct column_config *column = config->columns.items[i];
		struct figure at = {.tree = config->columns.from[i]}; // the place is the column's own
		figure_check_name(&at, "figure", column->figure, errors);
	}
}

// --- what was published ---

static double published_in(const struct value *tree, const char *figure) {
	const struct value *list = tree ? value_child(tree, "expect") : NULL;
	for (size_t i = 0; list && list->type == VALUE_LIST && i < list->as.children.count; i++) {
		const struct value *one = list->as.children.items[i];
		const struct value *metric = value_child(one, "metric"), *published = value_child(one, "published");
		if (metric && published && metric->type == VALUE_STRING && !strcmp(metric->as.string, figure))
			return published->type == VALUE_REAL      ? published->as.real
			       : published->type == VALUE_INTEGER ? (double)published->as.integer
			                                          : (double)NAN;
	}
	return NAN;
}

// Of the file as it is now; a finished run that is named by its folder has what it expected then.
static double published_of(const struct figure *f, struct figure_data *data, size_t row, const char *figure) {
	const struct figure_run *run = f->runs.items[row];
	struct errors errors = {0};
	const struct value *tree =
	    run->file ? config_load(run->file, run->set.items, run->set.count, &experiment_schema, data->arena, &errors)
	              : data->samples[row].config;
	errors_finish(&errors);
	return published_in(tree, figure);
}

// --- the table ---

struct cell {
	struct run_value value; // NAN: none
	bool published, best;
	int digits;
};
struct table {
	const char **heads; // (columns)
	struct cell *cells; // (rows, columns)
	size_t rows, columns;
};

static bool fill(const struct figure *f, struct figure_data *data, struct table *table, struct error *error) {
	const struct table_config *config = config_of(f);
	for (size_t i = 0; i < config->columns.count; i++) {
		const struct column_config *column = config->columns.items[i];
		const char *head = column->head ? column->head : column->figure;
		table->heads[table->columns] = head;
		if (column->published)
			table->heads[table->columns + 1] = arena_format(data->arena, "%s, published", head);
		for (size_t row = 0; row < table->rows; row++) {
			struct cell *cell = &table->cells[row * 2 * FIGURE_WANTS_MOST + table->columns];
			if (!figure_sample_value(f, data, &data->samples[row], "columns", column->figure, &cell->value, error))
				return false;
			cell->digits = (int)column->digits;
			if (column->published)
				cell[1] = (struct cell){
				    .value = {.value = published_of(f, data, row, column->figure), .low = NAN, .high = NAN},
				    .published = true,
				    .digits = (int)column->digits};
		}
		table->columns += column->published ? 2 : 1;
	}
	return true;
}

static struct cell *cell_at(const struct table *table, size_t row, size_t column) {
	return &table->cells[row * 2 * FIGURE_WANTS_MOST + column];
}

// Bold is what reads as the best: equal numbers, as they are written, are equally good.
static void mark_best(const struct figure *f, struct table *table) {
	size_t column = 0;
	for (size_t i = 0; i < config_of(f)->columns.count; i++) {
		const struct column_config *config = config_of(f)->columns.items[i];
		bool known, higher = figure_higher(config->figure, &known);
		double best = NAN, unit = pow(10, -(double)config->digits);
		for (size_t row = 0; row < table->rows; row++) {
			double value = cell_at(table, row, column)->value.value;
			best = isnan(best) || (higher ? value > best : value < best) ? value : best;
		}
		for (size_t row = 0; known && table->rows > 1 && row < table->rows; row++) {
			struct cell *cell = cell_at(table, row, column);
			cell->best = round(cell->value.value / unit) == round(best / unit);
		}
		column += config->published ? 2 : 1;
	}
}

static void put_cell(const struct cell *cell, bool latex, bool bold, struct text *text) {
	const struct run_value *value = &cell->value;
	if (isnan(value->value)) {
		text_append(text, latex ? "--" : "-");
		return;
	}
	bold = bold && cell->best;
	text_append(text, !bold ? "" : latex ? "\\textbf{" : "**");
	text_format(text, "%.*f", cell->digits, value->value);
	text_append(text, !bold ? "" : latex ? "}" : "**");
	if (!isnan(value->low))
		text_format(text, latex ? " $\\pm$ %.*f" : " \xc2\xb1 %.*f", cell->digits, (value->high - value->low) / 2);
}

// A cell of Markdown ends at a bar, and its row with the line.
static void put_markdown_text(struct text *text, const char *value) {
	for (; *value; value++)
		if (*value == '|')
			text_append(text, "\\|");
		else
			text_format(text, "%c", strchr("\n\r", *value) ? ' ' : *value);
}

static void put_markdown(const struct figure *f, const struct figure_data *data, const struct table *table,
                         struct figure_drawing *ret) {
	struct text *text = &ret->markdown;
	text_append(text, "| ");
	put_markdown_text(text, config_of(f)->head);
	for (size_t i = 0; i < table->columns; i++) {
		text_append(text, " | ");
		put_markdown_text(text, table->heads[i]);
	}
	text_append(text, " |\n|---");
	for (size_t i = 0; i < table->columns; i++)
		text_append(text, "|---:");
	text_append(text, "|\n");
	for (size_t row = 0; row < table->rows; row++) {
		text_append(text, "| ");
		put_markdown_text(text, data->samples[row].label);
		for (size_t i = 0; i < table->columns; i++) {
			text_append(text, " | ");
			put_cell(cell_at(table, row, i), false, config_of(f)->bold, text);
		}
		text_append(text, " |\n");
	}
	if (ret->note[0])
		text_format(text, "\n%s\n", ret->note);
}

static void put_latex(const struct figure *f, const struct figure_data *data, const struct table *table,
                      struct figure_drawing *ret) {
	struct text *text = &ret->latex;
	if (ret->note[0])
		text_format(text, "%% %s\n", ret->note);
	text_append(text, "% \\usepackage{booktabs}\n\\begin{tabular}{l");
	for (size_t i = 0; i < table->columns; i++)
		text_append(text, "r");
	text_append(text, "}\n\\toprule\n");
	quote_tex(text, config_of(f)->head);
	for (size_t i = 0; i < table->columns; i++) {
		text_append(text, " & ");
		quote_tex(text, table->heads[i]);
	}
	text_append(text, " \\\\\n\\midrule\n");
	for (size_t row = 0; row < table->rows; row++) {
		quote_tex(text, data->samples[row].label);
		for (size_t i = 0; i < table->columns; i++) {
			text_append(text, " & ");
			put_cell(cell_at(table, row, i), true, config_of(f)->bold, text);
		}
		text_append(text, " \\\\\n");
	}
	text_append(text, "\\bottomrule\n\\end{tabular}\n");
}

static void put_table(const struct figure *f, const struct figure_data *data, const struct table *table,
                      struct text *tsv) {
	text_append(tsv, config_of(f)->head);
	for (size_t i = 0; i < table->columns; i++) {
		tsv_text(tsv, table->heads[i]);
		text_append(tsv, cell_at(table, 0, i)->published ? "" : "\tlow\thigh");
	}
	text_append(tsv, "\n");
	for (size_t row = 0; row < table->rows; row++) {
		struct text line = {0};
		tsv_text(&line, data->samples[row].label);
		for (size_t i = 0; i < table->columns; i++) {
			const struct cell *cell = cell_at(table, row, i);
			tsv_real(&line, cell->value.value);
			if (!cell->published) {
				tsv_real(&line, cell->value.low);
				tsv_real(&line, cell->value.high);
			}
		}
		text_format(tsv, "%s\n", text_string(&line) + 1);
		text_finish(&line);
	}
}

static void wants(const struct figure *f, struct figure_wants *ret) {
	for (size_t i = 0; i < config_of(f)->columns.count; i++)
		figure_want_figure(ret, ((const struct column_config *)config_of(f)->columns.items[i])->figure);
}

static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	struct table table = {.rows = data->count};
	table.heads = arena_alloc(data->arena, 2 * FIGURE_WANTS_MOST * sizeof(*table.heads));
	table.cells = arena_alloc(data->arena, (data->count + 1) * 2 * FIGURE_WANTS_MOST * sizeof(*table.cells));
	if (!fill(f, data, &table, error))
		return false;
	mark_best(f, &table);
	bool repeats = false;
	for (size_t i = 0; i < data->count; i++)
		repeats = repeats || data->samples[i].entry.runs > 1;
	if (repeats)
		snprintf(ret->note, sizeof(ret->note), "Means over repeats, +- half of their 95 %% t-interval.");
	put_table(f, data, &table, &ret->tsv);
	put_markdown(f, data, &table, ret);
	put_latex(f, data, &table, ret);
	return true;
}

const struct figure_kind figure_table = {
    .row = {.name = "table",
            .doc = "A row a run, a column a figure, with what was published beside; Markdown and LaTeX",
            .params = SCHEMA(struct table_config, keys)},
    .takes = FIGURE_RUNS | FIGURE_TABLE,
    .check = check,
    .wants = wants,
    .make = make,
};
