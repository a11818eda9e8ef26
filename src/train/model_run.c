// See model_run.h.
#include "train/model_run.h"

#include "train/outcome.h"
#include "train/train.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 256 };
static const size_t SCORES_MOST = (size_t)1 << 24; // numbers of a block, 64 MiB

struct fitting {
	const struct experiment *experiment;
	const struct matrices *matrices;
	const struct backend *backend;
	struct device *device;
	struct pool *pool;
	struct batch batch;
	struct model_scorer *scorer;
	struct evaluation evaluation;
};

bool model_plan(const struct experiment *experiment, const struct matrices *matrices, struct errors *errors) {
	const struct model *model = model_of(experiment->model);
	size_t before = errors->count;
	if (model->check)
		model->check(experiment->model->kind.params, matrices, value_origin(experiment->tree, "model"), errors);
	return errors->count == before;
}

static struct matrix score_all(void *context, const struct batch *batch) {
	return model_score(context, batch);
}

static bool fit(struct fitting *f, struct run_result *r, struct error *error) {
	const struct matrices *m = f->matrices;
	double start = train_seconds();
	r->fitted = memory_alloc(sizeof(*r->fitted));
	if (!model_of(f->experiment->model)->fit(f->experiment->model->kind.params, m, f->pool, r->fitted, error))
		return false;
	run_add_phase(r, "fit", train_seconds() - start, (double)csr_count(&m->train));
	r->tensors = r->fitted->tensors;
	r->tensors_count = r->fitted->tensors_count;
	run_hash_tensors(r);
	r->final_epoch = 1;
	return run_check_weights(r, error);
}

// Fills (PARTS) sources and returns their number.
static size_t list_sources(const struct matrices *m, struct batch_source *ret) {
	const struct csr *features = m->features.start ? &m->features : NULL; // which no model reads, but batches hold
	const struct part *parts[] = {&m->valid, &m->test};
	size_t count = 1;
	ret[0] = (struct batch_source){.ratings = &m->train, .features = features, .target = &m->train};
	for (size_t i = 0; i < 2; i++)
		if (parts[i]->target.start)
			ret[count++] =
			    (struct batch_source){.ratings = parts[i]->input, .features = features, .target = &parts[i]->target};
	return count;
}

static size_t block_rows(const struct matrices *m) {
	size_t rows = BLOCK_ROWS < m->train.rows ? BLOCK_ROWS : m->train.rows, fit = SCORES_MOST / m->items;
	return fit < 1 ? 1 : fit < rows ? fit : rows;
}

void model_measure(const struct experiment *e, const struct matrices *m, size_t threads, double *ret_fit,
                   double *ret_batch, double *ret_evaluation) {
	struct batch_source sources[PARTS];
	struct batch_measure batch;
	size_t rows = block_rows(m);
	batch_measure(sources, list_sources(m, sources), rows, &batch);
	*ret_fit = model_of(e->model)->bytes(e->model->kind.params, m);
	*ret_batch = batch.bytes + sizeof(real) * (double)rows * (double)m->items;
	*ret_evaluation = evaluation_measure(e, m, rows, threads);
}

static bool make_scorer(struct fitting *f, const struct fitted *fitted, struct error *error) {
	const struct matrices *m = f->matrices;
	struct batch_source sources[PARTS];
	size_t sources_count = list_sources(m, sources), rows = block_rows(m);
	if (!batch_create(sources, sources_count, rows, &f->batch, error) ||
	    !model_scorer_create(fitted, f->backend, f->device, f->pool, rows, &f->scorer, error))
		return false;
	f->evaluation = (struct evaluation){.experiment = f->experiment,
	                                    .matrices = m,
	                                    .scorer = {.context = f->scorer, .all = score_all},
	                                    .no_cells = !model_of(f->experiment->model)->rates,
	                                    .batch = &f->batch,
	                                    .pool = f->pool,
	                                    .rows = rows,
	                                    .full_rows = rows};
	return evaluation_begin(&f->evaluation, error);
}

// The only epoch, whose validation part is final as well.
static void add_epoch(const struct fitting *f, struct arena *arena, double seconds, struct run_result *r) {
	const struct metric_use *first = &f->experiment->uses[0];
	const struct part_result *valid = &r->final[PART_VALID];
	r->epochs = memory_alloc(sizeof(*r->epochs));
	r->epochs_count = 1;
	r->epochs[0] =
	    (struct epoch_result){.epoch = 1, .train_loss = NAN, .refed_loss = NAN, .valid = *valid, .seconds = seconds};
	r->final_loss = NAN;
	r->best_metric = valid->exists ? arena_format(arena, "valid.%s", first->name) : "train.loss";
	r->best_value = valid->exists ? valid->metric[0] : (double)NAN;
	r->best_epoch = isnan(r->best_value) ? 0 : 1;
}

static bool evaluate_all(struct fitting *f, struct run_result *r, struct error *error) {
	const struct matrices *m = f->matrices;
	const struct csr *targets[PARTS] = {&m->train, &m->valid.target, &m->test.target};
	double start = train_seconds(), evaluated = 0;
	for (int part = 0; part < PARTS; part++) {
		bool users = part == run_users_part(m);
		if (users ? !evaluate_part_users(&f->evaluation, part, &r->final[part], &r->users[part], error)
		          : !evaluate_part(&f->evaluation, part, &r->final[part], error))
			return false;
		evaluated += (double)csr_count(targets[part]);
	}
	run_add_phase(r, "evaluate", train_seconds() - start, evaluated);
	return run_baselines(&f->evaluation, r, error);
}

bool model_run(const struct experiment *experiment, const struct matrices *matrices, struct arena *arena,
               struct pool *pool, struct run_result *ret, char **ret_backend, struct error *error) {
	struct fitting f = {.experiment = experiment, .matrices = matrices, .pool = pool};
	double start = train_seconds();
	*ret_backend = NULL;
	if (!train_open_backend(experiment, pool, &f.backend, &f.device, error))
		return false;
	*ret_backend = memory_copy_string(f.backend->describe(f.device));
	bool good = fit(&f, ret, error);
	double fitted = train_seconds() - start;
	good = good && make_scorer(&f, ret->fitted, error) && evaluate_all(&f, ret, error);
	if (good) {
		add_epoch(&f, arena, fitted, ret);
		model_describe(experiment->model, matrices, arena, &ret->graph);
	}
	model_scorer_destroy(f.scorer);
	batch_destroy(&f.batch);
	evaluation_finish(&f.evaluation);
	f.backend->close(f.device);
	return good;
}
