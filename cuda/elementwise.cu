// What is done to each cell by itself. Each kernel moves what it names once: a number read, a number written, 4 bytes
// each; one more read where beta is not 0.
#include "loops.h"
#include "seam.h"

void gpu_spread(struct device *device, const real *row, const struct matrix *y) {
	const struct matrix to = *y;
	each_cell(device, y->rows, y->columns, [=] __device__(size_t i, size_t j) { *at(&to, i, j) = row[j]; });
}

void gpu_add(struct device *device, const struct matrix *x, real beta, const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	each_cell(device, y->rows, y->columns,
	          [=] __device__(size_t i, size_t j) { *at(&to, i, j) = blend(beta, at(&to, i, j), *at(&from, i, j)); });
}

void gpu_multiply(struct device *device, const struct matrix *a, const struct matrix *b, real beta,
                  const struct matrix *y) {
	const struct matrix x = *a, z = *b, to = *y;
	each_cell(device, y->rows, y->columns, [=] __device__(size_t i, size_t j) {
		*at(&to, i, j) = blend(beta, at(&to, i, j), *at(&x, i, j) * *at(&z, i, j));
	});
}

void gpu_zero(struct device *device, const struct matrix *x) {
	const struct matrix to = *x;
	each_cell(device, x->rows, x->columns, [=] __device__(size_t i, size_t j) { *at(&to, i, j) = 0; });
}

void gpu_scale(struct device *device, const double *factor, real most, const struct matrix *x) {
	const struct matrix to = *x;
	each_cell(device, x->rows, x->columns, [=] __device__(size_t i, size_t j) {
		const real by = factor ? (real)*factor : 1, scaled = by == 0 ? 0 : *at(&to, i, j) * by;
		*at(&to, i, j) = most > 0 && scaled > most ? most : most > 0 && scaled < -most ? -most : scaled;
	});
}

void gpu_activate(struct device *device, enum activation_id id, real p, const struct matrix *x,
                  const struct matrix *y) {
	const struct matrix from = *x, to = *y;
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		each_cell(device, y->rows, y->columns,                                                                         \
		          [=] __device__(size_t i, size_t j) { *at(&to, i, j) = name##_value(*at(&from, i, j), p); });         \
		break;
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
}

void gpu_activate_back(struct device *device, enum activation_id id, real p, const struct matrix *x,
                       const struct matrix *y, const struct matrix *dy, real beta, const struct matrix *dx) {
	const struct matrix before = x ? *x : *y, after = *y, from = *dy, to = *dx;
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		each_cell(device, y->rows, y->columns, [=] __device__(size_t i, size_t j) {                                    \
			const real slope = name##_slope(needs_x ? *at(&before, i, j) : 0, *at(&after, i, j), p);                   \
			*at(&to, i, j) = blend(beta, at(&to, i, j), *at(&from, i, j) * slope);                                     \
		});                                                                                                            \
		break;
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
}
