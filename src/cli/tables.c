// Tables on standard output, in the form that the options ask for.
#include "cli/cli.h"

#include <stdio.h>

enum table_form options_form(const struct options *options) {
	return options->json       ? TABLE_JSON
	       : options->csv      ? TABLE_CSV
	       : options->latex    ? TABLE_LATEX
	       : options->markdown ? TABLE_MARKDOWN
	                           : TABLE_TEXT;
}

void output_table(const struct table *table, enum table_form form) {
	struct text text = {0};
	table_write(table, form, &text);
	fwrite(text_string(&text), 1, text.length, stdout);
	text_finish(&text);
}
