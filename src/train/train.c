// The training loop: order of rows, batches, epochs, early stop, final evaluation.
#include "train/train.h"

#include "nn/op.h"
#include "nn/phase.h"
#include "train/lbfgs.h"
#include "train/model_run.h"
#include "train/outcome.h"
#include "train/trainer.h"

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
	size_t rows = order_rows_in_use(&matrices->train), batch = (size_t)experiment->train->batch;
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
	    .rows = matrices->train.rows,
	    .refed = (size_t)experiment->train->refeed};
	size_t before = errors->count;
	check_parts(experiment, matrices, errors);
	check_batch(experiment, rows, errors);
	graph_plan(&experiment->graph, experiment->loss, experiment->optimizer, &experiment->train->alternate, &shape,
	           experiment->tree, ret, errors);
	return errors->count == before;
}

void train_describe(const struct experiment *experiment, const struct matrices *matrices, struct graph *graph,
                    struct graph_facts *ret) {
	if (experiment->model)
		model_describe(experiment->model, matrices, &graph->arena, ret);
	else
		graph_describe(graph, ret);
}

// One epoch over all rows with targets. Returns the loss.
static bool train_epoch(struct trainer *t, uint32_t epoch, double *ret_loss, struct error *error) {
	size_t batch = t->graph->shape.batch, rows = t->order.count, number = 1;
	double total = 0, cells = 0;
	t->negatives.epoch = epoch;
	if (t->experiment->train->shuffle)
		order_shuffle(&t->order, epoch, t->pool);
	for (size_t first = 0, count; first < rows; first += count * batch, number += count) {
		size_t left = (rows - first + batch - 1) / batch;
		count = left < t->batches_count ? left : t->batches_count;
		trainer_gather(t, first, count);
		if (!t->refeed.times)
			network_train(t->network, t->batches, count, epoch, t->losses);
		else if (!refeed_train(&t->refeed, t->network, t->batches, epoch, number, t->losses, error))
			return false;
		if (!trainer_add_losses(t, epoch, number, count, &total, &cells, error))
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

static bool train_epochs(struct trainer *t, struct error *error) {
	struct run_result *r = t->result;
	size_t epochs = (size_t)t->experiment->train->epochs, last = experiment_epochs(t->experiment);
	for (size_t epoch = 1; epoch <= last && !r->stopped_early && !r->ended; epoch++) {
		double start = train_seconds(), ratings = t->ratings, loss = NAN;
		bool ends;
		t->schedule.epoch = epoch;
		t->schedule.epochs = epochs;
		network_set_rate(t->network, schedule_factor(t->graph->schedule, &t->schedule));
		network_set_phase(t->network, phase_at(t->graph, epoch, &ends));
		if (!train_epoch(t, (uint32_t)epoch, &loss, error))
			return false;
		if (ends)
			network_renew(t->network);
		if (!trainer_end_epoch(t, epoch, loss, train_seconds() - start, t->ratings - ratings, error))
			return false;
	}
	return true;
}

static bool train_weights(struct trainer *t, struct error *error) {
	return t->graph->optimizer->descends ? train_lbfgs(t, error) : train_epochs(t, error);
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
	if (!trainer_create(t, error) || !train_weights(t, error) || !finish_run(t, error))
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
	trainer_finish(&t);
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
