// Batches that are made on the device: rows of the data side by side, and their patterns by columns. The lists are
// those that tensor/pattern.c makes, to the last number: entries are sorted by column, each where it stood among its
// equals (a radix sort, 8 bits at a time), and the columns take their turns by where their first entry stands.
#include "entries.h"
#include "loops.h"
#include "scan.h"
#include "seam.h"

void gpu_gather(struct device *device, const struct data_rows *from, const uint32_t *place, size_t rows,
                uint32_t *ret_start, uint32_t *ret_column, real *ret_value) {
	const struct data_rows data = *from;
	uint32_t *work = (uint32_t *)device_scratch(device, work_scan_words(rows) * sizeof(*work));
	if (!work)
		return;
	scan(
	    device, rows, work, [=] __device__(size_t i) { return data.start[place[i] + 1] - data.start[place[i]]; },
	    [=] __device__(size_t i, uint32_t sum) { ret_start[i] = sum; });
	const struct sparse ret = {rows, data.columns, ret_start, ret_column, ret_value};
	each_entry(device, &ret, [=] __device__(size_t i, uint32_t k) {
		const uint32_t from_k = data.start[place[i]] + (k - ret_start[i]), entry = data.entry[from_k];
		ret_column[k] = data.coded ? entry_column(entry) : entry;
		ret_value[k] = data.value[data.coded ? entry_code(entry) : from_k];
	});
}

// --- entries by column ---

constexpr unsigned DIGIT_BITS = 8, DIGITS = 1u << DIGIT_BITS, SORT_EACH = 8;
constexpr size_t SORT_TILE = (size_t)THREADS * SORT_EACH;
static_assert(DIGITS == THREADS, "a thread has a digit");

__device__ static inline unsigned digit_of(uint32_t key, unsigned shift) {
	return key >> shift & (DIGITS - 1);
}

// ret_count: (DIGITS, blocks)
static __global__ void __launch_bounds__(THREADS)
    sort_count_kernel(size_t count, const uint32_t *key, unsigned shift, uint32_t *ret_count) {
	__shared__ unsigned here[DIGITS];
	here[threadIdx.x] = 0;
	__syncthreads();
	for (unsigned e = 0; e < SORT_EACH; e++) {
		const size_t k = blockIdx.x * SORT_TILE + e * THREADS + threadIdx.x;
		if (k < count)
			atomicAdd(&here[digit_of(key[k], shift)], 1u); // of whole numbers: their order changes nothing
	}
	__syncthreads();
	ret_count[threadIdx.x * gridDim.x + blockIdx.x] = here[threadIdx.x];
}

// The lanes with the same digit; none where there is no entry.
__device__ static inline unsigned peers_of(unsigned digit, bool there) {
	unsigned peers = __ballot_sync(ALL_LANES, there);
	for (unsigned bit = 0; bit < DIGIT_BITS; bit++) {
		const unsigned set = __ballot_sync(ALL_LANES, digit >> bit & 1);
		peers &= digit >> bit & 1 ? set : ~set;
	}
	return peers;
}

// A warp has entries next to each other, WARP of them at a time. place: where a block's entries of a digit begin. item
// NULL: the entries' own places.
static __global__ void __launch_bounds__(THREADS)
    sort_move_kernel(size_t count, const uint32_t *key, const uint32_t *item, unsigned shift, const uint32_t *place,
                     uint32_t *ret_key, uint32_t *ret_item) {
	__shared__ uint32_t next[THREADS / WARP][DIGITS];
	const unsigned lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
	const size_t first = blockIdx.x * SORT_TILE + (size_t)warp * WARP * SORT_EACH + lane;
	for (unsigned w = 0; w < THREADS / WARP; w++)
		next[w][threadIdx.x] = 0;
	__syncthreads();
	for (unsigned e = 0; e < SORT_EACH; e++) {
		const size_t k = first + e * WARP;
		const unsigned digit = k < count ? digit_of(key[k], shift) : 0, peers = peers_of(digit, k < count);
		if (k < count && lane == __ffs(peers) - 1u)
			next[warp][digit] += __popc(peers);
		__syncwarp();
	}
	__syncthreads();
	uint32_t at = place[threadIdx.x * gridDim.x + blockIdx.x];
	for (unsigned w = 0; w < THREADS / WARP; w++) { // counts become places
		const uint32_t here = next[w][threadIdx.x];
		next[w][threadIdx.x] = at;
		at += here;
	}
	__syncthreads();
	for (unsigned e = 0; e < SORT_EACH; e++) {
		const size_t k = first + e * WARP;
		const bool there = k < count;
		const unsigned digit = there ? digit_of(key[k], shift) : 0, peers = peers_of(digit, there);
		const uint32_t to = there ? next[warp][digit] + __popc(peers & ((1u << lane) - 1)) : 0;
		__syncwarp(); // all have read where the next one goes
		if (there && lane == __ffs(peers) - 1u)
			next[warp][digit] += __popc(peers);
		__syncwarp();
		if (!there)
			continue;
		ret_key[to] = key[k];
		ret_item[to] = item ? item[k] : (uint32_t)k;
	}
}

// Entries in the order of their columns.
struct sorted {
	size_t count;
	const uint32_t *key, *item; // (count): a column, and the entry
	__device__ bool begins(size_t p) const { return p == 0 || key[p] != key[p - 1]; }
	__device__ bool ends(size_t p) const { return p + 1 == count || key[p] != key[p + 1]; }
};

// work: two of (2 count), then a block's counts and what a scan of them takes.
static struct sorted sort(struct device *device, const uint32_t *column, size_t count, size_t columns, uint32_t *work) {
	const unsigned blocks = blocks_for(count, SORT_TILE);
	uint32_t *places = work + 4 * count, *sums = places + (size_t)DIGITS * blocks;
	struct sorted from = {count, column, NULL};
	for (unsigned shift = 0, pass = 0; shift == 0 || (columns - 1) >> shift; shift += DIGIT_BITS, pass++) {
		uint32_t *key = work + (pass % 2) * 2 * count, *item = key + count;
		RUN_ON(device, sort_count_kernel, dim3(blocks), THREADS, count, from.key, shift, places);
		scan(
		    device, (size_t)DIGITS * blocks, sums, [=] __device__(size_t i) { return places[i]; },
		    [=] __device__(size_t i, uint32_t sum) {
			    if (i < (size_t)DIGITS * blocks)
				    places[i] = sum;
		    });
		RUN_ON(device, sort_move_kernel, dim3(blocks), THREADS, count, from.key, from.item, shift, places, key, item);
		from.key = key;
		from.item = item;
	}
	return from;
}

// --- lists of columns ---

// The row that an entry is of.
__device__ static inline uint32_t row_of(const struct sparse &s, uint32_t entry) {
	uint32_t low = 0, high = (uint32_t)s.rows; // start[low] <= entry < start[high]
	while (high - low > 1) {
		const uint32_t middle = low + (high - low) / 2;
		if (s.start[middle] <= entry)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void gpu_transpose(struct device *device, const struct sparse *s, size_t entries, uint32_t *work,
                   const struct transposed_room *ret) {
	const size_t most = s->columns < entries ? s->columns : entries;
	const struct transposed_room to = *ret;
	const struct sparse from = *s;
	uint32_t *turn = work, *begin = turn + entries, *end = begin + most, *sums = end + most;
	uint32_t *sorting = sums + work_scan_words(entries);
	const struct sorted by = sort(device, s->column, entries, s->columns, sorting);
	each_cell(device, 1, entries, [=] __device__(size_t, size_t p) { turn[by.item[p]] = by.begins(p); });
	scan(
	    device, entries, sums, [=] __device__(size_t k) { return turn[k]; },
	    [=] __device__(size_t k, uint32_t sum) { *(k < entries ? &turn[k] : to.counted) = sum; });
	each_cell(device, 1, entries, [=] __device__(size_t, size_t p) {
		if (!by.begins(p))
			return;
		const uint32_t place = turn[by.item[p]];
		to.column[place] = by.key[p];
		to.slot[by.key[p]] = place;
		to.stamp[by.key[p]] = to.number;
		begin[place] = (uint32_t)p;
	});
	each_cell(device, 1, entries, [=] __device__(size_t, size_t p) {
		if (by.ends(p))
			end[to.slot[by.key[p]]] = (uint32_t)p + 1;
	});
	scan(
	    device, most, sums, [=] __device__(size_t i) { return i < *to.counted ? end[i] - begin[i] : 0; },
	    [=] __device__(size_t i, uint32_t sum) { to.start[i] = sum; });
	each_cell(device, 1, entries, [=] __device__(size_t, size_t p) {
		const uint32_t list = to.slot[by.key[p]], place = to.start[list] + ((uint32_t)p - begin[list]);
		to.entry[place] = by.item[p];
		to.row[place] = row_of(from, by.item[p]);
	});
}

void gpu_join(struct device *device, const struct transposed *a, const struct transposed *b, uint32_t *ret_a,
              uint32_t *ret_b, const struct transposed_room *ret) {
	const struct transposed first = *a, second = *b;
	const struct transposed_room to = *ret;
	uint32_t *work = (uint32_t *)device_scratch(device, work_scan_words(b->count) * sizeof(*work));
	if (!work)
		return;
	each_cell(device, 1, a->count, [=] __device__(size_t, size_t i) {
		if (i >= touched_count(first))
			return;
		ret_a[i] = to.slot[first.column[i]] = (uint32_t)i;
		to.stamp[first.column[i]] = to.number;
		to.column[i] = first.column[i];
	});
	auto is_new = [=] __device__(size_t i) {
		return (uint32_t)(i < touched_count(second) && to.stamp[second.column[i]] != to.number);
	};
	scan(device, b->count, work, is_new, [=] __device__(size_t i, uint32_t sum) {
		const uint32_t place = (uint32_t)touched_count(first) + sum;
		if (i == second.count) {
			*to.counted = place;
		} else if (i < touched_count(second)) {
			const uint32_t column = second.column[i];
			if (to.stamp[column] != to.number) {
				to.slot[column] = place;
				to.stamp[column] = to.number;
				to.column[place] = column;
			}
			ret_b[i] = to.slot[column];
		}
	});
}

void gpu_note_waits(struct device *device, const struct transposed *t, size_t count, uint32_t now, uint32_t *stamp,
                    uint32_t *waited) {
	const struct transposed list = t ? *t : transposed{};
	const bool all = !t;
	each_cell(device, 1, t ? t->count : count, [=] __device__(size_t, size_t i) {
		if (!all && i >= touched_count(list)) { // none waits there
			waited[i] = 0;
			return;
		}
		uint32_t *noted = &stamp[all ? i : list.column[i]];
		waited[i] = now - (all ? 0 : 1) - *noted;
		*noted = now;
	});
}
