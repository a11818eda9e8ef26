// A planned graph: nodes in an order in which each comes after its inputs, shapes inferred, parameters counted, and for
// each node the path chosen, sparse or dense. Planning depends on the experiment and the data's shape alone.
#ifndef AEXP_NN_GRAPH_H
#define AEXP_NN_GRAPH_H

#include "nn/config.h"
#include "nn/describe.h"
#include "tensor/backend.h"

struct op;
struct loss;
struct optimizer;

// What the data gives to a plan.
struct graph_shape {
	size_t ratings_width;   // columns of a rating row
	size_t user_width;      // columns of side information; 0 without
	size_t batch;           // rows of a training batch
	double ratings_entries; // mean stored entries of a training row's input
	double user_entries;    // the same of its side information
	double target_entries;  // the same of its targets
	size_t rows;            // of the data: what a row's id is below
	size_t refed;           // times that a batch comes again with every column of its rating rows stored
	bool whole;             // the backend takes whole tensors: columns are in one group
};

// Which rows of a parameter a batch can touch: all, or those that stand in one of the batch's patterns.
// BOTH: in ratings or targets; ROW: by the rows' own places.
enum touched { TOUCHED_ALL, TOUCHED_RATINGS, TOUCHED_USER, TOUCHED_TARGETS, TOUCHED_BOTH, TOUCHED_ROW };
enum { TOUCHED_KINDS = TOUCHED_ROW + 1 };

// Which cells of the output count in the loss: those that are stored, these and others drawn, or every one (what is not
// stored counts as 0).
enum targets { TARGETS_OBSERVED, TARGETS_SAMPLED, TARGETS_ALL };
// How a batch's cells become one number.
enum reduction { REDUCTION_MEAN, REDUCTION_SUM, REDUCTION_ROW_MEAN, REDUCTION_ROWS };

struct parameter {
	struct node *node;
	const char *suffix;   // "weight", "bias", ...
	size_t rows, columns; // as stored; a vector over a width that is touched by rows is (width, 1), else (1, width)
	// Where it lies in the network's flat vectors. What is touched by rows is stored group by group, (groups of
	// columns, rows, columns), so that no two threads' columns lie side by side: a processor that fetches a
	// neighbouring line would take it from the other thread. The rest is one matrix, as if it were one group.
	const struct column_groups *groups; // NULL: one
	size_t *offset, *stride;            // (groups): of each group's matrix, multiples of 16 but for columns
	bool transposed;                    // a matrix (inputs, units) that is stored (units, inputs)
	bool vector;                        // one-dimensional for whoever reads the model
	bool trainable;                     // false: running statistics, copies
	bool lazy;                          // the optimizer updates touched rows alone
	bool moves;                         // lazy, and weights move while they wait, not only their state
	bool shared;                        // two nodes have it, and each adds to its gradient
	bool deferred;                      // its gradient is written down, and the update comes after all gradients
	enum touched touched;
	const struct node *by; // its columns are cut like this node's; NULL: a column, not cut
	double l2;
	const struct init_config *init; // NULL: every element is `fill`
	double fill;
	size_t fan_in, fan_out;
};
enum { NODE_INPUTS_MAX = 64, NODE_PARAMETERS_MAX = 4 };

// The groups that a node's columns are cut into; see nn/program.h. Nodes that work column by column share their
// input's, and a concat's are those of its inputs one after the other.
struct column_groups {
	size_t count, *begin; // (count + 1)
	const struct column_groups **parts;
	size_t parts_count; // 0: groups of its own
	bool trained;       // a training step computes the columns; not where it reads sparse rows, or computes cells
	size_t index;       // in graph->groupings
};

// Columns of another node's memory, which this node's lie in; node NULL: memory of its own.
struct place {
	struct node *node;
	size_t column;
};

struct node {
	const char *name;
	const struct op *op; // NULL: one of the inputs
	const void *params;  // the op's struct
	const struct node_config *config;
	const struct value *from; // where it stands in the file
	struct node **inputs;     // (inputs_count)
	size_t inputs_count;
	size_t consumers;     // nodes that use it
	struct node *tied;    // whose weights, turned round, are this one's; NULL: its own
	struct node *tied_by; // whose are this one's
	struct node *copy_of; // whose weights this one's were some time ago (nn/copy.h); NULL: it learns itself
	size_t index;         // in graph->nodes
	size_t width;
	bool sparse;               // its output is a batch of sparse rows
	const struct node *source; // of a sparse node: the input whose pattern it has
	bool densified;            // sparse, and someone needs it dense
	bool reads_rows;           // its input is sparse and it takes it as it is
	bool cells;                // under the loss of this graph: computed at the target cells alone
	bool needs_gradient;       // it, or something below it, has parameters
	const struct column_groups *groups;
	struct place value_at, gradient_at; // where they lie
	struct parameter *parameters[NODE_PARAMETERS_MAX];
	size_t parameters_count;
	const struct activation *activation; // of dense and activation nodes, with its parameter
	double activation_p;
	bool logits; // the output, where the loss takes what stands before its activation
};

// What learns while others do not, for some epochs.
struct phase {
	bool *learns; // (graph->parameters_count)
	size_t epochs;
	bool quiet; // without noise on the data
};

struct graph {
	struct arena arena;
	struct graph_shape shape;
	struct node *nodes; // (nodes_count): the inputs in use first, then the rest in order of computation
	size_t nodes_count;
	struct node **listed; // (listed_count): the nodes of the file, in its order
	size_t listed_count;
	const struct column_groups **groupings; // (groupings_count): parts before those who have them
	size_t groupings_count;
	struct node *ratings, *user, *row; // NULL where nothing uses it; row: the row's own id
	struct node *output;
	struct parameter *parameters; // (parameters_count)
	size_t parameters_count;
	size_t weights;   // length of the flat vectors
	size_t trainable; // parameters in the usual sense
	const struct loss *loss;
	enum targets targets;
	enum reduction reduction;
	const struct loss_config *loss_config;
	const struct optimizer *optimizer;
	const void *optimizer_params;
	double clip_norm, clip_value; // of the gradients; 0: none
	const struct schedule_config *schedule;
	bool constant_rate;   // of all steps
	struct phase *phases; // (phases_count): one after the other, and round again; without any everything learns
	size_t phases_count;
	struct tensor_facts *start; // (start_count): what weights begin with; the others, and where NULL all, are drawn
	size_t start_count;
};

// Checks what needs no data: names, references, cycles, unused nodes; `phases` (of struct phase_config) may be empty.
// `tree` is the file's root, for positions.
void graph_check(const struct groups *nodes, const struct groups *phases, const struct value *tree,
                 struct errors *errors);

// Plans. False when something was appended to errors (widths that do not fit, `user` without side information, a path
// that a node does not have). graph_finish either way.
bool graph_plan(const struct groups *nodes, const struct loss_config *loss, const struct optimizer_config *optimizer,
                const struct groups *phases, const struct graph_shape *shape, const struct value *tree,
                struct graph *ret, struct errors *errors);
void graph_finish(struct graph *graph);

// The place of an element, as stored, in the flat vectors.
size_t parameter_place(const struct parameter *parameter, size_t row, size_t column);
size_t parameter_numbers(const struct parameter *parameter); // in all, padding included

// Parts that its columns are cut into where it is updated.
static inline size_t parameter_parts(const struct parameter *parameter) {
	return parameter->by ? parameter->by->groups->count : 1;
}

// Facts for printing and drawing, in the graph's arena.
void graph_describe(struct graph *graph, struct graph_facts *ret);

// Of an optimizer that descends: its steps and gradients, and vectors of the line search, in double; else 0.
double graph_descent_bytes(const struct graph *graph);

// A node asks for a parameter while it is planned; the pointer stays valid.
struct parameter *graph_parameter(struct graph *graph, struct node *node, const char *suffix, size_t rows,
                                  size_t columns);

#endif
