// See copy.h.
#include "nn/copy.h"

#include "base/memory.h"
#include "nn/op.h"

#include <stdlib.h>

struct copying {
	struct arena *arena;
	struct node *all;
	size_t count;       // with the copies so far
	bool *below;        // (the count at first): a copy of it is needed
	struct node **copy; // (the count at first)
	struct errors *errors;
};

static bool reads_old(const struct node *node) {
	return node->op && node->op->reads_old && node->op->reads_old(node->params);
}

static void mark_below(struct copying *c, struct node *const *order, size_t count) {
	for (size_t i = count; i-- > 0;) {
		const struct node *node = order[i];
		bool below = c->below[node - c->all], old = reads_old(node);
		for (size_t k = 0; (below || old) && k < node->inputs_count; k++)
			c->below[node->inputs[k] - c->all] |= old || !node->op->noise || k == 0;
	}
}

static struct node *copy_of(const struct copying *c, const struct node *node) {
	return c->copy[node - c->all];
}

// The node itself where its value is a function of the data alone.
static struct node *copy_node(struct copying *c, struct node *node) {
	if (!node->op)
		return node;
	if (node->op->noise)
		return copy_of(c, node->inputs[0]);
	bool same = !node->op->has_parameters;
	for (size_t k = 0; k < node->inputs_count; k++)
		same &= copy_of(c, node->inputs[k]) == node->inputs[k];
	if (same)
		return node;
	if (node->tied)
		errors_add(c->errors, ERROR_CONFIG, node->from->at,
		           "node \"%s\" is tied to \"%s\", and a composite prior needs a copy of it", node->name,
		           node->tied->name);
	struct node *copy = &c->all[c->count++];
	*copy = (struct node){.name = arena_format(c->arena, "%s(old)", node->name),
	                      .op = node->op,
	                      .params = node->params,
	                      .config = node->config,
	                      .from = node->from,
	                      .inputs = arena_alloc(c->arena, node->inputs_count * sizeof(*copy->inputs)),
	                      .inputs_count = node->inputs_count,
	                      .copy_of = node};
	for (size_t k = 0; k < node->inputs_count; k++) {
		copy->inputs[k] = copy_of(c, node->inputs[k]);
		copy->inputs[k]->consumers++;
	}
	return copy;
}

static void add_inputs(struct copying *c, struct node *node) {
	size_t count = node->inputs_count;
	struct node **inputs = arena_alloc(c->arena, 2 * count * sizeof(*inputs));
	for (size_t k = 0; k < count; k++) {
		inputs[k] = node->inputs[k];
		inputs[count + k] = copy_of(c, node->inputs[k]);
		inputs[count + k]->consumers++;
	}
	node->inputs = inputs;
	node->inputs_count = 2 * count;
}

size_t copy_below(struct arena *arena, struct node *all, size_t count, struct node *const *order,
                  struct errors *errors) {
	struct copying c = {.arena = arena, .all = all, .count = count, .errors = errors};
	c.below = memory_alloc(count * sizeof(*c.below));
	c.copy = memory_alloc(count * sizeof(*c.copy));
	mark_below(&c, order, count);
	for (size_t i = 0; i < count; i++)
		if (c.below[order[i] - all])
			c.copy[order[i] - all] = copy_node(&c, order[i]);
	for (size_t i = 0; i < count; i++)
		if (reads_old(&all[i]))
			add_inputs(&c, &all[i]);
	free(c.below);
	free(c.copy);
	return c.count;
}
