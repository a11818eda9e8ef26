// A file model.safetensors, mapped and checked: nothing that its header says is believed before it is known to lie
// within the file. The rules are those of https://github.com/huggingface/safetensors: tensors lie one behind the other,
// without holes, up to the end of the file. Here their numbers are finite besides.
#ifndef AEXP_RECOMMEND_STORED_H
#define AEXP_RECOMMEND_STORED_H

#include "base/file.h"
#include "base/hash.h"
#include "nn/describe.h"

struct cJSON;

// Zero-initialise; stored_close accepts what is half opened.
struct stored {
	const char *path; // not owned
	struct file_map map;
	struct cJSON *header;
	struct tensor_facts *tensors; // (tensors_count) names are the header's, data lies in the map
	size_t tensors_count;
	const char **others; // (others_count) names of what else there is, see stored_open_any
	size_t others_count;
};
// ERROR_DATA where the file is not that, or is cut short.
bool stored_open(const char *path, struct stored *ret, struct error *error);
// The same of a file that others wrote: tensors of another type than F32, or of another number of dimensions than one
// or two, are passed over, and named in `others`.
bool stored_open_any(const char *path, struct stored *ret, struct error *error);
void stored_close(struct stored *stored);

const struct tensor_facts *stored_tensor(const struct stored *stored, const char *name); // NULL where there is none
const char *stored_text(const struct stored *stored, const char *key); // of the metadata; NULL where there is none
// Metadata that holds JSON. ERROR_DATA where it is missing, or none; cJSON_Delete *ret.
bool stored_json(const struct stored *stored, const char *key, struct cJSON **ret, struct error *error);
// Of its tensors in the order of the file, as metrics.json has it for those that were trained.
void stored_hash(const struct stored *stored, char ret_hex[HASH_HEX]);
// A whole number that a size_t and a double hold.
bool stored_count(const struct cJSON *value, size_t *ret);

#endif
