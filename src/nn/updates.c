// Updates of the weights by their gradients: at once for the rows that a batch touched, and later for those that wait.
#include "nn/network_private.h"

#include "base/memory.h"
#include "nn/schedule.h"

#include <stdlib.h>

// --- updates ---

void network_numbers_at(const struct network *n, uint32_t step, struct optimizer_numbers *ret) {
	double factor = n->rate_factor * n->slowing * schedule_warmup(n->graph->schedule, step);
	n->graph->optimizer->numbers(n->graph->optimizer_params, step, ret);
	ret->rate = (real)((double)ret->rate * factor);
}

// Columns of a parameter, as the optimizer takes them. A column is whole.
static struct optimizer_rows update_of(const struct network *n, const struct parameter *p, const struct tile *tile) {
	size_t g = p->groups ? tile->group : 0, columns = p->by ? tile->columns : 1;
	size_t at = p->offset[g] + (p->by && !p->groups ? tile->column : 0);
	const struct optimizer *optimizer = n->graph->optimizer;
	return (struct optimizer_rows){
	    .id = optimizer->id,
	    .weight = {n->weights + at, p->rows, columns, p->stride[g]},
	    .state = {n->state[0] ? n->state[0] + at : NULL, n->state[1] ? n->state[1] + at : NULL},
	    .l2 = (real)p->l2,
	    .lazy = p->lazy,
	    .caught_up = p->lazy && (p->moves || !network_memory_of(n, p)->waiting),
	    .waiting = network_memory_of(n, p)->waiting,
	    .squares = p->l2 > 0 ? &network_memory_of(n, p)->squares[tile->group] : NULL,
	};
}

struct matrix pass_parameter_gradient(const struct pass *p, const struct parameter *parameter,
                                      const struct tile *tile) {
	const struct matrix *whole = &network_memory_of(p->network, parameter)->gradient;
	const struct transposed *touched = pass_touched(p, parameter);
	return matrix_part(whole, 0, touched ? touched->count : parameter->rows, parameter->by ? tile->column : 0,
	                   parameter->by ? tile->columns : 1);
}

// Where an update puts the sum of the squared weights that it finds.
static double *penalty_of(const struct network *n, const struct parameter *p, const struct tile *tile) {
	return p->l2 > 0 ? &network_memory_of(n, p)->penalty[tile->group] : NULL;
}

// By the gradient of all rows, or of those that the batch touched.
static void update_by(const struct pass *p, const struct parameter *parameter, const struct tile *tile,
                      const struct matrix *gradient) {
	const struct network *n = p->network;
	const struct transposed *touched = pass_touched(p, parameter);
	struct optimizer_rows rows = update_of(n, parameter, tile);
	rows.numbers = p->numbers;
	if (touched)
		n->backend->optimize_listed(n->device, &rows, touched, gradient, penalty_of(n, parameter, tile));
	else
		n->backend->optimize(n->device, &rows, gradient, penalty_of(n, parameter, tile));
}

void pass_update(const struct pass *p, const struct parameter *parameter, const struct tile *tile) {
	if (!p->update || parameter->deferred)
		return;
	struct matrix gradient = pass_parameter_gradient(p, parameter, tile);
	update_by(p, parameter, tile, &gradient);
}

// Written down: added where another node adds too.
static void write_touched(const struct pass *p, const struct parameter *parameter, const struct tile *tile,
                          enum touched from, const real *value, const struct matrix *y) {
	const struct network *n = p->network;
	const uint32_t *place;
	const struct transposed *touched = pass_touched_place(p, parameter, from, &place);
	struct matrix gradient = pass_parameter_gradient(p, parameter, tile);
	if (touched->counted && !parameter->shared) // its rows beyond what is touched count in the gradient's norm
		n->backend->zero(n->device, &gradient);
	if (y)
		n->backend->transposed_times(n->device, touched, place, value, y, parameter->shared ? 1 : 0, &gradient);
	else
		n->backend->transposed_sums(n->device, touched, value, gradient.data);
}

void pass_update_touched(const struct pass *p, const struct parameter *parameter, const struct tile *tile,
                         enum touched from, const real *value, const struct matrix *y) {
	const struct network *n = p->network;
	const struct transposed *touched = pass_touched(p, parameter);
	if (!p->update || parameter->deferred) {
		write_touched(p, parameter, tile, from, value, y);
		return;
	}
	struct optimizer_rows rows = update_of(n, parameter, tile);
	rows.numbers = p->numbers;
	n->backend->optimize_touched(n->device, &rows, touched, value, y, penalty_of(n, parameter, tile));
}

// --- updates that come after all gradients ---

static void run_squares(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	struct matrix gradient = pass_parameter_gradient(p, step->parameter, tile);
	n->backend->squares(n->device, &gradient, &network_memory_of(n, step->parameter)->norm[tile->group]);
}

static void run_clip(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	const struct graph *g = n->graph;
	const bool *learns = g->phases_count ? g->phases[n->phase].learns : NULL;
	bool more = false;
	(void)step, (void)tile;
	for (size_t i = 0; i < g->parameters_count; i++) {
		if ((learns && !learns[i]) || !g->parameters[i].deferred)
			continue;
		n->backend->sum(n->device, 1, n->parameters[i].norm, parameter_parts(&g->parameters[i]), more,
		                &n->clip[CLIP_SQUARES]);
		more = true;
	}
	n->backend->clip(n->device, g->clip_norm, &n->clip[CLIP_SQUARES], &n->clip[CLIP_FACTOR]);
}

static void run_deferred(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	const struct graph *g = n->graph;
	struct matrix gradient = pass_parameter_gradient(p, step->parameter, tile);
	if (g->clip_norm > 0 || g->clip_value > 0)
		n->backend->scale(n->device, g->clip_norm > 0 ? &n->clip[CLIP_FACTOR] : NULL, (real)g->clip_value, &gradient);
	update_by(p, step->parameter, tile, &gradient);
}

static void run_zero(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct matrix gradient = pass_parameter_gradient(p, step->parameter, tile);
	p->network->backend->zero(p->network->device, &gradient);
}

void network_make_zero(struct maker *m) {
	const struct graph *g = maker_graph(m);
	for (size_t i = 0; i < g->parameters_count; i++) {
		const struct parameter *p = &g->parameters[i];
		if (!p->shared || !maker_learns(m, p))
			continue;
		maker_step(m, p->node, run_zero, CUT_COLUMNS, p->by)->parameter = p;
		maker_weight(m, p, WRITE_OWN);
	}
}

// A step for each deferred parameter, on the threads that own its columns.
static void make_for_deferred(struct maker *m, bool update,
                              void (*run)(const struct pass *, const struct step *, const struct tile *)) {
	const struct graph *g = maker_graph(m);
	for (size_t i = 0; i < g->parameters_count; i++) {
		const struct parameter *p = &g->parameters[i];
		if (!p->deferred || !maker_learns(m, p))
			continue;
		maker_step(m, p->node, run, p->by ? CUT_COLUMNS : CUT_NONE, p->by ? p->by : p->node)->parameter = p;
		maker_weight(m, p, update ? p->by ? WRITE_OWN : WRITE_ALL : p->by ? READ_OWN : READ_ALL);
		if (g->clip_norm > 0)
			maker_tensor(m, TENSOR_CLIP, g->output, update ? READ_ALL : WRITE_OWN);
	}
}

void network_make_updates(struct maker *m) {
	const struct graph *g = maker_graph(m);
	if (g->clip_norm > 0) {
		make_for_deferred(m, false, run_squares);
		maker_step(m, g->output, run_clip, CUT_NONE, g->output);
		maker_tensor(m, TENSOR_CLIP, g->output, WRITE_ALL);
	}
	make_for_deferred(m, true, run_deferred);
}

// --- rows that wait ---

void network_count_lazy_rows(const struct graph *g, size_t ret_rows[TOUCHED_KINDS]) {
	for (size_t i = 0; i < g->parameters_count; i++)
		if (g->parameters[i].lazy)
			ret_rows[g->parameters[i].touched] = g->parameters[i].rows;
}

bool network_waits(const struct network *n, const struct parameter *p) {
	struct optimizer_numbers numbers;
	network_numbers_at(n, 1, &numbers);
	return p->lazy && waiting_changes(n->graph->optimizer->id, &numbers, (real)p->l2);
}

void network_fill_waiting(struct network *n) {
	struct optimizer_numbers numbers;
	struct waiting_table *table = memory_alloc(sizeof(*table));
	network_numbers_at(n, 1, &numbers);
	for (size_t i = 0; i < n->graph->parameters_count; i++) {
		if (!n->parameters[i].waiting)
			continue;
		waiting_table_init(table, n->graph->optimizer->id, &numbers, (real)n->graph->parameters[i].l2);
		n->backend->upload(n->device, n->parameters[i].waiting, table, sizeof(*table));
	}
	free(table);
}

// Of the part's columns; weights: of all parameters.
static double part_squares(const struct parameter *p, const real *weights, size_t g) {
	size_t begin = p->by ? p->by->groups->begin[g] : 0, end = p->by ? p->by->groups->begin[g + 1] : 1;
	double sum = 0;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = begin; j < end; j++) {
			double w = weights[parameter_place(p, i, j)];
			sum += w * w;
		}
	return sum;
}

void network_sum_squares(struct network *n) {
	const real *weights = NULL;
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		for (size_t g = 0; p->lazy && p->l2 > 0 && g < parameter_parts(p); g++) {
			weights = weights ? weights : network_seen(n, n->weights, n->graph->weights);
			double squares = part_squares(p, weights, g);
			n->backend->upload(n->device, &n->parameters[k].squares[g], &squares, sizeof(squares));
		}
	}
}

static void run_catch_up(const struct pass *p, const struct step *step, const struct tile *tile) {
	const struct network *n = p->network;
	const struct transposed *touched = pass_touched(p, step->parameter);
	struct optimizer_rows rows = update_of(n, step->parameter, tile);
	rows.numbers = p->numbers;
	n->backend->catch_up(n->device, &rows, touched->column, touched->waited, touched->count);
}

// Weights that move while they wait must have moved before they are read.
void network_make_catch_up(struct maker *m) {
	const struct graph *g = maker_graph(m);
	for (size_t i = 0; i < g->parameters_count; i++) {
		const struct parameter *p = &g->parameters[i];
		if (!p->lazy || !p->moves)
			continue;
		maker_step(m, p->node, run_catch_up, p->by ? CUT_COLUMNS : CUT_NONE, p->by ? p->by : p->node)->parameter = p;
		maker_weight(m, p, p->by ? WRITE_OWN : WRITE_ALL);
	}
}

// Target patterns that are the ratings' share one list with them.
void network_note_waits(struct network *n, const struct batch *on, uint32_t step) {
	const struct transposed *touched[TOUCHED_KINDS] = {[TOUCHED_RATINGS] = &on->by_rating,
	                                                   [TOUCHED_USER] = &on->by_feature,
	                                                   [TOUCHED_TARGETS] = &on->by_target,
	                                                   [TOUCHED_BOTH] = &on->by_both,
	                                                   [TOUCHED_ROW] = &on->by_self};
	for (size_t kind = TOUCHED_RATINGS; kind < TOUCHED_KINDS; kind++)
		if (n->stamp[kind])
			n->backend->note_waits(n->device, touched[kind], 0, step, n->stamp[kind], touched[kind]->waited);
}

struct settling {
	struct network *network;
	size_t kind, rows;
	struct optimizer_numbers numbers;
};

static void settle_parameter(const struct settling *s, const struct parameter *p, size_t member) {
	struct network *n = s->network;
	const struct crew *crew = &n->crews[CREW_TEAM];
	size_t groups = p->by ? p->by->groups->count : 1;
	for (size_t g = 0; g < groups; g++) {
		struct tile tile = {.group = g};
		if (p->by) {
			tile.column = p->by->groups->begin[g];
			tile.columns = p->by->groups->begin[g + 1] - tile.column;
		}
		if ((p->by ? crew->owner[p->by->groups->index][g] : crew->idlest) != member)
			continue;
		struct optimizer_rows rows = update_of(n, p, &tile);
		rows.numbers = s->numbers;
		n->backend->catch_up(n->device, &rows, NULL, n->waited, p->rows);
	}
}

static void settle_kind(void *context, size_t member) {
	const struct settling *s = context;
	const struct graph *g = s->network->graph;
	for (size_t i = 0; i < g->parameters_count; i++)
		if (s->network->parameters[i].waiting && g->parameters[i].touched == s->kind)
			settle_parameter(s, &g->parameters[i], member);
}

void network_set_rate(struct network *n, double factor) {
	n->rate_factor = factor;
}

void network_slow(struct network *n, double factor) {
	if (n->slowing != factor) {
		n->slowing = factor;
		network_fill_waiting(n);
	}
}

void network_settle(struct network *n) {
	struct settling s = {.network = n};
	size_t rows[TOUCHED_KINDS] = {0};
	if (n->settled)
		return;
	network_count_lazy_rows(n->graph, rows);
	network_numbers_at(n, n->step, &s.numbers);
	for (s.kind = TOUCHED_RATINGS; s.kind < TOUCHED_KINDS; s.kind++) {
		if (!rows[s.kind])
			continue;
		n->backend->note_waits(n->device, NULL, rows[s.kind], n->step, n->stamp[s.kind], n->waited);
		n->backend->team(n->device, settle_kind, &s);
	}
	n->settled = true;
	network_sum_squares(n);
}
