// See protocol.h.
#include "train/protocol.h"

#include "data/split.h"

#include <math.h>
#include <string.h>

// Raised when the definition of a metric changes, so that old and new figures are not compared.
static const char DEFINITIONS[] = "aexp.metrics/2";

// The split without its seed and fold, which say which of many alike it is. In the arena; NULL stays.
static struct split_config *any_split(const struct split_config *split, struct arena *arena) {
	if (!split)
		return NULL;
	struct split_config *any = arena_copy(arena, split, sizeof(*split));
	any->kind.params = arena_copy(arena, split->kind.params, split->kind.row->params.size);
	((struct split_common *)any->kind.params)->seed = 0;
	if (split->kind.row == &split_kfold_kind.row)
		((struct split_kfold *)any->kind.params)->fold = 0;
	return any;
}

// Above what a rating is liked, whether the file says so or the buckets do.
static double liked_above(const struct data_config *data) {
	if (!isnan(data->liked))
		return data->liked;
	size_t thresholds = data->buckets ? data->buckets->thresholds.count : 0;
	return thresholds ? data->buckets->thresholds.items[thresholds - 1] : -INFINITY;
}

static void write_asked(const struct data_config *data, struct text *text) {
	struct arena arena = {0};
	struct data_config asked = {.filter = data->filter, .buckets = data->buckets};
	asked.liked = liked_above(data);
	asked.split = any_split(data->split, &arena);
	schema_write(&data_schema, &asked, true, text);
	arena_finish(&arena);
}

void experiment_protocol(const struct experiment *experiment, const char *fingerprint, char ret[EXPERIMENT_ID]) {
	struct text text = {0};
	struct hash hash;
	char hex[HASH_HEX];
	write_asked(experiment->data, &text);
	if (experiment->evaluate)
		schema_write(&evaluate_schema, experiment->evaluate, true, &text);
	hash_init(&hash);
	hash_string(&hash, DEFINITIONS);
	hash_string(&hash, text_string(&text));
	hash_string(&hash, fingerprint);
	hash_finish(&hash, hex);
	memcpy(ret, hex, EXPERIMENT_ID - 1);
	ret[EXPERIMENT_ID - 1] = '\0';
	text_finish(&text);
}
