// See import.h.
#include "recommend/import.h"

#include "base/hash.h"
#include "base/nearest.h"
#include "nn/network.h"

#include <stdlib.h>
#include <string.h>

// What a parameter may be called. turned: of a dense node, (units, inputs) where the file is not our own.
static const struct naming {
	const char *suffix, *name;
	bool turned;
} namings[] = {
    {"weight", "weight", true},
    {"weight", "kernel", false},
    {"weight", "embeddings", false},
    {"bias", "bias", false},
    {"gamma", "gamma", false},
    {"gamma", "weight", false},
    {"gamma", "scale", false},
    {"beta", "beta", false},
    {"beta", "bias", false},
    {"running_mean", "running_mean", false},
    {"running_mean", "moving_mean", false},
    {"running_variance", "running_variance", false},
    {"running_variance", "running_var", false},
    {"running_variance", "moving_variance", false},
};
enum { NAMINGS = sizeof(namings) / sizeof(namings[0]) };
static const char PASSED_OVER[] = "num_batches_tracked"; // PyTorch's count, which evaluation does not need

struct import {
	const struct stored *stored;
	struct origin at;
	struct graph *graph;
	struct errors *errors;
	bool own;   // a file of aexp's
	bool *used; // (stored->tensors_count)
};

bool import_open(struct weights_config *config, struct origin at, struct arena *arena, struct stored *ret,
                 struct error *error) {
	struct hash hash;
	char hex[HASH_HEX];
	if (!stored_open_any(config->path, ret, error))
		return false;
	hash_init(&hash);
	hash_bytes(&hash, ret->map.data, ret->map.size);
	hash_finish(&hash, hex);
	if (!config->hash)
		config->hash = arena_string(arena, hex);
	if (!strcmp(config->hash, hex))
		return true;
	error_at(error, ERROR_DATA, at, "the weights are not those of the hash: \"%s\" has %s", config->path, hex);
	error_hint(error, "Another file is meant, or it has changed; leave the hash out to take it as it is.");
	return false;
}

static bool is_called(const char *tensor, const char *node, const char *name) {
	size_t length = strlen(node);
	if (strncmp(tensor, node, length) != 0 || (tensor[length] != '.' && tensor[length] != '/'))
		return false;
	const char *rest = tensor + length + 1;
	length = strlen(name);
	return !strncmp(rest, name, length) && (!rest[length] || !strcmp(rest + length, ":0"));
}

// The tensor of a parameter; SIZE_MAX where there is none. Two are an error.
static size_t find(struct import *im, const struct parameter *p, const struct naming **ret_naming) {
	size_t found = SIZE_MAX;
	for (size_t k = 0; k < NAMINGS; k++)
		for (size_t i = 0; i < im->stored->tensors_count && !strcmp(namings[k].suffix, p->suffix); i++) {
			if (!is_called(im->stored->tensors[i].name, p->node->name, namings[k].name))
				continue;
			im->used[i] = true;
			if (found != SIZE_MAX)
				errors_add(im->errors, ERROR_DATA, im->at, "both \"%s\" and \"%s\" would be %s.%s",
				           im->stored->tensors[found].name, im->stored->tensors[i].name, p->node->name, p->suffix);
			found = i;
			*ret_naming = &namings[k];
		}
	return found;
}

static void add_missing(const struct import *im, const struct parameter *p) {
	struct text name = {0};
	text_format(&name, "%s.%s", p->node->name, p->suffix);
	struct nearest nearest = {.word = text_string(&name)};
	struct error *error =
	    errors_add(im->errors, ERROR_DATA, im->at, "\"%s\" has no tensor \"%s\"", im->stored->path, text_string(&name));
	for (size_t i = 0; i < im->stored->tensors_count; i++)
		nearest_offer(&nearest, im->stored->tensors[i].name);
	for (size_t i = 0; i < im->stored->others_count; i++)
		nearest_offer(&nearest, im->stored->others[i]);
	if (nearest.best)
		error_hint(error, "Is it \"%s\"? Tensors are found by the names of nodes.", nearest.best);
	else
		error_hint(error, "Tensors are found by the names of nodes: rename them when the file is written.");
	text_finish(&name);
}

static void append_shape(struct text *text, size_t dimensions, const size_t shape[2]) {
	if (dimensions == 1)
		text_format(text, "(%zu)", shape[0] * shape[1]);
	else
		text_format(text, "(%zu, %zu)", shape[0], shape[1]);
}

static void add_misshapen(const struct import *im, const struct parameter *p, const struct tensor_facts *t,
                          size_t dimensions, const size_t wanted[2], bool turned) {
	struct text is = {0}, wants = {0};
	append_shape(&is, t->dimensions, t->shape);
	append_shape(&wants, dimensions, wanted);
	struct error *error = errors_add(im->errors, ERROR_DATA, im->at, "tensor \"%s\" is %s, but node \"%s\" wants %s%s",
	                                 t->name, text_string(&is), p->node->name, text_string(&wants),
	                                 dimensions == 1 ? ""
	                                 : turned        ? ": (units, inputs)"
	                                                 : ": (inputs, units)");
	bool other_way = t->dimensions == 2 && t->shape[0] == wanted[1] && t->shape[1] == wanted[0];
	if (other_way && !strcmp(p->node->op->row.name, "dense"))
		error_hint(error, "Call it \"%s.%s\" where it lies as %s has it.", p->node->name, turned ? "kernel" : "weight",
		           turned ? "Keras" : "PyTorch");
	text_finish(&is);
	text_finish(&wants);
}

static const float *turn(struct arena *arena, const struct tensor_facts *t) {
	float *data = arena_alloc(arena, (t->shape[0] * t->shape[1] + 1) * sizeof(*data));
	for (size_t i = 0; i < t->shape[0]; i++)
		for (size_t j = 0; j < t->shape[1]; j++)
			data[j * t->shape[0] + i] = t->data[i * t->shape[1] + j];
	return data;
}

static void take(struct import *im, const struct parameter *p) {
	const struct naming *naming = NULL;
	struct arena *arena = &im->graph->arena;
	struct tensor_facts *ret = &im->graph->start[im->graph->start_count];
	size_t found = find(im, p, &naming), wanted[2], dimensions = parameter_shape(p, wanted);
	if (found == SIZE_MAX) {
		add_missing(im, p);
		return;
	}
	const struct tensor_facts *t = &im->stored->tensors[found];
	bool turned = naming->turned && !im->own && !strcmp(p->node->op->row.name, "dense");
	size_t there[2] = {wanted[turned], wanted[!turned]};
	if (t->dimensions != dimensions || t->shape[0] != there[0] || t->shape[1] != there[1]) {
		add_misshapen(im, p, t, dimensions, there, turned);
		return;
	}
	*ret = (struct tensor_facts){.name = arena_format(arena, "%s.%s", p->node->name, p->suffix),
	                             .shape = {wanted[0], wanted[1]},
	                             .dimensions = dimensions,
	                             .data = turned ? turn(arena, t) : t->data};
	im->graph->start_count++;
}

static void check_rest(const struct import *im) {
	for (size_t i = 0; i < im->stored->tensors_count; i++)
		if (!im->used[i])
			errors_add(im->errors, ERROR_DATA, im->at, "no node takes the tensor \"%s\"", im->stored->tensors[i].name);
	for (size_t i = 0; i < im->stored->others_count; i++) {
		const char *name = im->stored->others[i], *dot = strrchr(name, '.');
		if (dot && !strcmp(dot + 1, PASSED_OVER))
			continue;
		error_hint(errors_add(im->errors, ERROR_DATA, im->at,
		                      "the tensor \"%s\" is not of single precision, or of no shape that a node has", name),
		           "Save it as float32 (F32), with one or two dimensions.");
	}
}

bool import_weights(const struct stored *stored, struct origin at, struct graph *graph, struct errors *errors) {
	const char *format = stored_text(stored, "format");
	struct import im = {.stored = stored,
	                    .at = at,
	                    .graph = graph,
	                    .errors = errors,
	                    .own = format && !strcmp(format, "aexp.model/1"),
	                    .used = memory_alloc((stored->tensors_count + 1) * sizeof(bool))};
	size_t before = errors->count;
	graph->start = arena_alloc(&graph->arena, (graph->parameters_count + 1) * sizeof(*graph->start));
	for (size_t k = 0; k < graph->parameters_count; k++)
		if (!graph->parameters[k].node->copy_of)
			take(&im, &graph->parameters[k]);
	check_rest(&im);
	free(im.used);
	return errors->count == before;
}
