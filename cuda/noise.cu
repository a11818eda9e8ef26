// Normal noise and the latent layer's draw. Compiled without contraction to fma, so that the draws are the CPU's bits;
// the arithmetic of a draw, not the 8 bytes of a cell, is what takes the time.
#include "entries.h"
#include "loops.h"
#include "seam.h"

#include "base/random_draw.h"

__device__ static inline real noisy(const struct noise_draw *draw, size_t i, uint32_t unit, real x) {
	return (real)((double)x + (double)draw->sd * draw_normal(draw->stream, draw->epoch, draw->row[i], unit));
}

void gpu_noise(struct device *device, const struct noise_draw *draw, const struct matrix *x, const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	const struct noise_draw drawn = *draw;
	each_cell(device, y->rows, y->columns, [=] __device__(size_t i, size_t j) {
		*at(&to, i, j) = noisy(&drawn, i, drawn.unit + (uint32_t)j, *at(&from, i, j));
	});
}

void gpu_noise_sparse(struct device *device, const struct noise_draw *draw, const struct sparse *s, real *ret_value) {
	const struct noise_draw drawn = *draw;
	const struct sparse from = *s;
	each_entry(device, s, [=] __device__(size_t i, uint32_t k) {
		ret_value[k] = noisy(&drawn, i, from.column[k], from.value[k]);
	});
}

void gpu_gaussian(struct device *device, const struct noise_draw *draw, const struct gaussian_values *values) {
	const struct gaussian_values g = *values;
	const bool draws = draw;
	const struct noise_draw drawn = draw ? *draw : noise_draw{};
	each_cell(device, g.z.rows, g.z.columns, [=] __device__(size_t i, size_t j) {
		const uint32_t unit = drawn.unit + (uint32_t)j;
		const double s = draws ? drawn.sd * draw_normal(drawn.stream, drawn.epoch, drawn.row[i], unit) : 0;
		*at(&g.noise, i, j) = (real)s;
		*at(&g.z, i, j) = *at(&g.mean, i, j) + (real)s * gaussian_deviation(*at(&g.log_variance, i, j));
	});
}
