// What the kinds of figures share: the runs and trials they are drawn from, and the text they are drawn by.
#ifndef AEXP_REPORT_FIGURE_KIND_H
#define AEXP_REPORT_FIGURE_KIND_H

#include "base/probability.h"
#include "report/figure.h"
#include "report/runs.h"
#include "report/trials.h"

// A run, or a trial of a sweep.
struct figure_sample {
	const char *label, *series; // of a run; label: its experiment's name where the file gives none; series "" likewise
	bool named;                 // the file gives the label
	struct run_entry entry;     // of a trial: zero until it is asked for
	const struct value *config; // its experiment.cfg; of a trial NULL until it is asked for
	const struct trials *sweep; // of a trial
	const char *sweep_folder;   // likewise
	const struct ended_trial *trial; // NULL: a run
	struct origin at;                // where the figure's file asks for it
};
struct figure_data {
	struct arena *arena;
	struct figure_sample *samples; // (count) runs, then the finished trials of all sweeps
	size_t count;
	struct trials *sweeps; // (sweeps_count), trials by their numbers
	size_t sweeps_count;
};
// figure_data_finish either way.
bool figure_data_read(const struct figure *figure, const struct figure_folders *folders, struct arena *arena,
                      struct figure_data *ret, struct error *error);
void figure_data_finish(struct figure_data *data);
// The axis of that key; axes_count where there is none.
size_t figure_axis(const struct trials *sweep, const char *key);
// A figure of a sample, "test.rmse"; an error that names it where it has none. `key` is the figure file's, for the
// place.
bool figure_sample_value(const struct figure *figure, struct figure_data *data, struct figure_sample *sample,
                         const char *key, const char *name, struct run_value *ret, struct error *error);
// What the sample's experiment has for a dotted key, as text. NULL and an error, or NULL alone where `optional`.
const char *figure_sample_key(const struct figure *figure, struct figure_data *data, struct figure_sample *sample,
                              const char *at, const char *key, bool optional, struct error *error);
// The folders of the runs themselves: of a summary those beside it, else the one; in the arena.
bool figure_sample_folders(const struct figure_sample *sample, struct arena *arena, const char ***ret,
                           size_t *ret_count, struct error *error);
// Whether more of a figure is better, by its metric; *ret_known false where there is no such metric.
bool figure_higher(const char *name, bool *ret_known);

// Whether texts of that many letters, side by side along the x axis, run into each other.
bool figure_crowded(const struct figure *figure, size_t letters, size_t count);

// What a kind makes of its data.
struct figure_drawing {
	struct text tsv;             // NAME.tsv: a line of names, then numbers
	struct text facts;           // of NAME.gp, above style and template: what they ask for
	const char *plot;            // the template; NULL: not drawn by gnuplot
	struct text dot;             // NAME.dot, where it is drawn by graphviz
	struct text markdown, latex; // of a table
	char note[160];              // what a person has to know to read it, as what the band is; goes into figure.json
};

enum { FIGURE_RUNS = 1, FIGURE_SWEEP = 2, FIGURE_SWEEPS = 4, FIGURE_TABLE = 8 };
struct figure_kind {
	struct row row;
	unsigned takes; // runs; one sweep; several; FIGURE_TABLE: makes text, not pictures
	void (*check)(const struct figure *figure, struct errors *errors);    // NULL: nothing more
	void (*wants)(const struct figure *figure, struct figure_wants *ret); // NULL: nothing
	bool (*make)(const struct figure *figure, struct figure_data *data, struct figure_drawing *ret,
	             struct error *error);
};
extern const struct figure_kind figure_curves, figure_metric, figure_heatmap, figure_parallel, figure_pareto,
    figure_sensitivity, figure_time, figure_search, figure_architecture, figure_table;
static inline const struct figure_kind *figure_kind_of(const struct figure *figure) {
	return (const struct figure_kind *)figure->kind.row;
}

// Lines of facts, NAME = VALUE; text is spelled for LaTeX too where that differs (the script's `tex` chooses).
void fact_text(struct text *text, const char *name, const char *value);
void fact_real(struct text *text, const char *name, double value);
void fact_count(struct text *text, const char *name, size_t value);
void fact_label(struct text *text, const char *value); // the expression alone
// array NAME[count] with one text an element
void fact_texts(struct text *text, const char *name, const char *const *values, size_t count);
// Cells of a table that are numbers, each behind a tab: "nan" where it is not finite.
void tsv_real(struct text *text, double value);
void tsv_text(struct text *text, const char *value); // tabs and line ends become blanks

// The range of what is drawn on an axis.
struct figure_range {
	double low, high; // low > high while nothing was added
};
static const struct figure_range figure_range_none = {1, 0};
void figure_range_add(struct figure_range *range, double value); // what is not finite is passed over

void figure_want_figure(struct figure_wants *wants, const char *name);
void figure_want_key(struct figure_wants *wants, const char *key);
// An error at a key of the figure's file where the name is none of "PART.METRIC" and "train.loss".
void figure_check_name(const struct figure *figure, const char *key, const char *name, struct errors *errors);

// "auto", "linear", "log", "categories"; "t95", "range", "none"; "min", "max"
extern const struct registry figure_scale_registry, figure_band_registry, figure_goal_registry;

// The keys of kinds that the program draws itself as well.
struct curves_config {
	struct strings metrics, names;
	struct choice band;
	bool log;
};
struct heatmap_config {
	const char *metric, *x, *y;
	struct choice of;
	bool numbers;
};
struct parallel_config {
	const char *metric;
	struct strings keys;
};
struct pareto_config {
	const char *x, *y;
	struct choice x_goal, y_goal; // row NULL: by the metric
};
struct search_config {
	const char *metric;
	struct choice band, over;
	bool log;
};

// Curves with bands, which curves and search draw (figure_curves.c): series of points over one counter.
struct figure_band {
	struct interval *at; // (rows) of the values there; mean NAN: none; low and high NAN: no band
};
struct figure_bands {
	const double *x; // (rows)
	size_t rows;
	const char **names;        // (count)
	struct figure_band *items; // (count)
	size_t count;
	bool log_x, log_y, stairs; // stairs: without marks
};
// Mean and band of some values, by the row of figure_band_registry; its words for note.
struct interval figure_band_of(const double *values, size_t count, const struct row *band);
const char *figure_band_words(const struct row *band);
void figure_bands_make(const struct figure *figure, const struct figure_bands *bands, const char *xlabel,
                       const char *ylabel, struct figure_drawing *ret);

// Points over one axis: what metric, sensitivity and time share (figure_points.c).
struct figure_point {
	const char *series, *label, *text; // text: x as it was written
	double x, y, low, high;            // x: a number, or the place among the categories
	bool published;
};
struct figure_points {
	struct figure_point *items; // (count)
	size_t count, capacity;
	const char *xlabel, *ylabel, *scale; // where the file does not say
	bool log_y, connect;
};
void figure_points_add(struct figure_points *points, struct figure_point point);
bool figure_points_make(const struct figure *figure, struct figure_points *points, struct arena *arena,
                        struct figure_drawing *ret, struct error *error);
void figure_points_finish(struct figure_points *points);

#endif
