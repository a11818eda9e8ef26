// Weighted sums of rows of a table, which the sparse products and the touched rows' gradients all are: out[i] = sum
// over the entries k of list i of value(k) times row(k). What must move is 4 n bytes for an entry, n the columns, and
// 12 for its place and value; the sums stay in registers.
//
// A block has one list. Its threads lie side by side over the columns, four columns a thread where rows are aligned,
// and what is left of them in layers, of which each takes its share of the entries; the layers' sums are added in their
// order. A list that is much longer than others is shared by several blocks, and what they have is added by another
// kernel.
#ifndef AEXP_CUDA_GATHER_H
#define AEXP_CUDA_GATHER_H

#include "device.h"

// V numbers that are moved at once.
template <int V> struct reals_of { real v[V]; };
template <int V> __device__ static inline reals_of<V> load(const real *from) {
	reals_of<V> ret;
	if (V == 4) {
		const float4 x = *(const float4 *)from;
		ret.v[0] = x.x, ret.v[V / 4] = x.y, ret.v[V / 2] = x.z, ret.v[V - 1] = x.w;
	} else {
		ret.v[0] = *from;
	}
	return ret;
}
template <int V> __device__ static inline void store(real *to, const reals_of<V> &x) {
	if (V == 4)
		*(float4 *)to = make_float4(x.v[0], x.v[V / 4], x.v[V / 2], x.v[V - 1]);
	else
		*to = x.v[0];
}
// Whether four neighbours of such a matrix may be moved at once.
static inline bool aligned(const struct matrix *m) {
	return (uintptr_t)m->data % sizeof(float4) == 0 && m->stride % 4 == 0 && m->columns % 4 == 0;
}

// --- lists: where their entries are, and what they are ---

struct span {
	uint32_t begin, end;
};

// The rows of s, over the rows of w.
struct row_lists {
	struct sparse s;
	struct matrix w;
	__device__ bool exists(size_t) const { return true; }
	__device__ struct span range(size_t i) const { return span{s.start[i], s.start[i + 1]}; }
	__device__ real value(uint32_t k) const { return s.value[k]; }
	__device__ const real *row(uint32_t k) const { return w.data + s.column[k] * w.stride; }
};
// The touched columns of t, over the rows of y.
struct column_lists {
	struct transposed t;
	const real *values;
	struct matrix y;
	__device__ bool exists(size_t i) const { return i < touched_count(t); }
	__device__ struct span range(size_t i) const { return span{t.start[i], t.start[i + 1]}; }
	__device__ real value(uint32_t k) const { return values[t.entry[k]]; }
	__device__ const real *row(uint32_t k) const { return y.data + t.row[k] * y.stride; }
};

// --- sums ---

constexpr uint32_t AHEAD = 8; // rows that a thread asks for before it adds the first

template <int V, typename L>
__device__ static inline reals_of<V> gather(const L &lists, struct span span, uint32_t layer, uint32_t layers,
                                            size_t column) {
	reals_of<V> sum = {};
	for (uint32_t k = span.begin + layer; k < span.end; k += layers * AHEAD) {
		real value[AHEAD];
		reals_of<V> row[AHEAD];
#pragma unroll
		for (uint32_t a = 0; a < AHEAD; a++) {
			const uint32_t entry = k + a * layers;
			const bool there = entry < span.end;
			value[a] = there ? lists.value(entry) : 0;
			row[a] = there ? load<V>(lists.row(entry) + column) : reals_of<V>{};
		}
#pragma unroll
		for (uint32_t a = 0; a < AHEAD; a++)
#pragma unroll
			for (int v = 0; v < V; v++)
				sum.v[v] += value[a] * row[a].v[v];
	}
	return sum;
}

// Lists of up to PIECE entries are one block's; longer ones have a block for each so many, `most` at most.
constexpr uint32_t PIECE = 4096;
__device__ static inline uint32_t pieces_of(struct span span, uint32_t most) {
	const uint32_t pieces = (span.end - span.begin + PIECE - 1) / PIECE;
	return pieces < 1 ? 1 : pieces < most ? pieces : most;
}

// `across` threads beside each other, a power of 2; part: (lists, most, n) of lists in pieces. finish(i, column, sum)
// is called once for each list and columns.
template <int V, typename L, typename F>
__global__ void __launch_bounds__(THREADS)
    gather_kernel(L lists, size_t n, uint32_t across, uint32_t most, real *part, F finish) {
	const size_t i = blockIdx.x;
	const uint32_t tx = threadIdx.x & (across - 1), layer = threadIdx.x / across, layers = THREADS / across;
	const size_t column = ((size_t)blockIdx.y * across + tx) * V;
	if (!lists.exists(i))
		return;
	struct span span = lists.range(i);
	const uint32_t pieces = pieces_of(span, most), count = span.end - span.begin, piece = blockIdx.z;
	if (piece >= pieces)
		return;
	const uint32_t begin = span.begin;
	span.begin = begin + (uint32_t)((uint64_t)count * piece / pieces);
	span.end = begin + (uint32_t)((uint64_t)count * (piece + 1) / pieces);
	reals_of<V> sum = {};
	if (column < n)
		sum = gather<V>(lists, span, layer, layers, column);
	__shared__ reals_of<V> shared[THREADS];
	shared[threadIdx.x] = sum;
	__syncthreads();
	if (layer || column >= n)
		return;
	for (uint32_t l = 1; l < layers; l++)
#pragma unroll
		for (int v = 0; v < V; v++)
			sum.v[v] += shared[l * across + tx].v[v];
	if (pieces == 1)
		finish(i, column, sum);
	else
		store<V>(part + (i * most + piece) * n + column, sum);
}

template <int V, typename L, typename F>
__global__ void __launch_bounds__(THREADS)
    join_pieces_kernel(L lists, size_t n, uint32_t most, const real *part, F finish) {
	const size_t i = blockIdx.x;
	if (!lists.exists(i))
		return;
	const uint32_t pieces = pieces_of(lists.range(i), most);
	for (size_t column = (size_t)threadIdx.x * V; pieces > 1 && column < n; column += THREADS * V) {
		reals_of<V> sum = load<V>(part + i * most * n + column);
		for (uint32_t p = 1; p < pieces; p++) {
			const reals_of<V> more = load<V>(part + (i * most + p) * n + column);
#pragma unroll
			for (int v = 0; v < V; v++)
				sum.v[v] += more.v[v];
		}
		finish(i, column, sum);
	}
}

// most: pieces of a list, above 1 only where lists may be long.
template <int V, typename L, typename F>
void gather_lists(struct device *device, const L &lists, size_t count, size_t n, uint32_t most, F finish) {
	constexpr uint32_t ACROSS_LEAST = 32, ACROSS_MOST = 128;
	uint32_t across = ACROSS_LEAST;
	while (across < ACROSS_MOST && (size_t)across * V < n)
		across *= 2;
	real *part = most > 1 ? (real *)device_scratch(device, work_pieces_bytes(count, n, most)) : NULL;
	if (most > 1 && !part)
		return;
	RUN_ON(device, (gather_kernel<V>), dim3(blocks_for(count, 1), blocks_for(n, (size_t)across * V), most), THREADS,
	       lists, n, across, most, part, finish);
	if (most > 1)
		RUN_ON(device, (join_pieces_kernel<V>), dim3(blocks_for(count, 1)), THREADS, lists, n, most, part, finish);
}

#endif
