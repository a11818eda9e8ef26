// A resolved experiment: plain structs, every name turned into a table row, every default filled in.
#ifndef AEXP_TRAIN_EXPERIMENT_H
#define AEXP_TRAIN_EXPERIMENT_H

#include "base/hash.h"
#include "data/data.h"
#include "eval/metric.h"
#include "model/model.h"
#include "nn/config.h"
#include "search/config.h"

struct early_stop_config {
	const char *metric; // "valid.mse", "train.loss"
	int64_t patience;   // epochs without improvement
	double min_delta;   // what counts as improvement
};
// When what is needed to go on is left on disk.
struct checkpoint_config {
	double share;   // of the time that this may take, after epochs; 0: never, 1: after each, whatever it takes
	double minutes; // in the middle of an epoch, where that was so long ago
};
// What products of float32 are computed in.
struct precision_row {
	struct row row;
	bool tf32;
};
// What is done when a loss or a weight is not finite.
struct divergence_row {
	struct row row;
	bool halves; // goes back to the last good epoch, with half the rate
};
struct train_config {
	int64_t epochs, batch;
	int64_t stop_after; // epochs after which training ends all the same; 0: none
	bool shuffle;
	struct groups alternate;              // of struct phase_config
	int64_t refeed;                       // times that the output of a step is trained on
	int64_t evaluate_every;               // epochs between evaluations of the validation part
	struct early_stop_config *early_stop; // NULL: none
	struct choice on_divergence;          // row is a struct divergence_row
	struct checkpoint_config *checkpoint;
};
bool train_halves_rate(const struct train_config *config); // on divergence
struct expect_config {
	const char *metric;                         // "test.mse"
	double at_most, at_least, value, tolerance; // NAN where left out
	double published;                           // the same
	const char *source;
};
// What is done to predictions before cell metrics see them; NULL: nothing.
struct evaluate_config {
	struct reals clip; // two: low, high; in the ratings' own scale
	double cold;       // likewise; NAN where left out
};
extern const struct schema evaluate_schema;
// What training begins with, in place of what is drawn (recommend/import.h).
struct weights_config {
	const char *path; // a safetensors file
	const char *hash; // of its bytes, in hexadecimal; NULL: not yet known
};

struct experiment {
	struct arena arena;       // owns everything below
	const char *file;         // the path it was read from
	const struct value *tree; // what was written, for positions
	const char *name;
	uint64_t seed;
	struct choice backend;   // row is a struct backend
	struct choice precision; // row is a struct precision_row
	int64_t repeats;
	struct data_config *data;
	struct groups graph;            // of struct node_config; without any where there is a model
	struct weights_config *weights; // NULL where left out
	struct model_config *model;     // NULL where there is a graph; else loss, optimizer and train are NULL
	struct loss_config *loss;
	struct optimizer_config *optimizer;
	struct train_config *train;
	struct evaluate_config *evaluate; // NULL where left out
	struct strings metrics;
	struct groups expect;       // of struct expect_config
	struct sweep_config *sweep; // NULL where left out
	// derived from the above
	struct metric_use *uses; // (uses_count), at most METRIC_USES_MAX
	size_t uses_count;
};
extern const struct schema experiment_schema;

// Reads and checks one file; every problem is appended to errors. True when there was none; experiment_finish either
// way.
bool experiment_read(const char *path, const char *const *overrides, size_t overrides_count, struct experiment *ret,
                     struct errors *errors);
// The same of the text that goes with a model (experiment_write_portable), less what only data and training need: seed,
// backend, graph or model, loss, optimizer, train, evaluate. `name`: what messages call it.
bool experiment_read_model(const char *text, const char *name, struct experiment *ret, struct errors *errors);
void experiment_finish(struct experiment *experiment);
// The epochs of a training that nothing ends early.
size_t experiment_epochs(const struct experiment *experiment);

// The text of experiment.cfg: every default spelled out; reading it gives the same experiment and the same ID.
void experiment_write(const struct experiment *experiment, struct text *text);
// The same less what does not enter the ID: no paths, no name. The same experiment gives the same text on any machine.
void experiment_write_portable(const struct experiment *experiment, struct text *text);
// The first 12 hexadecimal digits of the hash of the resolved file, less what does not enter it, and the data's
// fingerprint.
enum { EXPERIMENT_ID = 13 };
void experiment_id(const struct experiment *experiment, const char *fingerprint, char ret_id[EXPERIMENT_ID]);

#endif
