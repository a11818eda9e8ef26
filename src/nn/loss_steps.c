// The steps of the loss: of each cell, their sum by the reduction, and what L2 adds.
#include "nn/network_private.h"

// --- loss ---

static enum reduction reduction_of(const struct network *n) {
	return ((const struct reduction_row *)n->graph->loss_config->reduction.row)->reduction;
}

// What each cell is multiplied by, so that their sum is the reduction; for row_mean over the row's cells besides.
static double cell_scale(const struct pass *p) {
	const struct sparse *target = &p->batch->target;
	bool all = p->network->graph->targets == TARGETS_ALL;
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
	                           .all = n->graph->targets == TARGETS_ALL,
	                           .scale = cell_scale(p),
	                           .by_row = reduction_of(n) == REDUCTION_ROW_MEAN,
	                           .unobserved = 1};
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

double network_penalty_of(const struct network *n, const struct parameter *p) {
	double squares = 0;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++) {
			double w = n->weights[parameter_place(p, i, j)];
			squares += w * w;
		}
	return p->l2 * squares;
}
