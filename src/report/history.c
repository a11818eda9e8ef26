// history.jsonl: one JSON object an epoch, without times, so that the same experiment gives the same bytes.
#include "report/pieces.h"
#include "report/report.h"

void report_history_jsonl(const struct run_result *result, struct text *text) {
	for (size_t i = 0; i < result->epochs_count; i++) {
		struct json json = {.text = text, .compact = true};
		json_epoch(&json, result, &result->epochs[i]);
		text_append(text, "\n");
	}
}
