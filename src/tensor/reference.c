// The reference backend: every function of the seam as the plainest C that is right, one thread, sums in double. It is
// what the other backends are held against, and what a reader should read first.
#include "tensor/reference.h"

#include "tensor/cpu.h"
#include "tensor/philox.h"

#include <stdio.h>
#include <string.h>

static bool reference_open(const struct backend *backend, struct pool *pool, const struct backend_options *options,
                           struct device **ret, struct error *error) {
	(void)pool; // one thread, on purpose
	if (!cpu_open(backend, NULL, options, ret, error))
		return false;
	snprintf((*ret)->description, sizeof((*ret)->description), "reference (plain C, one thread)");
	return true;
}

static void reference_gemm(struct device *device, bool ta, bool tb, const struct matrix *a, const struct matrix *b,
                           real beta, const struct matrix *c) {
	(void)device;
	size_t inner = ta ? a->rows : a->columns;
	for (size_t i = 0; i < c->rows; i++) {
		for (size_t j = 0; j < c->columns; j++) {
			double sum = 0;
			for (size_t k = 0; k < inner; k++)
				sum += (double)*(ta ? at(a, k, i) : at(a, i, k)) * *(tb ? at(b, j, k) : at(b, k, j));
			*at(c, i, j) = blend(beta, *at(c, i, j), sum);
		}
	}
}

static void reference_sparse_times(struct device *device, const struct sparse *s, const struct matrix *w,
                                   const real *bias, real beta, const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < s->rows; i++) {
		for (size_t j = 0; j < y->columns; j++) {
			double sum = bias ? bias[j] : 0;
			for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
				sum += (double)s->value[k] * *at(w, s->column[k], j);
			*at(y, i, j) = blend(beta, *at(y, i, j), sum);
		}
	}
}

static void reference_transposed_times(struct device *device, const struct transposed *t, const uint32_t *place,
                                       const real *value, const struct matrix *y, real beta, const struct matrix *g) {
	(void)device;
	for (size_t i = 0; i < t->count; i++) {
		for (size_t j = 0; j < g->columns; j++) {
			double sum = 0;
			for (uint32_t k = t->start[i]; k < t->start[i + 1]; k++)
				sum += (double)value[t->entry[k]] * *at(y, t->row[k], j);
			real *to = at(g, place ? place[i] : i, j);
			*to = blend(beta, *to, sum);
		}
	}
}

static void reference_transposed_sums(struct device *device, const struct transposed *t, const real *value, real *ret) {
	(void)device;
	for (size_t i = 0; i < t->count; i++) {
		double sum = 0;
		for (uint32_t k = t->start[i]; k < t->start[i + 1]; k++)
			sum += value[t->entry[k]];
		ret[i] = (real)sum;
	}
}

static void reference_cells_times(struct device *device, const struct sparse *pattern, const struct matrix *h,
                                  const struct matrix *w, real *ret) {
	(void)device;
	for (size_t i = 0; i < pattern->rows; i++) {
		for (uint32_t k = pattern->start[i]; k < pattern->start[i + 1]; k++) {
			double sum = 0;
			for (size_t j = 0; j < h->columns; j++)
				sum += (double)*at(h, i, j) * *at(w, pattern->column[k], j);
			ret[k] = (real)sum;
		}
	}
}

static void reference_cells_sum(struct device *device, const struct sparse *pattern, const struct matrix *parts,
                                const real *bias, real *ret) {
	(void)device;
	for (uint32_t k = pattern->start[0]; k < pattern->start[pattern->rows]; k++) {
		double sum = bias ? bias[pattern->column[k]] : 0;
		for (size_t p = 0; p < parts->rows; p++)
			sum += *at(parts, p, k);
		ret[k] = (real)sum;
	}
}

static void reference_densify(struct device *device, const struct sparse *s, size_t first, const struct matrix *d) {
	(void)device;
	for (size_t i = 0; i < d->rows; i++) {
		memset(at(d, i, 0), 0, d->columns * sizeof(real));
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			if (s->column[k] >= first && s->column[k] < first + d->columns)
				*at(d, i, s->column[k] - first) = s->value[k];
	}
}

static void reference_spread(struct device *device, const real *row, const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = row[j];
}

static void reference_column_sums(struct device *device, const struct matrix *y, real *ret) {
	(void)device;
	for (size_t j = 0; j < y->columns; j++) {
		double sum = 0;
		for (size_t i = 0; i < y->rows; i++)
			sum += *at(y, i, j);
		ret[j] = (real)sum;
	}
}

static void reference_add(struct device *device, const struct matrix *x, real beta, const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = blend(beta, *at(y, i, j), *at(x, i, j));
}

static real activation_value(enum activation_id id, real x, real p) {
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		return name##_value(x, p);
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
	return 0;
}

static real activation_slope(enum activation_id id, real x, real y, real p) {
	switch (id) {
#define X(NAME, name, needs_x)                                                                                         \
	case ACTIVATION_##NAME:                                                                                            \
		return name##_slope(x, y, p);
		ACTIVATIONS(X)
#undef X
	case ACTIVATION_COUNT:
		break;
	}
	return 0;
}

static void reference_activate(struct device *device, enum activation_id id, real p, const struct matrix *x,
                               const struct matrix *y) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < y->columns; j++)
			*at(y, i, j) = activation_value(id, *at(x, i, j), p);
}

static void reference_activate_back(struct device *device, enum activation_id id, real p, const struct matrix *x,
                                    const struct matrix *y, const struct matrix *dy, real beta,
                                    const struct matrix *dx) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		for (size_t j = 0; j < y->columns; j++) {
			real slope = activation_slope(id, x ? *at(x, i, j) : 0, *at(y, i, j), p);
			*at(dx, i, j) = blend(beta, *at(dx, i, j), (double)*at(dy, i, j) * slope);
		}
	}
}

static bool kept(const struct dropout_draw *draw, size_t row, uint32_t unit) {
	return philox_keep(draw->stream, draw->epoch, draw->row[row], unit, philox_threshold(draw->rate));
}

static void reference_dropout(struct device *device, const struct dropout_draw *draw, const struct matrix *x,
                              const struct matrix *y, uint64_t *keep, size_t keep_stride) {
	(void)device;
	for (size_t i = 0; i < y->rows; i++) {
		for (size_t j = 0; j < y->columns; j++) {
			uint64_t *word = &keep[i * keep_stride + j / 64], bit = UINT64_C(1) << j % 64;
			bool keeps = kept(draw, i, draw->unit + (uint32_t)j);
			*word = keeps ? *word | bit : *word & ~bit;
			*at(y, i, j) = keeps ? *at(x, i, j) * draw->scale : 0;
		}
	}
}

static void reference_dropout_back(struct device *device, real scale, const uint64_t *keep, size_t keep_stride,
                                   const struct matrix *dy, real beta, const struct matrix *dx) {
	(void)device;
	for (size_t i = 0; i < dy->rows; i++)
		for (size_t j = 0; j < dy->columns; j++) {
			bool keeps = keep[i * keep_stride + j / 64] >> j % 64 & 1;
			*at(dx, i, j) = blend(beta, *at(dx, i, j), keeps ? *at(dy, i, j) * scale : 0);
		}
}

static void reference_dropout_sparse(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
                                     real *ret_value) {
	(void)device;
	for (size_t i = 0; i < s->rows; i++)
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			ret_value[k] = kept(draw, i, s->column[k]) ? s->value[k] * draw->scale : 0;
}

// Ioffe and Szegedy 2015, algorithm 1; biased variance; running = momentum running + (1 - momentum) batch, as in Keras.
static void reference_batch_norm_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                                        const struct matrix *x) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++) {
		double mean = before ? state->mean[j] : 0, squares = before ? state->inverse_deviation[j] : 0;
		for (size_t i = 0; i < x->rows; i++) { // Welford 1962
			double difference = *at(x, i, j) - mean;
			mean += difference / (double)(before + i + 1);
			squares += difference * (*at(x, i, j) - mean);
		}
		state->mean[j] = (real)mean;
		state->inverse_deviation[j] = (real)squares;
	}
}
static void reference_batch_norm_finish(struct device *device, const struct batch_norm_state *state, size_t rows,
                                        size_t columns) {
	(void)device;
	for (size_t j = 0; j < columns; j++) {
		double variance = state->inverse_deviation[j] / (double)rows;
		state->inverse_deviation[j] = (real)(1 / sqrt(variance + (double)state->epsilon));
		state->running_mean[j] += (1 - state->momentum) * (state->mean[j] - state->running_mean[j]);
		state->running_variance[j] += (1 - state->momentum) * ((real)variance - state->running_variance[j]);
	}
}
static void reference_batch_norm(struct device *device, const struct batch_norm_state *state, const struct matrix *x,
                                 const struct matrix *y) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++)
		for (size_t i = 0; i < x->rows; i++) {
			double z = ((double)*at(x, i, j) - state->mean[j]) * state->inverse_deviation[j];
			*at(y, i, j) = (real)(state->gamma[j] * z + state->beta[j]);
		}
}
static void reference_batch_norm_running(struct device *device, const struct batch_norm_state *state,
                                         const struct matrix *x, const struct matrix *y) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++) {
		real inverse = 1 / real_sqrt(state->running_variance[j] + state->epsilon);
		for (size_t i = 0; i < x->rows; i++)
			*at(y, i, j) = state->gamma[j] * ((*at(x, i, j) - state->running_mean[j]) * inverse) + state->beta[j];
	}
}

// With n rows, z the normalised input: dx = gamma / deviation (dy - mean(dy) - z mean(dy z)).
static void reference_batch_norm_back_gather(struct device *device, const struct batch_norm_state *state, size_t before,
                                             const struct matrix *x, const struct matrix *dy, real *dgamma,
                                             real *dbeta) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++) {
		double sum = before ? dbeta[j] : 0, product = before ? dgamma[j] : 0;
		for (size_t i = 0; i < x->rows; i++) {
			sum += *at(dy, i, j);
			product += *at(dy, i, j) * (((double)*at(x, i, j) - state->mean[j]) * state->inverse_deviation[j]);
		}
		dbeta[j] = (real)sum;
		dgamma[j] = (real)product;
	}
}
static void reference_batch_norm_back(struct device *device, const struct batch_norm_state *state, size_t rows,
                                      const real *dgamma, const real *dbeta, const struct matrix *x,
                                      const struct matrix *dy, real beta, const struct matrix *dx) {
	(void)device;
	for (size_t j = 0; j < x->columns; j++)
		for (size_t i = 0; i < x->rows; i++) {
			double inverse = state->inverse_deviation[j], z = ((double)*at(x, i, j) - state->mean[j]) * inverse;
			double d = *at(dy, i, j) - (dbeta[j] + z * dgamma[j]) / (double)rows;
			*at(dx, i, j) = blend(beta, *at(dx, i, j), state->gamma[j] * inverse * d);
		}
}

static double cell_loss(const struct loss_cells *cells, real y, real t, real *ret_slope) {
	switch (cells->id) {
#define X(NAME, name)                                                                                                  \
	case CELL_LOSS_##NAME:                                                                                             \
		*ret_slope = name##_slope(y, t, cells->p);                                                                     \
		return (double)name##_loss(y, t, cells->p);
		CELL_LOSSES(X)
#undef X
	case CELL_LOSS_COUNT:
		break;
	}
	return 0;
}

// Columns [first, first + columns) of a row: the stored cells, and with `all` the others with target 0.
static double dense_loss_row(const struct loss_cells *cells, size_t i, size_t first, const real *y, real *g,
                             size_t columns) {
	double sum = 0;
	uint32_t k = cells->target->start[i], end = cells->target->start[i + 1];
	while (k < end && cells->target->column[k] < first)
		k++;
	for (size_t j = 0; j < columns; j++) {
		bool stored = k < end && cells->target->column[k] == first + j;
		g[j] = 0;
		if (stored || cells->all) {
			real t = stored ? cells->target->value[k] : 0, weight = stored ? loss_weight(cells, t) : cells->unobserved;
			sum += (double)weight * cell_loss(cells, y[j], t, &g[j]);
			g[j] *= (real)loss_scale(cells, i) * weight;
		}
		k += stored;
	}
	return sum;
}

static double packed_loss_row(const struct loss_cells *cells, size_t i, const real *y, real *g) {
	double sum = 0;
	for (uint32_t k = cells->target->start[i]; k < cells->target->start[i + 1]; k++) {
		real t = cells->target->value[k], weight = loss_weight(cells, t);
		sum += (double)weight * cell_loss(cells, y[k], t, &g[k]);
		g[k] *= (real)loss_scale(cells, i) * weight;
	}
	return sum;
}

static void reference_loss(struct device *device, const struct loss_cells *cells, bool packed, size_t first,
                           const struct matrix *prediction, const struct matrix *gradient, double *ret_sum) {
	(void)device;
	for (size_t i = 0; i < cells->target->rows; i++)
		ret_sum[i] = loss_scale(cells, i) * (packed ? packed_loss_row(cells, i, prediction->data, gradient->data)
		                                            : dense_loss_row(cells, i, first, at(prediction, i, 0),
		                                                             at(gradient, i, 0), prediction->columns));
}

const struct backend backend_reference = {
    .row = {.name = "reference", .doc = "Plain C on one thread, sums in double: what the others are held against"},
    .open = reference_open,
    .close = cpu_close,
    .describe = cpu_describe,
    .memory = cpu_memory,
    .members = cpu_members,
    .team = cpu_team,
    .barrier = cpu_barrier,
    .sync = cpu_sync,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .upload = cpu_copy,
    .download = cpu_copy,
    .upload_ahead = cpu_upload_ahead,
    .unit = cpu_unit,
    .gemm = reference_gemm,
    .sparse_times = reference_sparse_times,
    .transposed_times = reference_transposed_times,
    .transposed_sums = reference_transposed_sums,
    .cells_times = reference_cells_times,
    .cells_sum = reference_cells_sum,
    .densify = reference_densify,
    .pick = cpu_pick,
    .gather = cpu_gather,
    .transpose = cpu_transpose,
    .join = cpu_join,
    .note_waits = cpu_note_waits,
    .topk = cpu_topk,
    .rank_pairs = cpu_rank_pairs,
    .spread = reference_spread,
    .column_sums = reference_column_sums,
    .add = reference_add,
    .activate = reference_activate,
    .activate_back = reference_activate_back,
    .dropout = reference_dropout,
    .dropout_back = reference_dropout_back,
    .dropout_sparse = reference_dropout_sparse,
    .noise = reference_noise,
    .noise_sparse = reference_noise_sparse,
    .multiply = reference_multiply,
    .normalize = reference_normalize,
    .normalize_back = reference_normalize_back,
    .normalize_sparse = reference_normalize_sparse,
    .layer_norm = reference_layer_norm,
    .layer_norm_back = reference_layer_norm_back,
    .layer_norm_sums = reference_layer_norm_sums,
    .gaussian = reference_gaussian,
    .gaussian_divergence = reference_gaussian_divergence,
    .gaussian_back = reference_gaussian_back,
    .batch_norm_gather = reference_batch_norm_gather,
    .batch_norm_finish = reference_batch_norm_finish,
    .batch_norm = reference_batch_norm,
    .batch_norm_running = reference_batch_norm_running,
    .batch_norm_back_gather = reference_batch_norm_back_gather,
    .batch_norm_back = reference_batch_norm_back,
    .loss = reference_loss,
    .softmax_parts = reference_softmax_parts,
    .softmax_join = cpu_softmax_join,
    .softmax_back = reference_softmax_back,
    .optimize = reference_optimize,
    .optimize_touched = reference_optimize_touched,
    .optimize_listed = reference_optimize_listed,
    .squares = reference_squares,
    .sum = cpu_sum,
    .clip = cpu_clip,
    .scale = reference_scale,
    .zero = cpu_zero,
    .catch_up = reference_catch_up,
};
