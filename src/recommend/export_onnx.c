// See export.h. The model around the graph: its inputs and its output by name, and the metadata of model.safetensors as
// it stands. The file is written piece by piece; its weights are held in memory once.
#include "recommend/export.h"

#include "base/file.h"
#include "base/protobuf.h"
#include "nn/onnx.h"
#include "recommend/model.h"

#include <cJSON.h>

enum { ELEMENT_FLOAT = 1, ELEMENT_INT64 = 7 }; // TensorProto.DataType
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
static const size_t FILE_MOST = 0x7fffffff; // what readers of protobuf accept: external data is not written

// A ValueInfoProto: (rows, width), or (rows) where width is 0.
static void add_value(struct text *graph, unsigned field, const char *name, int element, size_t width) {
	struct text rows = {0}, columns = {0}, shape = {0}, tensor = {0}, type = {0}, value = {0};
	protobuf_string(&rows, 2, "rows"); // dim_param
	protobuf_message(&shape, 1, &rows);
	if (width) {
		protobuf_integer(&columns, 1, width); // dim_value
		protobuf_message(&shape, 1, &columns);
	}
	protobuf_integer(&tensor, 1, (uint64_t)element); // elem_type
	protobuf_message(&tensor, 2, &shape);
	protobuf_message(&type, 1, &tensor); // tensor_type
	protobuf_string(&value, 1, name);
	protobuf_message(&value, 2, &type);
	protobuf_message(graph, field, &value);
}

static void add_metadata(const struct aexp_model *m, struct text *model) {
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(m->stored.header, "__metadata__"), *entry;
	cJSON_ArrayForEach(entry, all) {
		struct text pair = {0};
		protobuf_string(&pair, 1, entry->string);
		protobuf_string(&pair, 2, cJSON_GetStringValue(entry));
		protobuf_message(model, MODEL_METADATA, &pair);
	}
}

static const struct tensor_facts *find_tensor(void *context, const char *name) {
	return stored_tensor(&((const struct aexp_model *)context)->stored, name);
}

static const char *add_network(const struct aexp_model *m, struct onnx *o, struct text *graph) {
	if (m->graph.ratings)
		add_value(graph, GRAPH_INPUT, "ratings", ELEMENT_FLOAT, m->columns);
	if (m->graph.user)
		add_value(graph, GRAPH_INPUT, "user", ELEMENT_FLOAT, m->features);
	if (m->graph.row)
		add_value(graph, GRAPH_INPUT, "place", ELEMENT_INT64, 0);
	return onnx_value(o, m->graph.output);
}

// x W, or x W transpose(W).
static const char *add_fitted(const struct aexp_model *m, struct onnx *o, struct text *graph) {
	const struct fitted *f = &m->fitted;
	const char *weight = onnx_constant(o, "model", "weight", f->weight, f->items, f->columns);
	add_value(graph, GRAPH_INPUT, "ratings", ELEMENT_FLOAT, m->columns);
	struct onnx_call call = {.operator= "Gemm", .owner = "model", .input = {"ratings", weight}};
	const char *product = onnx_call(o, &call);
	if (!f->projects)
		return product;
	call = (struct onnx_call){.operator= "Gemm",
	                          .owner = "model",
	                          .input = {product, weight},
	                          .attribute = {{"transB", ONNX_INTEGER, .integer = 1}}};
	return onnx_call(o, &call);
}

// What is neither a node nor a weight: the model up to where its graph begins, and what ends the graph.
struct pieces {
	struct text head, graph;
};

static void make_pieces(const struct aexp_model *m, struct onnx *o, struct pieces *p) {
	static const char output[] = "scores";
	struct text opset = {0}, node = {0};
	const char *value = m->network ? add_network(m, o, &p->graph) : add_fitted(m, o, &p->graph);
	protobuf_string(&node, 1, value);
	protobuf_string(&node, 2, output);
	protobuf_string(&node, 4, "Identity"); // so that the output has a name of its own, whatever the node is called
	protobuf_message(&o->nodes, 1, &node);
	protobuf_string(&p->graph, GRAPH_NAME, m->name);
	add_value(&p->graph, GRAPH_OUTPUT, output, ELEMENT_FLOAT, m->columns);
	protobuf_integer(&p->head, MODEL_IR_VERSION, ONNX_IR_VERSION);
	protobuf_string(&p->head, MODEL_PRODUCER, "aexp");
	protobuf_integer(&opset, 2, ONNX_OPSET); // of the default domain
	protobuf_message(&p->head, MODEL_OPSET, &opset);
	add_metadata(m, &p->head);
	protobuf_bytes_begin(&p->head, MODEL_GRAPH, o->nodes.length + o->weights.length + p->graph.length);
}

static bool write_pieces(const struct onnx *o, const struct pieces *p, const char *path, struct error *error) {
	const struct text *texts[] = {&p->head, &o->nodes, &o->weights, &p->graph};
	struct file_writer writer;
	size_t size = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += texts[i]->length;
	if (size > FILE_MOST) {
		error_set(error, ERROR_CONFIG, "as ONNX the model would take %zu bytes, and readers accept %zu", size,
		          FILE_MOST);
		error_hint(error, "Use --format npz, or model.safetensors as it is.");
		return false;
	}
	if (!file_open(path, &writer, error))
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		file_put(&writer, text_string(texts[i]), texts[i]->length);
	return file_close(&writer, error);
}

bool export_onnx(struct aexp_model *m, const char *path, struct error *error) {
	struct onnx o = {.graph = &m->graph, .tensor = find_tensor, .context = m};
	struct pieces p = {0};
	if (!m->network && !m->fitted.weight) {
		error_set(error, ERROR_CONFIG, "this model only counts or averages: it has no graph that ONNX could hold");
		error_hint(error, "Use --format npz: the numbers of its items are all there is.");
		return false;
	}
	make_pieces(m, &o, &p);
	bool good = write_pieces(&o, &p, path, error);
	onnx_finish(&o);
	text_finish(&p.head);
	text_finish(&p.graph);
	return good;
}
