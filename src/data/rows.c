// Ratings are looked at in runs that several threads take. Where they come row by row, as in most files, those of a
// part are written one behind the other, and a row begins where its number changes. Otherwise a counting sort places
// them: every run counts its entries of each row, and the sums over rows and runs are where it puts them. In both cases
// entries stand in the order of the data set, whatever the runs; the columns of each row are sorted at the end.
#include "data/rows.h"

#include "base/pool.h"
#include "data/big_array.h"
#include "data/buckets.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	RUN_LEAST = 1 << 16, // ratings of a run, at least
	RUNS_MOST = 256,
	COUNTS_SHARE = 8, // of the counting sort: at most one count for so many ratings
};

struct run {
	size_t first, count;          // entries of the part: the first one's place, and how many
	uint32_t first_row, last_row; // of them
};

struct placing {
	const struct rows *rows;
	const float *rating;
	size_t count;     // ratings of the data set
	size_t run_count; // of a run
	size_t runs;
	struct run *run; // (runs)
	struct csr *csr;
	atomic_bool mixed; // rows do not come one after the other
	uint32_t *counts;  // (runs, rows) of the counting sort: entries of the row, and then those before the run's own
};

static size_t run_end(const struct placing *placing, size_t run) {
	size_t end = (run + 1) * placing->run_count;
	return end < placing->count ? end : placing->count;
}

// At most so many runs.
static void cut(struct placing *placing, size_t most) {
	size_t count = placing->count / (most < 1 ? 1 : most) + 1;
	placing->run_count = count < RUN_LEAST ? RUN_LEAST : count;
	placing->runs = placing->count / placing->run_count + 1;
}

// All that an entry is made from, and where it goes. Each run has its own: bytes that are written could else be any of
// it, and it would be read again for every entry.
struct writer {
	const uint8_t *part;
	uint8_t wanted;
	struct rows_axis row, column;
	const float *rating;
	const double *thresholds, *values;
	size_t levels;
	double low, range; // of the scale; range 0: none
	float liked_above;
	uint32_t *to_column;
	float *to_value;
	uint8_t *to_liked;
};

static struct writer writer_of(const struct placing *placing) {
	const struct rows *rows = placing->rows;
	const struct matrices *m = rows->matrices;
	return (struct writer){
	    .part = rows->part,
	    .wanted = rows->wanted,
	    .row = rows->row,
	    .column = rows->column,
	    .rating = placing->rating,
	    .thresholds = m->thresholds,
	    .values = m->values,
	    .levels = m->levels,
	    .low = m->scale_low,
	    .range = m->scale_high - m->scale_low,
	    .liked_above = (float)m->liked,
	    .to_column = placing->csr->column,
	    .to_value = placing->csr->value,
	    .to_liked = placing->csr->liked,
	};
}

static inline bool takes(const struct writer *writer, size_t i) {
	return writer->part[i] == writer->wanted;
}

static inline uint32_t on_axis(const struct rows_axis *axis, size_t i) {
	return axis->index[axis->id[i]];
}

// What a rating becomes.
static inline float value_of(const struct writer *writer, float rating) {
	if (writer->levels > 0) {
		return (float)writer->values[bucket_of(writer->thresholds, writer->levels, rating)];
	}
	return writer->range > 0 ? (float)(((double)rating - writer->low) / writer->range) : rating;
}

static inline void put(const struct writer *writer, size_t i, size_t at) {
	float rating = writer->rating[i];
	writer->to_column[at] = on_axis(&writer->column, i);
	writer->to_value[at] = value_of(writer, rating);
	writer->to_liked[at] = rating > writer->liked_above;
}

// --- Row by row ---

static void count_run(void *context, size_t k) {
	struct placing *placing = context;
	const struct writer writer = writer_of(placing);
	const uint32_t *id = writer.row.id; // ascends as the rows do
	size_t start = k * placing->run_count, end = run_end(placing, k), count = 0;
	uint32_t falls = 0;
	for (size_t i = start; i < end; i++) {
		count += takes(&writer, i);
	}
	for (size_t i = start > 0 ? start : 1; i < end; i++) {
		falls |= id[i] < id[i - 1];
	}
	placing->run[k].count = count;
	if (falls) {
		atomic_store_explicit(&placing->mixed, true, memory_order_relaxed);
	}
}

static void fill_run(void *context, size_t k) {
	const struct placing *placing = context;
	const struct writer writer = writer_of(placing);
	size_t *start = placing->csr->start;
	struct run *run = &placing->run[k];
	size_t at = run->first, end = at + run->count;
	uint32_t row = 0;
	for (size_t i = k * placing->run_count; at < end; i++) {
		if (!takes(&writer, i)) {
			continue;
		}
		uint32_t next = on_axis(&writer.row, i);
		if (at == run->first) {
			run->first_row = row = next;
		}
		while (row < next) {
			start[++row] = at;
		}
		put(&writer, i, at++);
	}
	run->last_row = row;
}

// Rows that begin with a run's first entry, or that no entry follows: fill_run knows only what lies within a run.
static void bound_between(const struct placing *placing) {
	size_t row = 0, at = 0;
	for (size_t k = 0; k < placing->runs; k++) {
		const struct run *run = &placing->run[k];
		if (run->count == 0) {
			continue;
		}
		while (row < run->first_row) {
			placing->csr->start[++row] = run->first;
		}
		row = run->last_row;
		at = run->first + run->count;
	}
	while (row < placing->csr->rows) {
		placing->csr->start[++row] = at;
	}
}

// --- Mixed rows ---

static void count_rows(void *context, size_t k) {
	const struct placing *placing = context;
	const struct writer writer = writer_of(placing);
	uint32_t *counts = placing->counts + k * placing->csr->rows;
	size_t end = run_end(placing, k);
	for (size_t i = k * placing->run_count; i < end; i++) {
		if (takes(&writer, i)) {
			counts[on_axis(&writer.row, i)]++;
		}
	}
}

static void add_up(const struct placing *placing) {
	size_t *start = placing->csr->start, rows = placing->csr->rows;
	for (size_t row = 0; row < rows; row++) {
		uint32_t sum = 0;
		for (size_t k = 0; k < placing->runs; k++) {
			uint32_t here = placing->counts[k * rows + row];
			placing->counts[k * rows + row] = sum;
			sum += here;
		}
		start[row + 1] = start[row] + sum;
	}
}

static void place_run(void *context, size_t k) {
	const struct placing *placing = context;
	const struct writer writer = writer_of(placing);
	const size_t *start = placing->csr->start;
	uint32_t *counts = placing->counts + k * placing->csr->rows;
	size_t end = run_end(placing, k);
	for (size_t i = k * placing->run_count; i < end; i++) {
		if (takes(&writer, i)) {
			uint32_t row = on_axis(&writer.row, i);
			put(&writer, i, start[row] + counts[row]++);
		}
	}
}

static bool place_mixed(struct placing *placing, struct error *error) {
	struct pool *pool = placing->rows->matrices->dataset->pool;
	size_t rows = placing->csr->rows;
	cut(placing, placing->count / COUNTS_SHARE / (rows + 1));
	placing->counts = memory_array(placing->runs * rows, sizeof *placing->counts, "counts of rows", error);
	if (!placing->counts) {
		return false;
	}
	pool_run(pool, placing->runs, count_rows, placing);
	add_up(placing);
	pool_run(pool, placing->runs, place_run, placing);
	free(placing->counts);
	return true;
}

// --- Both ---

static size_t count_entries(struct placing *placing) {
	size_t total = 0;
	pool_run(placing->rows->matrices->dataset->pool, placing->runs, count_run, placing);
	for (size_t k = 0; k < placing->runs; k++) {
		placing->run[k].first = total;
		total += placing->run[k].count;
	}
	return total;
}

static bool fill(struct placing *placing, struct error *error) {
	if (placing->mixed) {
		return place_mixed(placing, error);
	}
	pool_run(placing->rows->matrices->dataset->pool, placing->runs, fill_run, placing);
	bound_between(placing);
	return true;
}

bool rows_build(const struct rows *rows, struct csr *ret, struct error *error) {
	const struct dataset *dataset = rows->matrices->dataset;
	struct csr csr = {0};
	struct placing placing = {.rows = rows, .rating = dataset->rating, .count = dataset->count, .csr = &csr};
	cut(&placing, RUNS_MOST);
	placing.run = memory_alloc(placing.runs * sizeof *placing.run);
	size_t count = count_entries(&placing);
	bool built = csr_allocate(rows->row.count, rows->column.count, count, true, &csr, error) && fill(&placing, error) &&
	             csr_sort(dataset->pool, &csr, error);
	free(placing.run);
	if (!built) {
		csr_finish(&csr);
		return false;
	}
	*ret = csr;
	return true;
}
