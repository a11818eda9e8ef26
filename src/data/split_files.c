// The parts stand in files of their own; the format has marked each rating with the file that it came from. Where there
// is no file for validation, a share of the training ratings may be drawn for it.
#include "data/split.h"

#include <assert.h>

static bool assign(const void *params, struct assignment *assignment, struct error *error) {
	const struct split_files *files = params;
	const struct dataset *dataset = assignment->dataset;
	assert(dataset->part || dataset->count == 0);
	for (size_t i = 0; i < dataset->count; i++) {
		if (assignment->part[i] == PART_TRAIN) {
			assignment->part[i] = dataset->part[i];
		}
	}
	assignment->exists[PART_VALID] = files->valid || files->valid_share > 0;
	assignment->exists[PART_TEST] = files->test != NULL;
	return files->valid || files->valid_share <= 0 ||
	       split_draw(dataset, assignment->seed, files->valid_share, PART_TRAIN, PART_VALID, assignment->part, error);
}

static void check(const void *params, const struct data_config *config, const struct value *root,
                  struct errors *errors) {
	(void)config;
	const struct split_files *files = params;
	if (files->valid && files->valid_share > 0) {
		struct error *error =
		    errors_add(errors, ERROR_CONFIG, value_origin(root, "data.split.valid_share"),
		               "data.split.valid_share is \"%g\" beside data.split.valid", files->valid_share);
		error_hint(error, "Name a file of validation ratings, or draw a share of the training ratings, not both.");
	}
}

static const struct key keys[] = {
    SPLIT_KEY_SEED(struct split_files),
    {
        .name = "train",
        .type = KEY_PATH,
        .flags = KEY_REQUIRED,
        .offset = offsetof(struct split_files, train),
        .doc = "File of the training ratings",
    },
    {
        .name = "valid",
        .type = KEY_PATH,
        .offset = offsetof(struct split_files, valid),
        .doc = "File of the validation ratings",
    },
    {
        .name = "test",
        .type = KEY_PATH,
        .offset = offsetof(struct split_files, test),
        .doc = "File of the test ratings",
    },
    SPLIT_KEY_SHARE(struct split_files, valid_share, "0",
                    "Share of the training file's ratings, drawn at random, for validation; only without valid"),
};

const struct split split_files_kind = {
    .row = {"files", "The parts stand in files of their own", SCHEMA(struct split_files, keys)},
    .assign = assign,
    .check = check,
};
