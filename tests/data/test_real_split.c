// The published u1 split of MovieLens 100K, from its files to the matrices, and the published counts of the whole.
// Skipped where the data is not there: it may not be handed on. AEXP_DATA names its folder; otherwise ../shared/data
// beside the source tree is tried.
#include "load_fixture.h"

#include <math.h>

enum { SKIPPED = 77, USERS = 943, ITEMS = 1682, TRAIN = 80000, TEST = 20000 };

#define ML_100K "source: { format = \"movielens-100k\"; path = \"${AEXP_DATA}/ml-100k\"; };\n"
#define U1                                                                                                             \
	"split: { kind = \"files\"; train = \"${AEXP_DATA}/ml-100k/u1.base\"; test = \"${AEXP_DATA}/ml-100k/u1.test\"; "

static void create(struct fixture *f, const char *text, struct matrices *m, struct data_statistics *s) {
	struct error error = {0};
	must_load(f, text);
	if (!matrices_create(f->config, &f->data, 1, m, &error) || !data_statistics(f->config, m, s, &error)) {
		fail_msg("%s", error.message);
	}
}

static void finish(struct matrices *m, struct data_statistics *s) {
	data_statistics_finish(s);
	matrices_finish(m);
}

// Each line of a file of ratings is an entry, and there are no others. Rows are items here.
static void holds_file(struct fixture *f, const struct matrices *m, const struct csr *csr, const char *name) {
	char path[ERROR_FILE_MAX], user[16], item[16];
	float rating;
	size_t lines = 0;
	snprintf(path, sizeof path, "%s/ml-100k/%s", getenv("AEXP_DATA"), name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	for (; fscanf(file, "%15s %15s %f %*d", user, item, &rating) == 3; lines++) {
		uint32_t column = index_of(&f->data.users, user), row = index_of(&f->data.items, item);
		assert_true(m->user_of[column] == column && m->item_of[row] == row); // no filter: nothing is renumbered
		size_t at = csr->start[row];
		while (at < csr->start[row + 1] && csr->column[at] < column) {
			at++;
		}
		assert_true(at < csr->start[row + 1] && csr->column[at] == column && csr->value[at] == rating);
	}
	fclose(file);
	assert_int_equal(lines, csr_count(csr));
}

static void u1_is_as_published(void **state) {
	struct fixture *f = *state;
	struct matrices m;
	struct data_statistics s;
	create(f, ML_100K "rows = \"items\";\n" U1 "};", &m, &s);
	assert_int_equal(m.train.rows, ITEMS);
	assert_int_equal(m.train.columns, USERS);
	holds_file(f, &m, &m.train, "u1.base");
	holds_file(f, &m, &m.test.target, "u1.test");
	assert_null(m.valid.target.start);
	assert_int_equal(s.part[PART_TRAIN].ratings, TRAIN);
	assert_int_equal(s.part[PART_TEST].ratings, TEST);
	assert_int_equal(s.part[PART_TRAIN].items, 1650); // 32 items have all their ratings in the test
	assert_int_equal(s.part[PART_TEST].cold_items, 32);
	assert_int_equal(s.part[PART_TEST].users, 459);
	assert_int_equal(s.part[PART_TEST].cold_users, 0);
	assert_int_equal(m.features.columns, 1 + 19); // genres, and none
	finish(&m, &s);
	create(f, ML_100K U1 "valid_share = 0.1; };", &m, &s);
	assert_int_equal(s.part[PART_TRAIN].ratings, TRAIN - TRAIN / 10);
	assert_int_equal(s.part[PART_VALID].ratings, TRAIN / 10);
	assert_int_equal(s.part[PART_TEST].ratings, TEST);
	finish(&m, &s);
}

static void counts_are_as_published(void **state) {
	struct fixture *f = *state;
	struct matrices m;
	struct data_statistics s;
	create(f, ML_100K, &m, &s);
	const size_t histogram[] = {6110, 11370, 27145, 34174, 21201};
	assert_true(s.users == USERS && s.items == ITEMS && s.ratings == TRAIN + TEST);
	assert_true(fabs(s.mean - 3.52986) < 1e-9);
	assert_true(s.minimum == 1 && s.maximum == 5);
	assert_int_equal(s.histogram_count, 5);
	assert_memory_equal(s.histogram, histogram, sizeof histogram);
	assert_int_equal(s.users_with[2], USERS); // everyone has at least 20
	assert_int_equal(s.items_with[0], 141);
	assert_int_equal(m.features.rows, USERS);
	assert_int_equal(m.features.columns, 2 + 3 + 22); // age and missing; gender; 21 occupations
	for (size_t i = 0; i < m.coding_count; i++) {
		if (m.coding[i].numeric) {
			assert_true(fabs(m.coding[i].mean - 34.0519618) < 1e-6);
		}
	}
	finish(&m, &s);
}

// __FILE__ is relative to the build folder, where tests run, or absolute.
static bool find_data(void) {
	if (getenv("AEXP_DATA") == NULL) {
		char *folder = path_folder(__FILE__), *path = path_join(folder, "../../../shared/data");
		char *absolute = path_absolute(path);
		setenv("AEXP_DATA", absolute, 1);
		free(folder);
		free(path);
		free(absolute);
	}
	char *folder = path_join(getenv("AEXP_DATA"), "ml-100k");
	bool found = file_is_folder(folder);
	free(folder);
	return found;
}

int main(void) {
	if (!find_data()) {
		printf("skipped: no ml-100k; AEXP_DATA names the folder that holds it\n");
		return SKIPPED;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(u1_is_as_published, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(counts_are_as_published, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
