// run.json: provenance. Everything that may differ between two runs of the same experiment stands here and only here.
#include "report/pieces.h"
#include "report/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

// "model name : Intel(R) Xeon(R) ..." of the first processor; NULL where the kernel does not say (as on most ARM).
static const char *cpu_model(char *line, int size) {
	static const char label[] = "model name";
	FILE *file = fopen("/proc/cpuinfo", "re");
	const char *found = NULL;
	while (file && !found && fgets(line, size, file)) {
		char *colon = strchr(line, ':');
		if (strncmp(line, label, sizeof(label) - 1) != 0 || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		found = colon + 1 + strspn(colon + 1, " \t");
	}
	if (file)
		fclose(file);
	return found;
}

static void json_time(struct json *json, const char *key, double seconds) {
	char text[32] = "";
	time_t whole = (time_t)seconds;
	struct tm parts;
	if (gmtime_r(&whole, &parts))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	json_string(json, key, text);
}

static void json_machine(struct json *json, const struct provenance *provenance) {
	char host[256] = "", line[512];
	gethostname(host, sizeof(host) - 1);
	struct utsname system = {0};
	uname(&system);
	struct text release = {0};
	text_format(&release, "%s %s %s", system.sysname, system.release, system.machine);
	struct rusage usage = {0};
	getrusage(RUSAGE_SELF, &usage);
	json_string(json, "host", host);
	json_string(json, "system", text_string(&release));
	json_string(json, "cpu", cpu_model(line, sizeof(line)));
	json_count(json, "threads", provenance->threads);
	json_string(json, "blas", provenance->backend);
	json_string(json, "gpu", NULL);
	json_count(json, "peak_memory_bytes", (size_t)usage.ru_maxrss * 1024); // Linux counts in KiB
	text_finish(&release);
}

static void json_phases(struct json *json, const struct run_result *result) {
	json_array(json, "phases", JSON_LINES);
	for (size_t i = 0; i < result->phases_count; i++) {
		const struct run_phase *phase = &result->phases[i];
		json_object(json, NULL, JSON_INLINE);
		json_string(json, "name", phase->name);
		json_real(json, "seconds", phase->seconds);
		json_real(json, "ratings", phase->ratings);
		json_real(json, "ratings_per_second", phase->ratings / phase->seconds); // null where it took no time at all
		json_end(json);
	}
	json_end(json);
	json_array(json, "epoch_seconds", JSON_INLINE);
	for (size_t i = 0; i < result->epochs_count; i++)
		json_real(json, NULL, result->epochs[i].seconds);
	json_end(json);
}

void report_run_json(const struct run_result *result, const struct provenance *provenance, struct text *text) {
	struct json json = {.text = text};
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "schema", "aexp.run/1");
	json_string(&json, "experiment", result->experiment->name);
	json_string(&json, "id", result->id);
	json_count(&json, "resumed_from_epoch", provenance->resumed_from_epoch);
	json_string(&json, "version", provenance->version);
	json_string(&json, "commit", provenance->commit);
	json_array(&json, "command", JSON_INLINE);
	for (int i = 0; i < provenance->argc; i++)
		json_string(&json, NULL, provenance->argv[i]);
	json_end(&json);
	json_time(&json, "started", provenance->started);
	json_time(&json, "ended", provenance->ended);
	json_real(&json, "seconds", provenance->seconds);
	json_count(&json, "epochs", result->epochs_count);
	json_count(&json, "final_epoch", result->final_epoch);
	json_bool(&json, "stopped_early", result->stopped_early);
	json_string(&json, "converged", result->converged);
	json_halvings(&json, result);
	json_machine(&json, provenance);
	json_string(&json, "data", provenance->data);
	json_phases(&json, result);
	json_end(&json);
	text_append(text, "\n");
}
