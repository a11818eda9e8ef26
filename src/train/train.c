// The training loop: order of rows, batches, epochs, early stop, final evaluation.
#include "train/train.h"

#include "nn/op.h"
#include "train/checkpoint.h"
#include "train/diverged.h"
#include "train/lbfgs.h"
#include "train/model_run.h"
#include "train/outcome.h"
#include "train/trainer.h"

#include <assert.h>
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
	    .refed = (size_t)experiment->train->refeed,
	    .whole = ((const struct backend *)experiment->backend.row)->whole};
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

// One epoch over all rows with targets, or what is left of it.
static bool train_epoch(struct trainer *t, size_t epoch, double *ret_loss, struct error *error) {
	const struct train_observer *o = t->observer;
	bool ends;
	trainer_begin_epoch(t, epoch, &ends);
	while (trainer_batches_left(t)) {
		if (!trainer_step(t, epoch, SIZE_MAX, error))
			return false;
		if (o->batch)
			o->batch(o->context, epoch, fmin((double)t->at.first / (double)t->order.count, 1), t->ratings);
		bool interrupted = o->interrupted && o->interrupted(o->context), due = keeper_due_in_epoch(t);
		if ((interrupted || due) && !trainer_settle(t, epoch, error))
			return false;
		if (interrupted)
			return keeper_interrupt(t, epoch, error);
		if (due)
			keeper_write(t);
	}
	return trainer_close_epoch(t, epoch, ends, ret_loss, error);
}

static void note_halving(const struct trainer *t, const struct error *error) {
	const struct train_keep *keep = t->observer->keep;
	struct text line = {0};
	text_format(&line, "%s: on again from ", error->message);
	if (t->result->epochs_count)
		text_format(&line, "the end of epoch %zu, with half the rate", t->result->epochs_count);
	else
		text_append(&line, "the beginning, with half the rate");
	if (keep && keep->note)
		keep->note(keep->context, text_string(&line));
	text_finish(&line);
}

// Back to the last good epoch, with half the rate. False where the error stays.
static bool halve_rate(struct trainer *t, struct error *error) {
	struct run_result *r = t->result;
	struct divergence at = t->diverged;
	if (!at.epoch || !t->snapshot.length)
		return false;
	if (r->halvings_count == HALVINGS_MOST) {
		error_hint(error, "The rate was halved %d times: set optimizer.clip_norm, or smaller initial weights.",
		           HALVINGS_MOST);
		return false;
	}
	bool taken = trainer_take(t, (struct bytes_in){.data = t->snapshot.data, .left = t->snapshot.length});
	assert(taken);
	(void)taken;
	note_halving(t, error);
	r->halvings[r->halvings_count++] = at;
	network_slow(t->network, ldexp(1, -(int)r->halvings_count));
	t->diverged = (struct divergence){0};
	*error = (struct error){0};
	trainer_snap(t);
	return true;
}

static void begin(struct trainer *t) {
	keeper_begin(t);
	if (keeper_take(t)) {
		t->result->resumed_from_epoch = t->result->epochs_count + (t->at.first > 0);
		if (t->observer->resumed)
			t->observer->resumed(t->observer->context, t->result->resumed_from_epoch, t->ratings);
	}
	if (train_halves_rate(t->experiment->train))
		trainer_snap(t);
}

// One that `ended` is another run's from here on, and leaves no checkpoint.
static void keep_epoch(struct trainer *t) {
	if (t->snapshot.length)
		trainer_snap(t);
	if (!t->result->ended && keeper_due_after_epoch(t))
		keeper_write(t);
}

static bool train_epochs(struct trainer *t, struct error *error) {
	struct run_result *r = t->result;
	while (r->epochs_count < experiment_epochs(t->experiment) && !r->stopped_early && !r->ended) {
		double start = train_seconds(), ratings = t->ratings, loss = NAN;
		size_t epoch = r->epochs_count + 1;
		if (!train_epoch(t, epoch, &loss, error)) {
			if (halve_rate(t, error))
				continue;
			return false;
		}
		if (!trainer_end_epoch(t, epoch, loss, train_seconds() - start, t->ratings - ratings, error))
			return false;
		keep_epoch(t);
	}
	return true;
}

// Without an epoch the weights are those that the graph starts with; that is one epoch without a loss, as models are.
static bool train_weights(struct trainer *t, struct error *error) {
	if (!experiment_epochs(t->experiment))
		return trainer_end_epoch(t, 1, NAN, 0, 0, error);
	begin(t);
	return t->descent ? train_lbfgs(t, error) : train_epochs(t, error);
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
	if (!t->backend->sync(t->device, error))
		return false;
	train_describe(t->experiment, t->matrices, t->graph, &t->result->graph);
	t->result->tensors_count = network_tensors(t->network, &t->graph->arena, &t->result->tensors);
	run_hash_tensors(t->result);
	return run_check_weights(t->result, error);
}

bool train_open_backend(const struct experiment *experiment, struct pool *pool, const struct backend **ret_backend,
                        struct device **ret_device, struct error *error) {
	const struct precision_row *precision = (const struct precision_row *)experiment->precision.row;
	const struct backend_options options = {.tf32 = precision->tf32};
	return backend_open((const struct backend *)experiment->backend.row, pool, &options, ret_backend, ret_device,
	                    error);
}

bool train_backend_check(const struct experiment *experiment, struct pool *pool, size_t *ret_left,
                         struct error *error) {
	const struct backend *backend;
	struct device *device;
	struct error cause = {0};
	size_t left = SIZE_MAX, all;
	if (train_open_backend(experiment, pool, &backend, &device, &cause)) {
		if (ret_left && backend->apart)
			backend->memory(device, &left, &all);
		if (ret_left)
			*ret_left = left;
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
	                    .pool = pool};
	*ret_backend = NULL;
	if (!train_open_backend(experiment, pool, &t.backend, &t.device, error))
		return false;
	*ret_backend = memory_copy_string(t.backend->describe(t.device));
	bool good = train_all(&t, error);
	struct text snapshot = t.snapshot;
	t.snapshot = (struct text){0};
	trainer_finish(&t);
	if (!good && t.diverged.epoch)
		diverged_explain(&t, &snapshot, error);
	text_finish(&snapshot);
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
