// See runner.h.
#include "cli/runner.h"

#include "base/file.h"
#include "data/split.h"
#include "report/claim.h"
#include "report/report.h"
#include "report/runs.h"
#include "report/summary.h"
#include "train/needs.h"
#include "version.h"

#include <inttypes.h>
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

// Nobody reads the messages any more: no reason to lose a training. A handler, since programs that are started would
// inherit that it is ignored.
static void on_lost_reader(int number) {
	(void)number;
}

void runner_watch_signals(void) {
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND}; // the second one ends at once
	struct sigaction nothing = {.sa_handler = on_lost_reader, .sa_flags = SA_RESTART}, before;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) // as nohup leaves it
		sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &nothing, NULL);
}

bool runner_interrupted(void) {
	return interrupt_wanted;
}

static bool interrupted(void *context) {
	(void)context;
	return interrupt_wanted;
}

// Whether this is the same program, of which the same numbers can be expected.
#define PROGRAM "aexp " AEXP_VERSION " " AEXP_COMMIT ", " __VERSION__

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

static void print_finished(const char *name, const char *folder, const struct options *options) {
	static const char *const files[] = {"metrics.json", "summary.json"};
	if (!options->json)
		printf("%s  %s  finished already (--force runs it again)\n", name, folder);
	for (size_t i = 0; options->json && i < sizeof(files) / sizeof(files[0]); i++) {
		char *path = path_join(folder, files[i]), *data;
		size_t size;
		if (file_read(path, (size_t)1 << 30, &data, &size, NULL)) {
			fwrite(data, 1, size, stdout);
			free(data);
		}
		free(path);
	}
}

// -v: what computed, and where the time went.
static void print_phases(const struct run_result *r, const struct provenance *provenance) {
	fprintf(stderr, "backend %s, %zu threads\n", provenance->backend, provenance->threads);
	for (size_t i = 0; i < r->phases_count; i++)
		fprintf(stderr, "%-10s %8.3f s\n", r->phases[i].name, r->phases[i].seconds);
}

static void begin_phases(const struct prepared *p, struct run_result *r) {
	r->phases[r->phases_count++] = (struct run_phase){"load", p->load_seconds, (double)p->dataset.count};
	r->phases[r->phases_count++] = (struct run_phase){"prepare", p->prepare_seconds, (double)p->dataset.count};
	if (p->keep_seconds > 0)
		r->phases[r->phases_count++] = (struct run_phase){"cache", p->keep_seconds, (double)p->dataset.count};
}

// One training on its way into its folder.
struct job {
	struct prepared *prepared;
	const struct options *options;
	const struct runner_watch *watch;
	struct run_result result;
	struct provenance provenance;
	struct text resolved, portable;
	char **folder;      // of the run; another one where it ends before its last epoch
	size_t device_left; // bytes that are free there
};

// What is known of the experiment as it stands: its texts and its ID.
static void describe(struct job *job) {
	struct prepared *p = job->prepared;
	text_finish(&job->resolved);
	text_finish(&job->portable);
	experiment_write(&p->experiment, &job->resolved);
	experiment_write_portable(&p->experiment, &job->portable);
	job->result.portable_text = text_string(&job->portable);
	experiment_id(&p->experiment, p->dataset.fingerprint, p->id);
	memcpy(job->result.id, p->id, sizeof(p->id));
}

// A training that whoever watches has ended is the run that would have ended there by itself.
static void become_shorter(struct job *job) {
	struct experiment *e = &job->prepared->experiment;
	e->train->stop_after = (int64_t)job->result.epochs_count;
	run_folder_abandon(*job->folder);
	describe(job);
	free(*job->folder);
	*job->folder = run_folder_path(job->options->results, e->name, job->prepared->id);
}

static bool write_job(struct job *job, struct error *error) {
	struct claim claim = {.file = -1};
	bool good = true, other = job->result.ended;
	if (other) {
		become_shorter(job);
		good = claim_take(*job->folder, NULL, interrupted, NULL, &claim, error);
	}
	if (good && !(other && run_folder_finished(*job->folder)))
		good = run_folder_finish(*job->folder, &job->result, text_string(&job->resolved), &job->provenance, print_note,
		                         NULL, error);
	if (other)
		claim_release(&claim);
	return good;
}

static bool train_job(struct job *job, char **ret_backend, struct error *error) {
	struct prepared *p = job->prepared;
	const struct options *options = job->options;
	struct progress progress;
	progress_begin(&progress, &p->experiment, options->quiet);
	char *checkpoints = run_folder_checkpoints(*job->folder);
	const struct train_keep keep = {checkpoints, PROGRAM, p->id, options->quiet ? NULL : print_note, NULL};
	struct train_observer observer = {&progress, progress_batch,   progress_epoch, interrupted,
	                                  NULL,      progress_resumed, &keep};
	if (job->watch)
		observer = (struct train_observer){
		    job->watch->context, job->watch->batch, job->watch->epoch, interrupted, job->watch->ends, NULL, &keep};
	struct train_needs needs;
	train_measure(&p->experiment, &p->matrices, &p->graph, pool_threads(options->pool), job->device_left, &needs);
	run_folder_tidy(*job->folder);
	bool good = !options->force || folder_remove(checkpoints, error);
	good =
	    good && train_fits(&needs, *job->folder, checkpoints, error) &&
	    run_folder_begin(*job->folder, text_string(&job->resolved), error) &&
	    train_run(&p->experiment, &p->matrices, &p->graph, options->pool, &observer, &job->result, ret_backend, error);
	progress_end(&progress);
	free(checkpoints);
	return good;
}

// What there is of a training that did not come to its end. Where that cannot be written, the first error counts.
static void leave(struct job *job) {
	struct error unimportant;
	if (job->result.epochs_count && !run_folder_finished(*job->folder))
		run_folder_leave(*job->folder, &job->result, &unimportant);
}

static void print_job(const struct job *job, bool print) {
	const struct run_result *result = &job->result;
	if (result->converged && !job->options->quiet)
		fprintf(stderr, "training ended after %zu epochs: %s\n", result->epochs_count, result->converged);
	if (job->options->verbose)
		print_phases(result, &job->provenance);
	if (print)
		print_result(result, *job->folder, job->options);
}

// left: bytes that are free on the device
static int train_into(struct prepared *p, char **folder, const struct options *options, bool print,
                      const struct runner_watch *watch, size_t left) {
	struct job job = {.prepared = p, .options = options, .watch = watch, .folder = folder, .device_left = left};
	struct error error = {0};
	double start = train_seconds();
	char *backend = NULL;
	job.provenance = (struct provenance){.version = AEXP_VERSION,
	                                     .commit = AEXP_COMMIT,
	                                     .argc = options->argc,
	                                     .argv = options->argv,
	                                     .threads = pool_threads(options->pool),
	                                     .data = p->access.from,
	                                     .started = now()};
	describe(&job);
	experiment_protocol(&p->experiment, p->dataset.fingerprint, job.result.protocol);
	begin_phases(p, &job.result);
	bool good = train_job(&job, &backend, &error);
	job.provenance.backend = backend ? backend : "";
	job.provenance.ended = now();
	job.provenance.seconds = train_seconds() - start;
	job.provenance.resumed_from_epoch = job.result.resumed_from_epoch;
	if (!good)
		leave(&job);
	good = good && write_job(&job, &error);
	if (good)
		print_job(&job, print);
	else
		print_error(&error);
	train_result_finish(&job.result);
	text_finish(&job.resolved);
	text_finish(&job.portable);
	free(backend);
	return good ? 0 : (int)error.code;
}

static void print_waiting(void *context, const char *who) {
	fprintf(stderr, "%s is being run by another%s%s%s; waiting for it\n", (const char *)context, *who ? " (" : "", who,
	        *who ? ")" : "");
}

// A process that was killed between its last file and its end has left something beside what is finished.
static void tidy(const char *folder) {
	struct claim claim;
	struct error unimportant;
	if (!run_folder_is_untidy(folder) && !claim_is_there(folder))
		return;
	if (claim_take(folder, NULL, interrupted, NULL, &claim, &unimportant))
		run_folder_tidy(folder);
	claim_release(&claim);
}

// What cannot be read is no result, and nobody's to write over unasked.
static int find_finished(const char *name, const char *folder, const struct options *options, bool print) {
	struct error error = {0};
	if (!run_folder_is_sound(folder, &error)) {
		error_hint(&error, "Put the file back from a copy, or run it again with --force.");
		print_error(&error);
		return (int)error.code;
	}
	if (print)
		print_finished(name, folder, options);
	return 0;
}

static int run_prepared(struct prepared *p, char **folder, const struct options *options, bool print,
                        const struct runner_watch *watch) {
	struct claim claim;
	struct error error = {0};
	size_t left;
	int code = 0;
	if (run_folder_finished(*folder) && !options->force) {
		tidy(*folder);
		return find_finished(p->experiment.name, *folder, options, print);
	}
	if (!train_backend_check(&p->experiment, options->pool, &left, &error)) { // before anything is made
		print_error(&error);
		return (int)error.code;
	}
	if (!claim_take(*folder, options->quiet ? NULL : print_waiting, interrupted, *folder, &claim, &error)) {
		print_error(&error);
		code = (int)error.code;
	} else if (!run_folder_finished(*folder) || options->force) {
		code = train_into(p, folder, options, print, watch, left);
	} else {
		code = find_finished(p->experiment.name, *folder, options, print);
	}
	claim_release(&claim);
	return code;
}

// --- one file as several runs ---

// Of one experiment that asks for more than one run: what is left of it once its data is let go.
struct several {
	const char *path;
	const struct options *options;
	char *name, *folder;
	char id[EXPERIMENT_ID];
	struct text resolved;
	uint64_t seed;
	size_t repeats, folds; // folds 0: none
};

// One of them is the file itself with two or three more overrides: it has its own ID and folder.
static int run_single(const struct several *s, size_t repeat, size_t fold, bool print, char **ret_folder) {
	enum { MORE = 3, TEXT = 64 };
	char more[MORE][TEXT];
	struct options options = *s->options;
	options.overrides = memory_alloc((options.overrides_count + MORE) * sizeof(*options.overrides));
	for (size_t i = 0; i < options.overrides_count; i++)
		options.overrides[i] = s->options->overrides[i];
	snprintf(more[0], TEXT, "repeats=1");
	snprintf(more[1], TEXT, "seed=%" PRIu64, s->seed + repeat);
	snprintf(more[2], TEXT, "data.split.fold=%zu", fold);
	for (size_t i = 0; i < (fold ? MORE : MORE - 1); i++)
		options.overrides[options.overrides_count++] = more[i];
	int code = runner_run(s->path, &options, print, ret_folder);
	free(options.overrides);
	return code;
}

static void print_summary(const struct summary *summary, const struct several *s) {
	struct arena arena = {0};
	struct run_entry entry;
	struct text text = {0};
	if (s->options->json) {
		report_summary_json(summary, &text);
		fputs(text_string(&text), stdout);
		text_finish(&text);
		return;
	}
	runs_read_one(s->folder, &arena, &entry);
	printf("%s  %s  %zu runs\n", s->name, s->folder, summary->count);
	for (size_t i = 0; i < entry.final_count; i++) {
		const struct run_value *figure = &entry.final[i];
		if (!isnan(figure->value))
			printf("  %s %.6g", figure->name, figure->value);
		if (!isnan(figure->low))
			printf("  (95 %%: %.6g to %.6g)", figure->low, figure->high);
		if (!isnan(figure->value))
			printf("\n");
	}
	arena_finish(&arena);
}

static int run_several(const struct several *s, bool print) {
	if (run_folder_finished(s->folder) && !s->options->force) {
		return find_finished(s->name, s->folder, s->options, print);
	}
	size_t folds = s->folds ? s->folds : 1, count = s->repeats * folds, done = 0;
	struct arena arena = {0};
	struct run_entry *runs = memory_alloc(count * sizeof(*runs));
	size_t *fold = memory_alloc(count * sizeof(*fold));
	int code = 0;
	for (; code == 0 && done < count; done++) {
		char *folder = NULL;
		fold[done] = s->folds ? done % folds + 1 : 0;
		code = run_single(s, done / folds, fold[done], print && !s->options->json, &folder);
		if (code == 0)
			runs_read_one(folder, &arena, &runs[done]);
		free(folder);
	}
	struct summary summary = {s->name, s->id, runs, fold, count};
	struct error error = {0};
	if (code == 0 && !summary_write(s->folder, &summary, text_string(&s->resolved), &error)) {
		print_error(&error);
		code = (int)error.code;
	}
	if (code == 0 && print)
		print_summary(&summary, s);
	arena_finish(&arena);
	free(runs);
	free(fold);
	return code;
}

int runner_run(const char *path, const struct options *options, bool print, char **ret_folder) {
	return runner_run_watched(path, options, print, NULL, ret_folder);
}

int runner_run_watched(const char *path, const struct options *options, bool print, const struct runner_watch *watch,
                       char **ret_folder) {
	struct prepared p;
	int code = prepare(path, options, true, &p);
	*ret_folder = NULL;
	if (code == 0) {
		struct experiment *e = &p.experiment;
		e->sweep = NULL; // a run is one point of it, and the same whatever else is tried
		*ret_folder = run_folder_path(options->results, e->name, p.id);
		struct several several = {
		    path, options, NULL, *ret_folder, {0}, {0}, e->seed, (size_t)e->repeats, split_folds(e->data->split)};
		if (several.repeats == 1 && several.folds == 0) {
			code = run_prepared(&p, ret_folder, options, print, watch);
		} else {
			several.name = memory_copy_string(e->name);
			memcpy(several.id, p.id, sizeof(several.id));
			experiment_write(e, &several.resolved);
			prepared_finish(&p); // each run loads its own
			p = (struct prepared){0};
			code = run_several(&several, print);
		}
		free(several.name);
		text_finish(&several.resolved);
	}
	prepared_finish(&p);
	return code;
}

int runner_folder(const char *path, const struct options *options, char **ret_folder) {
	struct prepared p;
	int code = prepare(path, options, false, &p);
	*ret_folder = code ? NULL : run_folder_path(options->results, p.experiment.name, p.id);
	prepared_finish(&p);
	return code;
}

static bool at_once(void *context) {
	(void)context;
	return true;
}

void runner_abandon(const char *folder) {
	struct claim claim = {.file = -1};
	struct error unimportant;
	if (file_exists(folder) && claim_take(folder, NULL, at_once, NULL, &claim, &unimportant))
		run_folder_abandon(folder);
	claim_release(&claim);
}

int runner_check(const char *path, const struct options *options) {
	struct prepared p;
	struct error error = {0};
	int code = prepare(path, options, true, &p);
	if (code == 0 && !train_backend_check(&p.experiment, options->pool, NULL, &error)) {
		print_error(&error);
		code = (int)error.code;
	}
	prepared_finish(&p);
	return code;
}
