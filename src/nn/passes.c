// Passes through a network: what their steps run on, who runs them, training, predictions.
#include "nn/network_private.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// --- what steps run on ---

static struct matrix pick(const struct pass *p, const struct node *node, real *cells, real *dense, size_t stride) {
	if (pass_at_cells(p, node)) {
		size_t count = sparse_count(&p->batch->target);
		return (struct matrix){cells, 1, count, count};
	}
	return (struct matrix){dense, p->batch->rows, node->width, stride};
}

struct matrix pass_value(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_value, s->value, s->stride);
}

struct matrix pass_gradient(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_gradient, s->gradient, s->gradient_stride);
}

struct matrix pass_before(const struct pass *p, const struct node *node) {
	const struct slot *s = pass_slot(p, node);
	return pick(p, node, s->cell_before, s->before, s->stride);
}

struct sparse pass_rows(const struct pass *p, const struct node *node) {
	if (!node->op)
		return node == p->network->graph->user  ? p->on->user
		       : node == p->network->graph->row ? p->on->self
		                                        : p->on->ratings;
	struct sparse rows = pass_rows(p, node->inputs[0]);
	if (!node->op->noise || pass_noisy(p, node))
		rows.value = pass_slot(p, node)->sparse_value;
	return rows;
}

struct matrix pass_weight(const struct pass *p, const struct parameter *parameter) {
	assert(!parameter->groups || parameter->groups->count == 1);
	return (struct matrix){p->network->weights + parameter->offset[0], parameter->rows, parameter->columns,
	                       parameter->stride[0]};
}

struct matrix pass_weight_columns(const struct pass *p, const struct parameter *parameter, const struct tile *tile) {
	if (parameter->groups)
		return (struct matrix){p->network->weights + parameter->offset[tile->group], parameter->rows, tile->columns,
		                       parameter->stride[tile->group]};
	struct matrix whole = pass_weight(p, parameter);
	return matrix_part(&whole, 0, parameter->rows, tile->column, tile->columns);
}

static const struct transposed *touched_by(const struct batch *batch, enum touched touched) {
	switch (touched) {
	case TOUCHED_RATINGS:
		return &batch->by_rating;
	case TOUCHED_USER:
		return &batch->by_feature;
	case TOUCHED_TARGETS:
		return &batch->by_target;
	case TOUCHED_BOTH:
		return &batch->by_both;
	case TOUCHED_ROW:
		return &batch->by_self;
	case TOUCHED_ALL:
		break;
	}
	return NULL;
}

uint32_t *network_touched_rows(const struct network *n, const struct batch *batch, const struct parameter *p,
                               size_t *ret_count) {
	const struct transposed *t = touched_by(n->backend->apart ? &n->resident.batch : batch, p->touched);
	*ret_count = t ? t->count : p->rows;
	if (!t)
		return NULL;
	uint32_t *rows = memory_alloc((t->count + 1) * sizeof(*rows)), counted = 0;
	if (t->counted) {
		n->backend->download(n->device, &counted, t->counted, sizeof(counted));
		*ret_count = counted;
	}
	n->backend->download(n->device, rows, t->column, *ret_count * sizeof(*rows));
	return rows;
}

const struct transposed *pass_touched_place(const struct pass *p, const struct parameter *parameter, enum touched from,
                                            const uint32_t **ret_place) {
	const struct transposed *list = touched_by(p->on, from);
	*ret_place = NULL;
	if (parameter->touched == TOUCHED_ALL)
		*ret_place = list->column;
	else if (parameter->touched == TOUCHED_BOTH)
		*ret_place = from == TOUCHED_TARGETS ? p->on->both_target : p->on->both_rating;
	return list;
}

struct matrix pass_joined(const struct pass *p, const struct node *node) {
	size_t columns = node->inputs[0]->width;
	return (struct matrix){pass_slot(p, node)->joined, node->width, columns, network_padded(columns)};
}

const struct transposed *pass_touched(const struct pass *p, const struct parameter *parameter) {
	return touched_by(p->on, parameter->touched);
}

struct matrix pass_tile(const struct pass *p, const struct node *node, const struct matrix *whole,
                        const struct tile *tile) {
	if (!pass_at_cells(p, node))
		return matrix_part(whole, tile->row, tile->rows, tile->column, tile->columns);
	const uint32_t *start = p->batch->target.start + tile->row;
	return matrix_part(whole, 0, 1, start[0], start[tile->rows] - start[0]);
}

// --- dense forms of sparse rows ---

static void run_densify(const struct pass *p, const struct step *step, const struct tile *tile) {
	struct sparse rows = pass_rows(p, step->node);
	struct sparse s = sparse_rows(&rows, tile->row, tile->rows);
	struct matrix whole = pass_value(p, step->node), d = pass_tile(p, step->node, &whole, tile);
	p->network->backend->densify(p->network->device, &s, tile->column, &d);
}

void network_make_densify(struct maker *m, const struct node *node) {
	maker_step(m, node, run_densify, CUT_COLUMNS, node)->by_row = true;
	if (node->op)
		maker_tensor(m, TENSOR_SPARSE, node, READ_ALL);
	maker_tensor(m, TENSOR_VALUE, node, WRITE_OWN);
}

// --- passes ---

struct run {
	struct network *network;
	const struct program *program;
	const struct crew *crew;
	const struct batch *batches; // (count)
	size_t count;
	bool training, at_cells, to_loss, update, quiet;
	uint32_t epoch, step, taken; // of the first batch
	double *loss;                // (count) or NULL
};

// A batch of a run, as the device is given it.
struct turn {
	const struct run *run;
	struct pass *pass;
};

static void take_turn(void *context) {
	const struct turn *t = context;
	struct pass *pass = t->pass;
	struct network *n = pass->network;
	if (n->backend->apart) {
		pass->on = resident_make(&n->resident, n->backend, n->device, pass->batch, t->run->program->transposed);
		if (t->run->update)
			network_note_waits(n, pass->on, pass->step);
	}
	program_pass(t->run->program, pass);
}

static void run_member(void *context, size_t member) {
	const struct run *run = context;
	struct pass pass = {.network = run->network,
	                    .crew = run->crew,
	                    .training = run->training,
	                    .at_cells = run->at_cells,
	                    .to_loss = run->to_loss,
	                    .update = run->update,
	                    .quiet = run->quiet,
	                    .epoch = run->epoch,
	                    .member = member};
	const struct backend *backend = run->network->backend;
	struct resident *resident = &run->network->resident;
	for (size_t b = 0, first = 0, end = 0; b < run->count; b++) {
		if (member == 0)
			atomic_store_explicit(&run->network->begun, b + 1, memory_order_relaxed);
		pass.batch = pass.on = &run->batches[b];
		if (backend->apart && b == end) {
			first = end;
			end += resident_bring(resident, backend, run->network->device, pass.batch, run->count - b);
		}
		if (backend->apart)
			resident_choose(resident, b - first);
		pass.loss = run->network->losses + run->network->losses_count + b;
		pass.step = run->step + (uint32_t)b;
		if (run->update)
			network_numbers_at(run->network, run->taken + (uint32_t)b, &pass.numbers);
		backend->unit(run->network->device, run->program, take_turn, &(struct turn){run, &pass});
	}
}

static void run_batches(struct run *run, enum crew_id crew) {
	struct network *n = run->network;
	for (size_t i = 0; i < run->count; i++)
		assert(run->batches[i].rows <= n->rows && sparse_count(&run->batches[i].target) <= n->cells);
	run->crew = &n->crews[crew];
	run->step = n->step + 1;
	atomic_store_explicit(&n->begun, 0, memory_order_relaxed);
	if (crew == CREW_TEAM)
		n->backend->team(n->device, run_member, run);
	else
		run_member(run, 0);
	if (run->loss)
		n->backend->download(n->device, run->loss, n->losses + n->losses_count, run->count * sizeof(*run->loss));
}

// Whether the phase that is on leaves the data as it is.
static bool quiet(const struct network *n) {
	return n->graph->phases_count && n->graph->phases[n->phase].quiet;
}

static void run_program(struct network *n, enum program_id program, const struct batch *batch, uint32_t epoch,
                        bool training, enum crew_id crew, double *ret_loss) {
	struct run run = {.network = n,
	                  .program = &n->programs[program],
	                  .batches = batch,
	                  .count = 1,
	                  .training = training,
	                  .at_cells = program != PROGRAM_FULL && program != PROGRAM_BELOW,
	                  .to_loss = program == PROGRAM_GRADIENTS || program == PROGRAM_LOSS,
	                  .epoch = epoch,
	                  .loss = ret_loss};
	run_batches(&run, crew);
}

static double seconds_of(clockid_t clock) {
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// After a run that took so many seconds an entry: which crew does the next one. The other one is tried now and then,
// the more seldom the oftener it has lost; much sooner where the caller was kept off its processor, and at once where
// the crew in use has become much slower. The first run of a trial is not looked at: it finds its weights in the
// other's caches. Nor does one very slow run count for more than twice the usual: it was somebody else's doing.
static void choose_crew(struct pace *pace, double seconds, bool kept_off) {
	enum { MEMORY = 4, TRIAL = 2, KEPT_OFF = 8 };
	if (pace->trying > 1) {
		pace->trying--;
	} else if (pace->trying) {
		bool wins = seconds < pace->seconds;
		if (wins)
			pace->preferred = pace->preferred == CREW_TEAM ? CREW_ALONE : CREW_TEAM;
		pace->seconds = wins ? seconds : pace->seconds;
		pace->patience = wins ? PATIENCE_LEAST : 2 * pace->patience + PATIENCE_LEAST;
		pace->patience = pace->patience < PATIENCE_MOST ? pace->patience : PATIENCE_MOST;
		pace->left = pace->patience;
		pace->trying = 0;
	} else {
		size_t aged = kept_off ? KEPT_OFF : 1;
		pace->trying = pace->left == 0 || seconds > 2 * pace->seconds ? TRIAL : 0;
		pace->left -= aged < pace->left ? aged : pace->left;
		seconds = fmin(seconds, 2 * pace->seconds);
		pace->seconds = isinf(pace->seconds) ? seconds : pace->seconds + (seconds - pace->seconds) / MEMORY;
	}
}

static enum crew_id crew_in_use(const struct pace *pace) {
	return (pace->preferred == CREW_TEAM) != (pace->trying > 0) ? CREW_TEAM : CREW_ALONE;
}

// As many at a time as there is room for their losses.
static void train_run(struct network *n, const struct batch *batches, size_t count, uint32_t epoch, double *ret_loss) {
	// Re-fed batches are large, and what an entry of theirs takes says nothing of the others.
	bool refed = count && batches->refed;
	double start = seconds_of(CLOCK_MONOTONIC), began = seconds_of(CLOCK_THREAD_CPUTIME_ID), entries = 0;
	for (size_t i = 0; i < count; i++) {
		if (!n->backend->apart) // else as each one's turn comes
			network_note_waits(n, &batches[i], n->step + 1 + (uint32_t)i);
		entries += 1 + (double)sparse_count(&batches[i].target);
	}
	struct run run = {.network = n,
	                  .program = &n->steps[n->phase],
	                  .batches = batches,
	                  .count = count,
	                  .training = true,
	                  .at_cells = true,
	                  .to_loss = true,
	                  .update = true,
	                  .quiet = quiet(n),
	                  .epoch = epoch,
	                  .taken = n->taken[n->phase] + 1,
	                  .loss = ret_loss};
	run_batches(&run, refed ? CREW_TEAM : crew_in_use(&n->pace));
	n->step += (uint32_t)count;
	n->taken[n->phase] += (uint32_t)count;
	n->settled = n->joined = false;
	if (n->crews[CREW_TEAM].members == 1 || refed)
		return;
	double seconds = seconds_of(CLOCK_MONOTONIC) - start, computed = seconds_of(CLOCK_THREAD_CPUTIME_ID) - began;
	choose_crew(&n->pace, seconds / entries, computed < 0.75 * seconds);
}

void network_train(struct network *n, const struct batch *batches, size_t count, uint32_t epoch, double *ret_loss) {
	size_t most = n->losses_most - n->losses_count;
	assert(most && (ret_loss || count <= most));
	most = most < RUN_BATCHES ? most : RUN_BATCHES;
	for (size_t first = 0; first < count; first += most) {
		size_t some = count - first < most ? count - first : most;
		train_run(n, batches + first, some, epoch, ret_loss ? ret_loss + first : NULL);
		n->losses_count += ret_loss ? 0 : some;
	}
}

void network_losses(struct network *n, double *ret_loss) {
	n->backend->download(n->device, ret_loss, n->losses, n->losses_count * sizeof(*ret_loss));
	n->losses_count = 0;
}

void network_hold(struct network *n, const struct store *store) {
	n->resident.store = store;
}

size_t network_begun(const struct network *n) {
	return atomic_load_explicit(&n->begun, memory_order_relaxed);
}

double network_step(struct network *n, const struct batch *batch, uint32_t epoch) {
	double loss;
	network_train(n, batch, 1, epoch, &loss);
	return loss;
}

void network_set_phase(struct network *n, size_t phase) {
	const struct graph *g = n->graph;
	assert(phase == 0 || phase < g->phases_count);
	n->phase = phase;
	for (size_t i = 0; g->phases_count && i < g->parameters_count; i++) // of what rests, no step notes them
		for (size_t k = 0; g->parameters[i].l2 > 0 && k < parameter_parts(&g->parameters[i]); k++) {
			double squares = k ? 0 : network_squares_of(n, &g->parameters[i]);
			n->backend->upload(n->device, &n->parameters[i].penalty[k], &squares, sizeof(squares));
		}
}

struct matrix network_outputs(struct network *n, const struct batch *batch, uint32_t epoch) {
	struct pass pass = {.network = n, .batch = batch};
	network_settle(n);
	struct run run = {.network = n,
	                  .program = &n->programs[PROGRAM_FULL],
	                  .batches = batch,
	                  .count = 1,
	                  .training = true,
	                  .quiet = quiet(n),
	                  .epoch = epoch};
	run_batches(&run, CREW_TEAM);
	n->joined = true;
	struct matrix y = pass_value(&pass, n->graph->output);
	return network_seen_matrix(n, &y);
}

double network_loss(struct network *n, const struct batch *batch, uint32_t epoch, bool training) {
	double loss;
	network_settle(n);
	run_program(n, PROGRAM_LOSS, batch, epoch, training, CREW_TEAM, &loss);
	for (size_t i = 0; i < n->graph->parameters_count; i++)
		if (n->graph->parameters[i].l2 > 0)
			loss += network_penalty_of(n, &n->graph->parameters[i]);
	return loss;
}

double network_gradients(struct network *n, const struct batch *batch, uint32_t epoch) {
	double loss;
	network_settle(n);
	run_program(n, PROGRAM_GRADIENTS, batch, epoch, true, CREW_TEAM, &loss);
	return loss;
}

void network_gradient_of(const struct network *n, const struct batch *batch, const struct parameter *p, real *ret) {
	size_t count;
	uint32_t *rows = network_touched_rows(n, batch, p, &count);
	struct matrix g = network_seen_matrix(n, &network_memory_of(n, p)->gradient);
	memset(ret, 0, p->rows * p->columns * sizeof(*ret));
	for (size_t i = 0; i < count; i++) {
		size_t row = rows ? rows[i] : i;
		for (size_t j = 0; j < p->columns; j++)
			ret[row * p->columns + j] = g.data[i * g.stride + j];
	}
	free(rows);
	if (p->l2 == 0)
		return;
	const real *weights = network_seen(n, n->weights, n->graph->weights);
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++)
			ret[i * p->columns + j] += 2 * (real)p->l2 * weights[parameter_place(p, i, j)];
}

// --- predictions ---

static void predict_cells(struct network *n, const struct batch *batch, enum crew_id crew, float *ret) {
	const struct node *output = n->graph->output;
	struct pass pass = {.network = n, .batch = batch, .at_cells = true};
	run_program(n, PROGRAM_CELLS, batch, 0, false, crew, NULL);
	struct matrix y = pass_value(&pass, output);
	size_t count = sparse_count(&batch->target);
	real *cells = y.data;
	if (!pass_at_cells(&pass, output)) {
		const struct batch *on = n->backend->apart ? &n->resident.batch : batch;
		n->backend->pick(n->device, &on->target, &y, n->picked);
		cells = n->picked;
	}
	cells = network_seen(n, cells, count);
	for (size_t k = 0; k < count; k++)
		ret[k] = (float)cells[k];
}

static struct matrix full(struct network *n, const struct batch *batch, enum crew_id crew) {
	struct pass pass = {.network = n, .batch = batch};
	run_program(n, PROGRAM_FULL, batch, 0, false, crew, NULL);
	return pass_value(&pass, n->graph->output);
}

struct matrix network_full(struct network *n, const struct batch *batch) {
	network_settle(n);
	struct matrix y = full(n, batch, CREW_TEAM);
	n->joined = true;
	return y;
}

void network_predict_cells(struct network *n, const struct batch *batch, float *ret) {
	network_settle(n);
	predict_cells(n, batch, CREW_TEAM, ret);
}

struct matrix network_predict_all(struct network *n, const struct batch *batch) {
	struct matrix y = network_full(n, batch);
	return network_seen_matrix(n, &y);
}

// What a pass makes of weights alone is made by one over no rows.
void network_ready(struct network *n, bool all) {
	static const uint32_t start[1] = {0};
	const struct sparse none = {.start = start};
	network_settle(n);
	if (all && !n->joined)
		network_predict_all(n, &(struct batch){.ratings = none, .user = none, .target = none, .self = none});
}

void network_read_cells(struct network *n, const struct batch *batch, float *ret) {
	assert(n->settled);
	predict_cells(n, batch, CREW_ALONE, ret);
}

struct matrix network_read_all(struct network *n, const struct batch *batch) {
	assert(n->settled && n->joined);
	struct matrix y = full(n, batch, CREW_ALONE);
	return network_seen_matrix(n, &y);
}

struct matrix network_hidden(struct network *n, const struct batch *batch) {
	struct pass pass = {.network = n, .batch = batch};
	assert(!n->graph->output->inputs[0]->sparse);
	network_settle(n);
	run_program(n, PROGRAM_BELOW, batch, 0, false, CREW_TEAM, NULL);
	struct matrix h = pass_value(&pass, n->graph->output->inputs[0]);
	return network_seen_matrix(n, &h);
}
