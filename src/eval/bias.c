// See bias.h. Blocks of rows on the pool's threads; each row's sum is in the order of its entries.
#include "eval/bias.h"

#include <math.h>

enum { SOLVE_ROWS = 64 };

static void solve_rows(void *context, size_t index) {
	const struct bias_side *solve = context;
	const struct csr *rows = solve->rows;
	size_t end = rows->rows - index * SOLVE_ROWS < SOLVE_ROWS ? rows->rows : (index + 1) * SOLVE_ROWS;
	for (size_t row = index * SOLVE_ROWS; row < end; row++) {
		size_t first = rows->start[row], count = rows->start[row + 1] - first;
		double sum = 0;
		for (size_t i = first; i < first + count; i++)
			sum += (double)rows->value[i] - solve->mean - (solve->other ? solve->other[rows->column[i]] : 0.0);
		solve->ret_bias[row] = count ? sum / (solve->reg + (double)count) : 0;
	}
}

void bias_solve(struct pool *pool, struct bias_side side) {
	pool_run(pool, (side.rows->rows + SOLVE_ROWS - 1) / SOLVE_ROWS, solve_rows, &side);
}

double bias_mean(const struct csr *csr) {
	size_t count = csr_count(csr);
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)csr->value[i];
	return count ? sum / (double)count : NAN;
}

void bias_alternate(struct pool *pool, struct bias_side items, struct bias_side users, size_t epochs) {
	for (size_t epoch = 0; epoch < epochs; epoch++) {
		bias_solve(pool, items);
		bias_solve(pool, users);
	}
}
