// Sparse products: sparse rows times a table, its transpose, and the output at observed cells. gather.h says how the
// first two go about it, and what moves.
#include "entries.h"
#include "gather.h"
#include "loops.h"
#include "seam.h"

// y = beta y + bias + the sum, of columns beside each other.
struct blend_rows {
	struct matrix y;
	const real *bias;      // (y.columns) or NULL
	const uint32_t *place; // (lists): rows of y, or NULL
	real beta;
	template <int V> __device__ void operator()(size_t i, size_t column, reals_of<V> sum) const {
		real *to = at(&y, place ? place[i] : i, column);
		const reals_of<V> old = beta == 0 ? reals_of<V>{} : load<V>(to);
#pragma unroll
		for (int v = 0; v < V; v++)
			sum.v[v] += (bias ? bias[column + v] : 0) + beta * old.v[v];
		store<V>(to, sum);
	}
};

// Rows may be long ones: items as rows, of which some are rated by most users. What the pieces have must not take much.
void gpu_sparse_times(struct device *device, const struct sparse *s, const struct matrix *w, const real *bias,
                      real beta, const struct matrix *y) {
	const struct row_lists lists = {*s, *w};
	const struct blend_rows finish = {*y, bias, NULL, beta};
	const uint32_t most = (uint32_t)work_pieces(s->rows, y->columns);
	if (aligned(w) && aligned(y))
		gather_lists<4>(device, lists, s->rows, y->columns, most, finish);
	else
		gather_lists<1>(device, lists, s->rows, y->columns, most, finish);
}

// A column has at most as many entries as the batch has rows: it is one block's.
void gpu_transposed_times(struct device *device, const struct transposed *t, const uint32_t *place, const real *value,
                          const struct matrix *y, real beta, const struct matrix *g) {
	const struct column_lists lists = {*t, value, *y};
	const struct blend_rows finish = {*g, NULL, place, beta};
	if (aligned(y) && aligned(g))
		gather_lists<4>(device, lists, t->count, g->columns, 1, finish);
	else
		gather_lists<1>(device, lists, t->count, g->columns, 1, finish);
}

void gpu_transposed_sums(struct device *device, const struct transposed *t, const real *value, real *ret) {
	const struct transposed list = *t;
	each_row(device, t->count, WARP, [=] __device__(auto group, size_t i) {
		if (i >= touched_count(list))
			return;
		double sum = 0;
		for (uint32_t k = list.start[i] + group.first; k < list.start[i + 1]; k += group.SIZE)
			sum += value[list.entry[k]];
		sum = group.sum(sum);
		if (group.first == 0)
			ret[i] = (real)sum;
	});
}

// --- the output at observed cells ---

constexpr uint32_t AT_ONCE = 4; // cells of a warp, whose rows of w are under way together

__device__ static inline real warp_total(real x) {
	for (int bits = WARP / 2; bits; bits /= 2)
		x += __shfl_xor_sync(ALL_LANES, x, bits);
	return x;
}

// A row of the pattern is shared by STRIPES blocks of warps, each of which takes AT_ONCE cells in turn. 4 n bytes of w
// move for a cell, those of h stay in the first cache.
template <int V>
__global__ void __launch_bounds__(THREADS) cells_kernel(struct sparse s, struct matrix h, struct matrix w, real *ret) {
	const uint32_t lane = threadIdx.x % WARP, warp = blockIdx.y * (THREADS / WARP) + threadIdx.x / WARP;
	const size_t i = blockIdx.x;
	const uint32_t end = s.start[i + 1];
	for (uint32_t k = s.start[i] + warp * AT_ONCE; k < end; k += STRIPES * (THREADS / WARP) * AT_ONCE) {
		const real *row[AT_ONCE];
		real sum[AT_ONCE] = {};
#pragma unroll
		for (uint32_t c = 0; c < AT_ONCE; c++) // beyond the end the last one again
			row[c] = w.data + s.column[k + c < end ? k + c : end - 1] * w.stride;
		for (size_t j = lane * V; j < h.columns; j += WARP * V) {
			const reals_of<V> x = load<V>(at(&h, i, j));
#pragma unroll
			for (uint32_t c = 0; c < AT_ONCE; c++) {
				const reals_of<V> y = load<V>(row[c] + j);
#pragma unroll
				for (int v = 0; v < V; v++)
					sum[c] += x.v[v] * y.v[v];
			}
		}
#pragma unroll
		for (uint32_t c = 0; c < AT_ONCE; c++) {
			const real total = warp_total(sum[c]);
			if (lane == c && k + c < end)
				ret[k + c] = total;
		}
	}
}

void gpu_cells_times(struct device *device, const struct sparse *pattern, const struct matrix *h,
                     const struct matrix *w, real *ret) {
	const dim3 blocks(blocks_for(pattern->rows, 1), STRIPES);
	if (aligned(h) && aligned(w))
		RUN_ON(device, cells_kernel<4>, blocks, THREADS, *pattern, *h, *w, ret);
	else
		RUN_ON(device, cells_kernel<1>, blocks, THREADS, *pattern, *h, *w, ret);
}

void gpu_cells_sum(struct device *device, const struct sparse *pattern, const struct matrix *parts, const real *bias,
                   real *ret) {
	const struct matrix from = *parts;
	const uint32_t *column = pattern->column;
	each_entry(device, pattern, [=] __device__(size_t, uint32_t k) {
		double sum = bias ? bias[column[k]] : 0;
		for (size_t p = 0; p < from.rows; p++)
			sum += *at(&from, p, k);
		ret[k] = (real)sum;
	});
}

// --- between sparse and dense ---

void gpu_densify(struct device *device, const struct sparse *s, size_t first, const struct matrix *d) {
	const struct matrix to = *d;
	const struct sparse from = *s;
	gpu_zero(device, d);
	each_entry(device, s, [=] __device__(size_t i, uint32_t k) {
		if (from.column[k] >= first && from.column[k] - first < to.columns)
			*at(&to, i, from.column[k] - first) = from.value[k];
	});
}

void gpu_pick(struct device *device, const struct sparse *pattern, const struct matrix *y, real *ret) {
	const struct matrix from = *y;
	const uint32_t *column = pattern->column;
	each_entry(device, pattern, [=] __device__(size_t i, uint32_t k) { ret[k] = *at(&from, i, column[k]); });
}
