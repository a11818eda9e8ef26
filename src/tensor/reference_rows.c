// Reference versions of what is done row by row, and of noise.
#include "tensor/reference.h"

#include <math.h>

static real noisy(const struct noise_draw *draw, size_t row, uint32_t unit, real x) {
	return (real)((double)x + (double)draw->sd * random_normal(draw->stream, draw->epoch, draw->row[row], unit));
}

void reference_noise(struct device *device, const struct noise_draw *draw, const struct matrix *x,
                     const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = noisy(draw, i, draw->unit + (uint32_t)j, *at(x, i, j));
}

void reference_noise_sparse(struct device *device, const struct noise_draw *draw, const struct sparse *s,
                            real *ret_value) {
	(void)device;
	for (size_t i = 0; i < s->rows; i++)
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			ret_value[k] = noisy(draw, i, s->column[k], s->value[k]);
}

void reference_multiply(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
                        const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = blend(beta, *at(y, i, j), (double)*at(a, i, j) * *at(b, i, j));
}

// 1 over the norm, or over epsilon.
static real inverse_norm(const real *x, size_t n, real epsilon) {
	double sum = 0;
	for (size_t j = 0; j < n; j++)
		sum += (double)x[j] * x[j];
	return sqrt(sum) > (double)epsilon ? (real)(1 / sqrt(sum)) : 1 / epsilon;
}

void reference_normalize(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y,
                         real *inverse) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		inverse[i] = inverse_norm(at(x, i, 0), x->columns, epsilon);
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = *at(x, i, j) * inverse[i];
	}
}

void reference_normalize_back(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
                              const struct matrix *dy, real beta, const struct matrix *dx) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		double along = 0; // of dy, in the direction that does not count
		for (size_t j = 0; inverse[i] < 1 / epsilon && j < y->columns; j++)
			along += (double)*at(y, i, j) * *at(dy, i, j);
		for (size_t j = 0; j < y->columns; j++)
			*at(dx, i, j) = blend(beta, *at(dx, i, j), inverse[i] * (*at(dy, i, j) - *at(y, i, j) * along));
	}
}

void reference_normalize_sparse(struct device *device, const struct sparse *s, real epsilon, real *ret_value) {
	(void)device;
	for (size_t i = 0; i < s->rows; i++) {
		real inverse = inverse_norm(s->value + s->start[i], s->start[i + 1] - s->start[i], epsilon);
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			ret_value[k] = s->value[k] * inverse;
	}
}

// Ba, Kiros and Hinton 2016, equation 4.
void reference_layer_norm(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                          const struct matrix *y) {
	(void)device;
	double n = (double)x->columns;
	for (size_t i = 0; i < y->rows; i++) {
		double mean = 0, squares = 0;
		for (size_t j = 0; j < x->columns; j++)
			mean += *at(x, i, j) / n;
		for (size_t j = 0; j < x->columns; j++)
			squares += (*at(x, i, j) - mean) * (*at(x, i, j) - mean);
		double inverse = 1 / sqrt(squares / n + (double)state->epsilon);
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = (real)(state->gamma[j] * ((*at(x, i, j) - mean) * inverse) + state->beta[j]);
		state->mean[i] = (real)mean;
		state->inverse[i] = (real)inverse;
	}
}

static double z_of(const struct layer_norm_state *state, const struct matrix *x, size_t i, size_t j) {
	return ((double)*at(x, i, j) - state->mean[i]) * state->inverse[i];
}

void reference_layer_norm_back(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                               const struct matrix *dy, real beta, const struct matrix *dx) {
	(void)device;
	double n = (double)x->columns;
	for (size_t i = 0; i < x->rows; i++) {
		double mean = 0, mean_z = 0;
		for (size_t j = 0; j < x->columns; j++) {
			double g = (double)state->gamma[j] * *at(dy, i, j);
			mean += g / n;
			mean_z += g * z_of(state, x, i, j) / n;
		}
		for (size_t j = 0; j < x->columns; j++) {
			double g = (double)state->gamma[j] * *at(dy, i, j);
			double d = state->inverse[i] * (g - mean - z_of(state, x, i, j) * mean_z);
			*at(dx, i, j) = blend(beta, *at(dx, i, j), d);
		}
	}
}

void reference_layer_norm_sums(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                               const struct matrix *dy, real *dgamma, real *dbeta) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++) {
		double sum = 0, product = 0;
		for (size_t i = 0; i < x->rows; i++) {
			sum += *at(dy, i, j);
			product += *at(dy, i, j) * z_of(state, x, i, j);
		}
		dbeta[j] = (real)sum;
		dgamma[j] = (real)product;
	}
}
