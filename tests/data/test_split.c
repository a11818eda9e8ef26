// The kinds of split against naive ones that sort everything, their rules, and what they refuse.
#include "make_data.h"

#include "data/filter.h"

enum { ROUNDS = 60 };

static void start(struct assignment *a, const struct dataset *d, uint64_t seed) {
	*a = (struct assignment){.dataset = d, .seed = seed, .exists = {[PART_TRAIN] = true}};
	a->part = make_array(d->count, 1);
	a->held_out = make_array(d->users.count, 1);
}

static void finish(struct assignment *a) {
	free(a->part);
	free(a->held_out);
}

static void assign(const struct made_config *c, struct assignment *a) {
	struct error error = {0};
	if (!split_assign(&c->data, a, &error)) {
		fail_msg("%s", error.message);
	}
}

static size_t count(const struct assignment *a, uint8_t part) {
	size_t n = 0;
	for (size_t i = 0; i < a->dataset->count; i++) {
		n += a->part[i] == part;
	}
	return n;
}

// A rating in the naive order: the key, user, item.
struct ranked {
	uint64_t key;
	uint32_t user, item;
	size_t at;
};

static int compare(const void *left, const void *right) {
	const struct ranked *a = left, *b = right;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->user != b->user)
		return a->user < b->user ? -1 : 1;
	return (a->item > b->item) - (a->item < b->item);
}

static uint64_t naive_key(const struct dataset *d, size_t i, uint64_t seed, bool time) {
	return time ? (uint64_t)(d->time[i] + 1000)
	            : random_u64(random_stream_make(seed, "split", ""), 0, d->user[i], d->item[i]);
}

// The ratings that are not dropped, of one user or (user < 0) of all, in order.
static size_t rank(const struct assignment *a, long user, uint64_t seed, bool time, struct ranked *ranked) {
	const struct dataset *d = a->dataset;
	size_t n = 0;
	for (size_t i = 0; i < d->count; i++) {
		if (a->part[i] != SPLIT_DROPPED && (user < 0 || d->user[i] == (uint32_t)user)) {
			ranked[n++] = (struct ranked){naive_key(d, i, seed, time), d->user[i], d->item[i], i};
		}
	}
	qsort(ranked, n, sizeof *ranked, compare);
	return n;
}

static void expect(const struct assignment *a, const struct ranked *ranked, size_t from, size_t to, uint8_t part) {
	for (size_t i = from; i < to; i++) {
		assert_int_equal(a->part[ranked[i].at], part);
	}
}

// A random data set of which some ratings are dropped, and shares that leave something for training.
static struct dataset throw_data(struct dice *dice, struct made_config *c) {
	struct dataset d =
	    make_dataset(dice, 1 + dice_throw(dice, 20), 1 + dice_throw(dice, 20), 1 + dice_throw(dice, 200));
	make_config(c);
	c->shares.valid = c->users.valid = (double)dice_throw(dice, 50) / 100;
	c->shares.test = c->users.test = (double)dice_throw(dice, 50) / 100;
	c->users.fold_in = (double)(1 + dice_throw(dice, 98)) / 100;
	return d;
}

static void drop_some(struct dice *dice, struct assignment *a) {
	for (size_t i = 0; i < a->dataset->count; i++) {
		a->part[i] = dice_throw(dice, 5) == 0 ? SPLIT_DROPPED : PART_TRAIN;
	}
}

static void ratio_takes_exact_shares(void **state) {
	(void)state;
	struct dice dice = dice_make(2);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		start(&a, &d, round);
		drop_some(&dice, &a);
		size_t dropped = count(&a, SPLIT_DROPPED);
		struct ranked *ranked = make_array(d.count, sizeof *ranked);
		size_t n = rank(&a, -1, round, false, ranked);
		make_split(&c, &split_ratio_kind, &c.shares);
		assign(&c, &a);
		size_t test = (size_t)llround(c.shares.test * (double)n), valid = (size_t)llround(c.shares.valid * (double)n);
		expect(&a, ranked, 0, test, PART_TEST);
		expect(&a, ranked, test, test + valid, PART_VALID);
		expect(&a, ranked, test + valid, n, PART_TRAIN);
		assert_int_equal(count(&a, SPLIT_DROPPED), dropped);
		assert_true(a.exists[PART_VALID] == (c.shares.valid > 0) && a.exists[PART_TEST] == (c.shares.test > 0));
		free(ranked);
		finish(&a);
		free_dataset(&d);
	}
}

// The same pairs in another order fall into the same parts.
static void ratio_ignores_the_order_of_ratings(void **state) {
	(void)state;
	struct dice dice = dice_make(3);
	struct made_config c;
	struct assignment a, b;
	struct dataset d = make_dataset(&dice, 20, 20, 200);
	struct dataset turned = {.users.count = 20, .items.count = 20, .count = d.count};
	turned.user = make_array(d.count, sizeof *d.user);
	turned.item = make_array(d.count, sizeof *d.item);
	for (size_t i = 0; i < d.count; i++) {
		turned.user[d.count - 1 - i] = d.user[i];
		turned.item[d.count - 1 - i] = d.item[i];
	}
	make_config(&c);
	c.shares.valid = 0.2, c.shares.test = 0.3;
	make_split(&c, &split_ratio_kind, &c.shares);
	start(&a, &d, 5);
	start(&b, &turned, 5);
	assign(&c, &a);
	assign(&c, &b);
	for (size_t i = 0; i < d.count; i++) {
		assert_int_equal(a.part[i], b.part[d.count - 1 - i]);
	}
	finish(&a);
	finish(&b);
	free_dataset(&d);
	free_dataset(&turned);
}

static void time_takes_the_latest(void **state) {
	(void)state;
	struct dice dice = dice_make(4);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		start(&a, &d, round);
		drop_some(&dice, &a);
		struct ranked *ranked = make_array(d.count, sizeof *ranked);
		size_t n = rank(&a, -1, round, true, ranked);
		make_split(&c, &split_time_kind, &c.shares);
		assign(&c, &a);
		size_t test = (size_t)llround(c.shares.test * (double)n), valid = (size_t)llround(c.shares.valid * (double)n);
		expect(&a, ranked, 0, n - test - valid, PART_TRAIN);
		expect(&a, ranked, n - test - valid, n - test, PART_VALID);
		expect(&a, ranked, n - test, n, PART_TEST);
		free(ranked);
		finish(&a);
		free_dataset(&d);
	}
}

static size_t min(size_t a, size_t b) {
	return a < b ? a : b;
}

// Half down: 0.5 is 0, 1.5 is 1; one rating always stays.
static void per_user_takes_shares_of_each(void **state) {
	(void)state;
	struct dice dice = dice_make(5);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		c.shares.test += round % 3 == 0 ? 0.5 : 0; // too large a share leaves one rating all the same
		start(&a, &d, round);
		drop_some(&dice, &a);
		struct assignment before = a;
		before.part = make_array(d.count, 1);
		memcpy(before.part, a.part, d.count);
		make_split(&c, &split_per_user_kind, &c.shares);
		assign(&c, &a);
		struct ranked *ranked = make_array(d.count, sizeof *ranked);
		for (size_t user = 0; user < d.users.count; user++) {
			size_t n = rank(&before, (long)user, round, false, ranked);
			if (n > 0) {
				size_t test = min((size_t)ceil(fmax(c.shares.test * (double)n - 0.5, 0)), n - 1);
				size_t valid = min((size_t)ceil(fmax(c.shares.valid * (double)n - 0.5, 0)), n - 1 - test);
				expect(&a, ranked, 0, test, PART_TEST);
				expect(&a, ranked, test, test + valid, PART_VALID);
				expect(&a, ranked, test + valid, n, PART_TRAIN);
			}
		}
		free(ranked);
		free(before.part);
		finish(&a);
		free_dataset(&d);
	}
}

static void per_user_rounds_half_down(void **state) {
	(void)state;
	enum { COUNT = 8 }; // users with 1, 2 and 5 ratings
	uint32_t user[COUNT] = {0, 1, 1, 2, 2, 2, 2, 2}, item[COUNT] = {0, 0, 1, 0, 1, 2, 3, 4};
	struct dataset d = {.users.count = 3, .items.count = 5, .count = COUNT, .user = user, .item = item};
	struct made_config c;
	struct assignment a;
	make_config(&c);
	c.shares.test = 0.5;
	make_split(&c, &split_per_user_kind, &c.shares);
	start(&a, &d, 1);
	assign(&c, &a);
	assert_int_equal(a.part[0], PART_TRAIN);
	assert_int_equal((a.part[1] == PART_TEST) + (a.part[2] == PART_TEST), 1);
	assert_int_equal(count(&a, PART_TEST), 1 + 2); // 2.5 of five is 2
	assert_int_equal(count(&a, PART_VALID), 0);
	assert_false(a.exists[PART_VALID]);
	finish(&a);
}

static void leave_one_out_takes_one_of_each(void **state) {
	(void)state;
	struct dice dice = dice_make(6);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		bool time = round % 2 == 0, valid = round % 4 < 2;
		c.leave_one_out.valid = valid;
		c.leave_one_out.order.row = time ? &make_order_time : &make_order_random;
		make_split(&c, &split_leave_one_out_kind, &c.leave_one_out);
		start(&a, &d, round);
		assign(&c, &a);
		struct ranked *ranked = make_array(d.count, sizeof *ranked);
		for (size_t user = 0; user < d.users.count; user++) {
			size_t n = rank(&a, (long)user, round, time, ranked);
			size_t tests = n > 1, valids = n > 2 && valid;
			expect(&a, ranked, n - tests, n, PART_TEST);
			expect(&a, ranked, n - tests - valids, n - tests, PART_VALID);
			expect(&a, ranked, 0, n - tests - valids, PART_TRAIN);
		}
		assert_true(a.exists[PART_TEST] && a.exists[PART_VALID] == valid);
		free(ranked);
		finish(&a);
		free_dataset(&d);
	}
}

// One user's parts: all train, or all of one part with inputs and targets.
static void check_user(const struct assignment *a, size_t user, double fold_in) {
	size_t n = 0, inputs = 0, targets = 0, trained = 0;
	for (size_t i = 0; i < a->dataset->count; i++) {
		if (a->dataset->user[i] == user && a->part[i] != SPLIT_DROPPED) {
			n++;
			trained += a->part[i] == PART_TRAIN;
			targets += a->part[i] == a->held_out[user];
			inputs += a->part[i] == (a->held_out[user] | SPLIT_INPUT);
		}
	}
	if (n == 0) {
		assert_int_equal(a->held_out[user], SPLIT_DROPPED);
	} else if (a->held_out[user] == PART_TRAIN) {
		assert_int_equal(trained, n);
	} else {
		size_t wanted = (size_t)llround(fold_in * (double)n);
		wanted = n == 1 ? 0 : wanted < 1 ? 1 : min(wanted, n - 1);
		assert_int_equal(trained, 0);
		assert_int_equal(inputs, wanted);
		assert_int_equal(targets, n - wanted);
	}
}

static void users_are_held_out_whole(void **state) {
	(void)state;
	struct dice dice = dice_make(7);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		start(&a, &d, round);
		drop_some(&dice, &a);
		make_split(&c, &split_users_kind, &c.users);
		assign(&c, &a);
		size_t users[PARTS] = {0};
		for (size_t user = 0; user < d.users.count; user++) {
			check_user(&a, user, c.users.fold_in);
			if (a.held_out[user] != SPLIT_DROPPED) {
				users[a.held_out[user]]++;
			}
		}
		double n = (double)(users[PART_TRAIN] + users[PART_VALID] + users[PART_TEST]);
		assert_int_equal(users[PART_VALID], llround(c.users.valid * n));
		assert_int_equal(users[PART_TEST], llround(c.users.test * n));
		assert_true(a.fold_in);
		finish(&a);
		free_dataset(&d);
	}
}

// As Liang et al. divide: so many users, the target rounded down, nothing asked of items that nobody trains on.
static void users_can_be_counted_and_cold_items_dropped(void **state) {
	(void)state;
	struct dice dice = dice_make(8);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct assignment a;
		struct dataset d = throw_data(&dice, &c);
		start(&a, &d, round);
		make_split(&c, &split_users_kind, &c.users);
		c.users.valid_users = 1, c.users.test_users = 2, c.users.floor = c.users.drop_cold_items = true;
		struct error error = {0};
		size_t with_ratings = 0;
		for (size_t user = 0; user < d.users.count; user++)
			for (size_t i = 0; i < d.count; i++)
				if (d.user[i] == user) {
					with_ratings++;
					break;
				}
		bool good = split_assign(&c.data, &a, &error);
		assert_int_equal(good, with_ratings > 3);
		size_t held[PARTS] = {0};
		for (size_t user = 0; good && user < d.users.count; user++) {
			size_t left = 0, asked = 0;
			for (size_t i = 0; i < d.count; i++) {
				bool warm = false;
				for (size_t k = 0; k < d.count; k++)
					warm |= d.item[k] == d.item[i] && a.held_out[d.user[k]] == PART_TRAIN;
				assert_int_equal(a.part[i] != SPLIT_DROPPED, warm);
				left += d.user[i] == user && warm;
				asked += d.user[i] == user && warm && !(a.part[i] & SPLIT_INPUT);
			}
			if (a.held_out[user] == SPLIT_DROPPED)
				continue;
			held[a.held_out[user]]++;
			if (a.held_out[user] != PART_TRAIN)
				assert_int_equal(asked, (size_t)((1 - c.users.fold_in) * (double)left + 1e-9));
		}
		if (good)
			assert_true(held[PART_VALID] == 1 && held[PART_TEST] == 2);
		finish(&a);
		free_dataset(&d);
	}
}

static void folds_divide_the_ratings(void **state) {
	(void)state;
	struct dice dice = dice_make(9);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct made_config c;
		struct dataset d = throw_data(&dice, &c);
		struct split_kfold kind = {.seed = SPLIT_SEED_OF_RUN, .folds = 2 + (int64_t)dice_throw(&dice, 5), .valid = 0.25};
		size_t *tests = make_array(d.count, sizeof *tests), left = 0;
		make_split(&c, &split_kfold_kind, &kind);
		for (kind.fold = 1; kind.fold <= kind.folds; kind.fold++) {
			struct assignment a;
			start(&a, &d, round);
			assign(&c, &a);
			size_t test = count(&a, PART_TEST);
			assert_true(test == d.count / (size_t)kind.folds || test == d.count / (size_t)kind.folds + 1);
			assert_int_equal(count(&a, PART_VALID), (size_t)llround(0.25 * (double)(d.count - test)));
			assert_int_equal(count(&a, PART_TRAIN) + count(&a, PART_VALID) + test, d.count);
			for (size_t i = 0; i < d.count; i++)
				tests[i] += a.part[i] == PART_TEST;
			finish(&a);
		}
		for (size_t i = 0; i < d.count; i++)
			left += tests[i] != 1;
		assert_int_equal(left, 0);
		free(tests);
		free_dataset(&d);
	}
}

static void files_bring_their_parts(void **state) {
	(void)state;
	uint32_t user[] = {0, 0, 1, 1}, item[] = {0, 1, 0, 1};
	uint8_t part[] = {PART_TRAIN, PART_TEST, PART_VALID, PART_TEST};
	struct dataset d = {.users.count = 2, .items.count = 2, .count = 4, .user = user, .item = item, .part = part};
	struct made_config c;
	struct assignment a;
	make_config(&c);
	c.files.train = "a", c.files.test = "b", c.files.valid = "c";
	make_split(&c, &split_files_kind, &c.files);
	start(&a, &d, 1);
	a.part[3] = SPLIT_DROPPED;
	assign(&c, &a);
	const uint8_t expected[] = {PART_TRAIN, PART_TEST, PART_VALID, SPLIT_DROPPED};
	assert_memory_equal(a.part, expected, 4);
	assert_true(a.exists[PART_VALID] && a.exists[PART_TEST]);
	c.files.valid = NULL;
	a.exists[PART_VALID] = false;
	assign(&c, &a);
	assert_false(a.exists[PART_VALID]);
	finish(&a);
}

// Without a file for validation, a share of what trains is drawn: the smallest keys, as under `ratio`.
static void files_may_draw_validation(void **state) {
	(void)state;
	struct dice dice = dice_make(17);
	struct made_config c;
	struct assignment a;
	struct dataset d = make_dataset(&dice, 20, 20, 200);
	d.part = make_array(d.count, 1);
	for (size_t i = 0; i < d.count; i++) {
		d.part[i] = dice_throw(&dice, 4) == 0 ? PART_TEST : PART_TRAIN;
	}
	make_config(&c);
	c.files.train = c.files.test = "x", c.files.valid_share = 0.3;
	make_split(&c, &split_files_kind, &c.files);
	start(&a, &d, 3);
	assign(&c, &a);
	struct ranked *ranked = make_array(d.count, sizeof *ranked);
	size_t n = 0;
	for (size_t i = 0; i < d.count; i++) {
		assert_true((d.part[i] == PART_TEST) == (a.part[i] == PART_TEST));
		if (d.part[i] == PART_TRAIN) {
			ranked[n++] = (struct ranked){naive_key(&d, i, 3, false), d.user[i], d.item[i], i};
		}
	}
	qsort(ranked, n, sizeof *ranked, compare);
	size_t valid = (size_t)llround(0.3 * (double)n);
	expect(&a, ranked, 0, valid, PART_VALID);
	expect(&a, ranked, valid, n, PART_TRAIN);
	assert_true(a.exists[PART_VALID]);
	free(ranked);
	finish(&a);
	free_dataset(&d);
}

static void draw_takes_a_share_of_a_part(void **state) {
	(void)state;
	struct dice dice = dice_make(8);
	struct dataset d = make_dataset(&dice, 20, 20, 200);
	struct assignment a;
	start(&a, &d, 3);
	for (size_t i = 0; i < d.count; i += 2) {
		a.part[i] = PART_TEST;
	}
	size_t tests = count(&a, PART_TEST), trained = d.count - tests;
	assert_true(split_draw(&d, 3, 0.25, PART_TRAIN, PART_VALID, a.part, NULL));
	assert_int_equal(count(&a, PART_TEST), tests);
	assert_int_equal(count(&a, PART_VALID), llround(0.25 * (double)trained));
	finish(&a);
	free_dataset(&d);
}

// Keys that differ in high bits, in low bits, or hardly at all.
static void take_is_a_sort(void **state) {
	(void)state;
	enum { COUNT = 97 };
	struct dice dice = dice_make(9);
	for (size_t round = 0; round < 300; round++) {
		uint64_t key[COUNT];
		uint8_t part[COUNT];
		uint32_t user[COUNT], item[COUNT];
		struct ranked ranked[COUNT];
		size_t n = 0, wanted = dice_throw(&dice, COUNT + 10);
		for (size_t i = 0; i < COUNT; i++) {
			key[i] = (uint64_t)dice_throw(&dice, 1 + round % 7) << (round % 4 * 16 + round % 13);
			key[i] |= round % 5 == 0 ? dice_throw(&dice, SIZE_MAX) : 0;
			user[i] = (uint32_t)dice_throw(&dice, 10), item[i] = (uint32_t)(i * 31 % COUNT);
			part[i] = dice_throw(&dice, 3) == 0 ? PART_TEST : PART_TRAIN;
			if (part[i] == PART_TRAIN) {
				ranked[n++] = (struct ranked){key[i], user[i], item[i], i};
			}
		}
		qsort(ranked, n, sizeof *ranked, compare);
		struct split_ranking ranking = {COUNT, key, user, item, part};
		assert_true(split_take(&ranking, wanted, PART_TRAIN, PART_VALID, NULL));
		assert_int_equal(split_count(&ranking, PART_VALID), min(wanted, n));
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(part[ranked[i].at], i < wanted ? PART_VALID : PART_TRAIN);
		}
	}
}

static void seeds_follow_the_run_unless_written(void **state) {
	(void)state;
	struct dice dice = dice_make(10);
	struct dataset d = make_dataset(&dice, 30, 30, 400);
	struct made_config c;
	struct assignment a, b;
	make_config(&c);
	c.shares.test = 0.5;
	make_split(&c, &split_ratio_kind, &c.shares);
	start(&a, &d, 1);
	start(&b, &d, 2);
	assign(&c, &a);
	assign(&c, &b);
	assert_memory_not_equal(a.part, b.part, d.count);
	memset(b.part, PART_TRAIN, d.count);
	c.shares.seed = 1; // written in the file: the run's seed 2 does not count
	assign(&c, &b);
	assert_memory_equal(a.part, b.part, d.count);
	split_settle(&c.split, 9);
	assert_int_equal(c.shares.seed, 1);
	c.shares.seed = SPLIT_SEED_OF_RUN;
	split_settle(&c.split, 9);
	assert_int_equal(c.shares.seed, 9);
	split_settle(NULL, 9);
	finish(&a);
	finish(&b);
	free_dataset(&d);
}

static void times_are_needed(void **state) {
	(void)state;
	uint32_t user[] = {0}, item[] = {0};
	struct dataset d = {.users.count = 1, .items.count = 1, .count = 1, .user = user, .item = item};
	struct made_config c;
	struct assignment a;
	struct error error = {0};
	make_config(&c);
	make_split(&c, &split_time_kind, &c.shares);
	start(&a, &d, 1);
	assert_false(split_assign(&c.data, &a, &error));
	assert_int_equal(error.code, ERROR_DATA);
	assert_string_equal(error.message, "a split by time needs times, and the data has none");
	c.leave_one_out.order.row = &make_order_time;
	make_split(&c, &split_leave_one_out_kind, &c.leave_one_out);
	assert_false(split_assign(&c.data, &a, &error));
	finish(&a);
}

// data: { rows = ...; split: { kind, valid, test, valid_share } } at lines 1 to 6 of x.cfg.
struct tree {
	struct value root, data, split, key[4], *roots[1], *datas[1], *splits[4];
};

static void plant(struct tree *t) {
	const char *names[] = {"kind", "valid", "test", "valid_share"};
	*t = (struct tree){0};
	for (size_t i = 0; i < 4; i++) {
		t->key[i] = (struct value){.name = names[i], .type = VALUE_REAL, .at = {"x.cfg", 3 + i}};
		t->splits[i] = &t->key[i];
	}
	t->roots[0] = &t->data, t->datas[0] = &t->split;
	t->split = (struct value){.name = "split", .type = VALUE_GROUP, .at = {"x.cfg", 2}};
	t->split.as.children.items = t->splits, t->split.as.children.count = 4;
	t->data = (struct value){.name = "data", .type = VALUE_GROUP, .at = {"x.cfg", 1}};
	t->data.as.children.items = t->datas, t->data.as.children.count = 1;
	t->root = (struct value){.type = VALUE_GROUP, .at = {"x.cfg", 1}};
	t->root.as.children.items = t->roots, t->root.as.children.count = 1;
}

static void check_says(const struct made_config *c, size_t line, const char *message) {
	struct tree t;
	struct errors errors = {0};
	plant(&t);
	split_check(&c->data, &t.root, &errors);
	assert_int_equal(errors.count, message ? 1 : 0);
	if (message) {
		assert_string_equal(errors.items[0].message, message);
		assert_string_equal(errors.items[0].file, "x.cfg");
		assert_int_equal(errors.items[0].line, line);
		assert_int_equal(errors.items[0].code, ERROR_CONFIG);
		assert_string_not_equal(errors.items[0].hint, "");
	}
	errors_finish(&errors);
}

static void impossible_splits_are_refused(void **state) {
	(void)state;
	struct made_config c;
	make_config(&c);
	check_says(&c, 0, NULL); // no split at all
	c.shares.valid = 0.25, c.shares.test = 0.75;
	make_split(&c, &split_ratio_kind, &c.shares);
	check_says(&c, 5, "data.split: valid + test is \"1\", must be below 1");
	c.shares.valid = 0.9, c.shares.test = 0.75;
	make_split(&c, &split_per_user_kind, &c.shares);
	check_says(&c, 4, "data.split: valid + test is \"1.65\", must be below 1");
	make_split(&c, &split_time_kind, &c.shares);
	check_says(&c, 4, "data.split: valid + test is \"1.65\", must be below 1");
	c.shares.valid = 0.2;
	check_says(&c, 0, NULL);
	c.users.valid = 0.5, c.users.test = 0.5;
	make_split(&c, &split_users_kind, &c.users);
	check_says(&c, 4, "data.split: valid + test is \"1\", must be below 1");
	c.users.valid = 0.1;
	check_says(&c, 0, NULL);
	c.data.rows.row = &make_rows_items;
	check_says(&c, 3, "data.split.kind: \"users\" does not go with data.rows = \"items\"");
	c.files.valid_share = 0.1;
	make_split(&c, &split_files_kind, &c.files);
	check_says(&c, 0, NULL);
	c.files.valid = "v";
	check_says(&c, 6, "data.split.valid_share is \"0.1\" beside data.split.valid");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ratio_takes_exact_shares),
	    cmocka_unit_test(ratio_ignores_the_order_of_ratings),
	    cmocka_unit_test(time_takes_the_latest),
	    cmocka_unit_test(per_user_takes_shares_of_each),
	    cmocka_unit_test(per_user_rounds_half_down),
	    cmocka_unit_test(leave_one_out_takes_one_of_each),
	    cmocka_unit_test(users_are_held_out_whole),
	    cmocka_unit_test(users_can_be_counted_and_cold_items_dropped),
	    cmocka_unit_test(folds_divide_the_ratings),
	    cmocka_unit_test(files_bring_their_parts),
	    cmocka_unit_test(files_may_draw_validation),
	    cmocka_unit_test(draw_takes_a_share_of_a_part),
	    cmocka_unit_test(take_is_a_sort),
	    cmocka_unit_test(seeds_follow_the_run_unless_written),
	    cmocka_unit_test(times_are_needed),
	    cmocka_unit_test(impossible_splits_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
