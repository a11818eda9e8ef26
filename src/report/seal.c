// See seal.h.
#include "report/seal.h"

#include "base/file.h"
#include "report/json.h"

#include <cJSON.h>
#include <stdlib.h>
#include <string.h>

// How the two members begin, as json.h writes them, and how the text ends.
#define FILES ",\n\t\"files\": {"
#define OWN ",\n\t\"hash\": \""
#define END "\n}\n"

// The last place where `text` holds the word; NULL: nowhere.
static char *last_place(const struct text *text, const char *word) {
	char *last = NULL;
	for (char *at = text->data; at && (at = strstr(at, word)); at++)
		last = at;
	return last;
}

static void cut(struct text *text, const char *at) {
	text->length = (size_t)(at - text->data);
	text->data[text->length] = '\0';
}

static void hash_text(const char *data, size_t size, char ret_hex[HASH_HEX]) {
	struct hash hash;
	hash_init(&hash);
	hash_bytes(&hash, data, size);
	hash_finish(&hash, ret_hex);
}

// known: what is written of files that are not in the folder; NULL: they are left out.
static bool add_files(struct text *text, const char *const *names, size_t count, const char *folder,
                      const struct cJSON *known, struct error *error) {
	bool good = true, any = false;
	text_append(text, FILES);
	for (size_t i = 0; good && i < count; i++) {
		char hex[HASH_HEX], *path = path_join(folder, names[i]);
		bool there = file_exists(path);
		const char *value = cJSON_GetStringValue(json_member(known, names[i]));
		if (there)
			good = file_hash(path, hex, error);
		if (there || value)
			text_format(text, "%s\n\t\t\"%s\": \"%s\"", any ? "," : "", names[i],
			            there && good ? hex
			            : value       ? value
			                          : "");
		any = any || there || value;
		free(path);
	}
	text_append(text, "\n\t}");
	return good;
}

static void add_own(struct text *text) {
	char hex[HASH_HEX];
	hash_text(text->data, text->length, hex);
	text_format(text, OWN "%s\"" END, hex);
}

bool seal_add(struct text *text, const char *const *names, size_t count, const char *folder, struct error *error) {
	char *end = last_place(text, END);
	if (!end)
		return error_set(error, ERROR_DATA, "run.json does not end as it should");
	cut(text, end);
	if (!add_files(text, names, count, folder, NULL, error))
		return false;
	add_own(text);
	return true;
}

bool seal_renew(struct text *text, const char *const *names, size_t count, const char *folder, struct error *error) {
	char *files = last_place(text, FILES);
	struct cJSON *whole = files ? cJSON_Parse(text->data) : NULL;
	if (!whole)
		return true;
	cut(text, files);
	bool good = add_files(text, names, count, folder, json_member(whole, "files"), error);
	cJSON_Delete(whole);
	if (good)
		add_own(text);
	return good;
}

bool seal_holds(const struct text *text, bool *ret_there) {
	char hex[HASH_HEX], *own = last_place(text, OWN);
	*ret_there = own != NULL;
	if (!own)
		return false;
	hash_text(text->data, (size_t)(own - text->data), hex);
	const char *value = own + strlen(OWN);
	return strlen(value) == HASH_HEX - 1 + strlen("\"" END) && !memcmp(value, hex, HASH_HEX - 1) &&
	       !strcmp(value + HASH_HEX - 1, "\"" END);
}
