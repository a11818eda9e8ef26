// Sums over columns, over all cells, and of few numbers; in double, in an order that depends on the shape alone. Each
// reads its matrix once.
#include "loops.h"
#include "seam.h"

void gpu_column_sums(struct device *device, const struct matrix *y, real *ret) {
	const struct matrix from = *y;
	sum_columns(
	    device, y->rows, y->columns,
	    [=] __device__(size_t i, size_t j) {
		    return pair{*at(&from, i, j), 0};
	    },
	    [=] __device__(size_t j, struct pair sum) { ret[j] = (real)sum.a; });
}

void gpu_squares(struct device *device, const struct matrix *x, double *ret) {
	const struct matrix from = *x;
	sum_cells(
	    device, x->rows, x->columns,
	    [=] __device__(size_t i, size_t j) { return (double)*at(&from, i, j) * *at(&from, i, j); }, ret);
}

static __global__ void __launch_bounds__(THREADS)
    sum_kernel(double factor, const double *from, size_t count, bool more, double *ret) {
	double sum = 0;
	for (size_t i = threadIdx.x; i < count; i += THREADS)
		sum += from[i];
	sum = group_sum<THREADS>(sum);
	if (threadIdx.x == 0)
		ret[0] = (more ? ret[0] : 0) + factor * sum;
}

void gpu_sum(struct device *device, double factor, const double *from, size_t count, bool more, double *ret) {
	RUN_ON(device, sum_kernel, dim3(1), THREADS, factor, from, count, more, ret);
}

// As PyTorch's clip_grad_norm_, with its 1e-6.
static __global__ void clip_kernel(double norm, const double *squares, double *ret) {
	*ret = fmin(1.0, norm / (sqrt(*squares) + 1e-6));
}
void gpu_clip(struct device *device, double norm, const double *squares, double *ret) {
	RUN_ON(device, clip_kernel, dim3(1), 1, norm, squares, ret);
}
