// See space.h.
#include "search/space.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 6 }; // of a number from a range

// --- from the file ---

// "relu" without its quotes, where that says the same.
static const char *bare(const char *text, struct arena *arena) {
	size_t length = strlen(text);
	if (length < 2 || text[0] != '"' || strchr(text, '\\'))
		return text;
	return arena_format(arena, "%.*s", (int)(length - 2), text + 1);
}

static void take_values(const struct axis_config *config, struct arena *arena, struct axis *axis) {
	axis->levels = config->values.count;
	axis->text = arena_alloc(arena, axis->levels * sizeof(*axis->text));
	axis->overrides = arena_alloc(arena, axis->levels * sizeof(*axis->overrides));
	for (size_t i = 0; i < axis->levels; i++) {
		axis->text[i] = bare(config->values.items[i], arena);
		axis->overrides[i] = arena_format(arena, "%s=%s", config->key, config->values.items[i]);
	}
}

static void take_choices(const struct axis_config *config, struct arena *arena, struct axis *axis) {
	axis->levels = config->choices.count;
	axis->text = arena_alloc(arena, axis->levels * sizeof(*axis->text));
	axis->choices = arena_alloc(arena, axis->levels * sizeof(*axis->choices));
	for (size_t i = 0; i < axis->levels; i++) {
		axis->choices[i] = config->choices.items[i];
		axis->text[i] = axis->choices[i]->name;
	}
}

static void take_range(const struct axis_config *config, struct axis *axis) {
	axis->low = config->range.items[0];
	axis->high = config->range.items[1];
	axis->logarithmic = !strcmp(config->scale.row->name, "log");
	axis->integer = config->integer;
	axis->points = (size_t)config->points;
	if (axis->integer && axis->high - axis->low + 1 < (double)axis->points)
		axis->points = (size_t)(axis->high - axis->low + 1);
}

static size_t level_of(const struct axis *axis, const char *text) {
	size_t level = 0;
	while (level < axis->levels && strcmp(axis->text[level], text))
		level++;
	return level;
}

static void take_conditions(const struct space *space, const struct axis_config *config, struct arena *arena,
                            struct axis *axis) {
	axis->when_count = config->when.count;
	axis->when = arena_alloc(arena, axis->when_count * sizeof(*axis->when));
	for (size_t i = 0; i < axis->when_count; i++) {
		const char *text = config->when.items[i], *value = strchr(text, '=') + 1;
		size_t length = (size_t)(value - text) - 1, other = 0;
		while (strlen(space->axes[other].label) != length || strncmp(space->axes[other].label, text, length))
			other++;
		axis->when[i] = (struct condition){other, level_of(&space->axes[other], value)};
	}
}

void space_create(const struct sweep_config *config, struct arena *arena, struct space *ret) {
	ret->count = config->space.count;
	ret->axes = arena_alloc(arena, ret->count * sizeof(*ret->axes));
	for (size_t i = 0; i < ret->count; i++) {
		const struct axis_config *from = config->space.items[i];
		struct axis *axis = &ret->axes[i];
		axis->label = from->key ? from->key : from->name;
		if (from->values.set)
			take_values(from, arena, axis);
		else if (from->choices.set)
			take_choices(from, arena, axis);
		else
			take_range(from, axis);
		take_conditions(ret, from, arena, axis);
	}
}

// --- places on an axis ---

double axis_coordinate(const struct axis *axis, double number) {
	return axis->logarithmic ? log(number) : number;
}

double axis_low(const struct axis *axis) {
	return axis_coordinate(axis, axis->integer ? axis->low - 0.5 : axis->low);
}

double axis_high(const struct axis *axis) {
	return axis_coordinate(axis, axis->integer ? axis->high + 0.5 : axis->high);
}

static double rounded(double number) {
	char text[NUMBER_TEXT];
	double ret = number;
	snprintf(text, sizeof(text), "%.*e", DIGITS - 1, number);
	number_read(text, strlen(text), &ret);
	return ret;
}

void axis_place(const struct axis *axis, double coordinate, struct setting *ret) {
	double number = axis->logarithmic ? exp(coordinate) : coordinate;
	number = axis->integer ? floor(number + 0.5) : rounded(number);
	ret->number = fmin(fmax(number, axis->low), axis->high);
}

void axis_share(const struct axis *axis, double share, struct setting *ret) {
	if (axis->levels)
		ret->level = (size_t)(share * (double)axis->levels);
	else
		axis_place(axis, axis_low(axis) + share * (axis_high(axis) - axis_low(axis)), ret);
}

void space_settle(const struct space *space, struct setting *point) {
	for (size_t i = 0; i < space->count; i++) {
		const struct axis *axis = &space->axes[i];
		point[i].active = true;
		for (size_t k = 0; k < axis->when_count; k++) {
			const struct setting *other = &point[axis->when[k].axis];
			point[i].active = point[i].active && other->active && other->level == axis->when[k].level;
		}
	}
}

bool space_same(const struct space *space, const struct setting *a, const struct setting *b) {
	for (size_t i = 0; i < space->count; i++) {
		if (a[i].active != b[i].active)
			return false;
		if (a[i].active && (space->axes[i].levels ? a[i].level != b[i].level : a[i].number != b[i].number))
			return false;
	}
	return true;
}

// --- as text ---

const char *setting_text(const struct axis *axis, const struct setting *setting, struct arena *arena) {
	char number[NUMBER_TEXT];
	if (axis->levels)
		return axis->text[setting->level];
	number_write(setting->number, number);
	return arena_string(arena, number);
}

bool setting_read(const struct axis *axis, const char *text, struct setting *ret) {
	if (!axis->levels)
		return number_read(text, strlen(text), &ret->number);
	ret->level = level_of(axis, text);
	return ret->level < axis->levels;
}

static size_t overrides_of(const struct axis *axis, const struct setting *setting) {
	return !setting->active ? 0 : axis->choices ? axis->choices[setting->level]->set.count : 1;
}

void space_overrides(const struct space *space, const struct setting *point, struct arena *arena, struct strings *ret) {
	size_t count = 0;
	for (size_t i = 0; i < space->count; i++)
		count += overrides_of(&space->axes[i], &point[i]);
	*ret = (struct strings){.items = arena_alloc(arena, count * sizeof(*ret->items)), .set = true};
	for (size_t i = 0; i < space->count; i++) {
		const struct axis *axis = &space->axes[i];
		for (size_t k = 0; k < overrides_of(axis, &point[i]); k++)
			ret->items[ret->count++] =
			    axis->choices  ? axis->choices[point[i].level]->set.items[k]
			    : axis->levels ? axis->overrides[point[i].level]
			                   : arena_format(arena, "%s=%s", axis->label, setting_text(axis, &point[i], arena));
	}
}

// --- grids ---

static size_t grid_levels(const struct axis *axis) {
	return axis->levels ? axis->levels : axis->points;
}

// A range's points are spread evenly over its scale, both ends among them.
static void grid_place(const struct axis *axis, size_t level, struct setting *ret) {
	double low = axis_coordinate(axis, axis->low), high = axis_coordinate(axis, axis->high);
	ret->level = level;
	if (!axis->levels)
		axis_place(axis, axis->points == 1 ? low : low + (high - low) * (double)level / (double)(axis->points - 1),
		           ret);
}

// The next point, like an odometer; false after the last. Settings that are not in force stay at their first level.
static bool grid_next(const struct space *space, struct setting *point) {
	for (size_t i = space->count; i-- > 0;) {
		if (!point[i].active || point[i].level + 1 == grid_levels(&space->axes[i])) {
			grid_place(&space->axes[i], 0, &point[i]);
			continue;
		}
		grid_place(&space->axes[i], point[i].level + 1, &point[i]);
		space_settle(space, point);
		return true;
	}
	return false;
}

static void grid_first(const struct space *space, struct setting *point) {
	for (size_t i = 0; i < space->count; i++)
		grid_place(&space->axes[i], 0, &point[i]);
	space_settle(space, point);
}

size_t grid_count(const struct space *space) {
	struct setting *point = memory_alloc((space->count + 1) * sizeof(*point));
	size_t count = 1;
	grid_first(space, point);
	while (count <= GRID_MOST && grid_next(space, point))
		count++;
	free(point);
	return count;
}

bool grid_create(const struct space *space, size_t most, struct grid *ret, struct error *error) {
	size_t all = grid_count(space), bytes = space->count * sizeof(*ret->points);
	*ret = (struct grid){.count = all < most ? all : most};
	ret->points = memory_array(ret->count, bytes ? bytes : 1, "the points of a grid", error);
	if (!ret->points)
		return false;
	for (size_t i = 0; space->count && i < ret->count; i++) {
		struct setting *point = ret->points + i * space->count;
		if (!i) {
			grid_first(space, point);
			continue;
		}
		memcpy(point, point - space->count, bytes);
		grid_next(space, point);
	}
	return true;
}

void grid_finish(struct grid *grid) {
	free(grid->points);
	*grid = (struct grid){0};
}
