// Asking runs: what one is under a dotted key of its experiment, a figure ("test.rmse") or a field of its entry
// ("name", "epochs"), conditions on that, and an order by it.
#ifndef AEXP_REPORT_QUERY_H
#define AEXP_REPORT_QUERY_H

#include "report/runs.h"

struct run_field {
	const char *text; // NULL: the run has none
	double number;    // NAN where it is a word
};
struct run_field query_field(const struct run_entry *run, const char *key, struct arena *arena);

enum relation { RELATION_LESS, RELATION_AT_MOST, RELATION_MORE, RELATION_AT_LEAST, RELATION_IS, RELATION_IS_NOT };
struct condition {
	const char *key, *value;
	enum relation relation;
	double number; // NAN where the value is a word
};
// "KEY OP VALUE" with <, <=, >, >=, = or !=, blanks around the three, quotes around the value. ERROR_CONFIG.
bool condition_read(const char *text, struct arena *arena, struct condition *ret, struct error *error);
// Numbers compare as numbers, words as words; = and != take * ? [...] in a word. False where the run has no such key,
// or has a word where a number is compared to it.
bool condition_holds(const struct condition *condition, const struct run_entry *run);

// Whether one of the runs has it, or an experiment file can have it; else ERROR_CONFIG, with a near name.
bool query_knows(const struct runs *runs, const char *key, struct error *error);
// Whether more is better: of a figure whose metric says so.
bool query_more_is_better(const char *key);
// The better first: by a figure's metric, else the smaller. Numbers stand before words, runs without it last; equal
// ones stay in order.
void query_sort(struct runs *runs, const char *key, bool reverse);

#endif
