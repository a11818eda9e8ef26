// See continued.h.
#include "cli/continued.h"

#include "base/file.h"
#include "cli/trained.h"

#include <cJSON.h>

#include <stdlib.h>
#include <string.h>

// "KEY=VALUE", the value quoted as an experiment file has it.
static char *setting(const char *key, const char *value) {
	struct text text = {0};
	text_format(&text, "%s=\"", key);
	for (; *value; value++)
		text_format(&text, strchr("\"\\", *value) ? "\\%c" : "%c", *value);
	text_append(&text, "\"");
	char *ret = memory_copy_string(text_string(&text));
	text_finish(&text);
	return ret;
}

int continued_init(const struct options *options, struct continued *ret) {
	enum { MORE = 2 };
	struct error error = {0};
	char hex[HASH_HEX];
	*ret = (struct continued){.options = *options};
	if (!options->continue_from)
		return 0;
	if (!trained_path(options->continue_from, options->results, &ret->path, &error) ||
	    !file_hash(ret->path, hex, &error)) {
		print_error(&error);
		return (int)error.code;
	}
	ret->model = setting("weights.path", ret->path);
	ret->weights = setting("weights.hash", hex);
	struct options *o = &ret->options;
	o->overrides = memory_alloc((o->overrides_count + MORE) * sizeof(*o->overrides));
	for (size_t i = 0; i < o->overrides_count; i++)
		o->overrides[i] = options->overrides[i];
	o->overrides[o->overrides_count++] = ret->model;
	o->overrides[o->overrides_count++] = ret->weights;
	o->continue_from = NULL;
	return 0;
}

void continued_finish(struct continued *c) {
	if (c->model)
		free(c->options.overrides);
	free(c->path);
	free(c->model);
	free(c->weights);
}

// Whether the metadata's list is the data's, id by id.
static bool same_names(const struct stored *stored, const char *key, const struct matrices *m, size_t count,
                       const char *(*name)(const struct matrices *, size_t), bool *ret_same, struct error *error) {
	struct cJSON *names;
	if (!stored_json(stored, key, &names, error))
		return false;
	size_t at = 0;
	bool same = true;
	for (const cJSON *one = cJSON_IsArray(names) ? names->child : NULL; one && same; one = one->next, at++)
		same = at < count && cJSON_IsString(one) && !strcmp(one->valuestring, name(m, at));
	*ret_same = same && at == count;
	cJSON_Delete(names);
	return true;
}

// Weights belong to items and users by their places.
static bool same_data(const struct prepared *p, const struct stored *stored, struct error *error) {
	const struct matrices *m = &p->matrices;
	bool items, users = true;
	if (!same_names(stored, "items", m, m->items, matrices_item, &items, error) ||
	    (stored_text(stored, "users") && !same_names(stored, "users", m, m->users, matrices_user, &users, error)))
		return false;
	if (items && users)
		return true;
	error_set(error, ERROR_CONFIG, "\"%s\" was trained on other %s", stored->path, items ? "users" : "items");
	error_hint(error, "Weights belong to them by their place: continue with the data that the run had.");
	return false;
}

bool continued_fits(const struct prepared *p, struct error *error) {
	return !stored_text(&p->weights, "items") || same_data(p, &p->weights, error);
}
