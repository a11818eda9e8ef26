// The row type of a key, and all that is made from rows: reading a tree into a plain struct (with every error in one
// go), overlaying, writing the resolved file, and the schema listing. A key is one row; a registry is a table of rows;
// nothing about a key stands anywhere else.
#ifndef AEXP_CONFIG_SCHEMA_H
#define AEXP_CONFIG_SCHEMA_H

#include "config/value.h"

struct key;
struct registry;

// A group of keys and the struct they fill.
struct schema {
	const struct key *keys; // (count)
	size_t count;
	size_t size; // of the struct
};
#define SCHEMA(type, table) { .keys = (table), .count = sizeof(table) / sizeof((table)[0]), .size = sizeof(type) }
#define SCHEMA_NONE { 0 }

// One named thing of a registry: an op, a loss, a format... Registries extend it: `struct loss { struct row row; ... }`.
struct row {
	const char *name;
	const char *doc;      // one line, full sentence without full stop
	struct schema params; // keys beyond the common ones; SCHEMA_NONE where it has none
};

struct registry {
	const char *what;   // singular, for messages: "loss"
	const char *plural; // the word of `aexp schema WORD`: "losses"
	const struct row *const *rows; // (count)
	size_t count;
};
const struct row *registry_find(const struct registry *registry, const char *name); // NULL where there is none

// What a KEY_TAG or KEY_CHOICE key fills.
struct choice {
	const struct row *row; // NULL where an optional choice was left out
	void *params;          // the row's struct, filled from the same group (KEY_TAG), or NULL
};

struct reals {
	double *items; // (count)
	size_t count;
	bool set;      // false where an optional list was left out
};
struct strings {
	const char **items;   // (count)
	struct origin *at;    // (count)
	size_t count;
	bool set;
};
// Values of any type, each as it stands behind an `=`: "16", "\"relu\"", "{ kind = \"normal\"; }".
struct values {
	const char **items; // (count)
	struct origin *at;  // (count)
	size_t count;
	bool set;
};
struct groups {
	void **items;             // (count) structs of the list's schema
	const struct value **from; // (count) the groups they were read from, for positions
	size_t count;
	bool set;
};
// `units`: a positive number, or the width of a rating row.
struct units {
	size_t count;  // 0 where it is "items"
	bool is_items;
};
// A column of a text file: by 1-based number, or by the header's name.
struct column_ref {
	size_t number;    // 0 where it is by name or not set
	const char *name; // NULL where it is by number or not set
};

enum key_type {
	KEY_BOOL,    // bool
	KEY_INTEGER, // int64_t; bounds inclusive; 0 where optional and left out
	KEY_SEED,    // uint64_t, any 64-bit literal; 0 where optional and left out
	KEY_REAL,    // double; an integer literal is accepted; finite; NAN where optional and left out
	KEY_STRING,  // const char *; NULL where optional and left out
	KEY_PATH,    // const char *; absolute or beginning with ${NAME}, as the resolved file has it; never part of the ID
	KEY_REALS,   // struct reals
	KEY_STRINGS, // struct strings; a plain string is a list of one
	KEY_VALUES,  // struct values: a list of anything
	KEY_CHOICE,  // struct choice: a name of `registry`, without keys of its own
	KEY_TAG,     // struct choice: a name of `registry`, whose row's keys stand in the same group
	KEY_GROUP,   // pointer to a struct of `schema`; NULL where optional and left out. A plain string is the short form of
	             // a group that holds a KEY_TAG: init = "normal" is init = { kind = "normal"; }
	KEY_LIST,    // struct groups: a list of groups of `schema`
	KEY_UNITS,   // struct units: integer >= 1, or "items"
	KEY_COLUMN,  // struct column_ref
};

enum key_flags {
	KEY_REQUIRED = 1, // must be written; otherwise `fallback` counts, or it is optional where that is NULL
	KEY_NO_ID = 2,    // does not enter the run's ID (KEY_PATH never does)
	KEY_OPEN_MIN = 4, // the bound itself is excluded (reals)
	KEY_OPEN_MAX = 8,
};

struct key {
	const char *name;
	enum key_type type;
	unsigned flags;
	size_t offset;         // in the struct
	const char *fallback;  // the default, spelled as in a file ("0.05", "true", "\"relu\"", "{ }"); NULL: none
	double min, max;       // of integers and reals and of elements of lists of reals; both 0: no bounds (with KEY_OPEN_MIN:
	                       // more than 0); infinite, or a max below the min: no bound on that side
	const struct registry *registry; // KEY_CHOICE, KEY_TAG
	const struct schema *schema;     // KEY_GROUP, KEY_LIST
	const char *doc;       // one line
};

// Reads `group` into `ret` (zeroed memory of schema->size bytes; allocated parts in the arena). Appends every problem to
// errors: unknown key (with "did you mean"), wrong type, out of bounds (naming the bounds), unknown name, missing key; file
// by file, in order of lines. A schema has at most one KEY_TAG, and a row's keys none.
// `path` is the dotted name of the group for messages ("" at the root). True when nothing was added to errors.
bool schema_read(const struct schema *schema, const struct value *group, const char *path, struct arena *arena,
                 void *ret, struct errors *errors);

// Whether a struct that was read has the dotted key, written or not: groups by their schema and the row of their tag.
// Elements of lists are not looked into: what was written of them is in the tree (value_find).
bool schema_holds(const struct schema *schema, const void *data, const char *key);

// Writes the struct as the text of an experiment file, every default spelled out, numbers so that they read back as the
// same; in the order of the table, the keys of a tag's row last. What is optional and left out is not written. With
// for_id, what does not enter the run's ID is left out.
void schema_write(const struct schema *schema, const void *data, bool for_id, struct text *text);

// One line a key, nested by dots: name, type, default, bounds, meaning; `schema_print_registry` the rows of a registry with
// their keys. With markdown a table, else aligned columns.
void schema_print(const struct schema *schema, const char *prefix, bool markdown, struct text *text);
void schema_print_registry(const struct registry *registry, bool markdown, struct text *text);

#endif
