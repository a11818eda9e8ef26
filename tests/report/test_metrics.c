// metrics.json, history.jsonl and run.json: what they hold, in which order, and that they hold the same twice.
#include "fixture.h"

#include "base/file.h"

#include <cJSON.h>

static cJSON *parse(const struct text *text) {
	cJSON *object = cJSON_ParseWithOpts(text_string(text), NULL, true);
	assert_non_null(object);
	return object;
}

// The member behind a dotted path; array elements by number.
static const cJSON *at(const cJSON *object, const char *path) {
	char *copy = memory_copy_string(path), *save = NULL;
	for (char *step = strtok_r(copy, "/", &save); step && object; step = strtok_r(NULL, "/", &save))
		object = cJSON_IsArray(object) ? cJSON_GetArrayItem(object, atoi(step))
		                               : cJSON_GetObjectItemCaseSensitive(object, step);
	free(copy);
	assert_non_null(object);
	return object;
}

static void assert_number(const cJSON *object, const char *path, double value) {
	const cJSON *item = at(object, path);
	if (isnan(value)) {
		assert_true(cJSON_IsNull(item));
		return;
	}
	assert_true(cJSON_IsNumber(item));
	assert_memory_equal(&item->valuedouble, &value, sizeof(value));
}

static void assert_string(const cJSON *object, const char *path, const char *value) {
	assert_true(cJSON_IsString(at(object, path)));
	assert_string_equal(at(object, path)->valuestring, value);
}

// The keys of an object, in order, divided by blanks.
static void assert_keys(const cJSON *object, const char *expected) {
	struct text keys = {0};
	const cJSON *item;
	cJSON_ArrayForEach(item, object) text_format(&keys, "%s%s", keys.length > 0 ? " " : "", item->string);
	assert_string_equal(text_string(&keys), expected);
	text_finish(&keys);
}

static void test_metrics_hold_the_result(void **state) {
	(void)state;
	struct fixture *f = fixture_create(3, 2);
	struct text text = {0};
	report_metrics_json(&f->result, &text);
	cJSON *root = parse(&text);
	assert_keys(root,
	            "schema experiment id seed backend data loss model protocol split baselines best final epochs weights_hash");
	assert_keys(at(root, "data"), "fingerprint users items ratings");
	assert_keys(at(root, "data/ratings"), "train valid test");
	assert_keys(at(root, "model/nodes/0"), "name op shape parameters path detail inputs");
	assert_keys(at(root, "best"), "epoch metric value");
	assert_keys(at(root, "final"), "train valid test");
	assert_keys(at(root, "final/train"), "loss mse accuracy auc ndcg@10 ranked_users skipped_users");
	assert_keys(at(root, "final/valid"), "");
	assert_string(root, "schema", "aexp.metrics/1");
	assert_string(root, "seed", "18446744073709551615");
	assert_string(root, "backend", "openblas");
	assert_string(root, "weights_hash", "fedcba9876543210fedcba9876543210");
	assert_number(root, "data/ratings/train", 5);
	assert_number(root, "data/ratings/valid", 0);
	assert_number(root, "data/ratings/test", 2);
	assert_number(root, "model/parameters", 116512);
	assert_number(root, "model/nodes/6/shape/0", 800);
	assert_string(root, "model/nodes/6/path", "sparse");
	assert_number(root, "best/epoch", 2);
	assert_number(root, "best/value", f->epochs[1].valid.metric[0]);
	assert_number(root, "final/train/loss", f->epochs[2].train_loss);
	for (size_t i = 0; i < 4; i++) {
		char path[64];
		snprintf(path, sizeof(path), "final/test/%s", f->uses[i].name);
		assert_number(root, path, f->result.final[PART_TEST].metric[i]);
	}
	assert_number(root, "final/test/skipped_users", 4);
	assert_number(root, "final/train/ranked_users", 4);
	cJSON_Delete(root);
	text_finish(&text);
	fixture_destroy(f);
}

static void test_baselines_and_epochs(void **state) {
	(void)state;
	struct fixture *f = fixture_create(3, 2);
	struct text text = {0};
	report_metrics_json(&f->result, &text);
	cJSON *root = parse(&text);
	assert_keys(at(root, "baselines"), "valid test");
	assert_keys(at(root, "baselines/valid"), "");
	assert_keys(at(root, "baselines/test"), "global_mean item_mean user_item_bias popularity");
	assert_keys(at(root, "baselines/test/item_mean"), "mse accuracy auc");
	assert_keys(at(root, "baselines/test/popularity"), "ndcg@10");
	assert_number(root, "baselines/test/item_mean/mse", 2.0 / 7);
	assert_number(root, "baselines/test/item_mean/auc", NAN);
	assert_int_equal(cJSON_GetArraySize(at(root, "epochs")), 3);
	assert_keys(at(root, "epochs/0"), "epoch train valid");
	assert_keys(at(root, "epochs/0/valid"), "");
	assert_keys(at(root, "epochs/1/valid"), "mse accuracy auc ndcg@10 ranked_users skipped_users");
	assert_number(root, "epochs/2/epoch", 3);
	assert_number(root, "epochs/2/train/loss", f->epochs[2].train_loss);
	cJSON_Delete(root);
	text_finish(&text);
	fixture_destroy(f);
}

static void test_no_best_no_ranking_and_input(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	f->experiment.uses_count = 3; // without the ranking metric
	f->result.best_epoch = 0;
	f->result.best_value = 7;
	f->result.best_metric = NULL;
	f->matrices.test.own_input.start = fixture_start; // as under split `users`
	f->matrices.input_count = 5;
	struct text text = {0};
	report_metrics_json(&f->result, &text);
	cJSON *root = parse(&text);
	assert_keys(at(root, "data/ratings"), "train valid test input");
	assert_number(root, "data/ratings/input", 5);
	assert_number(root, "best/epoch", 0);
	assert_true(cJSON_IsNull(at(root, "best/metric")));
	assert_true(cJSON_IsNull(at(root, "best/value")));
	assert_keys(at(root, "final/test"), "mse accuracy auc");
	cJSON_Delete(root);
	text_finish(&text);
	fixture_destroy(f);
}

// What differs from run to run may not get in: another process, other times, the same bytes.
static void test_same_bytes(void **state) {
	(void)state;
	struct fixture *a = fixture_create(20, 1), *b = fixture_create(20, 1);
	for (size_t i = 0; i < 20; i++)
		b->epochs[i].seconds = 1000;
	b->result.phases[0].seconds = 99;
	static void (*const pieces[])(const struct run_result *, struct text *) = {
	    report_metrics_json, report_history_jsonl, report_loss_tsv, report_loss_gp};
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct text one = {0}, other = {0};
		pieces[i](&a->result, &one);
		pieces[i](&b->result, &other);
		assert_string_equal(text_string(&one), text_string(&other));
		text_finish(&one);
		text_finish(&other);
	}
	fixture_destroy(a);
	fixture_destroy(b);
}

static void test_history(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 2);
	f->experiment.uses_count = 2;
	f->epochs[0].train_loss = 0.1 + 0.2;
	f->epochs[1].train_loss = NAN;
	f->epochs[1].valid.metric[0] = 0.25;
	f->epochs[1].valid.metric[1] = INFINITY;
	struct text text = {0};
	report_history_jsonl(&f->result, &text);
	assert_string_equal(text_string(&text),
	                    "{\"epoch\":1,\"train\":{\"loss\":0.30000000000000004},\"valid\":{}}\n"
	                    "{\"epoch\":2,\"train\":{\"loss\":null},\"valid\":{\"mse\":0.25,\"accuracy\":null}}\n");
	text_finish(&text);
	fixture_destroy(f);
}

static void test_run_json(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 1);
	struct text text = {0};
	report_run_json(&f->result, &f->provenance, &text);
	cJSON *root = parse(&text);
	assert_keys(
	    root, "schema experiment id resumed_from_epoch version commit command started ended seconds epochs "
	          "final_epoch stopped_early converged host system cpu threads blas gpu peak_memory_bytes data phases epoch_seconds");
	assert_number(root, "resumed_from_epoch", 0);
	assert_string(root, "command/1", "run");
	assert_string(root, "started", "2026-11-01T08:00:00Z");
	assert_number(root, "seconds", 9.25);
	assert_string(root, "blas", "openblas 0.3.21 Haswell");
	assert_true(cJSON_IsNull(at(root, "gpu")));
	assert_true(at(root, "peak_memory_bytes")->valuedouble > 1e6);
	assert_number(root, "phases/0/ratings_per_second", 20);
	assert_number(root, "phases/1/ratings_per_second", NAN);
	assert_number(root, "epoch_seconds/1", 0.5);
	cJSON_Delete(root);
	text_finish(&text);
	fixture_destroy(f);
}

// Ids are kept on their line; what is of all lists together has no column.
static void test_users(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	char awkward[] = "a\tb\0c\\d\ne\0u3\0u4";
	uint32_t offsets[] = {0, 4, 10, 13}, users[] = {0, 1};
	double values[] = {0.25, NAN, 1, 7, 0.1 + 0.2, 0, INFINITY, 8};
	f->dataset.users.bytes = awkward;
	f->dataset.users.offset = offsets;
	f->metrics[3].over_ranking = NULL;
	f->metrics[3].over_lists = fixture_over_lists;
	f->result.users[PART_TEST] = (struct user_values){.user = users, .value = values, .count = 2, .uses = 4};
	struct text text = {0};
	report_users_tsv(&f->result, &text);
	assert_string_equal(text_string(&text), "part\tuser\tmse\taccuracy\tauc\n"
	                                        "test\ta\\tb\t0.25\tnan\t1\n"
	                                        "test\tc\\\\d\\ne\t0.30000000000000004\t0\tnan\n");
	text_finish(&text);
	fixture_destroy(f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_metrics_hold_the_result),
	    cmocka_unit_test(test_baselines_and_epochs),
	    cmocka_unit_test(test_no_best_no_ranking_and_input),
	    cmocka_unit_test(test_same_bytes),
	    cmocka_unit_test(test_history),
	    cmocka_unit_test(test_users),
	    cmocka_unit_test(test_run_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
