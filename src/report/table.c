// See table.h. LaTeX: what means something there is escaped, " +- " becomes its sign; the package is booktabs.
#include "report/table.h"

#include "base/number.h"
#include "report/json.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void table_column(struct table *table, const char *name, enum table_kind kind) {
	assert(table->cells_count == 0);
	if (table->columns_count == table->columns_room) {
		table->columns_room = table->columns_room ? 2 * table->columns_room : 16;
		table->columns = memory_resize(table->columns, table->columns_room * sizeof(*table->columns));
	}
	table->columns[table->columns_count++] = (struct table_column){arena_string(&table->arena, name), kind};
}

void table_cell(struct table *table, const char *text, double value) {
	if (table->cells_count == table->cells_room) {
		table->cells_room = table->cells_room ? 2 * table->cells_room : 256;
		table->cells = memory_resize(table->cells, table->cells_room * sizeof(*table->cells));
	}
	table->cells[table->cells_count++] =
	    (struct table_cell){text ? arena_string(&table->arena, text) : NULL, text ? value : (double)NAN};
}

void table_text(struct table *table, const char *text) {
	table_cell(table, text, NAN);
}

void table_number(struct table *table, double value) {
	table_cell(table, isnan(value) ? NULL : arena_format(&table->arena, "%.6g", value), value);
}

void table_count(struct table *table, size_t value) {
	table_cell(table, arena_format(&table->arena, "%zu", value), (double)value);
}

size_t table_rows(const struct table *table) {
	return table->columns_count ? table->cells_count / table->columns_count : 0;
}

void table_finish(struct table *table) {
	free(table->columns);
	free(table->cells);
	arena_finish(&table->arena);
	*table = (struct table){0};
}

static bool is_number(const struct table *table, size_t column) {
	return table->columns[column].kind == TABLE_NUMBERS;
}

static const struct table_cell *cell_at(const struct table *table, size_t row, size_t column) {
	return &table->cells[row * table->columns_count + column];
}

// What is missing is no code.
static bool is_code(const struct table *table, size_t row, size_t column) {
	return row > 0 && table->columns[column].kind == TABLE_CODE && cell_at(table, row - 1, column)->text;
}

// Row 0 is the names of the columns.
static const char *shown(const struct table *table, size_t row, size_t column) {
	if (row == 0)
		return table->columns[column].name;
	const char *text = cell_at(table, row - 1, column)->text;
	return text ? text : "-";
}

// --- text ---

// Characters of UTF-8: all bytes but those that go on with one.
static size_t width_of(const char *text) {
	size_t width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void append_blanks(struct text *text, size_t count) {
	for (; count > 0; count--)
		text_append(text, " ");
}

static size_t widest(const struct table *table, size_t column) {
	size_t most = 0;
	for (size_t row = 0; row <= table_rows(table); row++) {
		size_t width = width_of(shown(table, row, column));
		most = width > most ? width : most;
	}
	return most;
}

// No blanks at the end of a line.
static void write_text(const struct table *table, struct text *text) {
	size_t *width = memory_alloc((table->columns_count + 1) * sizeof(*width));
	for (size_t i = 0; i < table->columns_count; i++)
		width[i] = widest(table, i);
	for (size_t row = 0; row <= table_rows(table); row++) {
		size_t owed = 0;
		for (size_t i = 0; i < table->columns_count; i++) {
			const char *cell = shown(table, row, i);
			size_t rest = width[i] - width_of(cell);
			append_blanks(text, owed + (is_number(table, i) ? rest : 0));
			text_append(text, cell);
			owed = 2 + (is_number(table, i) ? 0 : rest);
		}
		text_append(text, "\n");
	}
	free(width);
}

// --- CSV ---

static void append_csv(struct text *text, const char *cell) {
	if (!strpbrk(cell, "\",\r\n")) {
		text_append(text, cell);
		return;
	}
	text_append(text, "\"");
	for (const char *c = cell; *c; c++)
		text_append_bytes(text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
	text_append(text, "\"");
}

static void write_csv(const struct table *table, struct text *text) {
	for (size_t row = 0; row <= table_rows(table); row++)
		for (size_t i = 0; i < table->columns_count; i++) {
			char number[NUMBER_TEXT];
			const char *cell = shown(table, row, i);
			if (row > 0 && isfinite(cell_at(table, row - 1, i)->value)) {
				number_write(cell_at(table, row - 1, i)->value, number);
				cell = number;
			} else if (row > 0 && !cell_at(table, row - 1, i)->text) {
				cell = "";
			}
			append_csv(text, cell);
			text_append(text, i + 1 < table->columns_count ? "," : "\r\n");
		}
}

// --- JSON ---

static void write_json(const struct table *table, struct text *text) {
	struct json json = {.text = text};
	json_array(&json, NULL, JSON_LINES);
	for (size_t row = 0; row < table_rows(table); row++) {
		json_object(&json, NULL, JSON_INLINE);
		for (size_t i = 0; i < table->columns_count; i++) {
			const struct table_cell *cell = cell_at(table, row, i);
			if (isfinite(cell->value))
				json_real(&json, table->columns[i].name, cell->value);
			else
				json_string(&json, table->columns[i].name, cell->text);
		}
		json_end(&json);
	}
	json_end(&json);
	text_append(text, "\n");
}

// --- LaTeX ---

static const struct {
	const char *found, *written;
} latex[] = {
    {" +- ", " $\\pm$ "},
    {"\\", "\\textbackslash{}"},
    {"&", "\\&"},
    {"%", "\\%"},
    {"$", "\\$"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"~", "\\textasciitilde{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"|", "$|$"},
    {"\n", " "},
    {"^", "\\textasciicircum{}"},
};

static void append_latex(struct text *text, const char *cell, bool number) {
	if (number && cell[0] == '-' && cell[1]) {
		text_append(text, "$-$"); // a hyphen otherwise
		cell++;
	}
	while (*cell) {
		size_t i = 0, count = sizeof(latex) / sizeof(latex[0]);
		while (i < count && strncmp(cell, latex[i].found, strlen(latex[i].found)) != 0)
			i++;
		if (i < count)
			text_append(text, latex[i].written);
		else
			text_append_bytes(text, cell, 1);
		cell += i < count ? strlen(latex[i].found) : 1;
	}
}

static void write_latex(const struct table *table, struct text *text) {
	text_append(text, "% \\usepackage{booktabs}\n\\begin{tabular}{");
	for (size_t i = 0; i < table->columns_count; i++)
		text_append(text, is_number(table, i) ? "r" : "l");
	text_append(text, "}\n\\toprule\n");
	for (size_t row = 0; row <= table_rows(table); row++) {
		for (size_t i = 0; i < table->columns_count; i++) {
			text_append(text, is_code(table, row, i) ? "\\texttt{" : "");
			append_latex(text, shown(table, row, i), is_number(table, i));
			text_append(text, is_code(table, row, i) ? "}" : "");
			text_append(text, i + 1 < table->columns_count ? " & " : " \\\\\n");
		}
		if (row == 0)
			text_append(text, "\\midrule\n");
	}
	text_append(text, "\\bottomrule\n\\end{tabular}\n");
}

// --- Markdown ---

// Within backquotes only a bar means something, as the end of a cell.
static void append_markdown(struct text *text, const char *cell, bool code) {
	code = code && !strchr(cell, '`');
	text_append(text, code ? "`" : "");
	for (const char *c = cell; *c; c++) {
		if (strchr(code ? "|" : "|*<`\\", *c))
			text_append(text, "\\");
		text_append_bytes(text, *c == '\n' ? " " : c, 1);
	}
	text_append(text, code ? "`" : "");
}

static void write_markdown(const struct table *table, struct text *text) {
	for (size_t row = 0; row <= table_rows(table); row++) {
		text_append(text, "|");
		for (size_t i = 0; i < table->columns_count; i++) {
			text_append(text, " ");
			append_markdown(text, shown(table, row, i), is_code(table, row, i));
			text_append(text, " |");
		}
		text_append(text, row == 0 ? "\n|" : "\n");
		for (size_t i = 0; row == 0 && i < table->columns_count; i++)
			text_append(text, is_number(table, i) ? "---:|" : "---|");
		if (row == 0)
			text_append(text, "\n");
	}
}

void table_write(const struct table *table, enum table_form form, struct text *text) {
	static void (*const writers[])(const struct table *table, struct text *text) = {
	    [TABLE_TEXT] = write_text,   [TABLE_CSV] = write_csv,           [TABLE_JSON] = write_json,
	    [TABLE_LATEX] = write_latex, [TABLE_MARKDOWN] = write_markdown,
	};
	writers[form](table, text);
}
