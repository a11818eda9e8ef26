// The index of a results folder: a good database with changes. Whatever it holds, what is listed is what the folders
// hold, or what rows say that are whole by their own hash.
#include "fuzz.h"

#include "base/file.h"
#include "report/runs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

enum { AGE = 3600 }; // s: what is fresh is not kept

static void age(const char *name) {
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
	clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1].tv_sec -= AGE;
	fuzz_require(utimensat(AT_FDCWD, fuzz_path(name), times, 0) == 0);
}

static void make(char **ret_data, size_t *ret_size) {
	static const char config[] = "optimizer: { kind = \"sgd\"; rate = 0.5; };";
	static const char metrics[] =
	    "{\"schema\": \"aexp.metrics/1\", \"backend\": \"openblas\", \"seed\": \"1\", \"protocol\": \"p\", \"best\": "
	    "{\"epoch\": "
	    "1, \"metric\": \"valid.mse\", \"value\": 0.5}, \"final\": {\"test\": {\"mse\": 0.25}}, \"epochs\": [{}]}";
	struct runs runs;
	struct error error = {0};
	fuzz_require(folder_create(fuzz_path("a/1"), &error) && folder_create(fuzz_path("a/2"), &error));
	fuzz_write("a/1/experiment.cfg", config, sizeof config - 1);
	fuzz_write("a/1/metrics.json", metrics, sizeof metrics - 1);
	fuzz_write("a/2/experiment.cfg", config, sizeof config - 1);
	age("a/1/experiment.cfg");
	age("a/1/metrics.json");
	age("a/2/experiment.cfg");
	age("a/1");
	age("a/2");
	fuzz_require(runs_read(fuzz_folder(), &runs, &error) && runs.count == 2 && runs.note.code == ERROR_NONE);
	runs_finish(&runs);
	fuzz_require(file_read(fuzz_path(".index.sqlite"), SIZE_MAX, ret_data, ret_size, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static char *good;
	static size_t good_size;
	struct text file = {0};
	struct runs runs;
	struct error error = {0};
	if (good == NULL)
		make(&good, &good_size);
	fuzz_change(good, good_size, data, size, &file);
	fuzz_write(".index.sqlite", text_string(&file), file.length);
	fuzz_require(runs_read(fuzz_folder(), &runs, &error) && runs.count == 2);
	for (size_t i = 0; i < runs.count; i++)
		fuzz_require(runs.items[i].kind < RUN_KINDS && strcmp(runs.items[i].name, "a") == 0);
	fuzz_require(runs.items[0].finished && !runs.items[1].finished);
	runs_finish(&runs);
	text_finish(&file);
	return 0;
}
