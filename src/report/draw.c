// Calls gnuplot and graphviz in a folder: no shell, nothing of theirs on our terminal, their complaint in our error.
#include "base/file.h"
#include "base/process.h"
#include "report/metadata.h"
#include "report/pieces.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// With a clock that stands still, for what would otherwise write the time into a picture (cairo, and whoever follows
// reproducible-builds.org).
bool program_run(const char *const argv[], const char *folder, bool *ret_missing, struct error *error) {
	static const char *const still[] = {"SOURCE_DATE_EPOCH=0", "TZ=UTC0", NULL};
	return process_run(&(struct command){argv, folder, still}, NULL, ret_missing, error);
}

// One picture program: what it is called for, and what to say without it.
struct drawing {
	const char *argv[6];
	const char *missing; // "gnuplot is not installed"
	const char *undrawn; // "loss.svg and loss.png were not drawn (...)"
	const char *pictures[2];
};

// What stands in the pictures of a run: whose they are.
static bool describe(const struct drawing *drawing, const char *folder, const struct run_result *result,
                     struct error *error) {
	struct text text = {0}, ascii = {0};
	struct json json = {.text = &text, .compact = true};
	bool good = true;
	json_object(&json, NULL, JSON_INLINE);
	json_string(&json, "experiment", result->experiment->name);
	json_string(&json, "id", result->id);
	json_end(&json);
	metadata_ascii(text_string(&text), &ascii);
	for (size_t i = 0; good && i < 2 && drawing->pictures[i]; i++) {
		char *path = path_join(folder, drawing->pictures[i]);
		good = picture_describe(path, text_string(&ascii), error);
		free(path);
	}
	text_finish(&text);
	text_finish(&ascii);
	return good;
}

// -d: the person's own start-up files would change the picture.
static const struct drawing loss_drawing = {{"gnuplot", "-d", "loss.gp"},
                                            "gnuplot is not installed",
                                            "loss.svg and loss.png were not drawn (the data and the script are there)",
                                            {"loss.svg", "loss.png"}};
static const struct drawing graph_drawing = {{"dot", "-Tsvg", "-o", "graph.svg", "graph.dot"},
                                             "graphviz is not installed",
                                             "graph.svg was not drawn (its source graph.dot is there)",
                                             {"graph.svg"}};

static bool draw(const struct drawing *drawing, const char *folder, const struct run_result *result,
                 struct error *error) {
	bool missing;
	struct error why = {0};
	if (program_run(drawing->argv, folder, &missing, &why) && describe(drawing, folder, result, &why))
		return true;
	for (size_t i = 0; i < 2 && drawing->pictures[i]; i++) {
		char *path = path_join(folder, drawing->pictures[i]);
		unlink(path);
		free(path);
	}
	return error_set(error, ERROR_RUN, "%s: %s", missing ? drawing->missing : why.message, drawing->undrawn);
}

bool draw_loss(const char *folder, const struct run_result *result, struct error *error) {
	return draw(&loss_drawing, folder, result, error);
}

bool draw_graph(const char *folder, const struct run_result *result, struct error *error) {
	return draw(&graph_drawing, folder, result, error);
}
