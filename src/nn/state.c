// See state.h.
#include "nn/state.h"

#include "base/memory.h"
#include "nn/network_private.h"
#include "nn/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- as bytes ---

enum { CHUNK = 1 << 14 }; // numbers on their way from or to a device

void network_vector_put(const struct network *n, const real *vector, struct bytes_out *out) {
	real chunk[CHUNK];
	for (size_t done = 0; done < n->graph->weights;) {
		size_t left = n->graph->weights - done, count = left < CHUNK ? left : CHUNK;
		n->backend->download(n->device, chunk, vector + done, count * sizeof(real));
		bytes_put(out, chunk, count * sizeof(real));
		done += count;
	}
}

void network_vector_take(const struct network *n, real *vector, struct bytes_in *in, bool dry) {
	const void *from = bytes_view(in, n->graph->weights * sizeof(real));
	if (from && !dry)
		n->backend->upload(n->device, vector, from, n->graph->weights * sizeof(real));
}

static size_t states_of(const struct graph *graph) {
	return graph->optimizer->states(graph->optimizer_params);
}

static size_t phases_of(const struct network *n) {
	return n->graph->phases_count ? n->graph->phases_count : 1;
}

size_t network_state_size(const struct graph *graph) {
	size_t rows[TOUCHED_KINDS] = {0}, lazy = 0;
	network_count_lazy_rows(graph, rows);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++)
		lazy += rows[kind];
	return (1 + states_of(graph)) * graph->weights * sizeof(real) + lazy * sizeof(uint32_t);
}

static void put_stamps(const struct network *n, const uint32_t *stamp, size_t count, struct bytes_out *out) {
	uint32_t chunk[CHUNK];
	for (size_t done = 0, some; done < count; done += some) {
		some = count - done < CHUNK ? count - done : CHUNK;
		n->backend->download(n->device, chunk, stamp + done, some * sizeof(*chunk));
		bytes_put(out, chunk, some * sizeof(*chunk));
	}
}

void network_state_put(struct network *n, struct bytes_out *out) {
	size_t rows[TOUCHED_KINDS] = {0};
	network_count_lazy_rows(n->graph, rows);
	bytes_put_u64(out, sizeof(real));
	bytes_put_u64(out, n->graph->weights);
	bytes_put_u64(out, states_of(n->graph));
	bytes_put_u64(out, phases_of(n));
	bytes_put_u64(out, n->step);
	bytes_put(out, n->taken, phases_of(n) * sizeof(*n->taken));
	bytes_put_u64(out, n->phase);
	bytes_put_u64(out, n->settled);
	bytes_put_double(out, n->rate_factor);
	bytes_put_double(out, n->slowing);
	network_vector_put(n, n->weights, out);
	for (size_t i = 0; i < states_of(n->graph); i++)
		network_vector_put(n, n->state[i], out);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++)
		put_stamps(n, n->stamp[kind], rows[kind], out);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		for (size_t k = 0; n->graph->parameters[i].l2 > 0 && k < parameter_parts(&n->graph->parameters[i]); k++) {
			double squares;
			n->backend->download(n->device, &squares, &n->parameters[i].squares[k], sizeof(squares));
			bytes_put(out, &squares, sizeof(squares));
		}
}

// Stamps of steps that have been: a row waits since one of them.
static void take_stamps(struct network *n, uint64_t step, struct bytes_in *in, bool dry) {
	size_t rows[TOUCHED_KINDS] = {0};
	network_count_lazy_rows(n->graph, rows);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++) {
		const char *from = bytes_view(in, rows[kind] * sizeof(uint32_t));
		for (size_t i = 0; from && i < rows[kind]; i++) {
			uint32_t stamp;
			memcpy(&stamp, from + i * sizeof(stamp), sizeof(stamp));
			in->failed |= stamp > step;
		}
		if (from && !dry && rows[kind]) // without any there is no memory for them
			n->backend->upload(n->device, n->stamp[kind], from, rows[kind] * sizeof(uint32_t));
	}
}

static void take_squares(struct network *n, struct bytes_in *in, bool dry) {
	for (size_t i = 0; i < n->graph->parameters_count; i++) {
		if (!(n->graph->parameters[i].l2 > 0))
			continue;
		size_t size = parameter_parts(&n->graph->parameters[i]) * sizeof(double);
		const void *from = bytes_view(in, size);
		if (from && !dry)
			n->backend->upload(n->device, n->parameters[i].squares, from, size);
	}
}

void network_state_take(struct network *n, struct bytes_in *in, bool dry) {
	bytes_take_equal(in, sizeof(real));
	bytes_take_equal(in, n->graph->weights);
	bytes_take_equal(in, states_of(n->graph));
	bytes_take_equal(in, phases_of(n));
	uint64_t step = bytes_take_below(in, (uint64_t)UINT32_MAX + 1);
	const void *taken = bytes_view(in, phases_of(n) * sizeof(*n->taken));
	uint64_t phase = bytes_take_below(in, phases_of(n)), settled = bytes_take_below(in, 2);
	double factor = bytes_take_double(in), slowing = bytes_take_double(in);
	in->failed |= !isfinite(factor) || !(slowing > 0 && slowing <= 1);
	network_vector_take(n, n->weights, in, dry);
	for (size_t i = 0; i < states_of(n->graph); i++)
		network_vector_take(n, n->state[i], in, dry);
	take_stamps(n, step, in, dry);
	take_squares(n, in, dry);
	if (dry || in->failed)
		return;
	memcpy(n->taken, taken, phases_of(n) * sizeof(*n->taken));
	n->step = (uint32_t)step;
	n->phase = phase;
	n->settled = settled;
	n->joined = false;
	n->rate_factor = factor;
	network_slow(n, slowing);
}

// --- soundness ---

// All at once, which a compiler makes vectors of: 0 x is NAN where x is not finite.
bool numbers_finite(const real *data, size_t count) {
	real sum[16] = {0};
	size_t i = 0;
	for (; i + 16 <= count; i += 16)
		for (size_t k = 0; k < 16; k++)
			sum[k] += 0 * data[i + k];
	for (; i < count; i++)
		sum[0] += 0 * data[i];
	for (size_t k = 1; k < 16; k++)
		sum[0] += sum[k];
	return sum[0] == 0;
}

// Group by group, rows [first, first + rows), with what fills their strides, which is 0.
static bool rows_finite(const real *weights, const struct parameter *p, size_t first, size_t rows) {
	for (size_t g = 0; g < (p->groups ? p->groups->count : 1); g++) {
		size_t columns = p->groups ? p->groups->begin[g + 1] - p->groups->begin[g] : p->columns;
		if (rows > 0 &&
		    !numbers_finite(weights + p->offset[g] + first * p->stride[g], (rows - 1) * p->stride[g] + columns))
			return false;
	}
	return true;
}

const struct parameter *network_not_finite(const struct network *n, const struct batch *batch) {
	const real *weights = network_seen(n, n->weights, n->graph->weights);
	for (size_t i = 0; i < n->graph->parameters_count; i++) {
		const struct parameter *p = &n->graph->parameters[i];
		size_t count;
		uint32_t *rows = batch && p->lazy ? network_touched_rows(n, batch, p, &count) : NULL;
		bool fine = rows || rows_finite(weights, p, 0, p->rows);
		for (size_t k = 0; rows && fine && k < count; k++)
			fine = rows_finite(weights, p, rows[k], 1);
		free(rows);
		if (!fine)
			return p;
	}
	return NULL;
}

void network_gradient_facts(const struct network *n, const struct batch *batch, struct gradient_facts *ret) {
	*ret = (struct gradient_facts){0};
	for (size_t i = 0; i < n->graph->parameters_count; i++) {
		const struct parameter *p = &n->graph->parameters[i];
		struct matrix g = network_seen_matrix(n, &n->parameters[i].gradient);
		size_t rows;
		free(network_touched_rows(n, batch, p, &rows));
		for (size_t k = 0; p->trainable && k < rows * p->columns; k++) {
			double size = fabs((double)g.data[k / p->columns * g.stride + k % p->columns]);
			if (!isfinite(size))
				ret->bad = ret->bad ? ret->bad : p;
			else if (!ret->largest || size > ret->size)
				*ret = (struct gradient_facts){p, ret->bad, size};
		}
	}
}
