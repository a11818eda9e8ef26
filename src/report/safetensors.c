// model.safetensors (https://github.com/huggingface/safetensors): the trained tensors, and in the header's metadata
// what is needed to use them elsewhere. Metadata values are strings, as the format wants it; those with structure hold
// JSON.
#include "base/number.h"
#include "report/json.h"
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are stored as they lie in memory, and the format is little-endian"
#endif

enum {
	HEADER_MOST = 100000000,
	HEADER_SIZE = 8,
	HEADER_ALIGN = 8
}; // the readers' limit: MAX_HEADER_SIZE of the Rust source

static void json_reals(struct json *json, const char *key, const double *values, size_t count) {
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; values && i < count; i++)
		json_real(json, NULL, values[i]);
	json_end(json);
}

// Each of these writes one JSON value; they become strings in the metadata.
static void items_json(struct json *json, const struct run_result *result) {
	json_array(json, NULL, JSON_INLINE);
	for (size_t i = 0; i < result->matrices->items; i++)
		json_string(json, NULL, matrices_item(result->matrices, i));
	json_end(json);
}

static void users_json(struct json *json, const struct run_result *result) {
	json_array(json, NULL, JSON_INLINE);
	for (size_t i = 0; i < result->matrices->users; i++)
		json_string(json, NULL, matrices_user(result->matrices, i));
	json_end(json);
}

static void titles_json(struct json *json, const struct run_result *result) {
	const struct matrices *matrices = result->matrices;
	json_array(json, NULL, JSON_INLINE);
	for (size_t i = 0; i < matrices->items; i++)
		json_string(json, NULL, matrices->dataset->titles[matrices->item_of[i]]);
	json_end(json);
}

// Train entries of each item: counted by column, or the length of the row under rows = "items".
static void popularity_json(struct json *json, const struct run_result *result) {
	const struct matrices *matrices = result->matrices;
	const struct csr *train = &matrices->train;
	size_t *count = memory_alloc((matrices->items + 1) * sizeof(*count));
	for (size_t row = 0; row < train->rows; row++)
		for (size_t i = train->start[row]; i < train->start[row + 1]; i++)
			count[matrices->items_as_rows ? row : train->column[i]]++;
	json_array(json, NULL, JSON_INLINE);
	for (size_t i = 0; i < matrices->items; i++)
		json_count(json, NULL, count[i]);
	json_end(json);
	free(count);
}

static void buckets_json(struct json *json, const struct run_result *result) {
	const struct matrices *matrices = result->matrices;
	json_object(json, NULL, JSON_INLINE);
	json_reals(json, "thresholds", matrices->thresholds, matrices->levels - 1);
	json_reals(json, "values", matrices->values, matrices->levels);
	json_end(json);
}

static void scale_json(struct json *json, const struct run_result *result) {
	json_object(json, NULL, JSON_INLINE);
	json_real(json, "low", result->matrices->scale_low);
	json_real(json, "high", result->matrices->scale_high);
	json_end(json);
}

static void coding_json(struct json *json, const struct run_result *result) {
	json_array(json, NULL, JSON_INLINE);
	for (size_t i = 0; i < result->matrices->coding_count; i++) {
		const struct feature_coding *coding = &result->matrices->coding[i];
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "name", coding->name);
		json_string(json, "kind", coding->numeric ? "numeric" : "categorical");
		json_count(json, "first_column", coding->first_column);
		json_count(json, "columns", coding->columns);
		if (coding->numeric) {
			json_real(json, "mean", coding->mean);
			json_real(json, "deviation", coding->deviation);
		} else {
			json_array(json, "levels", JSON_INLINE);
			for (size_t k = 0; coding->levels && k < coding->columns; k++)
				json_string(json, NULL, coding->levels[k]);
			json_end(json);
		}
		json_end(json);
	}
	json_end(json);
}

static void json_node(struct json *json, const struct node_facts *node) {
	json_object(json, NULL, JSON_INLINE);
	json_string(json, "name", node->name);
	json_string(json, "op", node->op);
	json_string(json, "detail", node->detail);
	json_array(json, "inputs", JSON_INLINE);
	for (size_t i = 0; i < node->inputs_count; i++)
		json_string(json, NULL, node->inputs[i]);
	json_end(json);
	json_count(json, "width", node->width);
	json_count(json, "parameters", node->parameters);
	json_string(json, "path", node->path);
	json_end(json);
}

// What it was planned for, so that whoever plans it again gets the same; of a graph alone.
static void json_shape(struct json *json, const struct graph_facts *graph) {
	if (!graph->rows)
		return;
	json_object(json, "shape", JSON_INLINE);
	json_count(json, "batch", graph->batch);
	json_count(json, "rows", graph->rows);
	json_count(json, "refed", graph->refed);
	json_real(json, "ratings_entries", graph->ratings_entries);
	json_real(json, "user_entries", graph->user_entries);
	json_real(json, "target_entries", graph->target_entries);
	json_end(json);
}

// What a fitted model adds to every score: in no tensor, since those are single.
static void base_json(struct json *json, const struct run_result *result) {
	json_real(json, NULL, result->fitted->base);
}

// Ratings up to this are no input.
static void above_json(struct json *json, const struct run_result *result) {
	json_real(json, NULL, result->experiment->data->filter->above);
}

static void graph_json(struct json *json, const struct run_result *result) {
	json_object(json, NULL, JSON_INLINE);
	json_count(json, "ratings_width", result->graph.ratings_width);
	json_count(json, "user_width", result->graph.user_width);
	json_shape(json, &result->graph);
	json_array(json, "nodes", JSON_INLINE);
	for (size_t i = 0; i < result->graph.count; i++)
		json_node(json, &result->graph.nodes[i]);
	json_end(json);
	json_end(json);
}

static bool has_users(const struct run_result *result) {
	return result->matrices->items_as_rows;
}
static bool has_titles(const struct run_result *result) {
	return result->matrices->dataset->titles != NULL;
}
static bool has_buckets(const struct run_result *result) {
	return result->matrices->values != NULL;
}

static bool has_above(const struct run_result *result) {
	const struct filter_config *filter = result->experiment->data->filter;
	return filter && !isnan(filter->above);
}

static bool has_base(const struct run_result *result) {
	return result->fitted != NULL;
}

static bool has_scale(const struct run_result *result) {
	return result->matrices->scale_high > result->matrices->scale_low;
}

static const struct {
	const char *key;
	void (*write)(struct json *json, const struct run_result *result);
	bool (*present)(const struct run_result *result); // NULL: always
} structured[] = {
    {"items", items_json, NULL},         {"users", users_json, has_users}, // the columns where rows are items
    {"titles", titles_json, has_titles}, {"popularity", popularity_json, NULL}, {"buckets", buckets_json, has_buckets},
    {"scale", scale_json, has_scale},    {"coding", coding_json, NULL},         {"graph", graph_json, NULL},
    {"base", base_json, has_base},       {"above", above_json, has_above},
};

static void json_metadata(struct json *json, const struct run_result *result, const char *experiment_text) {
	char liked[NUMBER_TEXT];
	number_write(result->matrices->liked, liked);
	json_object(json, "__metadata__", JSON_INLINE);
	json_string(json, "format", "aexp.model/1");
	json_string(json, "name", result->experiment->name);
	json_string(json, "id", result->id);
	json_string(json, "rows", result->matrices->items_as_rows ? "items" : "users");
	json_string(json, "liked", liked); // "-inf": every entry
	for (size_t i = 0; i < sizeof(structured) / sizeof(structured[0]); i++) {
		if (structured[i].present && !structured[i].present(result))
			continue;
		struct text value = {0};
		struct json inner = {.text = &value, .compact = true};
		structured[i].write(&inner, result);
		json_string(json, structured[i].key, text_string(&value));
		text_finish(&value);
	}
	json_string(json, "experiment", experiment_text);
	json_end(json);
}

static size_t tensor_bytes(const struct tensor_facts *tensor) {
	return tensor->shape[0] * (tensor->dimensions > 1 ? tensor->shape[1] : 1) * sizeof(float);
}

static void json_tensors(struct json *json, const struct run_result *result) {
	size_t offset = 0;
	for (size_t i = 0; i < result->tensors_count; i++) {
		const struct tensor_facts *tensor = &result->tensors[i];
		json_object(json, tensor->name, JSON_INLINE);
		json_string(json, "dtype", "F32");
		json_array(json, "shape", JSON_INLINE);
		for (size_t k = 0; k < tensor->dimensions; k++)
			json_count(json, NULL, tensor->shape[k]);
		json_end(json);
		json_array(json, "data_offsets", JSON_INLINE);
		json_count(json, NULL, offset);
		offset += tensor_bytes(tensor);
		json_count(json, NULL, offset);
		json_end(json);
		json_end(json);
	}
}

bool report_model_header(const struct run_result *result, const char *experiment_text, struct text *text,
                         struct error *error) {
	struct text header = {0};
	struct json json = {.text = &header, .compact = true};
	json_object(&json, NULL, JSON_INLINE);
	json_metadata(&json, result, experiment_text);
	json_tensors(&json, result);
	json_end(&json);
	while (header.length % HEADER_ALIGN != 0)
		text_append(&header, " ");
	bool fits = header.length <= HEADER_MOST;
	if (fits) {
		uint64_t length = header.length;
		text_append_bytes(text, &length, HEADER_SIZE);
		text_append_bytes(text, header.data, header.length);
	} else {
		error_set(error, ERROR_RUN, "the model's header would take %zu bytes, and readers accept %d", header.length,
		          HEADER_MOST);
		error_hint(error, "Ids and titles of items are kept in it; shorter ones make it smaller.");
	}
	text_finish(&header);
	return fits;
}

static bool write_all(FILE *file, const struct run_result *result, const struct text *header) {
	bool ok = fwrite(header->data, 1, header->length, file) == header->length;
	for (size_t i = 0; ok && i < result->tensors_count; i++) {
		size_t bytes = tensor_bytes(&result->tensors[i]);
		ok = fwrite(result->tensors[i].data, 1, bytes, file) == bytes;
	}
	return fflush(file) == 0 && ok;
}

bool report_model_write(const char *path, const struct run_result *result, const char *experiment_text,
                        struct error *error) {
	struct text header = {0};
	if (!report_model_header(result, experiment_text, &header, error)) {
		text_finish(&header);
		return false;
	}
	errno = 0;
	FILE *file = fopen(path, "wbe");
	bool ok = file && write_all(file, result, &header);
	int reason = errno;
	if (file && fclose(file) != 0 && ok) {
		ok = false;
		reason = errno;
	}
	text_finish(&header);
	return ok || error_set(error, ERROR_RUN, "cannot write \"%s\": %s", path, strerror(reason));
}
