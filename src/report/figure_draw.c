// A figure's files: table, script, pictures, and figure.json, which says what they are of. All are made in a hidden
// folder beside and renamed one by one, figure.json last; what an earlier drawing left and this one has not is removed.
#include "report/figure_kind.h"

#include "base/file.h"
#include "report/embedded.h"
#include "report/json.h"
#include "report/metadata.h"
#include "report/pieces.h"
#include "report/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROVENANCE "figure.json"

// What figure_draw works on.
struct job {
	const struct figure *figure;
	struct figure_data data;
	struct figure_drawing drawing;
	struct figure_output *output;
	char *hidden;            // where the files are made
	struct text description; // of the pictures, in ASCII
};

static const char *const endings[] = {".tsv", ".gp", ".dot", ".svg", ".pdf", "-inc.pdf", ".png", ".tex", ".md"};
enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

static bool wants_format(const struct figure *figure, const char *format) {
	for (size_t i = 0; i < figure->formats.count; i++)
		if (!strcmp(figure->formats.items[i], format))
			return true;
	return false;
}

static char *path_of(const char *folder, const struct figure *figure, const char *ending) {
	struct text name = {0};
	text_format(&name, "%s%s", figure->name, ending);
	char *path = path_join(folder, text_string(&name));
	text_finish(&name);
	return path;
}

static bool write_text(const struct job *job, const char *ending, const struct text *text, struct error *error) {
	char *path = path_of(job->hidden, job->figure, ending);
	bool good = file_write(path, text_string(text), text->length, error);
	free(path);
	return good;
}

// --- the script ---

static void put_script(const struct job *job, struct text *text) {
	const struct figure *f = job->figure;
	struct text formats = {0};
	static const char *const plain[] = {"svg", "pdf", "png"};
	for (size_t i = 0; i < 3; i++)
		if (wants_format(f, plain[i]))
			text_format(&formats, "%s%s", formats.length ? " " : "", plain[i]);
	text_format(text, "# `gnuplot %s.gp` here draws the figure from %s.tsv.\n", f->name, f->name);
	text_append(text, "if (!exists(\"tex\")) { tex = 0 }\nreset\n");
	text_format(text, "name = '%s'; formats = '%s'; tex_wanted = %d\n", f->name, text_string(&formats),
	            wants_format(f, "tex"));
	fact_real(text, "width", f->width);
	fact_real(text, "height", f->height);
	fact_real(text, "letter", f->letter);
	text_append(text, "face = ");
	quote_gnuplot(text, f->font);
	text_append(text, "\n");
	fact_text(text, "title", f->title);
	text_append_bytes(text, text_string(&job->drawing.facts), job->drawing.facts.length);
	text_format(text, "\n%s\n%s\n%s%s", (const char *)embedded_style_gp, (const char *)embedded_figure_gp,
	            job->drawing.plot, (const char *)embedded_output_gp);
	text_finish(&formats);
}

// The same text includes what stands beside it, for LaTeX.
static bool write_include(const struct job *job, struct error *error) {
	struct text text = {0};
	text_format(&text, "\\includegraphics{%s-inc}\n", job->figure->name);
	bool good = write_text(job, ".tex", &text, error);
	text_finish(&text);
	return good;
}

static bool write_sources(const struct job *job, struct error *error) {
	const struct figure_drawing *d = &job->drawing;
	struct text script = {0};
	bool good = write_text(job, ".tsv", &d->tsv, error);
	if (good && d->plot) {
		put_script(job, &script);
		good = write_text(job, ".gp", &script, error);
	}
	if (good && d->dot.length)
		good =
		    write_text(job, ".dot", &d->dot, error) && (!wants_format(job->figure, "tex") || write_include(job, error));
	if (good && d->markdown.length && wants_format(job->figure, "md"))
		good = write_text(job, ".md", &d->markdown, error);
	if (good && d->latex.length && wants_format(job->figure, "tex"))
		good = write_text(job, ".tex", &d->latex, error);
	text_finish(&script);
	return good;
}

// --- the pictures ---

static void undrawn(struct job *job, const char *program, bool missing, const char *why) {
	struct text line = {0};
	const char *name = job->figure->name;
	text_format(&line, "%s%s: the pictures of %s were not drawn (%s.tsv and %s%s are there)", missing ? program : why,
	            missing ? " is not installed" : "", name, name, name, job->drawing.plot ? ".gp" : ".dot");
	job->output->drawn = false;
	if (job->output->note)
		job->output->note(job->output->context, text_string(&line));
	text_finish(&line);
	for (size_t i = 0; i < ENDINGS; i++) {
		if (!strcmp(endings[i], ".tsv") || !strcmp(endings[i], ".gp") || !strcmp(endings[i], ".dot"))
			continue;
		char *path = path_of(job->hidden, job->figure, endings[i]);
		unlink(path);
		free(path);
	}
}

static void run_gnuplot(struct job *job) {
	struct text script = {0};
	bool missing = false;
	struct error why = {0};
	text_format(&script, "%s.gp", job->figure->name);
	// -d: the person's own start-up files would change the picture.
	const char *const argv[] = {"gnuplot", "-d", text_string(&script), NULL};
	if (!program_run(argv, job->hidden, &missing, &why))
		undrawn(job, "gnuplot", missing, why.message);
	else { // cairolatex names the graphic by the text
		char *from = path_of(job->hidden, job->figure, "-inc.tex");
		unlink(from);
		free(from);
	}
	text_finish(&script);
}

// 300 dots an inch for a png.
static bool run_dot(struct job *job, const char *format, const char *ending) {
	struct text source = {0}, target = {0}, type = {0};
	bool missing = false;
	struct error why = {0};
	text_format(&source, "%s.dot", job->figure->name);
	text_format(&target, "%s%s", job->figure->name, ending);
	text_format(&type, "-T%s", format);
	bool png = !strcmp(format, "png");
	const char *const argv[] = {"dot",
	                            text_string(&type),
	                            "-o",
	                            text_string(&target),
	                            png ? "-Gdpi=300" : "-Gbgcolor=white",
	                            text_string(&source),
	                            NULL};
	bool good = program_run(argv, job->hidden, &missing, &why);
	if (!good)
		undrawn(job, missing ? "graphviz" : "dot", missing, why.message);
	text_finish(&source);
	text_finish(&target);
	text_finish(&type);
	return good;
}

static void run_graphviz(struct job *job) {
	static const char *const runs[][3] = {
	    {"svg", "svg", ".svg"}, {"pdf", "pdf", ".pdf"}, {"png", "png", ".png"}, {"tex", "pdf", "-inc.pdf"}};
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		if (wants_format(job->figure, runs[i][0]) && !run_dot(job, runs[i][1], runs[i][2]))
			return;
}

static bool describe_all(const struct job *job, struct error *error) {
	static const char *const described[] = {".svg", ".pdf", "-inc.pdf", ".png", ".tex", ".md"};
	bool good = true;
	for (size_t i = 0; good && i < sizeof(described) / sizeof(described[0]); i++) {
		char *path = path_of(job->hidden, job->figure, described[i]);
		if (file_exists(path))
			good = picture_describe(path, text_string(&job->description), error);
		free(path);
	}
	return good;
}

// --- provenance ---

static void put_runs(const struct job *job, struct json *json, bool whole) {
	if (!job->figure->runs.count)
		return;
	json_array(json, "runs", whole ? JSON_LINES : JSON_INLINE);
	for (size_t i = 0; i < job->figure->runs.count; i++) {
		const struct figure_sample *sample = &job->data.samples[i];
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "experiment", sample->entry.name);
		json_string(json, "id", sample->entry.id);
		if (whole) {
			json_string(json, "label", sample->label);
			json_string(json, "protocol", sample->entry.protocol);
			json_count(json, "runs", sample->entry.runs ? sample->entry.runs : 1);
		}
		json_end(json);
	}
	json_end(json);
}

static void put_sweeps(const struct job *job, struct json *json, bool whole) {
	if (!job->data.sweeps_count)
		return;
	json_array(json, "sweeps", whole ? JSON_LINES : JSON_INLINE);
	for (size_t i = 0; i < job->data.sweeps_count; i++) {
		const struct trials *sweep = &job->data.sweeps[i];
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "experiment", sweep->name);
		json_string(json, "id", sweep->id);
		if (whole) {
			json_string(json, "kind", sweep->kind);
			json_count(json, "trials", sweep->count);
		}
		json_end(json);
	}
	json_end(json);
}

// What stands in the pictures, and with `whole` in figure.json. Nothing here differs between two drawings of the same
// runs by the same program; a commit stands in figure.json alone, or every picture that is kept would change with each.
static void put_provenance(const struct job *job, struct json *json, bool whole) {
	const struct figure *f = job->figure;
	json_object(json, NULL, whole ? JSON_LINES : JSON_INLINE);
	if (whole)
		json_string(json, "schema", "aexp.figure/1");
	json_string(json, "figure", f->name);
	json_string(json, "kind", f->kind.row->name);
	if (*f->hash)
		json_string(json, "hash", f->hash);
	if (job->output->version)
		json_string(json, "version", job->output->version);
	if (whole)
		json_string(json, "commit", job->output->commit);
	if (whole && *job->drawing.note)
		json_string(json, "note", job->drawing.note);
	put_runs(job, json, whole);
	put_sweeps(job, json, whole);
	if (whole)
		return; // goes on with the files
	json_end(json);
}

static void describe(struct job *job) {
	struct text text = {0};
	struct json json = {.text = &text, .compact = true};
	put_provenance(job, &json, false);
	metadata_ascii(text_string(&text), &job->description);
	text_finish(&text);
}

static bool write_provenance(const struct job *job, struct error *error) {
	struct text text = {0};
	struct json json = {.text = &text};
	put_provenance(job, &json, true);
	json_array(&json, "files", JSON_INLINE);
	for (size_t i = 0; i < ENDINGS; i++) {
		char *path = path_of(job->hidden, job->figure, endings[i]);
		if (file_exists(path))
			json_string(&json, NULL, path_base(path));
		free(path);
	}
	json_end(&json);
	json_end(&json);
	text_append(&text, "\n");
	char *path = path_join(job->hidden, PROVENANCE);
	bool good = file_write(path, text_string(&text), text.length, error);
	free(path);
	text_finish(&text);
	return good;
}

// --- the folder ---

static bool publish_one(const struct job *job, const char *ending, struct error *error) {
	char *from = path_of(job->hidden, job->figure, ending), *to = path_of(job->output->folder, job->figure, ending);
	bool good = true;
	if (file_exists(from))
		good = file_publish(from, to, error);
	else
		unlink(to);
	free(from);
	free(to);
	return good;
}

static bool publish(const struct job *job, bool provenance, struct error *error) {
	bool good = folder_create(job->output->folder, error);
	for (size_t i = 0; good && i < ENDINGS; i++)
		good = publish_one(job, endings[i], error);
	if (!good || !provenance)
		return good;
	char *from = path_join(job->hidden, PROVENANCE), *to = path_join(job->output->folder, PROVENANCE);
	good = file_publish(from, to, error);
	free(from);
	free(to);
	return good;
}

static char *hidden_path(const char *folder, const char *name) {
	char *absolute = path_absolute(folder), *parent = path_folder(absolute);
	struct text hidden = {0};
	text_format(&hidden, ".%s.%s.%ld.tmp", path_base(absolute), name, (long)getpid());
	char *path = path_join(parent, text_string(&hidden));
	text_finish(&hidden);
	free(parent);
	free(absolute);
	return path;
}

static bool draw(struct job *job, struct error *error) {
	const struct figure_kind *kind = figure_kind_of(job->figure);
	if (!kind->make(job->figure, &job->data, &job->drawing, error))
		return false;
	describe(job);
	if (!folder_create(job->hidden, error) || !write_sources(job, error))
		return false;
	if (job->drawing.plot)
		run_gnuplot(job);
	else if (job->drawing.dot.length)
		run_graphviz(job);
	return describe_all(job, error);
}

static void finish(struct job *job) {
	struct error unimportant;
	if (file_exists(job->hidden))
		folder_remove(job->hidden, &unimportant);
	free(job->hidden);
	text_finish(&job->drawing.tsv);
	text_finish(&job->drawing.facts);
	text_finish(&job->drawing.dot);
	text_finish(&job->drawing.markdown);
	text_finish(&job->drawing.latex);
	text_finish(&job->description);
}

bool figure_draw(const struct figure *figure, const struct figure_folders *folders, struct figure_output *output,
                 struct error *error) {
	struct arena arena = {0};
	struct job job = {.figure = figure, .output = output, .hidden = hidden_path(output->folder, figure->name)};
	bool provenance = output->version;
	output->drawn = true;
	bool good = figure_data_read(figure, folders, &arena, &job.data, error) && draw(&job, error) &&
	            (!provenance || write_provenance(&job, error)) && publish(&job, provenance, error);
	figure_data_finish(&job.data);
	finish(&job);
	arena_finish(&arena);
	return good;
}
