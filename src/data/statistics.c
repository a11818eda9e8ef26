// What `aexp data` prints, as numbers: the data after filter, buckets and split.
#include "data/buckets.h"
#include "data/data.h"
#include "data/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HISTOGRAM_MOST = 20 }; // distinct values, or bins where there are more

// Filter and split remove whole users and items, and the filter low ratings: any other is left where both of its sides
// are.
struct kept {
	const struct matrices *matrices;
	const struct filter_config *filter;
	uint8_t *user, *item; // (dataset users), (dataset items)
};

static bool kept_init(const struct matrices *m, const struct filter_config *filter, struct kept *kept,
                      struct error *error) {
	*kept = (struct kept){.matrices = m, .filter = filter};
	kept->user = memory_array(m->dataset->users.count, 1, "kept users", error);
	kept->item = kept->user ? memory_array(m->dataset->items.count, 1, "kept items", error) : NULL;
	if (!kept->item) {
		free(kept->user);
		return false;
	}
	for (size_t i = 0; i < m->users; i++) {
		kept->user[m->user_of[i]] = 1;
	}
	for (size_t i = 0; i < m->items; i++) {
		kept->item[m->item_of[i]] = 1;
	}
	return true;
}

static bool kept_rating(const struct kept *kept, size_t i) {
	const struct dataset *dataset = kept->matrices->dataset;
	return kept->user[dataset->user[i]] && kept->item[dataset->item[i]] &&
	       filter_keeps(kept->filter, dataset->rating[i]);
}

static void summarise(const struct kept *kept, struct data_statistics *ret) {
	const struct matrices *m = kept->matrices;
	double sum = 0;
	ret->users = m->users;
	ret->items = m->items;
	ret->minimum = INFINITY;
	ret->maximum = -INFINITY;
	for (size_t i = 0; i < m->dataset->count; i++) {
		if (kept_rating(kept, i)) {
			double rating = (double)m->dataset->rating[i];
			sum += rating;
			ret->minimum = fmin(ret->minimum, rating);
			ret->maximum = fmax(ret->maximum, rating);
			ret->ratings++;
		}
	}
	ret->mean = sum / (double)ret->ratings;
	ret->density = (double)ret->ratings / ((double)ret->users * (double)ret->items);
}

// How many of the ids have exactly 1, exactly 2, and 3 or more ratings that are left.
static bool count_by(const struct kept *kept, const uint32_t *id, size_t ids, size_t ret_with[3], struct error *error) {
	uint32_t *ratings = memory_array(ids, sizeof *ratings, "ratings of users or items", error);
	if (!ratings) {
		return false;
	}
	for (size_t i = 0; i < kept->matrices->dataset->count; i++) {
		ratings[id[i]] += kept_rating(kept, i);
	}
	for (size_t i = 0; i < ids; i++) {
		if (ratings[i] > 0) {
			ret_with[ratings[i] < 3 ? ratings[i] - 1 : 2]++;
		}
	}
	free(ratings);
	return true;
}

// Counts a value among at most HISTOGRAM_MOST distinct ones, ascending; false when it would be one more.
static bool count_distinct(double value, struct data_statistics *ret) {
	size_t place = 0, count = ret->histogram_count;
	while (place < count && ret->histogram_value[place] < value) {
		place++;
	}
	if (place == count || ret->histogram_value[place] > value) {
		if (count == HISTOGRAM_MOST) {
			return false;
		}
		memmove(ret->histogram_value + place + 1, ret->histogram_value + place, (count - place) * sizeof(double));
		memmove(ret->histogram + place + 1, ret->histogram + place, (count - place) * sizeof(size_t));
		ret->histogram_value[place] = value + 0.0; // -0 counts as 0
		ret->histogram[place] = 0;
		ret->histogram_count++;
	}
	ret->histogram[place]++;
	return true;
}

// The bin whose lower edge is the last one not above the value; the division alone may be off by one at an edge.
static size_t bin_of(const struct data_statistics *s, double value) {
	double width = (s->maximum - s->minimum) / HISTOGRAM_MOST;
	size_t bin = (size_t)fmin((value - s->minimum) / width, HISTOGRAM_MOST - 1);
	while (bin + 1 < HISTOGRAM_MOST && value >= s->histogram_value[bin + 1]) {
		bin++;
	}
	while (bin > 0 && value < s->histogram_value[bin]) {
		bin--;
	}
	return bin;
}

static void count_binned(const struct kept *kept, struct data_statistics *ret) {
	ret->histogram_binned = true;
	ret->histogram_count = HISTOGRAM_MOST;
	for (size_t bin = 0; bin < HISTOGRAM_MOST; bin++) {
		ret->histogram_value[bin] = ret->minimum + (ret->maximum - ret->minimum) * (double)bin / HISTOGRAM_MOST;
		ret->histogram[bin] = 0;
	}
	for (size_t i = 0; i < kept->matrices->dataset->count; i++) {
		if (kept_rating(kept, i)) {
			ret->histogram[bin_of(ret, (double)kept->matrices->dataset->rating[i])]++;
		}
	}
}

static bool make_histogram(const struct kept *kept, struct data_statistics *ret, struct error *error) {
	ret->histogram_value = memory_array(HISTOGRAM_MOST, sizeof *ret->histogram_value, "histogram", error);
	ret->histogram =
	    ret->histogram_value ? memory_array(HISTOGRAM_MOST, sizeof *ret->histogram, "histogram", error) : NULL;
	if (!ret->histogram) {
		return false;
	}
	const struct dataset *dataset = kept->matrices->dataset;
	for (size_t i = 0; i < dataset->count; i++) {
		if (kept_rating(kept, i) && !count_distinct((double)dataset->rating[i], ret)) {
			count_binned(kept, ret);
			break;
		}
	}
	return true;
}

static bool count_buckets(const struct kept *kept, struct data_statistics *ret, struct error *error) {
	const struct matrices *m = kept->matrices;
	if (m->levels == 0) {
		return true;
	}
	ret->bucket_value = memory_array(m->levels, sizeof *ret->bucket_value, "buckets", error);
	ret->bucket = ret->bucket_value ? memory_array(m->levels, sizeof *ret->bucket, "buckets", error) : NULL;
	if (!ret->bucket) {
		return false;
	}
	ret->buckets = m->levels;
	memcpy(ret->bucket_value, m->values, m->levels * sizeof *m->values);
	for (size_t i = 0; i < m->dataset->count; i++) {
		if (kept_rating(kept, i)) {
			ret->bucket[bucket_of(m->thresholds, m->levels, m->dataset->rating[i])]++;
		}
	}
	return true;
}

// Marks with `bit` the rows and columns that have an entry.
static void mark(const struct csr *csr, uint8_t bit, uint8_t *row_marks, uint8_t *column_marks) {
	for (size_t row = 0; csr->start && row < csr->rows; row++) {
		for (size_t i = csr->start[row]; i < csr->start[row + 1]; i++) {
			row_marks[row] |= bit;
			column_marks[csr->column[i]] |= bit;
		}
	}
}

enum { MARK_KNOWN = 1, MARK_ASKED = 2 };

// Things with an entry in the part, and those of them without one that is known.
static void count_marks(const uint8_t *marks, size_t count, size_t *ret_asked, size_t *ret_cold) {
	for (size_t i = 0; i < count; i++) {
		*ret_asked += (marks[i] & MARK_ASKED) != 0;
		*ret_cold += marks[i] == MARK_ASKED;
	}
}

// marks: (rows + columns) of scratch. A held-out row is known by its input; a column only by the training of others.
static void count_part(const struct matrices *m, size_t part, uint8_t *marks, struct data_statistics *ret) {
	const struct part *evaluated = part == PART_VALID ? &m->valid : &m->test;
	const struct csr *target = part == PART_TRAIN ? &m->train : &evaluated->target;
	uint8_t *row_marks = marks, *column_marks = marks + m->train.rows;
	memset(marks, 0, m->users + m->items);
	mark(&m->train, MARK_KNOWN, row_marks, column_marks);
	mark(target, MARK_ASKED, row_marks, column_marks);
	for (size_t row = 0; part != PART_TRAIN && evaluated->own_input.start && row < m->train.rows; row++) {
		row_marks[row] |= evaluated->own_input.start[row] < evaluated->own_input.start[row + 1] ? MARK_KNOWN : 0;
	}
	const uint8_t *users = m->items_as_rows ? column_marks : row_marks;
	const uint8_t *items = m->items_as_rows ? row_marks : column_marks;
	ret->part[part].ratings = csr_count(target);
	count_marks(users, m->users, &ret->part[part].users, &ret->part[part].cold_users);
	count_marks(items, m->items, &ret->part[part].items, &ret->part[part].cold_items);
}

static bool count_parts(const struct matrices *m, struct data_statistics *ret, struct error *error) {
	uint8_t *marks = memory_array(m->users + m->items, 1, "marks of users and items", error);
	for (size_t part = 0; marks && part < PARTS; part++) {
		count_part(m, part, marks, ret);
	}
	free(marks);
	ret->input_ratings = m->input_count;
	return marks != NULL;
}

bool data_statistics(const struct data_config *config, const struct matrices *matrices, struct data_statistics *ret,
                     struct error *error) {
	const struct dataset *dataset = matrices->dataset;
	struct kept kept;
	*ret = (struct data_statistics){0};
	if (!kept_init(matrices, config->filter, &kept, error)) {
		return false;
	}
	summarise(&kept, ret);
	bool done = count_by(&kept, dataset->user, dataset->users.count, ret->users_with, error) &&
	            count_by(&kept, dataset->item, dataset->items.count, ret->items_with, error) &&
	            make_histogram(&kept, ret, error) && count_buckets(&kept, ret, error) &&
	            count_parts(matrices, ret, error);
	free(kept.user);
	free(kept.item);
	if (!done) {
		data_statistics_finish(ret);
	}
	return done;
}

void data_statistics_finish(struct data_statistics *statistics) {
	if (!statistics) {
		return;
	}
	free(statistics->histogram_value);
	free(statistics->histogram);
	free(statistics->bucket_value);
	free(statistics->bucket);
	*statistics = (struct data_statistics){0};
}
