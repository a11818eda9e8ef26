// The keys of an experiment's root, what only the whole file can be checked for, the resolved text and its ID.
#include "train/experiment.h"

#include "base/file.h"
#include "base/nearest.h"
#include "config/read.h"
#include "data/split.h"
#include "data/synthetic.h"
#include "eval/baseline.h"
#include "nn/graph.h"
#include "nn/op.h"
#include "tensor/backend.h"
#include "train/refeed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct key early_stop_keys[] = {
    KEY(early_stop_config, metric, KEY_STRING, .flags = KEY_REQUIRED,
        .doc = "What is watched: \"valid.\" and one of metrics, or \"train.loss\""),
    KEY(early_stop_config, patience, KEY_INTEGER, .fallback = "5", .min = 1, .max = 1e9,
        .doc = "Evaluated epochs without improvement before training ends"),
    KEY(early_stop_config, min_delta, KEY_REAL, .fallback = "0.0", .min = 0, .max = 1e9,
        .doc = "A change up to this is no improvement"),
};
static const struct schema early_stop_schema = SCHEMA(struct early_stop_config, early_stop_keys);

static const struct key checkpoint_keys[] = {
    KEY(checkpoint_config, share, KEY_REAL, .fallback = "0.01", .min = 0, .max = 1,
        .doc = "After an epoch, where that takes at most this share of the time; 0: never, 1: after each epoch"),
    KEY(checkpoint_config, minutes, KEY_REAL, .fallback = "10.0", .flags = KEY_OPEN_MIN, .min = 0, .max = 1e9,
        .doc = "Within an epoch, where the last one is so old"),
};
static const struct schema checkpoint_schema = SCHEMA(struct checkpoint_config, checkpoint_keys);

static const struct divergence_row divergence_rows[] = {
    {.row = {.name = "stop", .doc = "The run ends with exit code 1, and keeps its last good checkpoint"}},
    {.row = {.name = "halve_rate", .doc = "Training goes on from the last good epoch with half the learning rate"},
     .halves = true},
};
static const struct row *const divergences[] = {&divergence_rows[0].row, &divergence_rows[1].row};
static const struct registry divergence_registry = {"way", "ways", divergences, 2};

bool train_halves_rate(const struct train_config *config) {
	return ((const struct divergence_row *)config->on_divergence.row)->halves;
}

static const struct key train_keys[] = {
    KEY(train_config, epochs, KEY_INTEGER, .fallback = "20", .min = 0, .max = 1e9,
        .doc = "Passes over the training rows; 0, with weights: they are evaluated as they are"),
    KEY(train_config, stop_after, KEY_INTEGER, .min = 1, .max = 1e9,
        .doc = "Ends training after so many of the epochs, whose schedule stays as it is"),
    KEY(train_config, batch, KEY_INTEGER, .fallback = "32", .min = 0, .max = 1 << 24,
        .doc = "Rows of a batch (Keras' default), the last one of an epoch may be smaller; 0: all rows"),
    KEY(train_config, shuffle, KEY_BOOL, .fallback = "true", .doc = "A new order of rows each epoch"),
    KEY(train_config, refeed, KEY_INTEGER, .fallback = "0", .min = 0, .max = 16,
        .doc = "Times that the dense output of a step is trained on again, as input and as target"),
    KEY(train_config, evaluate_every, KEY_INTEGER, .fallback = "1", .min = 1, .max = 1e9,
        .doc = "Epochs between evaluations of the validation part; the last epoch is always evaluated"),
    KEY(train_config, alternate, KEY_LIST, .schema = &phase_schema,
        .doc = "Phases in which some nodes learn alone, one after the other and round again; left out: all learn"),
    KEY(train_config, early_stop, KEY_GROUP, .schema = &early_stop_schema,
        .doc = "Ends training when the metric no longer improves, and keeps the best epoch's weights"),
    KEY(train_config, on_divergence, KEY_CHOICE, .flags = KEY_LATE, .registry = &divergence_registry,
        .fallback = "\"stop\"", .doc = "What is done when a loss or a weight is not finite"),
    KEY(train_config, checkpoint, KEY_GROUP, .flags = KEY_NO_ID, .schema = &checkpoint_schema, .fallback = "{ }",
        .doc = "When what is needed to go on after an interruption is left on disk"),
};
static const struct schema train_schema = SCHEMA(struct train_config, train_keys);

static const struct key evaluate_keys[] = {
    KEY(evaluate_config, clip, KEY_REALS,
        .doc = "Predictions are clipped to this range before cell metrics: low, high"),
    KEY(evaluate_config, cold, KEY_REAL,
        .doc = "Prediction where the user or the item (either one) has no training entry, for cell metrics"),
};
const struct schema evaluate_schema = SCHEMA(struct evaluate_config, evaluate_keys);

// max below min: no bounds
static const struct key expect_keys[] = {
    KEY(expect_config, metric, KEY_STRING, .flags = KEY_REQUIRED,
        .doc = "Which figure: \"test.mse\", \"valid.ndcg@10\""),
    KEY(expect_config, at_most, KEY_REAL, .doc = "The figure may not be above this"),
    KEY(expect_config, at_least, KEY_REAL, .doc = "The figure may not be below this"),
    KEY(expect_config, value, KEY_REAL, .doc = "The figure is this, within tolerance"),
    KEY(expect_config, tolerance, KEY_REAL, .min = 0, .max = 1e9, .doc = "How far from value it may be"),
    KEY(expect_config, published, KEY_REAL, .doc = "The figure that the source gives, to set ours beside"),
    KEY(expect_config, source, KEY_STRING, .doc = "Where the figure stands"),
};
static const struct schema expect_schema = SCHEMA(struct expect_config, expect_keys);

static const struct key weights_keys[] = {
    KEY(weights_config, path, KEY_PATH, .flags = KEY_REQUIRED,
        .doc = "A safetensors file: ours, or PyTorch's or Keras' weights by the names of nodes"),
    KEY(weights_config, hash, KEY_STRING,
        .doc = "What its bytes hash to, in hexadecimal; resolved files have it, and another file is refused"),
};
static const struct schema weights_schema = SCHEMA(struct weights_config, weights_keys);

static const struct precision_row precisions[] = {
    {.row = {.name = "float32", .doc = "24 bits of mantissa, everywhere"}},
    {.row = {.name = "tf32", .doc = "Dense products round their operands to 11 bits of mantissa, and sum in float32"},
     .tf32 = true},
};
static const struct row *const precision_rows[] = {&precisions[0].row, &precisions[1].row};
static const struct registry precision_registry = {"precision", "precisions", precision_rows, 2};

static const struct key experiment_keys[] = {
    KEY(experiment, name, KEY_STRING, .flags = KEY_NO_ID, .doc = "Name of the experiment; default: the file's stem"),
    KEY(experiment, seed, KEY_SEED, .fallback = "2017",
        .doc = "Of everything random: split, initial weights, order, dropout"),
    KEY(experiment, backend, KEY_CHOICE, .registry = &backend_registry, .fallback = "\"openblas\"",
        .doc = "What computes"),
    KEY(experiment, precision, KEY_CHOICE, .flags = KEY_LATE, .registry = &precision_registry,
        .fallback = "\"float32\"", .doc = "Of dense products: \"float32\", or on a card \"tf32\""),
    KEY(experiment, repeats, KEY_INTEGER, .fallback = "1", .min = 1, .max = 10000,
        .doc = "Runs with seeds seed, seed+1, ..., and their means with 95 % intervals"),
    KEY(experiment, data, KEY_GROUP, .schema = &data_schema, .fallback = "{ }",
        .doc = "Ratings, and what is made of them"),
    KEY(experiment, graph, KEY_LIST, .schema = &node_schema,
        .doc = "The nodes; the inputs are \"ratings\" and \"user\", the output is the last node"),
    KEY(experiment, weights, KEY_GROUP, .schema = &weights_schema,
        .doc = "What the graph's weights begin with, in place of what is drawn"),
    KEY(experiment, model, KEY_GROUP, .schema = &model_schema,
        .doc = "Instead of graph, loss, optimizer and train: a model that is fitted in one go"),
    KEY(experiment, loss, KEY_GROUP, .schema = &loss_schema, .fallback = "\"masked_mse\"", .doc = "What is minimised"),
    KEY(experiment, optimizer, KEY_GROUP, .schema = &optimizer_schema, .fallback = "\"adadelta\"",
        .doc = "How weights follow their gradients"),
    KEY(experiment, train, KEY_GROUP, .schema = &train_schema, .fallback = "{ }",
        .doc = "How long, and in what batches"),
    KEY(experiment, evaluate, KEY_GROUP, .schema = &evaluate_schema,
        .doc = "What is done to predictions before cell metrics see them; rankings use the raw scores"),
    KEY(experiment, metrics, KEY_STRINGS, .fallback = "[ \"mse\", \"rmse\" ]",
        .doc = "What is measured; ranking metrics as name@k"),
    KEY(experiment, expect, KEY_LIST, .flags = KEY_NO_ID, .schema = &expect_schema,
        .doc = "Figures that a verification holds the result against"),
    KEY(experiment, sweep, KEY_GROUP, .flags = KEY_NO_ID, .schema = &sweep_schema,
        .doc = "Trials with other settings, and what is sought by them"),
};
const struct schema experiment_schema = SCHEMA(struct experiment, experiment_keys);

// --- checks ---

// What spans several keys is checked wherever the keys that it needs are sound.
static bool holds_bad(const struct value *value) {
	if (value->type != VALUE_GROUP && value->type != VALUE_LIST)
		return value->bad;
	for (size_t i = 0; i < value->as.children.count; i++)
		if (holds_bad(value->as.children.items[i]))
			return true;
	return value->bad;
}

// Whether one key of the root, with all below it, could be read: it is read once more, alone.
static bool sound(struct experiment *e, const char *name) {
	const struct value *written = value_child(e->tree, name);
	struct experiment scratch = {0};
	struct errors problems = {0};
	const struct key *key = experiment_keys;
	while (strcmp(key->name, name) != 0)
		key++;
	struct value *items[] = {(struct value *)(uintptr_t)written};
	struct value only = *e->tree;
	only.as.children.items = items;
	only.as.children.count = written ? 1 : 0;
	const struct schema schema = {.keys = key, .count = 1, .size = sizeof(scratch)};
	bool read = schema_read(&schema, &only, "", &e->arena, &scratch, &problems);
	errors_finish(&problems);
	return read && !(written && holds_bad(written));
}

static void check_metrics(struct experiment *e, struct errors *errors) {
	struct origin at = value_origin(e->tree, "metrics");
	if (!e->metrics.count)
		errors_add(errors, ERROR_CONFIG, at, "metrics is empty");
	if (e->metrics.count > METRIC_USES_MAX)
		errors_add(errors, ERROR_CONFIG, at, "metrics has %zu names, but at most %d are counted", e->metrics.count,
		           METRIC_USES_MAX);
	e->uses = arena_alloc(&e->arena, METRIC_USES_MAX * sizeof(*e->uses));
	for (size_t i = 0; i < e->metrics.count && i < METRIC_USES_MAX; i++) {
		struct metric_use *use = &e->uses[e->uses_count];
		if (!metric_use_read(e->metrics.items[i], e->metrics.at[i], &e->arena, use, errors))
			continue;
		for (size_t k = 0; k < e->uses_count; k++)
			if (!strcmp(e->uses[k].name, use->name))
				errors_add(errors, ERROR_CONFIG, e->metrics.at[i], "metric \"%s\" stands twice in metrics", use->name);
		e->uses_count++;
	}
}

// "valid.mse": a part, a dot, and one of metrics; "train.loss".
static bool is_figure(const struct experiment *e, const char *text, bool watched) {
	static const char *const parts[PARTS] = {"train.", "valid.", "test."};
	if (!strcmp(text, "train.loss"))
		return true;
	for (size_t p = 0; p < PARTS; p++) {
		size_t length = strlen(parts[p]);
		if (strncmp(text, parts[p], length) || (watched && p != PART_VALID))
			continue;
		for (size_t i = 0; i < e->uses_count; i++)
			if (!strcmp(text + length, e->uses[i].name))
				return true;
	}
	return false;
}

static void check_early_stop(const struct experiment *e, struct errors *errors) {
	const struct early_stop_config *stop = e->train->early_stop;
	if (!stop || is_figure(e, stop->metric, true))
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "train.early_stop.metric"),
	                                 "\"%s\" cannot be watched", stop->metric);
	error_hint(error, "Say \"train.loss\", or \"valid.\" and a name that stands in metrics.");
}

static void check_expect(const struct experiment *e, struct errors *errors) {
	for (size_t i = 0; i < e->expect.count; i++) {
		const struct expect_config *x = e->expect.items[i];
		struct origin at = e->expect.from[i]->at;
		int bounds = !isnan(x->at_most) + !isnan(x->at_least) + !isnan(x->value);
		if (!is_figure(e, x->metric, false)) {
			struct error *error =
			    errors_add(errors, ERROR_CONFIG, at, "\"%s\" is no figure of this experiment", x->metric);
			error_hint(error, "Say a part (train, valid, test), a dot, and a name that stands in metrics.");
		}
		if (bounds != 1 || isnan(x->value) != isnan(x->tolerance)) {
			struct error *error =
			    errors_add(errors, ERROR_CONFIG, at, "what is expected of \"%s\" is not clear", x->metric);
			error_hint(error, "Give at_most, or at_least, or value and tolerance.");
		}
	}
}

// A sweep seeks what can be known without the test part, or how large the model is.
static bool is_objective(const struct experiment *e, const char *text) {
	return !strcmp(text, "model.parameters") || (is_figure(e, text, false) && strncmp(text, "test.", 5) != 0);
}

static void check_objectives(const struct experiment *e, struct errors *errors) {
	const struct strings *objective = &e->sweep->objective;
	for (size_t i = 0; i < objective->count; i++) {
		if (is_objective(e, objective->items[i]))
			continue;
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, objective->at[i], "\"%s\" is no objective", objective->items[i]);
		error_hint(error, strncmp(objective->items[i], "test.", 5)
		                      ? "Say valid or train, a dot, and a name that stands in metrics; or \"model.parameters\"."
		                      : "Choose by the validation part; what is chosen has its test figures all the same.");
	}
}

static void check_early_ends(const struct experiment *e, bool train, struct errors *errors) {
	const struct halving_config *stop = e->sweep->early_stop;
	struct origin at = value_origin(e->tree, "sweep.early_stop");
	const char *objective = e->sweep->objective.count ? e->sweep->objective.items[0] : "train.loss";
	if (!stop)
		return;
	if (value_child(e->tree, "model"))
		errors_add(errors, ERROR_CONFIG, at, "a model is fitted in one go: there is nothing to end early");
	else if (train && stop->min_epochs % e->train->evaluate_every)
		errors_add(errors, ERROR_CONFIG, at, "after %lld epochs nothing is evaluated: train.evaluate_every is %lld",
		           (long long)stop->min_epochs, (long long)e->train->evaluate_every);
	if (e->repeats > 1 || split_folds(e->data->split))
		error_hint(errors_add(errors, ERROR_CONFIG, at, "trials of several runs cannot be ended early"),
		           "Leave repeats and folds to what the sweep finds best.");
	if (is_objective(e, objective) && !is_figure(e, objective, true))
		errors_add(errors, ERROR_CONFIG, at, "\"%s\" is not known after an epoch", objective);
}

static void check_sweep(const struct experiment *e, bool metrics, bool train, struct errors *errors) {
	sweep_check(e->sweep, e->tree, errors);
	if (metrics)
		check_objectives(e, errors);
	if (metrics && sound((struct experiment *)(uintptr_t)e, "data"))
		check_early_ends(e, train, errors);
}

// An optimizer without a rate that could be halved.
static void check_divergence(const struct experiment *e, struct errors *errors) {
	const struct optimizer *optimizer = (const struct optimizer *)e->optimizer->kind.row;
	if (!train_halves_rate(e->train) || !optimizer->full_batch)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "train.on_divergence"),
	                                 "optimizer \"%s\" has no learning rate that could be halved", optimizer->row.name);
	error_hint(error, "Say on_divergence = \"stop\", or choose another optimizer.");
}

static void check_targets(const struct experiment *e, struct errors *errors) {
	const struct loss *loss = (const struct loss *)e->loss->kind.row;
	for (size_t i = 0; e->data->buckets && i < e->data->buckets->values.count; i++) {
		double value = e->data->buckets->values.items[i];
		if (!loss_takes(loss, value))
			errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "data.buckets.values"),
			           "loss \"%s\" needs values %s, not %g", loss->row.name, loss_needs(loss), value);
	}
}

static void check_evaluate(const struct experiment *e, struct errors *errors) {
	const struct reals *clip = e->evaluate ? &e->evaluate->clip : NULL;
	if (!clip || !clip->set || (clip->count == 2 && clip->items[0] < clip->items[1]))
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "evaluate.clip"),
	                                 "evaluate.clip is no range of two ascending numbers");
	error_hint(error, "Say clip = [ 1.0, 5.0 ] for ratings from 1 to 5.");
}

// Exactly one of graph and model; nothing beside a model that only training reads; users as rows, which is no loss:
// cells are the same either way.
static void check_model(const struct experiment *e, bool data, struct errors *errors) {
	static const char *const trained[] = {"loss", "optimizer", "train", "weights"};
	const struct value *graph = value_child(e->tree, "graph");
	for (size_t i = 0; i < sizeof(trained) / sizeof(trained[0]); i++) {
		if (!value_child(e->tree, trained[i]))
			continue;
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, trained[i]),
		                                 "\"%s\" has no meaning beside \"model\"", trained[i]);
		error_hint(error, "A model is fitted in one go: leave it out, and extend a file that has no %s.", trained[i]);
	}
	if (graph && (graph->type != VALUE_LIST || graph->as.children.count)) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "graph"),
		                                 "an experiment has a \"graph\" or a \"model\", not both");
		error_hint(error, "Leave one of them out; graph = (); drops the graph of an extended file.");
	}
	if (data && !strcmp(e->data->rows.row->name, "items")) {
		struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "data.rows"),
		                                 "a model has users as rows, not items");
		error_hint(error, "Leave data.rows out.");
	}
}

// Without training there has to be something to evaluate.
static void check_epochs(const struct experiment *e, struct errors *errors) {
	if (e->train->epochs || value_child(e->tree, "weights"))
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "train.epochs"),
	                                 "\"epochs\" is 0, but must be at least 1 where there are no \"weights\"");
	error_hint(error,
	           "With weights = { path = \"FILE.safetensors\"; } that were trained elsewhere they are evaluated.");
}

static void check_repeats(const struct experiment *e, struct errors *errors) {
	if (e->repeats < 1 || e->seed <= UINT64_MAX - (uint64_t)(e->repeats - 1))
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "repeats"),
	                                 "the seeds of %lld repeats do not fit into 64 bits", (long long)e->repeats);
	error_hint(error, "They are seed, seed + 1, ...: take a smaller seed.");
}

// Only a device of its own has products of less precision.
static void check_precision(const struct experiment *e, struct errors *errors) {
	const struct backend *backend = (const struct backend *)e->backend.row;
	if (!((const struct precision_row *)e->precision.row)->tf32 || backend->apart)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "precision"),
	                                 "backend \"%s\" has no precision \"tf32\"", backend->row.name);
	error_hint(error, "Say backend = \"cuda\", or leave precision out.");
}

// A name makes a folder.
static void check_name(const struct experiment *e, struct errors *errors) {
	size_t length = strlen(e->name), good = 0;
	while ((unsigned char)e->name[good] >= ' ' && e->name[good] != '\x7f' && !strchr("/\\", e->name[good]))
		good++;
	if (length && length <= 128 && e->name[0] != '.' && good == length)
		return;
	struct error *error = errors_add(errors, ERROR_CONFIG, value_origin(e->tree, "name"),
	                                 "\"%s\" cannot be the name of a folder", e->name);
	error_hint(error, "Use up to 128 characters without slashes and control characters, not beginning with a dot.");
}

// --- defaults that depend on other keys ---

static void settle_nodes(struct experiment *e) {
	for (size_t i = 0; i < e->graph.count; i++) {
		struct node_config *node = e->graph.items[i];
		if (!node->name)
			node->name = arena_format(&e->arena, "%s_%zu", node->op.row->name, i + 1);
		bool reads_row = ((const struct op *)node->op.row)->reads_row;
		if (!node->input && !node->inputs.set && i > 0 && !reads_row)
			node->input = ((const struct node_config *)e->graph.items[i - 1])->name;
	}
}

static void settle_data(struct experiment *e) {
	if (e->data->source->format.row == registry_find(&format_registry, "synthetic"))
		synthetic_resolve(e->data->source->format.params);
	if (e->repeats == 1) // else each repeat has its own, and the file as a whole none
		split_settle(e->data->split, e->seed);
}

static bool higher_is_better(const struct experiment *e, const char *figure) {
	const char *dot = strchr(figure, '.');
	for (size_t i = 0; i < e->uses_count; i++)
		if (!strcmp(dot + 1, e->uses[i].name))
			return e->uses[i].metric->higher_is_better;
	return false; // a loss, a size
}

static void settle_sweep(struct experiment *e) {
	struct strings *objective = &e->sweep->objective, *goal = &e->sweep->goal;
	sweep_settle(e->sweep, e->seed);
	if (goal->set)
		return;
	*goal = (struct strings){.items = arena_alloc(&e->arena, objective->count * sizeof(*goal->items)),
	                         .count = objective->count,
	                         .set = true};
	for (size_t i = 0; i < goal->count; i++)
		goal->items[i] = higher_is_better(e, objective->items[i]) ? "max" : "min";
}

static void settle_name(struct experiment *e) {
	if (e->name)
		return;
	char *stem = path_stem(e->file);
	e->name = arena_string(&e->arena, stem);
	free(stem);
}

// --- all in one go ---

static void check_graph(struct experiment *e, struct errors *errors) {
	static const struct groups none = {0};
	if (value_child(e->tree, "graph")) {
		graph_check(&e->graph, sound(e, "train") ? &e->train->alternate : &none, e->tree, errors);
		return;
	}
	struct error *error = errors_add(errors, ERROR_CONFIG, e->tree->at, "\"graph\" is missing, and so is \"model\"");
	error_hint(error, "An experiment needs one of them.");
}

static void check_all(struct experiment *e, struct errors *errors) {
	bool data = sound(e, "data"), metrics = sound(e, "metrics");
	if (sound(e, "name")) {
		settle_name(e);
		check_name(e, errors);
	}
	if (sound(e, "backend") && sound(e, "precision"))
		check_precision(e, errors);
	if (data) {
		settle_data(e);
		data_check(e->data, e->tree, errors);
	}
	if (sound(e, "evaluate"))
		check_evaluate(e, errors);
	bool model = value_child(e->tree, "model");
	if (model)
		check_model(e, data, errors);
	bool loss = !model && sound(e, "loss");
	if (loss)
		loss_check(e->loss, e->tree, errors);
	if (data && loss)
		check_targets(e, errors);
	bool optimizer = !model && sound(e, "optimizer");
	if (optimizer)
		optimizer_check(e->optimizer, value_origin(e->tree, "optimizer"), errors);
	if (!model && sound(e, "train"))
		check_epochs(e, errors);
	if (sound(e, "seed") && sound(e, "repeats"))
		check_repeats(e, errors);
	bool graph = !model && sound(e, "graph");
	if (graph)
		check_graph(e, errors);
	if (graph && loss && optimizer && sound(e, "train"))
		refeed_check(e, errors);
	if (optimizer && sound(e, "train"))
		check_divergence(e, errors);
	size_t before = errors->count;
	if (metrics)
		check_metrics(e, errors);
	metrics = metrics && errors->count == before;
	if (!model && metrics && sound(e, "train"))
		check_early_stop(e, errors);
	if (metrics && sound(e, "expect"))
		check_expect(e, errors);
	if (value_child(e->tree, "sweep") && sound(e, "sweep"))
		check_sweep(e, metrics, !model && sound(e, "train"), errors);
}

bool experiment_read(const char *path, const char *const *overrides, size_t overrides_count, struct experiment *ret,
                     struct errors *errors) {
	size_t before = errors->count;
	struct arena arena = {0};
	const struct value *tree = config_load(path, overrides, overrides_count, &experiment_schema, &arena, errors);
	*ret = (struct experiment){0};
	if (tree)
		schema_read(&experiment_schema, tree, "", &arena, ret, errors);
	ret->arena = arena;
	ret->file = arena_string(&ret->arena, path);
	ret->tree = tree;
	if (tree)
		check_all(ret, errors);
	if (errors->count > before)
		return false;
	settle_nodes(ret);
	if (ret->sweep)
		settle_sweep(ret);
	if (ret->model) { // what nothing reads is not written either
		ret->graph = (struct groups){0};
		ret->loss = NULL;
		ret->optimizer = NULL;
		ret->train = NULL;
	} else {
		loss_settle(ret->loss);
	}
	return true;
}

// The keys of experiment_keys that are named.
static size_t pick_keys(const char *const *names, size_t count, struct key *ret) {
	size_t picked = 0;
	for (size_t i = 0; i < sizeof(experiment_keys) / sizeof(experiment_keys[0]); i++)
		for (size_t k = 0; k < count; k++)
			if (!strcmp(experiment_keys[i].name, names[k]))
				ret[picked++] = experiment_keys[i];
	return picked;
}

bool experiment_read_model(const char *text, const char *name, struct experiment *ret, struct errors *errors) {
	static const char *const names[] = {"seed", "backend", "graph", "model", "loss", "optimizer", "train", "evaluate"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	size_t before = errors->count;
	struct arena arena = {0};
	const struct value *tree = config_load_some(text, strlen(text), name, names, NAMES, &arena, errors);
	*ret = (struct experiment){0};
	if (tree) {
		struct key keys[NAMES];
		struct schema schema = {keys, pick_keys(names, NAMES, keys), sizeof(*ret)};
		schema_read(&schema, tree, "", &arena, ret, errors);
	}
	ret->arena = arena;
	ret->file = ret->name = arena_string(&ret->arena, name);
	ret->tree = tree;
	if (errors->count == before && !ret->model)
		check_graph(ret, errors);
	if (errors->count > before)
		return false;
	settle_nodes(ret);
	if (!ret->model)
		loss_settle(ret->loss);
	return true;
}

void experiment_finish(struct experiment *experiment) {
	arena_finish(&experiment->arena);
}

size_t experiment_epochs(const struct experiment *e) {
	if (!e->train)
		return 1;
	bool ends = e->train->stop_after && e->train->stop_after < e->train->epochs;
	return (size_t)(ends ? e->train->stop_after : e->train->epochs);
}

void experiment_write(const struct experiment *experiment, struct text *text) {
	schema_write(&experiment_schema, experiment, false, text);
}

void experiment_write_portable(const struct experiment *experiment, struct text *text) {
	schema_write(&experiment_schema, experiment, true, text);
}

void experiment_id(const struct experiment *experiment, const char *fingerprint, char ret_id[EXPERIMENT_ID]) {
	struct text text = {0};
	struct hash hash;
	char hex[HASH_HEX];
	experiment_write_portable(experiment, &text);
	hash_init(&hash);
	hash_string(&hash, text_string(&text));
	hash_string(&hash, fingerprint);
	hash_finish(&hash, hex);
	memcpy(ret_id, hex, EXPERIMENT_ID - 1);
	ret_id[EXPERIMENT_ID - 1] = '\0';
	text_finish(&text);
}
