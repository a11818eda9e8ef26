// Losses of cells, and soft-max over a row's cells. A block a row, which reads its predictions, writes its gradients,
// and has the row's targets beside them; soft-max reads the predictions twice.
#include "loops.h"
#include "seam.h"
#include "targets.h"
#include "tensor/softmax.h"

struct loss_rows {
	struct targets targets;
	struct matrix prediction, gradient;
};

#define X(NAME, name)                                                                                                  \
	struct name##_cell {                                                                                               \
		__device__ static real loss(real y, real t, real p) { return name##_loss(y, t, p); }                           \
		__device__ static real slope(real y, real t, real p) { return name##_slope(y, t, p); }                         \
	};
CELL_LOSSES(X)
#undef X

template <typename CELL> void loss_by(struct device *device, struct loss_rows rows, double *ret_sum) {
	each_row_by_block(device, rows.targets.target.rows, [=] __device__(auto group, size_t i) {
		const struct loss_cells *cells = &rows.targets.cells;
		const size_t row = rows.targets.packed ? 0 : i;
		const double scale = scale_of(&rows.targets, i);
		double sum = 0;
		each_target(
		    &rows.targets, i,
		    [&](size_t place, real t, bool stored) {
			    const real y = *at(&rows.prediction, row, place);
			    const real weight = stored ? loss_weight(cells, t) : cells->unobserved;
			    sum += (double)weight * CELL::loss(y, t, cells->p);
			    *at(&rows.gradient, row, place) = CELL::slope(y, t, cells->p) * ((real)scale * weight);
		    },
		    [&](size_t place) { *at(&rows.gradient, row, place) = 0; });
		sum = group.sum(sum);
		if (group.first == 0)
			ret_sum[i] = scale * sum;
	});
}

void gpu_loss(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
              const struct matrix *prediction, const struct matrix *gradient, double *ret_sum) {
	const struct loss_rows rows = {targets_of(cells, packed, first, prediction->columns), *prediction, *gradient};
	switch (cells->id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		loss_by<name##_cell>(device, rows, ret_sum);                                                                   \
		break;
		CELL_LOSSES(X)
#undef X
	case CELL_LOSS_COUNT:
		break;
	}
}

void gpu_softmax_parts(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                       const struct matrix *prediction, const struct matrix *kept, struct softmax_part *ret) {
	const struct loss_rows rows = {targets_of(cells, packed, first, prediction->columns), *prediction, *kept};
	each_row_by_block(device, cells->target->rows, [=] __device__(auto group, size_t i) {
		const size_t row = rows.targets.packed ? 0 : i;
		struct softmax_part part = {-INFINITY, 0, 0, 0};
		each_target(
		    &rows.targets, i,
		    [&](size_t place, real t, bool) {
			    const real x = *at(&rows.prediction, row, place);
			    part.most = x > part.most ? x : part.most;
			    part.dot += (double)t * x;
			    part.weight += t;
		    },
		    [&](size_t) {});
		part.most = group.most(part.most);
		part.dot = group.sum(part.dot);
		part.weight = group.sum(part.weight);
		each_target(
		    &rows.targets, i,
		    [&](size_t place, real, bool) {
			    const real e = real_exp(*at(&rows.prediction, row, place) - (real)part.most);
			    *at(&rows.gradient, row, place) = e;
			    part.sum += e;
		    },
		    [&](size_t place) { *at(&rows.gradient, row, place) = 0; });
		part.sum = group.sum(part.sum);
		if (group.first == 0)
			ret[i] = part;
	});
}

void gpu_softmax_join(struct device *device, const struct loss_cells *cells, size_t groups, size_t stride,
                      const struct softmax_part *parts, struct softmax_factors *ret_factors, double *ret_sum) {
	const struct targets targets = targets_of(cells, false, 0, 0);
	each_cell(device, 1, cells->target->rows, [=] __device__(size_t, size_t i) {
		ret_sum[i] = softmax_join_row(parts + i, groups, stride, scale_of(&targets, i), ret_factors + i);
	});
}

void gpu_softmax_back(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                      const struct softmax_factors *factors, const struct matrix *gradient) {
	const struct loss_rows rows = {targets_of(cells, packed, first, gradient->columns), *gradient, *gradient};
	each_row_by_block(device, cells->target->rows, [=] __device__(auto, size_t i) {
		const struct softmax_factors f = factors[i];
		each_target(
		    &rows.targets, i,
		    [&](size_t place, real t, bool) {
			    real *g = at(&rows.gradient, rows.targets.packed ? 0 : i, place);
			    *g = f.exponential * *g - f.target * t;
		    },
		    [&](size_t) {});
	});
}
