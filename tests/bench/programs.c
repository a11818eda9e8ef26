// What `aexp`, bench_data and bench_limits are called with, and what is taken from their answers.
#include "base/file.h"
#include "bench.h"
#include "report/json.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_MOST = 1 << 26 };

// --- samples

void samples_add(struct samples *samples, double value) {
	if (samples->count < SAMPLES_MOST)
		samples->value[samples->count++] = value;
}

static int ascending(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double samples_median(const struct samples *samples) {
	struct samples sorted = *samples;
	size_t n = sorted.count;
	if (n == 0)
		return NAN;
	qsort(sorted.value, n, sizeof(sorted.value[0]), ascending);
	return 0.5 * (sorted.value[(n - 1) / 2] + sorted.value[n / 2]);
}

// --- JSON that is read

static double real_of(const cJSON *object, const char *key) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
}

static void string_of(const cJSON *object, const char *key, char *ret, size_t size) {
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	snprintf(ret, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

static void reals_of(const cJSON *object, const char *key, double *ret, size_t count) {
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(object, key), *item;
	size_t filled = 0;
	cJSON_ArrayForEach(item, array) {
		if (filled < count)
			ret[filled++] = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
	}
	for (; filled < count; filled++)
		ret[filled] = NAN;
}

// --- aexp

// Standard output of a quiet run begins with "NAME  FOLDER".
static char *folder_of(struct text *output) {
	char *folder = output->data ? strstr(output->data, "  ") : NULL;
	if (!folder)
		return NULL;
	folder += 2;
	folder[strcspn(folder, "\n")] = '\0';
	return folder;
}

static void read_phases(const cJSON *run, struct run_facts *ret) {
	const cJSON *phase;
	cJSON_ArrayForEach(phase, cJSON_GetObjectItemCaseSensitive(run, "phases")) {
		if (ret->phases == PHASES_MOST)
			return;
		struct phase_time *to = &ret->phase[ret->phases++];
		string_of(phase, "name", to->name, sizeof(to->name));
		to->seconds = real_of(phase, "seconds");
	}
}

static void read_run(const cJSON *run, struct run_facts *ret) {
	const cJSON *epoch;
	cJSON_ArrayForEach(epoch, cJSON_GetObjectItemCaseSensitive(run, "epoch_seconds"))
	    samples_add(&ret->epochs, epoch->valuedouble);
	read_phases(run, ret);
	ret->peak_memory = real_of(run, "peak_memory_bytes");
	string_of(run, "commit", ret->commit, sizeof(ret->commit));
	string_of(run, "blas", ret->blas, sizeof(ret->blas));
	string_of(run, "cpu", ret->cpu, sizeof(ret->cpu));
}

static void read_metrics(const cJSON *metrics, struct run_facts *ret) {
	const cJSON *final = cJSON_GetObjectItemCaseSensitive(metrics, "final");
	double ranked = real_of(cJSON_GetObjectItemCaseSensitive(final, "test"), "ranked_users");
	ret->ranked_users = isnan(ranked) ? 0 : ranked;
}

static bool read_file(const char *folder, const char *name, void (*take)(const cJSON *, struct run_facts *),
                      struct run_facts *ret) {
	struct error error = {0};
	cJSON *object = NULL;
	char *path = path_join(folder, name);
	bool good = json_read(path, JSON_MOST, &object, &error);
	if (good)
		take(object, ret);
	else
		bench_say("%s: %s", path, error.message);
	cJSON_Delete(object);
	free(path);
	return good;
}

bool aexp_run(struct bench *bench, const char *cfg, const char *label, size_t threads, const char *const *overrides,
              struct run_facts *ret) {
	struct command command = {0};
	struct text output = {0};
	*ret = (struct run_facts){0};
	command_add(bench, &command, "%s", bench->aexp);
	command_add(bench, &command, "run");
	command_add(bench, &command, "%s/%s.cfg", bench->source, cfg);
	command_add(bench, &command, "-q");
	command_add(bench, &command, "--force");
	command_add(bench, &command, "-t");
	command_add(bench, &command, "%zu", threads);
	command_add(bench, &command, "-o");
	command_add(bench, &command, "%s/results/%s", bench->work, label);
	for (; *overrides; overrides++) {
		command_add(bench, &command, "-s");
		command_add(bench, &command, "%s", *overrides);
	}
	bool good = command_run(bench, &command, &output);
	const char *folder = good ? folder_of(&output) : NULL;
	good =
	    folder && read_file(folder, "run.json", read_run, ret) && read_file(folder, "metrics.json", read_metrics, ret);
	text_finish(&output);
	if (good && (ret->epochs.count == 0 || run_phase(ret, "train") <= 0)) {
		bench_say("run.json of %s has no epoch_seconds, or no phase \"train\"", label);
		return false;
	}
	return good;
}

double run_phase(const struct run_facts *run, const char *name) {
	for (size_t i = 0; i < run->phases; i++)
		if (strcmp(run->phase[i].name, name) == 0)
			return run->phase[i].seconds;
	return 0;
}

double run_before_training(const struct run_facts *run) {
	double seconds = 0;
	for (size_t i = 0; i < run->phases && strcmp(run->phase[i].name, "train") != 0; i++)
		seconds += run->phase[i].seconds;
	return seconds;
}

// --- limits

static void add_threads(struct bench *bench, struct command *command) {
	for (size_t i = 0; i < bench->threads_count; i++)
		command_add(bench, command, "%zu", bench->threads[i]);
}

bool machine_limits_measure(struct bench *bench, struct machine_limits *ret) {
	struct command command = {0};
	struct text output = {0};
	*ret = (struct machine_limits){0};
	command_add(bench, &command, "%s", bench->limits);
	command_add(bench, &command, "machine");
	command_add(bench, &command, bench->quick ? "quick" : "full");
	add_threads(bench, &command);
	bench_say("limits of the machine");
	bool good = command_run(bench, &command, &output);
	cJSON *object = good ? cJSON_Parse(text_string(&output)) : NULL;
	const cJSON *triad = cJSON_GetObjectItemCaseSensitive(object, "triad");
	const cJSON *sgemm = cJSON_GetObjectItemCaseSensitive(object, "sgemm");
	for (size_t i = 0; i < bench->threads_count; i++) {
		const cJSON *gemm = cJSON_GetArrayItem(sgemm, (int)i);
		ret->triad[i] = real_of(cJSON_GetArrayItem(triad, (int)i), "bytes_per_second");
		ret->sgemm_peak[i] = real_of(gemm, "peak");
		// The three products are of one size: their rate together is the harmonic mean.
		ret->sgemm_shape[i] = 3 / (1 / real_of(gemm, "outputs") + 1 / real_of(gemm, "hidden_gradient") +
		                           1 / real_of(gemm, "weight_gradient"));
	}
	good = object != NULL;
	if (good)
		ret->json = arena_string(&bench->arena, text_string(&output));
	cJSON_Delete(object);
	text_finish(&output);
	return good;
}

static bool write_data(struct bench *bench, const char *cfg, const char *const *overrides, const char *file) {
	struct command command = {0};
	struct text output = {0};
	command_add(bench, &command, "%s", bench->data);
	command_add(bench, &command, "matrices");
	command_add(bench, &command, "%s/%s.cfg", bench->source, cfg);
	command_add(bench, &command, "%s", file);
	for (; *overrides; overrides++)
		command_add(bench, &command, "%s", *overrides);
	bool good = command_run(bench, &command, &output);
	text_finish(&output);
	return good;
}

static void read_table(const cJSON *object, const char *name, size_t threads, struct table_limit *ret) {
	const cJSON *table = cJSON_GetObjectItemCaseSensitive(object, name);
	ret->table_bytes = real_of(table, "table_bytes");
	reals_of(table, "bytes_per_second", ret->bytes_per_second, threads);
}

static void read_limits(const cJSON *object, size_t threads, struct shape_limits *ret) {
	ret->rows = real_of(object, "rows");
	ret->items = real_of(object, "items");
	ret->ratings = real_of(object, "ratings");
	ret->features = real_of(object, "features");
	ret->feature_entries = real_of(object, "feature_entries");
	ret->touched_rows = real_of(object, "touched_rows");
	read_table(object, "items_hidden", threads, &ret->items_hidden);
	read_table(object, "items_width", threads, &ret->items_width);
	read_table(object, "batch_hidden", threads, &ret->batch_hidden);
	read_table(object, "batch_width", threads, &ret->batch_width);
	read_table(object, "update", threads, &ret->update);
}

bool shape_limits_measure(struct bench *bench, const char *cfg, const char *label, size_t hidden, size_t batch,
                          const char *const *overrides, char **ret_file, struct shape_limits *ret) {
	struct command command = {0};
	struct text output = {0};
	char *file = arena_format(&bench->arena, "%s/%s.bin", bench->work, label);
	*ret_file = file;
	if (!write_data(bench, cfg, overrides, file))
		return false;
	command_add(bench, &command, "%s", bench->limits);
	command_add(bench, &command, "shape");
	command_add(bench, &command, "%s", file);
	command_add(bench, &command, "%zu", hidden);
	command_add(bench, &command, "%zu", hidden + USER_UNITS);
	command_add(bench, &command, "%zu", batch);
	add_threads(bench, &command);
	bool good = command_run(bench, &command, &output);
	cJSON *object = good ? cJSON_Parse(text_string(&output)) : NULL;
	if (object)
		read_limits(object, bench->threads_count, ret);
	cJSON_Delete(object);
	text_finish(&output);
	return object != NULL;
}
