// Figure files: what to run and what to draw of it (experiments/figures/*.cfg). A kind of figure is a row of a
// registry: its keys, how it is checked, and how it turns runs and sweeps into a table and a script. Nothing here runs
// anything.
#ifndef AEXP_REPORT_FIGURE_H
#define AEXP_REPORT_FIGURE_H

#include "base/hash.h"
#include "config/schema.h"

// A run that is asked for: an experiment file with overrides, or the folder of a finished run.
struct figure_run {
	const char *file, *folder;  // exactly one of them
	const char *label, *series; // NULL where left out
	struct strings set;         // of "KEY=VALUE"
};
// A sweep: a file to run, or the folder of a finished one.
struct figure_sweep {
	const char *file, *folder;
	const char *label;
	struct strings set;
};

struct figure {
	struct arena arena;       // owns everything below
	const struct value *tree; // what was written, for positions; NULL where the program made it itself
	const char *name, *title, *xlabel, *ylabel, *font;
	double width, height, letter; // cm, cm, pt
	struct strings formats;
	struct groups runs;   // of struct figure_run
	struct groups sweeps; // of struct figure_sweep
	struct choice kind;   // row is a struct figure_kind
	char hash[HASH_HEX];  // of the resolved file, less its paths; "" where the program made it itself
};
extern const struct schema figure_schema;
extern const struct registry figure_registry;

// Reads and checks one file; every problem is appended to errors. True when there was none; figure_finish either way.
bool figure_read(const char *path, const char *const *overrides, size_t overrides_count, struct figure *ret,
                 struct errors *errors);
void figure_finish(struct figure *figure);
// The place of a key of the file, for messages.
struct origin figure_origin(const struct figure *figure, const char *key);

// What a figure will ask each of its runs for: figures as "test.rmse", "train.loss" or FIGURE_PARAMETERS, and keys of
// the experiment.
#define FIGURE_PARAMETERS "model.parameters"
enum { FIGURE_WANTS_MOST = 32 };
struct figure_wants {
	const char *figures[FIGURE_WANTS_MOST], *keys[FIGURE_WANTS_MOST];
	size_t figures_count, keys_count;
};
void figure_wants(const struct figure *figure, struct figure_wants *ret);

// What it is drawn from: a finished run's folder for each of its runs, a sweep's for each of its sweeps.
struct figure_folders {
	char **runs;   // (figure->runs.count)
	char **sweeps; // (figure->sweeps.count)
};
struct figure_output {
	const char *folder;           // where its files go; made with its parents
	const char *version, *commit; // of the program; version NULL: no figure.json, and no version in the pictures
	void (*note)(void *context, const char *line); // one line for what could not be drawn
	void *context;
	bool drawn; // set: nothing is missing
};
// Makes every file of the figure (NAME.tsv, NAME.gp, pictures, last figure.json) under other names, and renames them.
// ERROR_CONFIG where runs have not what the figure asks for.
bool figure_draw(const struct figure *figure, const struct figure_folders *folders, struct figure_output *output,
                 struct error *error);

// What a sweep, and a summary of repeats, are drawn as without a figure file, into their own folder: NAME.tsv, NAME.gp
// and NAME.svg for each of a few kinds. *ret_drawn as `drawn` above.
bool figure_draw_sweep(const char *folder, void (*note)(void *context, const char *line), void *context,
                       bool *ret_drawn, struct error *error);
bool figure_draw_summary(const char *folder, void (*note)(void *context, const char *line), void *context,
                         bool *ret_drawn, struct error *error);

#endif
