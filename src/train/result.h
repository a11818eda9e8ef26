// What a training gives: numbers, and nothing printed.
#ifndef AEXP_TRAIN_RESULT_H
#define AEXP_TRAIN_RESULT_H

#include "eval/baseline.h"
#include "model/model.h"
#include "nn/describe.h"
#include "train/protocol.h"

struct part_result {
	bool exists;
	double metric[METRIC_USES_MAX];     // by metric use; NAN: undefined (null in JSON)
	size_t ranked_users, skipped_users; // with a ranking metric
};

struct epoch_result {
	size_t epoch;             // from 1
	double train_loss;        // what the optimizer saw (dropout on), batches weighted by cells
	double refed_loss;        // the same of re-fed batches; only with train.refeed
	struct part_result valid; // exists only where the part does and this epoch was evaluated
	double seconds;           // wall time, for progress and run.json only
};

// A batch at which training went back to the last good epoch, with half the rate.
struct divergence {
	size_t epoch, batch; // from 1; batch 0: only the weights after the epoch were seen not to be finite
};
enum { HALVINGS_MOST = 10 };

struct run_phase {
	const char *name;
	double seconds;
	double ratings;
}; // load, prepare, train, evaluate, pictures...

struct run_result {
	const struct experiment *experiment;
	const char *portable_text; // what experiment_write_portable gives: goes with the model, wherever that goes
	const struct matrices *matrices;
	char id[EXPERIMENT_ID], protocol[EXPERIMENT_ID];
	struct epoch_result *epochs; // (epochs_count)
	size_t epochs_count;
	size_t best_epoch;       // from 1; 0 where no epoch had a value
	const char *best_metric; // "valid.mse"
	double best_value;
	bool stopped_early;
	struct divergence halvings[HALVINGS_MOST]; // (halvings_count)
	size_t halvings_count;
	size_t resumed_from_epoch; // of the checkpoint that training went on from; 0: it began anew
	bool ended;                // after its last epoch because whoever watches said so, as if by train.stop_after
	const char *converged;     // why training ended of itself before its last epoch; NULL: it did not
	double final_loss;         // train loss of the epoch that `final` and the model are from
	size_t final_epoch;
	struct part_result final[PARTS];   // by PART_*; train, valid, test
	struct user_values users[PARTS];   // of test, or of valid where there is no test; by metric use
	struct baselines baselines[PARTS]; // of valid and test; uses_count 0 where the part does not exist
	struct graph_facts graph;
	struct fitted *fitted;        // of a model without a graph: what its tensors lie in; else NULL
	struct tensor_facts *tensors; // (tensors_count), the trained model
	size_t tensors_count;
	char weights_hash[HASH_HEX]; // of the tensors' names, shapes and bytes, in order
	struct run_phase phases[8];  // for run.json
	size_t phases_count;
};

#endif
