// Writing a struct as the text of an experiment file. libconfig 1.5's own writer loses digits of reals; this one keeps
// them, and writes what libconfig reads alike: L behind an integer beyond 32 bits, a point or exponent in every real.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "config/tree.h"

enum {
	WIDTH = 100, // characters; a group that is shorter stands on one line
	TAB = 4,     // characters that a level is indented by
	FLAT = -1,   // the indent of what stands on one line
};

struct writer {
	struct text *text;
	bool for_id;
};

static void put_keys(struct writer *w, const struct schema *schema, const void *data, int indent);

static void put_string(struct text *text, const char *string) {
	static const char codes[] = "nrtf\\\"", meant[] = "\n\r\t\f\\\"";
	text_append(text, "\"");
	for (const char *c = string; *c != '\0'; c++) {
		const char *found = strchr(meant, *c);
		if (found != NULL)
			text_format(text, "\\%c", codes[found - meant]);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			text_format(text, "\\x%02x", (unsigned)(unsigned char)*c);
		else
			text_append_bytes(text, c, 1);
	}
	text_append(text, "\"");
}

static void put_integer(struct text *text, int64_t value) {
	bool wide = value < INT32_MIN || value > INT32_MAX;
	text_format(text, "%" PRId64 "%s", value, wide ? "L" : "");
}

// libconfig reads decimals as signed
static void put_seed(struct text *text, bool big, int64_t value) {
	if (big)
		text_format(text, "0x%" PRIX64 "L", (uint64_t)value);
	else
		put_integer(text, value);
}

static void put_real(struct text *text, double value) {
	char number[NUMBER_TEXT];
	number_write(value, number);
	text_append(text, number);
	if (strpbrk(number, ".e") == NULL)
		text_append(text, ".0");
}

static void put_children(const struct value *value, char open, char close, struct text *text) {
	text_append_bytes(text, &open, 1);
	for (size_t i = 0; i < value->as.children.count; i++) {
		const struct value *child = value->as.children.items[i];
		bool group = value->type == VALUE_GROUP;
		text_append(text, i > 0 && !group ? ", " : " ");
		if (group)
			text_format(text, "%s = ", child->name);
		value_write(child, text);
		text_append(text, group ? ";" : "");
	}
	text_append(text, " ");
	text_append_bytes(text, &close, 1);
}

void value_write(const struct value *value, struct text *text) {
	switch (value->type) {
	case VALUE_BOOL:
		text_append(text, value->as.boolean ? "true" : "false");
		break;
	case VALUE_INTEGER:
		put_seed(text, value->big, value->as.integer);
		break;
	case VALUE_REAL:
		put_real(text, value->as.real);
		break;
	case VALUE_STRING:
		put_string(text, value->as.string);
		break;
	case VALUE_GROUP:
		put_children(value, '{', '}', text);
		break;
	case VALUE_LIST:
		put_children(value, '(', ')', text);
		break;
	}
}

static void line_break(struct text *text, int indent) {
	text_append(text, indent == FLAT ? " " : "\n");
	for (int i = 0; i < indent; i++)
		text_append(text, "\t");
}

static int deeper(int indent) {
	return indent == FLAT ? FLAT : indent + 1;
}

// { ... }, on one line where there is room.
static void put_group(struct writer *w, const struct schema *schema, const void *data, int indent) {
	if (indent != FLAT) {
		struct text flat = {0};
		put_group(&(struct writer){.text = &flat, .for_id = w->for_id}, schema, data, FLAT);
		bool fits = flat.length + (size_t)indent * TAB <= WIDTH;
		if (fits)
			text_append(w->text, text_string(&flat));
		text_finish(&flat);
		if (fits)
			return;
	}
	text_append(w->text, "{");
	put_keys(w, schema, data, deeper(indent));
	line_break(w->text, indent);
	text_append(w->text, "}");
}

// ---- one type of key: false where it was left out ----

static bool write_bool(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	text_append(w->text, *(const bool *)data ? "true" : "false");
	return true;
}

static bool is_optional(const struct key *key) {
	return key->fallback == NULL && (key->flags & KEY_REQUIRED) == 0;
}

static bool write_integer(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)indent;
	int64_t value = *(const int64_t *)data;
	if (value == 0 && is_optional(key))
		return false;
	put_integer(w->text, value);
	return true;
}

static bool write_seed(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)indent;
	uint64_t value = *(const uint64_t *)data;
	if (value == 0 && is_optional(key))
		return false;
	put_seed(w->text, value > INT64_MAX, (int64_t)value);
	return true;
}

static bool write_real(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	double value = *(const double *)data;
	if (isnan(value))
		return false;
	put_real(w->text, value);
	return true;
}

static bool write_string(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const char *string = *(const char *const *)data;
	if (string == NULL)
		return false;
	put_string(w->text, string);
	return true;
}

static bool write_reals(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct reals *reals = data;
	if (!reals->set)
		return false;
	text_append(w->text, "[");
	for (size_t i = 0; i < reals->count; i++) {
		text_append(w->text, i == 0 ? " " : ", ");
		put_real(w->text, reals->items[i]);
	}
	text_append(w->text, " ]");
	return true;
}

static bool write_strings(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct strings *strings = data;
	if (!strings->set)
		return false;
	text_append(w->text, "[");
	for (size_t i = 0; i < strings->count; i++) {
		text_append(w->text, i == 0 ? " " : ", ");
		put_string(w->text, strings->items[i]);
	}
	text_append(w->text, " ]");
	return true;
}

static bool write_values(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct values *values = data;
	if (!values->set)
		return false;
	text_append(w->text, "(");
	for (size_t i = 0; i < values->count; i++)
		text_format(w->text, "%s%s", i == 0 ? " " : ", ", values->items[i]);
	text_append(w->text, " )");
	return true;
}

static bool write_choice(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct choice *choice = data;
	if (choice->row == NULL)
		return false;
	put_string(w->text, choice->row->name);
	return true;
}

// Always the long form: one form, so that one experiment has one text.
static bool write_group(struct writer *w, const struct key *key, const void *data, int indent) {
	const void *group = *(void *const *)data;
	if (group == NULL)
		return false;
	put_group(w, key->schema, group, indent);
	return true;
}

static bool write_list(struct writer *w, const struct key *key, const void *data, int indent) {
	const struct groups *groups = data;
	if (!groups->set)
		return false;
	text_append(w->text, "(");
	for (size_t i = 0; i < groups->count; i++) {
		text_append(w->text, i == 0 ? "" : ",");
		line_break(w->text, deeper(indent));
		put_group(w, key->schema, groups->items[i], deeper(indent));
	}
	line_break(w->text, indent);
	text_append(w->text, ")");
	return true;
}

static bool write_units(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct units *units = data;
	if (!units->is_items && units->count == 0)
		return false;
	if (units->is_items)
		text_append(w->text, "\"items\"");
	else
		put_integer(w->text, (int64_t)units->count);
	return true;
}

static bool write_column(struct writer *w, const struct key *key, const void *data, int indent) {
	(void)key, (void)indent;
	const struct column_ref *column = data;
	if (column->name == NULL && column->number == 0)
		return false;
	if (column->name != NULL)
		put_string(w->text, column->name);
	else
		put_integer(w->text, (int64_t)column->number);
	return true;
}

static bool (*const writers[])(struct writer *, const struct key *, const void *, int) = {
    [KEY_BOOL] = write_bool,   [KEY_INTEGER] = write_integer, [KEY_SEED] = write_seed,
    [KEY_REAL] = write_real,   [KEY_STRING] = write_string,   [KEY_PATH] = write_string,
    [KEY_REALS] = write_reals, [KEY_STRINGS] = write_strings, [KEY_CHOICE] = write_choice,
    [KEY_TAG] = write_choice,  [KEY_GROUP] = write_group,     [KEY_LIST] = write_list,
    [KEY_UNITS] = write_units, [KEY_COLUMN] = write_column,   [KEY_VALUES] = write_values,
};

// ---- a group ----

static void put_key(struct writer *w, const struct key *key, const void *data, int indent, bool first) {
	if (w->for_id && (key->type == KEY_PATH || (key->flags & KEY_NO_ID) != 0))
		return;
	struct text value = {0};
	struct writer inner = {.text = &value, .for_id = w->for_id};
	bool written = writers[key->type](&inner, key, data, indent);
	if (w->for_id && (key->flags & KEY_LATE) != 0 && strcmp(text_string(&value), key->fallback) == 0)
		written = false;
	if (written) {
		if (!first)
			line_break(w->text, indent);
		bool nested = key->type == KEY_GROUP || key->type == KEY_LIST;
		text_format(w->text, "%s%s", key->name, nested ? ": " : " = ");
		text_append_bytes(w->text, text_string(&value), value.length);
		text_append(w->text, ";");
	}
	text_finish(&value);
}

// The common keys in the order of their table, then those of the row that the tag names.
static void put_keys(struct writer *w, const struct schema *schema, const void *data, int indent) {
	for (size_t i = 0; i < schema->count; i++)
		put_key(w, &schema->keys[i], (const char *)data + schema->keys[i].offset, indent, w->text->length == 0);
	const struct key *tag = schema_tag(schema);
	if (tag == NULL)
		return;
	const struct choice *choice = (const struct choice *)(const void *)((const char *)data + tag->offset);
	if (choice->row == NULL || choice->params == NULL)
		return;
	const struct schema *params = &choice->row->params;
	for (size_t i = 0; i < params->count; i++)
		put_key(w, &params->keys[i], (const char *)choice->params + params->keys[i].offset, indent, false);
}

void schema_write(const struct schema *schema, const void *data, bool for_id, struct text *text) {
	struct text whole = {0};
	put_keys(&(struct writer){.text = &whole, .for_id = for_id}, schema, data, 0);
	text_append_bytes(text, text_string(&whole), whole.length);
	if (whole.length > 0)
		text_append(text, "\n");
	text_finish(&whole);
}
