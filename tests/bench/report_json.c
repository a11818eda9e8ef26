// bench.json: everything that was measured and how.
#include "bench.h"
#include "report/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void samples(struct json *json, const char *key, const struct samples *s) {
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; i < s->count; i++)
		json_real(json, NULL, s->value[i]);
	json_end(json);
}

static void reals(struct json *json, const char *key, const double *values, size_t count) {
	json_array(json, key, JSON_INLINE);
	for (size_t i = 0; i < count; i++)
		json_real(json, NULL, values[i]);
	json_end(json);
}

// The instruction sets that matter here, of those the kernel lists.
static void cpu_flags(struct json *json) {
	static const char *const interesting[] = {"avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "asimd", "sve"};
	char line[8192] = "";
	FILE *file = fopen("/proc/cpuinfo", "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "flags", 5) == 0 || strncmp(line, "Features", 8) == 0)
			break;
	if (file)
		fclose(file);
	json_array(json, "cpu_flags", JSON_INLINE);
	for (char *word = strtok(line, " \t\n:"); word; word = strtok(NULL, " \t\n:"))
		for (size_t i = 0; i < sizeof(interesting) / sizeof(interesting[0]); i++)
			if (strcmp(word, interesting[i]) == 0)
				json_string(json, NULL, word);
	json_end(json);
}

static void machine(struct json *json, const struct bench *bench, const struct results *r) {
	char date[32] = "";
	time_t now = time(NULL);
	struct tm parts;
	if (gmtime_r(&now, &parts))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &parts);
	json_string(json, "date", date);
	json_string(json, "commit", r->commit);
	json_object(json, "machine", JSON_LINES);
	json_string(json, "cpu", r->cpu);
	cpu_flags(json);
	json_count(json, "processors", (size_t)sysconf(_SC_NPROCESSORS_ONLN));
	json_real(json, "memory_bytes", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE));
	json_string(json, "blas", r->blas);
	json_end(json);
	json_array(json, "threads", JSON_INLINE);
	for (size_t i = 0; i < bench->threads_count; i++)
		json_count(json, NULL, bench->threads[i]);
	json_end(json);
	json_count(json, "rounds", bench->rounds);
	json_real(json, "peer_budget_seconds", bench->budget);
	json_object(json, "formulas", JSON_LINES);
	json_string(json, "bytes", bound_formula_bytes);
	json_string(json, "flops", bound_formula_flops);
	json_string(json, "bound_seconds", bound_formula_seconds);
	json_end(json);
}

static void bound(struct json *json, const struct bound *b, size_t threads) {
	json_real(json, "bytes", b->bytes);
	json_real(json, "flops", b->flops);
	reals(json, "bound_seconds", b->seconds, threads);
}

static void table(struct json *json, const char *key, const struct table_limit *t, size_t threads) {
	json_object(json, key, JSON_INLINE);
	json_real(json, "table_bytes", t->table_bytes);
	reals(json, "bytes_per_second", t->bytes_per_second, threads);
	json_end(json);
}

static void peer(struct json *json, const char *key, const struct peer_result *p, double aexp) {
	if (!p->ran)
		return;
	json_object(json, key, JSON_LINES);
	json_string(json, "torch", p->version);
	json_string(json, "blas", p->blas);
	json_string(json, "variant", p->variant);
	json_count(json, "threads", p->threads);
	json_real(json, "batches_timed", p->batches_timed);
	json_real(json, "batches_of_an_epoch", p->batches_of);
	samples(json, "epoch_seconds", &p->epochs);
	json_real(json, "dense_output_epoch_seconds", p->dense_output);
	json_real(json, "ratio", samples_median(&p->epochs) / aexp);
	json_end(json);
}

static double best_median(const struct bench *bench, const struct shape_result *s) {
	double best = INFINITY;
	for (size_t t = 0; t < bench->threads_count; t++)
		best = fmin(best, samples_median(&s->epochs[t]));
	return best;
}

static void shape_epochs(struct json *json, const struct bench *bench, const struct shape_result *s) {
	json_array(json, "aexp", JSON_LINES);
	for (size_t t = 0; t < bench->threads_count; t++) {
		double median = samples_median(&s->epochs[t]);
		json_object(json, NULL, JSON_INLINE);
		json_count(json, "threads", bench->threads[t]);
		json_real(json, "median_epoch_seconds", median);
		json_real(json, "nanoseconds_a_rating", 1e9 * median / s->limits.ratings);
		json_real(json, "bytes_per_second", s->bound.bytes / median);
		json_real(json, "flops_per_second", s->bound.flops / median);
		json_real(json, "fraction_of_limit", s->bound.seconds[t] / median);
		samples(json, "epoch_seconds", &s->epochs[t]);
		json_end(json);
	}
	json_end(json);
}

static void shape(struct json *json, const struct bench *bench, const struct shape_result *s) {
	size_t threads = bench->threads_count;
	json_object(json, NULL, JSON_LINES);
	json_string(json, "name", s->shape->name);
	json_count(json, "hidden", s->shape->hidden);
	json_count(json, "batch", s->shape->batch);
	json_real(json, "rows", s->limits.rows);
	json_real(json, "items", s->limits.items);
	json_real(json, "ratings", s->limits.ratings);
	json_real(json, "feature_entries", s->limits.feature_entries);
	json_real(json, "touched_rows", s->limits.touched_rows);
	json_real(json, "peak_memory_bytes", s->peak_memory);
	bound(json, &s->bound, threads);
	table(json, "gather_items_hidden", &s->limits.items_hidden, threads);
	table(json, "gather_items_width", &s->limits.items_width, threads);
	table(json, "gather_batch_hidden", &s->limits.batch_hidden, threads);
	table(json, "gather_batch_width", &s->limits.batch_width, threads);
	table(json, "update", &s->limits.update, threads);
	shape_epochs(json, bench, s);
	double best = best_median(bench, s);
	peer(json, "torch_dense", &s->dense, best);
	peer(json, "torch_expert", &s->expert, best);
	json_end(json);
}

static void growth(struct json *json, const char *key, const struct growth_point *points, size_t count,
                   size_t threads) {
	json_array(json, key, JSON_LINES);
	for (size_t i = 0; i < count; i++) {
		json_object(json, NULL, JSON_INLINE);
		json_real(json, "ratings", points[i].ratings);
		json_real(json, "items", points[i].items);
		json_real(json, "median_epoch_seconds", points[i].seconds);
		bound(json, &points[i].bound, threads);
		json_end(json);
	}
	json_end(json);
}

static void startup(struct json *json, const struct startup_result *s) {
	json_object(json, NULL, JSON_LINES);
	json_string(json, "data", s->name);
	json_real(json, "text_bytes", s->bytes);
	json_real(json, "ratings", s->ratings);
	samples(json, "text_seconds_to_first_batch", &s->text);
	samples(json, "text_load_seconds", &s->load);
	samples(json, "again_seconds_to_first_batch", &s->again);
	samples(json, "again_load_seconds", &s->reload);
	json_end(json);
}

static void ranking(struct json *json, const struct bench *bench, const struct ranking_result *r) {
	json_object(json, NULL, JSON_LINES);
	json_string(json, "name", r->name);
	json_count(json, "hidden", r->hidden);
	json_real(json, "users", r->users);
	json_real(json, "torch_seconds", r->peer);
	json_array(json, "aexp", JSON_LINES);
	for (size_t t = 0; t < bench->threads_count; t++) {
		json_object(json, NULL, JSON_INLINE);
		json_count(json, "threads", bench->threads[t]);
		samples(json, "ndcg_seconds", &r->ranks[t]);
		samples(json, "mse_seconds", &r->cells[t]);
		samples(json, "both_seconds", &r->both[t]);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void commands(struct json *json, const char *lines) {
	json_array(json, "commands", JSON_LINES);
	while (*lines) {
		size_t length = strcspn(lines, "\n");
		struct text line = {0};
		text_append_bytes(&line, lines, length);
		json_string(json, NULL, text_string(&line));
		text_finish(&line);
		lines += length + (lines[length] == '\n');
	}
	json_end(json);
}

void report_json(const struct bench *bench, const struct results *r, struct text *text) {
	struct json json = {.text = text};
	size_t threads = bench->threads_count;
	json_object(&json, NULL, JSON_LINES);
	json_string(&json, "schema", "aexp.bench/1");
	machine(&json, bench, r);
	json_object(&json, "limits", JSON_LINES);
	reals(&json, "triad_bytes_per_second", r->machine.triad, threads);
	reals(&json, "sgemm_peak_flops_per_second", r->machine.sgemm_peak, threads);
	reals(&json, "sgemm_shape_flops_per_second", r->machine.sgemm_shape, threads);
	json_end(&json);
	json_array(&json, "shapes", JSON_LINES);
	for (size_t i = 0; i < r->shapes; i++)
		shape(&json, bench, &r->shape[i]);
	json_end(&json);
	growth(&json, "growth_by_ratings", r->by_ratings, r->by_ratings_count, threads);
	growth(&json, "growth_by_items", r->by_items, r->by_items_count, threads);
	json_array(&json, "startup", JSON_LINES);
	for (size_t i = 0; i < r->startups; i++)
		startup(&json, &r->startup[i]);
	json_end(&json);
	json_array(&json, "ranking", JSON_LINES);
	for (size_t i = 0; i < r->rankings; i++)
		ranking(&json, bench, &r->ranking[i]);
	json_end(&json);
	commands(&json, text_string(&bench->commands));
	json_end(&json);
	text_append(text, "\n");
}
