// activation: a function of each element, where it does not stand within a dense node.
#include "nn/network.h"
#include "nn/onnx.h"

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

static void plan(struct graph *graph, struct node *node) {
	const struct activation_params *p = node->params;
	(void)graph;
	node->activation = (const struct activation *)p->activation->kind.row;
	node->activation_p = activation_parameter(p->activation);
}

static void run_activate(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	if (pass_logits(p, node))
		p->network->backend->add(p->network->device, &x, 0, &y);
	else
		p->network->backend->activate(p->network->device, node->activation->id, node->activation_p, &x, &y);
}

static void run_activate_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix before = pass_value(p, input), value = pass_value(p, node), from = pass_gradient(p, node),
	              to = pass_gradient(p, input);
	struct matrix x = pass_tile(p, input, &before, tile), y = pass_tile(p, node, &value, tile);
	struct matrix dy = pass_tile(p, node, &from, tile), dx = pass_tile(p, input, &to, tile);
	if (!pass_logits(p, node))
		p->network->backend->activate_back(p->network->device, node->activation->id, node->activation_p, &x, &y, &dy,
		                                   step->beta, &dx);
	else if (dx.data != dy.data)
		p->network->backend->add(p->network->device, &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	maker_map(m, node, run_activate);
}

static void backward(struct maker *m, const struct node *node) {
	if (!maker_needs(m, node->inputs[0]))
		return;
	maker_map_back(m, node, run_activate_back);
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	maker_tensor(m, TENSOR_VALUE, node, READ_OWN);
}

static double flops(const struct graph *graph, const struct node *node) {
	return 4.0 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static void detail(const struct node *node, struct text *text) {
	text_append(text, node->activation->row.name);
}

static const char *onnx(struct onnx *o, const struct node *node) {
	return onnx_activated(o, node, onnx_same(o, node));
}

const struct op op_activation = {
    .row = {.name = "activation",
            .doc = "A function of each element",
            .params = SCHEMA(struct activation_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .maps_cells = true,
    .logits = true,
    .overwrites_back = true,
    .width = op_input_width,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx,
    .detail = detail,
};
