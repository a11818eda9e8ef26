// An exported ONNX file, decoded and computed by nothing but what this file knows of the format, against the model's
// own scores of rows that a counter makes: every tensor, attribute and name has to be where the format wants it. A file
// with a BatchNormalization, an operator that is not known here, or a value that nobody made fails. Usage: onnx MODEL
// ONNX
#include "base/file.h"
#include "recommend/model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *what, const char *name) {
	printf("failed: %s: %s\n", what, name);
	exit(1);
}

// --- the wire ---

struct slice {
	const unsigned char *at, *end;
};
struct field {
	unsigned number;
	uint64_t integer;   // of a varint
	float single;       // of 32 bits
	struct slice bytes; // of bytes
};

static uint64_t take_varint(struct slice *s) {
	uint64_t value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		if (s->at == s->end)
			fail("cut short", "a varint");
		unsigned char byte = *s->at++;
		value |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			return value;
	}
	fail("too long", "a varint");
}

static bool take_field(struct slice *s, struct field *ret) {
	if (s->at == s->end)
		return false;
	uint64_t tag = take_varint(s);
	*ret = (struct field){.number = (unsigned)(tag >> 3)};
	if ((tag & 7) == 0) {
		ret->integer = take_varint(s);
		return true;
	}
	uint64_t size = (tag & 7) == 5 ? 4 : (tag & 7) == 2 ? take_varint(s) : UINT64_MAX;
	if (size > (uint64_t)(s->end - s->at))
		fail("cut short", "a field");
	ret->bytes = (struct slice){s->at, s->at + size};
	if ((tag & 7) == 5)
		memcpy(&ret->single, s->at, sizeof(float));
	s->at += size;
	return true;
}

static struct arena arena;

static char *text_in(struct slice s) {
	char *text = arena_alloc(&arena, (size_t)(s.end - s.at) + 1);
	memcpy(text, s.at, (size_t)(s.end - s.at));
	return text;
}

// --- values ---

enum { VALUES = 512 };
struct array {
	const char *name;
	size_t rows, columns; // of a vector, which stands for each row: 1, its length
	float *data;
};
static struct array values[VALUES];
static size_t values_count;

static struct array *find(const char *name) {
	for (size_t i = 0; i < values_count; i++)
		if (!strcmp(values[i].name, name))
			return &values[i];
	fail("no such value", name);
}

static struct array *make(const char *name, size_t rows, size_t columns) {
	assert(values_count < VALUES);
	for (size_t i = 0; i < values_count; i++)
		if (!strcmp(values[i].name, name))
			fail("made twice", name);
	values[values_count] =
	    (struct array){name, rows, columns, arena_alloc(&arena, (rows * columns + 1) * sizeof(float))};
	return &values[values_count++];
}

// Elements of a (rows, columns) result: vectors and columns of one number stand for all.
static float at(const struct array *v, size_t i, size_t j) {
	return v->data[(v->rows == 1 ? 0 : i) * v->columns + (v->columns == 1 ? 0 : j)];
}

static void read_constant(struct slice s) {
	size_t dims[2] = {1, 1}, count = 0;
	struct slice raw = {0};
	struct field f;
	const char *name = "";
	while (take_field(&s, &f)) {
		if (f.number == 1 && count < 2)
			dims[count++] = (size_t)f.integer;
		else if (f.number == 2 && f.integer != 1)
			fail("not of single precision", "a constant");
		else if (f.number == 8)
			name = text_in(f.bytes);
		else if (f.number == 9)
			raw = f.bytes;
	}
	struct array *v = make(name, count == 2 ? dims[0] : 1, count == 2 ? dims[1] : dims[0]);
	if ((size_t)(raw.end - raw.at) != v->rows * v->columns * sizeof(float))
		fail("other bytes than its shape", name);
	memcpy(v->data, raw.at, (size_t)(raw.end - raw.at));
}

// --- operators ---

struct call {
	const char *op, *input[8], *output;
	size_t inputs;
	float alpha;
	int64_t axis, transposed;
};

static float add(float a, float b) {
	return a + b;
}
static float subtract(float a, float b) {
	return a - b;
}
static float multiply(float a, float b) {
	return a * b;
}
static float divide(float a, float b) {
	return a / b;
}
static float larger(float a, float b) {
	return a > b ? a : b;
}
static const struct {
	const char *op;
	float (*of)(float a, float b);
} binary[] = {{"Add", add}, {"Sub", subtract}, {"Mul", multiply}, {"Div", divide}, {"Max", larger}};

static float identity(float x, float alpha) {
	(void)alpha;
	return x;
}
static float relu(float x, float alpha) {
	(void)alpha;
	return x > 0 ? x : 0;
}
static float leaky(float x, float alpha) {
	return x > 0 ? x : alpha * x;
}
static float elu(float x, float alpha) {
	return x > 0 ? x : alpha * expm1f(x);
}
static float selu(float x, float alpha) {
	(void)alpha;
	return 1.05070098735548f * (x > 0 ? x : 1.67326324235437f * expm1f(x));
}
static float sigmoid(float x, float alpha) {
	(void)alpha;
	return 1 / (1 + expf(-x));
}
static float hyperbolic(float x, float alpha) {
	(void)alpha;
	return tanhf(x);
}
static float softplus(float x, float alpha) {
	(void)alpha;
	return logf(1 + expf(x));
}
static float root(float x, float alpha) {
	(void)alpha;
	return sqrtf(x);
}
static const struct {
	const char *op;
	float (*of)(float x, float alpha);
} unary[] = {{"Identity", identity}, {"Relu", relu},       {"LeakyRelu", leaky},   {"Elu", elu},  {"Selu", selu},
             {"Sigmoid", sigmoid},   {"Tanh", hyperbolic}, {"Softplus", softplus}, {"Sqrt", root}};

static void run_gemm(const struct call *c) {
	const struct array *x = find(c->input[0]), *w = find(c->input[1]), *b = c->inputs > 2 ? find(c->input[2]) : NULL;
	size_t columns = c->transposed ? w->rows : w->columns;
	if (x->columns != (c->transposed ? w->columns : w->rows))
		fail("shapes do not fit", c->output);
	struct array *y = make(c->output, x->rows, columns);
	for (size_t i = 0; i < y->rows; i++)
		for (size_t j = 0; j < columns; j++) {
			double sum = b ? (double)at(b, i, j) : 0;
			for (size_t k = 0; k < x->columns; k++)
				sum += (double)at(x, i, k) * (double)(c->transposed ? at(w, j, k) : at(w, k, j));
			y->data[i * columns + j] = (float)sum;
		}
}

static void run_reduce(const struct call *c) {
	const struct array *x = find(c->input[0]);
	struct array *y = make(c->output, x->rows, 1);
	bool mean = !strcmp(c->op, "ReduceMean");
	if (c->axis != 1)
		fail("not along the row", c->output);
	for (size_t i = 0; i < x->rows; i++) {
		double sum = 0;
		for (size_t j = 0; j < x->columns; j++)
			sum += (double)at(x, i, j) * (mean ? 1 : (double)at(x, i, j));
		y->data[i] = (float)(mean ? sum / (double)x->columns : sqrt(sum));
	}
}

static void run_concat(const struct call *c) {
	size_t columns = 0, first = 0;
	for (size_t k = 0; k < c->inputs; k++)
		columns += find(c->input[k])->columns;
	struct array *y = make(c->output, find(c->input[0])->rows, columns);
	for (size_t k = 0; k < c->inputs; k++) {
		const struct array *x = find(c->input[k]);
		for (size_t i = 0; i < x->rows; i++)
			memcpy(y->data + i * columns + first, x->data + i * x->columns, x->columns * sizeof(float));
		first += x->columns;
	}
}

static void run_gather(const struct call *c) {
	const struct array *table = find(c->input[0]), *index = find(c->input[1]);
	struct array *y = make(c->output, index->rows, table->columns);
	for (size_t i = 0; i < y->rows; i++)
		memcpy(y->data + i * y->columns, table->data + (size_t)index->data[i] * y->columns, y->columns * sizeof(float));
}

static bool run_elements(const struct call *c) {
	const struct array *x = find(c->input[0]);
	for (size_t k = 0; k < sizeof(unary) / sizeof(unary[0]); k++)
		if (!strcmp(unary[k].op, c->op)) {
			struct array *y = make(c->output, x->rows, x->columns);
			for (size_t i = 0; i < x->rows * x->columns; i++)
				y->data[i] = unary[k].of(x->data[i], c->alpha);
			return true;
		}
	for (size_t k = 0; k < sizeof(binary) / sizeof(binary[0]); k++)
		if (!strcmp(binary[k].op, c->op)) {
			const struct array *b = find(c->input[1]);
			struct array *y = make(c->output, x->rows, x->columns);
			for (size_t i = 0; i < x->rows * x->columns; i++)
				y->data[i] = binary[k].of(x->data[i], at(b, i / x->columns, i % x->columns));
			return true;
		}
	return false;
}

static void run_call(const struct call *c) {
	if (!strcmp(c->op, "Gemm"))
		run_gemm(c);
	else if (!strncmp(c->op, "Reduce", 6))
		run_reduce(c);
	else if (!strcmp(c->op, "Concat") && c->axis == 1)
		run_concat(c);
	else if (!strcmp(c->op, "Gather"))
		run_gather(c);
	else if (!run_elements(c))
		fail("an operator that is not known here", c->op);
}

static void read_attribute(struct slice s, struct call *c) {
	struct field f;
	const char *name = "";
	float number = 0;
	int64_t integer = 0;
	while (take_field(&s, &f)) {
		if (f.number == 1)
			name = text_in(f.bytes);
		else if (f.number == 2)
			number = f.single;
		else if (f.number == 3 || f.number == 8)
			integer = (int64_t)f.integer;
		else if (f.number != 20)
			fail("an attribute of another kind", name);
	}
	if (!strcmp(name, "alpha"))
		c->alpha = number;
	else if (!strcmp(name, "axis") || !strcmp(name, "axes"))
		c->axis = integer;
	else if (!strcmp(name, "transB"))
		c->transposed = integer;
	else
		fail("an attribute that is not known here", name);
}

static void read_node(struct slice s) {
	struct call c = {.op = "", .output = ""};
	struct field f;
	while (take_field(&s, &f)) {
		if (f.number == 1 && c.inputs < 8)
			c.input[c.inputs++] = text_in(f.bytes);
		else if (f.number == 2)
			c.output = text_in(f.bytes);
		else if (f.number == 4)
			c.op = text_in(f.bytes);
		else if (f.number == 5)
			read_attribute(f.bytes, &c);
	}
	run_call(&c);
}

// --- a block of rows, and the file ---

enum { ROWS = 7 };

// Rows with some entries, the first with none; of the row's own place every third has none.
static void fill(struct aexp_model *m) {
	uint32_t column[ROWS][256];
	float value[ROWS][256], feature[ROWS][256];
	struct array *ratings = make("ratings", ROWS, m->columns), *user = make("user", ROWS, m->features + 1);
	struct array *place = make("place", ROWS, 1);
	user->columns = m->features;
	block_clear(m, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		struct row_entries row = {column[i], value[i], 0}, about = {column[i] + 128, feature[i], 0};
		for (size_t j = i ? i - 1 : m->columns; j < m->columns && row.count < 100; j += 1 + i) {
			row.column[row.count] = (uint32_t)j;
			row.value[row.count] = ratings->data[i * m->columns + j] = 0.25f * (float)((i + j) % 5);
			row.count++;
		}
		for (size_t j = i % 2; j < m->features && about.count < 100; j += 2) {
			about.column[about.count] = (uint32_t)j;
			about.value[about.count++] = user->data[i * m->features + j] = 1;
		}
		place->data[i] = i % 3 && m->graph.row ? (float)i : 0;
		block_add(m, &row, &about, (size_t)place->data[i]);
	}
}

static void run_graph(struct slice graph) {
	struct slice again = graph;
	struct field f;
	while (take_field(&again, &f))
		if (f.number == 5)
			read_constant(f.bytes);
	while (take_field(&graph, &f))
		if (f.number == 1)
			read_node(f.bytes);
}

static bool is_pair(struct slice s, const char *key, const char *value) {
	struct field k, v;
	return take_field(&s, &k) && take_field(&s, &v) && !strcmp(text_in(k.bytes), key) &&
	       !strcmp(text_in(v.bytes), value);
}

int main(int argc, char **argv) {
	struct aexp_error error;
	struct aexp_model *m;
	char *data;
	size_t size;
	bool named = false, opset = false;
	if (argc != 3)
		return 2;
	if (!aexp_open(argv[1], 1, &m, &error))
		fail("cannot open", error.message);
	if (!file_read(argv[2], (size_t)1 << 30, &data, &size, NULL))
		fail("cannot read", argv[2]);
	fill(m);
	struct slice file = {(const unsigned char *)data, (const unsigned char *)data + size};
	struct field f;
	while (take_field(&file, &f)) {
		if (f.number == 7)
			run_graph(f.bytes);
		named = named || (f.number == 14 && is_pair(f.bytes, "id", aexp_id(m)));
		opset = opset || (f.number == 8 && f.bytes.end - f.bytes.at == 2 && f.bytes.at[1] == 13);
	}
	if (!named || !opset)
		fail("lacks the id of the model, or its operator set", argv[2]);
	struct matrix wanted = block_scores(m);
	const struct array *scores = find("scores");
	double worst = 0;
	bool good = true;
	if (scores->rows != ROWS || scores->columns != m->columns)
		fail("of another shape", "scores");
	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; j < m->columns; j++) {
			double off = fabs((double)(at(scores, i, j) - wanted.data[i * wanted.stride + j]));
			worst = fmax(worst, off);
			good = good && off <= 1e-5; // false of what is no number
		}
	printf("%s: %zu values, off by at most %.2g\n", argv[2], values_count, worst);
	aexp_close(m);
	free(data);
	arena_finish(&arena);
	return good ? 0 : 1;
}
