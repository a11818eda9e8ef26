// What recommend and predict read on standard input. The first byte of an input says which of the two; the rest is the
// text, JSON lines or CSV. What is asked is answered by the first model of the corpus of `model`.
#include "model_file.h"

#include "base/file.h"
#include "recommend/asks.h"

#include <stdio.h>

enum { AT_ONCE = 3 };

static struct aexp_model *open_model(void) {
	struct text file = {0};
	struct aexp_model *model;
	struct aexp_error cause;
	struct error error;
	char *data;
	size_t size;
	fuzz_require(file_read(FUZZ_MODEL, SIZE_MAX, &data, &size, &error));
	fuzz_model_file(data, size, &file);
	fuzz_write("model.safetensors", file.data, file.length);
	fuzz_require(aexp_open(fuzz_path("model.safetensors"), 1, &model, &cause));
	text_finish(&file);
	free(data);
	return model;
}

static void answer(struct aexp_model *model, const struct ask *ask, size_t count, bool predicts) {
	struct aexp_user users[AT_ONCE];
	struct aexp_list lists[AT_ONCE];
	struct aexp_error error = {0};
	const struct aexp_how how = {.top = 2, .reasons = 1};
	for (size_t i = 0; i < count; i++) {
		fuzz_require(ask[i].user.id != NULL);
		users[i] = ask[i].user;
	}
	bool good = (predicts ? aexp_predict : aexp_recommend)(model, users, count, &how, lists, &error);
	fuzz_require(good || error.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct aexp_model *model;
	if (size < 2)
		return 0;
	model = model == NULL ? open_model() : model;
	FILE *from = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
	fuzz_require(from != NULL);
	struct asks asks = {.from = from, .name = "in", .predicts = data[0] & 1};
	bool good = true;
	for (size_t count = 1; good && count > 0;) {
		struct arena arena = {0};
		struct error error = {0};
		struct ask *ask;
		good = asks_next(&asks, AT_ONCE, &arena, &ask, &count, &error);
		fuzz_require(count <= AT_ONCE);
		answer(model, ask, count, asks.predicts);
		if (!good)
			fuzz_require_error(&error);
		arena_finish(&arena);
	}
	asks_close(&asks);
	fclose(from);
	return 0;
}
