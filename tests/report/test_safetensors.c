// model.safetensors, read back by a small parser of its own that follows the format's description, rule by rule.
#include "fixture.h"

#include "base/file.h"

#include <cJSON.h>

static const char *const experiment_text = "name = \"beautybot\";\n\tepochs = 3;\n";

struct stored_model {
	char *data;
	size_t size, body; // where the tensors begin
	cJSON *header;
};

static struct stored_model model_read(const char *path) {
	struct stored_model model = {0};
	struct error error = {0};
	assert_true(file_read(path, 1 << 20, &model.data, &model.size, &error));
	assert_true(model.size >= 8);
	uint64_t length = 0;
	for (size_t i = 0; i < 8; i++)
		length |= (uint64_t)(unsigned char)model.data[i] << 8 * i;
	assert_true(length <= model.size - 8);
	assert_int_equal(length % 8, 0);
	assert_int_equal(model.data[8], '{');
	model.body = 8 + (size_t)length;
	size_t end = model.body;
	while (model.data[end - 1] == ' ')
		end--;
	assert_int_equal(model.data[end - 1], '}');
	assert_true(model.body - end < 8);
	const char *stop = NULL;
	model.header = cJSON_ParseWithLengthOpts(model.data + 8, end - 8, &stop, false);
	assert_non_null(model.header);
	assert_ptr_equal(stop, model.data + end);
	return model;
}

static void model_finish(struct stored_model *model) {
	cJSON_Delete(model->header);
	free(model->data);
}

static struct stored_model stored_of(const struct fixture *f) {
	char *folder = fixture_folder(), *path = path_join(folder, "model.safetensors");
	struct error error = {0};
	assert_true(report_model_write(path, &f->result, experiment_text, &error));
	struct stored_model model = model_read(path);
	assert_true(folder_remove(folder, &error));
	free(path);
	free(folder);
	return model;
}

static const char *metadata(const struct stored_model *model, const char *key) {
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(model->header, "__metadata__");
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, key));
}

static void check_tensor(const struct stored_model *model, const cJSON *entry, size_t *offset,
                         const struct fixture *f) {
	const struct tensor_facts *tensor = NULL;
	for (size_t i = 0; i < f->result.tensors_count; i++)
		if (strcmp(f->tensors[i].name, entry->string) == 0)
			tensor = &f->tensors[i];
	assert_non_null(tensor);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype")), "F32");
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape");
	const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
	size_t bytes = sizeof(float);
	assert_int_equal(cJSON_GetArraySize(shape), tensor->dimensions);
	for (size_t k = 0; k < tensor->dimensions; k++) {
		assert_int_equal(cJSON_GetArrayItem(shape, (int)k)->valueint, tensor->shape[k]);
		bytes *= tensor->shape[k];
	}
	assert_int_equal(cJSON_GetArrayItem(offsets, 0)->valueint, *offset);
	*offset += bytes;
	assert_int_equal(cJSON_GetArrayItem(offsets, 1)->valueint, *offset);
	assert_true(model->body + *offset <= model->size);
	assert_memory_equal(model->data + model->body + *offset - bytes, tensor->data, bytes);
}

static void test_tensors(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 1);
	f->tensors[2] = (struct tensor_facts){"a\"b.gamma", {1, 1}, 2, fixture_bias};
	f->result.tensors_count = 3;
	struct stored_model model = stored_of(f);
	size_t offset = 0, count = 0;
	const cJSON *entry;
	cJSON_ArrayForEach(entry, model.header) {
		if (strcmp(entry->string, "__metadata__") == 0)
			continue;
		check_tensor(&model, entry, &offset, f);
		count++;
	}
	assert_int_equal(count, 3);
	assert_int_equal(model.body + offset, model.size); // no holes, nothing behind
	model_finish(&model);
	fixture_destroy(f);
}

static void test_metadata_is_strings(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 1);
	struct stored_model model = stored_of(f);
	const cJSON *item;
	struct text keys = {0};
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(model.header, "__metadata__")) {
		assert_true(cJSON_IsString(item));
		text_format(&keys, "%s ", item->string);
	}
	assert_string_equal(text_string(&keys),
	                    "format name id rows liked items titles popularity buckets coding graph experiment ");
	assert_string_equal(metadata(&model, "format"), "aexp.model/1");
	assert_string_equal(metadata(&model, "name"), "beautybot");
	assert_string_equal(metadata(&model, "id"), "3f2a91c0d4e7");
	assert_string_equal(metadata(&model, "liked"), "3.5");
	assert_string_equal(metadata(&model, "items"), "[\"50\",\"x\\\"y\",\"\xc3\xa9t\xc3\xa9\"]");
	assert_string_equal(metadata(&model, "titles"),
	                    "[\"Star Wars (1977)\",null,\"Caf\xc3\xa9 \\\"Lumi\xc3\xa8re\\\"\"]");
	assert_string_equal(metadata(&model, "popularity"), "[3,1,1]");
	assert_string_equal(metadata(&model, "buckets"), "{\"thresholds\":[3.5],\"values\":[0.1,1]}");
	assert_string_equal(
	    metadata(&model, "coding"),
	    "[{\"name\":\"skin_type\",\"kind\":\"categorical\",\"first_column\":0,\"columns\":3,"
	    "\"levels\":[\"\",\"dry\",\"oily & \\\"mixed\\\"\"]},"
	    "{\"name\":\"age\",\"kind\":\"numeric\",\"first_column\":3,\"columns\":2,\"mean\":33.3,\"deviation\":0.1}]");
	assert_string_equal(metadata(&model, "experiment"), experiment_text);
	cJSON *graph = cJSON_Parse(metadata(&model, "graph"));
	assert_non_null(graph);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(graph, "nodes")), 7);
	cJSON_Delete(graph);
	text_finish(&keys);
	model_finish(&model);
	fixture_destroy(f);
}

static void test_rows_are_items(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 1);
	static size_t start[] = {0, 2, 3, 3}; // three items as rows
	static uint32_t column[] = {0, 3, 1};
	f->matrices.items_as_rows = true;
	f->matrices.train = (struct csr){.rows = 3, .columns = 4, .start = start, .column = column, .value = fixture_value};
	f->dataset.titles = NULL;
	f->matrices.values = f->matrices.thresholds = NULL;
	f->matrices.levels = 0;
	f->matrices.liked = -INFINITY;
	struct stored_model model = stored_of(f);
	assert_string_equal(metadata(&model, "rows"), "items");
	assert_string_equal(metadata(&model, "users"), "[\"u1\",\"u2\",\"u3\",\"u4\"]");
	assert_string_equal(metadata(&model, "popularity"), "[2,1,0]");
	assert_string_equal(metadata(&model, "liked"), "-inf");
	assert_null(metadata(&model, "titles"));
	assert_null(metadata(&model, "buckets"));
	model_finish(&model);
	fixture_destroy(f);
}

// What a plan was made for goes with it, and what a fit adds to every score.
static void test_shape_and_base(void **state) {
	(void)state;
	struct fixture *f = fixture_create(2, 1);
	struct fitted fitted = {.base = 3.5280123456789};
	f->result.graph.batch = 32;
	f->result.graph.rows = 4;
	f->result.graph.ratings_entries = 1.25;
	f->result.fitted = &fitted;
	struct stored_model model = stored_of(f);
	assert_non_null(
	    strstr(metadata(&model, "graph"), "\"shape\":{\"batch\":32,\"rows\":4,\"refed\":0,\"ratings_entries\":1.25,"));
	assert_string_equal(metadata(&model, "base"), "3.5280123456789");
	model_finish(&model);
	f->result.fitted = NULL;
	fixture_destroy(f);
}

// Every length of the header's text, so that every padding is met.
static void test_padding(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	char text[10] = "";
	for (size_t i = 0; i < 9; i++) {
		struct text header = {0};
		struct error error = {0};
		assert_true(report_model_header(&f->result, text, &header, &error));
		assert_int_equal(header.length % 8, 0);
		text_finish(&header);
		text[i] = 'x';
	}
	fixture_destroy(f);
}

static void test_header_too_long(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	enum { MOST = 100000000 };
	char *text = malloc(MOST + 1);
	memset(text, 'x', MOST);
	text[MOST] = '\0';
	struct error error = {0};
	struct text header = {0};
	assert_false(report_model_header(&f->result, text, &header, &error));
	assert_int_equal(error.code, ERROR_RUN);
	assert_non_null(strstr(error.message, "the model's header would take 10000"));
	assert_non_null(strstr(error.message, " bytes, and readers accept 100000000"));
	assert_int_equal(header.length, 0);
	free(text);
	fixture_destroy(f);
}

static void test_cannot_be_written(void **state) {
	(void)state;
	struct fixture *f = fixture_create(1, 1);
	struct error error = {0};
	assert_false(report_model_write("/dev/null/model", &f->result, "", &error));
	assert_string_equal(error.message, "cannot write \"/dev/null/model\": Not a directory");
	if (file_exists("/dev/full")) {
		assert_false(report_model_write("/dev/full", &f->result, "", &error));
		assert_string_equal(error.message, "cannot write \"/dev/full\": No space left on device");
	}
	fixture_destroy(f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tensors),           cmocka_unit_test(test_metadata_is_strings),
	    cmocka_unit_test(test_rows_are_items),    cmocka_unit_test(test_shape_and_base),
	    cmocka_unit_test(test_padding),           cmocka_unit_test(test_header_too_long),
	    cmocka_unit_test(test_cannot_be_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
