// Writes down the parts of an experiment's data for an implementation elsewhere to train and to be measured on: into FOLDER
//   shape         "USERS ITEMS", after the filter
//   train         what training sees
//   NAME_input    what the model is shown of held-out users (split `users` alone; else it is shown `train`)
//   NAME_target   what is asked; NAME is valid or test
// A line of a part is `user item value`, sorted by rows of the rating matrix: 0-based places among those that the filter
// left, whatever data.rows is; values as the loss sees them. `liked` is not written: every relevant entry of the cards that
// are held against other programs is one that the part holds.
// Usage: split_dump CFG FOLDER [KEY=VALUE...]
#include "train/experiment.h"

#include <stdio.h>
#include <stdlib.h>

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
	const char *folder;
};

static bool load(const char *path, const char *const *overrides, size_t count, struct world *w, struct errors *errors) {
	struct error error = {0};
	if (!experiment_read(path, overrides, count, &w->experiment, errors))
		return false;
	if (data_load(w->experiment.data, w->experiment.seed, &w->dataset, &error) &&
	    matrices_create(w->experiment.data, &w->dataset, w->experiment.seed, &w->matrices, &error))
		return true;
	errors_push(errors, &error);
	return false;
}

static FILE *open_part(const struct world *w, const char *part, const char *suffix, struct error *error) {
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s%s", w->folder, part, suffix);
	FILE *file = length > 0 && (size_t)length < sizeof(path) ? fopen(path, "w") : NULL;
	if (!file)
		error_set(error, ERROR_RUN, "cannot write \"%s%s\" into \"%s\"", part, suffix, w->folder);
	return file;
}

static bool close_part(FILE *file, const char *part, struct error *error) {
	if (!fclose(file))
		return true;
	error_set(error, ERROR_RUN, "cannot write \"%s\"", part);
	return false;
}

static bool write_entries(const struct world *w, const char *part, const char *suffix, const struct csr *entries,
                          struct error *error) {
	bool swapped = w->matrices.items_as_rows;
	FILE *to = open_part(w, part, suffix, error);
	for (size_t row = 0; to && row < entries->rows; row++)
		for (size_t i = entries->start[row]; i < entries->start[row + 1]; i++) {
			size_t column = entries->column[i];
			fprintf(to, "%zu %zu %.9g\n", swapped ? column : row, swapped ? row : column, (double)entries->value[i]);
		}
	return to && close_part(to, part, error);
}

static bool write_part(const struct world *w, const char *name, const struct part *part, struct error *error) {
	if (!part->target.start)
		return true;
	return (part->input == &w->matrices.train || write_entries(w, name, "_input", part->input, error)) &&
	       write_entries(w, name, "_target", &part->target, error);
}

static bool write_all(const struct world *w, struct error *error) {
	FILE *shape = open_part(w, "shape", "", error);
	if (!shape)
		return false;
	fprintf(shape, "%zu %zu\n", w->matrices.users, w->matrices.items);
	return close_part(shape, "shape", error) && write_entries(w, "train", "", &w->matrices.train, error) &&
	       write_part(w, "valid", &w->matrices.valid, error) && write_part(w, "test", &w->matrices.test, error);
}

int main(int argc, char **argv) {
	if (argc < 3) {
		fprintf(stderr, "usage: split_dump CFG FOLDER [KEY=VALUE...]\n");
		return ERROR_CONFIG;
	}
	struct world w = {.folder = argv[2]};
	struct errors errors = {0};
	struct error error = {0};
	if (load(argv[1], (const char *const *)argv + 3, (size_t)argc - 3, &w, &errors) && !write_all(&w, &error))
		errors_push(&errors, &error);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.items[i].message);
	int code = errors.count ? (int)errors.items[0].code : 0;
	matrices_finish(&w.matrices);
	dataset_finish(&w.dataset);
	experiment_finish(&w.experiment);
	errors_finish(&errors);
	return code;
}
