// add: the sum of inputs of one width, element by element.
#include "nn/network.h"
#include "nn/onnx.h"

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	(void)graph;
	return op_same_width(node, "adds", errors);
}

static void run_add(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct matrix whole = pass_value(p, step->node), y = pass_tile(p, step->node, &whole, tile);
	for (size_t i = 0; i < step->node->inputs_count; i++) {
		struct matrix from = pass_value(p, step->node->inputs[i]);
		struct matrix x = pass_tile(p, step->node->inputs[i], &from, tile);
		p->network->backend->add(p->network->device, &x, i ? 1 : 0, &y);
	}
}

static void run_add_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct matrix from = pass_gradient(p, step->node), to = pass_gradient(p, step->input);
	struct matrix dy = pass_tile(p, step->node, &from, tile), dx = pass_tile(p, step->input, &to, tile);
	p->network->backend->add(p->network->device, &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	bool cells = maker_at_cells(m, node);
	maker_step(m, node, run_add, cells ? CUT_ROWS : CUT_COLUMNS, node)->by_row = true;
	for (size_t i = 0; i < node->inputs_count; i++)
		maker_elements(m, TENSOR_VALUE, node->inputs[i], false);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	bool cells = maker_at_cells(m, node);
	for (size_t i = 0; i < node->inputs_count; i++) {
		const struct node *input = node->inputs[i];
		if (!maker_needs(m, input))
			continue;
		struct step *step = maker_step(m, node, run_add_back, cells ? CUT_ROWS : CUT_COLUMNS, node);
		step->input = input;
		step->by_row = true;
		maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
		maker_elements(m, TENSOR_GRADIENT, input, true);
		maker_first_writes(m, input);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	return 2.0 * (double)node->inputs_count * (node->cells ? graph->shape.target_entries : (double)node->width);
}

// Two at a time.
static const char *onnx(struct onnx *o, const struct node *node) {
	const char *sum = onnx_same(o, node);
	for (size_t i = 1; i < node->inputs_count; i++)
		sum = onnx_call(o, &(struct onnx_call){
		                       .operator= "Add", .owner = node->name, .input = {sum, onnx_value(o, node->inputs[i])}});
	return sum;
}

const struct op op_add = {
    .row = {.name = "add", .doc = "Sum of inputs of one width", .params = SCHEMA_NONE},
    .inputs_min = 2,
    .inputs_max = NODE_INPUTS_MAX,
    .maps_cells = true,
    .width = width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx,
};
