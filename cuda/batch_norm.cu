// Ioffe and Szegedy 2015, algorithm 1; biased variance; running = momentum running + (1 - momentum) batch, as in Keras.
#include "loops.h"
#include "seam.h"

// Deviations from the block's first row, whose squares lose nothing in double; blocks are joined as in Chan et al.
// 1979.
void gpu_batch_norm_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                           const struct matrix *x) {
	const struct matrix from = *x;
	const struct batch_norm_state s = *state;
	sum_columns(
	    device, x->rows, x->columns,
	    [=] __device__(size_t i, size_t j) {
		    const double d = (double)*at(&from, i, j) - *at(&from, 0, j);
		    return pair{d, d * d};
	    },
	    [=] __device__(size_t j, struct pair sum) {
		    const double n = (double)from.rows, old = (double)before, mean = *at(&from, 0, j) + sum.a / n;
		    const double squares = sum.b - sum.a * sum.a / n, apart = before ? mean - s.mean[j] : 0;
		    s.mean[j] = (real)(before ? s.mean[j] + apart * n / (old + n) : mean);
		    s.inverse_deviation[j] =
		        (real)((before ? s.inverse_deviation[j] : 0) + squares + apart * apart * old * n / (old + n));
	    });
}

void gpu_batch_norm_finish(struct device *device, const struct batch_norm_state *state, size_t rows, size_t columns) {
	const struct batch_norm_state s = *state;
	each_cell(device, 1, columns, [=] __device__(size_t, size_t j) {
		const double variance = s.inverse_deviation[j] / (double)rows;
		s.inverse_deviation[j] = (real)(1 / sqrt(variance + (double)s.epsilon));
		s.running_mean[j] += (1 - s.momentum) * (s.mean[j] - s.running_mean[j]);
		s.running_variance[j] += (1 - s.momentum) * ((real)variance - s.running_variance[j]);
	});
}

void gpu_batch_norm(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                    const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	const struct batch_norm_state s = *state;
	each_cell(device, x->rows, x->columns, [=] __device__(size_t i, size_t j) {
		*at(&to, i, j) = s.gamma[j] * ((*at(&from, i, j) - s.mean[j]) * s.inverse_deviation[j]) + s.beta[j];
	});
}

void gpu_batch_norm_running(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                            const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	const struct batch_norm_state s = *state;
	each_cell(device, x->rows, x->columns, [=] __device__(size_t i, size_t j) {
		const real inverse = 1 / real_sqrt(s.running_variance[j] + s.epsilon);
		*at(&to, i, j) = s.gamma[j] * ((*at(&from, i, j) - s.running_mean[j]) * inverse) + s.beta[j];
	});
}

void gpu_batch_norm_back_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                                const struct matrix *x, const struct matrix *dy, real *dgamma, real *dbeta) {
	const struct matrix from = *x, slope = *dy;
	const struct batch_norm_state s = *state;
	sum_columns(
	    device, x->rows, x->columns,
	    [=] __device__(size_t i, size_t j) {
		    const double z = ((double)*at(&from, i, j) - s.mean[j]) * s.inverse_deviation[j];
		    return pair{*at(&slope, i, j) * z, *at(&slope, i, j)};
	    },
	    [=] __device__(size_t j, struct pair sum) {
		    dgamma[j] = (real)((before ? dgamma[j] : 0) + sum.a);
		    dbeta[j] = (real)((before ? dbeta[j] : 0) + sum.b);
	    });
}

// With n rows, z the normalised input: dx = gamma / deviation (dy - mean(dy) - z mean(dy z)).
void gpu_batch_norm_back(struct device *device, const struct batch_norm_state *state, size_t rows, const real *dgamma,
                         const real *dbeta, const struct matrix *x, const struct matrix *dy, real beta,
                         const struct matrix *dx) {
	const struct matrix before = *x, from = *dy, to = *dx;
	const struct batch_norm_state s = *state;
	const real n = (real)rows;
	each_cell(device, x->rows, x->columns, [=] __device__(size_t i, size_t j) {
		const real inverse = s.inverse_deviation[j], z = (*at(&before, i, j) - s.mean[j]) * inverse;
		const real d = *at(&from, i, j) - (dbeta[j] + z * dgamma[j]) / n;
		*at(&to, i, j) = blend(beta, at(&to, i, j), s.gamma[j] * inverse * d);
	});
}
