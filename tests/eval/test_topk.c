// Top-k against a full sort, with every instruction set that this machine has: ties, NaN, infinities, both zeros, any
// exclusions, any k; rows of few and of many items.
#include "eval_test.h"

#include "eval/topk.h"

enum { MOST = 6000 };

struct scored {
	size_t items, excluded_count, candidates;
	float scores[MOST];
	uint32_t excluded[MOST], order[MOST]; // order: all candidates, best first
};

static const float *sorted_scores; // for the comparison below: qsort has no context

static int compare(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	float p = sorted_scores[x], q = sorted_scores[y];
	if (isnan(p) != isnan(q))
		return isnan(p) ? 1 : -1;
	if (!isnan(p) && p != q)
		return p > q ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void sort_row(struct scored *row) {
	sorted_scores = row->scores;
	qsort(row->order, row->candidates, sizeof(*row->order), compare);
}

static float draw_any_float(uint64_t *random) {
	uint32_t bits = (uint32_t)draw(random);
	float score;
	memcpy(&score, &bits, sizeof(score));
	return score;
}

// values: how many different ones; 0: any bits at all
static float draw_score(uint64_t *random, size_t values) {
	static const float special[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0F, -0.0F, 1e-45F, -1e-45F};
	if (draw_chance(random, 5))
		return special[draw_below(random, sizeof(special) / sizeof(special[0]))];
	return values ? (float)draw_below(random, values) / 8 - 5 : draw_any_float(random);
}

static void draw_row(uint64_t *random, size_t items, struct scored *ret) {
	static const unsigned shares[] = {0, 1, 10, 50, 99, 100};
	unsigned share = shares[draw_below(random, 6)];
	size_t values = draw_chance(random, 40) ? 0 : 1 + draw_below(random, draw_chance(random, 50) ? 5 : 3000);
	ret->items = items;
	ret->excluded_count = ret->candidates = 0;
	for (size_t i = 0; i < items; i++) {
		ret->scores[i] = draw_score(random, values);
		if (draw_chance(random, share))
			ret->excluded[ret->excluded_count++] = (uint32_t)i;
		else
			ret->order[ret->candidates++] = (uint32_t)i;
	}
	sort_row(ret);
}

static void check_take(struct topk *topk, const struct scored *row, size_t k) {
	static uint32_t best[MOST + 1];
	best[k] = 7; // nothing is written behind
	topk_begin(topk, row->scores);
	topk_exclude(topk, row->excluded, row->excluded_count / 2);
	topk_exclude(topk, row->excluded + row->excluded_count / 2, row->excluded_count - row->excluded_count / 2);
	size_t count = topk_take(topk, k, best);
	assert_int_equal(count, k < row->candidates ? k : row->candidates);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(best[i], row->order[i]);
	assert_int_equal(best[k], 7);
	for (size_t i = 0; i < row->excluded_count; i++)
		assert_false(topk_is_candidate(topk, row->excluded[i]));
	for (size_t i = 0; i < row->candidates; i++)
		assert_true(topk_is_candidate(topk, row->order[i]));
}

static void check_row(struct topk *topk, const struct scored *row, size_t k) {
	const struct topk_kernels *kernels[KERNEL_SETS];
	for (size_t i = 0; i < kernel_sets(kernels); i++) {
		topk->kernels = kernels[i];
		check_take(topk, row, k);
	}
}

static void small_rows_equal_a_full_sort(void **state) {
	(void)state;
	uint64_t random = 4;
	static struct scored row;
	for (size_t round = 0; round < 1500; round++) {
		struct topk topk;
		struct error error;
		size_t items = 1 + draw_below(&random, 300), most = draw_below(&random, items + 1);
		assert_true(topk_init(&topk, items, most, &error));
		for (size_t i = 0; i < 3; i++) { // the memory is used again
			draw_row(&random, items, &row);
			check_row(&topk, &row, draw_below(&random, most + 1));
		}
		topk_finish(&topk);
	}
}

// Few and many groups, ties beyond the room for sorting, merged chunks.
static void large_rows_equal_a_full_sort(void **state) {
	(void)state;
	uint64_t random = 5;
	static struct scored row;
	static const size_t ks[] = {1, 10, 26, 100, 200, 700, MOST};
	for (size_t round = 0; round < 100; round++) {
		struct topk topk;
		struct error error;
		size_t items = 300 + draw_below(&random, MOST - 299);
		draw_row(&random, items, &row);
		assert_true(topk_init(&topk, items, MOST, &error));
		for (size_t i = 0; i < sizeof(ks) / sizeof(ks[0]); i++)
			check_row(&topk, &row, ks[i] < items ? ks[i] : items);
		topk_finish(&topk);
	}
}

// As a saturated output gives them.
static void equal_scores_go_to_the_first_items(void **state) {
	(void)state;
	static struct scored row;
	struct topk topk;
	struct error error;
	row = (struct scored){.items = MOST, .candidates = MOST};
	assert_true(topk_init(&topk, MOST, 1000, &error));
	for (size_t better = 0; better < 2; better++) { // all equal; one better at the end
		row.scores[MOST - 1] = (float)better;
		for (size_t i = 0; i < MOST; i++)
			row.order[i] = (uint32_t)i;
		sort_row(&row);
		for (size_t k = 1; k <= 1000; k += 111)
			check_row(&topk, &row, k);
	}
	topk_finish(&topk);
}

static void ascending_and_descending_scores(void **state) {
	(void)state;
	static struct scored row;
	struct topk topk;
	struct error error;
	row = (struct scored){.items = MOST, .candidates = MOST};
	assert_true(topk_init(&topk, MOST, MOST, &error));
	for (size_t down = 0; down < 2; down++) {
		for (size_t i = 0; i < MOST; i++) {
			row.scores[i] = (float)(down ? MOST - i : i);
			row.order[i] = (uint32_t)(down ? i : MOST - 1 - i);
		}
		check_row(&topk, &row, 10);
		check_row(&topk, &row, 300);
		check_row(&topk, &row, MOST);
	}
	topk_finish(&topk);
}

// How many come before each number of a row, against comparisons one by one.
static void places_are_counted(void **state) {
	(void)state;
	uint64_t random = 7;
	const struct topk_kernels *kernels[KERNEL_SETS];
	size_t sets = kernel_sets(kernels);
	for (size_t round = 0; round < 300; round++) {
		size_t count = 1 + draw_below(&random, round < 150 ? 70 : 600);
		float *scores = malloc(count * sizeof(*scores)); // of that size, so that reading on is seen
		assert_non_null(scores);
		for (size_t i = 0; i < count; i++)
			scores[i] = draw_score(&random, round % 3 ? 9 : 0);
		for (size_t place = 0; place < count; place++) {
			size_t before = 0;
			for (size_t i = 0; i < count; i++)
				before += scores[i] > scores[place] || (scores[i] == scores[place] && i < place);
			for (size_t set = 0; set < sets && !isnan(scores[place]); set++)
				assert_int_equal(kernels[set]->before_place(scores, count, place), before);
		}
		free(scores);
	}
}

static void every_set_gives_the_same_numbers(void **state) {
	(void)state;
	enum { KEYS = 512, GROUPS = 128 };
	uint64_t random = 6;
	const struct topk_kernels *kernels[KERNEL_SETS], *plain = &topk_kernels_baseline;
	size_t count = kernel_sets(kernels);
	for (size_t round = 0; round < 200; round++) {
		float scores[KEYS];
		int32_t keys[2][KEYS], maxima[2][GROUPS], found_keys[2][KEYS];
		uint32_t found[2][KEYS], before[2][KEYS];
		for (size_t i = 0; i < KEYS; i++)
			scores[i] = draw_score(&random, round % 2 ? 0 : 9);
		plain->make_keys(scores, KEYS, keys[0]);
		int32_t least = keys[0][draw_below(&random, KEYS)];
		plain->group_maxima(keys[0], KEYS, GROUPS, maxima[0]);
		plain->count_before(keys[0], KEYS, before[0]);
		size_t reached = plain->collect(keys[0], KEYS, least, found[0], found_keys[0]);
		assert_int_equal(reached, plain->count_from(keys[0], KEYS, least));
		for (size_t set = 1; set < count; set++) {
			kernels[set]->make_keys(scores, KEYS, keys[1]);
			kernels[set]->group_maxima(keys[1], KEYS, GROUPS, maxima[1]);
			kernels[set]->count_before(keys[1], KEYS, before[1]);
			assert_memory_equal(keys[0], keys[1], sizeof(keys[0]));
			assert_memory_equal(maxima[0], maxima[1], sizeof(maxima[0]));
			assert_memory_equal(before[0], before[1], sizeof(before[0]));
			assert_int_equal(kernels[set]->count_from(keys[1], KEYS, least), reached);
			assert_int_equal(kernels[set]->collect(keys[1], KEYS, least, found[1], found_keys[1]), reached);
			assert_memory_equal(found[0], found[1], reached * sizeof(found[0][0]));
			assert_memory_equal(found_keys[0], found_keys[1], reached * sizeof(found_keys[0][0]));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_rows_equal_a_full_sort),
	    cmocka_unit_test(large_rows_equal_a_full_sort),
	    cmocka_unit_test(equal_scores_go_to_the_first_items),
	    cmocka_unit_test(ascending_and_descending_scores),
	    cmocka_unit_test(places_are_counted),
	    cmocka_unit_test(every_set_gives_the_same_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
