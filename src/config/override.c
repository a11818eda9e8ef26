// Overrides, -s KEY=VALUE: each becomes a tree of its own, and all are joined into one that is laid over the file's.
#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

static const char prefix[] = "-s ";

bool origin_is_override(struct origin at) {
	return at.file != NULL && strncmp(at.file, prefix, sizeof prefix - 1) == 0;
}

static bool is_plain(const struct value *value) {
	return value->type == VALUE_BOOL || value->type == VALUE_INTEGER || value->type == VALUE_REAL;
}

// What parses is taken as that, anything else as a string. "5#1" would parse as a number and a comment: it is a string.
static struct value *read_value(const char *text, struct origin at, struct arena *arena) {
	struct value *value = tree_parse_value(text, at, arena);
	if (value == NULL || (is_plain(value) && strpbrk(text, "#/,;") != NULL))
		value = value_create_string(arena, NULL, text, at);
	value->raw = text;
	return value;
}

// Counts no further than one beyond what is allowed: the joining goes once through all of them for each depth.
static size_t depth_of(const char *override) {
	size_t depth = 0;
	for (; *override != '\0' && *override != '=' && depth <= SCAN_DEPTH_MAX; override++)
		depth += *override == '.';
	return depth;
}

static bool key_is_fine(const char *key) {
	size_t length = strlen(key);
	return length > 0 && key[0] != '.' && key[length - 1] != '.' && strstr(key, "..") == NULL &&
	       depth_of(key) <= SCAN_DEPTH_MAX;
}

// The tree of one override, or NULL with an error.
static struct value *read_override(const char *override, struct arena *arena, struct errors *errors) {
	const char *equals = strchr(override, '=');
	size_t length = equals == NULL ? strlen(override) : (size_t)(equals - override);
	char *key = arena_format(arena, "%.*s", (int)length, override);
	struct origin at = {.file = length == 0 ? "-s" : arena_format(arena, "%s%s", prefix, key)};
	if (equals == NULL || !key_is_fine(key)) {
		error_hint(errors_add(errors, ERROR_CONFIG, at, "\"%s\" is not KEY=VALUE", override),
		           "Write for example -s optimizer.rate=0.5.");
		return NULL;
	}
	struct value *root = value_create(arena, NULL, VALUE_GROUP, at), *group = root;
	char *rest = key, *part = strsep(&rest, ".");
	for (; rest != NULL; part = strsep(&rest, ".")) {
		struct value *child = value_create(arena, part, VALUE_GROUP, at);
		value_append(arena, group, child);
		group = child;
	}
	struct value *value = read_value(arena_string(arena, equals + 1), at, arena);
	value->name = part;
	value_append(arena, group, value);
	return root;
}

// Joined from the shallow to the deep, so that optimizer=adam and graph=(...) do not wipe out what is set within them;
// on one depth in the order given, so that the later of two equal ones counts.
struct value *overrides_tree(const char *const *overrides, size_t count, const struct schema *root, struct arena *arena,
                             struct errors *errors) {
	struct value *tree = value_create(arena, NULL, VALUE_GROUP, (struct origin){0});
	size_t deepest = 0;
	for (size_t i = 0; i < count; i++)
		deepest = depth_of(overrides[i]) > deepest ? depth_of(overrides[i]) : deepest;
	for (size_t depth = 0; depth <= deepest; depth++) {
		for (size_t i = 0; i < count; i++) {
			struct value *one = depth_of(overrides[i]) == depth ? read_override(overrides[i], arena, errors) : NULL;
			if (one != NULL)
				tree = tree_join(tree, one, root, arena, errors);
		}
	}
	return tree;
}
