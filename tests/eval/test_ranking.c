// Ranking metrics and their collector: hand-worked examples, and against a full sort with the formulas written out.
#include "eval_test.h"

enum { ITEMS = 40, USERS = 60 };

static const struct metric *const ranking_metrics[] = {&metric_ndcg,          &metric_recall,   &metric_precision,
                                                       &metric_map,           &metric_mrr,      &metric_hit,
                                                       &metric_recall_capped, &metric_user_auc, &metric_novelty};
enum { METRICS = sizeof(ranking_metrics) / sizeof(ranking_metrics[0]) };

static void hand_worked(void **state) {
	(void)state;
	const uint8_t relevant[] = {0, 1, 0, 1, 0};
	const uint32_t item[] = {4, 3, 2, 1, 0};
	const double surprise[] = {5, 4, 3, 2, 1};
	struct ranking ranking = {
	    .relevant = relevant, .item = item, .length = 5, .relevant_count = 3, .auc = 0.7, .surprise = surprise};
	double second = 1 / log2(3), fourth = 1 / log2(5), third = 0.5;
	static const size_t ks[] = {1, 2, 3, 4, 100};
	const double expected[METRICS][5] = {
	    {0, second / (1 + second), second / (1 + second + third), (second + fourth) / (1 + second + third),
	     (second + fourth) / (1 + second + third)},
	    {0, 1.0 / 3, 1.0 / 3, 2.0 / 3, 2.0 / 3},
	    {0, 1.0 / 2, 1.0 / 3, 2.0 / 4, 2.0 / 100},
	    {0, 0.5 / 2, 0.5 / 3, (0.5 + 0.5) / 3, (0.5 + 0.5) / 3},
	    {0, 0.5, 0.5, 0.5, 0.5},
	    {0, 1, 1, 1, 1},
	    {0, 1.0 / 2, 1.0 / 3, 2.0 / 3, 2.0 / 3},
	    {0.7, 0.7, 0.7, 0.7, 0.7},
	    {1, 1.5, 2, 2.5, 3},
	};
	for (size_t metric = 0; metric < METRICS; metric++)
		for (size_t i = 0; i < 5; i++)
			assert_near(ranking_metrics[metric]->over_ranking(&ranking, ks[i]), expected[metric][i], 1e-15);
}

// Everything relevant in front is 1 whatever k is, but for precision (few relevant) and recall (small k).
static void the_best_order(void **state) {
	(void)state;
	const uint8_t relevant[] = {1, 1, 1, 0, 0, 0};
	struct ranking ranking = {.relevant = relevant, .length = 6, .relevant_count = 3};
	for (size_t k = 1; k <= 6; k++) {
		assert_near(metric_ndcg.over_ranking(&ranking, k), 1, 0);
		assert_near(metric_map.over_ranking(&ranking, k), 1, 0);
		assert_near(metric_mrr.over_ranking(&ranking, k), 1, 0);
		assert_near(metric_hit.over_ranking(&ranking, k), 1, 0);
		assert_near(metric_recall_capped.over_ranking(&ranking, k), 1, 0);
		assert_near(metric_recall.over_ranking(&ranking, k), k < 3 ? (double)k / 3 : 1, 0);
		assert_near(metric_precision.over_ranking(&ranking, k), k < 3 ? 1 : 3 / (double)k, 0);
	}
}

struct user {
	float scores[ITEMS];
	uint32_t excluded[ITEMS], relevant[ITEMS];
	size_t excluded_count, relevant_count;
};

static void draw_user(uint64_t *random, struct user *ret) {
	*ret = (struct user){0};
	unsigned excluded = (unsigned)draw_below(random, 101), relevant = (unsigned)draw_below(random, 40);
	for (uint32_t i = 0; i < ITEMS; i++) {
		ret->scores[i] = draw_chance(random, 5) ? NAN : (float)draw_below(random, 12);
		if (draw_chance(random, excluded))
			ret->excluded[ret->excluded_count++] = i;
		if (draw_chance(random, relevant)) // may be excluded, too
			ret->relevant[ret->relevant_count++] = i;
	}
}

static bool holds(const uint32_t *list, size_t count, uint32_t item) {
	for (size_t i = 0; i < count; i++)
		if (list[i] == item)
			return true;
	return false;
}

// 1-based rank of an item among the candidates: one more than how many come before it.
static size_t naive_rank(const struct user *user, uint32_t item) {
	size_t rank = 1;
	float own = user->scores[item];
	for (uint32_t i = 0; i < ITEMS; i++) {
		float score = user->scores[i];
		if (i == item || holds(user->excluded, user->excluded_count, i))
			continue;
		bool equal = score == own || (isnan(score) && isnan(own));
		rank += score > own || (isnan(own) && !isnan(score)) || (equal && i < item);
	}
	return rank;
}

// Pairs of a relevant candidate and another one, one by one.
static double naive_auc(const struct user *user) {
	double won = 0, pairs = 0;
	for (uint32_t i = 0; i < ITEMS; i++)
		for (uint32_t j = 0; j < ITEMS; j++) {
			float a = user->scores[i], b = user->scores[j];
			if (holds(user->excluded, user->excluded_count, i) || holds(user->excluded, user->excluded_count, j) ||
			    !holds(user->relevant, user->relevant_count, i) || holds(user->relevant, user->relevant_count, j))
				continue;
			bool equal = a == b || (isnan(a) && isnan(b)), above = a > b || (isnan(b) && !isnan(a));
			won += equal ? 0.5 : above;
			pairs++;
		}
	return pairs > 0 ? won / pairs : NAN;
}

static double surprise_of[ITEMS];

// Adds the user's first k to `times`, and returns their mean surprise.
static double naive_list(const struct user *user, size_t k, double times[ITEMS]) {
	double sum = 0, count = 0;
	for (uint32_t i = 0; i < ITEMS; i++) {
		if (holds(user->excluded, user->excluded_count, i) || naive_rank(user, i) > k)
			continue;
		sum += surprise_of[i];
		count++;
		times[i]++;
	}
	return sum / count;
}

// Mean absolute difference of all pairs over twice the mean: the definition that needs no sorting.
static double naive_gini(const double times[ITEMS]) {
	double difference = 0, sum = 0;
	for (size_t i = 0; i < ITEMS; i++) {
		sum += times[i];
		for (size_t j = 0; j < ITEMS; j++)
			difference += fabs(times[i] - times[j]);
	}
	return difference / (2 * ITEMS * sum);
}

// Values of all metrics for one user; false where no relevant item is a candidate.
static bool naive_user(const struct user *user, size_t k, double ret_value[METRICS]) {
	size_t rank[ITEMS], relevant = 0, found = 0, first = 0;
	double gain = 0, ideal = 0, precision_sum = 0;
	for (size_t i = 0; i < user->relevant_count; i++)
		if (!holds(user->excluded, user->excluded_count, user->relevant[i]))
			rank[relevant++] = naive_rank(user, user->relevant[i]);
	for (size_t i = 0; i < relevant; i++) {
		if (i < k)
			ideal += 1 / log2((double)i + 2);
		if (rank[i] > k)
			continue;
		found++;
		gain += 1 / log2((double)rank[i] + 1);
		first = first == 0 || rank[i] < first ? rank[i] : first;
		size_t up_to = 0;
		for (size_t j = 0; j < relevant; j++)
			up_to += rank[j] <= rank[i];
		precision_sum += (double)up_to / (double)rank[i];
	}
	ret_value[0] = gain / ideal;
	ret_value[1] = (double)found / (double)relevant;
	ret_value[2] = (double)found / (double)k;
	ret_value[3] = precision_sum / (double)(relevant < k ? relevant : k);
	ret_value[4] = first ? 1 / (double)first : 0;
	ret_value[5] = found > 0;
	ret_value[6] = (double)found / (double)(relevant < k ? relevant : k);
	ret_value[7] = naive_auc(user);
	return relevant > 0;
}

static const size_t cuts[] = {1, 3, 10, 2 * ITEMS};
enum { CUTS = sizeof(cuts) / sizeof(cuts[0]), LISTS = METRICS * CUTS, USES = LISTS + 2 * CUTS + 1 };

// All metrics at all cuts, then those over lists, and a cell metric at the end.
static void make_uses(struct metric_use *ret_uses) {
	for (size_t i = 0; i < CUTS; i++) {
		ret_uses[LISTS + i] = use_of(&metric_coverage, cuts[i]);
		ret_uses[LISTS + CUTS + i] = use_of(&metric_gini, cuts[i]);
	}
	for (size_t i = 0; i < METRICS * CUTS; i++)
		ret_uses[i] = use_of(ranking_metrics[i / CUTS], cuts[i % CUTS]);
	ret_uses[USES - 1] = use_of(&metric_mse, 0);
}

// Users that a collector asks about.
struct crowd {
	const struct user *users;
	const uint8_t *all; // (ITEMS) ones
};

// Every other excluded item in each of the two lists.
static void rank_user(const void *context, struct ranker *ranker, size_t index, struct ranking *ret) {
	const struct crowd *crowd = context;
	const struct user *user = &crowd->users[index];
	uint32_t lists[2][ITEMS];
	struct question question = {.scores = user->scores,
	                            .target = user->relevant,
	                            .liked = crowd->all,
	                            .target_count = user->relevant_count,
	                            .excluded = {{lists[0], 0}, {lists[1], 0}}};
	for (size_t i = 0; i < user->excluded_count; i++)
		lists[i % 2][question.excluded[i % 2].count++] = user->excluded[i];
	ranker_answer(ranker, &question, ret);
}

static struct ranking_collector *make_collector(const struct metric_use *uses, size_t uses_count, struct pool *pool) {
	struct ranking_collector *collector;
	struct error error;
	assert_true(ranking_collector_create(uses, uses_count, ITEMS, pool, &collector, &error));
	for (size_t i = 0; i < ITEMS; i++)
		surprise_of[i] = (double)(i * i % 7) / 3;
	ranking_collector_surprise(collector, surprise_of);
	return collector;
}

static void add_users(struct ranking_collector *collector, const struct user *users, size_t count) {
	uint8_t all[ITEMS];
	memset(all, 1, sizeof(all));
	ranking_collector_add(collector, count, rank_user, &(struct crowd){users, all});
}

static void collector_equals_the_definitions(void **state) {
	(void)state;
	uint64_t random = 5;
	struct metric_use uses[USES];
	make_uses(uses);
	for (size_t round = 0; round < 50; round++) {
		struct ranking_collector *collector = make_collector(uses, USES, NULL);
		struct user user[USERS];
		double sum[USES] = {0}, defined[USES] = {0}, mean[USES], times[CUTS][ITEMS] = {{0}};
		struct user_values kept = {.uses = USES};
		size_t counted = 0, users, skipped;
		for (size_t i = 0; i < USERS; i++)
			draw_user(&random, &user[i]);
		ranking_collector_keep(collector, &kept);
		add_users(collector, user, USERS);
		for (size_t i = 0; i < USERS; i++) {
			double value[METRICS];
			bool counts = false;
			for (size_t cut = 0; cut < CUTS; cut++) {
				counts = naive_user(&user[i], cuts[cut], value);
				value[8] = counts ? naive_list(&user[i], cuts[cut], times[cut]) : NAN;
				for (size_t metric = 0; counts && metric < METRICS; metric++) {
					size_t use = metric * CUTS + cut;
					assert_near(kept.value[counted * USES + use], value[metric], 1e-12);
					sum[use] += isnan(value[metric]) ? 0 : value[metric];
					defined[use] += !isnan(value[metric]);
				}
			}
			if (counts)
				assert_int_equal(kept.user[counted], i);
			counted += counts;
		}
		ranking_collector_result(collector, mean, &users, &skipped);
		assert_int_equal(users, counted);
		assert_int_equal(skipped, USERS - counted);
		assert_true(counted > 10 && skipped > 0);
		assert_int_equal(kept.count, counted);
		for (size_t i = 0; i < LISTS; i++)
			assert_near(mean[i], sum[i] / defined[i], 1e-12);
		for (size_t cut = 0; cut < CUTS; cut++) {
			double covered = 0;
			for (size_t i = 0; i < ITEMS; i++)
				covered += times[cut][i] > 0;
			assert_near(mean[LISTS + cut], covered / ITEMS, 0);
			assert_near(mean[LISTS + CUTS + cut], naive_gini(times[cut]), 1e-12);
		}
		user_values_finish(&kept);
		assert_true(isnan(mean[USES - 1]));
		ranking_collector_destroy(collector);
	}
}

// Without metrics that ask for lists or for the area under the curve there are no lists; and in two steps, from the
// last users to the first: the same bytes.
static void without_lists(void **state) {
	(void)state;
	enum { PLAIN = METRICS - 2, FEW = PLAIN * CUTS }; // less user_auc and novelty
	uint64_t random = 8;
	struct metric_use uses[USES];
	uint8_t all[ITEMS];
	make_uses(uses);
	memset(all, 1, sizeof(all));
	for (size_t round = 0; round < 100; round++) {
		struct user user[USERS];
		double mean[3][USES];
		size_t users[3], skipped[3];
		for (size_t i = 0; i < USERS; i++)
			draw_user(&random, &user[i]);
		for (size_t way = 0; way < 3; way++) {
			struct ranking_collector *collector = make_collector(uses, way ? FEW : USES, NULL);
			const struct crowd crowd[] = {{user, all}, {user + USERS / 3, all}};
			if (way < 2) {
				add_users(collector, user, USERS);
			} else {
				ranking_collector_rank(collector, 0, USERS / 3, USERS - USERS / 3, rank_user, &crowd[1]);
				ranking_collector_rank(collector, 0, 0, USERS / 3, rank_user, &crowd[0]);
				ranking_collector_join(collector, USERS);
			}
			ranking_collector_result(collector, mean[way], &users[way], &skipped[way]);
			assert_int_equal(users[way], users[0]);
			assert_int_equal(skipped[way], skipped[0]);
			assert_memory_equal(mean[way], mean[0], FEW * sizeof(double));
			ranking_collector_destroy(collector);
		}
	}
}

// More users than are ranked at once, in any portions, on any number of threads: not a bit of difference.
static void threads_and_portions_change_nothing(void **state) {
	(void)state;
	enum { MANY = RANKING_PORTION + 3000 };
	uint64_t random = 6;
	struct metric_use uses[USES];
	struct user *all = malloc(MANY * sizeof(*all));
	double mean[2][USES];
	size_t users[2], skipped[2];
	assert_non_null(all);
	make_uses(uses);
	for (size_t i = 0; i < MANY; i++)
		draw_user(&random, &all[i]);
	for (size_t threads = 1; threads <= 4; threads++) {
		struct pool *pool = pool_create(threads);
		struct ranking_collector *collector = make_collector(uses, USES, pool);
		size_t one = threads > 1;
		add_users(collector, all, 100);
		ranking_collector_clear(collector);
		for (size_t first = 0, portion = MANY; first < MANY; first += portion) {
			portion = threads == 1 ? MANY : 1 + draw_below(&random, 2000);
			portion = portion < MANY - first ? portion : MANY - first;
			add_users(collector, all + first, portion);
		}
		ranking_collector_result(collector, mean[one], &users[one], &skipped[one]);
		ranking_collector_destroy(collector);
		pool_destroy(pool);
		assert_int_equal(users[one] + skipped[one], MANY);
		assert_int_equal(users[one], users[0]);
		for (size_t i = 0; i < USES; i++)
			assert_near(mean[one][i], mean[0][i], 0);
	}
	free(all);
}

static void no_users_no_value(void **state) {
	(void)state;
	struct metric_use uses[USES];
	double mean[USES];
	size_t users, skipped;
	const struct user nobody[2] = {
	    {.relevant_count = 0},
	    {.excluded = {7}, .excluded_count = 1, .relevant = {7}, .relevant_count = 1} // relevant, but no candidate
	};
	make_uses(uses);
	struct ranking_collector *collector = make_collector(uses, USES, NULL);
	add_users(collector, nobody, 2);
	ranking_collector_result(collector, mean, &users, &skipped);
	assert_int_equal(users, 0);
	assert_int_equal(skipped, 2);
	for (size_t i = 0; i < USES; i++)
		assert_true(isnan(mean[i]));
	ranking_collector_destroy(collector);
	ranking_collector_destroy(NULL);
}

// Equal scores: the lower index comes first, so item 0 is at rank 1 and item 9 at rank 10.
static void ties_go_to_the_lower_index(void **state) {
	(void)state;
	const struct metric_use use = use_of(&metric_mrr, 10);
	for (uint32_t item = 0; item < ITEMS; item++) {
		struct ranking_collector *collector = make_collector(&use, 1, NULL);
		const struct user user = {.relevant = {item}, .relevant_count = 1};
		double mean;
		size_t users, skipped;
		add_users(collector, &user, 1);
		ranking_collector_result(collector, &mean, &users, &skipped);
		assert_near(mean, item < 10 ? 1 / (double)(item + 1) : 0, 0);
		ranking_collector_destroy(collector);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hand_worked),
	    cmocka_unit_test(the_best_order),
	    cmocka_unit_test(collector_equals_the_definitions),
	    cmocka_unit_test(without_lists),
	    cmocka_unit_test(threads_and_portions_change_nothing),
	    cmocka_unit_test(no_users_no_value),
	    cmocka_unit_test(ties_go_to_the_lower_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
