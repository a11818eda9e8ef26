// l2_normalize: each row divided by its Euclidean norm, or by epsilon where that is larger (as PyTorch's normalize). On
// sparse rows the norm is that of the stored entries.
#include "nn/network.h"
#include "nn/onnx.h"

struct l2_normalize_params {
	double epsilon;
};

static const struct key keys[] = {
    {.name = "epsilon",
     .type = KEY_REAL,
     .flags = KEY_OPEN_MIN,
     .offset = offsetof(struct l2_normalize_params, epsilon),
     .fallback = "1e-12",
     .min = 0,
     .max = 1,
     .doc = "The least that a row is divided by (PyTorch's default)"},
};

enum { INVERSE }; // of the slot's row vectors: what each row was multiplied by

static real epsilon_of(const struct node *node) {
	return (real)((const struct l2_normalize_params *)node->params)->epsilon;
}

static void run_sparse(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse whole = pass_rows(p, step->node->inputs[0]), s = sparse_rows(&whole, tile->row, tile->rows);
	p->network->backend->normalize_sparse(p->network->device, &s, epsilon_of(step->node),
	                                      pass_slot(p, step->node)->sparse_value);
}

static void run_dense(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	p->network->backend->normalize(p->network->device, epsilon_of(node), &x, &y,
	                               pass_slot(p, node)->row[INVERSE] + tile->row);
}

static void run_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix value = pass_value(p, node), from = pass_gradient(p, node), to = pass_gradient(p, input);
	struct matrix y = pass_tile(p, node, &value, tile), dy = pass_tile(p, node, &from, tile);
	struct matrix dx = pass_tile(p, input, &to, tile);
	p->network->backend->normalize_back(p->network->device, epsilon_of(node), &y,
	                                    pass_slot(p, node)->row[INVERSE] + tile->row, &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	const struct node *input = node->inputs[0];
	maker_step(m, node, node->sparse ? run_sparse : run_dense, CUT_ROWS, node);
	if (!node->sparse) {
		maker_tensor(m, TENSOR_VALUE, input, READ_ALL);
		maker_tensor(m, TENSOR_VALUE, node, WRITE_ALL);
		return;
	}
	if (input->op)
		maker_tensor(m, TENSOR_SPARSE, input, READ_OWN);
	maker_tensor(m, TENSOR_SPARSE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	if (node->sparse || !maker_needs(m, node->inputs[0]))
		return;
	maker_step(m, node, run_back, CUT_ROWS, node);
	maker_tensor(m, TENSOR_VALUE, node, READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, node, READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, node->inputs[0], WRITE_ALL);
	maker_first_writes(m, node->inputs[0]);
}

static double flops(const struct graph *graph, const struct node *node) {
	if (node->sparse) // the square, its sum, the product
		return 3 * (node->source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries);
	return 8.0 * (double)node->width; // and back 2 of a sum, 3 of each element
}

static const char *onnx(struct onnx *o, const struct node *node) {
	float epsilon = (float)epsilon_of(node);
	const char *x = onnx_same(o, node), *least = onnx_constant(o, node->name, "epsilon", &epsilon, 1, 0);
	const char *norm = onnx_call(o, &(struct onnx_call){.operator= "ReduceL2",
	                                                    .owner = node->name,
	                                                    .input = {x},
	                                                    .attribute = {{"axes", ONNX_INTEGERS, .integer = 1}}});
	norm = onnx_call(o, &(struct onnx_call){.operator= "Max", .owner = node->name, .input = {norm, least}});
	return onnx_call(o, &(struct onnx_call){.operator= "Div", .owner = node->name, .input = {x, norm}});
}

const struct op op_l2_normalize = {
    .row = {.name = "l2_normalize",
            .doc = "Divides each row by its Euclidean norm; on ratings: the norm of the stored entries",
            .params = SCHEMA(struct l2_normalize_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .reads_sparse = true,
    .keeps_sparse = true,
    .overwrites = true,
    .overwrites_back = true,
    .row_columns = 1,
    .mixes = true,
    .width = op_input_width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx,
};
