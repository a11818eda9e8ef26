// add: the sum of inputs of one width, element by element.
#include "nn/network.h"

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	(void)graph;
	node->width = node->inputs[0]->width;
	for (size_t i = 1; i < node->inputs_count; i++) {
		if (node->inputs[i]->width == node->width)
			continue;
		errors_add(errors, ERROR_CONFIG, node->from->at, "node \"%s\" adds \"%s\" of width %zu to \"%s\" of width %zu",
		           node->name, node->inputs[i]->name, node->inputs[i]->width, node->inputs[0]->name, node->width);
		return;
	}
}

static void forward(struct network *n, const struct node *node) {
	struct matrix y = network_value(n, node);
	for (size_t i = 0; i < node->inputs_count; i++) {
		struct matrix x = network_value(n, node->inputs[i]);
		n->backend->add(n->device, &x, i ? 1 : 0, &y);
	}
}

static void backward(struct network *n, const struct node *node) {
	struct matrix dy = network_gradient(n, node);
	for (size_t i = 0; i < node->inputs_count; i++) {
		struct node *input = node->inputs[i];
		if (!input->needs_gradient)
			continue;
		struct matrix dx = network_gradient(n, input);
		n->backend->add(n->device, &dy, network_gradient_beta(n, input), &dx);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	return 2.0 * (double)node->inputs_count * (node->cells ? graph->shape.target_entries : (double)node->width);
}

const struct op op_add = {
    .row = {.name = "add", .doc = "Sum of inputs of one width", .params = SCHEMA_NONE},
    .inputs_min = 2,
    .inputs_max = NODE_INPUTS_MAX,
    .maps_cells = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
