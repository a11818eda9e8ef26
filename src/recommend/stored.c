// See stored.h.
#include "recommend/stored.h"

#include "nn/state.h"
#include "report/json.h"
#include "train/outcome.h"

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
	if (json_holds_nul(text, (size_t)length))
		return refuse(s, error, "the header holds the character NUL", NULL);
	s->header = length && text[0] == '{' ? cJSON_ParseWithLengthOpts(text, (size_t)length, &end, false) : NULL;
	if (!cJSON_IsObject(s->header))
		return refuse(s, error, "the header is no JSON object", NULL);
	for (; end < s->map.data + body; end++)
		if (*end != ' ')
			return refuse(s, error, "something stands behind the header", NULL);
	*ret_body = body;
	return true;
}

// A tensor of any type, as the header has it.
struct entry {
	const char *name;
	size_t shape[2], dimensions, item; // item: bytes of a number; 0: a type that is not known
	bool single;
	const char *data;
	size_t bytes;
};

static void read_type(const char *type, struct entry *ret) {
	static const struct {
		const char *name;
		size_t bytes;
	} types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
	             {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}};
	for (size_t i = 0; type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, type))
			ret->item = types[i].bytes;
	ret->single = type && !strcmp(type, "F32");
}

// And the bytes that it claims to take. Of more than two dimensions only those count.
static bool read_shape(const cJSON *shape, struct entry *ret, size_t *ret_bytes) {
	enum { DIMENSIONS_MOST = 8 };
	size_t bytes = ret->item, dimension;
	if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > DIMENSIONS_MOST)
		return false;
	ret->dimensions = (size_t)cJSON_GetArraySize(shape);
	ret->shape[0] = ret->shape[1] = 1;
	for (size_t k = 0; k < ret->dimensions; k++) {
		if (!stored_count(cJSON_GetArrayItem(shape, (int)k), &dimension) || !memory_product(bytes, dimension, &bytes))
			return false;
		ret->shape[k < 2 ? k : 1] = dimension;
	}
	*ret_bytes = bytes;
	return true;
}

static bool read_entry(const struct stored *s, const cJSON *from, size_t body, bool any, struct entry *ret,
                       struct error *error) {
	const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(from, "data_offsets");
	size_t bytes, begin, end;
	*ret = (struct entry){.name = from->string};
	read_type(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(from, "dtype")), ret);
	if (!ret->item || (!any && !ret->single))
		return refuse(s, error, "not of single precision (F32) is the tensor", ret->name);
	if (!read_shape(cJSON_GetObjectItemCaseSensitive(from, "shape"), ret, &bytes) ||
	    (!any && (ret->dimensions < 1 || ret->dimensions > 2)))
		return refuse(s, error, "no shape of one or two dimensions has the tensor", ret->name);
	if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
	    !stored_count(cJSON_GetArrayItem(offsets, 0), &begin) || !stored_count(cJSON_GetArrayItem(offsets, 1), &end) ||
	    begin > end || end > s->map.size - body)
		return refuse(s, error, "not within the file lies the tensor", ret->name);
	if (end - begin != bytes)
		return refuse(s, error, "other bytes than its shape needs has the tensor", ret->name);
	if (ret->single && (body + begin) % _Alignof(float) != 0)
		return refuse(s, error, "not where numbers may lie begins the tensor", ret->name);
	ret->data = s->map.data + body + begin;
	ret->bytes = bytes;
	return true;
}

// By place; those that take no bytes before what lies there.
static int by_place(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_name(const void *a, const void *b) {
	return strcmp(((const struct tensor_facts *)a)->name, ((const struct tensor_facts *)b)->name);
}

static int entry_by_name(const void *a, const void *b) {
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

// Leaves the entries sorted by name.
static bool check_tiling(const struct stored *s, struct entry *entries, size_t count, size_t body,
                         struct error *error) {
	const char *next = s->map.data + body;
	qsort(entries, count, sizeof(*entries), by_place);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].data != next)
			return refuse(s, error, "over another one, or behind a hole, lies the tensor", entries[i].name);
		if (entries[i].single &&
		    !numbers_finite((const float *)(const void *)entries[i].data, entries[i].bytes / sizeof(float)))
			return refuse(s, error, "numbers that are not finite has the tensor", entries[i].name);
		next += entries[i].bytes;
	}
	if (next != s->map.data + s->map.size)
		return refuse(s, error, "something stands behind the tensors", NULL);
	qsort(entries, count, sizeof(*entries), entry_by_name);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(entries[i - 1].name, entries[i].name))
			return refuse(s, error, "twice there is the tensor", entries[i].name);
	return true;
}

static void keep_entry(struct stored *s, const struct entry *e) {
	if (!e->single || e->dimensions < 1 || e->dimensions > 2) {
		s->others[s->others_count++] = e->name;
		return;
	}
	s->tensors[s->tensors_count++] = (struct tensor_facts){.name = e->name,
	                                                       .shape = {e->shape[0], e->shape[1]},
	                                                       .dimensions = e->dimensions,
	                                                       .data = (const float *)(const void *)e->data};
}

static bool read_entries(struct stored *s, size_t body, bool any, struct entry *entries, size_t *ret_count,
                         struct error *error) {
	const cJSON *entry;
	cJSON_ArrayForEach(entry, s->header) {
		if (!strcmp(entry->string, "__metadata__"))
			continue;
		if (!read_entry(s, entry, body, any, &entries[*ret_count], error))
			return false;
		++*ret_count;
	}
	return check_tiling(s, entries, *ret_count, body, error);
}

static bool read_all(struct stored *s, bool any, struct error *error) {
	size_t body, count = 0;
	if (!parse_header(s, &body, error))
		return false;
	size_t most = (size_t)cJSON_GetArraySize(s->header) + 1;
	struct entry *entries = memory_alloc(most * sizeof(*entries));
	bool good = read_entries(s, body, any, entries, &count, error);
	s->tensors = memory_alloc(most * sizeof(*s->tensors));
	s->others = memory_alloc(most * sizeof(*s->others));
	for (size_t i = 0; good && i < count; i++)
		keep_entry(s, &entries[i]);
	free(entries);
	return good;
}

bool stored_open(const char *path, struct stored *ret, struct error *error) {
	*ret = (struct stored){.path = path};
	return file_map(path, &ret->map, error) && read_all(ret, false, error);
}

bool stored_open_any(const char *path, struct stored *ret, struct error *error) {
	*ret = (struct stored){.path = path};
	return file_map(path, &ret->map, error) && read_all(ret, true, error);
}

void stored_close(struct stored *s) {
	cJSON_Delete(s->header);
	free(s->tensors);
	free(s->others);
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
	*ret = text && json_fits(text, strlen(text)) && !json_holds_nul(text, strlen(text))
	           ? cJSON_ParseWithOpts(text, NULL, true)
	           : NULL;
	return *ret || refuse(s, error, "missing, no JSON, or too much of it, is the metadata's", key);
}

static int tensor_by_place(const void *a, const void *b) {
	const struct tensor_facts *x = a, *y = b;
	size_t x_numbers = x->shape[0] * x->shape[1], y_numbers = y->shape[0] * y->shape[1];
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return (x_numbers > y_numbers) - (x_numbers < y_numbers);
}

void stored_hash(const struct stored *s, char ret_hex[HASH_HEX]) {
	struct tensor_facts *tensors = memory_alloc((s->tensors_count + 1) * sizeof(*tensors));
	for (size_t i = 0; i < s->tensors_count; i++)
		tensors[i] = s->tensors[i];
	qsort(tensors, s->tensors_count, sizeof(*tensors), tensor_by_place);
	tensors_hash(tensors, s->tensors_count, ret_hex);
	free(tensors);
}
