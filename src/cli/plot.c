// aexp plot: draws the pictures of runs, summaries and sweeps again, from their JSON alone.
#include "cli/cli.h"

#include "report/figure.h"
#include "report/report.h"
#include "report/runs.h"
#include "sweep/sweep.h"

#include <stdio.h>
#include <stdlib.h>

static void print_note(void *context, const char *line) {
	(void)context;
	fprintf(stderr, "%s\n", line);
}

static bool draw(const char *folder, bool *ret_drawn, struct error *error) {
	if (sweep_finished(folder))
		return figure_draw_sweep(folder, print_note, NULL, ret_drawn, error);
	struct arena arena = {0};
	struct run_entry entry;
	runs_read_one(folder, &arena, &entry);
	bool summary = entry.runs > 0, finished = entry.finished;
	arena_finish(&arena);
	if (!finished) {
		error_set(error, ERROR_CONFIG, "\"%s\" is not finished", folder);
		error_hint(error, "Run it to its end first.");
		return false;
	}
	return summary ? figure_draw_summary(folder, print_note, NULL, ret_drawn, error)
	               : report_redraw(folder, print_note, NULL, ret_drawn, error);
}

// All of them are found before the first one is drawn.
static int find_all(const struct options *options, char **folders) {
	struct errors errors = {0};
	for (size_t i = 0; i < options->arguments_count; i++) {
		struct error error = {0};
		if (!runs_resolve(options->results, options->arguments[i], &folders[i], &error))
			errors_push(&errors, &error);
	}
	int code = print_errors(&errors);
	errors_finish(&errors);
	return code;
}

static int run(const struct options *options) {
	char **folders = memory_alloc(options->arguments_count * sizeof(*folders));
	int code = find_all(options, folders);
	for (size_t i = 0; code == 0 && i < options->arguments_count; i++) {
		struct error error = {0};
		bool drawn = true;
		if (!draw(folders[i], &drawn, &error)) {
			print_error(&error);
			code = (int)error.code;
		} else if (drawn) {
			printf("%s\n", folders[i]);
		} else {
			code = ERROR_RUN;
		}
	}
	for (size_t i = 0; i < options->arguments_count; i++)
		free(folders[i]);
	free(folders);
	return code;
}

const struct verb verb_plot = {
    .name = "plot",
    .usage = "plot RUN|SWEEP...",
    .doc = "draws the pictures of finished runs and sweeps again, from their JSON alone",
    .help =
        "Of a run: loss.svg, loss.png and graph.svg with what they are drawn from, the same bytes as the run left.\n"
        "Of a summary of repeats: curves.svg, the mean of the loss with a band. Of a sweep: search.svg, and as it\n"
        "has them parallel.svg, heatmap.svg (two axes) and pareto.svg (two objectives). Exit code 1 where gnuplot\n"
        "or graphviz is not there: the data and the scripts are written all the same.\n",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
