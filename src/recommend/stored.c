// See stored.h.
#include "recommend/stored.h"

#include "nn/state.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are used as they lie in the file, and the format is little-endian"
#endif

enum { HEADER_SIZE = 8, HEADER_MOST = 100000000 }; // the readers' limit: MAX_HEADER_SIZE of the Rust source

static bool refuse(const struct stored *s, struct error *error, const char *why, const char *name) {
	error_at(error, ERROR_DATA, (struct origin){.file = s->path}, "no model that can be used: %s%s%s%s", why,
	         name ? " \"" : "", name ? name : "", name ? "\"" : "");
	error_hint(error, "It should be the model.safetensors that `aexp run` left; copy it again where it was cut short.");
	return false;
}

bool stored_count(const cJSON *value, size_t *ret) {
	static const double most = 9007199254740992.0; // 2^53: what a double counts to
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) || value->valuedouble >= most ||
	    floor(value->valuedouble) != value->valuedouble)
		return false;
	*ret = (size_t)value->valuedouble;
	return true;
}

static bool parse_header(struct stored *s, size_t *ret_body, struct error *error) {
	uint64_t length;
	if (s->map.size < HEADER_SIZE)
		return refuse(s, error, "the file is shorter than any header", NULL);
	memcpy(&length, s->map.data, HEADER_SIZE);
	if (length > HEADER_MOST || length > s->map.size - HEADER_SIZE)
		return refuse(s, error, "the header is longer than the file, or than readers accept", NULL);
	const char *text = s->map.data + HEADER_SIZE, *end = NULL;
	size_t body = HEADER_SIZE + (size_t)length;
	if (!json_fits(text, (size_t)length))
		return refuse(s, error, "the header has more values than any model needs", NULL);
	s->header = length && text[0] == '{' ? cJSON_ParseWithLengthOpts(text, (size_t)length, &end, false) : NULL;
	if (!cJSON_IsObject(s->header))
		return refuse(s, error, "the header is no JSON object", NULL);
	for (; end < s->map.data + body; end++)
		if (*end != ' ')
			return refuse(s, error, "something stands behind the header", NULL);
	*ret_body = body;
	return true;
}

// The bytes that a tensor claims to take.
static bool read_shape(const cJSON *shape, struct tensor_facts *tensor, size_t *ret_bytes) {
	int count = cJSON_IsArray(shape) ? cJSON_GetArraySize(shape) : 0;
	size_t bytes = sizeof(float);
	if (count < 1 || count > 2)
		return false;
	tensor->dimensions = (size_t)count;
	tensor->shape[1] = 1;
	for (int k = 0; k < count; k++)
		if (!stored_count(cJSON_GetArrayItem(shape, k), &tensor->shape[k]) ||
		    !memory_product(bytes, tensor->shape[k], &bytes))
			return false;
	*ret_bytes = bytes;
	return true;
}

static bool read_tensor(const struct stored *s, const cJSON *entry, size_t body, struct tensor_facts *ret,
                        struct error *error) {
	const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "dtype"));
	const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
	size_t bytes, begin, end;
	*ret = (struct tensor_facts){.name = entry->string};
	if (!kind || strcmp(kind, "F32") != 0)
		return refuse(s, error, "not of single precision (F32) is the tensor", entry->string);
	if (!read_shape(cJSON_GetObjectItemCaseSensitive(entry, "shape"), ret, &bytes))
		return refuse(s, error, "no shape of one or two dimensions has the tensor", entry->string);
	if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
	    !stored_count(cJSON_GetArrayItem(offsets, 0), &begin) || !stored_count(cJSON_GetArrayItem(offsets, 1), &end) ||
	    begin > end || end > s->map.size - body)
		return refuse(s, error, "not within the file lies the tensor", entry->string);
	if (end - begin != bytes)
		return refuse(s, error, "other bytes than its shape needs has the tensor", entry->string);
	if ((body + begin) % _Alignof(float) != 0)
		return refuse(s, error, "not where numbers may lie begins the tensor", entry->string);
	ret->data = (const float *)(const void *)(s->map.data + body + begin);
	return true;
}

static size_t numbers_of(const struct tensor_facts *t) {
	return t->shape[0] * t->shape[1];
}

// By place; those that take no bytes before what lies there.
static int by_place(const void *a, const void *b) {
	const struct tensor_facts *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return (numbers_of(x) > numbers_of(y)) - (numbers_of(x) < numbers_of(y));
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const struct tensor_facts *)a)->name, ((const struct tensor_facts *)b)->name);
}

// Sorted by place, then left sorted by name.
static bool check_tiling(struct stored *s, size_t body, struct error *error) {
	const char *next = s->map.data + body;
	qsort(s->tensors, s->tensors_count, sizeof(*s->tensors), by_place);
	for (size_t i = 0; i < s->tensors_count; i++) {
		const struct tensor_facts *t = &s->tensors[i];
		if ((const char *)t->data != next)
			return refuse(s, error, "over another one, or behind a hole, lies the tensor", t->name);
		if (!numbers_finite(t->data, numbers_of(t)))
			return refuse(s, error, "numbers that are not finite has the tensor", t->name);
		next += numbers_of(t) * sizeof(float);
	}
	if (next != s->map.data + s->map.size)
		return refuse(s, error, "something stands behind the tensors", NULL);
	qsort(s->tensors, s->tensors_count, sizeof(*s->tensors), by_name);
	for (size_t i = 1; i < s->tensors_count; i++)
		if (!strcmp(s->tensors[i - 1].name, s->tensors[i].name))
			return refuse(s, error, "twice there is the tensor", s->tensors[i].name);
	return true;
}

static bool read_all(struct stored *s, struct error *error) {
	size_t body;
	if (!parse_header(s, &body, error))
		return false;
	s->tensors = memory_alloc(((size_t)cJSON_GetArraySize(s->header) + 1) * sizeof(*s->tensors));
	const cJSON *entry;
	cJSON_ArrayForEach(entry, s->header) {
		if (!strcmp(entry->string, "__metadata__"))
			continue;
		if (!read_tensor(s, entry, body, &s->tensors[s->tensors_count], error))
			return false;
		s->tensors_count++;
	}
	return check_tiling(s, body, error);
}

bool stored_open(const char *path, struct stored *ret, struct error *error) {
	*ret = (struct stored){.path = path};
	return file_map(path, &ret->map, error) && read_all(ret, error);
}

void stored_close(struct stored *s) {
	cJSON_Delete(s->header);
	free(s->tensors);
	file_unmap(&s->map);
	*s = (struct stored){0};
}

const struct tensor_facts *stored_tensor(const struct stored *s, const char *name) {
	struct tensor_facts wanted = {.name = name};
	return bsearch(&wanted, s->tensors, s->tensors_count, sizeof(*s->tensors), by_name);
}

const char *stored_text(const struct stored *s, const char *key) {
	const cJSON *all = cJSON_GetObjectItemCaseSensitive(s->header, "__metadata__");
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(all, key));
}

bool stored_json(const struct stored *s, const char *key, cJSON **ret, struct error *error) {
	const char *text = stored_text(s, key);
	*ret = text && json_fits(text, strlen(text)) ? cJSON_ParseWithOpts(text, NULL, true) : NULL;
	return *ret || refuse(s, error, "missing, no JSON, or too much of it, is the metadata's", key);
}
