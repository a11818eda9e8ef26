// concat: the inputs side by side. Where it can be, an input is computed in its place in the concat's memory already,
// and nothing is copied.
#include "nn/network.h"
#include "nn/onnx.h"

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	size_t sum = 0;
	(void)graph, (void)errors;
	for (size_t i = 0; i < node->inputs_count; i++)
		sum += node->inputs[i]->width;
	return sum;
}

// The step's input is one of the node's; the tile's columns are that input's.
static struct matrix within(const struct step *step, const struct matrix *whole, const struct tile *tile) {
	return matrix_part(whole, tile->row, tile->rows, step->at + tile->column, tile->columns);
}

static void run_copy(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct matrix from = pass_value(p, step->input), to = pass_value(p, step->node);
	struct matrix x = pass_tile(p, step->input, &from, tile), y = within(step, &to, tile);
	p->network->backend->add(p->network->device, &x, 0, &y);
}

static void run_copy_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct matrix from = pass_gradient(p, step->node), to = pass_gradient(p, step->input);
	struct matrix dy = within(step, &from, tile), dx = pass_tile(p, step->input, &to, tile);
	p->network->backend->add(p->network->device, &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	size_t at = 0;
	for (size_t i = 0; i < node->inputs_count; at += node->inputs[i++]->width) {
		const struct node *input = node->inputs[i];
		if (input->value_at.node == node)
			continue;
		struct step *step = maker_step(m, node, run_copy, CUT_COLUMNS, input);
		step->input = input;
		step->at = at;
		step->by_row = true;
		maker_tensor(m, TENSOR_VALUE, input, READ_OWN);
		maker_columns(m, TENSOR_VALUE, node, at, true);
	}
}

static void backward(struct maker *m, const struct node *node) {
	size_t at = 0;
	for (size_t i = 0; i < node->inputs_count; at += node->inputs[i++]->width) {
		const struct node *input = node->inputs[i];
		if (!maker_needs(m, input) || input->gradient_at.node == node)
			continue;
		struct step *step = maker_step(m, node, run_copy_back, CUT_COLUMNS, input);
		step->input = input;
		step->at = at;
		step->by_row = true;
		maker_columns(m, TENSOR_GRADIENT, node, at, false);
		maker_tensor(m, TENSOR_GRADIENT, input, WRITE_OWN);
		maker_first_writes(m, input);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph, (void)node;
	return 0;
}

static const char *onnx(struct onnx *o, const struct node *node) {
	struct onnx_call call = {
	    .operator= "Concat", .owner = node->name, .attribute = {{"axis", ONNX_INTEGER, .integer = 1}}};
	for (size_t i = 0; i < node->inputs_count; i++)
		call.input[i] = onnx_value(o, node->inputs[i]);
	return onnx_call(o, &call);
}

const struct op op_concat = {
    .row = {.name = "concat", .doc = "The inputs side by side", .params = SCHEMA_NONE},
    .inputs_min = 2,
    .inputs_max = NODE_INPUTS_MAX,
    .holds_inputs = true,
    .width = width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx,
};
