// dropout: each element 0 with probability rate in training, else scaled by 1 / (1 - rate) (Srivastava et al. 2014,
// inverted); nothing at evaluation. On sparse rows it drops stored entries: the denoising autoencoder's noise.
#include "nn/network.h"

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

static void plan(struct graph *graph, struct node *node, struct errors *errors) {
	(void)graph, (void)errors;
	node->width = node->inputs[0]->width;
}

static double rate_of(const struct node *node) {
	return ((const struct dropout_params *)node->params)->rate;
}

static struct dropout_draw draw_of(const struct network *n, const struct node *node) {
	return (struct dropout_draw){
	    .stream = n->slots[node->index].stream, .epoch = n->epoch, .row = n->batch->row, .rate = rate_of(node)};
}

static void forward_rows(struct network *n, const struct node *node) {
	struct slot *slot = network_slot(n, node), *input = network_slot(n, node->inputs[0]);
	slot->rows = input->rows;
	if (!n->training)
		return;
	struct dropout_draw draw = draw_of(n, node);
	n->backend->dropout_sparse(n->device, &draw, &input->rows, slot->sparse_value);
	slot->rows.value = slot->sparse_value;
}

static void forward_cells(struct network *n, const struct node *node, const struct matrix *x, const struct matrix *y) {
	struct sparse cells = n->batch->target;
	cells.value = x->data;
	struct dropout_draw draw = draw_of(n, node);
	n->backend->dropout_sparse(n->device, &draw, &cells, y->data);
}

static void forward(struct network *n, const struct node *node) {
	if (node->sparse) {
		forward_rows(n, node);
		return;
	}
	struct matrix x = network_value(n, node->inputs[0]), y = network_value(n, node);
	if (!n->training) {
		n->backend->add(n->device, &x, 0, &y);
	} else if (network_at_cells(n, node)) {
		forward_cells(n, node, &x, &y);
	} else {
		struct dropout_draw draw = draw_of(n, node);
		n->backend->dropout(n->device, &draw, &x, &y, network_slot(n, node)->keep);
	}
}

static void backward(struct network *n, const struct node *node) {
	struct node *input = node->inputs[0];
	if (node->sparse || !input->needs_gradient)
		return;
	struct matrix dy = network_gradient(n, node), dx = network_gradient(n, input);
	real beta = network_gradient_beta(n, input);
	if (network_at_cells(n, node)) {
		// the same draw again: the mask of a gradient is the mask of a value (cells have one consumer, so beta is 0)
		struct matrix d = dy;
		forward_cells(n, node, &d, &dx);
	} else {
		n->backend->dropout_back(n->device, rate_of(node), network_slot(n, node)->keep, &dy, beta, &dx);
	}
}

static double flops(const struct graph *graph, const struct node *node) {
	if (node->sparse)
		return node->source == graph->user ? graph->shape.user_entries : graph->shape.ratings_entries;
	return 2 * (node->cells ? graph->shape.target_entries : (double)node->width);
}

static void detail(const struct node *node, struct text *text) {
	text_format(text, "rate %g", rate_of(node));
}

const struct op op_dropout = {
    .row = {.name = "dropout",
            .doc = "Drops elements at random in training, scaling up the rest; on ratings: input noise",
            .params = SCHEMA(struct dropout_params, keys)},
    .inputs_min = 1,
    .inputs_max = 1,
    .reads_sparse = true,
    .keeps_sparse = true,
    .maps_cells = true,
    .keeps_mask = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .detail = detail,
};
