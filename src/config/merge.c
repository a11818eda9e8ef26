// Laying one tree over another, with the schema beside it: only the schema knows which keys a changed tag takes with
// it, which group has a short form, and which list is patched by the names of its elements.
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "config/tree.h"

struct merge {
	struct arena *arena;
	struct errors *errors;
	bool joining; // of overrides: the base that decides comes later, so nothing is dropped or looked up yet
};

// The key of that name: a common one, one of the row that the tag names, or (the tag not being known yet) of any row.
static const struct key *find_key(const struct schema *schema, const struct row *row, const char *name) {
	if (schema == NULL || name == NULL)
		return NULL;
	const struct key *key = schema_key(schema, name);
	if (key == NULL && row != NULL)
		key = schema_key(&row->params, name);
	const struct key *tag = schema_tag(schema);
	for (size_t i = 0; tag != NULL && key == NULL && i < tag->registry->count; i++)
		key = schema_key(&tag->registry->rows[i]->params, name);
	return key;
}

// "normal" as { kind = "normal"; } where the key is a group with a tag; anything else as it is.
static const struct value *long_form(struct merge *m, const struct value *value, const struct key *key) {
	const struct key *tag = key != NULL && key->type == KEY_GROUP ? schema_tag(key->schema) : NULL;
	if (tag == NULL || value == NULL || value->type != VALUE_STRING)
		return value;
	struct value *group = value_create(m->arena, value->name, VALUE_GROUP, value->at);
	value_append(m->arena, group, value_create_string(m->arena, tag->name, value->as.string, value->at));
	return group;
}

static struct value *merge_value(struct merge *m, const struct value *base, const struct value *over,
                                 const struct key *key);

// What the base's group loses because the tag changes.
struct loss_of_keys {
	const struct schema *common;
	const struct row *old; // NULL: nothing is lost
};

static bool is_lost(const struct loss_of_keys *lost, const char *name) {
	return lost->old != NULL && schema_key(&lost->old->params, name) != NULL && schema_key(lost->common, name) == NULL;
}

static void append_if(struct merge *m, struct value *parent, struct value *child) {
	if (child != NULL)
		value_append(m->arena, parent, child);
}

static struct value *merge_group(struct merge *m, const struct value *base, const struct value *over,
                                 const struct schema *schema) {
	const struct key *tag = schema == NULL ? NULL : schema_tag(schema);
	const struct row *old = tag == NULL ? NULL : schema_row(tag, base), *row = old;
	if (tag != NULL && value_child(over, tag->name) != NULL)
		row = schema_row(tag, over);
	struct loss_of_keys lost = {.common = schema, .old = row == old || m->joining ? NULL : old};
	struct value *result = value_create(m->arena, base->name, VALUE_GROUP, lost.old == NULL ? base->at : over->at);
	for (size_t i = 0; i < base->as.children.count; i++) {
		struct value *child = base->as.children.items[i];
		const struct value *above = value_child(over, child->name);
		if (is_lost(&lost, child->name))
			append_if(m, result,
			          above == NULL ? NULL : merge_value(m, NULL, above, find_key(schema, row, child->name)));
		else if (above == NULL)
			value_append(m->arena, result, child);
		else
			append_if(m, result, merge_value(m, child, above, find_key(schema, row, child->name)));
	}
	for (size_t i = 0; i < over->as.children.count; i++) {
		const struct value *child = over->as.children.items[i];
		if (value_child(base, child->name) == NULL)
			append_if(m, result, merge_value(m, NULL, child, find_key(schema, row, child->name)));
	}
	return result;
}

static void add_no_element(struct merge *m, const struct value *list, const struct value *over, const char *name) {
	if (m->errors->count >= ERRORS_MOST)
		return;
	struct error *error =
	    errors_add(m->errors, ERROR_CONFIG, over->at, "no element \"%s\" in \"%s\"", over->name, name);
	struct nearest nearest = {.word = over->name};
	struct text all = {0};
	for (size_t i = 0; list != NULL && i < list->as.children.count; i++) {
		const char *label = value_label(list->as.children.items[i], i, m->arena);
		nearest_offer(&nearest, label);
		text_format(&all, "%s\"%s\"", i == 0 ? "" : ", ", label);
	}
	if (nearest.best != NULL)
		error_hint(error, "Did you mean \"%s\"?", nearest.best);
	else if (all.length > 0)
		error_hint(error, "Its elements are %s.", text_string(&all));
	else
		error_hint(error, "It has no elements.");
	text_finish(&all);
}

// Merges one child of a patch into the list's element of that name.
static void patch_element(struct merge *m, struct value *list, const struct value *over, const struct key *key) {
	for (size_t i = 0; i < list->as.children.count; i++) {
		const struct value *element = list->as.children.items[i];
		if (!value_is_called(element, i, over->name))
			continue;
		struct value *merged;
		if (element->type == VALUE_GROUP && over->type == VALUE_GROUP) {
			merged = merge_group(m, element, over, key->schema);
		} else {
			merged = arena_copy(m->arena, over, sizeof *over);
			merged->name = NULL;
		}
		list->as.children.items[i] = merged;
		return;
	}
	add_no_element(m, list, over, key->name);
}

static struct value *patch_list(struct merge *m, const struct value *base, const struct value *over,
                                const struct key *key) {
	struct value *list = arena_copy(m->arena, base, sizeof *base);
	list->as.children.items =
	    arena_copy(m->arena, base->as.children.items, base->as.children.count * sizeof(struct value *));
	for (size_t i = 0; i < over->as.children.count; i++)
		patch_element(m, list, over->as.children.items[i], key);
	return list;
}

// Two patches of one list, as one patch.
static struct value *join_patches(struct merge *m, const struct value *base, const struct value *over,
                                  const struct key *key) {
	struct value *result = value_create(m->arena, base->name, VALUE_GROUP, base->at);
	for (size_t i = 0; i < base->as.children.count; i++) {
		struct value *child = base->as.children.items[i];
		const struct value *above = value_child(over, child->name);
		bool groups = above != NULL && above->type == VALUE_GROUP && child->type == VALUE_GROUP;
		struct value *joined = above == NULL ? child : arena_copy(m->arena, above, sizeof *above);
		value_append(m->arena, result, groups ? merge_group(m, child, above, key->schema) : joined);
	}
	for (size_t i = 0; i < over->as.children.count; i++) {
		struct value *child = over->as.children.items[i];
		if (value_child(base, child->name) == NULL)
			value_append(m->arena, result, child);
	}
	return result;
}

// A group over a key that holds a list. NULL where the list is not there: its elements are errors then.
static struct value *merge_list(struct merge *m, const struct value *base, const struct value *over,
                                const struct key *key) {
	if (base != NULL && base->type == VALUE_LIST) { // a list is whole: what it decides is decided, joining or not
		struct merge whole = {.arena = m->arena, .errors = m->errors};
		return patch_list(&whole, base, over, key);
	}
	if (m->joining)
		return base != NULL && base->type == VALUE_GROUP ? join_patches(m, base, over, key)
		                                                 : arena_copy(m->arena, over, sizeof *over);
	for (size_t i = 0; i < over->as.children.count; i++)
		add_no_element(m, NULL, over->as.children.items[i], key->name);
	return NULL;
}

// `base` is NULL where only `over` has the key.
static struct value *merge_value(struct merge *m, const struct value *base, const struct value *over,
                                 const struct key *key) {
	if (key != NULL && key->type == KEY_LIST && over->type == VALUE_GROUP)
		return merge_list(m, base, over, key);
	if (base != NULL && (base->type == VALUE_GROUP || over->type == VALUE_GROUP)) {
		base = long_form(m, base, key);
		over = long_form(m, over, key);
	}
	if (over->type != VALUE_GROUP || (m->joining && base == NULL))
		return arena_copy(m->arena, over, sizeof *over);
	if (base == NULL || base->type != VALUE_GROUP)
		base = value_create(m->arena, over->name, VALUE_GROUP, over->at);
	return merge_group(m, base, over, key != NULL && key->type == KEY_GROUP ? key->schema : NULL);
}

struct value *tree_merge(const struct value *base, const struct value *over, const struct schema *schema,
                         struct arena *arena, struct errors *errors) {
	struct merge merge = {.arena = arena, .errors = errors};
	return merge_group(&merge, base, over, schema);
}

struct value *tree_join(const struct value *base, const struct value *over, const struct schema *schema,
                        struct arena *arena, struct errors *errors) {
	struct merge merge = {.arena = arena, .errors = errors, .joining = true};
	return merge_group(&merge, base, over, schema);
}
