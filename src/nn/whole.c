// See whole.h.
#include "nn/whole.h"

#include "nn/network_private.h"

#include <string.h>

// Runs of numbers that lie side by side both in a network's flat vectors and in a parameter's (rows, columns).
struct run_of {
	size_t place, row, column, count;
};

static size_t groups_of(const struct parameter *p) {
	return p->groups ? p->groups->count : 1;
}

// Row by row, group by group.
static struct run_of run_at(const struct parameter *p, size_t row, size_t group) {
	size_t column = p->groups ? p->groups->begin[group] : 0;
	size_t end = p->groups ? p->groups->begin[group + 1] : p->columns;
	return (struct run_of){p->offset[group] + row * p->stride[group], row, column, end - column};
}

void whole_get(const struct network *n, double *ret) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t i = 0; p->trainable && i < p->rows; i++)
			for (size_t g = 0; g < groups_of(p); g++) {
				struct run_of run = run_at(p, i, g);
				for (size_t j = 0; j < run.count; j++)
					*ret++ = n->weights[run.place + j];
			}
	}
}

void whole_set(struct network *n, const double *weights) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t i = 0; p->trainable && i < p->rows; i++)
			for (size_t g = 0; g < groups_of(p); g++) {
				struct run_of run = run_at(p, i, g);
				for (size_t j = 0; j < run.count; j++)
					n->weights[run.place + j] = (real)*weights++;
			}
	}
	n->joined = false;
}

// Of the loss without L2: rows that the batch does not touch have none.
static void add_gradient(const struct network *n, const struct batch *batch, const struct parameter *p, double *ret) {
	const struct pass pass = {.batch = batch};
	const struct transposed *touched = pass_touched(&pass, p);
	const struct matrix *g = &network_memory_of(n, p)->gradient;
	size_t count = touched ? touched->count : p->rows;
	for (size_t i = 0; i < count; i++) {
		double *to = ret + (touched ? touched->column[i] : i) * p->columns;
		for (size_t j = 0; j < p->columns; j++)
			to[j] += g->data[i * g->stride + j];
	}
}

// Writes the slope of its L2, returns what that adds to the loss.
static double penalty(const struct network *n, const struct parameter *p, double *ret) {
	double squares = 0;
	if (p->l2 == 0) {
		memset(ret, 0, p->rows * p->columns * sizeof(*ret));
		return 0;
	}
	for (size_t i = 0; i < p->rows; i++)
		for (size_t g = 0; g < groups_of(p); g++) {
			struct run_of run = run_at(p, i, g);
			for (size_t j = 0; j < run.count; j++) {
				double w = n->weights[run.place + j];
				squares += w * w;
				*ret++ = 2 * p->l2 * w;
			}
		}
	return p->l2 * squares;
}

double whole_slope(struct network *n, const struct batch *batch, uint32_t epoch, double *ret) {
	double loss = network_gradients(n, batch, epoch);
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		if (!p->trainable)
			continue;
		loss += penalty(n, p, ret);
		add_gradient(n, batch, p, ret);
		ret += p->rows * p->columns;
	}
	return loss;
}
