// What is done row by row: a row is read once for its sums, which leaves it in the cache, and once more for the result.
#include "loops.h"
#include "seam.h"

// 1 over the norm, or over epsilon.
__device__ static inline real inverse_of(double squares, real epsilon) {
	return sqrt(squares) > (double)epsilon ? (real)(1 / sqrt(squares)) : 1 / epsilon;
}

void gpu_normalize(struct device *device, real epsilon, const struct matrix *x, const struct matrix *y, real *inverse) {
	const struct matrix from = *x, to = *y;
	each_row(device, y->rows, y->columns, [=] __device__(auto group, size_t i) {
		double sum = 0;
		for (size_t j = group.first; j < from.columns; j += group.SIZE)
			sum += (double)*at(&from, i, j) * *at(&from, i, j);
		const real by = inverse_of(group.sum(sum), epsilon);
		for (size_t j = group.first; j < to.columns; j += group.SIZE)
			*at(&to, i, j) = *at(&from, i, j) * by;
		if (group.first == 0)
			inverse[i] = by;
	});
}

void gpu_normalize_back(struct device *device, real epsilon, const struct matrix *y, const real *inverse,
                        const struct matrix *dy, real beta, const struct matrix *dx) {
	const struct matrix after = *y, from = *dy, to = *dx;
	each_row(device, y->rows, y->columns, [=] __device__(auto group, size_t i) {
		double along = 0; // of dy, in the direction that does not count
		for (size_t j = group.first; inverse[i] < 1 / epsilon && j < after.columns; j += group.SIZE)
			along += (double)*at(&after, i, j) * *at(&from, i, j);
		along = group.sum(along);
		for (size_t j = group.first; j < after.columns; j += group.SIZE) {
			const double fresh = inverse[i] * (*at(&from, i, j) - *at(&after, i, j) * along);
			*at(&to, i, j) = blend(beta, at(&to, i, j), (real)fresh);
		}
	});
}

void gpu_normalize_sparse(struct device *device, const struct sparse *s, real epsilon, real *ret_value) {
	const struct sparse from = *s;
	each_row_by_block(device, s->rows, [=] __device__(auto group, size_t i) {
		double sum = 0;
		for (uint32_t k = from.start[i] + group.first; k < from.start[i + 1]; k += group.SIZE)
			sum += (double)from.value[k] * from.value[k];
		const real by = inverse_of(group.sum(sum), epsilon);
		for (uint32_t k = from.start[i] + group.first; k < from.start[i + 1]; k += group.SIZE)
			ret_value[k] = from.value[k] * by;
	});
}

// Ba, Kiros and Hinton 2016, equation 4.
void gpu_layer_norm(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                    const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	const struct layer_norm_state s = *state;
	each_row(device, y->rows, y->columns, [=] __device__(auto group, size_t i) {
		const double n = (double)from.columns;
		double sum = 0, squares = 0;
		for (size_t j = group.first; j < from.columns; j += group.SIZE)
			sum += *at(&from, i, j);
		const double mean = group.sum(sum) / n;
		for (size_t j = group.first; j < from.columns; j += group.SIZE)
			squares += (*at(&from, i, j) - mean) * (*at(&from, i, j) - mean);
		const double inverse = 1 / sqrt(group.sum(squares) / n + (double)s.epsilon);
		for (size_t j = group.first; j < to.columns; j += group.SIZE)
			*at(&to, i, j) = (real)(s.gamma[j] * ((*at(&from, i, j) - mean) * inverse) + s.beta[j]);
		if (group.first == 0) {
			s.mean[i] = (real)mean;
			s.inverse[i] = (real)inverse;
		}
	});
}

__device__ static inline double z_of(const struct layer_norm_state *s, const struct matrix *x, size_t i, size_t j) {
	return ((double)*at(x, i, j) - s->mean[i]) * s->inverse[i];
}

void gpu_layer_norm_back(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                         const struct matrix *dy, real beta, const struct matrix *dx) {
	const struct matrix before = *x, from = *dy, to = *dx;
	const struct layer_norm_state s = *state;
	each_row(device, x->rows, x->columns, [=] __device__(auto group, size_t i) {
		const double n = (double)before.columns;
		double mean = 0, mean_z = 0;
		for (size_t j = group.first; j < before.columns; j += group.SIZE) {
			const double g = (double)s.gamma[j] * *at(&from, i, j);
			mean += g;
			mean_z += g * z_of(&s, &before, i, j);
		}
		mean = group.sum(mean) / n;
		mean_z = group.sum(mean_z) / n;
		for (size_t j = group.first; j < before.columns; j += group.SIZE) {
			const double g = (double)s.gamma[j] * *at(&from, i, j);
			const double d = s.inverse[i] * (g - mean - z_of(&s, &before, i, j) * mean_z);
			*at(&to, i, j) = blend(beta, at(&to, i, j), (real)d);
		}
	});
}

void gpu_layer_norm_sums(struct device *device, const struct layer_norm_state *state, const struct matrix *x,
                         const struct matrix *dy, real *dgamma, real *dbeta) {
	const struct matrix before = *x, from = *dy;
	const struct layer_norm_state s = *state;
	sum_columns(
	    device, x->rows, x->columns,
	    [=] __device__(size_t i, size_t j) {
		    return pair{*at(&from, i, j) * z_of(&s, &before, i, j), *at(&from, i, j)};
	    },
	    [=] __device__(size_t j, struct pair sum) {
		    dgamma[j] = (real)sum.a;
		    dbeta[j] = (real)sum.b;
	    });
}
