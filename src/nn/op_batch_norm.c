// batch_norm: gamma (x - mean) / sqrt(variance + epsilon) + beta, by the batch's own statistics (biased variance) in
// training, by running averages at evaluation (Ioffe and Szegedy 2015). Defaults are Keras'.
#include "nn/network.h"

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

static void run_forward(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	const struct backend *backend = p->network->backend;
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	(p->training ? backend->batch_norm : backend->batch_norm_running)(p->network->device, &state, &x, &y);
}

static void run_backward(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct batch_norm_state state = state_of(p, node, tile->column);
	struct matrix value = pass_value(p, input), gradient = pass_gradient(p, node);
	struct matrix x = pass_tile(p, input, &value, tile), dy = pass_tile(p, node, &gradient, tile), dx = {0};
	if (input->needs_gradient) {
		struct matrix below = pass_gradient(p, input);
		dx = pass_tile(p, input, &below, tile);
	}
	p->network->backend->batch_norm_back(p->network->device, &state, &x, &dy, step->beta,
	                                     input->needs_gradient ? &dx : NULL,
	                                     pass_parameter_gradient(p, node->parameters[GAMMA], tile).data,
	                                     pass_parameter_gradient(p, node->parameters[BETA], tile).data);
	pass_update(p, node->parameters[GAMMA], tile);
	pass_update(p, node->parameters[BETA], tile);
}

static void forward(struct maker *m, const struct node *node) {
	maker_step(m, node, run_forward, CUT_COLUMNS, node);
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	for (size_t i = 0; i < node->parameters_count; i++)
		maker_weight(m, node->parameters[i], WRITE_OWN);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	maker_step(m, node, run_backward, CUT_COLUMNS, node);
	maker_elements(m, TENSOR_VALUE, input, false);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	for (size_t i = 0; i < node->parameters_count; i++)
		maker_weight(m, node->parameters[i], WRITE_OWN);
	if (input->needs_gradient) {
		maker_elements(m, TENSOR_GRADIENT, input, true);
		maker_first_writes(m, input);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph;
	return 17.0 * (double)node->width; // 3 passes forward, 2 back
}

const struct op op_batch_norm = {
    .row = {.name = "batch_norm",
            .doc = "Normalises each column by the batch's statistics; running averages at evaluation",
            .params = SCHEMA(struct batch_norm_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .has_parameters = true,
    .columns = 2,
    .width = op_input_width,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
