// The listing of keys: what `aexp schema` prints and the manual holds, from the same rows that reading goes by.
#include <string.h>

#include "config/tree.h"

enum { COLUMNS = 5, DEPTH_MAX = 8, BETWEEN = 2 }; // DEPTH_MAX: groups within groups that a listing follows

struct line {
	const char *cells[COLUMNS];
	struct line *next;
};

struct table {
	struct arena arena;
	struct line *first, **end;
};

static void table_add(struct table *table, const char *const cells[COLUMNS]) {
	struct line *line = arena_alloc(&table->arena, sizeof *line);
	for (size_t i = 0; i < COLUMNS; i++)
		line->cells[i] = arena_string(&table->arena, cells[i] == NULL ? "" : cells[i]);
	*(table->end == NULL ? &table->first : table->end) = line;
	table->end = &line->next;
}

// Characters, not bytes: a continuation byte of UTF-8 takes no place.
static size_t width_of(const char *text) {
	size_t width = 0;
	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_aligned(const struct table *table, struct text *text) {
	size_t widths[COLUMNS] = {0};
	for (const struct line *line = table->first; line != NULL; line = line->next) {
		for (size_t i = 0; i < COLUMNS; i++)
			widths[i] = width_of(line->cells[i]) > widths[i] ? width_of(line->cells[i]) : widths[i];
	}
	for (const struct line *line = table->first; line != NULL; line = line->next) {
		size_t last = COLUMNS - 1;
		while (last > 0 && line->cells[last][0] == '\0')
			last--;
		for (size_t i = 0; i <= last; i++) {
			text_append(text, line->cells[i]);
			size_t blanks = i < last && widths[i] > 0 ? widths[i] - width_of(line->cells[i]) + BETWEEN : 0;
			text_format(text, "%*s", (int)blanks, "");
		}
		text_append(text, "\n");
	}
}

// A bar would end the cell.
static void put_cell(struct text *text, const char *cell) {
	for (const char *c = cell; *c != '\0'; c++) {
		if (*c == '|')
			text_append(text, "\\");
		text_append_bytes(text, c, 1);
	}
}

static void print_markdown(const struct table *table, struct text *text) {
	for (const struct line *line = table->first; line != NULL; line = line->next) {
		for (size_t i = 0; i < COLUMNS; i++) {
			text_append(text, "| ");
			put_cell(text, line->cells[i]);
			text_append(text, line->cells[i][0] == '\0' ? "" : " ");
		}
		text_append(text, "|\n");
		if (line == table->first)
			text_append(text, "|---|---|---|---|---|\n");
	}
}

static void table_print(struct table *table, bool markdown, struct text *text) {
	(markdown ? print_markdown : print_aligned)(table, text);
	arena_finish(&table->arena);
}

static const char *type_text(struct table *table, const struct key *key) {
	static const char *const names[] = {
	    [KEY_BOOL] = "true | false",
	    [KEY_INTEGER] = "integer",
	    [KEY_SEED] = "64-bit integer",
	    [KEY_REAL] = "number",
	    [KEY_STRING] = "string",
	    [KEY_PATH] = "path",
	    [KEY_REALS] = "list of numbers",
	    [KEY_STRINGS] = "list of strings",
	    [KEY_VALUES] = "list of values",
	    [KEY_CHOICE] = "",
	    [KEY_TAG] = "",
	    [KEY_GROUP] = "group",
	    [KEY_LIST] = "list of groups",
	    [KEY_UNITS] = "integer | \"items\"",
	    [KEY_COLUMN] = "integer | column's name",
	};
	if (key->type == KEY_GROUP && schema_tag(key->schema) != NULL)
		return "group | name";
	if (key->type == KEY_TAG)
		return arena_format(&table->arena, "one of the %s", key->registry->plural);
	if (key->type != KEY_CHOICE)
		return names[key->type];
	struct text all = {0};
	for (size_t i = 0; i < key->registry->count; i++)
		text_format(&all, "%s\"%s\"", i == 0 ? "" : " | ", key->registry->rows[i]->name);
	const char *text = arena_string(&table->arena, text_string(&all));
	text_finish(&all);
	return text;
}

static const char *default_text(const struct key *key) {
	if ((key->flags & KEY_REQUIRED) != 0)
		return "(required)";
	return key->fallback == NULL ? "(none)" : key->fallback;
}

static const char *code(struct table *table, const char *text, bool markdown) {
	return markdown && text[0] != '\0' ? arena_format(&table->arena, "`%s`", text) : text;
}

static void add_keys(struct table *table, const struct schema *schema, const char *prefix, bool markdown, size_t depth);

static void add_key(struct table *table, const struct key *key, const char *prefix, bool markdown, size_t depth) {
	const char *name = arena_format(&table->arena, "%s%s", prefix, key->name);
	struct text bounds = {0};
	schema_bounds(key, &bounds);
	const char *shown = key->fallback == NULL || (key->flags & KEY_REQUIRED) != 0
	                        ? default_text(key)
	                        : code(table, key->fallback, markdown);
	table_add(table, (const char *const[COLUMNS]){code(table, name, markdown), type_text(table, key), shown,
	                                              text_string(&bounds), key->doc});
	text_finish(&bounds);
	if (key->type == KEY_GROUP)
		add_keys(table, key->schema, arena_format(&table->arena, "%s.", name), markdown, depth + 1);
	if (key->type == KEY_LIST) // an element is addressed by its name
		add_keys(table, key->schema, arena_format(&table->arena, "%s.NAME.", name), markdown, depth + 1);
}

static void add_keys(struct table *table, const struct schema *schema, const char *prefix, bool markdown,
                     size_t depth) {
	for (size_t i = 0; i < schema->count && depth < DEPTH_MAX; i++)
		add_key(table, &schema->keys[i], prefix, markdown, depth);
}

void schema_print(const struct schema *schema, const char *prefix, bool markdown, struct text *text) {
	struct table table = {0};
	table_add(&table, (const char *const[COLUMNS]){"key", "type", "default", "bounds", "meaning"});
	bool dot = prefix[0] != '\0' && prefix[strlen(prefix) - 1] != '.';
	add_keys(&table, schema, dot ? arena_format(&table.arena, "%s.", prefix) : prefix, markdown, 0);
	table_print(&table, markdown, text);
}

void schema_print_registry(const struct registry *registry, bool markdown, struct text *text) {
	struct table table = {0};
	table_add(&table, (const char *const[COLUMNS]){registry->what, "type", "default", "bounds", "meaning"});
	for (size_t i = 0; i < registry->count; i++) {
		const struct row *row = registry->rows[i];
		const char *name = markdown ? arena_format(&table.arena, "**%s**", row->name) : row->name;
		table_add(&table, (const char *const[COLUMNS]){name, "", "", "", row->doc});
		add_keys(&table, &row->params, markdown ? "" : "  ", markdown, 0);
	}
	table_print(&table, markdown, text);
}
