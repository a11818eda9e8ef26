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
	const char *backend;          // "openblas 0.3.21 Haswell ..." as the backend describes itself
	double started, ended;        // seconds since the epoch
};

// results/NAME/ID of a run. free() what they return.
char *run_folder_path(const char *results, const char *name, const char *id);
bool run_folder_finished(const char *folder); // it holds metrics.json

// Creates the folder and its experiment.cfg, so that an unfinished run can be listed; fails (ERROR_RUN) where it cannot
// be written, before anything is trained.
bool run_folder_begin(const char *folder, const struct experiment *experiment, struct error *error);

// Writes everything: history.jsonl, run.json, model.safetensors, loss.tsv, loss.gp, loss.svg, loss.png, graph.dot,
// graph.svg, and last metrics.json. `note` is called with one line for each thing that could not be drawn (gnuplot or
// graphviz missing); that is no failure.
bool run_folder_finish(const char *folder, const struct run_result *result, const struct provenance *provenance,
                       void (*note)(void *context, const char *line), void *context, struct error *error);

// The pieces, each into text (deterministic: no time, no host), for the tests and for other verbs.
void report_metrics_json(const struct run_result *result, struct text *text);
void report_history_jsonl(const struct run_result *result, struct text *text);
void report_run_json(const struct run_result *result, const struct provenance *provenance, struct text *text);
void report_loss_tsv(const struct run_result *result, struct text *text);
void report_loss_gp(const struct run_result *result, struct text *text);   // from the template plots/loss.gp
void report_graph_dot(const struct graph_facts *graph, const char *title, struct text *text);
// model.safetensors (https://github.com/huggingface/safetensors): header with metadata, then float32 tensors.
bool report_model(const struct run_result *result, struct text *text);

// Runs folder/loss.gp and folder/graph.dot through gnuplot and dot, there.
bool draw_loss(const char *folder, struct error *error);
bool draw_graph(const char *folder, struct error *error);

#endif
