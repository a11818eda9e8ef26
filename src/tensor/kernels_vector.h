// What the loops of kernels.c are made of: vectors as wide as the registers of the instruction set that they are
// compiled for (wider ones would be taken apart by way of memory), and chunks of a row.
#ifndef AEXP_TENSOR_KERNELS_VECTOR_H
#define AEXP_TENSOR_KERNELS_VECTOR_H

#include "tensor/backend.h"

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
// A chunk of a row: its sums stay in registers (8 of AVX2's 16). VECTORS is how many vectors that is.
enum { LANES = VECTOR_BYTES / sizeof(real), CHUNK = 64, VECTORS = CHUNK / LANES };
typedef real lanes __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline lanes load(const real *p) {
	return *(const lanes *)p;
}
static inline void store(real *p, lanes v) {
	*(lanes *)p = v;
}
// Asks for a chunk of a row that is used some entries later: rows lie anywhere in a table.
static inline __attribute__((always_inline)) void fetch(const real *p,
                                                        size_t n) { // else gcc takes a call for one without effect
	enum { LINE = 64 / sizeof(real) };
	for (size_t i = 0; i < n; i += LINE)
		__builtin_prefetch(p + i);
}
static inline real *row_of(const struct matrix *m, size_t i) {
	return &m->data[i * m->stride];
}

#ifdef AEXP_DOUBLE
typedef int64_t lane_number;
#else
typedef int32_t lane_number;
#endif
typedef lane_number lane_numbers __attribute__((vector_size(VECTOR_BYTES)));

// In a fixed order: halves onto halves.
static inline real sum_of(lanes v) {
	lane_numbers number;
	for (lane_number l = 0; l < LANES; l++)
		number[l] = l;
	_Pragma("GCC unroll 8") for (lane_number width = LANES / 2; width; width /= 2) v +=
	    __builtin_shuffle(v, number ^ width);
	return v[0];
}

// The vectors of a chunk.
#define EACH_VECTOR(v) _Pragma("GCC unroll 16") for (size_t v = 0; v < VECTORS; v++)

// Runs over columns a chunk at a time: [first, first + n).
#define EACH_CHUNK(columns, first, n)                                                                                  \
	for (size_t first = 0, n; first < (columns) && (n = (columns)-first < CHUNK ? (columns)-first : CHUNK, true);      \
	     first += CHUNK)

#endif
