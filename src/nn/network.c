// Memory of a network, whose columns are whose, and its weights as tensors. The passes through it: passes.c.
#include "nn/network_private.h"

#include "base/memory.h"
#include "tensor/work.h"

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

// Weights and their state are read at the same place of each. Were that the same place of a page, they would fall into
// the same sets of the first-level cache: each vector begins at another third of one.
static void stagger(struct carve *c, size_t third) {
	enum { PAGE = 4096, LINE = 64 };
	size_t want = PAGE / 3 / LINE * LINE * third;
	c->used += (want + PAGE - c->used % PAGE) % PAGE;
}

static size_t full_rows(const struct network *n, const struct node *node, const struct network_room *room) {
	return node->cells || (room->blank && node == n->graph->output) ? room->full_rows : n->rows;
}

// Words of a row of a dropout's mask: a group's bits start in a word of their own.
static size_t keep_words(const struct node *node) {
	return network_keep_word(node->width, node->groups->count);
}

// Cells nodes have a packed form for training, and a dense one for rankings.
static void carve_cells(struct network *n, const struct node *node, bool needs_x, size_t rows,
                        const struct network_room *room, struct carve *c) {
	struct slot *s = &n->slots[node->index];
	s->cell_value = carve(c, n->cells, sizeof(real));
	s->cell_gradient = room->reads ? NULL : carve(c, n->cells, sizeof(real));
	s->cell_before = needs_x ? carve(c, n->cells, sizeof(real)) : NULL;
	if (node->op->makes_cells)
		s->parts = carve(c, node->parameters[0]->by->groups->count * n->cells, sizeof(real));
	if (node->op->makes_cells && rows && !room->reads)
		s->joined = carve(c, node->width * network_padded(node->inputs[0]->width), sizeof(real));
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
		s->stride = network_padded(node->width);
		s->value = carve(c, rows * s->stride, sizeof(real));
	}
	if (gradient_at->node) {
		const struct slot *whole = &n->slots[gradient_at->node->index];
		s->gradient_stride = whole->gradient_stride;
		s->gradient = whole->gradient ? whole->gradient + gradient_at->column : NULL;
	} else {
		s->gradient_stride = network_padded(node->width);
		bool has = node->needs_gradient && !node->cells && !room->reads;
		s->gradient = has ? carve(c, rows * s->gradient_stride, sizeof(real)) : NULL;
	}
	if (node->cells)
		carve_cells(n, node, needs_x, rows, room, c);
	s->before = needs_x ? carve(c, rows * s->stride, sizeof(real)) : NULL;
	if (node->op && node->op->keeps_mask)
		s->keep = carve(c, rows * keep_words(node), sizeof(*s->keep));
	for (size_t i = 0; node->op && i < node->op->columns; i++)
		s->column[i] = carve(c, node->width, sizeof(real));
	if (node->op && node->op->keeps_noise)
		s->noise = carve(c, rows * s->stride, sizeof(real));
	if (node->op && node->op->adds_loss)
		s->extra = carve(c, node->groups->count * n->rows, sizeof(double));
	for (size_t i = 0; node->op && i < node->op->row_columns; i++)
		s->row[i] = carve(c, n->rows, sizeof(real));
}

static size_t touched_most(const struct network *n, const struct parameter *p, const struct network_room *room) {
	size_t entries = p->touched == TOUCHED_TARGETS ? n->cells
	                 : p->touched == TOUCHED_BOTH  ? n->cells + room->rating_entries
	                 : p->touched == TOUCHED_USER  ? room->feature_entries
	                 : p->touched == TOUCHED_ROW   ? n->rows
	                                               : room->rating_entries;
	return entries < p->rows ? entries : p->rows;
}

static void carve_parameter(struct network *n, size_t i, const struct network_room *room, struct carve *c) {
	const struct parameter *p = &n->graph->parameters[i];
	struct parameter_memory *m = &n->parameters[i];
	size_t rows = p->touched == TOUCHED_ALL ? p->rows : room->gradients || p->deferred ? touched_most(n, p, room) : 0;
	rows = p->trainable && !room->blank && !room->reads ? rows : 0;
	size_t stride = p->columns == 1 ? 1 : network_padded(p->columns);
	m->gradient = (struct matrix){carve(c, rows * stride, sizeof(real)), rows, p->columns, stride};
	size_t parts = p->l2 > 0 ? parameter_parts(p) : 0;
	m->squares = carve(c, parts, sizeof(double));
	m->penalty = carve(c, parts, sizeof(double));
	m->norm = carve(c, n->graph->clip_norm > 0 ? parameter_parts(p) : 0, sizeof(double));
	m->waiting = network_waits(n, p) ? carve(c, 1, sizeof(*m->waiting)) : NULL;
}

static size_t waiting_most(const struct network *n) {
	size_t rows[TOUCHED_KINDS] = {0}, most = 0;
	network_count_lazy_rows(n->graph, rows);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++)
		most = rows[kind] > most ? rows[kind] : most;
	return most;
}

static void carve_stamps(struct network *n, struct carve *c) {
	size_t rows[TOUCHED_KINDS] = {0};
	network_count_lazy_rows(n->graph, rows);
	for (size_t kind = 0; kind < TOUCHED_KINDS; kind++)
		n->stamp[kind] = rows[kind] ? carve(c, rows[kind], sizeof(*n->stamp[kind])) : NULL;
}

// What is no candidate was rated, in the input or in another part.
static void carve_rank(struct network *n, const struct network_room *room, struct carve *c) {
	struct rank_memory *m = &n->rank;
	if (!room->rank_k)
		return;
	*m = (struct rank_memory){
	    .rows = room->full_rows, .k_most = room->rank_k, .out_most = room->rating_entries + room->cells};
	m->out = carve(c, m->rows + 1 + m->out_most, sizeof(*m->out));
	m->marked = carve(c, m->rows + 1 + m->out_most, sizeof(*m->marked));
	m->item = carve(c, m->rows * m->k_most, sizeof(*m->item));
	m->count = carve(c, m->rows, sizeof(*m->count));
	m->each = carve(c, m->rows + 1, sizeof(*m->each));
	m->score = carve(c, m->rows * m->k_most, sizeof(*m->score));
	m->pairs = carve(c, 2 * m->rows, sizeof(*m->pairs));
}

static void lay_out(struct network *n, const struct network_room *room, struct carve *c) {
	const struct graph *g = n->graph;
	size_t states = room->blank || room->reads ? 0 : g->optimizer->states(g->optimizer_params);
	n->weights = carve(c, room->reads ? 0 : g->weights, sizeof(real));
	for (size_t i = 0; i < states; i++) {
		stagger(c, i + 1);
		n->state[i] = carve(c, g->weights, sizeof(real));
	}
	for (size_t i = 0; i < g->parameters_count; i++)
		carve_parameter(n, i, room, c);
	for (size_t i = g->nodes_count; i-- > 0;) // what lies in a later node's memory after that
		carve_slot(n, &g->nodes[i], room, c);
	n->row_sum = carve(c, g->output->groups->count * n->rows, sizeof(double));
	size_t parts = g->loss->over_rows ? g->output->groups->count * n->rows : 0;
	n->softmax_part = carve(c, parts, sizeof(*n->softmax_part));
	n->softmax = carve(c, parts, sizeof(*n->softmax));
	n->losses_most = room->losses > RUN_BATCHES ? room->losses : RUN_BATCHES;
	n->losses = carve(c, n->losses_most + 1, sizeof(*n->losses)); // and of a pass that trains nothing
	n->sums = carve(c, SUMS, sizeof(*n->sums));
	n->clip = carve(c, CLIPS, sizeof(*n->clip));
	n->picked = carve(c, g->output->cells && !room->rank_k ? 0 : n->cells, sizeof(*n->picked));
	carve_rank(n, room, c);
	n->waited = carve(c, waiting_most(n), sizeof(*n->waited));
	carve_stamps(n, c);
	if (n->backend->apart)
		resident_lay_out(&n->resident, carve(c, resident_bytes(&n->resident), 1));
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
	    [PROGRAM_GRADIENTS] = {.at_cells = true, .loss = true, .backward = true},
	    [PROGRAM_LOSS] = {.at_cells = true, .loss = true},
	    [PROGRAM_CELLS] = {.at_cells = true},
	    [PROGRAM_FULL] = {.at_cells = false},
	    [PROGRAM_BELOW] = {.at_cells = false, .below_output = true},
	};
	for (size_t i = 0; i < PROGRAMS; i++)
		program_make(n, &kinds[i], &n->arena, &n->programs[i]);
	size_t phases = n->graph->phases_count ? n->graph->phases_count : 1;
	n->steps = arena_alloc(&n->arena, phases * sizeof(*n->steps));
	n->taken = arena_alloc(&n->arena, phases * sizeof(*n->taken));
	for (size_t i = 0; i < phases; i++) {
		struct program_kind step = {.at_cells = true, .loss = true, .backward = true, .update = true};
		step.phase = n->graph->phases_count ? &n->graph->phases[i] : NULL;
		program_make(n, &step, &n->arena, &n->steps[i]);
	}
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

// What the graph starts with takes the place of what was drawn.
static void start(struct network *n) {
	for (size_t i = 0; i < n->graph->start_count; i++)
		network_set_tensor(n, &n->graph->start[i]);
	if (n->graph->start_count) {
		network_sum_squares(n);
		network_renew(n);
	}
}

static void free_host(struct network *n) {
	arena_finish(&n->arena);
	if (n->seen)
		free(n->seen->data);
	free(n->seen);
	resident_finish(&n->resident);
	free(n->parameters);
	free(n->slots);
	free(n);
}

// Without memory of the device, which is counted.
static struct network *new_network(const struct graph *graph, const struct backend *backend,
                                   const struct network_room *room, size_t *ret_bytes) {
	struct network *n = memory_alloc(sizeof(*n));
	*n = (struct network){.graph = graph,
	                      .backend = backend,
	                      .rows = room->rows,
	                      .cells = room->cells,
	                      .settled = true,
	                      .rate_factor = 1,
	                      .slowing = 1};
	n->parameters = memory_alloc((graph->parameters_count + 1) * sizeof(*n->parameters));
	n->slots = memory_alloc(graph->nodes_count * sizeof(*n->slots));
	resident_init(&n->resident, graph,
	              &(struct resident_room){room->rows, room->cells, room->rating_entries, room->feature_entries,
	                                      room->block_bytes, !room->blank});
	struct carve counted = {0};
	lay_out(n, room, &counted);
	*ret_bytes = counted.used;
	return n;
}

static size_t larger(size_t a, size_t b) {
	return a > b ? a : b;
}

static struct work_room work_room(const struct graph *graph, const struct network_room *room) {
	size_t rows = larger(room->rows, room->full_rows), columns = 0;
	const struct graph_shape *shape = &graph->shape;
	for (size_t i = 0; i < graph->nodes_count; i++)
		columns = larger(columns, graph->nodes[i].width);
	return (struct work_room){.rows = rows,
	                          .columns = columns,
	                          .listed = larger(rows, larger(shape->ratings_width, shape->user_width)),
	                          .ranked = room->rank_k ? room->full_rows : 0,
	                          .k = room->rank_k,
	                          .items = shape->ratings_width};
}

size_t network_bytes(const struct graph *graph, const struct backend *backend, const struct network_room *room) {
	size_t bytes;
	struct work_room work = work_room(graph, room);
	struct network *n = new_network(graph, backend, room, &bytes);
	free_host(n);
	return bytes + (backend->apart ? work_bytes(&work) : 0);
}

bool network_create(const struct graph *graph, struct device *device, const struct backend *backend, uint64_t seed,
                    const struct network_room *room, struct network **ret, struct error *error) {
	size_t bytes;
	struct network *n = new_network(graph, backend, room, &bytes);
	n->device = device;
	n->seed = seed;
	struct work_room work = work_room(graph, room);
	bool reserved = !backend->apart || backend->reserve(device, work_bytes(&work), error);
	struct carve real_one = {.base = reserved ? backend->allocate(device, bytes, error) : NULL};
	size_t filled = room->blank ? 0 : graph->weights; // of a blank one the device's zeroes do
	real *weights = real_one.base ? memory_array(filled, sizeof(real), "the weights", error) : NULL;
	if (!weights) {
		free(weights);
		backend->release(device, real_one.base);
		network_destroy(n);
		return false;
	}
	n->memory = real_one.base;
	lay_out(n, room, &real_one);
	n->seen = memory_alloc(sizeof(*n->seen));
	for (size_t i = 0; i < graph->nodes_count; i++)
		if (graph->nodes[i].op)
			n->slots[i].stream = random_stream_make(seed, graph->nodes[i].op->row.name, graph->nodes[i].name);
	make_crew(n, 1, &n->crews[CREW_ALONE]);
	make_crew(n, backend->members(device), &n->crews[CREW_TEAM]);
	n->pace = (struct pace){.preferred = CREW_TEAM, .seconds = INFINITY, .left = PATIENCE_LEAST};
	make_programs(n);
	network_fill_waiting(n);
	if (!room->blank) {
		initialize(n, weights);
		network_load(n, weights);
		start(n);
	}
	free(weights);
	*ret = n;
	return true;
}

void network_destroy(struct network *n) {
	if (!n)
		return;
	n->backend->release(n->device, n->memory);
	free_host(n);
}

// Programs and crews are the other's; nothing of them is written.
bool network_create_reader(const struct network *of, const struct network_room *room, struct network **ret,
                           struct error *error) {
	size_t bytes;
	assert(room->reads && !of->backend->apart);
	struct network *n = new_network(of->graph, of->backend, room, &bytes);
	n->device = of->device;
	n->seed = of->seed;
	n->memory = of->backend->allocate(of->device, bytes, error);
	if (!n->memory) {
		network_destroy(n);
		return false;
	}
	lay_out(n, room, &(struct carve){.base = n->memory});
	n->weights = of->weights;
	for (size_t i = 0; i < of->graph->nodes_count; i++) {
		n->slots[i].joined = of->slots[i].joined;
		n->slots[i].stream = of->slots[i].stream;
	}
	memcpy(n->programs, of->programs, sizeof(n->programs));
	memcpy(n->crews, of->crews, sizeof(n->crews));
	n->joined = true;
	*ret = n;
	return true;
}

// --- where the host sees them ---

real *network_seen(const struct network *n, const real *data, size_t count) {
	struct seen *s = n->seen;
	if (!n->backend->apart)
		return (real *)(uintptr_t)data; // the network's own memory, which is not const where it is written
	if (s->room < count) {
		s->data = memory_resize(s->data, count * sizeof(real));
		s->room = count;
	}
	n->backend->download(n->device, s->data, data, count * sizeof(real));
	return s->data;
}

void network_unseen(const struct network *n, real *data, const real *seen, size_t count) {
	if (n->backend->apart)
		n->backend->upload(n->device, data, seen, count * sizeof(real));
}

struct matrix network_seen_matrix(const struct network *n, const struct matrix *m) {
	size_t count = m->rows ? (m->rows - 1) * m->stride + m->columns : 0;
	return (struct matrix){network_seen(n, m->data, count), m->rows, m->columns, m->stride};
}

void network_save(struct network *n, real *ret) {
	network_settle(n);
	n->backend->download(n->device, ret, n->weights, n->graph->weights * sizeof(real));
}

void network_load(struct network *n, const real *weights) {
	network_settle(n);
	n->backend->upload(n->device, n->weights, weights, n->graph->weights * sizeof(real));
	n->joined = false;
	network_sum_squares(n);
}

// --- copies ---

// A copy's columns are grouped as the original's; where the original lies in one piece, because it is tied, its columns
// are taken out of it.
static void renew(struct network *n, const struct parameter *from, const struct parameter *to) {
	for (size_t g = 0; g < (to->groups ? to->groups->count : 1); g++) {
		size_t column = to->groups ? to->groups->begin[g] : 0;
		size_t columns = (to->groups ? to->groups->begin[g + 1] : to->columns) - column;
		struct matrix source = {n->weights + parameter_place(from, 0, column), from->rows, columns,
		                        from->stride[from->groups ? g : 0]};
		struct matrix target = {n->weights + to->offset[g], to->rows, columns, to->stride[g]};
		n->backend->add(n->device, &source, 0, &target);
	}
}

void network_renew(struct network *n) {
	network_settle(n);
	for (size_t i = 0; i < n->graph->nodes_count; i++) {
		const struct node *node = &n->graph->nodes[i];
		for (size_t k = 0; node->copy_of && k < node->parameters_count; k++)
			renew(n, node->copy_of->parameters[k], node->parameters[k]);
	}
}

// --- tensors ---

size_t network_tensors(struct network *n, struct arena *arena, struct tensor_facts **ret) {
	network_settle(n);
	size_t count = 0;
	real *weights = network_seen(n, n->weights, n->graph->weights);
	struct tensor_facts *tensors = arena_alloc(arena, n->graph->parameters_count * sizeof(*tensors));
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		if (p->node->copy_of)
			continue;
		size_t rows = tensor_rows(p), columns = tensor_columns(p);
		float *data = arena_alloc(arena, rows * columns * sizeof(*data));
		for (size_t i = 0; i < rows; i++)
			for (size_t j = 0; j < columns; j++)
				data[i * columns + j] = (float)*element(weights, p, i, j);
		struct tensor_facts *tensor = &tensors[count++];
		*tensor = (struct tensor_facts){.name = arena_format(arena, "%s.%s", p->node->name, p->suffix), .data = data};
		tensor->dimensions = parameter_shape(p, tensor->shape);
	}
	*ret = tensors;
	return count;
}

size_t parameter_shape(const struct parameter *p, size_t ret[2]) {
	ret[0] = p->vector ? tensor_rows(p) * tensor_columns(p) : tensor_rows(p);
	ret[1] = p->vector ? 1 : tensor_columns(p);
	return p->vector ? 1 : 2;
}

bool parameter_is_tensor(const struct parameter *p, const struct tensor_facts *tensor) {
	size_t length = strlen(p->node->name), shape[2], dimensions = parameter_shape(p, shape);
	return !strncmp(tensor->name, p->node->name, length) && tensor->name[length] == '.' &&
	       !strcmp(tensor->name + length + 1, p->suffix) && tensor->dimensions == dimensions &&
	       tensor->shape[0] == shape[0] && (dimensions == 1 || tensor->shape[1] == shape[1]);
}

// Squares of a transposed matrix are read and written while both lie in the first-level cache.
enum { SET_SIDE = 32 };

struct setting {
	const struct network *network;
	const struct parameter *parameter;
	const struct tensor_facts *tensor;
	real *to; // the parameter's numbers
};

static size_t at_most(size_t count, size_t most) {
	return count < most ? count : most;
}

// Stored rows [first, first + count) of the group's columns.
static void set_block(const struct setting *s, const struct matrix *to, size_t column, size_t first, size_t count) {
	size_t columns = tensor_columns(s->parameter);
	const float *from = s->tensor->data;
	for (size_t i = first; !s->parameter->transposed && i < first + count; i++)
		memcpy(to->data + i * to->stride, from + i * columns + column, to->columns * sizeof(real));
	for (size_t begin = 0; s->parameter->transposed && begin < to->columns; begin += SET_SIDE) {
		size_t end = begin + at_most(to->columns - begin, SET_SIDE);
		for (size_t i = first; i < first + count; i++)
			for (size_t j = begin; j < end; j++)
				to->data[i * to->stride + j] = from[(column + j) * columns + i];
	}
}

static void set_share(void *context, size_t member) {
	const struct setting *s = context;
	const struct parameter *p = s->parameter;
	size_t step = s->network->crews[CREW_TEAM].members * SET_SIDE;
	for (size_t g = 0; g < (p->groups ? p->groups->count : 1); g++) {
		size_t column = p->groups ? p->groups->begin[g] : 0;
		size_t columns = (p->groups ? p->groups->begin[g + 1] : p->columns) - column;
		struct matrix to = {s->to + (p->offset[g] - p->offset[0]), p->rows, columns, p->stride[g]};
		for (size_t first = member * SET_SIDE; first < p->rows; first += step)
			set_block(s, &to, column, first, at_most(p->rows - first, SET_SIDE));
	}
}

bool network_set_tensor(struct network *n, const struct tensor_facts *tensor) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		if (!parameter_is_tensor(p, tensor))
			continue;
		size_t last = p->groups ? p->groups->count - 1 : 0, first = p->offset[0];
		size_t numbers = p->offset[last] + p->rows * p->stride[last] - first;
		real *to = network_seen(n, n->weights + first, numbers);
		n->backend->team(n->device, set_share, &(struct setting){n, p, tensor, to});
		network_unseen(n, n->weights + first, to, numbers);
		n->joined = false;
		return true;
	}
	return false;
}
