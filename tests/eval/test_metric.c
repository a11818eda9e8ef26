// The registry of metrics and the names an experiment uses: every row complete, every kind of wrong name refused with
// its message.
#include "eval_test.h"

static void every_row_is_complete(void **state) {
	(void)state;
	static const char *const lower_is_better[] = {"mse", "rmse", "mae", "gini"};
	for (size_t i = 0; i < metric_registry.count; i++) {
		const struct metric *metric = (const struct metric *)metric_registry.rows[i];
		assert_non_null(metric->row.name);
		assert_true(strlen(metric->row.doc) > 10);
		assert_int_equal(!!metric->over_cells + !!metric->over_ranking + !!metric->over_lists, 1);
		assert_true(metric->takes_k == (metric_ranks(metric) && !metric->wants_auc));
		assert_ptr_equal(registry_find(&metric_registry, metric->row.name), metric);
		bool is_error = false;
		for (size_t j = 0; j < sizeof(lower_is_better) / sizeof(lower_is_better[0]); j++)
			is_error = is_error || strcmp(metric->row.name, lower_is_better[j]) == 0;
		assert_true(metric->higher_is_better == !is_error);
	}
}

static void names_are_read(void **state) {
	(void)state;
	static const struct {
		const char *text, *name;
		const struct metric *metric;
		size_t k;
	} cases[] = {
	    {"mse", "mse", &metric_mse, 0},           {"auc", "auc", &metric_auc, 0},
	    {"ndcg@10", "ndcg@10", &metric_ndcg, 10}, {"recall@1", "recall@1", &metric_recall, 1},
	    {"hit@007", "hit@7", &metric_hit, 7},     {"map@1000000", "map@1000000", &metric_map, 1000000},
	};
	struct arena arena = {0};
	struct errors errors = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct metric_use use;
		assert_true(metric_use_read(cases[i].text, (struct origin){0}, &arena, &use, &errors));
		assert_ptr_equal(use.metric, cases[i].metric);
		assert_int_equal(use.k, cases[i].k);
		assert_string_equal(use.name, cases[i].name);
	}
	assert_int_equal(errors.count, 0);
	errors_finish(&errors);
	arena_finish(&arena);
}

#define KNOWN                                                                                                          \
	"Known are \"mse\", \"rmse\", \"mae\", \"accuracy\", \"auc\", \"ndcg@10\", \"recall@10\", \"precision@10\", "      \
	"\"map@10\", "                                                                                                     \
	"\"mrr@10\", \"hit@10\", \"recall_capped@10\", \"user_auc\", \"novelty@10\", \"coverage@10\", \"gini@10\"."

static void wrong_names_are_refused(void **state) {
	(void)state;
	static const struct {
		const char *text, *message, *hint;
	} cases[] = {
	    {"rsme", "unknown metric \"rsme\"", "Did you mean \"rmse\"?"},
	    {"ndgc@10", "unknown metric \"ndgc@10\"", "Did you mean \"ndcg@10\"?"},
	    {"rsme@5", "unknown metric \"rsme@5\"", "Did you mean \"rmse\"?"},
	    {"recal", "unknown metric \"recal\"", "Did you mean \"recall@10\"?"},
	    {"perplexity", "unknown metric \"perplexity\"", KNOWN},
	    {"@5", "unknown metric \"@5\"", KNOWN},
	    {"", "unknown metric \"\"", KNOWN},
	    {"mse@10", "metric \"mse\" takes no cut-off, found \"mse@10\"", "Write it as \"mse\"."},
	    {"mse@", "metric \"mse\" takes no cut-off, found \"mse@\"", "Write it as \"mse\"."},
	    {"ndcg", "metric \"ndcg\" needs a cut-off", "Write it as \"ndcg@10\"."},
	    {"ndcg@", "the cut-off of metric \"ndcg@\" is not a whole number of at least 1", "Write it as \"ndcg@10\"."},
	    {"ndcg@0", "the cut-off of metric \"ndcg@0\" is not a whole number of at least 1", "Write it as \"ndcg@10\"."},
	    {"hit@-3", "the cut-off of metric \"hit@-3\" is not a whole number of at least 1", "Write it as \"hit@10\"."},
	    {"hit@+3", "the cut-off of metric \"hit@+3\" is not a whole number of at least 1", "Write it as \"hit@10\"."},
	    {"map@1.5", "the cut-off of metric \"map@1.5\" is not a whole number of at least 1", "Write it as \"map@10\"."},
	    {"map@5@5", "the cut-off of metric \"map@5@5\" is not a whole number of at least 1", "Write it as \"map@10\"."},
	    {"mrr@99999999999999999999",
	     "the cut-off of metric \"mrr@99999999999999999999\" is not a whole number of at least 1",
	     "Write it as \"mrr@10\"."},
	};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errors errors = {0};
		struct metric_use use = {.k = 77};
		struct origin at = {.file = "a.cfg", .line = 12};
		assert_false(metric_use_read(cases[i].text, at, &arena, &use, &errors));
		assert_int_equal(use.k, 77); // untouched
		assert_int_equal(errors.count, 1);
		assert_int_equal(errors.items[0].code, ERROR_CONFIG);
		assert_string_equal(errors.items[0].file, "a.cfg");
		assert_int_equal(errors.items[0].line, 12);
		assert_string_equal(errors.items[0].message, cases[i].message);
		assert_string_equal(errors.items[0].hint, cases[i].hint);
		errors_finish(&errors);
	}
	arena_finish(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_complete),
	    cmocka_unit_test(names_are_read),
	    cmocka_unit_test(wrong_names_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
