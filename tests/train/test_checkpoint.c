// Checkpoints: trainings that are interrupted after any batch and go on give what an undisturbed one gives; damaged,
// foreign and made-up files are refused or do no harm; the last two are kept; what diverges is found and named.
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "train/train.h"

static const char head[] = "name = \"kept\"; seed = 5; metrics = [ \"mse\" ];\n"
                           "data: { source: { format = \"synthetic\"; users = 120; items = 20; ratings = 700; };\n"
                           "  split: { kind = \"ratio\"; valid = 0.2; }; };\n";
// Batches of one row: an epoch has more of them than are gathered at once, so that there are moments within it.
#define TRAIN "train: { epochs = 3; batch = 1; checkpoint: { share = 1.0; minutes = 1e-9; }; "
#define SPARSE                                                                                                         \
	"graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 8; activation = \"tanh\"; path = "          \
	"\"sparse\"; "                                                                                                     \
	"l2 = 0.001; }, { name = \"out\"; op = \"dense\"; units = \"items\"; path = \"sparse\"; } );\n"
static const char lazy[] = SPARSE "optimizer: { kind = \"sgd\"; rate = 0.1; };\n" TRAIN "};";
static const char stopped[] = SPARSE
    "backend = \"reference\"; optimizer: { kind = \"adam\"; rate = 3.0; schedule: { kind = \"plateau\"; patience = 2; "
    "factor = 0.5; }; };\n"
    "train: { epochs = 12; batch = 1; checkpoint: { share = 1.0; minutes = 1e-9; };\n"
    "early_stop: { metric = \"valid.mse\"; patience = 4; }; alternate: ( { nodes = [ \"h\" ]; }, { nodes = [ \"out\" "
    "]; } ); };";
static const char descending[] =
    "graph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 8; activation = \"sigmoid\"; l2 = 0.001;\n"
    "    init: { kind = \"normal\"; sd = 30.0; }; },\n"
    "  { name = \"out\"; op = \"dense\"; units = \"items\"; init: { kind = \"normal\"; sd = 3.0; }; } );\n"
    "optimizer: { kind = \"lbfgs\"; memory = 3; past = 2; delta = 1e-9; };\n"
    "train: { epochs = 25; batch = 0; checkpoint: { share = 1.0; }; "
    "early_stop: { metric = \"valid.mse\"; patience = 25; }; };";
static const char diverging[] = SPARSE "optimizer: { kind = \"sgd\"; rate = 1e5; };\n" TRAIN "};";
static const char halving[] =
    SPARSE "optimizer: { kind = \"sgd\"; rate = 20.0; };\n" TRAIN "on_divergence = \"halve_rate\"; };";

struct world {
	char root[64], *folder;
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	struct graph graph;
	struct run_result result;
	struct error error;
	const char *program, *id;
	size_t left;           // batches until it is interrupted; 0: never
	size_t resumed, noted; // epoch that it went on from; lines that were noted
	char note[1024];       // the last of them
};

static bool interrupted(void *context) {
	struct world *w = context;
	return w->left && --w->left == 0;
}
static void resumed(void *context, size_t epoch, double ratings) {
	struct world *w = context;
	(void)ratings;
	w->resumed = epoch;
}
static void note(void *context, const char *line) {
	struct world *w = context;
	w->noted++;
	snprintf(w->note, sizeof(w->note), "%s", line);
}

static void make(struct world *w, const char *rest) {
	char path[96];
	struct errors errors = {0};
	*w = (struct world){.root = "/dev/shm/aexp-kept-XXXXXX", .program = "this", .id = "0123456789ab"};
	if (!mkdtemp(w->root)) { // memory, since there are thousands of fsyncs
		strcpy(w->root, "/tmp/aexp-kept-XXXXXX");
		assert_non_null(mkdtemp(w->root));
	}
	snprintf(path, sizeof(path), "%s/kept.cfg", w->root);
	w->folder = path_join(w->root, "checkpoint");
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s%s", head, rest);
	fclose(file);
	if (!experiment_read(path, NULL, 0, &w->experiment, &errors))
		fail_msg("%s", errors.items[0].message);
	assert_true(data_load(w->experiment.data, w->experiment.seed, &w->dataset, &w->error));
	assert_true(matrices_create(w->experiment.data, &w->dataset, w->experiment.seed, &w->matrices, &w->error));
	errors_finish(&errors);
}

static void forget(struct world *w) {
	train_result_finish(&w->result);
	w->result = (struct run_result){0};
	graph_finish(&w->graph);
	w->graph = (struct graph){0};
}

static void finish(struct world *w) {
	forget(w);
	matrices_finish(&w->matrices);
	dataset_finish(&w->dataset);
	experiment_finish(&w->experiment);
	assert_true(folder_remove(w->root, &w->error));
	free(w->folder);
}

// As a process of its own would: from the plan on. left: batches until it is interrupted.
static bool run(struct world *w, size_t left) {
	struct errors errors = {0};
	char *backend = NULL;
	forget(w);
	w->left = left;
	w->resumed = w->noted = 0;
	w->error = (struct error){0};
	const struct train_keep keep = {w->folder, w->program, w->id, note, w};
	const struct train_observer observer = {
	    .context = w, .interrupted = interrupted, .resumed = resumed, .keep = &keep};
	assert_true(train_plan(&w->experiment, &w->matrices, &w->graph, &errors));
	bool good = train_run(&w->experiment, &w->matrices, &w->graph, NULL, &observer, &w->result, &backend, &w->error);
	free(backend);
	errors_finish(&errors);
	return good;
}

static void drop(struct world *w) {
	assert_true(folder_remove(w->folder, &w->error));
}

// The n-th file of the folder by name, from 0; NULL: none. free().
static char *kept(const struct world *w, int n) {
	struct dirent **entries;
	int count = scandir(w->folder, &entries, NULL, alphasort), places = 2; // after "." and ".."
	char *path = n + places < count ? path_join(w->folder, entries[n + places]->d_name) : NULL;
	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
	return path;
}

// within: a checkpoint is of the very batch, not of the epoch before.
static void check_every_batch(const char *rest, bool within) {
	struct world w;
	char hash[HASH_HEX];
	make(&w, rest);
	assert_true(run(&w, 0));
	memcpy(hash, w.result.weights_hash, sizeof(hash));
	size_t epochs = w.result.epochs_count;
	double loss = w.result.epochs[epochs - 1].train_loss;
	for (size_t batch = 1;; batch++) {
		drop(&w);
		if (run(&w, batch))
			break;
		assert_int_equal(w.error.code, ERROR_INTERRUPTED);
		while (!run(&w, within && batch % 2 ? 1 : 0)) // and, of every other one, again and again
			assert_int_not_equal(w.resumed, 0);
		assert_true(w.resumed || !within);
		assert_true(!w.noted || !within); // halvings are
		assert_string_equal(w.result.weights_hash, hash);
		assert_int_equal(w.result.epochs_count, epochs);
		assert_true(w.result.epochs[epochs - 1].train_loss == loss);
	}
	finish(&w);
}

static void test_every_batch(void **state) {
	(void)state;
	check_every_batch(lazy, true);
}

static void test_two_are_kept(void **state) {
	(void)state;
	struct world w;
	make(&w, lazy);
	assert_true(run(&w, 0));
	char *first = kept(&w, 0), *second = kept(&w, 1), *third = kept(&w, 2);
	assert_non_null(first);
	assert_non_null(second);
	assert_null(third);
	free(first);
	free(second);
	finish(&w);
}

// Of the last one something is changed: the one before it is taken, which is a batch older.
static void check_damaged(struct world *w, const char *path, const char *data, size_t size, const char *hash) {
	assert_true(file_write(path, data, size, &w->error));
	assert_true(run(w, 0));
	assert_int_equal(w->noted, 1);
	assert_non_null(strstr(w->note, ".ckpt: is "));
	assert_int_not_equal(w->resumed, 0);
	assert_string_equal(w->result.weights_hash, hash);
}

// Puts back what two interruptions leave.
static void leave_two(struct world *w) {
	drop(w);
	assert_false(run(w, 3));
}

static void test_damaged(void **state) {
	(void)state;
	struct world w;
	char hash[HASH_HEX], *data;
	size_t size;
	make(&w, lazy);
	assert_true(run(&w, 0));
	memcpy(hash, w.result.weights_hash, sizeof(hash));
	leave_two(&w);
	char *path = kept(&w, 1);
	assert_true(file_read(path, 1 << 24, &data, &size, &w.error));
	for (size_t i = 0; i < 40; i++) {
		size_t at = i < 20 ? i : size / 40 * i;
		data[at] ^= 1;
		leave_two(&w);
		check_damaged(&w, path, data, size, hash);
		data[at] ^= 1;
		leave_two(&w);
		check_damaged(&w, path, data, i < 20 ? i : size - 1 - i, hash);
	}
	free(data);
	free(path);
	finish(&w);
}

static void test_foreign(void **state) {
	(void)state;
	struct world w;
	make(&w, lazy);
	assert_false(run(&w, 3));
	w.program = "that";
	assert_false(run(&w, 1));
	assert_int_equal(w.resumed, 0);
	assert_int_equal(w.noted, 2);
	assert_non_null(strstr(w.note, "another build"));
	w.id = "ba9876543210";
	assert_false(run(&w, 1));
	assert_non_null(strstr(w.note, "another run's"));
	assert_int_equal(w.resumed, 0);
	finish(&w);
}

// Files with the right hash and anything in them: nobody reads past the end, divides by nothing or waits for ever.
// left: batches after which there are two checkpoints.
static void check_made_up(const char *rest, size_t left) {
	enum { DIGITS = HASH_HEX - 1, TRIES = 600 };
	struct world w;
	char *data;
	size_t size;
	uint64_t state = 7;
	make(&w, rest);
	assert_false(run(&w, left));
	char *path = kept(&w, 1), *other = kept(&w, 0);
	assert_true(file_read(path, 1 << 24, &data, &size, &w.error));
	char *made = memory_alloc(size);
	for (size_t i = 0; i < TRIES; i++) {
		memcpy(made, data, size);
		for (size_t k = 0; k < 1 + i % 4; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			size_t place = 8 + (size_t)(state >> 33) % (i % 2 ? size - DIGITS - 8 : 500);
			made[place] = (char)(i % 3 ? state >> 24 : i % 5 ? 0xff : 0);
		}
		size_t cut = i % 7 ? size : size - (size_t)(state >> 40) % 200;
		struct hash hash;
		char hex[HASH_HEX];
		hash_init(&hash);
		hash_bytes(&hash, made, cut - DIGITS);
		hash_finish(&hash, hex);
		memcpy(made + cut - DIGITS, hex, DIGITS);
		unlink(other);
		assert_true(file_write(path, made, cut, &w.error));
		run(&w, 2);
		drop(&w);
		assert_true(folder_create(w.folder, &w.error));
	}
	free(made);
	free(data);
	free(path);
	free(other);
	finish(&w);
}

static void test_made_up(void **state) {
	(void)state;
	check_made_up(lazy, 2);
	check_made_up(stopped, 2);
	check_made_up(descending, 12);
}

// A folder that cannot be written is said once, and ends nothing.
static void test_no_room(void **state) {
	(void)state;
	struct world w;
	make(&w, lazy);
	assert_true(file_write(w.folder, "", 0, &w.error)); // a file where the folder should be
	assert_true(run(&w, 0));
	assert_int_equal(w.noted, 1);
	finish(&w);
}

static void test_none(void **state) {
	(void)state;
	struct world w;
	make(&w, lazy);
	w.experiment.train->checkpoint->share = 0;
	assert_false(run(&w, 4));
	assert_false(file_exists(w.folder));
	finish(&w);
}

static void test_diverged(void **state) {
	(void)state;
	struct world w;
	make(&w, diverging);
	assert_false(run(&w, 0));
	assert_int_equal(w.error.code, ERROR_RUN);
	assert_non_null(strstr(w.error.message, "not finite"));
	assert_non_null(strstr(w.error.message, "gradient"));
	assert_non_null(strstr(w.error.message, ", batch "));
	assert_true(strstr(w.error.message, "\"out.") || strstr(w.error.message, "\"h."));
	char first[ERROR_TEXT_MAX];
	memcpy(first, w.error.message, sizeof(first));
	assert_false(run(&w, 0)); // from its last good checkpoint
	assert_string_equal(w.error.message, first);
	drop(&w);
	w.experiment.train->checkpoint->share = 0; // without any
	assert_false(run(&w, 0));
	assert_string_equal(w.error.message, first);
	finish(&w);
}

static void test_halved(void **state) {
	(void)state;
	struct world w;
	make(&w, halving);
	assert_true(run(&w, 0));
	assert_true(w.result.halvings_count > 0);
	assert_int_equal(w.noted, w.result.halvings_count);
	for (size_t i = 0; i < w.result.epochs_count; i++)
		assert_true(isfinite(w.result.epochs[i].train_loss));
	finish(&w);
	check_every_batch(halving, false);
}

// It has to stop early, after the rate fell: else waiting for either would not be seen.
static void test_more_kinds(void **state) {
	(void)state;
	struct world w;
	make(&w, stopped);
	assert_true(run(&w, 0));
	assert_true(w.result.stopped_early);
	assert_true(w.result.epochs_count > w.result.best_epoch + 3);
	finish(&w);
	check_every_batch(stopped, true);
}

// L-BFGS: interrupted after each evaluation of each of its searches. There are more evaluations than epochs.
static void test_descent(void **state) {
	(void)state;
	struct world w;
	size_t asked = 0;
	make(&w, descending);
	while (!run(&w, asked + 1)) {
		drop(&w);
		asked++;
	}
	assert_int_equal(w.result.epochs_count, 25);
	assert_true(asked > w.result.epochs_count);
	finish(&w);
	check_every_batch(descending, false);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_batch), cmocka_unit_test(test_more_kinds), cmocka_unit_test(test_two_are_kept),
	    cmocka_unit_test(test_damaged),     cmocka_unit_test(test_foreign),    cmocka_unit_test(test_made_up),
	    cmocka_unit_test(test_no_room),     cmocka_unit_test(test_none),       cmocka_unit_test(test_diverged),
	    cmocka_unit_test(test_halved),      cmocka_unit_test(test_descent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
