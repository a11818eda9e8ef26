// metrics.json: the results, and nothing that differs between two runs of the same experiment.
#include "report/pieces.h"
#include "report/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

const char *const part_names[PARTS] = {"train", "valid", "test"};

// The members of a part's object; none where the part does not exist.
static void json_part(struct json *json, const struct experiment *experiment, const struct part_result *part) {
	bool ranking = false;
	for (size_t i = 0; part->exists && i < experiment->uses_count; i++) {
		json_real(json, experiment->uses[i].name, part->metric[i]);
		ranking = ranking || metric_ranks(experiment->uses[i].metric);
	}
	if (!ranking)
		return;
	json_count(json, "ranked_users", part->ranked_users);
	json_count(json, "skipped_users", part->skipped_users);
}

void json_epoch(struct json *json, const struct run_result *result, const struct epoch_result *epoch) {
	json_object(json, NULL, JSON_INLINE);
	json_count(json, "epoch", epoch->epoch);
	json_object(json, "train", JSON_INLINE);
	json_real(json, "loss", epoch->train_loss);
	if (result->experiment->train && result->experiment->train->refeed)
		json_real(json, "refed_loss", epoch->refed_loss);
	json_end(json);
	json_object(json, "valid", JSON_INLINE);
	json_part(json, result->experiment, &epoch->valid);
	json_end(json);
	json_end(json);
}

static void json_data(struct json *json, const struct matrices *matrices) {
	json_object(json, "data", JSON_INLINE);
	json_string(json, "fingerprint", matrices->dataset->fingerprint);
	json_count(json, "users", matrices->users);
	json_count(json, "items", matrices->items);
	json_object(json, "ratings", JSON_INLINE);
	json_count(json, "train", csr_count(&matrices->train));
	json_count(json, "valid", csr_count(&matrices->valid.target));
	json_count(json, "test", csr_count(&matrices->test.target));
	// Only split `users` has inputs that are not train entries.
	if (matrices->valid.own_input.start || matrices->test.own_input.start)
		json_count(json, "input", matrices->input_count);
	json_end(json);
	json_end(json);
}

// What the loss curve's axes are named by; null where there is none.
static void json_loss(struct json *json, const struct loss_config *loss) {
	if (!loss) {
		json_string(json, "loss", NULL);
		return;
	}
	json_object(json, "loss", JSON_INLINE);
	json_string(json, "kind", loss->kind.row->name);
	json_string(json, "reduction", loss->reduction.row->name);
	json_count(json, "negatives", (size_t)loss->negatives);
	json_end(json);
}

static void json_model(struct json *json, const struct graph_facts *graph) {
	json_object(json, "model", JSON_LINES);
	json_count(json, "parameters", graph->parameters);
	json_object(json, "inputs", JSON_INLINE);
	json_count(json, "ratings", graph->ratings_width);
	json_count(json, "user", graph->user_width);
	json_end(json);
	json_array(json, "nodes", JSON_LINES);
	for (size_t i = 0; i < graph->count; i++) {
		const struct node_facts *node = &graph->nodes[i];
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "name", node->name);
		json_string(json, "op", node->op);
		json_array(json, "shape", JSON_INLINE);
		json_count(json, NULL, node->width);
		json_end(json);
		json_count(json, "parameters", node->parameters);
		json_string(json, "path", node->path);
		json_string(json, "detail", node->detail);
		json_array(json, "inputs", JSON_INLINE);
		for (size_t k = 0; k < node->inputs_count; k++)
			json_string(json, NULL, node->inputs[k]);
		json_end(json);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static bool baseline_applies(const struct baselines *baselines, size_t which) {
	for (size_t i = 0; i < baselines->uses_count; i++)
		if (baselines->applies[which][i])
			return true;
	return false;
}

static void json_baselines(struct json *json, const struct run_result *result) {
	json_object(json, "baselines", JSON_LINES);
	for (size_t part = PART_VALID; part < PARTS; part++) {
		const struct baselines *baselines = &result->baselines[part];
		json_object(json, part_names[part], JSON_LINES);
		for (size_t which = 0; which < BASELINES; which++) {
			if (!baseline_applies(baselines, which))
				continue;
			json_object(json, baseline_names[which], JSON_INLINE);
			for (size_t i = 0; i < baselines->uses_count; i++)
				if (baselines->applies[which][i])
					json_real(json, result->experiment->uses[i].name, baselines->value[which][i]);
			json_end(json);
		}
		json_end(json);
	}
	json_end(json);
}

static void json_results(struct json *json, const struct run_result *result) {
	json_object(json, "best", JSON_INLINE);
	json_count(json, "epoch", result->best_epoch);
	json_string(json, "metric", result->best_metric);
	json_real(json, "value", result->best_epoch > 0 ? result->best_value : (double)NAN);
	json_end(json);
	json_object(json, "final", JSON_LINES);
	for (size_t part = 0; part < PARTS; part++) {
		json_object(json, part_names[part], JSON_INLINE);
		if (part == PART_TRAIN)
			json_real(json, "loss", result->final_loss);
		json_part(json, result->experiment, &result->final[part]);
		json_end(json);
	}
	json_end(json);
	json_array(json, "epochs", JSON_LINES);
	for (size_t i = 0; i < result->epochs_count; i++)
		json_epoch(json, result, &result->epochs[i]);
	json_end(json);
}

void report_metrics_json(const struct run_result *result, struct text *text) {
	const struct experiment *experiment = result->experiment;
	char seed[24]; // as a string: most readers' numbers are doubles, and lose the low bits of 64
	snprintf(seed, sizeof(seed), "%" PRIu64, experiment->seed);
	struct json json = {.text = text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "schema", "aexp.metrics/1");
	json_string(&json, "experiment", experiment->name);
	json_string(&json, "id", result->id);
	json_string(&json, "seed", seed);
	json_string(&json, "backend", experiment->backend.row->name);
	json_data(&json, result->matrices);
	json_loss(&json, experiment->loss);
	json_model(&json, &result->graph);
	json_string(&json, "protocol", result->protocol);
	json_string(&json, "split", result->matrices->split_hash);
	json_baselines(&json, result);
	json_results(&json, result);
	json_string(&json, "weights_hash", result->weights_hash);
	json_end(&json);
	text_append(text, "\n");
}
