// A file model.safetensors, mapped and checked: nothing that its header says is believed before it is known to lie
// within the file. The rules are those of https://github.com/huggingface/safetensors: tensors lie one behind the other,
// without holes, up to the end of the file. Here their numbers are finite besides.
#ifndef AEXP_RECOMMEND_STORED_H
#define AEXP_RECOMMEND_STORED_H

#include "base/file.h"
#include "nn/describe.h"

struct cJSON;

// Zero-initialise; stored_close accepts what is half opened.
struct stored {
	const char *path; // not owned
	struct file_map map;
	struct cJSON *header;
	struct tensor_facts *tensors; // (tensors_count) names are the header's, data lies in the map
	size_t tensors_count;
};
// ERROR_DATA where the file is not that, or is cut short.
bool stored_open(const char *path, struct stored *ret, struct error *error);
void stored_close(struct stored *stored);

const struct tensor_facts *stored_tensor(const struct stored *stored, const char *name); // NULL where there is none
const char *stored_text(const struct stored *stored, const char *key); // of the metadata; NULL where there is none
// Metadata that holds JSON. ERROR_DATA where it is missing, or none; cJSON_Delete *ret.
bool stored_json(const struct stored *stored, const char *key, struct cJSON **ret, struct error *error);
// A whole number that a size_t and a double hold.
bool stored_count(const struct cJSON *value, size_t *ret);

#endif
