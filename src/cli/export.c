// aexp export: a model in other forms.
#include "cli/trained.h"

#include "recommend/export.h"

#include "base/file.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

static bool to_csv(struct aexp_model *model, const char *path, struct error *error) {
	struct text text = {0};
	bool good = export_csv(model, &text, error);
	if (good && path)
		good = file_write(path, text_string(&text), text.length, error);
	else if (good)
		print_text(&text);
	text_finish(&text);
	return good;
}

static const struct {
	const char *name;
	bool (*write)(struct aexp_model *model, const char *path, struct error *error);
	bool prints;  // to standard output where no path is given
	bool vectors; // of the items
} formats[] = {{"npz", export_npz, false, false},
               {"csv", to_csv, true, true},
               {"tsv", export_tsv, false, true},
               {"onnx", export_onnx, false, false}};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static int fail_format(const char *word) {
	struct nearest nearest = {.word = word};
	for (size_t i = 0; i < FORMATS; i++)
		nearest_offer(&nearest, formats[i].name);
	fprintf(stderr, "aexp: \"%s\" is no format of export\n  hint: ", word);
	if (nearest.best)
		fprintf(stderr, "Did you mean \"%s\"?\n", nearest.best);
	else
		fprintf(stderr, "There are npz, csv, tsv and onnx.\n");
	return ERROR_CONFIG;
}

static int export(size_t format, const struct options *options) {
	struct trained trained;
	struct known known = {0};
	struct error error = {0};
	int code = trained_open(options->arguments[0], options, &trained);
	if (code == 0 && formats[format].vectors)
		code = known_open_for_vectors(&trained, options, &known);
	if (code == 0 && !formats[format].write(trained.model, options->to, &error)) {
		print_error(&error);
		code = (int)error.code;
	}
	trained_close(&trained);
	known_close(&known);
	return code;
}

static int run(const struct options *options) {
	size_t format = 0;
	const char *word = options->format ? options->format : "";
	while (format < FORMATS && strcmp(formats[format].name, word) != 0)
		format++;
	if (format == FORMATS && options->format)
		return fail_format(word);
	if (format == FORMATS || (!formats[format].prints && !options->to)) {
		fprintf(stderr, "aexp: %s\n",
		        format == FORMATS ? "which format? --format npz, csv, tsv or onnx" : "where to? --to PATH");
		return ERROR_CONFIG;
	}
	return export(format, options);
}

const struct verb verb_export = {
    .name = "export",
    .usage = "export RUN",
    .doc = "writes a model in another form: --format npz, csv, tsv or onnx, --to PATH",
    .help = "RUN is a run, or a model.safetensors, wherever it is.\n"
            "  npz  all tensors, as numpy.load reads them: --to FILE\n"
            "  csv  the items' vectors, a line each: --to FILE, or standard output\n"
            "  onnx the whole graph, for onnxruntime and others: --to FILE\n"
            "  tsv  vectors.tsv and metadata.tsv for TensorBoard's projector: --to FOLDER\n",
    .takes = TAKES(format) | TAKES(to) | TAKES(no_cache),
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
