// Experiment files: what extends what, overrides, the schema and all checks. What was read is written and read again:
// the same experiment comes back.
// Parts: main.cfg, base.cfg, other.cfg, set (overrides, a line each).
#include "fuzz.h"

#include "config/read.h"
#include "train/experiment.h"

enum { SET_MOST = 16 };

static size_t cut(char *text, const char *ret[SET_MOST]) {
	size_t count = 0;
	for (char *line; text != NULL && count < SET_MOST && (line = strsep(&text, "\n")) != NULL;)
		if (*line != '\0')
			ret[count++] = line;
	return count;
}

static void must_come_back(const struct experiment *experiment) {
	struct text text = {0}, again = {0};
	struct experiment other = {0};
	struct errors errors = {0};
	experiment_write(experiment, &text);
	fuzz_write("again.cfg", text_string(&text), text.length);
	fuzz_require(experiment_read(fuzz_path("again.cfg"), NULL, 0, &other, &errors));
	experiment_write(&other, &again);
	fuzz_require(strcmp(text_string(&text), text_string(&again)) == 0);
	experiment_finish(&other);
	errors_finish(&errors);
	text_finish(&text);
	text_finish(&again);
}

// As a sweep keeps it: a file that says the same from anywhere.
static void must_be_kept(const struct experiment *experiment) {
	struct text text = {0};
	struct errors errors = {0};
	struct experiment other = {0};
	config_keep(experiment->tree, &experiment_schema, &text);
	fuzz_write("kept.cfg", text_string(&text), text.length);
	fuzz_require(experiment_read(fuzz_path("kept.cfg"), NULL, 0, &other, &errors));
	experiment_finish(&other);
	errors_finish(&errors);
	text_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const names[] = {"main.cfg", "base.cfg", "other.cfg"};
	static const char *path;
	const char *set[SET_MOST];
	struct experiment experiment = {0};
	struct errors errors = {0};
	path = path == NULL ? fuzz_path("main.cfg") : path;
	fuzz_write_parts(data, size, names, sizeof names / sizeof names[0]);
	char *text = fuzz_part(data, size, "set", NULL);
	size_t count = cut(text, set);
	if (experiment_read(path, set, count, &experiment, &errors)) {
		fuzz_require(errors.count == 0);
		must_come_back(&experiment);
		must_be_kept(&experiment);
	} else {
		fuzz_require(errors.count > 0);
		for (size_t i = 0; i < errors.count; i++)
			fuzz_require_error(&errors.items[i]);
	}
	experiment_finish(&experiment);
	errors_finish(&errors);
	free(text);
	return 0;
}
