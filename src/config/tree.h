// Inside this floor: building trees, parsing one text, laying one tree over another, and the overrides' tree.
#ifndef AEXP_CONFIG_TREE_H
#define AEXP_CONFIG_TREE_H

#include "config/scan.h"
#include "config/schema.h"

enum {
	ERRORS_MOST = 1000, // of one list: what follows is noise, and each takes 3 KiB
	LIST_MOST = 10000,  // elements of a list that a key takes: whoever checks them may say something of each
};

// Names and strings are kept as they are: the caller has them in the arena.
struct value *value_create(struct arena *arena, const char *name, enum value_type type, struct origin at);
struct value *value_create_string(struct arena *arena, const char *name, const char *string, struct origin at);
void value_append(struct arena *arena, struct value *parent, struct value *child); // to a group or list
// Takes the child out of the group; NULL where there is none.
struct value *value_remove(struct value *group, const char *name);

// Reads one text by libconfig's grammar; NULL where it has no sense, which is in errors then. A tree that comes back
// may still hold values that are `bad`. The places point to source->at.file, which the caller keeps as long as the
// arena.
struct value *tree_parse(const struct source_text *source, struct arena *arena, struct errors *errors);
// Parses what stands right of an `=`: a scalar, list, array or group. NULL where it is none of these, and nothing is
// said.
struct value *tree_parse_value(const char *text, struct origin at, struct arena *arena);
// Adds why such a text is not a value, and returns true; false where it is one.
bool tree_explain_value(const char *text, struct origin at, struct errors *errors);

// What of a schema a name stands for.
const struct key *schema_key(const struct schema *schema, const char *name);    // NULL where there is none
const struct key *schema_tag(const struct schema *schema);                      // its KEY_TAG, or NULL
const struct row *schema_row(const struct key *tag, const struct value *group); // the row its tag (or default) names
// A path as it counts from anywhere: against the folder of the file that says it, the working folder where an override
// does; one that begins with ${NAME} stays. free()
char *schema_place_path(const char *path, struct origin at);
// The limits that a key's bounds set, as "at least 0 and less than 1"; empty where there are none.
void schema_bounds(const struct key *key, struct text *text);

// Lays `over` on `base`, see read.h. Both are groups of `schema`; neither is changed, parts are shared.
struct value *tree_merge(const struct value *base, const struct value *over, const struct schema *schema,
                         struct arena *arena, struct errors *errors);
// Joins two trees that are to be laid over a third one together: nothing is dropped, and a group stays the patch of a
// list.
struct value *tree_join(const struct value *base, const struct value *over, const struct schema *schema,
                        struct arena *arena, struct errors *errors);

// All overrides as one tree; malformed ones are added to errors and left out.
struct value *overrides_tree(const char *const *overrides, size_t count, const struct schema *root, struct arena *arena,
                             struct errors *errors);
bool origin_is_override(struct origin at);

#endif
