// Figures from results written by hand: every kind reads its file, is drawn the same twice, and its table holds what
// was put in. gnuplot and graphviz are asked where they are there.
#include "fixture.h"

#include "base/file.h"
#include "report/figure_kind.h"

struct place {
	char *results; // runs are results/small/ID
	struct error error;
};

static void put(const char *folder, const char *name, const char *text) {
	char *path = path_join(folder, name);
	struct error error = {0};
	assert_true(folder_create(folder, &error));
	if (!file_write(path, text, strlen(text), &error))
		fail_msg("%s", error.message);
	free(path);
}

static char *run_path(const struct place *place, const char *id) {
	return run_folder_path(place->results, "small", id);
}

// A run of `epochs` epochs whose loss is 1 / epoch + shift.
static void put_run(const struct place *place, const char *id, int units, double rate, double rmse, double ndcg,
                    int epochs, double shift) {
	struct text text = {0}, config = {0};
	char *folder = run_path(place, id);
	text_format(
	    &text,
	    "{\"schema\":\"aexp.metrics/1\",\"experiment\":\"small\",\"id\":\"%s\",\"seed\":\"1\",\"backend\":\"openblas\","
	    "\"data\":{\"ratings\":{\"train\":%d}},\"loss\":{\"kind\":\"masked_mse\",\"reduction\":\"mean\",\"negatives\":"
	    "0},"
	    "\"model\":{\"parameters\":%d,\"inputs\":{\"ratings\":9,\"user\":0},\"nodes\":[{\"name\":\"score\",\"op\":"
	    "\"dense\","
	    "\"shape\":[9],\"parameters\":%d,\"path\":\"sparse\",\"detail\":\"sigmoid\",\"inputs\":[\"ratings\"]}]},"
	    "\"protocol\":\"p\",\"best\":{\"epoch\":1,\"metric\":\"train.loss\",\"value\":1},"
	    "\"final\":{\"train\":{\"loss\":0.1},\"valid\":{},\"test\":{\"rmse\":%.17g,\"ndcg@10\":%.17g}},\"epochs\":[",
	    id, 100 * units, 10 * units, 10 * units, rmse, ndcg);
	for (int i = 1; i <= epochs; i++)
		text_format(&text, "%s{\"epoch\":%d,\"train\":{\"loss\":%.17g},\"valid\":{\"rmse\":%.17g}}", i > 1 ? "," : "",
		            i, 1.0 / i + shift, 1.0 / i + shift + 0.5);
	text_append(&text, "]}\n");
	text_format(
	    &config,
	    "graph: ( { name = \"taste\"; op = \"dense\"; units = %d; } );\noptimizer: { kind = \"%s\"; rate = %.17g; };\n",
	    units, units > 8 ? "adam" : "sgd", rate);
	put(folder, "metrics.json", text_string(&text));
	put(folder, "experiment.cfg", text_string(&config));
	put(folder, "run.json",
	    units > 8 ? "{\"seconds\":5,\"phases\":[{\"name\":\"train\",\"seconds\":4}]}"
	              : "{\"seconds\":3,\"phases\":[{\"name\":\"train\",\"seconds\":1}]}");
	text_finish(&config);
	text_finish(&text);
	free(folder);
}

static void put_summary(const struct place *place) {
	char *folder = run_path(place, "5");
	put(folder, "summary.json",
	    "{\"schema\":\"aexp.summary/"
	    "1\",\"experiment\":\"small\",\"id\":\"5\",\"backend\":\"openblas\",\"protocol\":\"p\","
	    "\"runs\":[{\"id\":\"1\",\"seed\":\"1\"},{\"id\":\"2\",\"seed\":\"2\"}],"
	    "\"final\":{\"test\":{\"rmse\":{\"mean\":0.8,\"sd\":0.1,\"low\":0.7,\"high\":0.9,\"values\":[0.7,0.9]},"
	    "\"ndcg@10\":{\"mean\":0.3,\"sd\":0.1,\"low\":0.2,\"high\":0.4,\"values\":[0.2,0.4]}}}}\n");
	put(folder, "experiment.cfg",
	    "graph: ( { name = \"taste\"; units = 64; } );\noptimizer: { kind = \"adam\"; rate = 0.1; };\n");
	free(folder);
}

// Eight trials over three axes, one failed, one stopped; ids that are no runs.
static void put_sweep(const struct place *place, const char *id) {
	static const char *const trials[] = {
	    "1,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"16\",\"r\":\"0.001\",\"k\":\"a\"},\"objectives\":[0.9,"
	    "0.3],\"epochs\":4",
	    "2,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"32\",\"r\":\"0.1\",\"k\":\"b\"},\"objectives\":[0.95,0."
	    "5],\"epochs\":4",
	    "3,\"status\":\"failed\",\"id\":null,\"set\":{\"u\":\"8\",\"r\":\"0.1\",\"k\":\"b\"},\"objectives\":[null,null]"
	    ",\"epochs\":0",
	    "4,\"status\":\"stopped\",\"id\":null,\"set\":{\"u\":\"8\",\"r\":\"0.1\",\"k\":\"b\"},\"objectives\":[0.5,0.9],"
	    "\"epochs\":1",
	    "5,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"16\",\"r\":\"0.0011\",\"k\":\"a\"},\"objectives\":[0."
	    "85,0.2],\"epochs\":4",
	    "6,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"32\",\"k\":\"b\"},\"objectives\":[0.8,0.6],\"epochs\":"
	    "4",
	    "7,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"16\",\"r\":\"0.01\",\"k\":\"b\"},\"objectives\":[0.7,0."
	    "1],\"epochs\":4",
	    "8,\"status\":\"finished\",\"id\":null,\"set\":{\"u\":\"32\",\"r\":\"0.05\",\"k\":\"a\"},\"objectives\":[null,"
	    "0.9],\"epochs\":4",
	};
	struct text text = {0};
	char *folder = run_path(place, id);
	text_append(
	    &text,
	    "{\"schema\":\"aexp.sweep/1\",\"experiment\":\"small\",\"id\":\"7\",\"kind\":\"tpe\",\"early_stop\":null,"
	    "\"protocol\":null,\"objectives\":[{\"metric\":\"valid.rmse\",\"goal\":\"min\"},{\"metric\":\"valid.ndcg@10\","
	    "\"goal\":\"max\"}],\"axes\":[{\"key\":\"u\",\"values\":[\"16\",\"32\"]},{\"key\":\"r\",\"low\":0.001,\"high\":"
	    "0.1,"
	    "\"scale\":\"log\",\"integer\":false},{\"key\":\"k\",\"choices\":[\"a\",\"b\"]}],\"trials\":[");
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		text_format(&text, "%s{\"trial\":%s,\"reason\":null}", i ? "," : "", trials[i]);
	text_append(&text, "],\"counts\":{},\"best\":[7]}\n");
	put(folder, "sweep.json", text_string(&text));
	text_finish(&text);
	free(folder);
}

static void place_init(struct place *place) {
	*place = (struct place){.results = fixture_folder()};
	put_run(place, "1", 4, 0.001, 0.9, 0.2, 3, 0);
	put_run(place, "2", 8, 0.01, 0.85, 0.1, 4, 0.2);
	put_run(place, "3", 16, 0.1, 0.95, 0.5, 4, 0);
	put_summary(place);
	put_sweep(place, "7");
}

static void place_finish(struct place *place) {
	assert_true(folder_remove(place->results, &place->error));
	free(place->results);
}

// --- one figure ---

static char *write_figure(const struct place *place, const char *text) {
	put(place->results, "fig.cfg", text);
	return path_join(place->results, "fig.cfg");
}

static void fail_with(const struct errors *errors) {
	char text[4096];
	error_format(&errors->items[0], text, sizeof(text));
	fail_msg("%s", text);
}

static bool draw(const struct place *place, const char *text, struct figure_output *output, struct error *error) {
	char *path = write_figure(place, text), *folder = path_join(place->results, "out");
	struct figure figure;
	struct errors errors = {0};
	char *runs[16] = {NULL}, *sweeps[16] = {NULL};
	if (!figure_read(path, NULL, 0, &figure, &errors))
		fail_with(&errors);
	for (size_t i = 0; i < figure.runs.count; i++)
		runs[i] = memory_copy_string(((const struct figure_run *)figure.runs.items[i])->folder);
	for (size_t i = 0; i < figure.sweeps.count; i++)
		sweeps[i] = memory_copy_string(((const struct figure_sweep *)figure.sweeps.items[i])->folder);
	struct figure_folders folders = {runs, sweeps};
	output->folder = folder;
	output->version = "1.2.3";
	output->commit = "abc";
	bool good = figure_draw(&figure, &folders, output, error);
	for (size_t i = 0; i < 16; i++) {
		free(runs[i]);
		free(sweeps[i]);
	}
	figure_finish(&figure);
	free(folder);
	free(path);
	return good;
}

static struct text read_out(const struct place *place, const char *name) {
	char *folder = path_join(place->results, "out"), *path = path_join(folder, name), *data;
	size_t size;
	struct error error = {0};
	struct text text = {0};
	if (!file_read(path, 1 << 24, &data, &size, &error))
		fail_msg("%s", error.message);
	text_append_bytes(&text, data, size);
	free(data);
	free(path);
	free(folder);
	return text;
}

static void expect_file(const struct place *place, const char *name, const char *wanted) {
	struct text text = read_out(place, name);
	assert_string_equal(text_string(&text), wanted);
	text_finish(&text);
}

static void expect_line(const struct place *place, const char *name, const char *line) {
	struct text text = read_out(place, name);
	if (!strstr(text_string(&text), line))
		fail_msg("\"%s\" is not in %s:\n%.1500s", line, name, text_string(&text));
	text_finish(&text);
}

static void good(const struct place *place, const char *text) {
	struct figure_output output = {0};
	struct error error = {0};
	if (!draw(place, text, &output, &error))
		fail_msg("%s", error.message);
}

static void bad(const struct place *place, const char *text, const char *message) {
	struct figure_output output = {0};
	struct error error = {0};
	assert_false(draw(place, text, &output, &error));
	if (!strstr(error.message, message))
		fail_msg("\"%s\" is not \"%s\"", error.message, message);
}

// --- every kind ---

#define RUNS                                                                                                           \
	"runs = ( { folder = \"small/1\"; label = \"one_1 & 2\"; series = \"s\"; }, { folder = \"small/2\"; series = "     \
	"\"s\"; }, "                                                                                                       \
	"{ folder = \"small/3\"; label = \"three\"; series = \"t\"; } );\n"
#define REPEATED "runs = ( { folder = \"small/5\"; label = \"mean\"; } );\n"
#define SWEEP "sweeps = ( { folder = \"small/7\"; } );\n"
#define ALL "formats = [ \"svg\", \"pdf\", \"png\", \"tex\" ];\n"

static const struct {
	const char *kind, *text;
} examples[] = {
    {"curves", "metrics = [ \"train.loss\", \"valid.rmse\" ];\n" RUNS ALL},
    {"curves", "metrics = [ \"train.loss\" ]; band = \"range\"; log = true;\n" REPEATED ALL},
    {"metric", "metric = \"test.rmse\"; key = \"graph.taste.units\"; scale = \"log\"; published = ( { x = 10; y = 0.8; "
               "} );\n" RUNS ALL},
    {"metric",
     "metric = \"test.rmse\"; key = \"optimizer.kind\"; published = ( { category = \"adam\"; y = 0.8; } );\n" REPEATED
         ALL},
    {"metric", "metric = \"valid.rmse\"; key = \"u\"; by = \"k\"; connect = false; log = true;\n" SWEEP ALL},
    {"sensitivity", "metric = \"test.rmse\";\n" RUNS ALL},
    {"time", RUNS ALL},
    {"time", "size = \"parameters\";\n" RUNS ALL},
    {"time", "size = \"graph.taste.units\";\n" RUNS ALL},
    {"heatmap", "x = \"r\"; y = \"u\";\n" SWEEP ALL},
    {"heatmap", "metric = \"test.rmse\"; x = \"graph.taste.units\"; y = \"optimizer.kind\"; of = \"mean\";\n" RUNS ALL},
    {"parallel", SWEEP ALL},
    {"parallel", "metric = \"test.rmse\"; keys = [ \"graph.taste.units\", \"optimizer.kind\" ];\n" RUNS ALL},
    {"pareto", SWEEP ALL},
    {"pareto", "x = \"test.rmse\"; y = \"model.parameters\";\n" RUNS ALL},
    {"search", "sweeps = ( { folder = \"small/7\"; label = \"a\"; }, { folder = \"small/7\"; label = \"a\"; }, "
               "{ folder = \"small/7\"; label = \"b\"; } ); over = \"epochs\";\n" ALL},
    {"architecture", "direction = \"down\"; runs = ( { folder = \"small/3\"; } );\n" ALL},
    {"architecture", REPEATED ALL},
    {"table", "columns = ( { figure = \"test.rmse\"; head = \"R|M_S\"; digits = 2; } );\n" RUNS},
};

static void hold_example(struct place *place, size_t i) {
	static const char *const endings[] = {".tsv", ".gp", ".dot", ".svg", ".pdf", "-inc.pdf", ".png", ".tex", ".md"};
	struct text figure = {0}, first[9];
	text_format(&figure, "kind = \"%s\"; name = \"x\";\n%s", examples[i].kind, examples[i].text);
	bool programs = fixture_installed("gnuplot") && fixture_installed("dot");
	for (size_t turn = 0; turn < 2; turn++) {
		struct figure_output output = {0};
		if (!draw(place, text_string(&figure), &output, &place->error))
			fail_msg("%s: %s", examples[i].kind, place->error.message);
		if (programs && !output.drawn)
			fail_msg("%s was not drawn: %s", examples[i].kind, examples[i].text);
		for (size_t k = 0; k < 9; k++) {
			struct text name = {0}, now = {0};
			text_format(&name, "out/x%s", endings[k]);
			char *path = path_join(place->results, text_string(&name));
			if (file_exists(path))
				now = read_out(place, text_string(&name) + 4);
			if (turn == 0)
				first[k] = now;
			else if (now.length != first[k].length || (now.length && memcmp(now.data, first[k].data, now.length) != 0))
				fail_msg("%s: x%s is another one the second time", examples[i].kind, endings[k]);
			else
				text_finish(&now);
			free(path);
			text_finish(&name);
		}
	}
	bool table = !strcmp(examples[i].kind, "table");
	assert_true(first[0].length > 0);
	assert_true(table || (first[1].length > 0) != (first[2].length > 0));
	for (size_t k = 3; programs && !table && k < 8; k++)
		if (!first[k].length)
			fail_msg("%s has no x%s", examples[i].kind, endings[k]);
	// Nothing without a size, which viewers refuse; and it says what it is of.
	if (programs && !table) {
		assert_null(strstr(text_string(&first[3]), "scale(0.00)"));
		assert_non_null(strstr(text_string(&first[3]), "<metadata>{&quot;figure&quot;:&quot;x&quot;"));
	}
	for (size_t k = 0; k < 9; k++)
		text_finish(&first[k]);
	text_finish(&figure);
}

static void test_every_kind_twice(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	for (size_t k = 0; k < figure_registry.count; k++) {
		size_t count = 0;
		for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
			if (!strcmp(examples[i].kind, figure_registry.rows[k]->name)) {
				hold_example(&place, i);
				count++;
			}
		if (count == 0)
			fail_msg("no example of kind %s", figure_registry.rows[k]->name);
	}
	place_finish(&place);
}

// --- what is in the tables ---

static void test_curves(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	good(&place, "kind = \"curves\"; name = \"x\"; metrics = [ \"train.loss\" ]; band = \"range\";\n"
	             "runs = ( { folder = \"small/5\"; label = \"mean\"; }, { folder = \"small/2\"; } );\n");
	// Runs 1 and 2 have 3 and 4 epochs: the mean ends with the first of them. A single run has no band.
	expect_file(&place, "x.tsv",
	            "x\tmean\tlow\thigh\tsmall\tlow\thigh\n1\t1.1\t1\t1.2\t1.2\tnan\tnan\n"
	            "2\t0.6\t0.5\t0.7\t0.7\tnan\tnan\n"
	            "3\t0.43333333333333335\t0.3333333333333333\t0.5333333333333333\t0.5333333333333333\tnan\tnan\n"
	            "4\tnan\tnan\tnan\t0.45\tnan\tnan\n");
	expect_line(&place, "x.gp", "bands[1] = 1\nbands[2] = 0\n");
	expect_line(&place, "figure.json", "bands reach from the least to the largest value");
	good(&place, "kind = \"curves\"; name = \"x\"; metrics = [ \"train.loss\" ];\n" REPEATED);
	// 1 and 1.2: mean 1.1, sd 0.1414, t(0.975, 1) = 12.706: half of the interval is 1.2706.
	expect_line(&place, "x.tsv", "1\t1.1\t-0.17062");
	expect_line(&place, "figure.json", "95 % t-intervals");
	place_finish(&place);
}

static void test_points(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	good(&place, "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"graph.taste.units\";\n"
	             "published = ( { x = 10; y = 0.5; label = \"they\"; } );\n"
	             "runs = ( { folder = \"small/3\"; series = \"b\"; }, { folder = \"small/1\"; series = \"b\"; }, { "
	             "folder = \"small/5\"; } );\n");
	expect_file(&place, "x.tsv",
	            "series\tx\ty\tlow\thigh\tname\tvalue\tlabel\n1\t4\t0.9\tnan\tnan\tb\t4\tsmall\n"
	            "1\t16\t0.95\tnan\tnan\tb\t16\tsmall\n2\t64\t0.8\t0.7\t0.9\t\t64\tsmall\n"
	            "3\t10\t0.5\tnan\tnan\tpublished\t\tthey\n");
	expect_line(&place, "x.gp", "x_low = 4.0\nx_high = 64.0\ny_low = 0.5\ny_high = 0.95\n");
	expect_line(&place, "x.gp", "x_log = 0\n");
	good(&place, "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"optimizer.kind\";\n" RUNS);
	expect_line(&place, "x.gp", "places_count = 2\narray places[2]\nplaces[1] = 1\nplaces[2] = 2\n");
	expect_line(&place, "x.gp", "place_names[1] = 'sgd'\nplace_names[2] = 'adam'\n");
	good(&place, "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"label\";\n" RUNS);
	expect_line(&place, "x.gp", "place_names[1] = (tex ? 'one\\_1 \\& 2' : 'one_1 & 2')\n");
	good(&place, "kind = \"metric\"; name = \"x\"; metric = \"valid.rmse\"; key = \"u\"; by = \"k\";\n" SWEEP);
	expect_line(&place, "x.tsv", "1\t16\t0.85\tnan\tnan\ta\t16\tsmall\n");
	good(&place, "kind = \"time\"; name = \"x\"; size = \"parameters\";\n" RUNS);
	expect_line(&place, "x.tsv", "\n2\t160\t4\tnan\tnan\tt\t160\tthree\n");
	place_finish(&place);
}

static void test_heatmap(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	// The rate's cells are an eighth of two decades each; trials 1 and 5 share the first. Trial 6 has none, 8 no value.
	good(&place, "kind = \"heatmap\"; name = \"x\"; x = \"r\"; y = \"u\";\n" SWEEP);
	expect_file(&place, "x.tsv",
	            "x\ty\tvalue\ttrials\tx_value\ty_value\n1\t1\t0.85\t2\t0.0013\t16\n5\t1\t0.7\t1\t0.013\t16\n"
	            "8\t2\t0.95\t1\t0.075\t32\n");
	expect_line(&place, "x.gp", "turned_palette = 1\n");
	good(&place,
	     "kind = \"heatmap\"; name = \"x\"; x = \"k\"; y = \"u\"; of = \"mean\"; metric = \"valid.ndcg@10\";\n" SWEEP);
	expect_line(&place, "x.tsv",
	            "\n1\t1\t0.25\t2\ta\t16\n2\t1\t0.1\t1\tb\t16\n1\t2\t0.9\t1\ta\t32\n2\t2\t0.55\t2\tb\t32\n");
	expect_line(&place, "x.gp", "turned_palette = 0\n");
	good(&place, "kind = \"heatmap\"; name = \"x\"; x = \"k\"; y = \"u\"; metric = \"valid.ndcg@10\";\n" SWEEP);
	expect_line(&place, "x.tsv", "\n1\t1\t0.3\t2\ta\t16\n");
	place_finish(&place);
}

static void test_parallel(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	good(&place, "kind = \"parallel\"; name = \"x\";\n" SWEEP);
	// Trial 7 is the best; its rate is the middle of 0.001 to 0.1 on their scale. Those without all keys, or a value,
	// are not there.
	expect_line(&place, "x.tsv", "trial\tobjective\trank\tu\tr\tk\tvalid.rmse\n");
	expect_line(&place, "x.tsv", "\n7\t0.7\t1\t0\t0.5\t1\t0\n");
	struct text text = read_out(&place, "x.tsv");
	assert_null(strstr(text_string(&text), "\n6\t"));
	assert_null(strstr(text_string(&text), "\n8\t"));
	text_finish(&text);
	place_finish(&place);
}

static void test_pareto(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	// rmse less, ndcg more: (0.7, 0.1) and (0.8, 0.6) are the front; the rest has one of both that is better twice.
	good(&place, "kind = \"pareto\"; name = \"x\";\n" SWEEP);
	expect_line(&place, "x.tsv",
	            "label\n0.7\t0.1\t1\tnan\tnan\tnan\tnan\t\n0.8\t0.6\t1\tnan\tnan\tnan\tnan\t\n0.85\t0.2\t0\t");
	good(&place,
	     "kind = \"pareto\"; name = \"x\"; x = \"test.rmse\"; y = \"model.parameters\"; x_goal = \"max\";\n" RUNS);
	// more rmse (as it is asked), fewer parameters
	expect_line(
	    &place, "x.tsv",
	    "label\n0.9\t40\t1\tnan\tnan\tnan\tnan\tone_1 & 2\n0.95\t160\t1\tnan\tnan\tnan\tnan\tthree\n0.85\t80\t0");
	// The same x twice: the worse one of them is behind the other.
	put_run(&place, "4", 6, 0.1, 0.9, 0.3, 3, 0);
	good(&place, "kind = \"pareto\"; name = \"x\"; x = \"test.rmse\"; y = \"model.parameters\";\n"
	             "runs = ( { folder = \"small/4\"; }, { folder = \"small/1\"; }, { folder = \"small/2\"; } );\n");
	expect_line(&place, "x.tsv",
	            "label\n0.85\t80\t1\tnan\tnan\tnan\tnan\t\n0.9\t40\t1\tnan\tnan\tnan\tnan\t\n0.9\t60\t0\t");
	place_finish(&place);
}

static void test_search(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	good(&place, "kind = \"search\"; name = \"x\"; over = \"epochs\"; band = \"none\";\n" SWEEP);
	// The stopped trial's 0.5 is none that the sweep would give back, but its epoch counts.
	expect_file(&place, "x.tsv",
	            "x\ttpe\tlow\thigh\n4\t0.9\tnan\tnan\n8\t0.9\tnan\tnan\n8\t0.9\tnan\tnan\n9\t0.9\tnan\tnan\n"
	            "9\t0.9\tnan\tnan\n13\t0.9\tnan\tnan\n13\t0.85\tnan\tnan\n17\t0.85\tnan\tnan\n17\t0.8\tnan\tnan\n"
	            "21\t0.8\tnan\tnan\n21\t0.7\tnan\tnan\n25\t0.7\tnan\tnan\n25\t0.7\tnan\tnan\n");
	good(&place, "kind = \"search\"; name = \"x\"; metric = \"valid.ndcg@10\"; band = \"none\";\n" SWEEP);
	expect_line(&place, "x.tsv", "\n2\t0.3\tnan\tnan\n2\t0.5\tnan\tnan\n");
	place_finish(&place);
}

static void test_table(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	put(place.results, "small/1/experiment.cfg",
	    "graph: ( { name = \"taste\"; } );\nexpect: ( { metric = \"test.rmse\"; at_most = 1; published = 0.87; } );\n");
	good(&place,
	     "kind = \"table\"; name = \"x\"; columns = ( { figure = \"test.rmse\"; head = \"R|E_\"; digits = 2; published "
	     "= true; }, "
	     "{ figure = \"test.ndcg@10\"; } );\n"
	     "runs = ( { folder = \"small/1\"; label = \"50 %\"; }, { folder = \"small/5\"; label = \"a|b\"; } );\n");
	expect_line(
	    &place, "x.md",
	    "| model | R\\|E_ | R\\|E_, published | test.ndcg@10 |\n|---|---:|---:|---:|\n| 50 % | 0.90 | 0.87 | 0.2000 |\n"
	    "| a\\|b | **0.80** \xc2\xb1 0.10 | - | **0.3000** \xc2\xb1 0.1000 |\n");
	expect_line(
	    &place, "x.tex",
	    "model & R\\textbar{}E\\_ & R\\textbar{}E\\_, published & test.ndcg@10 \\\\\n\\midrule\n50 \\% & 0.90 & 0.87 & "
	    "0.2000 \\\\\n"
	    "a\\textbar{}b & \\textbf{0.80} $\\pm$ 0.10 & -- & \\textbf{0.3000} $\\pm$ 0.1000 \\\\\n\\bottomrule\n");
	expect_line(&place, "x.md", "<!-- {\"figure\":\"x\",\"kind\":\"table\"");
	expect_line(&place, "x.tsv", "\n50 %\t0.9\tnan\tnan\t0.87\t0.2\tnan\tnan\n");
	place_finish(&place);
}

static void test_provenance(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	good(&place, "kind = \"sensitivity\"; name = \"x\"; metric = \"test.rmse\";\n" RUNS);
	expect_line(&place, "figure.json", "\"version\": \"1.2.3\",\n\t\"commit\": \"abc\",\n");
	expect_line(
	    &place, "figure.json",
	    "{\"experiment\": \"small\", \"id\": \"1\", \"label\": \"one_1 & 2\", \"protocol\": \"p\", \"runs\": 1}");
	// A format that is no longer wanted does not stay behind.
	good(&place, "kind = \"sensitivity\"; name = \"x\"; metric = \"test.rmse\"; formats = [ \"png\" ];\n" RUNS);
	char *svg = path_join(place.results, "out/x.svg");
	assert_false(file_exists(svg));
	free(svg);
	place_finish(&place);
}

static void test_what_runs_lack(void **state) {
	(void)state;
	struct place place;
	place_init(&place);
	bad(&place, "kind = \"metric\"; name = \"x\"; metric = \"test.mae\"; key = \"graph.taste.units\";\n" RUNS,
	    "small/1 has no figure \"test.mae\"");
	bad(&place, "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"graph.tast.units\";\n" RUNS,
	    "small/1 has no key \"graph.tast.units\"");
	bad(&place,
	    "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"optimizer.kind\"; scale = \"log\";\n" RUNS,
	    "\"sgd\" is no number");
	bad(&place,
	    "kind = \"metric\"; name = \"x\"; metric = \"test.rmse\"; key = \"optimizer.kind\"; published = ( { x = 1; y = "
	    "1; } );\n" RUNS,
	    "a published point is at a number");
	bad(&place, "kind = \"search\"; name = \"x\"; metric = \"valid.mae\";\n" SWEEP,
	    "small/7 has no objective \"valid.mae\"");
	bad(&place, "kind = \"metric\"; name = \"x\"; metric = \"valid.rmse\"; key = \"none\";\n" SWEEP,
	    "trial 1 of small/7 has no key \"none\"");
	bad(&place, "kind = \"time\"; name = \"x\"; runs = ( { folder = \"small/8\"; } );\n", "is no finished run");
	char *damaged = run_path(&place, "9");
	put(damaged, "sweep.json", "{}");
	free(damaged);
	bad(&place, "kind = \"search\"; name = \"x\"; sweeps = ( { folder = \"small/9\"; } );\n",
	    "not what a sweep leaves");
	place_finish(&place);
}

static void ignore_note(void *context, const char *line) {
	(void)line;
	++*(size_t *)context;
}

// Without a figure file: what a sweep's and a summary's folder get.
static void test_without_files(void **state) {
	(void)state;
	struct place place;
	size_t notes = 0;
	bool drawn;
	place_init(&place);
	char *sweep = run_path(&place, "7"), *summary = run_path(&place, "5");
	assert_true(figure_draw_sweep(sweep, ignore_note, &notes, &drawn, &place.error));
	assert_int_equal(drawn, notes == 0);
	assert_true(figure_draw_summary(summary, ignore_note, &notes, &drawn, &place.error));
	static const char *const files[] = {"7/search.gp", "7/parallel.tsv", "7/pareto.gp", "5/curves.tsv"};
	for (size_t i = 0; i < 4; i++) {
		char *path = run_path(&place, files[i]);
		assert_true(file_exists(path));
		free(path);
	}
	char *heatmap = run_path(&place, "7/heatmap.gp"); // three axes
	assert_false(file_exists(heatmap));
	free(heatmap);
	free(sweep);
	free(summary);
	place_finish(&place);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_kind_twice), cmocka_unit_test(test_curves),
	    cmocka_unit_test(test_points),           cmocka_unit_test(test_heatmap),
	    cmocka_unit_test(test_parallel),         cmocka_unit_test(test_pareto),
	    cmocka_unit_test(test_search),           cmocka_unit_test(test_table),
	    cmocka_unit_test(test_provenance),       cmocka_unit_test(test_what_runs_lack),
	    cmocka_unit_test(test_without_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
