// What the tests of this floor share: an experiment's graph, loss and optimizer read from a text, and small random data.
#ifndef AEXP_TESTS_NN_GRAPH_TEST_H
#define AEXP_TESTS_NN_GRAPH_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "config/read.h"
#include "data/csr.h"
#include "nn/network.h"

struct model {
	struct groups graph;
	struct loss_config *loss;
	struct optimizer_config *optimizer;
	struct groups alternate;
};
static const struct key model_keys[] = {
	{ .name = "graph", .type = KEY_LIST, .flags = KEY_REQUIRED, .offset = offsetof(struct model, graph),
	  .schema = &node_schema, .doc = "The nodes" },
	{ .name = "loss", .type = KEY_GROUP, .offset = offsetof(struct model, loss), .fallback = "\"masked_mse\"",
	  .schema = &loss_schema, .doc = "The loss" },
	{ .name = "optimizer", .type = KEY_GROUP, .offset = offsetof(struct model, optimizer), .fallback = "\"sgd\"",
	  .schema = &optimizer_schema, .doc = "The optimizer" },
	{ .name = "alternate", .type = KEY_LIST, .offset = offsetof(struct model, alternate), .schema = &phase_schema,
	  .doc = "The phases" },
};
static const struct schema model_schema = SCHEMA(struct model, model_keys);

struct parsed {
	struct arena arena;
	const struct value *tree;
	struct model model;
	struct errors errors;
};

// Reads the text by way of a file; whatever is wrong is in errors.
static inline void parse_model(const char *text, struct parsed *ret) {
	*ret = (struct parsed){ 0 };
	char path[] = "/tmp/aexp-graph-XXXXXX";
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
	close(descriptor);
	ret->tree = config_load(path, NULL, 0, &model_schema, &ret->arena, &ret->errors);
	unlink(path);
	if (ret->tree)
		schema_read(&model_schema, ret->tree, "", &ret->arena, &ret->model, &ret->errors);
}

static inline void parsed_finish(struct parsed *parsed) {
	errors_finish(&parsed->errors);
	arena_finish(&parsed->arena);
}

// --- what the networks run on: openblas, or the backend of the registry that AEXP_TEST_BACKEND names ---

static const struct backend *tested; // its table, once it has been opened

static inline const struct backend *tested_row(void) {
	const char *name = getenv("AEXP_TEST_BACKEND");
	for (size_t i = 0; name && i < backend_registry.count; i++)
		if (!strcmp(name, backend_registry.rows[i]->name))
			return (const struct backend *)backend_registry.rows[i];
	assert_null(name);
	return &backend_openblas;
}
static inline bool open_tested(struct pool *pool, struct device **ret) {
	struct error error = { 0 };
	if (!backend_open(tested_row(), pool, NULL, &tested, ret, &error))
		fail_msg("%s", error.message);
	return true;
}
// The network's weights as they are; the caller frees.
static inline real *weights_of(const struct network *n) {
	real *weights = memory_alloc(n->graph->weights * sizeof(*weights));
	n->backend->download(n->device, weights, n->weights, n->graph->weights * sizeof(*weights));
	return weights;
}

static inline bool plan_model(struct parsed *parsed, const struct graph_shape *shape, struct graph *ret) {
	struct graph_shape there = *shape;
	there.whole = tested_row()->whole;
	return graph_plan(&parsed->model.graph, parsed->model.loss, parsed->model.optimizer, &parsed->model.alternate, &there,
	                  parsed->tree, ret, &parsed->errors);
}

// --- random numbers: any will do (Knuth's MMIX generator) ---

static inline uint32_t draw(uint64_t *state) {
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 32);
}
static inline size_t draw_below(uint64_t *state, size_t limit) { return draw(state) % limit; }
static inline double draw_between(uint64_t *state, double low, double high) {
	return low + (high - low) * ((double)draw(state) / 4294967296.0);
}

// Each cell is stored with the given probability; every fifth row is empty.
static inline void make_csr(uint64_t *state, size_t rows, size_t columns, double density, struct csr *ret) {
	*ret = (struct csr){ .rows = rows, .columns = columns };
	ret->start = memory_alloc((rows + 1) * sizeof(*ret->start));
	ret->column = memory_alloc(rows * columns * sizeof(*ret->column));
	ret->value = memory_alloc(rows * columns * sizeof(*ret->value));
	size_t count = 0;
	for (size_t i = 0; i < rows; i++) {
		ret->start[i] = count;
		for (size_t j = 0; i % 5 != 3 && j < columns; j++) {
			if (draw_between(state, 0, 1) >= density)
				continue;
			ret->column[count] = (uint32_t)j;
			ret->value[count++] = (float)draw_between(state, 0.05, 0.95);
		}
	}
	ret->start[rows] = count;
}

#endif
