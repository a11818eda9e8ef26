// The tables in Markdown, the data of the pictures, and the page of the manual that shows both.
#include "base/file.h"
#include "base/number.h"
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// --- tables

static void cell(struct text *text, const char *format, double value) {
	text_append(text, " | ");
	if (isfinite(value))
		text_format(text, format, value);
	else
		text_append(text, "-");
}

static double ratio(const struct peer_result *peer, double aexp) {
	return peer->ran ? samples_median(&peer->epochs) / aexp : (double)NAN;
}

static void target(struct text *text, const struct shape *s) {
	if (s->fraction_target > 0)
		text_format(text, " | %.0f %% of sgemm", 100 * s->fraction_target);
	else if (s->dense_target > 0)
		text_format(text, " | %gx; %gx", s->dense_target, s->sparse_target);
	else
		text_append(text, " | -");
}

static void shape_row(const struct bench *bench, const struct shape_result *s, struct text *text) {
	double best = INFINITY;
	text_format(text, "| %s", s->shape->title);
	for (size_t t = 0; t < bench->threads_count; t++) {
		best = fmin(best, samples_median(&s->epochs[t]));
		cell(text, "%.3g", samples_median(&s->epochs[t]));
	}
	size_t last = bench->threads_count - 1;
	double median = samples_median(&s->epochs[last]);
	text_format(text, " | %zu", s->epochs[last].count);
	cell(text, "%.3g", 1e9 * median / s->limits.ratings);
	cell(text, "%.3g", s->bound.bytes / 1e9);
	cell(text, "%.3g", s->bound.flops / 1e9);
	cell(text, "%.0f %%", 100 * s->bound.seconds[last] / median);
	cell(text, "%.0f", s->peak_memory / 1e6);
	cell(text, "%.3g", s->dense.ran ? samples_median(&s->dense.epochs) : (double)NAN);
	cell(text, "%.3g", s->expert.ran ? samples_median(&s->expert.epochs) : (double)NAN);
	cell(text, "%.0fx", ratio(&s->dense, best));
	cell(text, "%.0fx", ratio(&s->expert, best));
	target(text, s->shape);
	text_append(text, " |\n");
}

static void rule(struct text *text, size_t columns) {
	text_append(text, "|---");
	for (size_t i = 1; i < columns; i++)
		text_append(text, "|---");
	text_append(text, "|\n");
}

static void shapes_table(const struct bench *bench, const struct results *r, struct text *text) {
	text_append(text, "| shape");
	for (size_t t = 0; t < bench->threads_count; t++)
		text_format(text, " | s an epoch, %zu thread%s", bench->threads[t], bench->threads[t] == 1 ? "" : "s");
	text_append(text,
	            " | epochs timed | ns a rating | GB | GFLOP | of the limit | MB | torch dense, s | torch expert, s | "
	            "dense : aexp | expert : aexp | must reach |\n");
	rule(text, 12 + bench->threads_count);
	for (size_t i = 0; i < r->shapes; i++)
		shape_row(bench, &r->shape[i], text);
}

static void peers_table(const struct results *r, struct text *text) {
	bool any = false;
	for (size_t i = 0; i < r->shapes; i++) {
		const struct peer_result *peers[] = {&r->shape[i].dense, &r->shape[i].expert};
		static const char *const names[] = {"dense.py", "expert.py"};
		for (size_t p = 0; p < 2; p++) {
			if (!peers[p]->ran)
				continue;
			if (!any)
				text_format(text,
				            "\nPyTorch %s; the fastest variant of each program:\n\n| shape | program | variant | "
				            "threads | batches timed | of an epoch |\n|---|---|---|---|---|---|\n",
				            peers[p]->version);
			any = true;
			text_format(text, "| %s | %s | %s | %zu | %.0f | %.4g |\n", r->shape[i].shape->title, names[p],
			            peers[p]->variant, peers[p]->threads, peers[p]->batches_timed, peers[p]->batches_of);
		}
	}
}

static void limit_row(const struct bench *bench, const char *what, const struct shape *shape,
                      const struct table_limit *table, struct text *text) {
	text_format(text, "| %s of %s, %.3g MB, GB/s", what, shape->title, table->table_bytes / 1e6);
	for (size_t t = 0; t < bench->threads_count; t++)
		cell(text, "%.3g", table->bytes_per_second[t] / 1e9);
	text_append(text, " |\n");
}

static void limits_table(const struct bench *bench, const struct results *r, struct text *text) {
	text_append(text, "\n| limit | ");
	for (size_t t = 0; t < bench->threads_count; t++)
		text_format(text, "%zu thread%s | ", bench->threads[t], bench->threads[t] == 1 ? "" : "s");
	text_append(text, "\n");
	rule(text, 1 + bench->threads_count);
	const struct {
		const char *name;
		const double *value;
	} rows[] = {{"memory triad, GB/s", r->machine.triad},
	            {"sgemm, best, GFLOP/s", r->machine.sgemm_peak},
	            {"sgemm, the three products of the all-cells shape, GFLOP/s", r->machine.sgemm_shape}};
	for (size_t i = 0; r->machine.json && i < sizeof(rows) / sizeof(rows[0]); i++) {
		text_format(text, "| %s", rows[i].name);
		for (size_t t = 0; t < bench->threads_count; t++)
			cell(text, "%.3g", rows[i].value[t] / 1e9);
		text_append(text, " |\n");
	}
	for (size_t i = 0; i < r->shapes; i++) {
		const struct shape_limits *limits = &r->shape[i].limits;
		limit_row(bench, "row gather", r->shape[i].shape, &limits->items_width, text);
		limit_row(bench, "rows read and written", r->shape[i].shape, &limits->update, text);
	}
}

static void growth_table(const struct bench *bench, const struct results *r, struct text *text) {
	size_t last = bench->threads_count - 1;
	const struct growth_point *all[] = {r->by_ratings, r->by_items};
	const size_t count[] = {r->by_ratings_count, r->by_items_count};
	if (count[0] + count[1] == 0)
		return;
	text_format(
	    text,
	    "\nGrowth, %zu threads, h 128, batch 1024:\n\n| ratings | items | s an epoch | predicted, s | measured : "
	    "predicted |\n|---|---|---|---|---|\n",
	    bench->threads[last]);
	for (size_t g = 0; g < 2; g++)
		for (size_t i = 0; i < count[g]; i++) {
			const struct growth_point *p = &all[g][i];
			text_format(text, "| %.3g | %.0f | %.3g | %.3g | %.2f |\n", p->ratings, p->items, p->seconds,
			            p->bound.seconds[last], p->seconds / p->bound.seconds[last]);
		}
}

static void startup_table(const struct results *r, struct text *text) {
	if (r->startups == 0)
		return;
	text_append(
	    text, "\n| start-up | text, MB | s to the first batch | of which reading | MB/s | s of a second run | of which "
	          "reading |\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < r->startups; i++) {
		const struct startup_result *s = &r->startup[i];
		text_format(text, "| %s | %.0f | %.3g | %.3g | %.0f | %.3g | %.3g |\n", s->name, s->bytes / 1e6,
		            samples_median(&s->text), samples_median(&s->load), s->bytes / 1e6 / samples_median(&s->load),
		            samples_median(&s->again), samples_median(&s->reload));
	}
}

static void ranking_table(const struct bench *bench, const struct results *r, struct text *text) {
	size_t last = bench->threads_count - 1;
	if (r->rankings == 0)
		return;
	text_format(text,
	            "\n| evaluation | h | users | ndcg@100, s, %zu threads | mse, s | both in one pass, s | torch, "
	            "ndcg@100 alone, s "
	            "| torch : ndcg@100 | torch : both |\n|---|---|---|---|---|---|---|---|---|\n",
	            bench->threads[last]);
	for (size_t i = 0; i < r->rankings; i++) {
		const struct ranking_result *k = &r->ranking[i];
		double ranks = samples_median(&k->ranks[last]), both = samples_median(&k->both[last]);
		text_format(text, "| %s | %zu | %.0f", k->name, k->hidden, k->users);
		cell(text, "%.3g", ranks);
		cell(text, "%.3g", samples_median(&k->cells[last]));
		cell(text, "%.3g", both);
		cell(text, "%.3g", k->peer);
		cell(text, "%.1fx", k->peer / ranks);
		cell(text, "%.1fx", k->peer / both);
		text_append(text, " |\n");
	}
}

void report_tables(const struct bench *bench, const struct results *r, struct text *text) {
	char date[32] = "";
	time_t now = time(NULL);
	struct tm parts;
	if (gmtime_r(&now, &parts))
		strftime(date, sizeof(date), "%Y-%m-%d", &parts);
	text_format(text, "%s, commit %s, %s, %s. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE unset. Medians; %zu rounds%s.\n\n",
	            date, r->commit, r->cpu, r->blas, bench->rounds, bench->quick ? ", the quick run" : "");
	shapes_table(bench, r, text);
	peers_table(r, text);
	limits_table(bench, r, text);
	growth_table(bench, r, text);
	startup_table(r, text);
	ranking_table(bench, r, text);
}

// --- pictures

static void epochs_tsv(const struct bench *bench, const struct results *r, struct text *text) {
	text_append(text, "shape\taexp\tbound\texpert\tdense\n");
	size_t last = bench->threads_count - 1;
	for (size_t i = 0; i < r->shapes; i++) {
		const struct shape_result *s = &r->shape[i];
		text_format(text, "%s\t%g\t%g\t%g\t%g\n", s->shape->name, samples_median(&s->epochs[last]),
		            s->bound.seconds[last], samples_median(&s->expert.epochs), samples_median(&s->dense.epochs));
	}
}

static void growth_tsv(const struct bench *bench, const struct growth_point *points, size_t count, struct text *text) {
	text_append(text, "x\tmeasured\tpredicted\n");
	for (size_t i = 0; i < count; i++)
		text_format(text, "%g\t%g\t%g\n", points[i].x, points[i].seconds,
		            points[i].bound.seconds[bench->threads_count - 1]);
}

static bool write(const struct bench *bench, const char *name, struct text *text) {
	struct error error = {0};
	char *path = path_join(bench->work, name);
	bool good = file_write(path, text_string(text), text->length, &error);
	if (!good)
		bench_say("%s", error.message);
	free(path);
	text_finish(text);
	return good;
}

bool report_pictures(struct bench *bench, const struct results *r) {
	struct text epochs = {0}, ratings = {0}, items = {0}, output = {0};
	struct command command = {0};
	bool peers = false;
	for (size_t i = 0; i < r->shapes; i++)
		peers = peers || r->shape[i].dense.ran || r->shape[i].expert.ran;
	epochs_tsv(bench, r, &epochs);
	growth_tsv(bench, r->by_ratings, r->by_ratings_count, &ratings);
	growth_tsv(bench, r->by_items, r->by_items_count, &items);
	if (!write(bench, "bench-epochs.tsv", &epochs) || !write(bench, "bench-ratings.tsv", &ratings) ||
	    !write(bench, "bench-items.tsv", &items))
		return false;
	command_add(bench, &command, "gnuplot");
	command_add(bench, &command, "-d");
	command_add(bench, &command, "-e");
	command_add(bench, &command, "folder = '%s'; shapes = %zu; peers = %d; growth = %d; threads = %zu", bench->work,
	            r->shapes, peers, r->by_ratings_count > 0 && r->by_items_count > 0,
	            bench->threads[bench->threads_count - 1]);
	command_add(bench, &command, "%s/../../plots/style.gp", bench->source);
	command_add(bench, &command, "%s/../../plots/bench.gp", bench->source);
	bool good = command_run(bench, &command, &output);
	text_finish(&output);
	return good;
}

// --- the page

#define MARK_BEGIN "<!-- bench:begin -->\n"
#define MARK_END "<!-- bench:end -->\n"

static void show_pictures(const struct results *r, struct text *text) {
	text_append(text, "\n![Seconds an epoch of each shape: the bound, aexp, PyTorch](bench-epochs.png)\n");
	if (r->by_ratings_count && r->by_items_count)
		text_append(text, "![Seconds an epoch against ratings](bench-ratings.png)\n"
		                  "![Seconds an epoch against items](bench-items.png)\n");
}

static bool copy_pictures(const struct bench *bench, const struct results *r, struct error *error) {
	static const char *const names[] = {"bench-epochs.png", "bench-ratings.png", "bench-items.png"};
	char *folder = path_folder(bench->docs);
	bool good = true;
	for (size_t i = 0; good && i < (r->by_ratings_count && r->by_items_count ? 3u : 1u); i++) {
		char *from = path_join(bench->work, names[i]), *to = path_join(folder, names[i]), *data = NULL;
		size_t size = 0;
		good = file_read(from, (size_t)1 << 26, &data, &size, error) && file_write(to, data, size, error);
		free(data);
		free(from);
		free(to);
	}
	free(folder);
	return good;
}

bool report_docs(const struct bench *bench, const struct results *r, struct error *error) {
	char *page = NULL;
	size_t size = 0;
	if (!file_read(bench->docs, (size_t)1 << 24, &page, &size, error))
		return false;
	char *begin = strstr(page, MARK_BEGIN), *end = strstr(page, MARK_END);
	bool good = begin && end && begin < end;
	if (good) {
		struct text text = {0};
		text_append_bytes(&text, page, (size_t)(begin - page) + strlen(MARK_BEGIN));
		report_tables(bench, r, &text);
		show_pictures(r, &text);
		text_append(&text, end);
		good = file_write(bench->docs, text_string(&text), text.length, error) && copy_pictures(bench, r, error);
		text_finish(&text);
	} else {
		error_set(error, ERROR_RUN, "\"%s\" must hold both markers of the benchmark", bench->docs);
	}
	free(page);
	return good;
}
