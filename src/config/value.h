// What was written in an experiment file: a tree of values, each with the place it came from.
// config/parse.c is the only file that knows libconfig; everything else sees these trees.
#ifndef AEXP_CONFIG_VALUE_H
#define AEXP_CONFIG_VALUE_H

#include "base/error.h"
#include "base/memory.h"

#include <stdint.h>

enum value_type { VALUE_BOOL, VALUE_INTEGER, VALUE_REAL, VALUE_STRING, VALUE_GROUP, VALUE_LIST };

struct value {
	const char *name; // NULL for an element of a list
	enum value_type type;
	struct origin at;
	const char *raw;  // the text behind the `=` of an override (-s); NULL for what stands in a file
	union {
		bool boolean;
		int64_t integer; // literals above INT64_MAX but within 64 bits unsigned have `big` set and keep their bits here
		double real;
		const char *string;
		struct {
			struct value **items; // (count); named in a group, nameless in a list
			size_t count;
		} children;
	} as;
	bool big; // an integer literal in (INT64_MAX, UINT64_MAX]
	bool bad; // its literal was refused, the error is in the list already: nothing more is said about it
};

const struct value *value_child(const struct value *group, const char *name); // NULL where there is none
// Whether `name` addresses the element at `index` (from 0) of a list: its `name`, else OP_N (N from 1; or KIND_N,
// FORMAT_N), else N alone.
bool value_is_called(const struct value *element, size_t index, const char *name);
// The value as it would stand behind an `=` of a file, on one line; reading it gives the same value.
void value_write(const struct value *value, struct text *text);
const char *value_label(const struct value *element, size_t index, struct arena *arena); // that name
// The value of the dotted key, elements of a list by their name; NULL where it was not written.
const struct value *value_find(const struct value *root, const char *key);
// A number, string or boolean as text, as an override would spell it; a list of such as "[ 1, 2 ]"; NULL for others.
const char *value_spell(const struct value *value, struct arena *arena);
// The place of the dotted key ("data.split.kind", "graph.taste.units": elements of a list by their name), or of its
// nearest ancestor that was written.
struct origin value_origin(const struct value *root, const char *key);

#endif
