// The yardsticks against a slow reading of their definitions on small random data, in both orientations of the
// matrices, with and without held-out users; popularity against the collector fed with scores.
#include "eval_test.h"

#include "eval/baseline.h"

enum { USERS = 30, ITEMS = 25 };
enum cell { NOTHING, TRAIN, VALID, TEST, INPUT, KINDS };

// What is known, as a full table.
struct world {
	enum cell cell[USERS][ITEMS];
	float value[USERS][ITEMS];
	bool liked[USERS][ITEMS];
	bool held_out[USERS]; // split `users`: the user's entries are INPUT and TEST alone
	bool any_held_out;
};

static const double levels[] = {0, 1, 2.5, 4};
static const struct metric *const metrics[] = {
    &metric_mse,           &metric_ndcg,     &metric_rmse,    &metric_recall,   &metric_mae,
    &metric_hit,           &metric_accuracy, &metric_auc,     &metric_map,      &metric_mrr,
    &metric_recall_capped, &metric_user_auc, &metric_novelty, &metric_coverage, &metric_gini};
enum { USES = sizeof(metrics) / sizeof(metrics[0]) };

static void make_uses(struct metric_use *ret_uses) {
	for (size_t i = 0; i < USES; i++)
		ret_uses[i] = use_of(metrics[i], metrics[i]->takes_k ? 2 + i % 5 : 0);
}

static void draw_world(uint64_t *random, bool hold_out, struct world *ret) {
	*ret = (struct world){.any_held_out = hold_out};
	for (size_t user = 0; user < USERS; user++) {
		unsigned density = (unsigned)draw_below(random, 60); // some users have nothing
		ret->held_out[user] = hold_out && draw_chance(random, 30);
		for (size_t item = 0; item < ITEMS; item++) {
			static const enum cell plain[] = {TRAIN, TRAIN, VALID, TEST}, held_out[] = {INPUT, TEST};
			if (item % 7 == 3 && draw_chance(random, 80)) // items with few entries, some with none in train
				continue;
			if (!draw_chance(random, density))
				continue;
			ret->cell[user][item] = ret->held_out[user] ? held_out[draw_below(random, 2)]
			                        : hold_out          ? TRAIN
			                                            : plain[draw_below(random, 4)];
			ret->value[user][item] = (float)levels[draw_below(random, 4)];
			ret->liked[user][item] = ret->value[user][item] > 2;
		}
	}
}

static struct csr build(const struct world *world, enum cell kind, bool items_as_rows) {
	struct csr csr;
	struct error error;
	uint32_t row[USERS * ITEMS], column[USERS * ITEMS];
	float value[USERS * ITEMS];
	uint8_t liked[USERS * ITEMS];
	size_t count = 0;
	for (uint32_t user = 0; user < USERS; user++)
		for (uint32_t item = 0; item < ITEMS; item++) {
			if (world->cell[user][item] != kind)
				continue;
			row[count] = items_as_rows ? item : user;
			column[count] = items_as_rows ? user : item;
			value[count] = world->value[user][item];
			liked[count++] = world->liked[user][item];
		}
	assert_true(csr_build(items_as_rows ? ITEMS : USERS, items_as_rows ? USERS : ITEMS, count, row, column, value,
	                      liked, &csr, &error));
	return csr;
}

static void build_matrices(const struct world *world, bool items_as_rows, struct matrices *ret) {
	*ret = (struct matrices){.items_as_rows = items_as_rows, .users = USERS, .items = ITEMS};
	ret->train = build(world, TRAIN, items_as_rows);
	ret->valid.target = build(world, VALID, items_as_rows);
	ret->test.target = build(world, TEST, items_as_rows);
	ret->test.own_input = build(world, INPUT, items_as_rows);
	ret->valid.input = &ret->train;
	ret->test.input = world->any_held_out ? &ret->test.own_input : &ret->train;
}

static void finish_matrices(struct matrices *matrices) {
	csr_finish(&matrices->train);
	csr_finish(&matrices->valid.target);
	csr_finish(&matrices->test.target);
	csr_finish(&matrices->test.own_input);
}

struct naive {
	double mean, item_mean[ITEMS], user_bias[USERS], item_bias[ITEMS];
	size_t popularity[ITEMS];
};

static double naive_user_bias(const struct world *world, const struct naive *naive, size_t user) {
	enum cell kind = world->held_out[user] ? INPUT : TRAIN;
	double deviation = 0, count = 0;
	for (size_t item = 0; item < ITEMS; item++)
		if (world->cell[user][item] == kind) {
			deviation += (double)world->value[user][item] - naive->mean - naive->item_bias[item];
			count++;
		}
	return deviation / (15 + count);
}

static double naive_item_bias(const struct world *world, const struct naive *naive, size_t item) {
	double deviation = 0, count = 0;
	for (size_t user = 0; user < USERS; user++)
		if (world->cell[user][item] == TRAIN) {
			deviation += (double)world->value[user][item] - naive->mean - naive->user_bias[user];
			count++;
		}
	return deviation / (10 + count);
}

static void naive_means(const struct world *world, struct naive *ret) {
	double sum = 0, count = 0, item_sum[ITEMS] = {0};
	*ret = (struct naive){0};
	for (size_t item = 0; item < ITEMS; item++)
		for (size_t user = 0; user < USERS; user++)
			if (world->cell[user][item] == TRAIN) {
				sum += (double)world->value[user][item];
				count++;
				item_sum[item] += (double)world->value[user][item];
				ret->popularity[item]++;
			}
	ret->mean = sum / count;
	for (size_t item = 0; item < ITEMS; item++)
		ret->item_mean[item] = ret->popularity[item] ? item_sum[item] / (double)ret->popularity[item] : ret->mean;
}

static void naive_fit(const struct world *world, struct naive *ret) {
	naive_means(world, ret);
	for (size_t epoch = 0; epoch < 10; epoch++) {
		for (size_t item = 0; item < ITEMS; item++)
			ret->item_bias[item] = naive_item_bias(world, ret, item);
		for (size_t user = 0; user < USERS; user++)
			ret->user_bias[user] = world->held_out[user] ? 0 : naive_user_bias(world, ret, user);
	}
	for (size_t user = 0; user < USERS; user++)
		ret->user_bias[user] = naive_user_bias(world, ret, user);
}

static double naive_predict(const struct naive *naive, enum baseline baseline, size_t user, size_t item) {
	const double value[] = {naive->mean, naive->item_mean[item],
	                        naive->mean + naive->user_bias[user] + naive->item_bias[item]};
	return value[baseline];
}

static double naive_cells(const struct world *world, const struct naive *naive, enum cell part, enum baseline baseline,
                          const struct metric *metric) {
	float prediction[USERS * ITEMS], target[USERS * ITEMS];
	uint8_t liked[USERS * ITEMS];
	struct cells cells = {
	    .prediction = prediction, .target = target, .liked = liked, .levels = levels, .levels_count = 4};
	for (size_t user = 0; user < USERS; user++)
		for (size_t item = 0; item < ITEMS; item++) {
			if (world->cell[user][item] != part)
				continue;
			prediction[cells.count] = (float)naive_predict(naive, baseline, user, item);
			target[cells.count] = world->value[user][item];
			liked[cells.count++] = world->liked[user][item];
		}
	return metric->over_cells(&cells);
}

// A user's popularity ranking by scores.
struct asked {
	const struct world *world;
	const float *scores; // (ITEMS)
	enum cell part;
	bool valid_excluded;
};

static void rank_by_scores(const void *context, struct ranker *ranker, size_t user, struct ranking *ret) {
	const struct asked *asked = context;
	uint32_t excluded[ITEMS], target[ITEMS];
	uint8_t liked[ITEMS];
	struct question question = {
	    .scores = asked->scores, .target = target, .liked = liked, .excluded = {{excluded, 0}, {NULL, 0}}};
	for (uint32_t item = 0; item < ITEMS; item++) {
		enum cell cell = asked->world->cell[user][item];
		if (cell == TRAIN || cell == INPUT || (cell == VALID && asked->valid_excluded))
			excluded[question.excluded[0].count++] = item;
		if (cell != asked->part)
			continue;
		liked[question.target_count] = asked->world->liked[user][item];
		target[question.target_count++] = item;
	}
	ranker_answer(ranker, &question, ret);
}

static void naive_popularity(const struct world *world, const struct naive *naive, enum cell part, bool valid_excluded,
                             const struct metric_use *uses, double *ret_means) {
	struct ranking_collector *collector;
	struct error error;
	float scores[ITEMS];
	size_t users, skipped;
	assert_true(ranking_collector_create(uses, USES, ITEMS, NULL, &collector, &error));
	double surprise[ITEMS], users_of_train = 0;
	for (size_t user = 0; user < USERS; user++) {
		bool trains = false;
		for (size_t item = 0; item < ITEMS; item++)
			trains = trains || world->cell[user][item] == TRAIN;
		users_of_train += trains;
	}
	for (size_t item = 0; item < ITEMS; item++) {
		scores[item] = (float)naive->popularity[item];
		surprise[item] = -log2((naive->popularity[item] ? (double)naive->popularity[item] : 1) / users_of_train);
	}
	ranking_collector_surprise(collector, surprise);
	ranking_collector_add(collector, USERS, rank_by_scores, &(struct asked){world, scores, part, valid_excluded});
	ranking_collector_result(collector, ret_means, &users, &skipped);
	ranking_collector_destroy(collector);
}

static void evaluate(const struct matrices *matrices, const struct part *part, const struct part *valid_excluded,
                     const struct metric_use *uses, size_t uses_count, struct baselines *ret) {
	struct pool *pool = pool_create(2);
	struct baseline_fit *fit;
	struct error error;
	assert_true(baseline_fit_create(matrices, uses, uses_count, pool, &fit, &error));
	assert_true(baselines_evaluate(fit, part, valid_excluded, &(struct adjust){0}, levels, 4, ret, &error));
	baseline_fit_destroy(fit);
	pool_destroy(pool);
}

static void check_part(const struct world *world, const struct naive *naive, enum cell kind,
                       const struct matrices *matrices, const struct part *part, const struct part *valid_excluded) {
	struct metric_use uses[USES];
	struct baselines baselines;
	double popularity[USES];
	make_uses(uses);
	evaluate(matrices, part, valid_excluded, uses, USES, &baselines);
	assert_int_equal(baselines.uses_count, USES);
	naive_popularity(world, naive, kind, valid_excluded != NULL, uses, popularity);
	for (enum baseline baseline = 0; baseline < BASELINES; baseline++)
		for (size_t i = 0; i < USES; i++) {
			bool ranks = metric_ranks(metrics[i]), applies = ranks == (baseline == BASELINE_POPULARITY);
			assert_true(baselines.applies[baseline][i] == applies);
			if (!applies)
				assert_true(isnan(baselines.value[baseline][i]));
			else if (ranks) // the same numbers in the same order: not a bit of difference
				assert_near(baselines.value[baseline][i], popularity[i], 0);
			else
				assert_near(baselines.value[baseline][i], naive_cells(world, naive, kind, baseline, metrics[i]), 1e-6);
		}
}

static void random_data_equal_the_definitions(void **state) {
	(void)state;
	uint64_t random = 7;
	for (size_t round = 0; round < 100; round++)
		for (int items_as_rows = 0; items_as_rows < 2; items_as_rows++) {
			struct world world;
			struct naive naive;
			struct matrices matrices;
			draw_world(&random, false, &world);
			naive_fit(&world, &naive);
			build_matrices(&world, items_as_rows, &matrices);
			check_part(&world, &naive, VALID, &matrices, &matrices.valid, NULL);
			check_part(&world, &naive, TEST, &matrices, &matrices.test, &matrices.valid);
			finish_matrices(&matrices);
		}
}

static void held_out_users_get_a_bias_from_their_input(void **state) {
	(void)state;
	uint64_t random = 8;
	for (size_t round = 0; round < 100; round++) {
		struct world world;
		struct naive naive;
		struct matrices matrices;
		draw_world(&random, true, &world);
		naive_fit(&world, &naive);
		build_matrices(&world, false, &matrices);
		check_part(&world, &naive, TEST, &matrices, &matrices.test, &matrices.valid);
		finish_matrices(&matrices);
	}
}

// Two blocks that share no user and no item, far from the mean of all: the biases still move in the last epochs, so
// that one epoch more or less shows.
static void the_number_of_epochs_counts(void **state) {
	(void)state;
	struct world world = {0};
	for (size_t user = 0; user < USERS; user++)
		for (size_t item = 0; item < ITEMS; item++) {
			bool first = user < USERS / 2;
			if (first != (item < ITEMS / 2))
				continue;
			world.cell[user][item] = item % 6 == user % 6 ? TEST : TRAIN;
			world.value[user][item] = first ? 4 : 0;
			world.liked[user][item] = first;
		}
	struct naive naive;
	struct matrices matrices;
	naive_fit(&world, &naive);
	build_matrices(&world, false, &matrices);
	check_part(&world, &naive, TEST, &matrices, &matrices.test, NULL);
	finish_matrices(&matrices);
}

// The train part itself: every entry is the input, so that nobody has a candidate that is relevant.
static void input_entries_are_no_candidates(void **state) {
	(void)state;
	uint64_t random = 9;
	for (int items_as_rows = 0; items_as_rows < 2; items_as_rows++) {
		struct world world;
		struct matrices matrices;
		struct baselines baselines;
		const struct metric_use uses[] = {use_of(&metric_hit, ITEMS), use_of(&metric_mse, 0)};
		draw_world(&random, false, &world);
		build_matrices(&world, items_as_rows, &matrices);
		struct part part = {.input = &matrices.train, .target = matrices.train};
		evaluate(&matrices, &part, NULL, uses, 2, &baselines);
		assert_true(isnan(baselines.value[BASELINE_POPULARITY][0]));
		assert_true(baselines.value[BASELINE_USER_ITEM_BIAS][1] < baselines.value[BASELINE_GLOBAL_MEAN][1]);
		finish_matrices(&matrices);
	}
}

static double value_of(const struct world *world, const struct metric *metric, size_t k, enum baseline baseline) {
	struct matrices matrices;
	struct baselines baselines;
	struct metric_use use = use_of(metric, k);
	build_matrices(world, false, &matrices);
	evaluate(&matrices, &matrices.test, NULL, &use, 1, &baselines);
	finish_matrices(&matrices);
	return baselines.value[baseline][0];
}

static void set_cell(struct world *world, size_t user, size_t item, enum cell cell, float value) {
	world->cell[user][item] = cell;
	world->value[user][item] = value;
	world->liked[user][item] = value > 2;
}

static void hand_worked(void **state) {
	(void)state;
	struct world world = {0};
	set_cell(&world, 0, 0, TRAIN, 4);
	set_cell(&world, 0, 1, TRAIN, 1);
	set_cell(&world, 1, 0, TRAIN, 2.5F);
	set_cell(&world, 1, 1, TEST, 4);
	assert_near(value_of(&world, &metric_mae, 0, BASELINE_GLOBAL_MEAN), 1.5, 1e-6); // mean 2.5
	assert_near(value_of(&world, &metric_mae, 0, BASELINE_ITEM_MEAN), 3, 1e-6);
	assert_near(value_of(&world, &metric_hit, 1, BASELINE_POPULARITY), 1, 0); // item 0 is no candidate
	set_cell(&world, 1, 1, NOTHING, 0);
	set_cell(&world, 1, 9, TEST, 4); // an item nobody rated: the global mean; nine items before it
	assert_near(value_of(&world, &metric_mae, 0, BASELINE_ITEM_MEAN), 1.5, 1e-6);
	assert_near(value_of(&world, &metric_mrr, 20, BASELINE_POPULARITY), 1.0 / 9, 0); // item 0 excluded
	set_cell(&world, 1, 9, TEST, 1);
	assert_true(isnan(value_of(&world, &metric_mrr, 20, BASELINE_POPULARITY))); // nothing is liked
}

static void without_train_entries_nothing_is_known(void **state) {
	(void)state;
	struct world world = {0};
	set_cell(&world, 3, 4, TEST, 4);
	for (enum baseline baseline = 0; baseline < BASELINE_POPULARITY; baseline++)
		assert_true(isnan(value_of(&world, &metric_mse, 0, baseline)));
	assert_near(value_of(&world, &metric_mrr, 20, BASELINE_POPULARITY), 1.0 / 5, 0); // ties by item order
}

static void the_names(void **state) {
	(void)state;
	assert_string_equal(baseline_names[BASELINE_GLOBAL_MEAN], "global_mean");
	assert_string_equal(baseline_names[BASELINE_ITEM_MEAN], "item_mean");
	assert_string_equal(baseline_names[BASELINE_USER_ITEM_BIAS], "user_item_bias");
	assert_string_equal(baseline_names[BASELINE_POPULARITY], "popularity");
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_data_equal_the_definitions),
	    cmocka_unit_test(held_out_users_get_a_bias_from_their_input),
	    cmocka_unit_test(the_number_of_epochs_counts),
	    cmocka_unit_test(input_entries_are_no_candidates),
	    cmocka_unit_test(hand_worked),
	    cmocka_unit_test(without_train_entries_nothing_is_known),
	    cmocka_unit_test(the_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
