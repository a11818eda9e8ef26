// A resolved experiment.cfg as dotted keys with their values as text: `graph.taste.units` 16, nodes by name.
#ifndef AEXP_REPORT_CONFIG_LINES_H
#define AEXP_REPORT_CONFIG_LINES_H

#include "base/error.h"
#include "base/memory.h"

// Strings are in quotes; a list of plain values is one value: [ 0.1, 1.0 ].
struct config_line {
	const char *key, *value;
};
struct config_lines {
	struct config_line *items; // (count) by key, in the arena
	size_t count;
};
// Of folder/experiment.cfg; unless it is to be whole, less what is expected of a run and the sweep, which are no part
// of it. ERROR_DATA where it cannot be read.
bool config_lines_read(const char *folder, bool whole, struct arena *arena, struct config_lines *ret,
                       struct error *error);
const char *config_lines_value(const struct config_lines *lines, const char *key); // NULL where there is none

// The same as one text, a line "KEY\tVALUE\n" each; control characters within a value become blanks.
void config_lines_write(const struct config_lines *lines, struct text *text);
// The value of a key in such a text, in the arena and without its quotes; NULL where there is none.
const char *config_text_value(const char *text, const char *key, struct arena *arena);

#endif
