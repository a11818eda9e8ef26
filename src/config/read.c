// A file, what it extends and the overrides, as one tree. @include is not read (see config/scan.c): extends does it,
// with positions, relative paths and a rule for what overlays what.
#include "config/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/tree.h"

enum {
	FILE_MAX = 4 << 20, // bytes of an experiment file
	CHAIN_MAX = 16,     // files that extend each other
};

struct chain {
	const char *shown[CHAIN_MAX];    // (count) as the user would write them
	const char *absolute[CHAIN_MAX]; // (count) to know a file again
	struct value *trees[CHAIN_MAX];  // (count) the file that was asked for first, then what it extends
	size_t count;
	struct arena *arena;
	struct errors *errors;
};

static struct value *read_tree(const char *path, struct origin at, struct arena *arena, struct errors *errors) {
	char *data;
	size_t size;
	struct error error = {0};
	if (!file_read(path, FILE_MAX, &data, &size, &error)) {
		errors_add(errors, ERROR_CONFIG, at, "%s", error.message);
		return NULL;
	}
	struct source_text source = {.text = data, .length = size, .at = {.file = path}, .lines = true};
	struct value *tree = tree_parse(&source, arena, errors);
	free(data);
	return tree;
}

static void add_cycle(const struct chain *chain, size_t first, struct origin at) {
	struct text names = {0};
	for (size_t i = first; i < chain->count; i++)
		text_format(&names, "%s -> ", chain->shown[i]);
	errors_add(chain->errors, ERROR_CONFIG, at, "\"extends\" runs in a circle: %s%s", text_string(&names),
	           chain->shown[first]);
	text_finish(&names);
}

// Appends the file to the chain; `at` is the place that asked for it.
static bool chain_add(struct chain *chain, const char *path, struct origin at) {
	char *absolute = path_absolute(path);
	const char *key = arena_string(chain->arena, absolute);
	free(absolute);
	for (size_t i = 0; i < chain->count; i++) {
		if (strcmp(chain->absolute[i], key) == 0) {
			add_cycle(chain, i, at);
			return false;
		}
	}
	if (chain->count == CHAIN_MAX) {
		errors_add(chain->errors, ERROR_CONFIG, at, "more than %d files extend each other", CHAIN_MAX);
		return false;
	}
	struct value *tree = read_tree(path, at, chain->arena, chain->errors);
	if (tree == NULL)
		return false;
	chain->shown[chain->count] = path;
	chain->absolute[chain->count] = key;
	chain->trees[chain->count++] = tree;
	return true;
}

// The path of the file that the last one of the chain extends, or NULL with an error.
static const char *base_path(const struct chain *chain, const struct value *extends) {
	char *expanded;
	struct error error = {0};
	if (extends->type != VALUE_STRING) {
		errors_add(chain->errors, ERROR_CONFIG, extends->at, "\"extends\" must be a string: the path of a file");
		return NULL;
	}
	if (!path_expand(extends->as.string, &expanded, &error)) {
		struct error *added = errors_add(chain->errors, ERROR_CONFIG, extends->at, "%s", error.message);
		error_hint(added, "%s", error.hint);
		return NULL;
	}
	char *folder = path_folder(chain->shown[chain->count - 1]);
	bool beside = strcmp(folder, ".") == 0;
	char *joined = beside ? memory_copy_string(expanded) : path_join(folder, expanded);
	const char *path = arena_string(chain->arena, joined);
	free(joined);
	free(folder);
	free(expanded);
	return path;
}

static bool chain_read(struct chain *chain, const char *path) {
	if (!chain_add(chain, arena_string(chain->arena, path), (struct origin){0}))
		return false;
	for (;;) {
		const struct value *extends = value_remove(chain->trees[chain->count - 1], "extends");
		if (extends == NULL)
			return true;
		const char *base = base_path(chain, extends);
		if (base == NULL || !chain_add(chain, base, extends->at))
			return false;
	}
}

static void refuse_extends(struct value *overlay, struct errors *errors) {
	const struct value *extends = value_remove(overlay, "extends");
	if (extends != NULL)
		error_hint(errors_add(errors, ERROR_CONFIG, extends->at, "\"extends\" cannot be overridden"),
		           "Write it into a file of its own and run that one.");
}

const struct value *config_load(const char *path, const char *const *overrides, size_t overrides_count,
                                const struct schema *root, struct arena *arena, struct errors *errors) {
	struct chain chain = {.arena = arena, .errors = errors};
	if (!chain_read(&chain, path))
		return NULL;
	struct value *tree = chain.trees[chain.count - 1];
	for (size_t i = chain.count - 1; i-- > 0;)
		tree = tree_merge(tree, chain.trees[i], root, arena, errors);
	struct value *overlay = overrides_tree(overrides, overrides_count, root, arena, errors);
	refuse_extends(overlay, errors);
	tree = tree_merge(tree, overlay, root, arena, errors);
	tree->at = chain.trees[0]->at; // what is missing is missing in the file that was asked for
	return tree;
}
