// A run's result filled in by hand: three items and four users, a graph of seven nodes, two tensors, a few epochs.
// Names are awkward on purpose: quotes, backquotes, markup, bytes that are not UTF-8.
#ifndef AEXP_TESTS_REPORT_FIXTURE_H
#define AEXP_TESTS_REPORT_FIXTURE_H

#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#define AWKWARD "a'b\"c`touch hacked`$(touch hacked) \\n & <b> {x}_^ \xc3\xa9 \xe9\t@title\\"

enum { FIXTURE_EPOCHS = 1000 };

struct fixture {
	struct experiment experiment;
	struct data_config data;
	struct loss_config loss;
	struct row backend_row, loss_row, reduction_row;
	struct metric metrics[4];
	struct metric_use uses[4];
	struct dataset dataset;
	struct matrices matrices;
	struct node_facts nodes[7];
	struct tensor_facts tensors[3];
	struct epoch_result epochs[FIXTURE_EPOCHS];
	struct run_result result;
	struct provenance provenance;
	char *argv[3];
};

static inline double fixture_over_cells(const struct cells *cells) {
	return (double)cells->count;
}
static inline double fixture_over_ranking(const struct ranking *ranking, size_t k) {
	return (double)(ranking->length + k);
}

static inline double fixture_over_lists(const struct lists *lists, size_t k) {
	return (double)(lists->users + k);
}

static char fixture_items[] = "50\0x\"y\0\xe9t\xe9"; // the last in Latin-1
static uint32_t fixture_item_offsets[] = {0, 3, 7};
static char fixture_users[] = "u1\0u2\0u3\0u4";
static uint32_t fixture_user_offsets[] = {0, 3, 6, 9};
static const char *fixture_titles[] = {"Star Wars (1977)", NULL, "Caf\xc3\xa9 \"Lumi\xe8re\""};
static uint32_t fixture_places[] = {0, 1, 2, 3};
static size_t fixture_start[] = {0, 2, 3, 3, 5}, fixture_test_start[] = {0, 1, 1, 2, 2};
static uint32_t fixture_column[] = {0, 2, 0, 0, 1}, fixture_test_column[] = {1, 2};
static float fixture_value[] = {1, 0, 0.1f, 1, 1}, fixture_test_value[] = {1, 0};
static double fixture_thresholds[] = {3.5}, fixture_values[] = {0.1, 1.0};
static const char *fixture_levels[] = {"", "dry", "oily & \"mixed\""};
static struct feature_coding fixture_coding[] = {
    {.name = "skin_type", .first_column = 0, .columns = 3, .levels = fixture_levels},
    {.name = "age", .numeric = true, .first_column = 3, .columns = 2, .mean = 33.3, .deviation = 0.1},
};
static const float fixture_weight[] = {1, -2, 3.5f, 0.1f, 1e-30f, 6}, fixture_bias[] = {0.25f, -0.5f};

static inline void fixture_data(struct fixture *f) {
	f->dataset.items = (struct ids){.count = 3, .offset = fixture_item_offsets, .bytes = fixture_items};
	f->dataset.users = (struct ids){.count = 4, .offset = fixture_user_offsets, .bytes = fixture_users};
	f->dataset.titles = fixture_titles;
	strcpy(f->dataset.fingerprint, "0123456789abcdef0123456789abcdef");
	f->matrices = (struct matrices){
	    .dataset = &f->dataset,
	    .users = 4,
	    .items = 3,
	    .user_of = fixture_places,
	    .item_of = fixture_places,
	    .train = {.rows = 4, .columns = 3, .start = fixture_start, .column = fixture_column, .value = fixture_value},
	    .test.target = {.rows = 4,
	                    .columns = 3,
	                    .start = fixture_test_start,
	                    .column = fixture_test_column,
	                    .value = fixture_test_value},
	    .coding = fixture_coding,
	    .coding_count = 2,
	    .thresholds = fixture_thresholds,
	    .values = fixture_values,
	    .levels = 2,
	    .liked = 3.5,
	};
	f->matrices.test.input = &f->matrices.train;
}

static inline void fixture_experiment(struct fixture *f) {
	static const char *const names[] = {"mse", "accuracy", "auc", "ndcg@10"};
	f->backend_row.name = "openblas";
	f->loss_row.name = "masked_mse";
	f->reduction_row.name = "mean";
	f->loss = (struct loss_config){.kind.row = &f->loss_row, .reduction.row = &f->reduction_row};
	for (size_t i = 0; i < 4; i++) {
		f->metrics[i].over_cells = i < 3 ? fixture_over_cells : NULL;
		f->metrics[i].over_ranking = i < 3 ? NULL : fixture_over_ranking;
		f->uses[i] = (struct metric_use){.metric = &f->metrics[i], .k = i < 3 ? 0 : 10, .name = names[i]};
	}
	f->experiment.name = "beautybot";
	f->experiment.seed = 18446744073709551615u;
	f->experiment.backend.row = &f->backend_row;
	f->experiment.data = &f->data;
	f->experiment.loss = &f->loss;
	f->experiment.uses = f->uses;
	f->experiment.uses_count = 4;
}

static const char *const fixture_inputs[][2] = {{"user"},           {"who"},     {"dropout_2"}, {"ratings"}, {"taste"},
                                                {"who2", "taste2"}, {"concat_6"}};

static inline void fixture_graph(struct fixture *f) {
	const struct node_facts nodes[] = {
	    {.name = "who", .op = "dense", .detail = "relu, normal", .width = 16, .parameters = 416},
	    {.name = "dropout_2", .op = "dropout", .detail = "rate 0.2", .width = 16},
	    {.name = "who2", .op = "batch_norm", .detail = "", .width = 16, .parameters = 32},
	    {.name = "taste",
	     .op = "dense",
	     .detail = "relu, normal, l2 0.001",
	     .width = 64,
	     .parameters = 51264,
	     .path = "sparse"},
	    {.name = "taste2", .op = "dropout", .detail = "rate 0.2", .width = 64},
	    {.name = "concat_6", .op = "concat", .detail = "", .width = 80},
	    {.name = "score",
	     .op = "dense",
	     .detail = "sigmoid, normal",
	     .width = 800,
	     .parameters = 64800,
	     .path = "sparse"},
	};
	for (size_t i = 0; i < 7; i++) {
		f->nodes[i] = nodes[i];
		f->nodes[i].path = nodes[i].path ? nodes[i].path : "dense";
		f->nodes[i].update = nodes[i].parameters > 0 ? "all rows" : "";
		f->nodes[i].inputs = fixture_inputs[i];
		f->nodes[i].inputs_count = i == 5 ? 2 : 1;
	}
	f->result.graph = (struct graph_facts){
	    .nodes = f->nodes, .count = 7, .ratings_width = 800, .user_width = 25, .parameters = 116512};
	f->tensors[0] = (struct tensor_facts){"who.weight", {3, 2}, 2, fixture_weight};
	f->tensors[1] = (struct tensor_facts){"who.bias", {2}, 1, fixture_bias};
	f->result.tensors = f->tensors;
	f->result.tensors_count = 2;
}

// A curve like a real one: train goes down, valid goes down and a little up again, evaluated every `every` epochs
// (0: there is no validation part).
static inline void fixture_epochs(struct fixture *f, size_t count, size_t every) {
	double best = INFINITY;
	f->result.best_epoch = 0;
	f->result.best_metric = every > 0 ? "valid.mse" : "train.loss";
	for (size_t i = 0; i < count; i++) {
		double t = count > 1 ? (double)i / (double)(count - 1) : 0;
		struct epoch_result *epoch = &f->epochs[i];
		*epoch =
		    (struct epoch_result){.epoch = i + 1, .train_loss = 0.02 + 0.1 / (1 + 20 * t) + 1.0 / 3e9, .seconds = 0.5};
		epoch->valid.exists = every > 0 && (i + 1) % every == 0;
		for (size_t k = 0; k < 4; k++)
			epoch->valid.metric[k] =
			    k == 0 ? 0.035 + 0.08 / (1 + 25 * t) + 0.03 * t * t : 0.1 * (double)k + 0.3 * t / (t + 0.2);
		epoch->valid.ranked_users = 3;
		epoch->valid.skipped_users = 1;
		double value = every == 0 ? epoch->train_loss : epoch->valid.exists ? epoch->valid.metric[0] : (double)NAN;
		if (value < best) {
			best = value;
			f->result.best_epoch = i + 1;
		}
	}
	f->result.best_value = best;
	f->result.epochs = f->epochs;
	f->result.epochs_count = count;
	f->result.final_epoch = count;
	f->result.final_loss = count > 0 ? f->epochs[count - 1].train_loss : (double)NAN;
}

static inline void fixture_parts(struct fixture *f) {
	const struct part_result train = {.exists = true, .metric = {0.1 + 0.2, 1, NAN, 1.0 / 3}, .ranked_users = 4};
	const struct part_result test = {.exists = true, .metric = {5e-324, 0.5, 1e22, NAN}, .skipped_users = 4};
	f->result.final[PART_TRAIN] = train;
	f->result.final[PART_TEST] = test;
	struct baselines *baselines = &f->result.baselines[PART_TEST];
	baselines->uses_count = 4;
	for (size_t b = 0; b < BASELINES; b++)
		for (size_t i = 0; i < 4; i++) {
			baselines->applies[b][i] = (b == BASELINE_POPULARITY) == (i == 3);
			baselines->value[b][i] = i == 2 ? (double)NAN : (double)(b + 1) / 7;
		}
}

static inline struct fixture *fixture_create(size_t epochs, size_t valid_every) {
	struct fixture *f = calloc(1, sizeof(*f));
	fixture_data(f);
	fixture_experiment(f);
	fixture_graph(f);
	fixture_epochs(f, epochs, valid_every);
	fixture_parts(f);
	f->result.experiment = &f->experiment;
	f->result.portable_text = "seed = 2017;\n";
	f->result.matrices = &f->matrices;
	strcpy(f->result.id, "3f2a91c0d4e7");
	strcpy(f->result.protocol, "00ff00ff00ff");
	strcpy(f->result.weights_hash, "fedcba9876543210fedcba9876543210");
	f->result.phases[0] = (struct run_phase){"load", 0.25, 5};
	f->result.phases[1] = (struct run_phase){"prepare", 0, 5};
	f->result.phases_count = 2;
	f->argv[0] = "aexp", f->argv[1] = "run", f->argv[2] = AWKWARD;
	f->provenance = (struct provenance){.version = "0.1.0",
	                                    .commit = "",
	                                    .argc = 3,
	                                    .argv = f->argv,
	                                    .threads = 2,
	                                    .backend = "openblas 0.3.21 Haswell",
	                                    .started = 1793520000.75,
	                                    .ended = 1793520010,
	                                    .seconds = 9.25};
	return f;
}

static inline void fixture_destroy(struct fixture *f) {
	free(f);
}

// A fresh folder for a test's files; free().
static inline char *fixture_folder(void) {
	const char *base = getenv("TMPDIR");
	char path[4096];
	snprintf(path, sizeof(path), "%s/aexp-report-XXXXXX", base && *base ? base : "/tmp");
	char *folder = strdup(path);
	assert_non_null(mkdtemp(folder));
	return folder;
}

static inline bool fixture_installed(const char *program) {
	struct text command = {0};
	text_format(&command, "command -v %s >/dev/null 2>&1", program);
	bool there = system(text_string(&command)) == 0;
	text_finish(&command);
	return there;
}

#endif
