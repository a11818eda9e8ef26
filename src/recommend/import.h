// Weights that were trained elsewhere: the tensors of a safetensors file, found by the names of nodes, for a graph that
// was planned here.
//
// A parameter of node NODE is the tensor NODE.NAME (or NODE/NAME, NODE/NAME:0), where NAME is its own name here or
// Keras' or PyTorch's for it: weight, kernel, embeddings; bias; gamma, weight, scale; beta, bias; running_mean,
// moving_mean; running_variance, running_var, moving_variance. The name tells how a dense node's weights lie: `kernel`
// is (inputs, units) as Keras has it, `weight` (units, inputs) as PyTorch has it; in a model.safetensors of aexp's own
// `weight` is (inputs, units) as everywhere here.
#ifndef AEXP_RECOMMEND_IMPORT_H
#define AEXP_RECOMMEND_IMPORT_H

#include "nn/graph.h"
#include "recommend/stored.h"
#include "train/experiment.h"

// Opens the file and hashes its bytes: into config->hash, where there is none, else they must agree (ERROR_DATA).
// The hash's memory is the arena's.
bool import_open(struct weights_config *config, struct origin at, struct arena *arena, struct stored *ret,
                 struct error *error);
// What the graph starts with: graph->start, which refers to the stored tensors. A parameter without a tensor, a tensor
// that is no node's (PyTorch's num_batches_tracked apart), another shape or type: each is ERROR_DATA by name, all in
// one go.
bool import_weights(const struct stored *stored, struct origin at, struct graph *graph, struct errors *errors);

#endif
