// What the tests of this floor share: a schema with every type of key, files in a folder of their own, errors as text.
#ifndef AEXP_TESTS_CONFIG_SUPPORT_H
#define AEXP_TESTS_CONFIG_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/read.h"
#include "config/tree.h"

// ---- a schema ----

struct momentum_params {
	double rate, momentum;
	bool nesterov;
};
struct decay_params {
	double rate, rho;
	int64_t warmup;
};
struct init {
	struct choice kind;
};
struct init_params {
	double sd;
};
struct dense_params {
	struct units units;
	struct choice activation;
	struct init *init;
	double l2;
};
struct drop_params {
	double rate;
};
struct node {
	const char *name;
	struct strings inputs;
	struct choice op;
};
struct optimizer {
	struct choice kind;
	bool clip;
};
struct file_source {
	const char *path;
	struct column_ref user, item;
};
struct stop {
	int64_t patience;
};
struct everything {
	const char *name;
	uint64_t seed;
	int64_t repeats;
	bool shuffle;
	double liked;
	struct reals thresholds;
	struct strings metrics;
	struct optimizer *optimizer;
	struct stop *stop;
	struct file_source *source;
	struct groups graph;
};

#define ROW(name_, doc_, ...)                                                                                          \
	static const struct row name_ = {.name = doc_, .doc = "the row " doc_, .params = __VA_ARGS__}
#define KEY(struct_, field, type_, ...)                                                                                \
	{ .name = #field, .type = type_, .offset = offsetof(struct struct_, field), .doc = "the key " #field, __VA_ARGS__ }

static const struct key momentum_keys[] = {
    KEY(momentum_params, rate, KEY_REAL, .fallback = "0.01", .min = 0, .max = 1, .flags = KEY_OPEN_MIN),
    KEY(momentum_params, momentum, KEY_REAL, .fallback = "0.0", .min = 0, .max = 1, .flags = KEY_OPEN_MAX),
    KEY(momentum_params, nesterov, KEY_BOOL, .fallback = "false"),
};
static const struct key decay_keys[] = {
    KEY(decay_params, rate, KEY_REAL, .fallback = "1", .min = 0, .flags = KEY_OPEN_MIN),
    KEY(decay_params, rho, KEY_REAL, .fallback = "0.95", .min = 0, .max = 1, .flags = KEY_OPEN_MAX),
    KEY(decay_params, warmup, KEY_INTEGER, .min = 1, .max = 100),
};
ROW(sgd_row, "sgd", SCHEMA(struct momentum_params, momentum_keys));
ROW(adadelta_row, "adadelta", SCHEMA(struct decay_params, decay_keys));
ROW(plain_row, "plain", SCHEMA_NONE);
static const struct row *const optimizer_rows[] = {&adadelta_row, &plain_row, &sgd_row};
static const struct registry test_optimizers = {
    .what = "optimizer", .plural = "optimizers", .rows = optimizer_rows, .count = 3};

ROW(relu_row, "relu", SCHEMA_NONE);
ROW(sigmoid_row, "sigmoid", SCHEMA_NONE);
static const struct row *const activation_rows[] = {&relu_row, &sigmoid_row};
static const struct registry test_activations = {
    .what = "activation", .plural = "activations", .rows = activation_rows, .count = 2};

static const struct key normal_keys[] = {KEY(init_params, sd, KEY_REAL, .fallback = "0.05", .flags = KEY_OPEN_MIN)};
ROW(normal_row, "normal", SCHEMA(struct init_params, normal_keys));
ROW(zeros_row, "zeros", SCHEMA_NONE);
static const struct row *const init_rows[] = {&normal_row, &zeros_row};
static const struct registry test_inits = {.what = "init", .plural = "inits", .rows = init_rows, .count = 2};
static const struct key init_keys[] = {KEY(init, kind, KEY_TAG, .registry = &test_inits, .fallback = "\"normal\"")};
static const struct schema test_init_schema = SCHEMA(struct init, init_keys);

static const struct key dense_keys[] = {
    KEY(dense_params, units, KEY_UNITS, .flags = KEY_REQUIRED, .max = 1048576),
    KEY(dense_params, activation, KEY_CHOICE, .registry = &test_activations, .fallback = "\"relu\""),
    KEY(dense_params, init, KEY_GROUP, .schema = &test_init_schema, .fallback = "\"normal\""),
    KEY(dense_params, l2, KEY_REAL, .fallback = "0.0", .max = INFINITY),
};
static const struct key drop_keys[] = {
    KEY(drop_params, rate, KEY_REAL, .flags = KEY_REQUIRED | KEY_OPEN_MAX, .max = 1)};
ROW(dense_row, "dense", SCHEMA(struct dense_params, dense_keys));
ROW(drop_row, "dropout", SCHEMA(struct drop_params, drop_keys));
static const struct row *const op_rows[] = {&dense_row, &drop_row};
static const struct registry test_ops = {.what = "op", .plural = "ops", .rows = op_rows, .count = 2};

static const struct key node_keys[] = {
    KEY(node, name, KEY_STRING, .flags = 0),
    KEY(node, inputs, KEY_STRINGS, .flags = 0),
    KEY(node, op, KEY_TAG, .registry = &test_ops, .flags = KEY_REQUIRED),
};
static const struct schema test_node_schema = SCHEMA(struct node, node_keys);
static const struct key optimizer_keys[] = {
    KEY(optimizer, kind, KEY_TAG, .registry = &test_optimizers, .fallback = "\"adadelta\""),
    KEY(optimizer, clip, KEY_BOOL, .fallback = "false"),
};
static const struct schema test_optimizer_schema = SCHEMA(struct optimizer, optimizer_keys);
static const struct key stop_keys[] = {KEY(stop, patience, KEY_INTEGER, .flags = KEY_REQUIRED, .min = 1)};
static const struct schema stop_schema = SCHEMA(struct stop, stop_keys);
static const struct key source_keys[] = {
    KEY(file_source, path, KEY_PATH, .flags = 0),
    KEY(file_source, user, KEY_COLUMN, .fallback = "1"),
    KEY(file_source, item, KEY_COLUMN, .flags = 0),
};
static const struct schema source_schema = SCHEMA(struct file_source, source_keys);
static const struct key everything_keys[] = {
    KEY(everything, name, KEY_STRING, .fallback = "\"no name\"", .flags = KEY_NO_ID),
    KEY(everything, seed, KEY_SEED, .fallback = "2017"),
    KEY(everything, repeats, KEY_INTEGER, .fallback = "1", .min = 1, .max = 1000),
    KEY(everything, shuffle, KEY_BOOL, .fallback = "true"),
    KEY(everything, liked, KEY_REAL, .flags = 0),
    KEY(everything, thresholds, KEY_REALS, .flags = 0),
    KEY(everything, metrics, KEY_STRINGS, .fallback = "( \"mse\", \"rmse\" )"),
    KEY(everything, optimizer, KEY_GROUP, .schema = &test_optimizer_schema, .fallback = "{ }"),
    KEY(everything, stop, KEY_GROUP, .schema = &stop_schema),
    KEY(everything, source, KEY_GROUP, .schema = &source_schema),
    KEY(everything, graph, KEY_LIST, .schema = &test_node_schema),
};
static const struct schema test_schema = SCHEMA(struct everything, everything_keys);

// ---- errors as text ----

// "file:line: message" and below it "  hint", an error after the other.
static inline char *errors_text(const struct errors *errors) {
	struct text text = {0};
	for (size_t i = 0; i < errors->count; i++) {
		char line[ERROR_FILE_MAX + ERROR_TEXT_MAX];
		assert_int_equal(errors->items[i].code, ERROR_CONFIG);
		error_format(&errors->items[i], line, sizeof line);
		text_format(&text, "%s\n", line);
		if (errors->items[i].hint[0] != '\0')
			text_format(&text, "  %s\n", errors->items[i].hint);
	}
	char *copy = memory_copy_string(text_string(&text));
	text_finish(&text);
	return copy;
}

static inline void assert_errors(const struct errors *errors, const char *expected) {
	char *text = errors_text(errors);
	assert_string_equal(text, expected);
	free(text);
}

static inline struct value *parse_text(const char *text, size_t length, struct arena *arena, struct errors *errors) {
	return tree_parse(&(struct source_text){.text = text, .length = length, .at = {.file = "x.cfg"}, .lines = true},
	                  arena, errors);
}

// ---- files ----

struct folder {
	char path[64];
};

static inline struct folder folder_make(void) {
	struct folder folder = {.path = "/tmp/aexp-config-XXXXXX"};
	assert_non_null(mkdtemp(folder.path));
	return folder;
}

static inline void folder_clear(const struct folder *folder) {
	assert_true(folder_remove(folder->path, NULL));
}

// A path within the folder; from the arena.
static inline char *folder_file(const struct folder *folder, const char *name, struct arena *arena) {
	return arena_format(arena, "%s/%s", folder->path, name);
}

static inline void folder_write(const struct folder *folder, const char *name, const char *text) {
	struct arena arena = {0};
	char *path = folder_file(folder, name, &arena), *parent = path_folder(path);
	assert_true(folder_create(parent, NULL));
	assert_true(file_write(path, text, strlen(text), NULL));
	free(parent);
	arena_finish(&arena);
}

// ---- random numbers of the tests' own (Knuth's MMIX generator): any will do ----

static inline uint64_t draw(uint64_t *state) {
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 16 ^ *state << 31;
}

static inline size_t draw_below(uint64_t *state, size_t limit) {
	return (size_t)((draw(state) >> 8) % limit);
}

#endif
