// Writes down what an experiment trains on, for programs that are measured beside it.
// Usage: bench_data matrices CFG OUT [KEY=VALUE...]   the training matrices, see data_file.h
//        bench_data text CFG OUT [KEY=VALUE...]       the ratings as lines "user::item::rating::time", as MovieLens 1M
#include "base/memory.h"
#include "data_file.h"
#include "train/experiment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
	struct experiment experiment;
	struct dataset dataset;
	struct matrices matrices;
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

// fwrite fails on a full disk only when its buffer is written: ferror and fclose tell.
static void put(const void *data, size_t size, FILE *to) {
	static const char zeros[8];
	fwrite(data, 1, size, to);
	fwrite(zeros, 1, (8 - size % 8) % 8, to);
}

static void put_csr(const struct csr *csr, size_t rows, FILE *to) {
	size_t entries = csr_count(csr);
	for (size_t i = 0; i <= rows; i++) {
		int64_t start = csr->start ? (int64_t)csr->start[i] : 0;
		put(&start, sizeof(start), to);
	}
	put(csr->column, entries * sizeof(*csr->column), to);
	put(csr->value, entries * sizeof(*csr->value), to);
}

static void write_matrices(const struct world *w, FILE *to) {
	const struct csr *train = &w->matrices.train, *features = &w->matrices.features;
	struct data_file_header header = {.rows = train->rows,
	                                  .columns = train->columns,
	                                  .entries = csr_count(train),
	                                  .feature_columns = features->start ? features->columns : 0,
	                                  .feature_entries = csr_count(features)};
	memcpy(header.magic, DATA_FILE_MAGIC, sizeof(header.magic));
	put(&header, sizeof(header), to);
	put_csr(train, train->rows, to);
	put_csr(features, train->rows, to);
}

static void write_text(const struct world *w, FILE *to) {
	const struct dataset *d = &w->dataset;
	for (size_t i = 0; i < d->count; i++)
		fprintf(to, "%s::%s::%g::%zu\n", ids_name(&d->users, d->user[i]), ids_name(&d->items, d->item[i]),
		        (double)d->rating[i], 978300000 + i % 10000000);
}

static bool write_file(const struct world *w, bool text, const char *path, struct error *error) {
	FILE *to = fopen(path, "wb");
	if (!to)
		return error_set(error, ERROR_RUN, "cannot write \"%s\"", path);
	if (text)
		write_text(w, to);
	else
		write_matrices(w, to);
	bool good = !ferror(to);
	good = fclose(to) == 0 && good;
	return good || error_set(error, ERROR_RUN, "cannot write \"%s\"", path);
}

int main(int argc, char **argv) {
	bool text = argc > 1 && strcmp(argv[1], "text") == 0;
	if (argc < 4 || (!text && strcmp(argv[1], "matrices") != 0)) {
		fprintf(stderr, "usage: bench_data matrices|text CFG OUT [KEY=VALUE...]\n");
		return ERROR_CONFIG;
	}
	struct world w = {0};
	struct errors errors = {0};
	struct error error = {0};
	if (load(argv[2], (const char *const *)argv + 4, (size_t)argc - 4, &w, &errors) &&
	    !write_file(&w, text, argv[3], &error))
		errors_push(&errors, &error);
	for (size_t i = 0; i < errors.count; i++) {
		char line[ERROR_FILE_MAX + 2 * ERROR_TEXT_MAX];
		error_format(&errors.items[i], line, sizeof(line));
		fprintf(stderr, "%s\n", line);
	}
	int code = errors.count ? (int)errors.items[0].code : 0;
	matrices_finish(&w.matrices);
	dataset_finish(&w.dataset);
	experiment_finish(&w.experiment);
	errors_finish(&errors);
	return code;
}
