// See dataset.h.
#include "dataset.h"

#include "config/read.h"

#include <math.h>

struct root {
	struct data_config *data;
};
static const struct key root_keys[] = {
    {.name = "data", .type = KEY_GROUP, .offset = offsetof(struct root, data), .schema = &data_schema},
};
static const struct schema root_schema = SCHEMA(struct root, root_keys);

const struct data_config *fuzz_data_keys(const char *text) {
	static struct arena kept;
	struct text file = {0};
	struct errors errors = {0};
	struct root root = {0};
	text_format(&file, "data: {\n%s\n};\n", text);
	fuzz_write("keys.cfg", text_string(&file), file.length);
	const struct value *tree = config_load(fuzz_path("keys.cfg"), NULL, 0, &root_schema, &kept, &errors);
	bool good = tree != NULL && schema_read(&root_schema, tree, "", &kept, &root, &errors);
	if (good)
		data_check(root.data, tree, &errors);
	fuzz_require_none(&errors);
	text_finish(&file);
	return root.data;
}

static void require_attributes(const struct attributes *attributes, size_t rows) {
	for (size_t a = 0; a < attributes->count; a++) {
		const struct attribute *attribute = &attributes->items[a];
		fuzz_require(attributes->rows == rows && attribute->name != NULL);
		for (size_t row = 0; row < rows && !attribute->numeric; row++) {
			fuzz_require(attribute->start[row + 1] > attribute->start[row]);
			for (size_t i = attribute->start[row]; i < attribute->start[row + 1]; i++)
				fuzz_require(attribute->level[i] <= attribute->levels.count);
		}
	}
}

static void require_ids(const struct ids *ids, bool made) {
	for (size_t i = 0; i < ids->count; i++) {
		const char *name = ids_name(ids, i);
		uint32_t index;
		bool found = ids_find(ids, name, strlen(name), &index);
		fuzz_require(made ? found && index == i : !found || index < ids->count);
	}
}

static void make_matrices(const struct data_config *config, const struct dataset *data) {
	struct matrices matrices = {0};
	struct data_statistics statistics = {0};
	struct error error = {0};
	if (!matrices_create(config, data, 1, &matrices, &error)) {
		fuzz_require_error(&error);
		return;
	}
	if (data_statistics(config, &matrices, &statistics, &error))
		data_statistics_finish(&statistics);
	else
		fuzz_require_error(&error);
	matrices_finish(&matrices);
}

void fuzz_require_sound(const struct data_config *config, const struct dataset *data, bool made) {
	fuzz_require(data->count > 0 && data->users.count > 0 && data->items.count > 0);
	for (size_t i = 0; i < data->count; i++) {
		fuzz_require(data->user[i] < data->users.count && data->item[i] < data->items.count);
		fuzz_require(isfinite(data->rating[i]));
		fuzz_require(data->part == NULL || data->part[i] < PARTS);
	}
	require_ids(&data->users, made);
	require_ids(&data->items, made);
	require_attributes(&data->user_attributes, data->users.count);
	require_attributes(&data->item_attributes, data->items.count);
	make_matrices(config, data);
}

void fuzz_load(const struct data_config *config) {
	struct dataset data = {0}, again = {0};
	struct error error = {0}, other = {0};
	struct data_access whole = {0}, blocks = {.block_bytes = 7};
	bool loaded = data_load_with(config, &whole, &data, &error);
	fuzz_require(data_load_with(config, &blocks, &again, &other) == loaded);
	if (loaded) {
		fuzz_require(strcmp(data.fingerprint, again.fingerprint) == 0);
		fuzz_require_sound(config, &data, true);
		dataset_finish(&again);
		dataset_finish(&data);
		return;
	}
	fuzz_require_error(&error);
	fuzz_require(error.line == other.line && strcmp(error.message, other.message) == 0);
}
