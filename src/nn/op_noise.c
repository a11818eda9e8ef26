// noise: x + sd e in training, e standard normal and drawn for each element; nothing at evaluation. On sparse rows it
// is added to stored entries alone.
#include "nn/network.h"
#include "nn/onnx.h"

struct noise_params {
	double sd;
};

static const struct key keys[] = {
    {.name = "sd",
     .type = KEY_REAL,
     .flags = KEY_REQUIRED,
     .offset = offsetof(struct noise_params, sd),
     .min = 0,
     .max = 1e6,
     .doc = "Standard deviation"},
};

static double sd_of(const struct node *node) {
	return ((const struct noise_params *)node->params)->sd;
}

static struct noise_draw draw_of(const struct pass *p, const struct node *node, const struct tile *tile) {
	return (struct noise_draw){.stream = pass_stream(p, node),
	                           .epoch = p->epoch,
	                           .row = p->on->row + tile->row,
	                           .unit = (uint32_t)tile->column,
	                           .sd = (real)sd_of(node)};
}

// The values of the tile's sparse rows, or of its cells.
static void add_sparse(const struct pass *p, const struct node *node, const struct tile *tile,
                       const struct sparse *from, real *to) {
	struct sparse s = sparse_rows(from, tile->row, tile->rows);
	struct noise_draw draw = draw_of(p, node, tile);
	p->network->backend->noise_sparse(p->network->device, &draw, &s, to);
}

static void run_rows(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse rows = pass_rows(p, step->node->inputs[0]);
	if (pass_noisy(p, step->node))
		add_sparse(p, step->node, tile, &rows, pass_slot(p, step->node)->sparse_value);
}

static void run_values(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_value(p, input), to = pass_value(p, node);
	struct matrix x = pass_tile(p, input, &from, tile), y = pass_tile(p, node, &to, tile);
	if (!pass_noisy(p, node)) {
		if (x.data != y.data)
			p->network->backend->add(p->network->device, &x, 0, &y);
	} else if (pass_at_cells(p, node)) {
		struct sparse cells = p->on->target;
		cells.value = from.data;
		add_sparse(p, node, tile, &cells, to.data);
	} else {
		struct noise_draw draw = draw_of(p, node, tile);
		p->network->backend->noise(p->network->device, &draw, &x, &y);
	}
}

static void run_gradients(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct node *node = step->node, *input = node->inputs[0];
	struct matrix from = pass_gradient(p, node), to = pass_gradient(p, input);
	struct matrix dy = pass_tile(p, node, &from, tile), dx = pass_tile(p, input, &to, tile);
	if (dy.data != dx.data)
		p->network->backend->add(p->network->device, &dy, step->beta, &dx);
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
		return 2 * (node->source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries);
	return 3 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static void detail(const struct node *node, struct text *text) {
	text_format(text, "sd %g", sd_of(node));
}

const struct op op_noise = {
    .row = {.name = "noise",
            .doc = "Adds normal noise in training; on ratings: to the stored entries",
            .params = SCHEMA(struct noise_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .reads_sparse = true,
    .keeps_sparse = true,
    .maps_cells = true,
    .overwrites = true,
    .overwrites_back = true,
    .noise = true,
    .width = op_input_width,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .onnx = onnx_same,
    .detail = detail,
};
