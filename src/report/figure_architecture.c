// architecture: the network of a run as a picture, drawn by graphviz; LaTeX reads a file that includes the PDF.
#include "report/figure_kind.h"

#include "report/report.h"

#include <string.h>

struct architecture_config {
	struct choice direction;
};

#define KEY(type_name, field, kind, ...)                                                                               \
	{ .name = #field, .type = kind, .offset = offsetof(struct type_name, field), __VA_ARGS__ }

static const struct row right = {.name = "right", .doc = "From left to right"};
static const struct row down = {.name = "down", .doc = "From above to below, for a narrow column"};
static const struct row *const directions[] = {&right, &down};
static const struct registry direction_registry = {
    .what = "direction", .plural = "directions", .rows = directions, .count = 2};

static const struct key keys[] = {
    KEY(architecture_config, direction, KEY_CHOICE, .registry = &direction_registry, .fallback = "\"right\"",
        .doc = "Which way the network is read: right or down"),
};

static void check(const struct figure *f, struct errors *errors) {
	if (f->runs.count != 1)
		errors_add(errors, ERROR_CONFIG, figure_origin(f, "runs"), "an architecture is one run's, not %zu's",
		           f->runs.count);
}

// A summary's network is that of its first run.
static bool read_result(struct figure_data *data, struct run_result *ret, struct error *error) {
	const char **folders;
	size_t count;
	return figure_sample_folders(&data->samples[0], data->arena, &folders, &count, error) &&
	       report_result_read(count ? folders[0] : data->samples[0].entry.folder, data->arena, ret, error);
}

// What stands last in a graph counts: direction and largest size, in inches.
static bool make(const struct figure *f, struct figure_data *data, struct figure_drawing *ret, struct error *error) {
	const struct architecture_config *config = f->kind.params;
	struct run_result result;
	struct text dot = {0};
	if (!read_result(data, &result, error))
		return false;
	report_graph_dot(&result.graph, f->title ? f->title : data->samples[0].label, &dot);
	const char *end = strrchr(text_string(&dot), '}');
	text_append_bytes(&ret->dot, text_string(&dot), (size_t)(end - text_string(&dot)));
	text_format(&ret->dot, "\trankdir=%s; size=\"%.3f,%.3f\";\n}\n", config->direction.row == &down ? "TB" : "LR",
	            f->width / 2.54, 100.0);
	text_finish(&dot);
	text_append(&ret->tsv, "node\top\tdetail\tunits\tparameters\n");
	for (size_t i = 0; i < result.graph.count; i++) {
		const struct node_facts *node = &result.graph.nodes[i];
		text_append(&ret->tsv, node->name);
		tsv_text(&ret->tsv, node->op);
		tsv_text(&ret->tsv, node->detail);
		text_format(&ret->tsv, "\t%zu\t%zu\n", node->width, node->parameters);
	}
	return true;
}

const struct figure_kind figure_architecture = {
    .row = {.name = "architecture",
            .doc = "The network of one run; drawn by graphviz",
            .params = SCHEMA(struct architecture_config, keys)},
    .takes = FIGURE_RUNS,
    .check = check,
    .make = make,
};
