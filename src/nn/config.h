// What an experiment file says about graph, loss and optimizer; the rows that names are turned into.
#ifndef AEXP_NN_CONFIG_H
#define AEXP_NN_CONFIG_H

#include "config/schema.h"

struct node_config {
	const char *name;  // NULL: OP_N
	const char *input; // NULL: the node above, where `inputs` is not set either
	struct strings inputs;
	struct choice op;   // row is a struct op
	struct choice path; // "auto" | "sparse" | "dense"
};
struct kl_config {
	double cap;
	int64_t steps;
	struct choice scale; // row is a struct kl_scale
};
struct loss_config {
	struct choice kind;      // row is a struct loss
	struct choice targets;   // row is a struct targets_row, as the next one may be NULL until loss_settle
	int64_t negatives;       // for each rated cell
	struct choice reduction; // row is a struct reduction_row
	struct kl_config *kl;    // NULL: no node has a divergence
};
// Names the targets and the reduction that the loss has where the file leaves them out.
void loss_settle(struct loss_config *config);
// Targets that the loss cannot have, and negatives that do not fit them.
void loss_check(const struct loss_config *config, const struct value *tree, struct errors *errors);
struct schedule_config {
	struct choice kind; // row is a struct schedule
	int64_t warmup;     // optimizer steps over which the rate rises from 0
};
struct optimizer_config {
	struct choice kind;           // row is a struct optimizer
	double clip_norm, clip_value; // NAN: none
	struct schedule_config *schedule;
};
// Nodes that learn while the others do not.
struct phase_config {
	struct strings nodes;
	int64_t epochs;
	bool noise;
};
struct activation_config {
	struct choice kind; // row is a struct activation
};
struct init_config {
	struct choice kind; // row is a struct initializer
};
extern const struct schema node_schema, loss_schema, optimizer_schema, phase_schema, activation_schema, init_schema;
extern const struct registry op_registry, loss_registry, optimizer_registry, activation_registry, initializer_registry;
extern const struct registry path_registry, reduction_registry, schedule_registry, targets_registry, kl_scale_registry;
extern const struct registry line_search_registry;

// What of an optimizer's keys does not go together; `at` is where the optimizer stands.
void optimizer_check(const struct optimizer_config *config, struct origin at, struct errors *errors);

#endif
