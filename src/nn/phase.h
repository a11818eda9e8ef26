// Phases of training: nodes that learn while the others do not, in turns.
#ifndef AEXP_NN_PHASE_H
#define AEXP_NN_PHASE_H

#include "nn/graph.h"

// Each node with weights stands in one phase, and no other name does. nodes: (count), of the file.
void phases_check(const struct groups *phases, const struct value *tree, const struct node *nodes, size_t count,
                  struct errors *errors);
// graph->phases, once its parameters are planned.
void phases_plan(const struct groups *phases, struct graph *graph);
// The phase of an epoch, from 1; 0 where there are none. ret_ends: it is the last one before another phase begins.
size_t phase_at(const struct graph *graph, size_t epoch, bool *ret_ends);

#endif
