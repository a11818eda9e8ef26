// The measurements: epochs of the shapes with the peers between them, growth, start-up, ranking. Programs take turns,
// so that a machine that slows down slows all of them.
#include "base/file.h"
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OVERRIDES_MOST = 8 };

struct overrides {
	const char *word[OVERRIDES_MOST + 1]; // NULL after the last
	size_t count;
};

static void set(struct bench *bench, struct overrides *overrides, const char *key, double value) {
	if (overrides->count < OVERRIDES_MOST)
		overrides->word[overrides->count++] = arena_format(&bench->arena, "%s=%.0f", key, value);
}

static void remember_machine(struct results *results, const struct run_facts *run) {
	memcpy(results->commit, run->commit, sizeof(results->commit));
	memcpy(results->blas, run->blas, sizeof(results->blas));
	memcpy(results->cpu, run->cpu, sizeof(results->cpu));
}

// Models and caches of a label: gigabytes, were they kept.
static void forget(struct bench *bench, const char *label) {
	folder_remove(arena_format(&bench->arena, "%s/results/%s", bench->work, label), NULL);
}

// --- shapes

// `list` is names with commas; NULL: the shapes of the quick run, or all of them.
static bool wanted(const struct bench *bench, const struct shape *shape) {
	size_t length = strlen(shape->name);
	if (!bench->shapes)
		return !shape->test && (!bench->quick || shape->quick);
	for (const char *at = bench->shapes; (at = strstr(at, shape->name)); at += length)
		if ((at == bench->shapes || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

static bool run_epochs(struct bench *bench, const struct overrides *overrides, struct results *results,
                       struct shape_result *ret) {
	for (size_t t = bench->threads_count; t-- > 0;) {
		struct run_facts run;
		if (!aexp_run(bench, ret->shape->cfg, ret->shape->name, bench->threads[t], overrides->word, &run))
			return false;
		for (size_t i = 0; i < run.epochs.count; i++)
			samples_add(&ret->epochs[t], run.epochs.value[i]);
		ret->peak_memory = fmax(ret->peak_memory, run.peak_memory);
		remember_machine(results, &run);
		bench_say("  aexp, %zu threads: %.4g s an epoch", bench->threads[t], samples_median(&run.epochs));
	}
	return true;
}

static bool measure_shape(struct bench *bench, struct results *results, struct shape_result *ret) {
	const struct shape *s = ret->shape;
	struct overrides overrides = {0};
	char *file;
	bench_say("%s", s->name);
	set(bench, &overrides, "graph.taste.units", (double)s->hidden);
	set(bench, &overrides, "train.batch", (double)s->batch);
	bool good = shape_limits_measure(bench, s->cfg, s->name, s->hidden, s->batch, overrides.word, &file, &ret->limits);
	set(bench, &overrides, "train.epochs", (double)(bench->epochs ? bench->epochs : s->epochs));
	for (size_t round = 0; good && round < bench->rounds; round++) {
		good = run_epochs(bench, &overrides, results, ret);
		if (good && bench->python && s->peers) {
			peer_run(bench, "dense", s, file, &ret->dense);
			peer_run(bench, "expert", s, file, &ret->expert);
		}
	}
	unlink(file);
	forget(bench, s->name);
	if (s->all_cells)
		bound_gemm(&ret->limits, &results->machine, s->hidden, bench->threads_count, &ret->bound);
	else
		bound_sparse(&ret->limits, s->hidden, bench->threads_count, &ret->bound);
	return good;
}

bool measure_shapes(struct bench *bench, struct results *results) {
	results->shape = memory_alloc(shapes_count * sizeof(*results->shape));
	for (size_t i = 0; i < shapes_count; i++) {
		if (!wanted(bench, &shapes[i]))
			continue;
		struct shape_result *result = &results->shape[results->shapes++];
		result->shape = &shapes[i];
		if (!measure_shape(bench, results, result))
			return false;
	}
	return true;
}

// --- growth: h 128, batch 1024

enum { GROWTH_HIDDEN = 128, GROWTH_BATCH = 1024, GROWTH_ITEMS = 20000, RATINGS_PER_USER = 145, GROWTH_EPOCHS = 2 };

static bool measure_point(struct bench *bench, struct growth_point *point) {
	struct overrides overrides = {0};
	struct shape_limits limits;
	struct samples epochs = {0};
	size_t last = bench->threads_count - 1;
	char *file;
	set(bench, &overrides, "data.source.users", ceil(point->ratings / RATINGS_PER_USER));
	set(bench, &overrides, "data.source.items", point->items);
	set(bench, &overrides, "data.source.ratings", point->ratings);
	if (!shape_limits_measure(bench, "growth", "growth", GROWTH_HIDDEN, GROWTH_BATCH, overrides.word, &file, &limits))
		return false;
	unlink(file);
	bound_sparse(&limits, GROWTH_HIDDEN, bench->threads_count, &point->bound);
	set(bench, &overrides, "train.epochs", bench->epochs ? (double)bench->epochs : GROWTH_EPOCHS);
	for (size_t round = 0; round < bench->rounds; round++) {
		struct run_facts run;
		if (!aexp_run(bench, "growth", "growth", bench->threads[last], overrides.word, &run))
			return false;
		for (size_t i = 0; i < run.epochs.count; i++)
			samples_add(&epochs, run.epochs.value[i]);
	}
	forget(bench, "growth");
	point->seconds = samples_median(&epochs);
	bench_say("  %.3g ratings, %.0f items: %.4g s an epoch, %.4g s predicted", point->ratings, point->items,
	          point->seconds, point->bound.seconds[last]);
	return true;
}

bool measure_growth(struct bench *bench, struct results *results) {
	static const double ratings[] = {1e6, 3e6, 10e6, 30e6, 100e6}, items[] = {1000, 4000, 16000, 64000, 256000};
	static const double fixed_ratings = 4e6;
	bench_say("growth");
	for (size_t i = 0; i < sizeof(ratings) / sizeof(ratings[0]) && ratings[i] <= 1e6 * bench->growth_ratings; i++) {
		struct growth_point *point = &results->by_ratings[results->by_ratings_count++];
		*point = (struct growth_point){.x = ratings[i], .ratings = ratings[i], .items = GROWTH_ITEMS};
		if (!measure_point(bench, point))
			return false;
	}
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]) && items[i] <= bench->growth_items; i++) {
		struct growth_point *point = &results->by_items[results->by_items_count++];
		*point = (struct growth_point){.x = items[i], .ratings = fixed_ratings, .items = items[i]};
		if (!measure_point(bench, point))
			return false;
	}
	return true;
}

// --- start-up

static bool write_text(struct bench *bench, const char *name, const char *file) {
	struct command command = {0};
	struct text output = {0};
	command_add(bench, &command, "%s", bench->data);
	command_add(bench, &command, "text");
	command_add(bench, &command, "%s/%s.cfg", bench->source, name);
	command_add(bench, &command, "%s", file);
	bool good = command_run(bench, &command, &output);
	text_finish(&output);
	return good;
}

// Once with nothing left of earlier runs, once with what the first one left.
static bool start_twice(struct bench *bench, const char *label, const struct overrides *overrides,
                        struct startup_result *ret) {
	struct run_facts run;
	size_t threads = bench->threads[bench->threads_count - 1];
	char *results = arena_format(&bench->arena, "%s/results/%s", bench->work, label);
	if (!folder_remove(results, NULL) || !aexp_run(bench, "text", label, threads, overrides->word, &run))
		return false;
	samples_add(&ret->text, run_before_training(&run));
	samples_add(&ret->load, run_phase(&run, "load"));
	if (!aexp_run(bench, "text", label, threads, overrides->word, &run))
		return false;
	samples_add(&ret->again, run_before_training(&run));
	samples_add(&ret->reload, run_phase(&run, "load"));
	return true;
}

static bool measure_start(struct bench *bench, const char *name, double ratings, struct startup_result *ret) {
	char *file = arena_format(&bench->arena, "%s/%s.txt", bench->work, name);
	char *label = arena_format(&bench->arena, "text-%s", name);
	struct overrides overrides = {0};
	struct stat facts = {0};
	*ret = (struct startup_result){.name = name, .ratings = ratings};
	overrides.word[overrides.count++] = arena_format(&bench->arena, "data.source.path=%s", file);
	bool good = write_text(bench, name, file) && stat(file, &facts) == 0;
	ret->bytes = (double)facts.st_size;
	for (size_t round = 0; good && round < bench->rounds; round++)
		good = start_twice(bench, label, &overrides, ret);
	unlink(file);
	forget(bench, label);
	bench_say("start-up, %s: %.3g s from text, %.3g s again", name, samples_median(&ret->text),
	          samples_median(&ret->again));
	return good;
}

bool measure_startup(struct bench *bench, struct results *results) {
	return measure_start(bench, "ml1m", 1000209, &results->startup[results->startups++]) &&
	       (bench->quick || measure_start(bench, "ml20m", 20000263, &results->startup[results->startups++]));
}

// --- ranking

static bool rank_once(struct bench *bench, const struct ranking_result *r, size_t threads, const char *metrics,
                      struct samples *seconds, double *ret_users) {
	struct overrides overrides = {0};
	struct run_facts run;
	set(bench, &overrides, "graph.taste.units", (double)r->hidden);
	overrides.word[overrides.count++] = metrics;
	if (!aexp_run(bench, r->name, r->name, threads, overrides.word, &run))
		return false;
	samples_add(seconds, run_phase(&run, "evaluate"));
	*ret_users = run.ranked_users;
	return true;
}

static bool rank_round(struct bench *bench, struct ranking_result *r) {
	double none;
	for (size_t t = 0; t < bench->threads_count; t++) {
		size_t threads = bench->threads[t];
		if (!rank_once(bench, r, threads, "metrics=[\"ndcg@100\"]", &r->ranks[t], &r->users) ||
		    !rank_once(bench, r, threads, "metrics=[\"mse\"]", &r->cells[t], &none) ||
		    !rank_once(bench, r, threads, "metrics=[\"mse\",\"ndcg@100\"]", &r->both[t], &r->users))
			return false;
	}
	return true;
}

static bool measure_rank(struct bench *bench, const char *name, size_t hidden, struct ranking_result *ret) {
	struct shape_limits unused;
	struct overrides overrides = {0};
	char *file;
	*ret = (struct ranking_result){.name = name, .hidden = hidden, .peer = NAN};
	for (size_t round = 0; round < bench->rounds; round++)
		if (!rank_round(bench, ret))
			return false;
	forget(bench, name);
	size_t last = bench->threads_count - 1;
	if (bench->python &&
	    shape_limits_measure(bench, name, name, hidden, GROWTH_BATCH, overrides.word, &file, &unused)) {
		ret->peer = peer_topk(bench, file, hidden, ret->users);
		unlink(file);
	}
	bench_say("%s: %.0f users in %.3g s, with mse %.3g s; PyTorch %.3g s", name, ret->users,
	          samples_median(&ret->ranks[last]), samples_median(&ret->both[last]), ret->peer);
	return true;
}

bool measure_ranking(struct bench *bench, struct results *results) {
	return measure_rank(bench, "rank_ml1m", 500, &results->ranking[results->rankings++]) &&
	       measure_rank(bench, "rank_sephora", 128, &results->ranking[results->rankings++]);
}
