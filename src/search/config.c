// The keys of the `sweep` group, and what can be said of it without an experiment or data.
#include "search/config.h"

#include "search/halving.h"
#include "search/strategy.h"

#include <math.h>
#include <string.h>

static const struct row scale_linear = {.name = "linear", .doc = "Evenly over the numbers"};
static const struct row scale_log = {.name = "log", .doc = "Evenly over their logarithms"};
static const struct row *const scales[] = {&scale_linear, &scale_log};
const struct registry scale_registry = {
    .what = "scale", .plural = "scales", .rows = scales, .count = sizeof(scales) / sizeof(scales[0])};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key choice_keys[] = {
    KEY(choice_config, name, KEY_STRING, .flags = KEY_REQUIRED, .doc = "What the settings are called together"),
    KEY(choice_config, set, KEY_STRINGS, .flags = KEY_REQUIRED, .doc = "The settings, each \"KEY=VALUE\" as with -s"),
};
static const struct schema choice_schema = SCHEMA(struct choice_config, choice_keys);

static const struct key axis_keys[] = {
    KEY(axis_config, key, KEY_STRING, .doc = "Any key of the file by its dotted name, a node by its own"),
    KEY(axis_config, values, KEY_VALUES, .doc = "The values that it takes"),
    KEY(axis_config, range, KEY_REALS, .doc = "Or the range that they come from: low, high, both included"),
    KEY(axis_config, scale, KEY_CHOICE, .registry = &scale_registry, .fallback = "\"linear\"",
        .doc = "How a range is divided"),
    KEY(axis_config, integer, KEY_BOOL, .fallback = "false", .doc = "Whether a range gives whole numbers alone"),
    KEY(axis_config, points, KEY_INTEGER, .fallback = "5", .min = 1, .max = 1e6,
        .doc = "Values that a grid takes from a range, its ends among them"),
    KEY(axis_config, name, KEY_STRING, .doc = "Instead of key: the name of an axis of choices"),
    KEY(axis_config, choices, KEY_LIST, .schema = &choice_schema, .doc = "Groups of settings that change together"),
    KEY(axis_config, when, KEY_STRINGS,
        .doc = "The axis counts only where these hold, each \"LABEL=VALUE\" of an axis above, by its key or name"),
};
static const struct schema axis_schema = SCHEMA(struct axis_config, axis_keys);

static const struct key budget_keys[] = {
    KEY(budget_config, epochs, KEY_INTEGER, .min = 1, .max = 1e15,
        .doc = "Epochs of all trials together: one whose epochs would not fit any more does not begin"),
    KEY(budget_config, seconds, KEY_REAL, .flags = KEY_OPEN_MIN, .min = 0, .max = INFINITY,
        .doc = "Seconds of the clock after which no trial begins; how many did depends on the machine"),
};
static const struct schema budget_schema = SCHEMA(struct budget_config, budget_keys);

static const struct key sweep_keys[] = {
    KEY(sweep_config, kind, KEY_TAG, .registry = &strategy_registry, .fallback = "\"grid\"",
        .doc = "How the trials are chosen"),
    KEY(sweep_config, objective, KEY_STRINGS, .flags = KEY_REQUIRED,
        .doc = "The figure that counts, as \"valid.rmse\"; a list of several gives their Pareto set"),
    KEY(sweep_config, goal, KEY_STRINGS,
        .doc = "\"min\" or \"max\", one for each objective; default: the metric's own"),
    KEY(sweep_config, space, KEY_LIST, .flags = KEY_REQUIRED, .schema = &axis_schema, .doc = "What is varied"),
    KEY(sweep_config, trials, KEY_INTEGER, .min = 1, .max = 1e6,
        .doc = "How many trials; of a grid at most so many, default all"),
    KEY(sweep_config, seed, KEY_SEED, .doc = "Of the choice of trials; default: the experiment's seed"),
    KEY(sweep_config, lag, KEY_INTEGER, .fallback = "4", .min = 1, .max = 1e6,
        .doc = "A proposal uses the results of trials whose number is lower by this or more: so many can run side by "
               "side"),
    KEY(sweep_config, budget, KEY_GROUP, .schema = &budget_schema, .doc = "What all trials together may take"),
    KEY(sweep_config, early_stop, KEY_GROUP, .schema = &halving_schema,
        .doc = "Ends trials early that do worse than others after as many epochs"),
};
const struct schema sweep_schema = SCHEMA(struct sweep_config, sweep_keys);

// --- checks ---

struct check {
	const struct sweep_config *config;
	const struct value *tree;
	struct errors *errors;
};

static const char *label_of(const struct axis_config *axis) {
	return axis->key ? axis->key : axis->name ? axis->name : "";
}

static void check_range(const struct check *c, const struct axis_config *axis, struct origin at) {
	const double *range = axis->range.items;
	bool log = axis->scale.row == &scale_log;
	if (axis->range.count != 2 || !(range[0] < range[1])) {
		error_hint(
		    errors_add(c->errors, ERROR_CONFIG, at, "the range of \"%s\" is not two ascending numbers", label_of(axis)),
		    "Write range = [ 0.1, 0.5 ].");
	} else if (log && !(range[0] > 0)) {
		error_hint(errors_add(c->errors, ERROR_CONFIG, at, "the range of \"%s\" begins at %g, which has no logarithm",
		                      label_of(axis), range[0]),
		           "Begin above 0, or say scale = \"linear\".");
	} else if (axis->integer && (floor(range[0]) != range[0] || floor(range[1]) != range[1])) {
		errors_add(c->errors, ERROR_CONFIG, at, "the range of \"%s\" is of whole numbers, but ends at others",
		           label_of(axis));
	}
}

static void check_choices(const struct check *c, const struct axis_config *axis, struct origin at) {
	for (size_t i = 0; i < axis->choices.count; i++) {
		const struct choice_config *choice = axis->choices.items[i];
		for (size_t k = 0; k < choice->set.count; k++)
			if (!strchr(choice->set.items[k], '='))
				errors_add(c->errors, ERROR_CONFIG, choice->set.at[k], "\"%s\" is not KEY=VALUE", choice->set.items[k]);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(((const struct choice_config *)axis->choices.items[k])->name, choice->name))
				errors_add(c->errors, ERROR_CONFIG, at, "axis \"%s\" has two choices \"%s\"", label_of(axis),
				           choice->name);
	}
}

// Whether the axis has what an axis needs: a key with values or a range, or a name with choices.
static bool check_kind(const struct check *c, const struct axis_config *axis, struct origin at) {
	static const char hint[] = "Give key and values, key and range, or name and choices.";
	int kinds = axis->values.set + axis->range.set + axis->choices.set;
	const char *label = label_of(axis);
	bool good = kinds == 1 && (axis->choices.set ? axis->name && !axis->key : axis->key && !axis->name);
	if (!good)
		error_hint(errors_add(c->errors, ERROR_CONFIG, at, "axis \"%s\" is not clear", label), "%s", hint);
	else if (axis->range.set)
		check_range(c, axis, at);
	else if (axis->choices.set)
		check_choices(c, axis, at);
	if (good && (axis->values.set ? axis->values.count : axis->choices.set ? axis->choices.count : 1) == 0)
		errors_add(c->errors, ERROR_CONFIG, at, "axis \"%s\" has nothing to choose from", label);
	return good;
}

// What would make a trial something else than a run of this experiment.
static void check_key(const struct check *c, const struct axis_config *axis, struct origin at) {
	static const char *const none[] = {"name", "expect", "sweep", "extends"};
	for (size_t i = 0; axis->key && i < sizeof(none) / sizeof(none[0]); i++) {
		size_t length = strlen(none[i]);
		if (!strncmp(axis->key, none[i], length) && (!axis->key[length] || axis->key[length] == '.'))
			errors_add(c->errors, ERROR_CONFIG, at, "\"%s\" cannot be varied", axis->key);
	}
}

static bool has_level(const struct axis_config *axis, const char *value) {
	for (size_t i = 0; i < axis->choices.count; i++)
		if (!strcmp(((const struct choice_config *)axis->choices.items[i])->name, value))
			return true;
	for (size_t i = 0; i < axis->values.count; i++) {
		const char *text = axis->values.items[i];
		size_t length = strlen(text);
		bool quoted = length >= 2 && text[0] == '"';
		if (quoted ? strlen(value) == length - 2 && !strncmp(text + 1, value, length - 2) : !strcmp(text, value))
			return true;
	}
	return false;
}

static void check_condition(const struct check *c, size_t axis, const char *text, struct origin at) {
	const char *equals = strchr(text, '=');
	for (size_t i = 0; equals && i < axis; i++) {
		const struct axis_config *other = c->config->space.items[i];
		size_t length = (size_t)(equals - text);
		if (strlen(label_of(other)) != length || strncmp(label_of(other), text, length))
			continue;
		if (!has_level(other, equals + 1))
			errors_add(c->errors, ERROR_CONFIG, at, "\"%s\" never holds: \"%s\" does not take that value", text,
			           label_of(other));
		return;
	}
	error_hint(errors_add(c->errors, ERROR_CONFIG, at, "\"%s\" is no condition", text),
	           "Write LABEL=VALUE, where LABEL is the key or name of an axis above this one.");
}

static void check_axis(const struct check *c, size_t index) {
	const struct axis_config *axis = c->config->space.items[index];
	struct origin at = c->config->space.from[index]->at;
	if (check_kind(c, axis, at))
		check_key(c, axis, at);
	for (size_t i = 0; i < index; i++)
		if (!strcmp(label_of(c->config->space.items[i]), label_of(axis)))
			errors_add(c->errors, ERROR_CONFIG, at, "\"%s\" is varied twice", label_of(axis));
	for (size_t i = 0; i < axis->when.count; i++)
		check_condition(c, index, axis->when.items[i], axis->when.at[i]);
}

static void check_goals(const struct check *c) {
	const struct strings *goal = &c->config->goal;
	for (size_t i = 0; i < goal->count; i++)
		if (strcmp(goal->items[i], "min") && strcmp(goal->items[i], "max"))
			error_hint(errors_add(c->errors, ERROR_CONFIG, goal->at[i], "\"%s\" is no goal", goal->items[i]),
			           "Say \"min\" or \"max\".");
	if (goal->set && goal->count != c->config->objective.count)
		errors_add(c->errors, ERROR_CONFIG, value_origin(c->tree, "sweep.goal"), "%zu goals for %zu objectives",
		           goal->count, c->config->objective.count);
	if (c->config->objective.count == 0)
		errors_add(c->errors, ERROR_CONFIG, value_origin(c->tree, "sweep.objective"), "objective is empty");
	if (c->config->early_stop && c->config->objective.count > 1)
		error_hint(errors_add(c->errors, ERROR_CONFIG, value_origin(c->tree, "sweep.early_stop"),
		                      "trials cannot be ended early by %zu objectives", c->config->objective.count),
		           "Give one objective, or leave early_stop out.");
}

void sweep_check(const struct sweep_config *config, const struct value *tree, struct errors *errors) {
	struct check c = {config, tree, errors};
	const struct strategy *strategy = (const struct strategy *)config->kind.row;
	size_t before = errors->count;
	check_goals(&c);
	if (!config->space.count)
		errors_add(errors, ERROR_CONFIG, value_origin(tree, "sweep.space"), "the space has no axis");
	for (size_t i = 0; i < config->space.count; i++)
		check_axis(&c, i);
	if (strategy->axes_max && config->space.count > strategy->axes_max)
		errors_add(errors, ERROR_CONFIG, value_origin(tree, "sweep.space"),
		           "strategy \"%s\" takes at most %zu axes, not %zu", strategy->row.name, strategy->axes_max,
		           config->space.count);
	if (strategy != &strategy_grid && !config->trials)
		error_hint(errors_add(errors, ERROR_CONFIG, value_origin(tree, "sweep"), "how many trials is not said"),
		           "Strategy \"%s\" goes on for ever: give trials.", strategy->row.name);
	if (errors->count > before || strategy != &strategy_grid || config->trials)
		return;
	struct arena arena = {0};
	struct space space;
	space_create(config, &arena, &space);
	if (grid_count(&space) > GRID_MOST)
		error_hint(errors_add(errors, ERROR_CONFIG, value_origin(tree, "sweep.space"),
		                      "the grid has more than %d points", GRID_MOST),
		           "Give trials, or another strategy.");
	arena_finish(&arena);
}

void sweep_settle(struct sweep_config *config, uint64_t seed) {
	if (!config->seed)
		config->seed = seed;
}
