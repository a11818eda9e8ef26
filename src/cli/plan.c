// aexp plan: everything short of training.
#include "cli/cli.h"

#include "base/number.h"
#include "report/json.h"

#include <stdio.h>

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

static void print_plan(const struct prepared *p, const struct graph_facts *g) {
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
		return;
	}
	printf("\nloss %s (%s), optimizer %s, batch %zu, at most %lld epochs\n", p->experiment.loss->kind.row->name,
	       p->experiment.loss->reduction.row->name, p->experiment.optimizer->kind.row->name, p->graph.shape.batch,
	       (long long)experiment_epochs(&p->experiment));
	if (p->experiment.weights)
		printf("weights begin with those of %s\n", p->experiment.weights->path);
}

static void print_json(const struct prepared *p, const struct graph_facts *g) {
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
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

static int plan_one(const char *path, const struct options *options) {
	struct prepared p;
	int code = prepare(path, options, true, &p);
	if (code == 0) {
		struct graph_facts facts;
		train_describe(&p.experiment, &p.matrices, &p.graph, &facts);
		(options->json ? print_json : print_plan)(&p, &facts);
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
            "sparse or dense.\n",
    .takes = TAKES(overrides) | TAKES(no_cache) | TAKES(json),
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
