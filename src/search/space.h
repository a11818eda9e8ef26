// The space that a sweep searches: axes, the points of it, and how a point reads as overrides of an experiment file.
#ifndef AEXP_SEARCH_SPACE_H
#define AEXP_SEARCH_SPACE_H

#include "search/config.h"

// A setting is in force only where an axis before it has a value.
struct condition {
	size_t axis;
	size_t level; // of that axis
};
struct axis {
	const char *label;      // the key, or the name of its choices
	const char **text;      // (levels) of each level, as a person reads it; NULL of a range
	const char **overrides; // (levels) "KEY=VALUE" of each level of a key; NULL of a range, and of choices
	const struct choice_config **choices; // (levels) NULL where it is a key
	size_t levels;                        // 0: a range
	double low, high;                     // of a range
	bool logarithmic, integer;
	size_t points;          // of a range on a grid
	struct condition *when; // (when_count)
	size_t when_count;
};
struct space {
	struct axis *axes; // (count)
	size_t count;
};
// One axis of a point.
struct setting {
	bool active; // its conditions hold
	size_t level;
	double number; // of a range
};

// Of a checked group; everything lies in the arena.
void space_create(const struct sweep_config *config, struct arena *arena, struct space *ret);

// Ranges are searched in coordinates: the number itself, or its logarithm; of integers from half below the lowest to
// half above the highest.
double axis_low(const struct axis *axis);
double axis_high(const struct axis *axis);
double axis_coordinate(const struct axis *axis, double number);
// The setting at a coordinate: within the range, rounded to an integer or to six significant digits, so that the last
// bits of a machine's mathematics do not matter.
void axis_place(const struct axis *axis, double coordinate, struct setting *ret);
// The setting at a share of the axis, 0 <= share < 1.
void axis_share(const struct axis *axis, double share, struct setting *ret);

// Sets which settings are in force. What is not keeps its value, and is passed over.
void space_settle(const struct space *space, struct setting *point);
bool space_same(const struct space *space, const struct setting *a, const struct setting *b);

// A setting as text: "16", "relu", a choice's name. In the arena.
const char *setting_text(const struct axis *axis, const struct setting *setting, struct arena *arena);
bool setting_read(const struct axis *axis, const char *text, struct setting *ret); // what setting_text gave

// The point as overrides, "KEY=VALUE", in order of the axes. In the arena.
void space_overrides(const struct space *space, const struct setting *point, struct arena *arena, struct strings *ret);

// All points of the grid over the axes, the last axis fastest; settings that are not in force are not multiplied.
struct grid {
	struct setting *points; // (count, axes)
	size_t count;
};
enum { GRID_MOST = 1000000 };
size_t grid_count(const struct space *space); // GRID_MOST + 1 where there are more
bool grid_create(const struct space *space, size_t most, struct grid *ret, struct error *error); // the first `most`
void grid_finish(struct grid *grid);

#endif
