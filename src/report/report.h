// The run folder: every file that a run leaves, each written under a temporary name and renamed; metrics.json last.
#ifndef AEXP_REPORT_REPORT_H
#define AEXP_REPORT_REPORT_H

#include "train/result.h"

// Facts about this process that go into run.json only.
struct provenance {
	const char *version, *commit; // of the program; commit "" where unknown
	int argc;
	char **argv;
	size_t threads;
	const char *data;          // where it came from: "files", "cache" or "synthetic"; NULL: unknown
	const char *backend;       // "openblas 0.3.21 Haswell ..." as the backend describes itself
	double started, ended;     // seconds since the epoch, by a clock that may be set
	double seconds;            // that it took, by one that nobody sets
	size_t resumed_from_epoch; // 0 if never
};

// results/NAME/ID of a run. free() what they return.
char *run_folder_path(const char *results, const char *name, const char *id);
bool run_folder_finished(const char *folder); // it holds metrics.json, or summary.json

// Creates the folder and its experiment.cfg (the text that experiment_write gives), so that an unfinished run can be
// listed; fails (ERROR_RUN) where it cannot be written, before anything is trained.
bool run_folder_begin(const char *folder, const char *experiment_text, struct error *error);

char *run_folder_checkpoints(const char *folder); // where a training keeps them; free()
// What a training that ended before its last epoch leaves besides: history.jsonl, of the epochs that it has.
bool run_folder_leave(const char *folder, const struct run_result *result, struct error *error);
// Takes back what begin and leave made, and its checkpoints, where nothing else is in the folder.
void run_folder_abandon(const char *folder);
// What a process that was killed while it wrote a run left in its folder, whose claim the caller has: temporaries, and
// checkpoints of what is finished.
void run_folder_tidy(const char *folder);
bool run_folder_is_untidy(const char *folder); // whether a finished one has checkpoints

// Writes everything: experiment.cfg, history.jsonl, model.safetensors, users.tsv, loss.tsv, loss.gp, loss.svg,
// loss.png, graph.dot, graph.svg, run.json, and last metrics.json. All of it is made in a hidden folder beside,
// `.ID.PID.tmp`, which never outlives the call. `note` is called with one line for each thing that could not be drawn
// (gnuplot or graphviz missing); that is no failure.
bool run_folder_finish(const char *folder, const struct run_result *result, const char *experiment_text,
                       const struct provenance *provenance, void (*note)(void *context, const char *line),
                       void *context, struct error *error);

// The pieces, each into text (deterministic but for run.json: no time, no host), for the tests and for other verbs.
void report_metrics_json(const struct run_result *result, struct text *text);
void report_history_jsonl(const struct run_result *result, struct text *text);
void report_run_json(const struct run_result *result, const struct provenance *provenance, struct text *text);
void report_loss_tsv(const struct run_result *result, struct text *text);
void report_users_tsv(const struct run_result *result, struct text *text);
void report_loss_gp(const struct run_result *result,
                    struct text *text); // plots/style.gp and plots/loss.gp below its facts
void report_graph_dot(const struct graph_facts *graph, const char *title, struct text *text);

// model.safetensors (https://github.com/huggingface/safetensors): the header's size as 8 bytes, the header padded with
// spaces to a multiple of 8, then the tensors as float32, little-endian, in the order of the header. The first gives
// all but the tensors; fails (ERROR_RUN) where the header would be longer than readers accept (100,000,000 bytes).
bool report_model_header(const struct run_result *result, const char *experiment_text, struct text *text,
                         struct error *error);
bool report_model_write(const char *path, const struct run_result *result, const char *experiment_text,
                        struct error *error); // straight to the path: no temporary name

// Runs folder/loss.gp and folder/graph.dot through gnuplot and dot, there; the pictures say which run they are of. On
// failure no picture is left, and the error's message is a line that says so and why.
bool draw_loss(const char *folder, const struct run_result *result, struct error *error);
bool draw_graph(const char *folder, const struct run_result *result, struct error *error);

// What the loss curve and the graph's picture show of a result, from a finished run's metrics.json: experiment (name, names
// of metrics, loss), id, epochs, best and graph, all in the arena; the rest is zero. ERROR_DATA where it does not hold them.
bool report_result_read(const char *folder, struct arena *arena, struct run_result *ret, struct error *error);
// Draws a finished run's pictures again from its metrics.json, as run_folder_finish left them; `note` as there, and
// *ret_drawn false where it was called.
bool report_redraw(const char *folder, void (*note)(void *context, const char *line), void *context, bool *ret_drawn,
                   struct error *error);

#endif
