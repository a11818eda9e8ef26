// aexp verify --integrity: whether finished runs are still what they were: their files, their weights, and the data
// that they were made from, which is read anew.
#include "cli/integrity.h"

#include "base/file.h"
#include "recommend/stored.h"
#include "report/integrity.h"
#include "report/json.h"
#include "report/report.h"
#include "report/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_DATA = INTEGRITIES, VERDICTS };

struct listing {
	const struct options *options;
	const char *folder; // of the run at hand
	struct json json;
	size_t count[VERDICTS];
	int code; // of a run that could not be looked at
};

static void list(struct listing *l, const char *file, size_t verdict, const char *why) {
	const char *word = verdict == NO_DATA ? "no data" : integrity_words[verdict];
	l->count[verdict]++;
	if (!l->options->json) {
		printf("%-8s %s/%s%s%s\n", word, l->folder, file, *why ? ": " : "", why);
		return;
	}
	json_object(&l->json, NULL, JSON_INLINE);
	json_string(&l->json, "run", l->folder);
	json_string(&l->json, "file", file);
	json_string(&l->json, "verdict", word);
	json_string(&l->json, "why", why);
	json_end(&l->json);
}

static void say(void *context, const char *file, enum integrity verdict, const char *why) {
	list(context, file, (size_t)verdict, why);
}

// The tensors as the file has them, against the hash of those that were trained.
static void check_weights(struct listing *l, const struct integrity_facts *facts) {
	struct stored stored = {0};
	struct error error = {0};
	char hex[HASH_HEX], *path = path_join(l->folder, "model.safetensors");
	if (!file_exists(path))
		list(l, "model.safetensors", INTEGRITY_MISSING, "there are no weights");
	else if (!stored_open(path, &stored, &error))
		list(l, "model.safetensors", INTEGRITY_CHANGED, error.message);
	else if (stored_hash(&stored, hex), strcmp(hex, facts->weights_hash) != 0)
		list(l, "model.safetensors", INTEGRITY_CHANGED, "its weights are not those of the hash in metrics.json");
	else if (!stored_text(&stored, "id") || strcmp(stored_text(&stored, "id"), facts->id) != 0)
		list(l, "model.safetensors", INTEGRITY_CHANGED, "it is another run's than metrics.json");
	else
		list(l, "weights", INTEGRITY_OK, "");
	stored_close(&stored);
	free(path);
}

// What experiment.cfg names, read from its files.
static void check_data(struct listing *l, const struct integrity_facts *facts) {
	struct prepared p;
	struct options options = *l->options;
	char *path = path_join(l->folder, "experiment.cfg");
	options.no_cache = true;
	int code = prepare(path, &options, false, &p);
	if (code)
		list(l, "data", NO_DATA, "it cannot be read, see above");
	else if (strcmp(p.dataset.fingerprint, facts->fingerprint) != 0)
		list(l, "data", INTEGRITY_CHANGED, "its fingerprint is not that in metrics.json");
	else if (strcmp(p.matrices.split_hash, facts->split) != 0)
		list(l, "data", INTEGRITY_CHANGED, "it is split otherwise than metrics.json says");
	else
		list(l, "data", INTEGRITY_OK, "");
	prepared_finish(&p);
	free(path);
}

static void check_run(void *context, const char *folder) {
	struct listing *l = context;
	struct integrity_facts facts;
	struct error error = {0};
	const char *before = l->folder;
	l->folder = folder;
	if (integrity_check_run(folder, &(struct integrity_listener){l, say}, &facts, &error)) {
		check_weights(l, &facts);
		check_data(l, &facts);
	} else {
		list(l, "metrics.json", INTEGRITY_CHANGED, error.message);
	}
	l->folder = before;
}

static bool check_folder(struct listing *l, const char *folder, struct error *error) {
	char *summary = path_join(folder, "summary.json");
	bool several = file_exists(summary), good = true;
	free(summary);
	l->folder = folder;
	if (run_folder_is_sweep(folder)) {
		error_set(error, ERROR_CONFIG, "%s is a sweep", folder);
		error_hint(error, "Its trials are ordinary runs: name those.");
		good = false;
	} else if (!run_folder_finished(folder)) {
		error_set(error, ERROR_CONFIG, "%s is not finished: there is nothing to hold it against", folder);
		good = false;
	} else if (several) {
		good = integrity_check_summary(folder, &(struct integrity_listener){l, say}, check_run, error);
	} else {
		check_run(l, folder);
	}
	return good;
}

static void check_argument(struct listing *l, const char *run) {
	struct error error = {0};
	char *folder = NULL;
	if (!runs_resolve(l->options->results, run, &folder, &error) || !check_folder(l, folder, &error)) {
		print_error(&error);
		l->code = l->code ? l->code : (int)error.code;
	}
	free(folder);
}

int verify_integrity(const struct options *options) {
	struct text text = {0};
	struct listing l = {.options = options, .json.text = &text};
	if (options->json)
		json_array(&l.json, NULL, JSON_LINES);
	for (size_t i = 0; i < options->arguments_count; i++)
		check_argument(&l, options->arguments[i]);
	if (options->json) {
		json_end(&l.json);
		printf("%s\n", text_string(&text));
	} else {
		printf("%zu ok, %zu changed, %zu missing, %zu unknown, %zu without data\n", l.count[INTEGRITY_OK],
		       l.count[INTEGRITY_CHANGED], l.count[INTEGRITY_MISSING], l.count[INTEGRITY_UNKNOWN], l.count[NO_DATA]);
	}
	text_finish(&text);
	if (l.code)
		return l.code;
	return l.count[NO_DATA] ? ERROR_DATA : l.count[INTEGRITY_CHANGED] + l.count[INTEGRITY_MISSING] ? ERROR_RUN : 0;
}
