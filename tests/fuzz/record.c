// The files of a sweep's trials, and what is proposed from them. The first byte of an input chooses the sweep.
// Parts: 1.json to 5.json, and 1-1 (a rung).
#include "fuzz.h"

#include "base/file.h"
#include "sweep/sweep.h"

static const char *const sweeps[] = {
    "sweep: { kind = \"grid\"; objective = \"valid.mse\"; space: ( { key = \"train.batch\"; values = [ 8, 16, 32 ]; }, "
    "{ key = \"optimizer.rate\"; values = [ 0.1, 0.5 ]; } ); };",
    "sweep: { kind = \"tpe\"; objective = [ \"valid.mse\", \"model.parameters\" ]; trials = 6; startup = 2; space: ( { "
    "key = "
    "\"optimizer.rate\"; range = [ 1e-3, 1.0 ]; scale = \"log\"; }, { key = \"graph.h.units\"; range = [ 2, 9 ]; } ); "
    "};",
};
enum { SWEEPS = sizeof sweeps / sizeof sweeps[0] };

static const char rest[] = "name = \"s\"; metrics = [ \"mse\" ]; train: { epochs = 4; };\n"
                           "data: { source: { format = \"synthetic\"; users = 12; items = 5; ratings = 40; }; split: { "
                           "kind = \"ratio\"; valid = "
                           "0.2; }; };\ngraph: ( { name = \"h\"; op = \"dense\"; input = \"ratings\"; units = 3; }, { "
                           "name = \"out\"; op = \"dense\"; "
                           "units = \"items\"; } );\n";

static void make(const char *sweep) {
	struct text text = {0};
	struct error error;
	text_format(&text, "%s%s", sweep, rest);
	fuzz_write("given.cfg", text_string(&text), text.length);
	fuzz_require(folder_create(fuzz_path("trials"), &error) && folder_create(fuzz_path("rungs"), &error));
	text_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const names[] = {"1.json", "2.json", "3.json", "4.json", "5.json", "1-1"};
	struct sweep sweep;
	struct errors errors = {0};
	struct text text = {0};
	struct strings overrides;
	double rung;
	if (size == 0)
		return 0;
	make(sweeps[data[0] % SWEEPS]);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct text name = {0};
		size_t length = 0;
		char *part = fuzz_part(data, size, names[i], &length);
		text_format(&name, "%s/%s", strchr(names[i], '-') != NULL ? "rungs" : "trials", names[i]);
		fuzz_write(text_string(&name), part, length);
		text_finish(&name);
		free(part);
	}
	fuzz_require(sweep_open(fuzz_folder(), &sweep, &errors) || errors.count > 0);
	fuzz_require_none(&errors);
	for (size_t i = 0; i < sweep.search.trials; i++) {
		if (!sweep_can_propose(&sweep, i))
			continue;
		sweep_propose(&sweep, i);
		sweep_overrides(&sweep, i, &overrides);
	}
	sweep_rung_read(&sweep, 0, 1, &rung);
	sweep_json(&sweep, &text);
	text_finish(&text);
	sweep_close(&sweep);
	errors_finish(&errors);
	return 0;
}
