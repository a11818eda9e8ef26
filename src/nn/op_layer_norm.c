// layer_norm: gamma (x - mean) / sqrt(variance + epsilon) + beta, by the mean and the biased variance of each row's own
// columns, in training and at evaluation alike (Ba, Kiros and Hinton 2016).
#include "nn/network.h"
#include "nn/onnx.h"

struct layer_norm_params {
	double epsilon;
};

static const struct key keys[] = {
    {.name = "epsilon",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct layer_norm_params, epsilon),
     .fallback = "1e-5",
     .min = 0,
     .max = 1,
     .doc = "Added to the variance (PyTorch's default)"},
};

enum { GAMMA, BETA };
enum { MEAN, INVERSE }; // of the slot's row vectors

static void plan(struct graph *graph, struct node *node) {
	static const char *const suffix[] = {[GAMMA] = "gamma", [BETA] = "beta"};
	for (size_t i = GAMMA; i <= BETA; i++) {
		struct parameter *p = graph_parameter(graph, node, suffix[i], 1, node->width);
		p->vector = true;
		p->fill = i == GAMMA ? 1 : 0;
	}
}

static struct layer_norm_state state_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	struct slot *slot = pass_slot(p, node);
	return (struct layer_norm_state){
	    .gamma = pass_weight(p, node->parameters[GAMMA]).data + tile->column,
	    .beta = pass_weight(p, node->parameters[BETA]).data + tile->column,
	    .mean = slot->row[MEAN] + tile->row,
	    .inverse = slot->row[INVERSE] + tile->row,
	    .epsilon = (real)((const struct layer_norm_params *)node->params)->epsilon,
	};
}

static void run_forward(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct layer_norm_state state = state_of(p, node, tile);
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	p->network->backend->layer_norm(p->network->device, &state, &x, &y);
}

static void run_sums(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct layer_norm_state state = state_of(p, node, tile);
	struct matrix value = pass_value(p, input), gradient = pass_gradient(p, node);
	struct matrix x = pass_tile(p, input, &value, tile), dy = pass_tile(p, node, &gradient, tile);
	p->network->backend->layer_norm_sums(p->network->device, &state, &x, &dy,
	                                     pass_parameter_gradient(p, node->parameters[GAMMA], tile).data,
	                                     pass_parameter_gradient(p, node->parameters[BETA], tile).data);
}

static void run_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct layer_norm_state state = state_of(p, node, tile);
	struct matrix value = pass_value(p, input), gradient = pass_gradient(p, node), below = pass_gradient(p, input);
	struct matrix x = pass_tile(p, input, &value, tile), dy = pass_tile(p, node, &gradient, tile);
	struct matrix dx = pass_tile(p, input, &below, tile);
	p->network->backend->layer_norm_back(p->network->device, &state, &x, &dy, step->beta, &dx);
}

static void run_update(const struct pass *p, const struct step *step, const struct tile *tile) {
	pass_update(p, step->node->parameters[GAMMA], tile);
	pass_update(p, step->node->parameters[BETA], tile);
}

static void forward(struct maker *m, const struct node *node) {
	maker_step(m, node, run_forward, CUT_ROWS, node);
	maker_tensor(m, TENSOR_VALUE, node->inputs[0], READ_ALL);
	maker_weight(m, node->parameters[GAMMA], READ_ALL);
	maker_weight(m, node->parameters[BETA], READ_ALL);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_ALL);
}

// The sums first: the input's gradient may be written over the node's.
static void backward(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	maker_step(m, node, run_sums, CUT_COLUMNS, node);
	maker_elements(m, TENSOR_VALUE, input, false);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_weight(m, node->parameters[GAMMA], WRITE_OWN);
	maker_weight(m, node->parameters[BETA], WRITE_OWN);
	if (!maker_needs(m, input))
		return;
	maker_step(m, node, run_back, CUT_ROWS, node);
	maker_tensor(m, TENSOR_VALUE, input, READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
	maker_weight(m, node->parameters[GAMMA], READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, input, WRITE_ALL);
	maker_first_writes(m, input);
}

static void update(struct maker *m, const struct node *node) {
	maker_step(m, node, run_update, CUT_COLUMNS, node);
	maker_weight(m, node->parameters[GAMMA], WRITE_OWN);
	maker_weight(m, node->parameters[BETA], WRITE_OWN);
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph;
	return 22.0 * (double)node->width; // 8 forward, back 5 of the sums by column, 4 by row and 5 of each element
}

static const char *call_two(struct onnx *o, const struct node *node, const char *name, const char *a, const char *b) {
	return onnx_call(o, &(struct onnx_call){.operator= name, .owner = node->name, .input = {a, b}});
}

static const char *row_mean(struct onnx *o, const struct node *node, const char *x) {
	return onnx_call(o, &(struct onnx_call){.operator= "ReduceMean",
	                                        .owner = node->name,
	                                        .input = {x},
	                                        .attribute = {{"axes", ONNX_INTEGERS, .integer = 1}}});
}

static const char *onnx(struct onnx *o, const struct node *node) {
	float epsilon = (float)((const struct layer_norm_params *)node->params)->epsilon;
	const char *x = onnx_same(o, node), *d = call_two(o, node, "Sub", x, row_mean(o, node, x));
	const char *variance = row_mean(o, node, call_two(o, node, "Mul", d, d));
	variance = call_two(o, node, "Add", variance, onnx_constant(o, node->name, "epsilon", &epsilon, 1, 0));
	const char *deviation = call_two(o, node, "Sqrt", variance, NULL);
	const char *y = call_two(o, node, "Mul", call_two(o, node, "Div", d, deviation), onnx_weight(o, node, "gamma"));
	return call_two(o, node, "Add", y, onnx_weight(o, node, "beta"));
}

const struct op op_layer_norm = {
    .row = {.name = "layer_norm",
            .doc = "Normalises each row by the mean and variance of its own columns",
            .params = SCHEMA(struct layer_norm_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .has_parameters = true,
    .overwrites_back = true,
    .value_unread = true,
    .row_columns = 2,
    .mixes = true,
    .width = op_input_width,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .update = update,
    .flops = flops,
    .onnx = onnx,
};
