// Runs read for a comparison, and the part that all comparisons share: figures, differences, tests.
#ifndef AEXP_CLI_COMPARISON_H
#define AEXP_CLI_COMPARISON_H

#include "cli/cli.h"

#include "report/compare.h"
#include "report/json.h"

// Zero-initialise; comparison_finish frees.
struct comparison {
	struct arena arena;
	struct compared *runs; // (count), at most `room`
	size_t count, room;
};
bool comparison_add(struct comparison *c, const char *folder, struct error *error); // read from the folder
void comparison_finish(struct comparison *c);
// Every figure of the first run with each other one's.
void comparison_table(struct comparison *c, struct table *table);
void comparison_json(const struct comparison *c, struct json *json); // the same as an array "figures"

int compare_sweep(const char *folder, const struct options *options); // the exit code

#endif
