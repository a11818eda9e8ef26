// The `sweep` group of an experiment: which settings are tried, in what order, how many, and what counts.
#ifndef AEXP_SEARCH_CONFIG_H
#define AEXP_SEARCH_CONFIG_H

#include "config/schema.h"

// Settings that are changed together under one name: each "KEY=VALUE", as with -s.
struct choice_config {
	const char *name;
	struct strings set;
};
// One axis of the space: a key with values or a range, or a name with choices.
struct axis_config {
	const char *key, *name;
	struct values values;
	struct reals range;    // two: low, high
	struct choice scale;   // of a range
	bool integer;          // of a range
	int64_t points;        // of a range on a grid
	struct groups choices; // of struct choice_config
	struct strings when;   // each "LABEL=VALUE" of an axis before this one; all must hold
};
struct budget_config {
	int64_t epochs; // 0: no bound
	double seconds; // NAN: no bound
};
struct halving_config {
	struct choice kind; // row is a struct halving
	int64_t min_epochs, reduction, lag;
};
struct sweep_config {
	struct choice kind;  // row is a struct strategy
	struct groups space; // of struct axis_config
	int64_t trials;      // 0: as many as a grid has
	uint64_t seed;       // 0 until sweep_settle, where left out
	struct strings objective, goal;
	int64_t lag;
	struct budget_config *budget;      // NULL: none
	struct halving_config *early_stop; // NULL: none
};
extern const struct schema sweep_schema;
extern const struct registry scale_registry;

struct value;
// Checks what needs no other group: axes, conditions, how many trials. `tree` is the file's root, for positions.
void sweep_check(const struct sweep_config *config, const struct value *tree, struct errors *errors);
void sweep_settle(struct sweep_config *config, uint64_t seed); // defaults that depend on other keys

#endif
