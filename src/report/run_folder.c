// The run folder. All files are made in a hidden folder beside it and renamed into place one by one, metrics.json last,
// so that nothing half-written ever stands under a final name and a folder with metrics.json is whole.
#include "base/file.h"
#include "report/report.h"
#include "report/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define METRICS "metrics.json"
#define EXPERIMENT "experiment.cfg"
#define HISTORY "history.jsonl"
#define RUN "run.json"

char *run_folder_path(const char *results, const char *name, const char *id) {
	char *folder = path_join(results, name);
	char *path = path_join(folder, id);
	free(folder);
	return path;
}

bool run_folder_finished(const char *folder) {
	char *path = path_join(folder, METRICS), *summary = path_join(folder, "summary.json");
	bool finished = file_exists(path) || file_exists(summary);
	free(path);
	free(summary);
	return finished;
}

static bool write_text(const char *folder, const char *name, const char *data, size_t size, struct error *error) {
	char *path = path_join(folder, name);
	bool ok = file_write(path, data, size, error);
	free(path);
	return ok;
}

bool run_folder_begin(const char *folder, const char *experiment_text, struct error *error) {
	return folder_create(folder, error) &&
	       write_text(folder, EXPERIMENT, experiment_text, strlen(experiment_text), error);
}

char *run_folder_checkpoints(const char *folder) {
	return path_join(folder, "checkpoint");
}

bool run_folder_leave(const char *folder, const struct run_result *result, struct error *error) {
	struct text text = {0};
	report_history_jsonl(result, &text);
	bool ok = write_text(folder, HISTORY, text_string(&text), text.length, error);
	text_finish(&text);
	return ok;
}

// Checkpoints that stay cost room alone.
static void remove_checkpoints(const char *folder) {
	struct error unimportant;
	char *path = run_folder_checkpoints(folder);
	folder_remove(path, &unimportant);
	free(path);
}

void run_folder_abandon(const char *folder) {
	static const char *const names[] = {EXPERIMENT, HISTORY};
	if (run_folder_finished(folder))
		return;
	remove_checkpoints(folder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = path_join(folder, names[i]);
		unlink(path);
		free(path);
	}
	rmdir(folder);
}

void run_folder_tidy(const char *folder) {
	folder_drop_temporaries(folder, true);
	if (run_folder_finished(folder))
		remove_checkpoints(folder);
}

bool run_folder_is_untidy(const char *folder) {
	char *path = run_folder_checkpoints(folder);
	bool untidy = run_folder_finished(folder) && file_exists(path);
	free(path);
	return untidy;
}

// What run_folder_finish works on.
struct job {
	const char *folder;       // the run's
	char *hidden;             // where the files are made
	struct run_result result; // a copy, so that the time of drawing becomes one of its phases
	const char *experiment_text;
	const struct provenance *provenance;
	void (*note)(void *context, const char *line);
	void *context;
	bool undrawn; // a picture could not be drawn
};

static void write_experiment(const struct job *job, struct text *text) {
	text_append(text, job->experiment_text);
}
static void write_history(const struct job *job, struct text *text) {
	report_history_jsonl(&job->result, text);
}
static void write_tsv(const struct job *job, struct text *text) {
	report_loss_tsv(&job->result, text);
}
static void write_users(const struct job *job, struct text *text) {
	report_users_tsv(&job->result, text);
}
static void write_gp(const struct job *job, struct text *text) {
	report_loss_gp(&job->result, text);
}
static void write_metrics(const struct job *job, struct text *text) {
	report_metrics_json(&job->result, text);
}
static void write_dot(const struct job *job, struct text *text) {
	report_graph_dot(&job->result.graph, job->result.experiment->name, text);
}

// Every file of the folder, in the order in which they get their final names. Those without a function are made
// otherwise; the pictures may be missing.
static const struct piece {
	const char *name;
	void (*write)(const struct job *job, struct text *text);
	bool picture, drawn_from;
} pieces[] = {
    {EXPERIMENT, write_experiment},
    {HISTORY, write_history},
    {"model.safetensors", NULL},
    {"users.tsv", write_users},
    {"loss.tsv", write_tsv, .drawn_from = true},
    {"loss.gp", write_gp, .drawn_from = true},
    {"loss.svg", NULL, .picture = true},
    {"loss.png", NULL, .picture = true},
    {"graph.dot", write_dot, .drawn_from = true},
    {"graph.svg", NULL, .picture = true},
    {RUN, NULL}, // after all others: it holds how long drawing took, and their hashes
    {METRICS, write_metrics},
};
enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static bool wanted_all(const struct piece *piece) {
	return piece->write;
}
static bool wanted_to_draw(const struct piece *piece) {
	return piece->drawn_from;
}

static bool write_pieces(const struct job *job, bool (*wanted)(const struct piece *piece), struct error *error) {
	bool ok = true;
	for (size_t i = 0; ok && i < PIECES; i++) {
		if (!pieces[i].write || !wanted(&pieces[i]))
			continue;
		struct text text = {0};
		pieces[i].write(job, &text);
		ok = write_text(job->hidden, pieces[i].name, text_string(&text), text.length, error);
		text_finish(&text);
	}
	return ok;
}

static bool write_model(const struct job *job, struct error *error) {
	char *path = path_join(job->hidden, "model.safetensors");
	bool ok = report_model_write(path, &job->result, job->result.portable_text, error);
	free(path);
	return ok;
}

// The files whose hashes run.json holds: not a picture that could not be drawn.
static size_t sealed_names(const struct job *job, const char *ret[PIECES]) {
	size_t count = 0;
	for (size_t i = 0; i < PIECES; i++) {
		char *path = path_join(job->hidden, pieces[i].name);
		if (strcmp(pieces[i].name, RUN) != 0 && (!pieces[i].picture || file_exists(path)))
			ret[count++] = pieces[i].name;
		free(path);
	}
	return count;
}

static bool write_run(const struct job *job, struct error *error) {
	const char *names[PIECES];
	struct text text = {0};
	report_run_json(&job->result, job->provenance, &text);
	bool ok = seal_add(&text, names, sealed_names(job, names), job->hidden, error) &&
	          write_text(job->hidden, RUN, text_string(&text), text.length, error);
	text_finish(&text);
	return ok;
}

// What it says of files that were made again.
static bool renew_run(const struct job *job, struct error *error) {
	enum { RUN_MOST = 1 << 28 }; // bytes
	const char *names[PIECES];
	struct text text = {0};
	char *path = path_join(job->folder, RUN);
	bool ok = true;
	if (file_exists(path)) { // it was left out where the folder was copied by hand
		ok = file_read(path, RUN_MOST, &text.data, &text.length, error) &&
		     seal_renew(&text, names, sealed_names(job, names), job->hidden, error) &&
		     write_text(job->hidden, RUN, text_string(&text), text.length, error);
		text_finish(&text);
	}
	free(path);
	return ok;
}

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void draw_pictures(struct job *job) {
	static bool (*const draws[])(const char *folder, const struct run_result *result,
	                             struct error *error) = {draw_loss, draw_graph};
	struct run_result *result = &job->result;
	double start = now();
	for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++) {
		struct error error = {0};
		bool drawn = draws[i](job->hidden, result, &error);
		job->undrawn = job->undrawn || !drawn;
		if (!drawn && job->note)
			job->note(job->context, error.message);
	}
	if (result->phases_count < sizeof(result->phases) / sizeof(result->phases[0]))
		result->phases[result->phases_count++] = (struct run_phase){"pictures", now() - start, 0};
}

// A picture that could not be drawn this time leaves no old one behind.
static bool publish_piece(const struct job *job, const struct piece *piece, struct error *error) {
	char *from = path_join(job->hidden, piece->name), *to = path_join(job->folder, piece->name);
	bool ok = true;
	if (piece->picture && !file_exists(from))
		unlink(to);
	else
		ok = file_publish(from, to, error);
	free(from);
	free(to);
	return ok;
}

static bool same_bytes(const char *one, const char *other) {
	char hex[2][HASH_HEX];
	return file_hash(one, hex[0], NULL) && file_hash(other, hex[1], NULL) && !strcmp(hex[0], hex[1]);
}

// A finished folder that is written again is unfinished in between, unless its results come out the same: then it stays
// finished whatever happens.
static bool publish(const struct job *job, struct error *error) {
	char *metrics = path_join(job->folder, METRICS), *made = path_join(job->hidden, METRICS);
	bool ok = folder_create(job->folder, error);
	if (ok && !same_bytes(metrics, made) && unlink(metrics) != 0 && errno != ENOENT)
		ok = error_set(error, ERROR_RUN, "cannot replace \"%s\": %s", metrics, strerror(errno));
	for (size_t i = 0; ok && i < PIECES; i++)
		ok = publish_piece(job, &pieces[i], error);
	free(metrics);
	free(made);
	return ok;
}

static char *hidden_path(const char *folder) {
	char *absolute = path_absolute(folder), *parent = path_folder(absolute);
	struct text name = {0};
	text_format(&name, ".%s.%ld.tmp", path_base(absolute), (long)getpid());
	char *path = path_join(parent, text_string(&name));
	text_finish(&name);
	free(parent);
	free(absolute);
	return path;
}

// A hidden folder that cannot be removed is no reason to call a whole run a failure, nor to hide why one failed.
static void drop_hidden(struct job *job) {
	struct error unimportant;
	if (file_exists(job->hidden))
		folder_remove(job->hidden, &unimportant);
	free(job->hidden);
}

bool run_folder_finish(const char *folder, const struct run_result *result, const char *experiment_text,
                       const struct provenance *provenance, void (*note)(void *context, const char *line),
                       void *context, struct error *error) {
	struct job job = {folder, hidden_path(folder), *result, experiment_text, provenance, note, context, false};
	bool ok = folder_create(job.hidden, error) && write_pieces(&job, wanted_all, error) && write_model(&job, error);
	if (ok) {
		draw_pictures(&job);
		ok = write_run(&job, error) && publish(&job, error);
	}
	if (ok)
		remove_checkpoints(folder);
	drop_hidden(&job);
	return ok;
}

// Only what is drawn from and the pictures: the run stays finished all the while.
static bool publish_pictures(const struct job *job, struct error *error) {
	char *run = path_join(job->hidden, RUN);
	bool ok = true, renewed = file_exists(run);
	for (size_t i = 0; ok && i < PIECES; i++)
		if (pieces[i].drawn_from || pieces[i].picture || (renewed && !strcmp(pieces[i].name, RUN)))
			ok = publish_piece(job, &pieces[i], error);
	free(run);
	return ok;
}

bool report_redraw(const char *folder, void (*note)(void *context, const char *line), void *context, bool *ret_drawn,
                   struct error *error) {
	struct arena arena = {0};
	struct job job = {.folder = folder, .hidden = hidden_path(folder), .note = note, .context = context};
	bool ok = report_result_read(folder, &arena, &job.result, error) && folder_create(job.hidden, error) &&
	          write_pieces(&job, wanted_to_draw, error);
	if (ok) {
		draw_pictures(&job);
		ok = renew_run(&job, error) && publish_pictures(&job, error);
	}
	*ret_drawn = !job.undrawn;
	drop_hidden(&job);
	arena_finish(&arena);
	return ok;
}
