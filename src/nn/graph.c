// From the list of nodes in a file to a planned graph: references, order, sparse or dense, widths, parameters.
#include "nn/graph.h"

#include "base/nearest.h"
#include "nn/copy.h"
#include "nn/cost.h"
#include "nn/op.h"
#include "nn/phase.h"
#include "nn/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// --- names and references ---

// No file can name the last one: a row's own id, as a row with one entry.
static const char *const input_names[] = {"ratings", "user", "(row)"};
enum { RATINGS, USER, ROW, INPUTS };

struct builder {
	struct graph *graph;
	const struct groups *groups;
	struct errors *errors;
	struct node *all; // (count): the inputs, then the nodes in the order of the file, then copies
	size_t count;
	size_t before; // errors that were there already
};

static struct origin key_at(const struct node *node, const char *key) {
	const struct value *child = value_child(node->from, key);
	return child ? child->at : node->from->at;
}

static bool good_name(const char *name) {
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return length > 0 && !name[length] && length <= 64;
}

static struct node *find_node(const struct builder *b, const char *name) {
	for (size_t i = 0; i < b->count; i++)
		if (i != ROW && b->all[i].name && !strcmp(b->all[i].name, name))
			return &b->all[i];
	return NULL;
}

static void name_node(struct builder *b, struct node *node, size_t place) {
	const struct node_config *config = node->config;
	const char *name =
	    config->name ? config->name : arena_format(&b->graph->arena, "%s_%zu", config->op.row->name, place + 1);
	struct origin at = key_at(node, "name");
	if (!good_name(name)) {
		struct error *e = errors_add(b->errors, ERROR_CONFIG, at, "\"%s\" cannot be the name of a node", name);
		error_hint(e, "Use up to 64 letters, digits, _ and -.");
	} else if (!strcmp(name, input_names[RATINGS]) || !strcmp(name, input_names[USER])) {
		errors_add(b->errors, ERROR_CONFIG, at, "\"%s\" is the name of an input, not of a node", name);
	} else if (find_node(b, name)) {
		errors_add(b->errors, ERROR_CONFIG, at, "two nodes are called \"%s\"", name);
	}
	node->name = name;
}

static void refer(struct builder *b, struct node *node, const char *name, struct origin at) {
	struct node *input = find_node(b, name);
	if (!input) {
		struct nearest nearest = {.word = name};
		for (size_t i = 0; i < b->count; i++)
			if (i != ROW)
				nearest_offer(&nearest, b->all[i].name);
		struct error *e =
		    errors_add(b->errors, ERROR_CONFIG, at, "node \"%s\" reads \"%s\", which is no node", node->name, name);
		if (nearest.best)
			error_hint(e, "Did you mean \"%s\"?", nearest.best);
		return;
	}
	node->inputs[node->inputs_count++] = input;
	input->consumers++;
}

static void connect_row(struct builder *b, struct node *node) {
	node->inputs = arena_alloc(&b->graph->arena, sizeof(*node->inputs));
	node->inputs[node->inputs_count++] = &b->all[ROW];
	b->all[ROW].consumers++;
	if (node->config->input || node->config->inputs.set)
		errors_add(b->errors, ERROR_CONFIG, key_at(node, node->config->input ? "input" : "inputs"),
		           "node \"%s\" reads the row's own id, %s takes no input", node->name, node->op->row.name);
}

static void connect(struct builder *b, struct node *node, size_t place) {
	const struct node_config *config = node->config;
	size_t wanted = config->inputs.set ? config->inputs.count : 1;
	if (node->op->reads_row) {
		connect_row(b, node);
		return;
	}
	node->inputs = arena_alloc(&b->graph->arena, (wanted ? wanted : 1) * sizeof(*node->inputs));
	if (config->input && config->inputs.set) {
		errors_add(b->errors, ERROR_CONFIG, key_at(node, "inputs"), "node \"%s\" has both input and inputs",
		           node->name);
		return;
	}
	if (config->inputs.set) {
		for (size_t i = 0; i < config->inputs.count; i++)
			refer(b, node, config->inputs.items[i], config->inputs.at[i]);
	} else if (config->input) {
		refer(b, node, config->input, key_at(node, "input"));
	} else if (place == 0) {
		struct error *e = errors_add(b->errors, ERROR_CONFIG, node->from->at,
		                             "node \"%s\" has no input, and no node above it", node->name);
		error_hint(e, "Say input = \"ratings\" or input = \"user\".");
		return;
	} else {
		node->inputs[node->inputs_count++] = node - 1;
		(node - 1)->consumers++;
	}
	if (wanted < node->op->inputs_min || wanted > node->op->inputs_max) {
		struct error *e = errors_add(
		    b->errors, ERROR_CONFIG, node->from->at, "node \"%s\" has %zu input%s, but %s takes %s %zu", node->name,
		    wanted, wanted == 1 ? "" : "s", node->op->row.name, wanted < node->op->inputs_min ? "at least" : "at most",
		    wanted < node->op->inputs_min ? node->op->inputs_min : node->op->inputs_max);
		if (!config->inputs.set)
			error_hint(e, "Say inputs = [ \"a\", \"b\" ].");
	}
}

// --- weights of another node ---

static void unknown_owner(struct builder *b, const struct node *node, const char *name) {
	struct nearest nearest = {.word = name};
	for (size_t i = INPUTS; i < b->count; i++)
		if (b->all[i].op->tied_to && &b->all[i] != node)
			nearest_offer(&nearest, b->all[i].name);
	struct error *e =
	    errors_add(b->errors, ERROR_CONFIG, key_at(node, "tie"),
	               "node \"%s\" is tied to \"%s\", which is no node with weights to turn round", node->name, name);
	if (nearest.best)
		error_hint(e, "Did you mean \"%s\"?", nearest.best);
}

static void tie(struct builder *b, struct node *node, const char *name) {
	struct node *owner = find_node(b, name);
	if (!owner || !owner->op || !owner->op->tied_to || owner == node)
		unknown_owner(b, node, name);
	else if (owner->op->tied_to(owner->params))
		errors_add(b->errors, ERROR_CONFIG, key_at(node, "tie"), "node \"%s\" is tied to \"%s\", which is tied itself",
		           node->name, name);
	else if (owner->tied_by)
		errors_add(b->errors, ERROR_CONFIG, key_at(node, "tie"), "both \"%s\" and \"%s\" are tied to \"%s\"",
		           owner->tied_by->name, node->name, name);
	else {
		node->tied = owner;
		owner->tied_by = node;
	}
}

static void tie_nodes(struct builder *b) {
	for (size_t i = INPUTS; i < b->count; i++) {
		struct node *node = &b->all[i];
		const char *name = node->op->tied_to ? node->op->tied_to(node->params) : NULL;
		if (name)
			tie(b, node, name);
	}
}

// The owner asks for the parameter, and so comes first.
static void check_tied_order(struct builder *b, struct node *const *order) {
	for (size_t i = 0; i < b->count; i++)
		for (size_t k = i + 1; order[i]->tied && k < b->count; k++)
			if (order[k] == order[i]->tied)
				errors_add(b->errors, ERROR_CONFIG, key_at(order[i], "tie"),
				           "node \"%s\" is tied to \"%s\", which comes after it", order[i]->name, order[k]->name);
}

static void check_tied_shapes(const struct builder *b) {
	for (size_t i = 0; i < b->graph->listed_count; i++) {
		const struct node *node = b->graph->listed[i], *owner = node->tied;
		if (!owner || (owner->width == node->inputs[0]->width && owner->inputs[0]->width == node->width))
			continue;
		errors_add(b->errors, ERROR_CONFIG, key_at(node, "tie"),
		           "the weights of \"%s\" are %zu x %zu, but turned round they must be %zu x %zu for node \"%s\"",
		           owner->name, owner->inputs[0]->width, owner->width, node->width, node->inputs[0]->width, node->name);
	}
}

// --- order ---

enum mark { NEW, OPEN, DONE };

struct visit {
	struct builder *builder;
	unsigned char *mark; // (count)
	struct node **order; // (count)
	size_t ordered;
};

static void report_cycle(struct builder *b, struct node **path, size_t depth, const struct node *again) {
	struct text text = {0};
	size_t first = 0;
	while (path[first] != again)
		first++;
	for (size_t i = first; i < depth; i++)
		text_format(&text, "\"%s\" reads ", path[i]->name);
	text_format(&text, "\"%s\"", again->name);
	errors_add(b->errors, ERROR_CONFIG, again->from->at, "nodes form a cycle: %s", text_string(&text));
	text_finish(&text);
}

// Depth first, with a stack of our own: a list of nodes may be long.
static bool order_from(struct visit *v, struct node *start, struct node **path, size_t *next) {
	size_t depth = 0;
	path[depth] = start;
	next[depth++] = 0;
	v->mark[start - v->builder->all] = OPEN;
	while (depth) {
		struct node *node = path[depth - 1];
		if (next[depth - 1] == node->inputs_count) {
			v->mark[node - v->builder->all] = DONE;
			v->order[v->ordered++] = node;
			depth--;
			continue;
		}
		struct node *input = node->inputs[next[depth - 1]++];
		if (v->mark[input - v->builder->all] == OPEN) {
			report_cycle(v->builder, path, depth, input);
			return false;
		}
		if (v->mark[input - v->builder->all] == NEW) {
			v->mark[input - v->builder->all] = OPEN;
			path[depth] = input;
			next[depth++] = 0;
		}
	}
	return true;
}

static bool order_nodes(struct builder *b, struct node **order) {
	struct visit v = {.builder = b, .mark = memory_alloc(b->count), .order = order};
	struct node **path = memory_alloc(b->count * sizeof(*path));
	size_t *next = memory_alloc(b->count * sizeof(*next));
	bool good = true;
	for (size_t i = 0; i < INPUTS; i++)
		order_from(&v, &b->all[i], path, next);
	for (size_t i = INPUTS; good && i < b->count; i++)
		if (v.mark[i] == NEW)
			good = order_from(&v, &b->all[i], path, next);
	free(v.mark);
	free(path);
	free(next);
	return good;
}

static void check_used(struct builder *b) {
	const struct node *last = &b->all[INPUTS + b->groups->count - 1];
	if (last->consumers) { // then something else is read by nothing, which is no error of its own
		struct error *e =
		    errors_add(b->errors, ERROR_CONFIG, last->from->at,
		               "node \"%s\" is the last and so the output, but another node reads it", last->name);
		error_hint(e, "Put the output at the end of the list.");
		return;
	}
	for (size_t i = INPUTS; &b->all[i] < last; i++) {
		if (b->all[i].consumers)
			continue;
		struct error *e =
		    errors_add(b->errors, ERROR_CONFIG, b->all[i].from->at, "nothing uses node \"%s\"", b->all[i].name);
		error_hint(e, "The output is the last node; every other node must be read by one.");
	}
}

// Names, references, order. ret_order: (count) nodes, the inputs first. False when something is wrong.
static bool build(struct builder *b, struct node ***ret_order) {
	struct arena *arena = &b->graph->arena;
	b->before = b->errors->count;
	b->count = INPUTS + b->groups->count;
	b->all = arena_alloc(arena, 2 * b->count * sizeof(*b->all)); // room for copies
	for (size_t i = 0; i < INPUTS; i++)
		b->all[i] = (struct node){.name = input_names[i], .sparse = true, .source = &b->all[i]};
	for (size_t i = 0; i < b->groups->count; i++) {
		struct node *node = &b->all[INPUTS + i];
		node->config = b->groups->items[i];
		node->op = (const struct op *)node->config->op.row;
		node->params = node->config->op.params;
		node->from = b->groups->from[i];
	}
	for (size_t i = 0; i < b->groups->count; i++)
		name_node(b, &b->all[INPUTS + i], i);
	for (size_t i = 0; i < b->groups->count; i++)
		connect(b, &b->all[INPUTS + i], i);
	tie_nodes(b);
	*ret_order = arena_alloc(arena, 2 * b->count * sizeof(**ret_order));
	if (b->errors->count > b->before || !order_nodes(b, *ret_order))
		return false;
	check_used(b);
	check_tied_order(b, *ret_order);
	b->count = copy_below(arena, b->all, b->count, *ret_order, b->errors);
	return b->errors->count == b->before && order_nodes(b, *ret_order);
}

// Names are looked up one by one, and what may be computed at cells is asked from node to node: a graph of more than
// this takes long, or more stack than there is. A concat of concats doubles its width each time.
enum { NODES_MOST = 4096, INPUTS_MOST = 16384, WIDTH_MOST = 1 << 30 };

static bool bad_size(const struct groups *nodes, const struct value *tree, struct errors *errors) {
	struct origin at = value_origin(tree, "graph");
	size_t inputs = 0;
	for (size_t i = 0; i < nodes->count; i++)
		inputs += ((const struct node_config *)nodes->items[i])->inputs.count;
	if (nodes->count == 0)
		errors_add(errors, ERROR_CONFIG, at, "the graph has no nodes");
	else if (nodes->count > NODES_MOST)
		errors_add(errors, ERROR_CONFIG, at, "the graph has %zu nodes, but may have at most %d", nodes->count,
		           NODES_MOST);
	else if (inputs > INPUTS_MOST)
		errors_add(errors, ERROR_CONFIG, at, "the nodes of the graph have %zu inputs, but may have at most %d", inputs,
		           INPUTS_MOST);
	return nodes->count == 0 || nodes->count > NODES_MOST || inputs > INPUTS_MOST;
}

void graph_check(const struct groups *nodes, const struct groups *phases, const struct value *tree,
                 struct errors *errors) {
	struct graph graph = {0};
	struct builder b = {.graph = &graph, .groups = nodes, .errors = errors};
	struct node **order;
	if (!bad_size(nodes, tree, errors)) {
		build(&b, &order);
		phases_check(phases, tree, b.all + INPUTS, nodes->count, errors);
	}
	graph_finish(&graph);
}

// --- sparse or dense ---

static enum path path_of(const struct node *node) {
	return ((const struct path_row *)node->config->path.row)->path;
}

// `refed`: that the rows come again, full, counts too.
static bool prefers_dense(const struct graph *graph, const struct node *node, double entries, size_t columns,
                          bool output, size_t refed) {
	enum path path = path_of(node);
	if (path != PATH_AUTO || !columns)
		return path == PATH_DENSE;
	struct cost_shape shape = {.entries = entries, .columns = columns, .batch = graph->shape.batch, .output = output};
	node->op->product(graph, node, &shape);
	double dense = cost_dense(&shape), sparse = cost_sparse(&shape);
	shape.entries = (double)columns;
	return dense + (double)refed * cost_dense(&shape) < sparse + (double)refed * cost_sparse(&shape);
}

static double entries_of(const struct graph *graph, const struct node *source) {
	if (source == graph->row)
		return 1;
	return source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries;
}

static void plan_sparse(struct graph *graph, struct node *node) {
	for (size_t i = 0; i < node->inputs_count; i++) {
		struct node *input = node->inputs[i];
		node->needs_gradient |= input->needs_gradient;
		if (!input->sparse)
			continue;
		size_t refed = input->source == graph->ratings ? graph->shape.refed : 0;
		bool dense = node->op->has_paths && (node->tied || prefers_dense(graph, node, entries_of(graph, input->source),
		                                                                 input->source->width, false, refed));
		if (!node->op->reads_sparse || dense)
			input->densified = true;
		else if (node->op->keeps_sparse) {
			node->sparse = true;
			node->source = input->source;
		} else
			node->reads_rows = true;
	}
}

// Whether the node's weights are stored as cells need them that are tied to it.
static bool stored_by_items(const struct graph *graph, const struct node *node) {
	return node->reads_rows && node->inputs[0]->source == graph->ratings;
}

static bool can_be_cells(const struct graph *graph, const struct node *node) {
	if (!node->op || (node != graph->output && node->consumers != 1))
		return false;
	if (node->tied_by || (node->tied && !stored_by_items(graph, node->tied)))
		return false;
	if (node->op->makes_cells)
		return !node->inputs[0]->sparse && !prefers_dense(graph, node, graph->shape.target_entries,
		                                                  graph->shape.ratings_width, true, graph->shape.refed);
	if (!node->op->maps_cells)
		return false;
	for (size_t i = 0; i < node->inputs_count; i++)
		if (!can_be_cells(graph, node->inputs[i]))
			return false;
	return true;
}

static void mark_cells(struct node *node) {
	node->cells = true;
	for (size_t i = 0; !node->op->makes_cells && i < node->inputs_count; i++)
		mark_cells(node->inputs[i]);
}

static void check_path(const struct builder *b, const struct node *node) {
	enum path path = path_of(node);
	if (path == PATH_AUTO || (node->op->has_paths && (path == PATH_DENSE || node->reads_rows || node->cells)))
		return;
	struct error *e = errors_add(b->errors, ERROR_CONFIG, key_at(node, "path"), "node \"%s\" has no %s path",
	                             node->name, node->config->path.row->name);
	if (node->op->has_paths)
		error_hint(e,
		           "It reads no sparse rows, and is not the output of a loss over rated cells that reads dense ones.");
	else
		error_hint(e, "Only dense nodes have a path to choose.");
}

// --- parameters ---

enum { ALIGNMENT = 16 }; // numbers; a cache line of floats

static size_t round_up(size_t n) {
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

struct parameter *graph_parameter(struct graph *graph, struct node *node, const char *suffix, size_t rows,
                                  size_t columns) {
	struct parameter *p = &graph->parameters[graph->parameters_count++];
	*p = (struct parameter){
	    .node = node, .suffix = suffix, .rows = rows, .columns = columns, .by = node, .trainable = true};
	node->parameters[node->parameters_count++] = p;
	return p;
}

static size_t group_of(const struct column_groups *groups, size_t column) {
	size_t g = 0;
	while (groups->begin[g + 1] <= column)
		g++;
	return g;
}

size_t parameter_place(const struct parameter *p, size_t row, size_t column) {
	size_t g = p->groups ? group_of(p->groups, column) : 0;
	return p->offset[g] + row * p->stride[g] + column - (p->groups ? p->groups->begin[g] : 0);
}

size_t parameter_numbers(const struct parameter *p) {
	size_t numbers = 0;
	for (size_t g = 0; g < (p->groups ? p->groups->count : 1); g++)
		numbers += p->rows * p->stride[g];
	return numbers;
}

static void place_parameter(struct graph *graph, struct parameter *p) {
	p->groups = p->touched != TOUCHED_ALL && p->by ? p->by->groups : NULL;
	size_t count = p->groups ? p->groups->count : 1;
	p->offset = arena_alloc(&graph->arena, count * sizeof(*p->offset));
	p->stride = arena_alloc(&graph->arena, count * sizeof(*p->stride));
	for (size_t g = 0; g < count; g++) {
		size_t size, columns = p->groups ? p->groups->begin[g + 1] - p->groups->begin[g] : p->columns;
		p->stride[g] = columns == 1 ? 1 : round_up(columns);
		p->offset[g] = graph->weights;
		if (!memory_product(p->rows, p->stride[g], &size) || size > SIZE_MAX / 64 - graph->weights)
			size = SIZE_MAX / 64 - graph->weights; // refused when the plan is done
		graph->weights += round_up(size);
	}
}

// eager: a row may not wait for its turn, since not every step is one that it would take.
static void count_parameters(struct graph *graph, bool eager, struct errors *errors) {
	for (size_t i = 0; i < graph->parameters_count; i++) {
		struct parameter *p = &graph->parameters[i];
		place_parameter(graph, p);
		p->trainable &= !p->node->copy_of;
		p->lazy = p->trainable && !eager && p->touched != TOUCHED_ALL &&
		          graph->optimizer->lazy(graph->optimizer_params, p->l2, graph->constant_rate);
		p->deferred = p->trainable && (p->shared || graph->clip_norm > 0 || graph->clip_value > 0);
		p->moves = p->lazy && graph->optimizer->moves(graph->optimizer_params, p->l2);
		if (p->trainable)
			graph->trainable += p->rows * p->columns;
	}
	if (graph->weights > (size_t)1 << 40)
		errors_add(errors, ERROR_CONFIG, graph->output->from->at, "the graph has more weights than any machine holds");
}

// --- groups of columns ---

// Widths of a group: where sparse rows are summed, a group's sums stay in registers; where OpenBLAS multiplies, narrow
// groups would have it pack its operands again and again, and a wide output has enough of them. They enter the results
// (a cell's products are added group by group) and so do not depend on the machine.
enum { SPARSE_GROUP = 64, DENSE_GROUP = 256, WIDE_GROUP = 1024, WIDE = 4 * WIDE_GROUP };

static struct column_groups *new_groups(struct graph *graph, size_t count) {
	struct column_groups *groups = arena_alloc(&graph->arena, sizeof(*groups));
	*groups = (struct column_groups){.count = count, .index = graph->groupings_count};
	groups->begin = arena_alloc(&graph->arena, (count + 1) * sizeof(*groups->begin));
	graph->groupings[graph->groupings_count++] = groups;
	return groups;
}

static const struct column_groups *group_evenly(struct graph *graph, size_t width, size_t group, bool trained) {
	group = graph->shape.whole ? width : group;
	struct column_groups *groups = new_groups(graph, (width + group - 1) / group);
	groups->trained = trained;
	for (size_t i = 0; i <= groups->count; i++)
		groups->begin[i] = i * group < width ? i * group : width;
	return groups;
}

static const struct column_groups *group_like_inputs(struct graph *graph, const struct node *node) {
	size_t count = 0, filled = 0, at = 0;
	for (size_t i = 0; i < node->inputs_count; i++)
		count += node->inputs[i]->groups->count;
	struct column_groups *groups = new_groups(graph, count);
	groups->parts = arena_alloc(&graph->arena, node->inputs_count * sizeof(*groups->parts));
	groups->parts_count = node->inputs_count;
	for (size_t i = 0; i < node->inputs_count; i++) {
		groups->parts[i] = node->inputs[i]->groups;
		for (size_t k = 0; k < groups->parts[i]->count; k++)
			groups->begin[filled++] = at + groups->parts[i]->begin[k];
		at += node->inputs[i]->width;
	}
	groups->begin[filled] = at;
	return groups;
}

static const struct column_groups *group_columns(struct graph *graph, const struct node *node) {
	if (node->op && !node->op->mixes)
		return node->op->holds_inputs ? group_like_inputs(graph, node) : node->inputs[0]->groups;
	bool trained = node->op ? !node->cells && !node->sparse : node->densified;
	size_t dense = node->width < WIDE ? DENSE_GROUP : WIDE_GROUP;
	return group_evenly(graph, node->width, node->reads_rows ? SPARSE_GROUP : dense, trained);
}

// --- the plan ---

// Nodes in order of computation, in one array; pointers between nodes follow.
static void settle(struct builder *b, struct node **order) {
	struct graph *graph = b->graph;
	struct node *nodes = arena_alloc(&graph->arena, b->count * sizeof(*nodes));
	struct node **moved = memory_alloc(b->count * sizeof(*moved)); // by place in b->all
	for (size_t i = 0; i < b->count; i++) {
		struct node *old = order[i];
		if (!old->op && !old->consumers)
			continue;
		struct node *node = &nodes[graph->nodes_count];
		*node = *old;
		node->index = graph->nodes_count++;
		for (size_t k = 0; k < node->inputs_count; k++)
			node->inputs[k] = moved[node->inputs[k] - b->all];
		if (!node->op)
			node->source = node;
		moved[old - b->all] = node;
	}
	for (size_t i = 0; i < b->count; i++) {
		struct node *node = moved[i];
		if (node && node->tied) {
			node->tied = moved[node->tied - b->all];
			node->tied->tied_by = node;
		}
		if (node && node->copy_of)
			node->copy_of = moved[node->copy_of - b->all];
	}
	graph->nodes = nodes;
	graph->ratings = moved[RATINGS];
	graph->user = moved[USER];
	graph->row = moved[ROW];
	graph->listed_count = b->groups->count;
	graph->listed = arena_copy(&graph->arena, moved + INPUTS, graph->listed_count * sizeof(*moved));
	graph->output = graph->listed[graph->listed_count - 1];
	free(moved);
}

// What only one node reads may lie in that node's memory: an input of a concat, in its place there; what is read no
// more once the node is computed.
static void place_nodes(struct graph *graph) {
	for (size_t i = 0; i < graph->nodes_count; i++) {
		struct node *node = &graph->nodes[i];
		size_t column = 0;
		for (size_t k = 0; node->op && k < node->inputs_count; k++) {
			struct node *input = node->inputs[k];
			if (input->op && !input->sparse && input->consumers == 1 && !input->cells && !node->cells) {
				struct place place = {node, column};
				bool overwrites = node->op->overwrites && input->op->value_unread;
				input->value_at = node->op->holds_inputs || overwrites ? place : input->value_at;
				input->gradient_at = node->op->holds_inputs || node->op->overwrites_back ? place : input->gradient_at;
			}
			column += input->width;
		}
	}
}

static bool check_inputs(struct builder *b) {
	struct graph *graph = b->graph;
	if (graph->user && !graph->shape.user_width) {
		for (size_t i = 0; i < graph->listed_count; i++) {
			const struct node *node = graph->listed[i];
			for (size_t k = 0; k < node->inputs_count; k++) {
				if (node->inputs[k] != graph->user)
					continue;
				struct error *e =
				    errors_add(b->errors, ERROR_CONFIG, key_at(node, "input"),
				               "node \"%s\" reads \"user\", but the data has no side information", node->name);
				error_hint(e, "Name it in data.user_features.");
			}
		}
	}
	return b->errors->count == b->before;
}

// A divergence needs its weight, and a weight a divergence.
static void check_divergence(struct builder *b, const struct value *tree) {
	const struct graph *graph = b->graph;
	const struct node *latent = NULL;
	for (size_t i = 0; i < graph->listed_count; i++)
		latent = graph->listed[i]->op->adds_loss ? graph->listed[i] : latent;
	if (latent && !graph->loss_config->kl) {
		struct error *e = errors_add(b->errors, ERROR_CONFIG, latent->from->at,
		                             "node \"%s\" has a divergence, but the loss has no kl", latent->name);
		error_hint(e, "Say kl = { cap = 1.0; } in loss.");
	} else if (!latent && graph->loss_config->kl) {
		struct error *e = errors_add(b->errors, ERROR_CONFIG, value_origin(tree, "loss.kl"),
		                             "the loss has kl, but no node has a divergence");
		error_hint(e, "Only gaussian nodes have one.");
	}
}

// An optimizer that goes down a function needs one that stays the same.
static void check_descent(struct builder *b, const struct value *tree) {
	const struct graph *graph = b->graph;
	const char *name = graph->optimizer->row.name;
	if (!graph->optimizer->descends)
		return;
	for (size_t i = 0; i < graph->listed_count; i++) {
		const struct node *node = graph->listed[i];
		if (!node->op->noise && !node->op->running_averages)
			continue;
		struct error *e = errors_add(b->errors, ERROR_CONFIG, node->from->at,
		                             "optimizer \"%s\" goes down one function, but node \"%s\" %s", name, node->name,
		                             node->op->running_averages ? "keeps running averages" : "draws anew each time");
		error_hint(e, "Choose another optimizer, or leave the node out.");
	}
	if (graph->targets == TARGETS_SAMPLED)
		errors_add(b->errors, ERROR_CONFIG, value_origin(tree, "loss"),
		           "optimizer \"%s\" goes down one function, but the loss draws other cells in each epoch", name);
	if (graph->phases_count)
		errors_add(b->errors, ERROR_CONFIG, value_origin(tree, "train.alternate"),
		           "optimizer \"%s\" moves all weights at once: it has no phases", name);
}

static void check_output(struct builder *b) {
	struct graph *graph = b->graph;
	const struct node *output = graph->output;
	if (output->width != graph->shape.ratings_width) {
		struct error *e = errors_add(b->errors, ERROR_CONFIG, output->from->at,
		                             "the output \"%s\" is %zu wide, but a rating row has %zu", output->name,
		                             output->width, graph->shape.ratings_width);
		error_hint(e, "Say units = \"items\" in the last node.");
	} else if (!output->needs_gradient) {
		errors_add(b->errors, ERROR_CONFIG, output->from->at, "the graph has nothing to train");
	}
}

size_t op_input_width(const struct graph *graph, const struct node *node, struct errors *errors) {
	(void)graph, (void)errors;
	return node->inputs[0]->width;
}

size_t op_same_width(const struct node *node, const char *does, struct errors *errors) {
	const struct node *first = node->inputs[0];
	for (size_t i = 1; i < node->inputs_count; i++) {
		const struct node *input = node->inputs[i];
		if (input->width == first->width)
			continue;
		errors_add(errors, ERROR_CONFIG, node->from->at, "node \"%s\" %s \"%s\" of width %zu to \"%s\" of width %zu",
		           node->name, does, input->name, input->width, first->name, first->width);
		break;
	}
	return first->width;
}

// False where a node is too wide to go on with: sums of widths would not fit any more.
static bool plan_widths(struct builder *b) {
	struct graph *graph = b->graph;
	for (size_t i = 0; i < graph->nodes_count; i++) {
		struct node *node = &graph->nodes[i];
		if (node->op) {
			node->width = node->op->width(graph, node, b->errors);
			if (node->width > WIDTH_MOST) {
				errors_add(b->errors, ERROR_CONFIG, node->from->at, "node \"%s\" is %zu wide, but may be at most %d",
				           node->name, node->width, WIDTH_MOST);
				return false;
			}
			plan_sparse(graph, node);
		} else {
			node->width = node == graph->user  ? graph->shape.user_width
			              : node == graph->row ? graph->shape.rows
			                                   : graph->shape.ratings_width;
		}
		node->needs_gradient |= node->op && node->op->has_parameters && !node->copy_of;
	}
	return true;
}

static void plan_nodes(struct builder *b) {
	struct graph *graph = b->graph;
	if (graph->targets != TARGETS_ALL && can_be_cells(graph, graph->output))
		mark_cells(graph->output);
	graph->parameters =
	    arena_alloc(&graph->arena, graph->nodes_count * NODE_PARAMETERS_MAX * sizeof(*graph->parameters));
	graph->groupings = arena_alloc(&graph->arena, graph->nodes_count * sizeof(*graph->groupings));
	for (size_t i = 0; i < graph->nodes_count; i++) {
		struct node *node = &graph->nodes[i];
		node->groups = group_columns(graph, node);
		if (node->op && node->op->plan)
			node->op->plan(graph, node);
	}
	graph->output->logits = graph->output->op->logits && graph->output->activation->id == ACTIVATION_SIGMOID &&
	                        graph->loss->of_logits != CELL_LOSS_COUNT;
}

bool graph_plan(const struct groups *nodes, const struct loss_config *loss, const struct optimizer_config *optimizer,
                const struct groups *phases, const struct graph_shape *shape, const struct value *tree,
                struct graph *ret, struct errors *errors) {
	*ret = (struct graph){.shape = *shape,
	                      .loss = (const struct loss *)loss->kind.row,
	                      .targets = loss_targets(loss),
	                      .reduction = loss_reduction(loss),
	                      .loss_config = loss,
	                      .optimizer = (const struct optimizer *)optimizer->kind.row,
	                      .optimizer_params = optimizer->kind.params,
	                      .clip_norm = isnan(optimizer->clip_norm) ? 0 : optimizer->clip_norm,
	                      .clip_value = isnan(optimizer->clip_value) ? 0 : optimizer->clip_value,
	                      .schedule = optimizer->schedule,
	                      .constant_rate = schedule_is_constant(optimizer->schedule)};
	struct builder b = {.graph = ret, .groups = nodes, .errors = errors};
	struct node **order;
	if (bad_size(nodes, tree, errors) || !build(&b, &order))
		return false;
	settle(&b, order);
	if (!check_inputs(&b))
		return false;
	if (!plan_widths(&b))
		return false;
	plan_nodes(&b);
	for (size_t i = 0; i < ret->listed_count; i++)
		check_path(&b, ret->listed[i]);
	check_tied_shapes(&b);
	check_divergence(&b, tree);
	check_output(&b);
	place_nodes(ret);
	count_parameters(ret, phases->count, errors);
	phases_plan(phases, ret);
	check_descent(&b, tree);
	return errors->count == b.before;
}

void graph_finish(struct graph *graph) {
	arena_finish(&graph->arena);
}
