// See program.h.
#include "nn/program.h"

#include "base/memory.h"
#include "nn/network.h"

#include <stdlib.h>
#include <string.h>

// --- making ---

struct accessed {
	enum tensor_kind kind;
	const void *tensor; // node or parameter
	bool write, own;
	size_t step;
};

struct maker {
	const struct network *network;
	struct program_kind kind;
	struct step *steps;
	size_t count, capacity;
	struct accessed *accesses;
	size_t accesses_count, accesses_capacity;
	bool *written; // (nodes_count): the node's gradient has been written to
	bool *needs;   // (nodes_count): it is asked for
};

const struct graph *maker_graph(const struct maker *maker) {
	return maker->network->graph;
}

const struct program_kind *maker_kind(const struct maker *maker) {
	return &maker->kind;
}

bool maker_at_cells(const struct maker *maker, const struct node *node) {
	return maker->kind.at_cells && node->cells;
}

bool maker_logits(const struct maker *maker, const struct node *node) {
	return maker->kind.loss && node->logits;
}

bool maker_learns(const struct maker *m, const struct parameter *parameter) {
	if (!parameter->trainable)
		return false;
	return !m->kind.phase || m->kind.phase->learns[parameter - m->network->graph->parameters];
}

bool maker_needs(const struct maker *m, const struct node *node) {
	return m->needs[node->index];
}

struct step *maker_step(struct maker *m, const struct node *node,
                        void (*run)(const struct pass *, const struct step *, const struct tile *), enum cut cut,
                        const struct node *by) {
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 64;
		m->steps = memory_resize(m->steps, m->capacity * sizeof(*m->steps));
	}
	m->steps[m->count] = (struct step){.run = run, .node = node, .cut = cut, .by = by};
	return &m->steps[m->count++];
}

static void add_access(struct maker *m, enum tensor_kind kind, const void *tensor, bool write, bool own) {
	if (m->accesses_count == m->accesses_capacity) {
		m->accesses_capacity = m->accesses_capacity ? 2 * m->accesses_capacity : 256;
		m->accesses = memory_resize(m->accesses, m->accesses_capacity * sizeof(*m->accesses));
	}
	m->accesses[m->accesses_count++] = (struct accessed){kind, tensor, write, own, m->count - 1};
}

// In whose memory a node's value or gradient lies.
static const struct node *holder(enum tensor_kind kind, const struct node *node) {
	if (kind == TENSOR_VALUE)
		while (node->value_at.node)
			node = node->value_at.node;
	if (kind == TENSOR_GRADIENT)
		while (node->gradient_at.node)
			node = node->gradient_at.node;
	return node;
}

void maker_tensor(struct maker *m, enum tensor_kind kind, const struct node *node, enum access access) {
	add_access(m, kind, holder(kind, node), access == WRITE_OWN || access == WRITE_ALL,
	           access == READ_OWN || access == WRITE_OWN);
}

void maker_weight(struct maker *m, const struct parameter *parameter, enum access access) {
	add_access(m, TENSOR_WEIGHT, parameter, access == WRITE_OWN || access == WRITE_ALL,
	           access == READ_OWN || access == WRITE_OWN);
}

// Whether each group of a is of the thread that has all of its columns, from `at`, in b.
static bool same_threads(const struct network *n, const struct column_groups *a, const struct column_groups *b,
                         size_t at) {
	uint16_t *const *owner = n->crews[CREW_TEAM].owner;
	size_t j = 0;
	for (size_t i = 0; i < a->count; i++)
		for (size_t column = a->begin[i] + at; column < a->begin[i + 1] + at; column = b->begin[j + 1]) {
			while (b->begin[j + 1] <= column)
				j++;
			if (owner[a->index][i] != owner[b->index][j])
				return false;
		}
	return true;
}

void maker_columns(struct maker *m, enum tensor_kind kind, const struct node *node, size_t at, bool write) {
	const struct step *step = &m->steps[m->count - 1];
	bool own = step->cut == CUT_COLUMNS && same_threads(m->network, step->by->groups, node->groups, at);
	maker_tensor(m, kind, node, own ? (write ? WRITE_OWN : READ_OWN) : (write ? WRITE_ALL : READ_ALL));
}

void maker_elements(struct maker *m, enum tensor_kind kind, const struct node *input, bool write) {
	if (maker_at_cells(m, input))
		maker_tensor(m, kind, input, write ? WRITE_OWN : READ_OWN);
	else
		maker_columns(m, kind, input, 0, write);
}

void maker_map(struct maker *m, const struct node *node,
               void (*run)(const struct pass *, const struct step *, const struct tile *)) {
	maker_step(m, node, run, maker_at_cells(m, node) ? CUT_ROWS : CUT_COLUMNS, node)->by_row = true;
	maker_elements(m, TENSOR_VALUE, node->inputs[0], false);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

void maker_map_back(struct maker *m, const struct node *node,
                    void (*run)(const struct pass *, const struct step *, const struct tile *)) {
	maker_step(m, node, run, maker_at_cells(m, node) ? CUT_ROWS : CUT_COLUMNS, node)->by_row = true;
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_elements(m, TENSOR_GRADIENT, node->inputs[0], true);
	maker_first_writes(m, node->inputs[0]);
}

void maker_first_writes(struct maker *m, const struct node *node) {
	m->steps[m->count - 1].beta = m->written[node->index] ? 1 : 0;
	m->written[node->index] = true;
}

// --- barriers ---

static bool conflict(const struct accessed *a, const struct accessed *b) {
	return a->kind == b->kind && a->tensor == b->tensor && (a->write || b->write) && !(a->own && b->own);
}

// Whether the step touches something that an access from `since` on, up to the step's own, has touched elsewhere. The
// list is read as a ring: what the last steps of a batch do comes before the first steps of the next one.
static bool must_wait(const struct maker *m, size_t since, size_t first, size_t end) {
	for (size_t i = since; i < first; i++)
		for (size_t k = first; k < end; k++)
			if (conflict(&m->accesses[i % m->accesses_count], &m->accesses[k % m->accesses_count]))
				return true;
	return false;
}

// Twice round: the second time the steps before the first one are known. Once set, a barrier stays.
static void place_barriers(struct maker *m) {
	size_t count = m->accesses_count, since = 0;
	for (size_t first = 0, end; count && first < 2 * count; first = end) {
		size_t step = m->accesses[first % count].step;
		for (end = first + 1; end % count && m->accesses[end % count].step == step;)
			end++;
		if (m->steps[step].barrier || must_wait(m, since, first, end)) {
			m->steps[step].barrier = true;
			since = first;
		}
	}
}

// --- segments ---

struct segment {
	size_t first, count; // steps
	bool barrier;
	const struct column_groups *groups; // NULL: not cut by columns
};

static const struct column_groups *groups_of(const struct step *step) {
	return step->cut == CUT_COLUMNS ? step->by->groups : NULL;
}

static bool together(const struct step *a, const struct step *b) {
	return a->cut == b->cut && a->cut != CUT_NONE && groups_of(a) == groups_of(b) && !b->barrier;
}

static void make_segments(const struct maker *m, struct arena *arena, struct program *ret) {
	ret->segments = arena_alloc(arena, (m->count + 1) * sizeof(*ret->segments));
	for (size_t i = 0; i < m->count; i++) {
		const struct step *step = &m->steps[i];
		if (i && together(step - 1, step))
			ret->segments[ret->segments_count - 1].count++;
		else
			ret->segments[ret->segments_count++] = (struct segment){i, 1, step->barrier, groups_of(step)};
	}
}

// --- the list of steps ---

// A node whose weights are another's learns with them.
static bool node_learns(const struct maker *m, const struct node *node) {
	for (size_t k = 0; k < node->parameters_count; k++)
		if (maker_learns(m, node->parameters[k]))
			return true;
	return false;
}

static void find_needs(struct maker *m) {
	const struct graph *graph = m->network->graph;
	for (size_t i = 0; i < graph->nodes_count; i++) {
		const struct node *node = &graph->nodes[i];
		m->needs[i] = node_learns(m, node);
		for (size_t k = 0; k < node->inputs_count; k++)
			m->needs[i] |= m->needs[node->inputs[k]->index];
	}
}

// Copies serve the loss alone.
static void make_forward(struct maker *m) {
	const struct graph *graph = m->network->graph;
	for (size_t i = 0; i < graph->nodes_count; i++) {
		const struct node *node = &graph->nodes[i];
		if (m->kind.below_output && node == graph->output)
			continue;
		if (node->op && (m->kind.loss || !node->copy_of))
			node->op->forward(m, node);
		if (node->densified)
			network_make_densify(m, node);
	}
}

// Gradients of all nodes before any parameter changes: the steps of a branch stay together.
static void make_backward(struct maker *m) {
	const struct graph *graph = m->network->graph;
	for (size_t i = graph->nodes_count; i-- > 0;)
		if (graph->nodes[i].op && maker_needs(m, &graph->nodes[i]))
			graph->nodes[i].op->backward(m, &graph->nodes[i]);
	network_make_zero(m);
	for (size_t i = graph->nodes_count; i-- > 0;)
		if (graph->nodes[i].op && graph->nodes[i].op->update && node_learns(m, &graph->nodes[i]))
			graph->nodes[i].op->update(m, &graph->nodes[i]);
}

void program_make(const struct network *network, const struct program_kind *kind, struct arena *arena,
                  struct program *ret) {
	struct maker m = {.network = network, .kind = *kind};
	m.written = memory_alloc(network->graph->nodes_count * sizeof(*m.written));
	m.needs = memory_alloc(network->graph->nodes_count * sizeof(*m.needs));
	find_needs(&m);
	if (kind->update)
		network_make_catch_up(&m);
	make_forward(&m);
	if (kind->loss)
		network_make_loss(&m);
	if (kind->backward)
		make_backward(&m);
	if (kind->update)
		network_make_updates(&m);
	if (kind->loss)
		network_make_sum(&m);
	place_barriers(&m);
	*ret = (struct program){.steps = arena_copy(arena, m.steps, m.count * sizeof(*m.steps)),
	                        .count = m.count,
	                        .transposed = kind->backward};
	make_segments(&m, arena, ret);
	free(m.steps);
	free(m.accesses);
	free(m.written);
	free(m.needs);
}

// --- running ---

static size_t block_rows(const struct pass *pass, size_t most) {
	return pass->network->graph->shape.whole ? pass->batch->rows : most;
}

static size_t by_row_end(const struct program *program, size_t first, size_t end) {
	size_t i = first;
	while (i < end && program->steps[i].by_row && !(i > first && program->steps[i].after_all))
		i++;
	return i;
}

static void run_group(const struct program *program, const struct segment *segment, const struct pass *pass,
                      const struct tile *tile) {
	size_t end = segment->first + segment->count;
	for (size_t i = segment->first; i < end;) {
		size_t stop = by_row_end(program, i, end);
		if (stop == i) {
			program->steps[i].run(pass, &program->steps[i], tile);
			i++;
			continue;
		}
		struct tile block = *tile;
		size_t most = block_rows(pass, ROWS_AT_ONCE);
		for (size_t row = 0; row < tile->rows; row += most) {
			block.row = row;
			block.rows = tile->rows - row < most ? tile->rows - row : most;
			for (size_t k = i; k < stop; k++)
				program->steps[k].run(pass, &program->steps[k], &block);
		}
		i = stop;
	}
}

static void run_columns(const struct program *program, const struct segment *segment, const struct pass *pass) {
	const struct column_groups *groups = segment->groups;
	const uint16_t *owner = pass->crew->owner[groups->index];
	for (size_t g = 0; g < groups->count; g++) {
		if (owner[g] != pass->member)
			continue;
		struct tile tile = {0, pass->batch->rows, groups->begin[g], groups->begin[g + 1] - groups->begin[g], g};
		run_group(program, segment, pass, &tile);
	}
}

static void run_all(const struct program *program, const struct segment *segment, const struct pass *pass) {
	const struct step *step = &program->steps[segment->first];
	if (pass->member == pass->crew->idlest)
		step->run(pass, step, &(struct tile){0, pass->batch->rows, 0, step->by->width, 0});
}

// Blocks of rows: each member has as many, next to each other.
static void run_rows(const struct program *program, const struct segment *segment, const struct pass *pass) {
	const struct step *steps = &program->steps[segment->first];
	size_t rows = pass->batch->rows, size = block_rows(pass, steps->cut == CUT_ROWS ? CELL_ROWS : GEMM_ROWS);
	size_t blocks = (rows + size - 1) / size, members = pass->crew->members;
	for (size_t b = blocks * pass->member / members; b < blocks * (pass->member + 1) / members; b++)
		for (size_t i = 0; i < segment->count; i++) {
			struct tile tile = {b * size, rows - b * size < size ? rows - b * size : size, 0, steps[i].by->width, 0};
			steps[i].run(pass, &steps[i], &tile);
		}
}

void program_pass(const struct program *program, const struct pass *pass) {
	const struct network *n = pass->network;
	for (size_t i = 0; i < program->segments_count; i++) {
		const struct segment *segment = &program->segments[i];
		if (segment->barrier && pass->crew->members > 1)
			n->backend->barrier(n->device);
		if (segment->groups)
			run_columns(program, segment, pass);
		else if (program->steps[segment->first].cut == CUT_NONE)
			run_all(program, segment, pass);
		else
			run_rows(program, segment, pass);
	}
}
