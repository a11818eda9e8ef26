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

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	(void)errors;
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
	node->width = node->inputs[0]->width;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct parameter *p = graph_parameter(graph, node, vectors[i].suffix, 1, node->width);
		p->vector = true;
		p->fill = vectors[i].fill;
		p->trainable = vectors[i].trainable;
	}
}

static struct batch_norm_state state_of(struct network *n, const struct node *node) {
	const struct batch_norm_params *p = node->params;
	struct slot *slot = network_slot(n, node);
	return (struct batch_norm_state){
	    .gamma = network_weight(n, node->parameters[GAMMA]).data,
	    .beta = network_weight(n, node->parameters[BETA]).data,
	    .running_mean = network_weight(n, node->parameters[MEAN]).data,
	    .running_variance = network_weight(n, node->parameters[VARIANCE]).data,
	    .mean = slot->column[BATCH_MEAN],
	    .inverse_deviation = slot->column[BATCH_INVERSE_DEVIATION],
	    .momentum = (real)p->momentum,
	    .epsilon = (real)p->epsilon,
	};
}

static void forward(struct network *n, const struct node *node) {
	struct matrix x = network_value(n, node->inputs[0]), y = network_value(n, node);
	struct batch_norm_state state = state_of(n, node);
	(n->training ? n->backend->batch_norm : n->backend->batch_norm_running)(n->device, &state, &x, &y);
}

static void backward(struct network *n, const struct node *node) {
	struct node *input = node->inputs[0];
	struct matrix x = network_value(n, input), dy = network_gradient(n, node), dx = {0};
	struct batch_norm_state state = state_of(n, node);
	real beta = 0;
	if (input->needs_gradient) {
		dx = network_gradient(n, input);
		beta = network_gradient_beta(n, input);
	}
	n->backend->batch_norm_back(n->device, &state, &x, &dy, beta, input->needs_gradient ? &dx : NULL,
	                            network_parameter_gradient(n, node->parameters[GAMMA]).data,
	                            network_parameter_gradient(n, node->parameters[BETA]).data);
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
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
