// See order.h.
#include "train/order.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

size_t order_rows_in_use(const struct csr *csr) {
	size_t count = 0;
	for (size_t i = 0; i < csr->rows; i++)
		count += csr->start[i + 1] > csr->start[i];
	return count;
}

// Rows are sorted as (draw, row), so that no two are equal: first into buckets by the draws' top bits, then each bucket
// by the bits after them, in the first-level caches, and by comparison what is still equal in those. Blocks of rows and
// buckets belong to threads; their number depends on the number of rows alone.
enum {
	BUCKET_ROWS = 4096,
	BUCKET_BITS_MOST = 11,
	BLOCK_ROWS = 8192,
	BLOCKS_MOST = 256,
	DIGIT_BITS_MOST = 11,
	DRAW_BITS = 32
};

struct shuffle {
	struct order *order;
	uint32_t epoch;
	unsigned bucket_bits, digit_bits; // of buckets; of each of two digits in a bucket
	size_t block_rows, blocks;
	uint32_t start[(1 << BUCKET_BITS_MOST) + 1]; // of the buckets
};

static size_t blocks_of(size_t count, size_t *ret_rows) {
	size_t fair = (count + BLOCKS_MOST - 1) / BLOCKS_MOST;
	*ret_rows = fair > BLOCK_ROWS ? fair : BLOCK_ROWS;
	return (count + *ret_rows - 1) / *ret_rows;
}

static unsigned bucket_bits_of(size_t count) {
	unsigned bits = 0;
	while (bits < BUCKET_BITS_MOST && count >> bits > BUCKET_ROWS)
		bits++;
	return bits;
}

// Six bits more than count a bucket's rows, so that few are equal in them.
static unsigned digit_bits_of(size_t count, unsigned bucket_bits) {
	unsigned bits = 6;
	for (size_t rows = count >> bucket_bits; rows > 0; rows >>= 1)
		bits++;
	bits = (bits + 1) / 2;
	if (bits > DIGIT_BITS_MOST)
		bits = DIGIT_BITS_MOST;
	return 2 * bits > DRAW_BITS - bucket_bits ? (DRAW_BITS - bucket_bits) / 2 : bits;
}

static size_t bucket_of(const struct shuffle *s, uint64_t draw) {
	return (size_t)(draw >> DRAW_BITS >> (DRAW_BITS - s->bucket_bits));
}

static size_t rows_of_block(const struct shuffle *s, size_t block) {
	size_t left = s->order->count - block * s->block_rows;
	return left < s->block_rows ? left : s->block_rows;
}

static void draw_block_of_rows(void *context, size_t block) {
	enum { AT_ONCE = 256 };
	const struct shuffle *s = context;
	const struct order *order = s->order;
	size_t first = block * s->block_rows, end = first + rows_of_block(s, block);
	uint32_t *bins = order->bins + (block << s->bucket_bits), key[AT_ONCE];
	memset(bins, 0, sizeof(*bins) << s->bucket_bits);
	for (size_t i = first; i < end; i += AT_ONCE) {
		size_t count = end - i < AT_ONCE ? end - i : AT_ONCE;
		random_u32_rows(order->stream, s->epoch, order->rows + i, count, key);
		for (size_t k = 0; k < count; k++) {
			uint64_t draw = order->draw[i + k] = (uint64_t)key[k] << DRAW_BITS | order->rows[i + k];
			bins[bucket_of(s, draw)]++;
		}
	}
}

// bins: from how many to where the first one goes.
static void place_bins(struct shuffle *s) {
	uint32_t *bins = s->order->bins, next = 0;
	for (size_t bucket = 0; bucket < (size_t)1 << s->bucket_bits; bucket++) {
		s->start[bucket] = next;
		for (size_t block = 0; block < s->blocks; block++) {
			uint32_t *bin = &bins[(block << s->bucket_bits) + bucket], rows = *bin;
			*bin = next;
			next += rows;
		}
	}
	s->start[(size_t)1 << s->bucket_bits] = next;
}

static void deal_block(void *context, size_t block) {
	const struct shuffle *s = context;
	const struct order *order = s->order;
	size_t first = block * s->block_rows, end = first + rows_of_block(s, block);
	uint32_t *bins = order->bins + (block << s->bucket_bits);
	for (size_t i = first; i < end; i++)
		order->spare[bins[bucket_of(s, order->draw[i])]++] = order->draw[i];
}

static void sort_by_digit(const uint64_t *from, size_t count, unsigned shift, unsigned bits, uint64_t *to) {
	uint32_t next[(1 << DIGIT_BITS_MOST) + 1] = {0}, mask = (UINT32_C(1) << bits) - 1;
	for (size_t i = 0; i < count; i++)
		next[(from[i] >> shift & mask) + 1]++;
	for (uint32_t d = 0; d < mask; d++)
		next[d + 1] += next[d];
	for (size_t i = 0; i < count; i++)
		to[next[from[i] >> shift & mask]++] = from[i];
}

static void sort_bucket(void *context, size_t bucket) {
	const struct shuffle *s = context;
	size_t first = s->start[bucket], count = s->start[bucket + 1] - first;
	uint64_t *draw = s->order->spare + first, *spare = s->order->draw + first;
	unsigned shift = 2 * DRAW_BITS - s->bucket_bits - 2 * s->digit_bits; // of the lower digit
	sort_by_digit(draw, count, shift, s->digit_bits, spare);
	sort_by_digit(spare, count, shift + s->digit_bits, s->digit_bits, draw);
	for (size_t i = 1; i < count; i++) {
		uint64_t moving = draw[i];
		size_t to = i;
		for (; to > 0 && draw[to - 1] > moving; to--)
			draw[to] = draw[to - 1];
		draw[to] = moving;
	}
	for (size_t i = 0; i < count; i++)
		s->order->place[first + i] = (uint32_t)draw[i];
}

void order_shuffle(struct order *order, uint32_t epoch, struct pool *pool) {
	struct shuffle s = {.order = order, .epoch = epoch, .bucket_bits = bucket_bits_of(order->count)};
	s.digit_bits = digit_bits_of(order->count, s.bucket_bits);
	s.blocks = blocks_of(order->count, &s.block_rows);
	pool_run(pool, s.blocks, draw_block_of_rows, &s);
	place_bins(&s);
	pool_run(pool, s.blocks, deal_block, &s);
	pool_run(pool, (size_t)1 << s.bucket_bits, sort_bucket, &s);
}

bool order_create(const struct csr *target, uint64_t seed, struct order *ret, struct error *error) {
	*ret = (struct order){.count = order_rows_in_use(target), .stream = random_stream_make(seed, "order", "")};
	size_t block_rows, blocks = blocks_of(ret->count, &block_rows);
	if (!(ret->rows = memory_array(ret->count, sizeof(*ret->rows), "the order of rows", error)) ||
	    !(ret->place = memory_array(ret->count, sizeof(*ret->place), "the order of rows", error)) ||
	    !(ret->draw = memory_array(ret->count, sizeof(*ret->draw), "the order of rows", error)) ||
	    !(ret->spare = memory_array(ret->count, sizeof(*ret->spare), "the order of rows", error)) ||
	    !(ret->bins =
	          memory_array(blocks << bucket_bits_of(ret->count), sizeof(*ret->bins), "the order of rows", error)))
		return false;
	size_t filled = 0;
	for (size_t i = 0; i < target->rows; i++)
		if (target->start[i + 1] > target->start[i])
			ret->rows[filled++] = (uint32_t)i;
	memcpy(ret->place, ret->rows, filled * sizeof(uint32_t));
	return true;
}

void order_finish(struct order *order) {
	free(order->rows);
	free(order->place);
	free(order->draw);
	free(order->spare);
	free(order->bins);
}
