// activation: a function of each element, where it does not stand within a dense node.
#include "nn/network.h"

struct activation_params {
	struct activation_config *activation;
};

static const struct key keys[] = {
    {.name = "activation",
     .type = KEY_GROUP,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct activation_params, activation),
     .schema = &activation_schema,
     .doc = "The function"},
};

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	const struct activation_params *p = node->params;
	(void)graph, (void)errors;
	node->width = node->inputs[0]->width;
	node->activation = (const struct activation *)p->activation->kind.row;
	node->activation_p = activation_parameter(p->activation);
}

static void forward(struct network *n, const struct node *node) {
	struct matrix x = network_value(n, node->inputs[0]), y = network_value(n, node);
	n->backend->activate(n->device, node->activation->id, node->activation_p, &x, &y);
}

static void backward(struct network *n, const struct node *node) {
	struct node *input = node->inputs[0];
	if (!input->needs_gradient)
		return;
	struct matrix x = network_value(n, input), y = network_value(n, node), dy = network_gradient(n, node);
	struct matrix dx = network_gradient(n, input);
	n->backend->activate_back(n->device, node->activation->id, node->activation_p, &x, &y, &dy,
	                          network_gradient_beta(n, input), &dx);
}

static double flops(const struct graph *graph, const struct node *node) {
	return 4.0 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static void detail(const struct node *node, struct text *text) {
	text_append(text, node->activation->row.name);
}

const struct op op_activation = {
    .row = {.name = "activation",
            .doc = "A function of each element",
            .params = SCHEMA(struct activation_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .maps_cells = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .detail = detail,
};
