// A planned graph as facts.
#include "nn/cost.h"
#include "nn/graph.h"
#include "nn/op.h"

#include <math.h>

static const char *update_of(const struct node *node) {
	const char *update = "";
	for (size_t i = 0; i < node->parameters_count; i++) {
		if (!node->parameters[i]->trainable)
			continue;
		if (!node->parameters[i]->lazy && node->parameters[i]->touched != TOUCHED_ALL)
			return "all rows";
		update = node->parameters[i]->lazy ? "touched rows" : *update ? update : "all rows";
	}
	return update;
}

static double bytes_of(const struct graph *graph, const struct node *node) {
	size_t states = graph->optimizer->states(graph->optimizer_params);
	double numbers = 0, batch = (double)graph->shape.batch;
	for (size_t i = 0; i < node->parameters_count; i++)
		if (node->parameters[i]->node == node) // else it is counted there
			numbers += (double)parameter_numbers(node->parameters[i]) *
			           (double)(1 + (node->parameters[i]->trainable ? 1 + states : 0));
	double width = node->cells && !graph->shape.refed ? graph->shape.target_entries : (double)node->width;
	if (node->sparse && !node->densified)
		width = node->source == graph->user ? graph->shape.user_entries
		        : graph->shape.refed        ? (double)node->width
		                                    : graph->shape.ratings_entries;
	return sizeof(real) * (numbers + 2 * batch * width);
}

// Of a step on data, and of those on what is re-fed of it.
static double flops_of(const struct graph *graph, const struct node *node) {
	struct graph full = *graph;
	full.shape.ratings_entries = full.shape.target_entries = (double)graph->shape.ratings_width;
	double flops = node->op->flops(graph, node);
	if (graph->shape.refed)
		flops += (double)graph->shape.refed * node->op->flops(&full, node);
	return flops * (double)graph->shape.batch;
}

// Columns of a parameter's rows that a step touches: as if each stored entry fell anywhere.
static double touched_rows(const struct graph *graph, const struct parameter *p) {
	double rows = (double)p->rows, entries = graph->shape.ratings_entries;
	if (!p->lazy)
		return rows;
	if (p->touched == TOUCHED_USER)
		entries = graph->shape.user_entries;
	else if (p->touched == TOUCHED_TARGETS)
		entries = graph->shape.target_entries;
	else if (p->touched == TOUCHED_ROW)
		entries = 1;
	return rows * (1 - pow(1 - fmin(entries / rows, 1), (double)graph->shape.batch));
}

static double ns_of(const struct graph *graph, const struct node *node) {
	bool gathers = node->reads_rows || node->cells;
	double multiplications = flops_of(graph, node) / 2, table = 0, ns = 0;
	for (size_t i = 0; i < node->parameters_count; i++) {
		const struct parameter *p = node->parameters[i];
		table = fmax(table, sizeof(real) * (double)p->rows * (double)p->columns);
		if (p->trainable && p->node == node)
			ns += cost_update(touched_rows(graph, p) * (double)p->columns);
	}
	double width = node->cells ? graph->shape.target_entries : node->sparse ? 0 : (double)node->width;
	ns += gathers ? cost_gather(multiplications, table) : cost_multiply(multiplications);
	return ns + cost_cells(width * (double)graph->shape.batch);
}

static void describe_node(struct graph *graph, const struct node *node, struct node_facts *ret) {
	struct text detail = {0};
	size_t shown = node->inputs_count < node->op->inputs_max ? node->inputs_count : node->op->inputs_max;
	size_t inputs_count = node->op->reads_row ? 0 : shown; // not what stands behind the file's own
	const char **inputs = arena_alloc(&graph->arena, (inputs_count + 1) * sizeof(*inputs));
	for (size_t i = 0; i < inputs_count; i++)
		inputs[i] = node->inputs[i]->name;
	if (node->op->detail)
		node->op->detail(node, &detail);
	*ret = (struct node_facts){
	    .name = node->name,
	    .op = node->op->row.name,
	    .detail = arena_string(&graph->arena, text_string(&detail)),
	    .width = node->width,
	    .inputs = inputs,
	    .inputs_count = inputs_count,
	    .path = node->sparse || node->reads_rows || node->cells ? "sparse" : "dense",
	    .bytes = bytes_of(graph, node),
	    .flops = flops_of(graph, node),
	    .ns = ns_of(graph, node),
	    .update = update_of(node),
	};
	for (size_t i = 0; i < node->parameters_count; i++)
		if (node->parameters[i]->trainable && node->parameters[i]->node == node)
			ret->parameters += node->parameters[i]->rows * node->parameters[i]->columns;
	text_finish(&detail);
}

double graph_descent_bytes(const struct graph *graph) {
	enum { VECTORS = 5 }; // corrections apart; see train/descent.h
	const struct lbfgs_params *params = graph->optimizer_params;
	if (!graph->optimizer->descends)
		return 0;
	return sizeof(double) * (double)graph->trainable * (2.0 * (double)params->memory + VECTORS);
}

void graph_describe(struct graph *graph, struct graph_facts *ret) {
	struct node_facts *nodes = arena_alloc(&graph->arena, graph->listed_count * sizeof(*nodes));
	*ret = (struct graph_facts){.nodes = nodes,
	                            .count = graph->listed_count,
	                            .ratings_width = graph->shape.ratings_width,
	                            .user_width = graph->user ? graph->shape.user_width : 0,
	                            .batch = graph->shape.batch,
	                            .rows = graph->shape.rows,
	                            .refed = graph->shape.refed,
	                            .ratings_entries = graph->shape.ratings_entries,
	                            .user_entries = graph->shape.user_entries,
	                            .target_entries = graph->shape.target_entries};
	for (size_t i = 0; i < graph->listed_count; i++) {
		describe_node(graph, graph->listed[i], &nodes[i]);
		ret->parameters += nodes[i].parameters;
		ret->bytes += nodes[i].bytes;
		ret->flops += nodes[i].flops;
		ret->ns += nodes[i].ns;
	}
	ret->bytes += graph_descent_bytes(graph);
	for (size_t i = 0; i < graph->nodes_count; i++)
		if (graph->nodes[i].copy_of) // in no list, but there
			ret->bytes += bytes_of(graph, &graph->nodes[i]);
}
