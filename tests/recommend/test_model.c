// Models written by hand, so small that every score can be told: opening, lists, reasons, predictions, neighbours, and
// metadata that makes no sense. Items a b c d; hidden = ratings W, scores = hidden V + bias.
#include "recommend/aexp.h"

#include "scratch.h"
#include "base/file.h"
#include "report/json.h"

#include <math.h>
#include <stdio.h>

struct pair {
	const char *key, *value;
};
struct tensor {
	const char *name;
	size_t rows, columns; // columns 0: a vector
	const float *data;
};

// The base with some of its metadata replaced (value NULL: left out).
static void write_model(const struct pair *base, const struct pair *over, const struct tensor *tensors) {
	struct text header = {0}, file = {0};
	struct json json = {.text = &header, .compact = true};
	struct error error = {0};
	size_t offset = 0;
	json_object(&json, NULL, JSON_INLINE);
	json_object(&json, "__metadata__", JSON_INLINE);
	for (; base->key; base++) {
		const struct pair *use = base;
		for (const struct pair *o = over; o && o->key; o++)
			use = strcmp(o->key, base->key) ? use : o;
		if (use->value)
			json_string(&json, use->key, use->value);
	}
	json_end(&json);
	for (const struct tensor *t = tensors; t->name; t++) {
		size_t bytes = t->rows * (t->columns ? t->columns : 1) * sizeof(float);
		json_object(&json, t->name, JSON_INLINE);
		json_string(&json, "dtype", "F32");
		json_array(&json, "shape", JSON_INLINE);
		json_count(&json, NULL, t->rows);
		if (t->columns)
			json_count(&json, NULL, t->columns);
		json_end(&json);
		json_array(&json, "data_offsets", JSON_INLINE);
		json_count(&json, NULL, offset);
		json_count(&json, NULL, offset += bytes);
		json_end(&json);
		json_end(&json);
	}
	json_end(&json);
	while (header.length % 8)
		text_append(&header, " ");
	uint64_t length = header.length;
	text_append_bytes(&file, &length, 8);
	text_append_bytes(&file, header.data, header.length);
	for (const struct tensor *t = tensors; t->name; t++)
		text_append_bytes(&file, t->data, t->rows * (t->columns ? t->columns : 1) * sizeof(float));
	assert_true(file_write(path, file.data, file.length, &error));
	text_finish(&header);
	text_finish(&file);
}

static const float taste_weight[] = {1, 0, 0, 1, 1, 1, 2, 0}; // (4, 2)
static const float score_weight[] = {1, 2, 0, 3, 0, 1, 4, 1}; // (2, 4)
static const float score_bias[] = {0.5f, 0, 0, 0}, taste_bias[] = {0, 0};
static const struct tensor plain_tensors[] = {{"taste.weight", 4, 2, taste_weight},
                                              {"taste.bias", 2, 0, taste_bias},
                                              {"score.weight", 2, 4, score_weight},
                                              {"score.bias", 4, 0, score_bias},
                                              {0}};
static const struct pair plain[] = {
    {"format", "aexp.model/1"},
    {"name", "hand"},
    {"id", "0123456789ab"},
    {"rows", "users"},
    {"liked", "-inf"},
    {"items", "[\"a\",\"b\",\"c\",\"d\"]"},
    {"titles", "[\"Alpha\",null,\"\",\"Delta\"]"},
    {"popularity", "[3,9,1,9]"},
    {"buckets", NULL},
    {"above", NULL},
    {"coding", "[]"},
    {"graph",
     "{\"ratings_width\":4,\"user_width\":0,\"shape\":{\"batch\":2,\"rows\":5,\"refed\":0,\"ratings_entries\":2,"
     "\"user_entries\":0,\"target_entries\":2},\"nodes\":[]}"},
    {"experiment", "graph = ( { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 2; },"
                   " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
    {0},
};

static struct aexp_model *open_model(void) {
	struct aexp_model *model = NULL;
	struct aexp_error error;
	if (!aexp_open(path, 2, &model, &error))
		fail_msg("%s", error.message);
	return model;
}

static struct aexp_model *open_plain(const struct pair *over) {
	write_model(plain, over, plain_tensors);
	return open_model();
}

static void hold_list(const struct aexp_list *list, const char *items, const float *scores) {
	assert_int_equal(list->count, strlen(items));
	for (size_t i = 0; i < list->count; i++) {
		assert_int_equal(list->items[i].item[0], items[i]);
		assert_true(fabsf(list->items[i].score - scores[i]) < 1e-5f);
	}
}

static struct aexp_list recommend(struct aexp_model *model, const struct aexp_user *user, struct aexp_how how) {
	struct aexp_list list;
	struct aexp_error error;
	if (!aexp_recommend(model, user, 1, &how, &list, &error))
		fail_msg("%s", error.message);
	return list;
}

static void count_note(void *context, const char *user, const char *text) {
	(void)user, (void)text;
	++*(size_t *)context;
}

static void test_lists(void **state) {
	(void)state;
	struct aexp_model *model = open_plain(NULL);
	struct aexp_rating ratings[] = {{"b", 3}, {"a", 2}}; // hidden (2, 3): scores 2.5, 7, 12, 9
	struct aexp_user user = {.id = "u", .ratings = ratings, .ratings_count = 2};
	struct aexp_list list = recommend(model, &user, (struct aexp_how){0});
	hold_list(&list, "cd", (float[]){12, 9});
	assert_int_equal(list.basis, AEXP_RATINGS);
	assert_null(list.items[0].title);
	assert_string_equal(list.items[1].title, "Delta");
	list = recommend(model, &user, (struct aexp_how){.include_rated = true, .top = 3});
	hold_list(&list, "cdb", (float[]){12, 9, 7});
	const char *out[] = {"c", "nothing"};
	user.leave_out = out;
	user.leave_out_count = 2;
	list = recommend(model, &user, (struct aexp_how){.strict = true});
	hold_list(&list, "d", (float[]){9});
	aexp_close(model);
}

static void test_buckets_and_scale(void **state) {
	(void)state;
	struct aexp_rating ratings[] = {{"a", 4}};
	struct aexp_user user = {.ratings = ratings, .ratings_count = 1};
	struct aexp_model *model =
	    open_plain((struct pair[]){{"buckets", "{\"thresholds\":[3.5],\"values\":[0.5,10]}"}, {0}});
	struct aexp_list list = recommend(model, &user, (struct aexp_how){.top = 1}); // hidden (10, 0)
	hold_list(&list, "d", (float[]){30});
	ratings[0].rating = 3.5;
	list = recommend(model, &user, (struct aexp_how){.top = 1});
	hold_list(&list, "d", (float[]){1.5f});
	aexp_close(model);
	model = open_plain((struct pair[]){{"above", "2.5"}, {0}}); // what is rated lower is no input, but rated
	ratings[0].rating = 2;
	struct aexp_rating two[] = {{"d", 2}, {"a", 4}};
	user = (struct aexp_user){.ratings = two, .ratings_count = 2};
	list = recommend(model, &user, (struct aexp_how){0});
	hold_list(&list, "bc", (float[]){8, 0});
	user.ratings = ratings;
	user.ratings_count = 1;
	assert_int_equal(recommend(model, &user, (struct aexp_how){0}).basis, AEXP_POPULARITY);
	aexp_close(model);
}

static void test_cold(void **state) {
	(void)state;
	struct aexp_model *model = open_plain(NULL);
	size_t notes = 0;
	struct aexp_rating unknown[] = {{"zebra", 5}};
	struct aexp_user user = {.id = "u", .ratings = unknown, .ratings_count = 1};
	struct aexp_how how = {.note = count_note, .context = &notes};
	struct aexp_list list = recommend(model, &user, how);
	assert_int_equal(list.basis, AEXP_POPULARITY);
	assert_string_equal(aexp_basis_name(list.basis), "popularity");
	hold_list(&list, "bdac", (float[]){9, 9, 3, 1}); // of equal ones the first
	assert_int_equal(notes, 1);
	struct aexp_error error;
	how.strict = true;
	assert_false(aexp_recommend(model, &user, 1, &how, &list, &error));
	assert_int_equal(error.code, AEXP_DATA);
	assert_non_null(strstr(error.message, "\"zebra\" is unknown"));
	aexp_close(model);
}

static void test_bad_users(void **state) {
	(void)state;
	struct aexp_model *model = open_plain(NULL);
	struct aexp_rating twice[] = {{"a", 1}, {"a", 2}}, endless[] = {{"a", (double)INFINITY}};
	struct aexp_user users[] = {{.ratings = twice, .ratings_count = 2}, {.ratings = endless, .ratings_count = 1}};
	static const char *const says[] = {"is rated twice", "no finite number"};
	for (size_t i = 0; i < 2; i++) {
		struct aexp_list list;
		struct aexp_error error;
		assert_false(aexp_recommend(model, &users[i], 1, &(struct aexp_how){0}, &list, &error));
		assert_int_equal(error.code, AEXP_DATA);
		assert_non_null(strstr(error.message, says[i]));
	}
	aexp_close(model);
}

static void test_reasons(void **state) {
	(void)state;
	struct aexp_model *model = open_plain(NULL);
	struct aexp_rating ratings[] = {{"a", 2}, {"b", 3}};
	struct aexp_user user = {.ratings = ratings, .ratings_count = 2};
	struct aexp_list list = recommend(model, &user, (struct aexp_how){.reasons = 5});
	hold_list(&list, "cd", (float[]){12, 9});
	assert_int_equal(list.items[0].reasons_count, 1); // c: a gives nothing, b 3 times 4
	assert_string_equal(list.items[0].reasons[0].item, "b");
	assert_true(fabsf(list.items[0].reasons[0].contribution - 12) < 1e-5f);
	assert_int_equal(list.items[1].reasons_count, 2); // d: a 2 times 3, b 3 times 1
	assert_string_equal(list.items[1].reasons[0].item, "a");
	assert_string_equal(list.items[1].reasons[0].title, "Alpha");
	assert_true(fabsf(list.items[1].reasons[0].contribution - 6) < 1e-5f);
	assert_true(fabsf(list.items[1].reasons[1].contribution - 3) < 1e-5f);
	aexp_close(model);
}

static void test_predictions(void **state) {
	(void)state;
	struct aexp_model *model = open_plain((struct pair[]){
	    {"experiment",
	     "graph = ( { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 2; },"
	     " { name = \"score\"; op = \"dense\"; units = \"items\"; } ); evaluate: { clip = [ 1.0, 5.0 ]; };"},
	    {0}});
	struct aexp_rating ratings[] = {{"a", 2}};
	const char *asked[] = {"d", "zebra", "a"};
	struct aexp_user users[] = {{.ratings = ratings, .ratings_count = 1, .asked = asked, .asked_count = 3},
	                            {.asked = asked, .asked_count = 1}};
	struct aexp_list lists[2];
	struct aexp_error error;
	assert_true(aexp_predict(model, users, 2, &(struct aexp_how){0}, lists, &error));
	hold_list(&lists[0], "da", (float[]){6, 2.5f});
	assert_true(lists[0].items[0].rating == 5 && lists[0].items[1].rating == 2.5f);
	hold_list(&lists[1], "d", (float[]){0});
	assert_int_equal(lists[1].basis, AEXP_NOTHING);
	aexp_close(model);
}

static void test_similar(void **state) {
	(void)state;
	struct aexp_model *model = open_plain(NULL);
	struct aexp_list list;
	struct aexp_error error;
	assert_true(aexp_similar(model, "b", 2, &list, &error)); // b (2, 1); a (1, 0), c (0, 4), d (3, 1)
	hold_list(&list, "da", (float[]){7 / sqrtf(50), 2 / sqrtf(5)});
	assert_false(aexp_similar(model, "zebra", 2, &list, &error));
	assert_int_equal(error.code, AEXP_DATA);
	aexp_close(model);
}

// More users than a block has rows, on any number of threads: everyone gets what they get alone.
static void test_many(void **state) {
	(void)state;
	enum { USERS = 300 };
	write_model(plain, NULL, plain_tensors);
	struct aexp_rating ratings[USERS];
	struct aexp_user users[USERS];
	struct aexp_list lists[USERS];
	struct aexp_error error;
	for (size_t threads = 1; threads <= 3; threads++) {
		struct aexp_model *model = NULL;
		assert_true(aexp_open(path, threads, &model, &error));
		for (size_t i = 0; i < USERS; i++) {
			ratings[i] = (struct aexp_rating){"a", (double)i};
			users[i] = (struct aexp_user){.ratings = &ratings[i], .ratings_count = 1};
		}
		assert_true(aexp_recommend(model, users, USERS, &(struct aexp_how){.top = 1}, lists, &error));
		for (size_t i = 1; i < USERS; i++)
			hold_list(&lists[i], "d", (float[]){3 * (float)i});
		aexp_close(model);
	}
}

// --- attributes ---

static const float who_weight[] = {0, 0, 10, 0, 0, 20, 1, 1, 0, 100}; // (5, 2): missing, dry, oily; age, missing
static const float both_weight[] = {1, 0, 0, 0, 0, 1, 0, 0};          // (2, 4)
static const float no_bias[] = {0, 0, 0, 0};
static const struct tensor user_tensors[] = {{"who.weight", 5, 2, who_weight},
                                             {"who.bias", 2, 0, no_bias},
                                             {"taste.weight", 4, 2, taste_weight},
                                             {"taste.bias", 2, 0, no_bias},
                                             {"score.weight", 2, 4, both_weight},
                                             {"score.bias", 4, 0, no_bias},
                                             {0}};
static const struct pair user_over[] = {
    {"coding", "[{\"name\":\"skin\",\"kind\":\"categorical\",\"first_column\":0,\"columns\":3,"
               "\"levels\":[\"\",\"dry\",\"oily\"]},{\"name\":\"age\",\"kind\":\"numeric\",\"first_column\":3,"
               "\"columns\":2,\"mean\":30,\"deviation\":10}]"},
    {"experiment", "graph = ( { name = \"who\"; op = \"dense\"; input = \"user\"; units = 2; },"
                   " { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 2; },"
                   " { op = \"add\"; inputs = [ \"who\", \"taste\" ]; },"
                   " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
    {0},
};

static void hold_attributes(struct aexp_model *model, const struct aexp_attribute *attributes, size_t count, float a,
                            float b, size_t notes) {
	size_t noted = 0;
	struct aexp_user user = {.id = "u", .attributes = attributes, .attributes_count = count};
	struct aexp_list list = recommend(model, &user, (struct aexp_how){.note = count_note, .context = &noted});
	assert_int_equal(noted, notes);
	assert_int_equal(list.basis, AEXP_ATTRIBUTES);
	for (size_t i = 0; i < list.count; i++) {
		float wanted = list.items[i].item[0] == 'a' ? a : list.items[i].item[0] == 'b' ? b : 0;
		assert_true(fabsf(list.items[i].score - wanted) < 1e-4f);
	}
}

static void test_attributes(void **state) {
	(void)state;
	write_model(plain, user_over, user_tensors);
	struct aexp_model *model = open_model();
	hold_attributes(model, (struct aexp_attribute[]){{"skin", "dry"}}, 1, 10, 100, 0); // no age
	hold_attributes(model, (struct aexp_attribute[]){{"skin", "oily|dry|dry"}, {"age", "50"}}, 2, 12, 22, 0);
	hold_attributes(model, (struct aexp_attribute[]){{"age", "20"}, {"skin", "scaly"}}, 2, -1, -1, 1);
	hold_attributes(model, (struct aexp_attribute[]){{"age", "old"}, {"skin", "dry"}, {"hair", "red"}}, 3, 10, 100, 2);
	struct aexp_user user = {.id = "u", .attributes = (struct aexp_attribute[]){{"skin", ""}}, .attributes_count = 1};
	struct aexp_list list = recommend(model, &user, (struct aexp_how){0});
	assert_int_equal(list.basis, AEXP_POPULARITY); // nothing is known after all
	struct aexp_rating ratings[] = {{"a", 1}};
	user = (struct aexp_user){.ratings = ratings,
	                          .ratings_count = 1,
	                          .attributes = (struct aexp_attribute[]){{"age", "40"}},
	                          .attributes_count = 1};
	assert_int_equal(recommend(model, &user, (struct aexp_how){0}).basis, AEXP_RATINGS_AND_ATTRIBUTES);
	struct aexp_error error;
	user.attributes = (struct aexp_attribute[]){{"hair", "red"}};
	assert_false(aexp_recommend(model, &user, 1, &(struct aexp_how){.strict = true}, &list, &error));
	assert_non_null(strstr(error.message, "no attribute \"hair\""));
	aexp_close(model);
}

// --- rows are items ---

static void test_rows_are_items(void **state) {
	(void)state;
	static const struct pair base[] = {
	    {"format", "aexp.model/1"},
	    {"rows", "items"},
	    {"items", "[\"x\",\"y\"]"},
	    {"users", "[\"1\",\"2\",\"3\",\"4\"]"},
	    {"popularity", "[1,2]"},
	    {"coding", "[]"},
	    {"graph", "{}"},
	    {"experiment", "graph = ( { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 2; },"
	                   " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
	    {0}};
	struct aexp_rating ratings[] = {{"x", 1}};
	struct aexp_user user = {.ratings = ratings, .ratings_count = 1, .place = 1};
	struct aexp_list list;
	struct aexp_error error;
	write_model(base, NULL, plain_tensors);
	struct aexp_model *model = open_model();
	assert_false(aexp_takes_new_users(model));
	assert_false(aexp_recommend(model, &user, 1, &(struct aexp_how){0}, &list, &error));
	assert_int_equal(error.code, AEXP_USAGE);
	assert_non_null(strstr(error.message, "a row of this model is an item"));
	assert_false(aexp_similar(model, "x", 1, &list, &error));
	assert_int_equal(error.code, AEXP_USAGE);
	aexp_close(model);
}

// --- metadata that makes no sense ---

static void test_hostile(void **state) {
	(void)state;
	static const struct {
		struct pair over;
		const char *says;
	} cases[] = {
	    {{"format", "pt"}, "one of aexp's"},
	    {{"format", NULL}, "one of aexp's"},
	    {{"rows", NULL}, "one of aexp's"},
	    {{"items", NULL}, "\"items\""},
	    {{"items", "{}"}, "list of different words"},
	    {{"items", "[]"}, "knows no item"},
	    {{"items", "[\"a\",\"b\",\"b\",\"d\"]"}, "list of different words"},
	    {{"items", "[\"a\",\"b\",3,\"d\"]"}, "list of different words"},
	    {{"items", "[\"a\",\"b\",\"c\",\"d\",\"e\"]"}, "title for each item"},
	    {{"titles", "[\"a\"]"}, "title for each item"},
	    {{"titles", "x"}, "\"titles\""},
	    {{"popularity", "[1,2,3]"}, "popularity for each item"},
	    {{"popularity", "[1,2,3,-4]"}, "popularity for each item"},
	    {{"popularity", "[1,2,3,null]"}, "popularity for each item"},
	    {{"buckets", "{\"thresholds\":[3.5],\"values\":[1]}"}, "one value more"},
	    {{"buckets", "{\"thresholds\":[],\"values\":[]}"}, "one value more"},
	    {{"buckets", "[]"}, "one value more"},
	    {{"above", "x"}, "\"above\""},
	    {{"above", "[]"}, "must be above"},
	    {{"coding", "[{}]"}, "coding of its side information"},
	    {{"coding", "[{\"name\":\"a\",\"kind\":\"numeric\",\"first_column\":7,\"columns\":2}]"}, "coding of its"},
	    {{"coding",
	      "[{\"name\":\"a\",\"kind\":\"numeric\",\"first_column\":0,\"columns\":2,\"mean\":0,\"deviation\":0}]"},
	     "coding of its"},
	    {{"coding",
	      "[{\"name\":\"a\",\"kind\":\"categorical\",\"first_column\":0,\"columns\":9000000,\"levels\":[\"\"]}]"},
	     "coding of its"},
	    {{"graph", "{}"}, NULL},
	    {{"graph", "{\"shape\":{\"rows\":9007199254740991,\"batch\":1}}"}, "shape of its graph"},
	    {{"graph", "x"}, "\"graph\""},
	    {{"experiment", NULL}, "no experiment"},
	    {{"experiment", "graph = ("}, "ends too early"},
	    {{"experiment", "graph = ();"}, ""},
	    {{"experiment", "seed = 1;"}, "missing"},
	    {{"experiment", "graph = ( { name = \"score\"; op = \"dense\"; input = \"ratings\"; units = \"items\"; } );"},
	     "tensor of its graph"},
	    {{"experiment", "graph = ( { name = \"taste\"; op = \"dense\"; input = \"ratings\"; units = 999999999; },"
	                    " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
	     "tensor of its graph"},
	    {{"experiment", "graph = ( { name = \"taste\"; op = \"dense\"; input = \"user\"; units = 2; },"
	                    " { name = \"score\"; op = \"dense\"; units = \"items\"; } );"},
	     "reads \"user\""},
	    {{"experiment", "model = \"ease\";"}, "no tensor \"item.weight\""},
	    {{"experiment", "model = \"user_item_bias\";"}, "mean of the ratings"},
	    {{"experiment", "model = \"pure_svd\";"}, "no tensor \"item.factors\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct aexp_model *model = NULL;
		struct aexp_error error = {0};
		write_model(plain, (struct pair[]){cases[i].over, {0}}, plain_tensors);
		bool good = aexp_open(path, 1, &model, &error);
		if (good != !cases[i].says || (!good && (error.code != AEXP_DATA || !strstr(error.message, cases[i].says))))
			fail_msg("%s = %s: %s", cases[i].over.key, cases[i].over.value ? cases[i].over.value : "", error.message);
		if (good)
			aexp_close(model);
	}
}

// A byte of the header changed, anywhere: what then still opens also answers, and nothing is read that is not there.
static void test_changed(void **state) {
	(void)state;
	static const char bytes[] = {'0', '9', ' ', '"'};
	struct error error = {0};
	char *data;
	size_t size, opened = 0;
	write_model(plain, user_over, user_tensors);
	assert_true(file_read(path, 1 << 20, &data, &size, &error));
	for (size_t i = 8; i < size - 4 * (10 + 2 + 8 + 2 + 8 + 4); i++) {
		char before = data[i];
		struct aexp_model *model = NULL;
		data[i] = bytes[i % sizeof(bytes)];
		assert_true(file_write(path, data, size, &error));
		if (aexp_open(path, 1, &model, NULL)) {
			struct aexp_rating ratings[] = {{"a", 1}, {"c", 4}};
			struct aexp_attribute about[] = {{"skin", "dry|oily"}, {"age", "33"}};
			struct aexp_user user = {
			    .ratings = ratings, .ratings_count = 2, .attributes = about, .attributes_count = 2, .place = 3};
			struct aexp_list list;
			aexp_recommend(model, &user, 1, &(struct aexp_how){.reasons = 2}, &list, NULL);
			aexp_similar(model, "b", 3, &list, NULL);
			aexp_close(model);
			opened++;
		}
		data[i] = before;
	}
	assert_true(opened > 10);
	free(data);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lists),      cmocka_unit_test(test_buckets_and_scale),
	    cmocka_unit_test(test_cold),       cmocka_unit_test(test_bad_users),
	    cmocka_unit_test(test_reasons),    cmocka_unit_test(test_predictions),
	    cmocka_unit_test(test_similar),    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_attributes), cmocka_unit_test(test_rows_are_items),
	    cmocka_unit_test(test_hostile),    cmocka_unit_test(test_changed),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
