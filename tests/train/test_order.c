// The order of an epoch is that of the draws, whatever the number of rows and of threads.
#include "train/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct drawn {
	uint32_t draw, row;
};

static int by_draw(const void *a, const void *b) {
	const struct drawn *x = a, *y = b;
	if (x->draw != y->draw)
		return x->draw < y->draw ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

// Rows with an entry, among others without; two of three on average.
static struct csr some_rows(size_t wanted) {
	struct csr csr = {.columns = 1};
	struct random_stream stream = random_stream_make(wanted, "rows", "");
	size_t entries = 0, most = 3 * wanted + 64;
	csr.start = calloc(most + 1, sizeof(*csr.start));
	for (; csr.rows < most && (entries < wanted || csr.rows < 5); csr.rows++) {
		entries += entries < wanted && random_u32(stream, 0, csr.rows, 0) % 3 > 0;
		csr.start[csr.rows + 1] = (uint32_t)entries;
	}
	return csr;
}

static void check(size_t wanted, struct pool *pool) {
	struct csr csr = some_rows(wanted);
	struct order order;
	struct error error = {0};
	assert_true(order_create(&csr, 2017, &order, &error));
	assert_int_equal(order.count, csr.start[csr.rows]);
	struct drawn *expected = calloc(order.count + 1, sizeof(*expected));
	for (uint32_t epoch = 1; epoch < 4; epoch++) {
		size_t count = 0;
		for (uint32_t i = 0; i < csr.rows; i++)
			if (csr.start[i + 1] > csr.start[i])
				expected[count++] = (struct drawn){random_u32(order.stream, epoch, i, 0), i};
		qsort(expected, count, sizeof(*expected), by_draw);
		order_shuffle(&order, epoch, pool);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(order.place[i], expected[i].row);
	}
	free(expected);
	order_finish(&order);
	free(csr.start);
}

static void rows_stand_in_the_order_of_their_draws(void **state) {
	(void)state;
	// around the sizes of buckets and blocks, and where rows are equal in the digits that are sorted by
	const size_t counts[] = {0, 1, 2, 3, 17, 100, 1000, 4095, 4096, 4097, 8191, 8192, 8193, 16385, 70001, 300000};
	for (size_t threads = 0; threads < 4; threads++) {
		struct pool *pool = threads ? pool_create(threads) : NULL;
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			check(counts[i], pool);
		pool_destroy(pool);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(rows_stand_in_the_order_of_their_draws)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
