// Mathematics of one element of a latent layer, written once for every backend's loops: z = m + s exp(v / 2) with mean
// m, log variance v and a draw s; the divergence of its distribution q = N(m, exp v) from a prior, and the slopes of
// that. What the densities of all normals share, 1 / sqrt(2 pi), cancels and is left out.
#ifndef AEXP_TENSOR_GAUSSIAN_H
#define AEXP_TENSOR_GAUSSIAN_H

#include "base/inline.h"
#include "tensor/real.h"

AEXP_INLINE real gaussian_deviation(real v) {
	return real_exp((real)0.5 * v);
}

// From the standard normal, in closed form: (m^2 + e^v - v - 1) / 2 (Kingma and Welling 2014, appendix B). Its slopes
// are m and (e^v - 1) / 2.
AEXP_INLINE real standard_divergence(real m, real v) {
	return (real)0.5 * (m * m + real_expm1(v) - v);
}
AEXP_INLINE real standard_slope_variance(real v) {
	return (real)0.5 * real_expm1(v);
}

// Shenbin et al. 2020 (RecVAE): a mixture of the standard normal, the distribution that the encoder gave some time ago,
// and a wide normal around 0. The divergence is that of one draw: log q(z) - log p(z).
enum { MIXTURE = 3 };
struct mixture {
	real log_weight[MIXTURE]; // of the standard, the old and the wide one; minus infinity: none
	real wide;                // log variance of the wide one
};

// The logarithms of weight times density; old: mean and log variance.
AEXP_INLINE void mixture_parts(const struct mixture *x, real z, real old_m, real old_v, real part[MIXTURE]) {
	real d = z - old_m;
	part[0] = x->log_weight[0] - (real)0.5 * z * z;
	part[1] = x->log_weight[1] - (real)0.5 * (old_v + d * d * real_exp(-old_v));
	part[2] = x->log_weight[2] - (real)0.5 * (x->wide + z * z * real_exp(-x->wide));
}
AEXP_INLINE real mixture_most(const real part[MIXTURE]) {
	real most = part[0] > part[1] ? part[0] : part[1];
	return most > part[2] ? most : part[2];
}

// s: the draw that z was made with.
AEXP_INLINE real mixture_divergence(const struct mixture *x, real z, real v, real s, real old_m, real old_v) {
	real part[MIXTURE];
	mixture_parts(x, z, old_m, old_v, part);
	real most = mixture_most(part);
	real sum = real_exp(part[0] - most) + real_exp(part[1] - most) + real_exp(part[2] - most);
	return (real)-0.5 * (v + s * s) - most - real_log(sum);
}
// By z alone: log q does not depend on it once s is given; its slope by v is -1/2.
AEXP_INLINE real mixture_slope(const struct mixture *x, real z, real old_m, real old_v) {
	real part[MIXTURE];
	mixture_parts(x, z, old_m, old_v, part);
	real most = mixture_most(part);
	real standard = real_exp(part[0] - most), old = real_exp(part[1] - most), wide = real_exp(part[2] - most);
	return (standard * z + old * (z - old_m) * real_exp(-old_v) + wide * z * real_exp(-x->wide)) /
	       (standard + old + wide);
}

#endif
