// Activations by name. The functions are in tensor/elementwise.h; a row here says how an experiment names them.
#include "nn/op.h"

struct parameter_params {
	double p;
};

static const struct key leaky_relu_keys[] = {
    {.name = "slope",
     .type = KEY_REAL,
     .offset = offsetof(struct parameter_params, p),
     .fallback = "0.01",
     .min = 0,
     .max = 1,
     .flags = KEY_OPEN_MIN,
     .doc = "Slope below 0 (PyTorch's default; Keras has 0.3)"},
};
static const struct key elu_keys[] = {
    {.name = "alpha",
     .type = KEY_REAL,
     .offset = offsetof(struct parameter_params, p),
     .fallback = "1.0",
     .min = 0,
     .max = 1e6,
     .flags = KEY_OPEN_MIN,
     .doc = "The value that it approaches far below 0 is -alpha"},
};

#define ACTIVATION(NAME, text, operator, line, x, ...)                                                                 \
	{                                                                                                                  \
		.row = {.name = text, .doc = line, .params = __VA_ARGS__}, .id = ACTIVATION_##NAME, .needs_x = x,              \
		.onnx = operator,                                                                                              \
	}

static const struct activation activations[ACTIVATION_COUNT] = {
    ACTIVATION(IDENTITY, "identity", "Identity", "y = x", false, SCHEMA_NONE),
    ACTIVATION(RELU, "relu", "Relu", "y = max(x, 0)", false, SCHEMA_NONE),
    ACTIVATION(LEAKY_RELU, "leaky_relu", "LeakyRelu", "y = x above 0, slope x below", false,
               SCHEMA(struct parameter_params, leaky_relu_keys)),
    ACTIVATION(ELU, "elu", "Elu", "y = x above 0, alpha (exp(x) - 1) below (Clevert et al. 2015)", false,
               SCHEMA(struct parameter_params, elu_keys)),
    ACTIVATION(SELU, "selu", "Selu", "Self-normalising elu with fixed scale and alpha (Klambauer et al. 2017)", false,
               SCHEMA_NONE),
    ACTIVATION(SIGMOID, "sigmoid", "Sigmoid", "y = 1 / (1 + exp(-x))", false, SCHEMA_NONE),
    ACTIVATION(TANH, "tanh", "Tanh", "y = tanh(x)", false, SCHEMA_NONE),
    ACTIVATION(SOFTPLUS, "softplus", "Softplus", "y = log(1 + exp(x))", false, SCHEMA_NONE),
    ACTIVATION(SWISH, "swish", "Sigmoid", "y = x / (1 + exp(-x)), also called SiLU (Ramachandran et al. 2017)", true,
               SCHEMA_NONE),
};

static const struct row *const rows[ACTIVATION_COUNT] = {
#define X(NAME, name, needs_x) &activations[ACTIVATION_##NAME].row,
    ACTIVATIONS(X)
#undef X
};
const struct registry activation_registry = {"activation", "activations", rows, ACTIVATION_COUNT};

double activation_parameter(const struct activation_config *config) {
	const struct parameter_params *params = config->kind.params;
	return config->kind.row->params.count ? params->p : 0;
}
