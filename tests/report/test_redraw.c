// A run's pictures drawn again from metrics.json alone are the ones that the run left.
#include "fixture.h"

#include "base/file.h"

static void ignore_note(void *context, const char *line) {
	(void)line;
	++*(size_t *)context;
}

static struct text read_from(const char *folder, const char *name) {
	char *path = path_join(folder, name), *data;
	size_t size;
	struct error error = {0};
	struct text text = {0};
	if (!file_read(path, 1 << 24, &data, &size, &error))
		fail_msg("%s", error.message);
	text_append_bytes(&text, data, size);
	free(data);
	free(path);
	return text;
}

static const char *const drawn[] = {"loss.tsv", "loss.gp", "graph.dot", "loss.svg", "loss.png", "graph.svg"};
enum { DRAWN = sizeof(drawn) / sizeof(drawn[0]) };

// The files that are drawn, removed and made again.
static void hold(const char *folder, size_t count) {
	struct text before[DRAWN];
	struct error error = {0};
	size_t notes = 0;
	bool all;
	for (size_t i = 0; i < count; i++) {
		char *path = path_join(folder, drawn[i]);
		before[i] = read_from(folder, drawn[i]);
		assert_int_equal(remove(path), 0);
		free(path);
	}
	if (!report_redraw(folder, ignore_note, &notes, &all, &error))
		fail_msg("%s", error.message);
	assert_int_equal(notes > 0, !all);
	for (size_t i = 0; i < count; i++) {
		struct text after = read_from(folder, drawn[i]);
		if (after.length != before[i].length || memcmp(after.data, before[i].data, after.length) != 0)
			fail_msg("%s is another one", drawn[i]);
		text_finish(&after);
		text_finish(&before[i]);
	}
}

static void finish_into(const char *folder, const struct fixture *f) {
	struct error error = {0};
	size_t notes = 0;
	if (!run_folder_finish(folder, &f->result, "seed = 1;\n", &f->provenance, ignore_note, &notes, &error))
		fail_msg("%s", error.message);
}

static size_t drawn_here(void) {
	return fixture_installed("gnuplot") && fixture_installed("dot") ? DRAWN : 3;
}

static void test_same_bytes(void **state) {
	(void)state;
	static const size_t shapes[][2] = {{0, 0}, {1, 0}, {1, 1}, {20, 1}, {1000, 7}};
	char *folder = fixture_folder(), *run = path_join(folder, "run");
	struct error error = {0};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct fixture *f = fixture_create(shapes[i][0], shapes[i][1]);
		f->reduction_row.name = i % 2 ? "mean" : "sum";
		finish_into(run, f);
		hold(run, drawn_here());
		fixture_destroy(f);
	}
	assert_true(folder_remove(folder, &error));
	free(run);
	free(folder);
}

// Without a loss, with values that JSON has no number for, and with names as awkward as they come.
static void test_awkward(void **state) {
	(void)state;
	char *folder = fixture_folder(), *run = path_join(folder, "run");
	struct error error = {0};
	struct fixture *f = fixture_create(5, 1);
	f->experiment.loss = NULL;
	f->epochs[1].train_loss = INFINITY;
	f->epochs[2].valid.metric[0] = NAN;
	f->result.best_epoch = 0;
	f->result.best_value = 3;
	f->nodes[6].name = "a'b\"c`touch hacked` & <b> \xc3\xa9";
	f->nodes[6].detail = f->experiment.name = f->nodes[6].name;
	finish_into(run, f);
	hold(run, drawn_here());
	fixture_destroy(f);
	assert_true(folder_remove(folder, &error));
	free(run);
	free(folder);
}

static void test_says_whose(void **state) {
	(void)state;
	if (drawn_here() < DRAWN)
		skip();
	char *folder = fixture_folder(), *run = path_join(folder, "run");
	struct error error = {0};
	struct fixture *f = fixture_create(3, 1);
	finish_into(run, f);
	struct text svg = read_from(run, "loss.svg"), graph = read_from(run, "graph.svg"), png = read_from(run, "loss.png");
	static const char wanted[] =
	    "<metadata>{&quot;experiment&quot;:&quot;beautybot&quot;,&quot;id&quot;:&quot;3f2a91c0d4e7&quot;}"
	    "</metadata>";
	assert_non_null(strstr(text_string(&svg), wanted));
	assert_non_null(strstr(text_string(&graph), wanted));
	assert_non_null(memmem(png.data, png.length, "\"id\":\"3f2a91c0d4e7\"", 19));
	text_finish(&svg);
	text_finish(&graph);
	text_finish(&png);
	fixture_destroy(f);
	assert_true(folder_remove(folder, &error));
	free(run);
	free(folder);
}

// metrics.json that lacks what pictures need, as older runs left it, or that was damaged.
static void test_refuses(void **state) {
	(void)state;
	static const char *const damaged[] = {
	    "{}",
	    "{\"experiment\":\"a\",\"id\":\"1\",\"epochs\":[],\"best\":{\"epoch\":0},\"loss\":null,\"model\":{}}",
	    "{\"experiment\":\"a\",\"id\":\"0123456789abcdefgh\",\"epochs\":[]}",
	    "{\"experiment\":\"a\",\"id\":\"1\",\"epochs\":[{\"epoch\":-1}],\"best\":{\"epoch\":0},\"loss\":null}",
	    "[]",
	};
	char *folder = fixture_folder(), *path = path_join(folder, "metrics.json");
	struct error error;
	size_t notes = 0;
	bool all;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		assert_true(file_write(path, damaged[i], strlen(damaged[i]), &error));
		assert_false(report_redraw(folder, ignore_note, &notes, &all, &error));
		assert_int_equal(error.code, ERROR_DATA);
	}
	assert_true(folder_remove(folder, &error));
	free(path);
	free(folder);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_bytes),
	    cmocka_unit_test(test_awkward),
	    cmocka_unit_test(test_says_whose),
	    cmocka_unit_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
