// Runs of one experiment that differ in their seed or fold alone, as one: what `repeats` and split `kfold` leave beside
// the runs themselves, in a folder with the experiment as it was asked for and summary.json.
#ifndef AEXP_REPORT_SUMMARY_H
#define AEXP_REPORT_SUMMARY_H

#include "report/runs.h"

struct summary {
	const char *experiment, *id;
	const struct run_entry *runs; // (count), all finished
	const size_t *fold;           // (count) from 1; 0: there are none
	size_t count;
};
// Figures are means over the runs in which they are defined, with standard deviation and 95 % interval. No times: the
// same runs give the same text.
void report_summary_json(const struct summary *summary, struct text *text);
// Writes experiment.cfg and, last, summary.json; creates the folder.
bool summary_write(const char *folder, const struct summary *summary, const char *experiment_text, struct error *error);

#endif
