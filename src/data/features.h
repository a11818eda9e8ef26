// Side information: a text table with one line about each user, or each item, and possibly titles.
#ifndef AEXP_DATA_FEATURES_H
#define AEXP_DATA_FEATURES_H

#include "data/data.h"
#include "data/lines.h"

// How such a table is laid out.
struct table {
	const char *path, *want; // as in input_open
	struct lines_layout lines;
	bool header;
	bool latin1;                // what is not UTF-8 is Latin-1; otherwise it is an error
	const char *const *columns; // (columns_count) names, where the file has no header; NULL: columns are numbers
	size_t columns_count;
	struct column_ref id;
	const char *title;               // the column with titles; NULL: none
	const char *missing;             // a cell that says that nothing is known, beside the empty one; NULL: none
	const char *flags;               // the name of a `multi` column that is spread over columns of 0 and 1, a level
	size_t flags_first, flags_count; // each, with the names of the columns; NULL: none
};

// Reads what `columns` names (its path, layout and id are not looked at) about every one of `ids`; lines about others
// are passed over. `what` is "user" or "item", for messages; ret_titles may be NULL where the table has no titles.
// ERROR_DATA with file and line: a column that is not there, a number that is none, an id twice, one of `ids` missing.
bool features_read(const struct table *table, const struct features_config *columns, const char *what,
                   const struct ids *ids, struct arena *arena, struct attributes *ret, const char ***ret_titles,
                   struct error *error);

// Reads the file that config itself names.
bool features_read_file(const struct features_config *config, const char *what, const struct ids *ids,
                        struct arena *arena, struct attributes *ret, const char ***ret_titles, struct error *error);

// Of attributes that a format made, keeps those that config names, in its order; ERROR_CONFIG where there is no such
// attribute, or it is of another type. Nothing is dropped where config names none.
bool features_select(const struct features_config *config, const char *what, struct arena *arena,
                     struct attributes *attributes, struct error *error);

#endif
