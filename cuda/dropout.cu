// Dropout by the masks of tensor/mask.h, bit by bit those of the CPU. 8 bytes move for a cell, and a bit of the mask.
#include "entries.h"
#include "loops.h"
#include "seam.h"

#include "tensor/mask.h"

constexpr unsigned SPAN = 256, WORD = 32; // units of a warp, of which each lane draws a block; bits

struct dropped {
	struct dropout_draw draw;
	struct matrix x, y;
	uint32_t *keep; // half-words of the seam's, the low one first
	size_t keep_stride;
	uint32_t threshold;
};

__device__ static inline void drop_cell(const struct dropped *d, size_t i, size_t j, bool keeps) {
	if (j < d->y.columns)
		*at(&d->y, i, j) = keeps ? *at(&d->x, i, j) * d->draw.scale : 0;
	const unsigned bits = __ballot_sync(ALL_LANES, keeps && j < d->y.columns);
	if (threadIdx.x % WARP == 0 && j < d->y.columns)
		d->keep[i * d->keep_stride + j / WORD] = bits;
}

// A chunk of 64 units is eight blocks of eight draws, so a warp's lanes draw for 256 units at once: lane 8c + b has
// block b of chunk c. Unit 64c + 32 half + 8i + b then asks that lane for the draw of word i and half.
static __global__ void __launch_bounds__(THREADS) dropout_kernel(struct dropped d) {
	const unsigned lane = threadIdx.x % WARP;
	const size_t span = (size_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP, first = span * SPAN;
	if (first >= d.y.columns)
		return;
	for (size_t i = blockIdx.y; i < d.y.rows; i += gridDim.y) {
		const uint32_t block = (d.draw.unit + (uint32_t)first) / 8 + lane;
		const struct random_block drawn = draw_block(d.draw.stream, d.draw.epoch, d.draw.row[i], block);
		unsigned keeps = 0; // bit 4 half + word
		for (unsigned bit = 0; bit < 8; bit++)
			keeps |= (unsigned)((drawn.lane[bit % 4] >> (bit / 4 * 16) & 0xFFFF) >= d.threshold) << bit;
		for (unsigned word = 0; word < SPAN / WORD; word++) {
			const unsigned from = __shfl_sync(ALL_LANES, keeps, (int)(word / 2 * 8 + lane % 8));
			drop_cell(&d, i, first + word * WORD + lane, from >> (word % 2 * 4 + lane / 8) & 1);
		}
	}
}

// Where the first unit is in the midst of a chunk.
static __global__ void __launch_bounds__(THREADS) dropout_any_kernel(struct dropped d) {
	const size_t j = (size_t)blockIdx.x * THREADS + threadIdx.x;
	for (size_t i = blockIdx.y; i < d.y.rows; i += gridDim.y)
		drop_cell(&d, i, j,
		          philox_keep(d.draw.stream, d.draw.epoch, d.draw.row[i], d.draw.unit + (uint32_t)j, d.threshold));
}

void gpu_dropout(struct device *device, const struct dropout_draw *draw, const struct matrix *x, const struct matrix *y,
                 uint64_t *keep, size_t keep_stride) {
	const struct dropped d = {*draw, *x, *y, (uint32_t *)keep, 2 * keep_stride, philox_threshold(draw->rate)};
	const unsigned rows = y->rows < GRID_MOST ? (unsigned)y->rows : GRID_MOST;
	if (draw->unit % PHILOX_CHUNK == 0)
		RUN_ON(device, dropout_kernel, dim3(blocks_for(y->columns, THREADS / WARP * SPAN), rows), THREADS, d);
	else
		RUN_ON(device, dropout_any_kernel, dim3(blocks_for(y->columns, THREADS), rows), THREADS, d);
}

void gpu_dropout_back(struct device *device, real scale, const uint64_t *keep, size_t keep_stride,
                      const struct matrix *dy, real beta, const struct matrix *dx) {
	const struct matrix from = *dy, to = *dx;
	each_cell(device, dy->rows, dy->columns, [=] __device__(size_t i, size_t j) {
		const bool keeps = keep[i * keep_stride + j / 64] >> j % 64 & 1;
		*at(&to, i, j) = blend(beta, at(&to, i, j), keeps ? *at(&from, i, j) * scale : 0);
	});
}

void gpu_dropout_sparse(struct device *device, const struct dropout_draw *draw, const struct sparse *s,
                        real *ret_value) {
	const struct dropout_draw d = *draw;
	const struct sparse from = *s;
	const uint32_t threshold = philox_threshold(draw->rate);
	each_entry(device, s, [=] __device__(size_t i, uint32_t k) {
		const bool keeps = philox_keep(d.stream, d.epoch, d.row[i], from.column[k], threshold);
		ret_value[k] = keeps ? from.value[k] * d.scale : 0;
	});
}
