// The JSON writer and reader. What it leaves out: streaming, comments, anything but UTF-8.
#include "report/json.h"

#include "base/file.h"
#include "base/number.h"
#include "report/quote.h"

#include <assert.h>
#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void new_line(struct json *json) {
	text_append(json->text, "\n");
	for (size_t i = 0; i < json->depth; i++)
		text_append(json->text, "\t");
}

// Everything that stands before a value: comma, line, key.
static void place(struct json *json, const char *key) {
	if (json->depth > 0) {
		bool any = json->level[json->depth - 1].any, lines = json->level[json->depth - 1].lines;
		json->level[json->depth - 1].any = true;
		if (any)
			text_append(json->text, ",");
		if (lines)
			new_line(json);
		else if (any && !json->compact)
			text_append(json->text, " ");
	}
	if (!key)
		return;
	quote_json(json->text, key);
	text_append(json->text, json->compact ? ":" : ": ");
}

static void begin(struct json *json, const char *key, enum json_layout layout, const char *open, char close) {
	assert(json->depth < JSON_DEPTH);
	place(json, key);
	text_append(json->text, open);
	json->level[json->depth].close = close;
	json->level[json->depth].lines = layout == JSON_LINES && !json->compact;
	json->level[json->depth].any = false;
	json->depth++;
}

void json_object(struct json *json, const char *key, enum json_layout layout) {
	begin(json, key, layout, "{", '}');
}

void json_array(struct json *json, const char *key, enum json_layout layout) {
	begin(json, key, layout, "[", ']');
}

void json_end(struct json *json) {
	assert(json->depth > 0);
	json->depth--;
	if (json->level[json->depth].lines && json->level[json->depth].any)
		new_line(json);
	text_append_bytes(json->text, &json->level[json->depth].close, 1);
}

void json_real(struct json *json, const char *key, double value) {
	char number[NUMBER_TEXT] = "null"; // JSON has neither NaN nor infinity
	if (isfinite(value))
		number_write(value, number);
	place(json, key);
	text_append(json->text, number);
}

void json_single(struct json *json, const char *key, float value) {
	char number[NUMBER_TEXT] = "null";
	if (isfinite(value))
		number_write_single(value, number);
	place(json, key);
	text_append(json->text, number);
}

void json_count(struct json *json, const char *key, size_t value) {
	place(json, key);
	text_format(json->text, "%zu", value);
}

void json_bool(struct json *json, const char *key, bool value) {
	place(json, key);
	text_append(json->text, value ? "true" : "false");
}

void json_string(struct json *json, const char *key, const char *value) {
	place(json, key);
	if (value)
		quote_json(json->text, value);
	else
		text_append(json->text, "null");
}

// Where the string ends whose quote is at `at`: behind the closing one.
static size_t string_end(const char *text, size_t length, size_t at) {
	for (at++; at < length && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at + 1;
}

bool json_fits(const char *text, size_t length) {
	size_t values = 1;
	for (size_t at = 0; at < length && values <= JSON_VALUES_MOST;) {
		char c = text[at];
		values += c == ',' || c == '[' || c == '{';
		at = c == '"' ? string_end(text, length, at) : at + 1;
	}
	return values <= JSON_VALUES_MOST;
}

bool json_holds_nul(const char *text, size_t length) {
	static const char nul[] = "\\u0000";
	const char *at = text, *end = text + length;
	while ((at = memchr(at, '\\', (size_t)(end - at)))) {
		size_t left = (size_t)(end - at);
		if (left >= strlen(nul) && !memcmp(at, nul, strlen(nul)))
			return true;
		at += left < 2 ? left : 2;
	}
	return false;
}

// cJSON stops at the end of the first value, or at a NUL: what stands behind it is checked here.
bool json_read(const char *path, size_t most, struct cJSON **ret_object, struct error *error) {
	char *data = NULL;
	size_t size = 0;
	struct origin at = {.file = path};
	if (!file_read(path, most, &data, &size, error))
		return false;
	if (!json_fits(data, size)) {
		free(data);
		return error_at(error, ERROR_DATA, at, "more than %d values", JSON_VALUES_MOST);
	}
	if (json_holds_nul(data, size)) {
		free(data);
		return error_at(error, ERROR_DATA, at, "a string holds the character NUL");
	}
	const char *end = NULL;
	struct cJSON *object = cJSON_ParseWithLengthOpts(data, size + 1, &end, true);
	bool whole = object && cJSON_IsObject(object) && end == data + size;
	free(data);
	if (!whole) {
		cJSON_Delete(object);
		return error_at(error, ERROR_DATA, at, "not a whole JSON object");
	}
	*ret_object = object;
	return true;
}

const struct cJSON *json_member(const struct cJSON *object, const char *name) {
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *json_text(const struct cJSON *value, struct arena *arena) {
	return cJSON_IsString(value) ? arena_string(arena, value->valuestring) : NULL;
}

double json_number(const struct cJSON *value) {
	return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
}

bool json_whole(const struct cJSON *value, size_t *ret) {
	double number = json_number(value);
	if (!(number >= 0 && number <= 9007199254740992.0) || number != floor(number))
		return false;
	*ret = (size_t)number;
	return true;
}

bool json_is_id(const char *id) {
	return id && *id && *id != '.' && !strchr(id, '/');
}
