// A run's pictures from its metrics.json alone. What they show of a result is read back into one, and drawn by what
// drew it: the same text goes to gnuplot and graphviz, so that the pictures are the same bytes.
#include "base/file.h"
#include "eval/metric.h"
#include "report/json.h"
#include "report/pieces.h"
#include "report/report.h"

#include <cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_MOST = 64 << 20, NODES_MOST = 10000 }; // of nodes each looks its inputs up among all

struct reader {
	struct arena *arena;
	struct experiment *experiment;
	struct run_result *result;
};

static void *make(struct reader *r, size_t count, size_t size) {
	return arena_alloc(r->arena, (count + 1) * size);
}

// --- metrics and epochs ---

static bool is_count(const char *name) {
	return !strcmp(name, "ranked_users") || !strcmp(name, "skipped_users");
}

// The names of metrics, in order: those of the first epoch that was evaluated. Without one no curve is drawn of them.
static bool read_uses(struct reader *r, const struct cJSON *epochs) {
	const struct cJSON *epoch, *value;
	r->experiment->uses = make(r, METRIC_USES_MAX, sizeof(*r->experiment->uses));
	cJSON_ArrayForEach(epoch, epochs) {
		const struct cJSON *valid = json_member(epoch, "valid");
		valid = cJSON_IsObject(valid) ? valid : NULL; // what an array holds has no names
		cJSON_ArrayForEach(value, valid) {
			if (is_count(value->string))
				continue;
			if (r->experiment->uses_count == METRIC_USES_MAX)
				return false;
			r->experiment->uses[r->experiment->uses_count++].name = arena_string(r->arena, value->string);
		}
		if (r->experiment->uses_count)
			return true;
	}
	return true;
}

static void read_part(const struct reader *r, const struct cJSON *part, struct part_result *ret) {
	ret->exists = cJSON_GetArraySize(part) > 0;
	for (size_t i = 0; ret->exists && i < r->experiment->uses_count; i++)
		ret->metric[i] = json_number(json_member(part, r->experiment->uses[i].name));
}

static bool read_epochs(struct reader *r, const struct cJSON *epochs) {
	const struct cJSON *epoch;
	r->result->epochs = make(r, (size_t)cJSON_GetArraySize(epochs), sizeof(*r->result->epochs));
	cJSON_ArrayForEach(epoch, epochs) {
		struct epoch_result *one = &r->result->epochs[r->result->epochs_count++];
		if (!json_whole(json_member(epoch, "epoch"), &one->epoch))
			return false;
		one->train_loss = json_number(json_member(json_member(epoch, "train"), "loss"));
		read_part(r, json_member(epoch, "valid"), &one->valid);
	}
	return cJSON_IsArray(epochs);
}

static bool read_best(struct reader *r, const struct cJSON *best) {
	r->result->best_metric = json_text(json_member(best, "metric"), r->arena);
	r->result->best_value = json_number(json_member(best, "value"));
	return json_whole(json_member(best, "epoch"), &r->result->best_epoch);
}

// --- the loss ---

static const struct row *row_named(struct reader *r, const char *name) {
	struct row *row = make(r, 1, sizeof(*row));
	row->name = name;
	return row;
}

static bool read_loss(struct reader *r, const struct cJSON *json) {
	if (cJSON_IsNull(json))
		return true;
	const char *kind = json_text(json_member(json, "kind"), r->arena);
	const char *reduction = json_text(json_member(json, "reduction"), r->arena);
	size_t negatives;
	if (!kind || !reduction || !json_whole(json_member(json, "negatives"), &negatives))
		return false;
	struct loss_config *loss = make(r, 1, sizeof(*loss));
	loss->kind.row = row_named(r, kind);
	loss->reduction.row = row_named(r, reduction);
	loss->negatives = (int64_t)negatives;
	r->experiment->loss = loss;
	return true;
}

// --- the network ---

static bool read_inputs(struct reader *r, const struct cJSON *inputs, struct node_facts *node) {
	const struct cJSON *input;
	const char **names = make(r, (size_t)cJSON_GetArraySize(inputs), sizeof(*names));
	cJSON_ArrayForEach(input, inputs) {
		if (!(names[node->inputs_count] = json_text(input, r->arena)))
			return false;
		node->inputs_count++;
	}
	node->inputs = names;
	return cJSON_IsArray(inputs);
}

static bool read_node(struct reader *r, const struct cJSON *json, struct node_facts *node) {
	node->name = json_text(json_member(json, "name"), r->arena);
	node->op = json_text(json_member(json, "op"), r->arena);
	node->path = json_text(json_member(json, "path"), r->arena);
	node->detail = json_text(json_member(json, "detail"), r->arena);
	return node->name && node->op && node->path && node->detail &&
	       json_whole(cJSON_GetArrayItem(json_member(json, "shape"), 0), &node->width) &&
	       json_whole(json_member(json, "parameters"), &node->parameters) &&
	       read_inputs(r, json_member(json, "inputs"), node);
}

static bool read_graph(struct reader *r, const struct cJSON *model) {
	const struct cJSON *nodes = json_member(model, "nodes"), *inputs = json_member(model, "inputs"), *json;
	struct graph_facts *graph = &r->result->graph;
	if (cJSON_GetArraySize(nodes) > NODES_MOST)
		return false;
	struct node_facts *node = make(r, (size_t)cJSON_GetArraySize(nodes), sizeof(*node));
	graph->nodes = node;
	cJSON_ArrayForEach(json, nodes) {
		if (!read_node(r, json, &node[graph->count]))
			return false;
		graph->count++;
	}
	return json_whole(json_member(inputs, "ratings"), &graph->ratings_width) &&
	       json_whole(json_member(inputs, "user"), &graph->user_width) &&
	       json_whole(json_member(model, "parameters"), &graph->parameters);
}

static bool read_all(struct reader *r, const struct cJSON *metrics) {
	r->experiment->name = json_text(json_member(metrics, "experiment"), r->arena);
	const char *id = json_text(json_member(metrics, "id"), r->arena);
	if (!r->experiment->name || !id || strlen(id) >= sizeof(r->result->id))
		return false;
	memcpy(r->result->id, id, strlen(id) + 1);
	// The names of metrics first: epochs are read by them.
	return read_uses(r, json_member(metrics, "epochs")) && read_epochs(r, json_member(metrics, "epochs")) &&
	       read_best(r, json_member(metrics, "best")) && read_loss(r, json_member(metrics, "loss")) &&
	       read_graph(r, json_member(metrics, "model"));
}

bool report_result_read(const char *folder, struct arena *arena, struct run_result *ret, struct error *error) {
	char *path = path_join(folder, "metrics.json");
	struct cJSON *metrics = NULL;
	*ret = (struct run_result){0};
	struct reader reader = {arena, arena_alloc(arena, sizeof(struct experiment)), ret};
	ret->experiment = reader.experiment;
	bool good = json_read(path, METRICS_MOST, &metrics, error);
	if (good && !read_all(&reader, metrics)) {
		good = error_at(error, ERROR_DATA, (struct origin){.file = path}, "the pictures' facts are not all in here");
		error_hint(error, "A run of an older version does not keep them: run it again, with --force.");
	}
	cJSON_Delete(metrics);
	free(path);
	return good;
}
