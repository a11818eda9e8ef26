// Initial weights. An element's value depends on seed, node, parameter and place alone, so it is the same on every
// backend. Glorot and Bengio 2010; He et al. 2015; the normal forms are not truncated (as in PyTorch and Keras of
// 2017).
#include "nn/op.h"

struct normal_params {
	double sd;
};
struct uniform_params {
	double limit;
};

static double sd_of(const void *params, double in, double out) {
	(void)in, (void)out;
	return ((const struct normal_params *)params)->sd;
}
static double limit_of(const void *params, double in, double out) {
	(void)in, (void)out;
	return ((const struct uniform_params *)params)->limit;
}
static double glorot_limit(const void *params, double in, double out) {
	(void)params;
	return sqrt(6 / (in + out));
}
static double glorot_sd(const void *params, double in, double out) {
	(void)params;
	return sqrt(2 / (in + out));
}
static double he_limit(const void *params, double in, double out) {
	(void)params, (void)out;
	return sqrt(6 / in);
}
static double he_sd(const void *params, double in, double out) {
	(void)params, (void)out;
	return sqrt(2 / in);
}

void initializer_fill(const struct initializer *init, const void *params, size_t fan_in, size_t fan_out,
                      struct random_stream stream, size_t row, size_t first, size_t count, double *ret) {
	double scale = init->scale ? init->scale(params, (double)fan_in, (double)fan_out) : 0;
	switch (init->draw) {
	case DRAW_NORMAL:
		random_normals(stream, 0, row, (uint32_t)first, (uint32_t)count, ret);
		for (size_t i = 0; i < count; i++)
			ret[i] *= scale;
		break;
	case DRAW_UNIFORM:
		random_uniforms(stream, 0, row, (uint32_t)first, (uint32_t)count, ret);
		for (size_t i = 0; i < count; i++)
			ret[i] = scale * (2 * ret[i] - 1);
		break;
	case DRAW_ZERO:
		for (size_t i = 0; i < count; i++)
			ret[i] = 0;
		break;
	}
}

static const struct key normal_keys[] = {
    {.name = "sd",
     .type = KEY_REAL,
     .offset = offsetof(struct normal_params, sd),
     .fallback = "0.05",
     .min = 0,
     .max = 1e6,
     .doc = "Standard deviation; the mean is 0"},
};
static const struct key uniform_keys[] = {
    {.name = "limit",
     .type = KEY_REAL,
     .offset = offsetof(struct uniform_params, limit),
     .fallback = "0.05",
     .min = 0,
     .max = 1e6,
     .doc = "Drawn from [-limit, limit)"},
};

static const struct initializer initializers[] = {
    {{"normal", "Normal with mean 0 and standard deviation sd", SCHEMA(struct normal_params, normal_keys)},
     DRAW_NORMAL,
     sd_of},
    {{"uniform", "Uniform on [-limit, limit)", SCHEMA(struct uniform_params, uniform_keys)}, DRAW_UNIFORM, limit_of},
    {{"glorot_uniform", "Uniform, limit sqrt(6 / (inputs + units))", SCHEMA_NONE}, DRAW_UNIFORM, glorot_limit},
    {{"glorot_normal", "Normal, variance 2 / (inputs + units)", SCHEMA_NONE}, DRAW_NORMAL, glorot_sd},
    {{"he_uniform", "Uniform, limit sqrt(6 / inputs)", SCHEMA_NONE}, DRAW_UNIFORM, he_limit},
    {{"he_normal", "Normal, variance 2 / inputs", SCHEMA_NONE}, DRAW_NORMAL, he_sd},
    {{"zeros", "All 0", SCHEMA_NONE}, DRAW_ZERO, NULL},
};
static const struct row *const rows[] = {
    &initializers[0].row, &initializers[1].row, &initializers[2].row, &initializers[3].row,
    &initializers[4].row, &initializers[5].row, &initializers[6].row,
};
const struct registry initializer_registry = {"initializer", "initializers", rows, sizeof(rows) / sizeof(rows[0])};
