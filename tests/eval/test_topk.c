// Top-k against a full sort: ties, NaN, infinities, both zeros, any exclusions, any k.
#include "eval_test.h"

#include "eval/topk.h"

enum { MOST = 200 };

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

static float draw_score(uint64_t *random, size_t values) {
	static const float special[] = {NAN, INFINITY, -INFINITY, 0.0F, -0.0F, 1e-45F, -1e-45F};
	if (draw_chance(random, 20))
		return special[draw_below(random, sizeof(special) / sizeof(special[0]))];
	return (float)draw_below(random, values) - 5;
}

static void random_scores_equal_a_full_sort(void **state) {
	(void)state;
	uint64_t random = 4;
	for (size_t round = 0; round < 3000; round++) {
		float scores[MOST];
		uint32_t excluded[MOST], order[MOST];
		uint64_t places[MOST];
		size_t items = 1 + draw_below(&random, MOST), values = 1 + draw_below(&random, 300);
		size_t excluded_count = 0, candidates = 0, k = draw_below(&random, items + 1);
		unsigned share = (unsigned)draw_below(&random, 101);
		for (size_t i = 0; i < items; i++) {
			scores[i] = draw_score(&random, values);
			if (draw_chance(&random, share))
				excluded[excluded_count++] = (uint32_t)i;
			else
				order[candidates++] = (uint32_t)i;
		}
		sorted_scores = scores;
		qsort(order, candidates, sizeof(*order), compare);
		size_t count = topk_select(scores, items, excluded, excluded_count, k, places);
		assert_int_equal(count, k < candidates ? k : candidates);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(topk_item(places[i]), order[i]);
	}
}

static void ascending_and_descending_scores(void **state) {
	(void)state;
	float up[MOST], down[MOST];
	uint64_t places[MOST];
	for (size_t i = 0; i < MOST; i++)
		up[i] = down[MOST - 1 - i] = (float)i;
	assert_int_equal(topk_select(up, MOST, NULL, 0, 10, places), 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(topk_item(places[i]), MOST - 1 - i);
	assert_int_equal(topk_select(down, MOST, NULL, 0, 10, places), 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(topk_item(places[i]), i);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_scores_equal_a_full_sort),
	    cmocka_unit_test(ascending_and_descending_scores),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
