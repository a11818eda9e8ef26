// What the two paths of a product with sparse rows cost, as a model with fixed constants: the choice between them
// enters the results, so it must depend on the experiment and the data alone, never on the machine of the day.
#ifndef AEXP_NN_COST_H
#define AEXP_NN_COST_H

#include <stdbool.h>
#include <stddef.h>

struct cost_shape {
	double entries; // stored entries of a row, in the mean
	size_t columns; // of the sparse rows: items
	size_t width;   // of the dense side
	size_t batch;   // rows
	bool output;    // the sparse side is the output: three products a step, else two (data needs no gradient)
	bool lazy;      // the sparse path updates touched rows alone
};

// Nanoseconds a row, forward, backward and update, on one thread of the machine that was measured.
double cost_sparse(const struct cost_shape *shape);
double cost_dense(const struct cost_shape *shape);

// Nanoseconds of one thread of that machine for what is not a choice of paths: multiplications of a dense product, or of
// rows gathered from a table of so many bytes; cells that are made and taken back; weights that are updated.
double cost_multiply(double multiplications);
double cost_gather(double multiplications, double table_bytes);
double cost_cells(double cells);
double cost_update(double weights);

#endif
