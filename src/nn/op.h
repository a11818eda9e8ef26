// What an op, a loss, an optimizer, an activation and an initializer are: one row each, in a file of its own.
#ifndef AEXP_NN_OP_H
#define AEXP_NN_OP_H

#include "nn/cost.h"
#include "nn/graph.h"

struct maker;
struct onnx;

struct op {
	struct row row;
	size_t inputs_min, inputs_max;
	bool has_parameters;
	bool reads_sparse; // takes sparse rows as they are; otherwise they are made dense for it
	bool keeps_sparse; // and then gives sparse rows of the same pattern
	bool makes_cells;  // can be computed at given cells alone, from a dense input
	bool maps_cells;   // works element by element: cells in, cells out
	bool holds_inputs; // a concat: an input may be computed in its place in this op's value
	bool overwrites,
	    overwrites_back;   // its value may be written over its one input's, its input's gradient over its own
	bool value_unread;     // the way back does not read its value
	bool noise;            // changes values in training alone, at random
	bool keeps_mask;       // memory of the size of its output, a byte a cell, from forward to backward
	size_t row_columns;    // vectors of a number a row, from forward to backward; at most SLOT_ROWS
	bool keeps_noise;      // numbers of the size of its output, from forward to backward
	bool adds_loss;        // something of its own that loss.kl weighs, by row and group: slot->extra
	bool keeps_x;          // the input of its activation, where that needs it
	size_t columns;        // vectors of its width, from forward to backward; at most SLOT_COLUMNS
	bool reads_row;        // its input is the row's own id, which no file names
	bool running_averages; // of what training shows it, for evaluation
	bool mixes;            // a column of its output is made of all columns of the input
	bool logits;           // a loss may ask for what stands before its activation (node->logits)
	bool has_paths;        // a product that can be sparse or dense: `path` may override the plan
	// From the inputs' widths; may append to errors.
	size_t (*width)(const struct graph *graph, const struct node *node, struct errors *errors);
	// With has_paths: width and lazy of a shape whose costs are compared.
	void (*product)(const struct graph *graph, const struct node *node, struct cost_shape *ret);
	// Whether it reads its inputs once more as they would be with weights of some time ago: they then stand behind the
	// file's inputs (nn/copy.h). NULL: never.
	bool (*reads_old)(const void *params);
	// The name of a node of such an op that its weights are those of, or NULL; NULL where it has no such weights.
	const char *(*tied_to)(const void *params);
	// Asks for parameters; how the node is computed has been decided. May be NULL.
	void (*plan)(struct graph *graph, struct node *node);
	// Appends its steps to a program (nn/program.h): from the inputs' values to the node's.
	void (*forward)(struct maker *maker, const struct node *node);
	// From the node's gradient to those of its inputs, where maker_needs; no parameter changes yet.
	void (*backward)(struct maker *maker, const struct node *node);
	// The gradients of its parameters, which are updated, after all nodes' ways back; of a node of which any learns. Of
	// one whose parameters do not all learn together, where maker_learns. NULL where it has none.
	void (*update)(struct maker *maker, const struct node *node);
	// Floating point operations of a training step on one row, forward and backward.
	double (*flops)(const struct graph *graph, const struct node *node);
	// Its value at evaluation as ONNX has it; the name of that (nn/onnx.h).
	const char *(*onnx)(struct onnx *onnx, const struct node *node);
	// What a picture says of the node, beyond its name and op; may be NULL.
	void (*detail)(const struct node *node, struct text *text);
};

struct loss {
	struct row row;
	enum cell_loss_id id;        // of a cell
	enum cell_loss_id of_logits; // the same of what stands before a sigmoid output; CELL_LOSS_COUNT: none
	bool over_rows;              // a row's cells depend on each other (soft-max): there is no function of a cell
	enum targets targets;        // where the file names none,
	unsigned allowed;            // and those it may name: bits 1 << TARGETS_*
	enum reduction reduction;    // where the file names none
	double least, most;          // what a target may be; both 0: anything
	void (*numbers)(const void *params, struct loss_cells *ret); // p, unobserved, alpha, which are 0, 1, 0 where NULL
};

struct optimizer {
	struct row row;
	enum optimizer_id id;
	bool full_batch;                      // a step is of all rows: the sign of a batch's gradient would be noise
	bool descends;                        // and goes down one function of all weights (train/lbfgs.h)
	size_t (*states)(const void *params); // numbers of state a weight needs, 0 to 2
	// Whether a row without gradient may wait: what it then misses has a closed form (tensor/waiting.h). With L2 its
	// gradient is 2 l2 w.
	bool (*lazy)(const void *params, double l2, bool constant_rate); // constant_rate: of all steps
	bool (*moves)(const void *params, double l2); // lazily, its weights move while they wait, not only its state
	void (*numbers)(const void *params, uint32_t step, struct optimizer_numbers *ret); // of step 1, 2, ...
};

struct lbfgs_params {
	int64_t memory;
	double epsilon;
	int64_t past;
	double delta;
	struct choice line_search; // row is a struct line_search
	int64_t most_evaluations;
};
enum search_kind { SEARCH_MORE_THUENTE, SEARCH_ARMIJO, SEARCH_WOLFE, SEARCH_STRONG_WOLFE };
struct line_search {
	struct row row;
	enum search_kind kind;
};

struct activation {
	struct row row;
	enum activation_id id;
	bool needs_x;
	double p;         // where the row has no key for it
	const char *onnx; // ONNX's operator (its attribute alpha is p, where the row has a key); of swish, of the factor
};
double activation_parameter(const struct activation_config *config);

struct initializer {
	struct row row;
	enum { DRAW_NORMAL, DRAW_UNIFORM, DRAW_ZERO } draw;
	double (*scale)(const void *params, double fan_in, double fan_out); // standard deviation, or limit; NULL: zero
};
// Elements [first, first + count) of a row of a matrix (inputs, units).
void initializer_fill(const struct initializer *init, const void *params, size_t fan_in, size_t fan_out,
                      struct random_stream stream, size_t row, size_t first, size_t count, double *ret);

// `path` of a node, `reduction` and `targets` of the loss, by number, so that plan and step compare no names.
enum path { PATH_AUTO, PATH_SPARSE, PATH_DENSE };
struct path_row {
	struct row row;
	enum path path;
};
struct kl_scale {
	struct row row;
	bool by_entries;
};
struct reduction_row {
	struct row row;
	enum reduction reduction;
};
struct targets_row {
	struct row row;
	enum targets targets;
};
enum targets loss_targets(const struct loss_config *config); // what the file says, or the loss has
enum reduction loss_reduction(const struct loss_config *config);
bool loss_takes(const struct loss *loss, double target);
const char *loss_needs(const struct loss *loss); // for a message: "from 0 to 1"

// Of nodes whose inputs must be of one width; otherwise says that it `does` ("adds") one to another of another width.
size_t op_same_width(const struct node *node, const char *does, struct errors *errors);
size_t op_input_width(const struct graph *graph, const struct node *node, struct errors *errors); // a width
extern const struct op op_dense, op_dropout, op_mask, op_noise, op_batch_norm, op_layer_norm, op_l2_normalize,
    op_concat, op_add, op_multiply, op_activation, op_embedding, op_gaussian;

#endif
