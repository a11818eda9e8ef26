// dropout: each element 0 with probability rate in training, else scaled by 1 / (1 - rate) (Srivastava et al. 2014,
// inverted); nothing at evaluation. mask: the same without the scaling (Vincent et al. 2010's masking noise). On sparse
// rows they drop stored entries: the denoising autoencoder's noise.
#include "nn/network.h"
#include "nn/onnx.h"

struct dropout_params {
	double rate;
};

static const struct key keys[] = {
    {.name = "rate",
     .type = KEY_REAL,
     .flags = KEY_REQUIRED | KEY_OPEN_MAX,
     .offset = offsetof(struct dropout_params, rate),
     .min = 0,
     .max = 1,
     .doc = "Share of elements that are dropped"},
};

static double rate_of(const struct node *node) {
	return ((const struct dropout_params *)node->params)->rate;
}

// What kept elements are multiplied by.
static real scale_of(const struct node *node) {
	return node->op == &op_dropout ? dropout_scale(rate_of(node)) : 1;
}

static struct dropout_draw draw_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	return (struct dropout_draw){.stream = pass_stream(p, node),
	                             .epoch = p->epoch,
	                             .row = p->on->row + tile->row,
	                             .unit = (uint32_t)tile->column,
	                             .rate = rate_of(node),
	                             .scale = scale_of(node)};
}

static void run_rows(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse whole = pass_rows(p, step->node->inputs[0]), s = sparse_rows(&whole, tile->row, tile->rows);
	struct dropout_draw draw = draw_of(p, step->node, &(struct tile){tile->row, tile->rows, 0, 0, 0});
	if (pass_noisy(p, step->node))
		p->network->backend->dropout_sparse(p->network->device, &draw, &s, pass_slot(p, step->node)->sparse_value);
}

// Values, or gradients, of the tile's cells.
static void drop_cells(const struct pass *p, const struct node *node, const struct tile *tile, const real *from,
                       real *to) {
	struct sparse cells = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct dropout_draw draw = draw_of(p, node, &(struct tile){tile->row, tile->rows, 0, 0, 0});
	cells.value = from;
	p->network->backend->dropout_sparse(p->network->device, &draw, &cells, to);
}

static size_t keep_stride(const struct node *node) {
	return network_keep_word(node->width, node->groups->count);
}

static uint64_t *keep_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	return pass_slot(p, node)->keep + tile->row * keep_stride(node) + network_keep_word(tile->column, tile->group);
}

static void run_values(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	if (!pass_noisy(p, node)) {
		if (x.data == y.data)
			return;
		p->network->backend->add(p->network->device, &x, 0, &y);
	} else if (pass_at_cells(p, node)) {
		drop_cells(p, node, tile, from.data, to.data);
	} else {
		struct dropout_draw draw = draw_of(p, node, tile);
		p->network->backend->dropout(p->network->device, &draw, &x, &y, keep_of(p, node, tile), keep_stride(node));
	}
}

static void run_gradients(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_gradient(p, node), to = pass_gradient(p, input);
	struct matrix dy = pass_tile(p, node, &from, tile), dx = pass_tile(p, input, &to, tile);
	if (pass_at_cells(p, node)) // the same draw again; cells have one consumer, so beta is 0
		drop_cells(p, node, tile, from.data, to.data);
	else
		p->network->backend->dropout_back(p->network->device, scale_of(node), keep_of(p, node, tile), keep_stride(node),
		                                  &dy, step->beta, &dx);
}

static void forward(struct maker *m, const struct node *node) {
	if (!node->sparse) {
		maker_map(m, node, run_values);
		return;
	}
	maker_step(m, node, run_rows, CUT_ROWS, node);
	if (node->inputs[0]->op)
		maker_tensor(m, TENSOR_SPARSE, node->inputs[0], READ_OWN);
	maker_tensor(m, TENSOR_SPARSE, node, WRITE_OWN);
}

static void backward(struct maker *m, const struct node *node) {
	if (!node->sparse && maker_needs(m, node->inputs[0]))
		maker_map_back(m, node, run_gradients);
}

static double flops(const struct graph *graph, const struct node *node) {
	if (node->sparse)
		return node->source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries;
	return 2 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static void detail(const struct node *node, struct text *text) {
	text_format(text, "rate %g", rate_of(node));
}

// The two differ in their scale alone.
#define DROPS(op_name, text)                                                                                           \
	{                                                                                                                  \
		.row = {.name = op_name, .doc = text, .params = SCHEMA(struct dropout_params, keys)}, .inputs_min = 1,         \
		.inputs_max = 1, .reads_sparse = true, .keeps_sparse = true, .maps_cells = true, .overwrites = true,           \
		.overwrites_back = true, .noise = true, .keeps_mask = true, .width = op_input_width, .forward = forward,       \
		.backward = backward, .flops = flops, .onnx = onnx_same, .detail = detail,                                     \
	}
const struct op op_dropout =
    DROPS("dropout", "Drops elements at random in training, scaling up the rest; on ratings: input noise");
const struct op op_mask =
    DROPS("mask", "Drops elements at random in training and leaves the rest as they are: masking noise");
