// The latent layer of the reference backend: the plainest loops over tensor/gaussian.h.
#include "tensor/reference.h"

void reference_gaussian(struct device *device, const struct noise_draw *draw, const struct gaussian_values *g) {
	(void)device;
	for (size_t i = 0; i < g->z.rows; i++)
		for (size_t j = 0; j < g->z.columns; j++) {
			real s = !draw ? 0
			               : (real)(draw->sd *
			                        random_normal(draw->stream, draw->epoch, draw->row[i], draw->unit + (uint32_t)j));
			*at(&g->noise, i, j) = s;
			*at(&g->z, i, j) = *at(&g->mean, i, j) + s * gaussian_deviation(*at(&g->log_variance, i, j));
		}
}

static double divergence(const struct gaussian_prior *prior, const struct gaussian_values *g, size_t i, size_t j) {
	real v = *at(&g->log_variance, i, j);
	if (!prior->mixture)
		return (double)standard_divergence(*at(&g->mean, i, j), v);
	return (double)mixture_divergence(prior->mixture, *at(&g->z, i, j), v, *at(&g->noise, i, j),
	                                  *at(&g->old_mean, i, j), *at(&g->old_log_variance, i, j));
}

void reference_gaussian_divergence(struct device *device, const struct gaussian_prior *prior,
                                   const struct gaussian_values *g, double *ret_sum) {
	(void)device;
	for (size_t i = 0; i < g->z.rows; i++) {
		double sum = 0;
		for (size_t j = 0; j < g->z.columns; j++)
			sum += divergence(prior, g, i, j);
		ret_sum[i] = sum * gaussian_weight(prior, i);
	}
}

void reference_gaussian_back(struct device *device, const struct gaussian_prior *prior, const struct gaussian_values *g,
                             bool variance, const struct matrix *dz, real beta, const struct matrix *d) {
	(void)device;
	for (size_t i = 0; i < d->rows; i++)
		for (size_t j = 0; j < d->columns; j++) {
			real v = *at(&g->log_variance, i, j), s = *at(&g->noise, i, j);
			double weight = gaussian_weight(prior, i), by_z = *at(dz, i, j);
			if (prior->mixture)
				by_z += weight * mixture_slope(prior->mixture, *at(&g->z, i, j), *at(&g->old_mean, i, j),
				                               *at(&g->old_log_variance, i, j));
			double by_mean = prior->mixture ? 0 : *at(&g->mean, i, j);
			double by_variance = prior->mixture ? -0.5 : standard_slope_variance(v);
			double fresh =
			    variance ? by_z * 0.5 * s * gaussian_deviation(v) + weight * by_variance : by_z + weight * by_mean;
			*at(d, i, j) = blend(beta, *at(d, i, j), fresh);
		}
}
