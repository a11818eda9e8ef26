// The latent layer's divergence from its prior, and the way back; see tensor/gaussian.h.
#include "loops.h"
#include "seam.h"

// The prior with its mixture, which is the host's, beside it.
struct latent {
	struct gaussian_prior prior;
	struct mixture mixture;
	struct gaussian_values g;
};
static struct latent latent_of(const struct gaussian_prior *prior, const struct gaussian_values *values) {
	struct latent ret = {};
	ret.prior = *prior;
	ret.g = *values;
	if (prior->mixture)
		ret.mixture = *prior->mixture;
	return ret;
}

__device__ static inline double divergence(const struct latent *x, size_t i, size_t j) {
	const struct gaussian_values *g = &x->g;
	const real v = *at(&g->log_variance, i, j);
	if (!x->prior.mixture)
		return standard_divergence(*at(&g->mean, i, j), v);
	return mixture_divergence(&x->mixture, *at(&g->z, i, j), v, *at(&g->noise, i, j), *at(&g->old_mean, i, j),
	                          *at(&g->old_log_variance, i, j));
}

void gpu_gaussian_divergence(struct device *device, const struct gaussian_prior *prior,
                             const struct gaussian_values *values, double *ret_sum) {
	const struct latent x = latent_of(prior, values);
	each_row(device, x.g.z.rows, x.g.z.columns, [=] __device__(auto group, size_t i) {
		double sum = 0;
		for (size_t j = group.first; j < x.g.z.columns; j += group.SIZE)
			sum += divergence(&x, i, j);
		sum = group.sum(sum);
		if (group.first == 0)
			ret_sum[i] = sum * gaussian_weight(&x.prior, i);
	});
}

__device__ static inline real slope_of(const struct latent *x, bool variance, real by_z, size_t i, size_t j) {
	const struct gaussian_values *g = &x->g;
	const real weight = (real)gaussian_weight(&x->prior, i), v = *at(&g->log_variance, i, j);
	const bool mixed = x->prior.mixture;
	if (mixed)
		by_z += weight *
		        mixture_slope(&x->mixture, *at(&g->z, i, j), *at(&g->old_mean, i, j), *at(&g->old_log_variance, i, j));
	if (!variance)
		return mixed ? by_z : by_z + weight * *at(&g->mean, i, j);
	const real by_variance = mixed ? (real)-0.5 : standard_slope_variance(v);
	return by_z * (real)0.5 * *at(&g->noise, i, j) * gaussian_deviation(v) + weight * by_variance;
}

void gpu_gaussian_back(struct device *device, const struct gaussian_prior *prior, const struct gaussian_values *values,
                       bool variance, const struct matrix *dz, real beta, const struct matrix *d) {
	const struct latent x = latent_of(prior, values);
	const struct matrix from = *dz, to = *d;
	each_cell(device, d->rows, d->columns, [=] __device__(size_t i, size_t j) {
		*at(&to, i, j) = blend(beta, at(&to, i, j), slope_of(&x, variance, *at(&from, i, j), i, j));
	});
}
