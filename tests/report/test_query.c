// Conditions on runs, the keys they may name, and the order of runs.
#include "fixture.h"

#include "report/query.h"

static struct run_value figures[] = {
    {"train.loss", 0.5, NAN, NAN}, {"test.rmse", 0.91, NAN, NAN}, {"test.ndcg@10", NAN, NAN, NAN}};
static const struct run_entry run = {
    .name = "ml1m-wide",
    .id = "12e4",
    .folder = "results/ml1m-wide/12e4",
    .finished = true,
    .backend = "openblas",
    .seed = "7",
    .protocol = "p",
    .epochs = 20,
    .best_epoch = 3,
    .best_metric = "valid.rmse",
    .best_value = 0.9,
    .final = figures,
    .final_count = 3,
    .ended = 86400,
    .config = "data.buckets.thresholds\t[ 3.5 ]\ngraph.taste.activation.kind\t\"relu\"\ngraph.taste.units\t64\n"
              "optimizer.rate\t1e-03\nseed\t18446744073709551615\ntrain.shuffle\ttrue\n",
};

static bool holds(const char *text) {
	struct arena arena = {0};
	struct condition condition;
	struct error error = {0};
	if (!condition_read(text, &arena, &condition, &error))
		fail_msg("%s: %s", text, error.message);
	bool ret = condition_holds(&condition, &run);
	arena_finish(&arena);
	return ret;
}

static void test_holds(void **state) {
	(void)state;
	static const char *const yes[] = {"optimizer.rate<0.01",
	                                  "optimizer.rate <= 0.001",
	                                  "optimizer.rate=0.001",
	                                  "optimizer.rate==1e-3",
	                                  "optimizer.rate!=0.1",
	                                  "graph.taste.units=64.0",
	                                  "graph.taste.units>=64",
	                                  "graph.taste.units > 8", // by size, not by letters
	                                  "graph.taste.activation.kind=relu",
	                                  "graph.taste.activation.kind = \"relu\"",
	                                  "graph.taste.activation=relu",
	                                  "graph.taste.activation!=tanh",
	                                  "graph.taste.activation.kind=re*",
	                                  "graph.taste.activation.kind!=sig*",
	                                  "name=ml1m-*",
	                                  "name=ml?m-[vw]ide",
	                                  "name<n",
	                                  "id=12e4",
	                                  "kind=run",
	                                  "finished=true",
	                                  "state=finished",
	                                  "epochs=20",
	                                  "train.loss<1",
	                                  "test.rmse<=0.91",
	                                  "best_metric=valid.*",
	                                  "best_value<1",
	                                  "ended>1970-01-01",
	                                  "ended=1970-01-02*",
	                                  "train.shuffle=true",
	                                  "data.buckets.thresholds=[ 3.5 ]",
	                                  "seed=18446744073709551615"};
	static const char *const no[] = {"optimizer.rate<0.001",
	                                 "optimizer.rate>0.001",
	                                 "optimizer.rate!=0.001",
	                                 "graph.taste.units<8",
	                                 "graph.taste.activation.kind=RELU",
	                                 "graph.taste.activation.kind=rel",
	                                 "graph.taste.activation.kind<3", // a word is not compared to a number
	                                 "graph.taste.activation.kind>3",
	                                 "optimizer.rate>a",
	                                 "optimizer.rho=0.9", // it has none
	                                 "optimizer.rho!=0.9",
	                                 "test.ndcg@10<1", // undefined
	                                 "test.ndcg@10!=1",
	                                 "test.mse<9",
	                                 "id=120000",
	                                 "runs>0",
	                                 "seed=18446744073709551614",
	                                 "name=ml1m"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!holds(yes[i]))
			fail_msg("%s does not hold", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (holds(no[i]))
			fail_msg("%s holds", no[i]);
}

static void test_malformed(void **state) {
	(void)state;
	static const char *const bad[] = {"",   "name",  "=1",   "name=", "name<", "name!1", "a b=1", "a=>1",
	                                  "<3", "a===1", "a<>1", "=",     "name ", "!=1",    "a=<1"};
	struct arena arena = {0};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct condition condition;
		struct error error = {0};
		if (condition_read(bad[i], &arena, &condition, &error))
			fail_msg("\"%s\" is taken", bad[i]);
		assert_int_equal(error.code, ERROR_CONFIG);
		assert_non_null(strstr(error.message, "is no condition"));
		assert_true(*error.hint);
	}
	arena_finish(&arena);
}

static void check_known(const struct runs *runs, const char *key, const char *near) {
	struct error error = {0};
	bool known = query_knows(runs, key, &error);
	if (known != !near)
		fail_msg("%s is %s", key, known ? "known" : "unknown");
	if (!known && near) {
		assert_int_equal(error.code, ERROR_CONFIG);
		assert_non_null(strstr(error.message, key));
		if (!strstr(error.hint, near))
			fail_msg("%s: hint is %s", key, error.hint);
	}
}

static void test_known(void **state) {
	(void)state;
	struct run_entry entry = run;
	struct runs runs = {.items = &entry, .count = 1}, none = {0};
	static const char *const known[] = {
	    "optimizer.rate",
	    "graph.taste.units",
	    "graph.taste.l2",
	    "graph.taste.init.sd",
	    "train.early_stop.metric",
	    "data.source.preset",
	    "data.split.fold_in",
	    "test.rmse",
	    "valid.recall@20",
	    "train.loss",
	    "name",
	    "ended",
	    "optimizer.rho",
	    "optimizer.schedule.floor",
	    "loss.delta",
	    "metrics",
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		check_known(&runs, known[i], NULL);
		check_known(&none, known[i], NULL);
	}
	check_known(&runs, "optimzer.rate", "\"optimizer.rate\"");
	check_known(&none, "optimzer.rate", "\"optimizer.rate\"");
	check_known(&runs, "graph.taste.unit", "\"graph.taste.units\"");
	check_known(&runs, "test.rmze", "\"test.rmse\"");
	check_known(&runs, "graph.tast.units", "\"graph.taste.units\"");
	check_known(&none, "graph.tast.units", NULL);
	check_known(&runs, "nam", "\"name\"");
	check_known(&runs, "test.ndcg", "test.ndcg@10");
	check_known(&runs, "graph.taste", "Keys are");
	check_known(&none, "optimizer", NULL);
	check_known(&runs, "graph.taste.activation", NULL);
	check_known(&runs, "data.filter", "Keys are");
	check_known(&runs, "", "Keys are");
}

static void check_order(const char *key, bool reverse, const char *expected) {
	struct run_value values[5] = {{"test.rmse", 2, NAN, NAN},
	                              {"test.ndcg@10", 0.2, NAN, NAN},
	                              {"test.rmse", 1, NAN, NAN},
	                              {"test.ndcg@10", 0.3, NAN, NAN},
	                              {"test.rmse", NAN, NAN, NAN}};
	struct run_entry items[4];
	struct runs runs = {.items = items, .count = 4};
	for (size_t i = 0; i < 4; i++) {
		items[i] = run;
		items[i].final_count = 0;
		items[i].config = "";
	}
	items[0].id = "a";
	items[0].config = "optimizer.rate\t0.5\nkey\t\"word\"\n";
	items[0].final = values;
	items[0].final_count = 2;
	items[1].id = "b";
	items[1].config = "optimizer.rate\t1e-3\nkey\t10\n";
	items[1].final = values + 2;
	items[1].final_count = 2;
	items[2].id = "c";
	items[2].final = values + 4;
	items[2].final_count = 1;
	items[3].id = "d";
	items[3].config = "optimizer.rate\t0.5\nkey\t9\n";
	query_sort(&runs, key, reverse);
	char order[5] = "";
	for (size_t i = 0; i < 4; i++)
		order[i] = *runs.items[i].id;
	if (strcmp(order, expected) != 0)
		fail_msg("%s%s gives %s, not %s", key, reverse ? " reversed" : "", order, expected);
}

static void test_order(void **state) {
	(void)state;
	check_order("test.rmse", false, "bacd"); // less is better; those without it last
	check_order("test.rmse", true, "abcd");
	check_order("test.ndcg@10", false, "bacd"); // more is better
	check_order("test.ndcg@10", true, "abcd");
	check_order("optimizer.rate", false, "badc"); // equal ones stay in order
	check_order("optimizer.rate", true, "adbc");
	check_order("key", false, "dbac"); // numbers before words
	check_order("key", true, "abdc");
	check_order("id", true, "dcba");
	assert_true(query_more_is_better("valid.auc"));
	assert_false(query_more_is_better("valid.mae"));
	assert_false(query_more_is_better("auc"));
	assert_false(query_more_is_better("train.loss"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
