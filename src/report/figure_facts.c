// The lines of a figure's script that C writes, and the cells of its table.
#include "report/figure_kind.h"

#include "base/number.h"
#include "report/quote.h"

#include <math.h>
#include <string.h>

void fact_label(struct text *text, const char *value) {
	struct text tex = {0};
	quote_tex(&tex, value);
	if (strcmp(text_string(&tex), value) == 0) {
		quote_gnuplot(text, value);
	} else {
		text_append(text, "(tex ? ");
		quote_gnuplot(text, text_string(&tex));
		text_append(text, " : ");
		quote_gnuplot(text, value);
		text_append(text, ")");
	}
	text_finish(&tex);
}

void fact_text(struct text *text, const char *name, const char *value) {
	text_format(text, "%s = ", name);
	fact_label(text, value ? value : "");
	text_append(text, "\n");
}

void fact_real(struct text *text, const char *name, double value) {
	char number[NUMBER_TEXT];
	number_write(value, number);
	// A whole number is an integer to gnuplot, and 1/2 of such is 0.
	text_format(text, "%s = %s%s\n", name, isfinite(value) ? number : "NaN",
	            isfinite(value) && !strpbrk(number, ".e") ? ".0" : "");
}

void fact_count(struct text *text, const char *name, size_t value) {
	text_format(text, "%s = %zu\n", name, value);
}

// gnuplot's arrays have at least one element.
void fact_texts(struct text *text, const char *name, const char *const *values, size_t count) {
	text_format(text, "array %s[%zu]\n", name, count ? count : 1);
	for (size_t i = 0; i < count; i++) {
		text_format(text, "%s[%zu] = ", name, i + 1);
		fact_label(text, values[i]);
		text_append(text, "\n");
	}
}

void tsv_real(struct text *text, double value) {
	char number[NUMBER_TEXT];
	number_write(value, number);
	text_format(text, "\t%s", isfinite(value) ? number : "nan");
}

void tsv_text(struct text *text, const char *value) {
	text_append(text, "\t");
	for (; *value; value++)
		text_format(text, "%c", strchr("\t\n\r", *value) ? ' ' : *value);
}

bool figure_crowded(const struct figure *figure, size_t letters, size_t count) {
	static const double letter_width = 0.6, margins = 1.8; // in its size; centimetres beside the axis
	double room = (figure->width - margins) / 2.54 * 72 / (double)(count ? count : 1);
	return ((double)letters + 0.5) * letter_width * figure->letter > room;
}

void figure_range_add(struct figure_range *range, double value) {
	if (!isfinite(value))
		return;
	bool first = range->low > range->high;
	range->low = first ? value : fmin(range->low, value);
	range->high = first ? value : fmax(range->high, value);
}

static const struct row scale_auto = {.name = "auto", .doc = "Linear where all values are numbers, else categories"};
static const struct row scale_linear = {.name = "linear", .doc = "Numbers"};
static const struct row scale_log = {.name = "log", .doc = "Positive numbers, by their logarithm"};
static const struct row scale_categories = {.name = "categories", .doc = "A place for each value, in the order given"};
static const struct row *const scales[] = {&scale_auto, &scale_linear, &scale_log, &scale_categories};
const struct registry figure_scale_registry = {
    .what = "scale", .plural = "scales", .rows = scales, .count = sizeof(scales) / sizeof(scales[0])};
