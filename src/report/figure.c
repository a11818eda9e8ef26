// The keys of a figure's file that all kinds have, and what can be checked before anything runs.
#include "report/figure_kind.h"

#include "base/file.h"
#include "config/read.h"
#include "eval/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct row *const rows[] = {
    &figure_curves.row,   &figure_metric.row, &figure_sensitivity.row, &figure_time.row,         &figure_heatmap.row,
    &figure_parallel.row, &figure_pareto.row, &figure_search.row,      &figure_architecture.row, &figure_table.row,
};
const struct registry figure_registry = {
    .what = "kind of figure", .plural = "figures", .rows = rows, .count = sizeof(rows) / sizeof(rows[0])};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key run_keys[] = {
    KEY(figure_run, file, KEY_PATH, .doc = "An experiment file; it is run where its run is not there yet"),
    KEY(figure_run, folder, KEY_PATH, .doc = "Instead of file: the folder of a finished run or summary"),
    KEY(figure_run, set, KEY_STRINGS, .doc = "Overrides of the file, \"KEY=VALUE\" as behind -s"),
    KEY(figure_run, label, KEY_STRING, .doc = "What the figure calls it; default: the experiment's name"),
    KEY(figure_run, series, KEY_STRING, .doc = "The line that it is a point of (metric, sensitivity, time)"),
};
static const struct schema run_schema = SCHEMA(struct figure_run, run_keys);

static const struct key sweep_keys[] = {
    KEY(figure_sweep, file, KEY_PATH, .doc = "An experiment file with a sweep group"),
    KEY(figure_sweep, folder, KEY_PATH, .doc = "Instead of file: the folder of a finished sweep"),
    KEY(figure_sweep, set, KEY_STRINGS, .doc = "Overrides of the file"),
    KEY(figure_sweep, label, KEY_STRING, .doc = "What the figure calls it; those of one label are repeats (search)"),
};
static const struct schema sweep_schema = SCHEMA(struct figure_sweep, sweep_keys);

static const struct key figure_keys[] = {
    KEY(figure, name, KEY_STRING,
        .doc = "Of its files, and of their folder results/figures/NAME; default: the file's stem"),
    KEY(figure, kind, KEY_TAG, .flags = KEY_REQUIRED, .registry = &figure_registry, .doc = "What is drawn"),
    KEY(figure, title, KEY_STRING, .doc = "Above the picture; a paper's stands in its caption"),
    KEY(figure, xlabel, KEY_STRING, .doc = "Of the x axis; default: what it shows"),
    KEY(figure, ylabel, KEY_STRING, .doc = "Of the y axis; default: what it shows"),
    KEY(figure, width, KEY_REAL, .fallback = "8.6", .min = 2, .max = 100,
        .doc = "Centimetres; 8.6 is a column of a page with two"),
    KEY(figure, height, KEY_REAL, .fallback = "6.2", .min = 2, .max = 100,
        .doc = "Centimetres; an architecture takes what it needs"),
    KEY(figure, letter, KEY_REAL, .fallback = "8.0", .min = 4, .max = 40,
        .doc = "Size of letters in points, but in LaTeX, which has its document's"),
    KEY(figure, font, KEY_STRING, .fallback = "\"Helvetica\"",
        .doc = "Of svg, pdf and png; LaTeX sets its own. \"Times\" goes with most papers"),
    KEY(figure, formats, KEY_STRINGS,
        .doc = "Of svg, pdf, png and tex, default svg and pdf; a table's of md and tex, default both"),
    KEY(figure, runs, KEY_LIST, .schema = &run_schema, .doc = "What is run and drawn"),
    KEY(figure, sweeps, KEY_LIST, .schema = &sweep_schema, .doc = "Likewise"),
};
const struct schema figure_schema = SCHEMA(struct figure, figure_keys);

struct origin figure_origin(const struct figure *figure, const char *key) {
	return figure->tree ? value_origin(figure->tree, key) : (struct origin){0};
}

// --- checks ---

// A name makes a folder and stands in the script and on command lines.
static void check_name(const struct figure *f, struct errors *errors) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strlen(f->name);
	if (length > 0 && length <= 100 && f->name[0] != '.' && f->name[0] != '-' && strspn(f->name, allowed) == length)
		return;
	struct error *error =
	    errors_add(errors, ERROR_CONFIG, figure_origin(f, "name"), "\"%s\" cannot be the name of a figure", f->name);
	error_hint(error, "Letters, digits, dots, underscores and hyphens make one.");
}

// It goes into the terminals' options.
static void check_font(const struct figure *f, struct errors *errors) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -";
	size_t length = strlen(f->font);
	if (length == 0 || strspn(f->font, allowed) != length)
		error_hint(errors_add(errors, ERROR_CONFIG, figure_origin(f, "font"), "\"%s\" is no name of a font", f->font),
		           "Letters, digits, blanks and hyphens make one.");
}

static void check_formats(const struct figure *f, struct errors *errors) {
	static const char *const pictures[] = {"svg", "pdf", "png", "tex", NULL}, *const tables[] = {"md", "tex", NULL};
	bool table = figure_kind_of(f)->takes & FIGURE_TABLE;
	const char *const *known = table ? tables : pictures;
	for (size_t i = 0; i < f->formats.count; i++) {
		size_t k = 0;
		while (known[k] && strcmp(known[k], f->formats.items[i]) != 0)
			k++;
		if (known[k])
			continue;
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, f->formats.at[i], "a figure of kind \"%s\" has no format \"%s\"",
		               f->kind.row->name, f->formats.items[i]);
		error_hint(error, "Known are %s.", table ? "\"md\" and \"tex\"" : "\"svg\", \"pdf\", \"png\" and \"tex\"");
	}
	if (f->formats.count == 0)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "formats"), "formats is empty");
}

static void check_one_of(const char *file, const char *folder, struct origin at, const char *what,
                         struct errors *errors) {
	if (!file == !folder) {
		struct error *error = errors_add(errors, ERROR_CONFIG, at, "a %s has either a file or a folder", what);
		error_hint(error, "Say file to have it run, or folder for one that is there.");
	}
}

static void check_sources(const struct figure *f, struct errors *errors) {
	for (size_t i = 0; i < f->runs.count; i++) {
		const struct figure_run *run = f->runs.items[i];
		check_one_of(run->file, run->folder, f->runs.from[i]->at, "run", errors);
		if (run->folder && run->set.count)
			errors_add(errors, ERROR_CONFIG, run->set.at[0], "a finished run takes no overrides");
	}
	for (size_t i = 0; i < f->sweeps.count; i++) {
		const struct figure_sweep *sweep = f->sweeps.items[i];
		check_one_of(sweep->file, sweep->folder, f->sweeps.from[i]->at, "sweep", errors);
		if (sweep->folder && sweep->set.count)
			errors_add(errors, ERROR_CONFIG, sweep->set.at[0], "a finished sweep takes no overrides");
	}
}

static const char *takes_words(unsigned takes) {
	return !(takes & (FIGURE_SWEEP | FIGURE_SWEEPS)) ? "runs"
	       : takes & FIGURE_SWEEPS                   ? "sweeps"
	       : takes & FIGURE_RUNS                     ? "runs, or one sweep"
	                                                 : "one sweep";
}

static void check_takes(const struct figure *f, struct errors *errors) {
	unsigned takes = figure_kind_of(f)->takes;
	size_t runs = f->runs.count, sweeps = f->sweeps.count;
	bool by_runs = runs && !sweeps && (takes & FIGURE_RUNS);
	bool by_sweeps = sweeps && !runs && ((takes & FIGURE_SWEEPS) || (sweeps == 1 && (takes & FIGURE_SWEEP)));
	if (by_runs || by_sweeps)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, figure_origin(f, "kind"),
	                                 "a figure of kind \"%s\" is drawn from %s", f->kind.row->name, takes_words(takes));
	error_hint(error, "This file names %zu run%s and %zu sweep%s.", runs, runs == 1 ? "" : "s", sweeps,
	           sweeps == 1 ? "" : "s");
}

void figure_check_name(const struct figure *figure, const char *key, const char *name, struct errors *errors) {
	static const char *const parts[] = {"train.", "valid.", "test."};
	struct metric_use use;
	struct errors unknown = {0};
	struct arena arena = {0};
	struct origin at = figure_origin(figure, key);
	bool part = false, good = !strcmp(name, "train.loss") || !strcmp(name, FIGURE_PARAMETERS);
	for (size_t i = 0; !good && i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = strlen(parts[i]);
		if (strncmp(name, parts[i], length) != 0)
			continue;
		part = true;
		good = metric_use_read(name + length, at, &arena, &use, &unknown);
	}
	for (size_t i = 0; i < unknown.count; i++)
		errors_push(errors, &unknown.items[i]);
	if (!good && !part)
		error_hint(errors_add(errors, ERROR_CONFIG, at, "\"%s\" is no figure of a run", name),
		           "Say a part (train, valid, test), a dot and a metric, as \"test.rmse\"; \"train.loss\"; or "
		           "\"model.parameters\".");
	errors_finish(&unknown);
	arena_finish(&arena);
}

// --- reading ---

static void settle(struct figure *f, const char *path) {
	static const char *pictures[] = {"svg", "pdf"}, *tables[] = {"md", "tex"};
	if (!f->name) {
		char *stem = path_stem(path);
		f->name = arena_string(&f->arena, stem);
		free(stem);
	}
	if (!f->formats.set && f->kind.row) {
		bool table = figure_kind_of(f)->takes & FIGURE_TABLE;
		f->formats.items = table ? tables : pictures;
		f->formats.count = 2;
		f->formats.set = true;
	}
}

static void hash_figure(struct figure *f) {
	struct text text = {0};
	struct hash hash;
	schema_write(&figure_schema, f, true, &text);
	hash_init(&hash);
	hash_string(&hash, text_string(&text));
	hash_finish(&hash, f->hash);
	text_finish(&text);
}

bool figure_read(const char *path, const char *const *overrides, size_t overrides_count, struct figure *ret,
                 struct errors *errors) {
	size_t before = errors->count;
	struct arena arena = {0};
	const struct value *tree = config_load(path, overrides, overrides_count, &figure_schema, &arena, errors);
	*ret = (struct figure){0};
	bool sound = tree && schema_read(&figure_schema, tree, "", &arena, ret, errors);
	ret->arena = arena;
	ret->tree = tree;
	if (sound) {
		settle(ret, path);
		check_name(ret, errors);
		check_font(ret, errors);
		check_formats(ret, errors);
		check_sources(ret, errors);
		check_takes(ret, errors);
		if (figure_kind_of(ret)->check)
			figure_kind_of(ret)->check(ret, errors);
	}
	if (errors->count > before)
		return false;
	hash_figure(ret);
	return true;
}

void figure_finish(struct figure *figure) {
	arena_finish(&figure->arena);
	*figure = (struct figure){0};
}

void figure_wants(const struct figure *figure, struct figure_wants *ret) {
	*ret = (struct figure_wants){0};
	if (figure_kind_of(figure)->wants)
		figure_kind_of(figure)->wants(figure, ret);
}

void figure_want_figure(struct figure_wants *wants, const char *name) {
	if (name && wants->figures_count < FIGURE_WANTS_MOST)
		wants->figures[wants->figures_count++] = name;
}

void figure_want_key(struct figure_wants *wants, const char *key) {
	if (key && wants->keys_count < FIGURE_WANTS_MOST)
		wants->keys[wants->keys_count++] = key;
}
