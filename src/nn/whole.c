// See whole.h.
#include "nn/whole.h"

#include "nn/network_private.h"

#include <stdlib.h>
#include <string.h>

// A walk over a parameter's numbers, by runs of them that lie side by side in a network's flat vectors: row by row,
// group by group, which is the order of (rows, columns).
struct walk {
	const struct parameter *parameter;
	size_t row, group;   // of the run that comes next
	size_t place, count; // of the run at hand
};

static bool next(struct walk *w) {
	const struct parameter *p = w->parameter;
	if (w->row == p->rows)
		return false;
	size_t begin = p->groups ? p->groups->begin[w->group] : 0;
	w->count = (p->groups ? p->groups->begin[w->group + 1] : p->columns) - begin;
	w->place = p->offset[w->group] + w->row * p->stride[w->group];
	if (++w->group == (p->groups ? p->groups->count : 1)) {
		w->group = 0;
		w->row++;
	}
	return true;
}

void whole_get(const struct network *n, double *ret) {
	const real *from = network_seen(n, n->weights, n->graph->weights);
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		struct walk w = {.parameter = &n->graph->parameters[k]};
		while (w.parameter->trainable && next(&w))
			for (size_t j = 0; j < w.count; j++)
				*ret++ = from[w.place + j];
	}
}

void whole_set(struct network *n, const double *weights) {
	real *to = network_seen(n, n->weights, n->graph->weights);
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		struct walk w = {.parameter = &n->graph->parameters[k]};
		while (w.parameter->trainable && next(&w))
			for (size_t j = 0; j < w.count; j++)
				to[w.place + j] = (real)*weights++;
	}
	network_unseen(n, n->weights, to, n->graph->weights);
	n->joined = false;
}

// Of the loss without L2: rows that the batch does not touch have none.
static void add_gradient(const struct network *n, const struct batch *batch, const struct parameter *p, double *ret) {
	size_t count;
	uint32_t *rows = network_touched_rows(n, batch, p, &count);
	struct matrix g = network_seen_matrix(n, &network_memory_of(n, p)->gradient);
	for (size_t i = 0; i < count; i++) {
		double *to = ret + (rows ? rows[i] : i) * p->columns;
		for (size_t j = 0; j < p->columns; j++)
			to[j] += g.data[i * g.stride + j];
	}
	free(rows);
}

// Writes the slope of its L2, returns what that adds to the loss.
static double penalty(const struct network *n, const struct parameter *p, double *ret) {
	double squares = 0;
	if (p->l2 == 0) {
		memset(ret, 0, p->rows * p->columns * sizeof(*ret));
		return 0;
	}
	struct walk w = {.parameter = p};
	const real *weights = network_seen(n, n->weights, n->graph->weights);
	while (next(&w))
		for (size_t j = 0; j < w.count; j++) {
			double weight = weights[w.place + j];
			squares += weight * weight;
			*ret++ = 2 * p->l2 * weight;
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
