// embedding: a vector of weights for each row of the data, looked up by the row's own place: the user node of CDAE (Wu
// et al. 2016). It is a product with a row that holds one 1. A row that is held out of training (split `users`) has
// learnt none: there the embedding is 0.
#include "nn/network.h"
#include "nn/onnx.h"

#include <string.h>

struct embedding_params {
	int64_t units;
	struct init_config *init;
	double l2;
};

static const struct key keys[] = {
    {.name = "units",
     .type = KEY_INTEGER,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct embedding_params, units),
     .min = 1,
     .max = 1e9,
     .doc = "Width of a vector"},
    {.name = "init",
     .type = KEY_GROUP,
     .offset = offsetof(struct embedding_params, init),
     .fallback = "\"normal\"",
     .schema = &init_schema,
     .doc = "Initial vectors"},
    {.name = "l2",
     .type = KEY_REAL,
     .offset = offsetof(struct embedding_params, l2),
     .fallback = "0.0",
     .min = 0,
     .max = 1e6,
     .doc = "Adds l2 times the sum of squared weights to each batch's loss"},
};

enum { WEIGHT };

static size_t width(const struct graph *graph, const struct node *node, struct errors *errors) {
	(void)graph, (void)errors;
	return (size_t)((const struct embedding_params *)node->params)->units;
}

static void plan(struct graph *graph, struct node *node) {
	const struct embedding_params *p = node->params;
	struct parameter *weight = graph_parameter(graph, node, "weight", graph->shape.rows, node->width);
	weight->touched = TOUCHED_ROW;
	weight->init = p->init;
	weight->fan_in = graph->shape.rows;
	weight->fan_out = node->width;
	weight->l2 = p->l2;
}

static void run_forward(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct sparse rows = pass_rows(p, node->inputs[0]), s = sparse_rows(&rows, tile->row, tile->rows);
	struct matrix w = pass_weight_columns(p, node->parameters[WEIGHT], tile), whole = pass_value(p, node);
	struct matrix y = pass_tile(p, node, &whole, tile);
	p->network->backend->sparse_times(p->network->device, &s, &w, NULL, 0, &y);
}

static void run_update(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node;
	struct matrix gradient = pass_gradient(p, node), dy = pass_tile(p, node, &gradient, tile);
	pass_update_touched(p, node->parameters[WEIGHT], tile, TOUCHED_ROW, pass_rows(p, node->inputs[0]).value, &dy);
}

static void forward(struct maker *m, const struct node *node) {
	maker_step(m, node, run_forward, CUT_COLUMNS, node)->by_row = true;
	maker_weight(m, node->parameters[WEIGHT], READ_OWN);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	(void)m, (void)node; // its input is data
}

static void update(struct maker *m, const struct node *node) {
	maker_step(m, node, run_update, CUT_COLUMNS, node);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_OWN);
	maker_weight(m, node->parameters[WEIGHT], WRITE_OWN);
}

static double flops(const struct graph *graph, const struct node *node) {
	(void)graph;
	return 4.0 * (double)node->width;
}

static void detail(const struct node *node, struct text *text) {
	const struct embedding_params *p = node->params;
	text_append(text, p->init->kind.row->name);
	if (p->l2 > 0)
		text_format(text, ", l2 %g", p->l2);
}

// Row 0 of what is looked up in is nobody's, and 0.
static const char *onnx(struct onnx *o, const struct node *node) {
	const struct tensor_facts *weight = onnx_numbers(o, node, "weight");
	size_t rows = weight->shape[0] + 1;
	float *table = arena_alloc(&o->arena, rows * node->width * sizeof(*table));
	memcpy(table + node->width, weight->data, weight->shape[0] * node->width * sizeof(*table));
	const char *constant = onnx_constant(o, node->name, "weight", table, rows, node->width);
	return onnx_call(
	    o, &(struct onnx_call){.operator= "Gather", .owner = node->name, .input = {constant, onnx_same(o, node)}});
}

const struct op op_embedding = {
    .row = {.name = "embedding",
            .doc = "A vector of weights for each row of the data, by the row's own place; reads no other input",
            .params = SCHEMA(struct embedding_params, keys)},
    .inputs_min = 0,
    .inputs_max = 0,
    .has_parameters = true,
    .reads_sparse = true,
    .value_unread = true,
    .reads_row = true,
    .mixes = true,
    .width = width,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .update = update,
    .flops = flops,
    .onnx = onnx,
    .detail = detail,
};
