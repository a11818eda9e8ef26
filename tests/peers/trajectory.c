// Writes down what the first steps of a training are made of, for an implementation elsewhere to follow: the initial
// tensors, each step's batch in the order in which it is trained, its loss, and the tensors in the end. One JSON object
// a line. When the steps are one whole epoch or more, the loss that train_run gives for epoch 1 is written too, so that
// the order of rows, which is drawn here once more, is known to be the trained one.
// Usage: trajectory CFG STEPS OUT [KEY=VALUE...]
#include "nn/network.h"
#include "nn/packed.h"
#include "train/train.h"

#include <stdio.h>
#include <stdlib.h>

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	struct graph graph;
	struct device *device;
	struct network *network;
	struct batch batch;
	struct batch_source source;
	struct packed packed; // what training reads
};

// --- setting up

static bool load(const char *path, const char *const *overrides, size_t count, struct world *w, struct errors *errors) {
	struct error error = {0};
	if (!experiment_read(path, overrides, count, &w->experiment, errors))
		return false;
	if (!data_load(w->experiment.data, w->experiment.seed, &w->dataset, &error) ||
	    !matrices_create(w->experiment.data, &w->dataset, w->experiment.seed, &w->matrices, &error)) {
		errors_push(errors, &error);
		return false;
	}
	return train_plan(&w->experiment, &w->matrices, &w->graph, errors);
}

static bool make_network(struct world *w, struct error *error) {
	const struct backend *backend = (const struct backend *)w->experiment.backend.row;
	size_t rows = w->graph.shape.batch;
	const struct csr *features = w->matrices.features.start ? &w->matrices.features : NULL;
	w->source = (struct batch_source){.ratings = &w->matrices.train,
	                                  .features = features,
	                                  .target = &w->matrices.train,
	                                  .trained = w->graph.row ? w->matrices.row_trained : NULL};
	if (!packed_create(w->source.ratings, features, &w->packed, error))
		return false;
	w->source.packed = w->packed.start ? &w->packed : NULL;
	if (!backend->open(backend, NULL, NULL, &w->device, error) || !batch_create(&w->source, 1, rows, &w->batch, error))
		return false;
	struct network_room room = {.rows = rows,
	                            .cells = batch_cells_most(&w->batch),
	                            .rating_entries = batch_rating_entries_most(&w->batch),
	                            .feature_entries = batch_feature_entries_most(&w->batch)};
	return network_create(&w->graph, w->device, backend, w->experiment.seed, &room, &w->network, error);
}

// --- the order of rows

struct drawn {
	uint32_t key, row;
};

static int compare(const void *a, const void *b) {
	const struct drawn *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

// The rows with targets, by a draw each. Returns their number; rows: (train.rows)
static size_t draw_order(const struct world *w, uint32_t epoch, struct drawn *drawn, uint32_t *rows) {
	const struct csr *train = &w->matrices.train;
	struct random_stream stream = random_stream_make(w->experiment.seed, "order", "");
	size_t count = 0;
	for (uint32_t row = 0; row < train->rows; row++)
		if (train->start[row + 1] > train->start[row])
			drawn[count++] = (struct drawn){random_u32(stream, epoch, row, 0), row};
	qsort(drawn, count, sizeof(*drawn), compare);
	for (size_t i = 0; i < count; i++)
		rows[i] = drawn[i].row;
	return count;
}

// --- writing

static void write_tensors(const struct world *w, const char *kind, FILE *to) {
	struct arena arena = {0};
	struct tensor_facts *tensors;
	size_t count = network_tensors(w->network, &arena, &tensors);
	for (size_t k = 0; k < count; k++) {
		const struct tensor_facts *t = &tensors[k];
		size_t rows = t->shape[0], columns = t->dimensions == 2 ? t->shape[1] : 1;
		fprintf(to, "{\"%s\": \"%s\", \"shape\": [%zu", kind, t->name, rows);
		if (t->dimensions == 2)
			fprintf(to, ", %zu", columns);
		fprintf(to, "], \"data\": [");
		for (size_t i = 0; i < rows * columns; i++)
			fprintf(to, "%s%.9g", i ? ", " : "", (double)t->data[i]);
		fprintf(to, "]}\n");
	}
	arena_finish(&arena);
}

// As triples of row in the batch, column, value.
static void write_sparse(const char *name, const struct sparse *s, FILE *to) {
	fprintf(to, "\"%s\": [", name);
	for (size_t i = 0; i < s->rows; i++)
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			fprintf(to, "%s[%zu, %u, %.9g]", k ? ", " : "", i, s->column[k], (double)s->value[k]);
	fprintf(to, "], ");
}

static double write_step(struct world *w, uint32_t epoch, const uint32_t *rows, size_t count, FILE *to) {
	batch_gather(&w->batch, &w->source, rows, count);
	batch_transpose(&w->batch);
	double loss = network_step(w->network, &w->batch, epoch);
	fprintf(to, "{\"epoch\": %u, \"rows\": [", epoch);
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%s%u", i ? ", " : "", w->batch.row[i]);
	fprintf(to, "], ");
	write_sparse("ratings", &w->batch.ratings, to);
	if (w->source.features)
		write_sparse("user", &w->batch.user, to);
	write_sparse("target", &w->batch.target, to);
	fprintf(to, "\"loss\": %.17g}\n", loss);
	return loss;
}

// The first epoch's loss as train_run sees it.
static bool write_epoch(struct world *w, FILE *to, struct error *error) {
	struct run_result result = {0};
	char *backend = NULL;
	w->experiment.train->epochs = 1;
	bool good = train_run(&w->experiment, &w->matrices, &w->graph, NULL, NULL, &result, &backend, error);
	if (good)
		fprintf(to, "{\"epoch_loss\": %.17g}\n", result.epochs[0].train_loss);
	train_result_finish(&result);
	free(backend);
	return good;
}

static bool write_all(struct world *w, size_t steps, FILE *to, struct error *error) {
	size_t batch = w->graph.shape.batch, done = 0, rows = w->matrices.train.rows, whole = 0;
	struct drawn *drawn = memory_array(rows, sizeof(*drawn), "drawn rows", error);
	uint32_t *order = memory_array(rows, sizeof(*order), "the order of rows", error);
	bool good = drawn && order;
	if (good)
		write_tensors(w, "initial", to);
	for (uint32_t epoch = 1; good && done < steps; epoch++) {
		size_t count = draw_order(w, epoch, drawn, order), first = 0;
		for (; first < count && done < steps; first += batch, done++)
			write_step(w, epoch, order + first, count - first < batch ? count - first : batch, to);
		whole += first >= count;
	}
	if (good)
		write_tensors(w, "final", to);
	free(drawn);
	free(order);
	return good && (!whole || write_epoch(w, to, error));
}

int main(int argc, char **argv) {
	if (argc < 4) {
		fprintf(stderr, "usage: trajectory CFG STEPS OUT [KEY=VALUE...]\n");
		return ERROR_CONFIG;
	}
	struct world w = {0};
	struct errors errors = {0};
	struct error error = {0};
	FILE *to = NULL;
	const char *const *overrides = (const char *const *)argv + 4;
	if (load(argv[1], overrides, (size_t)argc - 4, &w, &errors)) {
		if (!(to = fopen(argv[3], "w")))
			error_set(&error, ERROR_RUN, "cannot write \"%s\"", argv[3]);
		else if (make_network(&w, &error))
			write_all(&w, strtoul(argv[2], NULL, 10), to, &error);
		if (to && fclose(to) && !error.code)
			error_set(&error, ERROR_RUN, "cannot write \"%s\"", argv[3]);
	}
	if (error.code)
		errors_push(&errors, &error);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.items[i].message);
	int code = errors.count ? (int)errors.items[0].code : 0;
	network_destroy(w.network);
	batch_destroy(&w.batch);
	packed_finish(&w.packed);
	if (w.device)
		((const struct backend *)w.experiment.backend.row)->close(w.device);
	graph_finish(&w.graph);
	matrices_finish(&w.matrices);
	dataset_finish(&w.dataset);
	experiment_finish(&w.experiment);
	errors_finish(&errors);
	return code;
}
