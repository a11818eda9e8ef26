// Points with error bars over one axis, a line a series: what the kinds metric, sensitivity and time come to.
#include "report/figure_kind.h"

#include "base/number.h"
#include "report/embedded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 64, PLACES_MOST = 9 };

// Texts in the order in which they came first.
struct names {
	const char *items[NAMES_MOST];
	size_t count;
};

static size_t name_place(const struct names *names, const char *name) {
	size_t i = 0;
	while (i < names->count && strcmp(names->items[i], name) != 0)
		i++;
	return i;
}

static void name_add(struct names *names, const char *name) {
	if (name_place(names, name) == names->count && names->count < NAMES_MOST)
		names->items[names->count++] = name;
}

void figure_points_add(struct figure_points *points, struct figure_point point) {
	if (points->count == points->capacity) {
		points->capacity = points->capacity ? 2 * points->capacity : 32;
		points->items = memory_resize(points->items, points->capacity * sizeof(*points->items));
	}
	points->items[points->count++] = point;
}

void figure_points_finish(struct figure_points *points) {
	free(points->items);
	*points = (struct figure_points){0};
}

// --- the x axis ---

static bool all_numbers(struct figure_points *points) {
	for (size_t i = 0; i < points->count; i++) {
		struct figure_point *p = &points->items[i];
		if (p->text && !number_read(p->text, strlen(p->text), &p->x))
			return false;
	}
	return true;
}

static bool place_categories(struct figure_points *points, struct names *ret, struct error *error) {
	for (size_t i = 0; i < points->count; i++) {
		struct figure_point *p = &points->items[i];
		if (!p->text)
			return error_set(error, ERROR_CONFIG, "a published point is at a number, but the axis has categories");
		name_add(ret, p->text);
		p->x = (double)name_place(ret, p->text) + 1;
	}
	return ret->count < NAMES_MOST || error_set(error, ERROR_CONFIG, "more than %d categories", NAMES_MOST - 1);
}

static bool all_positive(const struct figure_points *points) {
	for (size_t i = 0; i < points->count; i++)
		if (!(points->items[i].x > 0))
			return false;
	return true;
}

// Decides the scale, and fills `ret` with the categories there are.
static bool settle_scale(const struct figure *figure, struct figure_points *points, struct names *ret, bool *ret_log,
                         struct error *error) {
	bool numbers = all_numbers(points);
	*ret_log = !strcmp(points->scale, "log");
	if (!strcmp(points->scale, "categories") || (!strcmp(points->scale, "auto") && !numbers))
		return place_categories(points, ret, error);
	if (numbers && (!*ret_log || all_positive(points)))
		return true;
	for (size_t i = 0; i < points->count; i++)
		if (points->items[i].text &&
		    !number_read(points->items[i].text, strlen(points->items[i].text), &points->items[i].x))
			return error_at(error, ERROR_CONFIG, figure_origin(figure, "scale"),
			                "\"%s\" is no number, but the scale is %s", points->items[i].text, points->scale);
	return error_at(error, ERROR_CONFIG, figure_origin(figure, "scale"),
	                "a value is not above 0, but the scale is log");
}

static int by_value(const void *a, const void *b) {
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

// Tics stand at the values themselves where there are few, and none too close to the next to be read.
static size_t places_of(const struct figure_points *points, bool log, double ret[PLACES_MOST]) {
	static const double nearest = 0.075; // of the axis: a label of four digits at 8.6 cm
	double *x = memory_alloc((points->count + 1) * sizeof(*x));
	size_t count = 0;
	for (size_t i = 0; i < points->count; i++)
		x[i] = points->items[i].x;
	qsort(x, points->count, sizeof(*x), by_value);
	for (size_t i = 0; i < points->count && count <= PLACES_MOST; i++)
		if (count == 0 || x[i] > ret[count - 1]) {
			if (count < PLACES_MOST)
				ret[count] = x[i];
			count++;
		}
	free(x);
	if (count > PLACES_MOST || count < 2)
		return 0;
	double whole = log ? log10(ret[count - 1] / ret[0]) : ret[count - 1] - ret[0];
	for (size_t i = 1; i < count; i++)
		if ((log ? log10(ret[i] / ret[i - 1]) : ret[i] - ret[i - 1]) < nearest * whole)
			return 0;
	return count;
}

// Long names side by side are turned.
static bool crowded(const struct figure *figure, const struct names *names) {
	size_t longest = 0;
	for (size_t i = 0; i < names->count; i++)
		longest = strlen(names->items[i]) > longest ? strlen(names->items[i]) : longest;
	return figure_crowded(figure, longest, names->count);
}

static void put_places(const struct figure *figure, const struct figure_points *points, const struct names *names,
                       bool log, struct text *facts) {
	double place[PLACES_MOST];
	size_t count = names->count ? names->count : places_of(points, log, place);
	char spelled[PLACES_MOST][NUMBER_TEXT];
	const char *numbers[PLACES_MOST];
	fact_count(facts, "places_count", count);
	text_format(facts, "array places[%zu]\n", count ? count : 1);
	for (size_t i = 0; i < count; i++) {
		if (names->count) {
			text_format(facts, "places[%zu] = %zu\n", i + 1, i + 1);
		} else {
			number_write(place[i], spelled[i]);
			numbers[i] = spelled[i];
			text_format(facts, "places[%zu] = %s\n", i + 1, spelled[i]);
		}
	}
	fact_texts(facts, "place_names", names->count ? names->items : numbers, count);
	fact_count(facts, "turned", names->count && crowded(figure, names));
}

// --- series ---

struct lines {
	struct names series, published;
};

static bool find_lines(const struct figure_points *points, struct lines *ret, struct error *error) {
	for (size_t i = 0; i < points->count; i++)
		name_add(points->items[i].published ? &ret->published : &ret->series,
		         points->items[i].published ? points->items[i].label : points->items[i].series);
	return (ret->series.count < NAMES_MOST && ret->published.count < NAMES_MOST) ||
	       error_set(error, ERROR_CONFIG, "more than %d series", NAMES_MOST - 1);
}

static size_t line_of(const struct lines *lines, const struct figure_point *p) {
	return p->published ? lines->series.count + name_place(&lines->published, p->label)
	                    : name_place(&lines->series, p->series);
}

// One series after the other, each by x.
static int by_line(const void *a, const void *b, void *context) {
	const struct figure_point *left = a, *right = b;
	size_t one = line_of(context, left), other = line_of(context, right);
	if (one != other)
		return one < other ? -1 : 1;
	return (left->x > right->x) - (left->x < right->x);
}

static void put_table(const struct figure_points *points, const struct lines *lines, struct text *tsv) {
	text_append(tsv, "series\tx\ty\tlow\thigh\tname\tvalue\tlabel\n");
	for (size_t i = 0; i < points->count; i++) {
		const struct figure_point *p = &points->items[i];
		text_format(tsv, "%zu", line_of(lines, p) + 1);
		tsv_real(tsv, p->x);
		tsv_real(tsv, p->y);
		tsv_real(tsv, p->low);
		tsv_real(tsv, p->high);
		tsv_text(tsv, p->published ? "published" : p->series);
		tsv_text(tsv, p->text ? p->text : "");
		tsv_text(tsv, p->label);
		text_append(tsv, "\n");
	}
}

static void put_range(const struct figure_points *points, bool log_y, struct text *facts) {
	struct figure_range x = figure_range_none, y = figure_range_none;
	for (size_t i = 0; i < points->count; i++) {
		const struct figure_point *p = &points->items[i];
		const double reach[] = {p->y, p->low, p->high};
		figure_range_add(&x, p->x);
		for (size_t k = 0; k < 3; k++)
			figure_range_add(&y, log_y && !(reach[k] > 0) ? (double)NAN : reach[k]);
	}
	fact_real(facts, "x_low", x.low);
	fact_real(facts, "x_high", x.high);
	fact_real(facts, "y_low", y.low <= y.high ? y.low : 0);
	fact_real(facts, "y_high", y.low <= y.high ? y.high : 1);
}

bool figure_points_make(const struct figure *figure, struct figure_points *points, struct arena *arena,
                        struct figure_drawing *ret, struct error *error) {
	struct names categories = {0};
	struct lines lines = {0};
	bool log;
	(void)arena;
	if (!settle_scale(figure, points, &categories, &log, error) || !find_lines(points, &lines, error))
		return false;
	qsort_r(points->items, points->count, sizeof(*points->items), by_line, &lines);
	put_table(points, &lines, &ret->tsv);
	fact_text(&ret->facts, "xlabel", figure->xlabel ? figure->xlabel : points->xlabel);
	fact_text(&ret->facts, "ylabel", figure->ylabel ? figure->ylabel : points->ylabel);
	fact_count(&ret->facts, "x_log", log);
	fact_count(&ret->facts, "y_log", points->log_y);
	fact_count(&ret->facts, "connect", points->connect && !categories.count);
	put_range(points, points->log_y, &ret->facts);
	put_places(figure, points, &categories, log, &ret->facts);
	fact_count(&ret->facts, "series_count", lines.series.count);
	fact_texts(&ret->facts, "series", lines.series.items, lines.series.count);
	fact_count(&ret->facts, "published_count", lines.published.count);
	fact_texts(&ret->facts, "published", lines.published.items, lines.published.count);
	ret->plot = (const char *)embedded_metric_gp;
	return true;
}
