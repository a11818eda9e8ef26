// Matrices against a naive way there: the k-core by recounting, every rating looked up by itself, features cell by
// cell.
#include "make_data.h"

#include "base/pool.h"
#include "data/filter.h"

enum { ROUNDS = 150 };

static void create(const struct made_config *c, const struct dataset *d, uint64_t seed, struct matrices *ret) {
	struct error error = {0};
	if (!matrices_create(&c->data, d, seed, ret, &error)) {
		fail_msg("%s", error.message);
	}
}

// Removes low ratings, then everything that is below the bounds, recounts, and again.
static size_t naive_core(const struct dataset *d, const struct filter_config *filter, uint8_t *kept) {
	size_t least_user = (size_t)filter->min_user_ratings, least_item = (size_t)filter->min_item_ratings, left = 0;
	for (size_t i = 0; i < d->count; i++)
		left += kept[i] = isnan(filter->above) || d->rating[i] > filter->above;
	for (bool changed = true; changed;) {
		size_t *user = make_array(d->users.count, sizeof *user), *item = make_array(d->items.count, sizeof *item);
		for (size_t i = 0; i < d->count; i++) {
			user[d->user[i]] += kept[i];
			item[d->item[i]] += kept[i];
		}
		changed = false;
		for (size_t i = 0; i < d->count; i++) {
			if (kept[i] && (user[d->user[i]] < least_user || item[d->item[i]] < least_item)) {
				kept[i] = 0;
				left--;
				changed = true;
			}
		}
		free(user);
		free(item);
	}
	return left;
}

static void filter_is_the_core(void **state) {
	(void)state;
	struct dice dice = dice_make(11);
	size_t empty = 0, whole = 0;
	for (size_t round = 0; round < ROUNDS; round++) {
		struct dataset d = make_dataset(&dice, 15, 15, 1 + dice_throw(&dice, 150));
		struct filter_config filter = {(int64_t)dice_throw(&dice, 6), (int64_t)dice_throw(&dice, 6),
		                               round % 2 ? (double)dice_throw(&dice, 6) : NAN};
		uint8_t *kept = make_array(d.count, 1), *part = make_array(d.count, 1);
		size_t left = naive_core(&d, &filter, kept);
		struct error error = {0};
		assert_true(filter_apply(&filter, &d, part, &error) == (left > 0));
		for (size_t i = 0; i < d.count; i++) {
			assert_int_equal(part[i], kept[i] ? PART_TRAIN : SPLIT_DROPPED);
		}
		empty += left == 0;
		whole += left == d.count;
		free(kept);
		free(part);
		free_dataset(&d);
	}
	assert_true(empty > 0 && whole > 0 && empty + whole < ROUNDS);
}

static const struct csr *find(const struct csr *csr, size_t row, size_t column, size_t *ret) {
	for (size_t i = csr->start ? csr->start[row] : 1; csr->start && i < csr->start[row + 1]; i++) {
		if (csr->column[i] == column) {
			*ret = i;
			return csr;
		}
	}
	return NULL;
}

static size_t index_of(const uint32_t *of, size_t count, uint32_t id) {
	for (size_t i = 0; i < count; i++) {
		if (of[i] == id)
			return i;
	}
	return SIZE_MAX;
}

// Users and items with a rating that is left, in the order of the data set.
static void check_numbers(const uint32_t *of, size_t count, const uint32_t *id, const uint8_t *kept, size_t ratings) {
	for (size_t i = 0; i < count; i++) {
		assert_true(i == 0 || of[i - 1] < of[i]);
		size_t seen = 0;
		for (size_t r = 0; r < ratings; r++) {
			seen += kept[r] && id[r] == of[i];
		}
		assert_true(seen > 0);
	}
	for (size_t r = 0; r < ratings; r++) {
		assert_true(!kept[r] || index_of(of, count, id[r]) < count);
	}
}

static float naive_value(const struct made_config *c, float rating) {
	if (!c->data.buckets) {
		return rating;
	}
	for (size_t i = 0; i < c->buckets.thresholds.count; i++) {
		if (rating <= (float)c->buckets.thresholds.items[i]) {
			return (float)c->buckets.values.items[i];
		}
	}
	return (float)c->buckets.values.items[c->buckets.values.count - 1];
}

static bool naive_liked(const struct made_config *c, float rating) {
	if (!isnan(c->data.liked)) {
		return rating > (float)c->data.liked;
	}
	return !c->data.buckets || rating > (float)c->buckets.thresholds.items[c->buckets.thresholds.count - 1];
}

// Each rating that is left lies in exactly the matrix of its part, at its place, with its value.
static void check_entries(const struct made_config *c, const struct matrices *m, const struct assignment *a) {
	const struct dataset *d = m->dataset;
	const struct csr *all[] = {&m->train, &m->valid.target, &m->test.target, &m->valid.own_input, &m->test.own_input};
	const uint8_t part[] = {PART_TRAIN, PART_VALID, PART_TEST, PART_VALID | SPLIT_INPUT, PART_TEST | SPLIT_INPUT};
	size_t total = 0, left = 0;
	for (size_t i = 0; i < d->count; i++) {
		size_t user = index_of(m->user_of, m->users, d->user[i]), item = index_of(m->item_of, m->items, d->item[i]), at;
		left += a->part[i] != SPLIT_DROPPED;
		for (size_t k = 0; k < 5 && a->part[i] != SPLIT_DROPPED; k++) {
			const struct csr *in = find(all[k], m->items_as_rows ? item : user, m->items_as_rows ? user : item, &at);
			assert_true((in != NULL) == (a->part[i] == part[k]));
			if (in) {
				assert_true(in->value[at] == naive_value(c, d->rating[i]));
				assert_int_equal(in->liked[at], naive_liked(c, d->rating[i]));
			}
		}
	}
	for (size_t k = 0; k < 5; k++) {
		total += csr_count(all[k]);
		assert_true(!all[k]->start || all[k]->rows == (m->items_as_rows ? m->items : m->users));
		assert_true(!all[k]->start || all[k]->columns == (m->items_as_rows ? m->users : m->items));
	}
	assert_int_equal(total, left);
}

static void check_parts(const struct matrices *m, const struct assignment *a) {
	assert_true((m->valid.target.start != NULL) == a->exists[PART_VALID]);
	assert_true((m->test.target.start != NULL) == a->exists[PART_TEST]);
	if (a->exists[PART_VALID]) {
		assert_ptr_equal(m->valid.input, a->fold_in ? &m->valid.own_input : &m->train);
	}
	assert_int_equal(m->input_count, csr_count(&m->valid.own_input) + csr_count(&m->test.own_input));
	for (size_t row = 0; row < m->train.rows; row++) {
		assert_int_equal(m->row_trained[row], m->items_as_rows || a->held_out[m->user_of[row]] == PART_TRAIN);
	}
}

static void throw_split(struct dice *dice, struct made_config *c) {
	c->shares = (struct split_shares){SPLIT_SEED_OF_RUN, 0.1, 0.2};
	c->users = (struct split_users){SPLIT_SEED_OF_RUN, 0.1, 0.2, 0.7};
	c->leave_one_out.order.row = &make_order_time;
	const struct {
		const struct split *kind;
		void *params;
	} kinds[] = {{&split_ratio_kind, &c->shares},
	             {&split_per_user_kind, &c->shares},
	             {&split_time_kind, &c->shares},
	             {&split_leave_one_out_kind, &c->leave_one_out},
	             {NULL, NULL},
	             {&split_users_kind, &c->users}};
	size_t which = dice_throw(dice, c->data.rows.row == &make_rows_items ? 5 : 6);
	if (kinds[which].kind) {
		make_split(c, kinds[which].kind, kinds[which].params);
	}
}

static double thresholds[] = {-0.5, 3.5}, values[] = {0.1, 0, 1};

static void throw_config(struct dice *dice, struct made_config *c) {
	make_config(c);
	c->filter = (struct filter_config){(int64_t)dice_throw(dice, 4), (int64_t)dice_throw(dice, 4),
	                                   dice_throw(dice, 2) ? (double)dice_throw(dice, 3) / 2 - 1 : NAN};
	c->data.rows.row = dice_throw(dice, 2) ? &make_rows_items : &make_rows_users;
	c->buckets.thresholds = (struct reals){thresholds, 2, true};
	c->buckets.values = (struct reals){values, 3, true};
	c->data.buckets = dice_throw(dice, 2) ? &c->buckets : NULL;
	c->data.liked = dice_throw(dice, 2) ? 2 : NAN;
	throw_split(dice, c);
}

static void matrices_hold_every_rating_once(void **state) {
	(void)state;
	struct dice dice = dice_make(12);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct matrices m;
		struct dataset d = make_dataset(&dice, 20, 20, 150 + dice_throw(&dice, 150));
		struct assignment a = {.dataset = &d, .seed = round};
		uint8_t *kept = make_array(d.count, 1);
		throw_config(&dice, &c);
		a.part = make_array(d.count, 1);
		a.held_out = make_array(d.users.count, 1);
		naive_core(&d, &c.filter, kept);
		for (size_t i = 0; i < d.count; i++) {
			a.part[i] = kept[i] ? PART_TRAIN : SPLIT_DROPPED;
		}
		assert_true(split_assign(&c.data, &a, NULL));
		create(&c, &d, round, &m);
		check_numbers(m.user_of, m.users, d.user, kept, d.count);
		check_numbers(m.item_of, m.items, d.item, kept, d.count);
		check_entries(&c, &m, &a);
		check_parts(&m, &a);
		matrices_finish(&m);
		free(kept);
		free(a.part);
		free(a.held_out);
		free_dataset(&d);
	}
}

static void assert_same(const struct csr *a, const struct csr *b) {
	assert_int_equal(a->rows, b->rows);
	assert_int_equal(a->columns, b->columns);
	assert_true((a->start != NULL) == (b->start != NULL));
	if (a->start) {
		assert_memory_equal(a->start, b->start, (a->rows + 1) * sizeof *a->start);
		assert_memory_equal(a->column, b->column, csr_count(a) * sizeof *a->column);
		assert_memory_equal(a->value, b->value, csr_count(a) * sizeof *a->value);
	}
	if (a->liked) {
		assert_memory_equal(a->liked, b->liked, csr_count(a));
	}
}

static void assert_turned(const struct csr *a, const struct csr *b) {
	struct csr turned;
	assert_true(csr_transpose(a, &turned, NULL));
	assert_same(&turned, b);
	csr_finish(&turned);
}

// rows = "items" is rows = "users" turned over after the split; the same call twice gives the same bytes.
static void items_as_rows_turn_everything_over(void **state) {
	(void)state;
	struct dice dice = dice_make(13);
	struct made_config c;
	struct matrices users, again, items;
	struct dataset d = make_dataset(&dice, 20, 15, 200);
	make_config(&c);
	c.shares = (struct split_shares){SPLIT_SEED_OF_RUN, 0.1, 0.2};
	make_split(&c, &split_per_user_kind, &c.shares);
	create(&c, &d, 7, &users);
	create(&c, &d, 7, &again);
	c.data.rows.row = &make_rows_items;
	create(&c, &d, 7, &items);
	assert_same(&users.train, &again.train);
	assert_same(&users.test.target, &again.test.target);
	assert_true(items.items_as_rows && !users.items_as_rows);
	assert_turned(&users.train, &items.train);
	assert_turned(&users.valid.target, &items.valid.target);
	assert_turned(&users.test.target, &items.test.target);
	matrices_finish(&users);
	matrices_finish(&again);
	matrices_finish(&items);
	free_dataset(&d);
}

enum { LARGE_USERS = 3000, LARGE_ITEMS = 700, LARGE_DRAWN = 400000 }; // several runs of ratings

// The same ratings, those of a user one behind the other.
static struct dataset grouped_by_user(const struct dataset *from) {
	struct dataset d = {.users.count = from->users.count, .items.count = from->items.count, .count = from->count};
	size_t *start = make_array(d.users.count + 1, sizeof *start);
	d.user = make_array(d.count, sizeof *d.user);
	d.item = make_array(d.count, sizeof *d.item);
	d.rating = make_array(d.count, sizeof *d.rating);
	d.time = make_array(d.count, sizeof *d.time);
	for (size_t i = 0; i < d.count; i++) {
		start[from->user[i] + 1]++;
	}
	for (size_t user = 0; user < d.users.count; user++) {
		start[user + 1] += start[user];
	}
	for (size_t i = 0; i < d.count; i++) {
		size_t at = start[from->user[i]]++;
		d.user[at] = from->user[i];
		d.item[at] = from->item[i];
		d.rating[at] = from->rating[i];
		d.time[at] = from->time[i];
	}
	free(start);
	return d;
}

// Neither the order of the ratings nor the number of threads changes a matrix: the split draws by user and item.
static void order_and_threads_do_not_matter(void **state) {
	(void)state;
	struct dice dice = dice_make(15);
	struct dataset mixed = make_dataset(&dice, LARGE_USERS, LARGE_ITEMS, LARGE_DRAWN);
	struct dataset grouped = grouped_by_user(&mixed);
	struct pool *pools[] = {NULL, pool_create(2), pool_create(5)};
	struct made_config c;
	make_config(&c);
	c.filter = (struct filter_config){98, 60, NAN};
	c.shares = (struct split_shares){SPLIT_SEED_OF_RUN, 0.02, 0.3};
	make_split(&c, &split_ratio_kind, &c.shares);
	for (size_t turned = 0; turned < 2; turned++) {
		struct matrices first, m;
		c.data.rows.row = turned ? &make_rows_items : &make_rows_users;
		create(&c, &mixed, 3, &first);
		assert_true(csr_count(&first.train) > 100000 && first.users < LARGE_USERS && first.items < LARGE_ITEMS);
		for (size_t i = 0; i < 6; i++) {
			struct dataset *d = i % 2 ? &mixed : &grouped;
			d->pool = pools[i / 2];
			create(&c, d, 3, &m);
			assert_same(&first.train, &m.train);
			assert_same(&first.valid.target, &m.valid.target);
			assert_same(&first.test.target, &m.test.target);
			assert_memory_equal(first.user_of, m.user_of, m.users * sizeof *m.user_of);
			matrices_finish(&m);
		}
		mixed.pool = NULL;
		matrices_finish(&first);
	}
	pool_destroy(pools[1]);
	pool_destroy(pools[2]);
	free_dataset(&mixed);
	free_dataset(&grouped);
}

static void buckets_compare_as_float(void **state) {
	(void)state;
	double at[] = {3.7}, to[] = {0, 1};
	uint32_t user[] = {0, 0, 0}, item[] = {0, 1, 2};
	float rating[] = {3.7F, 3.8F, 3.6F}; // 3.7F is above the double 3.7
	struct dataset d = {.users.count = 1, .items.count = 3, .count = 3, .user = user, .item = item, .rating = rating};
	struct made_config c;
	struct matrices m;
	make_config(&c);
	c.buckets = (struct buckets_config){{at, 1, true}, {to, 2, true}};
	c.data.buckets = &c.buckets;
	create(&c, &d, 1, &m);
	const float expected[] = {0, 1, 0};
	assert_memory_equal(m.train.value, expected, sizeof expected);
	const uint8_t liked[] = {0, 1, 0};
	assert_memory_equal(m.train.liked, liked, sizeof liked);
	assert_int_equal(m.levels, 2);
	assert_true(m.thresholds[0] == 3.7 && m.values[1] == 1.0 && m.liked == 3.7);
	assert_null(m.valid.target.start);
	assert_null(m.features.start);
	matrices_finish(&m);
	matrices_finish(&m);
	matrices_finish(NULL);
}

// Levels named "a", "b", ... as ids.c lays them out.
static void name_levels(struct attribute *attribute, size_t count) {
	attribute->levels.count = count;
	attribute->levels.offset = make_array(count, sizeof *attribute->levels.offset);
	attribute->levels.bytes = make_array(2 * count, 1);
	for (size_t i = 0; i < count; i++) {
		attribute->levels.offset[i] = (uint32_t)(2 * i);
		attribute->levels.bytes[2 * i] = (char)('a' + i);
	}
}

enum { CELL_MOST = 4 };

// A cell holds up to CELL_MOST levels in any order, some of them twice.
static void throw_levels(struct dice *dice, struct attribute *attribute, size_t rows, bool many) {
	size_t levels = dice_throw(dice, 6), at = 0;
	name_levels(attribute, levels);
	attribute->start = make_array(rows + 1, sizeof *attribute->start);
	attribute->level = make_array(rows * CELL_MOST, sizeof *attribute->level);
	for (size_t row = 0; row < rows; row++) {
		size_t cells = many ? 1 + dice_throw(dice, CELL_MOST) : 1;
		for (size_t i = 0; i < cells; i++) {
			attribute->level[at++] = (uint32_t)dice_throw(dice, levels + 1);
		}
		attribute->start[row + 1] = at;
	}
}

static void throw_attributes(struct dice *dice, struct attributes *attributes, size_t rows) {
	attributes->rows = rows;
	attributes->count = 1 + dice_throw(dice, 5);
	attributes->items = make_array(attributes->count, sizeof *attributes->items);
	for (size_t a = 0; a < attributes->count; a++) {
		struct attribute *attribute = attributes->items + a;
		attribute->name = "attribute";
		attribute->numeric = dice_throw(dice, 2) != 0;
		if (!attribute->numeric) {
			throw_levels(dice, attribute, rows, dice_throw(dice, 2) != 0);
			continue;
		}
		attribute->number = make_array(rows, sizeof *attribute->number);
		double spread = dice_throw(dice, 3) == 0 ? 0 : 1; // a column of one value has no deviation
		for (size_t row = 0; row < rows; row++) {
			attribute->number[row] = dice_throw(dice, 4) == 0 ? NAN : 0.1 + spread * (double)dice_throw(dice, 5);
		}
	}
}

// The cell of one attribute as a dense row of its columns.
static void naive_features(const struct attribute *attribute, const struct matrices *m, size_t from,
                           const uint32_t *row_of, double *dense) {
	if (!attribute->numeric) {
		for (size_t i = attribute->start[from]; i < attribute->start[from + 1]; i++) {
			dense[attribute->level[i]] = 1;
		}
		return;
	}
	double n = 0, sum = 0, squares = 0;
	for (size_t row = 0; row < m->train.rows; row++) {
		double x = attribute->number[row_of[row]];
		if (m->train.start[row + 1] > m->train.start[row] && !isnan(x)) {
			n++, sum += x, squares += x * x;
		}
	}
	double mean = n > 0 ? sum / n : 0, variance = n > 0 ? squares / n - mean * mean : 0;
	double deviation = variance > 1e-9 ? sqrt(variance) : 1;
	dense[0] = isnan(attribute->number[from]) ? 0 : (attribute->number[from] - mean) / deviation;
	dense[1] = isnan(attribute->number[from]);
}

static void check_features(const struct attributes *attributes, const struct matrices *m) {
	const uint32_t *row_of = m->items_as_rows ? m->item_of : m->user_of;
	double *dense = make_array(m->features.columns, sizeof *dense);
	size_t columns = 0;
	for (size_t row = 0; row < m->features.rows; row++) {
		memset(dense, 0, m->features.columns * sizeof *dense);
		for (size_t a = 0; a < attributes->count; a++) {
			naive_features(attributes->items + a, m, row_of[row], row_of, dense + m->coding[a].first_column);
		}
		for (size_t i = m->features.start[row]; i < m->features.start[row + 1]; i++) {
			assert_true(i == m->features.start[row] || m->features.column[i - 1] < m->features.column[i]);
			assert_true(m->features.value[i] != 0);
			assert_true(fabs(dense[m->features.column[i]] - (double)m->features.value[i]) < 1e-5);
			dense[m->features.column[i]] = 0;
		}
		for (size_t column = 0; column < m->features.columns; column++) {
			assert_true(fabs(dense[column]) < 1e-6);
		}
	}
	for (size_t a = 0; a < m->coding_count; a++) {
		assert_int_equal(m->coding[a].first_column, columns);
		columns += m->coding[a].columns;
		assert_int_equal(m->coding[a].columns,
		                 attributes->items[a].numeric ? 2 : attributes->items[a].levels.count + 1);
	}
	assert_int_equal(columns, m->features.columns);
	free(dense);
}

static void side_information_is_coded(void **state) {
	(void)state;
	struct dice dice = dice_make(14);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct matrices m;
		struct dataset d = make_dataset(&dice, 20, 20, 150 + dice_throw(&dice, 150));
		throw_attributes(&dice, &d.user_attributes, d.users.count);
		throw_attributes(&dice, &d.item_attributes, d.items.count);
		throw_config(&dice, &c);
		create(&c, &d, round, &m);
		assert_int_equal(m.features.rows, m.train.rows);
		check_features(m.items_as_rows ? &d.item_attributes : &d.user_attributes, &m);
		matrices_finish(&m);
		free_dataset(&d);
	}
}

// Two users train (ages 20 and 40), one is only asked (age 90), one is missing.
static void coding_by_hand(void **state) {
	(void)state;
	uint32_t user[] = {0, 1, 2, 3}, item[] = {0, 0, 0, 0}, level[] = {2, 0, 1, 2};
	uint8_t part[] = {PART_TRAIN, PART_TRAIN, PART_TEST, PART_TEST};
	float rating[] = {1, 2, 3, 4};
	double age[] = {20, 40, 90, NAN};
	size_t start[] = {0, 1, 2, 3, 4};
	struct attribute items[] = {{.name = "skin", .start = start, .level = level},
	                            {.name = "age", .numeric = true, .number = age}};
	struct dataset d = {.users.count = 4,
	                    .items.count = 1,
	                    .count = 4,
	                    .user = user,
	                    .item = item,
	                    .rating = rating,
	                    .part = part,
	                    .user_attributes = {4, items, 2}};
	struct made_config c;
	struct matrices m;
	name_levels(&items[0], 2);
	make_config(&c);
	c.files.train = c.files.test = "x";
	make_split(&c, &split_files_kind, &c.files);
	create(&c, &d, 1, &m);
	const size_t starts[] = {0, 2, 4, 6, 8};
	const uint32_t columns[] = {2, 3, 0, 3, 1, 3, 2, 4};
	const float expected[] = {1, -1, 1, 1, 1, 6, 1, 1};
	assert_memory_equal(m.features.start, starts, sizeof starts);
	assert_memory_equal(m.features.column, columns, sizeof columns);
	assert_memory_equal(m.features.value, expected, sizeof expected);
	assert_true(m.coding[1].mean == 30 && m.coding[1].deviation == 10);
	assert_string_equal(m.coding[0].name, "skin");
	assert_string_equal(m.coding[0].levels[0], "");
	assert_string_equal(m.coding[0].levels[1], "a");
	assert_string_equal(m.coding[0].levels[2], "b");
	matrices_finish(&m);
	age[3] = 1e300;
	struct error error = {0};
	assert_false(matrices_create(&c.data, &d, 1, &m, &error));
	assert_int_equal(error.code, ERROR_DATA);
	assert_string_equal(error.message, "the number \"1e+300\" of \"age\" is too large to be standardised");
	free(items[0].levels.offset);
	free(items[0].levels.bytes);
}

static void refuses(const struct made_config *c, const struct dataset *d, const char *message, const char *hint) {
	struct error error = {0};
	struct matrices m;
	assert_false(matrices_create(&c->data, d, 1, &m, &error));
	assert_int_equal(error.code, ERROR_DATA);
	assert_string_equal(error.message, message);
	assert_string_equal(error.hint, hint);
}

static void nothing_left_is_an_error(void **state) {
	(void)state;
	uint32_t user[] = {0, 1}, item[] = {0, 0};
	float rating[] = {1, 2};
	uint8_t part[] = {PART_TEST, PART_VALID};
	struct dataset d = {.users.count = 2, .items.count = 1, .count = 2, .user = user, .item = item, .rating = rating};
	struct made_config c;
	make_config(&c);
	c.filter.min_user_ratings = 2;
	refuses(&c, &d, "the filter leaves none of 2 ratings: min_user_ratings is \"2\", min_item_ratings \"1\"",
	        "Lower data.filter.min_user_ratings or data.filter.min_item_ratings.");
	c.filter.min_user_ratings = 1;
	c.filter.above = 2;
	refuses(&c, &d, "the filter leaves none of 2 ratings: none is above \"2\"", "Lower data.filter.above.");
	c.filter.above = NAN;
	d.part = part;
	c.files.train = c.files.valid = c.files.test = "x";
	make_split(&c, &split_files_kind, &c.files);
	refuses(&c, &d, "the split leaves no rating for training",
	        "Lower the shares of data.split, or choose another kind of split.");
	d.count = 0;
	refuses(&c, &d, "the data holds no rating", "");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filter_is_the_core),
	    cmocka_unit_test(matrices_hold_every_rating_once),
	    cmocka_unit_test(items_as_rows_turn_everything_over),
	    cmocka_unit_test(order_and_threads_do_not_matter),
	    cmocka_unit_test(buckets_compare_as_float),
	    cmocka_unit_test(side_information_is_coded),
	    cmocka_unit_test(coding_by_hand),
	    cmocka_unit_test(nothing_left_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
