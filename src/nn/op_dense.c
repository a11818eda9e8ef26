// dense: y = f(x W + b). From sparse rows it sums the weight rows of the stored entries; under a loss over rated cells
// the output layer is computed at those cells alone, forward and back, with W stored (units, inputs) for it.
#include "nn/network.h"

struct dense_params {
	struct units units;
	struct activation_config *activation;
	struct init_config *init;
	bool bias;
	double l2;
};

static const struct key keys[] = {
    {.name = "units",
     .type = KEY_UNITS,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct dense_params, units),
     .doc = "Width of the output, or \"items\" for the width of a rating row"},
    {.name = "activation",
     .type = KEY_GROUP,
     .offset = offsetof(struct dense_params, activation),
     .fallback = "\"identity\"",
     .schema = &activation_schema,
     .doc = "Applied to each output (Keras' default: none)"},
    {.name = "init",
     .type = KEY_GROUP,
     .offset = offsetof(struct dense_params, init),
     .fallback = "\"glorot_uniform\"",
     .schema = &init_schema,
     .doc = "Initial weights (Keras' default); biases start at 0"},
    {.name = "bias",
     .type = KEY_BOOL,
     .offset = offsetof(struct dense_params, bias),
     .fallback = "true",
     .doc = "Adds a bias to each output"},
    {.name = "l2",
     .type = KEY_REAL,
     .offset = offsetof(struct dense_params, l2),
     .fallback = "0.0",
     .min = 0,
     .max = 1e6,
     .doc = "Adds l2 times the sum of squared weights (not biases) to each batch's loss"},
};

enum { WEIGHT, BIAS };

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	const struct dense_params *p = node->params;
	(void)errors;
	struct node *input = node->inputs[0];
	node->width = p->units.is_items ? graph->shape.ratings_width : p->units.count;
	node->activation = (const struct activation *)p->activation->kind.row;
	node->activation_p = activation_parameter(p->activation);
	struct parameter *weight;
	if (node->cells) {
		weight = graph_parameter(graph, node, "weight", node->width, input->width);
		weight->transposed = true;
		weight->touched = TOUCHED_TARGETS;
	} else {
		weight = graph_parameter(graph, node, "weight", input->width, node->width);
		if (node->reads_rows)
			weight->touched = input->source == graph->user ? TOUCHED_USER : TOUCHED_RATINGS;
	}
	weight->init = p->init;
	weight->fan_in = input->width;
	weight->fan_out = node->width;
	weight->l2 = p->l2;
	if (!p->bias)
		return;
	struct parameter *bias = node->cells ? graph_parameter(graph, node, "bias", node->width, 1)
	                                     : graph_parameter(graph, node, "bias", 1, node->width);
	bias->vector = true;
	bias->touched = node->cells ? TOUCHED_TARGETS : TOUCHED_ALL;
}

static void forward_cells(struct network *n, const struct node *node, const real *bias, real *y) {
	struct matrix h = network_value(n, node->inputs[0]), w = network_weight(n, node->parameters[WEIGHT]);
	n->backend->cells_times(n->device, &n->batch->target, &h, &w, bias, y);
}

static void forward(struct network *n, const struct node *node) {
	bool needs_x = node->activation->needs_x;
	struct matrix y = network_value(n, node), x = needs_x ? network_before(n, node) : y;
	struct matrix w = network_weight(n, node->parameters[WEIGHT]);
	const real *bias = node->parameters_count > BIAS ? network_weight(n, node->parameters[BIAS]).data : NULL;
	if (network_at_cells(n, node)) {
		forward_cells(n, node, bias, x.data);
	} else {
		if (node->reads_rows) {
			n->backend->sparse_times(n->device, &network_slot(n, node->inputs[0])->rows, &w, 0, &x);
		} else {
			struct matrix input = network_value(n, node->inputs[0]);
			n->backend->gemm(n->device, false, node->cells, &input, &w, 0, &x);
		}
		if (bias)
			n->backend->add_row(n->device, bias, &x);
	}
	if (node->activation->id != ACTIVATION_IDENTITY)
		n->backend->activate(n->device, node->activation->id, node->activation_p, &x, &y);
}

// The gradient at the cells is a sparse matrix of the targets' pattern.
static void backward_cells(struct network *n, const struct node *node, const struct matrix *dy) {
	struct sparse d = n->batch->target;
	d.value = dy->data;
	struct matrix h = network_value(n, node->inputs[0]);
	struct matrix dw = network_parameter_gradient(n, node->parameters[WEIGHT]);
	n->backend->transposed_times(n->device, &n->batch->by_target, d.value, &h, &dw);
	if (node->parameters_count > BIAS)
		n->backend->transposed_sums(n->device, &n->batch->by_target, d.value,
		                            network_parameter_gradient(n, node->parameters[BIAS]).data);
	if (node->inputs[0]->needs_gradient) {
		struct matrix w = network_weight(n, node->parameters[WEIGHT]), dh = network_gradient(n, node->inputs[0]);
		n->backend->sparse_times(n->device, &d, &w, network_gradient_beta(n, node->inputs[0]), &dh);
	}
}

static void backward_dense(struct network *n, const struct node *node, const struct matrix *dy) {
	struct node *input = node->inputs[0];
	struct matrix dw = network_parameter_gradient(n, node->parameters[WEIGHT]);
	if (node->reads_rows) {
		n->backend->transposed_times(n->device, network_touched(n, node->parameters[WEIGHT]),
		                             network_slot(n, input)->rows.value, dy, &dw);
	} else {
		struct matrix x = network_value(n, input);
		n->backend->gemm(n->device, true, false, &x, dy, 0, &dw);
	}
	if (node->parameters_count > BIAS)
		n->backend->column_sums(n->device, dy, network_parameter_gradient(n, node->parameters[BIAS]).data);
	if (input->needs_gradient) {
		struct matrix w = network_weight(n, node->parameters[WEIGHT]), dx = network_gradient(n, input);
		n->backend->gemm(n->device, false, true, dy, &w, network_gradient_beta(n, input), &dx);
	}
}

static void backward(struct network *n, const struct node *node) {
	struct matrix y = network_value(n, node), dy = network_gradient(n, node), x = network_before(n, node);
	if (node->activation->id != ACTIVATION_IDENTITY)
		n->backend->activate_back(n->device, node->activation->id, node->activation_p,
		                          node->activation->needs_x ? &x : NULL, &y, &dy, 0, &dy);
	(network_at_cells(n, node) ? backward_cells : backward_dense)(n, node, &dy);
}

static double flops(const struct graph *graph, const struct node *node) {
	double in = (double)node->inputs[0]->width, out = (double)node->width;
	if (node->reads_rows)
		in = node->inputs[0]->source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries;
	if (node->cells)
		out = graph->shape.target_entries;
	return 2 * in * out * (node->inputs[0]->needs_gradient ? 3 : 2);
}

static void detail(const struct node *node, struct text *text) {
	const struct dense_params *p = node->params;
	text_format(text, "%s, %s", p->activation->kind.row->name, p->init->kind.row->name);
	if (p->l2 > 0)
		text_format(text, ", l2 %g", p->l2);
}

const struct op op_dense = {
    .row = {.name = "dense",
            .doc = "Fully connected layer: activation(x W + b)",
            .params = SCHEMA(struct dense_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .has_parameters = true,
    .reads_sparse = true,
    .makes_cells = true,
    .has_paths = true,
    .keeps_x = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .detail = detail,
};
