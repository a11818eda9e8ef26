// An input of the target `model` as a file model.safetensors: the header's text up to a NUL, then the tensors; the
// length of the header is put in front, so that an input may change it and stay good. One that begins with "raw:" is
// the file.
#ifndef AEXP_TESTS_FUZZ_MODEL_FILE_H
#define AEXP_TESTS_FUZZ_MODEL_FILE_H

#include "fuzz.h"

static inline void fuzz_model_file(const void *data, size_t size, struct text *ret) {
	static const char raw[] = "raw:";
	const char *nul = size > 0 ? memchr(data, '\0', size) : NULL, *text = data;
	uint64_t length = nul == NULL ? size : (size_t)(nul - text);
	bool whole = size >= sizeof raw - 1 && memcmp(data, raw, sizeof raw - 1) == 0;
	if (whole) {
		text_append_bytes(ret, text + sizeof raw - 1, size - (sizeof raw - 1));
		return;
	}
	text_append_bytes(ret, &length, sizeof length);
	text_append_bytes(ret, text, length);
	for (; ret->length % sizeof length != 0; length++) // blanks, up to where numbers may lie
		text_append(ret, " ");
	memcpy(ret->data, &length, sizeof length);
	if (nul != NULL)
		text_append_bytes(ret, nul + 1, size - (size_t)(nul + 1 - text));
}

#endif
