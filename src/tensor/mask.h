// Which units a dropout layer keeps, one unit at a time: the definition that all backends share, by integers only. A
// chunk is 64 units and has blocks 8c ... 8c + 7 of its row (base/random_draw.h): unit 64c + u draws bits [16 half, 16
// half + 16) of word i of block 8c + b, where half = u / 32, i = u % 32 / 8 and b = u % 8, and is dropped when its draw
// is below the threshold.
#ifndef AEXP_TENSOR_MASK_H
#define AEXP_TENSOR_MASK_H

#include "base/random_draw.h"

#include <stdbool.h>

enum { PHILOX_CHUNK = 64, PHILOX_CHUNK_BLOCKS = 8 }; // units, blocks

// rate in [0, 1], to the nearest 65536th: a unit is dropped with probability threshold / 65536.
AEXP_INLINE uint32_t philox_threshold(double rate) {
	return (uint32_t)(rate * 65536 + 0.5);
}

// A unit's draw from its word of its block.
AEXP_INLINE uint32_t philox_unit_block(uint32_t unit) {
	return unit / PHILOX_CHUNK * PHILOX_CHUNK_BLOCKS + unit % 8;
}
AEXP_INLINE uint32_t philox_unit_draw(const struct random_block *block, uint32_t unit) {
	return block->lane[unit % 32 / 8] >> (16 * (unit % 64 / 32)) & 0xFFFF;
}

AEXP_INLINE bool philox_keep(struct random_stream stream, uint32_t epoch, uint64_t row, uint32_t unit,
                             uint32_t threshold) {
	struct random_block block = draw_block(stream, epoch, row, philox_unit_block(unit));
	return philox_unit_draw(&block, unit) >= threshold;
}

#endif
