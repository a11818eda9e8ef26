// concat: the inputs side by side. Where it can be, an input is computed in its place in the concat's memory already,
// and nothing is copied.
#include "nn/network.h"

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	(void)graph, (void)errors;
	node->width = 0;
	for (size_t i = 0; i < node->inputs_count; i++)
		node->width += node->inputs[i]->width;
}

static struct matrix part(struct matrix whole, size_t column, size_t width) {
	whole.data += column;
	whole.columns = width;
	return whole;
}

static void forward(struct network *n, const struct node *node) {
	size_t column = 0;
	for (size_t i = 0; i < node->inputs_count; i++) {
		const struct node *input = node->inputs[i];
		struct matrix x = network_value(n, input), y = part(network_value(n, node), column, input->width);
		if (input->within != node)
			n->backend->add(n->device, &x, 0, &y);
		column += input->width;
	}
}

static void backward(struct network *n, const struct node *node) {
	size_t column = 0;
	for (size_t i = 0; i < node->inputs_count; i++) {
		struct node *input = node->inputs[i];
		struct matrix dy = part(network_gradient(n, node), column, input->width);
		column += input->width;
		if (!input->needs_gradient || input->within == node)
			continue;
		struct matrix dx = network_gradient(n, input);
		n->backend->add(n->device, &dy, network_gradient_beta(n, input), &dx);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph, (void)node;
	return 0;
}

const struct op op_concat = {
    .row = {.name = "concat", .doc = "The inputs side by side", .params = SCHEMA_NONE},
    .inputs_min = 2,
    .inputs_max = NODE_INPUTS_MAX,
    .holds_inputs = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
