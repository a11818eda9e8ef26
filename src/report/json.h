// JSON, written and read. Writing goes straight into a text, in the order of the calls, with numbers that read back as
// the same double (cJSON's own printing does not promise that); reading is cJSON's, with the checks it leaves out.
#ifndef AEXP_REPORT_JSON_H
#define AEXP_REPORT_JSON_H

#include "base/error.h"
#include "base/memory.h"

enum { JSON_DEPTH = 12 };
enum json_layout { JSON_INLINE, JSON_LINES }; // all on one line | one member a line

// Set .text, and .compact for no blanks at all.
struct json {
	struct text *text;
	bool compact;
	size_t depth;
	struct {
		char close;
		bool lines, any;
	} level[JSON_DEPTH];
};

// `key` is NULL for the outermost value and for elements of an array.
void json_object(struct json *json, const char *key, enum json_layout layout);
void json_array(struct json *json, const char *key, enum json_layout layout);
void json_end(struct json *json);                                  // of the object or array begun last
void json_real(struct json *json, const char *key, double value);  // null where it is not finite
void json_single(struct json *json, const char *key, float value); // likewise; reads back as the same float
void json_count(struct json *json, const char *key, size_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_string(struct json *json, const char *key, const char *value); // null for NULL

struct cJSON;
// Numbers, words, objects and the like of one text; each takes some 80 bytes where the text has two.
enum { JSON_VALUES_MOST = 1 << 23 };
// Whether a text of JSON has at most that many, counted generously: asked before it is parsed, of what anyone may have
// written.
bool json_fits(const char *text, size_t length);
// Whether a string of it holds the character NUL ("\u0000"), where cJSON would end it: another name than the one that is said.
bool json_holds_nul(const char *text, size_t length);
// The object in a regular file of at most `most` bytes; cJSON_Delete it. ERROR_DATA when it is not one JSON object, or
// has more than JSON_VALUES_MOST values, or a NUL in a string.
bool json_read(const char *path, size_t most, struct cJSON **ret_object, struct error *error);
// Members of an object (NULL is one without any). A file may have been changed: what has another type counts as left
// out.
const struct cJSON *json_member(const struct cJSON *object, const char *name);
const char *json_text(const struct cJSON *value, struct arena *arena); // a string's copy; NULL where it is none
double json_number(const struct cJSON *value);                         // NAN where it is no number
bool json_whole(const struct cJSON *value, size_t *ret);               // a count, at most 2^53
// Whether an ID that a file names is the name of a folder beside it, and leads nowhere else. NULL is none.
bool json_is_id(const char *id);

#endif
