// aexp plan: everything short of training.
#include "cli/cli.h"

#include "base/number.h"
#include "base/space.h"
#include "report/json.h"
#include "train/checkpoint.h"
#include "train/needs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_node(const struct node_facts *n) {
	char parameters[NUMBER_TEXT], bytes[NUMBER_TEXT], flops[NUMBER_TEXT], inputs[256] = "(the row itself)";
	size_t used = 0;
	for (size_t i = 0; i < n->inputs_count && used + 2 < sizeof(inputs); i++)
		used += (size_t)snprintf(inputs + used, sizeof(inputs) - used, "%s%s", i ? ", " : "", n->inputs[i]);
	number_write_count(n->parameters, parameters);
	number_write_bytes(n->bytes, bytes);
	number_write_count((uint64_t)n->flops, flops);
	printf("%-16s %-11s %-8zu %12s %10s %14s  %-6s %-12s  %s <- %s\n", n->name, n->op, n->width, parameters, bytes,
	       flops, n->path, n->update, n->detail, inputs);
}

// What a run needs, and what there is.
struct room {
	struct train_needs needs;
	double loaded, most; // memory of program and data now, and the most that loading took
	struct space_memory memory;
	struct space_disk disk;
	bool disk_known;
};

// left: bytes that are free on the device
static void look_at_room(const struct prepared *p, const struct options *options, size_t left, struct room *ret) {
	train_measure(&p->experiment, &p->matrices, &p->graph, pool_threads(options->pool), left, &ret->needs);
	space_resident(&ret->loaded, &ret->most);
	space_memory("", &ret->memory);
	ret->disk_known = space_disk(options->results, &ret->disk);
	if (strcmp(p->access.from, "synthetic") == 0)
		ret->needs.cache = 0;
}

static double most_memory(const struct room *r) {
	return fmax(r->loaded + r->needs.memory_total, r->most);
}

static void print_room(const struct room *r) {
	char text[3][NUMBER_TEXT];
	number_write_bytes(most_memory(r), text[0]);
	number_write_bytes(r->loaded, text[1]);
	number_write_bytes(r->memory.bytes, text[2]);
	printf("\nmemory at most %s: %s program and data", text[0], text[1]);
	for (size_t i = 0; i < NEEDS; i++) {
		number_write_bytes(r->needs.memory[i], text[0]);
		if (r->needs.memory[i] > 0)
			printf(", %s %s", text[0], need_names[i]);
	}
	if (isfinite(r->memory.bytes))
		printf("; %s %s are left", text[2], r->memory.limit);
	number_write_bytes(r->needs.disk, text[0]);
	number_write_bytes(r->needs.files, text[1]);
	number_write_bytes(r->needs.checkpoint, text[2]);
	printf("\ndisk at most %s: %s files", text[0], text[1]);
	if (r->needs.checkpoint > 0)
		printf(", %d checkpoints of %s and the one that is written", CHECKPOINTS_KEPT, text[2]);
	number_write_bytes(r->disk.bytes, text[0]);
	number_write_bytes(r->needs.cache, text[1]);
	if (r->disk_known)
		printf("; %s are free", text[0]);
	if (r->needs.cache > 0)
		printf("; a cache of the data takes %s", text[1]);
	printf("\n");
}

static void json_room(struct json *json, const struct room *r) {
	json_object(json, "memory", JSON_INLINE);
	json_real(json, "loaded", r->loaded);
	for (size_t i = 0; i < NEEDS; i++)
		json_real(json, need_names[i], r->needs.memory[i]);
	json_real(json, "most", most_memory(r));
	json_real(json, "left", r->memory.bytes);
	json_end(json);
	json_object(json, "disk", JSON_INLINE);
	json_real(json, "checkpoint", r->needs.checkpoint);
	json_real(json, "files", r->needs.files);
	json_real(json, "most", r->needs.disk);
	json_real(json, "free", r->disk_known ? r->disk.bytes : (double)NAN);
	json_real(json, "cache", r->needs.cache);
	json_end(json);
}

static void print_device(const struct device_needs *d) {
	char text[3][NUMBER_TEXT];
	if (!d->network)
		return;
	number_write_bytes((double)device_needs_bytes(d), text[0]);
	number_write_bytes((double)d->network, text[1]);
	number_write_bytes((double)(d->held ? d->data : d->blocks), text[2]);
	printf("the device holds %s: %s network and batch, %s ", text[0], text[1], text[2]);
	if (d->held) {
		printf("data set, of which it gathers the batches\n");
		return;
	}
	number_write_bytes((double)d->data, text[0]);
	printf("blocks of batches, which the host gathers");
	if (d->data)
		printf("; the data set would take %s", text[0]);
	printf("\n");
}

static void print_plan(const struct prepared *p, const struct graph_facts *g, const struct room *room,
                       const struct device_needs *device) {
	char text[3][NUMBER_TEXT];
	const struct matrices *m = &p->matrices;
	printf("%s  id %s  backend %s  seed %llu\n", p->experiment.name, p->id, p->experiment.backend.row->name,
	       (unsigned long long)p->experiment.seed);
	number_write_count(m->train.rows, text[0]);
	number_write_count(m->train.columns, text[1]);
	number_write_count(csr_count(&m->train), text[2]);
	printf("data: %s rows (%s) x %s columns, %s train entries, density %.4g %%; %zu columns of side information\n\n",
	       text[0], m->items_as_rows ? "items" : "users", text[1], text[2],
	       100 * (double)csr_count(&m->train) / ((double)m->train.rows * (double)m->train.columns),
	       m->features.start ? m->features.columns : 0);
	printf("%-16s %-11s %-8s %12s %10s %14s  %-6s %-12s\n", "node", "op", "width", "parameters", "bytes", "FLOP a step",
	       "path", "update");
	for (size_t i = 0; i < g->count; i++)
		print_node(&g->nodes[i]);
	number_write_count(g->parameters, text[0]);
	number_write_bytes(g->bytes, text[1]);
	number_write_count((uint64_t)g->flops, text[2]);
	printf("%-16s %-11s %-8s %12s %10s %14s\n", "total", "", "", text[0], text[1], text[2]);
	if (p->experiment.model) {
		printf("\nmodel %s, fitted in one go\n", p->experiment.model->kind.row->name);
		print_room(room);
		return;
	}
	printf("\nloss %s (%s), optimizer %s, batch %zu, at most %lld epochs\n", p->experiment.loss->kind.row->name,
	       p->experiment.loss->reduction.row->name, p->experiment.optimizer->kind.row->name, p->graph.shape.batch,
	       (long long)experiment_epochs(&p->experiment));
	if (p->experiment.weights)
		printf("weights begin with those of %s\n", p->experiment.weights->path);
	print_room(room);
	print_device(device);
}

static void json_device(struct json *json, const struct device_needs *d) {
	json_count(json, "device_bytes", device_needs_bytes(d));
	json_object(json, "device", JSON_INLINE);
	json_count(json, "network", d->network);
	json_count(json, "data", d->data);
	json_count(json, "blocks", d->blocks);
	json_string(json, "batches", d->held ? "gathered" : "streamed");
	json_end(json);
}

static void print_json(const struct prepared *p, const struct graph_facts *g, const struct room *room,
                       const struct device_needs *device) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "experiment", p->experiment.name);
	json_string(&json, "id", p->id);
	json_array(&json, "nodes", JSON_LINES);
	for (size_t i = 0; i < g->count; i++) {
		const struct node_facts *n = &g->nodes[i];
		json_object(&json, NULL, JSON_INLINE);
		json_string(&json, "name", n->name);
		json_string(&json, "op", n->op);
		json_count(&json, "width", n->width);
		json_count(&json, "parameters", n->parameters);
		json_real(&json, "bytes", n->bytes);
		json_real(&json, "flops", n->flops);
		json_string(&json, "path", n->path);
		json_string(&json, "update", n->update);
		json_end(&json);
	}
	json_end(&json);
	json_count(&json, "parameters", g->parameters);
	json_real(&json, "bytes", g->bytes);
	json_real(&json, "flops", g->flops);
	json_room(&json, room);
	if (device->network)
		json_device(&json, device);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

// --- a device with memory of its own ---

// What would be the largest batch that fits; 0: none.
static size_t batch_that_fits(const struct prepared *p, size_t left) {
	struct graph smaller = p->graph;
	struct device_needs needs;
	while ((smaller.shape.batch /= 2) > 0) {
		train_device_needs(&p->experiment, &p->matrices, &smaller, left, &needs);
		if (device_needs_bytes(&needs) <= left)
			break;
	}
	return smaller.shape.batch;
}

static bool refuse(struct prepared *p, size_t bytes, size_t left, struct error *error) {
	char text[2][NUMBER_TEXT];
	number_write_bytes((double)bytes, text[0]);
	number_write_bytes((double)left, text[1]);
	error_set(error, ERROR_BACKEND, "%s: needs %s of the device's memory, of which %s are free", p->experiment.name,
	          text[0], text[1]);
	size_t batch = batch_that_fits(p, left);
	if (batch)
		error_hint(error, "With train.batch = %zu it would fit; so it would with backend = \"openblas\".", batch);
	else
		error_hint(error, "No batch is small enough: take fewer units, an optimizer with less state, or backend = "
		                  "\"openblas\".");
	return false;
}

// What the device has to hold; where the device is here, whether it can. ret_needs: 0 where memory is the host's.
// ret_left: bytes that are free there, SIZE_MAX where nobody knows.
static bool check_device(struct prepared *p, const struct options *options, struct device_needs *ret_needs,
                         size_t *ret_left, struct error *error) {
	struct error absent; // a plan may be made elsewhere
	*ret_left = SIZE_MAX;
	*ret_needs = (struct device_needs){0};
	if (!((const struct backend *)p->experiment.backend.row)->apart || p->experiment.model)
		return true;
	train_backend_check(&p->experiment, options->pool, ret_left, &absent);
	train_device_needs(&p->experiment, &p->matrices, &p->graph, *ret_left, ret_needs);
	size_t bytes = device_needs_bytes(ret_needs);
	return bytes <= *ret_left || refuse(p, bytes, *ret_left, error);
}

static int plan_one(const char *path, const struct options *options) {
	struct prepared p;
	int code = prepare(path, options, true, &p);
	if (code == 0) {
		struct graph_facts facts;
		struct room room = {0};
		struct error error = {0};
		struct device_needs device;
		size_t left;
		bool fits = check_device(&p, options, &device, &left, &error);
		train_describe(&p.experiment, &p.matrices, &p.graph, &facts);
		look_at_room(&p, options, left, &room);
		(options->json ? print_json : print_plan)(&p, &facts, &room, &device);
		if (!fits)
			print_error(&error);
		code = fits ? 0 : (int)error.code;
	}
	prepared_finish(&p);
	return code;
}

static int run(const struct options *options) {
	int code = check_files(options);
	for (size_t i = 0; code == 0 && i < options->arguments_count; i++) {
		if (i && !options->json)
			printf("\n");
		code = plan_one(options->arguments[i], options);
	}
	return code;
}

const struct verb verb_plan = {
    .name = "plan",
    .usage = "plan CFG...",
    .doc = "checks the file, reads the data's shape and prints the graph; runs nothing",
    .help = "For each node: output width, parameters, bytes, FLOPs of a training step, and whether it is computed\n"
            "sparse or dense. Then what a run takes at most of memory and disk, and what there is.\n",
    .takes = TAKES(overrides) | TAKES(no_cache) | TAKES(json),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
