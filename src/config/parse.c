// From the text of an experiment file to a tree; the only file that knows libconfig.
//
// libconfig judges the grammar and the duplicates; literals are config/scan.c's. libconfig is handed one token a line,
// so that its line numbers are indices of tokens, and a placeholder for each number and string: the token's index, as
// an int (integers), an int64 (strings) or a float (reals), so that its rule of one type an array still holds.
#include <libconfig.h>
#include <string.h>

#include "config/tree.h"

enum { SHOWN_MAX = 40 }; // bytes of a token that a message repeats

// ---- what libconfig calls "syntax error", in words ----

// A token that cannot stand where it stands, the one before it (or NULL), and the bracket that is open there (or NULL).
struct spot {
	const struct token *token, *before, *open;
};

static bool is_mark(const struct token *token, const char *marks) {
	return token != NULL && token->kind == TOKEN_MARK && strchr(marks, token->mark) != NULL;
}

static bool when_word(const struct spot *spot) {
	return spot->token->kind == TOKEN_NAME && is_mark(spot->before, "=:,([");
}

static bool when_value_missing(const struct spot *spot) {
	return is_mark(spot->before, "=:");
}

static bool when_comma_too_many(const struct spot *spot) {
	return is_mark(spot->token, ")]") && is_mark(spot->before, ",") && is_mark(spot->open, "([");
}

static bool when_group_in_array(const struct spot *spot) {
	return is_mark(spot->open, "[") && is_mark(spot->token, "([{");
}

static bool when_comma_missing(const struct spot *spot) {
	if (!is_mark(spot->open, "(["))
		return false;
	bool begins = spot->token->kind != TOKEN_END && (spot->token->kind != TOKEN_MARK || is_mark(spot->token, "([{"));
	return begins && (spot->before->kind != TOKEN_MARK || is_mark(spot->before, ")]}"));
}

static bool when_open(const struct spot *spot) {
	return spot->open != NULL &&
	       (spot->token->kind == TOKEN_END || is_mark(spot->token, ")]}") || is_mark(spot->open, "(["));
}

static bool when_twice(const struct spot *spot) {
	return is_mark(spot->token, ";,") && is_mark(spot->before, ";,");
}

static bool always(const struct spot *spot) {
	(void)spot;
	return true;
}

static int shown(const struct token *token) {
	size_t length = 0;
	while (length < token->length && length < SHOWN_MAX && token->text[length] != '\n')
		length++;
	return (int)length;
}

static void say_quotes(const struct spot *spot, struct error *error) {
	error_hint(error, "Put a word in double quotes: \"%.*s\".", shown(spot->token), spot->token->text);
}

static void say_open(const struct spot *spot, struct error *error) {
	error_hint(error, "The \"%c\" of line %zu is not closed.", spot->open->mark, spot->open->line);
}

// The first that applies.
static const struct {
	bool (*when)(const struct spot *spot);
	const char *hint; // NULL: `say` does it
	void (*say)(const struct spot *spot, struct error *error);
} hints[] = {
    {when_word, NULL, say_quotes},
    {when_value_missing, "A value is missing after the \"=\".", NULL},
    {when_comma_too_many, "There is no comma after the last element of a list.", NULL},
    {when_group_in_array, "An array [ ] holds numbers or strings; a list of groups is written ( ).", NULL},
    {when_comma_missing, "The elements of a list are separated by commas.", NULL},
    {when_open, NULL, say_open},
    {when_twice, "One \";\" ends a setting.", NULL},
    {always, "A setting is written NAME = VALUE;", NULL},
};

static struct spot find_spot(const struct tokens *tokens, size_t index) {
	const struct token *open[SCAN_DEPTH_MAX];
	size_t depth = 0;
	for (size_t i = 0; i < index; i++) {
		const struct token *token = &tokens->items[i];
		if (is_mark(token, "([{"))
			open[depth++] = token; // the scanner has checked the depth
		else if (is_mark(token, ")]}") && depth > 0)
			depth--;
	}
	return (struct spot){.token = &tokens->items[index],
	                     .before = index > 0 ? &tokens->items[index - 1] : NULL,
	                     .open = depth > 0 ? open[depth - 1] : NULL};
}

static void add_unexpected(const struct source_text *source, const struct tokens *tokens, size_t index,
                           struct errors *errors) {
	struct spot spot = find_spot(tokens, index);
	struct origin at = source_origin(source, spot.token->line);
	const char *quote = spot.token->kind == TOKEN_STRING ? "" : "\"";
	struct error *error = spot.token->kind == TOKEN_END ? errors_add(errors, ERROR_CONFIG, at, "the %s ends too early",
	                                                                 source->lines ? "file" : "value")
	                                                    : errors_add(errors, ERROR_CONFIG, at, "unexpected %s%.*s%s",
	                                                                 quote, shown(spot.token), spot.token->text, quote);
	size_t i = 0;
	while (!hints[i].when(&spot))
		i++;
	if (hints[i].hint != NULL)
		error_hint(error, "%s", hints[i].hint);
	else
		hints[i].say(&spot, error);
}

// The token that set the same name in the same group before.
static const struct token *find_first(const struct tokens *tokens, size_t index) {
	const struct token *again = &tokens->items[index], *first = NULL;
	size_t depth = 0;
	for (size_t i = index; i-- > 0;) {
		const struct token *token = &tokens->items[i];
		if (is_mark(token, ")]}"))
			depth++;
		else if (is_mark(token, "([{") && depth-- == 0)
			break;
		else if (depth == 0 && token->kind == TOKEN_NAME && token->length == again->length &&
		         memcmp(token->text, again->text, again->length) == 0)
			first = token;
	}
	return first;
}

static void add_duplicate(const struct source_text *source, const struct tokens *tokens, size_t index,
                          struct errors *errors) {
	const struct token *token = &tokens->items[index], *first = find_first(tokens, index);
	struct error *error = errors_add(errors, ERROR_CONFIG, source_origin(source, token->line), "\"%.*s\" is set twice",
	                                 shown(token), token->text);
	if (first != NULL && source->lines)
		error_hint(error, "Line %zu sets it first; keep one of the two.", first->line);
}

static void add_mixed_array(const struct source_text *source, const struct tokens *tokens, size_t index,
                            struct errors *errors) {
	const struct token *token = &tokens->items[index];
	error_hint(errors_add(errors, ERROR_CONFIG, source_origin(source, token->line),
	                      "%.*s is of another type than the elements before it", shown(token), token->text),
	           "An array [ ] holds values of one type: write 1.0 where the others are reals, or use a list ( ).");
}

// libconfig's bare texts, and what says them better. `index` is the token where it stopped.
static void add_parse_error(const struct source_text *source, const struct tokens *tokens, const config_t *config,
                            struct errors *errors) {
	static const struct {
		const char *text;
		void (*add)(const struct source_text *, const struct tokens *, size_t, struct errors *);
	} known[] = {
	    {"syntax error", add_unexpected},
	    {"duplicate setting name", add_duplicate},
	    {"mismatched element type in array", add_mixed_array},
	};
	const char *text = config_error_text(config);
	size_t line = config_error_line(config) > 0 ? (size_t)config_error_line(config) : 1;
	size_t index = line - 1 < tokens->count ? line - 1 : tokens->count - 1;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (text != NULL && strcmp(text, known[i].text) == 0) {
			known[i].add(source, tokens, index, errors);
			return;
		}
	}
	errors_add(errors, ERROR_CONFIG, source_origin(source, tokens->items[index].line), "%s",
	           text == NULL ? "cannot be read" : text);
}

// ---- one text ----

struct conversion {
	const struct source_text *source;
	const struct tokens *tokens;
	struct arena *arena;
};

static struct value *convert_literal(const struct conversion *c, const char *name, struct origin at,
                                     const struct token *token) {
	struct value *value = value_create(c->arena, name, VALUE_STRING, at);
	value->bad = token->bad;
	value->big = token->big;
	if (token->kind == TOKEN_INTEGER) {
		value->type = VALUE_INTEGER;
		value->as.integer = token->as.integer;
	} else if (token->kind == TOKEN_REAL) {
		value->type = VALUE_REAL;
		value->as.real = token->as.real;
	} else {
		value->as.string = token->as.string;
	}
	return value;
}

static struct value *convert(const struct conversion *c, config_setting_t *setting);

static struct value *convert_children(const struct conversion *c, const char *name, enum value_type type,
                                      struct origin at, config_setting_t *setting) {
	struct value *value = value_create(c->arena, name, type, at);
	size_t count = (size_t)config_setting_length(setting);
	value->as.children.items = arena_alloc(c->arena, count * sizeof(struct value *));
	value->as.children.count = count;
	for (size_t i = 0; i < count; i++)
		value->as.children.items[i] = convert(c, config_setting_get_elem(setting, (unsigned)i));
	return value;
}

// The setting's line is the index of its name's token, or of an element's own; the root has none.
static struct value *convert(const struct conversion *c, config_setting_t *setting) {
	const struct token *tokens = c->tokens->items;
	size_t line = config_setting_source_line(setting);
	struct origin at = source_origin(c->source, line == 0 ? 1 : tokens[line - 1].line);
	const char *own = config_setting_name(setting), *name = own == NULL ? NULL : arena_string(c->arena, own);
	struct value *value;
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
		return convert_literal(c, name, at, &tokens[config_setting_get_int(setting)]);
	case CONFIG_TYPE_INT64:
		return convert_literal(c, name, at, &tokens[config_setting_get_int64(setting)]);
	case CONFIG_TYPE_FLOAT:
		return convert_literal(c, name, at, &tokens[(size_t)config_setting_get_float(setting)]);
	case CONFIG_TYPE_BOOL:
		value = value_create(c->arena, name, VALUE_BOOL, at);
		value->as.boolean = config_setting_get_bool(setting) == CONFIG_TRUE;
		return value;
	case CONFIG_TYPE_GROUP:
		return convert_children(c, name, VALUE_GROUP, at, setting);
	default: // CONFIG_TYPE_ARRAY, CONFIG_TYPE_LIST
		return convert_children(c, name, VALUE_LIST, at, setting);
	}
}

static void put_token(struct text *text, const struct token *token, size_t index) {
	switch (token->kind) {
	case TOKEN_INTEGER:
		text_format(text, "%zu\n", index);
		break;
	case TOKEN_STRING:
		text_format(text, "%zuL\n", index);
		break;
	case TOKEN_REAL:
		text_format(text, "%zu.0\n", index);
		break;
	default:
		text_append_bytes(text, token->text, token->length);
		text_append(text, "\n");
	}
}

static struct value *parse_tokens(const struct source_text *source, const struct tokens *tokens, struct arena *arena,
                                  struct errors *errors) {
	struct text text = {0};
	for (size_t i = 0; i + 1 < tokens->count; i++)
		put_token(&text, &tokens->items[i], i);
	config_t config;
	config_init(&config);
	struct value *root = NULL;
	if (config_read_string(&config, text_string(&text)) == CONFIG_TRUE) {
		struct conversion conversion = {.source = source, .tokens = tokens, .arena = arena};
		root = convert(&conversion, config_root_setting(&config));
	} else {
		add_parse_error(source, tokens, &config, errors);
	}
	config_destroy(&config);
	text_finish(&text);
	return root;
}

struct value *tree_parse(const struct source_text *source, struct arena *arena, struct errors *errors) {
	struct tokens tokens = {0};
	struct value *root = NULL;
	if (tokens_scan(source, arena, &tokens, errors))
		root = parse_tokens(source, &tokens, arena, errors);
	tokens_finish(&tokens);
	return root;
}

static struct value *parse_value(const char *text, struct origin at, struct arena *arena, struct errors *errors) {
	struct text whole = {0};
	text_format(&whole, "value = %s\n", text);
	struct source_text source = {.text = text_string(&whole), .length = whole.length, .at = at};
	struct value *root = tree_parse(&source, arena, errors);
	bool fine = root != NULL && errors->count == 0 && root->as.children.count == 1;
	text_finish(&whole);
	return fine ? root->as.children.items[0] : NULL;
}

struct value *tree_parse_value(const char *text, struct origin at, struct arena *arena) {
	struct errors errors = {0};
	struct value *value = parse_value(text, at, arena, &errors);
	errors_finish(&errors);
	return value;
}

bool tree_explain_value(const char *text, struct origin at, struct errors *errors) {
	struct arena arena = {0};
	struct errors own = {0};
	parse_value(text, at, &arena, &own);
	bool any = own.count > 0;
	if (any)
		errors_push(errors, &own.items[0]); // one is enough: the next may follow from it
	errors_finish(&own);
	arena_finish(&arena);
	return any;
}
