// users.tsv: every user's own values of the metrics, for paired tests: part, id, then one column a metric that is a
// user's (coverage and the like are of all lists together, and have none). An id is written as it is, but for \t, \n,
// \r and \\ in place of a tab, a line end, a carriage return and a backslash.
#include "base/number.h"
#include "report/pieces.h"
#include "report/report.h"

#include <math.h>
#include <string.h>

static void append_id(struct text *text, const char *id) {
	static const char codes[] = "tnr\\", meant[] = "\t\n\r\\";
	for (const char *c = id; *c != '\0'; c++) {
		const char *found = strchr(meant, *c);
		if (found)
			text_format(text, "\\%c", codes[found - meant]);
		else
			text_append_bytes(text, c, 1);
	}
}

static bool is_of_users(const struct metric_use *use) {
	return !use->metric->over_lists;
}

static void append_part(struct text *text, const struct run_result *result, size_t part) {
	const struct user_values *users = &result->users[part];
	for (size_t i = 0; i < users->count; i++) {
		text_format(text, "%s\t", part_names[part]);
		append_id(text, matrices_user(result->matrices, users->user[i]));
		for (size_t k = 0; k < users->uses; k++) {
			char number[NUMBER_TEXT];
			double value = users->value[i * users->uses + k];
			if (!is_of_users(&result->experiment->uses[k]))
				continue;
			number_write(value, number);
			text_format(text, "\t%s", isfinite(value) ? number : "nan");
		}
		text_append(text, "\n");
	}
}

void report_users_tsv(const struct run_result *result, struct text *text) {
	const struct experiment *experiment = result->experiment;
	text_append(text, "part\tuser");
	for (size_t k = 0; k < experiment->uses_count; k++)
		if (is_of_users(&experiment->uses[k]))
			text_format(text, "\t%s", experiment->uses[k].name);
	text_append(text, "\n");
	for (size_t part = 0; part < PARTS; part++)
		append_part(text, result, part);
}
