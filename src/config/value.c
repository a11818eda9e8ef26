// Trees of values: looking things up by name. Building them is config/tree.h's.
#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "config/tree.h"

// The keys that say what an element without a name is.
static const char *const kind_keys[] = {"op", "kind", "format"};

enum { KIND_KEYS = sizeof kind_keys / sizeof kind_keys[0] };

const struct value *value_child(const struct value *group, const char *name) {
	if (group == NULL || group->type != VALUE_GROUP)
		return NULL;
	for (size_t i = 0; i < group->as.children.count; i++) {
		if (strcmp(group->as.children.items[i]->name, name) == 0)
			return group->as.children.items[i];
	}
	return NULL;
}

static const char *child_string(const struct value *group, const char *name) {
	const struct value *child = value_child(group, name);
	if (child == NULL)
		return NULL;
	return child->type == VALUE_STRING ? child->as.string : child->raw;
}

const char *value_label(const struct value *element, size_t index, struct arena *arena) {
	const char *name = child_string(element, "name");
	for (size_t i = 0; i < KIND_KEYS && name == NULL; i++) {
		const char *kind = child_string(element, kind_keys[i]);
		if (kind != NULL)
			name = arena_format(arena, "%s_%zu", kind, index + 1);
	}
	return name == NULL ? arena_format(arena, "%zu", index + 1) : name;
}

bool value_is_called(const struct value *element, size_t index, const char *name) {
	const char *own = child_string(element, "name");
	if (own != NULL)
		return strcmp(own, name) == 0;
	// Read from its end: the number must be this place, and what stands before it the kind.
	char number[32];
	size_t digits = (size_t)snprintf(number, sizeof number, "%zu", index + 1), length = strlen(name);
	if (length < digits || strcmp(name + length - digits, number) != 0)
		return false;
	const char *kind = NULL;
	for (size_t i = 0; i < KIND_KEYS && kind == NULL; i++)
		kind = child_string(element, kind_keys[i]);
	if (kind == NULL)
		return length == digits;
	size_t before = length - digits;
	return before == strlen(kind) + 1 && name[before - 1] == '_' && strncmp(name, kind, before - 1) == 0;
}

static const struct value *find_element(const struct value *list, const char *name) {
	for (size_t i = 0; i < list->as.children.count; i++) {
		if (value_is_called(list->as.children.items[i], i, name))
			return list->as.children.items[i];
	}
	return NULL;
}

// As far along the dotted key as was written; *ret_whole tells whether that is all of it.
static const struct value *follow(const struct value *root, const char *key, bool *ret_whole) {
	char *parts = memory_copy_string(key), *rest = parts;
	const struct value *at = root;
	*ret_whole = true;
	for (char *part; *ret_whole && (part = strsep(&rest, ".")) != NULL;) {
		const struct value *next = at->type == VALUE_LIST ? find_element(at, part) : value_child(at, part);
		*ret_whole = next != NULL;
		at = next == NULL ? at : next;
	}
	free(parts);
	return at;
}

const struct value *value_find(const struct value *root, const char *key) {
	bool whole;
	const struct value *at = follow(root, key, &whole);
	return whole ? at : NULL;
}

struct origin value_origin(const struct value *root, const char *key) {
	bool whole;
	return follow(root, key, &whole)->at;
}

static const char *list_text(const struct value *list, struct arena *arena) {
	struct text text = {0};
	bool plain = true;
	text_append(&text, "[");
	for (size_t i = 0; i < list->as.children.count; i++) {
		const struct value *element = list->as.children.items[i];
		const char *one = element->type == VALUE_LIST ? NULL : value_spell(element, arena);
		plain = plain && one != NULL;
		text_format(&text, "%s%s", i == 0 ? " " : ", ", one == NULL ? "" : one);
	}
	text_append(&text, " ]");
	const char *kept = plain ? arena_string(arena, text_string(&text)) : NULL;
	text_finish(&text);
	return kept;
}

const char *value_spell(const struct value *value, struct arena *arena) {
	char number[NUMBER_TEXT];
	switch (value->type) {
	case VALUE_BOOL:
		return value->as.boolean ? "true" : "false";
	case VALUE_INTEGER:
		return value->big ? arena_format(arena, "%" PRIu64, (uint64_t)value->as.integer)
		                  : arena_format(arena, "%" PRId64, value->as.integer);
	case VALUE_REAL:
		number_write(value->as.real, number);
		return arena_string(arena, number);
	case VALUE_STRING:
		return value->as.string;
	case VALUE_LIST:
		return list_text(value, arena);
	default:
		return NULL;
	}
}

struct value *value_create(struct arena *arena, const char *name, enum value_type type, struct origin at) {
	struct value *value = arena_alloc(arena, sizeof *value);
	value->name = name;
	value->type = type;
	value->at = at;
	return value;
}

struct value *value_create_string(struct arena *arena, const char *name, const char *string, struct origin at) {
	struct value *value = value_create(arena, name, VALUE_STRING, at);
	value->as.string = string;
	return value;
}

// Room grows at powers of two, so that the count alone says when.
void value_append(struct arena *arena, struct value *parent, struct value *child) {
	size_t count = parent->as.children.count;
	if ((count & (count - 1)) == 0) {
		struct value **items = arena_alloc(arena, (count == 0 ? 1 : 2 * count) * sizeof *items);
		if (count > 0)
			memcpy(items, parent->as.children.items, count * sizeof *items);
		parent->as.children.items = items;
	}
	parent->as.children.items[parent->as.children.count++] = child;
}

struct value *value_remove(struct value *group, const char *name) {
	struct value **items = group->as.children.items;
	for (size_t i = 0; i < group->as.children.count; i++) {
		struct value *child = items[i];
		if (strcmp(child->name, name) != 0)
			continue;
		group->as.children.count--;
		memmove(items + i, items + i + 1, (group->as.children.count - i) * sizeof(struct value *));
		return child;
	}
	return NULL;
}
