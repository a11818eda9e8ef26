// Trains a small network in double precision by what a text says of graph, loss and optimizer, and writes down what an
// implementation elsewhere needs to follow it: the data, the initial weights, each step's targets and loss, the weights in
// the end.
// One JSON object a line.
// Usage: optimizers MODEL STEPS BATCH [TIMES]   where rows come in order, BATCH at a time, round and round; each step is an
// epoch; TIMES that the output of a step is re-fed, 0 where it is left out
#include "../nn/graph_test.h"
#include "nn/phase.h"
#include "train/refeed.h"

enum { ROWS = 24, ITEMS = 14, SEED = 7 };
static const uint8_t trained[ROWS] = { 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static void write_numbers(const char *name, const real *values, size_t count) {
	printf("\"%s\": [", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%.17g", i ? ", " : "", (double)values[i]);
	printf("]");
}

// The stored cells as triples of row, item, value; whether the rows have ids of their own.
static void write_data(const struct csr *ratings) {
	printf("{\"rows\": %zu, \"items\": %zu, \"cells\": [", ratings->rows, ratings->columns);
	for (size_t i = 0; i < ratings->rows; i++)
		for (size_t k = ratings->start[i]; k < ratings->start[i + 1]; k++)
			printf("%s[%zu, %u, %.17g]", k ? ", " : "", i, ratings->column[k], (double)ratings->value[k]);
	printf("], \"trained\": [");
	for (size_t i = 0; i < ROWS; i++)
		printf("%s%d", i ? ", " : "", trained[i]);
	printf("]}\n");
}

// The same of a batch's targets.
static void write_cells(const struct sparse *s) {
	printf("[");
	for (size_t i = 0; i < s->rows; i++)
		for (uint32_t k = s->start[i]; k < s->start[i + 1]; k++)
			printf("%s[%zu, %u, %.17g]", k ? ", " : "", i, s->column[k], (double)s->value[k]);
	printf("]");
}

// As the model has them: dense weights (inputs, units).
static void write_weights(const struct network *n, const char *kind) {
	for (size_t k = 0; k < n->graph->parameters_count; k++) {
		const struct parameter *p = &n->graph->parameters[k];
		size_t rows = p->transposed ? p->columns : p->rows, columns = p->transposed ? p->rows : p->columns;
		real *values = memory_alloc(rows * columns * sizeof(*values));
		for (size_t i = 0; i < rows; i++)
			for (size_t j = 0; j < columns; j++)
				values[i * columns + j] = n->weights[p->transposed ? parameter_place(p, j, i) : parameter_place(p, i, j)];
		printf("{\"%s\": \"%s.%s\", \"shape\": [%zu, %zu], ", kind, p->node->name, p->suffix, p->vector ? 1 : rows,
		       p->vector ? rows * columns : columns);
		write_numbers("data", values, rows * columns);
		printf("}\n");
		free(values);
	}
}

// What the last step drew, where a node keeps it: (rows, width).
static void write_noise(const struct network *n, size_t rows) {
	for (size_t k = 0; k < n->graph->nodes_count; k++) {
		const struct slot *slot = &n->slots[k];
		size_t width = n->graph->nodes[k].width;
		for (size_t i = 0; slot->noise && i < rows; i++)
			for (size_t j = 0; j < width; j++)
				printf("%s%.17g", i + j ? ", " : ", \"noise\": [", (double)slot->noise[i * slot->stride + j]);
		printf("%s", slot->noise ? "]" : "");
	}
}

static void train(const struct graph *graph, const struct csr *ratings, size_t steps, size_t rows, size_t times) {
	struct negatives negatives = { random_stream_make(SEED, "negatives", ""), (size_t)graph->loss_config->negatives, 0 };
	struct batch_source source = { .ratings = ratings, .target = ratings, .trained = trained,
		                           .negatives = negatives.per_entry ? &negatives : NULL };
	struct batch batch;
	struct refeed refeed;
	struct device *device;
	struct network *network;
	uint32_t row[ROWS];
	assert_true(batch_create(&source, 1, rows, &batch, NULL));
	struct network_room room = { .rows = rows, .cells = batch_cells_most(&batch),
		                         .rating_entries = batch_rating_entries_most(&batch) };
	assert_true(refeed_create(&source, rows, times, &refeed, NULL));
	if (times)
		refeed_room(rows, ITEMS, &room);
	assert_true(backend_openblas.open(&backend_openblas, NULL, NULL, &device, NULL));
	assert_true(network_create(graph, device, &backend_openblas, SEED, &room, &network, NULL));
	write_data(ratings);
	write_weights(network, "initial");
	for (size_t step = 0; step < steps; step++) {
		bool ends;
		network_set_phase(network, phase_at(graph, step + 1, &ends));
		for (size_t i = 0; i < rows; i++)
			row[i] = (uint32_t)((step * rows + i) % ROWS);
		negatives.epoch = (uint32_t)step;
		batch_gather(&batch, &source, row, rows);
		batch_transpose(&batch);
		printf("{\"target\": ");
		write_cells(&batch.target);
		double loss;
		assert_true(refeed_train(&refeed, network, &batch, (uint32_t)step, step + 1, &loss, NULL));
		printf(", \"loss\": %.17g", loss);
		write_noise(network, rows);
		if (ends)
			network_renew(network);
		printf("}\n");
	}
	network_settle(network);
	write_weights(network, "final");
	network_destroy(network);
	backend_openblas.close(device);
	batch_destroy(&batch);
	refeed_finish(&refeed);
}

static char *read_text(const char *path) {
	static char text[4096];
	FILE *file = fopen(path, "r");
	text[file ? fread(text, 1, sizeof(text) - 1, file) : 0] = '\0';
	if (file)
		fclose(file);
	return text;
}

int main(int argc, char **argv) {
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: optimizers MODEL STEPS BATCH [TIMES]\n");
		return ERROR_CONFIG;
	}
	struct csr ratings;
	struct parsed parsed;
	struct graph graph = { 0 };
	uint64_t seed = SEED;
	size_t batch = strtoul(argv[3], NULL, 10), times = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	struct graph_shape shape = { ITEMS, 0, batch, 1, 0, 1, ROWS }; // sparse, unless a path says otherwise
	make_csr(&seed, ROWS, ITEMS, 0.4, &ratings);
	parse_model(read_text(argv[1]), &parsed);
	bool good = !parsed.errors.count && batch && batch <= ROWS && plan_model(&parsed, &shape, &graph);
	if (good)
		train(&graph, &ratings, strtoul(argv[2], NULL, 10), batch, times);
	for (size_t i = 0; i < parsed.errors.count; i++)
		fprintf(stderr, "%s\n", parsed.errors.items[i].message);
	graph_finish(&graph);
	parsed_finish(&parsed);
	csr_finish(&ratings);
	return good ? 0 : ERROR_CONFIG;
}
