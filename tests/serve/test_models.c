// The model that is served: threads ask while it is opened anew again and again, and a file that is none changes
// nothing. The thread sanitizer watches this one.
#include "serve/models.h"

#include "hand.h"
#include "scratch.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 3, RELOADS = 20 };
struct asker {
	struct models *models;
	size_t slot, asked, wrong;
	const atomic_bool *ends;
};

static void *ask(void *context) {
	struct asker *a = context;
	struct aexp_rating ratings[] = {{"b", 3}, {"a", 2}};
	struct aexp_user user = {.ratings = ratings, .ratings_count = 2};
	while (!atomic_load(a->ends) || !a->asked) {
		struct aexp_list list = {0};
		struct aexp_error error;
		struct served *served = models_take(a->models, a->slot);
		bool good = aexp_recommend(served->model[a->slot], &user, 1, &(struct aexp_how){.top = 2}, &list, &error);
		a->wrong += !good || list.count != 2 || strcmp(list.items[0].item, "c") != 0 || list.items[0].score != 12;
		models_leave(a->models, a->slot);
		a->asked++;
	}
	return NULL;
}

static void test_reload_under_load(void **state) {
	(void)state;
	struct models models;
	struct error error = {0};
	struct asker askers[THREADS];
	pthread_t threads[THREADS];
	atomic_bool ends = false;
	assert_true(hand_write(path, "0"));
	assert_true(models_open(&models, path, THREADS, &error));
	for (size_t i = 0; i < THREADS; i++) {
		askers[i] = (struct asker){.models = &models, .slot = i, .ends = &ends};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (size_t i = 1; i <= RELOADS; i++) {
		char id[16];
		snprintf(id, sizeof(id), "%zu", i);
		assert_true(hand_write(path, id));
		assert_true(models_changed(&models));
		assert_true(models_reload(&models, &error));
		assert_false(models_changed(&models));
		assert_string_equal(aexp_id(atomic_load(&models.current)->model[0]), id);
	}
	atomic_store(&ends, true);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(askers[i].wrong, 0);
	}
	assert_int_equal(atomic_load(&models.reloads), RELOADS);
	models_close(&models);
}

static void test_bad_file(void **state) {
	(void)state;
	struct models models;
	struct error error = {0};
	assert_true(hand_write(path, "good"));
	assert_true(models_open(&models, path, 1, &error));
	assert_true(file_write(path, "nothing", 7, &error));
	assert_true(models_changed(&models));
	assert_false(models_reload(&models, &error));
	assert_int_equal(error.code, ERROR_DATA);
	assert_false(models_changed(&models)); // it is refused once
	assert_int_equal(atomic_load(&models.failures), 1);
	struct served *served = models_take(&models, 0);
	assert_string_equal(aexp_id(served->model[0]), "good");
	assert_int_equal(served->popular[0], 1); // b and d have as many ratings: the first of them
	assert_int_equal(served->popular[1], 3);
	models_leave(&models, 0);
	assert_int_equal(unlink(path), 0);
	assert_false(models_changed(&models)); // what is gone is not another file
	assert_false(models_reload(&models, &error));
	models_close(&models);
	assert_false(models_open(&models, path, 1, &error));
	models_close(&models);
	assert_true(hand_write(path, "0")); // for unmake
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_reload_under_load), cmocka_unit_test(test_bad_file)};
	return cmocka_run_group_tests(tests, make, unmake);
}
