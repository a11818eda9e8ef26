// Memory of a network, the passes through it, and its weights as tensors.
#include "nn/network.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// --- memory: laid out twice by the same code, first to count, then in one allocation ---

struct carve {
	char *base; // NULL while counting
	size_t used;
};

static void *carve(struct carve *c, size_t count, size_t size) {
	enum { LINE = 64 };
	void *place = c->base ? c->base + c->used : NULL;
	c->used += (count * size + LINE - 1) / LINE * LINE;
	return place;
}

static size_t full_rows(const struct network *n, const struct node *node, const struct network_room *room) {
	return node->cells ? room->full_rows : n->rows;
}

// A node's values and gradients. Cells nodes have a packed form for training, and a dense one for rankings.
static void carve_slot(struct network *n, const struct node *node, const struct network_room *room, struct carve *c) {
	struct slot *s = network_slot(n, node);
	size_t rows = full_rows(n, node, room),
	       entries = node->source == n->graph->user ? room->feature_entries : room->rating_entries;
	bool needs_x = node->op && node->op->keeps_x && node->activation->needs_x;
	if (node->sparse && node->op)
		s->sparse_value = carve(c, entries, sizeof(real));
	if (node->sparse && !node->densified)
		return;
	if (node->within) {
		const struct slot *whole = network_slot(n, node->within);
		s->stride = whole->stride;
		s->value = whole->value ? whole->value + node->within_column : NULL;
		s->gradient = whole->gradient ? whole->gradient + node->within_column : NULL;
	} else {
		s->stride = node->width;
		s->value = carve(c, rows * node->width, sizeof(real));
		s->gradient = node->needs_gradient && !node->cells ? carve(c, rows * node->width, sizeof(real)) : NULL;
	}
	if (node->cells) {
		s->cell_value = carve(c, n->cells, sizeof(real));
		s->cell_gradient = carve(c, n->cells, sizeof(real));
		s->cell_before = needs_x ? carve(c, n->cells, sizeof(real)) : NULL;
	}
	s->before = needs_x ? carve(c, rows * node->width, sizeof(real)) : NULL;
	if (node->op && node->op->keeps_mask && !node->cells)
		s->keep = carve(c, rows * node->width, 1);
	for (size_t i = 0; node->op && i < node->op->columns; i++)
		s->column[i] = carve(c, node->width, sizeof(real));
}

static size_t touched_most(const struct network *n, const struct parameter *p, const struct network_room *room) {
	size_t entries = p->touched == TOUCHED_TARGETS ? n->cells
	                 : p->touched == TOUCHED_USER  ? room->feature_entries
	                                               : room->rating_entries;
	return entries < p->rows ? entries : p->rows;
}

static void carve_parameter(struct network *n, size_t i, const struct network_room *room, struct carve *c) {
	const struct parameter *p = &n->graph->parameters[i];
	struct parameter_memory *m = &n->parameters[i];
	if (p->touched == TOUCHED_ALL)
		return;
	size_t most = touched_most(n, p, room);
	m->rows = (struct matrix){carve(c, most * p->stride, sizeof(real)), most, p->columns, p->stride};
	if (p->lazy)
		m->stamp = carve(c, p->rows, sizeof(*m->stamp));
	else
		m->slot = carve(c, p->rows, sizeof(*m->slot));
}

static void lay_out(struct network *n, const struct network_room *room, struct carve *c) {
	const struct graph *g = n->graph;
	size_t states = g->optimizer->states(g->optimizer_params);
	n->weights = carve(c, g->weights, sizeof(real));
	for (size_t i = 0; i < states; i++)
		n->state[i] = carve(c, g->weights, sizeof(real));
	n->gradient = carve(c, g->weights, sizeof(real));
	for (size_t i = 0; i < g->parameters_count; i++)
		carve_parameter(n, i, room, c);
	for (size_t i = g->nodes_count; i-- > 0;) // a concat before its inputs
		carve_slot(n, &g->nodes[i], room, c);
	n->row_scale = carve(c, n->rows, sizeof(real));
	n->decay_power = carve(c, n->decay_powers, sizeof(real));
}

static void fill_decay_powers(struct network *n) {
	double decay = n->graph->optimizer->decay(n->graph->optimizer_params), power = 1;
	for (size_t k = 0; k < n->decay_powers; k++, power *= decay)
		n->decay_power[k] = (real)power;
}

// --- weights ---

// Element (i, j) of a parameter as the model has it: dense weights are (inputs, units).
static real *element(real *flat, const struct parameter *p, size_t i, size_t j) {
	return &flat[p->offset + (p->transposed ? j * p->stride + i : i * p->stride + j)];
}
static size_t tensor_rows(const struct parameter *p) {
	return p->transposed ? p->columns : p->rows;
}
static size_t tensor_columns(const struct parameter *p) {
	return p->transposed ? p->rows : p->columns;
}

static void initialize(struct network *n, real *flat) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		const struct initializer *init = p->init ? (const struct initializer *)p->init->kind.row : NULL;
		struct random_stream stream = random_stream_make(n->seed, "init", p->node->name);
		for (size_t i = 0; i < tensor_rows(p); i++)
			for (size_t j = 0; j < tensor_columns(p); j++)
				*element(flat, p, i, j) =
				    (real)(init ? init->value(p->init->kind.params, p->fan_in, p->fan_out, stream, i, j) : p->fill);
	}
}

bool network_create(const struct graph *graph, struct device *device, const struct backend *backend, uint64_t seed,
                    const struct network_room *room, struct network **ret, struct error *error) {
	enum { DECAY_POWERS = 4096 };
	struct network *n = memory_alloc(sizeof(*n));
	*n = (struct network){.graph = graph,
	                      .device = device,
	                      .backend = backend,
	                      .seed = seed,
	                      .rows = room->rows,
	                      .cells = room->cells,
	                      .decay_powers = DECAY_POWERS};
	n->parameters = memory_alloc((graph->parameters_count + 1) * sizeof(*n->parameters));
	n->slots = memory_alloc(graph->nodes_count * sizeof(*n->slots));
	struct carve counted = {0};
	lay_out(n, room, &counted);
	struct carve real_one = {.base = backend->allocate(device, counted.used, error)};
	if (!real_one.base) {
		network_destroy(n);
		return false;
	}
	lay_out(n, room, &real_one);
	real *weights = memory_array(graph->weights, sizeof(real), "the weights", error);
	if (!weights) {
		network_destroy(n);
		return false;
	}
	initialize(n, weights);
	network_load(n, weights);
	free(weights);
	for (size_t i = 0; i < graph->nodes_count; i++)
		if (graph->nodes[i].op)
			n->slots[i].stream = random_stream_make(seed, graph->nodes[i].op->row.name, graph->nodes[i].name);
	fill_decay_powers(n);
	*ret = n;
	return true;
}

void network_destroy(struct network *n) {
	if (!n)
		return;
	n->backend->release(n->device, n->weights); // the first of the one allocation
	free(n->parameters);
	free(n->slots);
	free(n);
}

void network_save(const struct network *n, real *ret) {
	n->backend->download(n->device, ret, n->weights, n->graph->weights * sizeof(real));
}

void network_load(struct network *n, const real *weights) {
	n->backend->upload(n->device, n->weights, weights, n->graph->weights * sizeof(real));
}

// --- for ops ---

static struct matrix pick(const struct network *n, const struct node *node, real *cells, real *dense) {
	if (network_at_cells(n, node)) {
		size_t count = sparse_count(&n->batch->target);
		return (struct matrix){cells, 1, count, count};
	}
	return (struct matrix){dense, n->batch->rows, node->width, n->slots[node->index].stride};
}

struct matrix network_value(const struct network *n, const struct node *node) {
	return pick(n, node, n->slots[node->index].cell_value, n->slots[node->index].value);
}

struct matrix network_gradient(const struct network *n, const struct node *node) {
	return pick(n, node, n->slots[node->index].cell_gradient, n->slots[node->index].gradient);
}

struct matrix network_before(const struct network *n, const struct node *node) {
	struct matrix m = pick(n, node, n->slots[node->index].cell_before, n->slots[node->index].before);
	m.stride = m.columns;
	return m;
}

real network_gradient_beta(struct network *n, const struct node *node) {
	struct slot *s = network_slot(n, node);
	real beta = s->gradient_written ? 1 : 0;
	s->gradient_written = true;
	return beta;
}

struct matrix network_weight(const struct network *n, const struct parameter *p) {
	return (struct matrix){n->weights + p->offset, p->rows, p->columns, p->stride};
}

const struct transposed *network_touched(const struct network *n, const struct parameter *p) {
	switch (p->touched) {
	case TOUCHED_RATINGS:
		return &n->batch->by_rating;
	case TOUCHED_USER:
		return &n->batch->by_feature;
	case TOUCHED_TARGETS:
		return &n->batch->by_target;
	case TOUCHED_ALL:
		break;
	}
	return NULL;
}

struct matrix network_parameter_gradient(const struct network *n, const struct parameter *p) {
	const struct transposed *touched = network_touched(n, p);
	if (!touched)
		return (struct matrix){n->gradient + p->offset, p->rows, p->columns, p->stride};
	struct matrix m = n->parameters[p - n->graph->parameters].rows;
	m.rows = touched->count;
	return m;
}

// --- passes ---

static void begin(struct network *n, const struct batch *batch, bool training, bool at_cells, uint32_t epoch) {
	assert(batch->rows <= n->rows && sparse_count(&batch->target) <= n->cells);
	n->batch = batch;
	n->training = training;
	n->at_cells = at_cells;
	n->epoch = epoch;
	for (size_t i = 0; i < n->graph->nodes_count; i++)
		n->slots[i].gradient_written = false;
}

static void forward(struct network *n) {
	for (size_t i = 0; i < n->graph->nodes_count; i++) {
		const struct node *node = &n->graph->nodes[i];
		struct slot *s = &n->slots[i];
		if (node->op)
			node->op->forward(n, node);
		else
			s->rows = node == n->graph->user ? n->batch->user : n->batch->ratings;
		if (node->densified) {
			struct matrix dense = network_value(n, node);
			n->backend->densify(n->device, &s->rows, &dense);
		}
	}
}

static void backward(struct network *n) {
	for (size_t i = n->graph->nodes_count; i-- > 0;)
		if (n->graph->nodes[i].op && n->graph->nodes[i].needs_gradient)
			n->graph->nodes[i].op->backward(n, &n->graph->nodes[i]);
}

// What each row's cells are multiplied by, so that their sum is the reduction.
static void scale_rows(struct network *n) {
	const struct sparse *target = &n->batch->target;
	enum reduction reduction = ((const struct reduction_row *)n->graph->loss_config->reduction.row)->reduction;
	bool all = n->graph->loss->all_cells;
	size_t rows = n->batch->rows, with_targets = 0;
	double cells = all ? (double)rows * (double)target->columns : (double)sparse_count(target);
	for (size_t i = 0; i < rows; i++)
		with_targets += all || target->start[i + 1] > target->start[i];
	for (size_t i = 0; i < rows; i++) {
		double row_cells = all ? (double)target->columns : (double)(target->start[i + 1] - target->start[i]);
		double scale = 1; // REDUCTION_SUM
		if (reduction == REDUCTION_MEAN)
			scale = cells > 0 ? 1 / cells : 0;
		else if (reduction == REDUCTION_ROW_MEAN)
			scale = row_cells > 0 ? 1 / (row_cells * (double)with_targets) : 0;
		n->row_scale[i] = (real)scale;
	}
}

static double output_loss(struct network *n) {
	const struct node *output = n->graph->output;
	scale_rows(n);
	struct loss_cells cells = {n->graph->loss->id, &n->batch->target, n->graph->loss->all_cells, n->row_scale};
	struct matrix prediction = network_value(n, output), gradient = network_gradient(n, output);
	n->slots[output->index].gradient_written = true;
	return n->backend->loss(n->device, &cells, network_at_cells(n, output), &prediction, &gradient);
}

static double penalty_of(const struct network *n, const struct parameter *p) {
	double squares = 0;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++) {
			double w = n->weights[p->offset + i * p->stride + j];
			squares += w * w;
		}
	return p->l2 * squares;
}

double network_loss(struct network *n, const struct batch *batch, uint32_t epoch, bool training) {
	begin(n, batch, training, true, epoch);
	forward(n);
	double loss = output_loss(n);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		if (n->graph->parameters[i].l2 > 0)
			loss += penalty_of(n, &n->graph->parameters[i]);
	return loss;
}

double network_gradients(struct network *n, const struct batch *batch, uint32_t epoch) {
	begin(n, batch, true, true, epoch);
	forward(n);
	double loss = output_loss(n);
	backward(n);
	return loss;
}

void network_gradient_of(const struct network *n, const struct parameter *p, real *ret) {
	const struct transposed *touched = network_touched(n, p);
	struct matrix g = network_parameter_gradient(n, p);
	memset(ret, 0, p->rows * p->columns * sizeof(*ret));
	for (size_t i = 0; i < g.rows; i++) {
		size_t row = touched ? touched->column[i] : i;
		for (size_t j = 0; j < p->columns; j++)
			ret[row * p->columns + j] = g.data[i * g.stride + j];
	}
	for (size_t i = 0; p->l2 > 0 && i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++)
			ret[i * p->columns + j] += 2 * (real)p->l2 * n->weights[p->offset + i * p->stride + j];
}

// --- update ---

static void mark_touched(const struct parameter_memory *m, const struct transposed *touched, bool mark) {
	for (uint32_t i = 0; i < touched->count; i++)
		m->slot[touched->column[i]] = mark ? i + 1 : 0;
}

// Returns what L2 adds to the loss.
static double update_parameter(struct network *n, size_t i, const struct optimizer_numbers *numbers) {
	const struct parameter *p = &n->graph->parameters[i];
	const struct parameter_memory *m = &n->parameters[i];
	const struct transposed *touched = network_touched(n, p);
	struct optimizer_rows rows = {
	    .id = n->graph->optimizer->id,
	    .numbers = *numbers,
	    .weight = network_weight(n, p),
	    .state = {n->state[0] ? n->state[0] + p->offset : NULL, n->state[1] ? n->state[1] + p->offset : NULL},
	    .gradient = network_parameter_gradient(n, p),
	    .row = touched ? touched->column : NULL,
	    .lazy = p->lazy,
	    .stamp = m->stamp,
	    .step = n->step,
	    .decay_power = n->decay_power,
	    .decay_powers = n->decay_powers,
	    .slot = m->slot,
	    .l2 = (real)p->l2,
	    .first_only = !n->graph->optimizer->decays,
	};
	if (touched && !p->lazy)
		mark_touched(m, touched, true);
	double squares = n->backend->optimize(n->device, &rows);
	if (touched && !p->lazy)
		mark_touched(m, touched, false);
	return p->l2 * squares;
}

double network_step(struct network *n, const struct batch *batch, uint32_t epoch) {
	double loss = network_gradients(n, batch, epoch);
	struct optimizer_numbers numbers;
	n->graph->optimizer->numbers(n->graph->optimizer_params, ++n->step, &numbers);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		if (n->graph->parameters[i].trainable)
			loss += update_parameter(n, i, &numbers);
	return loss;
}

// --- predictions ---

void network_predict_cells(struct network *n, const struct batch *batch, float *ret) {
	const struct node *output = n->graph->output;
	begin(n, batch, false, true, 0);
	forward(n);
	struct matrix y = network_value(n, output);
	for (size_t i = 0; i < batch->rows; i++)
		for (uint32_t k = batch->target.start[i]; k < batch->target.start[i + 1]; k++)
			ret[k] = (float)(network_at_cells(n, output) ? y.data[k] : y.data[i * y.stride + batch->target.column[k]]);
}

struct matrix network_predict_all(struct network *n, const struct batch *batch) {
	begin(n, batch, false, false, 0);
	forward(n);
	return network_value(n, n->graph->output);
}

// --- tensors ---

size_t network_tensors(const struct network *n, struct arena *arena, struct tensor_facts **ret) {
	size_t count = n->graph->parameters_count;
	struct tensor_facts *tensors = arena_alloc(arena, count * sizeof(*tensors));
	for (size_t k = 0; k < count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		size_t rows = tensor_rows(p), columns = tensor_columns(p);
		float *data = arena_alloc(arena, rows * columns * sizeof(*data));
		for (size_t i = 0; i < rows; i++)
			for (size_t j = 0; j < columns; j++)
				data[i * columns + j] = (float)*element(n->weights, p, i, j);
		tensors[k] = (struct tensor_facts){.name = arena_format(arena, "%s.%s", p->node->name, p->suffix),
		                                   .shape = {p->vector ? rows * columns : rows, p->vector ? 1 : columns},
		                                   .dimensions = p->vector ? 1 : 2,
		                                   .data = data};
	}
	*ret = tensors;
	return count;
}

bool network_set_tensor(struct network *n, const struct tensor_facts *tensor) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		size_t length = strlen(p->node->name), rows = tensor_rows(p), columns = tensor_columns(p);
		if (strncmp(tensor->name, p->node->name, length) || tensor->name[length] != '.' ||
		    strcmp(tensor->name + length + 1, p->suffix) || tensor->dimensions != (p->vector ? 1u : 2u))
			continue;
		size_t elements = tensor->shape[0] * (tensor->dimensions == 2 ? tensor->shape[1] : 1);
		if (elements != rows * columns || (tensor->dimensions == 2 && tensor->shape[0] != rows))
			return false;
		for (size_t i = 0; i < rows; i++)
			for (size_t j = 0; j < columns; j++)
				*element(n->weights, p, i, j) = tensor->data[i * columns + j];
		return true;
	}
	return false;
}
