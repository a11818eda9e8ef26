// Rankings: the k best of each row, and pairs in order. A block has a row. The k-th largest key is found by four counts
// of 8 bits each; what is above it, and of its equals the first columns, is written down in order and then ranked by
// counting. Whole numbers alone, so that nothing depends on who comes first.
#include "entries.h"
#include "loops.h"
#include "scan.h"
#include "seam.h"

constexpr unsigned KEY_BITS = 32, PART_BITS = 8, PARTS = 1u << PART_BITS;
static_assert(PARTS == THREADS, "a thread clears a count");

// A row of scores; a bit is set of each column that is none of its candidates.
struct ranked_rows {
	struct matrix y;
	const unsigned *out; // (rows, words)
	size_t words;
	__device__ bool has(size_t i, size_t j) const { return !(out[i * words + j / 32] >> j % 32 & 1); }
	__device__ uint32_t key(size_t i, size_t j) const { return score_key(*at(&y, i, j)); }
};

static void set_bits(struct device *device, const struct sparse *s, unsigned *bits, size_t words) {
	const uint32_t *column = s->column;
	each_entry(device, s, [=] __device__(size_t i, uint32_t k) {
		atomicOr(&bits[i * words + column[k] / 32], 1u << column[k] % 32);
	});
}

static struct ranked_rows rows_of(struct device *device, const struct matrix *y, const struct sparse *out,
                                  unsigned *bits) {
	const struct ranked_rows rows = {*y, bits, (y->columns + 31) / 32};
	each_cell(device, 1, y->rows * rows.words, [=] __device__(size_t, size_t i) { bits[i] = 0; });
	set_bits(device, out, bits, rows.words);
	return rows;
}

// What is known of the k-th largest key: its upper bits, and how many of those with the same ones are among the k.
struct threshold {
	uint32_t key, mask, wanted;
	bool all; // there are fewer: every candidate is
};

// By the counts of the next bits, from above.
__device__ static inline void narrow(struct threshold *t, const unsigned *count, unsigned shift) {
	uint32_t above = 0, part = PARTS - 1;
	while (part > 0 && above + count[part] < t->wanted)
		above += count[part--];
	if (above + count[part] < t->wanted) {
		*t = threshold{0, ~0u, t->wanted, true}; // all keys are above, or wanted
		return;
	}
	t->wanted -= above;
	t->key |= part << shift;
	t->mask |= (PARTS - 1) << shift;
}

// chosen: (rows, k) of keys turned round and their columns, so that the best is the smallest number.
static __global__ void __launch_bounds__(THREADS)
    topk_kernel(struct ranked_rows rows, size_t k, uint64_t *chosen, uint32_t *ret, uint32_t *ret_count) {
	const size_t i = blockIdx.x, columns = rows.y.columns;
	__shared__ unsigned count[PARTS];
	__shared__ struct threshold shared;
	struct threshold t = {0, 0, (uint32_t)k, false};
	for (unsigned shift = KEY_BITS; shift > 0 && !t.all;) {
		shift -= PART_BITS;
		count[threadIdx.x] = 0;
		__syncthreads();
		for (size_t j = threadIdx.x; j < columns; j += THREADS) {
			const uint32_t key = rows.has(i, j) ? rows.key(i, j) : 0;
			if (rows.has(i, j) && (key & t.mask) == t.key)
				atomicAdd(&count[key >> shift & (PARTS - 1)], 1u);
		}
		__syncthreads();
		if (threadIdx.x == 0) {
			narrow(&t, count, shift);
			shared = t;
		}
		__syncthreads();
		t = shared;
	}
	uint64_t *list = chosen + i * k;
	uint32_t filled = 0, equals = 0;
	for (size_t first = 0; first < columns; first += THREADS) {
		const size_t j = first + threadIdx.x;
		const bool there = j < columns && rows.has(i, j);
		const uint32_t key = there ? rows.key(i, j) : 0;
		uint32_t equals_here, taken_here;
		const uint32_t turn = equals + block_before(there && key == t.key, &equals_here);
		const bool takes = there && (key > t.key || (key == t.key && turn < t.wanted));
		const uint32_t place = filled + block_before(takes, &taken_here);
		if (takes)
			list[place] = (uint64_t)~key << 32 | (uint32_t)j;
		equals += equals_here;
		filled += taken_here;
	}
	__syncthreads();
	for (uint32_t a = threadIdx.x; a < filled; a += THREADS) {
		uint32_t before = 0;
		for (uint32_t b = 0; b < filled; b++)
			before += list[b] < list[a];
		ret[i * k + before] = (uint32_t)list[a];
	}
	for (size_t a = filled + threadIdx.x; a < k; a += THREADS)
		ret[i * k + a] = 0;
	if (threadIdx.x == 0)
		ret_count[i] = filled;
}

void gpu_topk(struct device *device, const struct matrix *y, const struct sparse *out, size_t k, uint32_t *ret,
              uint32_t *ret_count) {
	const size_t lists = work_lists_bytes(y->rows, k);
	char *work = (char *)device_scratch(device, lists + work_bits_bytes(y->rows, y->columns));
	if (!work)
		return;
	const struct ranked_rows rows = rows_of(device, y, out, (unsigned *)(work + lists));
	RUN_ON(device, topk_kernel, dim3(blocks_for(y->rows, 1)), THREADS, rows, k, (uint64_t *)work, ret, ret_count);
}

void gpu_rank_pairs(struct device *device, const struct matrix *y, const struct sparse *out,
                    const struct sparse *marked, double *ret) {
	const struct sparse some = *marked;
	const size_t words = (y->columns + 31) / 32, columns = y->columns;
	unsigned *bits = (unsigned *)device_scratch(device, work_bits_bytes(y->rows, y->columns));
	if (!bits)
		return;
	const struct ranked_rows rows = rows_of(device, y, out, bits);
	set_bits(device, marked, bits, words);
	each_row_by_block(device, y->rows, [=] __device__(auto group, size_t i) {
		double twice = 0, others = 0;
		for (size_t j = group.first; j < columns; j += group.SIZE) {
			if (!rows.has(i, j))
				continue;
			const uint32_t key = rows.key(i, j);
			others += 1;
			for (uint32_t k = some.start[i]; k < some.start[i + 1]; k++) {
				const uint32_t other = rows.key(i, some.column[k]);
				twice += other > key ? 2 : other == key;
			}
		}
		twice = group.sum(twice); // of whole numbers, far below 2^53
		others = group.sum(others);
		if (group.first == 0) {
			ret[2 * i] = twice;
			ret[2 * i + 1] = others;
		}
	});
}
