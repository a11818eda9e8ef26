// Weights of other programs for a graph of three nodes: names, which way they lie, and what is refused by which words.
// hidden = ratings (3) -> 2, norm = batch_norm, score = 2 -> 3.
#include "recommend/import.h"

#include "scratch.h"
#include "base/file.h"
#include "nn/network.h"

#include <stdio.h>

struct tensor {
	const char *name, *type, *shape;
	size_t numbers, bytes; // of each
};

// Numbers count up from 1 within each tensor.
static void write_file(const char *metadata, const struct tensor *tensors) {
	struct text header = {0}, file = {0}, body = {0};
	struct error error = {0};
	text_format(&header, "{%s", metadata);
	for (const struct tensor *t = tensors; t->name; t++) {
		size_t begin = body.length;
		for (size_t i = 0; i < t->numbers; i++) {
			float number = (float)(i + 1);
			double wide = (double)number;
			text_append_bytes(&body, t->bytes == 8 ? (const void *)&wide : &number, t->bytes);
		}
		text_format(&header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
		            header.length > 1 ? "," : "", t->name, t->type, t->shape, begin, body.length);
	}
	text_append(&header, "}");
	while (header.length % 8)
		text_append(&header, " ");
	uint64_t length = header.length;
	text_append_bytes(&file, &length, 8);
	text_append_bytes(&file, header.data, header.length);
	text_append_bytes(&file, text_string(&body), body.length);
	assert_true(file_write(path, file.data, file.length, &error));
	text_finish(&header);
	text_finish(&file);
	text_finish(&body);
}

struct fixture {
	struct experiment experiment;
	struct graph graph;
	struct stored stored;
	struct errors errors;
	bool good;
};

static void import(struct fixture *f) {
	static const char text[] =
	    "graph = ( { name = \"hidden\"; op = \"dense\"; input = \"ratings\"; units = 2; }, { name = \"norm\"; op = "
	    "\"batch_norm\"; }, { name = \"score\"; op = \"dense\"; units = \"items\"; bias = false; } );";
	struct error error = {0};
	struct graph_shape shape = {.ratings_width = 3, .batch = 2, .rows = 5, .ratings_entries = 1, .target_entries = 1};
	*f = (struct fixture){0};
	assert_true(experiment_read_model(text, "test", &f->experiment, &f->errors));
	const struct experiment *e = &f->experiment;
	assert_true(
	    graph_plan(&e->graph, e->loss, e->optimizer, &e->train->alternate, &shape, e->tree, &f->graph, &f->errors));
	if (!stored_open_any(path, &f->stored, &error))
		fail_msg("%s", error.message);
	f->good = import_weights(&f->stored, (struct origin){0}, &f->graph, &f->errors);
	assert_true(f->good == !f->errors.count);
}

static void finish(struct fixture *f) {
	stored_close(&f->stored);
	graph_finish(&f->graph);
	experiment_finish(&f->experiment);
	errors_finish(&f->errors);
}

static const struct tensor_facts *start(const struct fixture *f, const char *name) {
	for (size_t i = 0; i < f->graph.start_count; i++)
		if (!strcmp(f->graph.start[i].name, name))
			return &f->graph.start[i];
	fail_msg("nothing for %s", name);
	return NULL;
}

// Whether it is (rows, columns), and its second number that.
static void hold(const struct fixture *f, const char *name, size_t rows, size_t columns, float second) {
	const struct tensor_facts *t = start(f, name);
	assert_int_equal(t->shape[0], rows);
	assert_int_equal(t->shape[1], columns);
	assert_true(t->data[1] == second);
}

// Errors in any order: one says this, and its hint that.
static void hold_error(const struct fixture *f, const char *message, const char *hint) {
	for (size_t i = 0; i < f->errors.count; i++)
		if (strstr(f->errors.items[i].message, message)) {
			assert_int_equal(f->errors.items[i].code, ERROR_DATA);
			assert_non_null(strstr(f->errors.items[i].hint, hint));
			return;
		}
	for (size_t i = 0; i < f->errors.count; i++)
		print_message("%s\n", f->errors.items[i].message);
	fail_msg("no error says: %s", message);
}

static void test_pytorch(void **state) {
	struct fixture f;
	(void)state;
	write_file("\"__metadata__\":{\"format\":\"pt\"}",
	           (const struct tensor[]){{"hidden.weight", "F32", "[2,3]", 6, 4},
	                                   {"hidden.bias", "F32", "[2]", 2, 4},
	                                   {"norm.weight", "F32", "[2]", 2, 4},
	                                   {"norm.bias", "F32", "[2]", 2, 4},
	                                   {"norm.running_mean", "F32", "[2]", 2, 4},
	                                   {"norm.running_var", "F32", "[2]", 2, 4},
	                                   {"score.weight", "F32", "[3,2]", 6, 4},
	                                   {"norm.num_batches_tracked", "I64", "[]", 1, 8},
	                                   {0}});
	import(&f);
	assert_true(f.good);
	assert_int_equal(f.graph.start_count, 7);
	hold(&f, "hidden.weight", 3, 2, 4); // turned: (1 4) (2 5) (3 6)
	hold(&f, "score.weight", 2, 3, 3);
	hold(&f, "norm.gamma", 2, 1, 2);
	hold(&f, "norm.running_variance", 2, 1, 2);
	finish(&f);
}

static void test_keras(void **state) {
	struct fixture f;
	(void)state;
	write_file("", (const struct tensor[]){{"hidden/kernel:0", "F32", "[3,2]", 6, 4},
	                                       {"hidden/bias:0", "F32", "[2]", 2, 4},
	                                       {"norm/gamma", "F32", "[2]", 2, 4},
	                                       {"norm/beta", "F32", "[2]", 2, 4},
	                                       {"norm/moving_mean", "F32", "[2]", 2, 4},
	                                       {"norm/moving_variance", "F32", "[2]", 2, 4},
	                                       {"score.kernel", "F32", "[2,3]", 6, 4},
	                                       {0}});
	import(&f);
	assert_true(f.good);
	hold(&f, "hidden.weight", 3, 2, 2);
	hold(&f, "score.weight", 2, 3, 2);
	hold(&f, "norm.beta", 2, 1, 2);
	finish(&f);
}

static void test_own(void **state) {
	struct fixture f;
	(void)state;
	write_file("\"__metadata__\":{\"format\":\"aexp.model/1\"}",
	           (const struct tensor[]){{"hidden.weight", "F32", "[3,2]", 6, 4},
	                                   {"hidden.bias", "F32", "[2]", 2, 4},
	                                   {"norm.gamma", "F32", "[2]", 2, 4},
	                                   {"norm.beta", "F32", "[2]", 2, 4},
	                                   {"norm.running_mean", "F32", "[2]", 2, 4},
	                                   {"norm.running_variance", "F32", "[2]", 2, 4},
	                                   {"score.weight", "F32", "[2,3]", 6, 4},
	                                   {0}});
	import(&f);
	assert_true(f.good);
	hold(&f, "hidden.weight", 3, 2, 2);
	finish(&f);
}

static void test_refused(void **state) {
	struct fixture f;
	(void)state;
	write_file("", (const struct tensor[]){{"hidden.weight", "F32", "[3,2]", 6, 4},
	                                       {"hiden.bias", "F32", "[2]", 2, 4},
	                                       {"norm.weight", "F32", "[2]", 2, 4},
	                                       {"norm.gamma", "F32", "[2]", 2, 4},
	                                       {"norm.beta", "F32", "[3]", 3, 4},
	                                       {"norm.moving_mean", "F32", "[2]", 2, 4},
	                                       {"norm.moving_variance", "F64", "[2]", 2, 8},
	                                       {"score.kernel", "F32", "[3,2]", 6, 4},
	                                       {0}});
	import(&f);
	assert_false(f.good);
	assert_int_equal(f.errors.count, 8);
	hold_error(&f, "tensor \"hidden.weight\" is (3, 2), but node \"hidden\" wants (2, 3): (units, inputs)",
	           "hidden.kernel");
	hold_error(&f, "tensor \"score.kernel\" is (3, 2), but node \"score\" wants (2, 3): (inputs, units)",
	           "score.weight");
	hold_error(&f, "has no tensor \"hidden.bias\"", "Is it \"hiden.bias\"?");
	hold_error(&f, "no node takes the tensor \"hiden.bias\"", "");
	hold_error(&f, "\"norm.weight\" would be norm.gamma", "");
	hold_error(&f, "tensor \"norm.beta\" is (3), but node \"norm\" wants (2)", "");
	hold_error(&f, "has no tensor \"norm.running_variance\"", "");
	hold_error(&f, "the tensor \"norm.moving_variance\" is not of single precision", "float32");
	finish(&f);
}

static void test_hash(void **state) {
	struct weights_config config = {.path = path};
	struct arena arena = {0};
	struct stored stored;
	struct error error = {0};
	(void)state;
	write_file("", (const struct tensor[]){{"a", "F32", "[1]", 1, 4}, {0}});
	assert_true(import_open(&config, (struct origin){0}, &arena, &stored, &error));
	stored_close(&stored);
	assert_int_equal(strlen(config.hash), 32);
	assert_true(import_open(&config, (struct origin){0}, &arena, &stored, &error));
	stored_close(&stored);
	write_file("", (const struct tensor[]){{"b", "F32", "[1]", 1, 4}, {0}});
	assert_false(import_open(&config, (struct origin){0}, &arena, &stored, &error));
	assert_int_equal(error.code, ERROR_DATA);
	assert_non_null(strstr(error.message, "not those of the hash"));
	stored_close(&stored);
	arena_finish(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pytorch), cmocka_unit_test(test_keras), cmocka_unit_test(test_own),
	    cmocka_unit_test(test_refused), cmocka_unit_test(test_hash),
	};
	return cmocka_run_group_tests(tests, make, unmake);
}
