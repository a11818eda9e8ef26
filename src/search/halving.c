// See halving.h.
#include "search/halving.h"

#include <math.h>
#include <string.h>

static const struct halving halving_asha = {
    .row = {.name = "asha", .doc = "Successive halving, each trial judged as soon as it reaches a rung"}};
static const struct halving halving_hyperband = {
    .row = {.name = "hyperband", .doc = "Halving in brackets, of which each begins to judge later than the one before"},
    .brackets = true};

static const struct row *const rows[] = {&halving_asha.row, &halving_hyperband.row};
const struct registry halving_registry = {
    .what = "early stop", .plural = "early-stops", .rows = rows, .count = sizeof(rows) / sizeof(rows[0])};

#define KEY(field, kind, ...)                                                                                          \
	{ .name = #field, .type = kind, .offset = offsetof(struct halving_config, field), __VA_ARGS__ }
static const struct key keys[] = {
    KEY(kind, KEY_TAG, .registry = &halving_registry, .flags = KEY_REQUIRED, .doc = "How trials are ended early"),
    KEY(min_epochs, KEY_INTEGER, .fallback = "1", .min = 1, .max = 1e9,
        .doc = "Epochs after which a trial is first judged"),
    KEY(reduction, KEY_INTEGER, .fallback = "3", .min = 2, .max = 1000,
        .doc = "One in so many goes on; the next rung has so many times the epochs"),
    KEY(lag, KEY_INTEGER, .fallback = "1", .min = 1, .max = 1e6,
        .doc = "A trial is held against those whose number is lower by this or more; it waits for them"),
};
const struct schema halving_schema = SCHEMA(struct halving_config, keys);

static const struct halving *kind_of(const struct halving_config *config) {
	return (const struct halving *)config->kind.row;
}

// How many rungs there are from min_epochs on, those not below `epochs` left out.
static size_t all_rungs(const struct halving_config *config, size_t epochs) {
	size_t count = 0;
	double at = (double)config->min_epochs;
	for (; count < RUNGS_MAX && at < (double)epochs; count++)
		at *= (double)config->reduction;
	return count;
}

// Brackets come round and round: of S rungs, bracket s (which leaves out the first s) gets its share of the trials so
// that each bracket may spend about as much: ceil((S + 1) / (S - s + 1) * reduction^(S - s)), hyperband's own numbers.
size_t halving_bracket(const struct halving_config *config, size_t trial, size_t epochs) {
	if (!kind_of(config)->brackets)
		return 0;
	size_t rungs = all_rungs(config, epochs), counts[RUNGS_MAX + 1], round = 0;
	enum { MOST = 1000000 };
	for (size_t s = 0; s <= rungs; s++) {
		double count =
		    ceil((double)(rungs + 1) / (double)(rungs - s + 1) * pow((double)config->reduction, (double)(rungs - s)));
		counts[s] = count < MOST ? (size_t)count : MOST;
		round += counts[s];
	}
	size_t place = trial % round, bracket = 0;
	while (place >= counts[bracket])
		place -= counts[bracket++];
	return bracket;
}

size_t halving_rungs(const struct halving_config *config, size_t trial, size_t epochs, size_t ret_epochs[RUNGS_MAX]) {
	size_t rungs = all_rungs(config, epochs), first = halving_bracket(config, trial, epochs), count = 0;
	size_t at = (size_t)config->min_epochs;
	for (size_t i = 0; i < rungs; i++, at *= (size_t)config->reduction)
		if (i >= first)
			ret_epochs[count++] = at;
	return count;
}

bool halving_goes_on(const struct halving_config *config, const double *others, size_t count, double own) {
	size_t better = 0, kept = (count + 1) / (size_t)config->reduction;
	if (isnan(own))
		return false;
	for (size_t i = 0; i < count; i++)
		better += others[i] <= own;
	return better < (kept ? kept : 1);
}
