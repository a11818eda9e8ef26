// See phase.h.
#include "nn/phase.h"

#include "base/memory.h"
#include "base/nearest.h"
#include "nn/op.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct node *nodes, size_t count, const char *name) {
	size_t i = 0;
	while (i < count && strcmp(nodes[i].name, name) != 0)
		i++;
	return i;
}

static void check_name(const char *name, struct origin at, const struct node *nodes, size_t count, bool *seen,
                       struct errors *errors) {
	size_t i = find(nodes, count, name);
	if (i < count && nodes[i].op->has_parameters && !seen[i]) {
		seen[i] = true;
		return;
	}
	if (i < count) {
		errors_add(errors, ERROR_CONFIG, at,
		           seen[i] ? "node \"%s\" stands in the phases twice" : "node \"%s\" has no weights that could learn",
		           name);
		return;
	}
	struct nearest nearest = {.word = name};
	for (size_t k = 0; k < count; k++)
		if (nodes[k].op->has_parameters)
			nearest_offer(&nearest, nodes[k].name);
	struct error *error = errors_add(errors, ERROR_CONFIG, at, "\"%s\" is no node", name);
	if (nearest.best)
		error_hint(error, "Did you mean \"%s\"?", nearest.best);
}

void phases_check(const struct groups *phases, const struct value *tree, const struct node *nodes, size_t count,
                  struct errors *errors) {
	bool *seen = memory_alloc((count + 1) * sizeof(*seen));
	for (size_t i = 0; i < phases->count; i++) {
		const struct phase_config *phase = phases->items[i];
		if (!phase->nodes.count)
			errors_add(errors, ERROR_CONFIG, phases->from[i]->at, "a phase has no nodes");
		for (size_t k = 0; k < phase->nodes.count; k++)
			check_name(phase->nodes.items[k], phase->nodes.at[k], nodes, count, seen, errors);
	}
	for (size_t i = 0; phases->count && i < count; i++) {
		if (!nodes[i].op->has_parameters || seen[i])
			continue;
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(tree, "train.alternate"),
		                                 "node \"%s\" would never learn: it stands in no phase", nodes[i].name);
		error_hint(error, "Name it in one of the phases.");
	}
	free(seen);
}

static bool names(const struct phase_config *phase, const char *name) {
	for (size_t i = 0; i < phase->nodes.count; i++)
		if (!strcmp(phase->nodes.items[i], name))
			return true;
	return false;
}

void phases_plan(const struct groups *phases, struct graph *graph) {
	graph->phases_count = phases->count;
	graph->phases = arena_alloc(&graph->arena, (phases->count + 1) * sizeof(*graph->phases));
	for (size_t i = 0; i < phases->count; i++) {
		const struct phase_config *config = phases->items[i];
		struct phase *phase = &graph->phases[i];
		*phase = (struct phase){.epochs = (size_t)config->epochs, .quiet = !config->noise};
		phase->learns = arena_alloc(&graph->arena, (graph->parameters_count + 1) * sizeof(*phase->learns));
		for (size_t k = 0; k < graph->parameters_count; k++)
			phase->learns[k] = graph->parameters[k].trainable && names(config, graph->parameters[k].node->name);
	}
}

size_t phase_at(const struct graph *graph, size_t epoch, bool *ret_ends) {
	size_t turn = 0, phase = 0;
	*ret_ends = true;
	for (size_t i = 0; i < graph->phases_count; i++)
		turn += graph->phases[i].epochs;
	if (!turn)
		return 0;
	size_t left = (epoch - 1) % turn;
	for (; left >= graph->phases[phase].epochs; phase++)
		left -= graph->phases[phase].epochs;
	*ret_ends = left + 1 == graph->phases[phase].epochs;
	return phase;
}
