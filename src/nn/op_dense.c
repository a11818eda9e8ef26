// dense: y = f(x W + b). From sparse rows it sums the weight rows of the stored entries; under a loss over rated cells
// the output layer is computed at those cells alone, forward and back, with W stored (units, inputs) for it.
#include "nn/network.h"
#include "nn/onnx.h"

struct dense_params {
	struct units units;
	struct activation_config *activation;
	struct init_config *init;
	bool bias;
	double l2, l2_bias;
	const char *tie;
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
    {.name = "l2_bias",
     .type = KEY_REAL,
     .offset = offsetof(struct dense_params, l2_bias),
     .fallback = "0.0",
     .min = 0,
     .max = 1e6,
     .doc = "Adds l2_bias times the sum of squared biases"},
    {.name = "tie",
     .type = KEY_STRING,
     .offset = offsetof(struct dense_params, tie),
     .doc = "Another dense node, whose weights, turned round, are this one's; init and l2 are then that one's alone"},
};

enum { WEIGHT, BIAS };

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	const struct dense_params *p = node->params;
	if (node->tied && p->l2 > 0)
		errors_add(errors, ERROR_CONFIG, value_child(node->from, "l2")->at,
		           "node \"%s\" has l2, but its weights are those of \"%s\"", node->name, node->tied->name);
	if (!p->bias && p->l2_bias > 0)
		errors_add(errors, ERROR_CONFIG, value_child(node->from, "l2_bias")->at,
		           "node \"%s\" has l2_bias, but bias is false", node->name);
	return p->units.is_items ? graph->shape.ratings_width : p->units.count;
}

static void product(const struct graph *graph, const struct node *node, struct cost_shape *ret) {
	const struct dense_params *p = node->params;
	ret->width = ret->output ? node->inputs[0]->width : node->width;
	ret->lazy = graph->optimizer->lazy(graph->optimizer_params, p->l2, graph->constant_rate);
}

static const char *tied_to(const void *params) {
	return ((const struct dense_params *)params)->tie;
}

// Weights for cells are stored (units, inputs), which is as the owner of tied ones has them: there, the rows of items
// that ratings or targets touch.
static void plan_weight(struct graph *graph, struct node *node) {
	const struct dense_params *p = node->params;
	struct node *input = node->inputs[0];
	struct parameter *weight;
	if (node->cells) {
		weight = graph_parameter(graph, node, "weight", node->width, input->width);
		weight->transposed = true;
		weight->by = input;
		weight->touched = TOUCHED_TARGETS;
	} else {
		weight = graph_parameter(graph, node, "weight", input->width, node->width);
		if (node->tied_by)
			weight->touched = node->tied_by->cells ? TOUCHED_BOTH : TOUCHED_ALL;
		else if (node->reads_rows)
			weight->touched = input->source == graph->user ? TOUCHED_USER : TOUCHED_RATINGS;
	}
	weight->init = p->init;
	weight->fan_in = input->width;
	weight->fan_out = node->width;
	weight->l2 = p->l2;
	weight->shared = node->tied_by;
}

static void plan(struct graph *graph, struct node *node) {
	const struct dense_params *p = node->params;
	node->activation = (const struct activation *)p->activation->kind.row;
	node->activation_p = activation_parameter(p->activation);
	if (node->tied)
		node->parameters[node->parameters_count++] = node->tied->parameters[WEIGHT];
	else
		plan_weight(graph, node);
	if (!p->bias)
		return;
	struct parameter *bias = node->cells ? graph_parameter(graph, node, "bias", node->width, 1)
	                                     : graph_parameter(graph, node, "bias", 1, node->width);
	bias->vector = true;
	bias->l2 = p->l2_bias;
	bias->touched = node->cells ? TOUCHED_TARGETS : TOUCHED_ALL;
	bias->by = node->cells ? NULL : node;
}

// --- forward ---

// Whose groups of columns the weights for cells are stored by: the input's, or those of the node that has them.
static const struct node *cells_by(const struct node *node) {
	return node->parameters[WEIGHT]->by;
}

static const real *bias_of(const struct pass *p, const struct node *node) {
	return node->parameters_count > BIAS ? pass_weight(p, node->parameters[BIAS]).data : NULL;
}

// Where the product goes: the value itself, or what its activation needs kept.
static struct matrix product_of(const struct pass *p, const struct node *node) {
	return node->activation->needs_x ? pass_before(p, node) : pass_value(p, node);
}

static void activate_tile(const struct pass *p, const struct node *node, const struct tile *tile) {
	struct matrix whole = product_of(p, node), value = pass_value(p, node);
	if (pass_logits(p, node))
		return;
	struct matrix x = pass_tile(p, node, &whole, tile), y = pass_tile(p, node, &value, tile);
	if (node->activation->id != ACTIVATION_IDENTITY)
		p->network->backend->activate(p->network->device, node->activation->id, node->activation_p, &x, &y);
}

static void run_sparse(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	const real *bias = bias_of(p, node);
	struct sparse rows = pass_rows(p, node->inputs[0]), s = sparse_rows(&rows, tile->row, tile->rows);
	struct matrix w = pass_weight_columns(p, node->parameters[WEIGHT], tile), whole = product_of(p, node);
	struct matrix y = pass_tile(p, node, &whole, tile);
	p->network->backend->sparse_times(p->network->device, &s, &w, bias ? bias + tile->column : NULL, 0, &y);
	activate_tile(p, node, tile);
}

// All cells of a node whose weights are stored for some of them, (units, inputs) by groups of inputs, are one product
// with the weights put together in one matrix: a group's part of it.
static void run_join(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix from = pass_weight_columns(p, node->parameters[WEIGHT], tile), whole = pass_joined(p, node);
	struct matrix to = matrix_part(&whole, 0, whole.rows, tile->column, tile->columns);
	if (!p->network->joined)
		p->network->backend->add(p->network->device, &from, 0, &to);
}

static void run_gemm(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	const real *bias = bias_of(p, node);
	struct matrix x = pass_value(p, node->inputs[0]), whole = product_of(p, node), w;
	struct matrix y = pass_tile(p, node, &whole, tile);
	if (node->cells) {
		struct matrix joined = pass_joined(p, node);
		w = matrix_part(&joined, tile->column, tile->columns, 0, joined.columns);
	} else if (node->tied) {
		w = pass_weight(p, node->parameters[WEIGHT]);
		w = matrix_part(&w, tile->column, tile->columns, 0, w.columns);
	} else {
		w = pass_weight_columns(p, node->parameters[WEIGHT], tile);
	}
	if (bias)
		p->network->backend->spread(p->network->device, bias + tile->column, &y);
	p->network->backend->gemm(p->network->device, false, node->cells || node->tied, &x, &w, bias ? 1 : 0, &y);
}

static void run_activation(const struct pass *p, const struct step *step, const struct tile *tile) {
	activate_tile(p, step->node, tile);
}

// What the tile's columns of the input add to each cell.
static void run_cells(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct sparse cells = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct matrix input = pass_value(p, node->inputs[0]);
	struct matrix h = matrix_part(&input, tile->row, tile->rows, tile->column, tile->columns);
	struct matrix w = pass_weight_columns(p, node->parameters[WEIGHT], tile);
	p->network->backend->cells_times(p->network->device, &cells, &h, &w,
	                                 pass_slot(p, node)->parts + tile->group * p->network->cells);
}

static void run_cells_sum(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct sparse cells = sparse_rows(&p->on->target, tile->row, tile->rows);
	size_t count = sparse_count(&p->batch->target);
	struct matrix parts = {pass_slot(p, node)->parts, cells_by(node)->groups->count, count, p->network->cells};
	p->network->backend->cells_sum(p->network->device, &cells, &parts, bias_of(p, node), product_of(p, node).data);
	activate_tile(p, node, tile);
}

static void forward_cells(struct maker *m, const struct node *node) {
	maker_step(m, node, run_cells, CUT_COLUMNS, cells_by(node))->by_row = true;
	maker_columns(m, TENSOR_VALUE, node->inputs[0], 0, false);
	maker_weight(m, node->parameters[WEIGHT], READ_OWN);
	maker_tensor(m, TENSOR_PARTS, node, WRITE_OWN);
	maker_step(m, node, run_cells_sum, CUT_ROWS, node);
	maker_tensor(m, TENSOR_PARTS, node, READ_ALL);
	if (node->parameters_count > BIAS)
		maker_weight(m, node->parameters[BIAS], READ_ALL);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void forward(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	if (maker_at_cells(m, node)) {
		forward_cells(m, node);
		return;
	}
	if (node->cells) {
		maker_step(m, node, run_join, CUT_COLUMNS, cells_by(node));
		maker_weight(m, node->parameters[WEIGHT], READ_OWN);
		maker_tensor(m, TENSOR_PARTS, node, WRITE_OWN);
	}
	maker_step(m, node, node->reads_rows ? run_sparse : run_gemm, CUT_COLUMNS, node)->by_row = node->reads_rows;
	if (node->cells)
		maker_tensor(m, TENSOR_PARTS, node, READ_ALL);
	if (!node->reads_rows)
		maker_tensor(m, TENSOR_VALUE, input, READ_ALL);
	else if (input->op)
		maker_tensor(m, TENSOR_SPARSE, input, READ_ALL);
	for (size_t i = 0; i < node->parameters_count; i++)
		maker_weight(m, node->parameters[i], node->cells || (node->tied && i == WEIGHT) ? READ_ALL : READ_OWN);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
	if (!node->reads_rows && node->activation->id != ACTIVATION_IDENTITY && !maker_logits(m, node)) {
		maker_step(m, node, run_activation, CUT_COLUMNS, node)->by_row = true;
		maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
	}
}

// --- backward ---

static void run_activate_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix before = pass_before(p, node), value = pass_value(p, node), gradient = pass_gradient(p, node);
	struct matrix x = pass_tile(p, node, &before, tile), y = pass_tile(p, node, &value, tile);
	struct matrix dy = pass_tile(p, node, &gradient, tile);
	p->network->backend->activate_back(p->network->device, node->activation->id, node->activation_p,
	                                   node->activation->needs_x ? &x : NULL, &y, &dy, 0, &dy);
}

// The gradient at the cells is a sparse matrix of the targets' pattern.
static void run_cells_input(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct sparse d = sparse_rows(&p->on->target, tile->row, tile->rows);
	d.value = pass_gradient(p, node).data;
	struct matrix w = pass_weight_columns(p, node->parameters[WEIGHT], tile);
	struct matrix gradient = pass_gradient(p, node->inputs[0]);
	struct matrix dh = matrix_part(&gradient, tile->row, tile->rows, tile->column, tile->columns);
	p->network->backend->sparse_times(p->network->device, &d, &w, NULL, step->beta, &dh);
}

static void run_cells_weight(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix input = pass_value(p, node->inputs[0]);
	struct matrix h = matrix_part(&input, tile->row, tile->rows, tile->column, tile->columns);
	pass_update_touched(p, node->parameters[WEIGHT], tile, TOUCHED_TARGETS, pass_gradient(p, node).data, &h);
}

static void run_cells_bias(const struct pass *p, const struct step *step, const struct tile *tile) {
	pass_update_touched(p, step->node->parameters[BIAS], tile, TOUCHED_TARGETS, pass_gradient(p, step->node).data,
	                    NULL);
}

static void run_sparse_weight(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix gradient = pass_gradient(p, node), dy = pass_tile(p, node, &gradient, tile);
	bool user = node->inputs[0]->source == p->network->graph->user;
	pass_update_touched(p, node->parameters[WEIGHT], tile, user ? TOUCHED_USER : TOUCHED_RATINGS,
	                    pass_rows(p, node->inputs[0]).value, &dy);
}

static void run_bias(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix gradient = pass_gradient(p, node), dy = pass_tile(p, node, &gradient, tile);
	struct matrix db = pass_parameter_gradient(p, node->parameters[BIAS], tile);
	p->network->backend->column_sums(p->network->device, &dy, db.data);
	pass_update(p, node->parameters[BIAS], tile);
}

static void run_dense_input(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix gradient = pass_gradient(p, node), below = pass_gradient(p, node->inputs[0]);
	struct matrix dy = matrix_part(&gradient, tile->row, tile->rows, 0, gradient.columns);
	struct matrix dx = matrix_part(&below, tile->row, tile->rows, 0, below.columns);
	struct matrix w = pass_weight(p, node->parameters[WEIGHT]);
	p->network->backend->gemm(p->network->device, false, !node->tied, &dy, &w, step->beta, &dx);
}

static void run_dense_weight(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix x = pass_value(p, node->inputs[0]), gradient = pass_gradient(p, node);
	struct matrix dy = pass_tile(p, node, &gradient, tile);
	struct matrix dw = pass_parameter_gradient(p, node->parameters[WEIGHT], tile);
	real beta = node->parameters[WEIGHT]->shared ? 1 : 0;
	p->network->backend->gemm(p->network->device, true, false, &x, &dy, beta, &dw);
	pass_update(p, node->parameters[WEIGHT], tile);
}

// The owner's columns are this node's inputs: dW += transpose(dy) x.
static void run_tied_weight(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix input = pass_value(p, node->inputs[0]), dy = pass_gradient(p, node);
	struct matrix x = matrix_part(&input, tile->row, tile->rows, tile->column, tile->columns);
	struct matrix dw = pass_parameter_gradient(p, node->parameters[WEIGHT], tile);
	p->network->backend->gemm(p->network->device, true, false, &dy, &x, 1, &dw);
}

static void backward_cells(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	if (maker_needs(m, input)) {
		maker_step(m, node, run_cells_input, CUT_COLUMNS, cells_by(node))->by_row = true;
		maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
		maker_weight(m, node->parameters[WEIGHT], READ_OWN);
		maker_columns(m, TENSOR_GRADIENT, input, 0, true);
		maker_first_writes(m, input);
	}
}

static void update_cells(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	if (maker_learns(m, node->parameters[WEIGHT])) {
		maker_step(m, node, run_cells_weight, CUT_COLUMNS, cells_by(node));
		maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
		maker_columns(m, TENSOR_VALUE, input, 0, false);
		maker_weight(m, node->parameters[WEIGHT], WRITE_OWN);
	}
	if (node->parameters_count > BIAS && maker_learns(m, node->parameters[BIAS])) {
		maker_step(m, node, run_cells_bias, CUT_NONE, node);
		maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
		maker_weight(m, node->parameters[BIAS], WRITE_ALL);
	}
}

static void backward_dense(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	if (!node->reads_rows && maker_needs(m, input)) {
		maker_step(m, node, run_dense_input, CUT_BLOCKS, input);
		maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
		maker_weight(m, node->parameters[WEIGHT], READ_ALL);
		maker_tensor(m, TENSOR_GRADIENT, input, WRITE_ALL);
		maker_first_writes(m, input);
	}
}

static void update_tied(struct maker *m, const struct node *node) {
	maker_step(m, node, run_tied_weight, CUT_COLUMNS, node->parameters[WEIGHT]->by);
	maker_columns(m, TENSOR_VALUE, node->inputs[0], 0, false);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
	maker_weight(m, node->parameters[WEIGHT], WRITE_OWN);
}

static void update_own(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	maker_step(m, node, node->reads_rows ? run_sparse_weight : run_dense_weight, CUT_COLUMNS, node);
	if (!node->reads_rows)
		maker_tensor(m, TENSOR_VALUE, input, READ_ALL);
	else if (input->op)
		maker_tensor(m, TENSOR_SPARSE, input, READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_weight(m, node->parameters[WEIGHT], WRITE_OWN);
}

static void update_dense(struct maker *m, const struct node *node) {
	if (maker_learns(m, node->parameters[WEIGHT]))
		(node->tied ? update_tied : update_own)(m, node);
	if (node->parameters_count > BIAS && maker_learns(m, node->parameters[BIAS])) {
		maker_step(m, node, run_bias, CUT_COLUMNS, node);
		maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
		maker_weight(m, node->parameters[BIAS], WRITE_OWN);
	}
}

static void backward(struct maker *m, const struct node *node) {
	bool cells = maker_at_cells(m, node);
	if (node->activation->id != ACTIVATION_IDENTITY && !maker_logits(m, node)) {
		maker_step(m, node, run_activate_back, cells ? CUT_ROWS : CUT_COLUMNS, node)->by_row = true;
		maker_tensor(m, TENSOR_VALUE, node, READ_OWN);
		maker_tensor(m, TENSOR_GRADIENT, node, WRITE_OWN);
	}
	(cells ? backward_cells : backward_dense)(m, node);
}

static void update(struct maker *m, const struct node *node) {
	(maker_at_cells(m, node) ? update_cells : update_dense)(m, node);
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
	if (node->tied)
		text_format(text, ", tied to %s", node->tied->name);
	if (p->bias && p->l2_bias > 0)
		text_format(text, ", l2_bias %g", p->l2_bias);
}

// --- as ONNX has it ---

// x W + b, or x transpose(W) + b, and the activation.
static const char *gemm(struct onnx *o, const struct node *node, const char *owner, const char *weight,
                        const char *bias) {
	struct onnx_call call = {.operator= "Gemm", .owner = owner, .input = {onnx_same(o, node), weight, bias}};
	if (node->tied)
		call.attribute[0] = (struct onnx_attribute){"transB", ONNX_INTEGER, .integer = 1};
	return onnx_activated(o, node, onnx_call(o, &call));
}

static const char *onnx(struct onnx *o, const struct node *node) {
	const char *bias = node->parameters_count > BIAS ? onnx_weight(o, node, "bias") : NULL;
	return gemm(o, node, node->name, onnx_weight(o, node->tied ? node->tied : node, "weight"), bias);
}

bool onnx_dense_folds(const struct node *node) {
	return node->op == &op_dense && !node->tied && node->activation->id == ACTIVATION_IDENTITY && node->consumers == 1;
}

const char *onnx_dense_folded(struct onnx *o, const struct node *node, const char *owner, const float *scale,
                              const float *shift) {
	const struct tensor_facts *weight = onnx_numbers(o, node, "weight");
	const float *bias = node->parameters_count > BIAS ? onnx_numbers(o, node, "bias")->data : NULL;
	float *w = arena_alloc(&o->arena, weight->shape[0] * node->width * sizeof(*w));
	float *b = arena_alloc(&o->arena, node->width * sizeof(*b));
	for (size_t k = 0; k < weight->shape[0] * node->width; k++)
		w[k] = weight->data[k] * scale[k % node->width];
	for (size_t j = 0; j < node->width; j++)
		b[j] = (bias ? bias[j] : 0) * scale[j] + shift[j];
	return gemm(o, node, owner, onnx_constant(o, owner, "weight", w, weight->shape[0], node->width),
	            onnx_constant(o, owner, "bias", b, node->width, 0));
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
    .mixes = true,
    .has_paths = true,
    .keeps_x = true,
    .logits = true,
    .width = width,
    .tied_to = tied_to,
    .product = product,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .update = update,
    .flops = flops,
    .onnx = onnx,
    .detail = detail,
};
