// The run folder: what is left where all goes well, where pictures cannot be drawn, and where nothing can be written.
#include "fixture.h"

#include "base/file.h"

#include <dirent.h>
#include <sys/stat.h>

static const char *const all_files =
    "experiment.cfg graph.dot graph.svg history.jsonl loss.gp loss.png loss.svg loss.tsv "
    "metrics.json model.safetensors run.json users.tsv ";
static const char *const without_pictures = "experiment.cfg graph.dot history.jsonl loss.gp loss.tsv metrics.json "
                                            "model.safetensors run.json users.tsv ";
static const char *const text_of_experiment = "name = \"beautybot\";\n";

static int no_dot_folders(const struct dirent *entry) {
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

// The names in a folder, hidden ones too, each followed by a blank.
static void assert_listing(const char *folder, const char *expected) {
	struct dirent **entries;
	struct text names = {0};
	int count = scandir(folder, &entries, no_dot_folders, alphasort);
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		text_format(&names, "%s ", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	assert_string_equal(text_string(&names), expected);
	text_finish(&names);
}

static void take_note(void *context, const char *line) {
	text_format(context, "%s\n", line);
}

struct place {
	struct fixture *fixture;
	char *root, *run, *name; // root/results/beautybot/3f2a91c0d4e7, and its parent
	struct text notes;
	struct error error;
};

static void place_init(struct place *place) {
	*place = (struct place){.fixture = fixture_create(4, 1), .root = fixture_folder()};
	char *results = path_join(place->root, "results");
	place->run = run_folder_path(results, "beautybot", place->fixture->result.id);
	place->name = path_folder(place->run);
	free(results);
}

static void place_finish(struct place *place) {
	assert_true(folder_remove(place->root, &place->error));
	text_finish(&place->notes);
	fixture_destroy(place->fixture);
	free(place->root);
	free(place->run);
	free(place->name);
}

static bool finish_run(struct place *place) {
	return run_folder_finish(place->run, &place->fixture->result, text_of_experiment, &place->fixture->provenance,
	                         take_note, &place->notes, &place->error);
}

static struct text slurp(const char *folder, const char *name) {
	char *path = path_join(folder, name), *data;
	size_t size;
	struct error error = {0};
	struct text text = {0};
	assert_true(file_read(path, 1 << 24, &data, &size, &error));
	text_append_bytes(&text, data, size);
	free(data);
	free(path);
	return text;
}

static void put(const char *folder, const char *name, const char *data) {
	char *path = path_join(folder, name);
	struct error error = {0};
	assert_true(file_write(path, data, strlen(data), &error));
	free(path);
}

static void test_begin_then_finish(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	assert_true(run_folder_begin(place.run, text_of_experiment, &place.error));
	assert_listing(place.run, "experiment.cfg ");
	assert_false(run_folder_finished(place.run));
	assert_true(finish_run(&place));
	assert_true(run_folder_finished(place.run));
	if (fixture_installed("gnuplot") && fixture_installed("dot")) {
		assert_string_equal(text_string(&place.notes), "");
		assert_listing(place.run, all_files);
	}
	assert_listing(place.name, "3f2a91c0d4e7 ");
	struct text run = slurp(place.run, "run.json"), experiment = slurp(place.run, "experiment.cfg");
	assert_non_null(strstr(text_string(&run), "\"name\": \"pictures\", \"seconds\": "));
	assert_string_equal(text_string(&experiment), text_of_experiment);
	text_finish(&run);
	text_finish(&experiment);
	place_finish(&place);
}

static void test_same_bytes_again(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	static const char *const stable[] = {"metrics.json", "model.safetensors", "history.jsonl", "loss.tsv",
	                                     "loss.gp",      "graph.dot",         "users.tsv"};
	struct text first[7];
	assert_true(finish_run(&place)); // without a beginning, too
	for (size_t i = 0; i < 7; i++)
		first[i] = slurp(place.run, stable[i]);
	place.fixture->provenance.ended += 100;
	assert_true(finish_run(&place)); // over the finished one
	for (size_t i = 0; i < 7; i++) {
		struct text second = slurp(place.run, stable[i]);
		assert_int_equal(second.length, first[i].length);
		assert_memory_equal(second.data, first[i].data, second.length);
		text_finish(&second);
		text_finish(&first[i]);
	}
	assert_listing(place.name, "3f2a91c0d4e7 ");
	place_finish(&place);
}

// Runs `finish_run` with a PATH of one folder.
static bool finish_with_path(struct place *place, const char *path) {
	char *old = memory_copy_string(getenv("PATH"));
	setenv("PATH", path, 1);
	bool ok = finish_run(place);
	setenv("PATH", old, 1);
	free(old);
	return ok;
}

static void put_program(const char *folder, const char *name, const char *script) {
	char *path = path_join(folder, name);
	put(folder, name, script);
	assert_int_equal(chmod(path, 0755), 0);
	free(path);
}

// silent: as posix_spawn may leave it, where it cannot say that a program is not there (under valgrind it cannot).
static void check_programs_missing(bool silent) {
	struct place place;
	place_init(&place);
	if (silent) {
		put_program(place.root, "gnuplot", "#!/bin/sh\nexit 127\n");
		put_program(place.root, "dot", "#!/bin/sh\nexit 127\n");
	}
	assert_true(run_folder_begin(place.run, text_of_experiment, &place.error));
	put(place.run, "loss.svg", "an old picture");
	assert_true(finish_with_path(&place, place.root));
	assert_string_equal(text_string(&place.notes),
	                    "gnuplot is not installed: loss.svg and loss.png were not drawn (the data "
	                    "and the script are there)\n"
	                    "graphviz is not installed: graph.svg was not drawn (its source graph.dot is there)\n");
	assert_listing(place.run, without_pictures);
	assert_listing(place.name, "3f2a91c0d4e7 ");
	place_finish(&place);
}

static void test_programs_missing(void **state) {
	(void)state;
	check_programs_missing(false);
	check_programs_missing(true);
}

// Programs that fail, having drawn half a picture; one of them says more than a pipe holds.
static void test_programs_fail(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	put_program(place.root, "gnuplot",
	            "#!/bin/sh\necho half >loss.svg\ni=0\nwhile [ $i -lt 20000 ]; do echo \"line $i\" >&2; "
	            "i=$((i+1)); done\necho >&2\nexit 3\n");
	put_program(place.root, "dot", "#!/bin/sh\necho \"graph.dot: line 3: oh no\" >&2\nkill -9 $$\n");
	assert_true(finish_with_path(&place, place.root));
	static const char first[] = "gnuplot failed (exit code 3): line 19999: ";
	assert_memory_equal(text_string(&place.notes), first, sizeof(first) - 1);
	const char *second = strstr(text_string(&place.notes), "\n");
	assert_non_null(second);
	assert_string_equal(second,
	                    "\ndot failed (killed by signal 9 (out of memory, or by someone)): graph.dot: line 3: oh no: graph.svg was not drawn (its source "
	                    "graph.dot is there)\n");
	assert_listing(place.run, without_pictures);
	place_finish(&place);
}

static void test_blocked_path(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	put(place.root, "results", "a file where the folder should be");
	assert_false(run_folder_begin(place.run, text_of_experiment, &place.error));
	assert_int_equal(place.error.code, ERROR_RUN);
	assert_false(finish_run(&place));
	assert_int_equal(place.error.code, ERROR_RUN);
	assert_listing(place.root, "results ");
	place_finish(&place);
}

// One file cannot be put in place. Where results are as before the run stays finished; where they are others there is no
// metrics.json, so that it does not count as finished. Nothing hidden is left.
static void test_blocked_file(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	assert_true(finish_run(&place));
	char *blocked = path_join(place.run, "run.json"), *inside = path_join(blocked, "inside");
	assert_int_equal(remove(blocked), 0);
	assert_true(folder_create(inside, &place.error));
	assert_false(finish_run(&place));
	assert_int_equal(place.error.code, ERROR_RUN);
	assert_non_null(strstr(place.error.message, "run.json"));
	assert_true(run_folder_finished(place.run));
	place.fixture->result.weights_hash[0] ^= 1;
	assert_false(finish_run(&place));
	assert_false(run_folder_finished(place.run));
	assert_listing(place.name, "3f2a91c0d4e7 ");
	free(blocked);
	free(inside);
	place_finish(&place);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_begin_then_finish), cmocka_unit_test(test_same_bytes_again),
	    cmocka_unit_test(test_programs_missing),  cmocka_unit_test(test_programs_fail),
	    cmocka_unit_test(test_blocked_path),      cmocka_unit_test(test_blocked_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
