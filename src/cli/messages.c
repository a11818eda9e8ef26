// Errors on standard error: one line each, and a hint line where there is a hint.
#include "cli/cli.h"

#include <stdio.h>

void print_error(const struct error *error) {
	char text[ERROR_FILE_MAX + ERROR_TEXT_MAX + 32];
	error_format(error, text, sizeof(text));
	fprintf(stderr, "%s%s\n", error->file[0] ? "" : "aexp: ", text);
	if (error->hint[0])
		fprintf(stderr, "  hint: %s\n", error->hint);
}

int print_errors(const struct errors *errors) {
	for (size_t i = 0; i < errors->count; i++)
		print_error(&errors->items[i]);
	return errors->count ? (int)errors->items[0].code : 0;
}
