// The training loop: order of rows, batches, epochs, early stop, final evaluation.
#include "train/train.h"

#include "nn/op.h"
#include "nn/packed.h"
#include "nn/schedule.h"
#include "train/evaluate.h"
#include "train/model_run.h"
#include "train/outcome.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double train_seconds(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double mean_entries(const struct csr *csr, size_t rows) {
	return rows ? (double)csr_count(csr) / (double)rows : 0;
}

static size_t rows_in_use(const struct csr *csr) {
	size_t count = 0;
	for (size_t i = 0; i < csr->rows; i++)
		count += csr->start[i + 1] > csr->start[i];
	return count;
}

// What only the data can tell of the experiment: a part to watch, values that the loss can take.
static void check_parts(const struct experiment *experiment, const struct matrices *matrices, struct errors *errors) {
	const struct early_stop_config *stop = experiment->train->early_stop;
	const struct loss *loss = (const struct loss *)experiment->loss->kind.row;
	if (stop && !strncmp(stop->metric, "valid.", strlen("valid.")) && !matrices->valid.target.start) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, value_origin(experiment->tree, "train.early_stop.metric"),
		               "\"%s\" is watched, but there is no validation part", stop->metric);
		error_hint(error, "Give data.split a valid share, or watch \"train.loss\".");
	}
	for (size_t k = 0; k < csr_count(&matrices->train); k++) {
		float value = matrices->train.value[k];
		if (loss_takes(loss, (double)value))
			continue;
		struct error *error =
		    errors_add(errors, ERROR_DATA, value_origin(experiment->tree, "loss"),
		               "loss \"%s\" needs ratings %s, not %g", loss->row.name, loss_needs(loss), (double)value);
		error_hint(error, "Give data.buckets values %s, or choose another loss.", loss_needs(loss));
		return;
	}
}

// An optimizer that takes all rows at once.
static void check_batch(const struct experiment *experiment, size_t rows, struct errors *errors) {
	const struct optimizer *optimizer = (const struct optimizer *)experiment->optimizer->kind.row;
	size_t batch = (size_t)experiment->train->batch;
	if (!optimizer->full_batch || !batch || batch >= rows)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(experiment->tree, "optimizer"),
	                                 "optimizer \"%s\" takes all %zu rows in a step, but train.batch is %zu",
	                                 optimizer->row.name, rows, batch);
	error_hint(error, "Say train.batch = 0, or choose another optimizer.");
}

bool train_plan(const struct experiment *experiment, const struct matrices *matrices, struct graph *ret,
                struct errors *errors) {
	*ret = (struct graph){0};
	if (experiment->model)
		return model_plan(experiment, matrices, errors);
	const struct csr *features = &matrices->features;
	size_t rows = rows_in_use(&matrices->train), batch = (size_t)experiment->train->batch;
	double entries = mean_entries(&matrices->train, rows);
	struct graph_shape shape = {
	    .ratings_width = matrices->train.columns,
	    .user_width = features->start ? features->columns : 0,
	    .batch = batch  ? batch
	             : rows ? rows
	                    : 1,
	    .ratings_entries = entries,
	    .user_entries = features->start ? mean_entries(features, features->rows) : 0,
	    .target_entries = fmin(entries * (1 + (double)experiment->loss->negatives), (double)matrices->train.columns),
	    .rows = matrices->train.rows};
	size_t before = errors->count;
	check_parts(experiment, matrices, errors);
	check_batch(experiment, rows, errors);
	graph_plan(&experiment->graph, experiment->loss, experiment->optimizer, &shape, experiment->tree, ret, errors);
	return errors->count == before;
}

void train_describe(const struct experiment *experiment, const struct matrices *matrices, struct graph *graph,
                    struct graph_facts *ret) {
	if (experiment->model)
		model_describe(experiment->model, matrices, &graph->arena, ret);
	else
		graph_describe(graph, ret);
}

// --- order of rows ---

struct order {
	uint32_t *rows, *place, *spare_place; // (count)
	uint32_t *key, *spare_key;            // (count)
	size_t count;
	struct random_stream stream;
};

enum { KEYS_AT_ONCE = 4096 };
struct drawing {
	struct order *order;
	uint32_t epoch;
};

static void draw_keys(void *context, size_t block) {
	const struct drawing *d = context;
	struct order *order = d->order;
	size_t first = block * KEYS_AT_ONCE, left = order->count - first;
	for (size_t i = first; i < first + (left < KEYS_AT_ONCE ? left : KEYS_AT_ONCE); i++) {
		order->place[i] = order->rows[i];
		order->key[i] = random_u32(order->stream, d->epoch, order->rows[i], 0);
	}
}

// Sorts rows by a 32-bit draw each, rows of equal draws in their own order: a radix sort is stable.
static void shuffle(struct order *order, uint32_t epoch, struct pool *pool) {
	enum { BITS = 11, BINS = 1 << BITS, PASSES = 3 };
	pool_run(pool, (order->count + KEYS_AT_ONCE - 1) / KEYS_AT_ONCE, draw_keys, &(struct drawing){order, epoch});
	for (unsigned pass = 0; pass < PASSES; pass++) {
		size_t bins[BINS + 1] = {0};
		for (size_t i = 0; i < order->count; i++)
			bins[(order->key[i] >> (pass * BITS) & (BINS - 1)) + 1]++;
		for (size_t b = 0; b < BINS; b++)
			bins[b + 1] += bins[b];
		for (size_t i = 0; i < order->count; i++) {
			size_t to = bins[order->key[i] >> (pass * BITS) & (BINS - 1)]++;
			order->spare_key[to] = order->key[i];
			order->spare_place[to] = order->place[i];
		}
		uint32_t *key = order->key, *place = order->place;
		order->key = order->spare_key;
		order->place = order->spare_place;
		order->spare_key = key;
		order->spare_place = place;
	}
}

static bool order_create(const struct csr *target, uint64_t seed, struct order *ret, struct error *error) {
	*ret = (struct order){.count = rows_in_use(target), .stream = random_stream_make(seed, "order", "")};
	uint32_t **arrays[] = {&ret->rows, &ret->place, &ret->spare_place, &ret->key, &ret->spare_key};
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		if (!(*arrays[i] = memory_array(ret->count, sizeof(uint32_t), "the order of rows", error)))
			return false;
	size_t filled = 0;
	for (size_t i = 0; i < target->rows; i++)
		if (target->start[i + 1] > target->start[i])
			ret->rows[filled++] = (uint32_t)i;
	memcpy(ret->place, ret->rows, filled * sizeof(uint32_t));
	return true;
}

static void order_finish(struct order *order) {
	free(order->rows);
	free(order->place);
	free(order->spare_place);
	free(order->key);
	free(order->spare_key);
}

// --- the run ---

struct trainer {
	const struct experiment *experiment;
	const struct matrices *matrices;
	struct graph *graph;
	const struct train_observer *observer;
	struct run_result *result;
	const struct backend *backend;
	struct pool *pool;
	struct device *device;
	struct network *network;
	struct batch batch;    // for evaluation
	struct batch *batches; // (batches_count): a run of batches to train on, gathered together
	size_t batches_count;
	double *losses; // (batches_count)
	struct packed packed;
	struct order order;
	struct evaluation evaluation;
	struct batch_source source;
	struct negatives negatives; // of the epoch at hand
	real *best;                 // (graph->weights) with early_stop
	double ratings;             // trained on so far
	int best_use;               // index of the watched metric, -1: train.loss
	size_t waited;              // epochs since the best
	struct schedule_state schedule;
};

enum { EVALUATION_ROWS = 256 };
static const size_t FULL_NUMBERS = (size_t)1 << 24; // of a block of full outputs, 64 MiB

static bool make_network(struct trainer *t, struct error *error) {
	const struct matrices *m = t->matrices;
	const struct csr *features = m->features.start ? &m->features : NULL;
	const uint8_t *trained = t->graph->row ? m->row_trained : NULL;
	t->negatives = (struct negatives){.stream = random_stream_make(t->experiment->seed, "negatives", ""),
	                                  .per_entry = (size_t)t->experiment->loss->negatives};
	struct batch_source sources[PARTS] = {{.ratings = &m->train,
	                                       .features = features,
	                                       .target = &m->train,
	                                       .trained = trained,
	                                       .negatives = t->negatives.per_entry ? &t->negatives : NULL}};
	size_t sources_count = 1, batch = t->graph->shape.batch;
	const struct part *parts[] = {&m->valid, &m->test};
	for (size_t i = 0; i < 2; i++)
		if (parts[i]->target.start)
			sources[sources_count++] = (struct batch_source){
			    .ratings = parts[i]->input, .features = features, .target = &parts[i]->target, .trained = trained};
	size_t rows = batch > EVALUATION_ROWS ? batch : EVALUATION_ROWS;
	rows = rows < m->train.rows ? rows : m->train.rows;
	size_t full = FULL_NUMBERS / m->train.columns;
	full = full < 1 ? 1 : full < rows ? full : rows;
	bool ranks = evaluate_ranks(t->experiment) && sources_count > 1;
	if (!batch_create(sources, sources_count, rows, &t->batch, error))
		return false;
	struct network_room room = {.rows = rows,
	                            .cells = batch_cells_most(&t->batch),
	                            .rating_entries = batch_rating_entries_most(&t->batch),
	                            .feature_entries = batch_feature_entries_most(&t->batch),
	                            .full_rows = ranks ? full : 0};
	t->source = sources[0];
	t->evaluation = (struct evaluation){.experiment = t->experiment,
	                                    .matrices = m,
	                                    .batch = &t->batch,
	                                    .pool = t->pool,
	                                    .rows = rows,
	                                    .full_rows = full};
	if (!network_create(t->graph, t->device, t->backend, t->experiment->seed, &room, &t->network, error))
		return false;
	t->evaluation.scorer = scorer_of_network(t->network);
	return evaluation_begin(&t->evaluation, error);
}

// Batches are gathered and transposed several at a time, one a thread: about so many entries, but one for each thread.
enum { GATHERED_ENTRIES = 1 << 16, GATHERED_MOST = 64 };

static bool make_batches(struct trainer *t, struct error *error) {
	size_t rows = t->graph->shape.batch, all = rows_in_use(t->source.target);
	rows = rows < all ? rows : all;
	double entries = t->graph->shape.target_entries * (double)rows, wanted = GATHERED_ENTRIES / fmax(entries, 1);
	size_t batches = rows ? (all + rows - 1) / rows : 1, threads = pool_threads(t->pool);
	size_t count = wanted > GATHERED_MOST ? GATHERED_MOST : (size_t)wanted;
	count = count > threads ? count : threads;
	count = count < batches ? count : batches;
	if (!packed_create(t->source.ratings, t->source.features, &t->packed, error))
		return false;
	t->source.packed = t->packed.start ? &t->packed : NULL;
	t->batches = memory_alloc((count + 1) * sizeof(*t->batches));
	t->losses = memory_alloc((count + 1) * sizeof(*t->losses));
	for (; t->batches_count < count; t->batches_count++)
		if (t->batches_count ? !batch_create_like(t->batches, &t->batches[t->batches_count], error)
		                     : !batch_create(&t->source, 1, rows, t->batches, error))
			return false;
	return true;
}

// The epoch's rows from `first` on, as many as there are batches for.
struct gathering {
	struct trainer *trainer;
	size_t first;
};

static size_t batch_rows(const struct trainer *t, size_t first) {
	size_t batch = t->graph->shape.batch;
	return t->order.count - first < batch ? t->order.count - first : batch;
}

static void gather_batch(void *context, size_t index) {
	const struct gathering *g = context;
	struct trainer *t = g->trainer;
	size_t first = g->first + index * t->graph->shape.batch;
	batch_gather(&t->batches[index], &t->source, t->order.place + first, batch_rows(t, first));
	batch_transpose(&t->batches[index]);
}

// Adds the batches' losses, weighted by their cells, or by rows where that is what the loss is a mean over.
static bool add_losses(struct trainer *t, uint32_t epoch, size_t number, size_t count, double *total, double *cells,
                       struct error *error) {
	for (size_t i = 0; i < count; i++) {
		const struct batch *batch = &t->batches[i];
		if (!isfinite(t->losses[i]))
			return error_set(error, ERROR_RUN, "the loss is not finite in epoch %u, batch %zu", epoch, number + i);
		double counted = (double)sparse_count(&batch->target);
		if (t->graph->targets == TARGETS_ALL)
			counted = (double)batch->rows * (double)batch->target.columns;
		double weight = t->graph->reduction == REDUCTION_ROWS ? (double)batch->rows : counted;
		*total += t->losses[i] * weight;
		*cells += weight;
		t->ratings += (double)sparse_count(&batch->ratings);
	}
	return true;
}

// One epoch over all rows with targets. Returns the loss.
static bool train_epoch(struct trainer *t, uint32_t epoch, double *ret_loss, struct error *error) {
	size_t batch = t->graph->shape.batch, rows = t->order.count, number = 1;
	double total = 0, cells = 0;
	t->negatives.epoch = epoch;
	if (t->experiment->train->shuffle)
		shuffle(&t->order, epoch, t->pool);
	for (size_t first = 0, count; first < rows; first += count * batch, number += count) {
		size_t left = (rows - first + batch - 1) / batch;
		count = left < t->batches_count ? left : t->batches_count;
		pool_run(t->pool, count, gather_batch, &(struct gathering){t, first});
		network_train(t->network, t->batches, count, epoch, t->losses);
		if (!add_losses(t, epoch, number, count, &total, &cells, error))
			return false;
		if (t->observer->batch)
			t->observer->batch(t->observer->context, epoch, fmin((double)(first + count * batch) / (double)rows, 1),
			                   t->ratings);
		if (t->observer->interrupted && t->observer->interrupted(t->observer->context))
			return error_set(error, ERROR_INTERRUPTED, "interrupted in epoch %u", epoch);
	}
	network_settle(t->network);
	*ret_loss = cells > 0 ? total / cells : NAN;
	return true;
}

// What decides which epoch is best: the early stop's metric, else the first metric on the validation part, else the
// loss.
static void choose_watched(struct trainer *t) {
	const struct early_stop_config *stop = t->experiment->train->early_stop;
	struct run_result *r = t->result;
	if (stop)
		r->best_metric = stop->metric;
	else if (t->matrices->valid.target.start)
		r->best_metric = arena_format(&t->graph->arena, "valid.%s", t->experiment->uses[0].name);
	else
		r->best_metric = "train.loss";
	t->best_use = -1;
	for (size_t i = 0; strcmp(r->best_metric, "train.loss") && i < t->experiment->uses_count; i++)
		if (!strcmp(r->best_metric + strlen("valid."), t->experiment->uses[i].name))
			t->best_use = (int)i;
}

static bool watch(struct trainer *t, const struct epoch_result *epoch) {
	const struct early_stop_config *stop = t->experiment->train->early_stop;
	struct run_result *r = t->result;
	double value = t->best_use < 0 ? epoch->train_loss : epoch->valid.exists ? epoch->valid.metric[t->best_use] : NAN;
	bool higher = t->best_use >= 0 && t->experiment->uses[t->best_use].metric->higher_is_better;
	schedule_watch(t->graph->schedule, &t->schedule, value, higher);
	double gain = higher ? value - r->best_value : r->best_value - value;
	if (!isnan(value) && (!r->best_epoch || gain > (stop ? stop->min_delta : 0))) {
		r->best_epoch = epoch->epoch;
		r->best_value = value;
		t->waited = 0;
		if (stop)
			network_save(t->network, t->best);
	} else {
		t->waited++;
	}
	return stop && t->waited >= (size_t)stop->patience;
}

static bool train_epochs(struct trainer *t, struct error *error) {
	const struct train_config *config = t->experiment->train;
	struct run_result *r = t->result;
	size_t epochs = (size_t)config->epochs, capacity = 0;
	for (size_t epoch = 1; epoch <= epochs && !r->stopped_early; epoch++) {
		if (r->epochs_count == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			r->epochs = memory_resize(r->epochs, capacity * sizeof(*r->epochs));
		}
		struct epoch_result *e = &r->epochs[r->epochs_count];
		*e = (struct epoch_result){.epoch = epoch};
		double start = train_seconds(), ratings = t->ratings;
		t->schedule.epoch = epoch;
		t->schedule.epochs = epochs;
		network_set_rate(t->network, schedule_factor(t->graph->schedule, &t->schedule));
		if (!train_epoch(t, (uint32_t)epoch, &e->train_loss, error))
			return false;
		double trained = train_seconds();
		run_add_phase(r, "train", trained - start, t->ratings - ratings);
		if ((epoch % (size_t)config->evaluate_every == 0 || epoch == epochs) &&
		    !evaluate_part(&t->evaluation, PART_VALID, &e->valid, error))
			return false;
		run_add_phase(r, "evaluate", train_seconds() - trained, (double)csr_count(&t->matrices->valid.target));
		e->seconds = train_seconds() - start;
		r->epochs_count++;
		r->stopped_early = watch(t, e);
		if (t->observer->epoch)
			t->observer->epoch(t->observer->context, e);
	}
	return true;
}

static bool finish_run(struct trainer *t, struct error *error) {
	struct run_result *r = t->result;
	const struct matrices *m = t->matrices;
	double start = train_seconds(), evaluated = 0;
	r->final_epoch = r->epochs_count;
	if (t->best && r->best_epoch) {
		network_load(t->network, t->best);
		r->final_epoch = r->best_epoch;
	}
	r->final_loss = r->epochs[r->final_epoch - 1].train_loss;
	const struct csr *targets[PARTS] = {&m->train, &m->valid.target, &m->test.target};
	for (int part = 0; part < PARTS; part++) {
		const struct part_result *seen = &r->epochs[r->final_epoch - 1].valid;
		bool users = part == run_users_part(m);
		if (part == PART_VALID && seen->exists && !users) { // with these very weights
			r->final[part] = *seen;
			continue;
		}
		if (users ? !evaluate_part_users(&t->evaluation, part, &r->final[part], &r->users[part], error)
		          : !evaluate_part(&t->evaluation, part, &r->final[part], error))
			return false;
		evaluated += (double)csr_count(targets[part]);
	}
	run_add_phase(r, "evaluate", train_seconds() - start, evaluated);
	return run_baselines(&t->evaluation, r, error);
}

static bool train_all(struct trainer *t, struct error *error) {
	if (!make_network(t, error) || !make_batches(t, error) ||
	    !order_create(&t->matrices->train, t->experiment->seed, &t->order, error))
		return false;
	if (t->experiment->train->early_stop &&
	    !(t->best = memory_array(t->graph->weights, sizeof(real), "the best weights", error)))
		return false;
	choose_watched(t);
	if (!train_epochs(t, error) || !finish_run(t, error))
		return false;
	train_describe(t->experiment, t->matrices, t->graph, &t->result->graph);
	t->result->tensors_count = network_tensors(t->network, &t->graph->arena, &t->result->tensors);
	run_hash_tensors(t->result);
	return run_check_weights(t->result, error);
}

bool train_backend_check(const struct experiment *experiment, struct pool *pool, struct error *error) {
	const struct backend *backend = (const struct backend *)experiment->backend.row;
	struct device *device;
	struct error cause = {0};
	if (backend->open(backend, pool, &device, &cause)) {
		backend->close(device);
		return true;
	}
	error_at(error, cause.code, value_origin(experiment->tree, "backend"), "%s", cause.message);
	if (cause.hint[0])
		error_hint(error, "%s", cause.hint);
	return false;
}

bool train_run(const struct experiment *experiment, const struct matrices *matrices, struct graph *graph,
               struct pool *pool, const struct train_observer *observer, struct run_result *ret, char **ret_backend,
               struct error *error) {
	static const struct train_observer nobody = {0};
	ret->experiment = experiment;
	ret->matrices = matrices;
	if (experiment->model)
		return model_run(experiment, matrices, &graph->arena, pool, ret, ret_backend, error);
	struct trainer t = {.experiment = experiment,
	                    .matrices = matrices,
	                    .graph = graph,
	                    .result = ret,
	                    .observer = observer ? observer : &nobody,
	                    .pool = pool,
	                    .backend = (const struct backend *)experiment->backend.row};
	*ret_backend = NULL;
	if (!t.backend->open(t.backend, pool, &t.device, error))
		return false;
	*ret_backend = memory_copy_string(t.backend->describe(t.device));
	bool good = train_all(&t, error);
	network_destroy(t.network);
	batch_destroy(&t.batch);
	for (size_t i = 0; i < t.batches_count; i++)
		batch_destroy(&t.batches[i]);
	free(t.batches);
	free(t.losses);
	packed_finish(&t.packed);
	order_finish(&t.order);
	evaluation_finish(&t.evaluation);
	free(t.best);
	t.backend->close(t.device);
	return good;
}

void train_result_finish(struct run_result *result) {
	fitted_destroy(result->fitted);
	free(result->fitted);
	result->fitted = NULL;
	free(result->epochs);
	result->epochs = NULL;
	for (int part = 0; part < PARTS; part++)
		user_values_finish(&result->users[part]);
}
