// Side information as a sparse feature matrix. A categorical attribute is one-hot (multi-hot where a cell holds several
// levels) with "missing" as a category of its own in the first column; a number is standardised over the rows that have
// a train entry, and beside it stands an indicator of missing. What is 0 is not stored.
#include "data/coding.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

// Over the rows with a train entry. Numbers that are all the same have exactly that mean, whatever rounding would make
// of their sum, and are divided by 1.
static void standardise(const double *number, const uint32_t *row_of, const struct csr *train,
                        struct feature_coding *coding) {
	double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
	size_t count = 0;
	for (size_t row = 0; row < train->rows; row++) {
		double x = number[row_of[row]];
		if (train->start[row] < train->start[row + 1] && !isnan(x)) {
			sum += x;
			least = fmin(least, x);
			most = fmax(most, x);
			count++;
		}
	}
	coding->deviation = 1;
	coding->mean = count == 0 ? 0 : least;
	if (count == 0 || least == most) {
		return;
	}
	coding->mean = sum / (double)count;
	for (size_t row = 0; row < train->rows; row++) {
		double x = number[row_of[row]];
		if (train->start[row] < train->start[row + 1] && !isnan(x)) {
			squares += (x - coding->mean) * (x - coding->mean);
		}
	}
	double deviation = sqrt(squares / (double)count);
	coding->deviation = deviation > 0 ? deviation : 1; // the squares of tiny differences vanish
}

static const char **level_names(const struct attribute *attribute, size_t columns, struct arena *arena) {
	const char **levels = arena_alloc(arena, columns * sizeof *levels);
	levels[0] = "";
	for (size_t level = 1; level < columns; level++) {
		levels[level] = ids_name(&attribute->levels, level - 1);
	}
	return levels;
}

// Lays the columns out one attribute after the other; returns their number.
static size_t lay_out(const struct attributes *attributes, const uint32_t *row_of, struct matrices *ret) {
	size_t columns = 0;
	ret->coding_count = attributes->count;
	ret->coding = arena_alloc(&ret->arena, attributes->count * sizeof *ret->coding);
	for (size_t a = 0; a < attributes->count; a++) {
		const struct attribute *attribute = attributes->items + a;
		struct feature_coding *coding = ret->coding + a;
		*coding =
		    (struct feature_coding){.name = attribute->name, .numeric = attribute->numeric, .first_column = columns};
		if (attribute->numeric) {
			coding->columns = 2;
			standardise(attribute->number, row_of, &ret->train, coding);
		} else {
			coding->columns = attribute->levels.count + 1;
			coding->levels = level_names(attribute, coding->columns, &ret->arena);
		}
		columns += coding->columns;
	}
	return columns;
}

static void put(struct csr *features, size_t *at, size_t column, float value) {
	features->column[*at] = (uint32_t)column;
	features->value[(*at)++] = value;
}

static bool put_number(struct csr *features, size_t *at, const struct feature_coding *coding, double number,
                       struct error *error) {
	if (isnan(number)) {
		put(features, at, coding->first_column + 1, 1);
		return true;
	}
	float value = (float)((number - coding->mean) / coding->deviation);
	if (!isfinite(value)) {
		return error_set(error, ERROR_DATA, "the number \"%g\" of \"%s\" is too large to be standardised", number,
		                 coding->name);
	}
	if (value != 0) {
		put(features, at, coding->first_column, value);
	}
	return true;
}

// The levels of a cell, ascending and each once, however they were written.
static void put_levels(struct csr *features, size_t *at, const struct feature_coding *coding, const uint32_t *level,
                       size_t count) {
	size_t first = *at;
	for (size_t i = 0; i < count; i++) {
		uint32_t column = (uint32_t)(coding->first_column + level[i]);
		size_t place = *at;
		while (place > first && features->column[place - 1] > column) {
			place--;
		}
		if (place > first && features->column[place - 1] == column) {
			continue;
		}
		put(features, at, column, 1);
		for (size_t j = *at - 1; j > place; j--) {
			features->column[j] = features->column[j - 1];
		}
		features->column[place] = column;
	}
}

static bool put_row(const struct attributes *attributes, size_t from, const struct feature_coding *coding,
                    struct csr *features, size_t *at, struct error *error) {
	for (size_t a = 0; a < attributes->count; a++) {
		const struct attribute *attribute = attributes->items + a;
		if (!attribute->numeric) {
			put_levels(features, at, coding + a, attribute->level + attribute->start[from],
			           attribute->start[from + 1] - attribute->start[from]);
		} else if (!put_number(features, at, coding + a, attribute->number[from], error)) {
			return false;
		}
	}
	return true;
}

// The most that the rows can hold: a number is one entry (or its indicator), a cell as many as it has levels.
static size_t count_most(const struct attributes *attributes, const uint32_t *row_of, size_t rows) {
	size_t most = 0;
	for (size_t a = 0; a < attributes->count; a++) {
		const struct attribute *attribute = attributes->items + a;
		for (size_t row = 0; row < rows; row++) {
			most += attribute->numeric ? 1 : attribute->start[row_of[row] + (size_t)1] - attribute->start[row_of[row]];
		}
	}
	return most;
}

bool coding_create(const struct attributes *attributes, const uint32_t *row_of, struct matrices *ret,
                   struct error *error) {
	if (attributes->count == 0) {
		return true;
	}
	struct csr *features = &ret->features;
	size_t rows = ret->train.rows, most = count_most(attributes, row_of, rows);
	*features = (struct csr){.rows = rows, .columns = lay_out(attributes, row_of, ret)};
	if (features->columns > UINT32_MAX) {
		return error_set(error, ERROR_DATA, "side information of \"%zu\" columns is more than %u", features->columns,
		                 UINT32_MAX);
	}
	features->column = memory_array(most, sizeof *features->column, "columns of side information", error);
	features->value = features->column ? memory_array(most, sizeof *features->value, "side information", error) : NULL;
	features->start =
	    features->value ? memory_array(rows + 1, sizeof *features->start, "rows of side information", error) : NULL;
	if (!features->start) {
		return false;
	}
	size_t at = 0;
	for (size_t row = 0; row < rows; row++) {
		assert(row_of[row] < attributes->rows);
		if (!put_row(attributes, row_of[row], ret->coding, features, &at, error)) {
			return false;
		}
		features->start[row + 1] = at;
	}
	return true;
}
