// The registry of metrics, and how an experiment names one: "mse", "ndcg@10".
#include "eval/metrics.h"

#include "base/nearest.h"
#include "base/number.h"

#include <string.h>

#define METRIC_ROW(name) &metric_##name.row,
static const struct row *const metric_rows[] = {METRIC_LIST(METRIC_ROW)};

const struct registry metric_registry = {
    .what = "metric",
    .plural = "metrics",
    .rows = metric_rows,
    .count = sizeof(metric_rows) / sizeof(metric_rows[0]),
};

static const struct metric *find_metric(const char *name) {
	return (const struct metric *)registry_find(&metric_registry, name); // the row is a metric's first member
}

// The near name, with the cut-off that was written where it takes one; or else all names.
static void hint_names(struct error *error, const char *best, const char *cut, const struct text *all) {
	if (!best)
		error_hint(error, "Known are %s.", text_string(all));
	else if (find_metric(best)->takes_k)
		error_hint(error, "Did you mean \"%s%s\"?", best, cut[0] ? cut : "@10");
	else
		error_hint(error, "Did you mean \"%s\"?", best);
}

// text is what was written, name the part of it before the @.
static bool fail_unknown(const char *name, const char *text, struct origin at, struct errors *errors) {
	struct nearest nearest = {.word = name};
	struct text all = {0};
	for (size_t i = 0; i < metric_registry.count; i++) {
		const char *known = metric_registry.rows[i]->name;
		nearest_offer(&nearest, known);
		text_format(&all, "%s\"%s%s\"", i ? ", " : "", known, find_metric(known)->takes_k ? "@10" : "");
	}
	hint_names(errors_add(errors, ERROR_CONFIG, at, "unknown metric \"%s\"", text), nearest.best, text + strlen(name),
	           &all);
	text_finish(&all);
	return false;
}

static bool read_cut(const char *digits, size_t *ret_k) {
	int64_t k;
	if (digits[0] < '0' || digits[0] > '9' || !number_read_integer(digits, strlen(digits), &k) || k < 1)
		return false;
	*ret_k = (size_t)k;
	return true;
}

bool metric_use_read(const char *text, struct origin at, struct arena *arena, struct metric_use *ret,
                     struct errors *errors) {
	size_t length = strcspn(text, "@");
	char *name = arena_string(arena, text);
	name[length] = '\0';
	const struct metric *metric = find_metric(name);
	if (!metric)
		return fail_unknown(name, text, at, errors);
	bool has_cut = text[length] == '@';
	if (has_cut && !metric->takes_k) {
		error_hint(errors_add(errors, ERROR_CONFIG, at, "metric \"%s\" takes no cut-off, found \"%s\"", name, text),
		           "Write it as \"%s\".", name);
		return false;
	}
	size_t k = 0;
	if (metric->takes_k && (!has_cut || !read_cut(text + length + 1, &k))) {
		struct error *error = has_cut
		                          ? errors_add(errors, ERROR_CONFIG, at,
		                                       "the cut-off of metric \"%s\" is not a whole number of at least 1", text)
		                          : errors_add(errors, ERROR_CONFIG, at, "metric \"%s\" needs a cut-off", name);
		error_hint(error, "Write it as \"%s@10\".", name);
		return false;
	}
	const char *spelled = metric->takes_k ? arena_format(arena, "%s@%zu", name, k) : name;
	*ret = (struct metric_use){.metric = metric, .k = k, .name = spelled};
	return true;
}

bool metric_uses_want_auc(const struct metric_use *uses, size_t uses_count) {
	bool wants = false;
	for (size_t i = 0; i < uses_count; i++)
		wants = wants || uses[i].metric->wants_auc;
	return wants;
}

size_t metric_uses_depth(const struct metric_use *uses, size_t uses_count, size_t items) {
	size_t deepest = 0;
	for (size_t i = 0; i < uses_count; i++) {
		size_t depth = uses[i].k < items ? uses[i].k : items;
		deepest = metric_ranks(uses[i].metric) && depth > deepest ? depth : deepest;
	}
	return deepest;
}

bool metric_uses_want_surprise(const struct metric_use *uses, size_t uses_count) {
	bool wants = false;
	for (size_t i = 0; i < uses_count; i++)
		wants = wants || uses[i].metric->wants_surprise;
	return wants;
}
