// Runs side by side: which keys of their experiments differ, and by how much their figures do, with an interval and
// tests where the two are asked the same in pairs: the users of users.tsv, or the seeds and folds of two summaries.
// Reads run folders alone; prints nothing.
#ifndef AEXP_REPORT_COMPARE_H
#define AEXP_REPORT_COMPARE_H

#include "base/probability.h"
#include "report/config_lines.h"
#include "report/runs.h"

struct compared_users; // users.tsv
struct cJSON;
struct compared {
	struct run_entry entry;
	const char *split; // hash of the parts of its ratings; "" where it is not known, as of a summary
	struct config_lines config;
	struct compared_users *users; // NULL: there is no users.tsv
	struct cJSON *summary;        // summary.json; NULL: a run of its own
};
// Reads a finished run or summary. ERROR_CONFIG where it is not finished, ERROR_DATA where it cannot be read. Strings
// in the arena; compared_finish either way.
bool compared_read(const char *folder, struct arena *arena, struct compared *ret, struct error *error);
void compared_finish(struct compared *compared);

// Whether the key says what is asked: two that differ in it have different protocols.
bool compared_asks(const char *key);
// The value of a key, NULL where the file has none.
const char *compared_value(const struct compared *compared, const char *key);

enum compare_test { COMPARE_NONE, COMPARE_USERS, COMPARE_SEEDS, COMPARE_WELCH };
extern const char *const compare_test_names[]; // "", "users", "seeds", "welch"
struct compare_figure {
	double first, other, difference; // other - first; NAN where one is undefined
	enum compare_test test;
	// Of the differences between pairs (users' own values: for a metric over cells their mean is not `difference`,
	// which weights users by cells); of COMPARE_WELCH of the two means.
	struct interval interval;
	double t_p, wilcoxon_p; // two-sided; NAN where they are undefined
};
// Figure i of first->entry.final; false where the other has no figure of that name.
bool compare_figure(const struct compared *first, const struct compared *other, size_t i, struct compare_figure *ret);

#endif
