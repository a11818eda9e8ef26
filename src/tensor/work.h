// Memory that a device with memory of its own works with besides what it is given: for calls of a size and all smaller
// ones, as its kernels (cuda/) take it. It is reserved before training, so that a plan knows it, none asks for more in
// mid-run, and a step can be captured.
#ifndef AEXP_TENSOR_WORK_H
#define AEXP_TENSOR_WORK_H

#include "tensor/backend.h"

// Sums of the pieces of long lists: (lists, most, columns).
enum { WORK_PIECES_MOST = 16, WORK_PIECES_BYTES_MOST = 32 << 20 };
AEXP_INLINE size_t work_pieces(size_t lists, size_t columns) { // of a list, at most
	size_t fit = WORK_PIECES_BYTES_MOST / (lists * columns * sizeof(real) + 1), most = WORK_PIECES_MOST;
	return fit < 1 ? 1 : fit < most ? fit : most;
}
AEXP_INLINE size_t work_pieces_bytes(size_t lists, size_t columns, size_t pieces) {
	return (lists * pieces * columns + 1) * sizeof(real);
}

// Two sums of each column of slices of rows: of at least 64 rows, at most 64 slices.
AEXP_INLINE size_t work_slices(size_t rows) {
	size_t least = 64, most = 64, wanted = (rows + least - 1) / least;
	return wanted < most ? wanted : most;
}
AEXP_INLINE size_t work_slices_bytes(size_t slices, size_t columns) {
	return (slices * columns + 1) * 2 * sizeof(double);
}

// One sum of each block of threads.
AEXP_INLINE size_t work_blocks(size_t wanted) {
	size_t most = 1024;
	return wanted < most ? wanted : most;
}
AEXP_INLINE size_t work_blocks_bytes(size_t blocks) {
	return (blocks + 1) * sizeof(double);
}

// Running sums: one of each tile.
enum { WORK_TILE = 1024 };
AEXP_INLINE size_t work_scan_words(size_t count) {
	return count / WORK_TILE + 1;
}

// Rankings: a bit for each cell, and lists that are sorted.
AEXP_INLINE size_t work_bits_bytes(size_t rows, size_t columns) {
	return (rows * ((columns + 31) / 32) + 1) * sizeof(uint32_t);
}
AEXP_INLINE size_t work_lists_bytes(size_t rows, size_t k) {
	return rows * k * sizeof(uint64_t);
}

// The largest calls that will be asked for.
struct work_room {
	size_t rows, columns;    // of a matrix
	size_t listed;           // rows of a batch that is gathered, or columns that a pattern touches
	size_t ranked, k, items; // rows of a ranking, how long it is, and of how many columns
};
size_t work_bytes(const struct work_room *room);

#endif
