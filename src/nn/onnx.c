// See onnx.h. Numbers of fields are those of onnx.proto3.
#include "nn/onnx.h"

#include "base/protobuf.h"
#include "nn/op.h"

#include <stdlib.h>
#include <string.h>

enum { DATA_FLOAT = 1 };                                                  // TensorProto.DataType
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };      // AttributeProto.AttributeType
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };                           // fields of GraphProto
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE }; // of NodeProto
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_LIST = 8, ATTRIBUTE_TYPE = 20 };
enum { TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW_DATA = 9 };

void onnx_finish(struct onnx *o) {
	arena_finish(&o->arena);
	text_finish(&o->nodes);
	text_finish(&o->weights);
	free(o->value);
	free(o->written);
}

static const char *input_name(const struct graph *graph, const struct node *node) {
	return node == graph->user ? "user" : node == graph->row ? "place" : "ratings";
}

const char *onnx_value(struct onnx *o, const struct node *node) {
	if (!o->value)
		o->value = memory_alloc(o->graph->nodes_count * sizeof(*o->value));
	const char **value = &o->value[node->index];
	if (!*value)
		*value = node->op ? node->op->onnx(o, node) : input_name(o->graph, node);
	return *value;
}

static void add_attribute(const struct onnx_attribute *a, struct text *node) {
	static const int types[] = {
	    [ONNX_FLOAT] = ATTRIBUTE_FLOAT, [ONNX_INTEGER] = ATTRIBUTE_INT, [ONNX_INTEGERS] = ATTRIBUTE_INTS};
	struct text text = {0};
	protobuf_string(&text, ATTRIBUTE_NAME, a->name);
	if (a->kind == ONNX_FLOAT)
		protobuf_float(&text, ATTRIBUTE_F, a->number);
	else
		protobuf_integer(&text, a->kind == ONNX_INTEGER ? ATTRIBUTE_I : ATTRIBUTE_LIST, (uint64_t)a->integer);
	protobuf_integer(&text, ATTRIBUTE_TYPE, (uint64_t)types[a->kind]);
	protobuf_message(node, NODE_ATTRIBUTE, &text);
}

const char *onnx_call(struct onnx *o, const struct onnx_call *call) {
	struct text node = {0};
	const char *name = arena_format(&o->arena, "%s/%s_%zu", call->owner, call->operator, ++ o->count);
	for (size_t i = 0; i < ONNX_INPUTS_MOST && call->input[i]; i++)
		protobuf_string(&node, NODE_INPUT, call->input[i]);
	protobuf_string(&node, NODE_OUTPUT, name);
	protobuf_string(&node, NODE_NAME, name);
	protobuf_string(&node, NODE_OP, call->operator);
	for (size_t i = 0; i < ONNX_ATTRIBUTES && call->attribute[i].name; i++)
		add_attribute(&call->attribute[i], &node);
	protobuf_message(&o->nodes, GRAPH_NODE, &node);
	return name;
}

static const char *find_written(const struct onnx *o, const char *name) {
	for (size_t i = 0; i < o->written_count; i++)
		if (!strcmp(o->written[i], name))
			return o->written[i];
	return NULL;
}

const char *onnx_constant(struct onnx *o, const char *owner, const char *suffix, const float *data, size_t rows,
                          size_t columns) {
	const char *name = arena_format(&o->arena, "%s.%s", owner, suffix), *there = find_written(o, name);
	size_t bytes = rows * (columns ? columns : 1) * sizeof(*data);
	struct text head = {0};
	if (there)
		return there;
	protobuf_integer(&head, TENSOR_DIMS, rows);
	if (columns)
		protobuf_integer(&head, TENSOR_DIMS, columns);
	protobuf_integer(&head, TENSOR_DATA_TYPE, DATA_FLOAT);
	protobuf_string(&head, TENSOR_NAME, name);
	protobuf_bytes_begin(&head, TENSOR_RAW_DATA, bytes); // little-endian, as the file that they come from
	protobuf_bytes_begin(&o->weights, GRAPH_INITIALIZER, head.length + bytes);
	text_append_bytes(&o->weights, head.data, head.length);
	text_append_bytes(&o->weights, data, bytes);
	text_finish(&head);
	o->written = memory_resize(o->written, (o->written_count + 1) * sizeof(*o->written));
	o->written[o->written_count++] = name;
	return name;
}

const struct tensor_facts *onnx_numbers(const struct onnx *o, const struct node *node, const char *suffix) {
	struct text name = {0};
	text_format(&name, "%s.%s", node->name, suffix);
	const struct tensor_facts *tensor = o->tensor(o->context, text_string(&name));
	text_finish(&name);
	return tensor;
}

const char *onnx_weight(struct onnx *o, const struct node *node, const char *suffix) {
	const struct tensor_facts *t = onnx_numbers(o, node, suffix);
	return onnx_constant(o, node->name, suffix, t->data, t->shape[0], t->dimensions == 2 ? t->shape[1] : 0);
}

const char *onnx_activated(struct onnx *o, const struct node *node, const char *x) {
	const struct activation *activation = node->activation;
	struct onnx_call call = {.operator= activation->onnx, .owner = node->name, .input = {x}};
	if (activation->id == ACTIVATION_IDENTITY)
		return x;
	if (activation->row.params.count)
		call.attribute[0] = (struct onnx_attribute){"alpha", ONNX_FLOAT, .number = (float)node->activation_p};
	const char *y = onnx_call(o, &call);
	if (activation->id != ACTIVATION_SWISH) // which is x sigmoid(x)
		return y;
	return onnx_call(o, &(struct onnx_call){.operator= "Mul", .owner = node->name, .input = {x, y}});
}

const char *onnx_same(struct onnx *o, const struct node *node) {
	return onnx_value(o, node->inputs[0]);
}
