// A file, what it extends and the overrides, as one tree. @include is not read (see config/scan.c): extends does it,
// with positions, relative paths and a rule for what overlays what.
#include "config/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/tree.h"

enum {
	FILE_MAX = 4 << 20, // bytes of an experiment file
	ALL_MAX = 8 << 20,  // bytes of all that extend each other: the memory is some hundred times that
	DEPTH_MAX = 16,     // files that extend each other
	FILES_MAX = 256,    // that are read in all
};

struct chain {
	const char *shown[DEPTH_MAX];    // (depth) as the user would write them: the file asked for, what it extends...
	const char *absolute[DEPTH_MAX]; // (depth) to know a file again
	size_t depth, files, bytes;
	const struct schema *root;
	struct arena *arena;
	struct errors *errors;
};

// The chain's last file. The first may be a pipe, as a shell's <(...) is.
static struct value *read_tree(struct chain *chain, const char *path, struct origin at) {
	char *data;
	size_t size;
	struct error error = {0};
	struct errors *errors = chain->errors;
	bool good = chain->depth == 1 ? file_read_any(path, FILE_MAX, &data, &size, &error)
	                              : file_read(path, FILE_MAX, &data, &size, &error);
	if (!good) {
		errors_add(errors, ERROR_CONFIG, at, "%s", error.message);
		return NULL;
	}
	chain->bytes += size;
	if (chain->bytes > ALL_MAX) {
		free(data);
		errors_add(errors, ERROR_CONFIG, at, "files that extend each other have more than %d bytes in all", ALL_MAX);
		return NULL;
	}
	struct source_text source = {.text = data, .length = size, .at = {.file = path}, .lines = true};
	struct value *tree = tree_parse(&source, chain->arena, errors);
	free(data);
	return tree;
}

static void add_cycle(const struct chain *chain, size_t first, struct origin at) {
	struct text names = {0};
	for (size_t i = first; i < chain->depth; i++)
		text_format(&names, "%s -> ", chain->shown[i]);
	errors_add(chain->errors, ERROR_CONFIG, at, "\"extends\" runs in a circle: %s%s", text_string(&names),
	           chain->shown[first]);
	text_finish(&names);
}

// Makes the file the chain's last; `at` is the place that asked for it.
static bool chain_enter(struct chain *chain, const char *path, struct origin at) {
	char *absolute = path_absolute(path);
	const char *key = arena_string(chain->arena, absolute);
	free(absolute);
	for (size_t i = 0; i < chain->depth; i++) {
		if (strcmp(chain->absolute[i], key) == 0) {
			add_cycle(chain, i, at);
			return false;
		}
	}
	if (chain->depth == DEPTH_MAX || chain->files == FILES_MAX) {
		errors_add(chain->errors, ERROR_CONFIG, at, "more than %d files extend each other",
		           chain->depth == DEPTH_MAX ? DEPTH_MAX : FILES_MAX);
		return false;
	}
	chain->shown[chain->depth] = path;
	chain->absolute[chain->depth++] = key;
	chain->files++;
	return true;
}

// The path of a file that the last one of the chain extends, or NULL with an error.
static const char *base_path(const struct chain *chain, const struct value *extends) {
	char *expanded;
	struct error error = {0};
	if (extends->type != VALUE_STRING) {
		errors_add(chain->errors, ERROR_CONFIG, extends->at,
		           "\"extends\" must be the path of a file, or a list of such paths");
		return NULL;
	}
	if (!path_expand(extends->as.string, &expanded, &error)) {
		struct error *added = errors_add(chain->errors, ERROR_CONFIG, extends->at, "%s", error.message);
		error_hint(added, "%s", error.hint);
		return NULL;
	}
	char *folder = path_folder(chain->shown[chain->depth - 1]);
	bool beside = strcmp(folder, ".") == 0;
	char *joined = beside ? memory_copy_string(expanded) : path_join(folder, expanded);
	const char *path = arena_string(chain->arena, joined);
	free(joined);
	free(folder);
	free(expanded);
	return path;
}

static struct value *load(struct chain *chain, const char *path, struct origin at);

// What the file extends, with the file over it: of several files each over those before it.
static struct value *over_bases(struct chain *chain, const struct value *extends, struct value *tree) {
	bool list = extends->type == VALUE_LIST && extends->as.children.count;
	struct value *base = NULL;
	for (size_t i = 0; i < (list ? extends->as.children.count : 1); i++) {
		const struct value *one = list ? extends->as.children.items[i] : extends;
		const char *path = base_path(chain, one);
		struct value *next = path ? load(chain, path, one->at) : NULL;
		if (next == NULL)
			return NULL;
		base = base ? tree_merge(base, next, chain->root, chain->arena, chain->errors) : next;
	}
	return tree_merge(base, tree, chain->root, chain->arena, chain->errors);
}

// The file with all that it extends, or NULL with an error.
static struct value *load(struct chain *chain, const char *path, struct origin at) {
	if (!chain_enter(chain, path, at))
		return NULL;
	struct value *tree = read_tree(chain, path, at);
	const struct value *extends = tree ? value_remove(tree, "extends") : NULL;
	struct value *merged = extends ? over_bases(chain, extends, tree) : tree;
	if (merged)
		merged->at = tree->at;
	chain->depth--;
	return merged;
}

static void refuse_extends(struct value *overlay, struct errors *errors) {
	const struct value *extends = value_remove(overlay, "extends");
	if (extends != NULL)
		error_hint(errors_add(errors, ERROR_CONFIG, extends->at, "\"extends\" cannot be overridden"),
		           "Write it into a file of its own and run that one.");
}

const struct value *config_load(const char *path, const char *const *overrides, size_t overrides_count,
                                const struct schema *root, struct arena *arena, struct errors *errors) {
	struct chain chain = {.root = root, .arena = arena, .errors = errors};
	struct value *tree = load(&chain, arena_string(arena, path), (struct origin){0});
	if (tree == NULL)
		return NULL;
	struct origin at = tree->at;
	struct value *overlay = overrides_tree(overrides, overrides_count, root, arena, errors);
	refuse_extends(overlay, errors);
	tree = tree_merge(tree, overlay, root, arena, errors);
	tree->at = at; // what is missing is missing in the file that was asked for
	return tree;
}

const struct value *config_load_some(const char *text, size_t length, const char *name, const char *const *keys,
                                     size_t keys_count, struct arena *arena, struct errors *errors) {
	struct source_text source = {
	    .text = text, .length = length, .at = {.file = arena_string(arena, name)}, .lines = true};
	if (length > FILE_MAX) {
		errors_add(errors, ERROR_CONFIG, source.at, "longer than %d bytes", FILE_MAX);
		return NULL;
	}
	struct value *tree = tree_parse(&source, arena, errors);
	if (tree == NULL)
		return NULL;
	struct value *some = value_create(arena, NULL, VALUE_GROUP, tree->at);
	for (size_t i = 0; i < keys_count; i++) {
		struct value *child = value_remove(tree, keys[i]);
		if (child != NULL)
			value_append(arena, some, child);
	}
	return some;
}
