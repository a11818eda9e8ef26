// Reads experiment files: libconfig syntax, `extends`, overrides. The only door to libconfig. @include is refused, and
// a string ends on the line where it begins; a number needs no L for 64 bits.
#ifndef AEXP_CONFIG_READ_H
#define AEXP_CONFIG_READ_H

#include "config/schema.h"

// Reads `path`, then what it `extends` below it, a file or a list of which each lies over those before it (16 deep
// at most, 256 files and 8 MiB in all; a cycle is an error that names it), then the overrides ("KEY=VALUE", the KEY
// dotted, `graph.NODE.KEY` for the node of that name or OP_N for an unnamed one) on top. Groups merge key by key, lists
// are replaced; where a KEY_TAG changes, the keys of the old row are dropped, which is why the schema of the root is
// needed; a group over a list patches elements by name. Integer literals that do not fit into 64 bits, and reals that
// overflow, are errors. Returns the tree in the arena, or NULL when it could not be read at all; every problem is
// appended to errors.
const struct value *config_load(const char *path, const char *const *overrides, size_t overrides_count,
                                const struct schema *root, struct arena *arena, struct errors *errors);

// Reads a text that stands alone: of its root's keys those that are named, the others as if they were not there. `name`
// is what messages call it. NULL when it could not be read at all.
const struct value *config_load_some(const char *text, size_t length, const char *name, const char *const *keys,
                                     size_t keys_count, struct arena *arena, struct errors *errors);

// Writes a tree that config_load gave as the text of one file that stands alone and says the same from anywhere: what
// it extends and the overrides are in it, relative paths are absolute, defaults are not filled in.
void config_keep(const struct value *tree, const struct schema *root, struct text *text);

#endif
