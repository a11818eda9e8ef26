// aexp doctor: whether this machine has what the program needs, and how what is missing is mended.
#include "cli/cli.h"

#include "base/file.h"
#include "base/number.h"
#include "base/process.h"
#include "report/json.h"
#include "tensor/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict { GOOD, MISSING, WRONG }; // missing: the program does without, and says so where it matters
static const char *const verdict_names[] = {"ok", "missing", "WRONG"};

struct finding {
	const char *what;
	enum verdict verdict;
	enum error_code code; // of one that is wrong
	struct text said;
	char mend[ERROR_TEXT_MAX]; // a full sentence, or ""
	struct backend_measures measures;
	bool measured;
};

static void fail(struct finding *f, enum verdict verdict, const struct error *error) {
	f->verdict = verdict;
	f->code = error->code;
	text_append(&f->said, error->message);
	snprintf(f->mend, sizeof(f->mend), "%s", error->hint);
}

// --- backends ---

// A core of the last ten years multiplies faster than this; a build without its instructions does not.
static const double SLOW_PRODUCT = 4e9;

static void judge(struct finding *f, bool apart) {
	text_format(&f->said, "; products %.0f GFLOP/s, copies %.1f GB/s%s", f->measures.product / 1e9,
	            f->measures.copy / 1e9, apart ? "" : " a thread");
	if (!(f->measures.error <= MEASURE_ERROR_MOST)) {
		f->verdict = WRONG;
		f->code = ERROR_BACKEND;
		text_format(&f->said, "; products are wrong by %.2g", f->measures.error);
		snprintf(f->mend, sizeof(f->mend), "%s",
		         apart ? "Update the driver, and run scripts/test-cuda; the card may be damaged."
		               : "Set OPENBLAS_CORETYPE=Haswell, or install another libopenblas0.");
	} else if (f->measures.product < SLOW_PRODUCT) {
		snprintf(f->mend, sizeof(f->mend), "%s",
		         "Products are slow: is libopenblas0 made for this processor, and the machine idle?");
	}
}

static void look_at_backend(const struct backend *row, struct finding *f) {
	struct error error = {0};
	const struct backend *backend;
	struct device *device;
	size_t left, all;
	f->what = row->row.name;
	if (!backend_open(row, NULL, NULL, &backend, &device, &error)) {
		fail(f, row->plugin ? MISSING : WRONG, &error);
		f->code = ERROR_BACKEND;
		return;
	}
	char text[2][NUMBER_TEXT];
	backend->memory(device, &left, &all);
	number_write_bytes((double)left, text[0]);
	number_write_bytes((double)all, text[1]);
	text_format(&f->said, "%s; memory %s of %s free", backend->describe(device), text[0], text[1]);
	f->measured = backend_measure(backend, device, &f->measures, &error);
	if (f->measured) {
		judge(f, backend->apart);
	} else {
		text_append(&f->said, "; ");
		fail(f, WRONG, &error);
	}
	backend->close(device);
}

// --- what else there is ---

// A program that only the pictures need.
static void look_for(const char *program, const char *option, const char *package, struct finding *f) {
	const char *const argv[] = {program, option, NULL};
	struct error error = {0};
	struct text said = {0};
	f->what = program;
	if (process_run(&(struct command){argv, NULL, NULL}, &said, NULL, &error)) {
		char *line = memory_copy_string(text_string(&said));
		text_append(&f->said, *line ? strtok(line, "\n") : "found");
		free(line);
	} else {
		fail(f, MISSING, &error);
		snprintf(f->mend, sizeof(f->mend), "Install %s; runs succeed without, but leave no pictures.", package);
	}
	text_finish(&said);
}

static void look_at_results(const char *folder, struct finding *f) {
	struct error error = {0};
	struct file_writer file;
	bool made = !file_exists(folder);
	char *path = path_join(folder, "doctor");
	f->what = "results";
	if (folder_create(folder, &error) && file_open(path, &file, &error)) {
		file_discard(&file);
		text_format(&f->said, "\"%s\" can be written to", folder);
	} else {
		fail(f, WRONG, &error);
		if (!f->mend[0])
			snprintf(f->mend, sizeof(f->mend), "Give the folder to who runs this, or name another one with -o.");
	}
	if (made)
		rmdir(folder);
	free(path);
}

// --- the report ---

static void print_finding(const struct finding *f) {
	printf("%-10s %-8s %s\n", f->what, verdict_names[f->verdict], text_string(&f->said));
	if (f->mend[0])
		printf("%-10s %-8s %s\n", "", "", f->mend);
}

static void print_json(const struct finding *findings, size_t count) {
	struct text text = {0};
	struct json json = {.text = &text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "version", AEXP_VERSION);
	json_array(&json, "checks", JSON_LINES);
	for (size_t i = 0; i < count; i++) {
		const struct finding *f = &findings[i];
		json_object(&json, NULL, JSON_INLINE);
		json_string(&json, "what", f->what);
		json_string(&json, "verdict", verdict_names[f->verdict]);
		json_string(&json, "said", text_string(&f->said));
		json_string(&json, "mend", f->mend[0] ? f->mend : NULL);
		if (f->measured) {
			json_real(&json, "product_flops", f->measures.product);
			json_real(&json, "copy_bytes_per_second", f->measures.copy);
			json_real(&json, "product_error", f->measures.error);
		}
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
	printf("%s\n", text_string(&text));
	text_finish(&text);
}

// Of all, or of the backend that is asked for.
static bool counts(const struct finding *f, const char *asked) {
	return f->verdict == WRONG || (asked && f->verdict == MISSING && !strcmp(f->what, asked));
}

static int run(const struct options *options) {
	enum { BACKENDS, GNUPLOT = 2, GRAPHVIZ, RESULTS, FINDINGS };
	static const struct backend *const backends[] = {&backend_openblas, &backend_cuda};
	const char *asked = options->arguments_count ? options->arguments[0] : NULL;
	struct finding findings[FINDINGS] = {0};
	int code = 0;
	if (asked && !registry_find(&backend_registry, asked)) {
		fprintf(stderr, "aexp: unknown backend \"%s\"\n", asked);
		return ERROR_CONFIG;
	}
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		look_at_backend(backends[i], &findings[BACKENDS + i]);
	look_for("gnuplot", "--version", "gnuplot-nox", &findings[GNUPLOT]);
	look_for("dot", "-V", "graphviz", &findings[GRAPHVIZ]);
	look_at_results(options->results, &findings[RESULTS]);
	for (size_t i = 0; i < FINDINGS; i++)
		if (!code && counts(&findings[i], asked))
			code = (int)findings[i].code;
	for (size_t i = 0; !options->json && i < FINDINGS; i++)
		print_finding(&findings[i]);
	if (options->json)
		print_json(findings, FINDINGS);
	for (size_t i = 0; i < FINDINGS; i++)
		text_finish(&findings[i].said);
	return code;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .usage = "doctor [BACKEND]",
    .doc = "checks this machine, and says how to mend what is missing",
    .help =
        "OpenBLAS: its products against sums in double, and its rate. A card: driver, memory, bandwidth and products.\n"
        "The programs that draw pictures; whether the results folder (-o) can be written to. What only some runs need\n"
        "may be missing: with BACKEND, exit code 4 says that this one is.\n",
    .takes = TAKES(json),
    .arguments_max = 1,
    .run = run,
};
