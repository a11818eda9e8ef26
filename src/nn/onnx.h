// A graph as ONNX has it (https://onnx.ai/onnx/repo-docs/IR.html, operator set 13): how each op is computed at
// evaluation, in terms of ONNX's operators. Inputs are dense rows: what is not rated is 0, which to every op that reads
// sparse rows is the same. Values and constants are called by their nodes' names.
#ifndef AEXP_NN_ONNX_H
#define AEXP_NN_ONNX_H

#include "nn/graph.h"

enum { ONNX_OPSET = 13, ONNX_IR_VERSION = 7 };

// What is written so far. Zero-initialise, but for what the caller gives.
struct onnx {
	const struct graph *graph;                                             // given; NULL: nodes are added by name alone
	const struct tensor_facts *(*tensor)(void *context, const char *name); // given: a parameter's numbers
	void *context;
	struct arena arena;   // names
	struct text nodes;    // fields `node` of a GraphProto
	struct text weights;  // its fields `initializer`
	const char **value;   // (graph->nodes_count) what a node's value is called; NULL: it is not there yet
	const char **written; // (written_count) the constants
	size_t written_count, count;
};
void onnx_finish(struct onnx *onnx);

// The name of the node's value at evaluation; what computes it is written where it is not yet.
const char *onnx_value(struct onnx *onnx, const struct node *node);

// --- for ops ---

// An attribute of an operator: a number, an integer, or a list of one integer. NULL name: none.
struct onnx_attribute {
	const char *name;
	enum { ONNX_FLOAT, ONNX_INTEGER, ONNX_INTEGERS } kind;
	float number;
	int64_t integer;
};
enum { ONNX_INPUTS_MOST = NODE_INPUTS_MAX, ONNX_ATTRIBUTES = 2 };
struct onnx_call {
	const char *operator;                // "Gemm"
	const char *owner;                   // the node that it belongs to, for names
	const char *input[ONNX_INPUTS_MOST]; // values or constants, ended by NULL where there are fewer
	struct onnx_attribute attribute[ONNX_ATTRIBUTES];
};
// The name of its one output.
const char *onnx_call(struct onnx *onnx, const struct onnx_call *call);
// A constant NAME.SUFFIX, once: (rows, columns), or (rows) where columns is 0.
const char *onnx_constant(struct onnx *onnx, const char *name, const char *suffix, const float *data, size_t rows,
                          size_t columns);
// A parameter of the node, as a constant, and as numbers.
const char *onnx_weight(struct onnx *onnx, const struct node *node, const char *suffix);
const struct tensor_facts *onnx_numbers(const struct onnx *onnx, const struct node *node, const char *suffix);
const char *onnx_activated(struct onnx *onnx, const struct node *node, const char *x); // of struct node's activation
const char *onnx_same(struct onnx *onnx, const struct node *node);                     // the value of its first input

// op_dense.c: whether scale and shift (width) of its output can be folded into its weights, and then its value with
// them; constants are called by `owner`.
bool onnx_dense_folds(const struct node *node);
const char *onnx_dense_folded(struct onnx *onnx, const struct node *node, const char *owner, const float *scale,
                              const float *shift);

#endif
