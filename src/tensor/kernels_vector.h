// What the loops of kernels.c are made of: vectors as wide as the registers of the instruction set that they are
// compiled for (wider ones would be taken apart by way of memory), and chunks of a row.
#ifndef AEXP_TENSOR_KERNELS_VECTOR_H
#define AEXP_TENSOR_KERNELS_VECTOR_H

#include "tensor/backend.h"

#if defined(__AVX512F__)
#define VECTOR_SIZE 64
#elif defined(__AVX2__)
#define VECTOR_SIZE 32
#else
#define VECTOR_SIZE 16
#endif
#ifdef AEXP_DOUBLE
#define REAL_SIZE 8
#else
#define REAL_SIZE 4
#endif
enum { VECTOR_BYTES = VECTOR_SIZE };
// A chunk of a row: its sums stay in registers (8 of AVX2's 16). VECTORS is how many vectors that is.
enum { LANES = VECTOR_BYTES / sizeof(real), CHUNK = 64, VECTORS = CHUNK / LANES };
typedef real lanes __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));

static inline lanes load(const real *p) {
	return *(const lanes *)p;
}
static inline void store(real *p, lanes v) {
	*(lanes *)p = v;
}
// Asks for a chunk of a row that is used some entries later: rows lie anywhere in a table. Always inline: gcc takes a
// call of it for one without effect, and leaves it out.
static inline __attribute__((always_inline)) void fetch(const real *p, size_t n) {
	enum { LINE = 64 / sizeof(real) };
	for (size_t i = 0; i < n; i += LINE)
		__builtin_prefetch(p + i);
}
static inline real *row_of(const struct matrix *m, size_t i) {
	return &m->data[i * m->stride];
}

// In a fixed order: halves onto halves.
static inline real sum_of(lanes v) {
#if VECTOR_SIZE == 16 * REAL_SIZE
	v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
	v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
	v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
	v += __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif VECTOR_SIZE == 8 * REAL_SIZE
	v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
	v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
	v += __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#elif VECTOR_SIZE == 4 * REAL_SIZE
	v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
	v += __builtin_shufflevector(v, v, 1, 0, 3, 2);
#else
	v += __builtin_shufflevector(v, v, 1, 0);
#endif
	return v[0];
}

// The vectors of a chunk.
#define EACH_VECTOR(v) _Pragma("GCC unroll 16") for (size_t v = 0; v < VECTORS; v++)

// Runs over columns a chunk at a time: [first, first + n).
#define EACH_CHUNK(columns, first, n)                                                                                  \
	for (size_t first = 0, n; first < (columns) && (n = (columns)-first < CHUNK ? (columns)-first : CHUNK, true);      \
	     first += CHUNK)

// CALL with N standing for n, as a constant where it is a whole chunk: such loops have no ends to look after, are
// unrolled, and keep what does not change from row to row in registers. CALL is of functions that are always inline.
// Not so for narrower chunks: gcc unrolls a loop of 16 before it makes vectors of it, and then makes none.
#define BY_WIDTH(n, N, CALL)                                                                                           \
	do {                                                                                                               \
		if ((n) == CHUNK) {                                                                                            \
			enum { N = CHUNK };                                                                                        \
			CALL;                                                                                                      \
		} else {                                                                                                       \
			const size_t N = (n);                                                                                      \
			CALL;                                                                                                      \
		}                                                                                                              \
	} while (false)
// The same for loops of whole vectors, which nothing needs to make: narrow chunks are constants too.
#define BY_USUAL_WIDTH(n, N, CALL)                                                                                     \
	do {                                                                                                               \
		if ((n) == CHUNK / 4) {                                                                                        \
			enum { N = CHUNK / 4 };                                                                                    \
			CALL;                                                                                                      \
		} else {                                                                                                       \
			BY_WIDTH(n, N, CALL);                                                                                      \
		}                                                                                                              \
	} while (false)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

// Before a loop whose output may be one of its inputs, but not another part of it.
#ifdef __clang__
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#define ROLLED
#else
#define IN_PLACE _Pragma("GCC ivdep")
#define ROLLED _Pragma("GCC unroll 1")
#endif

#endif
