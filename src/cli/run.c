// aexp run: trains each experiment and leaves its run folder.
#include "cli/cli.h"

#include "base/file.h"
#include "report/report.h"
#include "version.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A signal handler can reach nothing else.
static volatile sig_atomic_t interrupt_wanted;

static void on_signal(int number) {
	(void)number;
	interrupt_wanted = 1;
}

static void watch_signals(void) {
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND}; // the second one ends at once
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool interrupted(void *context) {
	(void)context;
	return interrupt_wanted;
}

static void print_note(void *context, const char *line) {
	(void)context;
	fprintf(stderr, "%s\n", line);
}

static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void print_part(const struct run_result *r, const char *name, const struct part_result *part) {
	if (!part->exists)
		return;
	printf("%s", name);
	for (size_t i = 0; i < r->experiment->uses_count; i++)
		if (!isnan(part->metric[i]))
			printf("  %s %.6g", r->experiment->uses[i].name, part->metric[i]);
	printf("\n");
}

static void print_baselines(const struct run_result *r) {
	for (size_t b = 0; r->baselines[PART_TEST].uses_count && b < BASELINES; b++) {
		bool any = false;
		for (size_t i = 0; i < r->experiment->uses_count; i++) {
			const struct baselines *base = &r->baselines[PART_TEST];
			if (!base->applies[b][i] || isnan(base->value[b][i]))
				continue;
			if (!any)
				printf("  %s on test:", baseline_names[b]);
			printf("  %s %.6g", r->experiment->uses[i].name, base->value[b][i]);
			any = true;
		}
		if (any)
			printf("\n");
	}
}

static void print_result(const struct run_result *r, const char *folder, const struct options *options) {
	if (options->json) {
		struct text text = {0};
		report_metrics_json(r, &text);
		fputs(text_string(&text), stdout);
		text_finish(&text);
		return;
	}
	printf("%s  %s\n", r->experiment->name, folder);
	print_part(r, "  train", &r->final[PART_TRAIN]);
	print_part(r, "  valid", &r->final[PART_VALID]);
	print_part(r, "  test ", &r->final[PART_TEST]);
	print_baselines(r);
}

static void print_finished(const struct prepared *p, const char *folder, const struct options *options) {
	char *path = path_join(folder, "metrics.json"), *data;
	size_t size;
	if (!options->json)
		printf("%s  %s  finished already (--force runs it again)\n", p->experiment.name, folder);
	else if (file_read(path, (size_t)1 << 30, &data, &size, NULL)) {
		fwrite(data, 1, size, stdout);
		free(data);
	}
	free(path);
}

// -v: what computed, and where the time went.
static void print_phases(const struct run_result *r, const struct provenance *provenance) {
	fprintf(stderr, "backend %s, %zu threads\n", provenance->backend, provenance->threads);
	for (size_t i = 0; i < r->phases_count; i++)
		fprintf(stderr, "%-10s %8.3f s\n", r->phases[i].name, r->phases[i].seconds);
}

static void begin_phases(const struct prepared *p, struct run_result *r) {
	r->phases[r->phases_count++] = (struct phase){"load", p->load_seconds, (double)p->dataset.count};
	r->phases[r->phases_count++] = (struct phase){"prepare", p->prepare_seconds, (double)p->dataset.count};
	if (p->keep_seconds > 0)
		r->phases[r->phases_count++] = (struct phase){"cache", p->keep_seconds, (double)p->dataset.count};
}

static int train_into(struct prepared *p, const char *folder, const struct options *options) {
	struct run_result result = {0};
	struct error error = {0};
	struct progress progress;
	struct text resolved = {0}, portable = {0};
	struct provenance provenance = {.version = AEXP_VERSION,
	                                .commit = AEXP_COMMIT,
	                                .argc = options->argc,
	                                .argv = options->argv,
	                                .threads = pool_threads(options->pool),
	                                .data = p->access.from,
	                                .started = now()};
	char *backend = NULL;
	experiment_write(&p->experiment, &resolved);
	experiment_write_portable(&p->experiment, &portable);
	result.portable_text = text_string(&portable);
	memcpy(result.id, p->id, sizeof(result.id));
	experiment_protocol(&p->experiment, p->dataset.fingerprint, result.protocol);
	begin_phases(p, &result);
	progress_begin(&progress, &p->experiment, options->quiet);
	struct train_observer observer = {&progress, progress_batch, progress_epoch, interrupted};
	bool good = train_backend_check(&p->experiment, options->pool, &error) &&
	            run_folder_begin(folder, text_string(&resolved), &error) &&
	            train_run(&p->experiment, &p->matrices, &p->graph, options->pool, &observer, &result, &backend, &error);
	progress_end(&progress);
	provenance.backend = backend ? backend : "";
	provenance.ended = now();
	good = good && run_folder_finish(folder, &result, text_string(&resolved), &provenance, print_note, NULL, &error);
	if (good && options->verbose)
		print_phases(&result, &provenance);
	if (good)
		print_result(&result, folder, options);
	else
		print_error(&error);
	train_result_finish(&result);
	text_finish(&resolved);
	text_finish(&portable);
	free(backend);
	return good ? 0 : (int)error.code;
}

static int run_one(const char *path, const struct options *options) {
	struct prepared p;
	int code = prepare(path, options, true, &p);
	if (code == 0) {
		char *folder = run_folder_path(options->results, p.experiment.name, p.id);
		if (run_folder_finished(folder) && !options->force)
			print_finished(&p, folder, options);
		else
			code = train_into(&p, folder, options);
		free(folder);
	}
	prepared_finish(&p);
	return code;
}

static int check_one(const char *path, const struct options *options) {
	struct prepared p;
	struct error error = {0};
	int code = prepare(path, options, true, &p);
	if (code == 0 && !train_backend_check(&p.experiment, options->pool, &error)) {
		print_error(&error);
		code = (int)error.code;
	}
	prepared_finish(&p);
	return code;
}

// Everything is checked before the first one runs: files, and where there are several their data, plans and backends.
static int check_all(const struct options *options) {
	int code = check_files(options);
	for (size_t i = 0; code == 0 && options->arguments_count > 1 && i < options->arguments_count; i++)
		code = check_one(options->arguments[i], options);
	return code;
}

static int run(const struct options *options) {
	int code = check_all(options);
	if (code)
		return code;
	watch_signals();
	for (size_t i = 0; i < options->arguments_count; i++) {
		int one = run_one(options->arguments[i], options);
		code = code ? code : one;
		if (one == ERROR_INTERRUPTED)
			break;
	}
	return code;
}

const struct verb verb_run = {
    .name = "run",
    .usage = "run CFG...",
    .doc = "trains each experiment and writes its run folder",
    .help = "A finished identical run is reported and not run again; --force runs it. Given several files, all are\n"
            "checked before the first one runs.\n",
    .arguments_min = 1,
    .arguments_max = SIZE_MAX,
    .run = run,
};
