// Memory of a network, the passes through it, and its weights as tensors.
#include "nn/network.h"

#include "base/memory.h"
#include "nn/schedule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

// Weights and their state are read at the same place of each. Were that the same place of a page, they would fall into
// the same sets of the first-level cache: each vector begins at another third of one.
static void stagger(struct carve *c, size_t third) {
	enum { PAGE = 4096, LINE = 64 };
	size_t want = PAGE / 3 / LINE * LINE * third;
	c->used += (want + PAGE - c->used % PAGE) % PAGE;
}

static size_t full_rows(const struct network *n, const struct node *node, const struct network_room *room) {
	return node->cells ? room->full_rows : n->rows;
}

// Rows of whole cache lines, an odd number of them: a column chunk of many rows would fall into few sets of a cache if
// rows were a power of two apart.
static size_t padded(size_t width) {
	enum { NUMBERS = 16 }; // a cache line of floats
	return ((width + NUMBERS - 1) / NUMBERS | 1) * NUMBERS;
}

// Words of a row of a dropout's mask: a group's bits start in a word of their own.
static size_t keep_words(const struct node *node) {
	return network_keep_word(node->width, node->groups->count);
}

// Cells nodes have a packed form for training, and a dense one for rankings.
static void carve_cells(struct network *n, const struct node *node, bool needs_x, size_t rows, struct carve *c) {
	struct slot *s = &n->slots[node->index];
	s->cell_value = carve(c, n->cells, sizeof(real));
	s->cell_gradient = carve(c, n->cells, sizeof(real));
	s->cell_before = needs_x ? carve(c, n->cells, sizeof(real)) : NULL;
	if (node->op->makes_cells)
		s->parts = carve(c, node->inputs[0]->groups->count * n->cells, sizeof(real));
	if (node->op->makes_cells && rows)
		s->joined = carve(c, node->width * padded(node->inputs[0]->width), sizeof(real));
}

static void carve_slot(struct network *n, const struct node *node, const struct network_room *room, struct carve *c) {
	struct slot *s = &n->slots[node->index];
	size_t rows = full_rows(n, node, room),
	       entries = node->source == n->graph->user ? room->feature_entries : room->rating_entries;
	bool needs_x = node->op && node->op->keeps_x && node->activation->needs_x;
	if (node->sparse && node->op)
		s->sparse_value = carve(c, entries, sizeof(real));
	if (node->sparse && !node->densified)
		return;
	const struct place *value_at = &node->value_at, *gradient_at = &node->gradient_at;
	if (value_at->node) {
		const struct slot *whole = &n->slots[value_at->node->index];
		s->stride = whole->stride;
		s->value = whole->value ? whole->value + value_at->column : NULL;
	} else {
		s->stride = padded(node->width);
		s->value = carve(c, rows * s->stride, sizeof(real));
	}
	if (gradient_at->node) {
		const struct slot *whole = &n->slots[gradient_at->node->index];
		s->gradient_stride = whole->gradient_stride;
		s->gradient = whole->gradient ? whole->gradient + gradient_at->column : NULL;
	} else {
		s->gradient_stride = padded(node->width);
		s->gradient = node->needs_gradient && !node->cells ? carve(c, rows * s->gradient_stride, sizeof(real)) : NULL;
	}
	if (node->cells)
		carve_cells(n, node, needs_x, rows, c);
	s->before = needs_x ? carve(c, rows * s->stride, sizeof(real)) : NULL;
	if (node->op && node->op->keeps_mask && !node->cells)
		s->keep = carve(c, rows * keep_words(node), sizeof(*s->keep));
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
	size_t rows = p->touched == TOUCHED_ALL ? p->rows : room->gradients ? touched_most(n, p, room) : 0;
	size_t stride = p->columns == 1 ? 1 : padded(p->columns);
	m->gradient = (struct matrix){carve(c, rows * stride, sizeof(real)), rows, p->columns, stride};
	size_t groups = p->l2 > 0 ? p->by->groups->count : 0;
	m->squares = carve(c, groups, sizeof(double));
	m->penalty = carve(c, groups, sizeof(double));
}

// Rows of the parameters of each kind that are lazy.
static void count_lazy_rows(const struct graph *g, size_t ret_rows[TOUCHED_KINDS]) {
	for (size_t i = 0; i < g->parameters_count; i++)
		if (g->parameters[i].lazy)
			ret_rows[g->parameters[i].touched] = g->parameters[i].rows;
}

static void carve_waits(struct network *n, struct carve *c) {
	size_t rows[TOUCHED_KINDS] = {0}, most = 0;
	count_lazy_rows(n->graph, rows);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++) {
		n->stamp[kind] = rows[kind] ? carve(c, rows[kind], sizeof(uint32_t)) : NULL;
		most = rows[kind] > most ? rows[kind] : most;
	}
	n->waited = carve(c, most, sizeof(uint32_t));
}

static void lay_out(struct network *n, const struct network_room *room, struct carve *c) {
	const struct graph *g = n->graph;
	size_t states = g->optimizer->states(g->optimizer_params);
	n->weights = carve(c, g->weights, sizeof(real));
	for (size_t i = 0; i < states; i++) {
		stagger(c, i + 1);
		n->state[i] = carve(c, g->weights, sizeof(real));
	}
	for (size_t i = 0; i < g->parameters_count; i++)
		carve_parameter(n, i, room, c);
	for (size_t i = g->nodes_count; i-- > 0;) // what lies in a later node's memory after that
		carve_slot(n, &g->nodes[i], room, c);
	n->row_sum = carve(c, g->output->groups->count * n->rows, sizeof(double));
	carve_waits(n, c);
}

// --- whose columns are whose ---

static void own_new(const struct column_groups *groups, const struct crew *crew, size_t *load) {
	for (size_t g = 0; g < groups->count; g++) {
		size_t member = 0;
		for (size_t m = 1; m < crew->members; m++)
			member = load[m] < load[member] ? m : member;
		member = groups->trained ? member : g * crew->members / groups->count;
		crew->owner[groups->index][g] = (uint16_t)member;
		load[member] += groups->trained ? groups->begin[g + 1] - groups->begin[g] : 0;
	}
}

static void own_parts(const struct column_groups *groups, const struct crew *crew) {
	uint16_t *owner = crew->owner[groups->index];
	for (size_t i = 0; i < groups->parts_count; i++) {
		memcpy(owner, crew->owner[groups->parts[i]->index], groups->parts[i]->count * sizeof(*owner));
		owner += groups->parts[i]->count;
	}
}

// Member 0 is the caller, who has other things to do between two runs: it starts with a few.
enum { CALLERS_COLUMNS = 8 };

// Each group goes to the member that has the fewest columns so far, of those that a training step computes.
static void make_crew(struct network *n, size_t members, struct crew *ret) {
	const struct graph *g = n->graph;
	size_t *load = memory_alloc(members * sizeof(*load));
	*ret = (struct crew){.members = members};
	load[0] = CALLERS_COLUMNS;
	ret->owner = arena_alloc(&n->arena, (g->groupings_count + 1) * sizeof(*ret->owner));
	for (size_t i = 0; i < g->groupings_count; i++) {
		const struct column_groups *groups = g->groupings[i];
		ret->owner[i] = arena_alloc(&n->arena, (groups->count + 1) * sizeof(**ret->owner));
		if (groups->parts_count)
			own_parts(groups, ret);
		else
			own_new(groups, ret, load);
	}
	for (size_t m = 1; m < members; m++)
		ret->idlest = load[m] < load[ret->idlest] ? m : ret->idlest;
	free(load);
}

static void make_programs(struct network *n) {
	static const struct program_kind kinds[PROGRAMS] = {
	    [PROGRAM_STEP] = {.at_cells = true, .loss = true, .backward = true, .update = true},
	    [PROGRAM_GRADIENTS] = {.at_cells = true, .loss = true, .backward = true},
	    [PROGRAM_LOSS] = {.at_cells = true, .loss = true},
	    [PROGRAM_CELLS] = {.at_cells = true},
	    [PROGRAM_FULL] = {.at_cells = false},
	};
	for (size_t i = 0; i < PROGRAMS; i++)
		program_make(n, &kinds[i], &n->arena, &n->programs[i]);
}

// --- weights ---

// Element (i, j) of a parameter as the model has it: dense weights are (inputs, units).
static real *element(real *flat, const struct parameter *p, size_t i, size_t j) {
	return &flat[p->transposed ? parameter_place(p, j, i) : parameter_place(p, i, j)];
}
static size_t tensor_rows(const struct parameter *p) {
	return p->transposed ? p->columns : p->rows;
}
static size_t tensor_columns(const struct parameter *p) {
	return p->transposed ? p->rows : p->columns;
}

// Rows of a tensor that are filled together: in transposed weights they lie side by side, a cache line of them.
enum { FILL_ROWS = 16, FILL_COLUMNS = 64 };

struct filling {
	const struct network *network;
	real *flat; // (graph->weights)
};

static void fill_rows(const struct filling *f, const struct parameter *p, size_t first) {
	const struct initializer *init = p->init ? (const struct initializer *)p->init->kind.row : NULL;
	struct random_stream stream = random_stream_make(f->network->seed, "init", p->node->name);
	size_t rows = tensor_rows(p) - first < FILL_ROWS ? tensor_rows(p) - first : FILL_ROWS;
	double value[FILL_ROWS][FILL_COLUMNS];
	for (size_t column = 0; column < tensor_columns(p); column += FILL_COLUMNS) {
		size_t left = tensor_columns(p) - column, columns = left < FILL_COLUMNS ? left : FILL_COLUMNS;
		for (size_t i = 0; init && i < rows; i++)
			initializer_fill(init, p->init->kind.params, p->fan_in, p->fan_out, stream, first + i, column, columns,
			                 value[i]);
		for (size_t k = 0; k < rows * columns; k++) { // along the memory
			size_t i = p->transposed ? k % rows : k / columns, j = p->transposed ? k / rows : k % columns;
			*element(f->flat, p, first + i, column + j) = (real)(init ? value[i][j] : p->fill);
		}
	}
}

// Each member its share of every tensor's rows.
static void fill_share(void *context, size_t member) {
	const struct filling *f = context;
	const struct graph *graph = f->network->graph;
	for (size_t k = 0; k < graph->parameters_count; k++)
		for (size_t block = member; block * FILL_ROWS < tensor_rows(&graph->parameters[k]);
		     block += f->network->crews[CREW_TEAM].members)
			fill_rows(f, &graph->parameters[k], block * FILL_ROWS);
}

static void initialize(struct network *n, real *flat) {
	n->backend->team(n->device, fill_share, &(struct filling){n, flat});
}

// Where L2 is lazy, the sums of squared weights that are kept up to date.
static void sum_squares(struct network *n) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t g = 0; p->lazy && p->l2 > 0 && g < p->by->groups->count; g++) {
			double sum = 0;
			for (size_t i = 0; i < p->rows; i++)
				for (size_t j = p->by->groups->begin[g]; j < p->by->groups->begin[g + 1]; j++) {
					double w = n->weights[parameter_place(p, i, j)];
					sum += w * w;
				}
			n->parameters[k].squares[g] = sum;
		}
	}
}

static void optimizer_numbers_at(const struct network *n, uint32_t step, struct optimizer_numbers *ret) {
	double factor = n->rate_factor * schedule_warmup(n->graph->schedule, step);
	n->graph->optimizer->numbers(n->graph->optimizer_params, step, ret);
	ret->rate = (real)((double)ret->rate * factor);
}

// The numbers of all steps are the same where an optimizer is lazy.
static void fill_waiting(struct network *n) {
	struct optimizer_numbers numbers;
	optimizer_numbers_at(n, 1, &numbers);
	for (size_t i = 0; i < n->graph->parameters_count; i++) {
		const struct parameter *p = &n->graph->parameters[i];
		if (!p->lazy || !waiting_changes(n->graph->optimizer->id, &numbers, (real)p->l2))
			continue;
		n->parameters[i].waiting = memory_alloc(sizeof(*n->parameters[i].waiting));
		waiting_table_init(n->parameters[i].waiting, n->graph->optimizer->id, &numbers, (real)p->l2);
	}
}

// Runs before the other crew is tried, at first and at most.
enum { PATIENCE_LEAST = 16, PATIENCE_MOST = 512 };

bool network_create(const struct graph *graph, struct device *device, const struct backend *backend, uint64_t seed,
                    const struct network_room *room, struct network **ret, struct error *error) {
	struct network *n = memory_alloc(sizeof(*n));
	*n = (struct network){.graph = graph,
	                      .device = device,
	                      .backend = backend,
	                      .seed = seed,
	                      .rows = room->rows,
	                      .cells = room->cells,
	                      .settled = true,
	                      .rate_factor = 1};
	n->parameters = memory_alloc((graph->parameters_count + 1) * sizeof(*n->parameters));
	n->slots = memory_alloc(graph->nodes_count * sizeof(*n->slots));
	struct carve counted = {0};
	lay_out(n, room, &counted);
	struct carve real_one = {.base = backend->allocate(device, counted.used, error)};
	real *weights = real_one.base ? memory_array(graph->weights, sizeof(real), "the weights", error) : NULL;
	if (!weights) {
		backend->release(device, real_one.base);
		n->weights = NULL;
		network_destroy(n);
		return false;
	}
	lay_out(n, room, &real_one);
	for (size_t i = 0; i < graph->nodes_count; i++)
		if (graph->nodes[i].op)
			n->slots[i].stream = random_stream_make(seed, graph->nodes[i].op->row.name, graph->nodes[i].name);
	make_crew(n, 1, &n->crews[CREW_ALONE]);
	make_crew(n, backend->members(device), &n->crews[CREW_TEAM]);
	n->pace = (struct pace){.preferred = CREW_TEAM, .seconds = INFINITY, .left = PATIENCE_LEAST};
	make_programs(n);
	fill_waiting(n);
	initialize(n, weights);
	network_load(n, weights);
	free(weights);
	*ret = n;
	return true;
}

void network_destroy(struct network *n) {
	if (!n)
		return;
	n->backend->release(n->device, n->weights); // the first of the one allocation
	arena_finish(&n->arena);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		free(n->parameters[i].waiting);
	free(n->parameters);
	free(n->slots);
	free(n);
}

void network_save(struct network *n, real *ret) {
	network_settle(n);
	n->backend->download(n->device, ret, n->weights, n->graph->weights * sizeof(real));
}

void network_load(struct network *n, const real *weights) {
	network_settle(n);
	n->backend->upload(n->device, n->weights, weights, n->graph->weights * sizeof(real));
	n->joined = false;
	sum_squares(n);
}

// --- what steps run on ---

static struct matrix pick(const struct pass *p, const struct node *node, real *cells, real *dense, size_t stride) {
	if (pass_at_cells(p, node)) {
		size_t count = sparse_count(&p->batch->target);
		return (struct matrix){cells, 1, count, count};
	}
	return (struct matrix){dense, p->batch->rows, node->width, stride};
}

struct matrix pass_value(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_value, s->value, s->stride);
}

struct matrix pass_gradient(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_gradient, s->gradient, s->gradient_stride);
}

struct matrix pass_before(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_before, s->before, s->stride);
}

struct sparse pass_rows(const struct pass *p, const struct node *node) {
	if (!node->op)
		return node == p->network->graph->user ? p->batch->user : p->batch->ratings;
	struct sparse rows = pass_rows(p, node->inputs[0]);
	if (p->training)
		rows.value = pass_slot(p, node)->sparse_value;
	return rows;
}

struct matrix pass_weight(const struct pass *p, const struct parameter *parameter) {
	assert(!parameter->groups || parameter->groups->count == 1);
	return (struct matrix){p->network->weights + parameter->offset[0], parameter->rows, parameter->columns,
	                       parameter->stride[0]};
}

struct matrix pass_weight_columns(const struct pass *p, const struct parameter *parameter, const struct tile *tile) {
	if (parameter->groups)
		return (struct matrix){p->network->weights + parameter->offset[tile->group], parameter->rows, tile->columns,
		                       parameter->stride[tile->group]};
	struct matrix whole = pass_weight(p, parameter);
	return matrix_part(&whole, 0, parameter->rows, tile->column, tile->columns);
}

static const struct transposed *touched_of(const struct batch *batch, const struct parameter *p) {
	switch (p->touched) {
	case TOUCHED_RATINGS:
		return &batch->by_rating;
	case TOUCHED_USER:
		return &batch->by_feature;
	case TOUCHED_TARGETS:
		return &batch->by_target;
	case TOUCHED_ALL:
		break;
	}
	return NULL;
}

struct matrix pass_joined(const struct pass *p, const struct node *node) {
	size_t columns = node->inputs[0]->width;
	return (struct matrix){pass_slot(p, node)->joined, node->width, columns, padded(columns)};
}

const struct transposed *pass_touched(const struct pass *p, const struct parameter *parameter) {
	return touched_of(p->batch, parameter);
}

struct matrix pass_tile(const struct pass *p, const struct node *node, const struct matrix *whole,
                        const struct tile *tile) {
	if (!pass_at_cells(p, node))
		return matrix_part(whole, tile->row, tile->rows, tile->column, tile->columns);
	const uint32_t *start = p->batch->target.start + tile->row;
	return matrix_part(whole, 0, 1, start[0], start[tile->rows] - start[0]);
}

// --- loss ---

static enum reduction reduction_of(const struct network *n) {
	return ((const struct reduction_row *)n->graph->loss_config->reduction.row)->reduction;
}

// What each cell is multiplied by, so that their sum is the reduction; for row_mean over the row's cells besides.
static double cell_scale(const struct pass *p) {
	const struct sparse *target = &p->batch->target;
	bool all = p->network->graph->loss->all_cells;
	double cells = all ? (double)p->batch->rows * (double)target->columns : (double)sparse_count(target);
	size_t with_targets = 0;
	switch (reduction_of(p->network)) {
	case REDUCTION_SUM:
		return 1;
	case REDUCTION_MEAN:
		return cells > 0 ? 1 / cells : 0;
	case REDUCTION_ROW_MEAN:
		break;
	}
	for (size_t i = 0; i < p->batch->rows; i++)
		with_targets += all || target->start[i + 1] > target->start[i];
	return with_targets ? 1 / (double)with_targets : 0;
}

static void run_loss(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct sparse target = sparse_rows(&p->batch->target, tile->row, tile->rows);
	struct loss_cells cells = {.id = n->graph->loss->id,
	                           .target = &target,
	                           .all = n->graph->loss->all_cells,
	                           .scale = cell_scale(p),
	                           .by_row = reduction_of(n) == REDUCTION_ROW_MEAN};
	struct matrix prediction = pass_value(p, step->node), gradient = pass_gradient(p, step->node);
	bool packed = pass_at_cells(p, step->node);
	if (!packed) {
		prediction = pass_tile(p, step->node, &prediction, tile);
		gradient = pass_tile(p, step->node, &gradient, tile);
	}
	n->backend->loss(n->device, &cells, packed, tile->column, &prediction, &gradient,
	                 n->row_sum + tile->group * n->rows + tile->row);
}

void network_make_loss(struct maker *m) {
	const struct node *output = maker_graph(m)->output;
	bool cells = maker_at_cells(m, output);
	maker_step(m, output, run_loss, cells ? CUT_ROWS : CUT_COLUMNS, output)->by_row = true;
	maker_tensor(m, TENSOR_VALUE, output, READ_OWN);
	maker_tensor(m, TENSOR_GRADIENT, output, WRITE_OWN);
	maker_first_writes(m, output);
	maker_tensor(m, TENSOR_SUMS, output, WRITE_OWN);
}

// Of the steps that updated: what L2 added to the loss.
static double penalty_before(const struct pass *p) {
	const struct graph *g = p->network->graph;
	double sum = 0;
	for (size_t i = 0; p->update && i < g->parameters_count; i++)
		for (size_t k = 0; g->parameters[i].l2 > 0 && k < g->parameters[i].by->groups->count; k++)
			sum += g->parameters[i].l2 * p->network->parameters[i].penalty[k];
	return sum;
}

static void run_sum(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	size_t groups = pass_at_cells(p, step->node) ? 1 : step->node->groups->count;
	double sum = 0;
	for (size_t g = 0; g < groups; g++)
		for (size_t i = 0; i < tile->rows; i++)
			sum += n->row_sum[g * n->rows + i];
	*p->loss = sum + penalty_before(p);
}

void network_make_sum(struct maker *m) {
	const struct graph *g = maker_graph(m);
	maker_step(m, g->output, run_sum, CUT_NONE, g->output);
	maker_tensor(m, TENSOR_SUMS, g->output, READ_ALL);
	for (size_t i = 0; maker_kind(m)->update && i < g->parameters_count; i++)
		if (g->parameters[i].l2 > 0)
			maker_weight(m, &g->parameters[i], READ_ALL);
}

// --- dense forms of sparse rows ---

static void run_densify(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse rows = pass_rows(p, step->node);
	struct sparse s = sparse_rows(&rows, tile->row, tile->rows);
	struct matrix whole = pass_value(p, step->node), d = pass_tile(p, step->node, &whole, tile);
	p->network->backend->densify(p->network->device, &s, tile->column, &d);
}

void network_make_densify(struct maker *m, const struct node *node) {
	maker_step(m, node, run_densify, CUT_COLUMNS, node)->by_row = true;
	if (node->op)
		maker_tensor(m, TENSOR_SPARSE, node, READ_ALL);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

// --- updates ---

static struct parameter_memory *memory_of(const struct network *n, const struct parameter *p) {
	return &n->parameters[p - n->graph->parameters];
}

// Columns of a parameter, as the optimizer takes them. A column is whole.
static struct optimizer_rows update_of(const struct network *n, const struct parameter *p, const struct tile *tile) {
	size_t g = p->groups ? tile->group : 0, columns = p->by ? tile->columns : 1;
	size_t at = p->offset[g] + (p->by && !p->groups ? tile->column : 0);
	const struct optimizer *optimizer = n->graph->optimizer;
	return (struct optimizer_rows){
	    .id = optimizer->id,
	    .weight = {n->weights + at, p->rows, columns, p->stride[g]},
	    .state = {n->state[0] ? n->state[0] + at : NULL, n->state[1] ? n->state[1] + at : NULL},
	    .l2 = (real)p->l2,
	    .lazy = p->lazy,
	    .caught_up = p->lazy && (p->moves || !memory_of(n, p)->waiting),
	    .waiting = memory_of(n, p)->waiting,
	    .squares = p->l2 > 0 ? &memory_of(n, p)->squares[tile->group] : NULL,
	};
}

struct matrix pass_parameter_gradient(const struct pass *p, const struct parameter *parameter,
                                      const struct tile *tile) {
	const struct matrix *whole = &memory_of(p->network, parameter)->gradient;
	const struct transposed *touched = pass_touched(p, parameter);
	return matrix_part(whole, 0, touched ? touched->count : parameter->rows, parameter->by ? tile->column : 0,
	                   parameter->by ? tile->columns : 1);
}

void pass_update(const struct pass *p, const struct parameter *parameter, const struct tile *tile) {
	const struct network *n = p->network;
	if (!p->update)
		return;
	struct matrix gradient = pass_parameter_gradient(p, parameter, tile);
	struct optimizer_rows rows = update_of(n, parameter, tile);
	rows.numbers = p->numbers;
	double squares = n->backend->optimize(n->device, &rows, &gradient);
	if (parameter->l2 > 0)
		memory_of(n, parameter)->penalty[tile->group] = squares;
}

void pass_update_touched(const struct pass *p, const struct parameter *parameter, const struct tile *tile,
                         const real *value, const struct matrix *y) {
	const struct network *n = p->network;
	const struct transposed *touched = pass_touched(p, parameter);
	if (!p->update) {
		struct matrix gradient = pass_parameter_gradient(p, parameter, tile);
		if (y)
			n->backend->transposed_times(n->device, touched, value, y, &gradient);
		else
			n->backend->transposed_sums(n->device, touched, value, gradient.data);
		return;
	}
	struct optimizer_rows rows = update_of(n, parameter, tile);
	rows.numbers = p->numbers;
	double squares = n->backend->optimize_touched(n->device, &rows, touched, value, y);
	if (parameter->l2 > 0)
		memory_of(n, parameter)->penalty[tile->group] = squares;
}

// --- rows that wait ---

static void run_catch_up(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	const struct transposed *touched = pass_touched(p, step->parameter);
	struct optimizer_rows rows = update_of(n, step->parameter, tile);
	rows.numbers = p->numbers;
	n->backend->catch_up(n->device, &rows, touched->column, touched->waited, touched->count);
}

// Weights that move while they wait must have moved before they are read.
void network_make_catch_up(struct maker *m) {
	const struct graph *g = maker_graph(m);
	for (size_t i = 0; i < g->parameters_count; i++) {
		const struct parameter *p = &g->parameters[i];
		if (!p->lazy || !p->moves)
			continue;
		maker_step(m, p->node, run_catch_up, p->by ? CUT_COLUMNS : CUT_NONE, p->by ? p->by : p->node)->parameter = p;
		maker_weight(m, p, p->by ? WRITE_OWN : WRITE_ALL);
	}
}

// How long each touched row has waited, and that it waits no longer. Target patterns that are the ratings' share one
// list with them.
static void note_waits(struct network *n, const struct batch *batch, uint32_t step) {
	const struct transposed *touched[TOUCHED_KINDS] = {[TOUCHED_RATINGS] = &batch->by_rating,
	                                                   [TOUCHED_USER] = &batch->by_feature,
	                                                   [TOUCHED_TARGETS] = &batch->by_target};
	for (size_t kind = TOUCHED_RATINGS; kind < TOUCHED_KINDS; kind++) {
		const struct transposed *t = touched[kind];
		for (size_t i = 0; n->stamp[kind] && i < t->count; i++) {
			uint32_t *stamp = &n->stamp[kind][t->column[i]];
			t->waited[i] = step - 1 - *stamp;
			*stamp = step;
		}
	}
}

struct settling {
	struct network *network;
	size_t kind, rows;
	struct optimizer_numbers numbers;
};

static void settle_parameter(const struct settling *s, const struct parameter *p, size_t member) {
	struct network *n = s->network;
	const struct crew *crew = &n->crews[CREW_TEAM];
	size_t groups = p->by ? p->by->groups->count : 1;
	for (size_t g = 0; g < groups; g++) {
		struct tile tile = {.group = g};
		if (p->by) {
			tile.column = p->by->groups->begin[g];
			tile.columns = p->by->groups->begin[g + 1] - tile.column;
		}
		if ((p->by ? crew->owner[p->by->groups->index][g] : crew->idlest) != member)
			continue;
		struct optimizer_rows rows = update_of(n, p, &tile);
		rows.numbers = s->numbers;
		n->backend->catch_up(n->device, &rows, NULL, n->waited, p->rows);
	}
}

static void settle_kind(void *context, size_t member) {
	const struct settling *s = context;
	const struct graph *g = s->network->graph;
	for (size_t i = 0; i < g->parameters_count; i++)
		if (s->network->parameters[i].waiting && g->parameters[i].touched == s->kind)
			settle_parameter(s, &g->parameters[i], member);
}

void network_set_rate(struct network *n, double factor) {
	n->rate_factor = factor;
}

void network_settle(struct network *n) {
	struct settling s = {.network = n};
	size_t rows[TOUCHED_KINDS] = {0};
	if (n->settled)
		return;
	count_lazy_rows(n->graph, rows);
	optimizer_numbers_at(n, n->step, &s.numbers);
	for (s.kind = TOUCHED_RATINGS; s.kind < TOUCHED_KINDS; s.kind++) {
		if (!rows[s.kind])
			continue;
		for (size_t i = 0; i < rows[s.kind]; i++) {
			n->waited[i] = n->step - n->stamp[s.kind][i];
			n->stamp[s.kind][i] = n->step;
		}
		n->backend->team(n->device, settle_kind, &s);
	}
	n->settled = true;
	sum_squares(n);
}

// --- passes ---

struct run {
	struct network *network;
	const struct program *program;
	const struct crew *crew;
	const struct batch *batches; // (count)
	size_t count;
	bool training, at_cells, update;
	uint32_t epoch, step; // of the first batch
	double *loss;         // (count) or NULL
};

static void run_member(void *context, size_t member) {
	const struct run *run = context;
	struct pass pass = {.network = run->network,
	                    .crew = run->crew,
	                    .training = run->training,
	                    .at_cells = run->at_cells,
	                    .update = run->update,
	                    .epoch = run->epoch,
	                    .member = member};
	for (size_t b = 0; b < run->count; b++) {
		pass.batch = &run->batches[b];
		pass.loss = run->loss + b;
		pass.step = run->step + (uint32_t)b;
		if (run->update)
			optimizer_numbers_at(run->network, pass.step, &pass.numbers);
		program_pass(run->program, &pass);
	}
}

static void run_program(struct network *n, enum program_id program, enum crew_id crew, const struct batch *batches,
                        size_t count, uint32_t epoch, bool training, double *ret_loss) {
	struct run run = {.network = n,
	                  .program = &n->programs[program],
	                  .crew = &n->crews[crew],
	                  .batches = batches,
	                  .count = count,
	                  .training = training,
	                  .at_cells = program != PROGRAM_FULL,
	                  .update = program == PROGRAM_STEP,
	                  .epoch = epoch,
	                  .step = n->step + 1,
	                  .loss = ret_loss};
	for (size_t i = 0; i < count; i++)
		assert(batches[i].rows <= n->rows && sparse_count(&batches[i].target) <= n->cells);
	if (crew == CREW_TEAM)
		n->backend->team(n->device, run_member, &run);
	else
		run_member(&run, 0);
}

static double seconds_now(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// After a run that took so many seconds an entry: which crew does the next one. The other one is tried now and then,
// the more seldom the oftener it has lost, and at once where the one in use has become much slower.
static void choose_crew(struct pace *pace, double seconds) {
	enum { MEMORY = 4 };
	if (pace->trying) {
		bool wins = seconds < pace->seconds;
		if (wins)
			pace->preferred = pace->preferred == CREW_TEAM ? CREW_ALONE : CREW_TEAM;
		pace->seconds = wins ? seconds : pace->seconds;
		pace->patience = wins ? PATIENCE_LEAST : 2 * pace->patience + PATIENCE_LEAST;
		pace->patience = pace->patience < PATIENCE_MOST ? pace->patience : PATIENCE_MOST;
		pace->left = pace->patience;
		pace->trying = false;
		return;
	}
	pace->trying = pace->left == 0 || seconds > 2 * pace->seconds;
	pace->left -= pace->left > 0;
	pace->seconds = isinf(pace->seconds) ? seconds : pace->seconds + (seconds - pace->seconds) / MEMORY;
}

static enum crew_id crew_in_use(const struct pace *pace) {
	return (pace->preferred == CREW_TEAM) != pace->trying ? CREW_TEAM : CREW_ALONE;
}

void network_train(struct network *n, const struct batch *batches, size_t count, uint32_t epoch, double *ret_loss) {
	double start = seconds_now(), entries = 0;
	for (size_t i = 0; i < count; i++) {
		note_waits(n, &batches[i], n->step + 1 + (uint32_t)i);
		entries += 1 + (double)sparse_count(&batches[i].target);
	}
	run_program(n, PROGRAM_STEP, crew_in_use(&n->pace), batches, count, epoch, true, ret_loss);
	n->step += (uint32_t)count;
	n->settled = n->joined = false;
	if (n->crews[CREW_TEAM].members > 1)
		choose_crew(&n->pace, (seconds_now() - start) / entries);
}

double network_step(struct network *n, const struct batch *batch, uint32_t epoch) {
	double loss;
	network_train(n, batch, 1, epoch, &loss);
	return loss;
}

static double penalty_of(const struct network *n, const struct parameter *p) {
	double squares = 0;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++) {
			double w = n->weights[parameter_place(p, i, j)];
			squares += w * w;
		}
	return p->l2 * squares;
}

double network_loss(struct network *n, const struct batch *batch, uint32_t epoch, bool training) {
	double loss;
	network_settle(n);
	run_program(n, PROGRAM_LOSS, CREW_TEAM, batch, 1, epoch, training, &loss);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		if (n->graph->parameters[i].l2 > 0)
			loss += penalty_of(n, &n->graph->parameters[i]);
	return loss;
}

double network_gradients(struct network *n, const struct batch *batch, uint32_t epoch) {
	double loss;
	network_settle(n);
	run_program(n, PROGRAM_GRADIENTS, CREW_TEAM, batch, 1, epoch, true, &loss);
	return loss;
}

void network_gradient_of(const struct network *n, const struct batch *batch, const struct parameter *p, real *ret) {
	const struct transposed *touched = touched_of(batch, p);
	const struct matrix *g = &memory_of(n, p)->gradient;
	size_t count = touched ? touched->count : p->rows;
	memset(ret, 0, p->rows * p->columns * sizeof(*ret));
	for (size_t i = 0; i < count; i++) {
		size_t row = touched ? touched->column[i] : i;
		for (size_t j = 0; j < p->columns; j++)
			ret[row * p->columns + j] = g->data[i * g->stride + j];
	}
	for (size_t i = 0; p->l2 > 0 && i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++)
			ret[i * p->columns + j] += 2 * (real)p->l2 * n->weights[parameter_place(p, i, j)];
}

// --- predictions ---

void network_predict_cells(struct network *n, const struct batch *batch, float *ret) {
	const struct node *output = n->graph->output;
	struct pass pass = {.network = n, .batch = batch, .at_cells = true};
	network_settle(n);
	run_program(n, PROGRAM_CELLS, CREW_TEAM, batch, 1, 0, false, NULL);
	struct matrix y = pass_value(&pass, output);
	for (size_t i = 0; i < batch->rows; i++)
		for (uint32_t k = batch->target.start[i]; k < batch->target.start[i + 1]; k++)
			ret[k] = (float)(pass_at_cells(&pass, output) ? y.data[k] : y.data[i * y.stride + batch->target.column[k]]);
}

struct matrix network_predict_all(struct network *n, const struct batch *batch) {
	struct pass pass = {.network = n, .batch = batch};
	network_settle(n);
	run_program(n, PROGRAM_FULL, CREW_TEAM, batch, 1, 0, false, NULL);
	n->joined = true;
	return pass_value(&pass, n->graph->output);
}

// --- tensors ---

size_t network_tensors(struct network *n, struct arena *arena, struct tensor_facts **ret) {
	network_settle(n);
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
		n->joined = false;
		return true;
	}
	return false;
}
