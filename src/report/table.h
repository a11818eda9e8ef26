// One table, written in five forms: aligned text for people, CSV (RFC 4180), JSON, LaTeX (tabular with booktabs' rules)
// and Markdown. Built column by column, then cell by cell in the order of rows.
#ifndef AEXP_REPORT_TABLE_H
#define AEXP_REPORT_TABLE_H

#include "base/memory.h"

// CODE: keys and ids, as they are typed.
enum table_kind { TABLE_WORDS, TABLE_NUMBERS, TABLE_CODE };
struct table_column {
	const char *name;
	enum table_kind kind; // numbers stand at the right
};
struct table_cell {
	const char *text; // as people read it; NULL: there is nothing
	double value;     // the number in full, for CSV and JSON; NAN: the text is all
};
// Zero-initialise; table_finish frees. Strings are copied.
struct table {
	struct arena arena;
	struct table_column *columns; // (columns_count)
	struct table_cell *cells;     // (cells_count), by rows
	size_t columns_count, columns_room, cells_count, cells_room;
};
void table_column(struct table *table, const char *name, enum table_kind kind); // before the first cell
void table_text(struct table *table, const char *text);                         // the next cell; NULL: an empty one
void table_number(struct table *table, double value); // six digits for people; NAN: an empty one
void table_count(struct table *table, size_t value);
void table_cell(struct table *table, const char *text, double value); // both forms
size_t table_rows(const struct table *table);
void table_finish(struct table *table);

enum table_form { TABLE_TEXT, TABLE_CSV, TABLE_JSON, TABLE_LATEX, TABLE_MARKDOWN };
// JSON: an array of objects, cells that are empty being null. Elsewhere empty cells are "-", in CSV nothing.
void table_write(const struct table *table, enum table_form form, struct text *text);

#endif
