// Real data sets load with exactly the counts and means that are published. Skipped where the data is not there: it may
// not be handed on. AEXP_DATA names its folder; otherwise ../shared/data beside the source tree is tried.
#include "load_fixture.h"

#include <math.h>

enum { SKIPPED = 77 };

static void must_have(const struct dataset *data, size_t users, size_t items, size_t ratings, double mean,
                      double slack) {
	assert_int_equal(data->users.count, users);
	assert_int_equal(data->items.count, items);
	assert_int_equal(data->count, ratings);
	assert_true(fabs(mean_of(data) - mean) <= slack);
}

static void test_ml_100k(void **state) {
	struct fixture *f = *state;
	must_load(f, "source: { format = \"movielens-100k\"; path = \"${AEXP_DATA}/ml-100k\"; };");
	must_have(&f->data, 943, 1682, 100000, 3.52986, 1e-9);
	assert_int_equal(f->data.user_attributes.count, 3);
	assert_int_equal(f->data.item_attributes.items[0].levels.count, 19);
	size_t males = 0;
	for (size_t i = 0; i < f->data.user_attributes.count; i++) {
		const struct attribute *attribute = &f->data.user_attributes.items[i];
		for (size_t u = 0; u < 943 && strcmp(attribute->name, "gender") == 0; u++)
			males += strcmp(ids_name(&attribute->levels, attribute->level[attribute->start[u]] - 1), "M") == 0;
	}
	assert_int_equal(males, 670);
	uint32_t star_wars = index_of(&f->data.items, "50");
	assert_string_equal(f->data.titles[star_wars], "Star Wars (1977)");
	must_load(f, "source: { format = \"movielens-100k\"; path = \"${AEXP_DATA}/ml-100k\"; };\n"
	             "split: { kind = \"files\"; train = \"${AEXP_DATA}/ml-100k/u1.base\"; test = "
	             "\"${AEXP_DATA}/ml-100k/u1.test\"; };");
	size_t test = 0;
	for (size_t i = 0; i < f->data.count; i++)
		test += f->data.part[i] == PART_TEST;
	must_have(&f->data, 943, 1682, 100000, 3.52986, 1e-9);
	assert_int_equal(test, 20000);
}

static void test_ml_1m(void **state) {
	struct fixture *f = *state;
	must_load(f, "source: { format = \"delimited\"; path = \"${AEXP_DATA}/ml-1m/ratings-no-timestamps.dat.xz\";\n"
	             "separator = \"::\"; header = false; };\n"
	             "user_features: { path = \"${AEXP_DATA}/ml-1m/users.dat\"; separator = \"::\"; header = false;\n"
	             "id = 1; categorical = [ \"2\", \"4\" ]; numeric = [ \"3\" ]; };");
	must_have(&f->data, 6040, 3706, 1000209, 3.581564, 5e-7);
	assert_int_equal(f->data.user_attributes.items[1].levels.count, 21);
}

static void test_jester(void **state) {
	struct fixture *f = *state;
	must_load(f, "source: { format = \"delimited\"; path = \"${AEXP_DATA}/jester-5k/ratings.csv.xz\"; };");
	must_have(&f->data, 5000, 100, 363209, 0.9159, 5e-5);
	float least = 0, most = 0;
	size_t zeros = 0;
	for (size_t i = 0; i < f->data.count; i++) {
		least = fminf(least, f->data.rating[i]);
		most = fmaxf(most, f->data.rating[i]);
		zeros += f->data.rating[i] == 0;
	}
	assert_true(least == -9.95f && most == 9.90f);
	assert_true(zeros > 0); // ratings like any other
}

static void test_filmtrust(void **state) {
	struct fixture *f = *state;
#define FILMTRUST                                                                                                      \
	"source: { format = \"delimited\"; path = \"${AEXP_DATA}/filmtrust/ratings.txt\"; separator = \" \"; header = "    \
	"false; };\n"
	// three pairs are there twice; the first line that repeats one is named
	assert_false(load(f, FILMTRUST));
	assert_string_equal(f->errors.items[0].message, "user \"308\" rated item \"207\" twice");
	assert_string_equal(f->errors.items[0].hint, "First on line 7411, again on line 7437.");
	assert_string_equal(path_base(f->errors.items[0].file), "ratings.txt");
	assert_int_equal(f->errors.items[0].line, 7437);
	must_load(f, FILMTRUST "duplicates = \"last\";");
	assert_int_equal(f->data.count, 35494);
	must_load(f, FILMTRUST "duplicates = \"mean\";");
	must_have(&f->data, 1508, 2071, 35494, 3.0028, 1e-3);
}

static void test_sephora(void **state) {
	struct fixture *f = *state;
	must_load(f, "source: { format = \"delimited\"; path = \"${AEXP_DATA}/sephora-2020-profiles/ratings.csv\"; };\n"
	             "user_features: { path = \"${AEXP_DATA}/sephora-2020-profiles/users.csv\"; id = \"user_id\";\n"
	             "categorical = [ \"age_range\", \"eye_color\", \"hair_color\", \"skin_tone\", \"skin_type\" ]; };");
	must_have(&f->data, 13210, 633, 15070, 4.110, 5e-4);
	static const size_t known[] = {1663, 12621, 12754, 12915, 12992}; // users who gave it
	for (size_t i = 0; i < 5; i++) {
		const struct attribute *attribute = &f->data.user_attributes.items[i];
		size_t given = 0;
		for (size_t u = 0; u < f->data.users.count; u++)
			given += attribute->level[attribute->start[u]] != 0;
		assert_int_equal(given, known[i]);
	}
	must_load(f, "source: { format = \"delimited\"; path = \"${AEXP_DATA}/sephora-2023-core/ratings.csv.xz\"; };\n"
	             "item_features: { path = \"${AEXP_DATA}/sephora-2023-core/products.csv\"; id = \"product_id\";\n"
	             "categorical = [ \"brand_name\" ]; numeric = [ \"price_usd\" ]; };");
	must_have(&f->data, 9246, 1890, 176736, 4.4776, 5e-5);
	index_of(&f->data.users, "orderGen1698648"); // ids are strings
}

// __FILE__ is relative to the build folder, where tests run, or absolute.
static bool find_data(void) {
	if (getenv("AEXP_DATA") != NULL)
		return file_is_folder(getenv("AEXP_DATA"));
	char *folder = path_folder(__FILE__), *path = path_join(folder, "../../../shared/data");
	char *absolute = path_absolute(path);
	bool found = file_is_folder(absolute);
	setenv("AEXP_DATA", absolute, 1);
	free(folder);
	free(path);
	free(absolute);
	return found;
}

int main(void) {
	if (!find_data()) {
		printf("skipped: no rating data; AEXP_DATA names its folder\n");
		return SKIPPED;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_ml_100k, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_ml_1m, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_jester, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_filmtrust, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(test_sephora, fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
