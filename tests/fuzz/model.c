// Models, model.safetensors: opened, asked for lists, reasons, predictions and neighbours, and exported.
#include "model_file.h"

#include "recommend/aexp.h"
#include "recommend/model.h"

static void ask(struct aexp_model *model) {
	const char *first = aexp_item(model, 0), *last = aexp_item(model, aexp_items(model) - 1);
	const char *asked[] = {last, first, "nothing"};
	struct aexp_rating ratings[] = {{first, 4}, {"nothing", 1}, {last, -2.5}};
	struct aexp_attribute attributes[] = {{"kind", "a|b"}, {"age", "31"}, {"no", "thing"}};
	struct aexp_user users[] = {{.id = "u1"},
	                            {.id = "u2",
	                             .ratings = ratings,
	                             .ratings_count = aexp_items(model) > 1 ? 3 : 1,
	                             .attributes = attributes,
	                             .attributes_count = 3,
	                             .asked = asked,
	                             .asked_count = 3}};
	struct aexp_how how = {.top = 3, .reasons = 2};
	struct aexp_list lists[2];
	struct aexp_error error = {0};
	fuzz_require(aexp_recommend(model, users, 2, &how, lists, &error) || error.message[0] != '\0');
	fuzz_require(aexp_predict(model, users, 2, &how, lists, &error) || error.message[0] != '\0');
	fuzz_require(aexp_similar(model, first, 2, lists, &error) || error.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *path;
	struct text file = {0};
	struct aexp_model *model = NULL;
	struct error error = {0};
	path = path == NULL ? fuzz_path("model.safetensors") : path;
	fuzz_model_file(data, size, &file);
	fuzz_write("model.safetensors", text_string(&file), file.length);
	if (model_open(path, NULL, &model, &error))
		ask(model);
	else
		fuzz_require_error(&error);
	aexp_close(model);
	text_finish(&file);
	return 0;
}
