// The architecture as a graph for graphviz: inputs as ellipses, nodes as boxes, the sparse path dashed.
#include "base/number.h"
#include "report/quote.h"
#include "report/report.h"

#include <string.h>

#define FONT "fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"#222222\""

// Two labels need two graphs: the title is the outer one's, what dashes mean the inner one's.
static const char *const header =
    "digraph architecture {\n"
    "\tgraph [rankdir=LR, nodesep=0.35, ranksep=0.4, bgcolor=\"#ffffff\", pad=0.2, labelloc=t,\n"
    "\t\tfontsize=16, " FONT "];\n"
    "\tnode [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", color=\"#1f3b73\",\n"
    "\t\tpenwidth=1.4, fontsize=13, margin=\"0.14,0.08\", " FONT "];\n"
    "\tedge [color=\"#555555\", penwidth=1.2, arrowsize=0.8];\n";

static const char *const body =
    "\tsubgraph cluster_body {\n"
    "\tgraph [peripheries=0, labelloc=b, labeljust=c, fontsize=11, fontcolor=\"#555555\"];\n";

static const char *const legend = "\tlabel=\"dashed: the cost follows the stored entries (sparse path)\";\n";

// A line of a label; `open` and `close` surround it.
static void append_line(struct text *text, const char *open, const char *line, const char *close) {
	text_append(text, open);
	quote_html(text, line);
	text_append(text, close);
}

// Detail is a list divided by ", ": two to a line, so that boxes stay narrow.
static void append_detail(struct text *text, const char *detail) {
	size_t parts = 0;
	while (*detail) {
		const char *comma = strstr(detail, ", ");
		size_t length = comma ? (size_t)(comma - detail) : strlen(detail);
		struct text part = {0};
		text_append_bytes(&part, detail, length);
		append_line(text, parts == 0 || parts % 2 == 1 ? ", " : ",<BR/>", text_string(&part), "");
		text_finish(&part);
		detail += length + (comma ? 2 : 0);
		parts++;
	}
}

static void append_count(struct text *text, size_t count, const char *one, const char *many) {
	char number[NUMBER_TEXT];
	number_write_count(count, number);
	text_format(text, "%s %s", number, count == 1 ? one : many);
}

static bool is_sparse(const struct node_facts *node) {
	return strcmp(node->path, "sparse") == 0;
}

static void append_node(struct text *text, const struct node_facts *node, size_t index) {
	text_format(text, "\tn%zu [label=<", index);
	append_line(text, "<B>", node->name, "</B>");
	append_line(text, "<BR/><FONT POINT-SIZE=\"11\">", node->op, "");
	append_detail(text, node->detail);
	text_append(text, "<BR/>");
	append_count(text, node->width, "unit", "units");
	if (node->parameters > 0) {
		text_append(text, "<BR/>");
		append_count(text, node->parameters, "parameter", "parameters");
	}
	text_format(text, "</FONT>>%s];\n", is_sparse(node) ? ", style=\"rounded,filled,dashed\"" : "");
}

static void append_input(struct text *text, const char *name, size_t width) {
	text_format(text,
	            "\tinput_%s [shape=ellipse, color=\"#555555\", fillcolor=\"#f2f2f2\", label=<<B>%s</B>"
	            "<BR/><FONT POINT-SIZE=\"11\">",
	            name, name);
	append_count(text, width, "column", "columns");
	text_append(text, "</FONT>>];\n");
}

static bool uses_input(const struct graph_facts *graph, const char *name) {
	for (size_t i = 0; i < graph->count; i++)
		for (size_t k = 0; k < graph->nodes[i].inputs_count; k++)
			if (strcmp(graph->nodes[i].inputs[k], name) == 0)
				return true;
	return false;
}

// The node of that name; graph->count for an input.
static size_t find_node(const struct graph_facts *graph, const char *name) {
	size_t i = 0;
	while (i < graph->count && strcmp(graph->nodes[i].name, name) != 0)
		i++;
	return i;
}

// Whether what runs along the edge is stored entries alone: from an input, or from a sparse node that has no weights and
// so hands on the rows that it reads.
static bool edge_is_sparse(const struct graph_facts *graph, size_t from, size_t to) {
	bool rows = from == graph->count || (is_sparse(&graph->nodes[from]) && graph->nodes[from].parameters == 0);
	return rows && is_sparse(&graph->nodes[to]);
}

// Nodes are named by their number, since names are the user's; inputs by their own two words.
static void append_edge(struct text *text, const struct graph_facts *graph, const char *name, size_t to) {
	size_t from = find_node(graph, name);
	if (from < graph->count)
		text_format(text, "\tn%zu", from);
	else
		text_append(text, strcmp(name, "user") == 0 ? "\tinput_user" : "\tinput_ratings");
	text_format(text, " -> n%zu%s;\n", to, edge_is_sparse(graph, from, to) ? " [style=dashed]" : "");
}

static void append_title(struct text *text, const struct graph_facts *graph, const char *title) {
	text_append(text, "\tlabel=<");
	append_line(text, "<B>", title, "</B><BR/><FONT POINT-SIZE=\"12\">");
	append_count(text, graph->parameters, "parameter", "parameters");
	text_append(text, "</FONT>>;\n");
}

// The inputs stand side by side at the left.
static void append_inputs(struct text *text, const struct graph_facts *graph) {
	text_append(text, "\t{ rank=same;\n");
	if (uses_input(graph, "user"))
		append_input(text, "user", graph->user_width);
	if (uses_input(graph, "ratings"))
		append_input(text, "ratings", graph->ratings_width);
	text_append(text, "\t}\n");
}

void report_graph_dot(const struct graph_facts *graph, const char *title, struct text *text) {
	bool sparse = false;
	text_append(text, header);
	append_title(text, graph, title);
	text_append(text, body);
	append_inputs(text, graph);
	for (size_t i = 0; i < graph->count; i++) {
		append_node(text, &graph->nodes[i], i);
		sparse = sparse || is_sparse(&graph->nodes[i]);
	}
	for (size_t i = 0; i < graph->count; i++)
		for (size_t k = 0; k < graph->nodes[i].inputs_count; k++)
			append_edge(text, graph, graph->nodes[i].inputs[k], i);
	text_append(text, sparse ? legend : "\tlabel=\"\";\n");
	text_append(text, "\t}\n}\n");
}
