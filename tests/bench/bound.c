// What an epoch moves and computes, counted from the shape alone: the same for every version of the program, so that
// fractions can be compared.
//
// R ratings, E entries of side information, T distinct items of each batch summed over the epoch, h units of the
// ratings branch, w = h + 16 inputs of the output layer; a row of h or w floats counts as whole cache lines, H and W
// bytes.
#include "bench.h"

#include "gather.h"

#include <math.h>

const char *const bound_formula_bytes =
    "R (2 H + 3 W) + 2 E 64 + 6 T (H + W): input rows forward (R H); output rows forward (R W) and for the hidden "
    "gradient (R W); hidden rows for the output rows' gradient (R W); gradient rows for the input rows' (R H); rows of "
    "the user branch, 16 floats, forward and back; three arrays of the optimizer, read and written";
const char *const bound_formula_flops =
    "sparse: 2 R (2 h + 3 w) + 64 E + 12 T (h + w); all cells: 6 U w I + 4 R h, U rows and I items";
const char *const bound_formula_seconds = "sparse: each term of the bytes over the row-gather bandwidth of its table, "
                                          "in the order in which this shape reads it "
                                          "(items x h, items x w, batch x w, batch x h, batch x h; the last one's is "
                                          "that of rows of three tables items x (h + w), read and written); all "
                                          "cells: FLOPs over the best sgemm of the run";

enum { OPTIMIZER_PASSES = 6, OPTIMIZER_FLOPS = 12 };

static double row_bytes(size_t width) {
	return (double)(gather_stride(width) * sizeof(float));
}

void bound_sparse(const struct shape_limits *limits, size_t hidden, size_t threads_count, struct bound *ret) {
	size_t width = hidden + USER_UNITS;
	double h = row_bytes(hidden), w = row_bytes(width), user = row_bytes(USER_UNITS);
	const struct {
		double bytes;
		const struct table_limit *table;
	} pass[] = {{limits->ratings * h, &limits->items_hidden},
	            {2 * limits->ratings * w, &limits->items_width},
	            {limits->ratings * w, &limits->batch_width},
	            {limits->ratings * h, &limits->batch_hidden},
	            {2 * limits->feature_entries * user, &limits->batch_hidden},
	            {OPTIMIZER_PASSES * limits->touched_rows * (h + w), &limits->update}};
	*ret = (struct bound){.flops = 2 * limits->ratings * (2 * (double)hidden + 3 * (double)width) +
	                               4 * USER_UNITS * limits->feature_entries +
	                               OPTIMIZER_FLOPS * limits->touched_rows * (double)(hidden + width)};
	for (size_t p = 0; p < sizeof(pass) / sizeof(pass[0]); p++) {
		ret->bytes += pass[p].bytes;
		for (size_t t = 0; t < threads_count; t++)
			ret->seconds[t] += pass[p].bytes / pass[p].table->bytes_per_second[t];
	}
}

void bound_gemm(const struct shape_limits *limits, const struct machine_limits *machine, size_t hidden,
                size_t threads_count, struct bound *ret) {
	double width = (double)(hidden + USER_UNITS);
	*ret = (struct bound){.bytes = NAN,
	                      .flops = 6 * limits->rows * width * limits->items + 4 * limits->ratings * (double)hidden};
	for (size_t t = 0; t < threads_count; t++)
		ret->seconds[t] = ret->flops / machine->sgemm_peak[t];
}
