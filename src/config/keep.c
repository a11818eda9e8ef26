// A loaded tree as a file of its own; see read.h.
#include "config/read.h"

#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

static void keep_group(const struct value *group, const struct schema *schema, const char *between, struct text *text);

// What a value is to a key that wants a word: an override's text where it was read as something else.
static const char *word_of(const struct value *value, const struct key *key) {
	bool wants = key != NULL &&
	             (key->type == KEY_STRING || key->type == KEY_PATH || key->type == KEY_CHOICE || key->type == KEY_TAG);
	if (!wants)
		return NULL;
	return value->type == VALUE_STRING ? value->as.string : value->raw;
}

static void keep_word(const char *word, const struct value *value, const struct key *key, struct text *text) {
	char *placed = key->type == KEY_PATH ? schema_place_path(word, value->at) : memory_copy_string(word);
	struct value string = {.type = VALUE_STRING, .as.string = placed};
	value_write(&string, text);
	free(placed);
}

static void keep_value(const struct value *value, const struct key *key, struct text *text) {
	const char *word = word_of(value, key);
	if (word != NULL) {
		keep_word(word, value, key, text);
	} else if (key != NULL && key->type == KEY_GROUP && value->type == VALUE_GROUP) {
		text_append(text, "{ ");
		keep_group(value, key->schema, " ", text);
		text_append(text, "}");
	} else if (key != NULL && key->type == KEY_LIST && value->type == VALUE_LIST) {
		text_append(text, "(");
		for (size_t i = 0; i < value->as.children.count; i++) {
			text_append(text, i > 0 ? ",\n\t{ " : "\n\t{ ");
			keep_group(value->as.children.items[i], key->schema, " ", text);
			text_append(text, "}");
		}
		text_append(text, " )");
	} else {
		value_write(value, text);
	}
}

static void keep_group(const struct value *group, const struct schema *schema, const char *between, struct text *text) {
	const struct key *tag = schema_tag(schema);
	const struct row *row = tag == NULL ? NULL : schema_row(tag, group);
	for (size_t i = 0; i < group->as.children.count; i++) {
		const struct value *child = group->as.children.items[i];
		const struct key *key = schema_key(schema, child->name);
		if (key == NULL && row != NULL)
			key = schema_key(&row->params, child->name);
		text_format(text, "%s = ", child->name);
		keep_value(child, key, text);
		text_format(text, ";%s", between);
	}
}

void config_keep(const struct value *tree, const struct schema *root, struct text *text) {
	keep_group(tree, root, "\n", text);
}
