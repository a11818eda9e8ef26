// See trainer.h.
#include "train/trainer.h"

#include "nn/op.h"
#include "nn/phase.h"
#include "nn/state.h"
#include "train/model_run.h"
#include "train/outcome.h"

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { EVALUATION_ROWS = 256, EVALUATION_MOST = 4096, EVALUATION_ENTRIES = 1 << 14 };
static const size_t FULL_NUMBERS = (size_t)1 << 24; // of a block of full outputs, 64 MiB

static void measure_sources(const struct experiment *e, const struct matrices *m, const struct graph *graph,
                            struct trainer_shape *ret) {
	const struct csr *features = m->features.start ? &m->features : NULL;
	const uint8_t *trained = graph->row ? m->row_trained : NULL;
	bool no_lists = ((const struct backend *)e->backend.row)->apart;
	const struct part *parts[] = {&m->valid, &m->test};
	ret->negatives = (struct negatives){.stream = random_stream_make(e->seed, "negatives", ""),
	                                    .per_entry = (size_t)e->loss->negatives};
	ret->sources[ret->sources_count++] =
	    (struct batch_source){.ratings = &m->train,
	                          .features = features,
	                          .target = &m->train,
	                          .trained = trained,
	                          .negatives = ret->negatives.per_entry ? &ret->negatives : NULL,
	                          .no_lists = no_lists};
	for (size_t i = 0; i < 2; i++)
		if (parts[i]->target.start)
			ret->sources[ret->sources_count++] = (struct batch_source){.ratings = parts[i]->input,
			                                                           .features = features,
			                                                           .target = &parts[i]->target,
			                                                           .trained = trained,
			                                                           .no_lists = no_lists};
}

// Batches are gathered and transposed several at a time, one a thread: about so many entries, but one for each thread.
enum { GATHERED_ENTRIES = 1 << 16 };

static size_t count_batches(const struct experiment *e, const struct graph *graph, size_t all, size_t threads,
                            size_t rows) {
	double entries = graph->shape.target_entries * (double)rows, wanted = GATHERED_ENTRIES / fmax(entries, 1);
	size_t batches = rows ? (all + rows - 1) / rows : 1;
	size_t count = wanted > GATHERED_MOST ? GATHERED_MOST : (size_t)wanted;
	count = count > threads ? count : threads;
	return e->train->refeed  ? 1 // what is re-fed of a batch comes before the next one
	       : count < batches ? count
	                         : batches;
}

// Of an epoch, or as many as take half a megabyte.
static size_t count_losses(const struct trainer_shape *shape, size_t all) {
	const size_t most = (size_t)1 << 16;
	size_t batches = shape->trained_rows ? (all + shape->trained_rows - 1) / shape->trained_rows : 1;
	return batches < most ? batches : most;
}

// Of blocks on their way: for so many batches, or as many as take 32 MiB, but one.
static size_t block_bytes(size_t upload_bytes, size_t batches) {
	const size_t most = (size_t)32 << 20;
	size_t fit = most / upload_bytes > 1 ? most / upload_bytes : 1;
	return (batches < fit ? batches : fit) * upload_bytes;
}

// Whether cells come out the same whatever rows come with theirs: without a dense product, whose rounding may depend on
// how many there are.
static bool rows_stand_alone(const struct graph *graph) {
	for (size_t i = 0; i < graph->nodes_count; i++) {
		const struct node *node = &graph->nodes[i];
		if (node->densified || (node->op && node->op->has_paths && !node->reads_rows && !node->cells))
			return false;
	}
	return true;
}

// Rows of a block that is evaluated at its cells: where rows have few entries more of them, so that threads do not meet
// after every few microseconds; always whole blocks of the fewest.
static size_t cells_rows(const struct graph *graph, size_t fewest) {
	double entries = fmax(graph->shape.ratings_entries + graph->shape.target_entries, 1);
	size_t wanted = (size_t)fmin(EVALUATION_ENTRIES / entries, EVALUATION_MOST) / fewest * fewest;
	return rows_stand_alone(graph) && wanted > fewest ? wanted : fewest;
}

// Threads predict side by side where blocks are small: of large ones each thread better computes some columns, whose
// weights stay in its cache, and to have the memory for them would take longer than they gain.
static void measure_readers(const struct experiment *e, const struct graph *graph, size_t threads,
                            const struct batch_measure *batch, struct trainer_shape *ret) {
	static const double BYTES_MOST = 1 << 24, FULL_MOST = 1 << 19, ALL_MOST = 1 << 29; // of one; numbers; of all
	const struct backend *backend = (const struct backend *)e->backend.row;
	ret->reader_room = ret->room;
	ret->reader_room.gradients = false;
	ret->reader_room.reads = true;
	if ((double)ret->full_rows * (double)graph->shape.ratings_width > FULL_MOST)
		ret->reader_room.full_rows = 0;
	if (backend->apart || threads < 2)
		return;
	double bytes = (double)network_bytes(graph, backend, &ret->reader_room) + batch->bytes;
	ret->readers = bytes <= BYTES_MOST && bytes * (double)threads <= ALL_MOST ? threads - 1 : 0;
}

void trainer_measure(const struct experiment *e, const struct matrices *m, const struct graph *graph, size_t threads,
                     struct trainer_shape *ret) {
	size_t batch = graph->shape.batch, all = order_rows_in_use(&m->train);
	struct batch_measure most;
	*ret = (struct trainer_shape){0};
	measure_sources(e, m, graph, ret);
	size_t fewest = batch > EVALUATION_ROWS ? batch : EVALUATION_ROWS, full = FULL_NUMBERS / m->train.columns;
	size_t rows = cells_rows(graph, fewest);
	ret->rows = rows < m->train.rows ? rows : m->train.rows;
	ret->full_rows = fewest < m->train.rows ? fewest : m->train.rows;
	ret->full_rows = full < 1 ? 1 : full < ret->full_rows ? full : ret->full_rows;
	ret->trained_rows = batch < all ? batch : all;
	ret->batches = count_batches(e, graph, all, threads, ret->trained_rows);
	ret->runs = threads > 1 && !e->train->refeed && ret->batches * ret->trained_rows < all ? 2 : 1;
	batch_measure(ret->sources, ret->sources_count, ret->rows, &most);
	bool ranks = evaluate_ranks(e) && ret->sources_count > 1;
	ret->room = (struct network_room){.rows = ret->rows,
	                                  .cells = most.cells,
	                                  .rating_entries = most.rating_entries,
	                                  .feature_entries = most.feature_entries,
	                                  .full_rows = ranks ? ret->full_rows : 0,
	                                  .gradients = graph->optimizer->descends};
	measure_readers(e, graph, threads, &most, ret);
	if (e->train->refeed)
		refeed_room(ret->trained_rows, m->train.columns, &ret->room);
	ret->may_hold = !graph->optimizer->descends && !e->train->refeed && store_can(&ret->sources[0]);
	if (!((const struct backend *)e->backend.row)->apart)
		return;
	size_t depth = metric_uses_depth(e->uses, e->uses_count, m->items);
	if (ranks && !m->items_as_rows && depth <= RANK_MOST) // longer ones are made of whole rows, by the host
		ret->room.rank_k = depth ? depth : 1;
	ret->room.losses = count_losses(ret, all);
	struct batch_measure trained;
	batch_measure(ret->sources, 1, ret->trained_rows, &trained);
	const struct resident_room one = {.rows = ret->trained_rows,
	                                  .cells = trained.cells,
	                                  .rating_entries = trained.rating_entries,
	                                  .feature_entries = trained.feature_entries};
	ret->upload_bytes = resident_upload_bytes(graph, &one);
	ret->room.block_bytes = block_bytes(ret->upload_bytes, count_batches(e, graph, all, 1, ret->trained_rows));
}

// What is left for what a device works with besides, and for what others do there meanwhile.
static size_t spare_of(size_t left) {
	const size_t most = (size_t)64 << 20;
	return left / 16 < most ? left / 16 : most;
}

void trainer_place(const struct backend *backend, const struct graph *graph, size_t left, struct trainer_shape *shape,
                   struct device_needs *ret) {
	const struct batch_source *source = &shape->sources[0];
	struct network_room without = shape->room;
	without.block_bytes = 0;
	*ret = (struct device_needs){.network = network_bytes(graph, backend, &without)};
	if (shape->may_hold) {
		bool coded = source->packed || packed_can(source->ratings, source->features);
		ret->data = store_bytes(source, coded, order_rows_in_use(source->target));
	}
	size_t room = left - spare_of(left);
	ret->held = ret->data && ret->network <= room && ret->data <= room - ret->network;
	if (ret->held) {
		shape->room = without;
		return;
	}
	// two blocks take half of what is left, if they may be as large; one batch each they must hold
	size_t each = ret->network < room ? (room - ret->network) / 4 : 0;
	if (each < shape->room.block_bytes)
		shape->room.block_bytes =
		    block_bytes(shape->upload_bytes, each / shape->upload_bytes + (each < shape->upload_bytes));
	ret->blocks = 2 * shape->room.block_bytes;
}

void train_device_needs(const struct experiment *e, const struct matrices *m, const struct graph *graph, size_t left,
                        struct device_needs *ret) {
	struct trainer_shape shape;
	trainer_measure(e, m, graph, 1, &shape);
	trainer_place((const struct backend *)e->backend.row, graph, left, &shape, ret);
}

static bool make_network(struct trainer *t, struct trainer_shape *shape, struct error *error) {
	t->negatives = shape->negatives;
	if (shape->sources[0].negatives)
		shape->sources[0].negatives = &t->negatives;
	if (!batch_create(shape->sources, shape->sources_count, shape->rows, &t->batch, error) ||
	    !refeed_create(&shape->sources[0], shape->trained_rows, (size_t)t->experiment->train->refeed, &t->refeed,
	                   error))
		return false;
	t->source = shape->sources[0];
	t->evaluation = (struct evaluation){.experiment = t->experiment,
	                                    .matrices = t->matrices,
	                                    .batch = &t->batch,
	                                    .pool = t->pool,
	                                    .rows = shape->rows,
	                                    .full_rows = shape->full_rows};
	if (!network_create(t->graph, t->device, t->backend, t->experiment->seed, &shape->room, &t->network, error))
		return false;
	if (t->held)
		network_hold(t->network, &t->store);
	t->evaluation.scorer = scorer_of_network(t->network);
	if (shape->readers && !t->backend->apart)
		t->evaluation.sharing = (struct evaluation_sharing){t->network, shape->reader_room};
	return evaluation_begin(&t->evaluation, error);
}

static bool make_batches(struct trainer *t, const struct trainer_shape *shape, struct error *error) {
	size_t each = t->held ? GATHERED_MOST : shape->batches, count = t->held ? each : each * shape->runs;
	t->unsettled_most = t->backend->apart ? shape->room.losses : each;
	t->batches = t->batches_memory = memory_alloc((count + 1) * sizeof(*t->batches));
	t->ahead = count > each ? t->batches + each : NULL;
	t->batches_count = each;
	t->unsettled = memory_alloc((t->unsettled_most + 1) * sizeof(*t->unsettled));
	for (size_t i = 0; i < count; i++, t->batches_made++)
		if (t->held ? !batch_create_counts(shape->trained_rows, &t->batches[i], error)
		    : i     ? !batch_create_like(t->batches, &t->batches[i], error)
		            : !batch_create(&t->source, 1, shape->trained_rows, t->batches, error))
			return false;
	return true;
}

// The data goes to the device where it has room; then the host needs no packed rows. Where somebody else was faster,
// batches are streamed.
static void place(struct trainer *t, struct trainer_shape *shape) {
	const struct network_room room = shape->room;
	struct batch_source *source = &shape->sources[0];
	struct device_needs needs;
	size_t left, all;
	if (!t->backend->apart)
		return;
	t->backend->memory(t->device, &left, &all);
	shape->may_hold &= !t->gradients;
	trainer_place(t->backend, t->graph, left, shape, &needs);
	t->held = needs.held && store_create(t->backend, t->device, source, t->order.count, &t->store, NULL);
	if (t->held) {
		t->short_rows = t->packed.short_rows;
		packed_finish(&t->packed);
		source->packed = NULL;
	} else if (needs.held) {
		shape->may_hold = false;
		shape->room = room;
		trainer_place(t->backend, t->graph, left, shape, &needs);
	}
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

bool trainer_create(struct trainer *t, struct error *error) {
	struct trainer_shape shape;
	trainer_measure(t->experiment, t->matrices, t->graph, pool_threads(t->pool), &shape);
	if (!packed_create(shape.sources[0].ratings, shape.sources[0].features, &t->packed, error))
		return false;
	shape.sources[0].packed = t->packed.start ? &t->packed : NULL;
	shape.room.gradients |= t->gradients;
	if (!order_create(&t->matrices->train, t->experiment->seed, &t->order, error))
		return false;
	place(t, &shape);
	if (!make_network(t, &shape, error) || !make_batches(t, &shape, error))
		return false;
	if (t->experiment->train->early_stop &&
	    !(t->best = memory_array(t->graph->weights, sizeof(real), "the best weights", error)))
		return false;
	if (t->graph->optimizer->descends &&
	    !descent_create(t->graph->trainable, t->graph->optimizer_params, &t->descent, error))
		return false;
	choose_watched(t);
	return true;
}

void trainer_finish(struct trainer *t) {
	network_destroy(t->network);
	store_destroy(&t->store);
	batch_destroy(&t->batch);
	for (size_t i = 0; i < t->batches_made; i++)
		batch_destroy(&t->batches_memory[i]);
	refeed_finish(&t->refeed);
	free(t->batches_memory);
	free(t->unsettled);
	packed_finish(&t->packed);
	order_finish(&t->order);
	evaluation_finish(&t->evaluation);
	free(t->best);
	descent_destroy(t->descent);
	text_finish(&t->snapshot);
}

// --- batches ---

// The epoch's rows from `first` on, as many as there are batches for.
struct gathering {
	struct trainer *trainer;
	struct batch *batches;
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
	if (t->held) {
		batch_count(&g->batches[index], &t->source, t->order.place + first, t->store.order + first,
		            batch_rows(t, first));
		return;
	}
	batch_gather(&g->batches[index], &t->source, t->order.place + first, batch_rows(t, first));
	if (!t->backend->apart) // else the device does
		batch_transpose(&g->batches[index]);
}

// Batches that are gathered while others are trained on, by threads that would wait at a barrier. Who arrives at one
// meanwhile waits for them: so they are made in parts, the same part of several batches after each other, for all
// threads to have one.
struct gathering_ahead {
	struct gathering all;
	size_t count, abreast, parts;      // batches; of them at a time; of each
	atomic_size_t made[GATHERED_MOST]; // parts of each batch
};

static void part_of(const struct gathering_ahead *g, size_t index, size_t *ret_batch, size_t *ret_part) {
	size_t together = g->abreast * g->parts, within = index % together;
	*ret_batch = index / together * g->abreast + within % g->abreast;
	*ret_part = within / g->abreast;
}

static size_t parts_made(const struct gathering_ahead *g, size_t batch) {
	return atomic_load_explicit(&g->made[batch], memory_order_acquire);
}

static void gather_part(void *context, size_t index) {
	struct gathering_ahead *g = context;
	struct trainer *t = g->all.trainer;
	size_t batch, part;
	part_of(g, index, &batch, &part);
	if (batch >= g->count)
		return;
	while (parts_made(g, batch) < part) // another thread is about it
		sched_yield();
	size_t first = g->all.first + batch * t->graph->shape.batch;
	if (g->parts == 1)
		gather_batch(&g->all, batch);
	else
		batch_make_part(&g->all.batches[batch], &t->source, t->order.place + first, batch_rows(t, first), part);
	atomic_store_explicit(&g->made[batch], part + 1, memory_order_release);
}

// One batch for each that training has begun on, and not before the part before.
static bool time_to_gather(void *context, size_t index) {
	const struct gathering_ahead *g = context;
	size_t begun = network_begun(g->all.trainer->network), batch, part;
	part_of(g, index, &batch, &part);
	return batch / g->abreast < (begun + g->abreast - 1) / g->abreast &&
	       (batch >= g->count || parts_made(g, batch) == part);
}

void trainer_gather(struct trainer *t, size_t first, size_t count) {
	pool_run(t->pool, count, gather_batch, &(struct gathering){t, t->batches, first});
}

// Batches of the epoch from that place of its order on.
static size_t batches_left(const struct trainer *t, size_t first) {
	size_t batch = t->graph->shape.batch, rows = t->order.count;
	return first < rows ? (rows - first + batch - 1) / batch : 0;
}

// As many of them as are gathered together.
static size_t batches_from(const struct trainer *t, size_t first, size_t most) {
	size_t left = batches_left(t, first), count = left < most ? left : most;
	count = count < t->batches_count ? count : t->batches_count;
	return count < RUN_BATCHES ? count : RUN_BATCHES;
}

// The batches to train on next, at most `most`; returns how many.
static size_t next_batches(struct trainer *t, size_t most) {
	size_t count = batches_from(t, t->at.first, most);
	if (t->ahead_count >= count && t->ahead_first == t->at.first) {
		struct batch *gathered = t->ahead;
		t->ahead = t->batches;
		t->batches = gathered;
	} else {
		trainer_gather(t, t->at.first, count);
	}
	t->ahead_count = 0;
	return count;
}

// Trains on them; threads that would wait for each other gather the ones after them meanwhile.
static void train_batches(struct trainer *t, size_t count, uint32_t epoch) {
	size_t next = t->at.first + count * t->graph->shape.batch, ahead = t->ahead ? batches_from(t, next, SIZE_MAX) : 0;
	size_t threads = pool_threads(t->pool), abreast = ahead < threads ? ahead : threads;
	struct gathering_ahead gathering = {
	    .all = {t, t->ahead, next}, .count = ahead, .abreast = abreast, .parts = t->backend->apart ? 1 : BATCH_PARTS};
	if (ahead) {
		size_t groups = (ahead + abreast - 1) / abreast;
		pool_spare(t->pool,
		           &(struct pool_work){groups * abreast * gathering.parts, gather_part, time_to_gather, &gathering});
	}
	network_train(t->network, t->batches, count, epoch, NULL);
	if (ahead)
		pool_spare_finish(t->pool);
	t->ahead_first = next;
	t->ahead_count = ahead;
}

// --- an epoch ---

// Rows come to the device in the order in which the host would have gathered them.
static void send_order(struct trainer *t) {
	for (size_t first = 0; t->short_rows && first < t->order.count; first += t->graph->shape.batch)
		batch_sort_rows(t->batches, t->source.ratings, t->order.place + first, batch_rows(t, first));
	store_order(&t->store, t->order.place, t->order.count);
}

void trainer_begin_epoch(struct trainer *t, size_t epoch, bool *ret_ends) {
	t->schedule.epoch = epoch;
	t->schedule.epochs = (size_t)t->experiment->train->epochs;
	network_set_rate(t->network, schedule_factor(t->graph->schedule, &t->schedule));
	network_set_phase(t->network, phase_at(t->graph, epoch, ret_ends));
	t->negatives.epoch = (uint32_t)epoch;
	t->ahead_count = 0;
	if (t->experiment->train->shuffle)
		order_shuffle(&t->order, (uint32_t)epoch, t->pool);
	if (t->held)
		send_order(t);
	if (!t->at.first)
		t->at = (struct progress_in_epoch){.number = 1};
}

size_t trainer_batches_left(const struct trainer *t) {
	return batches_left(t, t->at.first);
}

static bool diverged(struct trainer *t, size_t epoch, size_t number, struct error *error) {
	t->diverged = (struct divergence){epoch, number};
	if (error && !error->hint[0])
		error_hint(error, "Set optimizer.clip_norm, a lower optimizer.rate, or train.on_divergence = \"halve_rate\".");
	return false;
}

// A batch's loss counts by its cells, or by rows where that is what the loss is a mean over.
static void note_batches(struct trainer *t, size_t count) {
	for (size_t i = 0; i < count; i++) {
		const struct batch *batch = &t->batches[i];
		double counted = (double)sparse_count(&batch->target);
		if (t->graph->targets == TARGETS_ALL)
			counted = (double)batch->rows * (double)batch->target.columns;
		double weight = t->graph->reduction == REDUCTION_ROWS ? (double)batch->rows : counted;
		t->unsettled[t->unsettled_count + i] = (struct unsettled){t->at.number + i, weight};
		t->ratings += (double)sparse_count(&batch->ratings);
	}
	t->unsettled_count += count;
}

static bool add_losses(struct trainer *t, size_t epoch, const double *losses, struct error *error) {
	size_t count = t->unsettled_count;
	t->unsettled_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct unsettled *batch = &t->unsettled[i];
		if (!isfinite(losses[i])) {
			error_set(error, ERROR_RUN, "the loss is not finite in epoch %zu, batch %zu", epoch, batch->number);
			return diverged(t, epoch, batch->number, error);
		}
		t->at.total += losses[i] * batch->weight;
		t->at.cells += batch->weight;
	}
	return true;
}

bool trainer_settle(struct trainer *t, size_t epoch, struct error *error) {
	if (!t->unsettled_count)
		return true;
	double *losses = memory_alloc(t->unsettled_count * sizeof(*losses));
	network_losses(t->network, losses);
	bool good = t->backend->sync(t->device, error) && add_losses(t, epoch, losses, error);
	free(losses);
	return good;
}

static bool train_refed(struct trainer *t, size_t epoch, struct error *error) {
	double loss;
	if (!refeed_train(&t->refeed, t->network, t->batches, (uint32_t)epoch, t->at.number, &loss, error))
		return diverged(t, epoch, t->at.number, error);
	note_batches(t, 1);
	return t->backend->sync(t->device, error) && add_losses(t, epoch, &loss, error);
}

bool trainer_step(struct trainer *t, size_t epoch, size_t most, struct error *error) {
	size_t count = next_batches(t, most);
	if (t->unsettled_count + count > t->unsettled_most && !trainer_settle(t, epoch, error))
		return false;
	if (t->refeed.times) {
		if (!train_refed(t, epoch, error))
			return false;
	} else {
		train_batches(t, count, (uint32_t)epoch);
		note_batches(t, count);
		if (!t->backend->apart && !trainer_settle(t, epoch, error))
			return false;
	}
	t->at.first += count * t->graph->shape.batch;
	t->at.number += count;
	return true;
}

bool trainer_close_epoch(struct trainer *t, size_t epoch, bool phase_ends, double *ret_loss, struct error *error) {
	if (!trainer_settle(t, epoch, error))
		return false;
	network_settle(t->network);
	*ret_loss = t->at.cells > 0 ? t->at.total / t->at.cells : NAN;
	const struct parameter *bad = network_not_finite(t->network, NULL);
	if (bad) {
		error_set(error, ERROR_RUN, "\"%s.%s\" is not finite after epoch %zu", bad->node->name, bad->suffix, epoch);
		return diverged(t, epoch, 0, error);
	}
	if (phase_ends)
		network_renew(t->network);
	t->at = (struct progress_in_epoch){0};
	return true;
}

// --- after an epoch ---

static bool watch(struct trainer *t, const struct epoch_result *epoch) {
	const struct early_stop_config *stop = t->experiment->train->early_stop;
	struct run_result *r = t->result;
	double value = t->best_use < 0 ? epoch->train_loss : epoch->valid.exists ? epoch->valid.metric[t->best_use] : NAN;
	bool higher = t->best_use >= 0 && t->experiment->uses[t->best_use].metric->higher_is_better;
	schedule_watch(t->graph->schedule, &t->schedule, value, higher);
	double gain = higher ? value - r->best_value : r->best_value - value;
	bool evaluated = t->best_use < 0 || epoch->valid.exists; // others say nothing
	if (!isnan(value) && (!r->best_epoch || gain > (stop ? stop->min_delta : 0))) {
		r->best_epoch = epoch->epoch;
		r->best_value = value;
		t->waited = 0;
		if (stop)
			network_save(t->network, t->best);
	} else if (evaluated) {
		t->waited++;
	}
	return stop && evaluated && t->waited >= (size_t)stop->patience;
}

bool trainer_end_epoch(struct trainer *t, size_t epoch, double loss, double seconds, double ratings,
                       struct error *error) {
	enum { CAPACITY = 16 };
	const struct train_config *config = t->experiment->train;
	struct run_result *r = t->result;
	if (r->epochs_count == t->epochs_room) {
		t->epochs_room = t->epochs_room ? 2 * t->epochs_room : CAPACITY;
		r->epochs = memory_resize(r->epochs, t->epochs_room * sizeof(*r->epochs));
	}
	struct epoch_result *e = &r->epochs[r->epochs_count];
	*e = (struct epoch_result){.epoch = epoch, .train_loss = loss, .refed_loss = refeed_take_loss(&t->refeed)};
	double start = train_seconds();
	if (seconds > 0)
		run_add_phase(r, "train", seconds, ratings);
	if ((epoch % (size_t)config->evaluate_every == 0 || epoch >= experiment_epochs(t->experiment)) &&
	    (!evaluate_part(&t->evaluation, PART_VALID, &e->valid, error) || !t->backend->sync(t->device, error)))
		return false;
	double evaluated = train_seconds() - start;
	run_add_phase(r, "evaluate", evaluated, (double)csr_count(&t->matrices->valid.target));
	e->seconds = seconds + evaluated;
	r->epochs_count++;
	r->stopped_early = watch(t, e);
	if (t->observer->epoch)
		t->observer->epoch(t->observer->context, e);
	r->ended = !r->stopped_early && epoch < experiment_epochs(t->experiment) && t->observer->ends &&
	           t->observer->ends(t->observer->context, e);
	return true;
}
