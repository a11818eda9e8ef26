// What `aexp data` prints: one data set counted by hand, and random ones against naive counting.
#include "make_data.h"

enum { ROUNDS = 80 };

static void take(const struct made_config *c, const struct dataset *d, uint64_t seed, struct matrices *m,
                 struct data_statistics *s) {
	struct error error = {0};
	if (!matrices_create(&c->data, d, seed, m, &error) || !data_statistics(&c->data, m, s, &error)) {
		fail_msg("%s", error.message);
	}
}

static void counts_by_hand(void **state) {
	(void)state;
	// User 3 and item 3 fall to the filter; item 2 is asked without being trained; user 2 is cold in the test.
	uint32_t user[] = {0, 0, 0, 1, 1, 2, 2, 3}, item[] = {0, 1, 2, 0, 1, 1, 0, 3};
	float rating[] = {5, 0, 1.5F, 5, -1, 5, 0, 4};
	uint8_t part[] = {PART_TRAIN, PART_TRAIN, PART_TEST, PART_TRAIN, PART_VALID, PART_TEST, PART_TEST, PART_TRAIN};
	double at[] = {0}, to[] = {0.25, 1};
	struct dataset d = {
	    .users.count = 4, .items.count = 4, .count = 8, .user = user, .item = item, .rating = rating, .part = part};
	struct made_config c;
	struct matrices m;
	struct data_statistics s;
	make_config(&c);
	c.filter.min_user_ratings = 2;
	c.buckets = (struct buckets_config){{at, 1, true}, {to, 2, true}};
	c.data.buckets = &c.buckets;
	c.files.train = c.files.valid = c.files.test = "x";
	make_split(&c, &split_files_kind, &c.files);
	take(&c, &d, 1, &m, &s);
	assert_true(s.users == 3 && s.items == 3 && s.ratings == 7);
	assert_true(s.density == 7.0 / 9 && s.mean == 15.5 / 7 && s.minimum == -1 && s.maximum == 5);
	assert_true(s.users_with[0] == 0 && s.users_with[1] == 2 && s.users_with[2] == 1);
	assert_true(s.items_with[0] == 1 && s.items_with[1] == 0 && s.items_with[2] == 2);
	const double values[] = {-1, 0, 1.5, 5};
	const size_t histogram[] = {1, 2, 1, 3}, buckets[] = {3, 4};
	assert_true(s.histogram_count == 4 && !s.histogram_binned);
	assert_memory_equal(s.histogram_value, values, sizeof values);
	assert_memory_equal(s.histogram, histogram, sizeof histogram);
	assert_int_equal(s.buckets, 2);
	assert_memory_equal(s.bucket_value, to, sizeof to);
	assert_memory_equal(s.bucket, buckets, sizeof buckets);
	const size_t parts[PARTS][5] = {{3, 2, 2, 0, 0}, {1, 1, 1, 0, 0}, {3, 2, 3, 1, 1}};
	for (size_t p = 0; p < PARTS; p++) {
		assert_int_equal(s.part[p].ratings, parts[p][0]);
		assert_int_equal(s.part[p].users, parts[p][1]);
		assert_int_equal(s.part[p].items, parts[p][2]);
		assert_int_equal(s.part[p].cold_users, parts[p][3]);
		assert_int_equal(s.part[p].cold_items, parts[p][4]);
	}
	assert_int_equal(s.input_ratings, 0);
	data_statistics_finish(&s);
	data_statistics_finish(&s);
	matrices_finish(&m);
}

// How many ratings of one part (of the whole data set's indices) a user or item has.
static size_t degree(const struct assignment *a, const uint32_t *id, size_t which, uint8_t part) {
	size_t n = 0;
	for (size_t i = 0; i < a->dataset->count; i++) {
		n += a->part[i] == part && id[i] == which;
	}
	return n;
}

static void check_part(const struct assignment *a, uint8_t part, size_t users, size_t items, size_t cold_users,
                       size_t cold_items) {
	const struct dataset *d = a->dataset;
	size_t n[4] = {0};
	for (size_t user = 0; user < d->users.count; user++) {
		bool asked = degree(a, d->user, user, part) > 0;
		n[0] += asked;
		n[2] += asked && degree(a, d->user, user, PART_TRAIN) == 0 &&
		        (part == PART_TRAIN || degree(a, d->user, user, part | SPLIT_INPUT) == 0);
	}
	for (size_t item = 0; item < d->items.count; item++) {
		bool asked = degree(a, d->item, item, part) > 0;
		n[1] += asked;
		n[3] += asked && degree(a, d->item, item, PART_TRAIN) == 0;
	}
	assert_int_equal(n[0], users);
	assert_int_equal(n[1], items);
	assert_int_equal(n[2], cold_users);
	assert_int_equal(n[3], cold_items);
}

static void parts_are_counted(void **state) {
	(void)state;
	struct dice dice = dice_make(15);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct matrices m;
		struct data_statistics s;
		struct dataset d = make_dataset(&dice, 20, 20, 60 + dice_throw(&dice, 60));
		struct assignment a = {.dataset = &d, .seed = round};
		a.part = make_array(d.count, 1);
		a.held_out = make_array(d.users.count, 1);
		make_config(&c);
		c.users = (struct split_users){SPLIT_SEED_OF_RUN, 0.2, 0.3, 0.5};
		c.shares = (struct split_shares){SPLIT_SEED_OF_RUN, 0.2, 0.3};
		bool whole = round % 2 == 0;
		make_split(&c, whole ? &split_users_kind : &split_ratio_kind, whole ? (void *)&c.users : &c.shares);
		c.data.rows.row = round % 4 == 3 ? &make_rows_items : &make_rows_users;
		assert_true(split_assign(&c.data, &a, NULL));
		take(&c, &d, round, &m, &s);
		size_t total = s.input_ratings;
		for (uint8_t part = 0; part < PARTS; part++) {
			total += s.part[part].ratings;
			check_part(&a, part, s.part[part].users, s.part[part].items, s.part[part].cold_users,
			           s.part[part].cold_items);
		}
		assert_int_equal(total, d.count);
		assert_int_equal(s.ratings, d.count);
		assert_null(s.bucket);
		free(a.part);
		free(a.held_out);
		data_statistics_finish(&s);
		matrices_finish(&m);
		free_dataset(&d);
	}
}

enum { BINS = 20 };

// A rating is in the bin whose lower edge is the last one not above it.
static void check_bins(const struct data_statistics *s, const struct dataset *d) {
	assert_true(s->histogram_binned && s->histogram_count == BINS);
	for (size_t bin = 0; bin < BINS; bin++) {
		size_t n = 0;
		for (size_t i = 0; i < d->count; i++) {
			bool below = bin + 1 == BINS || (double)d->rating[i] < s->histogram_value[bin + 1];
			n += below && (double)d->rating[i] >= s->histogram_value[bin];
		}
		assert_int_equal(n, s->histogram[bin]);
	}
}

// More than 20 values, many of them on the edges that a float can name: quarters of a whole width, whose twentieth is
// mostly not a binary number, so that dividing by it may end on the wrong side.
static void many_values_are_binned(void **state) {
	(void)state;
	struct dice dice = dice_make(16);
	struct made_config c;
	struct matrices m;
	struct data_statistics s;
	make_config(&c);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct dataset d = make_dataset(&dice, 40, 40, 500);
		double least = -(double)dice_throw(&dice, 100), width = (double)(1 + dice_throw(&dice, 1000));
		for (size_t i = 0; i < d.count; i++) {
			size_t at = i < 2 ? i * BINS * 3 : dice_throw(&dice, 2) ? 15 * dice_throw(&dice, 5) : dice_throw(&dice, 61);
			d.rating[i] = (float)(least + width * (double)at / (BINS * 3));
		}
		take(&c, &d, 1, &m, &s);
		check_bins(&s, &d);
		assert_true(s.histogram_value[0] == (double)d.rating[0] && s.maximum == (double)d.rating[1]);
		data_statistics_finish(&s);
		matrices_finish(&m);
		free_dataset(&d);
	}
}

static void twenty_values_are_not_binned(void **state) {
	(void)state;
	enum { COUNT = 40 };
	uint32_t user[COUNT] = {0}, item[COUNT];
	float rating[COUNT];
	for (uint32_t i = 0; i < COUNT; i++) {
		item[i] = i;
		rating[i] = (float)((i * 7) % 20);
	}
	struct dataset d = {
	    .users.count = 1, .items.count = COUNT, .count = COUNT, .user = user, .item = item, .rating = rating};
	struct made_config c;
	struct matrices m;
	struct data_statistics s;
	make_config(&c);
	take(&c, &d, 1, &m, &s);
	assert_true(!s.histogram_binned && s.histogram_count == 20);
	for (size_t i = 0; i < 20; i++) {
		assert_true(s.histogram_value[i] == (double)i && s.histogram[i] == 2);
	}
	data_statistics_finish(&s);
	matrices_finish(&m);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_by_hand),
	    cmocka_unit_test(parts_are_counted),
	    cmocka_unit_test(many_values_are_binned),
	    cmocka_unit_test(twenty_values_are_not_binned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
