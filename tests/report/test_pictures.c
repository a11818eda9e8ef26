// loss.tsv, loss.gp and graph.dot, and what gnuplot and graphviz make of them where they are installed.
#include "fixture.h"

#include "base/file.h"

// The text of one piece.
static struct text piece(void (*write)(const struct run_result *, struct text *), const struct fixture *f) {
	struct text text = {0};
	write(&f->result, &text);
	return text;
}

static void expect_within(const struct text *text, const char *line) {
	if (!strstr(text_string(text), line))
		fail_msg("\"%s\" is not in:\n%.600s", line, text_string(text));
}

static void test_tsv(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 2);
	f->epochs[0].train_loss = 0.1;
	f->epochs[1] = (struct epoch_result){
	    .epoch = 2, .train_loss = INFINITY, .valid = {.exists = true, .metric = {1, 0.5, NAN, 0}}};
	struct text text = piece(report_loss_tsv, f);
	assert_string_equal(text_string(&text), "epoch\ttrain.loss\tvalid.mse\tvalid.accuracy\tvalid.auc\tvalid.ndcg@10\n"
	                                        "1\t0.1\tnan\tnan\tnan\tnan\n2\tnan\t1\t0.5\tnan\t0\n");
	text_finish(&text);
	fixture_epochs(f, 1, 0);
	f->epochs[0].train_loss = 3;
	text = piece(report_loss_tsv, f);
	assert_string_equal(text_string(&text), "epoch\ttrain.loss\n1\t3\n");
	text_finish(&text);
	fixture_destroy(f);
}

static void test_gp_facts(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1000, 5);
	struct text text = piece(report_loss_gp, f);
	expect_within(&text, "epochs = 1000\ntrain_points = 1000; ");
	expect_within(&text, "train_every = 50\n");
	expect_within(&text, "valid_points = 200; ");
	expect_within(&text, "valid_every = 10\n");
	expect_within(&text, "valid_column = 3; shared = 1\nleft_label = 'loss / mse'\nvalid_name = 'validation mse'\n");
	expect_within(&text, "best_epoch = 350\nbest_label = 'best epoch 350: validation mse 0.04688'\n");
	text_finish(&text);
	f->result.best_metric = "valid.ndcg@10";
	text = piece(report_loss_gp, f);
	expect_within(&text, "valid_column = 6; shared = 0\nleft_label = 'loss (masked_mse)'\n");
	text_finish(&text);
	f->result.best_metric = "valid.mse";
	f->reduction_row.name = "sum"; // no longer the same quantity
	text = piece(report_loss_gp, f);
	expect_within(&text, "valid_column = 3; shared = 0\n");
	text_finish(&text);
	fixture_destroy(f);
}

static void test_title_is_cut_between_characters(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	struct text name = {0}, expected = {0};
	text_append(&name, "x");
	text_append(&expected, "title = 'x");
	for (size_t i = 0; i < 60; i++) {
		text_append(&name, "\xc3\xa9");
		text_append(&expected, i < 34 ? "\xc3\xa9" : "");
	}
	text_append(&expected, "...'\n");
	f->experiment.name = text_string(&name);
	struct text text = piece(report_loss_gp, f);
	expect_within(&text, text_string(&expected));
	text_finish(&text);
	text_finish(&name);
	text_finish(&expected);
	fixture_destroy(f);
}

static void write_into(const char *folder, const char *name, const struct text *text) {
	char *path = path_join(folder, name);
	struct error error = {0};
	assert_true(file_write(path, text_string(text), text->length, &error));
	free(path);
}

static struct text read_from(const char *folder, const char *name) {
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

static void draw_there(const char *folder, const struct fixture *f) {
	struct text tsv = piece(report_loss_tsv, f), gp = piece(report_loss_gp, f), dot = {0};
	struct error error = {0};
	report_graph_dot(&f->result.graph, f->experiment.name, &dot);
	write_into(folder, "loss.tsv", &tsv);
	write_into(folder, "loss.gp", &gp);
	write_into(folder, "graph.dot", &dot);
	if (!draw_loss(folder, &f->result, &error) || !draw_graph(folder, &f->result, &error))
		fail_msg("%s", error.message);
	text_finish(&tsv);
	text_finish(&gp);
	text_finish(&dot);
}

// Curves that a script may stumble over.
static void shape_epochs(struct fixture *f, size_t kind) {
	f->result.best_epoch = kind == 0 ? 0 : f->result.best_epoch;
	for (size_t i = 0; i < f->result.epochs_count; i++) {
		double *train = &f->epochs[i].train_loss, *valid = f->epochs[i].valid.metric;
		switch (kind) {
		case 0: // nothing finite
			*train = NAN, valid[0] = valid[1] = valid[2] = valid[3] = INFINITY;
			break;
		case 1: // diverges
			*train = i < 3 ? pow(10, (double)i * 3) : (double)NAN;
			break;
		case 2: // flat, at zero
			*train = valid[0] = 0;
			break;
		case 3: // negative, and other scales
			*train = -1e9 * (double)i, valid[0] = 1e-9 * (double)i;
			break;
		case 4: // many decades
			*train = pow(10, 20 - 2 * (double)(i % 20));
			break;
		default: // train without a value, valid with
			*train = NAN;
		}
	}
}

static void test_gnuplot_takes_every_shape(void **state) {
	(void)state;
	if (!fixture_installed("gnuplot") || !fixture_installed("dot"))
		skip();
	char *folder = fixture_folder();
	struct error error = {0};
	for (size_t i = 0; i < 11; i++) {
		static const size_t plain[][2] = {{0, 0}, {1, 0}, {1, 1}, {2, 1}, {1000, 7}};
		struct fixture *f = i < 5 ? fixture_create(plain[i][0], plain[i][1]) : fixture_create(20, 1);
		if (i >= 5)
			shape_epochs(f, i - 5);
		draw_there(folder, f);
		fixture_destroy(f);
	}
	assert_true(folder_remove(folder, &error));
	free(folder);
}

// A name is shown, never run; the same picture comes twice.
static void test_awkward_names(void **state) {
	(void)state;
	if (!fixture_installed("gnuplot") || !fixture_installed("dot"))
		skip();
	struct fixture *f = fixture_create(5, 1);
	f->experiment.name = f->nodes[0].detail = f->loss_row.name = AWKWARD;
	f->nodes[6].name = AWKWARD;
	f->uses[0].name = AWKWARD;
	char *folder = fixture_folder(), *hacked = path_join(folder, "hacked");
	static const char *const pictures[] = {"loss.svg", "loss.png", "graph.svg"};
	struct text first[3];
	draw_there(folder, f);
	for (size_t i = 0; i < 3; i++)
		first[i] = read_from(folder, pictures[i]);
	draw_there(folder, f);
	for (size_t i = 0; i < 3; i++) {
		struct text second = read_from(folder, pictures[i]);
		assert_int_equal(second.length, first[i].length);
		assert_memory_equal(second.data, first[i].data, second.length);
		text_finish(&second);
	}
	assert_false(file_exists(hacked));
	assert_false(file_exists("hacked"));
	const char *shown = "a'b\"c`touch hacked`$(touch hacked) \\n &amp; &lt;b> {x}_^ \xc3\xa9 \xc3\xa9 @title\\";
	expect_within(&first[0], shown);
	for (size_t i = 0; i < 3; i++)
		text_finish(&first[i]);
	struct error error = {0};
	assert_true(folder_remove(folder, &error));
	free(hacked);
	free(folder);
	fixture_destroy(f);
}

static void test_graph_dot(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	struct text text = {0};
	report_graph_dot(&f->result.graph, "a<b", &text);
	expect_within(&text, "label=<<B>a&lt;b</B>");
	expect_within(&text, "input_user [shape=ellipse");
	expect_within(&text, "<B>taste</B><BR/><FONT POINT-SIZE=\"11\">dense, relu, normal,<BR/>l2 0.001<BR/>64 units<BR/>"
	                     "51,264 parameters</FONT>>, style=\"rounded,filled,dashed\"];");
	expect_within(&text, "\tinput_ratings -> n3 [style=dashed];\n");
	expect_within(&text, "\tn2 -> n5;\n\tn4 -> n5;\n\tn5 -> n6;\n");
	expect_within(&text, "sparse path");
	text_finish(&text);
	for (size_t i = 0; i < 7; i++)
		f->nodes[i].path = "dense";
	f->result.graph.count = 3; // the user branch alone
	report_graph_dot(&f->result.graph, "", &text);
	assert_null(strstr(text_string(&text), "ratings"));
	assert_null(strstr(text_string(&text), "dashed"));
	text_finish(&text);
	fixture_destroy(f);
}

// Dashed is what carries stored entries alone: from an input or a sparse node without weights, into a sparse node.
static void test_dashed_edges(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	struct text text = {0};
	for (size_t i = 0; i < 7; i++)
		f->nodes[i].path = "sparse";
	f->nodes[5].path = "dense";
	f->nodes[0].parameters = f->nodes[3].parameters = 9;
	f->nodes[1].parameters = f->nodes[4].parameters = 0;
	report_graph_dot(&f->result.graph, "", &text);
	expect_within(&text, "\tinput_user -> n0 [style=dashed];\n\tn0 -> n1;\n\tn1 -> n2 [style=dashed];\n");
	expect_within(&text, "\tn3 -> n4;\n\tn2 -> n5;\n\tn4 -> n5;\n\tn5 -> n6;\n");
	text_finish(&text);
	fixture_destroy(f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tsv),
	    cmocka_unit_test(test_gp_facts),
	    cmocka_unit_test(test_title_is_cut_between_characters),
	    cmocka_unit_test(test_gnuplot_takes_every_shape),
	    cmocka_unit_test(test_awkward_names),
	    cmocka_unit_test(test_graph_dot),
	    cmocka_unit_test(test_dashed_edges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
