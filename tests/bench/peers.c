// The PyTorch programs under tests/peers: which there are, what they are called with, what is taken from their answers.
#include "bench.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool peers_available(struct bench *bench) {
	struct command command = {0};
	struct text output = {0};
	command_add(bench, &command, "%s", bench->python);
	command_add(bench, &command, "-c");
	command_add(bench, &command, "import importlib.util as u, sys; sys.stdout.write(str(bool(u.find_spec('torch'))))");
	bool good = command_run(bench, &command, &output) && strcmp(text_string(&output), "True") == 0;
	if (!good)
		bench_say("no PyTorch for %s: ratios are left out (AEXP_PYTHON names another python3)", bench->python);
	text_finish(&output);
	return good;
}

static double real_of(const cJSON *object, const char *key) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
}

static const char *string_of(const cJSON *object, const char *key) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? item->valuestring : "";
}

// What they answer is kept in the log: it names every variant that was tried.
static void log_answer(const struct bench *bench, const char *answer) {
	FILE *log = fopen(bench->log, "a");
	if (log) {
		fputs(answer, log);
		fclose(log);
	}
}

static cJSON *run_json(struct bench *bench, const struct command *command) {
	struct text output = {0};
	cJSON *object = command_run(bench, command, &output) ? cJSON_Parse(text_string(&output)) : NULL;
	log_answer(bench, text_string(&output));
	text_finish(&output);
	return object;
}

static void begin(struct bench *bench, const char *program, const char *file, size_t hidden, double budget,
                  struct command *ret) {
	*ret = (struct command){0};
	command_add(bench, ret, "%s", bench->python);
	command_add(bench, ret, "%s/../peers/%s.py", bench->source, program);
	command_add(bench, ret, "%s", file);
	command_add(bench, ret, "--hidden=%zu", hidden);
	command_add(bench, ret, "--budget=%g", budget);
	if (!bench->compile)
		command_add(bench, ret, "--no-compile");
}

static void add_threads(struct bench *bench, struct command *command) {
	struct text list = {0};
	for (size_t i = 0; i < bench->threads_count; i++)
		text_format(&list, "%s%zu", i ? "," : "", bench->threads[i]);
	command_add(bench, command, "--threads=%s", text_string(&list));
	text_finish(&list);
}

// The best of the variants that compute every output; `tried` times them briefly.
static double best_dense_output(const cJSON *object) {
	double best = NAN;
	const cJSON *tried;
	cJSON_ArrayForEach(tried, cJSON_GetObjectItemCaseSensitive(object, "tried")) {
		if (strncmp(string_of(tried, "variant"), "dense_output", strlen("dense_output")) == 0)
			best = fmin(best, real_of(tried, "seconds_per_batch") * real_of(object, "batches_of"));
	}
	return best;
}

static void take(const cJSON *object, struct peer_result *result) {
	samples_add(&result->epochs, real_of(object, "epoch_seconds"));
	if (!result->ran) {
		result->ran = true;
		result->threads = (size_t)real_of(object, "threads");
		result->batches_of = real_of(object, "batches_of");
		result->dense_output = best_dense_output(object);
		snprintf(result->variant, sizeof(result->variant), "%s", string_of(object, "variant"));
		snprintf(result->version, sizeof(result->version), "%s", string_of(object, "torch"));
		snprintf(result->blas, sizeof(result->blas), "%s", string_of(object, "blas"));
	}
	result->batches_timed += real_of(object, "batches_timed");
}

void peer_run(struct bench *bench, const char *program, const struct shape *shape, const char *file,
              struct peer_result *result) {
	struct command command;
	begin(bench, program, file, shape->hidden, result->ran ? bench->budget / 2 : bench->budget, &command);
	command_add(bench, &command, "--batch=%zu", shape->batch);
	if (shape->batch_norm)
		command_add(bench, &command, "--batch-norm");
	if (shape->all_cells)
		command_add(bench, &command, "--all-cells");
	if (result->ran) {
		command_add(bench, &command, "--only=%s", result->variant);
		command_add(bench, &command, "--threads=%zu", result->threads);
	} else {
		add_threads(bench, &command);
	}
	cJSON *object = run_json(bench, &command);
	if (object) {
		take(object, result);
		bench_say("  %s: %s, %zu threads: %.4g s an epoch", program, result->variant, result->threads,
		          result->epochs.value[result->epochs.count - 1]);
	}
	cJSON_Delete(object);
}

double peer_topk(struct bench *bench, const char *file, size_t hidden, double users) {
	struct command command;
	begin(bench, "topk", file, hidden, bench->budget, &command);
	command_add(bench, &command, "--users=%.0f", users);
	add_threads(bench, &command);
	cJSON *object = run_json(bench, &command);
	double seconds = object ? real_of(object, "seconds") : (double)NAN;
	cJSON_Delete(object);
	return seconds;
}
