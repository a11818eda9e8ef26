// multiply: the product of two inputs of one width, element by element.
#include "nn/network.h"
#include "nn/onnx.h"

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	(void)graph;
	return op_same_width(node, "multiplies", errors);
}

static void run_multiply(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *left = node->inputs[0], *right = node->inputs[1];
	struct matrix from_left = pass_value(p, left), from_right = pass_value(p, right), to = pass_value(p, node);
	struct matrix a = pass_tile(p, left, &from_left, tile), b = pass_tile(p, right, &from_right, tile);
	struct matrix y = pass_tile(p, node, &to, tile);
	p->network->backend->multiply(p->network->device, &a, &b, 0, &y);
}

// Of the inputs the other one; the same where both are one node.
static const struct node *other_than(const struct node *node, const struct node *input) {
	return node->inputs[0] == input ? node->inputs[1] : node->inputs[0];
}

static void run_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = step->input, *other = other_than(node, input);
	struct matrix value = pass_value(p, other), from = pass_gradient(p, node), to = pass_gradient(p, input);
	struct matrix x = pass_tile(p, other, &value, tile), dy = pass_tile(p, node, &from, tile);
	struct matrix dx = pass_tile(p, input, &to, tile);
	p->network->backend->multiply(p->network->device, &x, &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	bool cells = maker_at_cells(m, node);
	maker_step(m, node, run_multiply, cells ? CUT_ROWS : CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	maker_elements(m, TENSOR_VALUE, node->inputs[1], false);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	bool cells = maker_at_cells(m, node);
	for (size_t i = 0; i < node->inputs_count; i++) {
		const struct node *input = node->inputs[i];
		if (!maker_needs(m, input))
			continue;
		struct step *step = maker_step(m, node, run_back, cells ? CUT_ROWS : CUT_COLUMNS, node);
		step->input = input;
		step->by_row = true;
		maker_elements(m, TENSOR_VALUE, other_than(node, input), false);
		maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
		maker_elements(m, TENSOR_GRADIENT, input, true);
		maker_first_writes(m, input);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	return 5 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static const char *onnx(struct onnx *o, const struct node *node) {
	return onnx_call(o, &(struct onnx_call){.operator= "Mul",
	                                        .owner = node->name,
	                                        .input = {onnx_same(o, node), onnx_value(o, node->inputs[1])}});
}

const struct op op_multiply = {
    .row = {.name = "multiply", .doc = "Product of two inputs of one width, element by element", .params = SCHEMA_NONE},
    .inputs_min = 2,
    .inputs_max = 2,
    .maps_cells = true,
    .value_unread = true,
    .width = width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx,
};
