// The yardsticks on MovieLens 100K's published u1 split, held against scikit-surprise 1.1.5 (BaselineOnly, its
// defaults, predictions not clipped). Skipped where the data is not there: AEXP_DATA names its folder; otherwise
// ../shared/data beside the source tree is tried.
#include "eval_test.h"

#include "base/file.h"
#include "eval/baseline.h"

#include <stdio.h>

enum { SKIPPED = 77, USERS = 943, ITEMS = 1682, MOST = 100000 };

struct entries {
	uint32_t user[MOST], item[MOST];
	float rating[MOST];
	uint8_t liked[MOST];
	size_t count;
};

static char *data_folder(void) {
	if (getenv("AEXP_DATA"))
		return path_join(getenv("AEXP_DATA"), "ml-100k");
	char *folder = path_folder(__FILE__), *path = path_join(folder, "../../../shared/data/ml-100k");
	free(folder);
	return path;
}

static void read_entries(const char *name, struct entries *ret) {
	char *folder = data_folder(), *path = path_join(folder, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	ret->count = 0;
	while (ret->count < MOST && fscanf(file, "%u %u %f %*u", &ret->user[ret->count], &ret->item[ret->count],
	                                   &ret->rating[ret->count]) == 3) {
		ret->user[ret->count]--;
		ret->item[ret->count]--;
		ret->liked[ret->count] = ret->rating[ret->count] > 3.5F;
		ret->count++;
	}
	fclose(file);
	free(path);
	free(folder);
}

static struct csr read_csr(const char *name, bool items_as_rows) {
	struct entries *entries = malloc(sizeof(*entries));
	struct csr csr;
	struct error error;
	assert_non_null(entries);
	read_entries(name, entries);
	assert_true(csr_build(items_as_rows ? ITEMS : USERS, items_as_rows ? USERS : ITEMS, entries->count,
	                      items_as_rows ? entries->item : entries->user, items_as_rows ? entries->user : entries->item,
	                      entries->rating, entries->liked, &csr, &error));
	free(entries);
	return csr;
}

static void biases_equal_those_of_surprise(void **state) {
	(void)state;
	const struct metric_use uses[] = {use_of(&metric_rmse, 0), use_of(&metric_mae, 0)};
	for (int items_as_rows = 0; items_as_rows < 2; items_as_rows++) {
		struct matrices matrices = {.items_as_rows = items_as_rows, .users = USERS, .items = ITEMS};
		struct baselines baselines;
		struct baseline_fit *fit;
		struct error error;
		matrices.train = read_csr("u1.base", items_as_rows);
		matrices.test.target = read_csr("u1.test", items_as_rows);
		matrices.test.input = &matrices.train;
		assert_int_equal(csr_count(&matrices.train), 80000);
		assert_int_equal(csr_count(&matrices.test.target), 20000);
		assert_true(baseline_fit_create(&matrices, uses, 2, NULL, &fit, &error));
		assert_true(baselines_evaluate(fit, &matrices.test, NULL, &(struct adjust){0}, NULL, 0, &baselines, &error));
		baseline_fit_destroy(fit);
		assert_near(baselines.value[BASELINE_USER_ITEM_BIAS][0], 0.9599607042216342, 1e-7);
		assert_near(baselines.value[BASELINE_USER_ITEM_BIAS][1], 0.7616715203814046, 1e-7);
		csr_finish(&matrices.train);
		csr_finish(&matrices.test.target);
	}
}

int main(void) {
	char *folder = data_folder();
	bool found = file_is_folder(folder);
	free(folder);
	if (!found) {
		printf("skipped: no rating data; AEXP_DATA names its folder\n");
		return SKIPPED;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(biases_equal_those_of_surprise)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
