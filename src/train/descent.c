// See descent.h. Order of arithmetic as in libLBFGS 1.10 without SSE2; see line.c.
#include "train/descent.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS = 5 }; // of a descent, corrections apart

bool descent_create(size_t n, const struct lbfgs_params *params, struct descent **ret, struct error *error) {
	struct descent *d = memory_alloc(sizeof(*d));
	double **const vectors[VECTORS] = {&d->x, &d->gradient, &d->from, &d->from_gradient, &d->direction};
	size_t memory = (size_t)params->memory, past = (size_t)params->past;
	bool good = true;
	d->n = n;
	d->params = params;
	d->corrections = memory_alloc(memory * sizeof(*d->corrections));
	d->past = past ? memory_alloc(past * sizeof(*d->past)) : NULL;
	for (size_t i = 0; good && i < VECTORS; i++)
		good = (*vectors[i] = memory_array(n, sizeof(double), "a vector of L-BFGS", error)) != NULL;
	for (size_t i = 0; good && i < memory; i++) {
		struct correction *c = &d->corrections[i];
		good = (c->step = memory_array(n, sizeof(double), "a step of L-BFGS", error)) &&
		       (c->change = memory_array(n, sizeof(double), "a change of L-BFGS", error));
	}
	if (good)
		*ret = d;
	else
		descent_destroy(d);
	return good;
}

void descent_destroy(struct descent *d) {
	if (!d)
		return;
	for (size_t i = 0; i < (size_t)d->params->memory; i++) {
		free(d->corrections[i].step);
		free(d->corrections[i].change);
	}
	free(d->corrections);
	free(d->past);
	free(d->x);
	free(d->gradient);
	free(d->from);
	free(d->from_gradient);
	free(d->direction);
	free(d);
}

static bool is_steep(const struct descent *d) {
	double length = sqrt(vector_dot(d->x, d->x, d->n)), slope = sqrt(vector_dot(d->gradient, d->gradient, d->n));
	return !(slope / (length < 1 ? 1 : length) <= d->params->epsilon);
}

enum descent_end descent_begin(struct descent *d, const struct slope *slope) {
	if (!slope->at(slope->context, d->x, d->gradient, &d->value))
		return DESCENT_STOPPED;
	if (d->past)
		d->past[0] = d->value;
	for (size_t i = 0; i < d->n; i++)
		d->direction[i] = -d->gradient[i];
	d->begun = true;
	return is_steep(d) ? DESCENT_GOES_ON : DESCENT_STEEP_NO_MORE;
}

enum line_end descent_search(struct descent *d, const struct slope *slope) {
	struct line line = {.n = d->n,
	                    .from = d->from,
	                    .direction = d->direction,
	                    .x = d->x,
	                    .gradient = d->gradient,
	                    .value = d->value,
	                    .step = d->iterations ? 1 : 1 / sqrt(vector_dot(d->direction, d->direction, d->n))};
	memcpy(d->from, d->x, d->n * sizeof(*d->x));
	memcpy(d->from_gradient, d->gradient, d->n * sizeof(*d->x));
	enum line_end end = line_search(&line, slope, ((const struct line_search *)d->params->line_search.row)->kind,
	                                (size_t)d->params->most_evaluations);
	if (end != LINE_STOPPED)
		d->value = line.value;
	if (end != LINE_FOUND) {
		memcpy(d->x, d->from, d->n * sizeof(*d->x));
		memcpy(d->gradient, d->from_gradient, d->n * sizeof(*d->x));
	}
	return end;
}

// By what the last `past` iterations made of the value.
static bool falls(struct descent *d) {
	size_t past = (size_t)d->params->past, k = d->iterations + 1;
	if (!past)
		return true;
	if (past <= k && (d->past[k % past] - d->value) / d->value < d->params->delta)
		return false;
	d->past[k % past] = d->value;
	return true;
}

// Of the iteration that ends. Returns by what the inverse Hessian is scaled.
static double correct(struct descent *d) {
	struct correction *c = &d->corrections[d->iterations % (size_t)d->params->memory];
	for (size_t i = 0; i < d->n; i++) {
		c->step[i] = d->x[i] - d->from[i];
		c->change[i] = d->gradient[i] - d->from_gradient[i];
	}
	c->product = vector_dot(c->change, c->step, d->n);
	d->iterations++;
	return c->product / vector_dot(c->change, c->change, d->n);
}

// direction = -(inverse Hessian) gradient: Nocedal's recursion of two loops, newest correction first, then oldest
// first.
static void aim(struct descent *d, double scale) {
	size_t memory = (size_t)d->params->memory, count = d->iterations < memory ? d->iterations : memory;
	for (size_t i = 0; i < d->n; i++)
		d->direction[i] = -d->gradient[i];
	for (size_t k = d->iterations; k-- > d->iterations - count;) {
		struct correction *c = &d->corrections[k % memory];
		c->share = vector_dot(c->step, d->direction, d->n) / c->product;
		vector_add(d->direction, c->change, -c->share, d->n);
	}
	for (size_t i = 0; i < d->n; i++)
		d->direction[i] *= scale;
	for (size_t k = d->iterations - count; k < d->iterations; k++) {
		const struct correction *c = &d->corrections[k % memory];
		double share = vector_dot(c->change, d->direction, d->n) / c->product;
		vector_add(d->direction, c->step, c->share - share, d->n);
	}
}

enum descent_end descent_turn(struct descent *d) {
	if (!is_steep(d))
		return DESCENT_STEEP_NO_MORE;
	if (!falls(d))
		return DESCENT_FALLS_NO_MORE;
	aim(d, correct(d));
	return DESCENT_GOES_ON;
}

// --- as bytes ---

double descent_size(size_t n, const struct lbfgs_params *params) {
	return sizeof(double) * ((double)n * (2.0 * (double)params->memory + 2) + (double)params->past);
}

static size_t corrections_of(const struct descent *d, size_t iterations) {
	size_t memory = (size_t)d->params->memory;
	return iterations < memory ? iterations : memory;
}

// The direction is made of the rest.
void descent_put(const struct descent *d, struct bytes_out *out) {
	bytes_put_u64(out, d->n);
	bytes_put_u64(out, (uint64_t)d->params->memory);
	bytes_put_u64(out, d->iterations);
	bytes_put_double(out, d->value);
	bytes_put(out, d->x, d->n * sizeof(double));
	bytes_put(out, d->gradient, d->n * sizeof(double));
	for (size_t i = 0; i < corrections_of(d, d->iterations); i++) {
		bytes_put(out, d->corrections[i].step, d->n * sizeof(double));
		bytes_put(out, d->corrections[i].change, d->n * sizeof(double));
	}
	for (size_t i = 0; i < (size_t)d->params->past; i++)
		bytes_put_double(out, d->past[i]);
}

static void take_vector(const struct descent *d, struct bytes_in *in, bool dry, double *ret) {
	const void *from = bytes_view(in, d->n * sizeof(double));
	if (from && !dry)
		memcpy(ret, from, d->n * sizeof(double));
}

// What is not kept: products, and the direction that follows.
static void restore(struct descent *d) {
	for (size_t i = 0; i < corrections_of(d, d->iterations); i++)
		d->corrections[i].product = vector_dot(d->corrections[i].change, d->corrections[i].step, d->n);
	const struct correction *last = &d->corrections[(d->iterations - 1) % (size_t)d->params->memory];
	aim(d, last->product / vector_dot(last->change, last->change, d->n));
	d->begun = true;
}

void descent_take(struct descent *d, size_t iterations, struct bytes_in *in, bool dry) {
	bytes_take_equal(in, d->n);
	bytes_take_equal(in, (uint64_t)d->params->memory);
	in->failed |= !bytes_take_equal(in, iterations) || !iterations;
	double value = bytes_take_double(in);
	take_vector(d, in, dry, d->x);
	take_vector(d, in, dry, d->gradient);
	for (size_t i = 0; !in->failed && i < corrections_of(d, iterations); i++) {
		take_vector(d, in, dry, d->corrections[i].step);
		take_vector(d, in, dry, d->corrections[i].change);
	}
	for (size_t i = 0; i < (size_t)d->params->past; i++) {
		double past = bytes_take_double(in);
		if (!dry)
			d->past[i] = past;
	}
	if (dry || in->failed)
		return;
	d->iterations = iterations;
	d->value = value;
	restore(d);
}
