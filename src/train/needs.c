// See needs.h. Sizes are those by which trainer.c and evaluate.c allocate; what is as small as a list of names is left
// out.
#include "train/needs.h"

#include "base/number.h"
#include "base/space.h"
#include "nn/state.h"
#include "train/checkpoint.h"
#include "train/model_run.h"
#include "train/outcome.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

const char *const need_names[NEEDS] = {"network", "batches", "evaluation", "copies"};

// --- memory ---

// held: the device gathers the batches.
static double batches_bytes(const struct experiment *e, const struct matrices *m, const struct trainer_shape *shape,
                            bool held) {
	struct batch_measure evaluated, trained, refed = {0};
	double made = held ? GATHERED_MOST : (double)(shape->batches * shape->runs);
	batch_measure(shape->sources, shape->sources_count, shape->rows, &evaluated);
	if (held)
		batch_measure_counts(shape->trained_rows, &trained);
	else
		batch_measure(shape->sources, 1, shape->trained_rows, &trained);
	if (e->train->refeed)
		batch_measure_full(&shape->sources[0], shape->trained_rows, &refed);
	double packed =
	    sizeof(uint32_t) * (2 * (double)m->train.rows + (double)csr_count(&m->train) + (double)csr_count(&m->features));
	double order = ORDER_ROW_BYTES * (double)m->train.rows;
	double evaluating = (double)(1 + (shape->readers ? shape->readers + 1 : 0)) * evaluated.bytes;
	return evaluating + made * trained.bytes + fmin((double)e->train->refeed, 2) * refed.bytes + packed + order;
}

// The best ones, the last good ones, and those of the result; of L-BFGS its steps and gradients.
static double copies_bytes(const struct experiment *e, const struct graph *graph) {
	double weights = sizeof(real) * (double)graph->weights, bytes = weights;
	if (e->train->early_stop)
		bytes += weights;
	if (train_halves_rate(e->train))
		bytes += (double)network_state_size(graph) + (e->train->early_stop ? weights : 0);
	return bytes + graph_descent_bytes(graph);
}

// What the host has where the network is a device's: weights or scores on their way, batches, and what is said of
// rankings there (two lists of columns, the best and their counts, pairs).
static double transfer_bytes(const struct graph *graph, const struct trainer_shape *shape) {
	static const double STAGING = 1 << 23; // of a device, for uploads
	const struct network_room *room = &shape->room;
	double rows = (double)room->full_rows, width = (double)graph->output->width;
	double numbers = fmax((double)graph->weights, rows * width);
	double block = fmax((double)room->block_bytes, (double)shape->upload_bytes);
	double ranks = 4.0 * (double)(room->rating_entries + room->cells) + rows * ((double)room->rank_k + 7) + width;
	return STAGING + sizeof(real) * numbers + block + 2.5 * (double)room->block_bytes +
	       (room->rank_k ? sizeof(uint32_t) * ranks : 0);
}

static void measure_training(const struct experiment *e, const struct matrices *m, const struct graph *graph,
                             size_t threads, size_t device_left, struct train_needs *ret) {
	struct trainer_shape shape;
	struct device_needs device = {0};
	trainer_measure(e, m, graph, threads, &shape);
	const struct backend *backend = (const struct backend *)e->backend.row;
	if (backend->apart) {
		trainer_place(backend, graph, device_left, &shape, &device);
		ret->memory[NEED_NETWORK] = transfer_bytes(graph, &shape);
	} else {
		ret->memory[NEED_NETWORK] = (double)network_bytes(graph, backend, &shape.room);
	}
	if (shape.readers)
		ret->memory[NEED_NETWORK] += (double)shape.readers * (double)network_bytes(graph, backend, &shape.reader_room);
	ret->memory[NEED_BATCHES] = batches_bytes(e, m, &shape, device.held);
	ret->memory[NEED_EVALUATION] = evaluation_measure(e, m, shape.rows, threads);
	ret->memory[NEED_KEPT] = copies_bytes(e, graph);
	double best = e->train->early_stop ? sizeof(real) * (double)graph->weights : 0;
	double descent = graph->optimizer->descends ? descent_size(graph->trainable, graph->optimizer_params) : 0;
	ret->checkpoint = e->train->checkpoint->share > 0 ? (double)network_state_size(graph) + best + descent : 0;
}

// --- disk ---

static double titles_bytes(const struct dataset *data) {
	double bytes = 0;
	for (size_t i = 0; data->titles && i < data->items.count; i++)
		bytes += data->titles[i] ? (double)strlen(data->titles[i]) + 1 : 1;
	return bytes;
}

// Ids and titles in JSON that is a string of JSON: quotes, commas and what is escaped.
static double header_bytes(const struct matrices *m) {
	enum {
		QUOTED = 6,
		COUNT = 8,
		MORE = 1 << 14
	}; // bytes: of an id's quotes and comma; of its popularity; of the rest
	const struct dataset *data = m->dataset;
	double bytes = (double)data->items.bytes_used + (QUOTED + COUNT) * (double)data->items.count;
	if (m->items_as_rows)
		bytes += (double)data->users.bytes_used + QUOTED * (double)data->users.count;
	return bytes + titles_bytes(data) + (data->titles ? QUOTED * (double)data->items.count : 0) + MORE;
}

// Rows of numbers as text, and pictures.
static double text_bytes(const struct experiment *e, const struct matrices *m) {
	enum { NUMBER = 20, PLACES = 3, PICTURES = 1 << 18 }; // PLACES: metrics.json, history.jsonl, loss.tsv
	double row = NUMBER * (double)(e->uses_count + 2), epochs = e->train ? (double)experiment_epochs(e) : 1;
	const struct part *part = run_users_part(m) == PART_TEST ? &m->test : &m->valid;
	double users = (double)run_users_most(m, &part->target);
	return PLACES * epochs * row + users * row + PICTURES;
}

static double attributes_bytes(const struct attributes *attributes) {
	double bytes = 0;
	for (size_t i = 0; i < attributes->count; i++) {
		const struct attribute *a = &attributes->items[i];
		bytes += a->numeric ? sizeof(*a->number) * (double)attributes->rows
		                    : sizeof(*a->start) * (double)attributes->rows +
		                          sizeof(*a->level) * (double)a->start[attributes->rows];
	}
	return bytes;
}

static double cache_bytes(const struct dataset *d) {
	double rating = sizeof(*d->user) + sizeof(*d->item) + sizeof(*d->rating) + (d->time ? sizeof(*d->time) : 0) +
	                (d->part ? sizeof(*d->part) : 0);
	double names = (double)d->users.bytes_used + (double)d->items.bytes_used +
	               sizeof(uint32_t) * ((double)d->users.count + (double)d->items.count);
	return rating * (double)d->count + names + titles_bytes(d) + attributes_bytes(&d->user_attributes) +
	       attributes_bytes(&d->item_attributes);
}

void train_measure(const struct experiment *e, const struct matrices *m, const struct graph *graph, size_t threads,
                   size_t device_left, struct train_needs *ret) {
	double tensors;
	*ret = (struct train_needs){0};
	if (e->model) {
		const struct model *model = model_of(e->model);
		model_measure(e, m, threads, &ret->memory[NEED_NETWORK], &ret->memory[NEED_BATCHES],
		              &ret->memory[NEED_EVALUATION]);
		tensors = sizeof(float) * (double)model->parameters(e->model->kind.params, m);
	} else {
		measure_training(e, m, graph, threads, device_left, ret);
		tensors = sizeof(float) * (double)graph->weights;
	}
	for (size_t i = 0; i < NEEDS; i++)
		ret->memory_total += ret->memory[i];
	ret->files = tensors + header_bytes(m) + text_bytes(e, m);
	ret->disk = ret->files + (CHECKPOINTS_KEPT + 1) * ret->checkpoint;
	ret->cache = cache_bytes(m->dataset);
}

// --- whether it is there ---

static bool fits_memory(const struct train_needs *needs, struct error *error) {
	struct space_memory space;
	char wanted[NUMBER_TEXT], left[NUMBER_TEXT];
	space_memory("", &space);
	if (needs->memory_total <= space.bytes)
		return true;
	number_write_bytes(needs->memory_total, wanted);
	number_write_bytes(space.bytes, left);
	error_set(error, ERROR_RUN, "training needs %s of memory more, and %s %s are left", wanted, left, space.limit);
	error_hint(error, "`aexp plan` says what for: a smaller train.batch, or fewer units, need less.");
	return false;
}

// No file may be longer, whatever is free.
static bool fits_limit(const struct train_needs *needs, struct error *error) {
	struct rlimit most;
	double longest = fmax(needs->checkpoint, needs->files);
	char wanted[NUMBER_TEXT], allowed[NUMBER_TEXT];
	if (getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur == RLIM_INFINITY || longest <= (double)most.rlim_cur)
		return true;
	number_write_bytes(longest, wanted);
	number_write_bytes((double)most.rlim_cur, allowed);
	return error_set(error, ERROR_RUN, "a file of up to %s is needed, and ulimit -f allows %s", wanted, allowed);
}

static bool fits_disk(const struct train_needs *needs, const char *folder, const char *checkpoints,
                      struct error *error) {
	enum { FILES = 40 }; // of a run: its folder twice, checkpoints, temporaries and locks
	struct space_disk space;
	double wanted = fmax(needs->disk - space_taken(checkpoints), 0);
	char text[2][NUMBER_TEXT];
	if (!space_disk(folder, &space))
		return true; // whoever writes there will say why
	number_write_bytes(wanted, text[0]);
	number_write_bytes(space.bytes, text[1]);
	if (wanted > space.bytes)
		error_set(error, ERROR_RUN, "\"%s\" needs %s of disk, and %s are free there", folder, text[0], text[1]);
	else if (space.files < FILES)
		error_set(error, ERROR_RUN, "\"%s\" needs %d files, and %.0f more can be made there", folder, FILES,
		          space.files);
	else
		return true;
	error_hint(error, "Make room, or name another results root with -o.");
	return false;
}

bool train_fits(const struct train_needs *needs, const char *folder, const char *checkpoints, struct error *error) {
	return fits_memory(needs, error) && fits_limit(needs, error) && fits_disk(needs, folder, checkpoints, error);
}
