// The steps of the loss: of each cell, their sum by the reduction, and what L2 adds.
#include "nn/network_private.h"

// --- of each cell ---

// What each cell is multiplied by, so that their sum is the reduction; for row_mean over the row's cells besides.
static double cell_scale(const struct pass *p) {
	const struct sparse *target = &p->batch->target;
	bool all = p->network->graph->targets == TARGETS_ALL;
	double cells = all ? (double)p->batch->rows * (double)target->columns : (double)sparse_count(target);
	size_t with_targets = 0;
	switch (p->network->graph->reduction) {
	case REDUCTION_SUM:
		return 1;
	case REDUCTION_MEAN:
		return cells > 0 ? 1 / cells : 0;
	case REDUCTION_ROWS:
		return 1 / (double)p->batch->rows;
	case REDUCTION_ROW_MEAN:
		break;
	}
	for (size_t i = 0; i < p->batch->rows; i++)
		with_targets += all || target->start[i + 1] > target->start[i];
	return with_targets ? 1 / (double)with_targets : 0;
}

// The loss of the tile's rows.
static struct loss_cells loss_cells_of(const struct pass *p, const struct sparse *target) {
	const struct graph *g = p->network->graph;
	struct loss_cells cells = {.id = g->output->logits ? g->loss->of_logits : g->loss->id,
	                           .target = target,
	                           .all = g->targets == TARGETS_ALL,
	                           .scale = cell_scale(p),
	                           .by_row = g->reduction == REDUCTION_ROW_MEAN,
	                           .unobserved = 1};
	if (g->loss->numbers)
		g->loss->numbers(g->loss_config->kind.params, &cells);
	return cells;
}

static void run_loss(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct sparse target = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct loss_cells cells = loss_cells_of(p, &target);
	struct matrix prediction = pass_value(p, step->node), gradient = pass_gradient(p, step->node);
	bool packed = pass_at_cells(p, step->node);
	if (!packed) {
		prediction = pass_tile(p, step->node, &prediction, tile);
		gradient = pass_tile(p, step->node, &gradient, tile);
	}
	n->backend->loss(n->device, &cells, packed, tile->column, &prediction, &gradient,
	                 n->row_sum + tile->group * n->rows + tile->row);
}

// --- soft-max over a row ---

// The output's columns are computed by groups; each group's part of a row is joined with the others in their order.
static void join_rows(const struct pass *p, const struct loss_cells *cells, size_t groups, const struct tile *tile) {
	const struct network *n = p->network;
	n->backend->softmax_join(n->device, cells, groups, n->rows, n->softmax_part + tile->row, n->softmax + tile->row,
	                         n->row_sum + tile->row);
}

static void run_softmax_parts(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct sparse target = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct loss_cells cells = loss_cells_of(p, &target);
	struct matrix prediction = pass_value(p, step->node), gradient = pass_gradient(p, step->node);
	struct matrix x = pass_tile(p, step->node, &prediction, tile), kept = pass_tile(p, step->node, &gradient, tile);
	n->backend->softmax_parts(n->device, &cells, false, tile->column, &x, &kept,
	                          n->softmax_part + tile->group * n->rows + tile->row);
}

static void run_softmax_rows(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse target = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct loss_cells cells = loss_cells_of(p, &target);
	join_rows(p, &cells, step->node->groups->count, tile);
}

static void run_softmax_back(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct sparse target = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct loss_cells cells = loss_cells_of(p, &target);
	struct matrix gradient = pass_gradient(p, step->node), g = pass_tile(p, step->node, &gradient, tile);
	n->backend->softmax_back(n->device, &cells, false, tile->column, n->softmax + tile->group * n->rows + tile->row,
	                         &g);
}

// At cells a row's stand side by side: no groups.
static void run_softmax_cells(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct sparse target = sparse_rows(&p->on->target, tile->row, tile->rows);
	struct loss_cells cells = loss_cells_of(p, &target);
	struct matrix x = pass_value(p, step->node), gradient = pass_gradient(p, step->node);
	n->backend->softmax_parts(n->device, &cells, true, 0, &x, &gradient, n->softmax_part + tile->row);
	join_rows(p, &cells, 1, tile);
	n->backend->softmax_back(n->device, &cells, true, 0, n->softmax + tile->row, &gradient);
}

static void make_softmax(struct maker *m, const struct node *output) {
	maker_step(m, output, run_softmax_parts, CUT_COLUMNS, output)->by_row = true;
	maker_tensor(m, TENSOR_VALUE, output, READ_OWN);
	maker_tensor(m, TENSOR_GRADIENT, output, WRITE_OWN);
	maker_first_writes(m, output);
	maker_tensor(m, TENSOR_SOFTMAX, output, WRITE_OWN);
	maker_step(m, output, run_softmax_rows, CUT_ROWS, output);
	maker_tensor(m, TENSOR_SOFTMAX, output, WRITE_ALL);
	maker_tensor(m, TENSOR_SUMS, output, WRITE_ALL);
	maker_step(m, output, run_softmax_back, CUT_COLUMNS, output)->by_row = true;
	maker_tensor(m, TENSOR_SOFTMAX, output, READ_ALL);
	maker_tensor(m, TENSOR_GRADIENT, output, WRITE_OWN);
}

// The weight rises to its cap step by step (Bowman et al. 2016; Mult-VAE's annealing).
double pass_divergence_weight(const struct pass *p, size_t first, const uint32_t **ret_start) {
	const struct loss_config *loss = p->network->graph->loss_config;
	const struct kl_config *kl = loss->kl;
	double weight = kl->steps ? fmin(kl->cap, (double)(p->step - 1) / (double)kl->steps) : kl->cap;
	bool by_entries = ((const struct kl_scale *)kl->scale.row)->by_entries;
	*ret_start = by_entries ? p->on->ratings.start + first : NULL;
	return weight * cell_scale(p);
}

void network_make_loss(struct maker *m) {
	const struct graph *graph = maker_graph(m);
	const struct node *output = graph->output;
	bool cells = maker_at_cells(m, output), over_rows = graph->loss->over_rows;
	if (over_rows && !cells) {
		make_softmax(m, output);
		return;
	}
	maker_step(m, output, over_rows ? run_softmax_cells : run_loss, cells ? CUT_ROWS : CUT_COLUMNS, output)->by_row =
	    true;
	maker_tensor(m, TENSOR_VALUE, output, READ_OWN);
	maker_tensor(m, TENSOR_GRADIENT, output, WRITE_OWN);
	maker_first_writes(m, output);
	maker_tensor(m, TENSOR_SUMS, output, WRITE_OWN);
}

// --- the sum ---

// ret = the sum of what was added so far, which is nothing at first, and `count` numbers times the factor.
static void add_up(const struct network *n, double factor, const double *from, size_t count, bool *more, double *ret) {
	n->backend->sum(n->device, factor, from, count, *more, ret);
	*more = true;
}

// Of the steps that updated: what L2 added to the loss.
static void sum_penalties(const struct pass *p, double *ret) {
	const struct network *n = p->network;
	const struct graph *g = n->graph;
	bool more = false;
	add_up(n, 0, NULL, 0, &more, ret);
	for (size_t i = 0; p->update && i < g->parameters_count; i++)
		if (g->parameters[i].l2 > 0)
			add_up(n, g->parameters[i].l2, n->parameters[i].penalty, parameter_parts(&g->parameters[i]), &more, ret);
}

// What nodes add of their own, group by group.
static void sum_extra(const struct pass *p, double *ret) {
	const struct network *n = p->network;
	bool more = false;
	add_up(n, 0, NULL, 0, &more, ret);
	for (size_t k = 0; k < n->graph->nodes_count; k++) {
		const struct node *node = &n->graph->nodes[k];
		for (size_t g = 0; node->op && node->op->adds_loss && g < node->groups->count; g++)
			add_up(n, 1, n->slots[k].extra + g * n->rows, p->batch->rows, &more, ret);
	}
}

static void run_sum(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	bool by_row = pass_at_cells(p, step->node) || n->graph->loss->over_rows, more = false;
	size_t groups = by_row ? 1 : step->node->groups->count;
	for (size_t g = 0; g < groups; g++)
		add_up(n, 1, n->row_sum + g * n->rows, tile->rows, &more, &n->sums[SUM_CELLS]);
	sum_extra(p, &n->sums[SUM_EXTRA]);
	sum_penalties(p, &n->sums[SUM_PENALTY]);
	n->backend->sum(n->device, 1, n->sums, SUMS, false, p->loss);
}

void network_make_sum(struct maker *m) {
	const struct graph *g = maker_graph(m);
	maker_step(m, g->output, run_sum, CUT_NONE, g->output);
	maker_tensor(m, TENSOR_SUMS, g->output, READ_ALL);
	for (size_t i = 0; i < g->nodes_count; i++)
		if (g->nodes[i].op && g->nodes[i].op->adds_loss)
			maker_tensor(m, TENSOR_EXTRA, &g->nodes[i], READ_ALL);
	for (size_t i = 0; maker_kind(m)->update && i < g->parameters_count; i++)
		if (g->parameters[i].l2 > 0)
			maker_weight(m, &g->parameters[i], READ_ALL);
}

double network_squares_of(const struct network *n, const struct parameter *p) {
	const real *weights = network_seen(n, n->weights, n->graph->weights);
	double squares = 0;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++) {
			double w = weights[parameter_place(p, i, j)];
			squares += w * w;
		}
	return squares;
}

double network_penalty_of(const struct network *n, const struct parameter *p) {
	return p->l2 * network_squares_of(n, p);
}
