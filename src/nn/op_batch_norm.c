// batch_norm: gamma (x - mean) / sqrt(variance + epsilon) + beta, by the batch's own statistics (biased variance) in
// training, by running averages at evaluation (Ioffe and Szegedy 2015). Defaults are Keras'.
#include "nn/network.h"
#include "nn/onnx.h"

#include <math.h>

struct batch_norm_params {
	double momentum, epsilon;
};

static const struct key keys[] = {
    {.name = "momentum",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MAX,
     .offset = offsetof(struct batch_norm_params, momentum),
     .fallback = "0.99",
     .min = 0,
     .max = 1,
     .doc = "Share of the old running average that is kept (Keras' default)"},
    {.name = "epsilon",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct batch_norm_params, epsilon),
     .fallback = "1e-3",
     .min = 0,
     .max = 1,
     .doc = "Added to the variance (Keras' default)"},
};

enum { GAMMA, BETA, MEAN, VARIANCE };
enum { BATCH_MEAN, BATCH_INVERSE_DEVIATION };

static void plan(struct graph *graph, struct node *node) {
	static const struct {
		const char *suffix;
		double fill;
		bool trainable;
	} vectors[] = {
	    [GAMMA] = {"gamma", 1, true},
	    [BETA] = {"beta", 0, true},
	    [MEAN] = {"running_mean", 0, false},
	    [VARIANCE] = {"running_variance", 1, false},
	};
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct parameter *p = graph_parameter(graph, node, vectors[i].suffix, 1, node->width);
		p->vector = true;
		p->fill = vectors[i].fill;
		p->trainable = vectors[i].trainable;
	}
}

static struct batch_norm_state state_of(const struct pass *p, const struct node *node, size_t column) {
	const struct batch_norm_params *params = node->params;
	struct slot *slot = pass_slot(p, node);
	return (struct batch_norm_state){
	    .gamma = pass_weight(p, node->parameters[GAMMA]).data + column,
	    .beta = pass_weight(p, node->parameters[BETA]).data + column,
	    .running_mean = pass_weight(p, node->parameters[MEAN]).data + column,
	    .running_variance = pass_weight(p, node->parameters[VARIANCE]).data + column,
	    .mean = slot->column[BATCH_MEAN] + column,
	    .inverse_deviation = slot->column[BATCH_INVERSE_DEVIATION] + column,
	    .momentum = (real)params->momentum,
	    .epsilon = (real)params->epsilon,
	};
}

// Rows so far; the last ones close the batch's statistics.
static void run_gather(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	const struct backend *backend = p->network->backend;
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix from = pass_value(p, input), x = pass_tile(p, input, &from, tile);
	if (!p->training || node->copy_of)
		return;
	backend->batch_norm_gather(p->network->device, &state, tile->row, &x);
	if (tile->row + tile->rows == p->batch->rows)
		backend->batch_norm_finish(p->network->device, &state, p->batch->rows, tile->columns);
}

static void run_forward(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	const struct backend *backend = p->network->backend;
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	(p->training && !node->copy_of ? backend->batch_norm : backend->batch_norm_running)(p->network->device, &state, &x,
	                                                                                    &y);
}

static void run_back_gather(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix value = pass_value(p, input), gradient = pass_gradient(p, node);
	struct matrix x = pass_tile(p, input, &value, tile), dy = pass_tile(p, node, &gradient, tile);
	p->network->backend->batch_norm_back_gather(p->network->device, &state, tile->row, &x, &dy,
	                                            pass_parameter_gradient(p, node->parameters[GAMMA], tile).data,
	                                            pass_parameter_gradient(p, node->parameters[BETA], tile).data);
}

static void run_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix value = pass_value(p, input), gradient = pass_gradient(p, node), below = pass_gradient(p, input);
	struct matrix x = pass_tile(p, input, &value, tile), dy = pass_tile(p, node, &gradient, tile);
	struct matrix dx = pass_tile(p, input, &below, tile);
	p->network->backend->batch_norm_back(
	    p->network->device, &state, p->batch->rows, pass_parameter_gradient(p, node->parameters[GAMMA], tile).data,
	    pass_parameter_gradient(p, node->parameters[BETA], tile).data, &x, &dy, step->beta, &dx);
}

static void run_update(const struct pass *p, const struct step *step, const struct tile *tile) {
	pass_update(p, step->node->parameters[GAMMA], tile);
	pass_update(p, step->node->parameters[BETA], tile);
}

static void forward(struct maker *m, const struct node *node) {
	maker_step(m, node, run_gather, CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	maker_weight(m, node->parameters[MEAN], WRITE_OWN);
	maker_weight(m, node->parameters[VARIANCE], WRITE_OWN);
	struct step *step = maker_step(m, node, run_forward, CUT_COLUMNS, node);
	step->by_row = step->after_all = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	for (size_t i = 0; i < node->parameters_count; i++)
		maker_weight(m, node->parameters[i], READ_OWN);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	maker_step(m, node, run_back_gather, CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, input, false);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_weight(m, node->parameters[GAMMA], WRITE_OWN);
	maker_weight(m, node->parameters[BETA], WRITE_OWN);
	if (!maker_needs(m, input))
		return;
	struct step *step = maker_step(m, node, run_back, CUT_COLUMNS, node);
	step->by_row = step->after_all = true;
	maker_elements(m, TENSOR_VALUE, input, false);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_weight(m, node->parameters[GAMMA], READ_OWN);
	maker_elements(m, TENSOR_GRADIENT, input, true);
	maker_first_writes(m, input);
}

static void update(struct maker *m, const struct node *node) {
	maker_step(m, node, run_update, CUT_COLUMNS, node);
	maker_weight(m, node->parameters[GAMMA], WRITE_OWN);
	maker_weight(m, node->parameters[BETA], WRITE_OWN);
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph;
	return 17.0 * (double)node->width; // 2 of statistics forward and the value, as many back
}

// By the running averages it is one factor and one addend for each column; a dense layer below takes them into its own.
static const char *onnx(struct onnx *o, const struct node *node) {
	const float *gamma = onnx_numbers(o, node, "gamma")->data, *beta = onnx_numbers(o, node, "beta")->data;
	const float *mean = onnx_numbers(o, node, "running_mean")->data;
	const float *variance = onnx_numbers(o, node, "running_variance")->data;
	double epsilon = ((const struct batch_norm_params *)node->params)->epsilon;
	float *scale = arena_alloc(&o->arena, node->width * sizeof(*scale));
	float *shift = arena_alloc(&o->arena, node->width * sizeof(*shift));
	for (size_t j = 0; j < node->width; j++) {
		double factor = (double)gamma[j] / sqrt((double)variance[j] + epsilon);
		scale[j] = (float)factor;
		shift[j] = (float)((double)beta[j] - (double)mean[j] * factor);
	}
	if (onnx_dense_folds(node->inputs[0]))
		return onnx_dense_folded(o, node->inputs[0], node->name, scale, shift);
	struct onnx_call multiply = {
	    .operator= "Mul",
	    .owner = node->name,
	    .input = {onnx_same(o, node), onnx_constant(o, node->name, "scale", scale, node->width, 0)}};
	struct onnx_call add = {
	    .operator= "Add",
	    .owner = node->name,
	    .input = {onnx_call(o, &multiply), onnx_constant(o, node->name, "shift", shift, node->width, 0)}};
	return onnx_call(o, &add);
}

const struct op op_batch_norm = {
    .row = {.name = "batch_norm",
            .doc = "Normalises each column by the batch's statistics; running averages at evaluation",
            .params = SCHEMA(struct batch_norm_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .has_parameters = true,
    .columns = 2,
    .running_averages = true,
    .overwrites_back = true,
    .value_unread = true,
    .width = op_input_width,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .update = update,
    .flops = flops,
    .onnx = onnx,
};
