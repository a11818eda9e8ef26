// See config_lines.h.
#include "report/config_lines.h"

#include "base/file.h"
#include "base/number.h"
#include "config/read.h"
#include "train/experiment.h"

#include <stdlib.h>
#include <string.h>

struct growing {
	struct arena *arena;
	bool whole;
	struct config_line *items; // (count)
	size_t count, capacity;
};

static void add_line(struct growing *lines, const char *key, const char *value) {
	if (lines->count == lines->capacity) {
		lines->capacity = lines->capacity ? 2 * lines->capacity : 64;
		lines->items = memory_resize(lines->items, lines->capacity * sizeof(*lines->items));
	}
	lines->items[lines->count++] = (struct config_line){key, value};
}

static const char *text_of(const struct value *value, struct arena *arena) {
	char number[NUMBER_TEXT];
	switch (value->type) {
	case VALUE_BOOL:
		return value->as.boolean ? "true" : "false";
	case VALUE_INTEGER:
		return value->big ? arena_format(arena, "%llu", (unsigned long long)value->as.integer)
		                  : arena_format(arena, "%lld", (long long)value->as.integer);
	case VALUE_REAL:
		number_write(value->as.real, number);
		return arena_string(arena, number);
	default:
		return arena_format(arena, "\"%s\"", value->as.string);
	}
}

static bool is_plain(const struct value *value) {
	return value->type != VALUE_GROUP && value->type != VALUE_LIST;
}

// A list of plain values is one value; elements of others have names.
static bool is_plain_list(const struct value *value) {
	for (size_t i = 0; value->type == VALUE_LIST && i < value->as.children.count; i++)
		if (!is_plain(value->as.children.items[i]))
			return false;
	return value->type == VALUE_LIST;
}

static void add_list(struct growing *lines, const char *key, const struct value *list) {
	struct text text = {0};
	text_append(&text, "[");
	for (size_t i = 0; i < list->as.children.count; i++)
		text_format(&text, "%s%s", i ? ", " : " ", text_of(list->as.children.items[i], lines->arena));
	text_append(&text, " ]");
	add_line(lines, key, arena_string(lines->arena, text_string(&text)));
	text_finish(&text);
}

static bool is_no_part(const char *name) {
	return !strcmp(name, "expect") || !strcmp(name, "sweep");
}

static void flatten(struct growing *lines, const char *key, const struct value *value) {
	if (is_plain(value)) {
		add_line(lines, key, text_of(value, lines->arena));
	} else if (is_plain_list(value)) {
		add_list(lines, key, value);
	} else {
		for (size_t i = 0; i < value->as.children.count; i++) {
			const struct value *child = value->as.children.items[i];
			const char *name = value->type == VALUE_LIST ? value_label(child, i, lines->arena) : child->name;
			if (lines->whole || *key || !is_no_part(name))
				flatten(lines, *key ? arena_format(lines->arena, "%s.%s", key, name) : name, child);
		}
	}
}

static int by_key(const void *a, const void *b) {
	return strcmp(((const struct config_line *)a)->key, ((const struct config_line *)b)->key);
}

bool config_lines_read(const char *folder, bool whole, struct arena *arena, struct config_lines *ret,
                       struct error *error) {
	struct errors errors = {0};
	struct growing lines = {.arena = arena, .whole = whole};
	char *path = path_join(folder, "experiment.cfg");
	const struct value *tree = NULL;
	if (file_exists(path) && !file_is_regular(path)) // a pipe that nobody writes to would be waited for
		errors_add(&errors, ERROR_DATA, (struct origin){.file = path}, "no regular file");
	else
		tree = config_load(arena_string(arena, path), NULL, 0, &experiment_schema, arena, &errors);
	bool good = tree && errors.count == 0;
	if (good) {
		flatten(&lines, "", tree);
		ret->items = arena_copy(arena, lines.items, lines.count * sizeof(*lines.items));
		ret->count = lines.count;
		if (lines.count)
			qsort(ret->items, lines.count, sizeof(*lines.items), by_key);
	} else {
		*error = errors.items[0];
		error->code = ERROR_DATA;
	}
	free(lines.items);
	free(path);
	errors_finish(&errors);
	return good;
}

const char *config_lines_value(const struct config_lines *lines, const char *key) {
	struct config_line wanted = {.key = key};
	const struct config_line *found =
	    lines->count ? bsearch(&wanted, lines->items, lines->count, sizeof(wanted), by_key) : NULL;
	return found ? found->value : NULL;
}

// --- as one text ---

static void append_clean(struct text *text, const char *string) {
	while (*string) {
		size_t clean = 0;
		while ((unsigned char)string[clean] >= ' ')
			clean++;
		text_append_bytes(text, string, clean);
		string += clean;
		if (*string) {
			text_append(text, " ");
			string++;
		}
	}
}

void config_lines_write(const struct config_lines *lines, struct text *text) {
	for (size_t i = 0; i < lines->count; i++) {
		append_clean(text, lines->items[i].key);
		text_append(text, "\t");
		append_clean(text, lines->items[i].value);
		text_append(text, "\n");
	}
}

const char *config_text_value(const char *text, const char *key, struct arena *arena) {
	size_t length = strlen(key);
	for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		if (strncmp(line, key, length) != 0 || line[length] != '\t')
			continue;
		const char *value = line + length + 1;
		size_t size = (size_t)(end - value);
		bool quoted = size >= 2 && value[0] == '"' && end[-1] == '"';
		return arena_format(arena, "%.*s", (int)(size - 2 * quoted), value + quoted);
	}
	return NULL;
}
