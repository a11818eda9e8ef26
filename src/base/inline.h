// What marks an inline function that the loops of every backend include: under nvcc it is compiled for the device too.
#ifndef AEXP_BASE_INLINE_H
#define AEXP_BASE_INLINE_H

#ifndef AEXP_INLINE
#ifdef __CUDACC__
#define AEXP_INLINE static inline __host__ __device__
#else
#define AEXP_INLINE static inline
#endif
#endif

#endif
