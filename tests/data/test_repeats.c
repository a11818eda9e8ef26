// Whether a pair stands twice, against a table of all pairs.
#include "make_data.h"

#include "base/pool.h"
#include "data/repeats.h"

enum { ROUNDS = 300, POOLS = 3, LARGE_USERS = 900, LARGE_ITEMS = 1500, LARGE = 200000 };

static void check(const struct dataset *d, bool expected) {
	bool found = !expected;
	struct error error = {0};
	assert_true(repeats_exist(d, &found, &error));
	assert_int_equal(found, expected);
}

// Adds the rating at `from` once more, at the end.
static void repeat(struct dataset *d, size_t from) {
	d->user[d->count] = d->user[from];
	d->item[d->count++] = d->item[from];
}

static void sort_by_user(struct dataset *d) {
	for (size_t i = 1; i < d->count; i++) {
		uint32_t user = d->user[i], item = d->item[i];
		size_t at = i;
		for (; at > 0 && d->user[at - 1] > user; at--) {
			d->user[at] = d->user[at - 1];
			d->item[at] = d->item[at - 1];
		}
		d->user[at] = user;
		d->item[at] = item;
	}
}

static void small_ones(void **state) {
	(void)state;
	struct dice dice = dice_make(21);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t users = 1 + dice_throw(&dice, 12), items = 1 + dice_throw(&dice, 130);
		struct dataset d = make_dataset(&dice, users, items, 1 + dice_throw(&dice, 100)); // with room for one more
		uint8_t more = round % 3 == 0;
		d.user = realloc(d.user, (d.count + 1) * sizeof *d.user);
		d.item = realloc(d.item, (d.count + 1) * sizeof *d.item);
		assert_true(d.user != NULL && d.item != NULL);
		if (more)
			repeat(&d, dice_throw(&dice, d.count));
		check(&d, more);
		sort_by_user(&d);
		check(&d, more);
		free_dataset(&d);
	}
}

// More ratings than one thread looks at; the repeats at either end of all, and in between.
static void large_ones(void **state) {
	(void)state;
	struct pool *pools[POOLS] = {NULL, pool_create(2), pool_create(4)};
	uint32_t *user = make_array(LARGE + 1, sizeof *user), *item = make_array(LARGE + 1, sizeof *item);
	for (size_t turn = 0; turn < 8 * POOLS; turn++) {
		struct dataset d = {.users.count = LARGE_USERS, .items.count = LARGE_ITEMS, .user = user, .item = item};
		bool grouped = turn % 2 == 0;
		d.pool = pools[turn % POOLS];
		d.count = LARGE;
		for (size_t i = 0; i < LARGE; i++) { // pair number i, or in strides that are prime to all
			size_t pair = grouped ? i * 6 : i * 7919 % ((size_t)LARGE_USERS * LARGE_ITEMS);
			user[i] = (uint32_t)(pair / LARGE_ITEMS);
			item[i] = (uint32_t)(pair % LARGE_ITEMS);
		}
		check(&d, false);
		if (grouped) { // the next user's first item, or the last one's, becomes one that the user has
			size_t at = turn / 2 % 4 == 0 ? 1 : turn / 2 % 4 == 1 ? LARGE - 1 : LARGE / (turn / 2 % 4);
			at = user[at] == user[at - 1] ? at : at - 1;
			item[at] = item[at - 1];
		} else {
			repeat(&d, turn / 2 * (LARGE / 16));
		}
		check(&d, true);
	}
	free(user);
	free(item);
	pool_destroy(pools[1]);
	pool_destroy(pools[2]);
}

static void none(void **state) {
	(void)state;
	struct dataset d = {0};
	check(&d, false);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_ones),
	    cmocka_unit_test(large_ones),
	    cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
