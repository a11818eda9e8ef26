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

static double normal(double sd, struct random_stream stream, size_t i, size_t j) {
	return sd * random_normal(stream, 0, i, (uint32_t)j);
}
static double uniform(double limit, struct random_stream stream, size_t i, size_t j) {
	return limit * (2 * random_uniform(stream, 0, i, (uint32_t)j) - 1);
}

#define VALUE(NAME, EXPRESSION)                                                                                        \
	static double NAME##_value(const void *params, size_t fan_in, size_t fan_out, struct random_stream stream,         \
	                           size_t i, size_t j) {                                                                   \
		double in = (double)fan_in, out = (double)fan_out;                                                             \
		(void)in, (void)out, (void)params, (void)stream, (void)i, (void)j;                                             \
		return EXPRESSION;                                                                                             \
	}
VALUE(normal, normal(((const struct normal_params *)params)->sd, stream, i, j))
VALUE(uniform, uniform(((const struct uniform_params *)params)->limit, stream, i, j))
VALUE(glorot_uniform, uniform(sqrt(6 / (in + out)), stream, i, j))
VALUE(glorot_normal, normal(sqrt(2 / (in + out)), stream, i, j))
VALUE(he_uniform, uniform(sqrt(6 / in), stream, i, j))
VALUE(he_normal, normal(sqrt(2 / in), stream, i, j))
VALUE(zeros, 0)

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
     normal_value},
    {{"uniform", "Uniform on [-limit, limit)", SCHEMA(struct uniform_params, uniform_keys)}, uniform_value},
    {{"glorot_uniform", "Uniform, limit sqrt(6 / (inputs + units))", SCHEMA_NONE}, glorot_uniform_value},
    {{"glorot_normal", "Normal, variance 2 / (inputs + units)", SCHEMA_NONE}, glorot_normal_value},
    {{"he_uniform", "Uniform, limit sqrt(6 / inputs)", SCHEMA_NONE}, he_uniform_value},
    {{"he_normal", "Normal, variance 2 / inputs", SCHEMA_NONE}, he_normal_value},
    {{"zeros", "All 0", SCHEMA_NONE}, zeros_value},
};
static const struct row *const rows[] = {
    &initializers[0].row, &initializers[1].row, &initializers[2].row, &initializers[3].row,
    &initializers[4].row, &initializers[5].row, &initializers[6].row,
};
const struct registry initializer_registry = {"initializer", "initializers", rows, sizeof(rows) / sizeof(rows[0])};
