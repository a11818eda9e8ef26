// The files of a run folder, of a summary and of a sweep, as list, show, compare and plot read them.
// Parts: experiment.cfg, metrics.json, summary.json, sweep.json, run.json.
#include "fuzz.h"

#include "report/config_lines.h"
#include "report/query.h"
#include "report/report.h"
#include "report/runs.h"
#include "report/trials.h"

static void ask(const struct run_entry *entry, struct arena *arena) {
	static const char *const keys[] = {"name", "epochs", "test.mse", "optimizer.rate", "best_value"};
	struct condition condition;
	struct error error;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		query_field(entry, keys[i], arena);
	fuzz_require(condition_read("optimizer.rate<0.01", arena, &condition, &error));
	condition_holds(&condition, entry);
	runs_time(entry);
}

static void draw(const char *folder, struct arena *arena) {
	struct run_result result;
	struct error error = {0};
	struct text text = {0};
	if (report_result_read(folder, arena, &result, &error)) {
		report_loss_tsv(&result, &text);
		report_loss_gp(&result, &text);
		report_graph_dot(&result.graph, result.experiment->name, &text);
	} else {
		fuzz_require_error(&error);
	}
	text_finish(&text);
}

static void read_trials(const char *folder) {
	struct trials trials;
	struct key_shares shares;
	struct error error = {0};
	if (trials_read(folder, &trials, &error)) {
		trials_shares(&trials, 0, &shares);
		key_shares_finish(&shares);
		if (trials.count > 0)
			free(trial_folder(folder, &trials.items[0]));
	} else {
		fuzz_require_error(&error);
	}
	trials_finish(&trials);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const names[] = {"experiment.cfg", "metrics.json", "summary.json", "sweep.json", "run.json"};
	struct arena arena = {0};
	struct run_entry entry;
	struct config_lines lines;
	struct error error = {0};
	struct text text = {0};
	const char *folder = fuzz_folder();
	fuzz_write_parts(data, size, names, sizeof names / sizeof names[0]);
	runs_read_one(folder, &arena, &entry);
	fuzz_require(entry.kind < RUN_KINDS);
	if (config_lines_read(folder, true, &arena, &lines, &error)) {
		config_lines_write(&lines, &text);
		entry.config = text_string(&text);
	}
	ask(&entry, &arena);
	draw(folder, &arena);
	read_trials(folder);
	text_finish(&text);
	arena_finish(&arena);
	return 0;
}
